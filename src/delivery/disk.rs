//! Sealed reports on disk as well, where there is a spool.

use std::path::Path;

use parking_lot::Mutex;

use super::spool::{Found, Spool};
use crate::guard::caught;
use crate::report::Report;
use crate::window::Sealed;

/// The spool, if there is one, and what is said about it.
pub(super) struct Disk(Mutex<State>);

struct State {
    spool: Option<Spool>,
    /// The last report could not be written. Noted so that it is said once.
    failing: bool,
}

impl State {
    fn remove(&self, ids: &[String]) {
        if let Some(spool) = &self.spool {
            ids.iter().for_each(|id| drop(spool.remove(id)));
        }
    }
}

impl Disk {
    /// Opens the spool in a directory. Without one, or where that fails, reports are kept in
    /// memory alone.
    pub(super) fn open(directory: Option<&Path>) -> (Disk, Found) {
        let opened = directory.map(Spool::open).transpose();
        if let Err(error) = &opened {
            caught(|| log::warn!("telemetry reports are kept in memory alone: {error}"));
        }
        let (spool, found) = opened.ok().flatten().unzip();
        let found: Found = found.unwrap_or_default();
        if let (Some(directory), left @ 1..) = (directory, found.left) {
            caught(|| {
                log::warn!(
                    "{left} directories of earlier processes in {directory:?} stay as they are: they cannot be read, or hold too much"
                );
            });
        }
        (Disk(Mutex::new(State { spool, failing: false })), found)
    }

    /// Writes a report, and says whether it is on disk now. One line is logged when that fails, and
    /// one when it works again.
    pub(super) fn write(&self, report: &Report, sealed: &Sealed) -> bool {
        let mut state = self.0.lock();
        let Some(spool) = &state.spool else { return false };
        let merged: Vec<String> = sealed.merged.iter().map(ToString::to_string).collect();
        let (id, sequence, end) = (report.id(), report.sequence(), sealed.end.wall);
        let written = spool.write(id, sequence, end, &merged, report.body());
        let failed = written.is_err();
        let news = std::mem::replace(&mut state.failing, failed) != failed;
        drop(state);
        match written {
            _ if !news => {}
            Ok(()) => drop(caught(|| log::info!("telemetry reports are kept on disk again"))),
            Err(error) => drop(caught(|| {
                log::info!("telemetry reports are kept in memory alone: {error}");
            })),
        }
        !failed
    }

    /// Removes the files of these reports. One that cannot be removed is sent again by the next
    /// process: its id reveals that.
    pub(super) fn remove(&self, ids: &[String]) {
        if !ids.is_empty() {
            self.0.lock().remove(ids);
        }
    }

    /// The same, unless the disk is at work.
    pub(super) fn try_remove(&self, ids: &[String]) {
        self.0.try_lock().into_iter().for_each(|state| state.remove(ids));
    }
}

#[cfg(test)]
mod tests {
    use super::Disk;

    #[test]
    fn an_end_does_not_wait_for_a_disk_that_hangs() {
        let (disk, _) = Disk::open(None);
        let _at_work = disk.0.lock();
        disk.try_remove(&["a".into()]);
        disk.remove(&[]);
    }
}
