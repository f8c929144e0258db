//! Floats as JSON numbers.

use serde::{Serialize, Serializer};

/// Integers of a larger magnitude are not all representable as floats.
const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53

/// A finite float, written as an integer when it is one and exactly representable.
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() <= EXACT {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn integral_values_are_written_as_integers() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (42.0, "42"),
            (-50.0, "-50"),
            (2.5, "2.5"),
            (9_007_199_254_740_992.0, "9007199254740992"),
            (1e300, "1e+300"),
            (1e-9, "1e-9"),
        ];
        for (value, text) in cases {
            let written = serde_json::to_string(&Number(value)).unwrap();
            assert_eq!(written, text);
            assert_eq!(written.parse::<f64>().unwrap(), value);
        }
    }
}
