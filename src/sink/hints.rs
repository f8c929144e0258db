//! What a receiver asks for when it accepts a report: less.

use std::fmt;
use std::time::Duration;

use crate::clock::span;

/// What a receiver asks of those who report to it, with the answer that accepts a report. It can
/// only ask for less: nothing here makes anybody report earlier, more often or at all.
///
/// A sink passes it on by [`Parcel::hint`](super::Parcel::hint). Each answer that accepts a report
/// says all that the receiver wishes: one without hints takes earlier ones back. They are forgotten
/// when the process ends and when reporting is switched off.
///
/// | | what becomes of reports |
/// | --- | --- |
/// | [`every`](Hints::with_every) | they go at least so far apart; an interval that is longer already stays as it is |
/// | [`share`](Hints::with_share) | they go from this share of the installations alone; the others ask again once a day |
/// | [`pause`](Hints::with_pause) | none goes for so long |
///
/// Windows end as ever meanwhile, and become one with the window that goes next. Until then they
/// wait: what a process that ends has waiting is lost, unless there is a
/// [`spool`](crate::Builder::spool). Events wait as well, as many as may, and then go all together;
/// they become fewer requests only where they are sent [together](crate::Builder::events_as_array).
///
/// ```
/// use callhome::sink::{Hints, Parcel, SendError, Sink};
/// use std::time::Duration;
///
/// struct Busy;
///
/// impl Sink for Busy {
///     fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
///         parcel.hint(Hints::new().with_every(Duration::from_secs(86_400)));
///         Ok(())
///     }
///
///     fn describe(&self) -> String {
///         "a receiver that has much to do".to_owned()
///     }
/// }
///
/// let parcel = Parcel::new("6ba7b810", 1, b"{}", Duration::from_secs(10));
/// assert!(Busy.send(&parcel).is_ok());
/// assert_eq!(parcel.hints().every(), Some(Duration::from_secs(86_400)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hints {
    every: Option<Duration>,
    share: Option<f64>,
    pause: Option<Duration>,
    /// What is ignored because it cannot be understood, of [`PARTS`].
    unclear: [bool; PARTS.len()],
}

/// What may be unclear, as receivers name it.
const PARTS: [&str; 4] = ["every", "share", "until", "Callhome"];

impl Hints {
    /// The longest that a receiver can ask for: 30 days.
    pub const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    /// No wish at all.
    pub fn new() -> Hints {
        Hints::default()
    }

    /// Reports go at least so far apart: 30 days at most, and what is more counts as that. Each is
    /// late by whole intervals of its own, by another number of them in each installation, so that
    /// a fleet spreads over the interval that is asked for.
    #[must_use]
    pub fn with_every(self, interval: Duration) -> Hints {
        Hints { every: Some(interval.min(Hints::LONGEST)), ..self }
    }

    /// Reports go from this share of the installations alone, from 0 to 1; anything else is ignored.
    /// The id decides who is among them: that of the installation if it outlives the process, or
    /// else that of the process. Those of a smaller share are among those of a larger one.
    ///
    /// Who is not among them makes no attempt for a day, or for the interval that is asked for if
    /// that is longer, and leaves out one report at least; then one more report asks again.
    #[must_use]
    pub fn with_share(self, share: f64) -> Hints {
        match (0.0..=1.0).contains(&share) {
            true => Hints { share: Some(share), ..self },
            false => self.with_unclear("share"),
        }
    }

    /// No report goes for so long, counted from now: 30 days at most, and what is more counts as
    /// that. When it is over each instance goes on at its own next interval, so a fleet does not
    /// come all at once.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Hints {
        Hints { pause: Some(pause.min(Hints::LONGEST)), ..self }
    }

    /// Notes that this part is ignored because it cannot be understood.
    pub(crate) fn with_unclear(mut self, part: &str) -> Hints {
        let parts = PARTS.iter().zip(&mut self.unclear);
        parts.filter(|(name, _)| **name == part).for_each(|(_, unclear)| *unclear = true);
        self
    }

    /// The least time between two reports; `None` if there is no such wish.
    pub fn every(&self) -> Option<Duration> {
        self.every
    }

    /// The share of the installations that is to report; `None` if there is no such wish.
    pub fn share(&self) -> Option<f64> {
        self.share
    }

    /// For how long there are to be no reports, from the answer on; `None` if there is no such wish.
    pub fn pause(&self) -> Option<Duration> {
        self.pause
    }

    /// Whether there is no wish at all.
    pub fn is_empty(&self) -> bool {
        self.every.is_none() && self.share.is_none() && self.pause.is_none()
    }

    /// What is ignored, as receivers name it.
    pub(crate) fn unclear(&self) -> Vec<&'static str> {
        let parts = PARTS.iter().zip(self.unclear);
        parts.filter(|(_, unclear)| *unclear).map(|(name, _)| *name).collect()
    }

    /// Whether they say the same, but for how long a pause lasts: a date comes nearer with each
    /// answer.
    pub(crate) fn is_like(&self, other: &Hints) -> bool {
        let without = |hints: &Hints| Hints { pause: None, ..*hints };
        self.pause.is_some() == other.pause.is_some() && without(self) == without(other)
    }

    /// What is asked for besides a pause, in words.
    pub(crate) fn words(&self) -> Vec<String> {
        let every = self.every.map(|every| format!("a report every {} at most", span(every)));
        let share =
            self.share.map(|share| format!("reports from a share of {share} of the installations"));
        every.into_iter().chain(share).collect()
    }
}

impl fmt::Display for Hints {
    /// In words, as in `a report every 24 h at most, none for 10 min`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pause = self.pause.map(|pause| format!("none for {}", span(pause)));
        let words: Vec<String> = self.words().into_iter().chain(pause).collect();
        f.write_str(if words.is_empty() { "nothing" } else { "" })?;
        f.write_str(&words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn what_is_too_long_counts_as_the_longest_and_what_is_no_share_not_at_all() {
        let hints = Hints::new().with_every(Duration::MAX).with_pause(31 * DAY);
        assert_eq!((hints.every(), hints.pause()), (Some(30 * DAY), Some(30 * DAY)));
        for share in [-0.001, 1.001, f64::NAN, f64::INFINITY] {
            let hints = Hints::new().with_share(share);
            assert!(hints.is_empty() && hints.unclear() == ["share"], "{share}");
        }
        for share in [0.0, 0.1, 1.0] {
            assert_eq!(Hints::new().with_share(share).share(), Some(share));
        }
    }

    #[test]
    fn a_date_that_comes_nearer_is_no_other_wish() {
        let asked = Hints::new().with_every(DAY);
        let (far, near) = (asked.with_pause(2 * DAY), asked.with_pause(DAY));
        assert!(far.is_like(&near) && !far.is_like(&asked));
        assert!(!asked.is_like(&asked.with_unclear("until")));
        assert!(!asked.is_like(&asked.with_share(1.0)));
    }

    #[test]
    fn words_say_what_is_asked_for() {
        let hints = Hints::new().with_every(DAY).with_share(0.1).with_pause(DAY / 144);
        assert_eq!(
            hints.to_string(),
            "a report every 24 h at most, reports from a share of 0.1 of the installations, none \
             for 10 min"
        );
        assert_eq!(Hints::new().to_string(), "nothing");
    }
}
