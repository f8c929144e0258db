//! Samples as pairs of value and count, and what a receiver makes of those of many summaries.

use proptest::prelude::*;

use super::oracle::Oracle;
use super::properties::{Random, SHAPES};
use crate::summary::{Buckets, Summary};

fn buckets(values: &[f64], most: usize) -> Buckets {
    let mut summary = Summary::default();
    summary.extend(values);
    summary.figures().buckets(most)
}

fn pairs(values: &[f64], most: usize) -> Vec<(f64, u64)> {
    buckets(values, most).pairs
}

/// What SQL does: all pairs in order, up to the rank.
fn at_rank(pairs: &mut [(f64, u64)], rank: u64) -> f64 {
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut through = 0;
    let found = pairs.iter().find(|(_, count)| {
        through += count;
        through >= rank
    });
    found.expect("a sample of this rank").0
}

#[test]
fn few_values_are_exact() {
    assert_eq!(buckets(&[], 16), Buckets { pairs: vec![], error: 0.0 });
    let values = [2.5, -1.0, 2.5, 0.0, -0.0, 1e300, 2.5];
    let expected = vec![(-1.0, 1), (0.0, 2), (2.5, 3), (1e300, 1)];
    assert_eq!(buckets(&values, 4), Buckets { pairs: expected, error: 0.0 });
}

#[test]
fn neighbours_become_one_where_there_are_too_many() {
    let values: Vec<f64> = (1..=64).map(f64::from).collect();
    // Eight cells in each octave: from 16 on two values are in one, and from 32 on four.
    let some = pairs(&values, 40);
    assert_eq!(some.iter().map(|(_, count)| count).sum::<u64>(), 64);
    assert_eq!(some[13..18], [(14.0, 1), (15.0, 1), (17.0, 2), (19.0, 2), (21.0, 2)]);
    assert_eq!(
        (some[23], some[24], buckets(&values, 40).error),
        ((34.0, 4), (38.0, 4), 1.0 / 16.0)
    );
    // One for each octave.
    let few = [(1.0, 1), (3.0, 2), (6.0, 4), (12.0, 8), (24.0, 16), (48.0, 32), (64.0, 1)];
    assert_eq!(buckets(&values, 7), Buckets { pairs: few.into(), error: 0.5 });
    // As few as there can be.
    let powers = (0..52).map(|bit| 1 << bit).chain((1..2047).map(|field| field << 52));
    let all: Vec<f64> = powers.map(f64::from_bits).collect();
    let all = [all.iter().map(|value| -value).collect(), vec![0.0], all].concat();
    let least = buckets(&all, 5);
    assert_eq!(
        (least.pairs.iter().map(|pair| pair.1).collect(), least.error),
        (vec![1024, 1074, 1, 1074, 1024], 1.0)
    );
}

proptest! {
    #[test]
    fn those_of_parts_answer_for_the_whole(
        shape in 0..SHAPES.len(), seed: u64, n in 1..4000usize, parts in 1..6usize,
        most in 5..300usize, thousandths in 0..=1000usize,
    ) {
        let mut random = Random(seed);
        let values = SHAPES[shape].samples(n, &mut random);
        let oracle = Oracle::new(&values);
        let (mut all, mut error) = (Vec::new(), 0f64);
        for part in values.chunks(n.div_ceil(parts)) {
            let part_of = buckets(part, most);
            prop_assert!(part_of.pairs.len() <= most);
            prop_assert!(part_of.pairs.is_sorted_by(|a, b| a.0 <= b.0), "{:?}", part_of.pairs);
            prop_assert_eq!(part_of.pairs.iter().map(|pair| pair.1).sum::<u64>(), part.len() as u64);
            prop_assert_eq!(part_of.error == 0.0, Oracle::new(part).distinct() <= most);
            prop_assert!(part_of.error <= 1.0);
            error = error.max(part_of.error);
            all.extend(part_of.pairs);
        }
        let (rank, exact) = oracle.quantile(thousandths);
        let found = at_rank(&mut all, rank as u64);
        // Below the smallest normal number a cell has no edge of its own.
        let bound = error * exact.abs() * (1.0 + 1e-9) + f64::MIN_POSITIVE;
        prop_assert!((found - exact).abs() <= bound, "{} is not {}, to {}", found, exact, error);
    }

    #[test]
    fn the_order_of_the_samples_changes_nothing(seed: u64, n in 1..3000usize, most in 5..300usize) {
        let mut random = Random(seed);
        let mut values = SHAPES[seed as usize % SHAPES.len()].samples(n, &mut random);
        let before = buckets(&values, most);
        values.reverse();
        prop_assert_eq!(buckets(&values, most), before);
    }
}
