//! The window of a schema whose report takes the most bytes, but for the detail that it may leave out.
//!
//! It is serialised like any other, with [`Plan::longest`] for its plan.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::sealed::{Bucket, Losses, NAMED, Reading, Row, Sealed};
use crate::clock::Moment;
use crate::schema::{Fact, Given, Host, Kind, LabelValues, Of, Plan, Series, transform};
use crate::summary::Summary;

/// Samples that are written with all digits that a number can have, and whose standard deviation is,
/// if the first is there as often as can be and the other once.
const SAMPLES: [f64; 2] = [f64::MIN, -1.234_567_890_123_456_7e300];

/// A sum in billionths that is written with as many digits as a sum can have.
const SUM: u128 = u128::MAX / 3;

/// Longer than any window, and its seconds have as many digits as those of any.
const LENGTH: Duration = Duration::new(12_345_678_901_234_567_890, 0);

impl Sealed {
    /// See the [module](self).
    pub(crate) fn largest(plan: &Plan, now: Moment) -> Sealed {
        // As JSON, a control character takes the most.
        let text = Fact::text("\u{1}".repeat(Fact::LONGEST_TEXT));
        let readings = plan.leaves.iter().map(|leaf| match &leaf.field.kind {
            Kind::Fact(fact) => Reading::Fact(fact.clone()),
            Kind::Host(Host::Os) => Reading::Os { family: text.clone(), name: text.clone() },
            Kind::Host(Host::Cores | Host::Ram | Host::Uptime) => Reading::Fact(u64::MAX.into()),
            Kind::Given(Given::List) => Reading::Fact(Fact::list(std::iter::repeat(text.clone()))),
            Kind::Asked(_) | Kind::Later | Kind::Value | Kind::Given(_) | Kind::Host(_) => {
                // A text is not said after a transform of numbers.
                let is_number = !transform::longest(&leaf.field.transforms).is_empty();
                Reading::Fact(if is_number { 0.into() } else { text.clone() })
            }
            Kind::Reason => Reading::Fact(Reading::REASONS[1].into()), // the longest
            Kind::Counter | Kind::Distinct { .. } | Kind::Panics(_) => Reading::Counter(u64::MAX),
            Kind::Gauge => Reading::Gauge(Some(f64::MIN)),
            Kind::Summary | Kind::GaugeSummary | Kind::Sampled(_) => {
                Reading::Summary(Box::new(samples()), None)
            }
            Kind::Series(series) => Reading::Series(rows(series)),
        });
        let readings = readings.collect();
        let [refused, undeclared, mismatched, failed, capped, unasked] = [u64::MAX; 6];
        let losses = Losses { refused, undeclared, mismatched, failed, capped, unasked };
        let begin = Moment { monotonic: Duration::ZERO, ..now };
        let end = Moment { monotonic: LENGTH, ..now };
        let one = Sealed::new(Uuid::nil(), u64::MAX, begin..end, readings, losses);
        Sealed { merged: vec![Uuid::nil(); NAMED], ..one }
    }
}

fn samples() -> Summary {
    let mut samples = Summary::default();
    SAMPLES.into_iter().zip([u64::MAX, 1]).for_each(|(value, n)| samples.record_n(value, n));
    samples
}

/// A row for each combination of the longest values.
fn rows(series: &Series) -> Vec<Row> {
    let seen: Arc<str> = "\u{1}".repeat(Series::LONGEST_VALUE).into();
    let labels = series.keys.iter().map(|key| match &key.values {
        LabelValues::Listed { list, .. } => {
            let longest = list.iter().map(String::as_str).chain([Series::OTHER]);
            let length = |value: &&str| serde_json::to_string(value).map_or(0, |json| json.len());
            longest.max_by_key(length).unwrap_or_default().into()
        }
        LabelValues::Seen(_) => Arc::clone(&seen),
    });
    let labels: Vec<Arc<str>> = labels.collect();
    let value = match &series.of {
        Of::Counters => Reading::Counter(u64::MAX),
        Of::Gauges => Reading::Gauge(Some(f64::MIN)),
        Of::Buckets(cutoffs) => {
            let bucket = Bucket { count: u64::MAX, sum: SUM };
            Reading::Buckets { buckets: vec![bucket; cutoffs.len()], cumulative: false }
        }
    };
    let row = |slot| Row { slot, labels: labels.clone(), value: value.clone() };
    (0..series.slots()).map(row).collect()
}
