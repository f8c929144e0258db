//! The first law for several reports of one process: whatever comes, goes, is recorded, sent and
//! switched in whatever order, each report counts in full what was recorded while it was there, in
//! windows that know nothing of those of the others; and each event is accepted, pending or counted.

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callhome::sink::{Parcel, SendError, Sink};
use callhome::{CallHome, Figure, Schema};
use metrics::{Counter, Histogram, counter, histogram, with_local_recorder};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;
use support::SOON;

/// What a receiver does with a report.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Take,
    Fail,
    Refuse,
    TakeInSilence,
}

#[derive(Clone, Debug)]
enum Step {
    /// A report comes, of windows or of events, with what its receiver answers.
    Attach {
        of_events: bool,
        script: Vec<Answer>,
    },
    /// One goes, and sends what it has, or drops it.
    Detach {
        which: usize,
        sends: bool,
    },
    /// Something is recorded so many times, by macros on this thread or on one of its own.
    Record {
        times: u8,
        apart: bool,
    },
    /// Handles are made and kept; those from before are forgotten.
    Keep,
    /// The kept handles record.
    RecordKept(u8),
    /// So many events are sent, if there is a report of events.
    Send {
        which: usize,
        times: u8,
    },
    Flush(usize),
    Look(usize),
    Switch(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let answers = [Answer::Take, Answer::Fail, Answer::Refuse, Answer::TakeInSilence];
    let script = prop::collection::vec(select(answers.to_vec()), 0..12);
    prop_oneof![
        3 => (any::<bool>(), script).prop_map(|(of_events, script)| Step::Attach { of_events, script }),
        2 => (any::<usize>(), any::<bool>()).prop_map(|(which, sends)| Step::Detach { which, sends }),
        6 => (any::<u8>(), any::<bool>()).prop_map(|(times, apart)| Step::Record { times, apart }),
        2 => Just(Step::Keep),
        3 => any::<u8>().prop_map(Step::RecordKept),
        3 => (any::<usize>(), 1..20u8).prop_map(|(which, times)| Step::Send { which, times }),
        6 => any::<usize>().prop_map(Step::Flush),
        2 => any::<usize>().prop_map(Step::Look),
        1 => any::<bool>().prop_map(Step::Switch),
    ]
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Held {
    counted: u64,
    /// Of a series, what is told apart and what is not together.
    told_apart: u64,
    samples: u64,
    sum: f64,
}

impl Held {
    /// What one record of each metric adds, `times` times.
    fn record(&mut self, times: u8) {
        let all = 0..u64::from(times);
        self.counted += 3 * all.end;
        self.told_apart += all.clone().sum::<u64>();
        self.samples += all.end;
        self.sum += all.sum::<u64>() as f64;
    }

    fn take_in(&mut self, other: &Held) {
        self.counted += other.counted;
        self.told_apart += other.told_apart;
        self.samples += other.samples;
        self.sum += other.sum;
    }

    fn read(report: &Value) -> Held {
        let data = &report["data"];
        let rows = data["s"].as_array().unwrap().iter();
        Held {
            counted: data["n"].as_u64().unwrap(),
            told_apart: rows.map(|row| row["value"].as_u64().unwrap()).sum(),
            samples: data["x"]["count"].as_u64().unwrap(),
            sum: data["x"]["sum"].as_f64().unwrap(),
        }
    }
}

/// What is recorded: to a counter, to a series of which more is told apart than it may, to a summary.
fn told_apart(at: u8) -> Counter {
    counter!("s", "v" => (at % 5).to_string())
}

fn record(times: u8) {
    for at in 0..times {
        counter!("n").increment(3);
        told_apart(at).increment(at.into());
        histogram!("x").record(at);
    }
}

/// Handles as an application keeps them.
struct Kept(Counter, Vec<Counter>, Histogram);

impl Kept {
    fn new() -> Kept {
        Kept(counter!("n"), (0..5).map(told_apart).collect(), histogram!("x"))
    }

    fn record(&self, times: u8) {
        for at in 0..times {
            self.0.increment(3);
            self.1[usize::from(at % 5)].increment(at.into());
            self.2.record(at);
        }
    }
}

/// Answers by a script, and keeps by id what it has and what it refused.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    script: Vec<Answer>,
    taken: BTreeMap<String, Value>,
    refused: BTreeMap<String, Value>,
}

impl Sink for Receiver {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let mut state = self.0.lock().unwrap();
        let (id, body) = (parcel.id().to_owned(), serde_json::from_slice(parcel.body()).unwrap());
        let has_it = state.taken.contains_key(&id);
        match state.script.pop().unwrap_or(Answer::Take) {
            Answer::Fail => return Err(SendError::retry("down")),
            Answer::Refuse if !has_it => {
                state.refused.insert(id, body);
                return Err(SendError::refused("never"));
            }
            Answer::Take | Answer::Refuse => state.taken.insert(id, body),
            Answer::TakeInSilence => {
                state.taken.insert(id, body);
                return Err(SendError::retry("silence").possibly_delivered());
            }
        };
        Ok(())
    }

    fn describe(&self) -> String {
        "the script".into()
    }

    fn is_local(&self) -> bool {
        true
    }
}

/// One of the reports, and what there must be in it.
struct Report {
    number: usize,
    callhome: CallHome,
    receiver: Receiver,
    /// By window since reporting was last switched on; the last is open. None for events.
    windows: Option<Vec<Held>>,
    /// Windows that were sealed and events that were sent, since ever.
    sent: u64,
}

impl Report {
    fn new(number: usize, of_events: bool, script: &[Answer], to: Option<&CallHome>) -> Report {
        let receiver = Receiver::default();
        receiver.0.lock().unwrap().script = script.to_vec();
        let name = format!("report {number}");
        let builder = if of_events {
            CallHome::builder(Schema::new(name)).event(Schema::new("event").given("number"))
        } else {
            let schema = Schema::new(name).counter("n").series("s", |s| s.seen("v").at_most(3));
            let schema = schema.summary("x").with(Figure::Count).with(Figure::Sum);
            CallHome::builder(schema.counter("since").metric("n").cumulative())
        };
        let builder = builder.sink(receiver.clone()).max_pending(10_000).max_attempts(2);
        let callhome = match to {
            Some(to) => to.attach(builder).unwrap(),
            None => builder.opt_out().build().unwrap(),
        };
        let windows = (!of_events).then(|| vec![Held::default()]);
        Report { number, callhome, receiver, windows, sent: 0 }
    }

    fn record(&mut self, times: u8) {
        self.windows.iter_mut().filter_map(|windows| windows.last_mut()).for_each(|open| {
            open.record(times);
        });
    }

    /// The window is over.
    fn seal(&mut self) {
        if let Some(windows) = &mut self.windows {
            windows.push(Held::default());
            self.sent += 1;
        }
    }

    /// All that was collected is forgotten.
    fn restart(&mut self) {
        let mut state = self.receiver.0.lock().unwrap();
        (state.taken, state.refused) = Default::default();
        drop(state);
        self.windows = self.windows.is_some().then(|| vec![Held::default()]);
    }

    /// The law, at this moment.
    fn check(&self) -> Result<(), TestCaseError> {
        let status = self.callhome.status();
        let (accepted, pending, lost) = (status.accepted(), status.pending(), status.lost());
        prop_assert_eq!(accepted + pending + lost, self.sent, "{}: {:?}", self.number, status);
        let state = self.receiver.0.lock().unwrap();
        let Some(windows) = &self.windows else { return events_once(&state.taken) };
        let mut seen = vec![false; windows.len()];
        for (id, report) in state.taken.iter().chain(&state.refused) {
            let last = report["sequence"].as_u64().unwrap() as usize;
            let first = last - report["merged"].as_array().unwrap().len();
            let mut held = Held::default();
            for window in first..=last {
                held.take_in(&windows[window - 1]);
                let again = std::mem::replace(&mut seen[window - 1], true);
                prop_assert!(!again, "window {} of {} is in two reports", window, self.number);
            }
            prop_assert_eq!(Held::read(report), held, "{} of {}", id, self.number);
            let since = windows[..last].iter().map(|held| held.counted).sum::<u64>();
            prop_assert_eq!(&report["data"]["since"], since);
        }
        Ok(())
    }

    /// It goes; nothing waits any more.
    fn end(mut self, sends: bool) -> Result<(), TestCaseError> {
        let is_on = self.callhome.status().switch().is_on();
        let before = self.callhome.status();
        if sends {
            self.receiver.0.lock().unwrap().script.clear();
        }
        let end = self.callhome.shutdown(SOON);
        if !is_on {
            return self.check();
        }
        self.seal();
        self.check()?;
        let ended = end.accepted() + end.lost();
        let last = u64::from(self.windows.is_some());
        prop_assert_eq!(ended, before.pending() + last, "{}", end);
        prop_assert!(!sends || end.lost() == 0, "{}", end);
        // All that was recorded has arrived, but for what is said to be lost.
        if let Some(windows) = self.windows.filter(|_| self.callhome.status().lost() == 0) {
            let mut arrived = Held::default();
            let state = self.receiver.0.lock().unwrap();
            state.taken.values().for_each(|report| arrived.take_in(&Held::read(report)));
            let mut recorded = Held::default();
            windows.iter().for_each(|held| recorded.take_in(held));
            prop_assert_eq!(arrived, recorded);
        }
        Ok(())
    }
}

/// Each event arrived once.
fn events_once(taken: &BTreeMap<String, Value>) -> Result<(), TestCaseError> {
    let mut numbers: Vec<_> = taken.values().map(|e| e["data"]["number"].as_u64()).collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    prop_assert_eq!(numbers.len(), all);
    Ok(())
}

/// The reports that are there, the first first, and what is kept.
struct World {
    reports: Vec<Report>,
    /// How many there have been.
    come: usize,
    is_on: bool,
    /// The numbers of the reports that the kept handles record to.
    kept: Option<(Kept, Vec<usize>)>,
}

impl World {
    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        let World { reports, come, is_on, kept } = self;
        let recorder = reports[0].callhome.recorder().clone();
        let all = reports.len();
        match step {
            Step::Attach { of_events, script } => {
                *come += 1;
                reports.push(Report::new(*come, of_events, &script, Some(&reports[0].callhome)));
            }
            Step::Detach { which, sends } if all > 1 => {
                reports.remove(1 + which % (all - 1)).end(sends)?;
            }
            Step::Detach { .. } => {}
            Step::Record { times, apart } => {
                let work = || with_local_recorder(&recorder, || record(times));
                match apart {
                    false => work(),
                    true => std::thread::scope(|scope| scope.spawn(work).join().unwrap()),
                }
                reports.iter_mut().filter(|_| *is_on).for_each(|report| report.record(times));
            }
            Step::Keep => {
                let handles = with_local_recorder(&recorder, Kept::new);
                let there = reports.iter().filter(|_| *is_on).map(|report| report.number);
                *kept = Some((handles, there.collect()));
            }
            Step::RecordKept(times) => {
                let Some((handles, to)) = kept else { return Ok(()) };
                handles.record(times);
                let to = reports.iter_mut().filter(|report| to.contains(&report.number));
                to.filter(|_| *is_on).for_each(|report| report.record(times));
            }
            Step::Send { which, times } => {
                let mut of_events: Vec<_> =
                    reports.iter_mut().filter(|report| report.windows.is_none()).collect();
                let all = of_events.len();
                let Some(report) = of_events.get_mut(which % all.max(1)) else { return Ok(()) };
                for at in 0..u64::from(times) {
                    let number = report.sent + at;
                    report.callhome.event("event").set("number", number).send().unwrap();
                }
                report.sent += if *is_on { times.into() } else { 0 };
            }
            Step::Flush(which) => {
                let report = &mut reports[which % all];
                drop(report.callhome.flush());
                if *is_on {
                    report.seal();
                }
            }
            Step::Look(which) => drop(reports[which % all].callhome.preview()),
            Step::Switch(on) => {
                reports[0].callhome.set_enabled(on).unwrap();
                if on != *is_on {
                    reports.iter_mut().for_each(Report::restart);
                }
                *is_on = on;
            }
        }
        self.reports.iter().try_for_each(Report::check)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reports_that_come_and_go_each_count_in_full(
        steps in prop::collection::vec(step(), 0..60),
        script in prop::collection::vec(select(vec![Answer::Take, Answer::Fail]), 0..12),
    ) {
        let first = Report::new(0, false, &script, None);
        let mut world = World { reports: vec![first], come: 0, is_on: true, kept: None };
        steps.into_iter().try_for_each(|step| world.step(step))?;
        // The others first: the end of the first one is that of all.
        while let Some(report) = world.reports.pop() {
            report.end(true)?;
        }
    }
}

/// A report that goes while others are recorded to takes nothing of them, on threads that keep their
/// handles.
#[test]
fn the_neighbours_of_a_report_that_goes_lose_nothing() {
    let mut first = Report::new(0, false, &[], None);
    for number in 1..20 {
        let report = Report::new(number, false, &[], Some(&first.callhome));
        let recorder = first.callhome.recorder();
        std::thread::scope(|scope| {
            let threads = [(); 2].map(|()| {
                scope.spawn(|| with_local_recorder(recorder, || (0..50).for_each(|_| record(10))))
            });
            assert_eq!(report.callhome.shutdown(Duration::from_secs(30)).lost(), 0);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
        (0..100).for_each(|_| first.record(10));
        assert!(first.callhome.flush().is_ok());
        first.seal();
        first.check().unwrap();
    }
}

/// Events that several threads send while others flush, tick and end the report, and more than may
/// wait: none is lost uncounted, and none arrives twice.
#[test]
fn events_of_many_threads_are_accepted_or_counted() {
    const TIMES: u64 = 300;
    let first = Report::new(0, false, &[], None);
    for _ in 0..20 {
        let receiver = Receiver::default();
        let script = [Answer::Take, Answer::Fail, Answer::TakeInSilence, Answer::Fail].repeat(1000);
        receiver.0.lock().unwrap().script = script;
        let events = CallHome::builder(Schema::new("events"))
            .event(Schema::new("event").given("number"))
            .sink(receiver.clone())
            .max_pending(2)
            .max_events(20);
        let events = &first.callhome.attach(events).unwrap();
        let sent = &AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in [0, 1, 2] {
                scope.spawn(move || {
                    for at in 0..TIMES {
                        let event = events.event("event").set("number", thread * TIMES + at);
                        // The first thread ends the report; what comes later is an error.
                        sent.fetch_add(u64::from(event.send().is_ok()), Ordering::Relaxed);
                        if (thread, at) == (0, TIMES / 2) {
                            let _ = events.shutdown(SOON);
                        }
                    }
                });
            }
            scope.spawn(|| (0..50).for_each(|_| drop(events.flush())));
            scope.spawn(|| {
                for _ in 0..50 {
                    let _ = events.tick(); // how long to wait, which nobody does here
                }
            });
        });
        let status = events.status();
        let ended = (status.accepted() + status.lost(), status.pending());
        assert_eq!(ended, (sent.load(Ordering::Relaxed), 0), "{status:?}");
        events_once(&receiver.0.lock().unwrap().taken).unwrap();
    }
}
