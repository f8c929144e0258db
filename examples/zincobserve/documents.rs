//! How the report is sent, and the documents that are made of it.

use std::time::Duration;

use callhome::sink::Sink;
use callhome::{Builder, CallHome, Page, Schema};

use super::common::{self, Result};
use super::report::{Config, schema};
use super::segment;

/// When a node starts, every hour, and when it stops.
pub(crate) fn settings(schema: Schema, sink: impl Sink + 'static, instance: String) -> Builder {
    let reason = "Why it was made: at the start, by the clock, or at the end";
    CallHome::builder(schema.reason("reason").describe(reason))
        .sink(sink)
        .instance_id(instance)
        .first_after(Duration::ZERO) // a node is heard of when it starts
        .spread(Duration::ZERO)
        .every(Duration::from_secs(60 * 60))
        .opt_out()
        .switch("ZO_TELEMETRY") // and DO_NOT_TRACK, always
        .bare()
}

/// The documents.
pub(crate) const PRINTS: [common::Print; 2] = [
    ("page", || Ok(documented()?.to_markdown(&page())?)),
    ("schema", || Ok(documented()?.to_json_schema()?)),
];

fn documented() -> Result<Builder> {
    let config = Config { version: "0.1.7", local_storage: Some("disk"), nodes: 4, time_zone: 0 };
    let instance = "7043454519337943041".to_owned();
    let sink = segment("https://segment.example.com/v1/track", instance.clone())?;
    Ok(settings(schema(config, |_| ()), sink, instance))
}

fn page() -> Page {
    Page::new("ZincObserve")
        .why("To know how many installations there are, how large they are, and what they run on.")
        .sent_to("Reports come from each node, in an envelope of Segment's: an event with a key.")
        .never("What is in the streams, queries, and who the users are.")
        .identity("The id is kept in the node's metadata. The host's name is sent, too.")
        .retention("Reports are deleted after a year.")
}
