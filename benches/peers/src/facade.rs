//! The measured lines of code that use the `metrics` facade, with whatever recorder is installed.

use std::hint::black_box;

use metrics::{counter, gauge, histogram};

use crate::recorders::IDS;
use crate::values::{floats, name};
use crate::work::{Work, each, each_of, each_rising};

/// The line of a path. The recorder must be installed already.
pub fn work(path: &str, shape: &str) -> Option<Work> {
    Some(match path {
        "counter_handle" => {
            let handle = counter!("x");
            Work::new(move || {
                let handle = handle.clone();
                each(move || black_box(&handle).increment(1))
            })
        }
        "counter_macro" => Work::new(|| each(|| counter!("x").increment(1))),
        "counter_labels_literal" => {
            Work::new(|| each(|| counter!("s", "a" => "1", "b" => "2").increment(1)))
        }
        "counter_label_runtime" => {
            let value: &'static str = black_box("v1");
            Work::new(move || each(move || counter!("r", "k" => black_box(value)).increment(1)))
        }
        "gauge_handle" => {
            let handle = gauge!("g");
            Work::new(move || {
                let handle = handle.clone();
                each_rising(move |value| black_box(&handle).set(value))
            })
        }
        "gauge_macro" => Work::new(|| each_rising(|value| gauge!("g").set(value))),
        "histogram_handle" => {
            let (handle, values) = (histogram!("h"), floats(shape));
            Work::new(move || {
                let handle = handle.clone();
                each_of(values, move |value| black_box(&handle).record(value))
            })
        }
        "histogram_macro" => {
            let values = floats(shape);
            Work::new(move || each_of(values, |value| histogram!("h").record(value)))
        }
        "distinct_seen" => {
            let different = if shape == "one" { 1 } else { IDS };
            let ids = std::array::from_fn(|at| name(format!("client-{}", at % different)));
            let ids: &'static [&str; IDS] = Box::leak(Box::new(ids));
            Work::new(move || each_of(ids, |id| counter!("d", "id" => id).increment(1)))
        }
        "undeclared" => Work::new(|| each(|| counter!("not.declared").increment(1))),
        "undeclared_label_runtime" => {
            let value: &'static str = black_box("v1");
            Work::new(move || {
                each(move || counter!("not.declared", "k" => black_box(value)).increment(1))
            })
        }
        _ => return None,
    })
}
