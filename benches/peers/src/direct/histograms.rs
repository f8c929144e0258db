//! `hdrhistogram` by itself, with a bound of 10^12 and three significant digits.

use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};

use hdrhistogram::Histogram;
use hdrhistogram::sync::SyncHistogram;

use crate::values::integers;
use crate::work::{Work, each_of};

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 1_000_000_000_000, 3).expect("good bounds")
}

/// One that no other thread can touch.
pub fn bare(path: &str, shape: &str) -> Option<Work> {
    let values = (path == "histogram_handle").then(|| integers(shape))?;
    Some(Work::unshared(move || {
        let mut histogram = histogram();
        each_of(values, move |value| black_box(&mut histogram).saturating_record(value))
    }))
}

/// One behind a lock.
pub fn mutexed(path: &str, shape: &str) -> Option<Work> {
    let values = (path == "histogram_handle").then(|| integers(shape))?;
    let shared = Arc::new(Mutex::new(histogram()));
    Some(Work::new(move || {
        let shared = Arc::clone(&shared);
        each_of(values, move |value| {
            let mut histogram = black_box(&*shared).lock().unwrap_or_else(PoisonError::into_inner);
            histogram.saturating_record(value);
        })
    }))
}

/// One for each thread, merged when somebody asks; nobody does.
pub fn per_thread(path: &str, shape: &str) -> Option<Work> {
    let values = (path == "histogram_handle").then(|| integers(shape))?;
    let whole = SyncHistogram::from(histogram());
    Some(Work::new(move || {
        let mut recorder = whole.recorder();
        each_of(values, move |value| black_box(&mut recorder).saturating_record(value))
    }))
}
