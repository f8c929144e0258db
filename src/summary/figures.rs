//! What a summary says about its samples.

use super::buckets::Buckets;
use super::ranked::Ranked;

/// The figures of one summary.
pub(crate) struct Figures<'a> {
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
    /// The samples, for what is only computed when it is asked for.
    pub(super) ranked: Ranked<'a>,
}

impl Figures<'_> {
    /// Sample standard deviation (divided by n - 1); saturates at `f64::MAX`. In the exact state to
    /// the rounding of `f64`; from cells less than 0.1 % of the samples' root mean square off, so
    /// that a spread much smaller than the samples themselves is lost. 0 for fewer than two samples.
    pub(crate) fn stddev(&self) -> f64 {
        self.ranked.stddev(self.mean)
    }

    /// The `q`-quantile by nearest rank: the smallest sample that at least the fraction `q` of all
    /// samples does not exceed. Exact, or less than 0.1 % off. `q` is limited to 0 (the smallest
    /// sample) to 1 (the largest); a NaN is taken for 0. 0 without samples.
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        self.ranked.quantile(q, self.count)
    }

    /// The samples as at most so many pairs of value and count, but at least five: exact while there
    /// are no more distinct values, else as close as so few can be.
    pub(crate) fn buckets(&self, most: usize) -> Buckets {
        self.ranked.buckets(most)
    }

    /// The samples in HdrHistogram's encoding, counted as multiples of the resolution; `None` if they
    /// cannot be.
    #[cfg(feature = "hdr")]
    pub(crate) fn hdr(&self, resolution: f64) -> Option<String> {
        super::hdr::encode(&self.ranked.samples(), resolution)
    }
}
