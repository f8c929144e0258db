//! What the handle and the background thread share: asking, sealing, ticking.

mod events;
mod group;
mod hints;
mod identity;
mod left;
mod live;
mod secret;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::{Clock, Moment};
use crate::consent::Consent;
use crate::delivery::{Losses, Outbox, Ticket, is_sending};
use crate::error::{Error, ErrorKind};
use crate::events::Kinds;
use crate::flusher::Flusher;
use crate::guard::caught;
use crate::report::{Form, Report};
use crate::routes::Routes;
use crate::schedule::{Schedule, Timing};
use crate::window::{Answers, Sealed, Window};

pub(crate) use group::Group;
pub(crate) use identity::{Identity, fault};

/// What the handle and the background thread share.
pub(crate) struct Engine {
    /// Without a field where there are events.
    pub(crate) window: Window,
    /// The events that it reports, if any.
    pub(crate) events: Kinds,
    pub(crate) outbox: Outbox,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) timing: Timing,
    pub(crate) schedule: Mutex<Schedule>,
    pub(crate) identity: Identity,
    pub(crate) consent: Arc<Consent>,
    /// What the macros record to, the window too while it collects.
    pub(crate) routes: Arc<Routes>,
    /// Held while a window is sealed and its report put in the outbox, and while that begins or
    /// ends: the consent may say something else a moment before.
    pub(crate) sealing: Mutex<Collecting>,
    /// The background thread, while there is one.
    pub(crate) flusher: Mutex<Option<Flusher>>,
    /// The process that made it. A forked child has everything but the threads, and must not
    /// report what its parent recorded.
    pub(crate) process: u32,
    /// Reports go without an envelope.
    pub(crate) bare: bool,
    /// Set once, by the shutdown; read by everybody. It publishes nothing.
    pub(crate) closed: AtomicBool,
    /// A thread of [`send_apart`](Engine::send_apart) is at work. Set by the background thread,
    /// cleared by the sending one: its release orders what it left in the outbox before the
    /// background thread looks there.
    pub(crate) sending: AtomicBool,
}

/// Whether there is a window to seal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collecting {
    NotYet,
    /// All is there but what is recorded.
    Ready,
    Now,
    /// Somebody said no; a yes may follow.
    NoMore,
}

impl Engine {
    /// Asks for what is not recorded, at this moment.
    fn ask(&self) -> (Answers, Moment) {
        let now = self.clock.now();
        let said = self.identity.said();
        let host = |fact, since| self.identity.fact(&said, fact, since, now);
        (self.window.ask(said.key, &host), now)
    }

    /// Seals the window and puts its report in the outbox; an error if the switch says no.
    pub(crate) fn seal(&self) -> Result<Arc<Ticket>, Error> {
        self.seal_as(false)
    }

    /// The same with the last window of all, or the last events.
    pub(crate) fn seal_last(&self) -> Result<(), Error> {
        match self.events.has_kinds() {
            true => self.seal_events(true).map(drop),
            false => self.seal_as(true).map(drop),
        }
    }

    fn seal_as(&self, last: bool) -> Result<Arc<Ticket>, Error> {
        self.renew_id();
        loop {
            let (answers, now) = self.ask();
            // Reports go to the outbox in the order of their windows.
            let collecting = self.sealing.lock();
            if *collecting != Collecting::Now || !self.consent.is_open() {
                return Err(self.off());
            }
            // Switched off and on since the answers: they are not those of this time.
            if !self.window.is_current(&answers) {
                continue;
            }
            let sealed = self.window.seal(answers, now, last);
            let ticket = self.outbox.put(sealed, last, |sealed, lost| self.report(sealed, lost));
            drop(collecting);
            self.outbox.tell();
            return Ok(ticket);
        }
    }

    /// Replaces the id of the installation when its time is over.
    fn renew_id(&self) {
        let now = self.clock.now();
        if !self.identity.looks_after_ids() || !self.identity.is_old(now) {
            return;
        }
        let renewed = {
            // Whoever switches off removes the file under this lock.
            let _sealing = self.sealing.lock();
            if self.consent.is_open() { self.identity.renew(now) } else { Ok(()) }
        };
        if let Err(error) = renewed {
            caught(|| log::warn!("{error}"));
        }
    }

    /// What is said where the switch says no.
    pub(crate) fn off(&self) -> Error {
        let message = format!("nothing is reported: {}", self.consent.decision());
        Error::new(ErrorKind::Off, message)
    }

    /// The report of the open window, which goes on.
    pub(crate) fn preview(&self) -> Report {
        if self.events.has_kinds() {
            return self.outbox.preview_batch(self.clock.now().monotonic);
        }
        let (answers, now) = self.ask();
        let sealed = self.window.peek(answers, now);
        self.outbox.preview(sealed, |sealed, lost| self.report(sealed, lost))
    }

    fn report(&self, sealed: &Sealed, lost: &Losses) -> Report {
        let (plan, most) = (self.window.registry().plan(), self.outbox.most());
        Report::new(sealed, plan, self.form(), &lost.by_reason(), most)
    }

    fn form(&self) -> Form {
        Form::new(self.bare, self.identity.is_lasting())
    }

    /// Why nothing may be sealed, if so.
    pub(crate) fn refusal(&self) -> Option<Error> {
        if let Some(over) = self.over() {
            return Some(over);
        }
        if is_sending() {
            let message = "a sink cannot have reports made: it would be given them in turn";
            return Some(Error::new(ErrorKind::Usage, message));
        }
        (!self.consent.is_open()).then(|| self.off())
    }

    /// Why nothing is ever reported again, if so. Takes no lock: in a forked child one may be held
    /// for ever.
    pub(crate) fn over(&self) -> Option<Error> {
        let message = if self.process != std::process::id() {
            "this aggregator belongs to the process that this one was forked from: build another after the fork"
        } else if self.closed.load(Ordering::Relaxed) {
            "nothing is reported after a shutdown: flush before it"
        } else {
            return None;
        };
        Some(Error::new(ErrorKind::Usage, message))
    }

    /// Samples, seals and sends what is due, the last by `send`. Returns the time until there is
    /// something to do again.
    pub(crate) fn tick(&self, send: impl FnOnce()) -> Duration {
        let now = self.clock.now().monotonic;
        if self.refusal().is_some() {
            return Duration::MAX;
        }
        let sample = self.schedule.lock().take_sample(now);
        if sample {
            self.window.sample();
            // Functions that take longer than the interval cost beats; they are not asked for
            // them one right after the other.
            self.schedule.lock().take_sample(self.clock.now().monotonic);
        }
        let report = self.schedule.lock().take_report(now);
        if report && self.outbox.waits_until() > now {
            // No attempt asks the switch meanwhile, and a receiver may want none for a month.
            self.outbox.may_send();
            self.heed();
        }
        if self.events.has_kinds() {
            self.put_events(report);
        } else if report {
            drop(self.seal()); // an error if it was switched off just now
        }
        if self.attempt_due().is_some_and(|due| due <= now) {
            send();
        }
        let next = self.schedule.lock().next();
        let next = self.attempt_due().map_or(next, |due| due.min(next));
        let next = self.outbox.batch_due().map_or(next, |due| due.min(next));
        next.saturating_sub(self.clock.now().monotonic)
    }

    /// When the next attempt is due; `None` when there is nothing to send or it is being sent.
    fn attempt_due(&self) -> Option<Duration> {
        if self.sending.load(Ordering::Acquire) { None } else { self.outbox.due() }
    }

    /// Starts the background thread. It does nothing before its first `wake`.
    pub(crate) fn start(engine: &Arc<Engine>) -> Result<Flusher, Error> {
        let engine = Arc::clone(engine);
        Flusher::spawn("callhome", move || engine.tick(|| engine.send_apart()))
    }

    /// Makes the background thread, if there is one, look again what is due.
    pub(crate) fn wake(&self) {
        self.flusher.lock().iter().for_each(Flusher::wake);
    }

    /// Sends what is due.
    pub(crate) fn send_due(&self) {
        self.outbox.send_due(&*self.clock, |hints, now| self.asked(hints, now));
        self.heed();
    }

    /// Sends what is pending, see [`Outbox::send_now`].
    pub(crate) fn send_now(&self, deadline: Option<Duration>) {
        self.outbox.send_now(&*self.clock, deadline, |hints, now| self.asked(hints, now));
        self.heed();
    }

    /// Sends what is pending on a thread of its own, so that a receiver that hangs delays
    /// neither sampling nor sealing. There is one such thread at most, while there is something
    /// to send.
    fn send_apart(self: &Arc<Self>) {
        self.sending.store(true, Ordering::Relaxed);
        let engine = Arc::clone(self);
        let send = move || {
            caught(|| engine.send_due());
            engine.sending.store(false, Ordering::Release);
            engine.wake(); // for what came too late for this thread, or is to be tried again
        };
        if let Err(error) = thread::Builder::new().name("callhome-send".into()).spawn(send) {
            self.sending.store(false, Ordering::Relaxed);
            self.outbox.postpone(&*self.clock, &format!("no thread to send with: {error}"));
        }
    }
}
