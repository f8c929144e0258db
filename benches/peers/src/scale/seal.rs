//! Sealing and serialising a window of 1000 counters and 100 summaries.

use std::hint::black_box;
use std::time::Instant;

use metrics::Recorder;
use metrics_exporter_prometheus::PrometheusBuilder;

use super::{CALLHOME, METADATA, keys, schema};
use crate::measure::{Effort, reference_here};
use crate::reading::Reading;
use crate::recorders::builder;
use crate::values::floats;

const COUNTERS: usize = 1000;
const SUMMARIES: usize = 100;
/// Samples of each summary.
const SAMPLES: usize = 100_000;

/// The time from the last sample to the bytes of the report: with `callhome` a `flush` to a sink
/// that discards it, with the exporter the first `render`. The libraries reduce samples at different
/// times, so there is the cost of record and seal together too, for each sample.
pub fn seal(reading: Reading, effort: Effort) -> Reading {
    if reading.library == CALLHOME {
        let callhome = builder(schema(COUNTERS, SUMMARIES)).build().expect("a good schema");
        let bytes = || callhome.flush().expect("accepted").body().len();
        timed(reading, effort, callhome.recorder(), bytes)
    } else {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        timed(reading, effort, &recorder, || handle.render().len())
    }
}

fn timed(
    reading: Reading,
    effort: Effort,
    recorder: &dyn Recorder,
    bytes: impl Fn() -> usize,
) -> Reading {
    let values = floats(&reading.shape);
    let samples = SAMPLES / effort.divisor;
    let counters = keys("c", COUNTERS);
    let histograms = keys("h", SUMMARIES);
    let histograms: Vec<_> =
        histograms.iter().map(|key| recorder.register_histogram(key, &METADATA)).collect();
    let reference_ns = reference_here(effort);

    let begin = Instant::now();
    for key in &counters {
        recorder.register_counter(key, &METADATA).increment(1);
    }
    for histogram in &histograms {
        for value in &values[..samples] {
            histogram.record(*value);
        }
    }
    let sealing = Instant::now();
    let length = black_box(bytes());
    let end = Instant::now();

    let ns = (end - begin).as_secs_f64() * 1e9 / (samples * SUMMARIES) as f64;
    reading
        .with("ms", vec![(end - sealing).as_secs_f64() * 1e3])
        .with("kilobytes", vec![length as f64 / 1e3])
        .with("record_and_seal_ns", vec![ns])
        .with("record_and_seal_ratio", vec![ns / reference_ns])
}
