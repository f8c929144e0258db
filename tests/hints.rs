//! What a receiver may ask for when it accepts a report: less, for a while, and nothing else.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use callhome::sink::{Hints, MemorySink, SendError};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, Clock, ErrorKind, Schema, view};
use metrics::counter;
use support::lines;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn reporting() -> (Builder, VirtualClock, MemorySink) {
    let (clock, sink) = (VirtualClock::new(), MemorySink::new());
    let builder = CallHome::builder(Schema::new("s").counter("n"))
        .clock(clock.clone())
        .sink(sink.clone())
        .opt_out()
        .every(4 * HOUR)
        .first_after(HOUR)
        .spread(Duration::ZERO);
    (builder, clock, sink)
}

/// Accepts all from now on, and asks for this.
fn asks(sink: &MemorySink, hints: Hints) {
    sink.answer(move |parcel| {
        parcel.hint(hints);
        Ok(())
    });
}

fn add(callhome: &CallHome) {
    metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(1));
}

/// Lets so many hours pass, one by one, with a tick and a count of 1 in each. Returns the hours in
/// which an attempt was made.
fn live(callhome: &CallHome, clock: &VirtualClock, sink: &MemorySink, hours: u64) -> Vec<u64> {
    let mut attempts = Vec::new();
    for hour in 1..=hours {
        let before = sink.attempts();
        add(callhome);
        clock.advance(HOUR);
        callhome.tick();
        attempts.extend(std::iter::repeat_n(hour, sink.attempts() - before));
    }
    attempts
}

/// The sum of what arrived.
fn arrived(sink: &MemorySink) -> u64 {
    sink.documents().iter().map(|report| report["data"]["n"].as_u64().unwrap()).sum()
}

#[test]
fn reports_go_less_often_as_long_as_the_receiver_asks_and_nothing_is_lost() {
    let (builder, clock, sink) = reporting();
    let callhome = builder.build().unwrap();
    asks(&sink, Hints::new().with_every(DAY));
    assert_eq!(live(&callhome, &clock, &sink, 60), [1, 25, 49]);
    assert_eq!(callhome.status().hints().every(), Some(DAY));
    let report = &sink.documents()[1];
    assert_eq!((&report["data"]["n"], &report["window_seconds"]), (&24.into(), &86_400.0.into()));
    assert_eq!(report["merged"].as_array().unwrap().len(), 5, "windows end as ever");
    // The next answer asks for nothing.
    sink.answer(|_| Ok(()));
    assert_eq!(live(&callhome, &clock, &sink, 24), [13, 17, 21]);
    assert!(callhome.status().hints().is_empty());
    assert_eq!(arrived(&sink), 1 + 24 * 2 + 24 + 8);
    assert_eq!((callhome.status().lost(), callhome.status().pending()), (0, 0));
}

#[test]
fn an_interval_that_is_longer_already_stays_as_it_is() {
    for every in [Duration::ZERO, HOUR, 4 * HOUR] {
        let (builder, clock, sink) = reporting();
        let callhome = builder.build().unwrap();
        asks(&sink, Hints::new().with_every(every));
        assert_eq!(live(&callhome, &clock, &sink, 14), [1, 5, 9, 13]);
        assert_eq!(callhome.status().waits(), None);
    }
}

#[test]
fn somebody_who_asks_for_a_report_need_not_wait_for_a_longer_interval() {
    let (builder, clock, sink) = reporting();
    let callhome = builder.build().unwrap();
    asks(&sink, Hints::new().with_every(DAY));
    assert_eq!(live(&callhome, &clock, &sink, 6), [1]);
    assert_eq!(callhome.flush().unwrap()["n"], 5);
    assert_eq!(live(&callhome, &clock, &sink, 24), [23], "a day from the last beat on");
}

#[test]
fn in_a_pause_nobody_makes_an_attempt_and_after_it_each_comes_at_its_own_beat() {
    let (builder, clock, sink) = reporting();
    let callhome = builder.build().unwrap();
    asks(&sink, Hints::new().with_pause(49 * HOUR));
    assert_eq!(live(&callhome, &clock, &sink, 20), [1]);
    let status = callhome.status();
    assert_eq!((status.waits(), status.next_attempt()), (Some(30 * HOUR), None));
    assert_eq!(status.pending(), 4);
    add(&callhome);
    let error = callhome.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Delivery);
    assert!(error.to_string().ends_with("the receiver asked to be left alone for 108000 s more"));
    sink.answer(|_| Ok(()));
    // The pause is over in the 30th hour, and the next window ends in the 33rd.
    assert_eq!(live(&callhome, &clock, &sink, 40), [33, 37]);
    assert_eq!(sink.documents()[1]["data"]["n"], 19 + 1 + 33, "all in one");
    assert_eq!((callhome.status().lost(), callhome.status().pending()), (0, 0));
}

#[test]
fn the_last_moment_of_a_pause_has_a_reason_too() {
    let (builder, clock, sink) = reporting();
    let callhome = builder.build().unwrap();
    asks(&sink, Hints::new().with_pause(DAY));
    callhome.flush().unwrap();
    clock.advance(DAY - Duration::from_millis(1));
    let reason = "the receiver asked to be left alone for 1 s more";
    assert!(callhome.flush().unwrap_err().to_string().ends_with(reason));
    assert_eq!(callhome.shutdown(HOUR).last_error(), Some(reason));
}

#[test]
fn a_wish_is_kept_for_thirty_days_and_no_longer() {
    for hints in [Hints::new().with_pause(100 * DAY), Hints::new().with_every(100 * DAY)] {
        let (builder, clock, sink) = reporting();
        let callhome = builder.max_age(100 * DAY).spread(4 * HOUR).build().unwrap();
        asks(&sink, hints);
        let attempts = live(&callhome, &clock, &sink, 24 * 63);
        let apart = attempts.windows(2).map(|two| two[1] - two[0]).collect::<Vec<_>>();
        assert_eq!(attempts.len(), 3, "{attempts:?}");
        assert!(apart.iter().all(|hours| (720..=725).contains(hours)), "{attempts:?}");
    }
}

#[test]
fn who_is_not_in_the_share_asks_again_after_a_day() {
    let (builder, clock, sink) = reporting();
    let callhome = builder.build().unwrap();
    asks(&sink, Hints::new().with_share(0.0));
    assert_eq!(live(&callhome, &clock, &sink, 30), [1, 25]);
    assert!(callhome.status().is_left_out());
    assert!(callhome.flush().is_err(), "it is not wanted");
    asks(&sink, Hints::new().with_share(1.0));
    assert_eq!(live(&callhome, &clock, &sink, 30), [19, 23, 27]);
    assert!(!callhome.status().is_left_out());
    assert_eq!((arrived(&sink), callhome.status().pending()), (57, 0));

    let (builder, clock, sink) = reporting();
    let callhome = builder.build().unwrap();
    asks(&sink, Hints::new().with_share(0.0).with_every(2 * DAY));
    live(&callhome, &clock, &sink, 40);
    assert!(callhome.flush().is_err(), "not within the longer interval either");

    // The longer of two wishes counts, and each who is left out leaves out a report.
    for (own, hints, hours) in [
        (4, Hints::new().with_share(0.0).with_every(2 * DAY), [1, 49]),
        (4, Hints::new().with_share(0.0).with_pause(49 * HOUR), [1, 53]),
        (30, Hints::new().with_share(0.0), [1, 61]),
    ] {
        let (builder, clock, sink) = reporting();
        let callhome = builder.every(own * HOUR).build().unwrap();
        asks(&sink, hints);
        assert_eq!(live(&callhome, &clock, &sink, 70)[..2], hours, "{hints}");
    }
}

#[test]
fn the_id_of_the_installation_decides_who_is_in_the_share() {
    let is_in = |cluster: Option<&str>, instance: &str| {
        let (builder, clock, sink) = reporting();
        let builder = builder.instance_id(instance);
        let builder = match cluster {
            Some(cluster) => builder.cluster_id(cluster),
            None => builder,
        };
        let callhome = builder.build().unwrap();
        asks(&sink, Hints::new().with_share(0.5));
        live(&callhome, &clock, &sink, 1);
        !callhome.status().is_left_out()
    };
    let ids: Vec<String> = (0..40).map(|id| format!("id {id}")).collect();
    let within: Vec<bool> = ids.iter().map(|id| is_in(None, id)).collect();
    assert!((8..32).contains(&within.iter().filter(|is_in| **is_in).count()), "{within:?}");
    for (id, expected) in ids.iter().zip(within) {
        assert_eq!(is_in(Some(id), "another"), expected, "{id}");
    }
}

#[test]
fn what_waited_goes_on_when_reports_are_to_go_less_often() {
    let (builder, clock, sink) = reporting();
    let callhome = builder.max_attempts(1).build().unwrap();
    sink.answer(|_| Err(SendError::retry("silence").possibly_delivered()));
    (0..3).for_each(|_| drop(callhome.flush()));
    asks(&sink, Hints::new().with_every(DAY));
    // Of the others nobody had the chance to know: they are one report with the next window.
    assert_eq!(live(&callhome, &clock, &sink, 26), [1, 1, 25]);
}

#[test]
fn a_shutdown_in_a_pause_makes_no_attempt_and_says_so() {
    let directory = std::env::temp_dir().join(format!("callhome-hints-{}", std::process::id()));
    for spool in [false, true] {
        let (builder, clock, sink) = reporting();
        let builder = if spool { builder.spool(&directory) } else { builder };
        let callhome = builder.build().unwrap();
        asks(&sink, Hints::new().with_pause(DAY));
        live(&callhome, &clock, &sink, 6);
        let end = callhome.shutdown(Duration::from_secs(60));
        assert_eq!(sink.attempts(), 1);
        let expected = if spool { (0, 2, 0) } else { (0, 0, 2) };
        assert_eq!((end.accepted(), end.spooled(), end.lost()), expected);
        assert_eq!(
            end.last_error(),
            Some("the receiver asked to be left alone for 68400 s more"),
            "{end}"
        );
        if spool {
            // The next process knows nothing of the pause.
            drop(callhome);
            let (builder, clock, sink) = reporting();
            let callhome = builder.spool(&directory).build().unwrap();
            assert!(callhome.status().hints().is_empty());
            assert_eq!(live(&callhome, &clock, &sink, 4), [1, 1]);
            assert_eq!(arrived(&sink), 6 - 1 + 1);
        }
    }
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn switching_off_and_on_forgets() {
    let (builder, clock, sink) = reporting();
    let callhome = builder.build().unwrap();
    asks(&sink, Hints::new().with_pause(DAY).with_every(2 * DAY).with_share(0.0));
    assert_eq!(live(&callhome, &clock, &sink, 6), [1]);
    callhome.set_enabled(false).unwrap();
    assert_eq!(live(&callhome, &clock, &sink, 50), [0; 0], "nothing makes it speak");
    let status = callhome.status();
    assert!(status.hints().is_empty() && status.waits().is_none() && !status.is_left_out());
    callhome.set_enabled(true).unwrap();
    sink.answer(|_| Ok(()));
    assert_eq!(live(&callhome, &clock, &sink, 6), [1, 5]);
}

#[test]
fn what_the_operator_says_in_a_pause_counts_at_once_and_what_stays_here_does_not_wait() {
    let path = |name| {
        let name = format!("callhome-hints-{name}-{}", std::process::id());
        std::env::temp_dir().join(name)
    };
    let (settings, file) = (path("settings"), path("reports"));
    let says = |word| {
        std::fs::write(&settings, format!(r#"{{"telemetry": "{word}"}}"#)).unwrap();
    };
    for (word, by_flush) in [("local", true), ("local", false), ("off", true), ("off", false)] {
        says("on");
        let (builder, clock, sink) = reporting();
        let builder = builder.config_file(&settings, "telemetry").local_file(&file);
        let callhome = builder.build().unwrap();
        asks(&sink, Hints::new().with_pause(30 * DAY).with_every(DAY));
        assert_eq!(live(&callhome, &clock, &sink, 6), [1]);
        says(word);
        if by_flush {
            assert_eq!(callhome.flush().is_ok(), word == "local");
        }
        live(&callhome, &clock, &sink, 8);
        let status = callhome.status();
        assert_eq!((sink.attempts(), status.hints().is_empty(), status.pending()), (1, true, 0));
        assert!(status.to_string().starts_with(&format!("telemetry: {word}")), "{status}");
        if word == "local" {
            let reports = std::fs::read_to_string(&file).unwrap();
            assert_eq!(reports.lines().count(), if by_flush { 3 } else { 2 });
            std::fs::remove_file(&file).unwrap();
        }
    }
    std::fs::remove_file(settings).unwrap();
}

#[test]
fn an_answer_that_does_not_accept_asks_for_nothing_and_takes_nothing_back() {
    let (builder, clock, sink) = reporting();
    let callhome = builder.build().unwrap();
    let answer = |error: fn() -> SendError| {
        sink.answer(move |parcel| {
            parcel.hint(Hints::new().with_pause(10 * DAY));
            Err(error())
        });
    };
    answer(|| SendError::refused("no"));
    assert_eq!(live(&callhome, &clock, &sink, 6), [1, 5]);
    asks(&sink, Hints::new().with_every(DAY));
    assert_eq!(live(&callhome, &clock, &sink, 6), [3]);
    answer(|| SendError::refused("no"));
    assert!(callhome.flush().is_err());
    assert_eq!(callhome.status().hints(), Hints::new().with_every(DAY));
}

/// A command's events, each alone.
fn events(waiting: usize) -> (CallHome, VirtualClock, MemorySink) {
    let (clock, sink) = (VirtualClock::new(), MemorySink::new());
    let callhome = CallHome::builder(Schema::new("cli"))
        .event(Schema::new("command").given("name"))
        .clock(clock.clone())
        .sink(sink.clone())
        .opt_out()
        .max_events(waiting)
        .max_pending(2)
        .build()
        .unwrap();
    (callhome, clock, sink)
}

#[test]
fn events_wait_as_well_and_as_many_as_may() {
    for hints in [Hints::new().with_pause(DAY), Hints::new().with_every(DAY)] {
        let (callhome, clock, sink) = events(3);
        let send = || {
            callhome.event("command").set("name", "a").send().unwrap();
            clock.advance(HOUR);
            callhome.tick();
        };
        asks(&sink, hints);
        send();
        assert_eq!(sink.attempts(), 1);
        (0..8).for_each(|_| send());
        let status = callhome.status();
        assert_eq!((sink.attempts(), status.pending(), status.lost()), (1, 5, 3), "{hints}");
        assert_eq!(status.losses(), [("reports_overflowed", 3)]);
        sink.answer(|_| Ok(()));
        clock.advance(DAY);
        send();
        let status = callhome.status();
        assert_eq!((sink.attempts(), status.pending(), status.lost()), (6, 0, 4), "{hints}");
    }
}

#[test]
fn each_report_keeps_to_its_own_receiver() {
    let (builder, clock, sink) = reporting();
    let callhome = builder.build().unwrap();
    let other = MemorySink::new();
    let attached = CallHome::builder(Schema::new("other").counter("n"))
        .sink(other.clone())
        .every(4 * HOUR)
        .first_after(HOUR)
        .spread(Duration::ZERO);
    let attached = callhome.attach(attached).unwrap();
    asks(&sink, Hints::new().with_pause(DAY));
    for _ in 0..9 {
        add(&callhome);
        clock.advance(HOUR);
        callhome.tick();
        attached.tick();
    }
    assert_eq!((sink.attempts(), other.attempts()), (1, 3));
    assert!(attached.status().hints().is_empty());
}

#[test]
fn the_status_and_the_operators_page_say_what_is_asked_for() {
    let (builder, clock, sink) = reporting();
    let callhome = builder.build().unwrap();
    assert!(!view::html(&callhome).contains("asks for less"));
    asks(&sink, Hints::new().with_every(2 * DAY).with_share(0.0).with_pause(3 * DAY));
    live(&callhome, &clock, &sink, 2);
    let words = "a report every 2 d at most, reports from a share of 0 of the installations, \
                 none from this one, reports wait for 2 d 23 h";
    let status = callhome.status().to_string();
    assert_eq!(status, format!("telemetry: on (default); the receiver asks for less: {words}"));
    let row = format!("the receiver asks for less</th><td class=\"value\">{words}</td>");
    assert!(view::html(&callhome).contains(&row), "{}", view::html(&callhome));
}

#[test]
fn a_change_of_what_is_asked_for_is_one_line_in_the_log() {
    support::apart::apart("a_change_of_what_is_asked_for_is_one_line_in_the_log", || {
        lines::keep();
        let (builder, clock, sink) = reporting();
        let callhome = builder.build().unwrap();
        let none = Hints::new();
        let (less, odd) = (none.with_every(DAY), none.with_every(DAY).with_share(7.0));
        let (far, near) = (none.with_pause(2 * HOUR), none.with_pause(HOUR));
        for hints in [none, less, less, odd, odd, none, far, near, none.with_share(-1.0)] {
            asks(&sink, hints);
            clock.advance(3 * HOUR);
            callhome.flush().unwrap();
        }
        let expected = [
            "less telemetry: a report every 24 h at most",
            "less telemetry: a report every 24 h at most; what it says by share is not understood \
             and ignored",
            "no less telemetry",
            "less telemetry: none for 2 h",
            "no less telemetry; what it says by share is not understood and ignored",
        ];
        let expected = expected.map(|line| format!("INFO memory asks for {line}"));
        assert_eq!(lines::taken(), expected);
    });
}

mod random {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        /// Time passes, and what is due is done.
        Wait(u64),
        Flush,
        /// Something is recorded, and happens.
        Record,
        Look,
        Switch(bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        let minutes = prop::sample::select(vec![1, 30, 61, 240, 241, 1000, 2000, 20_000]);
        prop_oneof![
            12 => minutes.prop_map(Step::Wait),
            2 => Just(Step::Flush),
            4 => Just(Step::Record),
            1 => Just(Step::Look),
            1 => prop::bool::weighted(0.7).prop_map(Step::Switch),
        ]
    }

    fn hints() -> impl Strategy<Value = Hints> {
        let time = prop::sample::select(vec![
            Duration::ZERO,
            HOUR,
            4 * HOUR,
            5 * HOUR,
            DAY,
            9 * DAY,
            Duration::MAX,
        ]);
        let share = prop::sample::select(vec![0.0, 0.3, 1.0, 2.0, f64::NAN]);
        let times = prop::option::of(time);
        (times.clone(), prop::option::of(share), times).prop_map(|(every, share, pause)| {
            let hints = Hints::new();
            let hints = every.into_iter().fold(hints, Hints::with_every);
            let hints = share.into_iter().fold(hints, Hints::with_share);
            pause.into_iter().fold(hints, Hints::with_pause)
        })
    }

    /// An aggregator on a clock of its own, whose receiver asks for each of these in turn.
    fn aggregator(of_events: bool, wishes: &[Hints]) -> (CallHome, VirtualClock, MemorySink) {
        let (clock, sink) = (VirtualClock::new(), MemorySink::new());
        let schema = if of_events { Schema::new("s") } else { Schema::new("s").counter("n") };
        let builder = CallHome::builder(schema).instance_id("the same").clock(clock.clone());
        let builder = match of_events {
            true => builder.event(Schema::new("e").given_or("n", 1)),
            false => builder,
        };
        let builder = builder.sink(sink.clone()).opt_out().max_age(1000 * DAY);
        let (wishes, at) = (wishes.to_vec(), Arc::new(Mutex::new(0)));
        sink.answer(move |parcel| {
            let mut at = at.lock().unwrap();
            wishes.get(*at).into_iter().for_each(|wish| parcel.hint(*wish));
            *at += 1;
            Ok(())
        });
        (builder.build().unwrap(), clock, sink)
    }

    fn play(step: &Step, of_events: bool, callhome: &CallHome, clock: &VirtualClock) -> u64 {
        match step {
            Step::Wait(minutes) => {
                // As the background thread does it: never later than it is due.
                let end = clock.now().monotonic + Duration::from_secs(60 * minutes);
                while clock.now().monotonic < end {
                    let left = end - clock.now().monotonic;
                    clock.advance(
                        callhome
                            .tick()
                            .clamp(Duration::from_secs(1), left.max(Duration::from_secs(1))),
                    );
                }
                callhome.tick();
            }
            Step::Flush => drop(callhome.flush()),
            Step::Record if of_events => callhome.event("e").send().unwrap(),
            Step::Record => add(callhome),
            Step::Look => drop((callhome.preview(), callhome.status().to_string())),
            Step::Switch(enabled) => drop(callhome.set_enabled(*enabled)),
        }
        u64::from(matches!(step, Step::Record))
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn no_wish_ever_makes_more_attempts_or_none_for_ever_or_loses_anything(
            of_events in any::<bool>(),
            wishes in prop::collection::vec(hints(), 0..12),
            steps in prop::collection::vec(step(), 0..40),
        ) {
            let (plain, time, all) = aggregator(of_events, &[]);
            let (asked, clock, fewer) = aggregator(of_events, &wishes);
            let mut recorded = 0;
            for step in &steps {
                let is_on = asked.status().switch().mode() == callhome::Mode::On;
                play(step, of_events, &plain, &time);
                recorded += play(step, of_events, &asked, &clock) * u64::from(is_on);
                if let Step::Switch(false) = step {
                    prop_assert!(asked.status().hints().is_empty());
                    recorded = arrived_of(&fewer, of_events);
                }
                prop_assert!(
                    fewer.attempts() <= all.attempts(),
                    "{} instead of {} attempts", fewer.attempts(), all.attempts()
                );
            }
            let is_on = asked.status().switch().mode() == callhome::Mode::On;
            recorded = if is_on { recorded } else { arrived_of(&fewer, of_events) };
            // Whatever it asked for last is over after thirty days at the next beat.
            let before = fewer.attempts();
            fewer.answer(|_| Ok(()));
            play(&Step::Record, of_events, &asked, &clock);
            play(&Step::Wait(31 * 24 * 60), of_events, &asked, &clock);
            prop_assert_eq!(fewer.attempts() > before, is_on);
            prop_assert_eq!(asked.status().pending(), 0);
            prop_assert_eq!(arrived_of(&fewer, of_events), recorded + u64::from(is_on));
        }
    }

    fn arrived_of(sink: &MemorySink, of_events: bool) -> u64 {
        if of_events { sink.documents().len() as u64 } else { arrived(sink) }
    }
}
