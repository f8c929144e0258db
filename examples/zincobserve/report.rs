//! The report of ZincObserve's telemetry page: flat, of facts about the host, sizes and counts.

use callhome::{Fact, Schema, Values};
use sysinfo::System;

/// What the node was started with.
#[derive(Clone, Copy)]
pub(crate) struct Config {
    pub(crate) version: &'static str,
    pub(crate) local_storage: Option<&'static str>,
    pub(crate) nodes: u64,
    /// Whole hours east of UTC.
    pub(crate) time_zone: i64,
}

/// All that the page lists. What the system says, `host` gives at one moment.
pub(crate) fn schema(config: Config, host: impl Fn(&mut Values) + Send + Sync + 'static) -> Schema {
    let counts = [
        "num_org",
        "num_streams",
        "num_users",
        "streams_total_size", // in MB, as the next
        "streams_compressed_size",
        "num_ingest_functions",
        "num_query_functions",
        "real_time_alerts",
        "scheduled_alerts",
    ];
    let schema = Schema::new("zincobserve").instance_id("instance_id");
    counts
        .into_iter()
        .fold(schema, |schema, name| schema.gauge(name).default(0.0))
        .fact("is_local_mode", config.local_storage.is_some())
        .fact("local_mode_storage", config.local_storage)
        .fact("is_HA_mode", config.local_storage.is_none())
        .fact("number_of_nodes", config.nodes)
        .values(["os", "os_release"])
        .fact("zo_version", config.version)
        .cores("cpu_count")
        .values(["total_memory", "free_memory", "avail_memory"])
        .unit("KiB")
        .fact("time_zone", config.time_zone)
        .value("host_name")
        .describe("The one field that tells which machine it is")
        .filled_by(host)
}

/// What the operating system says about this machine.
pub(crate) fn this_host(values: &mut Values) {
    let mut system = System::new();
    system.refresh_memory();
    values.set("os", System::name().map(Fact::text));
    values.set("os_release", System::kernel_version().map(Fact::text));
    values.set("total_memory", system.total_memory() / 1024);
    values.set("free_memory", system.free_memory() / 1024);
    values.set("avail_memory", system.available_memory() / 1024);
    values.set("host_name", System::host_name().map(Fact::text));
}
