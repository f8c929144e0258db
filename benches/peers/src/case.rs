//! Everything that is measured, and the measurement of one of it in a process of its own.
//!
//! A process has one global recorder and one state of the heap, of the caches and of the address
//! space; so each measurement gets a process, and the parent goes round all of them several times.

use std::process::Command;

use crate::measure::{Effort, costs};
use crate::reading::Reading;
use crate::values::SHAPES;
use crate::{direct, facade, recorders, scale};

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is measured.
    pub path: &'static str,
    /// Of which library.
    pub library: &'static str,
    /// With what.
    pub shape: &'static str,
}

/// Reached through the facade, as a path of every one of its macros.
const FACADE: [&str; 5] =
    ["callhome", "metrics-util", "metrics-exporter-prometheus", "no-recorder", "floor"];

/// Behind the facade or not: whoever has a counter to keep a handle of.
const WITH_COUNTER: [&str; 7] = [
    "atomic",
    "metriken",
    "metriken-sharded",
    "measured",
    "opentelemetry_sdk",
    "prometheus",
    "prometheus-client",
];

const WITH_GAUGE: [&str; 6] =
    ["atomic", "metriken", "measured", "opentelemetry_sdk", "prometheus", "prometheus-client"];

const WITH_LABELS: [&str; 3] = ["opentelemetry_sdk", "prometheus", "prometheus-client"];

const WITH_HISTOGRAM: [&str; 9] = [
    "hdrhistogram",
    "hdrhistogram-mutex",
    "hdrhistogram-recorder",
    "metriken",
    "metriken-sharded",
    "measured",
    "opentelemetry_sdk",
    "prometheus",
    "prometheus-client",
];

/// Recorders that a line goes to for nothing. The third compares a name and counts, and does nothing
/// else, the fourth shows what it costs to ask any recorder.
const UNWANTED: [&str; 5] =
    ["callhome", "callhome-off", "counting-recorder", "noop-recorder", "no-recorder"];

/// The second does only what any recorder must that knows a value again without keeping it, the
/// third shows what any handle costs, whatever is found out about the value.
const SEEN: [&str; 5] = ["callhome", "seen-floor", "floor", "noop-recorder", "no-recorder"];

const ONE: Names = &["one"];

/// Several libraries or shapes.
type Names = &'static [&'static str];

/// The hot paths, each with libraries behind the facade, other libraries, and shapes.
const HOT: [(&str, Names, Names, Names); 11] = [
    ("counter_handle", &FACADE, &WITH_COUNTER, ONE),
    ("counter_macro", &FACADE, &["callhome-off"], ONE),
    ("counter_labels_literal", &FACADE, &["callhome-off"], ONE),
    ("counter_label_runtime", &FACADE, &WITH_LABELS, ONE),
    ("gauge_handle", &FACADE, &WITH_GAUGE, ONE),
    ("gauge_macro", &FACADE, &[], ONE),
    ("histogram_handle", &FACADE, &WITH_HISTOGRAM, &SHAPES),
    ("histogram_macro", &FACADE, &[], &SHAPES),
    ("distinct_seen", &SEEN, &[], &["one", "thousand"]),
    ("undeclared", &UNWANTED, &[], ONE),
    ("undeclared_label_runtime", &UNWANTED, &[], ONE),
];

impl Case {
    /// The hot paths.
    pub fn hot() -> Vec<Case> {
        let mut cases = Vec::new();
        for (path, facade, direct, shapes) in HOT {
            for &shape in shapes {
                let libraries = facade.iter().chain(direct);
                cases.extend(libraries.map(|library| Case { path, library, shape }));
            }
        }
        cases
    }

    /// What is not one operation: sealing, memory, threads that come and go, and the curves.
    pub fn large() -> Vec<Case> {
        let case = |(path, library, shape)| Case { path, library, shape };
        scale::cases().into_iter().map(case).collect()
    }

    /// Whether the text is part of the path or of the library.
    pub fn matches(&self, text: &str) -> bool {
        self.path.contains(text) || self.library.contains(text)
    }

    /// Measures in a child process.
    pub fn spawn(&self, smoke: bool) -> Result<Vec<Reading>, String> {
        let failed = |reason: String| format!("{self:?}: {reason}");
        let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
        let mut command = Command::new(program);
        command.args(["--child", self.path, self.library, self.shape]);
        if smoke {
            command.arg("--smoke");
        }
        match self.library {
            "callhome-off" => command.env("DO_NOT_TRACK", "1"),
            _ => command.env_remove("DO_NOT_TRACK"),
        };
        let output = command.output().map_err(|error| failed(error.to_string()))?;
        if !output.status.success() {
            return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let lines = String::from_utf8_lossy(&output.stdout);
        lines.lines().map(|line| Reading::parse(line).map_err(failed)).collect()
    }
}

/// The child's part: measures, and returns what it read.
pub fn measure(path: &str, library: &str, shape: &str, effort: Effort) -> Vec<Reading> {
    if let Some(readings) = scale::measure(path, library, shape, effort) {
        return readings;
    }
    let _installed = recorders::install(library, recorders::schema);
    let work = direct::work(library, path, shape).or_else(|| facade::work(path, shape));
    let work = work.unwrap_or_else(|| panic!("{library} has no {path}"));
    let numbers: &[usize] = if work.shared { &[1, 2] } else { &[1] };
    let readings = numbers.iter().map(|&threads| {
        costs(&work, threads, effort).read(Reading::new(path, library, shape, threads))
    });
    readings.collect()
}
