//! Cells folded into `hdrhistogram`s, from which ranks are read.
//!
//! A histogram holds integers. Cell `m` (0 to 1023) of the `k`-th octave in use is recorded as the
//! integer `(1024 + m) << k`, which is the lower edge of exactly one bucket of its own at three
//! significant figures, so that nothing is lost. A `u64` has room for [`BAND`] octaves; samples that
//! span more of them take several histograms, each starting at the lowest octave not yet covered.

use hdrhistogram::Histogram;

use super::cells::{Cells, Octave, Side};
use super::float::{CELL_BITS, CELLS, scale};

/// Octaves per histogram: the highest integer is below 2^(11 + 51) = 2^62.
const BAND: i32 = 52;

/// Significant decimal figures, which make [`CELLS`] buckets per power of two.
const SIGNIFICANT_FIGURES: u8 = 3;

/// Adjacent octaves of one sign.
struct Band {
    /// The octave that integers from 1024 to 2047 stand for.
    lowest: i32,
    histogram: Histogram<u64>,
    /// Samples in it, without saturation.
    total: u128,
}

impl Band {
    /// The octaves that all are less than [`BAND`] above the first of them. `None` if there are none.
    fn new(octaves: &[(i32, &Octave)]) -> Option<Self> {
        let (&(lowest, _), &(highest, _)) = (octaves.first()?, octaves.last()?);
        let high = ((2 * CELLS as u64) << (highest - lowest)) - 1;
        let histogram = Histogram::new_with_bounds(1, high, SIGNIFICANT_FIGURES).ok()?;
        let mut band = Band { lowest, histogram, total: 0 };
        for &(number, octave) in octaves {
            for (cell, &count) in (CELLS as u64..).zip(&octave.counts) {
                // Within the bounds by construction, so that it is never refused.
                if count > 0 && band.histogram.record_n(cell << (number - lowest), count).is_ok() {
                    band.total += u128::from(count);
                }
            }
        }
        Some(band)
    }

    /// The magnitude that a recorded integer stands for: the lower edge of its cell.
    fn magnitude(&self, value: u64) -> f64 {
        let lower = self.histogram.lowest_equivalent(value);
        scale(lower, self.lowest - CELL_BITS as i32)
    }
}

/// The samples of one sign by their magnitude.
struct Magnitudes {
    bands: Vec<Band>,
    total: u128,
}

impl Magnitudes {
    fn new(side: &Side) -> Self {
        let octaves: Vec<_> = side.octaves().collect();
        let mut bands = Vec::new();
        let mut rest = octaves.as_slice();
        while let Some(&(lowest, _)) = rest.first() {
            let (covered, higher) =
                rest.split_at(rest.partition_point(|(number, _)| number - lowest < BAND));
            bands.extend(Band::new(covered));
            rest = higher;
        }
        let total = bands.iter().map(|band| band.total).sum();
        Magnitudes { bands, total }
    }

    /// The magnitude of a rank from 1, smallest first; 0 for a rank of 0 or beyond the last.
    fn at_rank(&self, rank: u128) -> f64 {
        if rank == 0 {
            return 0.0;
        }
        let mut through = 0;
        for band in &self.bands {
            if through + band.total < rank {
                through += band.total;
                continue;
            }
            for cell in band.histogram.iter_recorded() {
                through += u128::from(cell.count_at_value());
                if through >= rank {
                    return band.magnitude(cell.value_iterated_to());
                }
            }
        }
        0.0
    }
}

/// The ranked samples of a summary, to the precision of its cells.
pub(super) struct Sketch {
    negative: Magnitudes,
    zeros: u128,
    positive: Magnitudes,
    min: f64,
    max: f64,
}

impl Sketch {
    /// Reads all cells.
    pub(super) fn new(cells: &Cells) -> Self {
        Sketch {
            negative: Magnitudes::new(cells.negative()),
            zeros: cells.zeros.into(),
            positive: Magnitudes::new(cells.positive()),
            min: cells.min,
            max: cells.max,
        }
    }

    /// The number of samples, without saturation.
    pub(super) fn total(&self) -> u128 {
        self.negative.total + self.zeros + self.positive.total
    }

    /// The sample of a rank from 1: the edge of its cell nearest to zero, less than 1/1024 off. The
    /// first and the last are exact.
    pub(super) fn at_rank(&self, rank: u128) -> f64 {
        let negative = self.negative.total;
        let value = match rank {
            0 | 1 => return self.min,
            rank if rank >= self.total() => return self.max,
            // Among the negative samples the smallest has the largest magnitude.
            rank if rank <= negative => -self.negative.at_rank(negative + 1 - rank),
            rank => self.positive.at_rank(rank.saturating_sub(negative + self.zeros)),
        };
        value.max(self.min).min(self.max)
    }
}
