//! How many different values there were, without keeping any of them.

use exaloglog::ExaLogLog;

use super::seen::Set;
use super::shards::Part;

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

impl Set for Distinct {
    type Value = u64;
    type Beside = ();

    fn value(hash: u64, _: &str) -> u64 {
        hash
    }

    fn beside() {}

    fn insert(&mut self, hash: u64, (): &()) {
        self.add(hash);
    }

    fn merge(&mut self, other: Self) {
        self.merge(other);
    }
}

impl Distinct {
    pub(super) fn add(&mut self, hash: u64) {
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
            (_, Distinct::Exact(hashes)) => hashes.into_iter().for_each(|hash| self.add(hash)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::{DistinctCell, Sighting};

    fn seen(cell: &DistinctCell<Distinct>, values: std::ops::Range<u32>) {
        values.for_each(|value| assert!(cell.see(&Sighting::new(cell.hash(&value.to_string())))));
    }

    #[test]
    fn few_values_are_counted_exactly_however_often_they_come() {
        let cell = DistinctCell::<Distinct>::new();
        (0..3).for_each(|_| seen(&cell, 0..512));
        assert_eq!((cell.peek().count(), cell.take().count(), cell.take().count()), (512, 512, 0));
    }

    #[test]
    fn one_sighting_counts_once_in_each_set() {
        let cell = DistinctCell::<Distinct>::new();
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
                let cell = DistinctCell::<Distinct>::new();
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
        let cell = DistinctCell::<Distinct>::new();
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
            set.add(hash);
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
