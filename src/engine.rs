//! What the handle and the background thread share: asking, sealing, ticking.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::{Clock, Moment};
use crate::delivery::{Losses, Outbox, Ticket, is_sending};
use crate::error::{Error, ErrorKind};
use crate::flusher::Flusher;
use crate::guard::caught;
use crate::host::HostFacts;
use crate::report::Report;
use crate::schedule::Schedule;
use crate::schema::{Fact, Host};
use crate::switch::Decision;
use crate::window::{Answers, Reading, Sealed, Window};

/// What the handle and the background thread share.
pub(crate) struct Engine {
    pub(crate) window: Window,
    pub(crate) outbox: Outbox,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) schedule: Mutex<Schedule>,
    pub(crate) identity: Identity,
    pub(crate) decision: Decision,
    /// Held while a window is sealed and its report put in the outbox.
    pub(crate) sealing: Mutex<()>,
    /// The process that made it. A forked child has everything but the threads, and must not
    /// report what its parent recorded.
    pub(crate) process: u32,
    /// The switch forbids this aggregator to report.
    pub(crate) off: bool,
    /// Reports go without an envelope.
    pub(crate) bare: bool,
    /// Set once, by the shutdown; read by everybody. It publishes nothing.
    pub(crate) closed: AtomicBool,
    /// A thread of [`send_apart`](Engine::send_apart) is at work. Set by the background thread,
    /// cleared by the sending one: its release orders what it left in the outbox before the
    /// background thread looks there.
    pub(crate) sending: AtomicBool,
}

/// The facts that fields may ask for.
pub(crate) struct Identity {
    /// Found out when it is first asked for, unless it was given.
    pub(crate) host: OnceLock<HostFacts>,
    pub(crate) instance: String,
    pub(crate) cluster: String,
    /// The CI system that the process runs in, unless the policy is to say nothing about it.
    pub(crate) ci: Option<&'static str>,
    pub(crate) started: Moment,
}

impl Identity {
    /// A fact at this moment.
    fn fact(&self, fact: Host, now: Moment) -> Reading {
        let machine = || self.host.get_or_init(HostFacts::detect);
        Reading::Fact(match fact {
            Host::Arch => Fact::text(&*machine().arch),
            Host::Cores => machine().cores.into(),
            Host::Os => {
                let [family, name] =
                    [&machine().os_family, &machine().os_name].map(|text| Fact::text(&**text));
                return Reading::Os { family, name };
            }
            Host::Ram => machine().ram.into(),
            Host::Uptime => now.monotonic.saturating_sub(self.started.monotonic).as_secs().into(),
            Host::InstanceId => Fact::text(&*self.instance),
            Host::ClusterId => Fact::text(&*self.cluster),
            Host::Ci => self.ci.into(),
        })
    }
}

impl Engine {
    /// Asks for what is not recorded, at this moment.
    fn ask(&self) -> (Answers, Moment) {
        let now = self.clock.now();
        (self.window.ask(&|fact| self.identity.fact(fact, now)), now)
    }

    /// Seals the window and puts its report in the outbox.
    pub(crate) fn seal(&self) -> Arc<Ticket> {
        self.seal_as(false)
    }

    /// The same with the last window of all.
    pub(crate) fn seal_last(&self) -> Arc<Ticket> {
        self.seal_as(true)
    }

    fn seal_as(&self, last: bool) -> Arc<Ticket> {
        let (answers, now) = self.ask();
        // Reports go to the outbox in the order of their windows.
        let _sealing = self.sealing.lock();
        let sealed = self.window.seal(answers, now);
        self.outbox.put(sealed, last, |sealed, lost| self.report(sealed, lost))
    }

    /// The report of the open window, which goes on.
    pub(crate) fn preview(&self) -> Report {
        let (answers, now) = self.ask();
        let sealed = self.window.peek(answers, now);
        self.outbox.preview(sealed, |sealed, lost| self.report(sealed, lost))
    }

    fn report(&self, sealed: &Sealed, lost: &Losses) -> Report {
        Report::new(sealed, self.window.registry().plan(), self.bare, &lost.by_reason())
    }

    /// Why nothing may be sealed, if so.
    pub(crate) fn refusal(&self) -> Option<Error> {
        let (kind, message) = if self.off {
            (ErrorKind::Off, format!("nothing is reported: {}", self.decision))
        } else if self.closed.load(Ordering::Relaxed) {
            (ErrorKind::Usage, "nothing is reported after a shutdown: flush before it".into())
        } else if self.process != std::process::id() {
            let message = "this aggregator belongs to the process that this one was forked from: build another after the fork";
            (ErrorKind::Usage, message.into())
        } else if is_sending() {
            let message = "a sink cannot have reports made: it would be given them in turn";
            (ErrorKind::Usage, message.into())
        } else {
            return None;
        };
        Some(Error::new(kind, message))
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
        if report {
            self.seal();
        }
        if self.send_due().is_some_and(|due| due <= now) {
            send();
        }
        let next = self.schedule.lock().next();
        let next = self.send_due().map_or(next, |due| due.min(next));
        next.saturating_sub(self.clock.now().monotonic)
    }

    /// When the next attempt is due; `None` when there is nothing to send or it is being sent.
    fn send_due(&self) -> Option<Duration> {
        if self.sending.load(Ordering::Acquire) { None } else { self.outbox.due() }
    }

    /// Starts the background thread.
    pub(crate) fn start(engine: &Arc<Engine>) -> Result<Flusher, Error> {
        let engine = Arc::clone(engine);
        Flusher::spawn("callhome", move |flusher| engine.tick(|| engine.send_apart(flusher)))
    }

    /// Sends what is pending on a thread of its own, so that a receiver that hangs delays
    /// neither sampling nor sealing. There is one such thread at most, while there is something
    /// to send.
    fn send_apart(self: &Arc<Self>, flusher: &Flusher) {
        self.sending.store(true, Ordering::Relaxed);
        let (engine, flusher) = (Arc::clone(self), flusher.clone());
        let send = move || {
            caught(|| engine.outbox.send_due(&*engine.clock));
            engine.sending.store(false, Ordering::Release);
            flusher.wake(); // for what came too late for this thread, or is to be tried again
        };
        if let Err(error) = thread::Builder::new().name("callhome-send".into()).spawn(send) {
            self.sending.store(false, Ordering::Relaxed);
            self.outbox.postpone(&*self.clock, &format!("no thread to send with: {error}"));
        }
    }
}
