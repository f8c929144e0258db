//! Switching reporting on and off while the program runs.

use std::sync::Arc;

use super::CallHome;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind};
use crate::flusher::Flusher;
use crate::recorder::set_global;
use crate::switch::{Decision, Mode, Switch};

impl CallHome {
    /// Switches reporting off or on while the program runs, as a page of settings does: this report
    /// and all that share its switch (see [`attach`](CallHome::attach)). Returns what was decided.
    ///
    /// Off is at once: the macros get handles that do nothing, what was collected and what waits is
    /// thrown away, the [`spool`](crate::Builder::spool) is wiped, and the files of
    /// [`cluster_id_file`](crate::Builder::cluster_id_file) and
    /// [`distinct_key_file`](crate::Builder::distinct_key_file) are removed; those too of the last 64
    /// reports that were attached and are gone. An attempt that is under way cannot be taken back; no
    /// other follows. The thread ends.
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
    /// the files of the cluster id and of the distinct key; it is off then. [`ErrorKind::Usage`] after
    /// a shutdown and in a forked child.
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

    fn decide_anew(&self, wanted: bool, change: impl Fn(&mut Switch)) -> Result<Decision, Error> {
        if let Some(over) = self.engine.over() {
            return Err(over);
        }
        // One at a time.
        let changing = self.group.changing.lock();
        let engines = self.group.engines();
        let decided = self.decide_in_turn(&engines, change);
        if decided.is_err() {
            let off = |switch: &mut Switch| switch.live(false);
            engines.iter().for_each(|engine| {
                let _ = engine.consent.change(off);
                engine.stop();
            });
        }
        // A yes that somebody stronger keeps from being one takes nothing away.
        let is_no = decided.is_err() || !wanted;
        if is_no && engines.iter().all(|engine| engine.consent.decision().mode() == Mode::Off) {
            self.group.remove_left(|level, line| self.engine.outbox.note(level, line));
        }
        drop(changing);
        for engine in &engines {
            engine.consent.warn();
            engine.outbox.tell();
        }
        decided?;
        let decision = self.engine.consent.decision();
        if wanted && !self.engine.consent.is_open() {
            return Err(Error::new(ErrorKind::Off, format!("it stays off: {decision}")));
        }
        Ok(decision)
    }

    /// Decides for each report what is so now. All have ended before one begins: they share ids. One
    /// that was shut down has a last attempt to make, and its spool.
    fn decide_in_turn(
        &self,
        engines: &[Arc<Engine>],
        change: impl Fn(&mut Switch),
    ) -> Result<(), Error> {
        let mut begin = Vec::new();
        for engine in engines {
            let before = engine.consent.decision().mode();
            if engine.consent.change(&change)?.mode() != before {
                engine.stop();
                begin.push(engine);
            }
        }
        begin.retain(|engine| engine.consent.is_open() && engine.over().is_none());
        begin.into_iter().try_for_each(|engine| {
            // What may fail comes first: once begun, only a no could end it, and that forgets the
            // id.
            let thread = self.group.start(engine, set_global)?;
            let prepared = engine.prepare(engine.ask_id());
            prepared.inspect_err(|_| thread.iter().for_each(Flusher::stop))?;
            engine.begin(thread);
            Ok(())
        })
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
