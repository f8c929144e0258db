//! The bounds of memory that the module's documentation states.

use crate::summary::cells::Cells;
use crate::summary::octave::Octave;

/// A sample of either sign in each octave of an `f64`.
fn everywhere() -> Vec<f64> {
    let normal = (1..2047u64).map(|field| f64::from_bits(field << 52));
    let subnormal = (0..52).map(|bit| f64::from_bits(1 << bit));
    normal.chain(subnormal).flat_map(|value| [value, -value]).collect()
}

#[test]
fn octaves_are_bounded_and_allocated_on_demand() {
    assert_eq!(size_of::<Option<Octave>>(), 64);
    let mut cells = Cells::new();
    cells.extend(&[1e-300, 1e300]);
    assert_eq!(cells.positive().octaves().count(), 2);
    for _ in 0..2 {
        cells.extend(&everywhere());
        assert_eq!(cells.positive().octaves().count(), 2098);
        assert_eq!(cells.negative().octaves().count(), 2098);
    }
    let numbers: Vec<i32> = cells.negative().octaves().map(|(number, _)| number).collect();
    assert_eq!(numbers, (-1074..=1023).collect::<Vec<_>>());
}
