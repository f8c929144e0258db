//! The spool: opening it, and what one process does with it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::claim::Claim;
use super::name::{self, REPORT, TEMPORARY, is_id};
use super::record::{Spooled, are_ids, encode};
use super::salvage::{Budget, LONGEST, has_room, salvage, wipe_asides};
use crate::error::{Error, ErrorKind};
use crate::files::{self, Temporary};
use crate::host::identity::new_id;

/// The reports of this process on the disk.
///
/// Dropping it leaves them for a later start of any process that is given the same directory. A
/// forked child must not touch its parent's reports: there every call fails, and dropping does
/// nothing. While such a child lives, so does the lock, and nobody takes over what a parent that
/// has ended left.
pub(crate) struct Spool {
    root: PathBuf,
    claim: Claim,
    /// What the next start reads at most.
    most: Budget,
    /// The process that opened it.
    process: u32,
}

/// What earlier processes left.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Oldest first. They are this process's now.
    pub(crate) reports: Vec<Spooled>,
    /// Files that were found in place of a report: cut short, damaged, or somebody else's.
    pub(crate) set_aside: u64,
    /// Directories that could not be taken over, or hold too much to be read now. They stay.
    pub(crate) left: u64,
}

impl Spool {
    /// Opens the spool in `directory`, which is created if it is not there and its parent is, and
    /// takes over what dead processes left in it. Nothing is touched before this.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] when the path leads to something else than a directory;
    /// [`ErrorKind::Io`] when it cannot be created, read, written to or locked in.
    pub(crate) fn open(directory: &Path) -> Result<(Spool, Found), Error> {
        Spool::open_within(directory, Budget::default())
    }

    pub(super) fn open_within(directory: &Path, most: Budget) -> Result<(Spool, Found), Error> {
        let root = prepare(directory)?;
        let unusable = |error: io::Error| {
            let message = format!(
                "the spool directory {root:?} cannot be used: {error}; make it writable for this \
                 process, on a file system that has room and supports locks, or name another"
            );
            Error::new(ErrorKind::Io, message).with_source(error)
        };
        let claim = Claim::new(&root).map_err(unusable)?;
        let (mut budget, mut found) = (most, Found::default());
        for dead in Claim::dead(&root).map_err(unusable)? {
            let result = salvage(&dead, &root, &claim.directory, &mut budget, &mut found);
            found.left += u64::from(result.is_err());
        }
        found.reports.sort_by(|a, b| {
            (a.sealed_at, a.sequence, &a.id).cmp(&(b.sealed_at, b.sequence, &b.id))
        });
        Ok((Spool { root, claim, most, process: std::process::id() }, found))
    }

    /// Keeps a report. When this returns it is on the disk, whole; an error leaves no trace of it.
    /// The reports in `merged` have become part of it, and the caller removes them afterwards.
    ///
    /// # Errors
    ///
    /// Those of the file system; `InvalidInput` when an id is not a UUID; `FileTooLarge` over
    /// 16 MiB, and `Other` over 256 MiB or 10,000 reports in all, which no later start would read.
    pub(crate) fn write(
        &self,
        id: &str,
        sequence: u64,
        sealed_at: SystemTime,
        merged: &[String],
        body: &str,
    ) -> io::Result<()> {
        let directory = self.directory()?;
        if !are_ids(id, merged) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let record = encode(id, sequence, sealed_at, merged, body);
        if record.len() as u64 > LONGEST {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        has_room(directory, self.most, record.len())?;
        let temporary = Temporary(name::path(directory, &new_id().to_string(), TEMPORARY));
        files::write_new(&temporary.0, record.as_bytes())?;
        fs::rename(&temporary.0, name::path(directory, id, REPORT))?;
        files::sync_directory(directory);
        Ok(())
    }

    /// Removes a report, if it is there.
    ///
    /// # Errors
    ///
    /// Those of the file system; `InvalidInput` when the id is not a UUID.
    pub(crate) fn remove(&self, id: &str) -> io::Result<()> {
        let directory = self.directory()?;
        if !is_id(id) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        match fs::remove_file(name::path(directory, id, REPORT)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                // After a power cut, nothing may be back without the report it is a part of.
                files::sync_directory(directory);
                Ok(())
            }
        }
    }

    /// Removes all reports of this process and of dead ones, and what was set aside. The directory
    /// that the application named stays, and so does what living processes have in it.
    ///
    /// # Errors
    ///
    /// The first error of the file system; what can be removed is removed all the same.
    pub(crate) fn wipe(self) -> io::Result<()> {
        self.directory()?;
        let own = self.claim.wipe();
        let dead = Claim::dead(&self.root)
            .and_then(|dead| dead.map(|dead| dead.wipe()).fold(Ok(()), Result::and));
        own.and(dead).and(wipe_asides(&self.root))
    }

    /// As if the process had been killed: nothing is removed, and the lock is free.
    #[cfg(test)]
    pub(super) fn kill(mut self) {
        self.process = 0;
    }

    /// Where this process's reports are.
    fn directory(&self) -> io::Result<&Path> {
        if self.process != std::process::id() {
            return Err(io::Error::other("the spool is the parent process's"));
        }
        Ok(&self.claim.directory)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.directory().is_ok() {
            self.claim.clear();
        }
    }
}

/// The directory under an absolute path, so that it stays the same when the process moves to
/// another; created if need be.
fn prepare(directory: &Path) -> Result<PathBuf, Error> {
    let uncreatable = |error: io::Error| {
        let message = format!(
            "the spool directory {directory:?} cannot be created: {error}; create the directory \
             that it is to be in and make that writable for this process, or name another"
        );
        Error::new(ErrorKind::Io, message).with_source(error)
    };
    let root = std::path::absolute(directory).map_err(uncreatable)?;
    match fs::metadata(&root) {
        Ok(metadata) if metadata.is_dir() => return Ok(root),
        Ok(_) => {
            let message =
                format!("the spool directory {directory:?} is not a directory: name a directory");
            return Err(Error::new(ErrorKind::Config, message));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(uncreatable(error)),
    }
    match files::create_directory(&root) {
        Ok(()) => files::sync_directory(files::parent(&root)),
        // Another process may have been faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(uncreatable(error)),
    }
    Ok(root)
}
