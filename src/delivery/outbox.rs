//! The reports that are not settled yet, oldest first, and the one thread that sends.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::disk::Disk;
use super::limits::Limits;
use super::pending::{Fate, Pending, Ticket};
use super::queue::{Outcome, Queue, Tally};
use super::reason::Losses;
use super::spool::Found;
use crate::clock::{Clock, Moment};
use crate::guard::caught;
use crate::report::Report;
use crate::sink::{Parcel, SendError, Sink};
use crate::window::Sealed;

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
    /// What waits is on disk too, where there is a spool.
    disk: Disk,
    queue: Mutex<Queue>,
    /// Held by the thread that sends. It is never taken by recording, sampling or sealing.
    sending: Mutex<()>,
}

impl Outbox {
    /// With what an earlier process has left in `spool`; nothing is sent yet. `bare` says how its
    /// reports are to be read.
    pub(crate) fn new(
        sink: Option<Box<dyn Sink>>,
        limits: Limits,
        spool: Option<&Path>,
        bare: bool,
        now: Moment,
    ) -> Outbox {
        let to = sink.as_ref().and_then(|sink| caught(|| sink.describe()));
        let (disk, Found { reports, set_aside, .. }) = Disk::open(spool.filter(|_| sink.is_some()));
        let mut queue = Queue::new(limits);
        let reports = reports.into_iter();
        let reports = reports.map(|report| Pending::read_back(report, bare, now, limits.age));
        queue.read_back(reports, set_aside);
        disk.remove(&queue.take_gone());
        Outbox {
            sink,
            to: to.unwrap_or_else(|| "a sink".into()),
            limits,
            disk,
            queue: Mutex::new(queue),
            sending: Mutex::new(()),
        }
    }

    /// What [`put`](Outbox::put) would make of a window; nothing changes.
    pub(crate) fn preview(
        &self,
        mut sealed: Sealed,
        make: impl FnOnce(&Sealed, &Losses) -> Report,
    ) -> Report {
        let tells = self.queue.lock().merged(&mut sealed);
        make(&sealed, &tells)
    }

    /// Takes over a window, and with it those before it that were kept for it and that the receiver
    /// certainly does not have: they become one. `make` makes the report, given what it has to tell of. No window follows
    /// the `last`.
    pub(crate) fn put(
        &self,
        mut sealed: Sealed,
        last: bool,
        make: impl FnOnce(&Sealed, &Losses) -> Report,
    ) -> Arc<Ticket> {
        let (tells, parts) = self.queue.lock().merge(&mut sealed);
        let report = make(&sealed, &tells);
        let parts_files = parts.iter().flat_map(|part| part.files.iter().cloned()).collect();
        // The report is on disk before its parts are not: a crash in between leaves both, and the
        // file tells which are parts.
        let (files, old) = match self.disk.write(&report, &sealed) {
            true => (vec![report.id().to_owned()], parts_files),
            false => (parts_files, Vec::new()),
        };
        self.disk.remove(&old);
        let pending = Pending::new(report, sealed, tells, self.limits.age, files);
        let ticket = Arc::clone(&pending.ticket);
        self.change(|queue| {
            match self.sink {
                None => queue.settle(pending, Fate::Accepted),
                Some(_) => queue.push(pending),
            }
            if last {
                queue.note_last();
            }
        });
        for part in parts {
            let _ = part.ticket.fate.set(Fate::Merged(Arc::clone(&ticket)));
        }
        ticket
    }

    /// When the next attempt is due on the monotonic clock; `None` while there is nothing to
    /// send, a thread is sending, or a window has to be sealed first.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.queue.lock().due()
    }

    /// Until when the receiver asked to be left alone, on the monotonic clock.
    pub(crate) fn asked_until(&self) -> Duration {
        self.queue.lock().asked_until()
    }

    /// Puts the next attempt off, as after a failed one.
    pub(crate) fn postpone(&self, clock: &dyn Clock, reason: &str) {
        let now = clock.now().monotonic;
        let news = self.queue.lock().failed(now, &SendError::retry(reason));
        self.log(news, reason);
    }

    /// Sends what is pending and due, oldest first, until nothing is or an attempt fails.
    pub(crate) fn send_due(&self, clock: &dyn Clock) {
        self.send(clock, None, false);
    }

    /// Sends what is pending, oldest first, until nothing is or an attempt fails; the first even
    /// if it is not due, for somebody asks for it. Gives up when `deadline` (on the monotonic
    /// clock) has come, waiting for another sender included.
    pub(crate) fn send_now(&self, clock: &dyn Clock, deadline: Option<Duration>) {
        self.send(clock, deadline, true);
    }

    /// Does nothing where [`is_sending`] is true: it would wait for itself.
    fn send(&self, clock: &dyn Clock, deadline: Option<Duration>, mut urgent: bool) {
        let Some(sink) = &self.sink else { return };
        if is_sending() {
            return;
        }
        let left = |now| deadline.map(|deadline| deadline.saturating_sub(now));
        let _sending = match left(clock.now().monotonic) {
            None => self.sending.lock(),
            Some(left) => match self.sending.try_lock_for(left) {
                Some(sending) => sending,
                None => return,
            },
        };
        loop {
            let now = clock.now().monotonic;
            let timeout = left(now).unwrap_or(Duration::MAX).min(self.limits.attempt);
            if timeout.is_zero() {
                return;
            }
            let next = self.change(|queue| queue.take_up(now, urgent));
            let Some((report, attempt)) = next else { return };
            urgent = false;
            let parcel = Parcel::new(report.id(), attempt, report.body().as_bytes(), timeout);
            // A panic says nothing about the report.
            SENDING.set(true);
            let result = caught(|| sink.send(&parcel))
                .unwrap_or_else(|| Err(SendError::retry("the sink panicked").possibly_delivered()));
            SENDING.set(false);
            // Nothing that panics may come between taking a report up and noting the answer.
            let now = caught(|| clock.now().monotonic).unwrap_or(now);
            let reason = result.as_ref().err().map(SendError::to_string).unwrap_or_default();
            let retried = result.as_ref().is_err_and(SendError::is_retryable);
            let news = self.change(|queue| queue.answered(now, result));
            self.log(news, &reason);
            if retried {
                return;
            }
        }
    }

    /// Gives up what is pending, and says what became of all; what is put in from now on is given
    /// up at once. Does not wait for a disk that hangs: what it leaves there is sent again, under
    /// its id.
    pub(crate) fn close(&self) -> Tally {
        let mut queue = self.queue.lock();
        let (tally, gone) = (queue.close(), queue.take_gone());
        drop(queue);
        self.disk.try_remove(&gone);
        tally
    }

    pub(crate) fn tally(&self) -> Tally {
        self.queue.lock().tally()
    }

    /// Changes the queue, and removes the files of what is settled by it.
    fn change<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        let mut queue = self.queue.lock();
        let result = change(&mut queue);
        let gone = queue.take_gone();
        drop(queue);
        self.disk.remove(&gone);
        result
    }

    /// One line for a change of state; none for an attempt that changes nothing.
    fn log(&self, news: Option<Outcome>, reason: &str) {
        let to = &self.to;
        let line = match news {
            None => return,
            Some(Outcome::Accepted) => format!("telemetry reports reach {to} again"),
            Some(Outcome::Failed) => {
                format!("a telemetry report did not reach {to} and is kept: {reason}")
            }
            Some(Outcome::Refused) => {
                format!("{to} refused a telemetry report for good: {reason}")
            }
        };
        caught(|| log::info!("{line}"));
    }
}
