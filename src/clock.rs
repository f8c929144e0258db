//! The only module that reads a clock. Everywhere else time is an argument.

use std::time::{Duration, Instant, SystemTime};

/// Where time comes from. A test gives its own to [`Builder::clock`](crate::Builder::clock) and
/// decides what time it is.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Moment;
}

/// One instant, by two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Time since some fixed instant of the process; never goes back. All intervals are measured
    /// by it.
    pub monotonic: Duration,
    /// The time of day, in UTC. It may jump when somebody sets the clock, and only appears in
    /// reports.
    pub wall: SystemTime,
}

/// The system's clocks.
pub(crate) struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    pub(crate) fn new() -> SystemClock {
        SystemClock { origin: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment { monotonic: self.origin.elapsed(), wall: SystemTime::now() }
    }
}

/// RFC 3339 in UTC, to the microsecond; null for a time beyond the years -9999 to 9999.
pub(crate) fn utc(time: SystemTime) -> Option<String> {
    let timestamp = jiff::Timestamp::try_from(time).ok()?;
    Some(format!("{timestamp:.6}"))
}

/// The time that [`utc`] wrote.
pub(crate) fn parse_utc(text: &str) -> Option<SystemTime> {
    text.parse::<jiff::Timestamp>().ok().map(SystemTime::from)
}

/// A length of time in words, by its two largest units: `45 s`, `10 min`, `3 h 59 min`, `29 d 23 h`.
pub(crate) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (large, small) = match seconds {
        0..60 => ((seconds, "s"), (0, "")),
        60..3600 => ((seconds / 60, "min"), (0, "")),
        3600..172_800 => ((seconds / 3600, "h"), (seconds / 60 % 60, "min")),
        _ => ((seconds / 86_400, "d"), (seconds / 3600 % 24, "h")),
    };
    match (large, small) {
        ((large, unit), (0, _)) => format!("{large} {unit}"),
        ((large, unit), (small, below)) => format!("{large} {unit} {small} {below}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_its_two_largest_units() {
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (3599, "59 min"),
            (7200, "2 h"),
            (14_399, "3 h 59 min"),
            (86_400, "24 h"),
            (2_588_400, "29 d 23 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_695_134_445_972_021);
        assert_eq!(utc(time).unwrap(), "2023-09-19T14:40:45.972021Z");
        assert_eq!(parse_utc("2023-09-19T14:40:45.972021Z"), Some(time));
        assert_eq!(parse_utc("2023-09-19"), None);
    }
}
