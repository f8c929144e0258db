//! Cells with more samples than 32 bits count.

use crate::summary::float::CELLS;
use crate::summary::octave::{Octave, RUN};

/// What an octave says must follow from these counts, all of samples with a significand of 3.
#[track_caller]
fn check(octave: &Octave, expected: &[(usize, u64)]) {
    let total = |counts: &mut dyn Iterator<Item = &(usize, u64)>| {
        counts.map(|(_, count)| u128::from(*count)).sum::<u128>()
    };
    assert_eq!(octave.counts().collect::<Vec<_>>(), expected);
    assert_eq!(octave.total(), total(&mut expected.iter()));
    assert_eq!(octave.most(), expected.iter().map(|(_, count)| *count).max().unwrap_or(0));
    for first in (0..CELLS).step_by(RUN) {
        let run = expected.iter().filter(|(cell, _)| (first..first + RUN).contains(cell));
        assert_eq!(octave.run(first), total(&mut run.into_iter()), "run {first}");
    }
    assert_eq!(octave.significands(), 3 * total(&mut expected.iter()));
}

#[test]
fn counts_go_on_past_32_bits() {
    const FULL: u64 = u32::MAX as u64;
    let mut octave = Octave::new();
    check(&octave, &[]);
    octave.add(5, 3, FULL - 1);
    octave.push(5, 3);
    check(&octave, &[(5, FULL)]);
    octave.push(5, 3);
    check(&octave, &[(5, FULL + 1)]);
    (0..3).for_each(|_| octave.push(5, 3));
    octave.push(70, 3);
    check(&octave, &[(5, FULL + 4), (70, 1)]);
    octave.add(70, 3, 1 << 40);
    octave.add(1023, 3, FULL);
    let counts = [(5, FULL + 4), (70, (1 << 40) + 1), (1023, FULL)];
    check(&octave, &counts);

    let mut small = Octave::new();
    small.push(5, 3);
    small.push(6, 3);
    let both = [(5, FULL + 5), (6, 1), (70, (1 << 40) + 1), (1023, FULL)];
    for (mut into, from) in [(octave.clone(), &small), (small.clone(), &octave)] {
        into.merge(from);
        check(&into, &both);
    }
    let mut again = octave.clone();
    again.merge(&octave);
    check(&again, &counts.map(|(cell, count)| (cell, 2 * count)));
}
