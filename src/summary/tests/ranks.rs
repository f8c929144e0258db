//! Ranks: the sample of each, and how far the answer reaches.

use crate::summary::Summary;
use crate::summary::cells::Cells;
use crate::summary::ranked;
use crate::summary::sketch::Sketch;

/// Asks for every rank: `at_rank` answers with the samples in order, and with the last rank that has
/// the same answer.
#[track_caller]
fn check(sorted: &[f64], mut at_rank: impl FnMut(u128) -> (f64, u128)) {
    for (index, value) in sorted.iter().enumerate() {
        let last = sorted.iter().rposition(|other| other == value).map_or(0, |last| last + 1);
        assert_eq!(at_rank(index as u128 + 1), (*value, last as u128), "rank {}", index + 1);
    }
}

#[test]
fn of_values_and_counts() {
    let mut pairs = [(2.0, 3), (-1.0, 2), (0.0, 1), (7.5, 1), (-4.0, 4)];
    let sorted = [-4.0, -4.0, -4.0, -4.0, -1.0, -1.0, 0.0, 2.0, 2.0, 2.0, 7.5];
    check(&sorted, |rank| ranked::at_rank(&mut pairs, rank));
    assert_eq!(ranked::at_rank(&mut pairs, 12), (7.5, 11));
    assert_eq!(ranked::at_rank(&mut [], 1), (0.0, 0));
}

#[test]
fn of_cells() {
    // All in cells of their own or equal, but for the extremes, which are known exactly.
    let sorted = [-1000.25, -1000.0, -1000.0, -3.0, -2.0, 0.0, 0.0, 1.0, 1.5, 1.5, 64.0, 64.01];
    let mut cells = Cells::new();
    cells.extend(&sorted);
    let sketch = Sketch::new(&cells);
    assert_eq!(sketch.total(), 12);
    check(&sorted, |rank| sketch.at_rank(rank));
}

/// More samples in one octave than a `u64` counts.
#[test]
fn of_an_octave_that_is_full() {
    let mut summary = Summary::default();
    summary.extend(&(0..2000).map(|n| f64::from(n) + 5000.0).collect::<Vec<_>>());
    for value in [1.0, 1.25, 1.5, 1.75, 1.875] {
        summary.record_n(value, u64::MAX);
    }
    assert!(!summary.is_exact());
    assert_eq!(summary.figures().median, 1.5);
}
