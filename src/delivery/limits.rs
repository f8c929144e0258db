//! What the outbox may hold, and how often and for how long it tries.

use std::time::Duration;

use super::intake::Batching;
use super::reason::Losses;
use crate::clock::Moment;
use crate::error::Error;
use crate::report::{Form, Report};
use crate::schema::Plan;
use crate::window::Sealed;

/// The settings of the same names of the builder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Reports that wait; one more, and the oldest is given up and counted.
    pub(crate) reports: usize,
    /// Bytes of the reports that wait.
    pub(crate) bytes: usize,
    /// How long a report may wait after its window was sealed.
    pub(crate) age: Duration,
    /// Bytes of one report.
    pub(crate) body: usize,
    /// Attempts for each window, those at reports before it included.
    pub(crate) attempts: u32,
    /// How long an attempt may take.
    pub(crate) attempt: Duration,
    /// How events are sent together.
    pub(crate) batching: Batching,
}

impl Limits {
    /// For tests of what holds to them.
    #[cfg(test)]
    pub(super) const SMALL: Limits = Limits {
        reports: 8,
        bytes: 1000,
        age: Duration::MAX,
        body: 1000,
        attempts: 1,
        attempt: Duration::MAX,
        batching: Batching::single(8),
    };

    /// Checks them, against the reports of a schema too.
    pub(crate) fn check(&self, plan: &Plan, bare: bool, now: Moment) -> Result<(), Error> {
        let zeros = [
            ("attempt_timeout", self.attempt.is_zero(), "no attempt could succeed"),
            ("max_attempts", self.attempts == 0, "no report would be sent"),
            ("max_pending", self.reports == 0, "a report that fails would be lost"),
            ("max_age", self.age.is_zero(), "a report that fails would be lost"),
        ];
        let error = |message: String| Err(Error::config(message));
        if let Some((setting, _, why)) = zeros.into_iter().find(|(_, is_zero, _)| *is_zero) {
            return error(format!("`{setting}` is 0: {why}"));
        }
        let Limits { body, bytes, .. } = *self;
        if bytes < body {
            return error(format!(
                "`max_pending_bytes` is {bytes}, less than one report may have: give at least `max_body`, {body}"
            ));
        }
        let largest = Sealed::largest(plan, now);
        let form = Form::new(bare, true);
        let largest = Report::new(&largest, plan, form, &Losses::LARGEST.by_reason());
        let largest = largest.body().len();
        if largest > body {
            return error(format!(
                "`max_body` is {body} bytes, and a report of schema `{}` may have {largest}: raise `max_body` or declare less",
                plan.name
            ));
        }
        Ok(())
    }
}
