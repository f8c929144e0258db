//! The secret of which the key of sketches is made.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::cell::Key;
use crate::clock::Moment;
use crate::error::Error;
use crate::host::identity::{KeySource, new_id};

/// The secret, which all reports of one process share.
pub(super) struct Secret {
    source: KeySource,
    /// The key that it stands for, where it was found and not forgotten since.
    key: Mutex<Option<Key>>,
    /// The report that it was made for collects, and looks after it for all others. Written by that
    /// one under its `sealing`, and by its end; read by the others. It publishes nothing.
    owned: AtomicBool,
}

impl Secret {
    /// One that is not looked for yet.
    pub(super) fn new(source: KeySource) -> Secret {
        Secret { source, key: Mutex::default(), owned: AtomicBool::default() }
    }

    /// Finds it where it is kept, or makes one, unless it was found before.
    pub(super) fn find(&self, now: Moment) -> Result<(), Error> {
        let mut key = self.key.lock();
        if key.is_none() {
            *key = Some(Key::of_secret(&match &self.source {
                KeySource::Given(secret) => secret.clone(),
                KeySource::File(file) => file.find(now.wall)?.id.to_string(),
                KeySource::Ephemeral => new_id().to_string(),
            }));
        }
        Ok(())
    }

    /// Removes it where it is kept. What comes later is under another, unless the application gives
    /// the same.
    pub(super) fn forget(&self) -> Result<(), Error> {
        *self.key.lock() = None;
        match &self.source {
            KeySource::File(file) => file.remove(),
            _ => Ok(()),
        }
    }

    /// Whether it is in a file.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self.source, KeySource::File(_))
    }

    /// The key of the cluster with this id.
    pub(super) fn key_of(&self, cluster: &str) -> Option<Key> {
        self.key.lock().map(|key| key.of_cluster(cluster))
    }

    pub(super) fn is_owned(&self) -> bool {
        self.owned.load(Ordering::Relaxed)
    }

    pub(super) fn own(&self, owned: bool) {
        self.owned.store(owned, Ordering::Relaxed);
    }
}
