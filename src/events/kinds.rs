//! The kinds of events that are declared.

use std::sync::Arc;

use super::Draft;
use crate::clock::Moment;
use crate::delivery::{Batching, Losses};
use crate::error::{Error, ErrorKind};
use crate::report::{Event, Form};
use crate::schema::{Plan, Schema};
use crate::window::Sealed;

/// The declared kinds of events.
pub(crate) struct Kinds {
    plans: Vec<Arc<Plan>>,
}

impl Kinds {
    /// Checks the schema of each kind.
    pub(crate) fn new(schemas: Vec<Schema>) -> Result<Kinds, Error> {
        let mut plans: Vec<Arc<Plan>> = Vec::with_capacity(schemas.len());
        for schema in schemas {
            let plan = Plan::of_event(schema)?;
            if plans.iter().any(|other| other.name == plan.name) {
                let message = format!("the event `{}` is declared twice: rename one", plan.name);
                return Err(Error::new(ErrorKind::Schema, message));
            }
            plans.push(Arc::new(plan));
        }
        Ok(Kinds { plans })
    }

    /// Checks that no event can have more bytes than one body may.
    pub(crate) fn check(&self, most: usize, bare: bool, now: Moment) -> Result<(), Error> {
        for plan in &self.plans {
            let sealed = Sealed::largest(plan, now);
            let losses = Losses::LARGEST_OF_EVENTS.by_reason();
            let longest = plan.longest();
            let event = Event {
                id: &sealed.id.to_string(),
                sequence: u64::MAX,
                time: now.wall,
                plan: &longest,
                form: Form::new(bare, true),
                readings: &sealed.readings,
                losses: &losses,
            };
            let largest = event.body().len() + Batching::FRAME;
            if largest > most {
                return Err(Error::config(format!(
                    "`max_body` is {most} bytes, and an event `{}` may have {largest}: raise `max_body` or declare less",
                    plan.name
                )));
            }
        }
        Ok(())
    }

    /// Whether any is declared: then there are events instead of windows.
    pub(crate) fn has_kinds(&self) -> bool {
        !self.plans.is_empty()
    }

    /// The kinds, in the order in which they were declared.
    pub(crate) fn plans(&self) -> Vec<&Plan> {
        self.plans.iter().map(|plan| &**plan).collect()
    }

    /// The kind of this name.
    pub(crate) fn plan(&self, kind: &str) -> Result<&Arc<Plan>, Error> {
        self.plans.iter().find(|plan| plan.name == kind).ok_or_else(|| {
            let message =
                format!("the event `{kind}` is not declared: give its schema to `Builder::event`");
            Error::new(ErrorKind::Usage, message)
        })
    }

    /// An event of this kind of which nothing is said yet.
    pub(crate) fn draft(&self, kind: &str) -> Result<Draft, Error> {
        self.plan(kind).map(|plan| Draft::new(Arc::clone(plan)))
    }
}
