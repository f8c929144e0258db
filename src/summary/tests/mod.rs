//! Tests of the reducer: known answers, and random samples against a naive sort and count.

mod arithmetic;
mod bounds;
mod buckets;
mod deviation;
#[cfg(feature = "hdr")]
mod hdr;
mod intake;
mod octave;
mod oracle;
mod properties;
mod ranks;
mod vectors;

use crate::summary::Figures;

/// All figures but the quantiles, to be compared.
fn all(figures: &Figures<'_>) -> (u64, [f64; 6], Option<f64>) {
    let Figures { count, sum, min, max, mean, median, mode, .. } = *figures;
    (count, [sum, min, max, mean, median, figures.stddev()], mode)
}
