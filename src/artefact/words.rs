//! Intervals, transforms and types in words.

use std::time::Duration;

use super::shape::Shape;
use crate::schema::Transform;

/// `4 hours`, `90 seconds`, `1.5 seconds`: in the largest unit that takes no fraction.
pub(super) fn interval(time: Duration) -> String {
    let seconds = time.as_secs();
    if time.subsec_nanos() > 0 {
        return format!("{} seconds", time.as_secs_f64());
    }
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute")];
    let (count, unit) = units
        .into_iter()
        .find(|(length, _)| seconds > 0 && seconds % length == 0)
        .map_or((seconds, "second"), |(length, unit)| (seconds / length, unit));
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// What is done to a value before it is said.
pub(super) fn transform(transform: Transform, is_summary: bool) -> String {
    match transform {
        Transform::Digits(1) => "rounded to 1 digit".to_owned(),
        Transform::Digits(digits) => format!("rounded to {digits} digits"),
        Transform::PowerOfTen => "power of ten below it".to_owned(),
        Transform::CoarseDuration => "whole minutes, hours, days or weeks".to_owned(),
        Transform::MajorMinor => "first two numbers of the version".to_owned(),
        Transform::AtLeast(least) if is_summary => format!("nothing for less than {least} samples"),
        Transform::AtLeast(least) => format!("nothing below {least}"),
        Transform::AtMost(most) => format!("at most {most}"),
    }
}

/// What a value may be: `integer`, `text or null`, `max, mean, median, min and mode`.
pub(super) fn shape(shape: &Shape, is_constant: bool) -> String {
    let mut words = Vec::new();
    for name in &shape.types {
        match *name {
            "object" if shape.members.is_empty() => words.push("object".to_owned()),
            "object" => words.push(listed(shape.members.iter().map(|(name, _)| &**name), "and")),
            "array" => words.push("list".to_owned()),
            "string" => words.push("text".to_owned()),
            "boolean" => words.push("flag".to_owned()),
            "null" if is_constant => {}
            other => words.push(other.to_owned()),
        }
    }
    match &*words {
        [figures, null] if !shape.members.is_empty() => format!("{figures}, or {null}"),
        words => listed(words.iter().map(|word| &**word), "or"),
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn listed<'a>(words: impl Iterator<Item = &'a str>, last: &str) -> String {
    let words: Vec<&str> = words.collect();
    match &*words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [some @ .., end] => format!("{} {last} {end}", some.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_take_the_largest_unit_without_a_fraction() {
        let cases = [
            (0, "0 seconds"),
            (1, "1 second"),
            (60, "1 minute"),
            (90, "90 seconds"),
            (600, "10 minutes"),
            (14_400, "4 hours"),
            (86_400, "1 day"),
            (604_800, "7 days"),
        ];
        for (seconds, words) in cases {
            assert_eq!(interval(Duration::from_secs(seconds)), words);
        }
        assert_eq!(interval(Duration::from_millis(100)), "0.1 seconds");
        assert_eq!(listed(["a", "b", "c"].into_iter(), "or"), "a, b or c");
        assert_eq!(listed(["a", "b"].into_iter(), "and"), "a and b");
    }
}
