//! How the usage report is sent, and the documents that are made of it.

use std::time::Duration;

use callhome::sink::Sink;
use callhome::{Builder, CallHome, Page};

use super::common::{self, Result};
use super::{capture, report};

/// Every hour, unless somebody has said no: `opted_out` is what the command line says.
pub(crate) fn settings(sink: impl Sink + 'static, opted_out: Option<bool>) -> Builder {
    CallHome::builder(report::usage())
        .sink(sink)
        .every(Duration::from_secs(60 * 60))
        .opt_out()
        .opt_out_setting("--analytics-opt-out", opted_out)
        .opt_out_switch("RESOTOCORE_ANALYTICS_OPT_OUT") // and DO_NOT_TRACK, always
        .bare()
}

/// The documents.
pub(crate) const PRINTS: [common::Print; 2] = [
    ("page", || Ok(documented()?.to_markdown(&page())?)),
    ("schema", || Ok(documented()?.to_json_schema()?)),
];

fn documented() -> Result<Builder> {
    Ok(settings(capture("https://posthog.example.com/capture/")?, None))
}

fn page() -> Page {
    Page::new("Resoto")
        .why("To know which parts of Resoto are used, and where it fails.")
        .sent_to("Reports come from the core, in an envelope of PostHog's: an event with a key.")
        .never("What is in the graph, arguments of commands, messages of errors, and any id of an installation.")
        .retention("Reports are deleted after a year.")
}
