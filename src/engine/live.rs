//! Switching on and off while the program runs.

use super::Engine;
use crate::error::Error;
use crate::guard::caught;

impl Engine {
    /// Stops collecting and reporting, and forgets what was collected, what waits, on disk too, and
    /// who we are. The consent says no already, so nothing is sealed or sent from now on.
    pub(crate) fn stop(&self) {
        // A window that is being sealed goes to the outbox first, and is forgotten there.
        let _sealing = self.sealing.lock();
        self.window.registry().collect(false);
        self.outbox.cancel();
        if let Err(error) = self.identity.forget() {
            caught(|| log::warn!("{error}"));
        }
    }

    /// Begins as if the program had just started: nothing recorded before is reported.
    ///
    /// # Errors
    ///
    /// Those of the id that is kept in a file. Then nothing has begun.
    pub(crate) fn begin(&self) -> Result<(), Error> {
        let asked = self.identity.ask();
        let _sealing = self.sealing.lock();
        let now = self.clock.now();
        self.identity.find(asked, now)?;
        self.outbox.begin(now, true);
        self.window.restart(now);
        *self.schedule.lock() = self.timing.schedule(now.monotonic, &self.identity.instance());
        self.window.registry().collect(true);
        Ok(())
    }
}
