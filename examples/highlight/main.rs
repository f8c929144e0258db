//! Highlight's reports of one process: a heartbeat on a short interval, and usage on a long one.
//!
//! ```text
//! cargo run --example highlight                                # both, as they arrive
//! cargo run --example highlight -- --print highlight_heartbeat # a sample by Highlight's page
//! cargo run --example highlight -- --print highlight_usage
//! cargo run --example highlight -- --print page                # `examples/highlight/TELEMETRY.md`
//! ```

#[path = "../common/mod.rs"]
mod common;
#[path = "../receiver/mod.rs"]
mod receiver;
mod report;
mod sample;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use callhome::Values;
use common::Result;
use metrics::counter;
use receiver::Receiver;
use report::{DAY, first, heartbeat, report, usage};
use sysinfo::System;

/// What the system says of its memory at one moment.
fn this_host(values: &mut Values) {
    let mut system = System::new();
    system.refresh_memory();
    values.set("mem-used", system.used_memory());
    values.set("mem-active", system.total_memory() - system.available_memory());
}

/// Takes in sessions on three threads; prints the first heartbeat and the usage as they arrive.
fn run() -> Result {
    let (to_usage, usages) = common::receive(|_, body| body)?;
    let (to_heartbeat, heartbeats) = common::receive(|_, body| body)?;
    let backend = Arc::new(AtomicBool::new(false));
    let settings = |schema, to: &Receiver, every| report(schema, &to.url("/v1/reports"), every);
    let usage = settings(usage(Arc::clone(&backend)), &to_usage, DAY);
    let callhome = first(usage).install()?;
    println!("{}", callhome.status());
    if !callhome.status().switch().is_on() {
        return Ok(());
    }
    let beat = Duration::from_millis(100); // a minute would be long for an example
    let heartbeat = heartbeat(env!("CARGO_PKG_VERSION"), this_host);
    let heartbeat = settings(heartbeat, &to_heartbeat, beat).spread(Duration::ZERO);
    let _heartbeat = callhome.attach(heartbeat)?;

    callhome.set_fact("about-you-role", "Engineering")?;
    backend.store(true, Ordering::Relaxed);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                counter!("session-count").increment(1);
                (0..100).for_each(|_| counter!("log-count").increment(1));
                counter!("log-view-count").increment(2);
            });
        }
    });

    callhome.flush()?;
    println!("{}", heartbeats.recv()?); // it comes by itself
    println!("{}", usages.recv()?);
    println!("last windows: {}", callhome.shutdown(Duration::from_secs(2)));
    Ok(())
}

fn main() -> ExitCode {
    let samples: [common::Print; 2] =
        [("highlight_heartbeat", sample::heartbeat), ("highlight_usage", sample::usage)];
    let prints = [&samples[..], &report::PRINTS].concat();
    common::main(run, &[], &prints)
}
