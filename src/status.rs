//! What the aggregator says about itself.

use std::fmt;
use std::time::Duration;

use crate::clock::span;
use crate::delivery::{Outcome, Tally};
use crate::report::Report;
use crate::sink::{Hints, SendError};
use crate::switch::Decision;

/// What the switch decided, what was delivered, and what waits. A snapshot; taking it changes
/// nothing.
///
/// Its `Display` is one line that is fit to print when the program starts:
/// `telemetry: on (default)`. What the receiver asks for follows there, as long as it does.
#[derive(Clone, Debug)]
pub struct Status {
    pub(crate) switch: Decision,
    pub(crate) next_report: Option<Duration>,
    pub(crate) next_attempt: Option<Duration>,
    /// For how long what is sealed waits because the receiver asked for that.
    pub(crate) waits: Duration,
    pub(crate) tally: Tally,
}

impl Status {
    /// Whether anything is reported, and which rule decided it.
    pub fn switch(&self) -> &Decision {
        &self.switch
    }

    /// The time until the background thread makes the next report; `None` when there is none.
    pub fn next_report(&self) -> Option<Duration> {
        self.next_report
    }

    /// The time until the next attempt to deliver what waits, zero when one is due or under way
    /// as soon as a thread comes to it; `None` when nothing waits, or not before the next report.
    pub fn next_attempt(&self) -> Option<Duration> {
        self.next_attempt
    }

    /// Windows whose report was accepted. Each window that was sealed, or found in the
    /// [`spool`](crate::Builder::spool), is accepted, pending, lost, or after a shutdown spooled.
    pub fn accepted(&self) -> u64 {
        self.tally.accepted
    }

    /// Sealed windows that wait for another attempt, in as many reports or, merged, in fewer.
    pub fn pending(&self) -> u64 {
        self.tally.pending
    }

    /// Windows that were given up, and files of the spool that were not whole. The next report's
    /// envelope, if there is one, tells of them, but not of what was withdrawn.
    pub fn lost(&self) -> u64 {
        self.tally.lost.total()
    }

    /// The same by reason, by the names that a report's `losses` has for them (see
    /// [`Builder::bare`](crate::Builder::bare)); those there were. Two are here alone:
    /// `reports_unshipped` (they waited when the program ended) and `reports_withdrawn` (reporting
    /// was switched off).
    pub fn losses(&self) -> Vec<(&'static str, u64)> {
        self.tally.lost.by_reason()
    }

    /// How much detail of reports was left out so that they have no more bytes than
    /// [`Builder::max_body`](crate::Builder::max_body) says, added up over all reports that were made;
    /// one that is made again because it becomes one with the next counts once more.
    pub fn dropped_details(&self) -> u64 {
        self.tally.left_out
    }

    /// Attempts to deliver a report, successful or not.
    pub fn attempts(&self) -> u64 {
        self.tally.attempts
    }

    /// What the last attempt came to; `None` before the first.
    pub fn last_outcome(&self) -> Option<Outcome> {
        self.tally.outcome
    }

    /// The report that was accepted last, with the very bytes; `None` before the first, and none of
    /// before reporting was switched off. Where the switch says
    /// [`Local`](crate::Mode::Local) it is the one that was written last.
    pub fn last_report(&self) -> Option<&Report> {
        self.tally.delivered.as_ref()
    }

    /// Why the last attempt failed: what happened, and with which host; `None` when it did not.
    pub fn last_error(&self) -> Option<&SendError> {
        self.tally.error.as_ref()
    }

    /// What the receiver asked for when it last accepted a report, as far as it counts; empty if it
    /// asked for nothing. Of a pause it is the whole length.
    pub fn hints(&self) -> Hints {
        self.tally.asked.hints
    }

    /// Whether the receiver wants reports from a share of the installations without this one.
    pub fn is_left_out(&self) -> bool {
        self.tally.asked.is_left_out
    }

    /// For how long reports wait because the receiver asked for that, by its hints or by
    /// `Retry-After`: the first window that ends after that takes along what waits. `None` when
    /// nothing keeps them. A [`flush`](crate::CallHome::flush) keeps to it, but for
    /// [`Hints::every`]: that is about reports that nobody asks for.
    pub fn waits(&self) -> Option<Duration> {
        (!self.waits.is_zero()).then_some(self.waits)
    }

    /// What the receiver asks for, in words; `None` if nothing.
    pub(crate) fn asked(&self) -> Option<String> {
        let mut words = self.hints().words();
        if self.is_left_out() {
            words.push("none from this one".to_owned());
        }
        words.extend(self.waits().map(|waits| format!("reports wait for {}", span(waits))));
        (!words.is_empty()).then(|| words.join(", "))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.switch.fmt(f)?;
        match self.asked() {
            Some(asked) => write!(f, "; the receiver asks for less: {asked}"),
            None => Ok(()),
        }
    }
}

/// What became of the last window and of what was pending, see
/// [`CallHome::shutdown`](crate::CallHome::shutdown).
#[derive(Clone, Debug, Default)]
#[must_use = "it says whether the last report was lost"]
pub struct Shutdown {
    pub(crate) accepted: u64,
    pub(crate) spooled: u64,
    pub(crate) lost: u64,
    pub(crate) last_error: Option<String>,
}

impl Shutdown {
    /// Windows whose report was accepted during the shutdown.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Windows that were not accepted by the deadline and are in the
    /// [`spool`](crate::Builder::spool): the next process sends them.
    pub fn spooled(&self) -> u64 {
        self.spooled
    }

    /// Windows that ended with the process: refused, or not accepted by the deadline.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Why the last attempt failed, in words; `None` when it did not.
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }
}

impl fmt::Display for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} accepted", self.accepted)?;
        if self.spooled > 0 {
            write!(f, ", {} spooled", self.spooled)?;
        }
        write!(f, ", {} lost", self.lost)?;
        match &self.last_error {
            Some(error) => write!(f, " ({error})"),
            None => Ok(()),
        }
    }
}
