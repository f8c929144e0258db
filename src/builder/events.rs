//! The settings of events.

use std::time::Duration;

use super::Builder;
use crate::delivery::{Batching, Shape};
use crate::error::Error;
use crate::events::Kinds;
use crate::schema::{Plan, Schema};

/// # Events
///
/// An event is one document for one thing that happened: a command was run, an error was shown. It
/// goes the way of a report (switch, sink, attempts, spool), but nothing is added up, and none is
/// merged with another.
impl Builder {
    /// A kind of event: its name is the schema's, and its fields are facts, host facts, ids and what
    /// is [`given`](Schema::given) with each event ([`CallHome::event`](crate::CallHome::event)).
    /// May be said more than once.
    ///
    /// The schema of the builder then has no field, for a report goes by windows and an event does
    /// not: a process that has both gives the events a builder of their own, and
    /// [attaches](crate::CallHome::attach) it. Of what is said about reports and windows elsewhere,
    /// of such an aggregator it is said about events: each counts as one, in
    /// [`max_pending`](Builder::max_pending) each body. What still waits when its attempts are used
    /// up gets them again with the next event, and every [`every`](Builder::every).
    ///
    /// The envelope of an event is an object of `event_id` (a random UUID), `sequence` (from 1,
    /// counted by the process), `schema_id`, `library`, `time` (RFC 3339, UTC, microseconds),
    /// `losses`, and `data`, and of `instance` and `installation` as that of a report;
    /// [`bare`](Builder::bare) leaves it out. Besides the reasons of reports `losses` has
    /// `undeclared_events`, and `reports_unshipped` and `reports_withdrawn` are in the status alone.
    /// Where reports are attached to the aggregator of events, `undeclared_metrics` is here: metrics
    /// that none of them declares.
    pub fn event(mut self, schema: Schema) -> Builder {
        self.events.push(schema);
        self
    }

    /// Sends events together, as one JSON array: as soon as there are `most`, or `within` this time
    /// after the first of them. An array has no more bytes than [`max_body`](Builder::max_body).
    /// Default: each event alone, at once. `most` is 1 to 1000.
    pub fn events_as_array(self, most: usize, within: Duration) -> Builder {
        self.together(Shape::Array, most, within)
    }

    /// The same, one event to a line (JSON lines). [`HttpSink`](crate::sink) says
    /// `application/json` of it all the same.
    pub fn events_as_lines(self, most: usize, within: Duration) -> Builder {
        self.together(Shape::Lines, most, within)
    }

    /// How many events may wait in memory to be sent together, or for the thread that sends. When
    /// there is one more, the oldest is given up and counted. At least as many as are sent together.
    /// Default: 1000.
    pub fn max_events(mut self, events: usize) -> Builder {
        self.limits.batching.waiting = events;
        self
    }

    fn together(mut self, shape: Shape, most: usize, within: Duration) -> Builder {
        self.limits.batching = Batching { shape, most, within, ..self.limits.batching };
        self
    }

    /// What is reported: the checked schema of the builder, and those of its events.
    pub(super) fn plans(schema: Schema, events: Vec<Schema>) -> Result<(Plan, Kinds), Error> {
        // What is said of the whole holds for its parts, as it does for sections.
        let strict = |event: Schema| if schema.strict { event.strict() } else { event };
        let events = Kinds::new(events.into_iter().map(strict).collect())?;
        let plan = match events.has_kinds() {
            true => Plan::of_none(schema)?,
            false => Plan::new(schema)?,
        };
        Ok((plan, events))
    }

    /// Checks how events are sent together.
    pub(super) fn check_events(&self) -> Result<(), Error> {
        let Batching { most, waiting, .. } = self.limits.batching;
        if !(1..=1000).contains(&most) {
            return Err(Error::config(format!("{most} events are sent together: give 1 to 1000")));
        }
        if waiting < most {
            return Err(Error::config(format!(
                "`max_events` is {waiting}, less than the {most} that are sent together"
            )));
        }
        Ok(())
    }
}
