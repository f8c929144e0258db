//! An event of which more is said until it is sent.

use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::schema::{Ask, Fact, Given, Host, Kind, Plan};
use crate::window::Reading;

/// What is said of an event so far.
pub(crate) struct Draft {
    pub(crate) plan: Arc<Plan>,
    /// By field, what was given.
    given: Vec<Option<Fact>>,
}

impl Draft {
    pub(super) fn new(plan: Arc<Plan>) -> Draft {
        Draft { given: vec![None; plan.leaves.len()], plan }
    }

    /// Notes what is given for the field at `path`.
    pub(crate) fn set(&mut self, path: &str, value: Fact) -> Result<(), Error> {
        let at = self.plan.leaves.iter().position(|leaf| leaf.path == path);
        let kind = at.and_then(|at| self.plan.leaves.get(at)).map(|leaf| &leaf.field.kind);
        let fault = match kind {
            Some(Kind::Given(Given::List)) if !value.is_list() => "is a list: use `set_list`",
            Some(Kind::Given(Given::One(_))) if value.is_list() => "is no list: use `set`",
            Some(Kind::Given(_)) => {
                at.and_then(|at| self.given.get_mut(at)).into_iter().for_each(|given| {
                    *given = Some(value.clone());
                });
                return Ok(());
            }
            Some(_) => "is not given with the event: declare it with `given`, or drop it here",
            None => "is not declared: declare it with `given`, or drop it here",
        };
        let name = &self.plan.name;
        Err(Error::new(ErrorKind::Usage, format!("`{path}` of the event `{name}` {fault}")))
    }

    /// What all fields say, and how many functions had nothing to say. `ask` calls a function of the
    /// application, `host` knows facts.
    pub(crate) fn readings(
        &self,
        ask: impl Fn(&Ask) -> Option<Fact>,
        host: impl Fn(Host) -> Reading,
    ) -> (Vec<Reading>, u64) {
        let mut failed = 0;
        let fields = self.plan.leaves.iter().zip(&self.given);
        let readings = fields.map(|(leaf, given)| match (&leaf.field.kind, given) {
            (Kind::Host(fact), _) => host(*fact),
            (Kind::Fact(fact), _) => Reading::Fact(fact.clone()),
            (Kind::Asked(function), _) => Reading::Fact(ask(function).unwrap_or_else(|| {
                failed += 1;
                Fact::NULL
            })),
            (_, Some(given)) => Reading::Fact(given.clone()),
            (Kind::Given(Given::One(default)), None) => Reading::Fact(default.clone()),
            (Kind::Given(Given::List), None) => Reading::Fact(Fact::list(std::iter::empty())),
            _ => Reading::Fact(Fact::NULL),
        });
        let readings = readings.collect();
        (readings, failed)
    }
}
