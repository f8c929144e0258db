//! Switching on and off while the program runs.

use std::sync::atomic::Ordering;

use log::Level;

use super::{Collecting, Engine};
use crate::clock::Moment;
use crate::error::Error;
use crate::flusher::Flusher;
use crate::guard::caught;
use crate::switch::Mode;

/// What the application said when it was asked for the id of the installation; `None` where nobody
/// had to.
pub(crate) struct AskedId(Option<Option<String>>);

impl Engine {
    /// Stops collecting and reporting, and forgets what was collected, what waits, on disk too, and
    /// who we are. Where nothing has begun, nothing ends. The caller tells what was noted.
    pub(crate) fn stop(&self) {
        self.end(&mut self.sealing.lock());
    }

    /// The same if the consent says no. The sources are asked before every attempt: one may say no
    /// now.
    pub(super) fn heed(&self) {
        if !self.consent.is_open() {
            let mut collecting = self.sealing.lock();
            // The application may have said yes before the lock was free.
            if !self.consent.is_open() {
                self.end(&mut collecting);
            }
            drop(collecting);
            self.outbox.tell();
        }
    }

    /// A window that is being sealed goes to the outbox first, and is forgotten there.
    fn end(&self, collecting: &mut Collecting) {
        if matches!(*collecting, Collecting::NotYet | Collecting::NoMore) {
            return;
        }
        *collecting = Collecting::NoMore;
        self.routes.remove(self.window.registry());
        self.stop_thread();
        self.outbox.cancel();
        let identity = &self.identity;
        let ids = identity.looks_after_ids().then(|| identity.forget());
        let secret = identity.looks_after_secret().then(|| identity.forget_secret());
        identity.own(false);
        for error in [ids, secret].into_iter().flatten().filter_map(Result::err) {
            self.outbox.note(Level::Warn, error.to_string());
        }
        // A clock that panics must not keep a no from being heeded.
        if let Some(now) = caught(|| self.clock.now()) {
            self.window.restart(now, None);
        }
    }

    /// Asks the application for the id of the installation, if that is still to be found. It may
    /// take its time; no lock is held.
    pub(crate) fn ask_id(&self) -> AskedId {
        let note = |line| self.outbox.note(Level::Warn, line);
        AskedId(self.finds_id().then(|| self.identity.ask(note)))
    }

    /// Does what comes before the beginning, and what may take its time: finds the id, for which the
    /// application was asked, and what earlier processes left in the spool; after a no nothing of
    /// that is left. Nothing recorded before is reported. The caller tells what was noted.
    ///
    /// # Errors
    ///
    /// Those of the id and of the key that are kept in files. Then nothing has begun.
    pub(crate) fn prepare(&self, AskedId(asked): AskedId) -> Result<(), Error> {
        let mut collecting = self.sealing.lock();
        if self.closed.load(Ordering::Relaxed) {
            return Ok(()); // it went while the application was asked
        }
        let now = self.clock.now();
        self.find(asked, now)?;
        self.outbox.begin(now, *collecting == Collecting::NoMore);
        self.window.restart(now, self.identity.said().key);
        *self.schedule.lock() = self.timing.schedule(now.monotonic, &self.identity.instance());
        *collecting = Collecting::Ready;
        Ok(())
    }

    /// Finds the id, if that is to be found, and the key.
    fn find(&self, asked: Option<Option<String>>, now: Moment) -> Result<(), Error> {
        let is_new = self.identity.file().is_some_and(|file| !file.path().exists());
        let made = asked.is_some() && is_new;
        if let Some(asked) = asked {
            self.identity.find(asked, now)?;
        }
        if !self.identity.has_secret_at_hand() && !self.may_look() {
            return Ok(());
        }
        self.identity.find_secret(now).inspect_err(|_| {
            // Nothing begins, so nobody would remove it.
            if made {
                let _ = self.identity.forget();
            }
        })
    }

    pub(crate) fn is_ready(&self) -> bool {
        *self.sealing.lock() == Collecting::Ready
    }

    /// Begins what is prepared, as if the program had just started, unless it has ended since. The
    /// thread, if there is to be one, starts to work.
    pub(crate) fn begin(&self, thread: Option<Flusher>) {
        let mut collecting = self.sealing.lock();
        if *collecting != Collecting::Ready {
            return thread.iter().for_each(Flusher::stop);
        }
        self.routes.add(self.window.registry());
        *collecting = Collecting::Now;
        self.identity.own(true);
        *self.flusher.lock() = thread;
        // A shutdown that came meanwhile has not seen that.
        if self.closed.load(Ordering::Relaxed) {
            self.routes.remove(self.window.registry());
            self.identity.own(false);
            self.stop_thread();
        }
        self.wake();
    }

    /// Whether the id of the installation is still to be found.
    fn finds_id(&self) -> bool {
        !self.identity.is_found() && (self.identity.is_at_hand() || self.may_look())
    }

    /// Whether a file may be read or made, and the application be asked: not where the switch says
    /// no, also by one that collects because it has nowhere to report to.
    fn may_look(&self) -> bool {
        self.consent.decision().mode() != Mode::Off
    }

    /// Ends for good, once: nothing is collected from now on, and the background thread ends.
    /// Returns that thread, if there is one; `None` when it has ended before.
    pub(crate) fn close(&self) -> Option<Option<Flusher>> {
        let is_first = !self.closed.swap(true, Ordering::Relaxed);
        self.routes.remove(self.window.registry());
        self.identity.own(false);
        let thread = self.stop_thread();
        is_first.then_some(thread)
    }

    /// Tells the background thread, if there is one, to end.
    pub(crate) fn stop_thread(&self) -> Option<Flusher> {
        let thread = self.flusher.lock().take();
        thread.iter().for_each(Flusher::stop);
        thread
    }
}
