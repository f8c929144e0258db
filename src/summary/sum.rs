//! The exact sum of any number of `f64`.
//!
//! A finite `f64` is an integer times a power of two, so a sum of them is an integer of some 2,200
//! bits. Within an octave all samples share the power of two, and their integers are added up in a
//! `u128` as they arrive (see `cells`); only when figures are asked for are the octaves brought
//! together here. Two additions per sample are no dearer than a compensated floating-point sum,
//! and the result does not depend on the order of the samples, never cancels, and cannot overflow.

use super::float::{LOWEST_OCTAVE, scale};

/// Limbs of 64 bits: 2,304 bits. The highest octave reaches bit 1023 + 1074 + 128 = 2,225, which
/// leaves room to add every octave many times.
const LIMBS: usize = 36;

/// The binary exponent of bit 0: that of the last significand bit in the lowest octave.
const UNIT: i32 = LOWEST_OCTAVE - 52;

/// A sum under construction, the two signs apart.
///
/// The upper half of a limb gathers what is carried to the next one. It has room for 2^63 additions,
/// so that none of them has to go on for as long as there is a carry.
pub(super) struct Sum {
    positive: [u128; LIMBS],
    negative: [u128; LIMBS],
}

impl Sum {
    /// Nothing added yet.
    pub(super) fn new() -> Self {
        Sum { positive: [0; LIMBS], negative: [0; LIMBS] }
    }

    /// Adds `significands * 2^(octave - 52)`, or subtracts it if `negative`.
    #[inline]
    pub(super) fn add(&mut self, negative: bool, octave: i32, significands: u128) {
        let limbs = if negative { &mut self.negative } else { &mut self.positive };
        let offset = (octave - LOWEST_OCTAVE).max(0) as usize;
        let (limb, shift) = (offset / 64, offset % 64);
        let low = u128::from(significands as u64) << shift;
        let high = (significands >> 64) << shift;
        // Always there: an octave of an `f64` starts below limb 33.
        if let Some([first, second, third, ..]) = limbs.get_mut(limb..) {
            *first += u128::from(low as u64);
            *second += (low >> 64) + u128::from(high as u64);
            *third += high >> 64;
        }
    }

    /// The sum rounded to the nearest `f64` (saturated at `f64::MAX`), and the sum divided by
    /// `count` before it is rounded, so that it cannot overflow and lies among the samples. A
    /// `count` of 0 is taken for 1.
    pub(super) fn finish(self, count: u64) -> (f64, f64) {
        let (positive, negative) = (carried(&self.positive), carried(&self.negative));
        let is_negative = negative.iter().rev().gt(positive.iter().rev());
        let (mut limbs, smaller) = match is_negative {
            true => (negative, positive),
            false => (positive, negative),
        };
        let mut borrow = false;
        for (limb, subtrahend) in limbs.iter_mut().zip(smaller) {
            let (difference, first) = limb.overflowing_sub(subtrahend);
            let (difference, second) = difference.overflowing_sub(borrow as u64);
            *limb = difference;
            borrow = first | second;
        }
        let sum = round(&limbs, false);

        let count = u128::from(count.max(1));
        let mut remainder = 0;
        for limb in limbs.iter_mut().rev() {
            let dividend = (remainder << 64) | u128::from(*limb);
            // A division of 128 bits is slow, and most limbs are zero.
            if dividend != 0 {
                *limb = (dividend / count) as u64;
                remainder = dividend % count;
            }
        }
        let mean = round(&limbs, remainder != 0);
        if is_negative { (-sum, -mean) } else { (sum, mean) }
    }
}

/// The limbs once everything has been carried.
fn carried(limbs: &[u128; LIMBS]) -> [u64; LIMBS] {
    let mut carry = 0;
    limbs.map(|limb| {
        let limb = limb + carry;
        carry = limb >> 64;
        limb as u64
    })
}

/// The nearest `f64`, at most `f64::MAX`. `rest` says that the number is a little larger than the
/// limbs show. A subnormal quotient is rounded twice, which costs at most one unit of its last place.
fn round(limbs: &[u64; LIMBS], rest: bool) -> f64 {
    let mut lower = limbs.iter().enumerate().rev().skip_while(|(_, limb)| **limb == 0);
    let Some((index, &top)) = lower.next() else { return 0.0 };
    // The 64 bits from the leading one down, the last of them set if anything follows: eleven more
    // than an `f64` has, so that the conversion sees which side of a half it is on.
    let shift = top.leading_zeros();
    let next = lower.next().map_or(0, |(_, &limb)| limb);
    let window = (((u128::from(top) << 64) | u128::from(next)) << shift) >> 64;
    let sticky = rest || (next << shift) != 0 || lower.any(|(_, limb)| *limb != 0);
    let exponent = UNIT + 64 * index as i32 - shift as i32;
    scale(window as u64 | u64::from(sticky), exponent).min(f64::MAX)
}
