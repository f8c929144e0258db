//! What reports that are gone have on disk: a no reaches it.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use log::Level;

use super::{Collecting, Engine};
use crate::delivery::wipe_spool;
use crate::host::id_file::IdFile;

/// How many of them are known. What is older stays where it is.
const MOST: usize = 64;

/// What one report has left.
pub(super) struct Left {
    /// It is there as long as its last attempt is under way, and holds the spool.
    engine: Weak<Engine>,
    spool: Option<PathBuf>,
    id: Option<IdFile>,
}

impl Left {
    /// What a report leaves that goes now, if anything.
    fn by(engine: &Arc<Engine>) -> Option<Left> {
        let collecting = engine.sealing.try_lock().map(|collecting| *collecting);
        if matches!(collecting, Some(Collecting::NotYet | Collecting::NoMore)) {
            return None;
        }
        let id = engine.identity.file().filter(|_| !engine.identity.is_guest).cloned();
        let spool = engine.outbox.directory().and_then(|path| std::path::absolute(path).ok());
        let engine = Arc::downgrade(engine);
        (spool.is_some() || id.is_some()).then_some(Left { engine, spool, id })
    }

    /// Adds what a report leaves that goes now.
    pub(super) fn add(to: &mut Vec<Left>, engine: &Arc<Engine>) {
        let Some(left) = Left::by(engine) else { return };
        to.retain(|other| (&other.spool, &other.id) != (&left.spool, &left.id));
        to.push(left);
        to.drain(..to.len().saturating_sub(MOST));
    }

    /// Removes it. `note` is given what the log is to be told.
    pub(super) fn remove(self, note: &impl Fn(Level, String)) {
        if let Some(engine) = self.engine.upgrade() {
            engine.stop();
        }
        let spool = self.spool.map_or(Ok(()), |spool| wipe_spool(&spool));
        let id = self.id.map_or(Ok(()), |id| id.remove().map_err(|error| error.to_string()));
        [spool, id].into_iter().filter_map(Result::err).for_each(|line| note(Level::Warn, line));
    }
}
