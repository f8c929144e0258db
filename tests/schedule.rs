//! What happens when, on a clock that only the test moves.

mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use callhome::sink::{MemorySink, SendError};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, Clock, Fact, Outcome, Schema};
use metrics::{counter, gauge, histogram};
use serde_json::Value;

const HOUR: Duration = Duration::from_secs(60 * 60);

fn reporting(schema: Schema) -> (Builder, VirtualClock, MemorySink) {
    let (clock, sink) = (VirtualClock::new(), MemorySink::new());
    let builder = CallHome::builder(schema)
        .clock(clock.clone())
        .sink(sink.clone())
        .opt_out()
        .every(4 * HOUR)
        .first_after(HOUR)
        .spread(Duration::ZERO);
    (builder, clock, sink)
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

    let reports = sink.documents();
    assert_eq!((&reports[0]["data"]["n"], &reports[1]["data"]["n"]), (&5.into(), &0.into()));
    assert_eq!(reports[0]["data"]["up"], 3600);
    assert_eq!((&reports[0]["sequence"], &reports[1]["sequence"]), (&1.into(), &2.into()));
    assert_eq!(reports[0]["window_start"], "2023-11-14T22:13:20.000000Z");
    assert_eq!(reports[0]["window_end"], "2023-11-14T23:13:20.000000Z");
    assert_eq!(reports[0]["window_end"], reports[1]["window_start"]);
    assert_eq!(
        (&reports[0]["window_seconds"], &reports[0]["merged"]),
        (&3600.0.into(), &Value::Array(vec![]))
    );
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
    let data = &sink.documents()[0]["data"];
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
fn a_failed_report_is_tried_again_under_its_id_when_the_receiver_wants_it() {
    let (builder, clock, sink) = reporting(Schema::new("s").counter("n"));
    let callhome = builder.build().unwrap();
    let add = |n| metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(n));
    sink.answer(|_| Err(SendError::retry("down").with_retry_after(2 * HOUR)));

    add(1);
    clock.advance(HOUR);
    let wait = callhome.tick();
    let status = callhome.status();
    assert_eq!((wait, sink.attempts(), status.pending()), (2 * HOUR, 1, 1));
    assert_eq!(status.last_error().unwrap().to_string(), "down");
    assert_eq!(status.last_outcome(), Some(Outcome::Failed));
    assert_eq!(status.next_attempt(), Some(2 * HOUR));
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
    let reports = sink.documents();
    assert_eq!((&reports[0]["data"]["n"], &reports[1]["data"]["n"]), (&1.into(), &10.into()));
    let status = callhome.status();
    assert!(status.pending() == 0 && status.last_error().is_none());
    assert_eq!(status.last_outcome(), Some(Outcome::Accepted));
}

#[test]
fn a_window_has_four_attempts_and_then_is_part_of_the_next() {
    let (builder, clock, sink) = reporting(Schema::new("s").counter("n").gauge("g").summary("x"));
    let callhome = builder.build().unwrap();
    let record = |n: u32| {
        metrics::with_local_recorder(callhome.recorder(), || {
            counter!("n").increment(n.into());
            gauge!("g").set(n);
            histogram!("x").record(n);
        });
    };
    let ids = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ids);
    sink.answer(move |parcel| {
        seen.lock().unwrap().push(parcel.id().to_owned());
        Err(SendError::retry("down"))
    });
    record(1);
    let first = callhome.preview().id().to_owned();
    clock.advance(HOUR);
    let begin = clock.now().monotonic;
    // The waits are below 1, 2 and 4 minutes.
    while clock.now().monotonic < begin + HOUR {
        let wait = callhome.tick();
        clock.advance(wait.min(HOUR));
    }
    assert_eq!(*ids.lock().unwrap(), vec![first.clone(); 4]);
    assert_eq!(callhome.status().next_attempt(), None, "not before the next window");

    for n in [2, 3] {
        record(n);
        clock.advance(4 * HOUR);
        callhome.tick();
    }
    assert_eq!(sink.attempts(), 6, "one for each window while the receiver is down");
    assert_eq!((callhome.status().pending(), callhome.status().lost()), (3, 0));
    record(4);
    let preview = callhome.preview();
    sink.answer(|_| Ok(()));
    let report = callhome.flush().unwrap();
    assert_eq!(preview.data(), report.data(), "a preview shows what is merged");
    assert_eq!((&report["n"], &report["g"]), (&10.into(), &4.into()));
    assert_eq!(
        report["x"],
        serde_json::json!({"max": 4, "mean": 2.5, "median": 2.5, "min": 1, "mode": 1})
    );
    let [body] = &sink.documents()[..] else { panic!("one report") };
    let merged = body["merged"].as_array().unwrap();
    assert_eq!((merged.len(), &merged[0]), (3, &first.into()));
    assert_eq!(
        (&body["sequence"], &body["window_start"]),
        (&4.into(), &"2023-11-14T22:13:20.000000Z".into())
    );
    assert_eq!((callhome.status().pending(), callhome.status().accepted()), (0, 4));
}

#[test]
fn a_report_that_may_have_arrived_is_only_sent_as_it_is() {
    let (builder, clock, sink) = reporting(Schema::new("s").counter("n"));
    let callhome = builder.max_attempts(1).build().unwrap();
    let add = |n| metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(n));
    sink.answer(|_| Err(SendError::retry("silence").possibly_delivered()));
    for n in [1, 2, 3] {
        add(n);
        clock.advance(4 * HOUR);
        callhome.tick();
    }
    sink.answer(|_| Ok(()));
    add(4);
    clock.advance(4 * HOUR);
    callhome.tick();
    let numbers: Vec<Value> =
        sink.documents().into_iter().map(|mut report| report["data"]["n"].take()).collect();
    assert_eq!(numbers, [1, 9], "the others never were with the receiver");
}

#[test]
fn a_receiver_that_refuses_is_probed_once_a_day_and_windows_wait_for_it() {
    let (builder, clock, sink) = reporting(Schema::new("s").counter("n"));
    let callhome = builder.build().unwrap();
    sink.answer(|_| Err(SendError::refused("the receiver answered 401").with_status(401)));
    let attempts: Vec<u64> = (0..18)
        .map(|_| {
            metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(1));
            clock.advance(4 * HOUR);
            callhome.tick();
            callhome.status().attempts()
        })
        .collect();
    let expected: Vec<u64> =
        [1, 2, 3].into_iter().chain([3; 5]).chain([4; 6]).chain([5; 4]).collect();
    assert_eq!(attempts, expected);
    let status = callhome.status();
    assert_eq!(
        (status.pending(), status.lost(), status.losses()),
        (3, 15, vec![("reports_refused", 15)])
    );
    sink.answer(|_| Ok(()));
    assert_eq!(callhome.flush().unwrap()["n"], 3);
    assert_eq!(sink.documents()[0]["losses"]["reports_refused"], 15);
}

#[test]
fn a_report_that_waited_too_long_is_given_up_and_told_of() {
    let (builder, clock, sink) = reporting(Schema::new("s").counter("n"));
    let callhome = builder.max_age(10 * HOUR).build().unwrap();
    sink.answer(|_| Err(SendError::retry("silence").possibly_delivered()));
    assert!(callhome.flush().is_err());
    clock.advance(9 * HOUR);
    callhome.tick();
    assert_eq!(callhome.status().pending(), 2);
    clock.advance(HOUR);
    sink.answer(|_| Ok(()));
    let told = callhome.preview();
    assert!(told.body().contains(r#""losses":{"reports_expired":1}"#), "{told}");
    callhome.flush().unwrap();
    assert_eq!(callhome.status().losses(), [("reports_expired", 1)]);
    assert_eq!((callhome.status().accepted(), callhome.status().pending()), (2, 0));
    assert_eq!(sink.documents().last().unwrap()["losses"]["reports_expired"], 1);
}

#[test]
fn memory_stays_flat_over_a_thousand_failed_windows() {
    for maybe in [false, true] {
        let (builder, clock, sink) = reporting(Schema::new("s").counter("n").summary("x"));
        let callhome = builder.build().unwrap();
        sink.answer(move |_| match SendError::retry("down") {
            error if maybe => Err(error.possibly_delivered()),
            error => Err(error),
        });
        for _ in 0..1000 {
            metrics::with_local_recorder(callhome.recorder(), || {
                counter!("n").increment(1);
                histogram!("x").record(1.5);
            });
            clock.advance(4 * HOUR);
            callhome.tick();
        }
        let status = callhome.status();
        assert_eq!(status.pending() + status.lost(), 1000);
        assert_eq!(
            status.lost() > 0,
            maybe,
            "windows of nobody knows what arrived are many reports"
        );
        sink.answer(|_| Ok(()));
        callhome.flush().unwrap();
        let bytes: usize = sink.bodies().iter().map(Vec::len).sum();
        assert!(sink.bodies().len() <= 65 && bytes < 65 * 1000, "{bytes}");
        let n: u64 =
            sink.documents().iter().map(|report| report["data"]["n"].as_u64().unwrap()).sum();
        assert_eq!(n + callhome.status().lost(), 1000);
    }
}

#[test]
fn a_schema_whose_reports_may_be_too_large_is_an_error() {
    let summaries = |n| (0..n).fold(Schema::new("s"), |s, n| s.summary(format!("x{n}")));
    let text = Schema::new("s").fact_with("text", || Fact::text("\u{1}".repeat(1000)));
    let limited = |schema, bytes| reporting(schema).0.max_body(bytes).build();
    for (schema, bytes) in [(summaries(60), 15_000), (text.clone(), 7_000)] {
        let error = limited(schema, bytes).unwrap_err();
        assert_eq!(error.kind(), callhome::ErrorKind::Config);
        assert!(error.to_string().contains(&format!("`max_body` is {bytes} bytes")), "{error}");
    }
    assert!(limited(summaries(20), 15_000).is_ok());
    let largest = limited(text, 8_000).unwrap().flush().unwrap();
    assert!(largest.body().len() < 8_000, "256 characters are kept: {}", largest.body().len());
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
    let reports = sink.documents();
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
    assert_eq!(sink.documents()[0]["losses"]["reports_refused"], 1);
}
