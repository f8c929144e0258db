//! What a summary says about its samples.

/// The figures of one summary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figures {
    /// Number of samples; saturates at `u64::MAX`.
    pub(crate) count: u64,
    /// Sum of the samples, the exact one rounded once; saturates at `±f64::MAX`. 0 without samples.
    pub(crate) sum: f64,
    /// Smallest sample, exact. 0 without samples.
    pub(crate) min: f64,
    /// Largest sample, exact. 0 without samples.
    pub(crate) max: f64,
    /// Arithmetic mean, the exact one rounded once; within `min..=max`. 0 without samples.
    pub(crate) mean: f64,
    /// Of the sorted samples the middle one, or the mean of the middle two. Exact, or made of
    /// samples less than 0.1 % off (so that between a negative and a positive sample the error is
    /// relative to those, not to their mean). 0 without samples.
    pub(crate) median: f64,
    /// Most frequent sample, the smallest of those that are equally frequent. Exact, or the lower
    /// edge (the one nearest to zero) of the fullest cell. `None` without samples.
    pub(crate) mode: Option<f64>,
}

impl Figures {
    /// The figures of no samples.
    pub(super) const EMPTY: Figures =
        Figures { count: 0, sum: 0.0, min: 0.0, max: 0.0, mean: 0.0, median: 0.0, mode: None };
}

/// The mean of the two middle samples.
pub(super) fn midpoint(a: f64, b: f64) -> f64 {
    let sum = a + b;
    // Halving first would lose the last bit of a subnormal, so only where the sum overflows.
    if sum.is_finite() { sum / 2.0 } else { a / 2.0 + b / 2.0 }
}

/// The nearest rank of the `q`-quantile among `count` > 0 sorted samples: ⌈q · count⌉, at least 1.
pub(super) fn nearest_rank(q: f64, count: u64) -> u64 {
    let rank = q.clamp(0.0, 1.0) * count as f64;
    // 0.07 is a little more than 7/100 in binary, and 0.07 * 100 would round up to 8: forgive one
    // unit in the last place.
    let rank = (rank - rank * f64::EPSILON).ceil();
    (rank as u64).clamp(1, count.max(1))
}
