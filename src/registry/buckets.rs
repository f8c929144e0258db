//! The cell of samples in buckets.

use crate::cell::Counter;

/// Samples are added up in this part of their unit.
const PARTS: f64 = 1e9;

/// The first sample that is too large: 10^10 of the unit are just within a `u64` of its parts.
const TOO_LARGE: f64 = 1e10;

/// Counts and sums of samples, by the largest cut-off that each reaches.
pub(crate) struct Buckets {
    /// Ascending; the first is 0.
    cutoffs: Vec<f64>,
    /// For each cut-off the number of samples and their sum in parts.
    counters: Vec<[Counter; 2]>,
}

impl Buckets {
    pub(super) fn new(cutoffs: &[f64]) -> Buckets {
        let counters = cutoffs.iter().map(|_| [Counter::new(), Counter::new()]).collect();
        Buckets { cutoffs: cutoffs.to_vec(), counters }
    }

    /// The number of samples and their sum, for each bucket.
    pub(crate) fn counters(&self) -> &[[Counter; 2]] {
        &self.counters
    }

    /// Records a sample `times` times. False, and nothing recorded, when no bucket takes it, or their
    /// sum is too large.
    #[inline]
    pub(crate) fn record(&self, sample: f64, times: u64) -> bool {
        if !(0.0..TOO_LARGE).contains(&sample) {
            return false; // a NaN too
        }
        let reached = self.cutoffs.partition_point(|cutoff| *cutoff <= sample);
        let Some([count, sum]) = self.counters.get(reached.wrapping_sub(1)) else { return false };
        let parts = (sample * PARTS).round() as u64;
        let Some(parts) = parts.checked_mul(times) else { return false };
        sum.add(parts);
        count.add(times);
        true
    }
}
