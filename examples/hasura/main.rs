//! The reports of Hasura's server and of its enterprise edition, and the events of its command line
//! and console, declared and sent.
//!
//! ```text
//! cargo run --example hasura                           # a server with two data sources
//! cargo run --example hasura -- --print hasura_server  # a sample of Hasura's telemetry page
//! ```
//!
//! `--print page` prints the page that is made of the server's report, `examples/hasura/TELEMETRY.md`,
//! and `--print schema` its JSON Schema; the other reports have theirs too. The other samples are `hasura_ee_features`, `hasura_ee_source`, `hasura_ee_labelled`,
//! `hasura_cli_event` and `hasura_console_event`. The first command starts a receiver on this
//! machine, serves requests from three threads, and prints each report as it arrives. The second
//! gives the values behind a sample and prints the document.

#[path = "../common/mod.rs"]
mod common;
mod documents;
mod engine;
mod enterprise;
mod events;
mod names;
#[path = "../receiver/mod.rs"]
mod receiver;
mod sample;
mod server;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use callhome::Schema;
use common::Result;
use engine::{CONNECTED, Metadata, Settings};
use enterprise::Edition;
use metrics::{counter, gauge, histogram};
use server::{server, service_timings};
use uuid::Uuid;

/// Serves requests and sends home what a busy server would.
fn run() -> Result {
    let (receiver, arrivals) = common::receive(|_, body| body)?;
    let url = receiver.url("/v1/reports");
    let builder = |schema: Schema| documents::report(schema, &url);
    let version = env!("CARGO_PKG_VERSION");
    let sample = || Uuid::new_v4().to_string();
    let edition = Edition { version, license: "trial", client: None, sample };
    let metadata = Arc::new(Mutex::new(Metadata::default()));

    // The engine's own metrics are what the macros record to. The other reports share the ids.
    let labelled = documents::first(builder(edition.labelled())).install()?;
    println!("{}", labelled.status());
    if !labelled.status().switch().is_on() {
        return Ok(());
    }
    let seconds = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs());
    let schema = server(version, seconds, || SystemTime::now().into(), Arc::clone(&metadata));
    let mut reports = vec![labelled.attach(builder(schema))?];
    reports.push(labelled.attach(builder(edition.features(Settings::default())))?);
    reports.push(labelled.attach(builder(service_timings()))?);
    for source in CONNECTED {
        reports.push(labelled.attach(builder(edition.source(source)))?);
    }

    *metadata.lock().map_err(|_| "a thread has panicked")? =
        Metadata { tables: 8, views: 2, permissions: [1, 2, 3, 4], ..Metadata::default() };
    thread::scope(|scope| {
        for source in ["default", "default", "orders"] {
            scope.spawn(move || {
                let pool = gauge!("hasura_postgres_connections", "role" => "primary", "source_name" => source);
                pool.increment(1);
                for request in 0..100_u64 {
                    let status = if request % 10 == 0 { "failed" } else { "success" };
                    counter!("hasura_graphql_requests_total",
                        "operation_type" => "query", "response_status" => status)
                    .increment(1);
                    counter!("hasura_http_response_bytes_total").increment(512);
                    histogram!("service_timings",
                        "query_type" => "query", "transport" => "http", "cache" => "miss")
                    .record(if status == "failed" { 0.0005 } else { 0.02 });
                }
            });
        }
    });

    for report in reports.iter().chain([&labelled]) {
        report.flush()?;
    }
    arrivals.try_iter().for_each(|report| println!("{report}"));
    println!("last windows: {}", labelled.shutdown(Duration::from_secs(2)));
    arrivals.try_iter().for_each(drop); // the same again, of the moments since

    // The command line and the console are programs of their own.
    events::run(&url)?;
    arrivals.try_iter().for_each(|event| println!("{event}"));
    Ok(())
}

fn main() -> ExitCode {
    let samples: [common::Print; 6] = [
        ("hasura_server", sample::server),
        ("hasura_ee_features", sample::features),
        ("hasura_ee_source", sample::source),
        ("hasura_ee_labelled", sample::labelled),
        ("hasura_cli_event", sample::command),
        ("hasura_console_event", sample::error),
    ];
    let prints = [&samples[..], &documents::PRINTS].concat();
    common::main(run, &[], &prints)
}
