//! The samples in HdrHistogram's encoding, as its implementations in other languages read it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};

/// The histogram's, as those of a summary's cells.
const SIGNIFICANT_FIGURES: u8 = 3;

/// The largest of the histogram's whole numbers: up to here each is an `f64`, and a number in
/// JavaScript. All histograms have it in common, for some implementations add no histogram of a
/// larger range to one of a smaller.
pub(super) const LARGEST: u64 = (1 << 53) - 1;

/// Samples in order, each counted as so many times the resolution, in base64. `None` if one of them is
/// negative or too large, or if they are more than other implementations count.
pub(super) fn encode(samples: &[(f64, u64)], resolution: f64) -> Option<String> {
    let mut histogram = Histogram::<u64>::new_with_bounds(1, LARGEST, SIGNIFICANT_FIGURES).ok()?;
    let mut total = 0i64;
    for &(value, n) in samples {
        total = total.checked_add_unsigned(n)?;
        let multiple = (value / resolution).round();
        // What rounds to zero may be negative, too.
        if value < 0.0 {
            return None;
        }
        // An error above the largest.
        histogram.record_n(multiple as u64, n).ok()?;
    }
    let mut encoded = Vec::new();
    V2DeflateSerializer::new().serialize(&histogram, &mut encoded).ok()?;
    Some(BASE64_STANDARD.encode(encoded))
}
