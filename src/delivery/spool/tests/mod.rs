//! The spool, in directories that are removed at the end.

#[cfg(unix)]
mod apart;
mod faults;
mod foreign;
mod format;
mod kept;
#[cfg(unix)]
mod kill;
mod limits;
mod together;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::RwLock;

use super::salvage::Budget;
use super::{Found, Spool, Spooled};
use crate::files::Scratch;
use crate::host::identity::new_id;

fn id() -> String {
    new_id().to_string()
}

/// A time of sealing, in seconds.
fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Held for writing while a process is started: until it runs its program it has all locks that the
/// tests have. A spool that was dropped would seem to live, so none is opened meanwhile.
static STARTING: RwLock<()> = RwLock::new(());

fn open(root: &Path) -> (Spool, Found) {
    let _not_starting = STARTING.read();
    Spool::open(root).unwrap()
}

fn open_within(root: &Path, budget: Budget) -> (Spool, Found) {
    let _not_starting = STARTING.read();
    Spool::open_within(root, budget).unwrap()
}

/// Writes a report and returns its id.
fn write(spool: &Spool, sequence: u64) -> String {
    let id = id();
    spool.write(&id, sequence, at(sequence), &[], &format!("report {sequence}")).unwrap();
    id
}

/// What the next start finds. That start's spool is dropped, with the reports in it.
fn found(root: &Path) -> Found {
    open(root).1
}

fn ids(found: &Found) -> Vec<&str> {
    found.reports.iter().map(|report| report.id.as_str()).collect()
}
