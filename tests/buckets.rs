//! Samples in buckets.

use std::collections::BTreeMap;

use callhome::sink::{Parcel, SendError, Sink};
use callhome::{CallHome, Schema, Transform};
use metrics::{histogram, with_local_recorder};
use proptest::prelude::*;
use serde_json::{Value, json};

const CUTOFFS: [f64; 5] = [0.0, 0.001, 0.05, 1.0, 3600.0];

fn schema() -> Schema {
    let labels = |s: callhome::Series| s.values("operation", ["query", "mutation"]);
    let schema = Schema::new("s").buckets("total", CUTOFFS, labels).metric("time").cumulative();
    schema.buckets("time", CUTOFFS, labels).buckets("any", CUTOFFS, |s| s.seen("at").at_most(1))
}

fn row(operation: &str, above: f64, sum: f64, count: u64) -> Value {
    let number = |value: f64| match value.fract() == 0.0 {
        true => json!(value as i64),
        false => json!(value),
    };
    json!({"operation": operation, "greater_than": number(above), "sum": number(sum), "count": count})
}

/// A receiver that fails every other attempt.
struct EveryOther(std::sync::atomic::AtomicU64);

impl Sink for EveryOther {
    fn send(&self, _: &Parcel<'_>) -> Result<(), SendError> {
        match self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 2 {
            0 => Err(SendError::retry("down")),
            _ => Ok(()),
        }
    }

    fn describe(&self) -> String {
        "a test".into()
    }

    fn is_local(&self) -> bool {
        true
    }
}

#[test]
fn they_are_written_with_sums_and_counts_and_every_edge_is_in_the_bucket_above() {
    let callhome = CallHome::builder(schema()).build().unwrap();
    with_local_recorder(callhome.recorder(), || {
        let time = |at: f64| histogram!("time", "operation" => "query").record(at);
        [0.0, 0.000_999_999, 0.001, 0.049, 0.05, 1.0, 0.3, 3599.9, 3600.0, 9e9]
            .into_iter()
            .for_each(time);
        histogram!("time", "operation" => "mutation").record_many(0.1, 3);
        [f64::NAN, f64::INFINITY, -0.001, 1e10, -f64::INFINITY].into_iter().for_each(time);
        histogram!("time", "operation" => "mutation").record_many(9e9, 1000);
        histogram!("time", "operation" => "other").record(1.0);
        histogram!("any", "at" => "a").record(2.0);
        histogram!("any", "at" => "b").record_many(0.5, 2);
    });
    let report = callhome.flush().unwrap();
    let rows = json!([
        row("query", 0.0, 0.000_999_999, 2),
        row("query", 0.001, 0.05, 2),
        row("query", 0.05, 0.35, 2),
        row("query", 1.0, 3600.9, 2),
        row("query", 3600.0, 9_000_003_600.0, 2),
        row("mutation", 0.0, 0.0, 0),
        row("mutation", 0.001, 0.0, 0),
        row("mutation", 0.05, 0.3, 3),
        row("mutation", 1.0, 0.0, 0),
        row("mutation", 3600.0, 0.0, 0),
    ]);
    assert_eq!((&report["time"], &report["total"]), (&rows, &rows));
    let any = report["any"].as_array().unwrap();
    assert_eq!(any.len(), 10, "{any:?}");
    assert_eq!(any[7], json!({"at": "__other__", "greater_than": 0.05, "sum": 1, "count": 2}));
    let losses = serde_json::from_str::<Value>(report.body()).unwrap()["losses"].clone();
    // Two fields refuse each of six; two do not declare one operation.
    let expected = json!({"refused_values": 2 * 1005, "undeclared_metrics": 1, "capped_values": 2});
    assert_eq!(losses, expected);
    assert_eq!(callhome.flush().unwrap()["any"], json!([]));
}

#[test]
fn a_transform_applies_to_counts_and_sums() {
    let schema = Schema::new("s").buckets("x", [0.0, 1.0], |s| s).transform(Transform::AtLeast(3));
    let callhome = CallHome::builder(schema.transform(Transform::Digits(1))).build().unwrap();
    with_local_recorder(callhome.recorder(), || {
        histogram!("x").record_many(0.5, 2);
        histogram!("x").record_many(1.25, 15);
    });
    let rows = json!([
        {"greater_than": 0, "sum": null, "count": null},
        {"greater_than": 1, "sum": 20, "count": 20},
    ]);
    assert_eq!(callhome.flush().unwrap()["x"], rows);
}

#[derive(Clone, Debug)]
enum Step {
    Record { query: bool, nanos: u64, times: usize, by_thread: bool },
    Look,
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    // As many of each order of magnitude, up to 10^14 ns: a day.
    let nanos = (0..15u32, 1..10u64).prop_map(|(power, digit)| digit * 10u64.pow(power) / 3);
    prop_oneof![
        8 => (any::<bool>(), nanos, 1..4usize, any::<bool>()).prop_map(
            |(query, nanos, times, by_thread)| Step::Record { query, nanos, times, by_thread }),
        1 => Just(Step::Look),
        2 => Just(Step::Flush),
    ]
}

/// Counts and sums in nanoseconds, by operation and bucket.
type Told = BTreeMap<(bool, usize), (u64, u64)>;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against counts and sums in whole nanoseconds, which are exact; and windows that merge.
    #[test]
    fn counts_and_sums_are_exact(steps in prop::collection::vec(step(), 0..60)) {
        let builder = CallHome::builder(schema()).opt_out().max_attempts(1);
        let callhome = builder.sink(EveryOther(0.into())).build().unwrap();
        let (mut total, mut window) = (Told::new(), Told::new());
        for step in steps.into_iter().chain([Step::Flush, Step::Flush]) {
            match step {
                Step::Record { query, nanos, times, by_thread } => {
                    let operation = if query { "query" } else { "mutation" };
                    let record = || with_local_recorder(callhome.recorder(), || {
                        let seconds = std::time::Duration::from_nanos(nanos).as_secs_f64();
                        histogram!("time", "operation" => operation).record_many(seconds, times);
                    });
                    match by_thread {
                        true => std::thread::scope(|scope| scope.spawn(record).join().unwrap()),
                        false => record(),
                    }
                    let cutoffs = [0, 1_000_000, 50_000_000, 1_000_000_000, 3_600_000_000_000];
                    let bucket = cutoffs.iter().rposition(|cutoff| *cutoff <= nanos).unwrap();
                    for told in [&mut total, &mut window] {
                        let told = told.entry((query, bucket)).or_default();
                        *told = (told.0 + times as u64, told.1 + nanos * times as u64);
                    }
                }
                Step::Look => drop(callhome.preview()),
                Step::Flush => {
                    let Ok(report) = callhome.flush() else { continue };
                    for (field, told) in [("total", &total), ("time", &window)] {
                        let expected: Vec<Value> = [true, false].into_iter().flat_map(|query| {
                            CUTOFFS.iter().enumerate().map(move |(at, above)| {
                                let (count, nanos) = told.get(&(query, at)).copied().unwrap_or_default();
                                let sum: f64 = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
                                    .parse().unwrap();
                                row(if query { "query" } else { "mutation" }, *above, sum, count)
                            })
                        }).collect();
                        prop_assert_eq!(&report[field], &Value::Array(expected), "{}", field);
                    }
                    window.clear();
                }
            }
        }
    }
}
