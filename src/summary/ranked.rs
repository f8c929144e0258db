//! The samples in order of size, as median and quantiles need them.

use super::buckets::Buckets;
use super::exact::Table;
use super::sketch::Sketch;

/// The samples of a summary, to be asked for more than the figures that every report has.
pub(super) enum Ranked<'a> {
    /// Distinct values and their counts.
    Exact(&'a Table),
    /// The samples to the precision of the cells.
    Cells(Sketch<'a>),
}

impl Ranked<'_> {
    /// The `q`-quantile of `count` samples by nearest rank. 0 without samples.
    pub(super) fn quantile(&self, q: f64, count: u64) -> f64 {
        let rank = nearest_rank(q, count).into();
        match self {
            Ranked::Exact(table) => at_rank(&mut table.to_vec(), rank).0,
            Ranked::Cells(sketch) => sketch.at_rank(rank).0,
        }
    }

    /// The samples as at most so many pairs of value and count, but at least five.
    pub(super) fn buckets(&self, most: usize) -> Buckets {
        Buckets::new(&self.samples(), matches!(self, Ranked::Exact(_)), most)
    }

    /// The samples in order, exact or each less than 1/1024 off.
    pub(super) fn samples(&self) -> Vec<(f64, u64)> {
        match self {
            Ranked::Exact(table) => table.sorted(),
            Ranked::Cells(sketch) => sketch.samples(),
        }
    }

    /// The sample standard deviation given the mean.
    pub(super) fn stddev(&self, mean: f64) -> f64 {
        match self {
            Ranked::Exact(table) => table.stddev(mean),
            Ranked::Cells(sketch) => sketch.stddev(mean),
        }
    }
}

/// The middle one of so many samples, or the mean of the middle two. `at_rank` knows the sample of a
/// rank and the last rank that has the same.
pub(super) fn median(total: u128, mut at_rank: impl FnMut(u128) -> (f64, u128)) -> f64 {
    let (low, last) = at_rank(total.div_ceil(2));
    let rank = total / 2 + 1;
    midpoint(low, if rank <= last { low } else { at_rank(rank).0 })
}

/// The sample of a 1-based rank, given in any order how often each value was seen, and the last rank
/// that has the same. Beyond the last rank the last sample; 0 if there are none.
///
/// Changes the order of the pairs. Of the two sides of a middle value only the one with the rank is
/// looked at further, which takes half the time that sorting does.
pub(super) fn at_rank(pairs: &mut [(f64, u64)], rank: u128) -> (f64, u128) {
    let mut rest = pairs;
    let (mut found, mut before) = (0.0, 0);
    while !rest.is_empty() {
        let middle = rest.len() / 2;
        let (lower, &mut (value, n), upper) =
            rest.select_nth_unstable_by(middle, |a, b| a.0.total_cmp(&b.0));
        let below: u128 = before + total(lower);
        let through = below + u128::from(n);
        if rank <= below {
            rest = lower;
            continue;
        }
        (found, before) = (value, through);
        if rank <= through {
            break;
        }
        rest = upper;
    }
    (found, before)
}

/// The number of samples, without saturation.
pub(super) fn total(pairs: &[(f64, u64)]) -> u128 {
    pairs.iter().map(|&(_, n)| u128::from(n)).sum()
}

/// The mean of the two middle samples.
fn midpoint(a: f64, b: f64) -> f64 {
    let sum = a + b;
    // Halving first would lose the last bit of a subnormal, so only where the sum overflows.
    if sum.is_finite() { sum / 2.0 } else { a / 2.0 + b / 2.0 }
}

/// The nearest rank of the `q`-quantile among `count` sorted samples: ⌈q · count⌉, at least 1. A
/// `q` that is a NaN is taken for 0.
fn nearest_rank(q: f64, count: u64) -> u64 {
    let rank = q.clamp(0.0, 1.0) * count as f64;
    // 0.07 is a little more than 7/100 in binary, and 0.07 * 100 would round up to 8: forgive one
    // unit in the last place.
    let rank = (rank - rank * f64::EPSILON).ceil();
    (rank as u64).clamp(1, count.max(1))
}
