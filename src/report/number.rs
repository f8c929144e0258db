//! Floats as JSON numbers.

use serde::{Serialize, Serializer};

/// Floats of a smaller magnitude that are integral are exactly an `i64`.
const LIMIT: f64 = 9_223_372_036_854_775_808.0; // 2^63

/// A finite float, written as an integer when it is one and an `i64` can hold it.
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() < LIMIT {
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
            (9_007_199_254_740_994.0, "9007199254740994"),
            (-9_223_372_036_854_774_784.0, "-9223372036854774784"),
            (9_223_372_036_854_775_808.0, "9.223372036854776e+18"),
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
