//! Heap in use, as the process's own allocator counts it.

use std::sync::{Barrier, RwLock};
use std::thread;
use std::time::Instant;

use metrics::{Key, Recorder};

use super::{METADATA, Metrics, schema};
use crate::heap;
use crate::measure::{Effort, reference_here};
use crate::reading::Reading;
use crate::recorders::{builder, install};
use crate::values::floats;

const COUNTERS: usize = 1000;
const SUMMARIES: usize = 100;
const THREADS: usize = 8;
/// What each thread records to each summary, ten different values altogether.
const SAMPLES: usize = 10;

/// What a library holds when eight threads, all still alive, have touched 1000 counters and 100
/// summaries: through handles that they share (which count: 17 KiB), or each through the macros.
pub fn touched(reading: Reading) -> Reading {
    let metrics = RwLock::new(Metrics::new(COUNTERS, SUMMARIES));
    heap::count();
    // The threads are there before the heap is looked at: what they cost is not the library's.
    let step = Barrier::new(THREADS + 1);
    let bytes = thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                step.wait();
                step.wait();
                let metrics = metrics.read().expect("nobody panicked");
                (0..SAMPLES).for_each(|value| metrics.update(value as f64));
                step.wait();
                step.wait();
            });
        }
        step.wait();
        let before = heap::bytes();
        let installed = install(&reading.library, || schema(COUNTERS, SUMMARIES));
        if reading.shape == "handle" {
            metrics.write().expect("nobody panicked").register();
        }
        step.wait();
        step.wait();
        let bytes = heap::bytes() - before;
        step.wait();
        drop(installed);
        bytes
    });
    reading.with("heap_kib", vec![bytes / 1024.0])
}

/// One summary, a hundred million samples, a report every ten million.
pub fn stream(reading: Reading, effort: Effort) -> Reading {
    const WINDOWS: usize = 10;
    const SAMPLES: usize = 10_000_000;
    let values = floats(&reading.shape);
    let reference_ns = reference_here(effort);
    heap::count();
    let before = heap::bytes();
    let callhome = builder(schema(0, 1)).build().expect("a good schema");
    let key = Key::from_static_name("h0");
    let histogram = callhome.recorder().register_histogram(&key, &METADATA);
    let (mut full, mut sealed, mut ns) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..WINDOWS {
        let begin = Instant::now();
        let samples = SAMPLES / effort.divisor;
        for value in values.iter().cycle().take(samples) {
            histogram.record(*value);
        }
        full.push((heap::bytes() - before) / 1024.0);
        let report = callhome.flush().expect("accepted");
        ns.push(begin.elapsed().as_secs_f64() * 1e9 / samples as f64);
        assert_eq!(report["h0"]["count"], samples, "a sample is lost");
        drop(report);
        sealed.push((heap::bytes() - before) / 1024.0);
    }
    reading
        .with("heap_first_kib", full[..1].to_vec())
        .with("heap_last_kib", full[WINDOWS - 1..].to_vec())
        .with("heap_sealed_first_kib", sealed[..1].to_vec())
        .with("heap_sealed_last_kib", sealed[WINDOWS - 1..].to_vec())
        .with("record_and_seal_ratio", ns.iter().map(|ns| ns / reference_ns).collect())
}
