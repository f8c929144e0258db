//! Sealed reports on disk as well, where there is a spool.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use log::Level;
use parking_lot::Mutex;

use super::spool::{Found, Spool};
use crate::guard::caught;
use crate::report::Report;

/// The spool, if there is one, and what is said about it.
pub(super) struct Disk {
    /// Where it is to be.
    directory: Option<PathBuf>,
    state: Mutex<State>,
    /// What is to be said when nothing is locked: the logger may use the aggregator.
    notes: Mutex<Vec<(Level, String)>>,
}

#[derive(Default)]
struct State {
    /// Nothing is touched before it is opened.
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
    pub(super) fn new(directory: Option<PathBuf>) -> Disk {
        Disk { directory, state: Mutex::default(), notes: Mutex::default() }
    }

    pub(super) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Opens the spool, and says what earlier processes have left; where that fails, reports are
    /// kept in memory alone. `afresh` leaves nothing of theirs.
    pub(super) fn open(&self, afresh: bool) -> Found {
        if afresh {
            self.open(false);
            self.wipe();
        }
        let Some(directory) = &self.directory else { return Found::default() };
        let (spool, found) = match Spool::open(directory) {
            Ok(opened) => opened,
            Err(error) => {
                self.note(
                    Level::Warn,
                    format!("telemetry reports are kept in memory alone: {error}"),
                );
                return Found::default();
            }
        };
        if let left @ 1.. = found.left {
            self.note(Level::Warn, format!("{left} directories of earlier processes in {directory:?} stay as they are: they cannot be read, or hold too much"));
        }
        *self.state.lock() = State { spool: Some(spool), failing: false };
        found
    }

    /// Removes what this process and those before it have on disk, and closes the spool.
    pub(super) fn wipe(&self) {
        let spool = self.state.lock().spool.take();
        if let Some(Err(error)) = spool.map(Spool::wipe) {
            let directory = &self.directory;
            self.note(Level::Warn, format!("not all of {directory:?} could be removed: {error}"));
        }
    }

    /// Writes a report of what ended then, and says whether it is on disk now. One line is noted when
    /// that fails, and one when it works again. `merged` are the ids of what has become part of it.
    pub(super) fn write(&self, report: &Report, merged: &[String], end: SystemTime) -> bool {
        let mut state = self.state.lock();
        let Some(spool) = &state.spool else { return false };
        let (id, sequence) = (report.id(), report.sequence());
        let written = spool.write(id, sequence, end, merged, report.body());
        let failed = written.is_err();
        let news = std::mem::replace(&mut state.failing, failed) != failed;
        drop(state);
        match written {
            _ if !news => {}
            Ok(()) => self.note(Level::Info, "telemetry reports are kept on disk again".into()),
            Err(error) => self
                .note(Level::Info, format!("telemetry reports are kept in memory alone: {error}")),
        }
        !failed
    }

    /// Notes what [`tell`](Disk::tell) says.
    pub(super) fn note(&self, level: Level, line: String) {
        self.notes.lock().push((level, line));
    }

    /// Logs what was noted.
    pub(super) fn tell(&self) {
        let notes = std::mem::take(&mut *self.notes.lock());
        for (level, line) in notes {
            caught(|| log::log!(level, "{line}"));
        }
    }

    /// Removes the files of these reports. One that cannot be removed is sent again by the next
    /// process: its id reveals that.
    pub(super) fn remove(&self, ids: &[String]) {
        if !ids.is_empty() {
            self.state.lock().remove(ids);
        }
    }

    /// The same, unless the disk is at work.
    pub(super) fn try_remove(&self, ids: &[String]) {
        self.state.try_lock().into_iter().for_each(|state| state.remove(ids));
    }
}

/// Removes what this process and those before it have in a spool that no report has any more; an
/// error in words.
pub(crate) fn wipe(directory: &Path) -> Result<(), String> {
    if !directory.exists() {
        return Ok(());
    }
    let opened = Spool::open(directory).map_err(|error| error.to_string());
    let wiped = opened.and_then(|(spool, _)| spool.wipe().map_err(|error| error.to_string()));
    wiped.map_err(|error| format!("not all of {directory:?} could be removed: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use super::Disk;

    #[test]
    fn an_end_does_not_wait_for_a_disk_that_hangs() {
        let disk = Arc::new(Disk::new(None));
        let _at_work = disk.state.lock();
        let (done, is_done) = mpsc::channel();
        let other = Arc::clone(&disk);
        std::thread::spawn(move || {
            other.try_remove(&["a".into()]);
            other.remove(&[]);
            done.send(())
        });
        assert!(is_done.recv_timeout(Duration::from_secs(30)).is_ok());
    }
}
