//! ZincObserve's report: flat, of facts about the host, sizes and counts.
//!
//! ```text
//! cargo run --example zincobserve                        # what this machine would report
//! cargo run --example zincobserve -- --print zincobserve # the sample of ZincObserve's page
//! ```

mod receiver;

use std::error::Error;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use callhome::host::HostFacts;
use callhome::{CallHome, Fact, Schema, Values};
use metrics::gauge;
use sysinfo::System;

/// What the node was started with.
#[derive(Clone, Copy)]
struct Config {
    version: &'static str,
    local_storage: Option<&'static str>,
    nodes: u64,
    /// Whole hours east of UTC.
    time_zone: i64,
}

/// All that ZincObserve reports. What the system says, `host` gives at one moment.
fn schema(config: Config, host: impl Fn(&mut Values) + Send + Sync + 'static) -> Schema {
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
fn this_host(values: &mut Values) {
    let mut system = System::new();
    system.refresh_memory();
    values.set("os", System::name().map(Fact::text));
    values.set("os_release", System::kernel_version().map(Fact::text));
    values.set("total_memory", system.total_memory() / 1024);
    values.set("free_memory", system.free_memory() / 1024);
    values.set("avail_memory", system.available_memory() / 1024);
    values.set("host_name", System::host_name().map(Fact::text));
}

/// Takes in streams on three threads, and sends home what this machine would.
fn run() -> Result<(), Box<dyn Error>> {
    let (arrived, arrivals) = mpsc::channel();
    let receiver = receiver::Receiver::start(move |body| drop(arrived.send(body)))?;
    let config = Config {
        version: env!("CARGO_PKG_VERSION"),
        local_storage: Some("disk"),
        nodes: 1,
        time_zone: 0,
    };
    let callhome = CallHome::builder(schema(config, this_host))
        .endpoint(&receiver.url())
        .every(Duration::from_secs(60 * 60))
        .opt_out()
        .switch("ZO_TELEMETRY") // and DO_NOT_TRACK, always
        .bare()
        .install()?;
    println!("{}", callhome.status());

    gauge!("num_org").set(1);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                gauge!("num_streams").increment(2);
                gauge!("streams_total_size").increment(100);
                gauge!("streams_compressed_size").increment(2.5);
            });
        }
    });

    let report = callhome.flush()?;
    println!("sent report {} of {} bytes; this arrived:", report.id(), report.body().len());
    println!("{}", arrivals.recv()?);
    println!("last window: {}", callhome.shutdown(Duration::from_secs(2)));
    Ok(())
}

/// Prints the sample of the page.
fn print_sample() -> Result<(), Box<dyn Error>> {
    let config = Config { version: "0.1.7", local_storage: Some("disk"), nodes: 4, time_zone: 0 };
    let host = |values: &mut Values| {
        values.set("os", "Linux").set("os_release", "5.10.161+");
        values.set("total_memory", 32_882_744).set("free_memory", 26_867_176);
        values.set("avail_memory", 30_695_456).set("host_name", "ziox-router-6f9c6c549f");
    };
    let mut facts = HostFacts::new("x86_64-unknown-linux-gnu", "unix", "linux");
    facts.cores = Some(4);
    let builder = CallHome::builder(schema(config, host)).host(facts);
    let callhome = builder.instance_id("7043454519337943041").bare().build()?;
    metrics::with_local_recorder(callhome.recorder(), || {
        gauge!("num_org").set(3);
        gauge!("num_streams").set(10);
        gauge!("num_users").set(10);
        gauge!("streams_total_size").set(6000);
        gauge!("streams_compressed_size").set(60);
        gauge!("num_ingest_functions").set(5);
        gauge!("num_query_functions").set(10);
        gauge!("real_time_alerts").set(3);
        gauge!("scheduled_alerts").set(2);
    });
    println!("{}", callhome.flush()?);
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => run(),
        ["--print", "zincobserve"] => print_sample(),
        _ => {
            eprintln!("usage: zincobserve [--print zincobserve], not {arguments:?}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zincobserve: {error}");
            ExitCode::FAILURE
        }
    }
}
