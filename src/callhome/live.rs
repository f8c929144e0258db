//! Switching reporting on and off while the program runs.

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
    /// On begins as if the program had just started, with new random ids: nothing that was recorded
    /// before is reported, not by handles that the application kept either. It is not stronger than
    /// an operator who said no by `DO_NOT_TRACK` or by a variable of the application; it is stronger
    /// than the settings, files and defaults that the builder was given.
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
        // One at a time.
        let _changing = engine.changing.lock();
        match engine.refusal() {
            Some(refusal) if refusal.kind() != ErrorKind::Off => return Err(refusal),
            _ => {}
        }
        let before = engine.consent.decision().mode();
        let decision = engine.consent.change(change)?;
        if decision.mode() != before {
            self.stop();
            if engine.consent.is_open() {
                if let Err(error) = self.begin() {
                    engine.consent.change(|switch| switch.live(false))?;
                    self.stop();
                    return Err(error);
                }
            }
        }
        if wanted && !engine.consent.is_open() {
            return Err(Error::new(ErrorKind::Off, format!("it stays off: {decision}")));
        }
        Ok(decision)
    }

    fn stop(&self) {
        if let Some(flusher) = self.installed.as_ref().and_then(|i| i.lock().flusher.take()) {
            flusher.stop();
        }
        self.engine.stop();
    }

    fn begin(&self) -> Result<(), Error> {
        self.engine.begin()?;
        let Some(installed) = &self.installed else { return Ok(()) };
        let mut installed = installed.lock();
        if !installed.global {
            set_global(self.recorder.clone())?;
            installed.global = true;
        }
        panics::watch(self.engine.window.registry());
        let flusher = Engine::start(&self.engine)?;
        flusher.wake();
        installed.flusher = Some(flusher);
        Ok(())
    }
}
