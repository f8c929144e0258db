//! The names of files: `callhome-<id>.<kind>`.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// The lock of a process.
pub(super) const LOCK: &str = "lock";
/// The directory of a process.
pub(super) const SPOOL: &str = "spool";
/// A whole report.
pub(super) const REPORT: &str = "report";
/// A report that is being written.
pub(super) const TEMPORARY: &str = "tmp";
/// What is no whole report.
pub(super) const ASIDE: &str = "aside";

/// How many names of a directory are looked at. A directory with more is not of our making.
pub(super) const MOST_NAMES: usize = 10_000;

/// Whether this is a UUID in its usual spelling: lower case, with hyphens. Nothing else becomes a
/// part of a path.
pub(super) fn is_id(id: &str) -> bool {
    Uuid::try_parse(id).is_ok_and(|uuid| uuid.to_string() == id)
}

/// The path of `id` in `directory`.
pub(super) fn path(directory: &Path, id: &str, kind: &str) -> PathBuf {
    directory.join(format!("callhome-{id}.{kind}"))
}

/// The id in a name, if the name is one of this kind.
pub(super) fn id(name: &OsStr, kind: &str) -> Option<String> {
    let (id, found) = name.to_str()?.strip_prefix("callhome-")?.split_once('.')?;
    (found == kind && is_id(id)).then(|| id.to_owned())
}

/// The ids of one kind in `directory`.
pub(super) fn ids(directory: &Path, kind: &str) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(directory)?.take(MOST_NAMES);
    Ok(entries.filter_map(|entry| id(&entry.ok()?.file_name(), kind)).collect())
}
