//! What the aggregator says about itself.

use std::fmt;
use std::time::Duration;

use crate::delivery::Tally;
use crate::switch::Decision;

/// What the switch decided, what was delivered, and what waits. A snapshot; taking it changes
/// nothing.
///
/// Its `Display` is one line that is fit to print when the program starts:
/// `telemetry: on (default)`.
#[derive(Clone, Debug)]
pub struct Status {
    pub(crate) switch: Decision,
    pub(crate) next_report: Option<Duration>,
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

    /// Reports that were accepted.
    pub fn accepted(&self) -> u64 {
        self.tally.accepted
    }

    /// Sealed reports that wait for another attempt.
    pub fn pending(&self) -> usize {
        self.tally.pending
    }

    /// Reports that were given up: refused for good, one too many waiting, or not accepted when the
    /// aggregator was shut down. The next report's envelope, if there is one, tells of them.
    pub fn lost(&self) -> u64 {
        self.tally.lost
    }

    /// Attempts to deliver a report, successful or not.
    pub fn attempts(&self) -> u64 {
        self.tally.attempts
    }

    /// Why the last attempt failed, in words; `None` when it did not.
    pub fn last_error(&self) -> Option<&str> {
        self.tally.last_error.as_deref()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.switch.fmt(f)
    }
}

/// What became of the last window and of what was pending, see
/// [`CallHome::shutdown`](crate::CallHome::shutdown).
#[derive(Clone, Debug)]
#[must_use = "it says whether the last report was lost"]
pub struct Shutdown {
    pub(crate) accepted: u64,
    pub(crate) lost: u64,
    pub(crate) last_error: Option<String>,
}

impl Shutdown {
    /// Reports that were accepted during the shutdown.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Reports that ended with the process: refused, or not accepted by the deadline.
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
        write!(f, "{} accepted, {} lost", self.accepted, self.lost)?;
        match &self.last_error {
            Some(error) => write!(f, " ({error})"),
            None => Ok(()),
        }
    }
}
