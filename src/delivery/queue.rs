//! The queue of the outbox: its states and counts, without any waiting or sending.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::backoff;
use crate::report::Report;
use crate::sink::SendError;

/// Reports that were given up, by reason, and that no report has told of yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Untold {
    /// The receiver would never have taken them.
    pub(crate) refused: u64,
    /// Too many were waiting.
    pub(crate) overflowed: u64,
}

/// How a report ended. Not set while it is pending.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    Accepted,
    /// The receiver will never take it, for this reason.
    Refused(String),
    /// Too many waited, or the program ended.
    GivenUp,
}

/// What delivery has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum News {
    Fine,
    Failing,
    Refused,
}

/// What became of the reports so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) lost: u64,
    pub(crate) pending: usize,
    pub(crate) attempts: u64,
    /// Why the last attempt failed.
    pub(crate) last_error: Option<String>,
}

/// A report that is not settled.
pub(crate) struct Pending {
    report: Report,
    /// The lost reports it tells of: untold again if it is lost itself.
    tells: Untold,
    attempts: u32,
    fate: Arc<OnceLock<Fate>>,
}

impl Pending {
    pub(crate) fn new(report: Report, tells: Untold) -> Pending {
        Pending { report, tells, attempts: 0, fate: Arc::default() }
    }

    /// Where its end will be noted.
    pub(crate) fn fate(&self) -> Arc<OnceLock<Fate>> {
        Arc::clone(&self.fate)
    }
}

/// Reports that wait, oldest first.
#[derive(Default)]
pub(crate) struct Queue {
    pending: VecDeque<Pending>,
    /// The front report is with the sink and must stay.
    in_flight: bool,
    /// Failed attempts in a row.
    failures: u32,
    /// No attempt before this instant of the monotonic clock, unless somebody asks for one.
    not_before: Duration,
    /// What the last attempt came to.
    state: Option<News>,
    closed: bool,
    untold: Untold,
    tally: Tally,
}

impl Queue {
    pub(crate) fn untold(&self) -> Untold {
        self.untold
    }

    /// The lost reports to tell of, for a report that tells of them.
    pub(crate) fn take_untold(&mut self) -> Untold {
        std::mem::take(&mut self.untold)
    }

    pub(crate) fn due(&self) -> Option<Duration> {
        (!self.pending.is_empty() && !self.in_flight).then_some(self.not_before)
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally { pending: self.pending.len(), ..self.tally.clone() }
    }

    /// Puts a report at the end, and gives up the oldest if there are more than `most`.
    pub(crate) fn push(&mut self, pending: Pending, most: usize) {
        if self.closed {
            return self.settle(pending, Fate::GivenUp);
        }
        self.pending.push_back(pending);
        self.trim(most);
    }

    /// The report to send next, and which attempt at it this is.
    pub(crate) fn take_up(&mut self) -> Option<(Report, u32)> {
        let pending = self.pending.front_mut()?;
        pending.attempts = pending.attempts.saturating_add(1);
        self.in_flight = true;
        self.tally.attempts += 1;
        Some((pending.report.clone(), pending.attempts))
    }

    /// Notes the answer to the attempt at the front report. After a failure no more than `most`
    /// reports stay. Returns what is new.
    pub(crate) fn answered(
        &mut self,
        now: Duration,
        result: Result<(), SendError>,
        most: usize,
    ) -> Option<News> {
        self.in_flight = false;
        let (fate, news) = match result {
            Ok(()) => {
                self.tally.last_error = None;
                (Fate::Accepted, News::Fine)
            }
            Err(error) if error.is_retryable() => {
                let news = self.failed(now, &error);
                self.trim(most);
                return news;
            }
            Err(error) => {
                self.tally.last_error = Some(error.to_string());
                (Fate::Refused(error.to_string()), News::Refused)
            }
        };
        (self.failures, self.not_before) = (0, Duration::ZERO);
        if let Some(pending) = self.pending.pop_front() {
            self.settle(pending, fate);
        }
        self.becomes(news)
    }

    /// Notes a failed attempt, or one that could not be made. Returns what is new.
    pub(crate) fn failed(&mut self, now: Duration, error: &SendError) -> Option<News> {
        self.failures = self.failures.saturating_add(1);
        let wait = backoff::wait(self.failures, error.retry_after());
        self.not_before = now.saturating_add(wait);
        self.tally.last_error = Some(error.to_string());
        self.becomes(News::Failing)
    }

    /// The new state, if it is one. That all is well goes without saying at first.
    fn becomes(&mut self, state: News) -> Option<News> {
        let before = self.state.replace(state);
        (before.unwrap_or(News::Fine) != state).then_some(state)
    }

    /// Gives up the oldest reports until no more than `most` wait. The one that is with the sink
    /// stays: it may be accepted yet.
    fn trim(&mut self, most: usize) {
        while self.pending.len() > most.max(usize::from(self.in_flight)) {
            let Some(pending) = self.pending.remove(usize::from(self.in_flight)) else { return };
            self.untold.overflowed = self.untold.overflowed.saturating_add(1);
            self.settle(pending, Fate::GivenUp);
        }
    }

    /// Gives up everything, also what is with the sink: if that is accepted after all, nobody
    /// is there any more to be told.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        while let Some(pending) = self.pending.pop_front() {
            self.settle(pending, Fate::GivenUp);
        }
    }

    /// Notes the end of a report that is not in the queue any more.
    pub(crate) fn settle(&mut self, pending: Pending, fate: Fate) {
        if fate == Fate::Accepted {
            self.tally.accepted += 1;
        } else {
            self.tally.lost += 1;
            self.untold.refused += pending.tells.refused;
            self.untold.overflowed += pending.tells.overflowed;
            self.untold.refused += u64::from(matches!(fate, Fate::Refused(_)));
        }
        // It is set once: a report leaves the queue once.
        let _ = pending.fate.set(fate);
    }
}
