//! From settings to an aggregator: the checks, and the wiring.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics_util::layers::FanoutBuilder;
use parking_lot::Mutex;

use super::{Builder, defaults};
use crate::callhome::CallHome;
use crate::clock::SystemClock;
use crate::delivery::Outbox;
use crate::engine::{Engine, Identity};
use crate::error::{Error, ErrorKind};
use crate::host::identity::{ClusterSource, new_id, resolve};
use crate::recorder::Recorder;
use crate::registry::Registry;
use crate::schedule::{Phase, Schedule};
use crate::schema::{Kind, Plan};
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
    /// [`ErrorKind::Schema`] for a schema that contradicts itself, [`ErrorKind::Config`] for a
    /// setting that cannot be used, and for an endpoint or sink without
    /// [`opt_out`](Builder::opt_out) or [`opt_in`](Builder::opt_in), [`ErrorKind::Io`] for a
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
    /// As [`build`](Builder::build), and [`ErrorKind::Config`] without an endpoint or sink;
    /// [`ErrorKind::Install`] when there is a global recorder already or the thread cannot be
    /// started. Nothing is left behind then, but for the file of
    /// [`cluster_id_file`](Builder::cluster_id_file).
    pub fn install(self) -> Result<CallHome, Error> {
        if self.sink.is_none() {
            let message =
                "there is nowhere to send reports: give the builder an `endpoint` or a `sink`";
            return Err(Error::config(message));
        }
        let (engine, recorder, beside) = self.wire()?;
        if engine.off {
            if let Some(beside) = beside {
                set_global(beside.build())?;
            }
            return Ok(CallHome::new(engine, recorder, None));
        }
        // The thread comes first, for a global recorder cannot be taken back. It does nothing
        // before its first `wake`.
        let flusher = Engine::start(&engine)?;
        let installed = match beside {
            Some(beside) => set_global(beside.add_recorder(recorder.clone()).build()),
            None => set_global(recorder.clone()),
        };
        if let Err(error) = installed {
            flusher.stop();
            flusher.join(Duration::MAX);
            return Err(error);
        }
        flusher.wake();
        Ok(CallHome::new(engine, recorder, Some(flusher)))
    }

    fn wire(self) -> Result<(Arc<Engine>, Recorder, Option<FanoutBuilder>), Error> {
        let plan = Plan::new(self.schema)?;
        for (setting, interval) in [("every", self.every), ("sample_every", self.sample_every)] {
            if interval < SHORTEST {
                return Err(Error::config(format!(
                    "`{setting}` is {interval:?}: give at least {SHORTEST:?}"
                )));
            }
        }
        if self.instance.as_ref().is_some_and(|id| id.trim().is_empty()) {
            return Err(Error::config("`instance_id` is empty: give an id or leave it out"));
        }
        let sink = self.sink.transpose()?;
        let decision = self.switch.decide(match &sink {
            None => Reach::Nowhere,
            Some(sink) if sink.is_local() => Reach::Machine,
            Some(_) => Reach::Beyond,
        })?;
        let off = sink.is_some() && !decision.is_on();
        // When the switch says no, no file is read or made.
        let cluster = if off { &ClusterSource::Ephemeral } else { &self.cluster };
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let now = clock.now();
        self.limits.check(&plan, self.bare, now)?;
        let instance = self.instance.unwrap_or_else(|| new_id().to_string());
        let phase = Phase::new(&instance, self.spread.unwrap_or(self.every));
        let identity = Identity {
            host: self.host.map_or_else(OnceLock::new, OnceLock::from),
            instance,
            cluster: resolve(cluster)?,
            ci: decision.ci(),
            started: now,
        };
        let polls = |kind: &Kind| matches!(kind, Kind::Sampled(_) | Kind::GaugeSummary);
        let samples = plan.leaves.iter().any(|leaf| polls(&leaf.field.kind));
        let first = self.first_after.unwrap_or(defaults::FIRST_AFTER.min(self.every));
        let sample = samples.then_some(self.sample_every);
        let schedule = Schedule::new(now.monotonic, first, self.every, sample, phase);
        let registry = Arc::new(Registry::new(plan));
        let engine = Engine {
            window: Window::new(Arc::clone(&registry), now),
            outbox: Outbox::new(
                sink.filter(|_| !off),
                self.limits,
                self.spool.as_deref(),
                self.bare,
                now,
            ),
            clock,
            schedule: Mutex::new(schedule),
            identity,
            decision,
            process: std::process::id(),
            sealing: Mutex::new(()),
            off,
            bare: self.bare,
            closed: AtomicBool::new(false),
            sending: AtomicBool::new(false),
        };
        Ok((Arc::new(engine), Recorder::new(registry), self.beside))
    }
}

fn set_global(recorder: impl metrics::Recorder + Sync + 'static) -> Result<(), Error> {
    metrics::set_global_recorder(recorder).map_err(|_| {
        let message = "there is a global metrics recorder already: install once, or install the other one through `beside`";
        Error::new(ErrorKind::Install, message)
    })
}
