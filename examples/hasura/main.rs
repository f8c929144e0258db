//! The reports of Hasura's server and of its enterprise edition, and the events of its command line
//! and console, declared and sent.
//!
//! ```text
//! cargo run --example hasura                           # a server with two data sources
//! cargo run --example hasura -- --print hasura_server  # a sample of Hasura's telemetry page
//! ```
//!
//! The other samples are `hasura_ee_features`, `hasura_ee_source`, `hasura_ee_labelled`,
//! `hasura_cli_event` and `hasura_console_event`. The first command starts a receiver on this machine, serves requests from three threads, and prints
//! each report as it arrives. The second gives the values behind a sample and prints the document.

mod engine;
mod events;
#[path = "../receiver/mod.rs"]
mod receiver;
mod schema;

use std::error::Error;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use callhome::host::HostFacts;
use callhome::{Builder, CallHome, Fact, Schema};
use engine::{Metadata, Settings};
use metrics::{counter, gauge};
use schema::{Edition, server};
use uuid::Uuid;

/// Serves requests and sends home what a busy server would.
fn run() -> Result<(), Box<dyn Error>> {
    let (arrived, arrivals) = mpsc::channel();
    let receiver = receiver::Receiver::start(move |body| drop(arrived.send(body)))?;
    let ids = [Uuid::new_v4(), Uuid::new_v4()];
    let builder = |schema: Schema| -> Builder {
        CallHome::builder(schema)
            .endpoint(&receiver.url())
            .every(Duration::from_secs(24 * 60 * 60))
            .cluster_id(ids[0].to_string())
            .instance_id(ids[1].to_string())
            .bare()
    };
    let version = env!("CARGO_PKG_VERSION");
    let sample = || Uuid::new_v4().to_string();
    let edition = Edition { version, license: "trial", client: None, sample };
    let metadata = Arc::new(Mutex::new(Metadata::default()));
    let sources = [("postgres", 3), ("mssql", 5)].map(|(backend, tables)| Settings {
        words: vec![("backend_type", backend)].leak(),
        counts: vec![("tables", tables)].leak(),
        on: &["health_check_enabled"],
    });

    // The engine's own metrics are what the macros record to.
    let labelled = builder(edition.labelled())
        .opt_out()
        .switch("HASURA_GRAPHQL_ENABLE_TELEMETRY") // and DO_NOT_TRACK, always
        .install()?;
    println!("{}", labelled.status());
    let seconds = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs());
    let schema = server(version, seconds, || SystemTime::now().into(), Arc::clone(&metadata));
    let mut reports = vec![labelled.attach(builder(schema))?];
    reports.push(labelled.attach(builder(edition.features(Settings::default())))?);
    for source in sources {
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
                }
            });
        }
    });

    for report in reports.iter().chain([&labelled]) {
        report.flush()?;
        println!("{}", arrivals.recv()?);
    }
    println!("last windows: {}", labelled.shutdown(Duration::from_secs(2)));

    // The command line and the console are programs of their own.
    events::run(&receiver.url())?;
    arrivals.try_iter().skip(reports.len() + 1).for_each(|event| println!("{event}"));
    Ok(())
}

/// Prints a sample of Hasura's page: the ids, versions and settings it shows are given.
fn print_sample(name: &str) -> Result<(), Box<dyn Error>> {
    let edition = |version| Edition {
        version,
        license: "e86e5a54-ad3b-49e6-98ca-ab34b0a50f8f",
        client: None,
        sample: || "2a18421a-baff-466b-bf34-b7fd6a5c76c8".to_owned(),
    };
    let ids = ["4492082b-a2d6-4d4c-81e5-f481b2aea669", "f6d67a85-4a4f-4897-a767-89a86253b59c"];
    let (schema, [cluster, instance]) = match name {
        "hasura_server" => {
            let metadata = Metadata {
                views: 1,
                tables: 2,
                functions: 1,
                roles: 1,
                permissions: [2, 1, 2, 2],
                relationships: [2, 0],
                event_triggers: 0,
                remote_schemas: 1,
            };
            let time = || Fact::from("2019-01-21T19:43:33.63838+00:00");
            let metadata = Arc::new(Mutex::new(metadata));
            let ids =
                ["dddff371-dab2-450f-9969-235bca66dab1", "6799360d-a431-40c5-9f68-24592a9f07df"];
            (server("v1.0.0-alpha36", || 12, time, metadata), ids)
        }
        "hasura_ee_features" => {
            let settings = Settings {
                on: &["api_limits_enabled", "logs_tracing_log_enabled"],
                words: &[("resource_checker_error_code", "CPU_MEMORY_INCONCLUSIVE")],
                counts: &[
                    ("resource_cpu", 2048),
                    ("jwt_secrets_configured", 2),
                    ("admin_secrets_configured", 2),
                ],
            };
            (edition("v2.23.0").features(settings), ids)
        }
        "hasura_ee_source" => {
            let words = &[("backend_type", "postgres")];
            (edition("12345").source(Settings { words, ..Settings::default() }), ids)
        }
        _ => (edition("12345").labelled(), ids),
    };
    let mut host = HostFacts::detect();
    host.ci = Some("TRAVIS".to_owned());
    let builder = CallHome::builder(schema).host(host).cluster_id(cluster).instance_id(instance);
    let callhome = builder.bare().build()?;
    metrics::with_local_recorder(callhome.recorder(), || {
        gauge!("hasura_metadata_resource_version").set(1);
        gauge!("hasura_postgres_connections", "role" => "primary", "source_name" => "default")
            .set(1);
    });
    println!("{}", callhome.flush()?);
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => run(),
        [
            "--print",
            name @ ("hasura_server" | "hasura_ee_features" | "hasura_ee_source"
            | "hasura_ee_labelled"),
        ] => print_sample(name),
        ["--print", name @ ("hasura_cli_event" | "hasura_console_event")] => {
            events::print_sample(name)
        }
        _ => {
            eprintln!("usage: hasura [--print SAMPLE], not {arguments:?}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hasura: {error}");
            ExitCode::FAILURE
        }
    }
}
