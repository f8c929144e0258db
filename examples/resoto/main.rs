//! Resoto's telemetry: a usage report with instances, commands by name, jobs and errors by kind, and
//! events, in the envelopes of PostHog's `capture` and `batch`.
//!
//! ```text
//! cargo run --example resoto                         # records from four threads, sends over HTTP
//! cargo run --example resoto -- --print resoto_usage # a sample with what Resoto's page lists
//! cargo run --example resoto -- --print page         # `examples/resoto/TELEMETRY.md`
//! ```

#[path = "../common/mod.rs"]
mod common;
mod documents;
#[path = "../receiver/mod.rs"]
mod receiver;
mod report;
mod sample;

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use callhome::sink::{HttpSink, Parcel, Sink, Wrapped};
use common::Result;
use report::Core;

/// The key of the project at PostHog. It is no secret: every core has it.
const API_KEY: &str = "phc_resoto";

/// PostHog for one event, which is what the usage report is to it.
fn capture(url: &str) -> Result<impl Sink + 'static> {
    Ok(Wrapped::new(HttpSink::new(url)?, |parcel: &Parcel<'_>| {
        let (id, report) = (parcel.id(), parcel.text());
        let head = format!(r#""api_key":"{API_KEY}","event":"usage","distinct_id":"{id}""#);
        format!(r#"{{{head},"properties":{report}}}"#)
    }))
}

/// PostHog for several events, which are sent together.
fn batch(url: &str) -> Result<impl Sink + 'static> {
    Ok(Wrapped::new(HttpSink::new(url)?, |parcel: &Parcel<'_>| {
        format!(r#"{{"api_key":"{API_KEY}","batch":{}}}"#, parcel.text())
    }))
}

/// Does what a busy core would, on four threads, and sends it home.
fn run() -> Result {
    let (receiver, arrivals) =
        common::receive(|request, body| format!("{}\n{body}", request.url()))?;
    let opted_out = std::env::args().any(|argument| argument == "--analytics-opt-out");
    let sink = capture(&receiver.url("/capture/"))?;
    let usage = documents::settings(sink, opted_out.then_some(true)).install()?;
    println!("{}", usage.status());
    if !usage.status().switch().is_on() {
        return Ok(());
    }
    let events = usage.attach(documents::events(batch(&receiver.url("/batch/"))?))?;

    let begin = Instant::now();
    let mut core = Core::start(&events)?;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                ["list", "search", "list"].into_iter().for_each(|name| core.run_command(name));
                core.fail("ConnectionError", &events)?;
                core.run_job("collect", 3, &events)
            });
        }
    });
    core.has_run(begin.elapsed());

    usage.flush()?;
    events.flush()?;
    arrivals.try_iter().for_each(|report| println!("{report}"));
    println!("last windows: {}", usage.shutdown(Duration::from_secs(2)));
    Ok(())
}

fn main() -> ExitCode {
    let samples: [common::Print; 1] = [("resoto_usage", sample::resoto_usage)];
    common::main(run, &["--analytics-opt-out"], &[&samples[..], &documents::PRINTS].concat())
}
