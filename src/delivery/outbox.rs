//! The reports that are not settled yet, oldest first, and the one thread that sends.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use super::backoff;
use crate::clock::Clock;
use crate::report::Report;
use crate::sink::{Parcel, SendError, Sink};

/// What the outbox may hold and how long an attempt may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Reports that wait; one more, and the oldest is given up and counted.
    pub(crate) pending: usize,
    pub(crate) attempt: Duration,
}

/// How a report ended. Not set while it is pending.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fate {
    Accepted,
    /// Given up, for this reason.
    Lost(String),
}

/// Reports between their seal and their end.
pub(crate) struct Outbox {
    /// Without a sink a report is settled by being returned to the caller.
    sink: Option<Box<dyn Sink>>,
    limits: Limits,
    queue: Mutex<Queue>,
    /// Held by the thread that sends. It is never taken by recording, sampling or sealing.
    sending: Mutex<()>,
}

#[derive(Default)]
struct Queue {
    pending: VecDeque<Pending>,
    /// The front report is with the sink and must stay.
    in_flight: bool,
    /// Failed attempts in a row.
    failures: u32,
    /// No attempt before this instant of the monotonic clock, unless somebody asks for one.
    not_before: Duration,
    /// Reports given up that no report has told of yet.
    untold: u64,
    tally: Tally,
}

/// What became of the reports so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) lost: u64,
    pub(crate) pending: usize,
    pub(crate) attempts: u64,
    pub(crate) last_error: Option<String>,
}

struct Pending {
    report: Report,
    /// How many lost reports this one tells of: untold again if it is lost itself.
    tells: u64,
    attempts: u32,
    fate: Arc<OnceLock<Fate>>,
}

impl Outbox {
    pub(crate) fn new(sink: Option<Box<dyn Sink>>, limits: Limits) -> Outbox {
        Outbox { sink, limits, queue: Mutex::default(), sending: Mutex::new(()) }
    }

    /// Lost reports that no report has told of yet.
    pub(crate) fn untold(&self) -> u64 {
        self.queue.lock().untold
    }

    /// Takes over a report made by `make`, which is given the number of lost reports to tell of.
    pub(crate) fn put(&self, make: impl FnOnce(u64) -> Report) -> (Report, Arc<OnceLock<Fate>>) {
        let mut queue = self.queue.lock();
        let tells = std::mem::take(&mut queue.untold);
        let report = make(tells);
        let fate = Arc::new(OnceLock::new());
        let pending =
            Pending { report: report.clone(), tells, attempts: 0, fate: Arc::clone(&fate) };
        if self.sink.is_none() {
            queue.settle(pending, Fate::Accepted);
            return (report, fate);
        }
        queue.pending.push_back(pending);
        // The new one is not waiting for another attempt; the next may well take all of them.
        queue.trim(self.limits.pending.saturating_add(1));
        (report, fate)
    }

    /// When the next attempt is due on the monotonic clock; `None` while there is nothing to
    /// send or a thread is sending.
    pub(crate) fn due(&self) -> Option<Duration> {
        let queue = self.queue.lock();
        (!queue.pending.is_empty() && !queue.in_flight).then_some(queue.not_before)
    }

    /// Puts the next attempt off, as after a failed one.
    pub(crate) fn postpone(&self, clock: &dyn Clock, reason: &str) {
        self.queue.lock().failed(clock, &SendError::retry(reason), "its thread");
    }

    /// Sends what is pending, oldest first, until nothing is or an attempt fails. Gives up when
    /// `deadline` (on the monotonic clock) has come, waiting for another sender included.
    pub(crate) fn send(&self, clock: &dyn Clock, deadline: Option<Duration>) {
        let Some(sink) = &self.sink else { return };
        let left = || deadline.map(|deadline| deadline.saturating_sub(clock.now().monotonic));
        let _sending = match left() {
            None => self.sending.lock(),
            Some(left) => match self.sending.try_lock_for(left) {
                Some(sending) => sending,
                None => return,
            },
        };
        loop {
            let timeout = left().unwrap_or(Duration::MAX).min(self.limits.attempt);
            if timeout.is_zero() {
                return;
            }
            let Some((report, attempt)) = self.queue.lock().take_up() else { return };
            let parcel = Parcel::new(report.id(), attempt, report.body().as_bytes(), timeout);
            // The sink may be the application's; a panic in it says nothing about the report.
            let result =
                catch_unwind(AssertUnwindSafe(|| sink.send(&parcel))).unwrap_or_else(|_| {
                    Err(SendError::retry("the sink panicked").possibly_delivered())
                });
            let mut queue = self.queue.lock();
            if !queue.answered(clock, result, &sink.describe()) {
                queue.trim(self.limits.pending);
                return;
            }
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        let queue = self.queue.lock();
        Tally { pending: queue.pending.len(), ..queue.tally.clone() }
    }
}

impl Queue {
    /// The report to send next, and which attempt at it this is.
    fn take_up(&mut self) -> Option<(Report, u32)> {
        let pending = self.pending.front_mut()?;
        pending.attempts = pending.attempts.saturating_add(1);
        self.in_flight = true;
        self.tally.attempts += 1;
        Some((pending.report.clone(), pending.attempts))
    }

    /// Notes the answer to the attempt at the front report. True when the next one may follow.
    fn answered(&mut self, clock: &dyn Clock, result: Result<(), SendError>, to: &str) -> bool {
        self.in_flight = false;
        let fate = match result {
            Ok(()) => {
                if self.failures > 0 {
                    log::info!("telemetry reports reach {to} again");
                }
                (self.failures, self.not_before, self.tally.last_error) = (0, Duration::ZERO, None);
                Fate::Accepted
            }
            Err(error) if error.is_retryable() => {
                self.failed(clock, &error, to);
                return false;
            }
            Err(error) => {
                log::info!("{to} refused a telemetry report for good: {error}");
                self.tally.last_error = Some(error.to_string());
                Fate::Lost(error.to_string())
            }
        };
        if let Some(pending) = self.pending.pop_front() {
            self.settle(pending, fate);
        }
        true
    }

    fn failed(&mut self, clock: &dyn Clock, error: &SendError, to: &str) {
        if self.failures == 0 {
            log::info!("a telemetry report did not reach {to} and is kept: {error}");
        }
        self.failures = self.failures.saturating_add(1);
        let wait = backoff::wait(self.failures, error.retry_after());
        self.not_before = clock.now().monotonic.saturating_add(wait);
        self.tally.last_error = Some(error.to_string());
    }

    /// Gives up the oldest reports until no more than `most` wait. The one that is with the sink
    /// stays: it may be accepted yet.
    fn trim(&mut self, most: usize) {
        while self.pending.len() > most.max(usize::from(self.in_flight)) {
            let Some(pending) = self.pending.remove(usize::from(self.in_flight)) else { return };
            self.settle(pending, Fate::Lost("too many reports were waiting".into()));
        }
    }

    fn settle(&mut self, pending: Pending, fate: Fate) {
        match fate {
            Fate::Accepted => self.tally.accepted += 1,
            Fate::Lost(_) => {
                self.tally.lost += 1;
                self.untold = self.untold.saturating_add(pending.tells).saturating_add(1);
            }
        }
        // Set once only: a report leaves the queue once.
        let _ = pending.fate.set(fate);
    }
}
