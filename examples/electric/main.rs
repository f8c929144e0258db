//! Electric's usage reports, declared and sent: that of its telemetry page, and those of its later
//! versions, of the application and of each stack.
//!
//! ```text
//! cargo run --example electric                      # records from four threads, sends over HTTP
//! cargo run --example electric -- --print electric  # the sample of Electric's telemetry page
//! cargo run --example electric -- --print page      # the page itself, `examples/electric/TELEMETRY.md`
//! cargo run --example electric -- --print schema    # the JSON Schema of the reports
//! ```
//!
//! The first starts a receiver on this machine, records through the `metrics` macros, and prints
//! the reports as they arrive. The second feeds the values behind the page's sample and prints the
//! document, without a network. The others print documents that are made of the schema.

mod collector;
#[path = "../common/mod.rs"]
mod common;
#[path = "../receiver/mod.rs"]
mod receiver;
mod sample;
mod usage;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use callhome::host::process_memory;
use callhome::{CallHome, Fact, Schema};
use common::Result;
use metrics::{counter, gauge, histogram};

/// Records what a busy service would, from four threads, and sends it home.
fn run() -> Result {
    let (receiver, arrivals) = common::receive(|_, body| body)?;
    let schema = usage::schema(|| Some(SystemTime::now()), process_memory);
    let callhome = usage::settings(schema, &receiver.url("/v1/reports")).install()?;
    println!("{}", callhome.status());
    if !callhome.status().switch().is_on() {
        return Ok(());
    }
    // What is attached shares the recorder, the switch and the ids, and ends with the first.
    let url = receiver.url("/v2/reports");
    let attach = |schema: Schema| {
        let builder = CallHome::builder(schema).endpoint(&url).bare();
        callhome.attach(builder.every(Duration::from_secs(30 * 60)))
    };
    let application = attach(collector::application(usage::VERSION))?;
    let eu = attach(collector::stack(usage::VERSION, "eu"))?;
    let us = attach(collector::stack(usage::VERSION, "us"))?;

    // The first connections tell.
    callhome.set_fact("environment.pg_version", Fact::text("16.4"))?;
    eu.set_fact("environment.pg_version", 160_004)?;
    us.set_fact("environment.pg_version", 170_000)?;
    gauge!("resources.wal_transactions").set(2);
    gauge!("usage.electrified_tables").set(7);
    thread::scope(|scope| (0..4).for_each(|client| drop(scope.spawn(move || serve(client)))));

    callhome.flush()?;
    application.flush()?;
    // A stack that goes sends what it has, as all others do at the end.
    println!("of the stack that went: {}", eu.shutdown(Duration::from_secs(2)));
    arrivals.try_iter().for_each(|report| println!("{report}"));
    println!("last windows: {}", callhome.shutdown(Duration::from_secs(2)));
    arrivals.try_iter().for_each(|report| println!("{report}"));
    Ok(())
}

/// One client syncs, of one stack or of the other.
fn serve(client: u64) {
    let stack = if client % 2 == 0 { "eu" } else { "us" };
    gauge!("usage.concurrent_clients").increment(1);
    gauge!("resources.run_queue_total").increment(1);
    let id = format!("client-{client}");
    counter!("usage.distinct_clients", "client_id" => id.clone()).increment(1);
    counter!("usage.unique_clients", "client" => id, "stack_id" => stack).increment(1);
    counter!("usage.sync_requests", "stack_id" => stack).increment(1);
    for row in 0..1000 {
        counter!("usage.operations_from_pg").increment(1);
        counter!("usage.inbound_operations", "stack_id" => stack).increment(1);
        histogram!("usage.subscriptions_rows_per_shape").record(row);
        histogram!("usage.wal_size", "stack_id" => stack).record(64 * row);
    }
    gauge!("resources.run_queue_total").decrement(1);
    gauge!("usage.concurrent_clients").decrement(1);
}

/// The settings whose documents are printed.
fn documented() -> callhome::Builder {
    let schema = usage::schema(|| None, process_memory);
    usage::settings(schema, "https://checkpoint.example.com")
}

fn main() -> ExitCode {
    let prints: [common::Print; 3] = [
        ("electric", sample::electric),
        ("page", || Ok(documented().to_markdown(&usage::page())?)),
        ("schema", || Ok(documented().to_json_schema()?)),
    ];
    common::main(run, &[], &prints)
}
