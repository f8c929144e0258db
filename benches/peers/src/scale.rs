//! What is not the cost of one operation: sealing, memory, threads that come and go, a seal beside
//! recorders, and how costs grow with the number of metrics, of label values and of threads.

mod churn;
mod curves;
mod memory;
mod seal;
mod slowdown;

use callhome::{Figure, Schema};
use metrics::{Counter, Histogram, Key, Level, Metadata};

use crate::measure::Effort;
use crate::reading::{Reading, median};
use crate::values::{SHAPES, name};

/// How often the list is gone through.
pub const REPETITIONS: usize = 3;

const CALLHOME: &str = "callhome";
const UTIL: &str = "metrics-util";
const EXPORTER: &str = "metrics-exporter-prometheus";

/// The numbers that the curves go over.
const NUMBERS: [&str; 5] = ["1", "10", "100", "1000", "10000"];
/// Threads that are alive.
const THREADS: [&str; 5] = ["1", "2", "8", "32", "128"];

/// Paths, with their libraries and shapes; the shape of a curve is the number it goes over.
const LARGE: [(&str, &[&str], &[&str]); 10] = [
    ("seal", &[CALLHOME, EXPORTER], &SHAPES),
    ("seal_slowdown", &[CALLHOME], &["counter_handle", "counter_macro", "few", "continuous"]),
    ("memory", &[CALLHOME, UTIL, EXPORTER], &["handle", "macro"]),
    ("memory_stream", &[CALLHOME], &SHAPES),
    ("churn", &[CALLHOME, UTIL, "floor"], &["handle", "macro"]),
    ("curve_metrics_handle", &[CALLHOME, UTIL], &NUMBERS),
    ("curve_metrics_macro", &[CALLHOME, UTIL], &NUMBERS),
    ("curve_labels_declared", &[CALLHOME, UTIL], &NUMBERS),
    ("curve_labels_ignored", &[CALLHOME], &NUMBERS),
    ("curve_threads", &[CALLHOME], &THREADS),
];

/// Path, library and shape of each, the libraries side by side.
pub fn cases() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut cases = Vec::new();
    for (path, libraries, shapes) in LARGE {
        for shape in shapes {
            cases.extend(libraries.iter().map(|library| (path, *library, *shape)));
        }
    }
    cases
}

/// Measures one of them; `None` when the path is not one of these.
pub fn measure(path: &str, library: &str, shape: &str, effort: Effort) -> Option<Vec<Reading>> {
    let reading = Reading::new(path, library, shape, 1);
    Some(match path {
        "seal" => vec![seal::seal(reading, effort)],
        "seal_slowdown" => vec![slowdown::slowdown(reading, effort)],
        "memory" => vec![memory::touched(reading)],
        "memory_stream" => vec![memory::stream(reading, effort)],
        "churn" => vec![churn::churn(reading, effort)],
        "curve_threads" => curves::threads(library, shape, effort),
        _ if path.starts_with("curve_") => vec![curves::curve(reading, effort)],
        _ => return None,
    })
}

/// Adds to each exporter's seal how many times that of `callhome` it lasts.
pub fn compare(readings: &mut [Reading]) {
    let own: Vec<(String, f64)> = readings
        .iter()
        .filter(|reading| reading.path == "seal" && reading.library == CALLHOME)
        .map(|reading| (reading.shape.clone(), median(reading.values("ms"))))
        .collect();
    for reading in readings {
        let own = own.iter().find(|(shape, _)| *shape == reading.shape);
        if let (EXPORTER, "seal", Some((_, own))) =
            (reading.library.as_str(), reading.path.as_str(), own)
        {
            let times = median(reading.values("ms")) / own;
            reading.figures.push(("times_callhome".to_owned(), vec![times]));
        }
    }
}

static METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// Counters and histograms that threads record to.
struct Metrics {
    counters: Vec<Key>,
    histograms: Vec<Key>,
    /// Handles that all threads share; without them each thread uses the macros.
    handles: Option<(Vec<Counter>, Vec<Histogram>)>,
}

impl Metrics {
    /// The metrics `c0`, `c1`, … and `h0`, `h1`, …, by key.
    fn new(counters: usize, histograms: usize) -> Metrics {
        Metrics { counters: keys("c", counters), histograms: keys("h", histograms), handles: None }
    }

    /// Gets handles from the recorder that is installed.
    fn register(&mut self) {
        self.handles = Some(metrics::with_recorder(|recorder| {
            let counters = self.counters.iter();
            let histograms = self.histograms.iter();
            (
                counters.map(|key| recorder.register_counter(key, &METADATA)).collect(),
                histograms.map(|key| recorder.register_histogram(key, &METADATA)).collect(),
            )
        }));
    }

    /// Updates each metric once.
    fn update(&self, value: f64) {
        match &self.handles {
            Some((counters, histograms)) => {
                counters.iter().for_each(|counter| counter.increment(1));
                histograms.iter().for_each(|histogram| histogram.record(value));
            }
            None => {
                self.counters.iter().for_each(count);
                self.histograms.iter().for_each(|key| record(key, value));
            }
        }
    }
}

/// As many keys, as the macros make them of literal names: `c0`, `c1` and so on.
fn keys(prefix: &str, number: usize) -> Vec<Key> {
    (0..number).map(|at| Key::from_static_name(name(format!("{prefix}{at}")))).collect()
}

/// The counters `c0`, `c1`, … and the summaries `h0`, `h1`, …, which tell how many samples they had.
fn schema(counters: usize, summaries: usize) -> Schema {
    let schema = (0..counters).fold(Schema::new("bench"), |s, at| s.counter(format!("c{at}")));
    (0..summaries).fold(schema, |s, at| s.summary(format!("h{at}")).with(Figure::Count))
}

/// What `counter!` does with a literal name, for names that are not literal.
fn count(key: &Key) {
    metrics::with_recorder(|recorder| recorder.register_counter(key, &METADATA)).increment(1);
}

/// What `histogram!` does with a literal name, for names that are not literal.
fn record(key: &Key, value: f64) {
    metrics::with_recorder(|recorder| recorder.register_histogram(key, &METADATA)).record(value);
}
