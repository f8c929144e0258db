//! Highlight's two reports, how they are sent, and the documents that are made of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use callhome::{Builder, CallHome, Fact, Page, Schema, Values};

use super::common::{self, Result};

/// What the backend says of the machine it runs on.
pub(crate) fn heartbeat(
    version: &str,
    memory: impl Fn(&mut Values) + Send + Sync + 'static,
) -> Schema {
    Schema::new("highlight_heartbeat")
        .strict()
        .cores("num-cpu")
        .describe("Processors it may use")
        .value("mem-used")
        .unit("bytes")
        .describe("Memory of the machine that is used")
        .example(12_884_901_888_u64)
        .value("mem-active")
        .unit("bytes")
        .describe("Memory that is not available")
        .example(8_589_934_592_u64)
        .fact("version", Fact::text(version))
        .describe("The commit it was built from")
        .filled_by(memory)
}

/// What the people do who use it. What they say about themselves they say once.
pub(crate) fn usage(backend: Arc<AtomicBool>) -> Schema {
    let schema = Schema::new("highlight_usage")
        .strict()
        .fact_later("about-you-role")
        .describe("What whoever installed it says to be")
        .example("Engineering")
        .fact_later("about-you-referral")
        .describe("Where they say they have heard of it")
        .example("https://example.com/blog")
        .fact_with("backend-setup", move || backend.load(Ordering::Relaxed))
        .describe("Whether a backend SDK is integrated");
    let counts = [
        ("session-count", "Sessions that were recorded"),
        ("error-count", "Errors that came in"),
        ("log-count", "Lines of logs that came in"),
        ("session-view-count", "Views of sessions"),
        ("error-view-count", "Views of errors"),
        ("log-view-count", "Views of logs"),
    ];
    counts.into_iter().fold(schema, |schema, (name, about)| schema.counter(name).describe(about))
}

/// How one of them is sent.
pub(crate) fn report(schema: Schema, url: &str, every: Duration) -> Builder {
    CallHome::builder(schema).endpoint(url).every(every).bare()
}

/// What is said once for both.
pub(crate) fn first(report: Builder) -> Builder {
    report.opt_out().switch("HIGHLIGHT_TELEMETRY") // and DO_NOT_TRACK, always
}

/// The time between reports of the usage.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The documents: `page` and `schema` are those of the usage.
pub(crate) const PRINTS: [common::Print; 4] = [
    ("page", || page("Highlight", documented_usage())),
    ("schema", || Ok(documented_usage().to_json_schema()?)),
    ("heartbeat.page", || page("Highlight's heartbeat", documented_heartbeat())),
    ("heartbeat.schema", || Ok(documented_heartbeat().to_json_schema()?)),
];

const URL: &str = "https://telemetry.example.com/v1/reports";

fn documented_usage() -> Builder {
    first(report(usage(Arc::default()), URL, DAY))
}

fn documented_heartbeat() -> Builder {
    let schema = heartbeat("8f1c2d3e4a5b60718293a4b5c6d7e8f901234567", |_| ());
    first(report(schema, URL, Duration::from_secs(60)))
}

fn page(of: &str, builder: Builder) -> Result<String> {
    let page = Page::new(of)
        .why("To know how many installations there are, what they run on, and what is used.")
        .sent_to("Reports come from the backend alone, not from the applications it looks at.")
        .never("Sessions, errors and logs themselves, and whose they are.")
        .retention("Reports are deleted after a year.");
    Ok(builder.to_markdown(&page)?)
}
