//! What is around the data.

use serde_json::Value;

use super::shape::Shape;
use crate::clock::Moment;
use crate::delivery;
use crate::report::{Event, Form, Report};
use crate::schema::{Fact, Host, Kind, Plan};
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

    pub(super) fn noun(self) -> &'static str {
        match self {
            Sort::Report => "report",
            Sort::Event => "event",
        }
    }

    pub(super) fn all(self) -> &'static str {
        match self {
            Sort::Report => "Reports",
            Sort::Event => "Events",
        }
    }

    /// The members of the envelope, and what they are: the ids only where one of these schemas
    /// declares them.
    pub(super) fn members(
        self,
        plans: &[&Plan],
    ) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let has = |host: Host| {
            let is_host = |kind: &Kind| matches!(kind, Kind::Host(other) if *other == host);
            let mut leaves = plans.iter().flat_map(|plan| &plan.leaves);
            leaves.any(|leaf| is_host(&leaf.field.kind))
        };
        let (instance, installation) = (has(Host::InstanceId), has(Host::ClusterId));
        let all: &[_] = match self {
            Sort::Report => &REPORT,
            Sort::Event => &EVENT,
        };
        all.iter().copied().filter(move |(name, _)| match *name {
            "instance" => instance,
            "installation" => installation,
            _ => true,
        })
    }
}

const REPORT: [(&str, &str); 12] = [
    ("report_id", "A random id of the report, the same whenever it is sent again"),
    ("instance", "The id of the process, as the data has it"),
    ("installation", "The id of the installation, as the data has it; null if none is kept"),
    ("sequence", "The number of the report, counted by the process from 1"),
    ("schema_id", "Which fields the report has: the schema's name, its version and a hash"),
    ("library", "What made the report: the crate and its version"),
    ("window_start", "Since when the report counts, in UTC"),
    ("window_end", "Until when, in UTC"),
    ("window_seconds", "How long that is"),
    ("merged", "The ids of earlier reports that could not be delivered and are part of this one"),
    ("losses", "How much could not be reported, by reason"),
    ("data", "The fields above"),
];

const EVENT: [(&str, &str); 9] = [
    ("event_id", "A random id of the event, the same whenever it is sent again"),
    ("instance", "The id of the process, as the data has it"),
    ("installation", "The id of the installation, as the data has it; null if none is kept"),
    ("sequence", "The number of the event, counted by the process from 1"),
    ("schema_id", "Which fields the event has: its kind, the schema's version and a hash"),
    ("library", "What made the event: the crate and its version"),
    ("time", "When it was sent first, in UTC"),
    ("losses", "How much could not be reported before, by reason"),
    ("data", "The fields above"),
];

/// What a member of the envelope is made of, but for the data.
pub(super) fn shape(name: &str, plan: &Plan, sort: Sort) -> Shape {
    let uuid = || Shape { format: Some("uuid"), ..Shape::of(&["string"]) };
    match name {
        "report_id" | "event_id" => uuid(),
        "instance" => Shape::text(),
        "installation" => Shape::text().or_null(),
        "sequence" => Shape { minimum: Some(1), ..Shape::count() },
        "schema_id" => Shape { constant: Some(plan.id.clone()), ..Shape::of(&["string"]) },
        "library" => Shape { longest: Some(Fact::LONGEST_TEXT), ..Shape::of(&["string"]) },
        "window_start" | "window_end" | "time" => {
            // Null is beyond the year 9999.
            Shape { format: Some("date-time"), ..Shape::of(&["string"]).or_null() }
        }
        "window_seconds" => Shape { minimum: Some(0), ..Shape::of(&["number"]) },
        "merged" => Shape { most: Some(NAMED), ..Shape::list(uuid()) },
        _ => losses(plan, sort),
    }
}

/// A count for each reason that there may be, found in a report that has all of them.
fn losses(plan: &Plan, sort: Sort) -> Shape {
    let now = Moment { monotonic: Default::default(), wall: std::time::SystemTime::UNIX_EPOCH };
    let (sealed, form) = (Sealed::largest(plan, now), Form::new(false, true));
    let body = match sort {
        Sort::Report => {
            let losses = delivery::Losses::LARGEST.by_reason();
            Report::without_detail(&sealed, plan, form, &losses).body().to_owned()
        }
        Sort::Event => {
            let mut losses = vec![("failed_functions", u64::MAX)];
            losses.extend(delivery::Losses::LARGEST_OF_EVENTS.by_reason());
            let id = sealed.id.to_string();
            let (time, readings) = (now.wall, &sealed.readings);
            Event { id: &id, sequence: 1, time, plan, form, readings, losses: &losses }.body()
        }
    };
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let reasons = body["losses"].as_object().into_iter().flatten();
    let count = Shape { minimum: Some(1), ..Shape::count() };
    let optional = reasons.map(|(reason, _)| (reason.clone(), count.clone())).collect();
    Shape { optional, ..Shape::object(Vec::new()) }
}
