//! A finite `f64` taken apart, so that every value, subnormal or not, has 53 significant bits.

/// Bits of an `f64` below the leading one.
const FRACTION_BITS: u32 = 52;
/// The fraction field.
const FRACTION: u64 = (1 << FRACTION_BITS) - 1;
/// The bias of the exponent field.
const BIAS: i32 = 1023;

/// The octave of the smallest subnormal, the lowest there is.
pub(super) const LOWEST_OCTAVE: i32 = -1074;

/// log2 of the number of cells in an octave.
pub(super) const CELL_BITS: u32 = 10;
/// Linear cells per octave. `hdrhistogram` at three significant figures has as many: the power of
/// two next above 2 * 10^3, halved.
pub(super) const CELLS: usize = 1 << CELL_BITS;

/// The exponent field of `bits`: 0 for zero and subnormals, `octave + 1023` for the rest.
#[inline(always)]
pub(super) fn exponent_field(bits: u64) -> i32 {
    ((bits >> FRACTION_BITS) & 0x7ff) as i32
}

/// The octave that goes with a nonzero exponent field.
#[inline(always)]
pub(super) fn octave_of_field(field: i32) -> i32 {
    field - BIAS
}

/// The significand of a normal number, in `2^52 .. 2^53`.
#[inline(always)]
pub(super) fn significand(bits: u64) -> u64 {
    (bits & FRACTION) | (1 << FRACTION_BITS)
}

/// The cell of a normal number within its octave: the top bits of the fraction.
#[inline(always)]
pub(super) fn cell(bits: u64) -> usize {
    (bits >> (FRACTION_BITS - CELL_BITS)) as usize % CELLS
}

/// The octave and significand of a finite nonzero value: `|value| = significand * 2^(octave - 52)`
/// with the significand in `2^52 .. 2^53`, exactly. `None` for zero.
pub(super) fn split(value: f64) -> Option<(i32, u64)> {
    let bits = value.to_bits();
    let field = exponent_field(bits);
    if field != 0 {
        return Some((octave_of_field(field), significand(bits)));
    }
    let fraction = bits & FRACTION;
    if fraction == 0 {
        return None;
    }
    // A subnormal is `fraction * 2^-1074`: shift its leading one up to where a normal number has it.
    let shift = fraction.leading_zeros() - (u64::BITS - 1 - FRACTION_BITS);
    Some((1 - BIAS - shift as i32, fraction << shift))
}

/// The smallest magnitude that belongs to a cell.
pub(super) fn lower_edge(octave: i32, cell: usize) -> f64 {
    scale((CELLS + cell) as u64, octave - CELL_BITS as i32)
}

/// `integer * 2^exponent`, rounded once; infinite above the range of an `f64`.
pub(super) fn scale(integer: u64, exponent: i32) -> f64 {
    shift(integer as f64, exponent)
}

/// `value * 2^exponent`; infinite above the range of an `f64`. Exact unless the result is subnormal,
/// and then rounded once if the value is at least 1, else perhaps twice.
pub(super) fn shift(value: f64, exponent: i32) -> f64 {
    // Two factors, for one power of two cannot reach from 2^64 to the smallest subnormal. For a
    // value of at least 1 the first product neither rounds nor overflows unless the result does.
    let first = exponent.clamp(-900, 900);
    value * power_of_two(first) * power_of_two(exponent - first)
}

/// 2^exponent, the exponent limited to that of a normal number.
fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent.clamp(-1022, 1023) + BIAS) as u64) << FRACTION_BITS)
}
