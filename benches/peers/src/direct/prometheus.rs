//! Libraries in the manner of Prometheus. Their histograms count in buckets that the application
//! chooses; here there are twelve.

use std::hint::black_box;
use std::sync::Arc;

use measured::metric::histogram::Thresholds;
use prometheus::{HistogramOpts, IntCounter, IntCounterVec, Opts};
use prometheus_client::metrics::family::Family;

use crate::values::floats;
use crate::work::{Work, each, each_of, each_rising};

/// Upper bounds of the buckets: `FIRST`, and each `FACTOR` times the one before.
const FIRST: f64 = 1.0;
const FACTOR: f64 = 3.0;
const BUCKETS: usize = 12;

/// The crate `prometheus`.
pub fn prometheus(path: &str, shape: &str) -> Option<Work> {
    Some(match path {
        "counter_handle" => {
            let counter = IntCounter::new("x", "x").expect("a good name");
            Work::new(move || {
                let counter = counter.clone();
                each(move || black_box(&counter).inc())
            })
        }
        "counter_label_runtime" => {
            let family = IntCounterVec::new(Opts::new("r", "r"), &["k"]).expect("good names");
            Work::new(move || {
                let family = family.clone();
                each(move || family.with_label_values(&[black_box("v1")]).inc())
            })
        }
        "gauge_handle" => {
            let gauge = prometheus::Gauge::new("g", "g").expect("a good name");
            Work::new(move || {
                let gauge = gauge.clone();
                each_rising(move |value| black_box(&gauge).set(value))
            })
        }
        "histogram_handle" => {
            let bounds = prometheus::exponential_buckets(FIRST, FACTOR, BUCKETS);
            let options = HistogramOpts::new("h", "h").buckets(bounds.expect("good bounds"));
            let histogram = prometheus::Histogram::with_opts(options).expect("good options");
            let values = floats(shape);
            Work::new(move || {
                let histogram = histogram.clone();
                each_of(values, move |value| black_box(&histogram).observe(value))
            })
        }
        _ => return None,
    })
}

/// The crate `prometheus-client`.
pub fn client(path: &str, shape: &str) -> Option<Work> {
    use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram};

    Some(match path {
        "counter_handle" => {
            let counter = Counter::<u64>::default();
            Work::new(move || {
                let counter = counter.clone();
                each(move || {
                    black_box(&counter).inc();
                })
            })
        }
        "counter_label_runtime" => {
            let family = Family::<[(&str, &str); 1], Counter>::default();
            Work::new(move || {
                let family = family.clone();
                each(move || {
                    family.get_or_create(&[("k", black_box("v1"))]).inc();
                })
            })
        }
        "gauge_handle" => {
            let gauge = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
            Work::new(move || {
                let gauge = gauge.clone();
                each_rising(move |value| {
                    black_box(&gauge).set(value);
                })
            })
        }
        "histogram_handle" => {
            let bounds = histogram::exponential_buckets(FIRST, FACTOR, BUCKETS as u16);
            let histogram = histogram::Histogram::new(bounds);
            let values = floats(shape);
            Work::new(move || {
                let histogram = histogram.clone();
                each_of(values, move |value| black_box(&histogram).observe(value))
            })
        }
        _ => return None,
    })
}

/// The crate `measured`. Its labels are types, so it has no run-time label to compare.
pub fn measured(path: &str, shape: &str) -> Option<Work> {
    Some(match path {
        "counter_handle" => {
            let counter = Arc::new(measured::Counter::new());
            Work::new(move || {
                let counter = Arc::clone(&counter);
                each(move || black_box(&*counter).inc())
            })
        }
        "gauge_handle" => {
            let gauge = Arc::new(measured::FloatGauge::new());
            Work::new(move || {
                let gauge = Arc::clone(&gauge);
                each_rising(move |value| black_box(&*gauge).set(value))
            })
        }
        "histogram_handle" => {
            let bounds = Thresholds::<BUCKETS>::exponential_buckets(FIRST, FACTOR);
            let histogram = Arc::new(measured::Histogram::with_metadata(bounds));
            let values = floats(shape);
            Work::new(move || {
                let histogram = Arc::clone(&histogram);
                each_of(values, move |value| black_box(&*histogram).observe(value))
            })
        }
        _ => return None,
    })
}
