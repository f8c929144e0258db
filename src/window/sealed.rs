//! A window that is over: its values, which can be merged with those of the window before it.

use std::ops::Range as Span;
use std::sync::Arc;

use uuid::Uuid;

use crate::cell::{Distinct, Range, Union};
use crate::clock::Moment;
use crate::schema::Fact;
use crate::summary::Summary;

/// A merged window names at most so many of the windows merged into it, the latest ones: an
/// outage may last for thousands.
pub(crate) const NAMED: usize = 128;

/// A window's values, taken exactly once; or those of several windows in a row, merged.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) id: Uuid,
    /// Of the last window in it.
    pub(crate) sequence: u64,
    /// How many windows it is made of.
    pub(crate) windows: u64,
    /// The ids of the windows merged into the last one, oldest first; the latest [`NAMED`].
    pub(crate) merged: Vec<Uuid>,
    /// Of the first window in it.
    pub(crate) begin: Moment,
    /// Of the last window in it.
    pub(crate) end: Moment,
    /// In the schema's order.
    pub(crate) readings: Vec<Reading>,
    pub(crate) losses: Losses,
}

/// A field's value in a window, in a form that can still be merged with that of another.
#[derive(Clone, Debug)]
pub(crate) enum Reading {
    Fact(Fact),
    Os {
        family: Fact,
        name: Fact,
    },
    Counter(u64),
    /// Of a cumulative counter: what was added since the start.
    Total(u64),
    Gauge(Option<f64>),
    /// The samples; for a gauge also the extremes it reached between them.
    Summary(Box<Summary>, Option<Range>),
    Distinct(Box<Distinct>),
    Mergeable(Box<Union>),
    /// By the number of the slot.
    Series(Vec<Row>),
    /// Of each bucket; since the start if it is `cumulative`.
    Buckets {
        buckets: Vec<Bucket>,
        cumulative: bool,
    },
}

/// The samples between two cut-offs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    pub(crate) count: u64,
    /// In billionths.
    pub(crate) sum: u128,
}

/// One value of a labelled series.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The same combination of the labels' values has the same number in all windows of a process.
    pub(crate) slot: usize,
    /// The labels' values, in the order of their keys.
    pub(crate) labels: Vec<Arc<str>>,
    pub(crate) value: Reading,
}

/// Counts of what a window could not report, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) refused: u64,
    pub(crate) undeclared: u64,
    pub(crate) mismatched: u64,
    pub(crate) failed: u64,
    pub(crate) capped: u64,
    pub(crate) unasked: u64,
}

impl Sealed {
    /// A window of its own.
    pub(crate) fn new(
        id: Uuid,
        sequence: u64,
        span: Span<Moment>,
        readings: Vec<Reading>,
        losses: Losses,
    ) -> Sealed {
        let Span { start: begin, end } = span;
        Sealed { id, sequence, windows: 1, merged: Vec::new(), begin, end, readings, losses }
    }

    /// Whether the last window of `earlier` is the one before the first of this.
    pub(crate) fn follows(&self, earlier: &Sealed) -> bool {
        earlier.sequence.checked_add(self.windows) == Some(self.sequence)
    }

    /// Takes in the window that this one [`follows`](Sealed::follows), with all that it took in
    /// itself. What adds up is added up; of what is stated or set, the later counts.
    pub(crate) fn take_in(&mut self, earlier: Sealed) {
        let later = std::mem::take(&mut self.merged);
        self.merged = earlier.merged.into_iter().chain([earlier.id]).chain(later).collect();
        self.merged.drain(..self.merged.len().saturating_sub(NAMED));
        self.windows = self.windows.saturating_add(earlier.windows);
        self.begin = earlier.begin;
        self.losses.add(earlier.losses);
        for (reading, earlier) in self.readings.iter_mut().zip(earlier.readings) {
            reading.take_in(earlier);
        }
    }
}

impl Reading {
    /// Why a report is made: the first of a start, any other, the last.
    pub(crate) const REASONS: [&str; 3] = ["start", "heartbeat", "stop"];

    fn take_in(&mut self, earlier: Reading) {
        match (self, earlier) {
            (Reading::Counter(count), Reading::Counter(earlier)) => {
                *count = count.saturating_add(earlier);
            }
            (Reading::Gauge(value), Reading::Gauge(earlier)) => *value = value.or(earlier),
            (Reading::Summary(samples, range), Reading::Summary(earlier, earlier_range)) => {
                samples.absorb(*earlier);
                *range = match (*range, earlier_range) {
                    (Some(a), Some(b)) => {
                        Some(Range { min: a.min.min(b.min), max: a.max.max(b.max) })
                    }
                    (one, other) => one.or(other),
                };
            }
            (Reading::Distinct(set), Reading::Distinct(earlier)) => set.merge(*earlier),
            (Reading::Mergeable(set), Reading::Mergeable(earlier)) => set.merge(*earlier),
            (Reading::Series(rows), Reading::Series(earlier)) => {
                for row in earlier {
                    match rows.binary_search_by_key(&row.slot, |own| own.slot) {
                        Ok(at) => rows[at].value.take_in(row.value),
                        Err(at) => rows.insert(at, row),
                    }
                }
            }
            (
                Reading::Buckets { buckets, cumulative: false },
                Reading::Buckets { buckets: earlier, .. },
            ) => {
                for (bucket, earlier) in buckets.iter_mut().zip(earlier) {
                    bucket.count = bucket.count.saturating_add(earlier.count);
                    bucket.sum = bucket.sum.saturating_add(earlier.sum);
                }
            }
            // What is stated, or counted since the start: the later statement. Two windows of one
            // schema have no others.
            _ => {}
        }
    }
}

impl Losses {
    fn add(&mut self, other: Losses) {
        let Losses { refused, undeclared, mismatched, failed, capped, unasked } = other;
        self.refused = self.refused.saturating_add(refused);
        self.undeclared = self.undeclared.saturating_add(undeclared);
        self.mismatched = self.mismatched.saturating_add(mismatched);
        self.failed = self.failed.saturating_add(failed);
        self.capped = self.capped.saturating_add(capped);
        self.unasked = self.unasked.saturating_add(unasked);
    }
}
