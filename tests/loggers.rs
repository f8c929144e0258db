//! A logger that does what it should not: it panics, and uses the aggregator whose line it logs.
//!
//! A logger is for the rest of its process, so each case has its own.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;

use callhome::sink::{MemorySink, SendError};
use callhome::{Builder, CallHome, ErrorKind, Schema};
use support::SOON;
use support::apart::{apart, apart_with};

/// Calls this for each line of this crate.
struct Logger(fn(&str));

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("callhome")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            (self.0)(&record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn log_to(logger: fn(&str)) {
    log::set_logger(Box::leak(Box::new(Logger(logger)))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
}

fn builder(sink: &MemorySink) -> Builder {
    CallHome::builder(Schema::new("s").counter("n")).sink(sink.clone()).opt_out()
}

fn down() -> MemorySink {
    let sink = MemorySink::new();
    sink.answer(|_| Err(SendError::retry("down")));
    sink
}

/// The aggregator that the logger uses, and what it got.
static USED: OnceLock<CallHome> = OnceLock::new();
static GOT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Does `work` on a thread of its own, which must come to its end.
fn ends(work: impl FnOnce() + Send + 'static) {
    let (done, end) = mpsc::channel();
    let thread = thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    assert_ne!(end.recv_timeout(SOON), Err(mpsc::RecvTimeoutError::Timeout), "it hangs");
    thread.join().unwrap();
}

#[test]
fn a_logger_that_panics_does_not_make_a_shutdown_panic() {
    apart("a_logger_that_panics_does_not_make_a_shutdown_panic", || {
        log_to(|line| panic!("{line}"));
        let callhome = builder(&down()).build().unwrap();
        assert!(callhome.flush().is_err());
        let end = catch_unwind(AssertUnwindSafe(|| callhome.shutdown(SOON)));
        assert_eq!(end.expect("no panic").lost(), 2);
    });
}

#[test]
fn a_logger_that_panics_does_not_make_a_start_panic() {
    let variables = [("SHOP_TELEMETRY", "what?")];
    apart_with("a_logger_that_panics_does_not_make_a_start_panic", &variables, || {
        log_to(|line| panic!("{line}"));
        let built = catch_unwind(|| builder(&down()).switch("SHOP_TELEMETRY").build());
        assert!(built.expect("no panic").is_ok());
    });
}

#[test]
fn a_logger_may_use_the_aggregator_that_decides() {
    let variables = [("SHOP_TELEMETRY", "what?")];
    apart_with("a_logger_may_use_the_aggregator_that_decides", &variables, || {
        log_to(|_| {
            let Some(callhome) = USED.get() else { return };
            let said = callhome.status().to_string();
            GOT.lock().unwrap().push(said);
            if GOT.lock().unwrap().len() == 1 {
                callhome.set_enabled(true).unwrap_err();
            }
        });
        drop(USED.set(builder(&down()).switch("SHOP_TELEMETRY").build().unwrap()));
        ends(|| {
            let error = USED.get().unwrap().set_enabled(true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Off);
        });
        assert_eq!(GOT.lock().unwrap().len(), 2, "one line for each time");
    });
}

#[test]
fn a_logger_that_flushes_is_told_that_it_cannot() {
    apart("a_logger_that_flushes_is_told_that_it_cannot", || {
        log_to(|_| {
            let error = USED.get().unwrap().flush().map(drop).unwrap_err();
            GOT.lock().unwrap().push(format!("{:?}", error.kind()));
        });
        drop(USED.set(builder(&down()).build().unwrap()));
        ends(|| assert!(USED.get().unwrap().flush().is_err()));
        assert_eq!(*GOT.lock().unwrap(), ["Usage"]);
    });
}

#[test]
fn a_logger_may_flush_when_the_disk_fails() {
    apart("a_logger_may_flush_when_the_disk_fails", || {
        log_to(|line| {
            if line.contains("in memory alone") {
                let callhome = USED.get().unwrap();
                let error = callhome.flush().map(drop).unwrap_err();
                GOT.lock().unwrap().push(format!("{:?}", error.kind()));
            }
        });
        let spool = std::env::temp_dir().join(format!("callhome-loggers-{}", uuid::Uuid::new_v4()));
        drop(USED.set(builder(&down()).spool(&spool).build().unwrap()));
        std::fs::remove_dir_all(&spool).unwrap();
        ends(|| assert!(USED.get().unwrap().flush().is_err()));
        assert_eq!(*GOT.lock().unwrap(), ["Delivery"]);
    });
}
