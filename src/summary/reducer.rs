//! The summary itself: which state it is in, and the change from one to the other.

use super::cells::Cells;
use super::exact::{EXACT_DISTINCT, Table};
use super::figures::Figures;
use super::ranked::{self, Ranked};
use super::sketch::Sketch;

/// A set of samples, reduced to what its figures need. Empty by default, and then without memory of
/// its own. See the [module](super) for precision and bounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    /// Samples recorded; saturates.
    count: u64,
    /// The samples as long as there are few distinct values; empty once there are cells.
    table: Table,
    /// The samples from the moment there are many distinct values.
    cells: Option<Box<Cells>>,
}

impl Summary {
    /// An empty summary with memory for so many distinct values.
    pub(super) fn with_room(distinct: usize) -> Summary {
        Summary { table: Table::with_room(distinct), ..Summary::default() }
    }

    /// Adds one finite sample; a NaN or an infinity is for the caller to refuse.
    pub(crate) fn record(&mut self, value: f64) {
        self.record_n(value, 1);
    }

    /// Adds `n` samples of one finite value, in constant time.
    pub(crate) fn record_n(&mut self, value: f64, n: u64) {
        debug_assert!(value.is_finite());
        if n == 0 {
            return;
        }
        self.count = self.count.saturating_add(n);
        if self.cells.is_some() || !self.table.add(value, n) {
            self.cells().add(value, n);
        }
    }

    /// Adds a batch of finite samples.
    pub(crate) fn extend(&mut self, values: &[f64]) {
        debug_assert!(values.iter().all(|value| value.is_finite()));
        self.count = self.count.saturating_add(values.len() as u64);
        if let Some(cells) = &mut self.cells {
            return cells.extend(values);
        }
        let added = self.table.extend(values);
        if let Some(rest @ [_, ..]) = values.get(added..) {
            self.cells().extend(rest);
        }
    }

    /// Adds a batch of finite samples, quickly if they are many distinct values and the first.
    pub(super) fn extend_many(&mut self, values: &[f64]) {
        if self.count == 0 && values.len() > EXACT_DISTINCT {
            let mut cells = Box::new(Cells::new());
            cells.extend(values);
            if cells.occupied() > EXACT_DISTINCT {
                self.count = values.len() as u64;
                self.cells = Some(cells);
                return;
            }
        }
        self.extend(values);
    }

    /// Adds all samples of another summary. The figures are those of a summary that took the
    /// samples of both.
    pub(crate) fn merge(&mut self, other: &Summary) {
        if let Some(cells) = &other.cells {
            self.cells().merge(cells);
            self.count = self.count.saturating_add(other.count);
        } else {
            for (value, n) in other.table.pairs() {
                self.record_n(value, n);
            }
        }
    }

    /// Adds all samples of another summary, like [`merge`](Summary::merge), and keeps the memory of
    /// the larger one of the two: the smaller one's samples are counted anew.
    pub(crate) fn absorb(&mut self, mut other: Summary) {
        let size = |summary: &Summary| (summary.cells.is_some(), summary.table.distinct());
        if size(self) < size(&other) {
            std::mem::swap(self, &mut other);
        }
        self.merge(&other);
    }

    /// The figures of the samples so far.
    pub(crate) fn figures(&self) -> Figures<'_> {
        let Some(cells) = &self.cells else {
            return self.table.figures(self.count);
        };
        let (sum, mean) = cells.sum_and_mean(self.count);
        let sketch = Sketch::new(cells);
        Figures {
            count: self.count,
            sum,
            min: cells.min,
            max: cells.max,
            mean,
            median: ranked::median(sketch.total(), |rank| sketch.at_rank(rank)),
            mode: Some(sketch.mode()),
            ranked: Ranked::Cells(sketch),
        }
    }

    /// Whether all figures are exact: no more than
    /// [`EXACT_DISTINCT`] distinct values were seen.
    pub(crate) fn is_exact(&self) -> bool {
        self.cells.is_none()
    }

    /// The number of distinct values; 0 when they are no longer known.
    pub(super) fn distinct(&self) -> usize {
        self.table.distinct()
    }

    /// Samples so far; saturates.
    #[cfg(test)]
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The cells, into which the distinct values are moved first if they were still kept apart.
    fn cells(&mut self) -> &mut Cells {
        let table = &mut self.table;
        self.cells.get_or_insert_with(|| {
            let mut cells = Box::new(Cells::new());
            for (value, n) in std::mem::take(table).pairs() {
                cells.add(value, n);
            }
            cells
        })
    }
}
