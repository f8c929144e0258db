//! From settings to an aggregator: the checks, and the wiring.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use parking_lot::Mutex;

use super::{Builder, ids};
use crate::callhome::CallHome;
use crate::clock::SystemClock;
use crate::consent::Consent;
use crate::delivery::Outbox;
use crate::engine::{Collecting, Engine, Group, Identity};
use crate::error::Error;
use crate::guard::caught;
use crate::host::identity::ClusterSource;
use crate::recorder::set_global;
use crate::registry::Registry;
use crate::routes::Routes;
use crate::schedule::Timing;
use crate::schema::Kind;
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
    /// cluster id or a distinct key that cannot be read.
    pub fn build(self) -> Result<CallHome, Error> {
        let engine = self.wire(None)?;
        let group = Arc::new(Group::new(&engine, false));
        if engine.consent.is_open() {
            engine.prepare(engine.ask_id())?;
            engine.begin(None);
        }
        engine.outbox.tell();
        Ok(CallHome::new(engine, group))
    }

    /// Makes an aggregator, makes it the global recorder of the `metrics` macros and starts its
    /// thread. When the switch says no, it does neither, and reports nothing.
    ///
    /// # Errors
    ///
    /// As [`build`](Builder::build), and [`ErrorKind::Config`](crate::ErrorKind::Config) without an endpoint or sink;
    /// [`ErrorKind::Install`](crate::ErrorKind::Install) when there is a global recorder already or the thread cannot be
    /// started. Nothing is left behind then, but for the file of
    /// [`cluster_id_file`](Builder::cluster_id_file) and that of
    /// [`distinct_key_file`](Builder::distinct_key_file).
    pub fn install(mut self) -> Result<CallHome, Error> {
        self.has_sink()?;
        let beside = self.beside.take();
        let engine = self.wire(None)?;
        let group = Arc::new(Group::new(&engine, true));
        let is_beside = beside.is_some();
        let set = |recorder| match beside {
            Some(beside) => set_global(beside.add_recorder(recorder).build()),
            None => set_global(recorder),
        };
        if engine.consent.is_open() {
            engine.prepare(engine.ask_id())?;
            engine.begin(group.start(&engine, set)?);
        } else if is_beside {
            group.set_global(set)?; // those beside it record all the same
        }
        engine.outbox.tell();
        Ok(CallHome::new(engine, group))
    }

    /// An error if there is nowhere to send reports.
    pub(super) fn has_sink(&self) -> Result<(), Error> {
        let message =
            "there is nowhere to send reports: give the builder an `endpoint` or a `sink`";
        self.sink.is_some().then_some(()).ok_or_else(|| Error::config(message))
    }

    /// The engine of a report, which shares what it can with those it is attached `to`. Nothing has
    /// begun: no file is read or made.
    pub(super) fn wire(self, to: Option<&Engine>) -> Result<Arc<Engine>, Error> {
        let first = self.first();
        self.check_events()?;
        let (plan, events) = Builder::plans(self.schema, self.events)?;
        for (setting, interval) in [("every", self.every), ("sample_every", self.sample_every)] {
            if interval < SHORTEST {
                return Err(Error::config(format!(
                    "`{setting}` is {interval:?}: give at least {SHORTEST:?}"
                )));
            }
        }
        let cluster = ids::checked(self.cluster, self.cluster_id_period, self.instance.as_deref())?;
        ids::check_key(&self.key)?;
        let sink = self.sink.transpose()?;
        let reach = match &sink {
            None => Reach::Nowhere,
            Some(sink) if caught(|| sink.is_local()) == Some(true) => Reach::Machine,
            Some(_) => Reach::Beyond,
        };
        let consent = match to {
            Some(to) => to.consent.of_another(reach)?,
            None => Consent::new(self.switch, reach)?,
        };
        let system = || to.map_or_else(|| Arc::new(SystemClock::new()) as _, |to| to.clock.clone());
        let has_clock = self.clock.is_some();
        let clock = self.clock.unwrap_or_else(system);
        let now = clock.now();
        self.limits.check(&plan, self.bare, now)?;
        events.check(self.limits.body, self.bare, now)?;
        let ci = consent.decision().ci();
        let other = to.map(|to| &to.identity);
        // One with an id of its own is not told by its age to be of the same process.
        let is_as_old = !has_clock && matches!(cluster, ClusterSource::Ephemeral);
        let started = other.filter(|_| is_as_old).map_or(now, Identity::started);
        let identity =
            Identity::new(other, self.host, self.instance, (cluster, self.key), ci, started);
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
        let routes = match to {
            Some(to) => Arc::clone(&to.routes),
            None => Arc::new(Routes::new(Arc::clone(&registry))),
        };
        let engine = Engine {
            window: Window::new(registry, now),
            events,
            outbox,
            clock,
            timing,
            schedule: Mutex::new(timing.schedule(now.monotonic, &identity.instance())),
            identity,
            consent,
            routes,
            process: std::process::id(),
            sealing: Mutex::new(Collecting::NotYet),
            flusher: Mutex::new(None),
            bare,
            closed: AtomicBool::new(false),
            sending: AtomicBool::new(false),
        };
        Ok(Arc::new(engine))
    }
}
