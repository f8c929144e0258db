//! What is kept, in which order, and what is gone.

use super::*;

#[test]
fn a_report_outlives_its_process_and_then_belongs_to_the_next() {
    let root = Scratch::new();
    let (spool, nothing) = open(&root.0);
    assert!(nothing.reports.is_empty());
    let merged = [id(), id()];
    let id = id();
    spool.write(&id, 7, at(70), &merged, "a body\n").unwrap();
    let report = Spooled {
        id: id.clone(),
        sequence: 7,
        sealed_at: at(70),
        merged: merged.into(),
        body: "a body\n".into(),
    };
    drop(spool);
    for _ in 0..3 {
        let found = found(&root.0);
        assert_eq!(found.reports, std::slice::from_ref(&report));
        assert_eq!((found.set_aside, found.left), (0, 0));
        assert_eq!(root.names().len(), 2, "the lock and the directory of one process");
    }
    let (spool, _) = open(&root.0);
    spool.remove(&id).unwrap();
    spool.remove(&id).unwrap();
    drop(spool);
    assert!(root.names().is_empty());
}

#[test]
fn reports_of_several_processes_come_oldest_first() {
    let root = Scratch::new();
    let spools = [open(&root.0).0, open(&root.0).0];
    let mut written = Vec::new();
    for (spool, sequence, sealed_at) in
        [(0, 3, 50), (1, 9, 10), (0, 1, 30), (1, 2, 30), (1, 1, 90), (0, 2, 40)]
    {
        let id = id();
        spools[spool].write(&id, sequence, at(sealed_at), &[], "").unwrap();
        written.push((sealed_at, sequence, id));
    }
    written.sort();
    drop(spools);
    let found = found(&root.0);
    assert_eq!(ids(&found), written.iter().map(|(_, _, id)| id.as_str()).collect::<Vec<_>>());
}

#[test]
fn what_was_merged_is_not_sent_again_whatever_of_it_is_left() {
    let root = Scratch::new();
    for removed in 0..4 {
        let (spool, nothing) = open(&root.0);
        assert!(nothing.reports.is_empty());
        let parts: Vec<String> = (0..3).map(|sequence| write(&spool, sequence)).collect();
        let (other, merge, again) = (write(&spool, 5), id(), id());
        spool.write(&merge, 3, at(3), &parts, "merged").unwrap();
        // The merge has itself been merged, and neither it nor its parts were removed yet.
        let merged: Vec<String> = [&parts[..], &[merge]].concat();
        spool.write(&again, 4, at(4), &merged, "merged again").unwrap();
        for part in &parts[..removed] {
            spool.remove(part).unwrap();
        }
        spool.kill();

        let (spool, found) = open(&root.0);
        assert_eq!(ids(&found), [&again, &other]);
        assert_eq!(found.set_aside, 0);
        spool.remove(&again).unwrap();
        spool.remove(&other).unwrap();
    }
    assert!(root.names().is_empty(), "{:?}", root.names());
}

#[test]
fn a_write_that_was_cut_short_is_forgotten() {
    let root = Scratch::new();
    let (spool, _) = open(&root.0);
    let written = write(&spool, 1);
    let directory = root.file(&root.names()[1]);
    std::fs::write(directory.join(format!("callhome-{}.tmp", id())), "callhome-spool 1").unwrap();
    spool.kill();
    let found = found(&root.0);
    assert_eq!((ids(&found), found.set_aside), (vec![written.as_str()], 0));
    assert_eq!(root.names().len(), 2);
}

#[test]
fn a_process_that_left_no_reports_leaves_nothing() {
    let root = Scratch::new();
    let (spool, _) = open(&root.0);
    let id = write(&spool, 1);
    assert_eq!(root.names().len(), 2);
    spool.remove(&id).unwrap();
    drop(spool);
    assert!(root.names().is_empty());
    open(&root.0).0.kill();
    assert_eq!(root.names().len(), 2, "it could not tidy up");
    drop(open(&root.0));
    assert!(root.names().is_empty(), "so the next did");
}

#[test]
fn a_lock_whose_process_died_before_it_had_a_directory_is_removed() {
    let root = Scratch::new();
    std::fs::write(root.file(&format!("callhome-{}.lock", id())), "").unwrap();
    assert_eq!(found(&root.0).left, 0);
    assert!(root.names().is_empty());
}

#[test]
fn wiping_leaves_nothing_but_what_the_living_have() {
    let root = Scratch::new();
    let (living, _) = open(&root.0);
    let kept = write(&living, 1);
    let (dead, _) = open(&root.0);
    let (own, _) = open(&root.0);
    write(&dead, 2);
    dead.kill();
    write(&own, 3);
    std::fs::write(root.file(&format!("callhome-{}.aside", id())), "").unwrap();
    std::fs::create_dir(root.file(&format!("callhome-{}.aside", id()))).unwrap();
    std::fs::write(root.file("mine.txt"), "not the spool's").unwrap();
    own.wipe().unwrap();
    assert_eq!(root.names().len(), 3, "{:?}", root.names());
    drop(living);
    assert_eq!(ids(&found(&root.0)), [kept]);
    assert_eq!(std::fs::read_to_string(root.file("mine.txt")).unwrap(), "not the spool's");
}

#[test]
#[cfg(unix)]
fn everything_is_private_to_the_user() {
    use std::os::unix::fs::PermissionsExt;
    let parent = Scratch::new();
    let root = parent.file("spool");
    let (spool, _) = open(&root);
    write(&spool, 1);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&root), 0o700);
    let mut seen = 0;
    for entry in std::fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            assert_eq!(mode(&path), 0o600, "{path:?}");
            continue;
        }
        assert_eq!(mode(&path), 0o700, "{path:?}");
        for report in std::fs::read_dir(path).unwrap() {
            assert_eq!(mode(&report.unwrap().path()), 0o600);
            seen += 1;
        }
    }
    assert_eq!(seen, 1);
}
