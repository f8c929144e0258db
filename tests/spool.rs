//! Sealed reports that outlive the aggregator.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callhome::sink::{MemorySink, SendError};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, ErrorKind, Schema};
use metrics::counter;
use support::folder::Folder;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The reports in a spool, of whichever process.
fn reports(spool: &Folder) -> Vec<PathBuf> {
    let mut files = spool.files();
    files.retain(|path| path.extension().is_some_and(|kind| kind == "report"));
    files
}

fn builder(spool: &Path, sink: &MemorySink) -> Builder {
    CallHome::builder(Schema::new("s").counter("n")).sink(sink.clone()).opt_out().spool(spool)
}

fn add(callhome: &CallHome, n: u64) {
    metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(n));
}

fn down() -> MemorySink {
    let sink = MemorySink::new();
    sink.answer(|_| Err(SendError::retry("down")));
    sink
}

fn numbers(sink: &MemorySink) -> Vec<u64> {
    sink.documents().iter().map(|report| report["data"]["n"].as_u64().unwrap()).collect()
}

#[test]
fn what_was_not_accepted_is_sent_by_the_next_process_as_it_is() {
    let (directory, sink) = (Folder::new(), down());
    let callhome = builder(directory.path(), &sink).build().unwrap();
    for n in [1, 2] {
        add(&callhome, n);
        assert_eq!(callhome.flush().unwrap_err().kind(), ErrorKind::Delivery);
    }
    add(&callhome, 3);
    let end = callhome.shutdown(Duration::from_secs(5));
    assert_eq!((end.accepted(), end.spooled(), end.lost()), (0, 3, 0), "{end}");
    assert_eq!(end.to_string(), "0 accepted, 3 spooled, 0 lost (down)");
    drop(callhome);
    assert_eq!(reports(&directory).len(), 3);

    let next = MemorySink::new();
    let callhome = builder(directory.path(), &next).build().unwrap();
    assert_eq!(callhome.status().pending(), 3);
    assert_eq!(callhome.status().next_attempt(), None, "with the first window, which is phased");
    add(&callhome, 10);
    callhome.flush().unwrap();
    assert_eq!(numbers(&next), [1, 2, 3, 10], "oldest first");
    assert_eq!((callhome.status().accepted(), callhome.status().pending()), (4, 0));
    assert_eq!(reports(&directory).len(), 0, "settled");
}

/// Dropping an aggregator that was only built ships nothing: as if it had been killed.
#[test]
fn a_killed_process_loses_no_sealed_window_and_repeats_none_under_another_id() {
    let (directory, sink) = (Folder::new(), MemorySink::new());
    sink.answer(|_| Err(SendError::retry("silence").possibly_delivered()));
    let callhome = builder(directory.path(), &sink).build().unwrap();
    add(&callhome, 7);
    assert!(callhome.flush().is_err());
    add(&callhome, 100); // not sealed
    drop(callhome);
    let [file] = &reports(&directory)[..] else { panic!("one report") };
    let file = file.to_str().unwrap().to_owned();

    let next = MemorySink::new();
    let callhome = builder(directory.path(), &next).build().unwrap();
    callhome.flush().unwrap();
    assert_eq!(numbers(&next), [7, 0]);
    let id = next.documents()[0]["report_id"].as_str().unwrap().to_owned();
    assert!(file.contains(&id), "{file} holds {id}");
}

#[test]
fn windows_that_became_one_are_one_file() {
    let (directory, sink, clock) = (Folder::new(), down(), VirtualClock::new());
    let timed = |builder: Builder| builder.clock(clock.clone()).every(4 * HOUR).max_attempts(1);
    let callhome = timed(builder(directory.path(), &sink)).build().unwrap();
    for n in [1, 2, 4] {
        add(&callhome, n);
        clock.advance(8 * HOUR);
        callhome.tick();
        assert_eq!(reports(&directory).len(), 1);
    }
    drop(callhome);
    let next = MemorySink::new();
    let callhome = timed(builder(directory.path(), &next)).build().unwrap();
    assert_eq!(callhome.status().pending(), 3);
    callhome.flush().unwrap();
    assert_eq!(numbers(&next), [7, 0]);
}

#[test]
fn two_aggregators_on_one_directory_send_their_own() {
    let (directory, sink) = (Folder::new(), down());
    let [one, two] = [1, 2].map(|n| {
        let callhome = builder(directory.path(), &sink).build().unwrap();
        add(&callhome, n);
        assert!(callhome.flush().is_err());
        callhome
    });
    drop(one);
    let next = MemorySink::new();
    let heir = builder(directory.path(), &next).build().unwrap();
    heir.flush().unwrap();
    assert_eq!(numbers(&next), [1, 0], "the other one lives");
    sink.answer(|_| Ok(()));
    two.flush().unwrap();
    assert_eq!(numbers(&sink), [2, 0]);
    assert_eq!(reports(&directory).len(), 0);
}

#[test]
fn what_waits_on_disk_keeps_the_limits_in_number_and_age() {
    let (directory, sink, clock) = (Folder::new(), MemorySink::new(), VirtualClock::new());
    sink.answer(|_| Err(SendError::retry("silence").possibly_delivered()));
    let limited =
        |sink: &MemorySink| builder(directory.path(), sink).clock(clock.clone()).max_age(10 * HOUR);
    let callhome = limited(&sink).max_pending(3).build().unwrap();
    for n in 1..=5 {
        add(&callhome, n);
        assert!(callhome.flush().is_err());
        clock.advance(HOUR);
    }
    assert_eq!(reports(&directory).len(), 3);
    drop(callhome);

    clock.advance(Duration::from_secs(30 * 60) + 6 * HOUR);
    let next = MemorySink::new();
    let callhome = limited(&next).max_pending(2).build().unwrap();
    assert_eq!(callhome.status().losses(), [("reports_overflowed", 1)]);
    clock.advance(2 * HOUR);
    callhome.flush().unwrap();
    assert_eq!(numbers(&next), [5, 0]);
    assert_eq!(
        next.documents()[1]["losses"],
        serde_json::json!({"reports_overflowed": 1, "reports_expired": 1})
    );
    assert_eq!(reports(&directory).len(), 0);
}

#[test]
fn a_directory_that_cannot_be_used_leaves_the_reports_in_memory() {
    let directory = Folder::new();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    for impossible in [file.clone(), file.join("below"), directory.path().join("a/b")] {
        let sink = down();
        let callhome = builder(&impossible, &sink).build().unwrap();
        add(&callhome, 7);
        assert!(callhome.flush().is_err());
        assert_eq!(callhome.status().pending(), 1);
        sink.answer(|_| Ok(()));
        callhome.flush().unwrap();
        assert_eq!(numbers(&sink), [7, 0]);
    }
}

#[test]
fn a_directory_that_goes_away_leaves_the_reports_in_memory_and_may_come_back() {
    let (directory, sink) = (Folder::new(), down());
    let callhome = builder(directory.path(), &sink).build().unwrap();
    add(&callhome, 1);
    assert!(callhome.flush().is_err());
    fs::remove_dir_all(directory.path()).unwrap();
    add(&callhome, 2);
    assert!(callhome.flush().is_err());
    let end = callhome.shutdown(Duration::from_secs(5));
    assert_eq!((end.spooled(), end.lost()), (1, 2), "nobody has told it that the first is gone");
}

#[test]
fn a_file_that_is_not_a_whole_report_is_counted_and_told_of() {
    let (directory, sink) = (Folder::new(), down());
    let callhome = builder(directory.path(), &sink).build().unwrap();
    for n in [1, 2] {
        add(&callhome, n);
        assert!(callhome.flush().is_err());
    }
    drop(callhome);
    let broken = reports(&directory).remove(0);
    let whole = fs::read(&broken).unwrap();
    fs::write(&broken, &whole[..whole.len() - 1]).unwrap();

    let next = MemorySink::new();
    let callhome = builder(directory.path(), &next).build().unwrap();
    callhome.flush().unwrap();
    assert_eq!(next.bodies().len(), 2);
    assert_eq!(next.documents()[1]["losses"], serde_json::json!({"reports_set_aside": 1}));
}

#[test]
fn a_first_yes_finds_what_earlier_processes_left_as_a_start_does() {
    let directory = Folder::new();
    let (spool, id) = (directory.path().join("spool"), directory.path().join("id"));
    let begun = |sink: &MemorySink| {
        let builder = builder(&spool, sink).notice_first().cluster_id_file(&id);
        let callhome = builder.build().unwrap();
        callhome.notice_shown().unwrap();
        callhome
    };
    let callhome = begun(&down());
    add(&callhome, 1);
    let end = callhome.shutdown(Duration::from_secs(5));
    assert_eq!((end.spooled(), end.lost()), (1, 0), "{end}");
    let kept = fs::read_to_string(&id).unwrap();
    drop(callhome);

    let sink = MemorySink::new();
    let callhome = begun(&sink);
    assert_eq!(fs::read_to_string(&id).unwrap(), kept, "the installation is the same");
    assert_eq!(callhome.status().pending(), 1);
    add(&callhome, 10);
    callhome.flush().unwrap();
    assert_eq!(numbers(&sink), [1, 10]);

    // After a no it is another one.
    callhome.set_enabled(false).unwrap();
    assert!(!id.exists());
    callhome.set_enabled(true).unwrap();
    assert_ne!(fs::read_to_string(&id).unwrap(), kept);
}

/// A report names the latest 128 windows in it. A crash may come when its file is written and those
/// of its parts are not removed yet, so the file names all that have one.
#[test]
fn a_merged_report_names_every_file_that_it_stands_for() {
    let (directory, clock) = (Folder::new(), VirtualClock::new());
    let (every, sink) = (Duration::from_millis(100), down());
    let builder = builder(directory.path(), &sink).max_pending(1000).max_attempts(1000);
    let builder = builder.every(every).first_after(Duration::ZERO).spread(Duration::ZERO);
    let callhome = builder.clock(clock.clone()).build().unwrap();
    for _ in 0..140 {
        callhome.tick();
        clock.advance(every);
    }
    sink.answer(|_| Err(SendError::retry("busy").with_retry_after(HOUR)));
    assert!(callhome.flush().is_err());
    let parts = reports(&directory);
    assert_eq!(parts.len(), 141);

    callhome.tick();
    let [whole] = &reports(&directory)[..] else { panic!("one file") };
    let content = fs::read_to_string(whole).unwrap();
    let header = content.lines().nth(1).unwrap();
    for part in &parts {
        let id = part.file_stem().unwrap().to_str().unwrap().strip_prefix("callhome-").unwrap();
        assert!(header.contains(id), "{id}");
    }
}
