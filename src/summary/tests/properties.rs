//! Random samples of many shapes, recorded in many ways, against the oracle.

use proptest::prelude::*;

use super::all;
use super::oracle::{Oracle, cell_edge, ulps};
use crate::summary::exact::EXACT_DISTINCT;
use crate::summary::{Figures, Summary};

/// A generator of its own, so that a case is four small numbers however many samples it has.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Uniform in the open interval from 0 to 1.
    pub(super) fn unit(&mut self) -> f64 {
        ((self.next() >> 12) as f64 + 0.5) / 2f64.powi(52)
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    fn sign(&mut self) -> f64 {
        if self.next() % 2 == 0 { 1.0 } else { -1.0 }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Constant,
    Few,
    UniformIntegers,
    UniformFractions,
    LogNormal,
    Zipf,
    Negative,
    Normal,
    TinyFractions,
    Mixed,
    Extreme,
    AnyBits,
}

pub(super) const SHAPES: [Shape; 12] = [
    Shape::Constant,
    Shape::Few,
    Shape::UniformIntegers,
    Shape::UniformFractions,
    Shape::LogNormal,
    Shape::Zipf,
    Shape::Negative,
    Shape::Normal,
    Shape::TinyFractions,
    Shape::Mixed,
    Shape::Extreme,
    Shape::AnyBits,
];

impl Shape {
    pub(super) fn samples(self, n: usize, random: &mut Random) -> Vec<f64> {
        let constant = random.normal() * 1e6;
        let few: Vec<f64> = (0..20).map(|_| random.normal() * 1e3).collect();
        let sample = |_| match self {
            Shape::Constant => constant,
            Shape::Few => few[random.below(few.len())],
            Shape::UniformIntegers => random.below(1_000_000) as f64,
            Shape::UniformFractions => random.unit() * 7.0,
            Shape::LogNormal => (random.normal() * 2.0).exp(),
            Shape::Zipf => (1.0 / random.unit()).floor() * 12_345.0,
            Shape::Negative => -(random.normal() * 3.0).exp(),
            Shape::Normal => random.normal(),
            Shape::TinyFractions => random.unit() * 1e-12,
            Shape::Mixed => 10f64.powf(random.unit() * 24.0 - 9.0) * random.sign(),
            Shape::Extreme => match random.below(4) {
                0 => f64::from_bits(random.next() >> 12 >> random.below(52)) * random.sign(),
                1 => random.unit() * 1e300 * random.sign(),
                2 => 0.0 * random.sign(),
                _ => random.unit(),
            },
            // Sums of these stay below the largest f64, for the sake of the oracle.
            Shape::AnyBits => loop {
                let value = f64::from_bits(random.next());
                if value.abs() < 1e300 {
                    break value;
                }
            },
        };
        (0..n).map(sample).collect()
    }
}

/// Brings the samples into an order that is hard on one state or the other.
fn reorder(values: &mut Vec<f64>, order: usize) {
    match order {
        0 => values.sort_by(f64::total_cmp),
        1 => values.sort_by(|a, b| b.total_cmp(a)),
        2 => {
            // Each distinct value once, and then the repetitions.
            values.sort_by(f64::total_cmp);
            let mut seen = None;
            let (first, again): (Vec<f64>, Vec<f64>) =
                values.iter().partition(|&&value| seen.replace(value) != Some(value));
            *values = [first, again].concat();
        }
        _ => {}
    }
}

/// Records the samples in random portions by all three ways there are.
fn record(summary: &mut Summary, values: &[f64], random: &mut Random) {
    let mut rest = values;
    while !rest.is_empty() {
        let (portion, others) = rest.split_at((1 + random.below(300)).min(rest.len()));
        match random.below(3) {
            0 => summary.extend(portion),
            1 => portion.iter().for_each(|&value| summary.record(value)),
            _ => {
                for run in portion.chunk_by(|a, b| a == b) {
                    summary.record_n(run[0], run.len() as u64);
                }
            }
        }
        rest = others;
    }
}

fn check(summary: &Summary, values: &[f64]) -> Result<(), TestCaseError> {
    let oracle = Oracle::new(values);
    let figures = summary.figures();
    let Figures { count, sum, min, max, mean, median, mode, .. } = figures;
    let stddev = figures.stddev();
    let n = values.len();
    let exact = oracle.distinct() <= EXACT_DISTINCT;
    prop_assert_eq!(summary.is_exact(), exact);
    prop_assert_eq!((count, summary.count()), (n as u64, n as u64));
    prop_assert_eq!((min, max), (oracle.min(), oracle.max()));
    prop_assert!(ulps(sum, oracle.sum()) <= 1, "sum {} {}", sum, oracle.sum());
    let expected = oracle.sum() / n as f64;
    prop_assert!(ulps(mean, expected) <= 2, "mean {} {}", mean, expected);
    prop_assert!((min..=max).contains(&mean));

    // What a sample of this rank reads as.
    let seen = |rank: usize, value: f64| match rank {
        _ if exact => value,
        rank if rank == 1 || rank == n => value,
        _ => cell_edge(value).clamp(min, max),
    };
    for thousandths in [0, 1, 10, 70, 250, 290, 500, 570, 900, 990, 999, 1000] {
        let (rank, expected) = oracle.quantile(thousandths);
        let answer = figures.quantile(thousandths as f64 / 1000.0);
        prop_assert_eq!(answer, seen(rank, expected), "q {}", thousandths);
        let off = (answer - expected).abs();
        prop_assert!(off <= expected.abs() / 1000.0, "q {}", thousandths);
    }
    let (a, b) = oracle.middle();
    let expected = (seen(n.div_ceil(2), a) + seen(n / 2 + 1, b)) / 2.0;
    prop_assert_eq!(median, expected);
    let off = (median - (a + b) / 2.0).abs();
    prop_assert!(off <= a.abs().max(b.abs()) / 1000.0);

    let expected =
        if exact { oracle.mode(|value| value) } else { oracle.mode(cell_edge).clamp(min, max) };
    prop_assert_eq!(mode, Some(expected));

    // All shapes vary by more than a third of their root mean square, if they vary at all.
    let (expected, allowed) = match exact {
        true => (oracle.stddev(), 1e-12),
        false => (oracle.stddev_and_rms().0, 0.003),
    };
    let off = (stddev - expected).abs();
    let smallest = f64::from_bits(1); // as much as the rounding of a subnormal may do
    prop_assert!(off <= (expected * allowed).max(smallest), "stddev {} {}", stddev, expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn figures_are_those_of_the_oracle(
        shape in prop::sample::select(&SHAPES[..]),
        n in prop_oneof![1usize..40, 900usize..1200, 1usize..6000],
        order in 0usize..4,
        seed: u64,
    ) {
        let random = &mut Random(seed);
        let mut values = shape.samples(n, random);
        reorder(&mut values, order);
        let mut summary = Summary::default();
        record(&mut summary, &values, random);
        check(&summary, &values)?;
    }

    /// Whatever was recorded where, and in whatever order it is brought together: bit for bit the
    /// figures of one summary that saw everything.
    #[test]
    fn merged_parts_equal_the_whole(
        shape in prop::sample::select(&SHAPES[..]),
        n in prop_oneof![1usize..40, 1usize..6000],
        parts in 1usize..8,
        seed: u64,
    ) {
        let random = &mut Random(seed);
        let values = shape.samples(n, random);
        let mut whole = Summary::default();
        whole.extend(&values);
        let mut portions = vec![Vec::new(); parts];
        // Skewed, so that some parts are exact while others are not.
        for &value in &values {
            let limit = 1 + random.below(parts);
            portions[random.below(limit)].push(value);
        }
        let mut summaries: Vec<Summary> = Vec::new();
        for portion in &portions {
            summaries.push(Summary::default());
            record(summaries.last_mut().expect("just pushed"), portion, random);
        }
        while summaries.len() > 1 {
            let from = summaries.swap_remove(random.below(summaries.len()));
            let into = random.below(summaries.len());
            match random.below(2) {
                0 => summaries[into].merge(&from),
                _ => summaries[into].absorb(from),
            }
        }
        let merged = &summaries[0];
        prop_assert_eq!(merged.is_exact(), whole.is_exact());
        let (figures, expected) = (merged.figures(), whole.figures());
        prop_assert_eq!(all(&figures), all(&expected));
        for q in [0.0, 0.01, 0.25, 0.5, 0.9, 0.999, 1.0] {
            prop_assert_eq!(figures.quantile(q), expected.quantile(q));
        }
        check(merged, &values)?;
    }

    /// One distinct value more or less decides whether the answers are exact.
    #[test]
    fn the_limit_of_the_exact_state(
        scale in -300..300i32,
        surplus in 0usize..3,
        repeats in 1usize..4,
        seed: u64,
    ) {
        let random = &mut Random(seed);
        let scale = 10f64.powi(scale);
        let distinct = EXACT_DISTINCT - 1 + surplus;
        let mut values: Vec<f64> = (0..distinct).map(|i| (i as f64 - 300.0) * scale).collect();
        values = values.repeat(repeats);
        for i in (1..values.len()).rev() {
            values.swap(i, random.below(i + 1));
        }
        let mut summary = Summary::default();
        record(&mut summary, &values, random);
        prop_assert_eq!(summary.is_exact(), surplus < 2);
        check(&summary, &values)?;
    }

    /// Where one value stands out, the fullest cell is its cell.
    #[test]
    fn the_mode_of_skewed_samples_is_near_the_exact_one(n in 3000usize..20_000, seed: u64) {
        let random = &mut Random(seed);
        // The fraction makes each value of a kind of its own, and no multiple of a cell's width.
        let values: Vec<f64> =
            (0..n).map(|_| random.unit().powi(-1).floor() * 1234.567).collect();
        let mut summary = Summary::default();
        summary.extend(&values);
        for i in 0..2000 {
            summary.record(1e9 + f64::from(i) * 1e7);
        }
        prop_assert!(!summary.is_exact());
        let exact = Oracle::new(&values).mode(|value| value);
        let mode = summary.figures().mode.expect("a mode");
        prop_assert!((mode - exact).abs() <= exact.abs() / 1000.0, "{} {}", mode, exact);
    }
}
