//! What is around the data.

use serde_json::Value;

use super::json::Json;
use crate::clock::Moment;
use crate::delivery;
use crate::report::{Event, Report};
use crate::schema::Plan;
use crate::window::{NAMED, Sealed};

/// What a document is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Report,
    Event,
}

impl Sort {
    pub(super) fn word(self) -> &'static str {
        match self {
            Sort::Report => "A report",
            Sort::Event => "An event",
        }
    }

    /// The members of the envelope, and what they are.
    pub(super) fn envelope(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Sort::Report => &REPORT,
            Sort::Event => &EVENT,
        }
    }
}

const REPORT: [(&str, &str); 9] = [
    ("report_id", "A random id of the report, the same whenever it is sent again"),
    ("sequence", "The number of the report, counted by the process from 1"),
    ("schema_id", "Which fields the report has: the schema's name, its version and a hash"),
    ("window_start", "Since when the report counts, in UTC"),
    ("window_end", "Until when, in UTC"),
    ("window_seconds", "How long that is"),
    ("merged", "The ids of earlier reports that could not be delivered and are part of this one"),
    ("losses", "How much could not be reported, by reason"),
    ("data", "The fields above"),
];

const EVENT: [(&str, &str); 6] = [
    ("event_id", "A random id of the event, the same whenever it is sent again"),
    ("sequence", "The number of the event, counted by the process from 1"),
    ("schema_id", "Which fields the event has: its kind, the schema's version and a hash"),
    ("time", "When it was sent first, in UTC"),
    ("losses", "How much could not be reported before, by reason"),
    ("data", "The fields above"),
];

/// What a member of the envelope is made of, but for the data.
pub(super) fn member(name: &str, plan: &Plan, sort: Sort) -> Json {
    let uuid = || Json::object([("type", "string".into()), ("format", "uuid".into())]);
    let time = || {
        let types = Json::list(["string", "null"]); // null is beyond the year 9999
        Json::object([("type", types), ("format", "date-time".into())])
    };
    match name {
        "report_id" | "event_id" => uuid(),
        "sequence" => Json::object([("type", "integer".into()), ("minimum", 1.into())]),
        "schema_id" => Json::object([("const", plan.id.as_str().into())]),
        "window_start" | "window_end" | "time" => time(),
        "window_seconds" => Json::object([("type", "number".into()), ("minimum", 0.into())]),
        "merged" => {
            let most = NAMED.into();
            Json::object([("type", "array".into()), ("items", uuid()), ("maxItems", most)])
        }
        _ => losses(plan, sort),
    }
}

/// A count for each reason that there may be, found in a report that has all of them.
fn losses(plan: &Plan, sort: Sort) -> Json {
    let now = Moment { monotonic: Default::default(), wall: std::time::SystemTime::UNIX_EPOCH };
    let sealed = Sealed::largest(plan, now);
    let body = match sort {
        Sort::Report => {
            let losses = delivery::Losses::LARGEST.by_reason();
            Report::new(&sealed, plan, false, &losses).body().to_owned()
        }
        Sort::Event => {
            let mut losses = vec![("failed_functions", u64::MAX)];
            losses.extend(delivery::Losses::LARGEST_OF_EVENTS.by_reason());
            let id = sealed.id.to_string();
            let (time, readings) = (now.wall, &sealed.readings);
            Event { id: &id, sequence: 1, time, plan, readings, losses: &losses }.body(false)
        }
    };
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let reasons = body["losses"].as_object().into_iter().flatten().map(|(reason, _)| {
        let count = Json::object([("type", "integer".into()), ("minimum", 1.into())]);
        (reason.clone(), count)
    });
    Json::object([
        ("type", "object".into()),
        ("properties", Json::Object(reasons.collect())),
        ("additionalProperties", false.into()),
    ])
}
