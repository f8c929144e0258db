//! Counting panics: how many and where, nothing else, and never in the way of the program's hook.

mod support;

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::thread;

use callhome::sink::MemorySink;
use callhome::{Builder, CallHome, ErrorKind, Schema};
use metrics::counter;
use serde_json::json;
use support::SOON;
use support::apart::apart;

/// How often the program's own hook was called.
static SEEN: AtomicUsize = AtomicUsize::new(0);

fn count_silently() {
    panic::set_hook(Box::new(|_| {
        SEEN.fetch_add(1, Ordering::Relaxed);
    }));
}

fn seen() -> usize {
    SEEN.swap(0, Ordering::Relaxed)
}

fn builder(sink: &MemorySink) -> Builder {
    let schema = Schema::new("s").counter("n").panics(
        "panics",
        &[("support", "tests/support/"), ("here", "tests/panics.rs"), ("also_here", "tests/")],
    );
    let schema = schema.section("all", |s| s.panics("panics", &[]));
    CallHome::builder(schema).opt_out().sink(sink.clone())
}

fn panics(times: usize) {
    for _ in 0..times {
        thread::spawn(|| panic!("hunter2")).join().unwrap_err();
    }
}

/// What a report says for this many panics of this file.
fn of_here(times: usize) -> serde_json::Value {
    json!({"support": 0, "here": times, "also_here": 0, "__other__": 0})
}

#[test]
fn panics_are_counted_by_class_and_the_programs_hook_runs_too() {
    apart("panics_are_counted_by_class_and_the_programs_hook_runs_too", || {
        count_silently();
        let sink = MemorySink::new();
        panics(1);
        let callhome = builder(&sink).install().unwrap();
        assert_eq!(seen(), 1);
        panics(3);
        assert_eq!(seen(), 3);
        let report = callhome.flush().unwrap();
        assert_eq!(report["panics"], of_here(3), "and not the one before");
        assert_eq!(report["all"]["panics"], json!({"__other__": 3}));
        for secret in ["hunter2", "tests/", ".rs"] {
            assert!(!report.body().contains(secret), "{report}");
        }
        assert_eq!(callhome.flush().unwrap()["panics"], of_here(0));

        // Another place: a file of the standard library, or of the other test modules.
        let elsewhere = || panic::catch_unwind(|| support::example("none"));
        assert!(elsewhere().is_err());
        let expected = json!({"support": 1, "here": 0, "also_here": 0, "__other__": 0});
        assert_eq!(callhome.flush().unwrap()["panics"], expected);
    });
}

#[test]
fn every_panic_counts_once_however_many_there_are() {
    apart("every_panic_counts_once_however_many_there_are", || {
        count_silently();
        let sink = MemorySink::new();
        let callhome = builder(&sink).install().unwrap();
        // A second one is refused, and must leave no second hook.
        assert_eq!(builder(&sink).install().unwrap_err().kind(), ErrorKind::Install);
        callhome.set_enabled(false).unwrap();
        panics(1);
        assert_eq!(callhome.preview()["panics"], of_here(0));
        callhome.set_enabled(true).unwrap();
        thread::scope(|scope| {
            (0..8).for_each(|_| drop(scope.spawn(|| panics(25))));
        });
        assert_eq!(callhome.flush().unwrap()["panics"], of_here(200), "none of when it was off");
        assert_eq!(seen(), 201);
    });
}

/// Records while it is dropped, on a thread that panics or ends.
struct Records;

impl Drop for Records {
    fn drop(&mut self) {
        counter!("n").increment(1);
        let _ = panic::catch_unwind(|| panic!("in a destructor"));
    }
}

#[test]
fn a_report_that_has_gone_is_let_go() {
    apart("a_report_that_has_gone_is_let_go", || {
        let first = builder(&MemorySink::new()).install().unwrap();
        let mut gone = Weak::new();
        for _ in 0..2 {
            let held = Arc::new(());
            let later = Arc::downgrade(&held);
            let schema = Schema::new("tenant").panics("panics", &[]).fact_with("fact", move || {
                let _ = &held;
                1
            });
            let tenant = first.attach(CallHome::builder(schema).sink(MemorySink::new())).unwrap();
            assert!(gone.upgrade().is_none(), "the next one finds nothing of the last");
            let _ = tenant.shutdown(SOON);
            drop(tenant);
            gone = later;
        }
    });
}

#[test]
fn it_is_safe_wherever_a_thread_panics() {
    thread_local!(static LATE: Records = const { Records });
    apart("it_is_safe_wherever_a_thread_panics", || {
        count_silently();
        let sink = MemorySink::new();
        let callhome = builder(&sink).install().unwrap();
        // In the hook itself the macros are at work, as in a program's hook that records.
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            counter!("n").increment(1);
            before(info);
        }));
        let ends = thread::spawn(|| {
            LATE.with(|_| ());
            panic!("and its thread-locals go");
        });
        ends.join().unwrap_err();
        let report = callhome.flush().unwrap();
        assert_eq!((&report["panics"], &report["n"]), (&of_here(2), &json!(3)));
    });
}

#[test]
fn the_hook_does_nothing_when_off_nor_after_the_end() {
    apart("the_hook_does_nothing_when_off_nor_after_the_end", || {
        count_silently();
        let sink = MemorySink::new();
        let callhome = builder(&sink).opt_in().install().unwrap();
        panics(1);
        assert_eq!(callhome.preview()["panics"], of_here(0));
        callhome.set_enabled(true).unwrap();
        panics(1);
        assert_eq!(callhome.flush().unwrap()["panics"], of_here(1));
        let _ = callhome.shutdown(SOON);
        panics(1);
        drop(callhome);
        panics(1);
        assert_eq!((seen(), sink.bodies().len()), (4, 2));
        // Only an installed one counts.
        let built = builder(&MemorySink::new()).build().unwrap();
        panics(1);
        assert_eq!(built.flush().unwrap()["panics"], of_here(0));
    });
}
