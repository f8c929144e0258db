//! A report between its seal and its end.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::reason::{Losses, Reason};
use super::spool::Spooled;
use crate::clock::Moment;
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
    /// It was sealed in a lull, and waits for its end.
    pub(super) rests: bool,
    /// When it has waited for too long, on the monotonic clock.
    pub(super) expires: Duration,
    /// What of it is on disk: the report itself, or, if that could not be written, the reports that
    /// are merged in it. The files go when it is settled.
    pub(super) files: Vec<File>,
}

/// A report on disk.
pub(super) struct File {
    /// The id under which it is there.
    pub(super) id: String,
    /// How many windows it is made of.
    pub(super) windows: u64,
}

impl Pending {
    /// The report of a window, and whether it is on disk.
    pub(super) fn new(
        report: Report,
        sealed: Sealed,
        tells: Losses,
        age: Duration,
        is_spooled: bool,
    ) -> Pending {
        Pending {
            windows: sealed.windows,
            files: File::list(report.id(), sealed.windows, is_spooled),
            expires: sealed.end.monotonic.saturating_add(age),
            ticket: Arc::new(Ticket { report, fate: OnceLock::new() }),
            sealed: Some(Box::new(sealed)),
            tells,
            attempts: 0,
            rests: false,
        }
    }

    /// A report that an earlier process has left on disk: it may have arrived.
    pub(super) fn read_back(spooled: Spooled, bare: bool, now: Moment, age: Duration) -> Pending {
        let Spooled { id, sequence, sealed_at, merged, body } = spooled;
        // The only clock that both processes have; it may have been set in between.
        let waited = now.wall.duration_since(sealed_at).unwrap_or_default();
        let windows = 1 + merged.len() as u64;
        Pending {
            windows,
            files: File::list(&id, windows, true),
            expires: now.monotonic.saturating_add(age.saturating_sub(waited)),
            ticket: Arc::new(Ticket {
                report: Report::read_back(id, sequence, body, bare),
                fate: OnceLock::new(),
            }),
            sealed: None,
            tells: Losses::default(),
            attempts: 0,
            rests: false,
        }
    }

    /// Whether it is on disk as it is, for the next process to send.
    pub(super) fn is_spooled(&self) -> bool {
        self.files.iter().any(|file| file.id == self.ticket.report.id())
    }

    pub(super) fn bytes(&self) -> usize {
        self.ticket.report.body().len()
    }
}

impl File {
    /// The one file of a report, if it is on disk.
    pub(super) fn list(id: &str, windows: u64, is_spooled: bool) -> Vec<File> {
        is_spooled.then(|| File { id: id.to_owned(), windows }).into_iter().collect()
    }
}
