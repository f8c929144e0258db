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
        ("num_org", "", "Organisations"),
        ("num_streams", "", "Streams"),
        ("num_users", "", "Users"),
        ("streams_total_size", "MB", "What has come in"),
        ("streams_compressed_size", "MB", "The same as it is stored"),
        ("num_ingest_functions", "", "Functions that run when something comes in"),
        ("num_query_functions", "", "Functions that run in queries"),
        ("real_time_alerts", "", "Alerts that are looked at all the time"),
        ("scheduled_alerts", "", "Alerts that are looked at now and then"),
    ];
    let count = |schema: Schema,
                 (name, unit, about): (&'static str, &'static str, &'static str)| {
        let schema = schema.gauge(name).default(0.0).describe(about);
        if unit.is_empty() { schema } else { schema.unit(unit) }
    };
    let memory = |schema: Schema, name, about, example: u64| {
        schema.value(name).unit("KiB").describe(about).example(example)
    };
    let schema = Schema::new("zincobserve").strict().instance_id("instance_id");
    let schema = schema.describe("Groups the reports of one installation");
    let schema = counts.into_iter().fold(schema, count);
    let schema = schema
        .fact("is_local_mode", config.local_storage.is_some())
        .describe("Whether data is kept on this machine")
        .fact("local_mode_storage", config.local_storage)
        .describe("Where, if so")
        .fact("is_HA_mode", config.local_storage.is_none())
        .describe("Whether it runs on several nodes")
        .fact("number_of_nodes", config.nodes)
        .describe("Nodes")
        .value("os")
        .describe("Operating system")
        .example("Linux")
        .value("os_release")
        .describe("Its kernel")
        .example("5.10.161+")
        .fact("zo_version", config.version)
        .describe("Version of the node")
        .cores("cpu_count")
        .describe("Processors it may use");
    let schema = memory(schema, "total_memory", "Memory of the machine", 32_882_744);
    let schema = memory(schema, "free_memory", "The part of it that is free", 26_867_176);
    memory(schema, "avail_memory", "The part of it that is available", 30_695_456)
        .fact("time_zone", config.time_zone)
        .unit("hours")
        .describe("Hours east of UTC")
        .value("host_name")
        .describe("The one field that tells which machine it is")
        .example("ziox-router-6f9c6c549f")
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
