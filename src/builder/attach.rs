//! Several reports of one process.

use std::path::Path;
use std::sync::Arc;

use super::Builder;
use crate::callhome::CallHome;
use crate::error::{Error, ErrorKind};
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
    /// builder gives them, the clock, the host facts and the ids. It ends when it is dropped or
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
    /// made by; [`ErrorKind::Config`] also for words of the switch and recorders
    /// [`beside`](Builder::beside), which are said to the first, and for a spool that another report
    /// of the process has; [`ErrorKind::Usage`] after a shutdown, in a forked child and within a
    /// sink.
    pub fn attach(&self, builder: Builder) -> Result<CallHome, Error> {
        let group = self.group();
        // Nobody switches the others meanwhile.
        let _changing = group.changing.lock();
        if let Some(refusal) = self.engine().refusal().filter(|r| r.kind() != ErrorKind::Off) {
            return Err(refusal);
        }
        let spools = group.engines();
        let spools: Vec<&Path> = spools.iter().filter_map(|e| e.outbox.directory()).collect();
        builder.can_attach(&spools, group.is_installed())?;
        let engine = builder.wire(Some(self.engine()))?;
        if !group.add(&engine) {
            // A shutdown came meanwhile, and has not seen this one.
            drop(engine.close());
            return Err(engine.over().unwrap_or_else(|| Error::config("all reports have ended")));
        }
        if engine.consent.is_open() {
            let started = group.start(&engine, set_global);
            *engine.flusher.lock() = started.inspect_err(|_| group.remove(&engine))?;
            engine.wake();
        }
        Ok(CallHome::new(engine, Arc::clone(group)))
    }
}

impl Builder {
    /// Checks what can be said of a report that is not the first.
    fn can_attach(&self, spools: &[&Path], is_installed: bool) -> Result<(), Error> {
        if !self.switch.is_untouched() {
            return Err(Error::config(
                "a report that is attached is switched on and off with the first: say to that one what is said to the switch",
            ));
        }
        if self.beside.is_some() {
            return Err(Error::config("`beside` is said to the first report: it has the recorder"));
        }
        if is_installed {
            self.has_sink()?;
        }
        // At the next start one would take over what the other has left.
        match self.spool.as_deref().filter(|spool| spools.contains(spool)) {
            Some(spool) => Err(Error::config(format!(
                "`spool` is {spool:?}, which another report of this process has: name another directory"
            ))),
            None => Ok(()),
        }
    }
}
