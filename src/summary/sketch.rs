//! The samples in order of size, to the precision of the cells.
//!
//! The totals of the octaves say in which of them the sample of a rank is, and the totals of its
//! runs of cells in which of those. That run's cells are fed into an `hdrhistogram`, and the sample
//! is read from it. Only that run's, because feeding a cell takes more than ten times as long as
//! adding it to a total, and because a cell then is recorded as its place in the run: an integer
//! that has a bucket of its own, while the octaves of an `f64` are more than the bits of a
//! histogram's integers.

use hdrhistogram::Histogram;

use super::cells::Cells;
use super::float::{self, CELLS};
use super::octave::{Octave, RUN};

/// Significant decimal figures, which tell the integers up to 200 apart, and so those up to [`RUN`].
const SIGNIFICANT_FIGURES: u8 = 2;

/// Samples that have an octave and a sign in common.
struct Group<'a> {
    /// Sign and number of the octave, and its cells. `None` for the zeros.
    octave: Option<(bool, i32, &'a Octave)>,
    /// The number of samples, without saturation.
    total: u128,
    /// The number of samples in the fullest cell.
    most: u64,
}

impl<'a> Group<'a> {
    fn new(negative: bool, number: i32, octave: &'a Octave) -> Self {
        let (total, most) = (octave.total(), octave.most());
        Group { octave: Some((negative, number, octave)), total, most }
    }

    fn zeros(zeros: u64) -> Self {
        Group { octave: None, total: zeros.into(), most: zeros }
    }

    /// The edge nearest to zero of the fullest cell; of several that with the smallest value.
    fn mode(&self) -> f64 {
        let Some((negative, number, octave)) = self.octave else { return 0.0 };
        let full = |&(_, count): &(usize, u64)| count == self.most;
        let mut counts = octave.counts();
        let cell = if negative { counts.rfind(full) } else { counts.find(full) };
        edge(negative, number, cell.map_or(0, |(cell, _)| cell))
    }

    /// The sample of a rank from 1, and the last rank that has the same answer.
    fn at_rank(&self, rank: u128) -> Option<(f64, u128)> {
        let Some((negative, number, octave)) = self.octave else { return Some((0.0, self.total)) };
        let mut runs = (0..CELLS).step_by(RUN);
        let mut through = 0;
        let mut next = || {
            // Among negative samples the smallest has the largest magnitude.
            let run = if negative { runs.next_back() } else { runs.next() }?;
            Some((run, octave.run(run)))
        };
        let first = loop {
            let (first, total) = next()?;
            if through + total >= rank {
                break first;
            }
            through += total;
        };
        let cell = |at: usize| if negative { first + RUN - 1 - at } else { first + at };
        let mut histogram = Histogram::new_with_bounds(1, RUN as u64, SIGNIFICANT_FIGURES).ok()?;
        for at in 0..RUN {
            let count = octave.count(cell(at));
            if count > 0 {
                histogram.record_n(at as u64, count).ok()?;
            }
        }
        let found = histogram.iter_recorded().find(|bucket| {
            through += u128::from(bucket.count_at_value());
            through >= rank
        });
        let cell = cell(found?.value_iterated_to() as usize);
        Some((edge(negative, number, cell), through))
    }
}

/// The edge of a cell that is nearest to zero.
fn edge(negative: bool, number: i32, cell: usize) -> f64 {
    let magnitude = float::lower_edge(number, cell);
    if negative { -magnitude } else { magnitude }
}

/// The ranked samples of a summary.
pub(super) struct Sketch<'a> {
    cells: &'a Cells,
    /// Smallest samples first.
    groups: Vec<Group<'a>>,
    /// The number of samples, without saturation.
    total: u128,
}

impl<'a> Sketch<'a> {
    /// Adds up the octaves.
    pub(super) fn new(cells: &'a Cells) -> Self {
        let group = |negative| move |(number, octave)| Group::new(negative, number, octave);
        let mut groups: Vec<_> = cells.negative().octaves().map(group(true)).collect();
        groups.reverse();
        groups.push(Group::zeros(cells.zeros));
        groups.extend(cells.positive().octaves().map(group(false)));
        let total = groups.iter().map(|group| group.total).sum();
        Sketch { cells, groups, total }
    }

    /// The number of samples, without saturation.
    pub(super) fn total(&self) -> u128 {
        self.total
    }

    /// The edge nearest to zero of the fullest cell; of equally full ones that with the smallest
    /// value.
    pub(super) fn mode(&self) -> f64 {
        // Of several that are equally full this is the last one, and so the first of the groups.
        let fullest = self.groups.iter().rev().max_by_key(|group| group.most);
        self.limit(fullest.map_or(0.0, Group::mode))
    }

    /// The sample of a rank from 1: the edge of its cell nearest to zero, less than 1/1024 off. The
    /// first and the last are exact. Also the last rank that has the same answer.
    pub(super) fn at_rank(&self, rank: u128) -> (f64, u128) {
        if rank <= 1 {
            return (self.cells.min, 1);
        }
        let mut before = 0;
        for group in &self.groups {
            let through = before + group.total;
            if rank <= through && rank < self.total {
                // Every cell is within the histogram's bounds, so there is an answer.
                let (value, last) = group.at_rank(rank - before).unwrap_or((0.0, 0));
                return (self.limit(value), (before + last).min(self.total - 1));
            }
            before = through;
        }
        (self.cells.max, self.total)
    }

    /// The standard deviation given the mean, see [`Cells::stddev`].
    pub(super) fn stddev(&self, mean: f64) -> f64 {
        self.cells.stddev(mean)
    }

    /// All samples in order, each less than 1/1024 off.
    pub(super) fn samples(&self) -> Vec<(f64, u64)> {
        self.cells.samples()
    }

    /// Limits what was read from a cell to the range of the samples.
    fn limit(&self, value: f64) -> f64 {
        value.max(self.cells.min).min(self.cells.max)
    }
}
