//! What the application gives with each event.

use super::check::bad;
use super::fact::Fact;
use super::field::Kind;
use super::plan::Plan;
use super::tree::Schema;
use crate::error::Error;

/// What may be given for a field of an event.
#[derive(Clone)]
pub(crate) enum Given {
    /// One value; this one if none is given.
    One(Fact),
    /// A list of values; empty if none is given.
    List,
}

/// # Events
///
/// A schema of an event (see [`Builder::event`](crate::Builder::event)) has facts, host facts and
/// ids, as that of a report has them, and besides what the application gives with each event. What
/// adds up over a window, such as a counter, it cannot have.
impl Schema {
    /// A fact that is given with each event: [`Event::set`](crate::Event::set). Null where it is
    /// not.
    pub fn given(self, name: impl Into<String>) -> Schema {
        self.given_or(name, Fact::NULL)
    }

    /// The same, with a value for events that do not give it.
    pub fn given_or(self, name: impl Into<String>, default: impl Into<Fact>) -> Schema {
        self.field(name, Kind::Given(Given::One(default.into())))
    }

    /// A list of facts that is given with each event:
    /// [`Event::set_list`](crate::Event::set_list). Empty where it is not.
    pub fn given_list(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Given(Given::List))
    }
}

impl Plan {
    /// Checks the schema of an event.
    pub(crate) fn of_event(schema: Schema) -> Result<Plan, Error> {
        let plan = Plan::any(schema)?.with_fields()?;
        let wrong = plan.leaves.iter().find(|leaf| {
            !matches!(
                leaf.field.kind,
                Kind::Fact(_) | Kind::Asked(_) | Kind::Host(_) | Kind::Given(_)
            )
        });
        match wrong {
            Some(leaf) => Err(bad(format!(
                "`{}` of the event `{}` is a {}, which only a report can have: use `given`",
                leaf.path,
                plan.name,
                leaf.field.kind.word()
            ))),
            None => Ok(plan),
        }
    }

    /// Checks the schema of an aggregator that reports events and nothing else.
    pub(crate) fn of_none(schema: Schema) -> Result<Plan, Error> {
        let plan = Plan::any(schema)?;
        match plan.leaves.is_empty() {
            true => Ok(plan),
            false => Err(bad(format!(
                "schema `{}` has fields, and the builder has events: give the events to a builder of their own, and `attach` it",
                plan.name
            ))),
        }
    }

    /// Checks that there is a field.
    pub(super) fn with_fields(self) -> Result<Plan, Error> {
        match self.leaves.is_empty() {
            true => {
                let name = &self.name;
                Err(bad(format!("schema `{name}` declares no field: nothing to report")))
            }
            false => Ok(self),
        }
    }

    /// Checks that nothing is given with each event, for a report is none.
    pub(super) fn without_given(&self) -> Result<(), Error> {
        let given = self.leaves.iter().find(|leaf| matches!(leaf.field.kind, Kind::Given(_)));
        given.map_or(Ok(()), |leaf| {
            Err(bad(format!(
                "`{}` is given with each event, and a report is none: declare a schema with `event`, or use `fact_with`",
                leaf.path
            )))
        })
    }
}
