//! Samples in, figures out: the reducer behind every summary field.
//!
//! A [`Summary`] takes finite `f64` samples and answers with [`Figures`]: count, sum, minimum,
//! maximum, mean, median and mode, and on request the standard deviation and any quantile. It knows
//! no clock, no metric and no report.
//!
//! # Two states
//!
//! 1. **Exact**, while at most [`EXACT_DISTINCT`](exact::EXACT_DISTINCT) distinct values were seen,
//!    however many samples: a table of value and count. Every figure is the exact one, the standard
//!    deviation up to rounding.
//! 2. **Cells**, from the next distinct value on: 1,024 linear cells per power of two (an octave),
//!    which is the layout of an `hdrhistogram` at three significant figures, for either sign and
//!    for fractions and subnormals too. Count, sum, minimum, maximum and mean stay exact. The mode
//!    is the fullest cell; median and quantiles are read by rank from an
//!    [`hdrhistogram::Histogram`] into which a run of cells is fed. A sample read from a cell
//!    is its edge nearest to zero, less than 1/1024 (0.1 %) off; integers below 2,048 are exact.
//!    The standard deviation comes from the cells too, and is less than 0.1 % of the samples' root
//!    mean square off (not of itself: what varies by less than a cell does not vary).
//!
//! The state depends on the set of samples alone, not on their order and not on how they were
//! spread over summaries that were merged: merged parts give, bit for bit, the figures of the
//! whole. This is why sums are kept as integers and not as compensated floating point (see `sum`).
//!
//! Counts saturate at `u64::MAX`, sums and standard deviations at `f64::MAX`. No finite input leads
//! to a NaN, an infinity or a panic.
//!
//! # Memory
//!
//! | state | bytes on the heap |
//! | --- | --- |
//! | empty | 0 |
//! | exact | 16 per slot; 16 slots at first, at most 2,048 (32 KiB); at least half of them vacant |
//! | cells | 4,096 per octave and sign that holds a sample, and 64 per octave from the first to the last |
//!
//! Real measurements span few octaves: a latency from 1 µs to 1 minute touches 26 (106 KiB), a
//! log-normal with σ = 1 about 13 (53 KiB). The worst case, a sample of either sign in each of the
//! 2,098 octaves of an `f64`, is 17 MiB; no amount of samples exceeds it, but for 16 bytes for each
//! cell with more than 2^32 of them. While figures are made, a list of the distinct values takes
//! 16 KiB, or a histogram of one run 2 KiB.
//!
//! An [`Intake`], which is what samples are recorded to, has memory before its first sample: a table
//! for as many distinct values as the window before had, or a log of 8,192 samples (64 KiB) if they
//! were too many in one of the last eight windows.

mod buckets;
mod cells;
mod deviation;
mod exact;
mod figures;
mod float;
#[cfg(feature = "hdr")]
mod hdr;
mod intake;
mod octave;
mod ranked;
mod reducer;
mod sketch;
mod sum;
#[cfg(test)]
mod tests;

pub(crate) use buckets::Buckets;
pub(crate) use figures::Figures;
pub(crate) use intake::{Intake, Outlook};

pub(crate) use reducer::Summary;
