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
    /// Bytes of one report, which leaves detail out to have no more.
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
        let (plan, losses) = (plan.longest(), Losses::LARGEST.by_reason());
        let largest = Report::without_detail(&largest, &plan, form, &losses);
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use serde_json::Value;

    use super::*;
    use crate::schema::{Figure, Schema, Transform};

    /// The characters of a value of the largest report.
    fn length(report: &Value, path: &str) -> usize {
        let value = report.pointer(path).unwrap_or_else(|| panic!("{path} in {report}"));
        value.to_string().len()
    }

    #[test]
    fn each_number_of_the_largest_report_is_as_long_as_any() {
        let figures = [Figure::Stddev, Figure::Sum, Figure::Count, Figure::Quantile(1.0)];
        let rough = |s: Schema| s.transform(Transform::Digits(2));
        let schema = figures.into_iter().fold(Schema::new("s").summary("x"), Schema::with);
        let schema = schema.distinct("d", "id").mergeable().gauge("g").counter("n").buckets(
            "b",
            [0.0],
            |s| s,
        );
        let schema = rough(schema.buckets("rough_b", [0.0], |s| s)).counter("rough_n");
        let schema = rough(rough(schema).fact_with("rough_f", || 1)).ram("ram");
        let plan = Plan::new(schema).expect("a schema");
        let now = Moment { monotonic: Duration::ZERO, wall: SystemTime::UNIX_EPOCH };
        let largest = Sealed::largest(&plan, now);
        let form = Form::new(false, true);
        let report = Report::without_detail(&largest, &plan.longest(), form, &[]);
        let report: Value = serde_json::from_str(report.body()).expect("a report");
        // With a sign, a point and an exponent: -1.7976931348623157e+308.
        let any = 24;
        for path in ["max", "mean", "median", "min", "mode", "sum", "p100"] {
            assert_eq!(length(&report, &format!("/data/x/{path}")), any, "{path}");
        }
        for path in ["/data/g", "/data/rough_n", "/data/rough_f"] {
            assert_eq!(length(&report, path), any, "{path}");
        }
        for path in ["sum", "count"] {
            assert_eq!(length(&report, &format!("/data/rough_b/0/{path}")), any, "{path}");
        }
        assert_eq!(length(&report, "/data/x/stddev"), any - 1, "{report}");
        // Neither reaches an exponent of three digits.
        assert_eq!(length(&report, "/data/b/0/sum"), any - 2, "{report}");
        assert_eq!(length(&report, "/window_seconds"), any - 2, "{report}");
        assert_eq!(report["data"]["d"]["registers"], Value::Null);
        for path in [
            "/data/x/count",
            "/data/d/count",
            "/data/n",
            "/data/b/0/count",
            "/data/ram",
            "/sequence",
        ] {
            assert_eq!(length(&report, path), u64::MAX.to_string().len(), "{path}");
        }
    }
}
