//! How the usage report and the events are sent, and the documents that are made of them.

use std::time::Duration;

use callhome::sink::Sink;
use callhome::{Builder, CallHome, Page, Schema};

use super::common::{self, Result};
use super::{batch, capture, report};

/// Every hour, unless somebody has said no: `opted_out` is what the command line says.
pub(crate) fn settings(sink: impl Sink + 'static, opted_out: Option<bool>) -> Builder {
    let usage =
        CallHome::builder(report::usage()).sink(sink).every(Duration::from_secs(60 * 60)).bare();
    switched(usage, opted_out)
}

fn switched(builder: Builder, opted_out: Option<bool>) -> Builder {
    builder
        .opt_out()
        .opt_out_setting("--analytics-opt-out", opted_out)
        .opt_out_switch("RESOTOCORE_ANALYTICS_OPT_OUT") // and DO_NOT_TRACK, always
}

/// Events, a hundred at a time.
pub(crate) fn events(sink: impl Sink + 'static) -> Builder {
    let builder = CallHome::builder(Schema::new("resoto_events"))
        .sink(sink)
        .events_as_array(100, Duration::from_secs(10))
        .bare();
    report::events().into_iter().fold(builder, Builder::event)
}

/// The documents.
pub(crate) const PRINTS: [common::Print; 4] = [
    ("page", || Ok(documented()?.to_markdown(&page("Resoto"))?)),
    ("schema", || Ok(documented()?.to_json_schema()?)),
    ("events.page", || Ok(documented_events()?.to_markdown(&page("Resoto's events"))?)),
    ("events.schema", || Ok(documented_events()?.to_json_schema()?)),
];

fn documented() -> Result<Builder> {
    Ok(settings(capture("https://posthog.example.com/capture/")?, None))
}

/// They share the switch of the usage report.
fn documented_events() -> Result<Builder> {
    let events = events(batch("https://posthog.example.com/batch/")?);
    Ok(switched(events, None))
}

fn page(of: &str) -> Page {
    Page::new(of)
        .why("To know which parts of Resoto are used, and where it fails.")
        .sent_to("Reports come from the core, in an envelope of PostHog's: an event with a key.")
        .never("What is in the graph, arguments of commands, messages of errors, and any id of an installation.")
        .retention("Reports are deleted after a year.")
}
