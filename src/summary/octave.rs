//! All samples of one octave and sign, counted by cell.

use super::float::CELLS;

/// Cells of a run.
pub(super) const RUN: usize = 64;

/// The samples of one octave and sign. What figures are made of is kept beside the cells, so that
/// a report reads the cells of few octaves only.
#[derive(Clone, Debug)]
pub(super) struct Octave {
    /// The sum of the 53-bit significands. Samples counted one by one cannot fill it, and what is
    /// added in bulk stops at half.
    significands: u128,
    /// The sum of `counts`, as long as there is nothing in `large`.
    total: u64,
    /// No less than each of `counts`; the largest of them as long as there is nothing in `large`.
    most: u32,
    /// Samples by cell, as many as fit.
    counts: Box<[u32; CELLS]>,
    /// Cells with more samples than fit, and those that are not in `counts`.
    large: Vec<(usize, u64)>,
}

impl Octave {
    /// The most that bulk additions bring a sum of significands to: reached after 2^74 samples.
    const MOST: u128 = u128::MAX / 2;

    /// No samples.
    pub(super) fn new() -> Self {
        let counts = Box::new([0; CELLS]);
        Octave { significands: 0, total: 0, most: 0, counts, large: Vec::new() }
    }

    /// Adds one sample.
    #[inline(always)]
    pub(super) fn push(&mut self, cell: usize, significand: u64) {
        let Some(count) = self.counts[cell].checked_add(1) else {
            return self.add(cell, significand, 1);
        };
        self.counts[cell] = count;
        if count > self.most {
            self.most = count;
        }
        self.total += 1;
        self.significands = self.significands.wrapping_add(u128::from(significand));
    }

    /// Adds `n` samples of one value.
    #[cold]
    pub(super) fn add(&mut self, cell: usize, significand: u64, n: u64) {
        self.add_significands(u128::from(significand) * u128::from(n));
        self.add_count(cell, n);
    }

    /// Adds what another octave of the same number has counted.
    pub(super) fn merge(&mut self, other: &Octave) {
        self.add_significands(other.significands);
        if other.large.is_empty() && self.most.checked_add(other.most).is_some() {
            for (count, n) in self.counts.iter_mut().zip(other.counts.iter()) {
                *count += n;
                self.most = self.most.max(*count);
            }
            self.total += other.total;
        } else {
            other.counts().for_each(|(cell, n)| self.add_count(cell, n));
        }
    }

    fn add_significands(&mut self, significands: u128) {
        self.significands = self.significands.saturating_add(significands).min(Self::MOST);
    }

    fn add_count(&mut self, cell: usize, n: u64) {
        let count = &mut self.counts[cell];
        let sum = n.saturating_add(u64::from(*count));
        if let Ok(sum) = u32::try_from(sum) {
            *count = sum;
            self.total += n;
            self.most = self.most.max(sum);
            return;
        }
        *count = 0;
        match self.large.iter_mut().find(|(other, _)| *other == cell) {
            Some((_, count)) => *count = count.saturating_add(sum),
            None => self.large.push((cell, sum)),
        }
    }

    /// The sum of the significands.
    pub(super) fn significands(&self) -> u128 {
        self.significands
    }

    /// The number of samples in a cell; saturates.
    pub(super) fn count(&self, cell: usize) -> u64 {
        let large = self.large.iter().find(|(other, _)| *other == cell);
        large.map_or(0, |(_, n)| *n).saturating_add(self.counts[cell].into())
    }

    /// The cells that hold samples, and how many, from the lowest on.
    pub(super) fn counts(&self) -> impl DoubleEndedIterator<Item = (usize, u64)> + '_ {
        (0..CELLS).map(|cell| (cell, self.count(cell))).filter(|(_, count)| *count > 0)
    }

    /// The number of cells that hold samples.
    pub(super) fn occupied(&self) -> usize {
        let occupied: u32 = self.counts.iter().map(|count| u32::from(*count > 0)).sum();
        occupied as usize + self.large.iter().filter(|(cell, _)| self.counts[*cell] == 0).count()
    }

    /// The number of samples, without saturation.
    pub(super) fn total(&self) -> u128 {
        match self.large.is_empty() {
            true => self.total.into(),
            false => self.counts().map(|(_, count)| u128::from(count)).sum(),
        }
    }

    /// The number of samples in the run of cells that begins with `first`, without saturation.
    pub(super) fn run(&self, first: usize) -> u128 {
        let run = first..first + RUN;
        match self.large.is_empty() {
            true => self.counts[run].iter().map(|count| u64::from(*count)).sum::<u64>().into(),
            false => run.map(|cell| u128::from(self.count(cell))).sum(),
        }
    }

    /// The number of samples in the fullest cell.
    pub(super) fn most(&self) -> u64 {
        match self.large.is_empty() {
            true => self.most.into(),
            false => self.counts().map(|(_, count)| count).max().unwrap_or(0),
        }
    }
}
