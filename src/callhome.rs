//! The handle: flush, preview, status, shutdown.

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::{Clock, Moment};
use crate::delivery::{Fate, Outbox};
use crate::error::{Error, ErrorKind};
use crate::flusher::{Flusher, Schedule};
use crate::host::HostFacts;
use crate::recorder::Recorder;
use crate::report::Report;
use crate::schema::{Fact, Host};
use crate::status::{Shutdown, Status};
use crate::switch::Decision;
use crate::window::{Facts, Reading, Window};

/// What dropping the handle waits for the last report, at most.
pub(crate) const DROP_DEADLINE: Duration = Duration::from_secs(1);

/// An aggregator: it takes in what the `metrics` macros record, and reports it.
///
/// Made by [`CallHome::builder`]. Keep it as long as the program should report: dropping an
/// installed aggregator is a [`shutdown`](CallHome::shutdown) with a deadline of one second.
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
    pub(crate) host: HostFacts,
    pub(crate) instance: String,
    pub(crate) cluster: String,
    pub(crate) started: Moment,
}

/// The facts at one moment.
struct FactsAt<'a>(&'a Identity, Moment);

impl Facts for FactsAt<'_> {
    fn fact(&self, host: Host) -> Reading {
        let FactsAt(Identity { host: machine, instance, cluster, started }, now) = self;
        Reading::Fact(match host {
            Host::Arch => machine.arch.clone().into(),
            Host::Cores => machine.cores.into(),
            Host::Os => {
                let (family, name) = (machine.os_family.clone(), machine.os_name.clone());
                return Reading::Os { family, name };
            }
            Host::Ram => machine.ram.into(),
            Host::Uptime => now.monotonic.saturating_sub(started.monotonic).as_secs().into(),
            Host::InstanceId => instance.clone().into(),
            Host::ClusterId => Fact::from(cluster.clone()),
        })
    }
}

impl Core {
    fn seal(&self) -> (Report, Arc<OnceLock<Fate>>) {
        let now = self.clock.now();
        let sealed = self.window.seal(&FactsAt(&self.identity, now), now);
        let plan = self.window.registry().plan();
        self.outbox.put(|lost| Report::new(&sealed, plan, self.bare, lost))
    }

    fn preview(&self) -> Report {
        let now = self.clock.now();
        let sealed = self.window.peek(&FactsAt(&self.identity, now), now);
        let plan = self.window.registry().plan();
        Report::new(&sealed, plan, self.bare, self.outbox.untold())
    }

    /// Samples, seals and sends what is due, the last by `send`. Returns the time until there is
    /// something to do again.
    fn tick(&self, send: impl FnOnce()) -> Duration {
        let now = self.clock.now().monotonic;
        if self.off || self.closed.load(Ordering::Relaxed) {
            return Duration::MAX;
        }
        let sample = self.schedule.lock().take_sample(now);
        if sample {
            self.window.sample();
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
    /// Reports that wait for another attempt go first. Without an endpoint or sink the report is
    /// delivered by being returned.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Delivery`] when the report was not accepted: it is kept and tried again, or
    /// it was refused for good and is counted in [`status`](CallHome::status). In either case
    /// the window is sealed. [`ErrorKind::Off`] when the switch says no and
    /// [`ErrorKind::Usage`] after a shutdown; then nothing is sealed.
    pub fn flush(&self) -> Result<Report, Error> {
        if self.core.off {
            let message = format!("nothing is reported: {}", self.core.decision);
            return Err(Error::new(ErrorKind::Off, message));
        }
        if self.core.closed.load(Ordering::Relaxed) {
            let message = "nothing is reported after a shutdown: flush before it";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let (report, fate) = self.core.seal();
        self.core.outbox.send(&*self.core.clock, None);
        if let Some(flusher) = &self.flusher {
            flusher.wake(); // there may be something to try again, and later than it thinks
        }
        match fate.get() {
            Some(Fate::Accepted) => Ok(report),
            Some(Fate::Lost(reason)) => {
                let message = format!("report {} is lost: {reason}", report.sequence());
                Err(Error::new(ErrorKind::Delivery, message))
            }
            None => {
                let reason = self.core.outbox.tally().last_error.unwrap_or_default();
                let message = format!(
                    "report {} was not delivered and is kept for another attempt: {reason}",
                    report.sequence()
                );
                Err(Error::new(ErrorKind::Delivery, message))
            }
        }
    }

    /// The report that [`flush`](CallHome::flush) would send now, byte for byte but for the time
    /// that passes until then. Changes nothing: the window goes on.
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
    /// receiver does; reports that were not accepted by then are lost.
    ///
    /// Nothing is reported afterwards. What is still recorded does no harm. A second call does
    /// nothing.
    pub fn shutdown(&self, deadline: Duration) -> Shutdown {
        let core = &self.core;
        let before = core.outbox.tally();
        let mut late = None;
        if !core.closed.swap(true, Ordering::Relaxed) && !core.off {
            let end = core.clock.now().monotonic.saturating_add(deadline);
            let (done, all_done) = crossbeam_channel::bounded(1);
            let last_words = {
                let (core, flusher) = (Arc::clone(core), self.flusher.clone());
                move || {
                    if let Some(flusher) = flusher {
                        flusher.stop();
                        flusher.join(deadline); // it may be sealing a window
                    }
                    core.seal();
                    core.outbox.send(&*core.clock, Some(end));
                    let _ = done.send(()); // nobody listens when the deadline has passed
                }
            };
            // On a thread of its own, for the sealing asks functions of the application and the
            // sending asks the system to look up names: neither can be interrupted.
            match thread::Builder::new().name("callhome-last".into()).spawn(last_words) {
                Ok(thread) => {
                    if all_done.recv_timeout(deadline).is_ok() {
                        let _ = thread.join(); // so that it is gone when this returns
                    } else {
                        late = Some(format!("there was no answer within {deadline:?}"));
                    }
                }
                Err(error) => {
                    log::info!(
                        "the last telemetry report was not sent, for want of a thread: {error}"
                    );
                    core.seal();
                }
            }
        }
        let after = core.outbox.tally();
        Shutdown {
            accepted: after.accepted - before.accepted,
            lost: after.lost - before.lost + after.pending as u64,
            last_error: after.last_error.or(late),
        }
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
