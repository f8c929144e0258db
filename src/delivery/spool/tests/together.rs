//! Several processes on one directory, here several spools of one process: a lock belongs to the
//! opened file, not to the process.

use std::sync::Barrier;
use std::thread;

use super::*;

#[test]
fn two_that_live_do_not_see_each_others_reports() {
    let root = Scratch::new();
    let (first, _) = open(&root.0);
    let one = write(&first, 1);
    let (second, found) = open(&root.0);
    assert!(found.reports.is_empty());
    let two = write(&second, 2);
    first.kill();
    let (third, found) = open(&root.0);
    assert_eq!((ids(&found), found.left), (vec![one.as_str()], 0));
    second.kill();
    let (_fourth, found) = open(&root.0);
    assert_eq!(ids(&found), [two]);
    drop(third);
}

#[test]
fn starts_at_the_same_moment_find_each_report_once() {
    const THREADS: usize = 8;
    for _ in 0..15 {
        let root = Scratch::new();
        let dead = [open(&root.0).0, open(&root.0).0, open(&root.0).0];
        let mut written: Vec<String> =
            (0..15).map(|sequence| write(&dead[sequence % 3], sequence as u64)).collect();
        dead.into_iter().for_each(Spool::kill);

        let barrier = Barrier::new(THREADS);
        let opened: Vec<(Spool, Found)> = thread::scope(|scope| {
            let start = || {
                barrier.wait();
                open(&root.0)
            };
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(opened.iter().all(|(_, found)| (found.left, found.set_aside) == (0, 0)));
        let reports = opened.iter().flat_map(|(_, found)| &found.reports);
        let mut seen: Vec<String> = reports.map(|report| report.id.clone()).collect();
        written.sort();
        seen.sort();
        assert_eq!(seen, written);
        assert_eq!(root.names().len(), 2 * THREADS);
        for (spool, found) in opened {
            ids(&found).into_iter().for_each(|id| spool.remove(id).unwrap());
        }
        assert!(root.names().is_empty(), "{:?}", root.names());
    }
}

#[test]
fn a_start_never_takes_away_what_another_has_just_made() {
    let root = Scratch::new();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for sequence in 0..40 {
                    let (spool, found) = open(&root.0);
                    assert!(found.reports.is_empty());
                    let id = write(&spool, sequence);
                    spool.remove(&id).unwrap();
                }
            });
        }
    });
    assert!(root.names().is_empty(), "{:?}", root.names());
}
