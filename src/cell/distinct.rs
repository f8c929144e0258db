//! How many different values there were, without keeping any of them.

use std::hash::{BuildHasher, RandomState};

use exaloglog::ExaLogLog;

use super::shards::{Part, Shards};
use super::sync::{AtomicU64, Ordering};
use super::table;

/// Different values that are counted exactly; past that the count is an estimate.
const EXACT: usize = 512;
/// 2^10 registers of 28 bits: 3.5 KiB and a standard error of 1.1 % (Ertl, "ExaLogLog", 2024:
/// a memory-variance product of 3.67), whatever the count.
const PRECISION: u32 = 10;

/// A set of 64-bit hashes that knows its size: exact up to [`EXACT`] members, an ExaLogLog
/// sketch from there on. At most 4 KiB.
#[derive(Clone, Debug)]
pub(crate) enum Distinct {
    /// The members, sorted.
    Exact(Vec<u64>),
    /// Too many to list.
    Sketch(Box<ExaLogLog>),
}

impl Default for Distinct {
    fn default() -> Self {
        Distinct::Exact(Vec::new())
    }
}

impl Part for Distinct {
    type Outlook = ();

    fn outlook(&self) {}

    fn prepared((): ()) -> Self {
        Distinct::default()
    }
}

impl Distinct {
    fn insert(&mut self, hash: u64) {
        match self {
            Distinct::Exact(hashes) => {
                let Err(at) = hashes.binary_search(&hash) else { return };
                if hashes.len() < EXACT {
                    hashes.insert(at, hash);
                } else {
                    let mut sketch = ExaLogLog::new_dense(PRECISION);
                    sketch.add_hashes(hashes);
                    sketch.add_hash(hash);
                    *self = Distinct::Sketch(Box::new(sketch));
                }
            }
            Distinct::Sketch(sketch) => sketch.add_hash(hash),
        }
    }

    /// Makes this the union of the two.
    pub(crate) fn merge(&mut self, other: Distinct) {
        match (&mut *self, other) {
            (_, Distinct::Exact(hashes)) => hashes.into_iter().for_each(|hash| self.insert(hash)),
            (Distinct::Exact(hashes), Distinct::Sketch(mut sketch)) => {
                sketch.add_hashes(hashes);
                *self = Distinct::Sketch(sketch);
            }
            (Distinct::Sketch(own), Distinct::Sketch(sketch)) => {
                // Sketches of one precision always merge; all of ours have the same.
                let merged = own.merge(&sketch);
                debug_assert!(merged.is_ok());
            }
        }
    }

    /// The number of members: exact up to [`EXACT`], else the nearest integer to the estimate, and
    /// more than [`EXACT`].
    pub(crate) fn count(&self) -> u64 {
        match self {
            Distinct::Exact(hashes) => hashes.len() as u64,
            Distinct::Sketch(sketch) => {
                let running = sketch.estimate_martingale(); // tighter, until something is merged
                let estimate = running.unwrap_or_else(|| sketch.estimate_ml()).round() as u64;
                estimate.max(EXACT as u64 + 1) // there are that many for certain
            }
        }
    }
}

/// A distinct count that threads record to.
///
/// A value is hashed with a secret random key as it arrives (SipHash, keyed by the standard
/// library from the operating system's randomness), so the set neither holds the value nor lets
/// anybody without the key test whether a value is in it. The key lives as long as the cell and
/// is never written anywhere. A shorter life, as one per window, would leave windows that are merged
/// with sets that have no union, and values to be hashed again in each of them; what leaves, a
/// number, would be the same. A longer one would put a secret on the disk, by which values could be
/// tested, for sets that do not outlive the process.
pub(crate) struct DistinctCell {
    key: RandomState,
    set: Shards<Distinct>,
    /// Sets taken so far. Moved on by [`take`](DistinctCell::take) after it has emptied all parts:
    /// whoever reads the new number puts a value in a set that is not taken yet.
    taken: AtomicU64,
}

/// A value that one thread sees again and again: its hash, and when it was last put in the set.
pub(crate) struct Sighting {
    hash: u64,
    /// What [`DistinctCell::taken`] was when the value was last put in; `u64::MAX` before that.
    /// Mostly read and written by one thread; by several only where a handle is lent, and then
    /// the worst that a stale value does is to put the hash in again.
    at: AtomicU64,
}

impl Sighting {
    /// The hash of `value`, not put in any set yet.
    pub(crate) fn new(hash: u64) -> Sighting {
        Sighting { hash, at: AtomicU64::new(u64::MAX) }
    }
}

impl DistinctCell {
    pub(crate) fn new() -> Self {
        DistinctCell { key: RandomState::new(), set: Shards::new(), taken: AtomicU64::new(0) }
    }

    /// The value's keyed hash: all that is kept of it.
    pub(crate) fn hash(&self, value: &str) -> u64 {
        self.key.hash_one(value)
    }

    /// Puts a value whose hash was made by [`hash`](DistinctCell::hash) in the set, unless this
    /// sighting of it has done so since the last `take`. False when it comes from an allocator
    /// that records while cells are being worked at (see [`table::aside`]).
    #[inline]
    pub(crate) fn see(&self, sighting: &Sighting) -> bool {
        // Read before the value is put in: if a `take` comes between, the number is an old one,
        // and the next sighting puts the value in again.
        let taken = self.taken.load(Ordering::Acquire);
        sighting.at.load(Ordering::Relaxed) == taken || self.insert(sighting, taken)
    }

    #[inline(never)]
    fn insert(&self, sighting: &Sighting, taken: u64) -> bool {
        let possible = !table::is_aside();
        if possible {
            table::aside(|| self.set.lock(&mut 0).insert(sighting.hash));
            sighting.at.store(taken, Ordering::Relaxed);
        }
        possible
    }

    /// The values seen since the last `take`, taken.
    pub(crate) fn take(&self) -> Distinct {
        table::aside(|| {
            let mut whole = Distinct::default();
            self.set.take_all().for_each(|part| whole.merge(part));
            self.taken.fetch_add(1, Ordering::Release);
            whole
        })
    }

    /// The values seen since the last `take`, left in place.
    pub(crate) fn peek(&self) -> Distinct {
        table::aside(|| {
            let mut whole = Distinct::default();
            self.set.copy_all().for_each(|part| whole.merge(part));
            whole
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(cell: &DistinctCell, values: std::ops::Range<u32>) {
        values.for_each(|value| assert!(cell.see(&Sighting::new(cell.hash(&value.to_string())))));
    }

    #[test]
    fn few_values_are_counted_exactly_however_often_they_come() {
        let cell = DistinctCell::new();
        (0..3).for_each(|_| seen(&cell, 0..512));
        assert_eq!((cell.peek().count(), cell.take().count(), cell.take().count()), (512, 512, 0));
    }

    #[test]
    fn one_sighting_counts_once_in_each_set() {
        let cell = DistinctCell::new();
        let sighting = Sighting::new(cell.hash("a"));
        for _ in 0..3 {
            (0..3).for_each(|_| assert!(cell.see(&sighting)));
            assert_eq!((cell.peek().count(), cell.take().count(), cell.take().count()), (1, 1, 0));
        }
    }

    #[test]
    fn many_values_are_estimated_within_the_stated_error() {
        // The key is random, so the error is a random variable: 5 % is beyond four standard
        // errors of a single estimate, and their mean square must agree with the stated 1.1 %.
        let errors: Vec<f64> = (0..12)
            .map(|_| {
                let cell = DistinctCell::new();
                seen(&cell, 0..100_000);
                cell.take().count() as f64 / 1e5 - 1.0
            })
            .collect();
        assert!(errors.iter().all(|error| error.abs() < 0.05), "{errors:?}");
        let mean_square = errors.iter().map(|error| error * error).sum::<f64>() / 12.0;
        assert!(mean_square.sqrt() < 0.025, "{errors:?}");
    }

    #[test]
    fn a_union_counts_what_both_have_once() {
        let cell = DistinctCell::new();
        for (a, b, union) in
            [(0..100, 50..200, 200), (0..100, 0..9_000, 9_000), (0..9_000, 0..100, 9_000)]
        {
            seen(&cell, a);
            let mut set = cell.take();
            seen(&cell, b);
            set.merge(cell.take());
            let error = set.count() as f64 / f64::from(union) - 1.0;
            assert!(error.abs() < 0.05 && (union > 512 || error == 0.0), "{union}: {error}");
        }
    }

    /// As good as random, and the same in every run, so that the errors are too.
    fn hashes(seed: u64, count: u64) -> impl Iterator<Item = u64> {
        (0..count).map(move |n| {
            // SplitMix64.
            let mut z = (seed << 40 | n).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ z >> 31
        })
    }

    fn set_of(hashes: impl Iterator<Item = u64>) -> Distinct {
        hashes.fold(Distinct::default(), |mut set, hash| {
            set.insert(hash);
            set
        })
    }

    /// The bytes that a set takes, beside the few of the enum itself.
    fn size(set: &Distinct) -> usize {
        match set {
            Distinct::Exact(hashes) => hashes.capacity() * size_of::<u64>(),
            Distinct::Sketch(sketch) => size_of::<ExaLogLog>() + sketch.register_bytes(),
        }
    }

    #[test]
    fn a_million_values_are_counted_within_two_percent_in_four_kibibytes() {
        const MILLION: u64 = 1_000_000;
        let errors: Vec<f64> = (0..8)
            .map(|seed| {
                let mut set = set_of(hashes(seed, MILLION / 2));
                // As by two threads, or two windows that become one, with values of both.
                set.merge(set_of(hashes(seed, MILLION).skip(MILLION as usize / 4)));
                assert!(size(&set) <= 4 << 10, "{} bytes", size(&set));
                set.count() as f64 / MILLION as f64 - 1.0
            })
            .collect();
        let mean_square = errors.iter().map(|error| error * error).sum::<f64>() / 8.0;
        assert!(mean_square.sqrt() < 0.02, "{errors:?}");
        let full = set_of(hashes(0, EXACT as u64));
        assert!(matches!(full, Distinct::Exact(_)) && size(&full) <= 4 << 10);
    }

    #[test]
    fn a_union_is_the_same_whichever_way_it_is_made() {
        let sets = [(0, 100), (50, 400), (300, 20_000), (10_000, 40_000)];
        let part = |(from, to): (usize, usize)| set_of(hashes(9, to as u64).skip(from));
        let union = |order: [usize; 4]| {
            let mut whole = Distinct::default();
            order.iter().for_each(|at| whole.merge(part(sets[*at])));
            whole.count()
        };
        let count = union([0, 1, 2, 3]);
        assert!((count as f64 / 40_000.0 - 1.0).abs() < 0.05, "{count}");
        for order in [[3, 2, 1, 0], [1, 0, 3, 2], [2, 2, 3, 0], [0, 1, 2, 3]] {
            let again = union(order);
            assert!(
                (again as f64 / count as f64 - 1.0).abs() < 0.01,
                "{order:?}: {again}, {count}"
            );
        }
        // One that is listed, and one that is not.
        for [one, other] in [[(0, 500), (500, 1100)], [(500, 1100), (0, 500)]] {
            let mut whole = part(one);
            whole.merge(part(other));
            assert!((whole.count() as f64 / 1100.0 - 1.0).abs() < 0.05, "{}", whole.count());
        }
        // A set and itself are that set.
        let mut twice = part(sets[3]);
        let once = twice.count();
        twice.merge(part(sets[3]));
        assert!((twice.count() as f64 / once as f64 - 1.0).abs() < 0.03);
    }
}
