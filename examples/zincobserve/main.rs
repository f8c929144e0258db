//! ZincObserve's report: flat, of facts about the host, sizes and counts. It is sent when a node
//! starts, every hour, and when the node stops, in the envelope of Segment's `track`.
//!
//! ```text
//! cargo run --example zincobserve                        # what this machine would report
//! cargo run --example zincobserve -- --print zincobserve # the sample of ZincObserve's page
//! cargo run --example zincobserve -- --print page        # `examples/zincobserve/TELEMETRY.md`
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
use std::time::{Duration, SystemTime};

use callhome::sink::{HttpSink, Parcel, Sink, Wrapped};
use common::Result;
use metrics::gauge;
use report::{Config, schema, this_host};

/// The key of the source at Segment. It is no secret: every node has it.
const WRITE_KEY: &str = "zinc";

/// Segment, at this address, as it hears of this instance. It takes events in an envelope of its own,
/// and knows one that comes twice by its `messageId`.
fn segment(url: &str, instance: String) -> Result<impl Sink + 'static> {
    let sink = HttpSink::new(url)?.basic(WRITE_KEY, "")?;
    Ok(Wrapped::new(sink, move |parcel: &Parcel<'_>| {
        let (id, report) = (parcel.id(), parcel.text());
        let head = format!(r#""type":"track","messageId":"{id}","anonymousId":"{instance}""#);
        format!(r#"{{{head},"event":"ZincObserve - report","properties":{report}}}"#)
    }))
}

/// Takes in streams on three threads, and sends home what this machine would.
fn run() -> Result {
    let (receiver, arrivals) = common::receive(|request, body| {
        let authorization = request.headers().iter().find(|h| h.field.equiv("Authorization"));
        let authorization = authorization.map(|header| header.to_string()).unwrap_or_default();
        format!("{} {authorization}\n{body}", request.url())
    })?;
    let config = Config {
        version: env!("CARGO_PKG_VERSION"),
        local_storage: Some("disk"),
        nodes: 1,
        time_zone: 0,
    };
    // ZincObserve keeps such an id in its metadata.
    let instance = SystemTime::UNIX_EPOCH.elapsed()?.as_nanos().to_string();
    let sink = segment(&receiver.url("/v1/track"), instance.clone())?;
    let callhome = documents::settings(schema(config, this_host), sink, instance).install()?;
    println!("{}", callhome.status());
    if !callhome.status().switch().is_on() {
        return Ok(());
    }
    println!("{}", arrivals.recv()?); // the start, by itself

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
    callhome.flush()?; // the next heartbeat, of which one would wait for an hour
    println!("last window: {}", callhome.shutdown(Duration::from_secs(2)));
    arrivals.try_iter().for_each(|report| println!("{report}"));
    Ok(())
}

fn main() -> ExitCode {
    let samples: [common::Print; 1] = [("zincobserve", sample::zincobserve)];
    common::main(run, &[], &[&samples[..], &documents::PRINTS].concat())
}
