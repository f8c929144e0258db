//! Events: written once, sent like reports, none of them lost without being counted.

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use callhome::host::HostFacts;
use callhome::sink::{MemorySink, Parcel, SendError, Sink};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, ErrorKind, Fact, Report, Schema};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{Hanging, SOON};

fn command() -> Schema {
    Schema::new("command")
        .given("name")
        .given_or("is_error", false)
        .fact("version", "1.2")
        .section("where", |s| s.arch("arch").given("server").fact_with("asked", || 7))
        .given_list("stack")
}

fn builder() -> Builder {
    let host = HostFacts::new("x86_64-pc-linux-gnu", "unix", "linux");
    CallHome::builder(Schema::new("cli")).event(command()).host(host)
}

fn sending(sink: &MemorySink) -> Builder {
    builder().opt_out().sink(sink.clone())
}

fn texts(sink: &MemorySink) -> Vec<String> {
    sink.bodies().into_iter().map(|body| String::from_utf8(body).unwrap()).collect()
}

fn send(callhome: &CallHome, name: u64) {
    callhome.event("command").set("name", name).send().unwrap();
}

#[test]
fn an_event_says_what_is_given_and_what_is_not_in_the_declared_order() {
    let callhome = builder().bare().build().unwrap();
    let event = || {
        let event = callhome.event("command").set("where.server", Fact::text("v1"));
        event.set("name", 1).set("name", "apply").set_list("stack", ["at a", "at b"])
    };
    let body = r#"{"name":"apply","is_error":false,"version":"1.2","where":{"arch":"x86_64-pc-linux-gnu","server":"v1","asked":7},"stack":["at a","at b"]}"#;
    let preview = event().preview().unwrap();
    assert_eq!((preview.body(), preview.sequence()), (body, 1));
    assert_eq!(callhome.status().pending(), 0, "a look changes nothing");
    event().send().unwrap();
    callhome.event("command").send().unwrap();
    assert_eq!(callhome.status().pending(), 2);
    let last = callhome.flush().unwrap();
    let nothing = r#"{"name":null,"is_error":false,"version":"1.2","where":{"arch":"x86_64-pc-linux-gnu","server":null,"asked":7},"stack":[]}"#;
    assert_eq!((last.body(), last.sequence()), (nothing, 2));
    assert_eq!(callhome.flush().unwrap().body(), "", "nothing was waiting");
    assert_eq!(callhome.status().accepted(), 2);
    assert_eq!(callhome.status().next_report(), None);
}

#[test]
fn texts_and_lists_are_cut_to_their_limits() {
    let callhome = builder().bare().build().unwrap();
    let long = callhome.event("command").set("name", Fact::text("x".repeat(1000)));
    let report = long.set_list("stack", 0..1000).preview().unwrap();
    assert_eq!(report["name"].as_str().unwrap().len(), 256);
    let constant = callhome.event("command").set("name", include_str!("events.rs"));
    assert_eq!(constant.preview().unwrap()["name"].as_str().unwrap().chars().count(), 256);
    assert_eq!(report["stack"], json!((0..64).collect::<Vec<_>>()));
}

#[test]
fn what_is_not_declared_is_an_error_and_counted_and_not_sent() {
    let sink = MemorySink::new();
    let callhome = sending(&sink).build().unwrap();
    let event = || callhome.event("command");
    let wrong = [
        (callhome.event("comand"), "event `comand` is not declared"),
        (event().set("nmae", 1), "`nmae` of the event `command` is not declared"),
        (event().set("where", 1), "`where` of the event `command` is not declared"),
        (event().set("server", 1), "`server` of the event `command` is not declared"),
        (event().set("version", 2), "is not given with the event"),
        (event().set("where.arch", 2), "is not given with the event"),
        (event().set("stack", 2), "use `set_list`"),
        (event().set_list("name", [2]).set("name", 2), "use `set`"),
    ];
    let count = wrong.len();
    for (event, words) in wrong {
        let error = event.send().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(event().set("nmae", 1).preview().is_err());
    assert_eq!(callhome.status().losses(), [("undeclared_events", count as u64)]);
    send(&callhome, 1);
    send(&callhome, 2);
    callhome.flush().unwrap();
    let bodies: Vec<Value> =
        texts(&sink).iter().map(|t| serde_json::from_str(t).unwrap()).collect();
    assert_eq!(bodies[0]["losses"], json!({"undeclared_events": count}), "the next one tells");
    assert_eq!(bodies[1]["losses"], json!({}), "once");
    assert_eq!(bodies.len(), 2);
}

#[test]
fn a_schema_that_is_no_event_or_no_report_is_an_error() {
    let cli = || CallHome::builder(Schema::new("cli"));
    let wrong = [
        (cli().event(Schema::new("e").counter("n")), "`n` of the event `e` is a counter"),
        (cli().event(Schema::new("e")), "declares no field"),
        (cli().event(command()).event(command()), "`command` is declared twice"),
        (CallHome::builder(Schema::new("cli").given("x")), "given with each event"),
        (CallHome::builder(Schema::new("cli").counter("n")).event(command()), "`attach`"),
        (cli(), "declares no field"),
    ];
    for (builder, words) in wrong {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.to_string().contains(words), "{error}");
    }
    let wrong = [
        (builder().events_as_array(0, SOON), "1 to 1000"),
        (builder().events_as_lines(1001, SOON), "1 to 1000"),
        (builder().events_as_lines(9, SOON).max_events(8), "`max_events` is 8"),
        (builder().max_body(9000), "`max_body` is 9000 bytes, and an event `command`"),
    ];
    for (builder, words) in wrong {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn the_envelope_says_which_event_it_is_and_when() {
    let clock = VirtualClock::new();
    let sink = MemorySink::new();
    let callhome = sending(&sink).clock(clock.clone()).build().unwrap();
    send(&callhome, 1);
    clock.advance(Duration::from_secs(60));
    let report = callhome.flush().unwrap();
    assert_eq!(report["name"], 1);
    let event: Value = serde_json::from_str(report.body()).unwrap();
    assert_eq!(event["event_id"], report.id());
    assert_eq!(sink.ids(), [report.id()]);
    assert_eq!(
        (&event["sequence"], &event["time"]),
        (&1.into(), &"2023-11-14T22:13:20.000000Z".into())
    );
    assert!(event["schema_id"].as_str().unwrap().starts_with("command@"));
    assert_eq!(event["library"], concat!("callhome/", env!("CARGO_PKG_VERSION")));
    assert!(event.get("instance").is_none() && event.get("installation").is_none(), "{event}");
}

#[test]
fn the_envelope_has_the_ids_that_an_event_declares() {
    let command = Schema::new("command").instance_id("process").cluster_id("id").given("name");
    let builder = CallHome::builder(Schema::new("cli")).event(command).opt_out();
    let callhome = builder.cluster_id("Prod-7").instance_id("four").build().unwrap();
    callhome.event("command").send().unwrap();
    let event: Value = serde_json::from_str(callhome.flush().unwrap().body()).unwrap();
    assert_eq!((&event["instance"], &event["installation"]), (&"four".into(), &"Prod-7".into()));
}

#[test]
fn events_go_together_when_there_are_enough_or_the_first_has_waited() {
    let (clock, sink) = (VirtualClock::new(), MemorySink::new());
    let minute = Duration::from_secs(60);
    let callhome = sending(&sink).bare().clock(clock.clone()).events_as_array(3, minute);
    let callhome = callhome.build().unwrap();
    let names = || -> Vec<Vec<u64>> {
        let name = |event: &Value| event["name"].as_u64().unwrap();
        let bodies = texts(&sink).into_iter().map(|text| {
            let events: Vec<Value> = serde_json::from_str(&text).unwrap();
            events.iter().map(name).collect()
        });
        bodies.collect()
    };
    send(&callhome, 1);
    clock.advance(minute / 2);
    send(&callhome, 2);
    assert_eq!(callhome.tick(), minute / 2);
    assert!(names().is_empty());
    assert_eq!(callhome.preview().data().as_array().unwrap().len(), 2);
    clock.advance(minute / 2);
    callhome.tick();
    assert_eq!(names(), [[1, 2]]);
    (3..10).for_each(|name| send(&callhome, name));
    callhome.tick();
    assert_eq!(names()[1..], [[3, 4, 5], [6, 7, 8]], "the rest waits for its time");
    assert_eq!((callhome.status().accepted(), callhome.status().pending()), (8, 1));
    callhome.flush().unwrap();
    assert_eq!(names()[3..], [[9]]);
    assert_eq!(sink.ids().len(), 4);
}

#[test]
fn lines_end_where_the_next_begins_and_no_body_is_too_long() {
    let sink = MemorySink::new();
    let schema = Schema::new("e").given("n");
    let callhome = CallHome::builder(Schema::new("cli")).event(schema).bare().opt_out();
    let callhome = callhome.sink(sink.clone()).max_body(1700).events_as_lines(1000, SOON);
    let callhome = callhome.build().unwrap();
    for n in 0..1000 {
        callhome.event("e").set("n", n).send().unwrap();
    }
    callhome.flush().unwrap();
    let bodies = texts(&sink);
    assert!(bodies.len() > 5 && bodies.iter().all(|body| body.len() <= 1700));
    let lines: Vec<String> = bodies.concat().lines().map(str::to_owned).collect();
    assert_eq!(lines, (0..1000).map(|n| format!("{{\"n\":{n}}}")).collect::<Vec<_>>());
}

#[test]
fn what_waits_is_bounded_and_what_is_given_up_is_counted_and_told() {
    let sink = MemorySink::new();
    let callhome = sending(&sink).max_events(10).build().unwrap();
    (0..25).for_each(|name| send(&callhome, name));
    let status = callhome.status();
    assert_eq!((status.pending(), status.losses()), (10, vec![("reports_overflowed", 15)]));
    callhome.flush().unwrap();
    let events: Vec<Value> =
        texts(&sink).iter().map(|t| serde_json::from_str(t).unwrap()).collect();
    assert_eq!(events[0]["data"]["name"], 15, "the oldest go first");
    // Those that told of losses were lost themselves, but for the last ones.
    let told = |event: &Value| event["losses"]["reports_overflowed"].as_u64().unwrap_or(0);
    assert!(events.iter().map(told).sum::<u64>() <= 15);
    send(&callhome, 25);
    callhome.flush().unwrap();
    let last: Value = serde_json::from_str(texts(&sink).last().unwrap()).unwrap();
    assert_eq!(events.iter().map(told).sum::<u64>() + told(&last), 15, "all is told in the end");

    // One that is refused has told nobody.
    sink.answer(|_| Err(SendError::refused("never")));
    let _ = callhome.event("comand").send();
    send(&callhome, 26);
    callhome.flush().unwrap_err();
    sink.answer(|_| Ok(()));
    send(&callhome, 27);
    callhome.flush().unwrap();
    let last: Value = serde_json::from_str(texts(&sink).last().unwrap()).unwrap();
    assert_eq!(last["losses"], json!({"undeclared_events": 1, "reports_refused": 1}));

    sink.answer(|_| Err(SendError::retry("down")));
    let callhome = sending(&sink).max_pending(4).max_events(3).build().unwrap();
    for _ in 0..3 {
        (0..3).for_each(|name| send(&callhome, name));
        callhome.flush().unwrap_err();
    }
    let status = callhome.status();
    assert_eq!((status.pending(), status.lost(), status.accepted()), (7, 2, 0));
    sink.answer(|_| Ok(()));
    callhome.flush().unwrap();
    assert_eq!((callhome.status().pending(), callhome.status().accepted()), (0, 7));
}

#[test]
fn nothing_is_kept_before_a_yes_or_after_a_no() {
    let sink = MemorySink::new();
    let callhome = sending(&sink).bare().notice_first().build().unwrap();
    send(&callhome, 1);
    assert_eq!(callhome.status().pending(), 0);
    assert!(
        callhome.event("command").set("nmae", 1).send().is_err(),
        "a mistake shows when off too"
    );
    assert_eq!(callhome.flush().unwrap_err().kind(), ErrorKind::Off);
    callhome.notice_shown().unwrap();
    send(&callhome, 2);
    callhome.flush().unwrap();
    send(&callhome, 3);
    callhome.set_enabled(false).unwrap();
    send(&callhome, 4);
    assert_eq!(callhome.status().pending(), 0);
    callhome.set_enabled(true).unwrap();
    callhome.flush().unwrap();
    send(&callhome, 5);
    assert_eq!(callhome.flush().unwrap().sequence(), 1, "somebody else begins");
    let names: Vec<Value> = texts(&sink).iter().map(|t| serde_json::from_str(t).unwrap()).collect();
    assert_eq!(names.iter().map(|event| &event["name"]).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(callhome.status().losses(), [("reports_withdrawn", 1)]);
}

#[test]
fn a_command_that_ends_ships_its_events_within_its_budget() {
    let budget = Duration::from_secs(2);
    let sink = MemorySink::new();
    let callhome = sending(&sink).build().unwrap(); // no thread
    (0..3).for_each(|name| send(&callhome, name));
    let end = callhome.shutdown(budget);
    assert_eq!((end.accepted(), end.lost(), sink.bodies().len()), (3, 0, 3));
    assert_eq!(callhome.event("command").send().unwrap_err().kind(), ErrorKind::Usage);

    let sink = MemorySink::new();
    sink.answer(|_| Err(SendError::retry("down")));
    let callhome = sending(&sink).events_as_array(2, SOON).build().unwrap();
    (0..3).for_each(|name| send(&callhome, name));
    let end = callhome.shutdown(budget);
    assert_eq!((end.accepted(), end.lost(), sink.attempts()), (0, 3, 1));
    assert!(callhome.shutdown(budget).last_error().is_none());
}

#[test]
fn a_receiver_that_hangs_does_not_keep_a_command() {
    let (_let_go, hanging) = Hanging::new();
    let callhome = builder().opt_out().sink(hanging).build().unwrap();
    send(&callhome, 1);
    send(&callhome, 2);
    let begin = std::time::Instant::now();
    let end = callhome.shutdown(Duration::from_millis(200));
    assert!(begin.elapsed() < SOON / 3, "{:?}", begin.elapsed());
    assert_eq!((end.accepted(), end.lost()), (0, 2));
}

#[test]
fn what_a_command_could_not_send_the_next_one_sends_with_the_same_bytes_and_id() {
    let directory = std::env::temp_dir().join(format!("callhome-events-{}", std::process::id()));
    let (down, up) = (MemorySink::new(), MemorySink::new());
    let (tell, told) = std::sync::mpsc::channel();
    down.answer(move |parcel| {
        tell.send((parcel.id().to_owned(), parcel.body().to_vec())).unwrap();
        Err(SendError::retry("down"))
    });
    let spooling = |sink| sending(sink).events_as_array(3, SOON).spool(&directory);
    let first = spooling(&down).build().unwrap();
    (0..4).for_each(|name| send(&first, name));
    let end = first.shutdown(SOON);
    assert_eq!((end.spooled(), end.lost()), (4, 0));
    drop(first);
    let second = spooling(&up).build().unwrap();
    assert_eq!(second.status().pending(), 4);
    send(&second, 4);
    assert_eq!(second.shutdown(SOON).accepted(), 5);
    let (id, body) = told.recv().unwrap();
    assert_eq!((&up.ids()[0], &up.bodies()[0]), (&id, &body));
    drop(second);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn events_whose_attempts_are_used_up_get_them_again_after_an_interval() {
    let (clock, sink) = (VirtualClock::new(), MemorySink::new());
    sink.answer(|_| Err(SendError::retry("down")));
    let hour = Duration::from_secs(60 * 60);
    let callhome = sending(&sink).clock(clock.clone()).max_attempts(2);
    let callhome = callhome.every(24 * hour).first_after(24 * hour).spread(Duration::ZERO);
    let callhome = callhome.build().unwrap();
    send(&callhome, 1);
    for _ in 0..20 {
        callhome.tick();
        clock.advance(hour);
    }
    assert_eq!(sink.attempts(), 2);
    sink.answer(|_| Ok(()));
    for _ in 0..6 {
        clock.advance(hour);
        callhome.tick();
    }
    assert_eq!((callhome.status().accepted(), callhome.status().pending()), (1, 0));
}

#[test]
fn a_function_of_an_event_may_panic_or_send_an_event_itself() {
    let itself: Arc<OnceLock<CallHome>> = Arc::default();
    let again = Arc::clone(&itself);
    let schema = Schema::new("e")
        .given("n")
        .fact_with("sent", move || {
            again.get().is_some_and(|callhome| callhome.event("e").set("n", 2).send().is_ok())
        })
        .fact_with("panics", || if true { panic!("in a function") } else { 0 });
    let callhome = CallHome::builder(Schema::new("s")).event(schema).events_as_array(9, SOON);
    let callhome = itself.get_or_init(|| callhome.build().unwrap());
    callhome.event("e").set("n", 1).send().unwrap();
    let report = callhome.flush().unwrap();
    let said = |at: usize| (&report.data()[at]["data"], &report.data()[at]["losses"]);
    let failed = json!({"failed_functions": 2});
    assert_eq!(said(0), (&json!({"n": 2, "sent": null, "panics": null}), &failed), "not again");
    let failed = json!({"failed_functions": 1});
    assert_eq!(said(1), (&json!({"n": 1, "sent": true, "panics": null}), &failed));
}

#[test]
fn an_event_of_before_a_no_is_not_sent_after_the_yes() {
    let sink = MemorySink::new();
    let itself: Arc<OnceLock<CallHome>> = Arc::default();
    let (again, is_first) = (Arc::clone(&itself), AtomicBool::new(true));
    let event = Schema::new("e").instance_id("i").given("n").fact_with("switched", move || {
        if let Some(callhome) = again.get().filter(|_| is_first.swap(false, Ordering::Relaxed)) {
            callhome.set_enabled(false).unwrap();
            callhome.set_enabled(true).unwrap();
        }
        Fact::NULL
    });
    let callhome = CallHome::builder(Schema::new("s")).event(event).bare().opt_out();
    let callhome = itself.get_or_init(|| callhome.sink(sink.clone()).build().unwrap());
    callhome.event("e").set("n", 1).send().unwrap();
    assert_eq!((callhome.status().pending(), callhome.status().lost()), (0, 0), "as while off");
    callhome.event("e").set("n", 2).send().unwrap();
    let report = callhome.flush().unwrap();
    assert_eq!((&report["n"], report.sequence(), sink.bodies().len()), (&json!(2), 1, 1));
}

#[test]
fn a_flush_tells_of_each_event_that_is_lost() {
    let sink = MemorySink::new();
    let left = AtomicUsize::new(2);
    sink.answer(move |_| match left.fetch_sub(1, Ordering::Relaxed) {
        1..=2 => Err(SendError::refused("never")),
        _ => Ok(()),
    });
    let callhome = sending(&sink).build().unwrap();
    (0..3).for_each(|name| send(&callhome, name));
    let error = callhome.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost);
    assert!(error.to_string().contains("never"), "{error}");
    assert_eq!((callhome.status().lost(), callhome.status().accepted()), (2, 1));
    assert_eq!(callhome.flush().unwrap().body(), "", "that is over");

    // The receiver is slow, and there are too many in the meantime.
    let itself: Arc<OnceLock<CallHome>> = Arc::default();
    let again = Arc::clone(&itself);
    let (sink, names) = (MemorySink::new(), Mutex::new(10..14));
    sink.answer(move |_| {
        let callhome = again.get().unwrap();
        // Not on the thread that sends.
        let more = || names.lock().unwrap().by_ref().for_each(|name| send(callhome, name));
        std::thread::scope(|scope| scope.spawn(more).join().unwrap());
        Ok(())
    });
    let callhome = sending(&sink).max_pending(1).max_events(4).build().unwrap();
    let callhome = itself.get_or_init(|| callhome);
    (0..4).for_each(|name| send(callhome, name));
    let error = callhome.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Lost, "{error}");
    assert!(error.to_string().contains("too many"), "{error}");
}

#[test]
fn a_flush_that_finds_a_no_is_an_error() {
    let sink = MemorySink::new();
    let file = std::env::temp_dir().join(format!("callhome-events-no-{}", std::process::id()));
    let callhome = sending(&sink).config_file(&file, "telemetry");
    std::fs::write(&file, r#"{"telemetry": true}"#).unwrap();
    let callhome = callhome.build().unwrap();
    send(&callhome, 1);
    std::fs::write(&file, r#"{"telemetry": false}"#).unwrap();
    assert_eq!(callhome.flush().unwrap_err().kind(), ErrorKind::Off);
    std::fs::remove_file(&file).unwrap();
    assert_eq!((sink.attempts(), callhome.status().lost()), (0, 1));
}

#[test]
fn a_preview_shows_what_the_next_flush_sends() {
    let sink = MemorySink::new();
    sink.answer(|_| Err(SendError::retry("down")));
    let callhome = sending(&sink).build().unwrap();
    assert_eq!(callhome.preview().body(), "");
    (0..3).for_each(|name| send(&callhome, name));
    assert_eq!(callhome.preview()["name"], 0);
    callhome.flush().unwrap_err();
    send(&callhome, 3);
    let preview = callhome.preview();
    sink.answer(|_| Ok(()));
    callhome.flush().unwrap();
    assert_eq!((texts(&sink)[0].as_str(), &sink.ids()[0]), (preview.body(), &preview.id().into()));
    assert_eq!(callhome.preview().body(), "");
}

#[test]
fn an_event_ages_from_when_it_is_taken_in() {
    let (clock, sink) = (VirtualClock::new(), MemorySink::new());
    sink.answer(|_| Err(SendError::retry("down")));
    let day = Duration::from_secs(86_400);
    let callhome = sending(&sink).clock(clock.clone()).max_pending(2).max_age(day);
    let callhome = callhome.build().unwrap();
    (0..8).for_each(|name| send(&callhome, name));
    callhome.tick();
    clock.advance(day / 2);
    send(&callhome, 8);
    callhome.tick();
    assert_eq!(callhome.status().pending(), 9);
    clock.advance(day / 2);
    callhome.tick();
    let status = callhome.status();
    assert_eq!((status.pending(), status.losses()), (1, vec![("reports_expired", 8)]));
    sink.answer(|_| Ok(()));
    callhome.flush().unwrap();
    assert_eq!(sink.documents()[0]["data"]["name"], 8);

    // What is put together late has waited all the same.
    sink.answer(|_| Err(SendError::retry("down")));
    let callhome = sending(&sink).clock(clock.clone()).max_age(day);
    let callhome = callhome.events_as_array(9, day / 2).build().unwrap();
    send(&callhome, 1);
    clock.advance(day / 2);
    callhome.tick();
    clock.advance(day / 2);
    callhome.tick();
    assert_eq!(callhome.status().losses(), [("reports_expired", 1)]);
}

#[test]
fn an_event_on_disk_ages_from_when_it_was_taken_in() {
    let directory = std::env::temp_dir().join(format!("callhome-aged-{}", std::process::id()));
    let (down, up) = (MemorySink::new(), MemorySink::new());
    down.answer(|_| Err(SendError::retry("down")));
    let day = Duration::from_secs(86_400);
    let process = |sink: &MemorySink, begins: Duration| {
        let clock = VirtualClock::new();
        clock.advance(begins);
        let callhome = sending(sink).clock(clock.clone()).max_age(day).spool(&directory);
        (clock, callhome.events_as_array(9, day).build().unwrap())
    };
    let (clock, first) = process(&down, Duration::ZERO);
    send(&first, 1);
    clock.advance(day / 2);
    assert_eq!(first.shutdown(SOON).spooled(), 1);
    drop(first);
    let (_, second) = process(&up, day);
    assert_eq!(second.status().pending(), 1);
    assert_eq!(second.flush().unwrap_err().kind(), ErrorKind::Lost);
    assert_eq!((up.attempts(), second.status().losses()), (0, vec![("reports_expired", 1)]));
    drop(second);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn an_event_tells_of_metrics_that_no_report_beside_it_declares() {
    let sink = MemorySink::new();
    let events = sending(&sink).build().unwrap();
    let usage = events.attach(CallHome::builder(Schema::new("usage").counter("n"))).unwrap();
    let record = |name: &'static str| {
        metrics::with_local_recorder(events.recorder(), || metrics::counter!(name).increment(1));
    };
    record("n");
    (0..2).for_each(|_| record("nobody"));
    let losses = |report: &Report| -> Value {
        serde_json::from_str::<Value>(report.body()).unwrap()["losses"].clone()
    };
    let told = json!({"undeclared_metrics": 2});
    assert_eq!(losses(&events.event("command").preview().unwrap()), told, "a look changes nothing");
    send(&events, 1);
    sink.answer(|_| Err(SendError::refused("never")));
    events.flush().unwrap_err();
    sink.answer(|_| Ok(()));
    send(&events, 2);
    let again = json!({"reports_refused": 1, "undeclared_metrics": 2});
    assert_eq!(losses(&events.flush().unwrap()), again, "the first told nobody");
    send(&events, 3);
    assert_eq!(losses(&events.flush().unwrap()), json!({}), "once");
    assert_eq!(losses(&usage.flush().unwrap()), json!({}));
    record("nobody");
    events.set_enabled(false).unwrap();
    record("nobody");
    events.set_enabled(true).unwrap();
    send(&events, 4);
    assert_eq!(losses(&events.flush().unwrap()), json!({}), "of before the no");
}

/// What a receiver does with a body.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Take,
    Fail,
    Refuse,
    TakeInSilence,
}

#[derive(Clone, Debug)]
enum Step {
    Send(u8),
    Mistake,
    Look,
    Flush,
    Tick,
    Wait(u32),
    Switch(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u8..40).prop_map(Step::Send),
        1 => Just(Step::Mistake),
        1 => Just(Step::Look),
        2 => Just(Step::Flush),
        4 => Just(Step::Tick),
        3 => (1u32..100_000).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Switch),
    ]
}

/// Takes bodies by a script, and knows those it has by their id.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Script>>);

/// What comes next, from the end, and what was taken.
type Script = (Vec<Answer>, BTreeMap<String, Vec<u8>>);

impl Sink for Receiver {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let (script, taken) = &mut *self.0.lock().unwrap();
        let (id, body) = (parcel.id().to_owned(), parcel.body().to_vec());
        if let Some(earlier) = taken.get(&id) {
            assert_eq!(*earlier, body, "every attempt sends the same bytes");
            return Ok(());
        }
        match script.pop().unwrap_or(Answer::Take) {
            Answer::Take => drop(taken.insert(id, body)),
            Answer::Fail => return Err(SendError::retry("down")),
            Answer::Refuse => return Err(SendError::refused("never")),
            Answer::TakeInSilence => {
                taken.insert(id, body);
                return Err(SendError::retry("silence").possibly_delivered());
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        "the script".into()
    }

    fn is_local(&self) -> bool {
        true
    }
}

impl Receiver {
    /// The numbers of the events that it has, each once.
    fn names(&self) -> Result<Vec<u64>, TestCaseError> {
        let mut names = Vec::new();
        for body in self.0.lock().unwrap().1.values() {
            let body: Value = serde_json::from_slice(body).unwrap();
            let events = body.as_array().cloned().unwrap_or_else(|| vec![body]);
            names.extend(events.iter().map(|event| event["data"]["name"].as_u64().unwrap()));
        }
        names.sort_unstable();
        prop_assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "twice: {names:?}");
        Ok(names)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is accepted, what waits and what is counted as lost make all that was sent.
    #[test]
    fn any_schedule_conserves_events(
        steps in prop::collection::vec(step(), 0..60),
        script in prop::collection::vec(
            prop::sample::select(vec![Answer::Take, Answer::Fail, Answer::Refuse, Answer::TakeInSilence]),
            0..40,
        ),
        most in 1usize..20,
        waiting in 20usize..60,
        pending in 1usize..6,
    ) {
        let (clock, receiver) = (VirtualClock::new(), Receiver::default());
        receiver.0.lock().unwrap().0 = script;
        let callhome = builder().clock(clock.clone()).opt_out().sink(receiver.clone());
        let callhome = callhome.max_pending(pending).max_events(waiting);
        let callhome = match most {
            1 => callhome,
            most => callhome.events_as_array(most, Duration::from_secs(30)),
        };
        let callhome = callhome.build().unwrap();
        let (mut sent, mut is_on) = (0, true);
        for step in steps {
            match step {
                Step::Send(times) => for _ in 0..times {
                    send(&callhome, sent);
                    sent += u64::from(is_on);
                },
                Step::Mistake => {
                    callhome.event("command").set("nmae", 1).send().unwrap_err();
                    sent += u64::from(is_on);
                }
                Step::Look => {
                    let before = callhome.status().pending();
                    drop(callhome.preview());
                    drop(callhome.event("command").preview());
                    prop_assert_eq!(callhome.status().pending(), before);
                }
                Step::Flush => drop(callhome.flush()),
                Step::Tick => drop(callhome.tick()),
                Step::Wait(seconds) => clock.advance(Duration::from_secs(seconds.into())),
                Step::Switch(on) => {
                    callhome.set_enabled(on).unwrap();
                    is_on = on;
                }
            }
            let status = callhome.status();
            prop_assert_eq!(status.accepted() + status.pending() + status.lost(), sent);
            let bound = waiting + most * pending;
            prop_assert!(status.pending() <= bound as u64, "{} of {}", status.pending(), bound);
            let names = receiver.names()?;
            // It may have more than it said: an answer may be lost, and a switch forgets.
            prop_assert!(status.accepted() <= names.len() as u64);
        }
        let end = callhome.shutdown(SOON);
        let status = callhome.status();
        prop_assert_eq!((status.accepted() + status.lost(), status.pending()), (sent, 0), "{}", end);
        prop_assert!(receiver.names()?.iter().all(|name| *name < sent.max(1)));
    }
}

/// The cases that need the global recorder, and so a process of their own.
#[cfg(target_os = "linux")]
mod installed {
    use super::*;
    use crate::support::apart::{apart, apart_with, has_threads, threads};

    #[test]
    fn events_of_many_threads_go_at_once_and_beside_reports() {
        apart("installed::events_of_many_threads_go_at_once_and_beside_reports", || {
            let (sink, usage_sink) = (MemorySink::new(), MemorySink::new());
            let (tell, told) = std::sync::mpsc::channel();
            sink.answer(move |parcel| {
                let event: Value = serde_json::from_slice(parcel.body()).unwrap();
                tell.send(event["data"]["name"].as_u64().unwrap()).unwrap();
                Ok(())
            });
            let usage = CallHome::builder(Schema::new("usage").counter("n")).opt_out();
            let usage = usage.sink(usage_sink.clone()).install().unwrap();
            let events = usage.attach(builder().sink(sink)).unwrap();
            std::thread::scope(|scope| {
                for thread in 0..4 {
                    let events = &events;
                    scope.spawn(move || {
                        for at in 0..50 {
                            send(events, thread * 50 + at);
                            metrics::counter!("n").increment(1);
                        }
                    });
                }
            });
            let mut names: Vec<u64> = (0..200).map(|_| told.recv_timeout(SOON).unwrap()).collect();
            names.sort_unstable();
            assert_eq!(names, (0..200).collect::<Vec<_>>());
            assert_eq!(usage.flush().unwrap()["n"], 200);
            assert!(usage.event("command").send().is_err(), "a report has no events");
            assert_eq!(usage.shutdown(SOON).lost(), 0);
            assert_eq!((usage.status().accepted(), events.status().accepted()), (2, 200));
            has_threads(&[]);
        });
    }

    #[test]
    fn off_has_no_thread_and_keeps_nothing() {
        let name = "installed::off_has_no_thread_and_keeps_nothing";
        apart_with(name, &[("DO_NOT_TRACK", "1")], || {
            let sink = MemorySink::new();
            let directory =
                std::env::temp_dir().join(format!("callhome-off-{}", std::process::id()));
            let callhome = sending(&sink).spool(&directory).install().unwrap();
            (0..10).for_each(|name| send(&callhome, name));
            assert!(threads().is_empty());
            let status = callhome.status();
            assert_eq!((status.pending(), status.lost(), sink.attempts()), (0, 0, 0));
            drop(callhome);
            assert!(sink.attempts() == 0 && !directory.exists());
        });
    }
}
