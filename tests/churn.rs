//! Threads, handles and aggregators that come and go while others record and seal: nothing is
//! lost, nothing is counted twice, nothing stays behind.

#[path = "churn/destructors.rs"]
mod destructors;
#[path = "churn/labels.rs"]
mod labels;
#[cfg(target_os = "linux")]
#[path = "churn/memory.rs"]
mod memory;
mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use callhome::{CallHome, Figure, Recorder, Report, Schema};
use metrics::{counter, gauge, histogram, with_local_recorder};

/// What was recorded, or reported, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Totals {
    added: u64,
    labelled: u64,
    samples: u64,
    /// Of integers, and far below 2^53: exact in any order.
    sum: f64,
    /// Different ids, each in one window only.
    ids: u64,
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.added += other.added;
        self.labelled += other.labelled;
        self.samples += other.samples;
        self.sum += other.sum;
        self.ids += other.ids;
    }
}

impl Totals {
    fn of(report: &Report) -> Totals {
        let whole = |value: &serde_json::Value| value.as_u64().unwrap();
        Totals {
            added: whole(&report["n"]),
            labelled: whole(&report["l"]),
            samples: whole(&report["x"]["count"]),
            sum: report["x"]["sum"].as_f64().unwrap(),
            ids: whole(&report["ids"]),
        }
    }

    /// Records one of everything through the macros.
    fn one(&mut self, value: u64) {
        counter!("n").increment(value);
        counter!("l", "kind" => "good").increment(1);
        counter!("l", "kind" => "bad").increment(1_000_000);
        histogram!("x").record(value as f64);
        *self += Totals::of_one(value);
    }

    fn of_one(value: u64) -> Totals {
        Totals { added: value, labelled: 1, samples: 1, sum: value as f64, ids: 0 }
    }
}

/// It has no receiver: a flush delivers a report by returning it.
fn aggregator() -> CallHome {
    let schema = Schema::new("s").counter("n").counter("l").label("kind", "good");
    let schema = schema.summary("x").with(Figure::Count).with(Figure::Sum);
    let schema = schema.gauge("g").default(0.0).distinct("ids", "id");
    CallHome::builder(schema).build().unwrap()
}

fn flushed(callhome: &CallHome) -> Totals {
    Totals::of(&callhome.flush().unwrap())
}

/// Handles of the three sorts, made by one thread and recorded to by any.
#[derive(Clone)]
struct Handles {
    n: metrics::Counter,
    l: metrics::Counter,
    x: metrics::Histogram,
}

impl Handles {
    fn of(recorder: &Recorder) -> Handles {
        with_local_recorder(recorder, || Handles {
            n: counter!("n"),
            l: counter!("l", "kind" => "good"),
            x: histogram!("x"),
        })
    }

    fn one(&self, totals: &mut Totals, value: u64) {
        self.n.increment(value);
        self.l.increment(1);
        self.x.record(value as f64);
        *totals += Totals::of_one(value);
    }
}

/// Makes a count high enough for those who wait for it, also by a panic.
struct Ends<'a>(&'a AtomicU64, u64);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(self.1, Ordering::Relaxed);
    }
}

#[test]
fn recorders_lookers_sealers_and_threads_that_come_and_go_lose_nothing() {
    const SEALS: u64 = 200; // at least, while everybody records
    const ROUNDS: u64 = 50; // at least, of each recorder
    const IDS: u64 = 400; // fewer than a window counts exactly
    let callhome = aggregator();
    let kept = Handles::of(callhome.recorder());
    let (recorded, reported) = (Mutex::new(Totals::default()), Mutex::new(Totals::default()));
    let (seals, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let rounds = || {
        let goes_on = |round: &u64| *round < ROUNDS || seals.load(Ordering::Relaxed) < SEALS;
        (0..).take_while(goes_on)
    };
    let by_macros = |values: std::ops::Range<u64>, id: Option<u64>| {
        let mut totals = Totals::default();
        with_local_recorder(callhome.recorder(), || {
            for value in values {
                totals.one(value);
                gauge!("g").increment(1.0);
                gauge!("g").decrement(1.0);
            }
            if let Some(id) = id.filter(|id| *id < IDS) {
                counter!("ids", "id" => id.to_string()).increment(1);
                totals.ids += 1;
            }
        });
        *recorded.lock().unwrap() += totals;
    };
    let by_handles = |values: std::ops::Range<u64>| {
        let mut totals = Totals::default();
        values.for_each(|value| kept.one(&mut totals, value));
        *recorded.lock().unwrap() += totals;
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let _ends = Ends(&seals, SEALS);
                while !done.load(Ordering::Relaxed) {
                    *reported.lock().unwrap() += flushed(&callhome);
                    seals.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                drop(callhome.preview());
            }
        });
        let recorders = [
            scope.spawn(|| rounds().for_each(|round| by_macros(0..200, Some(round)))),
            scope.spawn(|| rounds().for_each(|_| by_handles(0..200))),
            scope.spawn(|| {
                rounds().for_each(|round| {
                    thread::scope(|scope| {
                        scope.spawn(|| by_macros(round..round + 9, None));
                        scope.spawn(|| by_handles(round..round + 9));
                    });
                });
            }),
        ];
        let panicked = recorders.map(|recorder| recorder.join().is_err());
        done.store(true, Ordering::Relaxed);
        assert_eq!(panicked, [false; 3]);
    });
    let rest = callhome.flush().unwrap();
    *reported.lock().unwrap() += Totals::of(&rest);
    assert_eq!(*reported.lock().unwrap(), *recorded.lock().unwrap());
    assert_eq!(rest["g"], 0.0, "as often up as down");
    assert_eq!(flushed(&callhome), Totals::default(), "and nothing twice");
}

#[test]
fn a_seal_has_all_that_was_recorded_before_it() {
    const ROUNDS: u64 = 300;
    let callhome = aggregator();
    let kept = Handles::of(callhome.recorder());
    let (recorded, sealed) = (AtomicU64::new(0), AtomicU64::new(0));
    let mut reported = Totals::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            let _ends = Ends(&sealed, ROUNDS);
            for _ in 0..ROUNDS {
                let before = recorded.load(Ordering::Acquire);
                reported += flushed(&callhome);
                let least = reported.added.min(reported.labelled).min(reported.samples);
                assert!(least >= before, "{before} were recorded, {reported:?}");
                sealed.fetch_add(1, Ordering::Relaxed);
            }
        });
        while sealed.load(Ordering::Relaxed) < ROUNDS {
            kept.one(&mut Totals::default(), 1);
            recorded.fetch_add(1, Ordering::Release);
        }
    });
    reported += flushed(&callhome);
    assert_eq!(reported.samples, recorded.into_inner());
}

#[test]
fn what_a_scopes_threads_recorded_is_there_right_after_the_scope() {
    let callhome = aggregator();
    let kept = Handles::of(callhome.recorder());
    let by_macros = |value: &u64| {
        with_local_recorder(callhome.recorder(), || Totals::default().one(*value));
    };
    for round in 0..300 {
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| by_macros(&round));
                scope.spawn(|| kept.one(&mut Totals::default(), 1000));
            }
        });
        let mut expected = Totals::default();
        for _ in 0..3 {
            expected += Totals::of_one(round);
            expected += Totals::of_one(1000);
        }
        if round % 2 == 0 {
            assert_eq!(Totals::of(&callhome.preview()), expected, "round {round}");
        }
        assert_eq!(flushed(&callhome), expected, "round {round}");
    }
}

#[test]
fn a_handle_records_on_any_thread_and_outlives_its_aggregator() {
    const TIMES: u64 = 300; // more than a thread keeps to itself
    for round in 0..30 {
        let first = aggregator();
        let recorder = first.recorder().clone();
        let kept = thread::spawn(move || Handles::of(&recorder)).join().unwrap();
        let by_many = |check: &(dyn Fn() + Sync)| {
            thread::scope(|scope| {
                for _ in 0..3 {
                    let (cloned, kept) = (kept.clone(), &kept);
                    scope.spawn(move || {
                        for _ in 0..TIMES {
                            kept.one(&mut Totals::default(), round);
                            cloned.one(&mut Totals::default(), round);
                        }
                    });
                }
                check();
            });
        };
        by_many(&|| ());
        let mut expected = Totals::default();
        (0..3 * 2 * TIMES).for_each(|_| expected += Totals::of_one(round));
        assert_eq!(flushed(&first), expected);
        kept.one(&mut Totals::default(), 1); // in no report, for there is none after this
        drop(first);

        // Its handles are still there, so its cells must not be those of the next one yet.
        let second = aggregator();
        by_many(&|| {
            let mut expected = Totals::default();
            with_local_recorder(second.recorder(), || (0..TIMES).for_each(|_| expected.one(7)));
            assert_eq!(flushed(&second), expected);
        });
        assert_eq!(flushed(&second), Totals::default());
        drop(kept);
        // Now they may, and have nothing left of what the last handles recorded.
        assert_eq!(flushed(&aggregator()), Totals::default());
    }
}

#[test]
fn local_recorders_nest_and_each_gets_its_own() {
    const TIMES: u64 = 300;
    let aggregators = [aggregator(), aggregator(), aggregator()];
    let [a, b, c] = aggregators.each_ref().map(CallHome::recorder);
    let record = |value| (0..TIMES).for_each(|_| Totals::default().one(value));
    let nested = || {
        with_local_recorder(a, || {
            record(1);
            with_local_recorder(b, || {
                record(10);
                with_local_recorder(a, || record(2));
                with_local_recorder(c, || {
                    record(100);
                    // A new thread has none of them.
                    thread::scope(|scope| {
                        scope.spawn(|| record(1_000_000));
                        scope.spawn(|| with_local_recorder(b, || record(20)));
                    });
                });
                record(30);
            });
            record(4);
        });
    };
    thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(nested))));
    for (callhome, values) in aggregators.iter().zip([&[1, 2, 4][..], &[10, 20, 30], &[100]]) {
        let mut expected = Totals::default();
        for value in values {
            (0..3 * TIMES).for_each(|_| expected += Totals::of_one(*value));
        }
        assert_eq!(flushed(callhome), expected);
    }
}
