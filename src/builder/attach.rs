//! Several reports of one process.

use std::path::{Path, absolute};
use std::sync::Arc;

use super::Builder;
use crate::callhome::CallHome;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::host::identity::KeySource;
use crate::recorder::set_global;

impl CallHome {
    /// Adds another report of the same process, with a schema, an interval and a sink of its own: a
    /// heartbeat every minute beside a usage report every four hours, or a report for each tenant,
    /// told apart by a label.
    ///
    /// From now on both take in what the macros record: a metric that both declare is counted in
    /// full in both, and their windows know nothing of each other. Handles that were kept from
    /// before do not record to the new one, so attach at the start, before anything is recorded,
    /// what is there from the start. What a thread records costs as much as before where one report
    /// declares the metric.
    ///
    /// The new one has a thread of its own, if this one has; it shares the switch and, unless its
    /// builder gives them, the clock, the host facts and the ids, and the key of
    /// [`mergeable`](crate::Schema::mergeable) counts; one with an id of the installation of
    /// its own has an id of the process of its own too. It ends when it is dropped or
    /// [shut down](CallHome::shutdown), and at the latest when the one that was installed or built
    /// first is shut down, or dropped if it was installed.
    ///
    /// ```
    /// use callhome::{CallHome, Schema};
    ///
    /// let usage = CallHome::builder(Schema::new("usage").counter("orders").counter("visits"));
    /// let heartbeat = CallHome::builder(Schema::new("heartbeat").counter("visits"));
    /// let usage = usage.build()?;
    /// let heartbeat = usage.attach(heartbeat)?;
    /// metrics::with_local_recorder(usage.recorder(), || {
    ///     metrics::counter!("visits").increment(2);
    /// });
    /// assert_eq!(heartbeat.flush()?["visits"], 2);
    /// assert_eq!(usage.flush()?["visits"], 2);
    /// # Ok::<(), callhome::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`build`](Builder::build) or [`install`](Builder::install), whichever this one was
    /// made by; [`ErrorKind::Config`] also for words of the switch, recorders
    /// [`beside`](Builder::beside) and a [`distinct_key`](Builder::distinct_key), which are said to
    /// the first, and for a spool that another report of the process has; [`ErrorKind::Usage`]
    /// after a shutdown, in a forked child and within a sink.
    pub fn attach(&self, builder: Builder) -> Result<CallHome, Error> {
        self.accepts()?;
        builder.can_attach(self.group().is_installed())?;
        self.shares_no_spool(builder.spool.as_deref())?;
        // What is the application's, and what may take its time, comes before the lock.
        let engine = builder.wire(Some(self.engine()))?;
        if engine.consent.is_open() {
            let asked = engine.ask_id();
            engine.consent.follow(&self.engine().consent)?;
            if engine.consent.is_open() {
                engine.prepare(asked)?;
            }
        }
        let attached = self.take_in(&engine);
        engine.outbox.tell(); // the logger may use the aggregator
        attached?;
        Ok(CallHome::new(engine, Arc::clone(self.group())))
    }

    /// An error if there is a reason to take none in but that reporting is off. In a forked child
    /// it comes before any lock.
    fn accepts(&self) -> Result<(), Error> {
        let refusal = self.engine().refusal().filter(|refusal| refusal.kind() != ErrorKind::Off);
        refusal.map_or(Ok(()), Err)
    }

    /// Takes in a report that is prepared, and begins it if the switch still says yes.
    fn take_in(&self, engine: &Arc<Engine>) -> Result<(), Error> {
        let group = self.group();
        // Nobody switches the others meanwhile.
        let _changing = group.changing.lock();
        self.accepts()?;
        self.shares_no_spool(engine.outbox.directory())?;
        engine.consent.follow(&self.engine().consent)?;
        let is_open = engine.consent.is_open();
        if !is_open {
            engine.stop(); // somebody said no since it was prepared
        } else if !engine.is_ready() {
            engine.prepare(engine.ask_id())?; // somebody said yes
        }
        if !group.add(engine) {
            // A shutdown came meanwhile, and has not seen this one.
            drop(engine.close());
        } else if is_open {
            let thread = group.start(engine, set_global).inspect_err(|_| group.remove(engine))?;
            engine.begin(thread);
        }
        // One that has seen it has seen no thread.
        engine.over().map_or(Ok(()), |over| {
            group.remove(engine);
            Err(over)
        })
    }

    /// An error if another report of the process has this spool: at the next start one would take
    /// over what the other has left.
    fn shares_no_spool(&self, spool: Option<&Path>) -> Result<(), Error> {
        let Some(spool) = spool else { return Ok(()) };
        let engines = self.group().engines();
        let mut others = engines.iter().filter_map(|engine| engine.outbox.directory());
        // One directory may have several names.
        let place = |path: &Path| path.canonicalize().or_else(|_| absolute(path)).ok();
        match others.any(|other| place(other) == place(spool)) {
            true => Err(Error::config(format!(
                "`spool` is {spool:?}, which another report of this process has: name another directory"
            ))),
            false => Ok(()),
        }
    }
}

impl Builder {
    /// Checks what can be said of a report that is not the first.
    fn can_attach(&self, is_installed: bool) -> Result<(), Error> {
        if !self.switch.is_untouched() {
            return Err(Error::config(
                "a report that is attached is switched on and off with the first: say to that one what is said to the switch",
            ));
        }
        if !matches!(self.key, KeySource::Ephemeral) {
            return Err(Error::config(
                "`distinct_key` and `distinct_key_file` are said to the first report: those that are attached have its key",
            ));
        }
        if self.beside.is_some() {
            return Err(Error::config("`beside` is said to the first report: it has the recorder"));
        }
        if is_installed {
            self.has_sink()?;
        }
        Ok(())
    }
}
