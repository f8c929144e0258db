//! The samples as few pairs of value and count, which can be added up with those of other summaries.
//!
//! The numbers are divided into cells by powers of two: at level 0 the 1,024 cells of each octave,
//! and at each further level two neighbours of the level before become one. The cells are the same
//! for all summaries, and so are the values that stand for them: those of thousands of summaries add
//! up to few.

use super::float::{self, CELL_BITS, CELLS};

/// The samples, coarsely.
#[derive(Debug, PartialEq)]
pub(crate) struct Buckets {
    /// Value and number of samples, from the smallest value on.
    pub(crate) pairs: Vec<(f64, u64)>,
    /// How far a sample may be from the value that stands for it, relative to the sample. 0 where
    /// all are exact.
    pub(crate) error: f64,
}

/// How far a sample may be from the edge of its cell that is nearest to zero.
const FINEST: f64 = 1.0 / CELLS as f64;

/// The level at which all that have the same sign are in two cells.
const LAST_LEVEL: u32 = CELL_BITS + 11;

impl Buckets {
    /// At most `most` pairs, but at least five, for these samples in order. They are exact, or each is
    /// the edge of its cell.
    pub(super) fn new(samples: &[(f64, u64)], is_exact: bool, most: usize) -> Buckets {
        if samples.len() <= most {
            let error = if is_exact { 0.0 } else { FINEST };
            return Buckets { pairs: samples.to_vec(), error };
        }
        let same = |level| {
            move |a: &(f64, u64), b: &(f64, u64)| Cell::of(a.0, level) == Cell::of(b.0, level)
        };
        let level = (0..LAST_LEVEL).find(|level| samples.chunk_by(same(*level)).count() <= most);
        let level = level.unwrap_or(LAST_LEVEL);
        let limit = |value: f64| match samples {
            [(min, _), .., (max, _)] => value.max(*min).min(*max),
            _ => value,
        };
        let pairs = samples.chunk_by(same(level)).filter_map(|run| {
            let ((first, _), (last, _)) = (run.first()?, run.last()?);
            // What is in one of the smallest cells may be a whole number, which stays one.
            let is_fine = Cell::of(*first, 0) == Cell::of(*last, 0);
            let value = Cell::of(*first, if is_fine { 0 } else { level }).value();
            Some((limit(value), run.iter().fold(0u64, |sum, (_, n)| sum.saturating_add(*n))))
        });
        let error = if level > CELL_BITS { 1.0 } else { FINEST * f64::from(1u32 << level) / 2.0 };
        Buckets { pairs: pairs.collect(), error: error.max(FINEST) }
    }
}

/// Where a sample is.
#[derive(PartialEq)]
struct Cell {
    /// Zero has a cell of its own.
    sign: i8,
    /// The number of the cell among those of its level, from the smallest magnitude on.
    number: i32,
    level: u32,
}

impl Cell {
    fn of(value: f64, level: u32) -> Cell {
        let Some((octave, significand)) = float::split(value) else {
            return Cell { sign: 0, number: 0, level };
        };
        let number = (octave << CELL_BITS) + float::cell(significand) as i32;
        Cell { sign: if value < 0.0 { -1 } else { 1 }, number: number >> level, level }
    }

    /// The value that stands for all in it: its middle, if it has one that is an edge of smaller
    /// cells and is no larger than an octave; else its edge nearest to zero.
    fn value(&self) -> f64 {
        let has_middle = (1..=CELL_BITS).contains(&self.level);
        let half = if has_middle { 1 << (self.level - 1) } else { 0 };
        let number = (self.number << self.level) + half;
        let cell = number.rem_euclid(CELLS as i32) as usize;
        f64::from(self.sign) * float::lower_edge(number >> CELL_BITS, cell)
    }
}
