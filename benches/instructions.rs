//! Repeats one way of recording so many times, for `.ci/instructions` to count the instructions.
//!
//! ```text
//! cargo bench --bench instructions                         # each path once, and that it records
//! cargo bench --bench instructions -- --list               # the names of the paths
//! cargo bench --bench instructions -- counter_macro 65536  # one path, so many times
//! ```
//!
//! A path first warms up: it is repeated [`LAP`] times, so that all its memory is allocated and a
//! summary is past its exact state if its samples take it there, and the report must show what it
//! recorded. What follows costs the same every time round, so the difference between two counts
//! of whole laps is the cost of the path alone.

use std::hint::black_box;
use std::process::{Command, ExitCode};
use std::time::Duration;

use callhome::sink::MemorySink;
use callhome::{CallHome, Figure, Schema};
use metrics::{counter, gauge, histogram};
use serde_json::Value;

/// Operations of the warm-up, and samples of each shape, which come round after so many. A
/// multiple of the 128 samples that a thread gathers before it folds them into the summary.
const LAP: usize = 1 << 14;

/// Values of labels that are chosen at run time. They are equally long, for the length is hashed.
const VALUES: [&str; 4] = ["v1", "v2", "v3", "v4"];

/// Values that a distinct count has seen before those of [`VALUES`]: less than the 512 up to which
/// it is exact, for beyond them the cost depends on the random key of its hash.
const SEEN: usize = 256;

/// The interval: no report falls into the measurement, and nothing is sampled in between.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One operation, repeated so many times.
type Run = Box<dyn Fn(usize)>;

/// A way of recording.
struct Path {
    /// The path's name, and that of the metric it records to.
    name: &'static str,
    /// Where the report shows what was recorded, as a JSON pointer.
    shown: &'static str,
    /// What it shows there after the warm-up.
    expected: usize,
    /// Makes what is measured; called with the recorder installed.
    make: fn() -> Run,
}

/// All paths, in the order in which they are listed.
const PATHS: [Path; 15] = [
    Path {
        name: "counter_handle",
        shown: "/data/counter_handle",
        expected: LAP,
        make: || {
            let counter = counter!("counter_handle");
            each(move |_| black_box(&counter).increment(1))
        },
    },
    Path {
        name: "counter_macro",
        shown: "/data/counter_macro",
        expected: LAP,
        make: || each(|_| counter!("counter_macro").increment(1)),
    },
    Path {
        name: "counter_labels_literal",
        shown: "/data/counter_labels_literal_1_2",
        expected: LAP,
        make: || each(|_| counter!("counter_labels_literal", "a" => "1", "b" => "2").increment(1)),
    },
    Path {
        name: "counter_label_runtime",
        shown: "/data/counter_label_runtime_v4",
        expected: LAP / VALUES.len(),
        make: || each(|at| counter!("counter_label_runtime", "k" => value(at)).increment(1)),
    },
    // Where there is a second report, which has none of it; and one that has it too.
    Path {
        name: "counter_macro_beside",
        shown: "/data/counter_macro_beside",
        expected: LAP,
        make: || each(|_| counter!("counter_macro_beside").increment(1)),
    },
    Path {
        name: "counter_macro_in_two",
        shown: "/data/counter_macro_in_two",
        expected: LAP,
        make: || each(|_| counter!("counter_macro_in_two").increment(1)),
    },
    Path {
        name: "histogram_handle_few",
        shown: "/data/histogram_handle_few/count",
        expected: LAP,
        make: || {
            let histogram = histogram!("histogram_handle_few");
            each_sample(few, move |sample| black_box(&histogram).record(sample))
        },
    },
    Path {
        name: "histogram_handle_many",
        shown: "/data/histogram_handle_many/count",
        expected: LAP,
        make: || {
            let histogram = histogram!("histogram_handle_many");
            each_sample(many, move |sample| black_box(&histogram).record(sample))
        },
    },
    Path {
        name: "histogram_handle_continuous",
        shown: "/data/histogram_handle_continuous/count",
        expected: LAP,
        make: || {
            let histogram = histogram!("histogram_handle_continuous");
            each_sample(continuous, move |sample| black_box(&histogram).record(sample))
        },
    },
    Path {
        name: "histogram_macro",
        shown: "/data/histogram_macro/count",
        expected: LAP,
        make: || each_sample(few, |sample| histogram!("histogram_macro").record(sample)),
    },
    Path {
        name: "gauge_handle",
        shown: "/data/gauge_handle",
        expected: LAP - 1,
        make: || {
            let gauge = gauge!("gauge_handle");
            each(move |at| black_box(&gauge).set(f64::from(at as u32)))
        },
    },
    Path {
        name: "gauge_macro",
        shown: "/data/gauge_macro",
        expected: LAP - 1,
        make: || each(|at| gauge!("gauge_macro").set(f64::from(at as u32))),
    },
    Path {
        name: "distinct_seen",
        shown: "/data/distinct_seen",
        expected: SEEN + VALUES.len(),
        make: || {
            for seen in 0..SEEN {
                counter!("distinct_seen", "id" => seen.to_string()).increment(1);
            }
            each(|at| counter!("distinct_seen", "id" => value(at)).increment(1))
        },
    },
    Path {
        name: "undeclared",
        shown: "/losses/undeclared_metrics",
        expected: LAP,
        make: || each(|_| counter!("undeclared").increment(1)),
    },
    Path {
        name: "undeclared_label_runtime",
        shown: "/losses/undeclared_metrics",
        expected: LAP,
        make: || each(|at| counter!("undeclared_label_runtime", "k" => value(at)).increment(1)),
    },
];

/// What the paths record to.
fn schema() -> Schema {
    let schema = Schema::new("instructions")
        .counter("counter_handle")
        .counter("counter_macro")
        .counter("counter_macro_beside")
        .counter("counter_macro_in_two")
        .counter("counter_labels_literal_1_2")
        .metric("counter_labels_literal")
        .label("a", "1")
        .label("b", "2")
        .gauge("gauge_handle")
        .gauge("gauge_macro")
        .distinct("distinct_seen", "id");
    let schema = VALUES.iter().fold(schema, |schema, value| {
        let field = schema.counter(format!("counter_label_runtime_{value}"));
        field.metric("counter_label_runtime").label("k", *value)
    });
    ["handle_few", "handle_many", "handle_continuous", "macro"]
        .iter()
        .fold(schema, |schema, name| {
            schema.summary(format!("histogram_{name}")).with(Figure::Count)
        })
}

/// The operation, repeated; it is told how often it was before.
fn each(operation: impl Fn(usize) + 'static) -> Run {
    Box::new(move |times| (0..times).for_each(&operation))
}

/// The operation, repeated with one sample after the other, which are drawn beforehand.
fn each_sample(mut draw: impl FnMut(&mut Random) -> f64, record: impl Fn(f64) + 'static) -> Run {
    let mut random = Random(7);
    let mut samples = Box::new([0.0; LAP]);
    samples.fill_with(|| draw(&mut random));
    each(move |at| record(samples[at % LAP]))
}

/// One of the [`VALUES`], each in its turn, chosen where the compiler cannot see it.
#[inline]
fn value(at: usize) -> &'static str {
    black_box(&VALUES)[at % VALUES.len()]
}

/// Ten different integers.
fn few(random: &mut Random) -> f64 {
    (random.unit() * 10.0).floor()
}

/// A hundred thousand different integers: more than a summary keeps apart.
fn many(random: &mut Random) -> f64 {
    (random.unit() * 100_000.0).floor()
}

/// Fractions, log-normal with median 12 and sigma 1; the normal is Box and Muller's.
fn continuous(random: &mut Random) -> f64 {
    let radius = (-2.0 * (1.0 - random.unit()).ln()).sqrt();
    12.0 * (radius * (std::f64::consts::TAU * random.unit()).cos()).exp()
}

/// The same numbers in each run: an additive sequence, mixed as SplitMix64 does.
struct Random(u64);

impl Random {
    /// At least 0, below 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Warms the path up, makes sure that it records, and repeats it `times` times.
fn measure(path: &Path, times: usize) -> Result<(), String> {
    let builder = CallHome::builder(schema()).opt_out().sink(MemorySink::new());
    let builder = builder.every(DAY);
    let callhome = builder.install().map_err(|error| error.to_string())?;
    let second = Schema::new("second").counter("counter_macro_in_two");
    let second = CallHome::builder(second).sink(MemorySink::new());
    let second = ["counter_macro_beside", "counter_macro_in_two"]
        .contains(&path.name)
        .then(|| callhome.attach(second.every(DAY)));
    let _second = second.transpose().map_err(|error| error.to_string())?;
    let run = (path.make)();
    run(LAP);
    let report = callhome.preview();
    let report: Value = serde_json::from_str(report.body()).map_err(|error| error.to_string())?;
    let shown = report.pointer(path.shown);
    if shown.and_then(Value::as_u64) != Some(path.expected as u64) {
        let Path { name, shown: at, expected, .. } = path;
        return Err(format!("`{name}` should make {at} {expected}, but it is {shown:?}"));
    }
    run(times);
    Ok(())
}

/// Each path in a process of its own, as there is one global recorder in each.
fn measure_all() -> Result<(), String> {
    let itself = std::env::current_exe().map_err(|error| error.to_string())?;
    for path in &PATHS {
        let status = Command::new(&itself).args([path.name, "1"]).status();
        match status {
            Ok(status) if status.success() => println!("{} records", path.name),
            other => return Err(format!("`{}` failed: {other:?}", path.name)),
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        [] => measure_all(),
        ["--list"] => {
            PATHS.iter().for_each(|path| println!("{}", path.name));
            Ok(())
        }
        [name, times] => match (PATHS.iter().find(|path| path.name == name), times.parse()) {
            (Some(path), Ok(times)) => measure(path, times),
            _ => Err(format!("`{name} {times}` is not a path and a number")),
        },
        _ => Err("give a path and a number, `--list` or nothing".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
