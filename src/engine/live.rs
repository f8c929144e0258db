//! Switching on and off while the program runs.

use std::sync::atomic::Ordering;

use log::Level;

use super::{Collecting, Engine};
use crate::error::Error;
use crate::flusher::Flusher;
use crate::guard::caught;

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
        if *collecting != Collecting::Now {
            return;
        }
        *collecting = Collecting::NoMore;
        self.routes.remove(self.window.registry());
        self.stop_thread();
        self.outbox.cancel();
        let forgotten = if self.is_guest { Ok(()) } else { self.identity.forget() };
        if let Err(error) = forgotten {
            self.outbox.note(Level::Warn, error.to_string());
        }
        // A clock that panics must not keep a no from being heeded.
        if let Some(now) = caught(|| self.clock.now()) {
            self.window.restart(now);
        }
    }

    /// Begins as if the program had just started: nothing recorded before is reported. After a no
    /// nothing of earlier processes is left either. The thread, if there is to be one, starts to
    /// work. The caller tells what was noted.
    ///
    /// # Errors
    ///
    /// Those of the id that is kept in a file. Then nothing has begun.
    pub(crate) fn begin(&self, thread: Option<Flusher>) -> Result<(), Error> {
        let asked = if self.is_guest { None } else { self.identity.ask() };
        let mut collecting = self.sealing.lock();
        let now = self.clock.now();
        if !self.is_guest {
            self.identity.find(asked, now)?;
        }
        self.outbox.begin(now, *collecting == Collecting::NoMore);
        self.window.restart(now);
        *self.schedule.lock() = self.timing.schedule(now.monotonic, &self.identity.instance());
        self.routes.add(self.window.registry());
        *collecting = Collecting::Now;
        *self.flusher.lock() = thread;
        // A shutdown that came meanwhile has not seen that.
        if self.closed.load(Ordering::Relaxed) {
            self.routes.remove(self.window.registry());
            self.stop_thread();
        }
        self.wake();
        Ok(())
    }

    /// Ends for good, once: nothing is collected from now on, and the background thread ends.
    /// Returns that thread, if there is one; `None` when it has ended before.
    pub(crate) fn close(&self) -> Option<Option<Flusher>> {
        let is_first = !self.closed.swap(true, Ordering::Relaxed);
        self.routes.remove(self.window.registry());
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
