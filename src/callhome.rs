//! The handle: flush, preview, status, shutdown.

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;
use parking_lot::Mutex;

use crate::clock::{Clock, Moment};
use crate::delivery::{Fate, Outbox, Untold, is_sending};
use crate::error::{Error, ErrorKind};
use crate::flusher::{Flusher, Schedule};
use crate::host::HostFacts;
use crate::recorder::Recorder;
use crate::report::Report;
use crate::schema::Host;
use crate::status::{Shutdown, Status};
use crate::switch::Decision;
use crate::window::{Answers, Reading, Sealed, Window};

/// What dropping the handle waits for the last report, at most.
pub(crate) const DROP_DEADLINE: Duration = Duration::from_secs(1);

/// An aggregator: it takes in what the `metrics` macros record, and reports it.
///
/// Made by [`CallHome::builder`]. Keep it as long as the program should report: dropping an
/// installed aggregator is a [`shutdown`](CallHome::shutdown) with a deadline of one second.
/// Nothing is dropped, and so nothing shipped, when a program ends by a signal, by
/// [`std::process::exit`] or while the aggregator is in a `static`: call `shutdown` there.
///
/// A forked child has the aggregator but not its thread, and must not report what its parent
/// recorded, so there it reports nothing: install after daemonising.
#[must_use = "dropping it shuts the reporting down"]
pub struct CallHome {
    core: Arc<Core>,
    recorder: Recorder,
    /// The background thread of an installed aggregator.
    flusher: Option<Flusher>,
}

/// What the handle and the background thread share.
pub(crate) struct Core {
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
    /// A thread of [`send_apart`](Core::send_apart) is at work. Set by the background thread,
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
    pub(crate) started: Moment,
}

impl Identity {
    /// A fact at this moment.
    fn fact(&self, fact: Host, now: Moment) -> Reading {
        let machine = || self.host.get_or_init(HostFacts::detect);
        Reading::Fact(match fact {
            Host::Arch => machine().arch.clone().into(),
            Host::Cores => machine().cores.into(),
            Host::Os => {
                let (family, name) = (machine().os_family.clone(), machine().os_name.clone());
                return Reading::Os { family, name };
            }
            Host::Ram => machine().ram.into(),
            Host::Uptime => now.monotonic.saturating_sub(self.started.monotonic).as_secs().into(),
            Host::InstanceId => self.instance.clone().into(),
            Host::ClusterId => self.cluster.clone().into(),
        })
    }
}

impl Core {
    /// Asks for what is not recorded, at this moment.
    fn ask(&self) -> (Answers, Moment) {
        let now = self.clock.now();
        (self.window.ask(&|fact| self.identity.fact(fact, now)), now)
    }

    fn seal(&self) -> (Report, Arc<OnceLock<Fate>>) {
        let (answers, now) = self.ask();
        // Reports go to the outbox in the order of their windows.
        let _sealing = self.sealing.lock();
        let sealed = self.window.seal(answers, now);
        self.outbox.put(|untold| self.report(&sealed, untold))
    }

    fn preview(&self) -> Report {
        let (answers, now) = self.ask();
        self.report(&self.window.peek(answers, now), self.outbox.untold())
    }

    fn report(&self, sealed: &Sealed, untold: Untold) -> Report {
        let lost = [untold.refused, untold.overflowed];
        Report::new(sealed, self.window.registry().plan(), self.bare, lost)
    }

    /// Why nothing may be sealed, if so.
    fn refusal(&self) -> Option<Error> {
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
    fn tick(&self, send: impl FnOnce()) -> Duration {
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
    pub(crate) fn start(core: &Arc<Core>) -> Result<Flusher, Error> {
        let core = Arc::clone(core);
        Flusher::spawn("callhome", move |flusher| core.tick(|| core.send_apart(flusher)))
    }

    /// Sends what is pending on a thread of its own, so that a receiver that hangs delays
    /// neither sampling nor sealing. There is one such thread at most, while there is something
    /// to send.
    fn send_apart(self: &Arc<Self>, flusher: &Flusher) {
        self.sending.store(true, Ordering::Relaxed);
        let (core, flusher) = (Arc::clone(self), flusher.clone());
        let send = move || {
            core.outbox.send(&*core.clock, None);
            core.sending.store(false, Ordering::Release);
            flusher.wake(); // for what came too late for this thread, or is to be tried again
        };
        if let Err(error) = thread::Builder::new().name("callhome-send".into()).spawn(send) {
            self.sending.store(false, Ordering::Relaxed);
            self.outbox.postpone(&*self.clock, &format!("no thread to send with: {error}"));
        }
    }
}

impl CallHome {
    pub(crate) fn new(core: Arc<Core>, recorder: Recorder, flusher: Option<Flusher>) -> CallHome {
        CallHome { core, recorder, flusher }
    }

    /// The recorder, for [`metrics::with_local_recorder`].
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Seals the window, delivers its report and returns it.
    ///
    /// It does not wait for the time of the next attempt: somebody wants it now. Reports that
    /// wait for another attempt go first, and an attempt that is under way is waited
    /// for: each attempt takes no longer than
    /// [`attempt_timeout`](crate::Builder::attempt_timeout), and the first that fails is the
    /// last. Without an endpoint or sink the report is delivered by being returned.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Delivery`] when the report was not accepted and is kept for another attempt,
    /// [`ErrorKind::Lost`] when it was refused for good; the window is sealed all the same.
    /// [`ErrorKind::Off`] when the switch says no, [`ErrorKind::Usage`]
    /// after a shutdown, in a forked child and within a sink; then nothing is sealed.
    pub fn flush(&self) -> Result<Report, Error> {
        if let Some(refusal) = self.core.refusal() {
            return Err(refusal);
        }
        let (report, fate) = self.core.seal();
        self.core.outbox.send(&*self.core.clock, None);
        if let Some(flusher) = &self.flusher {
            flusher.wake(); // there may be something to try again, and later than it thinks
        }
        let (number, reason) = (report.sequence(), self.core.outbox.tally().last_error);
        match fate.get() {
            Some(Fate::Accepted) => Ok(report),
            Some(Fate::Refused(reason)) => {
                let message = format!("report {number} is lost, it was refused for good: {reason}");
                Err(Error::new(ErrorKind::Lost, message))
            }
            Some(Fate::GivenUp) => {
                let message =
                    format!("report {number} is lost: too many were waiting, or the program ended");
                Err(Error::new(ErrorKind::Lost, message))
            }
            None => {
                let reason = reason.unwrap_or_default();
                let message = format!(
                    "report {number} was not delivered and is kept for another attempt: {reason}"
                );
                Err(Error::new(ErrorKind::Delivery, message))
            }
        }
    }

    /// The report that [`flush`](CallHome::flush) would send now, byte for byte but for the time
    /// that passes until then. Changes nothing: the window goes on. The functions of the schema
    /// are asked, and what they say is not kept.
    pub fn preview(&self) -> Report {
        self.core.preview()
    }

    /// What the switch decided, what was delivered, and what waits.
    pub fn status(&self) -> Status {
        let core = &self.core;
        let running = self.flusher.is_some() && !core.closed.load(Ordering::Relaxed);
        let next = core.schedule.lock().next_report();
        Status {
            switch: core.decision.clone(),
            next_report: running.then(|| next.saturating_sub(core.clock.now().monotonic)),
            tally: core.outbox.tally(),
        }
    }

    /// Does what is due now, on the calling thread, and returns the time until something is due
    /// again: samples, and seals and sends a report.
    ///
    /// An installed aggregator has a thread that does this. It is for programs that have their
    /// own, and for tests with their own [`Clock`].
    pub fn tick(&self) -> Duration {
        self.core.tick(|| self.core.outbox.send(&*self.core.clock, None))
    }

    /// Ships the last window, and says what became of it. Returns by `deadline`, whatever the
    /// receiver and the application's functions do; reports that were not accepted by then are
    /// lost, and so is the last window if it could not even be sealed. Of a report that is with
    /// the receiver at that moment nobody knows whether it arrives.
    ///
    /// Nothing is reported afterwards. What is still recorded does no harm. A second call does
    /// nothing, nor does one in a forked child.
    pub fn shutdown(&self, deadline: Duration) -> Shutdown {
        let core = &self.core;
        let ours = core.refusal().is_none();
        if core.closed.swap(true, Ordering::Relaxed) || !ours {
            return Shutdown { accepted: 0, lost: 0, last_error: None };
        }
        let flusher = self.flusher.clone();
        if let Some(flusher) = &flusher {
            flusher.stop();
        }
        // A function of the schema may be what shuts down, on the background thread itself.
        let flusher = flusher.filter(|flusher| !flusher.is_here());
        let before = core.outbox.tally();
        let end = core.clock.now().monotonic.saturating_add(deadline);
        let (sealed, seals) = crossbeam_channel::bounded(1);
        let (done, all_done) = crossbeam_channel::bounded::<()>(0);
        let last_words = {
            let core = Arc::clone(core);
            move || {
                let _done = done; // disconnects when this ends, also by a panic
                if let Some(flusher) = flusher {
                    flusher.join(deadline); // it may be sealing a window
                }
                core.seal();
                let _ = sealed.send(()); // nobody listens when the deadline has passed
                core.outbox.send(&*core.clock, Some(end));
            }
        };
        // On a thread of its own, for the sealing asks functions of the application and the
        // sending asks the system to look up names: neither can be interrupted.
        let mut error = None;
        match thread::Builder::new().name("callhome-last".into()).spawn(last_words) {
            Ok(thread) => match all_done.recv_timeout(deadline) {
                Err(RecvTimeoutError::Timeout) => {
                    error = Some(format!("there was no answer within {deadline:?}"));
                }
                // So that it is gone when this returns.
                Ok(()) | Err(RecvTimeoutError::Disconnected) => drop(thread.join()),
            },
            Err(reason) => error = Some(format!("no thread to send with: {reason}")),
        }
        core.outbox.close();
        let after = core.outbox.tally();
        let shutdown = Shutdown {
            accepted: after.accepted - before.accepted,
            lost: after.lost - before.lost + u64::from(seals.is_empty()),
            last_error: after.last_error.or(error),
        };
        if shutdown.lost > 0 {
            log::info!("the last telemetry reports: {shutdown}");
        }
        shutdown
    }
}

impl Drop for CallHome {
    fn drop(&mut self) {
        if self.flusher.is_some() {
            let _ = self.shutdown(DROP_DEADLINE);
        }
    }
}

impl fmt::Debug for CallHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHome")
            .field("schema", &self.core.window.registry().plan().name)
            .field("switch", &self.core.decision)
            .finish_non_exhaustive()
    }
}
