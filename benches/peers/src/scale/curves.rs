//! Not how much, but how it grows.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

use callhome::Schema;
use metrics::{counter, histogram};

use super::{METADATA, Metrics, count, keys, schema};
use crate::measure::{Effort, costs_here};
use crate::reading::Reading;
use crate::recorders::install;
use crate::values::{floats, name, positions};
use crate::work::{each, each_of};

/// The cost of an addition when it goes to one of so many counters, in no order: through handles,
/// through the macro, and by the value of a label, one field for each or one for all.
pub fn curve(reading: Reading, effort: Effort) -> Reading {
    let number: usize = reading.shape.parse().expect("a number of metrics or values");
    let labels: Vec<&'static str> = (0..number).map(|at| name(format!("v{at}"))).collect();
    let schema = || match reading.path.as_str() {
        "curve_labels_declared" => labels.iter().fold(Schema::new("bench"), |schema, label| {
            schema.counter(format!("r_{label}")).metric("r").label("k", *label)
        }),
        "curve_labels_ignored" => Schema::new("bench").counter("r"),
        _ => schema(number, 0),
    };
    let _installed = install(&reading.library, schema);

    let keys = keys("c", number);
    let mut touch: Box<dyn FnMut(usize)> = match reading.path.as_str() {
        "curve_metrics_handle" => {
            let handle =
                |key| metrics::with_recorder(|recorder| recorder.register_counter(key, &METADATA));
            let handles: Vec<_> = keys.iter().map(handle).collect();
            Box::new(move |at| black_box(&handles[at]).increment(1))
        }
        "curve_metrics_macro" => Box::new(move |at| count(&keys[at])),
        _ => Box::new(move |at| counter!("r", "k" => labels[at]).increment(1)),
    };
    let begin = Instant::now();
    (0..number).for_each(&mut touch);
    let first = begin.elapsed().as_secs_f64() * 1e9 / number as f64;
    let run = each_of(positions(number), move |at| touch(at as usize));
    costs_here(run, effort).read(reading).with("first_ns", vec![first])
}

/// The costs on one thread while others are alive that have recorded the same, and of a report.
pub fn threads(library: &str, shape: &str, effort: Effort) -> Vec<Reading> {
    let number = shape.parse().expect("a number of threads");
    let callhome = install(library, || schema(10, 10)).expect("callhome is installed");
    let metrics = Metrics::new(10, 10);
    let step = Barrier::new(number);
    std::thread::scope(|scope| {
        for _ in 1..number {
            scope.spawn(|| {
                metrics.update(1.0);
                step.wait();
                step.wait();
            });
        }
        metrics.update(1.0);
        step.wait();
        let begin = Instant::now();
        let report = callhome.flush();
        let seal = begin.elapsed().as_secs_f64() * 1e6;
        assert_eq!(report.expect("accepted")["c0"], number, "a thread's count is lost");

        let counting = costs_here(each(|| counter!("c0").increment(1)), effort);
        let recording = each_of(floats("few"), |value| histogram!("h0").record(value));
        let recording = costs_here(recording, effort);
        step.wait();
        let reading = |path| Reading::new(path, library, shape, 1);
        vec![
            counting.read(reading("curve_threads_counter")),
            recording.read(reading("curve_threads_histogram")),
            reading("curve_threads_seal").with("us", vec![seal]),
        ]
    })
}
