//! The first law: what was recorded is in exactly one accepted report, still pending, or counted
//! as lost. Under any threads, any flush points, and any answers of the receiver.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use callhome::sink::{Parcel, SendError, Sink};
use callhome::{Builder, CallHome, Figure, Schema};
use metrics::{counter, histogram};
use proptest::prelude::*;
use serde_json::Value;

/// What a receiver does with a report.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Take,
    Fail,
    Refuse,
    /// It has the report, and the answer is lost on the way.
    TakeInSilence,
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        3 => Just(Answer::Take),
        3 => Just(Answer::Fail),
        1 => Just(Answer::Refuse),
        2 => Just(Answer::TakeInSilence),
    ]
}

/// A receiver that answers by a script, and keeps what it took and what it refused, by id.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    script: Vec<Answer>,
    taken: BTreeMap<String, Vec<u8>>,
    refused: BTreeMap<String, Vec<u8>>,
}

impl Sink for Receiver {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let mut state = self.0.lock().unwrap();
        let (id, body) = (parcel.id().to_owned(), parcel.body().to_vec());
        if let Some(earlier) = state.taken.get(&id) {
            assert_eq!(*earlier, body, "every attempt sends the same bytes");
        }
        match state.script.pop().unwrap_or(Answer::Take) {
            Answer::Take => drop(state.taken.insert(id, body)),
            Answer::Fail => return Err(SendError::retry("down")),
            Answer::Refuse => {
                // A receiver that has the report does not refuse it.
                if !state.taken.contains_key(&id) {
                    state.refused.insert(id, body);
                    return Err(SendError::refused("never"));
                }
            }
            Answer::TakeInSilence => {
                state.taken.insert(id, body);
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

/// Additions and samples, as totals.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Totals {
    added: u64,
    /// Added to the values of a series, those beyond its cap included.
    told_apart: u64,
    samples: u64,
    sum: f64,
}

impl Totals {
    /// What each step of a schedule records, `times` times.
    fn add(&mut self, times: u16) {
        self.added += 3 * u64::from(times);
        self.told_apart += (0..u64::from(times)).sum::<u64>();
        self.samples += u64::from(times);
        self.sum += (0..times).map(f64::from).sum::<f64>();
    }
}

impl Receiver {
    fn totals(reports: &BTreeMap<String, Vec<u8>>) -> Totals {
        let mut totals = Totals::default();
        for report in reports.values() {
            let report: Value = serde_json::from_slice(report).unwrap();
            totals.added += report["data"]["n"].as_u64().unwrap();
            let rows = report["data"]["s"].as_array().unwrap().iter();
            totals.told_apart += rows.map(|row| row["value"].as_u64().unwrap()).sum::<u64>();
            totals.samples += report["data"]["x"]["count"].as_u64().unwrap();
            totals.sum += report["data"]["x"]["sum"].as_f64().unwrap();
        }
        totals
    }

    /// The windows that reports are made of.
    fn windows(reports: &BTreeMap<String, Vec<u8>>) -> u64 {
        let windows = reports.values().map(|report| {
            let report: Value = serde_json::from_slice(report).unwrap();
            1 + report["merged"].as_array().unwrap().len() as u64
        });
        windows.sum()
    }

    /// Taken and refused together.
    fn settled(&self) -> Totals {
        let state = self.0.lock().unwrap();
        let (taken, refused) = (Self::totals(&state.taken), Self::totals(&state.refused));
        Totals {
            added: taken.added + refused.added,
            told_apart: taken.told_apart + refused.told_apart,
            samples: taken.samples + refused.samples,
            sum: taken.sum + refused.sum,
        }
    }
}

fn builder(script: Vec<Answer>) -> (Builder, Receiver) {
    let receiver = Receiver::default();
    receiver.0.lock().unwrap().script = script;
    let schema = Schema::new("s").counter("n").summary("x").with(Figure::Count).with(Figure::Sum);
    let schema = schema.series("s", |s| s.seen("v").at_most(3).values("w", ["0", "1"]));
    let schema = schema.counter("since_start").metric("n").cumulative();
    (CallHome::builder(schema).sink(receiver.clone()).max_pending(10_000), receiver)
}

fn aggregator(script: Vec<Answer>) -> (CallHome, Receiver) {
    let (builder, receiver) = builder(script);
    (builder.opt_out().build().unwrap(), receiver)
}

/// A value of the series for each step: more than it tells apart.
fn told_apart(at: u64) -> metrics::Counter {
    counter!("s", "v" => (at % 5).to_string(), "w" => (at % 2).to_string())
}

/// One step of a schedule.
#[derive(Clone, Debug)]
enum Step {
    /// A new thread records, through the macros, and ends.
    Thread {
        times: u16,
    },
    /// A long-lived handle records on the test's own thread.
    Kept {
        times: u16,
    },
    /// A handle made here records on a new thread.
    Lent {
        times: u16,
    },
    /// Of the first report or of the second, where there are two.
    Flush(bool),
    Look(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u16..400).prop_map(|times| Step::Thread { times }),
        (0u16..400).prop_map(|times| Step::Kept { times }),
        (0u16..400).prop_map(|times| Step::Lent { times }),
        any::<bool>().prop_map(Step::Flush),
        any::<bool>().prop_map(Step::Look),
    ]
}

/// Does what the steps say, and checks that each of the reports, which take in the same, loses
/// nothing and counts nothing twice.
fn conserves(steps: Vec<Step>, reports: &[(CallHome, Receiver)]) -> Result<(), TestCaseError> {
    let recorder = reports[0].0.recorder();
    let (n, s, x) = metrics::with_local_recorder(recorder, || {
        let s: Vec<_> = (0..10).map(told_apart).collect();
        (counter!("n"), s, histogram!("x"))
    });
    let keep = |at: u16| {
        n.increment(3);
        s[usize::from(at % 10)].increment(at.into());
        x.record(at);
    };
    let mut recorded = Totals::default();
    let mut windows = vec![1; reports.len()]; // the last flush
    for step in steps {
        match step {
            Step::Thread { times } => {
                let recorder = recorder.clone();
                let each = |at: u16| {
                    counter!("n").increment(3);
                    told_apart(at.into()).increment(at.into());
                    histogram!("x").record(at);
                };
                let work =
                    move || metrics::with_local_recorder(&recorder, || (0..times).for_each(each));
                std::thread::spawn(work).join().unwrap();
                recorded.add(times);
            }
            Step::Kept { times } => {
                (0..times).for_each(keep);
                recorded.add(times);
            }
            Step::Lent { times } => {
                let work = || (0..times).for_each(keep);
                std::thread::scope(|scope| scope.spawn(work).join().unwrap());
                recorded.add(times);
            }
            Step::Flush(second) => {
                let which = usize::from(second) % reports.len();
                windows[which] += 1;
                drop(reports[which].0.flush());
            }
            Step::Look(second) => drop(reports[usize::from(second) % reports.len()].0.preview()),
        }
        // At any time: what is settled and what is not add up. What is pending is not shown
        // by the library, so it is what the settled reports lack, and never negative.
        for (_, receiver) in reports {
            let settled = receiver.settled();
            prop_assert!(settled.added <= recorded.added);
            prop_assert!(settled.told_apart <= recorded.told_apart);
            prop_assert!(settled.samples <= recorded.samples);
        }
    }
    for ((callhome, receiver), windows) in reports.iter().zip(windows) {
        receiver.0.lock().unwrap().script.clear();
        let last = callhome.flush().unwrap();
        prop_assert_eq!(&last["since_start"], recorded.added);
        prop_assert_eq!(callhome.status().pending(), 0);
        prop_assert_eq!(receiver.settled(), recorded);
        // Windows, of which a merged report has several: its sequence is that of the last.
        let status = callhome.status();
        prop_assert_eq!(status.lost() + status.accepted(), windows);
        prop_assert_eq!(status.lost(), Receiver::windows(&receiver.0.lock().unwrap().refused));
    }
    Ok(())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..40)
}

fn script() -> impl Strategy<Value = Vec<Answer>> {
    prop::collection::vec(answer(), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_schedule_conserves_what_was_recorded(steps in steps(), script in script()) {
        conserves(steps, &[aggregator(script)])?;
    }

    #[test]
    fn each_of_two_reports_conserves_all_that_was_recorded(
        steps in steps(),
        script in script(),
        other in script(),
    ) {
        let first = aggregator(script);
        let (builder, receiver) = builder(other);
        let second = (first.0.attach(builder).unwrap(), receiver);
        conserves(steps, &[first, second])?;
    }
}

#[test]
fn threads_that_come_and_go_under_constant_seals_lose_nothing() {
    const ROUNDS: u64 = 60;
    const THREADS: u64 = 4;
    const TIMES: u64 = 2_000;
    let (callhome, receiver) = aggregator(Vec::new());
    let (stop, flaky) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let sealer = scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let answer = [Answer::Take, Answer::Fail, Answer::TakeInSilence];
                let at = flaky.fetch_add(1, Ordering::Relaxed) as usize % answer.len();
                receiver.0.lock().unwrap().script.push(answer[at]);
                let _ = callhome.flush();
                let _ = callhome.preview();
            }
        });
        for _ in 0..ROUNDS {
            std::thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        metrics::with_local_recorder(callhome.recorder(), || {
                            let kept = histogram!("x");
                            for at in 0..TIMES {
                                counter!("n").increment(1);
                                told_apart(at).increment(at);
                                kept.record(at as f64);
                            }
                        });
                    });
                }
            });
        }
        stop.store(true, Ordering::Relaxed);
        sealer.join().unwrap();
    });
    receiver.0.lock().unwrap().script.clear();
    callhome.flush().unwrap();
    let samples = ROUNDS * THREADS * TIMES;
    let sum = (ROUNDS * THREADS) as f64 * (TIMES * (TIMES - 1) / 2) as f64;
    assert_eq!(receiver.settled(), Totals { added: samples, told_apart: sum as u64, samples, sum });
}
