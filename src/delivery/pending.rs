//! A report between its seal and its end.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::reason::{Losses, Reason};
use crate::report::Report;
use crate::window::Sealed;

/// A report as seen by whoever waits for its end.
pub(crate) struct Ticket {
    pub(crate) report: Report,
    /// Set once, when the report leaves the queue.
    pub(super) fate: OnceLock<Fate>,
}

/// How a report ended.
pub(crate) enum Fate {
    Accepted,
    /// The receiver will never take it, for this reason.
    Refused(String),
    Lost(Reason),
    /// It is on disk, for the next process.
    Spooled,
    /// It is part of another.
    Merged(Arc<Ticket>),
}

impl Ticket {
    /// The report that carries what this one had, and how that ended; none while it is pending.
    pub(crate) fn end(&self) -> (&Report, Option<&Fate>) {
        let mut ticket = self;
        while let Some(Fate::Merged(into)) = ticket.fate.get() {
            ticket = into;
        }
        (&ticket.report, ticket.fate.get())
    }
}

/// A report that is not settled.
pub(super) struct Pending {
    pub(super) ticket: Arc<Ticket>,
    /// The window, as long as it may become a part of the next: the receiver certainly does not
    /// have it.
    pub(super) sealed: Option<Box<Sealed>>,
    /// How many windows the report is made of.
    pub(super) windows: u64,
    /// The lost windows it tells of: untold again if it is lost itself.
    pub(super) tells: Losses,
    /// Attempts so far.
    pub(super) attempts: u32,
    /// When it has waited for too long, on the monotonic clock.
    pub(super) expires: Duration,
}

impl Pending {
    pub(super) fn new(report: Report, sealed: Sealed, tells: Losses, expires: Duration) -> Pending {
        Pending {
            windows: sealed.windows,
            sealed: Some(Box::new(sealed)),
            ..Pending::read_back(report, tells, expires)
        }
    }

    /// A report of which nothing is left but its bytes.
    pub(super) fn read_back(report: Report, tells: Losses, expires: Duration) -> Pending {
        let ticket = Arc::new(Ticket { report, fate: OnceLock::new() });
        Pending { ticket, sealed: None, windows: 1, tells, attempts: 0, expires }
    }

    pub(super) fn bytes(&self) -> usize {
        self.ticket.report.body().len()
    }
}
