//! The standard deviation: known answers, and samples that are hard on it.

use proptest::prelude::*;

use super::oracle::Oracle;
use super::properties::Random;
use crate::summary::Summary;

fn summary(values: &[f64]) -> Summary {
    let mut summary = Summary::default();
    summary.extend(values);
    summary
}

fn stddev(values: &[f64]) -> f64 {
    summary(values).figures().stddev()
}

#[track_caller]
fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= expected * 1e-15, "{actual} {expected}");
}

#[test]
fn known_answers() {
    assert_eq!(stddev(&[]), 0.0);
    assert_eq!(stddev(&[5.0]), 0.0);
    assert_eq!(stddev(&[0.0, -0.0, 0.0]), 0.0);
    assert_eq!(stddev(&[0.1; 1000]), 0.0);
    assert_eq!(stddev(&[1.0, 3.0]), 2f64.sqrt());
    close(stddev(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]), (32f64 / 7.0).sqrt());
    close(stddev(&[-2.0, -4.0, -4.0, -4.0, -5.0, -5.0, -7.0, -9.0]), (32f64 / 7.0).sqrt());
    let mut many = Summary::default();
    many.record_n(1.0, 1 << 60);
    many.record_n(-1.0, 1 << 60);
    assert_eq!(many.figures().stddev(), 1.0);
}

#[test]
fn a_small_spread_far_from_zero_does_not_cancel() {
    for offset in [0.0, 1e9, -1e15] {
        close(stddev(&[4.0, 7.0, 13.0, 16.0].map(|value| value + offset)), 30f64.sqrt());
    }
    // The mean of two neighbours is neither of them, and cannot be represented.
    close(stddev(&[1.0, 1.0 + f64::EPSILON]), f64::EPSILON / 2f64.sqrt());
    close(stddev(&[1.0, 1.0, 1.0 + f64::EPSILON]), f64::EPSILON / 3f64.sqrt());
}

#[test]
fn any_magnitude_has_one() {
    let (max, tiny) = (f64::MAX, f64::from_bits(1));
    assert_eq!(stddev(&[max, -max]), max);
    assert_eq!(stddev(&[max; 3]), 0.0);
    close(stddev(&[max, 0.0]), max / 2f64.sqrt());
    close(stddev(&[max, -max, max, -max, 0.0]), max);
    close(stddev(&[1e200, 3e200]) / 1e200, 2f64.sqrt());
    close(stddev(&[1e-200, 3e-200]) * 1e200, 2f64.sqrt());
    assert_eq!(stddev(&[0.0, 1000.0 * tiny]), 707.0 * tiny);
    let mut crowd: Vec<f64> = (0..2000).map(|n| f64::from(n) * tiny).collect();
    assert_eq!(stddev(&crowd), 577.0 * tiny);
    crowd.extend([max, -max].repeat(2000));
    let expected = max * (4000f64 / 5999.0).sqrt();
    assert!((stddev(&crowd) - expected).abs() < expected * 1e-3);
}

#[test]
fn integers_below_2048_lose_nothing_in_cells() {
    let values: Vec<f64> = (-2047..=2047).map(f64::from).collect();
    let summary = summary(&values);
    assert!(!summary.is_exact());
    // The variance of n consecutive integers is n (n + 1) / 12.
    close(summary.figures().stddev(), (4095f64 * 4096.0 / 12.0).sqrt());
}

#[test]
fn a_spread_smaller_than_a_cell_stays_within_the_range() {
    // Around the edge between two cells of width 1024.
    let values: Vec<f64> =
        (-1000..1000).map(|n| f64::from((1 << 20) + 1024) + f64::from(n) / 1000.0).collect();
    let summary = summary(&values);
    assert!(!summary.is_exact());
    assert!(summary.figures().stddev() <= 2.0, "{}", summary.figures().stddev());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// However far from zero, however little they vary: to rounding in the exact state, and in
    /// cells to a thousandth of the root mean square.
    #[test]
    fn far_from_zero(
        center in -1e6..1e6f64,
        spread in -12..4i32,
        scale in -280..280i32,
        n in prop_oneof![2usize..1000, 1500usize..4000],
        seed: u64,
    ) {
        let random = &mut Random(seed);
        let (spread, scale) = (10f64.powi(spread), 10f64.powi(scale));
        let values: Vec<f64> =
            (0..n).map(|_| (center + (random.unit() - 0.5) * spread) * scale).collect();
        let (summary, oracle) = (summary(&values), Oracle::new(&values));
        let stddev = summary.figures().stddev();
        let (expected, allowed) = match summary.is_exact() {
            true => (oracle.stddev(), oracle.stddev() * 1e-12),
            false => {
                let (expected, rms) = oracle.stddev_and_rms();
                (expected, rms / 1000.0)
            }
        };
        prop_assert!((stddev - expected).abs() <= allowed, "{} {}", stddev, expected);
        prop_assert!(stddev <= oracle.max() - oracle.min());
    }
}
