//! Taking over what a dead process has left.

use std::collections::HashSet;
use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::claim::Claim;
use super::name::{self, ASIDE, MOST_NAMES, REPORT, TEMPORARY};
use super::record::{Spooled, decode};
use super::store::Found;
use crate::files;
use crate::host::identity::new_id;

/// The longest file that is written or read, in bytes.
pub(super) const LONGEST: u64 = 16 << 20;
/// How many files are kept that are no whole reports.
const MOST_ASIDE: usize = 16;

/// What one start may still read.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub(super) names: usize,
    pub(super) bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { names: MOST_NAMES, bytes: 256 << 20 }
    }
}

/// What is in a directory, by what is done with it.
#[derive(Default)]
struct Contents {
    /// Their ids, and their paths.
    reports: Vec<(String, PathBuf)>,
    temporary: Vec<PathBuf>,
    foreign: Vec<PathBuf>,
}

/// Moves the reports of a dead process to `own` and adds them to `found`.
///
/// A directory is taken over whole: what has been merged, and the report that it is part of, lie in
/// one directory, and both must be seen before one of them may be sent.
///
/// # Errors
///
/// When the directory cannot be read, does not fit the budget, or one of its files cannot be
/// removed or moved. What has not been moved by then stays for a later start.
pub(super) fn salvage(
    dead: &Claim,
    root: &Path,
    own: &Path,
    budget: &mut Budget,
    found: &mut Found,
) -> io::Result<()> {
    let Some(contents) = list(&dead.directory, budget)? else {
        dead.clear();
        return Ok(());
    };
    let mut whole = Vec::new();
    let mut foreign = contents.foreign;
    for (id, path) in contents.reports {
        match decode(&read(&path)?).filter(|report| report.id == id) {
            Some(report) => whole.push((report, path)),
            None => foreign.push(path),
        }
    }
    for path in contents.temporary {
        fs::remove_file(path)?;
    }
    for path in foreign {
        set_aside(&path, root)?;
        found.set_aside += 1;
    }

    let merged: HashSet<String> =
        whole.iter().flat_map(|(report, _)| report.merged.iter().cloned()).collect();
    let (parts, rest): (Vec<_>, Vec<_>) =
        whole.into_iter().partition(|(report, _)| merged.contains(&report.id));
    for (_, path) in &parts {
        fs::remove_file(path)?;
    }
    // The parts must be gone for good before what they are part of leaves their directory.
    files::sync_directory(&dead.directory);
    take(rest, own, found)?;
    files::sync_directory(own);
    dead.clear();
    Ok(())
}

/// Moves these reports.
fn take(reports: Vec<(Spooled, PathBuf)>, own: &Path, found: &mut Found) -> io::Result<()> {
    for (report, path) in reports {
        fs::rename(path, name::path(own, &report.id, REPORT))?;
        found.reports.push(report);
    }
    Ok(())
}

/// Whether a directory can have so many bytes more, in one more file.
///
/// # Errors
///
/// When one start could not read it any more: then none would ever.
pub(super) fn has_room(directory: &Path, most: Budget, more: usize) -> io::Result<()> {
    let mut left = most;
    list(directory, &mut left)?;
    match left.names >= 1 && left.bytes >= more as u64 {
        true => Ok(()),
        false => Err(over()),
    }
}

fn over() -> io::Error {
    io::Error::other("it holds as much as is read at one start")
}

/// What is in a directory; `None` if it is not there.
fn list(directory: &Path, budget: &mut Budget) -> io::Result<Option<Contents>> {
    // A link could lead to a directory that is somebody else's.
    match fs::symlink_metadata(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
    }
    let mut contents = Contents::default();
    let (mut names, mut bytes) = (budget.names, budget.bytes);
    for entry in fs::read_dir(directory)? {
        names = names.checked_sub(1).ok_or_else(over)?;
        bytes = bytes.checked_sub(contents.sort(&entry?)?).ok_or_else(over)?;
    }
    (budget.names, budget.bytes) = (names, bytes);
    Ok(Some(contents))
}

impl Contents {
    /// Puts an entry where it belongs. Returns how many bytes of it are to be read.
    fn sort(&mut self, entry: &DirEntry) -> io::Result<u64> {
        let (name, path) = (entry.file_name(), entry.path());
        let metadata = entry.metadata()?; // a link's own
        let readable = metadata.is_file() && metadata.len() <= LONGEST;
        match name::id(&name, REPORT) {
            Some(id) if readable => {
                self.reports.push((id, path));
                return Ok(metadata.len());
            }
            None if metadata.is_file() && name::id(&name, TEMPORARY).is_some() => {
                self.temporary.push(path);
            }
            _ => self.foreign.push(path),
        }
        Ok(0)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    // Should it have grown since its length was asked, it is not whole.
    File::open(path)?.take(LONGEST).read_to_end(&mut content)?;
    Ok(content)
}

/// Keeps a file that is no whole report for somebody to look at, and removes the oldest of them.
fn set_aside(path: &Path, root: &Path) -> io::Result<()> {
    fs::rename(path, name::path(root, &new_id().to_string(), ASIDE))?;
    let mut kept: Vec<_> = asides(root)?
        .into_iter()
        .filter_map(|path| Some((fs::symlink_metadata(&path).ok()?.modified().ok()?, path)))
        .collect();
    kept.sort();
    for (_, path) in kept.iter().take(kept.len().saturating_sub(MOST_ASIDE)) {
        let _ = remove(path); // another process may do the same
    }
    Ok(())
}

/// Removes all that was set aside.
pub(super) fn wipe_asides(root: &Path) -> io::Result<()> {
    asides(root)?.iter().map(|path| remove(path)).fold(Ok(()), Result::and)
}

fn asides(root: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(name::ids(root, ASIDE)?.iter().map(|id| name::path(root, id, ASIDE)).collect())
}

/// Removes a file, a link or a directory, whatever it is.
fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
