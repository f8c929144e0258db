//! A histogram: samples pushed to the thread's ring, folded in batches into the reducer.

use super::id::{Id, Ids, Place};
use super::ring::{self, Ring};
use super::shards::{Part, Shards};
use super::sync::global;
use super::table::{self, RINGS};
use crate::summary::{Intake, Outlook, Summary};

global!(IDS: Ids = Ids::new());

/// A histogram that every thread records to in a ring of its own.
///
/// Every sample is at each instant in exactly one place: in a ring, or in a part of the reducer.
/// It moves from one to the other under that part's lock, so a sealer that goes through all
/// rings first and all parts after finds each sample that was recorded before it began.
pub(crate) struct Histogram {
    place: Place,
    /// Given back when the histogram goes, never before.
    _id: Id,
    reducer: Shards<Intake>,
}

impl Part for Intake {
    type Outlook = Outlook;

    fn outlook(&self) -> Outlook {
        self.outlook()
    }

    fn prepared(outlook: Outlook) -> Self {
        Intake::prepared(outlook)
    }
}

impl Histogram {
    pub(crate) fn new() -> Self {
        let id = IDS.take();
        let histogram = Histogram { place: id.place(RINGS), _id: id, reducer: Shards::new() };
        histogram.claim_all(|_leftover| ()); // what an earlier histogram of this number left
        histogram
    }

    /// Records a sample. False, and nothing recorded, when it is not finite, or when it comes
    /// from an allocator that records while histograms are being worked at (see
    /// [`table::aside`]): there is no place for a sample that needs neither memory nor a lock.
    #[inline]
    pub(crate) fn record(&self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        match table::current().and_then(|table| table.ring(self.place)) {
            Some(ring) => {
                self.push(ring, value);
                true
            }
            None => self.record_slowly(value),
        }
    }

    #[inline]
    fn push(&self, ring: &Ring, value: f64) {
        if ring.push(value) {
            self.fold(ring);
        }
    }

    #[cold]
    fn record_slowly(&self, value: f64) -> bool {
        match table::current().and_then(|table| table.make_ring(self.place)) {
            Some(ring) => {
                self.push(ring, value);
                true
            }
            None => self.record_many(value, 1),
        }
    }

    /// Records a sample `count` times, at the cost of one batch. False as for
    /// [`record`](Histogram::record).
    pub(crate) fn record_many(&self, value: f64, count: u64) -> bool {
        let possible = value.is_finite() && !table::is_aside();
        if possible {
            table::aside(|| self.reducer.lock(&mut 0).record_n(value, count));
        }
        possible
    }

    /// The owner's fold of its own ring, once every [`ring::LEN`] samples.
    #[inline(never)]
    fn fold(&self, ring: &Ring) {
        table::aside(|| {
            let mut hint = ring.hint();
            let mut part = self.reducer.lock(&mut hint);
            // Claimed only now, under the part's lock: see the type's documentation.
            part.extend(ring.claim(&mut [0.0; ring::LEN]));
            drop(part);
            ring.set_hint(hint);
        });
    }

    /// Everything recorded since the last `take`, taken.
    pub(crate) fn take(&self) -> Summary {
        table::aside(|| {
            // Few samples, which then move to the parts' memory and not the other way round.
            let mut whole = Summary::default();
            self.claim_all(|batch| whole.extend(batch));
            self.reducer.take_all().for_each(|part| whole.absorb(part.into_summary()));
            whole
        })
    }

    /// Everything recorded since the last `take`, left in place. Samples move from the rings to
    /// the reducer, which no later `take` can tell. Not at the same time as a `take`, which
    /// could miss the samples on their way.
    pub(crate) fn peek(&self) -> Summary {
        table::aside(|| {
            self.claim_all(|batch| self.reducer.lock(&mut 0).extend(batch));
            let mut whole = Summary::default();
            self.reducer.copy_all().for_each(|part| whole.absorb(part.into_summary()));
            whole
        })
    }

    fn claim_all(&self, mut fold: impl FnMut(&[f64])) {
        let mut batch = [0.0; ring::LEN];
        for table in table::all() {
            if let Some(ring) = table.ring(self.place) {
                let batch = ring.claim(&mut batch);
                if !batch.is_empty() {
                    fold(batch);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threads_samples_are_taken_once_during_and_after_the_thread() {
        let histogram = Histogram::new();
        let mut taken = Summary::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    (0..10_000).for_each(|n| assert!(histogram.record(f64::from(n % 100))))
                });
            }
            for _ in 0..100 {
                taken.merge(&histogram.take());
            }
        });
        taken.merge(&histogram.take());
        let figures = taken.figures();
        assert_eq!((figures.count, figures.sum), (40_000, 4.0 * 100.0 * 4950.0));
        assert_eq!(histogram.take().count(), 0);
    }

    #[test]
    fn what_cannot_be_placed_is_said_and_does_no_harm() {
        let histogram = Histogram::new();
        assert!(!histogram.record(f64::NAN) && !histogram.record_many(f64::INFINITY, 3));
        assert!(table::aside(|| !histogram.record(1.0) && !histogram.record_many(1.0, 3)));
        assert!(histogram.record(2.0) && histogram.record_many(2.0, 3));
        assert_eq!(histogram.take().figures().sum, 8.0);
    }

    #[test]
    fn looking_changes_nothing() {
        let histogram = Histogram::new();
        (0..300).for_each(|n| assert!(histogram.record(f64::from(n))));
        assert!(histogram.record_many(7.0, 5));
        for _ in 0..3 {
            assert_eq!(histogram.peek().count(), 305);
        }
        assert_eq!(histogram.take().count(), 305);
    }

    #[test]
    fn a_new_histogram_is_empty_whatever_its_number_held_before() {
        for _ in 0..20 {
            let histogram = Histogram::new();
            assert_eq!(histogram.peek().count(), 0);
            assert!(histogram.record(1.0));
        }
    }
}
