//! Ten thousand threads that record a little and end.

use std::thread;
use std::time::Instant;

use super::{Metrics, schema};
use crate::heap;
use crate::measure::Effort;
use crate::reading::{Reading, median};
use crate::recorders::install;
use callhome::CallHome;

const THREADS: usize = 10_000;
/// Counters, and histograms, that each thread updates.
const METRICS: usize = 10;
/// Updates of each of them by each thread.
const UPDATES: usize = 10;
/// Parts in which the threads are timed, each beside threads that record nothing.
const BLOCKS: usize = 50;

/// The heap that the threads leave behind, and their time as a multiple of that of the same
/// threads recording nothing. With `callhome` all totals must be exact.
pub fn churn(reading: Reading, effort: Effort) -> Reading {
    let threads = THREADS / effort.divisor;
    let callhome = install(&reading.library, || schema(METRICS, METRICS));
    let mut metrics = Metrics::new(METRICS, METRICS);
    if reading.shape == "handle" {
        metrics.register();
    }

    heap::count();
    let before = heap::bytes();
    (0..threads).for_each(|_| run_thread(&metrics, true));
    let left = heap::bytes() - before;
    heap::stop();
    check(callhome.as_ref(), threads);

    let blocks = BLOCKS.min(threads);
    let (mut ratios, mut nothing) = (Vec::new(), Vec::new());
    for _ in 0..blocks {
        let time = |records| {
            let begin = Instant::now();
            (0..threads / blocks).for_each(|_| run_thread(&metrics, records));
            begin.elapsed().as_secs_f64() * 1e6 / (threads / blocks) as f64
        };
        let without = time(false);
        ratios.push(time(true) / without);
        nothing.push(without);
    }
    check(callhome.as_ref(), threads / blocks * blocks);
    reading
        .with("time_ratio", vec![median(&ratios)])
        .with("idle_thread_us", vec![median(&nothing)])
        .with("left_kib", vec![left / 1024.0])
}

/// One thread, from its start to its end.
fn run_thread(metrics: &Metrics, records: bool) {
    let body = || {
        if records {
            (0..UPDATES).for_each(|update| metrics.update(update as f64));
        }
    };
    thread::scope(|scope| scope.spawn(body).join().expect("a thread panicked"));
}

/// Everything that so many threads recorded must be in the next report.
fn check(callhome: Option<&CallHome>, threads: usize) {
    let Some(report) = callhome.map(|callhome| callhome.flush().expect("accepted")) else { return };
    for metric in 0..METRICS {
        assert_eq!(report[&*format!("c{metric}")], threads * UPDATES, "a count is lost: {report}");
        let samples = &report[&*format!("h{metric}")]["count"];
        assert_eq!(*samples, threads * UPDATES, "a sample is lost: {report}");
    }
}
