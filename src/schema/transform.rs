//! What is done to a value before it is said.

use super::fact::Fact;

/// Makes a value of the last field coarser before it is written to a report, see
/// [`Schema::transform`](crate::Schema::transform). What is recorded and merged stays exact.
///
/// Of a summary each figure is transformed by itself, but for [`AtLeast`](Transform::AtLeast).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transform {
    /// Numbers keep so many significant decimal digits, 1 to 15, rounded to the nearest: with one,
    /// 1234 is 1000 and 0.0276 is 0.03.
    Digits(u8),
    /// Numbers become the power of ten at or below their magnitude: 1234 is 1000, 0.0276 is 0.01,
    /// -50 is -10 and 0 is 0.
    PowerOfTen,
    /// Seconds become whole minutes, from an hour on whole hours, from a day on whole days and from
    /// a week on whole weeks, rounded towards zero; they are still written in seconds: 100,000 is
    /// 86,400.
    CoarseDuration,
    /// A text keeps the first two numbers of the version in it: `15.4 (Debian 15.4-1)` is `15.4`
    /// and `v2` is `2`; a text without a number becomes null.
    MajorMinor,
    /// Numbers below this are not said: they become null. A summary of fewer samples than this is
    /// null as a whole. More than 0.
    AtLeast(u64),
    /// Numbers above this become this. Finite.
    AtMost(f64),
}

impl Transform {
    /// Why it cannot be asked for, if so.
    pub(super) fn fault(self) -> Option<String> {
        match self {
            Transform::Digits(digits) if !(1..=15).contains(&digits) => {
                Some(format!("keeps {digits} digits: keep 1 to 15"))
            }
            Transform::AtLeast(0) => {
                Some("has the least value 0, which hides nothing: drop it or raise it".into())
            }
            Transform::AtMost(most) if !most.is_finite() => {
                Some(format!("has the largest value {most}: give a finite number"))
            }
            _ => None,
        }
    }

    /// A name that is the same for the same transform.
    pub(crate) fn key(self) -> String {
        match self {
            Transform::Digits(digits) => format!("digits {digits}"),
            Transform::PowerOfTen => "power of ten".into(),
            Transform::CoarseDuration => "coarse duration".into(),
            Transform::MajorMinor => "major.minor".into(),
            Transform::AtLeast(least) => format!("at least {least}"),
            Transform::AtMost(most) => format!("at most {most}"),
        }
    }

    fn number(self, value: f64) -> Option<f64> {
        match self {
            Transform::Digits(digits) => {
                // In decimal, so that what is written has no digits of a binary rounding.
                let digits = usize::from(digits.max(1)) - 1;
                Some(format!("{value:.digits$e}").parse().unwrap_or(value))
            }
            Transform::PowerOfTen if value == 0.0 => Some(0.0),
            Transform::PowerOfTen => {
                let exponent = format!("{value:e}");
                let exponent = exponent.split_once('e').map_or("0", |(_, exponent)| exponent);
                let power = format!("1e{exponent}").parse().unwrap_or(value);
                Some(f64::copysign(power, value))
            }
            Transform::CoarseDuration => {
                const WEEK: f64 = 7.0 * 86_400.0;
                let units = [WEEK, 86_400.0, 3600.0];
                let unit = units.into_iter().find(|unit| value.abs() >= *unit).unwrap_or(60.0);
                Some((value / unit).trunc() * unit)
            }
            Transform::AtLeast(least) => Some(value).filter(|value| *value >= least as f64),
            Transform::AtMost(most) => Some(value.min(most)),
            Transform::MajorMinor => None,
        }
    }
}

/// Transforms after which what is said takes no fewer bytes than after these, whatever the value is: a
/// rounded one may take more than the longest of those that it comes from.
pub(crate) fn longest(transforms: &[Transform]) -> Vec<Transform> {
    let is_number = transforms.iter().any(|transform| *transform != Transform::MajorMinor);
    is_number.then_some(Transform::AtMost(f64::MIN)).into_iter().collect()
}

/// What of a number is said; finite, or `None` for nothing.
pub(crate) fn number(transforms: &[Transform], value: f64) -> Option<f64> {
    let value = transforms.iter().try_fold(value, |value, transform| transform.number(value))?;
    Some(value.clamp(f64::MIN, f64::MAX))
}

/// The same, for a figure of a summary of so many samples.
pub(crate) fn figure(transforms: &[Transform], samples: u64, value: f64) -> Option<f64> {
    let value = transforms.iter().try_fold(value, |value, transform| match transform {
        Transform::AtLeast(least) => Some(value).filter(|_| samples >= *least),
        transform => transform.number(value),
    })?;
    Some(value.clamp(f64::MIN, f64::MAX))
}

/// What of a fact is said. What a transform cannot be applied to, a number's to a text or the other
/// way round, is not said.
pub(crate) fn fact(transforms: &[Transform], fact: Fact) -> Fact {
    if transforms.is_empty() {
        return fact;
    }
    if let Some(text) = fact.as_text() {
        let versions = transforms.iter().all(|transform| *transform == Transform::MajorMinor);
        return versions.then(|| major_minor(text)).flatten().map_or(Fact::NULL, Fact::text);
    }
    fact.as_number().and_then(|value| number(transforms, value)).map_or(Fact::NULL, Fact::number)
}

/// The first two numbers of the first version in a text.
fn major_minor(text: &str) -> Option<String> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let version = text.get(start..)?;
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let mut numbers = version.get(..end)?.split('.').filter(|number| !number.is_empty());
    let major = numbers.next()?;
    Some(numbers.next().map_or_else(|| major.to_owned(), |minor| format!("{major}.{minor}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_become_coarser() {
        use Transform::*;
        let cases: &[(Transform, f64, Option<f64>)] = &[
            (Digits(1), 1234.0, Some(1000.0)),
            (Digits(2), 1250.0, Some(1200.0)), // a tie goes to the even digit
            (Digits(2), 0.0276, Some(0.028)),
            (Digits(1), -96.0, Some(-100.0)),
            (Digits(15), 0.1, Some(0.1)),
            (Digits(1), 0.0, Some(0.0)),
            (Digits(1), f64::MAX, Some(f64::MAX)),
            (PowerOfTen, 1234.0, Some(1000.0)),
            (PowerOfTen, 1000.0, Some(1000.0)),
            (PowerOfTen, 999.9, Some(100.0)),
            (PowerOfTen, 0.0276, Some(0.01)),
            (PowerOfTen, -50.0, Some(-10.0)),
            (PowerOfTen, 0.0, Some(0.0)),
            (CoarseDuration, 59.0, Some(0.0)),
            (CoarseDuration, 150.0, Some(120.0)),
            (CoarseDuration, 5400.0, Some(3600.0)),
            (CoarseDuration, 100_000.0, Some(86_400.0)),
            (CoarseDuration, 1_300_000.0, Some(1_209_600.0)),
            (AtLeast(5), 4.0, None),
            (AtLeast(5), 5.0, Some(5.0)),
            (AtMost(100.0), 5.0, Some(5.0)),
            (AtMost(100.0), 1e9, Some(100.0)),
        ];
        for (transform, value, said) in cases {
            assert_eq!(number(&[*transform], *value), *said, "{transform:?} of {value}");
        }
        assert_eq!(number(&[AtMost(1234.0), Digits(1)], 5e6), Some(1000.0), "in order");
        assert_eq!(figure(&[AtLeast(5)], 4, 1e9), None);
        assert_eq!(figure(&[AtLeast(5), Digits(1)], 5, 0.123), Some(0.1));
    }

    #[test]
    fn versions_lose_what_tells_one_machine_from_another() {
        let cases = [
            ("15.4 (Debian 15.4-1.pgdg120+1)", Some("15.4")),
            ("v2", Some("2")),
            ("PostgreSQL 16.1 on x86_64", Some("16.1")),
            ("1..2", Some("1.2")),
            ("7.", Some("7")),
            ("unknown", None),
            ("", None),
        ];
        for (text, said) in cases {
            let said = said.map_or(Fact::NULL, Fact::text);
            assert_eq!(fact(&[Transform::MajorMinor], Fact::text(text)), said, "{text}");
        }
        assert_eq!(fact(&[Transform::Digits(1)], Fact::text("a.b")), Fact::NULL);
        assert_eq!(fact(&[Transform::MajorMinor], Fact::from(15)), Fact::NULL);
        assert_eq!(fact(&[Transform::Digits(1)], Fact::from(true)), Fact::NULL);
        assert_eq!(fact(&[], Fact::text("a.b")), Fact::text("a.b"));
        assert_eq!(fact(&[Transform::Digits(1)], Fact::from(1234)), Fact::number(1000.0));
    }

    proptest! {
        #[test]
        fn what_is_said_is_finite_and_repeats_itself(value in any::<f64>(), digits in 1..=15u8) {
            prop_assume!(value.is_finite());
            for transform in [Transform::Digits(digits), Transform::PowerOfTen, Transform::CoarseDuration] {
                let said = number(&[transform], value).unwrap();
                prop_assert!(said.is_finite());
                // A duration of more weeks than an f64 counts one by one has no whole ones.
                let counts = transform != Transform::CoarseDuration || value.abs() < 1e15;
                prop_assert!(!counts || number(&[transform], said) == Some(said), "{transform:?}");
            }
        }
    }
}
