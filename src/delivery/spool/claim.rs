//! A process's directory, and the lock that says whether the process lives.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};

use super::name::{self, LOCK, SPOOL};
use crate::files;
use crate::host::identity::new_id;

/// How often a new lock may be taken away before its maker has it.
const ATTEMPTS: usize = 16;

/// A directory that nobody else may use while this value lives.
pub(super) struct Claim {
    pub(super) directory: PathBuf,
    lock: PathBuf,
    /// Closing it gives up the lock. Nothing ever unlocks it by a call: a forked child shares the
    /// lock, and would take it from its parent.
    _held: File,
}

impl Claim {
    /// A new directory in `root`. It appears when the lock is held already.
    pub(super) fn new(root: &Path) -> io::Result<Claim> {
        for _ in 0..ATTEMPTS {
            let id = new_id().to_string();
            let lock = name::path(root, &id, LOCK);
            let held = files::create_new(&lock)?;
            // With its full path, for later versions of Rust have a method of this name.
            match FileExt::try_lock(&held) {
                // Another process may have come in between, seen a lock that nobody holds and no
                // directory, and removed the lock. Once it is held it stays.
                Ok(()) if fs::symlink_metadata(&lock).is_ok() => {
                    let claim =
                        Claim { directory: name::path(root, &id, SPOOL), lock, _held: held };
                    files::create_directory(&claim.directory).inspect_err(|_| claim.clear())?;
                    files::sync_directory(root);
                    return Ok(claim);
                }
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    let _ = fs::remove_file(&lock);
                    return Err(error);
                }
            }
        }
        Err(io::Error::other("other processes took each new lock away"))
    }

    /// The directories in `root` whose processes have ended, one after the other. One that another
    /// process takes over at this moment is not among them.
    pub(super) fn dead(root: &Path) -> io::Result<impl Iterator<Item = Claim>> {
        let ids = name::ids(root, LOCK)?;
        Ok(ids.into_iter().filter_map(move |id| {
            let lock = name::path(root, &id, LOCK);
            // Asked before opening: to open a named pipe would wait for its other end.
            if !fs::symlink_metadata(&lock).ok()?.is_file() {
                return None;
            }
            // Open for writing as well, without which some network file systems do not lock.
            let held = OpenOptions::new().read(true).write(true).open(&lock).ok()?;
            FileExt::try_lock(&held).ok()?;
            Some(Claim { directory: name::path(root, &id, SPOOL), lock, _held: held })
        }))
    }

    /// Removes the directory if it is empty, and then the lock; in this order, for a directory
    /// without a lock would stay for ever.
    pub(super) fn clear(&self) {
        match fs::remove_dir(&self.directory) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => return,
        }
        let _ = fs::remove_file(&self.lock);
    }

    /// Removes the directory with all that is in it, and the lock.
    pub(super) fn wipe(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => {
                self.clear();
                Ok(())
            }
        }
    }
}
