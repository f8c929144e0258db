//! What happens when, on a clock that only the test moves.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use callhome::sink::{MemorySink, SendError};
use callhome::{Builder, CallHome, Schema};
use metrics::{counter, gauge};
use serde_json::Value;
use support::clock::TestClock;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn reporting(schema: Schema) -> (Builder, TestClock, MemorySink) {
    let (clock, sink) = (TestClock::new(), MemorySink::new());
    let builder = CallHome::builder(schema)
        .clock(clock.clone())
        .sink(sink.clone())
        .every(4 * HOUR)
        .first_after(HOUR);
    (builder, clock, sink)
}

fn parsed(sink: &MemorySink) -> Vec<Value> {
    sink.bodies().iter().map(|body| serde_json::from_slice(body).unwrap()).collect()
}

#[test]
fn the_first_report_comes_after_its_delay_and_then_one_every_interval() {
    let (builder, clock, sink) = reporting(Schema::new("s").counter("n").uptime("up"));
    let callhome = builder.build().unwrap();
    assert_eq!(callhome.tick(), HOUR);
    clock.advance(HOUR / 2);
    assert_eq!((callhome.tick(), sink.attempts()), (HOUR / 2, 0));
    metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(5));
    clock.advance(HOUR / 2);
    assert_eq!((callhome.tick(), sink.attempts()), (4 * HOUR, 1));
    clock.advance(4 * HOUR);
    assert_eq!((callhome.tick(), sink.attempts()), (4 * HOUR, 2));

    let reports = parsed(&sink);
    assert_eq!((&reports[0]["data"]["n"], &reports[1]["data"]["n"]), (&5.into(), &0.into()));
    assert_eq!(reports[0]["data"]["up"], 3600);
    assert_eq!((&reports[0]["sequence"], &reports[1]["sequence"]), (&1.into(), &2.into()));
    assert_eq!(reports[0]["window_start"], "2023-11-14T22:13:20.000000Z");
    assert_eq!(reports[0]["window_end"], "2023-11-14T23:13:20.000000Z");
    assert_eq!(reports[0]["window_end"], reports[1]["window_start"]);
    assert_ne!(reports[0]["report_id"], reports[1]["report_id"]);
    assert_eq!(reports[0]["schema_id"], reports[1]["schema_id"]);
}

#[test]
fn a_jump_of_the_wall_clock_moves_nothing_and_a_long_sleep_makes_one_report() {
    let (builder, clock, sink) = reporting(Schema::new("s").counter("n"));
    let callhome = builder.build().unwrap();
    clock.set_wall(SystemTime::UNIX_EPOCH);
    assert_eq!((callhome.tick(), sink.attempts()), (HOUR, 0));
    clock.set_wall(SystemTime::UNIX_EPOCH + 20_000 * 24 * HOUR);
    assert_eq!((callhome.tick(), sink.attempts()), (HOUR, 0));
    clock.advance(30 * HOUR);
    assert_eq!((callhome.tick(), sink.attempts()), (3 * HOUR, 1));
}

#[test]
fn polled_functions_and_gauges_are_sampled_on_the_clock() {
    let asked = Arc::new(AtomicU32::new(0));
    let poll = Arc::clone(&asked);
    let schema = Schema::new("s")
        .sampled("polled", move || poll.fetch_add(1, Ordering::Relaxed))
        .gauge_summary("clients")
        .default(0.0);
    let (builder, clock, sink) = reporting(schema);
    let callhome = builder.build().unwrap();
    metrics::with_local_recorder(callhome.recorder(), || {
        for tick in 0..4 {
            clock.advance(Duration::from_secs(2));
            gauge!("clients").set(tick * 10);
            callhome.tick();
        }
        gauge!("clients").set(1000); // a peak between two samples
        gauge!("clients").set(30);
    });
    callhome.flush().unwrap();
    let data = &parsed(&sink)[0]["data"];
    // 0, 1, 2, 3 on the clock and 4 at the seal; 0, 10, 20, 30 and 30.
    assert_eq!(
        data["polled"],
        serde_json::json!({"max": 4, "mean": 2.0, "median": 2, "min": 0, "mode": 0})
    );
    assert_eq!(
        data["clients"],
        serde_json::json!({"max": 1000, "mean": 18.0, "median": 20, "min": 0, "mode": 30})
    );
}

#[test]
fn a_failed_report_is_tried_again_under_its_id_and_newer_ones_wait_behind_it() {
    let (builder, clock, sink) = reporting(Schema::new("s").counter("n"));
    let callhome = builder.build().unwrap();
    let add = |n| metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(n));
    sink.answer(|_| Err(SendError::retry("down").with_retry_after(2 * HOUR)));

    add(1);
    clock.advance(HOUR);
    let wait = callhome.tick();
    assert_eq!((wait, sink.attempts(), callhome.status().pending()), (2 * HOUR, 1, 1));
    assert_eq!(callhome.status().last_error(), Some("down"));
    clock.advance(HOUR);
    callhome.tick();
    assert_eq!(sink.attempts(), 1, "the receiver asked for two hours");

    add(10);
    sink.answer(|parcel| match parcel.attempt() {
        1 | 2 => Ok(()),
        attempt => panic!("attempt {attempt}"),
    });
    clock.advance(HOUR);
    callhome.tick();
    assert_eq!((sink.attempts(), callhome.status().accepted()), (2, 1));
    clock.advance(2 * HOUR);
    callhome.tick();
    let reports = parsed(&sink);
    assert_eq!((&reports[0]["data"]["n"], &reports[1]["data"]["n"]), (&1.into(), &10.into()));
    assert_eq!((callhome.status().pending(), callhome.status().last_error()), (0, None));
}

#[test]
fn more_reports_than_may_wait_are_given_up_oldest_first_and_told_of() {
    let (builder, _, sink) = reporting(Schema::new("s").counter("n"));
    let callhome = builder.max_pending(2).build().unwrap();
    sink.answer(|_| Err(SendError::retry("down")));
    for n in 1..=4 {
        metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(n));
        assert!(callhome.flush().is_err());
    }
    assert_eq!((callhome.status().pending(), callhome.status().lost()), (2, 2));
    sink.answer(|_| Ok(()));
    callhome.flush().unwrap();
    let reports = parsed(&sink);
    let numbers: Vec<&Value> = reports.iter().map(|report| &report["data"]["n"]).collect();
    assert_eq!(numbers, [3, 4, 0]);
    let told: u64 =
        reports.iter().filter_map(|report| report["losses"]["reports_overflowed"].as_u64()).sum();
    assert_eq!(told, 2);
}

#[test]
fn a_refusal_is_final_counted_and_told_of() {
    let (builder, _, sink) = reporting(Schema::new("s").counter("n"));
    let callhome = builder.build().unwrap();
    sink.answer(|_| Err(SendError::refused("the receiver answered 413").with_status(413)));
    let error = callhome.flush().unwrap_err();
    assert_eq!(error.kind(), callhome::ErrorKind::Lost);
    assert!(error.to_string().contains("413"), "{error}");
    assert_eq!((callhome.status().pending(), callhome.status().lost()), (0, 1));
    sink.answer(|_| Ok(()));
    callhome.flush().unwrap();
    assert_eq!(parsed(&sink)[0]["losses"]["reports_refused"], 1);
}
