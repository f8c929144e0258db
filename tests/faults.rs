//! An aggregator whose receiver is down, broken or silent: nothing recorded is lost by it.
#![cfg(feature = "http")]

mod support;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use callhome::testing::{HttpReceiver, Request, until_closed};
use callhome::{CallHome, ErrorKind, Schema};
use metrics::counter;
use serde_json::Value;
use support::SOON;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn aggregator(url: &str) -> CallHome {
    CallHome::builder(Schema::new("s").counter("n"))
        .endpoint(url)
        .opt_out()
        .attempt_timeout(Duration::from_millis(500))
        .build()
        .unwrap()
}

fn add(callhome: &CallHome, n: u64) {
    metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(n));
}

/// The report is kept: an error that says so.
#[track_caller]
fn is_kept(callhome: &CallHome, words: &str) {
    let error = callhome.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Delivery);
    assert!(error.to_string().contains("is kept"), "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

fn n(request: &Request) -> u64 {
    let report: Value = serde_json::from_slice(&request.body).unwrap();
    report["data"]["n"].as_u64().unwrap()
}

#[test]
fn an_endpoint_that_cannot_be_is_an_error_at_once() {
    for url in ["", "not a url", "ftp://example.com/", "http://example.com/reports", "https://"] {
        let builder = CallHome::builder(Schema::new("s").counter("n")).opt_out().endpoint(url);
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{url}: {error}");
        assert!(error.to_string().contains("endpoint"), "{error}");
    }
}

#[test]
fn what_an_unreachable_receiver_missed_arrives_when_it_is_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let callhome = aggregator(&format!("http://{address}/v1"));
    for n in 1..=3 {
        add(&callhome, n);
        is_kept(&callhome, &address.to_string());
        assert_eq!(callhome.status().pending(), n);
    }
    let server = HttpReceiver::on(TcpListener::bind(address).unwrap(), [OK.into()]);
    add(&callhome, 10);
    assert_eq!(callhome.flush().unwrap()["n"], 10);
    let numbers: Vec<u64> = (0..4).map(|_| n(&server.request())).collect();
    assert_eq!(numbers, [1, 2, 3, 10], "oldest first, none merged or lost");
    assert_eq!((callhome.status().pending(), callhome.status().accepted()), (0, 4));
}

#[test]
fn every_attempt_sends_the_same_bytes_under_the_same_id() {
    let server = HttpReceiver::scripted([500.into(), 500.into(), 204.into()]);
    let callhome = aggregator(&server.url("/v1"));
    add(&callhome, 7);
    is_kept(&callhome, "500");
    add(&callhome, 5);
    is_kept(&callhome, "500");
    callhome.flush().unwrap();
    let requests: Vec<Request> = (0..5).map(|_| server.request()).collect();
    let sent = |at: usize| (requests[at].header("idempotency-key"), &requests[at].body);
    assert_eq!(sent(0), sent(1), "still the first report");
    assert_eq!(sent(0), sent(2));
    assert_eq!((n(&requests[2]), n(&requests[3]), n(&requests[4])), (7, 5, 0));
}

#[test]
fn a_receiver_that_hangs_or_closes_early_is_a_failed_attempt() {
    let scripts: [fn(TcpStream); 3] = [
        |mut stream| until_closed(&mut stream),
        |stream| drop(Request::read(&stream)),
        |mut stream| {
            let _ = Request::read(&stream);
            let _ = stream.write_all(b"HTTP/1.1 200 O");
        },
    ];
    for script in scripts {
        let server = HttpReceiver::raw(script);
        let callhome = aggregator(&server.url("/"));
        add(&callhome, 7);
        is_kept(&callhome, "127.0.0.1");
        assert_eq!((callhome.status().pending(), callhome.status().attempts()), (1, 1));
    }
}

#[test]
fn a_shutdown_keeps_its_deadline_and_says_what_is_lost() {
    let server = HttpReceiver::raw(|mut stream| until_closed(&mut stream));
    let callhome = CallHome::builder(Schema::new("s").counter("n"))
        .endpoint(&server.url("/"))
        .opt_out()
        .build()
        .unwrap();
    add(&callhome, 7);
    let begin = Instant::now();
    let end = callhome.shutdown(Duration::from_millis(300));
    assert!(begin.elapsed() < SOON / 3, "{:?}", begin.elapsed());
    assert_eq!((end.accepted(), end.lost()), (0, 1), "{end}");
    assert!(end.to_string().contains("300ms"), "{end}");
}

#[test]
fn a_window_that_could_not_even_be_sealed_is_said_to_be_lost() {
    let (_let_go, stuck) = std::sync::mpsc::channel::<()>();
    let stuck = Mutex::new(stuck);
    let schema = Schema::new("s").counter("n").sampled("slow", move || {
        let _ = stuck.lock().unwrap().recv();
        1.0
    });
    let callhome = CallHome::builder(schema).build().unwrap();
    add(&callhome, 7);
    let end = callhome.shutdown(Duration::from_millis(100));
    assert_eq!((end.accepted(), end.lost()), (0, 1), "{end}");
    assert!(end.to_string().contains("100ms"), "{end}");
}

/// A sink, a logger or a panic that uses the aggregator, or panics in its turn.
#[test]
fn whatever_the_applications_code_does_the_report_is_kept_or_settled() {
    struct Wild(std::sync::Weak<CallHome>, Mutex<u32>);
    impl callhome::sink::Sink for Wild {
        fn send(&self, _: &callhome::sink::Parcel<'_>) -> Result<(), callhome::sink::SendError> {
            let attempt = {
                let mut n = self.1.lock().unwrap();
                *n += 1;
                *n
            };
            let callhome = self.0.upgrade().unwrap();
            let _ = (callhome.status(), callhome.preview());
            assert_eq!(callhome.flush().unwrap_err().kind(), ErrorKind::Usage);
            if attempt == 1 {
                struct Bomb;
                impl Drop for Bomb {
                    fn drop(&mut self) {
                        std::panic::panic_any(());
                    }
                }
                std::panic::panic_any(Bomb);
            }
            Ok(())
        }

        fn describe(&self) -> String {
            panic!("nameless")
        }

        fn is_local(&self) -> bool {
            true
        }
    }
    let callhome = std::sync::Arc::new_cyclic(|weak: &std::sync::Weak<CallHome>| {
        let schema = Schema::new("s").counter("n");
        CallHome::builder(schema).opt_out().sink(Wild(weak.clone(), Mutex::new(0))).build().unwrap()
    });
    add(&callhome, 7);
    is_kept(&callhome, "panicked");
    callhome.flush().unwrap();
    assert_eq!((callhome.status().pending(), callhome.status().accepted()), (0, 2));
}

#[test]
fn a_clock_that_panics_after_an_attempt_does_not_end_reporting() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    struct Panicky(Arc<AtomicBool>);
    impl callhome::Clock for Panicky {
        fn now(&self) -> callhome::Moment {
            assert!(!self.0.swap(false, Ordering::Relaxed), "the clock panics");
            let wall = std::time::SystemTime::UNIX_EPOCH;
            callhome::Moment { monotonic: Duration::from_secs(1), wall }
        }
    }
    let panics = Arc::new(AtomicBool::new(false));
    let sink = callhome::sink::MemorySink::new();
    let set = Arc::clone(&panics);
    sink.answer(move |_| {
        set.store(true, Ordering::Relaxed);
        Ok(())
    });
    let builder = CallHome::builder(Schema::new("s").counter("n"));
    let callhome = builder.clock(Panicky(panics)).opt_out().sink(sink.clone()).build().unwrap();
    for n in 1..=3 {
        callhome.flush().unwrap();
        assert_eq!((sink.bodies().len(), callhome.status().pending()), (n, 0));
    }
}

#[test]
fn an_outage_makes_one_log_line_when_it_begins_and_one_when_it_ends() {
    static LINES: Mutex<Vec<(log::Level, String)>> = Mutex::new(Vec::new());
    struct Lines;
    impl log::Log for Lines {
        fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
            metadata.target().starts_with("callhome")
        }

        fn log(&self, record: &log::Record<'_>) {
            // Other tests of this file run at the same time and log too.
            if self.enabled(record.metadata()) && record.args().to_string().contains("the test's") {
                LINES.lock().unwrap().push((record.level(), record.args().to_string()));
            }
        }

        fn flush(&self) {}
    }
    struct Flapping(Mutex<std::vec::IntoIter<bool>>);
    impl callhome::sink::Sink for Flapping {
        fn send(&self, _: &callhome::sink::Parcel<'_>) -> Result<(), callhome::sink::SendError> {
            match self.0.lock().unwrap().next() {
                Some(false) => Err(callhome::sink::SendError::retry("down")),
                _ => Ok(()),
            }
        }

        fn describe(&self) -> String {
            "the test's receiver".into()
        }

        fn is_local(&self) -> bool {
            true
        }
    }
    log::set_logger(&Lines).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let up_and_down = vec![true, false, false, false, true, true, false];
    let callhome = CallHome::builder(Schema::new("s").counter("n"))
        .sink(Flapping(up_and_down.into_iter().into()))
        .opt_out()
        .build()
        .unwrap();
    (0..5).for_each(|_| drop(callhome.flush()));
    let lines = LINES.lock().unwrap().clone();
    let expected = ["did not reach", "again", "did not reach"];
    assert!(
        lines.iter().map(|(_, line)| line).zip(expected).all(|(line, e)| line.contains(e)),
        "{lines:?}"
    );
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    assert!(lines.iter().all(|(level, _)| *level > log::Level::Error), "{lines:?}");
}
