//! Labelled series: how they are written, what they count, and what they admit.

use std::collections::BTreeMap;

use callhome::sink::{Parcel, SendError, Sink};
use callhome::{CallHome, Schema, Series, Transform};
use metrics::{Key, Label, Recorder, counter, gauge, with_local_recorder};
use proptest::prelude::*;
use serde_json::{Value, json};

fn aggregator(schema: Schema) -> CallHome {
    CallHome::builder(schema).build().unwrap()
}

fn labels(callhome: &CallHome, pairs: &[(&'static str, String)]) -> metrics::Counter {
    let labels: Vec<Label> = pairs.iter().map(|(key, v)| Label::new(*key, v.clone())).collect();
    let metadata = metrics::Metadata::new("", metrics::Level::INFO, None);
    callhome.recorder().register_counter(&Key::from_parts("x", labels), &metadata)
}

fn losses(report: &callhome::Report) -> Value {
    serde_json::from_str::<Value>(report.body()).unwrap()["losses"].clone()
}

#[test]
fn it_is_written_as_declared() {
    let callhome = aggregator(
        Schema::new("s")
            .series("plain", |s| s)
            .series("both", |s| s.values("b", ["y", "x"]).values("a", ["1", "2"]))
            .series("object", |s| s.seen("command").as_object())
            .gauge_series("connections", |s| s.values("role", ["primary", "replica"]))
            .gauge_series("level", |s| s.seen("role"))
            .errors("errors", ["io", "timeout"]),
    );
    with_local_recorder(callhome.recorder(), || {
        counter!("both", "a" => "2", "b" => "x", "ignored" => "secret").increment(3);
        counter!("object", "command" => "search").increment(12);
        counter!("object", "command" => "list").increment(4);
        gauge!("connections", "role" => "replica").set(2.5);
        gauge!("level", "role" => "late").decrement(1);
        counter!("errors", "kind" => "a message").increment(1);
    });
    let body = callhome.preview().body().to_owned();
    let data = concat!(
        r#""data":{"plain":[{"value":0}],"both":[{"b":"y","a":"1","value":0},"#,
        r#"{"b":"y","a":"2","value":0},{"b":"x","a":"1","value":0},{"b":"x","a":"2","value":3}],"#,
        r#""object":{"search":12,"list":4},"#,
        r#""connections":[{"role":"primary","value":0},{"role":"replica","value":2.5}],"#,
        r#""level":[{"role":"late","value":-1}],"errors":[{"kind":"io","value":0},"#,
        r#"{"kind":"timeout","value":0},{"kind":"__other__","value":1}]}"#
    );
    assert!(body.contains(data), "{body}");
    assert_eq!(callhome.flush().unwrap().body().split("data").nth(1), body.split("data").nth(1));
    // Counters begin anew, gauges stay.
    let next = callhome.flush().unwrap();
    assert_eq!((&next["both"][3]["value"], &next["object"]), (&json!(0), &json!({})));
    assert_eq!(
        (&next["connections"][1]["value"], &next["level"][0]["value"]),
        (&json!(2.5), &json!(-1))
    );
    assert_eq!(losses(&next), json!({}));
}

#[test]
fn what_is_not_declared_is_counted_and_does_not_leave() {
    let callhome =
        aggregator(Schema::new("s").series("x", |s| s.values("kind", ["io"]).seen("at")));
    for _ in 0..3 {
        labels(&callhome, &[("kind", "secret".into()), ("at", "secret".into())]).increment(1);
    }
    labels(&callhome, &[("kind", "io".into())]).increment(1);
    let report = callhome.flush().unwrap();
    assert_eq!(report["x"], json!([]));
    assert_eq!(losses(&report), json!({"undeclared_metrics": 3, "mismatched_metrics": 1}));
    assert!(!report.body().contains("secret"));
    // A value of an undeclared combination has taken no place.
    (0..16).for_each(|at: u8| {
        labels(&callhome, &[("kind", "io".into()), ("at", at.to_string())]).increment(1);
    });
    assert_eq!(losses(&callhome.flush().unwrap()), json!({}));
}

#[test]
fn what_some_fields_of_a_metric_declare_counts_there_and_is_said_to_be_undeclared_elsewhere() {
    let schema = Schema::new("s")
        .series("by_kind", |s| s.values("kind", ["io"]))
        .metric("x")
        .series("by_code", |s| s.values("code", ["1", "2"]))
        .metric("x")
        .series("others", |s| s)
        .metric("x")
        .label("tier", "web");
    let callhome = aggregator(schema);
    for _ in 0..2 {
        labels(&callhome, &[("kind", "other".into()), ("code", "2".into())]).increment(5);
    }
    labels(&callhome, &[("kind", "io".into()), ("code", "1".into())]).increment(1);
    let report = callhome.flush().unwrap();
    assert_eq!(report["by_kind"], json!([{"kind": "io", "value": 1}]));
    assert_eq!(report["by_code"], json!([{"code": "1", "value": 1}, {"code": "2", "value": 10}]));
    assert_eq!(report["others"], json!([{"value": 0}]));
    assert_eq!(losses(&report), json!({"undeclared_metrics": 2}));
}

#[test]
fn beyond_the_cap_and_too_long_is_other_and_counted() {
    let schema = Schema::new("s")
        .series("x", |s| s.seen("at").at_most(2).values("kind", ["io"]).others())
        .gauge_series("g", |s| s.seen("at").at_most(1));
    let callhome = aggregator(schema);
    let add = |at: &str, kind: &str| {
        labels(&callhome, &[("at", at.into()), ("kind", kind.into())]).increment(10);
    };
    let (longest, too_long) = ("ä".repeat(64), "ä".repeat(65));
    for (at, kind) in [
        ("a", "io"),
        (&too_long, "io"),
        (&longest, "x"),
        ("c", "io"),
        ("a", "io"),
        ("__other__", "y"),
    ] {
        add(at, kind);
    }
    with_local_recorder(callhome.recorder(), || {
        ["one", "two", "three"].iter().for_each(|at| gauge!("g", "at" => *at).increment(7));
    });
    let report = callhome.flush().unwrap();
    let row = |at: &str, kind: &str, value: u64| json!({"at": at, "kind": kind, "value": value});
    let rows = [
        row("a", "io", 20),
        row(&longest, "__other__", 10),
        row("__other__", "io", 20),
        row("__other__", "__other__", 10),
    ];
    assert_eq!(report["x"], json!(rows));
    assert_eq!(report["g"], json!([{"at": "one", "value": 7}, {"at": "__other__", "value": 14}]));
    assert_eq!(losses(&report), json!({"capped_values": 5}));
    add("d", "io"); // the cap stays as it is
    assert_eq!(losses(&callhome.flush().unwrap()), json!({"capped_values": 1}));
}

#[test]
fn a_transform_applies_to_each_value() {
    let schema = Schema::new("s").series("x", |s| s.values("k", ["a", "b"]));
    let callhome =
        aggregator(schema.transform(Transform::AtLeast(5)).transform(Transform::Digits(1)));
    labels(&callhome, &[("k", "a".into())]).increment(4);
    labels(&callhome, &[("k", "b".into())]).increment(123);
    let report = callhome.flush().unwrap();
    assert_eq!(report["x"], json!([{"k": "a", "value": null}, {"k": "b", "value": 100}]));
}

#[test]
fn nothing_of_before_is_said_after_off_and_on() {
    let schema = Schema::new("s").series("x", |s| s.seen("at")).gauge_series("g", |s| s.seen("at"));
    let callhome = CallHome::builder(schema).opt_out().sink(Switched).build().unwrap();
    let record = |at: &'static str| {
        with_local_recorder(callhome.recorder(), || {
            counter!("x", "at" => at).increment(5);
            gauge!("g", "at" => at).set(1);
        });
    };
    record("secret");
    callhome.set_enabled(false).unwrap();
    record("hidden");
    callhome.set_enabled(true).unwrap();
    record("open");
    let report = callhome.flush().unwrap();
    assert_eq!(report["x"], json!([{"at": "open", "value": 5}]));
    assert_eq!(report["g"], json!([{"at": "open", "value": 1}]));
}

/// Refuses nothing, and never has the first report.
struct Switched;

impl Sink for Switched {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let number: Value = serde_json::from_slice(parcel.body()).unwrap();
        if number["sequence"] == 1 && number["data"]["x"][0]["at"] == "first" {
            return Err(SendError::retry("down"));
        }
        Ok(())
    }

    fn describe(&self) -> String {
        "a test".into()
    }

    fn is_local(&self) -> bool {
        true
    }
}

#[test]
fn windows_merge_by_the_values_of_the_labels() {
    let schema = Schema::new("s").series("x", |s| s.seen("at")).gauge_series("g", |s| s.seen("at"));
    let builder = CallHome::builder(schema).opt_out().sink(Switched).max_attempts(1);
    let callhome = builder.build().unwrap();
    let add = |at: &'static str, value: u64| {
        with_local_recorder(callhome.recorder(), || {
            counter!("x", "at" => at).increment(value);
            gauge!("g", "at" => at).set(value as f64);
        });
    };
    add("first", 1);
    add("second", 2);
    assert!(callhome.flush().is_err());
    add("third", 3);
    add("second", 20);
    let report = callhome.flush().unwrap();
    let row = |at: &str, value: u64| json!({"at": at, "value": value});
    assert_eq!(report["x"], json!([row("first", 1), row("second", 22), row("third", 3)]));
    assert_eq!(report["g"], json!([row("first", 1), row("second", 20), row("third", 3)]));
}

/// A record: the values of two labels, and the amount; or a look, or a seal.
#[derive(Clone, Debug)]
enum Step {
    Add { kind: u8, at: u8, amount: u64, by_thread: bool },
    Look,
    Seal,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..4u8, 0..9u8, 0..1000u64, any::<bool>())
            .prop_map(|(kind, at, amount, by_thread)| Step::Add { kind, at, amount, by_thread }),
        1 => Just(Step::Look),
        1 => Just(Step::Seal),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Against a map that is counted by hand: kinds 0 to 2 are listed and 3 is not, and the first
    /// five values of the other label are told apart.
    #[test]
    fn any_records_are_counted_where_they_belong(
        steps in prop::collection::vec(step(), 0..120),
        others in any::<bool>(),
    ) {
        let series = |s: Series| {
            let s = s.values("kind", ["0", "1", "2"]);
            (if others { s.others() } else { s }).seen("at").at_most(5)
        };
        let callhome = aggregator(Schema::new("s").series("x", series));
        let mut told: Vec<String> = Vec::new();
        let mut expected: BTreeMap<(String, String), u64> = BTreeMap::new();
        let (mut capped, mut undeclared) = (0u64, 0u64);
        for step in steps.into_iter().chain([Step::Seal]) {
            match step {
                Step::Add { kind, at, amount, by_thread } => {
                    let pairs = [("at", at.to_string()), ("kind", kind.to_string())];
                    let add = || with_local_recorder(callhome.recorder(), || {
                        counter!("x", "at" => at.to_string(), "kind" => kind.to_string()).increment(amount);
                    });
                    match by_thread {
                        true => std::thread::scope(|scope| scope.spawn(add).join().unwrap()),
                        false => labels(&callhome, &pairs).increment(amount),
                    }
                    let [(_, at), (_, kind)] = pairs;
                    if kind == "3" && !others {
                        undeclared += 1;
                        continue;
                    }
                    let kind = if kind == "3" { "__other__".into() } else { kind };
                    if !told.contains(&at) && told.len() < 5 {
                        told.push(at.clone());
                    }
                    let at = match told.contains(&at) {
                        true => at,
                        false => {
                            capped += 1;
                            "__other__".into()
                        }
                    };
                    *expected.entry((kind, at)).or_default() += amount;
                }
                Step::Look => drop(callhome.preview()),
                Step::Seal => {
                    let report = callhome.flush().unwrap();
                    let rows = report["x"].as_array().unwrap();
                    let got: BTreeMap<(String, String), u64> = rows.iter().map(|row| {
                        let text = |key: &str| row[key].as_str().unwrap().to_owned();
                        ((text("kind"), text("at")), row["value"].as_u64().unwrap())
                    }).collect();
                    prop_assert_eq!(got.len(), rows.len(), "a combination twice");
                    expected.retain(|_, amount| *amount > 0);
                    prop_assert_eq!(&got, &expected);
                    let losses = losses(&report);
                    prop_assert_eq!(losses["capped_values"].as_u64().unwrap_or(0), capped);
                    prop_assert_eq!(losses["undeclared_metrics"].as_u64().unwrap_or(0), undeclared);
                    expected.clear();
                    (capped, undeclared) = (0, 0);
                }
            }
        }
    }
}

/// A schema is refused if its largest report might not fit, so that bound must be one.
#[test]
fn no_report_is_longer_than_the_schema_says_it_may_be() {
    let labels =
        |s: Series| s.seen("\"at\"").at_most(3).values("kind", ["\"quoted\"", "long"]).others();
    let bare = |s: Series| s;
    let schema = || {
        Schema::new("s")
            .series("x", labels)
            .gauge_series("g", labels)
            .series("o", |s| s.seen("at").as_object())
            .cumulative()
            .buckets("b", [0.0, 0.1, f64::MAX], labels)
            .buckets("plain", [0.0, 1e-300], bare)
    };
    let error = CallHome::builder(schema()).max_body(1).build().unwrap_err().to_string();
    let most = error.split("may have ").nth(1).unwrap().split(':').next().unwrap();
    let most: usize = most.parse().unwrap();
    let callhome = aggregator(schema());
    with_local_recorder(callhome.recorder(), || {
        for at in 0..20 {
            let at = format!("{}{}", "\u{1}".repeat(63), char::from(at));
            counter!("o", "at" => at.clone()).increment(u64::MAX);
            for kind in ["\"quoted\"", "long", "other"] {
                let labels = vec![Label::new("\"at\"", at.clone()), Label::new("kind", kind)];
                counter!("x", labels.clone()).increment(u64::MAX);
                gauge!("g", labels.clone()).set(-1.797_693_134_862_315_7e308);
                metrics::histogram!("b", labels.clone()).record_many(0.333_333_333, 3);
                metrics::histogram!("b", labels).record_many(0.033_333_333, 33);
            }
        }
        (0..10).for_each(|_| metrics::histogram!("plain").record_many(9.876_543_21e9, 1));
    });
    let length = callhome.flush().unwrap().body().len();
    assert!(length <= most && length * 2 > most, "{length} of {most}");
}
