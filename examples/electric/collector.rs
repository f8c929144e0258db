//! The reports of later versions of Electric: one of the application, and one of each stack that it
//! serves, which come and go. A stack is told apart by the label `stack_id`.
//!
//! Their collector takes nothing that it does not expect. What it expects of `resources` and `usage`
//! is public (`call_home_remote_schema.json` in Electric's repository), and
//! `tests/collector/electric.json` says the same; the test `seeds` holds what arrives to it.

use callhome::host::process_memory;
use callhome::{Fact, Schema, Transform, Values};
use sysinfo::System;

/// What both say about what they run on.
fn environment(schema: Schema) -> Schema {
    let schema = schema.arch("arch").cores("cores").ram("ram").os("os");
    schema.cluster_id("electric_installation_id").instance_id("electric_instance_id")
}

/// The report of the application: what it takes of the machine.
pub(crate) fn application(version: &'static str) -> Schema {
    let queues = ["run_queue_total", "run_queue_cpu", "run_queue_io"];
    let queues = |s: Schema| queues.iter().fold(s, |s, name| s.gauge_summary(*name).default(0.0));
    Schema::new("electric_application")
        .fact("electric_version", version)
        .section("environment", environment)
        .section("resources", |s| queues(s.uptime("uptime").sampled("used_memory", process_memory)))
        .section_with("system", |s| SYSTEM.iter().fold(s, coarse), system)
}

/// The report of one stack: what is synced.
pub(crate) fn stack(version: &'static str, id: &str) -> Schema {
    let levels = ["total_shapes", "total_used_storage_kb"];
    let levels = |s: Schema| levels.iter().fold(s, |s, name| s.gauge(*name).default(0.0));
    Schema::new("electric_stack")
        .fact("electric_version", version)
        .section("environment", |s| {
            environment(s).fact("stack_id", Fact::text(id)).fact_later("pg_version")
        })
        .section("usage", |s| {
            levels(TRAFFIC.iter().fold(s, |s, name| s.counter(*name)))
                .distinct("active_shapes", "shape_handle")
                .distinct("unique_clients", "client")
                .summary("wal_size")
                .unit("bytes")
        })
        .label("stack_id", id)
}

/// What is counted of a stack.
const TRAFFIC: [&str; 9] = [
    "inbound_bytes",
    "inbound_transactions",
    "inbound_operations",
    "stored_bytes",
    "stored_transactions",
    "stored_operations",
    "sync_requests",
    "live_requests",
    "served_bytes",
];

/// What the system says of itself. Loads are those of 1, 5 and 15 minutes, in per cent of what all
/// cores can do.
const SYSTEM: [&str; 11] = [
    "load_avg1",
    "load_avg5",
    "load_avg15",
    "memory_free",
    "memory_used",
    "memory_free_percent",
    "memory_used_percent",
    "swap_free",
    "swap_used",
    "swap_free_percent",
    "swap_used_percent",
];

/// Three digits say enough, and do not tell one machine from another.
fn coarse(schema: Schema, name: &&'static str) -> Schema {
    schema.value(*name).transform(Transform::Digits(3))
}

fn system(values: &mut Values) {
    let mut system = System::new();
    system.refresh_memory();
    let load = System::load_average();
    let cores = std::thread::available_parallelism().map(|cores| cores.get());
    for (name, load) in SYSTEM.iter().zip([load.one, load.five, load.fifteen]) {
        values.set(*name, Fact::percent(load, cores.as_ref().ok().copied()));
    }
    let memory = (system.free_memory(), system.used_memory(), system.total_memory());
    let swap = (system.free_swap(), system.used_swap(), system.total_swap());
    for (of, (free, used, total)) in [("memory", memory), ("swap", swap)] {
        values.set(format!("{of}_free"), free).set(format!("{of}_used"), used);
        values.set(format!("{of}_free_percent"), Fact::percent(free, total));
        values.set(format!("{of}_used_percent"), Fact::percent(used, total));
    }
}
