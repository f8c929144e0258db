//! Highlight's reports of one process: a heartbeat on a short interval, and usage on a long one.
//!
//! ```text
//! cargo run --example highlight                                # both, as they arrive
//! cargo run --example highlight -- --print highlight_heartbeat # a sample by Highlight's page
//! cargo run --example highlight -- --print highlight_usage
//! ```

#[path = "../common/mod.rs"]
mod common;
#[path = "../receiver/mod.rs"]
mod receiver;
mod sample;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use callhome::{Builder, CallHome, Fact, Schema, Values};
use common::Result;
use metrics::counter;
use receiver::Receiver;
use sysinfo::System;

/// What the backend says of the machine it runs on.
fn heartbeat(version: &str, memory: impl Fn(&mut Values) + Send + Sync + 'static) -> Schema {
    Schema::new("highlight_heartbeat")
        .cores("num-cpu")
        .values(["mem-used", "mem-active"])
        .unit("bytes")
        .fact("version", Fact::text(version))
        .describe("The commit it was built from")
        .filled_by(memory)
}

/// What the people do who use it. What they say about themselves they say once.
fn usage(backend: Arc<AtomicBool>) -> Schema {
    let counts = ["session", "error", "log", "session-view", "error-view", "log-view"];
    let schema = Schema::new("highlight_usage")
        .fact_later("about-you-role")
        .fact_later("about-you-referral")
        .fact_with("backend-setup", move || backend.load(Ordering::Relaxed))
        .describe("Whether a backend SDK is integrated");
    counts.into_iter().fold(schema, |schema, name| schema.counter(format!("{name}-count")))
}

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
    let report = |schema, to: &Receiver| -> Builder {
        CallHome::builder(schema).endpoint(&to.url("/v1/reports")).bare()
    };
    let callhome = report(usage(Arc::clone(&backend)), &to_usage)
        .every(Duration::from_secs(24 * 60 * 60))
        .opt_out()
        .switch("HIGHLIGHT_TELEMETRY") // and DO_NOT_TRACK, always; for both reports
        .install()?;
    println!("{}", callhome.status());
    if !callhome.status().switch().is_on() {
        return Ok(());
    }
    let beat = Duration::from_millis(100); // a minute would be long for an example
    let heartbeat = report(heartbeat(env!("CARGO_PKG_VERSION"), this_host), &to_heartbeat)
        .every(beat)
        .spread(Duration::ZERO);
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
    let prints: [common::Print; 2] =
        [("highlight_heartbeat", sample::heartbeat), ("highlight_usage", sample::usage)];
    common::main(run, &[], &prints)
}
