//! Switching reporting on and off while the program runs.

use std::sync::atomic::Ordering;

use super::CallHome;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::panics;
use crate::recorder::set_global;
use crate::switch::{Decision, Switch};

impl CallHome {
    /// Switches reporting off or on while the program runs, as a page of settings does. Returns
    /// what was decided.
    ///
    /// Off is at once: the macros get handles that do nothing, what was collected and what waits is
    /// thrown away, the [`spool`](crate::Builder::spool) is wiped, and the file of
    /// [`cluster_id_file`](crate::Builder::cluster_id_file) removed. An attempt that is under way
    /// cannot be taken back; no other follows. The thread ends.
    ///
    /// On begins as if the program had just started: nothing that was recorded before is reported,
    /// not by handles that the application kept either. After a no it begins with new random ids;
    /// the first yes of a process finds the spool and the id that earlier processes left, as a
    /// start does. It is not stronger than an operator who said no by `DO_NOT_TRACK` or by a
    /// variable of the application; it is stronger than the settings, files and defaults that the
    /// builder was given.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Off`] when reporting is to be on and somebody stronger says no. When it is to
    /// be on also those of [`install`](crate::Builder::install), if it was installed, and those of
    /// the file of the cluster id; it is off then. [`ErrorKind::Usage`] after a shutdown and in a
    /// forked child.
    pub fn set_enabled(&self, enabled: bool) -> Result<Decision, Error> {
        self.decide_anew(enabled, |switch| switch.live(enabled))
    }

    /// Says that the operator has seen the notice of
    /// [`notice_first`](crate::Builder::notice_first). Collecting begins now, if the switch says
    /// yes. Returns what was decided.
    ///
    /// # Errors
    ///
    /// Those of [`set_enabled`](CallHome::set_enabled), but for [`ErrorKind::Off`].
    pub fn notice_shown(&self) -> Result<Decision, Error> {
        self.decide_anew(false, |switch| switch.notice(false))
    }

    fn decide_anew(
        &self,
        wanted: bool,
        change: impl FnOnce(&mut Switch),
    ) -> Result<Decision, Error> {
        let engine = &self.engine;
        if let Some(over) = engine.over() {
            return Err(over);
        }
        // One at a time.
        let changing = engine.changing.lock();
        let decided = self.decide_in_turn(change);
        drop(changing);
        engine.consent.warn();
        engine.outbox.tell();
        let decision = decided?;
        if wanted && !engine.consent.is_open() {
            return Err(Error::new(ErrorKind::Off, format!("it stays off: {decision}")));
        }
        Ok(decision)
    }

    fn decide_in_turn(&self, change: impl FnOnce(&mut Switch)) -> Result<Decision, Error> {
        let engine = &self.engine;
        let before = engine.consent.decision().mode();
        let decision = engine.consent.change(change)?;
        if decision.mode() != before {
            engine.stop();
            if engine.consent.is_open() {
                if let Err(error) = self.begin() {
                    engine.consent.change(|switch| switch.live(false))?;
                    return Err(error);
                }
            }
        }
        Ok(decision)
    }

    fn begin(&self) -> Result<(), Error> {
        let engine = &self.engine;
        let Some(global) = &self.installed else { return engine.begin(None) };
        // What may fail comes first: once begun, only a no could end it, and that forgets the id.
        if !global.load(Ordering::Relaxed) {
            set_global(self.recorder.clone())?;
            global.store(true, Ordering::Relaxed);
        }
        panics::watch(engine.window.registry());
        let thread = Engine::start(engine)?;
        engine.begin(Some(thread.clone())).inspect_err(|_| thread.stop())
    }
}

#[cfg(test)]
mod tests {
    use crate::callhome::CallHome;
    use crate::schema::Schema;
    use crate::sink::MemorySink;

    #[test]
    fn a_yes_counts_from_when_collecting_has_begun() {
        let sink = MemorySink::new();
        let builder = CallHome::builder(Schema::new("s").counter("n")).sink(sink.clone());
        let callhome = builder.opt_out().build().unwrap();
        let kept = metrics::with_local_recorder(callhome.recorder(), || metrics::counter!("n"));
        callhome.set_enabled(false).unwrap();
        kept.increment(1);
        // The first step of `set_enabled(true)`; somebody flushes before the second.
        callhome.engine.consent.change(|switch| switch.live(true)).unwrap();
        assert!(callhome.flush().is_err());
        assert_eq!(sink.attempts(), 0, "what was recorded while off");
    }
}
