//! The reports of one process that share a recorder.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use log::Level;
use parking_lot::Mutex;

use super::Engine;
use super::left::Left;
use crate::cache;
use crate::error::Error;
use crate::flusher::Flusher;
use crate::panics;
use crate::recorder::Recorder;
use crate::routes::Routes;

/// An aggregator and those attached to it.
pub(crate) struct Group {
    routes: Arc<Routes>,
    members: Mutex<Members>,
    /// None if they were only built. Otherwise whether the macros record to them, which cannot be
    /// taken back; read and written by who holds `changing`, so it publishes nothing.
    installed: Option<AtomicBool>,
    /// Held while reporting is switched on or off, and while one is attached.
    pub(crate) changing: Mutex<()>,
}

struct Members {
    /// The first one is that to which the others are attached.
    engines: Vec<Arc<Engine>>,
    /// What those that are gone have on disk.
    left: Vec<Left>,
    /// The first one ends, and all others with it: none may come.
    is_over: bool,
}

impl Group {
    pub(crate) fn new(first: &Arc<Engine>, is_installed: bool) -> Group {
        Group {
            routes: Arc::clone(&first.routes),
            members: Mutex::new(Members {
                engines: vec![Arc::clone(first)],
                left: Vec::new(),
                is_over: false,
            }),
            installed: is_installed.then(AtomicBool::default),
            changing: Mutex::default(),
        }
    }

    pub(crate) fn recorder(&self) -> Recorder {
        Recorder::new(Arc::clone(&self.routes))
    }

    pub(crate) fn is_installed(&self) -> bool {
        self.installed.is_some()
    }

    /// All of them, at this moment.
    pub(crate) fn engines(&self) -> Vec<Arc<Engine>> {
        self.members.lock().engines.clone()
    }

    /// The one to which the others are attached.
    pub(crate) fn is_first(&self, engine: &Arc<Engine>) -> bool {
        self.members.lock().engines.first().is_some_and(|first| Arc::ptr_eq(first, engine))
    }

    /// Takes one in, unless all have ended.
    #[must_use]
    pub(crate) fn add(&self, engine: &Arc<Engine>) -> bool {
        let mut members = self.members.lock();
        if !members.is_over {
            members.engines.push(Arc::clone(engine));
        }
        !members.is_over
    }

    /// All of them, which end now.
    pub(crate) fn end(&self) -> Vec<Arc<Engine>> {
        let mut members = self.members.lock();
        members.is_over = true;
        members.engines.clone()
    }

    /// Takes one out: nothing is recorded to it any more.
    pub(crate) fn remove(&self, engine: &Arc<Engine>) {
        self.routes.remove(engine.window.registry());
        cache::tidy();
        let mut members = self.members.lock();
        members.engines.retain(|other| !Arc::ptr_eq(other, engine));
        Left::add(&mut members.left, engine);
    }

    /// Removes what those that are gone have left on disk. `note` is given what the log is to be
    /// told.
    pub(crate) fn remove_left(&self, note: impl Fn(Level, String)) {
        let left = std::mem::take(&mut self.members.lock().left);
        left.into_iter().for_each(|left| left.remove(&note));
    }

    /// Makes the macros record, by `set`, where they do not yet.
    pub(crate) fn set_global(
        &self,
        set: impl FnOnce(Recorder) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match &self.installed {
            Some(global) if !global.load(Ordering::Relaxed) => {
                set(self.recorder())?;
                global.store(true, Ordering::Relaxed);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The thread of one that reports, if these have threads; it does nothing before its first
    /// `wake`. The macros record, by `set`, from now on. Nothing is left behind by an error.
    pub(crate) fn start(
        &self,
        engine: &Arc<Engine>,
        set: impl FnOnce(Recorder) -> Result<(), Error>,
    ) -> Result<Option<Flusher>, Error> {
        if !self.is_installed() {
            return Ok(None);
        }
        // The thread comes first, for a global recorder cannot be taken back.
        let thread = Engine::start(engine)?;
        if let Err(error) = self.set_global(set) {
            thread.stop();
            thread.join(Duration::MAX);
            return Err(error);
        }
        panics::watch(engine.window.registry());
        Ok(Some(thread))
    }
}
