//! Why a report is made: at the start, in between, and at the end.

mod support;

use std::time::Duration;

use callhome::sink::{MemorySink, SendError};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, ErrorKind, Schema};
use serde_json::Value;
use support::SOON;

fn builder(sink: &MemorySink) -> Builder {
    let schema = Schema::new("node").section("why", |s| s.reason("reason")).counter("n");
    CallHome::builder(schema).sink(sink.clone()).opt_out().bare()
}

fn reasons(sink: &MemorySink) -> Vec<String> {
    let report = |body: Vec<u8>| serde_json::from_slice::<Value>(&body).unwrap();
    let reason = |body| report(body)["why"]["reason"].as_str().unwrap().to_owned();
    sink.bodies().into_iter().map(reason).collect()
}

#[test]
fn a_process_says_that_it_starts_lives_and_stops() {
    let (sink, clock) = (MemorySink::new(), VirtualClock::new());
    let callhome = builder(&sink).clock(clock.clone()).first_after(Duration::ZERO);
    let callhome = callhome.spread(Duration::ZERO).every(SOON).build().unwrap();
    assert_eq!(callhome.preview()["why"]["reason"], "start");
    callhome.tick();
    assert_eq!(reasons(&sink), ["start"], "at once");
    assert_eq!(callhome.preview()["why"]["reason"], "heartbeat");
    for _ in 0..2 {
        clock.advance(SOON);
        callhome.tick();
    }
    assert_eq!(callhome.shutdown(SOON).lost(), 0);
    assert_eq!(reasons(&sink), ["start", "heartbeat", "heartbeat", "stop"]);
}

#[test]
fn the_only_report_of_a_process_is_its_last_and_a_yes_is_a_start() {
    let sink = MemorySink::new();
    assert_eq!(builder(&sink).build().unwrap().shutdown(SOON).accepted(), 1);
    let callhome = builder(&sink).build().unwrap();
    callhome.flush().unwrap();
    callhome.set_enabled(false).unwrap();
    callhome.set_enabled(true).unwrap();
    callhome.flush().unwrap();
    assert_eq!(reasons(&sink), ["stop", "start", "start"]);
}

#[test]
fn of_windows_that_become_one_the_last_says_why() {
    let sink = MemorySink::new();
    sink.answer(|_| Err(SendError::retry("down")));
    let callhome = builder(&sink).max_attempts(1).build().unwrap();
    callhome.flush().unwrap_err();
    callhome.flush().unwrap_err();
    sink.answer(|_| Ok(()));
    assert_eq!(callhome.shutdown(SOON).lost(), 0);
    assert_eq!(reasons(&sink), ["stop"]);
}

#[test]
fn it_is_of_a_report_and_takes_no_transform() {
    let event = Schema::new("event").reason("reason");
    let event = CallHome::builder(Schema::new("cli")).event(event).build().unwrap_err();
    assert!(event.to_string().contains("a reason, which only a report can have"), "{event}");
    let schema = Schema::new("s").reason("r").transform(callhome::Transform::MajorMinor);
    let error = CallHome::builder(schema).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
}
