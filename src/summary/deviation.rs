//! The standard deviation.

use super::float::{shift, split};

/// The sample standard deviation of values and how often each was seen, saturated at `f64::MAX`; 0
/// for fewer than two samples. `mean` is their mean, or nearly, and no value is of larger magnitude
/// than `reach`.
///
/// Two passes, of which the caller has made the first for the mean: squares of deviations do not
/// cancel as the difference of two large sums does. What they are too large by, because the mean is
/// rounded or not quite that of these values, is taken off again (Chan, Golub, LeVeque 1983,
/// "Algorithms for computing the sample variance").
pub(super) fn stddev(samples: impl Iterator<Item = (f64, u64)>, mean: f64, reach: f64) -> f64 {
    // In units of the power of two below `reach` nothing overflows, and what is lost to underflow is
    // far below the precision of the largest deviation.
    let Some((octave, _)) = split(reach) else { return 0.0 };
    let mean = shift(mean, -octave);
    let (mut total, mut deviations, mut squares) = (0u128, 0.0, 0.0);
    for (value, n) in samples {
        let deviation = shift(value, -octave) - mean;
        total += u128::from(n);
        deviations += n as f64 * deviation;
        squares += n as f64 * deviation * deviation;
    }
    if total < 2 {
        return 0.0;
    }
    let squares = squares - deviations * deviations / total as f64;
    let variance = squares.max(0.0) / (total - 1) as f64;
    shift(variance.sqrt(), octave).min(f64::MAX)
}
