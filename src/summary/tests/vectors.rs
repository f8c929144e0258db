//! Known answers.

use super::all;
use crate::summary::exact::EXACT_DISTINCT;
use crate::summary::{Figures, Summary};

fn summary(values: &[f64]) -> Summary {
    let mut summary = Summary::default();
    summary.extend(values);
    summary
}

/// Of a summary that is leaked, for figures borrow from theirs.
fn figures(values: &[f64]) -> Figures<'static> {
    Box::leak(Box::new(summary(values))).figures()
}

/// min, max, mean, median, mode
#[track_caller]
fn check(values: &[f64], expected: [f64; 5]) {
    let figures = figures(values);
    let mode = figures.mode.expect("a mode");
    assert_eq!([figures.min, figures.max, figures.mean, figures.median, mode], expected);
    assert_eq!(figures.count, values.len() as u64);
}

/// More distinct values than the exact state holds, all between 1 and 2, and their negatives.
fn crowd() -> Vec<f64> {
    let positive = (0..EXACT_DISTINCT).map(|i| 1.0 + i as f64 / EXACT_DISTINCT as f64);
    positive.flat_map(|value| [value, -value]).collect()
}

#[test]
fn empty() {
    let summary = Summary::default();
    for figures in [summary.figures(), figures(&[])] {
        assert_eq!(all(&figures), (0, [0.0; 6], None));
        assert_eq!([0.0, 0.5, 1.0].map(|q| figures.quantile(q)), [0.0; 3]);
    }
    assert!(summary.is_exact());
    assert_eq!(summary.count(), 0);
}

#[test]
fn small_sets() {
    check(&[42.0], [42.0; 5]);
    check(&[1.0, 2.0, 3.0, 4.0], [1.0, 4.0, 2.5, 2.5, 1.0]);
    check(&[40.0, 50.0, 10.0, 20.0, 30.0], [10.0, 50.0, 30.0, 30.0, 10.0]);
    check(&[1.0, 1.0, 2.0, 2.0, 3.0], [1.0, 3.0, 1.8, 2.0, 1.0]);
    check(&[2.0, 1.0, 2.0, 1.0], [1.0, 2.0, 1.5, 1.5, 1.0]);
    check(&[-50.0, -20.0, 0.0, 20.0, 50.0], [-50.0, 50.0, 0.0, 0.0, -50.0]);
    check(&[10.0, 20.0, 20.0, 30.0], [10.0, 30.0, 20.0, 20.0, 20.0]);
    let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
    check(&hundred, [1.0, 100.0, 50.5, 50.5, 1.0]);
}

#[test]
fn a_million_of_one_value() {
    let mut summary = Summary::default();
    summary.record_n(64262224.0, 999_999);
    summary.record(64262224.0);
    let figures = summary.figures();
    assert_eq!(figures.count, 1_000_000);
    assert_eq!(figures.sum, 64_262_224_000_000.0);
    assert_eq!([figures.min, figures.max, figures.mean, figures.median], [64262224.0; 4]);
    assert_eq!(figures.mode, Some(64262224.0));
}

#[test]
fn none_of_a_value_is_nothing() {
    let mut summary = Summary::default();
    summary.record_n(5.0, 0);
    assert_eq!(summary.figures().mode, None);
}

#[test]
fn the_zeros_are_one_value() {
    let figures = figures(&[-0.0, 0.0, -1.0, -1.0, -0.0]);
    assert_eq!(figures.mode, Some(0.0));
    let sign = self::figures(&[-0.0]);
    assert!(
        [sign.min, sign.max, sign.median, sign.mean, sign.sum].iter().all(|v| v.is_sign_positive())
    );
    let mut many = crowd();
    many.extend([-0.0, 0.0, 0.0]);
    let figures = self::figures(&many);
    assert_eq!((figures.mode, figures.median), (Some(0.0), 0.0));
    assert!(figures.median.is_sign_positive());
}

#[test]
fn nearest_rank_quantiles() {
    let figures = figures(&(1..=100).map(f64::from).collect::<Vec<_>>());
    for percent in 1..=100 {
        let q = f64::from(percent) / 100.0;
        assert_eq!(figures.quantile(q), f64::from(percent), "{q}");
    }
    assert_eq!(figures.quantile(0.0), 1.0);
    assert_eq!(figures.quantile(-1.0), 1.0);
    assert_eq!(figures.quantile(2.0), 100.0);
    assert_eq!(figures.quantile(0.501), 51.0);
    assert_eq!(figures.quantile(f64::NAN), 1.0);
    let crowd = self::figures(&crowd());
    assert_eq!(crowd.quantile(f64::NAN), crowd.min);
}

#[test]
fn cancellation_leaves_the_small_term() {
    let terms = [1e100, 1.0, -1e100].repeat(1000);
    let mut many = crowd();
    for values in [terms.clone(), {
        many.extend(terms);
        many
    }] {
        let figures = figures(&values);
        assert_eq!(figures.sum, 1000.0);
        assert_eq!(figures.mean, 1000.0 / values.len() as f64);
    }
    // In one sum: 2^1023, the smallest subnormal, and their negatives but for one of the latter.
    let tiny = f64::from_bits(1);
    assert_eq!(figures(&[f64::MAX, tiny, -f64::MAX]).sum, tiny);
}

#[test]
fn huge_values_neither_overflow_nor_become_nan() {
    let max = f64::MAX;
    check(&[max; 5], [max; 5]);
    check(&[max, max, -max, -max], [-max, max, 0.0, 0.0, -max]);
    assert_eq!(figures(&[max; 5]).sum, max);
    assert_eq!(figures(&[-max; 5]).sum, -max);
    assert_eq!(figures(&[max, max, -max]).sum, max);
    assert_eq!(figures(&[max, max, -max]).mean, max / 3.0);
    let mut many = crowd();
    many.extend([max; 3000]);
    let figures = figures(&many);
    assert_eq!([figures.sum, figures.max], [max; 2]);
    assert!(figures.mean > max / 2.0 && figures.mean < max);
    assert!(figures.median <= max && max - figures.median <= max / 1024.0);
}

#[test]
fn counts_saturate() {
    for start in [Vec::new(), crowd()] {
        let mut summary = summary(&start);
        for _ in 0..3000 {
            summary.record_n(f64::MAX, u64::MAX);
            summary.record_n(-1e-320, u64::MAX);
            summary.record_n(0.0, u64::MAX);
        }
        summary.extend(&[f64::MAX, 0.0, 3.0]);
        let copy = summary.clone();
        summary.merge(&copy);
        let figures = summary.figures();
        assert_eq!(figures.count, u64::MAX);
        assert_eq!((figures.median, figures.sum), (0.0, f64::MAX));
        assert!(figures.mean > f64::MAX / 2.0 && figures.mean <= f64::MAX);
        // A third is f64::MAX and two thirds are 0, or nearly.
        let expected = f64::MAX * (2f64 / 9.0).sqrt();
        assert!((figures.stddev() - expected).abs() < expected * 1e-3, "{}", figures.stddev());
        assert_eq!(figures.mode.map(|mode| mode.is_sign_negative()), Some(true));
    }
}

#[test]
fn integers_below_2048_are_exact_in_cells() {
    let values: Vec<f64> = (-2047..=2047).map(f64::from).collect();
    let summary = summary(&values);
    assert!(!summary.is_exact());
    let figures = summary.figures();
    for (index, value) in values.iter().enumerate() {
        let q = (index as f64 + 0.5) / values.len() as f64;
        assert_eq!(figures.quantile(q), *value);
    }
    assert_eq!(figures.median, 0.0);
    // All are equally frequent.
    assert_eq!(figures.mode, Some(-2047.0));
}

#[test]
fn exact_up_to_the_last_distinct_value() {
    let mut summary = Summary::default();
    for round in 0..3 {
        for i in 0..EXACT_DISTINCT {
            summary.record(i as f64 * 1.1 + 5000.0);
        }
        assert!(summary.is_exact(), "{round}");
    }
    assert_eq!(summary.figures().median, midpoint_of(511, 512));
    summary.record(1.0);
    assert!(!summary.is_exact());
    assert_eq!(summary.count(), 3 * EXACT_DISTINCT as u64 + 1);
    assert_eq!(summary.figures().min, 1.0);
}

fn midpoint_of(a: usize, b: usize) -> f64 {
    ((a as f64 * 1.1 + 5000.0) + (b as f64 * 1.1 + 5000.0)) / 2.0
}
