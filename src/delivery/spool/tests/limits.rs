//! What one start reads at most.

use std::fs::{self, File};

use super::super::salvage::LONGEST;
use super::*;

/// Three processes that died with two reports each.
fn three_dead() -> Scratch {
    let root = Scratch::new();
    let spools = [open(&root.0).0, open(&root.0).0, open(&root.0).0];
    for (sequence, spool) in spools.iter().cycle().take(6).enumerate() {
        write(spool, sequence as u64);
    }
    spools.into_iter().for_each(Spool::kill);
    root
}

#[test]
fn what_does_not_fit_waits_for_a_later_start() {
    for budget in [|| Budget { names: 5, bytes: 1 << 20 }, || Budget { names: 100, bytes: 600 }] {
        let root = three_dead();
        let (spool, first) = open_within(&root.0, budget());
        assert_eq!((first.reports.len(), first.left, first.set_aside), (4, 1, 0));
        let (_other, second) = open_within(&root.0, budget());
        assert_eq!((second.reports.len(), second.left), (2, 0));
        let mut sequences: Vec<u64> =
            first.reports.iter().chain(&second.reports).map(|report| report.sequence).collect();
        sequences.sort();
        assert_eq!(sequences, [0, 1, 2, 3, 4, 5]);
        drop(spool);
    }
}

#[test]
fn a_directory_is_taken_over_whole_or_not_at_all() {
    let root = three_dead();
    let before = root.names();
    let (spool, found) = open_within(&root.0, Budget { names: 1, bytes: 1 << 20 });
    assert_eq!((found.reports.len(), found.left), (0, 3));
    drop(spool);
    assert_eq!(root.names(), before);
    assert_eq!(super::found(&root.0).reports.len(), 6);
}

#[test]
fn a_report_that_is_too_long_is_neither_written_nor_read() {
    let root = Scratch::new();
    let (spool, _) = open(&root.0);
    let kept = write(&spool, 1);
    let body = "x".repeat(LONGEST as usize);
    let error = spool.write(&id(), 2, at(2), &[], &body).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);

    let longest = id();
    spool.write(&longest, 3, at(3), &[], &body[..LONGEST as usize - 1000]).unwrap();
    let directory = root.file(&root.names()[1]);
    let foreign = directory.join(format!("callhome-{}.report", id()));
    File::create(&foreign).unwrap().set_len(1 << 40).unwrap(); // and takes no room
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 3);
    drop(spool);
    let found = found(&root.0);
    assert_eq!(ids(&found), [kept, longest]);
    assert_eq!((found.set_aside, found.left), (1, 0));
}

#[test]
fn no_more_is_written_than_the_next_start_reads() {
    for most in [Budget { names: 3, bytes: 1 << 20 }, Budget { names: 100, bytes: 480 }] {
        let root = Scratch::new();
        let (spool, _) = open_within(&root.0, most);
        let mut written: Vec<String> = (0..3).map(|sequence| write(&spool, sequence)).collect();
        assert!(spool.write(&id(), 3, at(3), &[], "one too many").is_err());
        spool.remove(&written.remove(0)).unwrap();
        written.push(write(&spool, 3));
        drop(spool);
        let (_spool, found) = open_within(&root.0, most);
        assert_eq!((ids(&found), found.left), (written.iter().map(|id| &**id).collect(), 0));
    }
}
