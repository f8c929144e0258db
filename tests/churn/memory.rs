//! What short-lived threads and short-lived aggregators leave behind. Each case has a process of
//! its own: other tests in it would use memory too.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Sender};
use std::thread;

use super::support::apart::{apart, resident};
use super::{Handles, Totals, aggregator, flushed};
use callhome::{CallHome, Figure, Recorder, Schema};
use metrics::{Counter, Histogram, counter, histogram, with_local_recorder};

const COUNTERS: [&str; 10] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9"];
const SUMMARIES: [&str; 10] = ["h0", "h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8", "h9"];

#[test]
fn ten_thousand_short_lived_threads_are_counted_exactly_and_leave_nothing_behind() {
    let name =
        "memory::ten_thousand_short_lived_threads_are_counted_exactly_and_leave_nothing_behind";
    apart(name, || {
        const THREADS: u64 = 10_000;
        const AT_ONCE: u64 = 4;
        const WARM: u64 = 2_000;
        let schema = COUNTERS.into_iter().fold(Schema::new("s"), Schema::counter);
        let schema = SUMMARIES.into_iter().fold(schema, |schema, name| {
            schema.summary(name).with(Figure::Count).with(Figure::Sum)
        });
        let callhome = CallHome::builder(schema).build().unwrap();
        let kept: Vec<(Counter, Histogram)> = with_local_recorder(callhome.recorder(), || {
            let pairs = COUNTERS.into_iter().zip(SUMMARIES);
            pairs.map(|(c, h)| (counter!(c), histogram!(h))).collect()
        });
        let recorder = callhome.recorder();
        let by_macros = || {
            for time in 1..=10u64 {
                for (at, (c, h)) in (1u64..).zip(COUNTERS.into_iter().zip(SUMMARIES)) {
                    counter!(c).increment(time * at);
                    histogram!(h).record((time * at) as f64);
                }
            }
        };
        let by_handles = || {
            for time in 1..=10u64 {
                for (at, (c, h)) in (1u64..).zip(&kept) {
                    c.increment(time * at);
                    h.record((time * at) as f64);
                }
            }
        };
        let mut warm = 0;
        for started in (0..THREADS).step_by(AT_ONCE as usize) {
            if started == WARM {
                warm = resident();
            }
            thread::scope(|scope| {
                for at in 0..AT_ONCE {
                    scope.spawn(move || match at % 2 {
                        0 => with_local_recorder(recorder, by_macros),
                        _ => by_handles(),
                    });
                }
            });
        }
        let grown = resident().saturating_sub(warm);
        assert!(grown < 1024, "{grown} KiB more after {THREADS} threads than after {WARM}");
        let report = callhome.flush().unwrap();
        for (at, (c, h)) in (1u64..).zip(COUNTERS.into_iter().zip(SUMMARIES)) {
            assert_eq!(report[c], THREADS * 55 * at, "{c}");
            assert_eq!(report[h]["count"], THREADS * 10, "{h}");
            assert_eq!(report[h]["sum"].as_f64(), Some((THREADS * 55 * at) as f64), "{h}");
        }
    });
}

/// A thread that lives on, and records through each recorder it is sent.
fn worker<'s>(scope: &'s thread::Scope<'s, '_>) -> (Sender<(Recorder, u64)>, mpsc::Receiver<()>) {
    let (send, jobs) = mpsc::channel::<(Recorder, u64)>();
    let (done, is_done) = mpsc::channel();
    scope.spawn(move || {
        for (recorder, value) in jobs {
            with_local_recorder(&recorder, || Totals::default().one(value));
            drop(recorder);
            done.send(()).unwrap();
        }
    });
    (send, is_done)
}

#[test]
fn a_thousand_aggregators_each_see_their_own_and_leave_nothing_behind() {
    let name = "memory::a_thousand_aggregators_each_see_their_own_and_leave_nothing_behind";
    apart(name, || {
        const AGGREGATORS: u64 = 1_000;
        const WARM: u64 = 200;
        // At most so many at a time: one after the other first, then interleaved.
        for live in [1, 8] {
            let mut warm = 0;
            thread::scope(|scope| {
                let workers = [worker(scope), worker(scope)];
                let mut aggregators = VecDeque::new();
                for made in 0..AGGREGATORS {
                    if made == WARM {
                        warm = resident();
                    }
                    aggregators.push_back((aggregator(), Totals::default(), made));
                    for (callhome, expected, own) in &mut aggregators {
                        let recorder = callhome.recorder();
                        with_local_recorder(recorder, || expected.one(*own));
                        Handles::of(recorder).one(expected, *own + 1);
                        for (at, (send, done)) in (2..).zip(&workers) {
                            send.send((recorder.clone(), *own + at)).unwrap();
                            done.recv().unwrap();
                            *expected += Totals::of_one(*own + at);
                        }
                    }
                    if aggregators.len() == live {
                        let (callhome, expected, own) = aggregators.pop_front().unwrap();
                        assert_eq!(flushed(&callhome), expected, "{own} of {live} at a time");
                    }
                }
            });
            let grown = resident().saturating_sub(warm);
            assert!(
                grown < 1024,
                "{grown} KiB more after {AGGREGATORS} aggregators, {live} at a time"
            );
        }
    });
}
