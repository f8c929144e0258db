//! What happened once as one JSON document.

use std::time::SystemTime;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::document::Data;
use super::form::{Form, Ids};
use super::sealed::write;
use crate::clock::utc;
use crate::schema::Plan;
use crate::window::Reading;

/// What is said of one event.
pub(crate) struct Event<'a> {
    pub(crate) id: &'a str,
    pub(crate) sequence: u64,
    pub(crate) time: SystemTime,
    pub(crate) plan: &'a Plan,
    pub(crate) form: Form,
    pub(crate) readings: &'a [Reading],
    /// What could not be said, by reason.
    pub(crate) losses: &'a [(&'static str, u64)],
}

impl Event<'_> {
    /// The document, in its envelope unless it is bare.
    pub(crate) fn body(&self) -> String {
        if self.form.bare { write(&self.data()) } else { write(self) }
    }

    fn data(&self) -> Data<'_> {
        Data { plan: self.plan, readings: self.readings, left_out: &[] }
    }
}

impl Serialize for Event<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("event_id", self.id)?;
        Ids { plan: self.plan, readings: self.readings, form: self.form }.write(&mut map)?;
        map.serialize_entry("sequence", &self.sequence)?;
        map.serialize_entry("schema_id", &self.plan.id)?;
        map.serialize_entry("library", self.form.library)?;
        map.serialize_entry("time", &utc(self.time))?;
        map.serialize_entry("losses", &Losses(self.losses))?;
        map.serialize_entry("data", &self.data())?;
        map.end()
    }
}

struct Losses<'a>(&'a [(&'static str, u64)]);

impl Serialize for Losses<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied().filter(|(_, count)| *count > 0))
    }
}
