//! The handle: flush, preview, status, shutdown.

mod end;
mod event;
mod live;

pub use event::Event;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Fate, Ticket};
use crate::engine::{Engine, Group};
use crate::error::{Error, ErrorKind};
use crate::recorder::Recorder;
use crate::report::Report;
use crate::schema::{Fact, Plan};
use crate::status::Status;

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
    engine: Arc<Engine>,
    recorder: Recorder,
    /// This one, and what shares its recorder.
    group: Arc<Group>,
}

impl CallHome {
    pub(crate) fn new(engine: Arc<Engine>, group: Arc<Group>) -> CallHome {
        CallHome { engine, recorder: group.recorder(), group }
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn group(&self) -> &Arc<Group> {
        &self.group
    }

    pub(crate) fn plan(&self) -> &Plan {
        self.engine.window.registry().plan()
    }

    /// The recorder, for [`metrics::with_local_recorder`].
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Seals the window, delivers its report and returns it.
    ///
    /// It does not wait for the time of the next attempt: somebody wants it now. Only a receiver
    /// that asked to be left alone (`Retry-After`, or [`Hints`](crate::sink::Hints) with a pause or
    /// with a share that leaves this installation out) is. An attempt that is under way is waited
    /// for, and reports that the receiver may have already go first: each attempt takes no longer
    /// than [`attempt_timeout`](crate::Builder::attempt_timeout), and the first that fails is the
    /// last. Windows whose attempts are used up, and that the receiver certainly does not have,
    /// become one with this one, and the report that is returned is that of them all. Without an
    /// endpoint or sink the report is delivered by being returned.
    ///
    /// Of [events](crate::Builder::event) it delivers all that wait, and returns the body of the
    /// last ones; an empty one if none waited. It is an error if any of them is not accepted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Delivery`] when the report was not accepted and is kept for another attempt,
    /// [`ErrorKind::Lost`] when it was refused for good; the window is sealed all the same.
    /// [`ErrorKind::Off`] when the switch says no, [`ErrorKind::Usage`]
    /// after a shutdown, in a forked child and within a sink; then nothing is sealed.
    pub fn flush(&self) -> Result<Report, Error> {
        if let Some(refusal) = self.engine.refusal() {
            return Err(refusal);
        }
        if self.engine.events.has_kinds() {
            return self.flush_events();
        }
        let ticket = self.engine.seal()?;
        self.send_now();
        self.ended(&ticket)
    }

    fn send_now(&self) {
        self.engine.send_now(None);
        self.engine.wake(); // there may be something to try again, and later than it thinks
    }

    /// The report, or why there is none to return.
    fn ended(&self, ticket: &Ticket) -> Result<Report, Error> {
        let (report, fate) = ticket.end();
        let number = report.sequence();
        let (kind, what) = match fate {
            Some(Fate::Accepted) => return Ok(report.clone()),
            Some(Fate::Refused(reason)) => {
                (ErrorKind::Lost, format!("is lost, it was refused for good: {reason}"))
            }
            Some(Fate::Lost(reason)) => (ErrorKind::Lost, format!("is lost: {}", reason.words())),
            Some(Fate::Spooled) => {
                (ErrorKind::Delivery, "is in the spool: the program ended".to_owned())
            }
            Some(Fate::Merged(_)) | None => (
                ErrorKind::Delivery,
                format!("was not delivered and is kept for another attempt: {}", self.trouble()),
            ),
        };
        Err(Error::new(kind, format!("report {number} {what}")))
    }

    /// Delivers all events that wait.
    fn flush_events(&self) -> Result<Report, Error> {
        let flush = self.engine.seal_events(false)?;
        self.send_now();
        let outcome = flush.outcome();
        // The sources are asked before each attempt.
        if !self.engine.consent.is_open() && (flush.is_withdrawn() || outcome.is_none()) {
            return Err(self.engine.off());
        }
        match (flush.lost(), outcome) {
            (Some(reason), _) => {
                Err(Error::new(ErrorKind::Lost, format!("an event is lost: {}", reason.words())))
            }
            (None, Some(ticket)) => self.ended(&ticket),
            (None, None) => Ok(self.engine.outbox.nothing()),
        }
    }

    /// Why a report is not delivered yet, in words.
    fn trouble(&self) -> String {
        let error = self.engine.outbox.tally().error.map(|error| error.to_string());
        match (error, self.engine.left_alone()) {
            (error, None) => error.unwrap_or_default(),
            (None, Some(asked)) => asked,
            (Some(error), Some(asked)) => format!("{error} ({asked})"),
        }
    }

    /// The report that [`flush`](CallHome::flush) would send now, byte for byte but for the time
    /// that passes until then. Changes nothing: the window goes on. The functions of the schema
    /// are asked, and what they say is not kept. When the switch says no it shows what there would
    /// be, with random ids; facts about the machine are asked of the system all the same.
    ///
    /// Of [events](crate::Builder::event) it shows the body that is sent next: the oldest that waits
    /// for another attempt, with the very bytes, or else the first that will be made of the events
    /// that wait. An empty one if none waits.
    pub fn preview(&self) -> Report {
        self.engine.preview()
    }

    /// Says a fact that the schema has for later ([`fact_later`](crate::Schema::fact_later)), by its
    /// dotted path. What is said first stays as long as the process runs, also while reporting is
    /// off; later values are ignored, and so is null.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Usage`] when the schema has no such fact there.
    ///
    /// ```
    /// use callhome::{CallHome, Fact, Schema};
    ///
    /// let schema = Schema::new("sync").section("environment", |s| s.fact_later("pg_version"));
    /// let callhome = CallHome::builder(schema).build()?;
    /// callhome.set_fact("environment.pg_version", Fact::text("14.9"))?;
    /// assert_eq!(callhome.flush()?["environment"]["pg_version"], "14.9");
    /// # Ok::<(), callhome::Error>(())
    /// ```
    pub fn set_fact(&self, path: &str, fact: impl Into<Fact>) -> Result<(), Error> {
        if self.engine.window.registry().set_fact(path, fact.into()) {
            return Ok(());
        }
        let message = format!("`{path}` is no fact that is said later: declare it by `fact_later`");
        Err(Error::new(ErrorKind::Usage, message))
    }

    /// What the switch decided, what was delivered, and what waits.
    pub fn status(&self) -> Status {
        let engine = &self.engine;
        let running = engine.flusher.lock().is_some();
        let now = engine.clock.now().monotonic;
        let report = engine.schedule.lock().next_report();
        Status {
            switch: engine.consent.decision(),
            next_report: (running && !engine.events.has_kinds())
                .then(|| report.saturating_sub(now)),
            next_attempt: engine.outbox.due().map(|due| due.saturating_sub(now)),
            waits: engine.outbox.waits_until().saturating_sub(now),
            tally: engine.outbox.tally(),
        }
    }

    /// Does what is due now, on the calling thread, and returns the time until something is due
    /// again: samples, and seals and sends a report.
    ///
    /// An installed aggregator has a thread that does this. It is for programs that have their
    /// own, and for tests with their own [`Clock`](crate::Clock).
    pub fn tick(&self) -> Duration {
        self.engine.tick(|| self.engine.send_due())
    }
}

impl Drop for CallHome {
    fn drop(&mut self) {
        // A forked child must not wait for a lock that its parent may have held.
        if self.engine.process != std::process::id() {
            return;
        }
        if self.group.is_installed() {
            let ending = self.ending();
            let _ = self.shutdown(DROP_DEADLINE);
            // Within a sink that does nothing, but the threads must not stay.
            ending.iter().for_each(|engine| drop(engine.close()));
        }
        if !self.group.is_first(&self.engine) {
            drop(self.engine.close()); // somebody may be about to begin it
            self.group.remove(&self.engine);
        }
    }
}

impl fmt::Debug for CallHome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallHome")
            .field("schema", &self.engine.window.registry().plan().name)
            .field("switch", &self.engine.consent.decision())
            .finish_non_exhaustive()
    }
}
