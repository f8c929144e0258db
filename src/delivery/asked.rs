//! What a receiver asked for when it accepted a report.

use std::time::Duration;

use crate::sink::Hints;

/// What a receiver asked for when it accepted a report, and what this installation makes of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) hints: Hints,
    pub(crate) lull: Lull,
    /// The share that is to report is without this installation.
    pub(crate) is_left_out: bool,
}

/// Until when a receiver that accepted a report wants to be left alone, on the monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Lull {
    /// No attempt is made before then, whoever wants one.
    pub(crate) hold: Duration,
    /// What is sealed before then waits, unless somebody wants an attempt. What waited already goes
    /// on: it is not what comes too often.
    pub(crate) rest: Duration,
}

impl Lull {
    /// The first window that ends after it goes.
    pub(super) fn end(&self) -> Duration {
        self.hold.max(self.rest)
    }
}
