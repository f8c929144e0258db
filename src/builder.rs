//! Settings: one table of defaults, their checks, and the wiring.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics_util::layers::FanoutBuilder;
use parking_lot::Mutex;

use crate::callhome::CallHome;
use crate::clock::{Clock, SystemClock};
use crate::delivery::{Limits, Outbox};
use crate::engine::{Engine, Identity};
use crate::error::{Error, ErrorKind};
use crate::host::HostFacts;
use crate::host::identity::{ClusterSource, new_id, resolve};
use crate::recorder::Recorder;
use crate::registry::Registry;
use crate::schedule::{Phase, Schedule};
use crate::schema::{Kind, Plan, Schema};
use crate::sink::Sink;
use crate::switch::{Reach, Switch};
use crate::window::Window;

mod switch;

/// The defaults of all settings that have one.
mod defaults {
    use std::time::Duration;

    pub(super) const EVERY: Duration = Duration::from_secs(4 * 60 * 60);
    pub(super) const FIRST_AFTER: Duration = Duration::from_secs(10 * 60);
    pub(super) const SAMPLE_EVERY: Duration = Duration::from_secs(2);
    pub(super) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
    pub(super) const MAX_ATTEMPTS: u32 = 4;
    pub(super) const MAX_PENDING: usize = 64;
    pub(super) const MAX_PENDING_BYTES: usize = 4 << 20;
    pub(super) const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    pub(super) const MAX_BODY: usize = 1 << 20;
}

/// The shortest interval between reports or samples that makes sense.
const SHORTEST: Duration = Duration::from_millis(100);

/// Settings of an aggregator, from [`CallHome::builder`].
///
/// Nothing is checked before [`build`](Builder::build) or [`install`](Builder::install).
#[must_use = "a builder does nothing until `build` or `install`"]
pub struct Builder {
    schema: Schema,
    sink: Option<Result<Box<dyn Sink>, Error>>,
    every: Duration,
    first_after: Option<Duration>,
    spread: Option<Duration>,
    sample_every: Duration,
    limits: Limits,
    switch: Switch,
    cluster: ClusterSource,
    instance: Option<String>,
    host: Option<HostFacts>,
    clock: Option<Arc<dyn Clock>>,
    beside: Option<FanoutBuilder>,
    bare: bool,
}

impl CallHome {
    /// Starts the settings of an aggregator that reports the fields of `schema`.
    pub fn builder(schema: Schema) -> Builder {
        Builder {
            schema,
            sink: None,
            every: defaults::EVERY,
            first_after: None,
            spread: None,
            sample_every: defaults::SAMPLE_EVERY,
            limits: Limits {
                reports: defaults::MAX_PENDING,
                bytes: defaults::MAX_PENDING_BYTES,
                age: defaults::MAX_AGE,
                body: defaults::MAX_BODY,
                attempts: defaults::MAX_ATTEMPTS,
                attempt: defaults::ATTEMPT_TIMEOUT,
            },
            switch: Switch::default(),
            cluster: ClusterSource::Ephemeral,
            instance: None,
            host: None,
            clock: None,
            beside: None,
            bare: false,
        }
    }
}

impl Builder {
    /// Reports go to this URL, by POST. It must be `https` unless it is on this machine; for
    /// other settings give an [`HttpSink`](crate::sink::HttpSink) to [`sink`](Builder::sink).
    #[cfg(feature = "http")]
    pub fn endpoint(mut self, url: &str) -> Builder {
        let sink = crate::sink::HttpSink::new(url);
        let sink = sink.map(|sink| Box::new(sink) as Box<dyn Sink>);
        self.sink = Some(sink.map_err(|error| config(format!("`endpoint`: {error}"))));
        self
    }

    /// Reports go to this sink. There is one sink; the last one given counts.
    pub fn sink(mut self, sink: impl Sink + 'static) -> Builder {
        self.sink = Some(Ok(Box::new(sink)));
        self
    }

    /// The interval between reports. Default: 4 hours. At least 100 ms.
    pub fn every(mut self, interval: Duration) -> Builder {
        self.every = interval;
        self
    }

    /// The shortest time until the first report; zero is at once. The instance's share of the
    /// [`spread`](Builder::spread) is added. Default: 10 minutes, or one interval if that is
    /// shorter.
    pub fn first_after(mut self, delay: Duration) -> Builder {
        self.first_after = Some(delay);
        self
    }

    /// The time over which a fleet spreads its reports: each instance is late by a share of it
    /// that its instance id decides, and each report by up to 1/64 of it in addition. Many
    /// instances that start at the same moment do not report at the same moment then. Default: one
    /// interval. Zero for a report exactly after [`first_after`](Builder::first_after).
    pub fn spread(mut self, spread: Duration) -> Builder {
        self.spread = Some(spread);
        self
    }

    /// The interval of the sampling clock. Default: 2 seconds. At least 100 ms.
    pub fn sample_every(mut self, interval: Duration) -> Builder {
        self.sample_every = interval;
        self
    }

    /// How long one attempt to deliver a report may take, from the name look-up to the answer.
    /// Default: 30 seconds. More than zero; [`HttpSink`](crate::sink) uses ten minutes at most.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Builder {
        self.limits.attempt = timeout;
        self
    }

    /// How many attempts to deliver follow a window's seal, each after a wait with full jitter:
    /// below a ceiling of a minute that doubles with each failure up to an hour, and 10 seconds at
    /// least. After the last one what waits is kept for the next window and becomes one with it,
    /// unless the receiver may have it already. While no attempt succeeds, windows are given one
    /// attempt each. At least 1. Default: 4.
    pub fn max_attempts(mut self, attempts: u32) -> Builder {
        self.limits.attempts = attempts;
        self
    }

    /// How many sealed reports may wait for another attempt. When there is one more, the oldest
    /// is given up and counted. Windows in a row that the receiver certainly does not have are one
    /// report, so it is those of which nobody knows whether they arrived that add up. At least 1.
    /// Default: 64.
    pub fn max_pending(mut self, reports: usize) -> Builder {
        self.limits.reports = reports;
        self
    }

    /// How many bytes of sealed reports may wait for another attempt; the oldest is given up and
    /// counted. At least as much as one report may have ([`max_body`](Builder::max_body)).
    /// Default: 4 MiB.
    pub fn max_pending_bytes(mut self, bytes: usize) -> Builder {
        self.limits.bytes = bytes;
        self
    }

    /// How long a report may wait after its (latest) window was sealed; then it is given up and
    /// counted. More than zero. Default: 7 days.
    pub fn max_age(mut self, age: Duration) -> Builder {
        self.limits.age = age;
        self
    }

    /// How many bytes one report may have, as a receiver or a proxy may limit it. It is an error if
    /// the schema's largest report is larger. Default: 1 MiB.
    pub fn max_body(mut self, bytes: usize) -> Builder {
        self.limits.body = bytes;
        self
    }

    /// The id of the installation or cluster, where the application knows one.
    pub fn cluster_id(mut self, id: impl Into<String>) -> Builder {
        self.cluster = ClusterSource::Given(id.into());
        self
    }

    /// Keeps a random id of the installation in this file. It is made at the first start and
    /// never replaced; a file that cannot be read is an error of `build` and `install`. When the
    /// switch says no the file is neither read nor made.
    pub fn cluster_id_file(mut self, path: impl Into<PathBuf>) -> Builder {
        self.cluster = ClusterSource::File(path.into());
        self
    }

    /// The id of this process, instead of a random one; for tests and samples.
    pub fn instance_id(mut self, id: impl Into<String>) -> Builder {
        self.instance = Some(id.into());
        self
    }

    /// Facts about the machine, instead of what [`HostFacts::detect`] finds; for tests and
    /// samples.
    pub fn host(mut self, facts: HostFacts) -> Builder {
        self.host = Some(facts);
        self
    }

    /// Where time comes from, instead of the system's clocks; for tests.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Builder {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Installs this recorder too: each metric goes to both. May be said more than once. It is
    /// installed even when the switch says no; [`build`](Builder::build) ignores it.
    pub fn beside<R>(mut self, recorder: R) -> Builder
    where
        R: metrics::Recorder + Sync + 'static,
    {
        self.beside = Some(self.beside.unwrap_or_default().add_recorder(recorder));
        self
    }

    /// Sends the data alone, without the envelope around it: no id, no window, no losses. The
    /// receiver then knows a report that came twice only by what the sink tells it
    /// ([`HttpSink`](crate::sink) sends the id as `Idempotency-Key`).
    ///
    /// The envelope is an object of `report_id` (a random UUID), `sequence` (from 1, counted by
    /// the process), `schema_id` (the schema's name and a hash of its fields), `window_start` and
    /// `window_end` (RFC 3339, UTC, microseconds), `window_seconds` (the length by the monotonic
    /// clock), `merged`, `losses` and `data`.
    ///
    /// `merged` has the ids of the windows before this one that could not be delivered and are part
    /// of it, oldest first, the latest 128 of them: the window then begins where the first of them
    /// did.
    ///
    /// `losses` has a count for each reason there was. Of values: `refused_values` (NaN,
    /// infinities), `undeclared_metrics` and `mismatched_metrics` (registrations of a name, or of
    /// labels, that the schema does not have, or has as another kind), `failed_functions`. Of
    /// windows that will not arrive: `reports_refused` (the receiver would never have taken them),
    /// `reports_overflowed` (too many waited), `reports_expired` (they waited for too long),
    /// `reports_set_aside` (files of the spool that were not whole).
    pub fn bare(mut self) -> Builder {
        self.bare = true;
        self
    }

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
            return Err(Error::new(ErrorKind::Config, message));
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
                return Err(config(format!(
                    "`{setting}` is {interval:?}: give at least {SHORTEST:?}"
                )));
            }
        }
        if self.instance.as_ref().is_some_and(|id| id.trim().is_empty()) {
            return Err(config("`instance_id` is empty: give an id or leave it out".into()));
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
            outbox: Outbox::new(sink.filter(|_| !off), self.limits),
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

fn config(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

fn set_global(recorder: impl metrics::Recorder + Sync + 'static) -> Result<(), Error> {
    metrics::set_global_recorder(recorder).map_err(|_| {
        let message = "there is a global metrics recorder already: install once, or install the other one through `beside`";
        Error::new(ErrorKind::Install, message)
    })
}
