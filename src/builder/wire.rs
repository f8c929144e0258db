//! From settings to an aggregator: the checks, and the wiring.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use metrics_util::layers::FanoutBuilder;
use parking_lot::Mutex;

use super::{Builder, ids};
use crate::callhome::CallHome;
use crate::clock::SystemClock;
use crate::consent::Consent;
use crate::delivery::Outbox;
use crate::engine::{Collecting, Engine, Identity};
use crate::error::Error;
use crate::guard::caught;
use crate::panics;
use crate::recorder::{Recorder, set_global};
use crate::registry::Registry;
use crate::schedule::Timing;
use crate::schema::{Kind, Plan};
use crate::sink::{FileSink, LogSink, Sink};
use crate::switch::Reach;
use crate::window::Window;

/// The shortest interval between reports or samples that makes sense.
const SHORTEST: Duration = Duration::from_millis(100);

impl Builder {
    /// Makes an aggregator and starts nothing: no thread, no global recorder. Record through
    /// [`recorder`](CallHome::recorder), report with [`flush`](CallHome::flush).
    ///
    /// The switch is heeded where there is an endpoint or a sink. Dropping it ships nothing: that
    /// is for [`shutdown`](CallHome::shutdown).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) for a schema that contradicts itself, [`ErrorKind::Config`](crate::ErrorKind::Config) for a
    /// setting that cannot be used, and for an endpoint or sink without
    /// [`opt_out`](Builder::opt_out) or [`opt_in`](Builder::opt_in), [`ErrorKind::Io`](crate::ErrorKind::Io) for a
    /// cluster id that cannot be read.
    pub fn build(self) -> Result<CallHome, Error> {
        let (engine, recorder, _) = self.wire()?;
        Ok(CallHome::new(engine, recorder, None))
    }

    /// Makes an aggregator, makes it the global recorder of the `metrics` macros and starts its
    /// thread. When the switch says no, it does neither, and reports nothing.
    ///
    /// # Errors
    ///
    /// As [`build`](Builder::build), and [`ErrorKind::Config`](crate::ErrorKind::Config) without an endpoint or sink;
    /// [`ErrorKind::Install`](crate::ErrorKind::Install) when there is a global recorder already or the thread cannot be
    /// started. Nothing is left behind then, but for the file of
    /// [`cluster_id_file`](Builder::cluster_id_file).
    pub fn install(self) -> Result<CallHome, Error> {
        if self.sink.is_none() {
            let message =
                "there is nowhere to send reports: give the builder an `endpoint` or a `sink`";
            return Err(Error::config(message));
        }
        let (engine, recorder, beside) = self.wire()?;
        let is_on = engine.consent.is_open();
        let global = is_on || beside.is_some();
        // The thread comes first, for a global recorder cannot be taken back. It does nothing
        // before its first `wake`.
        let flusher = if is_on { Some(Engine::start(&engine)?) } else { None };
        let installed = match beside {
            Some(beside) => set_global(beside.add_recorder(recorder.clone()).build()),
            None if is_on => set_global(recorder.clone()),
            None => Ok(()),
        };
        if let Err(error) = installed {
            if let Some(flusher) = flusher {
                flusher.stop();
                flusher.join(Duration::MAX);
            }
            return Err(error);
        }
        if is_on {
            panics::watch(engine.window.registry());
        }
        *engine.flusher.lock() = flusher;
        engine.wake();
        Ok(CallHome::new(engine, recorder, Some(global)))
    }

    fn wire(self) -> Result<(Arc<Engine>, Recorder, Option<FanoutBuilder>), Error> {
        let first = self.first();
        let plan = Plan::new(self.schema)?;
        for (setting, interval) in [("every", self.every), ("sample_every", self.sample_every)] {
            if interval < SHORTEST {
                return Err(Error::config(format!(
                    "`{setting}` is {interval:?}: give at least {SHORTEST:?}"
                )));
            }
        }
        let cluster = ids::checked(self.cluster, self.cluster_id_period, self.instance.as_deref())?;
        let sink = self.sink.transpose()?;
        let consent = Consent::new(
            self.switch,
            match &sink {
                None => Reach::Nowhere,
                Some(sink) if caught(|| sink.is_local()) == Some(true) => Reach::Machine,
                Some(_) => Reach::Beyond,
            },
        )?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let now = clock.now();
        self.limits.check(&plan, self.bare, now)?;
        let ci = consent.decision().ci();
        let identity = Identity::new(self.host, self.instance, cluster, ci, now);
        let polls = |kind: &Kind| matches!(kind, Kind::Sampled(_) | Kind::GaugeSummary);
        let samples = plan.leaves.iter().any(|leaf| polls(&leaf.field.kind));
        let timing = Timing {
            first,
            report: self.every,
            sample: samples.then_some(self.sample_every),
            spread: self.spread.unwrap_or(self.every),
        };
        let local: Box<dyn Sink> = match self.local_file {
            Some(path) => Box::new(FileSink::new(path)),
            None => Box::new(LogSink),
        };
        let consent = Arc::new(consent);
        let (open, limits, bare) = (Arc::clone(&consent), self.limits, self.bare);
        let outbox = Outbox::new(open, sink, local, limits, self.spool, bare);
        let registry = Arc::new(Registry::new(plan));
        // When the switch says no, no file is read or made.
        registry.collect(consent.is_open());
        let mut collecting = Collecting::NotYet;
        if consent.is_open() {
            identity.find(identity.ask(), now)?;
            outbox.begin(now, false);
            outbox.tell();
            collecting = Collecting::Now;
        }
        let engine = Engine {
            window: Window::new(Arc::clone(&registry), now),
            outbox,
            clock,
            timing,
            schedule: Mutex::new(timing.schedule(now.monotonic, &identity.instance())),
            identity,
            consent,
            process: std::process::id(),
            changing: Mutex::new(()),
            sealing: Mutex::new(collecting),
            flusher: Mutex::new(None),
            bare,
            closed: AtomicBool::new(false),
            sending: AtomicBool::new(false),
        };
        Ok((Arc::new(engine), Recorder::new(registry), self.beside))
    }
}
