//! The samples in order of size, as median and quantiles need them.

use super::sketch::Sketch;

/// The samples of a summary, smallest first.
pub(super) enum Ranked {
    /// Distinct values and their counts.
    Exact(Vec<(f64, u64)>),
    /// The samples to the precision of the cells.
    Cells(Sketch),
}

impl Ranked {
    /// The middle sample, or the mean of the middle two. 0 without samples.
    pub(super) fn median(&self) -> f64 {
        let total = self.total();
        midpoint(self.at_rank(total.div_ceil(2)), self.at_rank(total / 2 + 1))
    }

    /// The `q`-quantile of `count` samples by nearest rank. 0 without samples.
    pub(super) fn quantile(&self, q: f64, count: u64) -> f64 {
        self.at_rank(nearest_rank(q, count).into())
    }

    /// The number of samples, without saturation.
    fn total(&self) -> u128 {
        match self {
            Ranked::Exact(pairs) => pairs.iter().map(|&(_, n)| u128::from(n)).sum(),
            Ranked::Cells(sketch) => sketch.total(),
        }
    }

    /// The sample of a 1-based rank; beyond the last one, the last; 0 if there are none.
    fn at_rank(&self, rank: u128) -> f64 {
        match self {
            Ranked::Exact(pairs) => {
                let mut through = 0;
                let found = pairs.iter().find(|&&(_, n)| {
                    through += u128::from(n);
                    through >= rank
                });
                found.or(pairs.last()).map_or(0.0, |&(value, _)| value)
            }
            Ranked::Cells(sketch) => sketch.at_rank(rank),
        }
    }
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
