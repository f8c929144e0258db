//! Libraries with handles of their own, each used as its documentation does.

mod histograms;
mod prometheus;
mod telemetry;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::work::{Work, each, each_rising};

/// What the library does at a path; `None` when it has nothing like it.
pub fn work(library: &str, path: &str, shape: &str) -> Option<Work> {
    match library {
        "atomic" => atomic(path),
        "prometheus" => prometheus::prometheus(path, shape),
        "prometheus-client" => prometheus::client(path, shape),
        "measured" => prometheus::measured(path, shape),
        "opentelemetry_sdk" => telemetry::opentelemetry(path, shape),
        "metriken" => telemetry::metriken(path, shape),
        "metriken-sharded" => telemetry::metriken_sharded(path, shape),
        "hdrhistogram" => histograms::bare(path, shape),
        "hdrhistogram-mutex" => histograms::mutexed(path, shape),
        "hdrhistogram-recorder" => histograms::per_thread(path, shape),
        _ => None,
    }
}

/// One atomic for all threads, with nothing around it.
fn atomic(path: &str) -> Option<Work> {
    let cell = Arc::new(AtomicU64::new(0));
    Some(match path {
        "counter_handle" => Work::new(move || {
            let cell = Arc::clone(&cell);
            each(move || {
                black_box(&*cell).fetch_add(1, Ordering::Relaxed);
            })
        }),
        "gauge_handle" => Work::new(move || {
            let cell = Arc::clone(&cell);
            each_rising(move |value| black_box(&*cell).store(value.to_bits(), Ordering::Relaxed))
        }),
        _ => return None,
    })
}
