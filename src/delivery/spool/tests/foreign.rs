//! Files that are no whole report of ours: set aside and counted, or left alone.

use std::fs;
use std::path::PathBuf;
#[cfg(unix)]
use std::process::Command;

use super::super::record::encode;
use super::*;

/// A directory with one report that a dead process left; and its path.
fn left(root: &Scratch) -> (String, PathBuf) {
    let (spool, _) = open(&root.0);
    let id = write(&spool, 1);
    spool.kill();
    let spool = root.names().into_iter().find(|name| name.ends_with(".spool")).unwrap();
    (id, root.file(&spool))
}

fn report(directory: &Path, id: &str) -> PathBuf {
    directory.join(format!("callhome-{id}.report"))
}

/// The content of what was set aside.
fn aside(root: &Scratch) -> Vec<Vec<u8>> {
    let names = root.names().into_iter().filter(|name| name.ends_with(".aside"));
    names.map(|name| fs::read(root.file(&name)).unwrap()).collect()
}

#[test]
fn reports_cut_short_at_any_byte_are_set_aside_and_counted() {
    let root = Scratch::new();
    let (kept, directory) = left(&root);
    let id = id();
    let whole = encode(&id, 2, at(2), &[], "body");
    for length in 0..whole.len() {
        fs::write(report(&directory, &super::id()), &whole[..length]).unwrap();
    }
    // Under its own name, and all but whole.
    fs::write(report(&directory, &id), &whole[..whole.len() - 1]).unwrap();
    let found = found(&root.0);
    assert_eq!((ids(&found), found.set_aside), (vec![kept.as_str()], whole.len() as u64 + 1));
    assert!(aside(&root).iter().all(|content| whole.as_bytes().starts_with(content)));
}

#[test]
fn whatever_lies_among_the_reports_the_others_are_found() {
    let root = Scratch::new();
    let (kept, directory) = left(&root);
    let whole = fs::read(report(&directory, &kept)).unwrap();
    fs::write(report(&directory, &id()), &whole).unwrap(); // under another's name
    fs::write(report(&directory, &id()), b"").unwrap();
    fs::write(report(&directory, &id()), b"\xff\xfe").unwrap();
    fs::write(report(&directory, &kept.to_uppercase()), &whole).unwrap();
    fs::write(directory.join(format!("{kept}.report")), &whole).unwrap();
    fs::write(directory.join("notes.txt"), "foreign").unwrap();
    fs::create_dir(report(&directory, &id())).unwrap();
    fs::create_dir(directory.join("folder")).unwrap();
    fs::write(directory.join("folder").join("file"), "").unwrap();
    let found = found(&root.0);
    assert_eq!((ids(&found), found.set_aside, found.left), (vec![kept.as_str()], 8, 0));
    let names = root.names();
    assert_eq!(names.iter().filter(|name| name.ends_with(".aside")).count(), 8, "{names:?}");
    assert!(!directory.exists());
}

#[test]
#[cfg(unix)]
fn links_are_not_followed_and_pipes_not_waited_for() {
    use std::os::unix::{fs::symlink, net::UnixListener};
    let root = Scratch::new();
    let (kept, directory) = left(&root);
    let elsewhere = Scratch::new();
    let (other, others) = left(&elsewhere);
    symlink(report(&others, &other), report(&directory, &other)).unwrap();
    let pipe = report(&directory, &id());
    let _socket = UnixListener::bind(directory.join("s")).unwrap();
    // In the place of a lock and of a directory.
    let lock = root.file(&format!("callhome-{}.lock", id()));
    let starting = STARTING.write();
    assert!(Command::new("mkfifo").args([&pipe, &lock]).status().unwrap().success());
    drop(starting);
    symlink(elsewhere.file("nothing"), root.file(&format!("callhome-{}.lock", id()))).unwrap();
    let process = id();
    fs::write(root.file(&format!("callhome-{process}.lock")), "").unwrap();
    symlink(&others, root.file(&format!("callhome-{process}.spool"))).unwrap();

    let found = found(&root.0);
    assert_eq!((ids(&found), found.set_aside, found.left), (vec![kept.as_str()], 3, 1));
    assert!(report(&others, &other).is_file());
    assert!(!elsewhere.file("nothing").exists());
    assert!(fs::symlink_metadata(&lock).is_ok(), "it is not ours");
}

#[test]
fn of_what_is_set_aside_the_newest_are_kept() {
    let root = Scratch::new();
    let (kept, directory) = left(&root);
    for age in 0..20_u64 {
        let path = report(&directory, &id());
        fs::write(&path, age.to_string()).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(at(1_000_000 - age)).unwrap();
    }
    let found = found(&root.0);
    assert_eq!((ids(&found), found.set_aside), (vec![kept.as_str()], 20));
    let mut ages: Vec<u64> = aside(&root)
        .into_iter()
        .map(|content| String::from_utf8(content).unwrap().parse().unwrap())
        .collect();
    ages.sort();
    assert_eq!(ages, (0..16).collect::<Vec<_>>());
}

#[test]
fn what_else_lies_in_the_directory_is_not_touched() {
    let root = Scratch::new();
    let id = id();
    let files = [
        format!("{id}.lock"),
        format!("callhome-{id}"),
        format!("callhome-{id}.lock.old"),
        format!("callhome-{id}.report"),
        format!("callhome-{}.lock", id.to_uppercase()),
        "callhome-.lock".into(),
        "lock".into(),
    ];
    for name in &files {
        fs::write(root.file(name), name).unwrap();
    }
    // Without its lock nobody can tell whether its process lives.
    let unlocked = root.file(&format!("callhome-{id}.spool"));
    fs::create_dir(&unlocked).unwrap();
    fs::write(report(&unlocked, &id), "").unwrap();
    let before = root.names();
    let found = found(&root.0);
    assert_eq!((found.reports.len(), found.set_aside, found.left), (0, 0, 0));
    assert_eq!(root.names(), before);
    assert!(files.iter().all(|name| fs::read_to_string(root.file(name)).unwrap() == *name));
    assert!(report(&unlocked, &id).is_file());
}
