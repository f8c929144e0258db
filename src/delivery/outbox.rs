//! The reports that are not settled yet, oldest first, and the one thread that sends.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use super::queue::{Fate, News, Pending, Queue, Tally, Untold};
use crate::clock::Clock;
use crate::guard::caught;
use crate::report::Report;
use crate::sink::{Parcel, SendError, Sink};

/// What the outbox may hold and how long an attempt may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Reports that wait; one more, and the oldest is given up and counted.
    pub(crate) pending: usize,
    pub(crate) attempt: Duration,
}

thread_local! {
    /// Whether this thread is in a sink.
    static SENDING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the caller is called by a sink.
pub(crate) fn is_sending() -> bool {
    SENDING.get()
}

/// Reports between their seal and their end.
///
/// The application's code (the sink, the logger behind `log`, the clock) is called without the
/// queue's lock, so it may use the aggregator, and panic.
pub(crate) struct Outbox {
    /// Without a sink a report is settled by being returned to the caller.
    sink: Option<Box<dyn Sink>>,
    /// The sink's name for itself.
    to: String,
    limits: Limits,
    queue: Mutex<Queue>,
    /// Held by the thread that sends. It is never taken by recording, sampling or sealing.
    sending: Mutex<()>,
}

impl Outbox {
    pub(crate) fn new(sink: Option<Box<dyn Sink>>, limits: Limits) -> Outbox {
        let to = sink.as_ref().and_then(|sink| caught(|| sink.describe()));
        Outbox {
            sink,
            to: to.unwrap_or_else(|| "a sink".into()),
            limits,
            queue: Mutex::default(),
            sending: Mutex::new(()),
        }
    }

    /// Lost reports that no report has told of yet.
    pub(crate) fn untold(&self) -> Untold {
        self.queue.lock().untold()
    }

    /// Takes over a report made by `make`, which is given the lost reports to tell of.
    pub(crate) fn put(&self, make: impl FnOnce(Untold) -> Report) -> (Report, Arc<OnceLock<Fate>>) {
        let tells = self.queue.lock().take_untold();
        let report = make(tells);
        let mut queue = self.queue.lock();
        let pending = Pending::new(report.clone(), tells);
        let fate = pending.fate();
        match self.sink {
            None => queue.settle(pending, Fate::Accepted),
            // It is not waiting for another attempt; the next may well take all of them.
            Some(_) => queue.push(pending, self.limits.pending.saturating_add(1)),
        }
        (report, fate)
    }

    /// When the next attempt is due on the monotonic clock; `None` while there is nothing to
    /// send or a thread is sending.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.queue.lock().due()
    }

    /// Puts the next attempt off, as after a failed one.
    pub(crate) fn postpone(&self, clock: &dyn Clock, reason: &str) {
        let now = clock.now().monotonic;
        let news = self.queue.lock().failed(now, &SendError::retry(reason));
        self.log(news, reason);
    }

    /// Sends what is pending, oldest first, until nothing is or an attempt fails. Gives up when
    /// `deadline` (on the monotonic clock) has come, waiting for another sender included. Does
    /// nothing where [`is_sending`] is true: it would wait for itself.
    pub(crate) fn send(&self, clock: &dyn Clock, deadline: Option<Duration>) {
        let Some(sink) = &self.sink else { return };
        if is_sending() {
            return;
        }
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
            // A panic says nothing about the report.
            SENDING.set(true);
            let result = caught(|| sink.send(&parcel))
                .unwrap_or_else(|| Err(SendError::retry("the sink panicked").possibly_delivered()));
            SENDING.set(false);
            // Nothing that panics may come between taking a report up and noting the answer.
            let now = caught(|| clock.now().monotonic).unwrap_or_default();
            let reason = result.as_ref().err().map(SendError::to_string).unwrap_or_default();
            let retried = result.as_ref().is_err_and(SendError::is_retryable);
            let news = self.queue.lock().answered(now, result, self.limits.pending);
            self.log(news, &reason);
            if retried {
                return;
            }
        }
    }

    /// Gives up what is pending; what is put in from now on is given up at once.
    pub(crate) fn close(&self) {
        self.queue.lock().close();
    }

    pub(crate) fn tally(&self) -> Tally {
        self.queue.lock().tally()
    }

    /// One line for a change of state; none for an attempt that changes nothing.
    fn log(&self, news: Option<News>, reason: &str) {
        let to = &self.to;
        let line = match news {
            None => return,
            Some(News::Fine) => format!("telemetry reports reach {to} again"),
            Some(News::Failing) => {
                format!("a telemetry report did not reach {to} and is kept: {reason}")
            }
            Some(News::Refused) => format!("{to} refused a telemetry report for good: {reason}"),
        };
        caught(|| log::info!("{line}"));
    }
}
