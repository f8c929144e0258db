//! Directories that cannot be used, and disks that are full.

use std::fs;

#[cfg(unix)]
use super::apart::{Apart, root};
use super::*;
use crate::error::ErrorKind;

#[track_caller]
fn refused(path: &Path, kind: ErrorKind, remedy: &str) {
    let Err(error) = Spool::open(path) else { panic!("{path:?} was opened") };
    let text = error.to_string();
    assert_eq!(error.kind(), kind, "{text}");
    assert!(text.contains(&format!("{path:?}")) && text.contains(remedy), "{text}");
}

#[test]
fn the_directory_is_created_but_not_its_parent() {
    let root = Scratch::new();
    drop(open(&root.file("spool")));
    assert_eq!(root.names(), ["spool"]);
    refused(&root.file("missing").join("spool"), ErrorKind::Io, "create the directory");
    refused(Path::new(""), ErrorKind::Io, "name another");
    assert_eq!(root.names(), ["spool"]);
}

#[test]
fn something_else_than_a_directory_is_refused_and_left_alone() {
    let root = Scratch::new();
    let file = root.file("file");
    fs::write(&file, "kept").unwrap();
    refused(&file, ErrorKind::Config, "name a directory");
    refused(&file.join("spool"), ErrorKind::Io, "name another");
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    assert_eq!(root.names(), ["file"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_directory_that_takes_no_files_is_refused() {
    // Not even the superuser creates files there.
    refused(Path::new("/proc"), ErrorKind::Io, "make it writable");
}

#[test]
#[cfg(unix)]
fn a_directory_that_is_not_ours_to_write_in_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let root = Scratch::new();
    fs::set_permissions(&root.0, fs::Permissions::from_mode(0o500)).unwrap();
    // The superuser writes there all the same.
    if fs::write(root.file("try"), "").is_err() {
        refused(&root.0, ErrorKind::Io, "make it writable");
        assert!(root.names().is_empty());
    }
    fs::set_permissions(&root.0, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
#[cfg(unix)]
fn a_relative_path_stays_what_it_was_at_the_start() {
    if let Some(root) = root() {
        std::env::set_current_dir(&root).unwrap();
        let (spool, _) = open(Path::new("spool"));
        std::env::set_current_dir("/").unwrap();
        println!("> {}", write(&spool, 1));
        return;
    }
    let root = Scratch::new();
    let name = "faults::a_relative_path_stays_what_it_was_at_the_start";
    let mut process = Apart::new(name, "", &root.0);
    let id = process.next().unwrap();
    assert!(process.child.wait().unwrap().success());
    assert_eq!(ids(&found(&root.file("spool"))), [id]);
}

#[test]
fn a_write_that_fails_leaves_no_trace() {
    let root = Scratch::new();
    let (spool, _) = open(&root.0);
    let directory = root.file(&root.names()[1]);
    let in_the_way = id();
    let obstacle = directory.join(format!("callhome-{in_the_way}.report"));
    fs::create_dir(&obstacle).unwrap();
    assert!(spool.write(&in_the_way, 1, at(1), &[], "body").is_err());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    assert!(spool.remove(&in_the_way).is_err());
    fs::remove_dir(&obstacle).unwrap();

    for (id, merged) in [("", None), ("../x", None), (&*id(), Some("../x")), (&*id(), Some(""))] {
        let merged: Vec<String> = merged.into_iter().map(str::to_owned).collect();
        let error = spool.write(id, 1, at(1), &merged, "body").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
    let error = spool.remove("../x").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);

    fs::remove_dir(&directory).unwrap();
    assert!(spool.write(&id(), 1, at(1), &[], "body").is_err());
    assert!(spool.remove(&id()).is_ok(), "it is not there");
    drop(spool);
    assert!(root.names().is_empty(), "{:?}", root.names());
}

/// A limit on the length of files stands in for a full disk: a part of the content is written, and
/// then writing fails.
#[test]
#[cfg(unix)]
fn on_a_full_disk_a_write_fails_without_a_trace_and_works_again_when_it_fits() {
    if let Some(root) = root() {
        let (spool, _) = open(&root);
        let first = write(&spool, 1);
        let error = spool.write(&id(), 2, at(2), &[], &"x".repeat(1 << 20)).unwrap_err();
        let third = write(&spool, 3);
        println!("> {first} {third} {:?}", error.kind());
        spool.kill();
        return;
    }
    let root = Scratch::new();
    let name = "faults::on_a_full_disk_a_write_fails_without_a_trace_and_works_again_when_it_fits";
    // A limit of some kilobytes, and an error instead of a signal.
    let mut process = Apart::new(name, "trap '' XFSZ; ulimit -f 8;", &root.0);
    let said = process.next().unwrap();
    assert!(process.child.wait().unwrap().success());
    let said: Vec<&str> = said.split(' ').collect();
    assert_eq!(said[2], "FileTooLarge", "the file system's, for it is not too large for a spool");
    let directory = root.file(&root.names()[1]);
    assert_eq!(fs::read_dir(directory).unwrap().count(), 2);
    let found = found(&root.0);
    assert_eq!((ids(&found), found.set_aside), (said[..2].to_vec(), 0));
}
