//! What goes around the data: which report this is, and what it could not say.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::document::Data;
use super::form::{Form, Ids};
use crate::clock::{Moment, utc};
use crate::schema::{Detail, Plan};
use crate::window::{Losses, Sealed};

/// The data with its envelope.
pub(crate) struct Envelope<'a> {
    pub(crate) sealed: &'a Sealed,
    pub(crate) plan: &'a Plan,
    pub(crate) form: Form,
    /// Reports that were lost since the last report, by reason.
    pub(crate) reports_lost: &'a [(&'static str, u64)],
    /// Detail that the data does not have.
    pub(crate) left_out: &'a [Detail],
}

impl Serialize for Envelope<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Sealed { id, sequence, merged, begin, end, readings, losses, .. } = self.sealed;
        let left_out = self.left_out;
        let merged: Vec<String> = merged.iter().map(Uuid::to_string).collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("report_id", &id.to_string())?;
        Ids { plan: self.plan, readings, form: self.form }.write(&mut map)?;
        map.serialize_entry("sequence", sequence)?;
        map.serialize_entry("schema_id", &self.plan.id)?;
        map.serialize_entry("library", self.form.library)?;
        map.serialize_entry("window_start", &utc(begin.wall))?;
        map.serialize_entry("window_end", &utc(end.wall))?;
        map.serialize_entry("window_seconds", &length(*begin, *end))?;
        map.serialize_entry("merged", &merged)?;
        map.serialize_entry("losses", &ByReason(losses, left_out.len(), self.reports_lost))?;
        map.serialize_entry("data", &Data { plan: self.plan, readings, left_out })?;
        map.end()
    }
}

/// The losses that happened, by reason; an empty object when there were none.
struct ByReason<'a>(&'a Losses, usize, &'a [(&'static str, u64)]);

impl Serialize for ByReason<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Losses { refused, undeclared, mismatched, failed, capped, unasked } = *self.0;
        let values = [
            ("refused_values", refused),
            ("undeclared_metrics", undeclared),
            ("mismatched_metrics", mismatched),
            ("failed_functions", failed),
            ("capped_values", capped),
            ("undeclared_values", unasked),
            ("dropped_details", self.1 as u64),
        ];
        let reasons = values.iter().chain(self.2).copied();
        serializer.collect_map(reasons.filter(|(_, count)| *count > 0))
    }
}

/// From one moment to the other by the monotonic clock, in seconds, to the millisecond.
fn length(begin: Moment, end: Moment) -> f64 {
    let length = end.monotonic.saturating_sub(begin.monotonic);
    (length.as_secs_f64() * 1000.0).round() / 1000.0
}
