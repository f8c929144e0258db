//! The reports that are not settled yet, oldest first, and the one thread that sends.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use log::Level;
use parking_lot::{Mutex, MutexGuard};

use super::asked::Asked;
use super::disk::Disk;
use super::limits::Limits;
use super::pending::{Fate, Pending, Ticket};
use super::queue::{News, Outcome, Queue, Tally};
use super::reason::Losses;
use super::spool::Found;
use crate::clock::{Clock, Moment};
use crate::consent::Consent;
use crate::guard::caught;
use crate::report::Report;
use crate::sink::{Hints, Parcel, SendError, Sink};
use crate::window::Sealed;

thread_local! {
    /// Whether this thread sends. It has no destructor, so that it is there in those of other
    /// thread-locals.
    static SENDING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the caller is called by a sink, or by the logger that is told of the answer.
pub(crate) fn is_sending() -> bool {
    SENDING.get()
}

/// The turn of the one thread that sends.
struct Turn<'a> {
    _sending: MutexGuard<'a, ()>,
}

impl<'a> Turn<'a> {
    fn new(sending: MutexGuard<'a, ()>) -> Turn<'a> {
        SENDING.set(true);
        Turn { _sending: sending }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        SENDING.set(false);
    }
}

/// Reports between their seal and their end.
///
/// The application's code (the sink, the logger behind `log`, the clock) is called without the
/// queue's lock, so it may use the aggregator, and panic.
pub(crate) struct Outbox {
    consent: Arc<Consent>,
    /// Without a sink a report is settled by being returned to the caller.
    pub(super) home: Option<Address>,
    /// Where reports go that the operator wants to see and not to send.
    local: Address,
    pub(super) limits: Limits,
    /// Reports go without an envelope.
    pub(super) bare: bool,
    /// What waits is on disk too, where there is a spool.
    pub(super) disk: Disk,
    pub(super) queue: Mutex<Queue>,
    /// Held by the thread that sends. It is never taken by recording, sampling or sealing.
    sending: Mutex<()>,
    /// Held while events are put together.
    pub(super) putting: Mutex<()>,
}

impl Outbox {
    /// An outbox without anything in it; the spool is not opened yet. `bare` says how reports that
    /// are read back are to be read.
    pub(crate) fn new(
        consent: Arc<Consent>,
        home: Option<Box<dyn Sink>>,
        local: Box<dyn Sink>,
        limits: Limits,
        spool: Option<PathBuf>,
        bare: bool,
    ) -> Outbox {
        Outbox {
            disk: Disk::new(spool.filter(|_| home.is_some())),
            consent,
            home: home.map(Address::new),
            local: Address::new(local),
            limits,
            bare,
            queue: Mutex::new(Queue::new(limits)),
            sending: Mutex::new(()),
            putting: Mutex::new(()),
        }
    }

    /// How many bytes a report may have.
    pub(crate) fn most(&self) -> usize {
        self.limits.body
    }

    /// Where reports are kept on disk, if anywhere.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.disk.directory()
    }

    /// Opens the spool and takes over what earlier processes have left in it, or removes that, to
    /// begin `afresh`. Nothing is sent yet.
    pub(crate) fn begin(&self, now: Moment, afresh: bool) {
        let Found { reports, set_aside, .. } = self.disk.open(afresh);
        let age = self.limits.age;
        let reports = reports.into_iter();
        let reports = reports.map(|report| Pending::read_back(report, self.bare, now, age));
        self.change(|queue| queue.begin(reports, set_aside));
    }

    /// Gives up what is pending, on disk too, as if there had never been anything.
    pub(crate) fn cancel(&self) {
        // Events that are being put together are among what is pending first.
        let _putting = self.putting.lock();
        self.change(Queue::cancel);
        self.disk.wipe();
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
    /// certainly does not have: they become one. `make` makes the report, given what it has to tell
    /// of. No window follows the `last`.
    pub(crate) fn put(
        &self,
        mut sealed: Sealed,
        last: bool,
        make: impl FnOnce(&Sealed, &Losses) -> Report,
    ) -> Arc<Ticket> {
        let (tells, parts) = self.queue.lock().merge(&mut sealed);
        let report = make(&sealed, &tells);
        // The file names all windows that are in the report, and the files of its parts, as many of
        // its windows as the report does.
        let mut merged: Vec<String> = sealed.merged.iter().map(ToString::to_string).collect();
        for part in parts {
            if !merged.contains(&part) {
                merged.push(part);
            }
        }
        // The report is on disk before its parts are not: a crash in between leaves both, and the
        // file tells which are parts.
        let is_spooled = self.disk.write(&report, &merged, sealed.end.wall);
        let (now, left_out) = (sealed.end.monotonic, report.left_out() as u64);
        let pending = Pending::new(report, sealed, tells, self.limits.age, is_spooled);
        let ticket = Arc::clone(&pending.ticket);
        self.change(|queue| {
            queue.note_left_out(left_out);
            match self.home {
                None => queue.settle(pending, Fate::Accepted),
                Some(_) => queue.push(now, pending),
            }
            if last {
                queue.note_last();
            }
        });
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

    /// Until when what is sealed waits because the receiver asked for that, on the monotonic clock.
    pub(crate) fn waits_until(&self) -> Duration {
        self.queue.lock().waits_until()
    }

    /// Puts the next attempt off, as after a failed one.
    pub(crate) fn postpone(&self, clock: &dyn Clock, reason: &str) {
        let now = clock.now().monotonic;
        let outcome = self.queue.lock().failed(now, &SendError::retry(reason));
        self.home.iter().for_each(|to| to.log(News { outcome, hints: None }, reason));
    }

    /// Sends what is pending and due, oldest first, until nothing is or an attempt fails. `asked`
    /// says what hints come to for this installation at this moment.
    pub(crate) fn send_due(&self, clock: &dyn Clock, asked: impl Fn(Hints, Duration) -> Asked) {
        self.send(clock, None, false, asked);
    }

    /// Sends what is pending, oldest first, until nothing is or an attempt fails; the first even
    /// if it is not due, for somebody asks for it. Gives up when `deadline` (on the monotonic
    /// clock) has come, waiting for another sender included.
    pub(crate) fn send_now(
        &self,
        clock: &dyn Clock,
        deadline: Option<Duration>,
        asked: impl Fn(Hints, Duration) -> Asked,
    ) {
        self.send(clock, deadline, true, asked);
    }

    /// Asks the sources of the switch, as before every attempt: the operator may have said no since.
    pub(crate) fn may_send(&self) -> bool {
        let is_open = self.consent.check();
        // What stays on this machine is no receiver's business.
        if self.consent.is_local() {
            self.queue.lock().forget_hints();
        }
        is_open
    }

    /// Does nothing where [`is_sending`] is true: it would wait for itself.
    fn send(
        &self,
        clock: &dyn Clock,
        deadline: Option<Duration>,
        mut urgent: bool,
        asked: impl Fn(Hints, Duration) -> Asked,
    ) {
        let Some(home) = &self.home else { return };
        if is_sending() {
            return;
        }
        let left = |now| deadline.map(|deadline| deadline.saturating_sub(now));
        let sending = match left(clock.now().monotonic) {
            None => Some(self.sending.lock()),
            Some(left) => self.sending.try_lock_for(left),
        };
        let Some(_turn) = sending.map(Turn::new) else { return };
        loop {
            let now = clock.now().monotonic;
            let timeout = left(now).unwrap_or(Duration::MAX).min(self.limits.attempt);
            if timeout.is_zero() || !self.may_send() {
                return;
            }
            // Each that is settled makes room for events that were taken in.
            self.put_batches(clock.now());
            let next = self.change(|queue| queue.take_up(now, urgent));
            let Some((report, attempt)) = next else { return };
            // Asked after the report is taken up: what was sealed to stay here was so by then.
            let to = if self.consent.is_local() { &self.local } else { home };
            urgent = false;
            let parcel = Parcel::new(report.id(), attempt, report.body().as_bytes(), timeout);
            // A panic says nothing about the report.
            let result = caught(|| to.sink.send(&parcel))
                .unwrap_or_else(|| Err(SendError::retry("the sink panicked").possibly_delivered()));
            // Nothing that panics may come between taking a report up and noting the answer.
            let now = caught(|| clock.now().monotonic).unwrap_or(now);
            let reason = result.as_ref().err().map(SendError::to_string).unwrap_or_default();
            let retried = result.as_ref().is_err_and(SendError::is_retryable);
            let result = result.map(|()| asked(parcel.hints(), now));
            let news = self.change(|queue| queue.answered(now, report.id(), result));
            to.log(news, &reason);
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

    /// Notes what [`tell`](Outbox::tell) says.
    pub(crate) fn note(&self, level: Level, line: String) {
        self.disk.note(level, line);
    }

    /// Logs what was noted while something was locked.
    pub(crate) fn tell(&self) {
        self.disk.tell();
    }

    pub(crate) fn tally(&self) -> Tally {
        self.queue.lock().tally()
    }

    /// Changes the queue, and removes the files of what is settled by it.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        let mut queue = self.queue.lock();
        let result = change(&mut queue);
        let gone = queue.take_gone();
        drop(queue);
        self.disk.remove(&gone);
        result
    }
}

/// A sink and its name for itself.
pub(super) struct Address {
    sink: Box<dyn Sink>,
    name: String,
}

impl Address {
    fn new(sink: Box<dyn Sink>) -> Address {
        let name = caught(|| sink.describe()).unwrap_or_else(|| "a sink".into());
        Address { sink, name }
    }

    /// One line for each change of state; none for an attempt that changes nothing.
    fn log(&self, news: News, reason: &str) {
        let to = &self.name;
        let outcome = news.outcome.map(|outcome| match outcome {
            Outcome::Accepted => format!("telemetry reports reach {to} again"),
            Outcome::Failed => {
                format!("a telemetry report did not reach {to} and is kept: {reason}")
            }
            Outcome::Refused => {
                format!("{to} refused a telemetry report for good: {reason}")
            }
        });
        let hints = news.hints.map(|hints| {
            let asks = match hints.is_empty() {
                true => "no less telemetry".to_owned(),
                false => format!("less telemetry: {hints}"),
            };
            // It may be anything, so it is named and not repeated.
            let ignored = match hints.unclear().join(", ") {
                unclear if unclear.is_empty() => unclear,
                unclear => format!("; what it says by {unclear} is not understood and ignored"),
            };
            format!("{to} asks for {asks}{ignored}")
        });
        for line in outcome.into_iter().chain(hints) {
            caught(|| log::info!("{line}"));
        }
    }
}
