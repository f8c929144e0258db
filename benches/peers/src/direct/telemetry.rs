//! OpenTelemetry's SDK, and metriken.

use std::hint::black_box;
use std::sync::Arc;

use metriken::{
    AtomicCounterHistogram, Counter, Gauge, ShardedCounterGroup, ShardedCounterHistogram,
};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::{ManualReader, SdkMeterProvider};

use crate::values::{floats, integers};
use crate::work::{Work, each, each_of, each_rising};

/// `opentelemetry_sdk`, collected by hand.
pub fn opentelemetry(path: &str, shape: &str) -> Option<Work> {
    let provider = SdkMeterProvider::builder().with_reader(ManualReader::default()).build();
    let meter = provider.meter("bench");
    let work = match path {
        "counter_handle" => {
            let counter = meter.u64_counter("x").build();
            Work::new(move || {
                let counter = counter.clone();
                each(move || black_box(&counter).add(1, &[]))
            })
        }
        "counter_label_runtime" => {
            let counter = meter.u64_counter("r").build();
            Work::new(move || {
                let counter = counter.clone();
                each(move || counter.add(1, &[KeyValue::new("k", black_box("v1"))]))
            })
        }
        "gauge_handle" => {
            let gauge = meter.f64_gauge("g").build();
            Work::new(move || {
                let gauge = gauge.clone();
                each_rising(move |value| black_box(&gauge).record(value, &[]))
            })
        }
        "histogram_handle" => {
            let (histogram, values) = (meter.f64_histogram("h").build(), floats(shape));
            Work::new(move || {
                let histogram = histogram.clone();
                each_of(values, move |value| black_box(&histogram).record(value, &[]))
            })
        }
        _ => return None,
    };
    std::mem::forget(provider); // it would shut its instruments down
    Some(work)
}

/// Buckets within 0.1 % of a value, which is what the others are asked for as well.
const GROUPING: u8 = 9;
/// Values below 2^40.
const POWER: u8 = 40;

/// `metriken`: atomics that threads share.
pub fn metriken(path: &str, shape: &str) -> Option<Work> {
    Some(match path {
        "counter_handle" => {
            let counter = Arc::new(Counter::new());
            Work::new(move || {
                let counter = Arc::clone(&counter);
                each(move || {
                    black_box(&*counter).increment();
                })
            })
        }
        "gauge_handle" => {
            let gauge = Arc::new(Gauge::new());
            Work::new(move || {
                let gauge = Arc::clone(&gauge);
                each_rising(move |value| {
                    black_box(&*gauge).set(value as i64);
                })
            })
        }
        "histogram_handle" => {
            let histogram = Arc::new(AtomicCounterHistogram::new(GROUPING, POWER));
            let values = integers(shape);
            Work::new(move || {
                let histogram = Arc::clone(&histogram);
                each_of(values, move |value| {
                    let _ = black_box(&*histogram).increment(value);
                })
            })
        }
        _ => return None,
    })
}

/// `metriken`: a copy of the cells for each thread.
pub fn metriken_sharded(path: &str, shape: &str) -> Option<Work> {
    Some(match path {
        "counter_handle" => {
            let counters = Arc::new(ShardedCounterGroup::new(1));
            Work::new(move || {
                let counters = Arc::clone(&counters);
                each(move || {
                    black_box(&*counters).increment(0);
                })
            })
        }
        "histogram_handle" => {
            let histogram = Arc::new(ShardedCounterHistogram::new(GROUPING, POWER));
            let values = integers(shape);
            Work::new(move || {
                let histogram = Arc::clone(&histogram);
                each_of(values, move |value| {
                    let _ = black_box(&*histogram).increment(value);
                })
            })
        }
        _ => return None,
    })
}
