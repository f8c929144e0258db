//! Real processes that are killed, or fork.

use std::collections::HashSet;
use std::io::Read;

use super::apart::{Apart, root};
use super::*;

/// Writes reports until it is killed, and says the id of each that is written. Every eighth is a
/// merge of the seven before it, which are removed.
fn write_for_ever(root: &Path) -> ! {
    let (spool, _) = open(root);
    let body = "x".repeat(100_000);
    let mut parts = Vec::new();
    for sequence in 0.. {
        let id = id();
        let merged = if parts.len() == 7 { std::mem::take(&mut parts) } else { Vec::new() };
        spool.write(&id, sequence, at(sequence), &merged, &body).unwrap();
        println!("> {id} {}", merged.join(" "));
        for part in &merged {
            spool.remove(part).unwrap();
        }
        if merged.is_empty() {
            parts.push(id);
        }
    }
    unreachable!()
}

#[test]
fn a_process_that_is_killed_loses_nothing_that_was_written() {
    if let Some(root) = root() {
        write_for_ever(&root);
    }
    for round in 0..20 {
        let root = Scratch::new();
        let mut process = Apart::new(
            "kill::a_process_that_is_killed_loses_nothing_that_was_written",
            "",
            &root.0,
        );
        let mut said = Vec::new();
        // Kills come after a report, in a merge and while its parts are removed.
        for _ in 0..5 + round {
            said.push(process.next().unwrap());
        }
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        said.extend(std::iter::from_fn(|| process.next())); // what it said before it died

        let (spool, found) = open(&root.0);
        assert_eq!((found.set_aside, found.left), (0, 0));
        let mut written = HashSet::new();
        for line in &said {
            let mut ids = line.split_whitespace().map(str::to_owned);
            written.insert(ids.next().unwrap());
            ids.for_each(|part| assert!(written.remove(&part)));
        }
        let mut more = 0;
        for report in &found.reports {
            assert_eq!(report.body.len(), 100_000);
            if !written.remove(&report.id) {
                more += 1; // it was killed before it could say so
                report.merged.iter().for_each(|part| assert!(written.remove(part)));
            }
        }
        assert!(written.is_empty(), "round {round}: {written:?} of {said:?} are lost");
        assert!(more <= 1, "round {round}: {more} reports from nowhere");
        ids(&found).into_iter().for_each(|id| spool.remove(id).unwrap());
        drop(spool);
        assert!(root.names().is_empty(), "round {round}: {:?}", root.names());
    }
}

#[test]
fn a_forked_child_touches_nothing_and_keeps_the_lock_while_it_lives() {
    if let Some(root) = root() {
        let (spool, _) = open(&root);
        let id = write(&spool, 1);
        match fork::fork() {
            Ok(fork::Fork::Child) => {
                let _ = std::io::stdin().read(&mut [0]); // until the parent process is gone
                let refused = spool.write(&id, 1, at(1), &[], "").is_err();
                let refused = refused && spool.remove(&id).is_err();
                drop(spool);
                println!("> {}", if refused { "refused" } else { "allowed" });
                std::process::exit(0);
            }
            _ => {
                println!("> {id}");
                std::process::exit(0); // without dropping anything
            }
        }
    }
    let root = Scratch::new();
    let name = "kill::a_forked_child_touches_nothing_and_keeps_the_lock_while_it_lives";
    let mut process = Apart::new(name, "", &root.0);
    let id = process.next().unwrap();
    process.child.wait().unwrap();
    assert!(found(&root.0).reports.is_empty(), "its child lives");
    drop(process.input.take());
    assert_eq!(process.next().as_deref(), Some("refused"));
    assert_eq!(ids(&found(&root.0)), [id]);
}

#[test]
fn wiping_in_a_forked_child_wipes_nothing() {
    if let Some(root) = root() {
        let (spool, _) = open(&root);
        write(&spool, 1);
        match fork::fork() {
            Ok(fork::Fork::Child) => std::process::exit(i32::from(spool.wipe().is_ok())),
            Ok(fork::Fork::Parent(child)) => {
                let status = fork::waitpid(child).unwrap();
                let refused = fork::WIFEXITED(status) && fork::WEXITSTATUS(status) == 0;
                // The child has closed its copy of the lock, and this process has it still.
                let others = found(&root).reports.len();
                drop(spool);
                println!("> {refused} {others} {}", found(&root).reports.len());
                std::process::exit(0);
            }
            Err(error) => panic!("{error}"),
        }
    }
    let root = Scratch::new();
    let mut process = Apart::new("kill::wiping_in_a_forked_child_wipes_nothing", "", &root.0);
    assert_eq!(process.next().as_deref(), Some("true 0 1"));
}
