//! Highlight's reports of one process: a heartbeat on a short interval, and usage on a long one.
//!
//! ```text
//! cargo run --example highlight                                # both, as they arrive
//! cargo run --example highlight -- --print highlight_heartbeat # a sample by Highlight's page
//! cargo run --example highlight -- --print highlight_usage
//! ```

mod receiver;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use callhome::host::HostFacts;
use callhome::{Builder, CallHome, Fact, Schema, Values};
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
fn run() -> Result<(), Box<dyn Error>> {
    let receiver = || -> std::io::Result<(Receiver, mpsc::Receiver<String>)> {
        let (arrived, arrivals) = mpsc::channel();
        Ok((Receiver::start(move |body| drop(arrived.send(body)))?, arrivals))
    };
    let ((to_usage, usages), (to_heartbeat, heartbeats)) = (receiver()?, receiver()?);
    let backend = Arc::new(AtomicBool::new(false));
    let report =
        |schema, to: &Receiver| -> Builder { CallHome::builder(schema).endpoint(&to.url()).bare() };
    let callhome = report(usage(Arc::clone(&backend)), &to_usage)
        .every(Duration::from_secs(24 * 60 * 60))
        .opt_out()
        .switch("HIGHLIGHT_TELEMETRY") // and DO_NOT_TRACK, always; for both reports
        .install()?;
    println!("{}", callhome.status());
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

/// Prints a sample of what the page lists.
fn print_sample(name: &str) -> Result<(), Box<dyn Error>> {
    let mut host = HostFacts::new("x86_64-unknown-linux-gnu", "unix", "linux");
    host.cores = Some(8);
    let memory = |values: &mut Values| {
        values.set("mem-used", 12_884_901_888_u64).set("mem-active", 8_589_934_592_u64);
    };
    let schema = usage(Arc::new(AtomicBool::new(true)));
    let usage = CallHome::builder(schema).bare().build()?;
    let schema = heartbeat("8f1c2d3e4a5b60718293a4b5c6d7e8f901234567", memory);
    let heartbeat = usage.attach(CallHome::builder(schema).host(host).bare())?;
    usage.set_fact("about-you-role", "Engineering")?;
    usage.set_fact("about-you-referral", Fact::text("https://example.com/blog"))?;
    metrics::with_local_recorder(usage.recorder(), || {
        counter!("session-count").increment(42);
        counter!("error-count").increment(7);
        counter!("log-count").increment(1250);
        counter!("session-view-count").increment(12);
        counter!("error-view-count").increment(3);
        counter!("log-view-count").increment(9);
    });
    let report = if name == "highlight_usage" { usage } else { heartbeat };
    println!("{}", report.flush()?);
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        [] => run(),
        ["--print", name @ ("highlight_heartbeat" | "highlight_usage")] => print_sample(name),
        _ => {
            eprintln!("usage: highlight [--print SAMPLE], not {arguments:?}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("highlight: {error}");
            ExitCode::FAILURE
        }
    }
}
