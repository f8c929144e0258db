//! The parts: splitting and scaling of an `f64`, and the exact sum.

use proptest::prelude::*;

use crate::summary::float::{self, split};
use crate::summary::sum::Sum;

fn sum(values: &[f64]) -> (f64, f64) {
    let mut sum = Sum::new();
    for &value in values {
        if let Some((octave, significand)) = split(value) {
            sum.add(value < 0.0, octave, significand.into());
        }
    }
    sum.finish(values.len() as u64)
}

#[test]
fn sums_at_the_edges() {
    let tiny = f64::from_bits(1);
    assert_eq!(sum(&[]), (0.0, 0.0));
    assert_eq!(sum(&[tiny]), (tiny, tiny));
    assert_eq!(sum(&[tiny, 2.0 * tiny]), (3.0 * tiny, 2.0 * tiny));
    assert_eq!(sum(&[f64::MAX, -tiny]), (f64::MAX, f64::MAX / 2.0));
    assert_eq!(sum(&[-f64::MAX, -f64::MAX]), (-f64::MAX, -f64::MAX));
    assert_eq!(sum(&[f64::MIN_POSITIVE, -tiny]).0, f64::MIN_POSITIVE - tiny);
}

#[test]
fn rounds_once_and_to_even() {
    // 2^53 + 1 lies half-way and goes to even; anything more goes up, however small.
    let half = [2f64.powi(53), 1.0];
    assert_eq!(sum(&half).0, 2f64.powi(53));
    assert_eq!(sum(&[half[0], half[1], 1e-300]).0, 2f64.powi(53) + 2.0);
    assert_eq!(sum(&[half[0], half[1], -1e-300]).0, 2f64.powi(53));
    assert_eq!(sum(&[half[0], 2.0, half[1]]).0, 2f64.powi(53) + 4.0);
}

#[test]
fn whatever_follows_a_half_counts() {
    // Wherever the half and what follows it fall among the limbs.
    for shift in 0..64 {
        let unit = 2f64.powi(shift);
        for gap in 1..200 {
            let more = [2f64.powi(53) * unit, unit, unit * 2f64.powi(-gap)];
            assert_eq!(sum(&more).0, (2f64.powi(53) + 2.0) * unit, "{shift} {gap}");
        }
    }
    // (2^52 + 1/2 + 2^-60) * 2^-1074, of which only the remainder of the division sees the last term.
    let mut sum = Sum::new();
    sum.add(false, -1022, (1 << 112) + (1 << 59) + 1);
    assert_eq!(sum.finish(1 << 60).1, f64::MIN_POSITIVE + f64::from_bits(1));
}

#[test]
fn bulk_addends_carry_through() {
    let mut sum = Sum::new();
    for _ in 0..4 {
        sum.add(false, 1023, u128::MAX / 2);
        sum.add(true, 1023, u128::MAX / 2);
        sum.add(false, 62, u128::MAX);
        sum.add(false, 62, 1);
    }
    // 4 * 2^128 * 2^(62 - 52)
    assert_eq!(sum.finish(8), (2f64.powi(140), 2f64.powi(137)));
}

proptest! {
    /// Any finite value is its own sum and its own mean, and splits without loss.
    #[test]
    fn one_value_survives(bits: u64, n in 1u64..) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        prop_assert_eq!(sum(&[value]), (value, value));
        if let Some((octave, significand)) = split(value) {
            prop_assert!((1 << 52..1 << 53).contains(&significand));
            prop_assert_eq!(float::scale(significand, octave - 52), value.abs());
            let mut many = Sum::new();
            many.add(value < 0.0, octave, u128::from(significand) * u128::from(n));
            prop_assert_eq!(many.finish(n).1, value);
        } else {
            prop_assert_eq!(value, 0.0);
        }
    }

    /// Integers have an exact sum in an `i128`, which converts to `f64` with one rounding.
    #[test]
    fn integers_sum_like_integers(values in prop::collection::vec(any::<i64>(), 1..50), scale in -600..600) {
        let values: Vec<f64> = values.iter().map(|&value| value as f64).collect();
        let exact: i128 = values.iter().map(|&value| value as i128).sum();
        let unit = 2f64.powi(scale);
        let scaled: Vec<f64> = values.iter().map(|value| value * unit).collect();
        prop_assert_eq!(sum(&scaled).0, exact as f64 * unit);
        // The quotient of two integers below 2^53 is rounded once by the processor as well.
        let small: Vec<f64> = values.iter().map(|value| (value / 2f64.powi(20)).trunc()).collect();
        let total: f64 = small.iter().map(|&value| value as i64).sum::<i64>() as f64;
        if total.abs() < 2f64.powi(53) {
            prop_assert_eq!(sum(&small).1, total / small.len() as f64);
        }
    }
}
