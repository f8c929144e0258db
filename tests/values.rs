//! What a report says, and what it must not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use callhome::{CallHome, ErrorKind, Fact, Schema};
use metrics::{counter, gauge, histogram};
use serde_json::{Value, json};

fn aggregator(schema: Schema) -> CallHome {
    CallHome::builder(schema).build().unwrap()
}

fn recording<T>(callhome: &CallHome, record: impl FnOnce() -> T) -> T {
    metrics::with_local_recorder(callhome.recorder(), record)
}

/// The envelope of a report.
fn envelope(report: &callhome::Report) -> Value {
    serde_json::from_str(report.body()).unwrap()
}

#[test]
fn the_vectors_of_a_summary() {
    let figures = |samples: &[f64]| {
        let callhome = aggregator(Schema::new("s").summary("x"));
        recording(&callhome, || samples.iter().for_each(|x| histogram!("x").record(*x)));
        callhome.flush().unwrap()["x"].clone()
    };
    let whole = |max: f64, mean: f64, median: f64, min: f64, mode: Value| {
        let expected =
            json!({"max": max, "mean": mean, "median": median, "min": min, "mode": mode});
        // Numbers by value: 42 and 42.0 are the same figure.
        expected
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (k.clone(), v.as_f64()))
            .collect::<Vec<_>>()
    };
    let got = |samples: &[f64]| {
        let figures = figures(samples);
        figures
            .as_object()
            .unwrap()
            .iter()
            .map(|(k, v)| (k.clone(), v.as_f64()))
            .collect::<Vec<_>>()
    };
    assert_eq!(got(&[]), whole(0.0, 0.0, 0.0, 0.0, Value::Null));
    assert_eq!(got(&[42.0]), whole(42.0, 42.0, 42.0, 42.0, json!(42)));
    assert_eq!(got(&[1.0, 2.0, 3.0, 4.0]), whole(4.0, 2.5, 2.5, 1.0, json!(1)));
    assert_eq!(got(&[40.0, 50.0, 10.0, 20.0, 30.0]), whole(50.0, 30.0, 30.0, 10.0, json!(10)));
    assert_eq!(got(&[1.0, 1.0, 2.0, 2.0, 3.0]), whole(3.0, 1.8, 2.0, 1.0, json!(1)));
    assert_eq!(got(&[2.0, 1.0, 2.0, 1.0]), whole(2.0, 1.5, 1.5, 1.0, json!(1)));
    assert_eq!(got(&[-50.0, -20.0, 0.0, 20.0, 50.0]), whole(50.0, 0.0, 0.0, -50.0, json!(-50)));
    assert_eq!(got(&[10.0, 20.0, 20.0, 30.0]), whole(30.0, 20.0, 20.0, 10.0, json!(20)));
    let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!(got(&hundred), whole(100.0, 50.5, 50.5, 1.0, json!(1)));
    let million = vec![64_262_224.0; 1_000_000];
    let same = 64_262_224.0;
    assert_eq!(got(&million), whole(same, same, same, same, json!(64_262_224)));
}

#[test]
fn the_mean_is_always_written_as_a_float_and_the_others_as_integers_where_they_are() {
    let callhome = aggregator(Schema::new("s").summary("x"));
    recording(&callhome, || histogram!("x").record_many(64_262_224, 3));
    let body = CallHome::preview(&callhome).body().to_owned();
    let expected = r#""x":{"max":64262224,"mean":64262224.0,"median":64262224,"min":64262224,"mode":64262224}"#;
    assert!(body.contains(expected), "{body}");
}

#[test]
fn what_is_not_finite_is_refused_counted_and_harmless() {
    let callhome = aggregator(Schema::new("s").summary("x").gauge("g"));
    recording(&callhome, || {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            histogram!("x").record(bad);
            histogram!("x").record_many(bad, 2);
            gauge!("g").set(bad);
        }
        histogram!("x").record(7);
        gauge!("g").set(1);
        gauge!("g").increment(f64::NAN);
    });
    let report = callhome.flush().unwrap();
    assert_eq!((&report["x"]["mean"], &report["g"]), (&json!(7.0), &json!(1)));
    assert_eq!(envelope(&report)["losses"], json!({"refused_values": 13}));
    assert_eq!(envelope(&callhome.flush().unwrap())["losses"], json!({}));
}

#[test]
fn what_is_not_declared_cannot_leave() {
    let callhome = aggregator(Schema::new("s").counter("n").summary("x").distinct("d", "id"));
    recording(&callhome, || {
        counter!("secret-metric").increment(1);
        gauge!("secret-gauge", "host" => "secret-host").set(1);
        counter!("n", "user" => "secret-user".to_owned()).increment(1);
        counter!("d", "id" => "secret-id").increment(1);
        counter!("d", "other" => "secret-other").increment(1);
        gauge!("n").set(5);
        histogram!("n").record(5);
        counter!("x").increment(5);
    });
    let report = callhome.flush().unwrap();
    let everything = format!("{report} {report:?} {callhome:?} {:?}", callhome.status());
    assert!(!everything.contains("secret"), "{everything}");
    assert_eq!(
        *report.data(),
        json!({"n": 1, "d": 1, "x": {"max": 0, "mean": 0.0, "median": 0, "min": 0, "mode": null}})
    );
    assert_eq!(
        envelope(&report)["losses"],
        json!({"undeclared_metrics": 2, "mismatched_metrics": 4})
    );
}

#[test]
fn a_metric_by_another_name_feeds_every_field_that_asks_for_it() {
    let schema =
        Schema::new("s").counter("all").metric("http.requests").section("by_outcome", |s| {
            s.counter("ok")
                .metric("http.requests")
                .label("outcome", "ok")
                .counter("put_ok")
                .metric("http.requests")
                .label("outcome", "ok")
                .label("method", "put")
        });
    let callhome = aggregator(schema);
    recording(&callhome, || {
        for (outcome, method) in [("ok", "put"), ("ok", "get"), ("failed", "put")] {
            counter!("http.requests", "outcome" => outcome, "method" => method).increment(1);
        }
        counter!("http.requests").increment(10);
    });
    let expected = json!({"all": 13, "by_outcome": {"ok": 2, "put_ok": 1}});
    assert_eq!(*callhome.flush().unwrap().data(), expected);
}

#[test]
fn a_label_after_a_section_is_that_of_all_metrics_in_it() {
    let section = |s: Schema| {
        let s = s.fact("id", "eu").counter("n").section("more", |s| s.gauge("g").counter("n"));
        s.label("method", "put").distinct("clients", "client")
    };
    let schema = Schema::new("s").section("usage", section).label("stack", "eu").counter("n");
    let callhome = aggregator(schema);
    recording(&callhome, || {
        for (stack, method) in [("eu", "put"), ("eu", "get"), ("us", "put")] {
            counter!("usage.n", "stack" => stack).increment(1);
            gauge!("usage.more.g", "stack" => stack, "method" => method).set(stack.len() as f64);
            counter!("usage.more.n", "stack" => stack, "method" => method).increment(1);
            counter!("usage.clients", "stack" => stack, "client" => method).increment(1);
            counter!("n").increment(1);
        }
    });
    let usage = json!({"id": "eu", "n": 2, "more": {"g": 2, "n": 1}, "clients": 2});
    assert_eq!(*callhome.flush().unwrap().data(), json!({"usage": usage, "n": 3}));

    // Where nothing is fed by a metric it is an error, as after a fact.
    let nothing = Schema::new("s").section("facts", |s| s.fact("id", 1)).label("stack", "eu");
    let error = CallHome::builder(nothing).build().unwrap_err();
    assert!(error.to_string().contains("`label` follows no field"), "{error}");
}

#[test]
fn a_label_that_no_field_asks_for_is_counted_as_undeclared() {
    let schema = Schema::new("s").counter("ok").metric("responses").label("outcome", "ok");
    let callhome = aggregator(schema);
    recording(&callhome, || {
        counter!("responses", "outcome" => "ok").increment(1);
        counter!("responses", "outcome" => "secret").increment(1);
    });
    let report = callhome.flush().unwrap();
    assert_eq!(envelope(&report)["losses"], json!({"undeclared_metrics": 1}));
    assert_eq!(*report.data(), json!({"ok": 1}));
}

#[test]
fn counters_saturate_and_follow_absolute_values() {
    let callhome = aggregator(Schema::new("s").counter("n"));
    recording(&callhome, || {
        counter!("n").increment(u64::MAX);
        counter!("n").increment(9);
    });
    assert_eq!(callhome.flush().unwrap()["n"], u64::MAX);
    recording(&callhome, || counter!("n").increment(5));
    assert_eq!(callhome.flush().unwrap()["n"], 5);

    let callhome = aggregator(Schema::new("s").counter("n"));
    for (total, gained) in [(100, 100), (100, 0), (90, 0), (130, 30)] {
        recording(&callhome, || counter!("n").absolute(total));
        assert_eq!(callhome.flush().unwrap()["n"], gained);
    }
}

#[test]
fn a_function_that_panics_is_counted_and_asked_again() {
    let schema = Schema::new("s")
        .sampled("polled", || -> f64 { panic!("polled") })
        .sampled("nothing", || None::<u64>)
        .sampled("failed", || "x".parse::<i64>())
        .fact_with("asked", || -> u64 { panic!("asked") })
        .counter("n");
    let callhome = aggregator(schema);
    recording(&callhome, || counter!("n").increment(1));
    for n in [1, 0] {
        let report = callhome.flush().unwrap();
        assert_eq!((&report["n"], &report["asked"]), (&json!(n), &Value::Null));
        assert_eq!(report["polled"]["mode"], Value::Null);
        assert_eq!(envelope(&report)["losses"], json!({"failed_functions": 4}));
    }
}

#[test]
fn a_function_that_makes_a_report_itself_does_not_go_round_in_circles() {
    use std::sync::{Arc, OnceLock};
    let own: Arc<OnceLock<CallHome>> = Arc::default();
    let inner = Arc::clone(&own);
    let schema = Schema::new("s")
        .counter("n")
        .fact_with("sequence", move || inner.get().map(|callhome| callhome.preview().sequence()));
    own.set(aggregator(schema)).unwrap();
    let callhome = own.get().unwrap();
    assert_eq!(callhome.flush().unwrap()["sequence"], 1);
    assert_eq!(callhome.flush().unwrap()["sequence"], 2);
}

#[test]
fn a_key_counts_for_the_distinct_fields_whose_label_it_has() {
    let schema = Schema::new("s").distinct("clients", "client").metric("hit");
    let callhome = aggregator(schema.distinct("users", "user").metric("hit"));
    recording(&callhome, || {
        counter!("hit", "client" => "a").increment(1);
        counter!("hit", "client" => "b", "user" => "u").increment(1);
        counter!("hit").increment(1);
    });
    let report = callhome.flush().unwrap();
    assert_eq!(*report.data(), json!({"clients": 2, "users": 1}));
    assert_eq!(envelope(&report)["losses"], json!({"mismatched_metrics": 1}));
}

#[test]
fn two_aggregators_do_not_mix() {
    let schema = || Schema::new("s").counter("n").summary("x").distinct("d", "id");
    let (one, two) = (aggregator(schema()), aggregator(schema()));
    let kept = recording(&one, || counter!("n"));
    recording(&two, || {
        kept.increment(1);
        counter!("n").increment(10);
        recording(&one, || {
            histogram!("x").record(5);
            counter!("d", "id" => "a").increment(1);
        });
        histogram!("x").record(6);
    });
    let (one, two) = (one.flush().unwrap(), two.flush().unwrap());
    assert_eq!((&one["n"], &one["x"]["max"], &one["d"]), (&json!(1), &json!(5), &json!(1)));
    assert_eq!((&two["n"], &two["x"]["max"], &two["d"]), (&json!(10), &json!(6), &json!(0)));
}

#[test]
fn looking_changes_nothing() {
    let schema = Schema::new("s").counter("n").summary("x").gauge_summary("g").distinct("d", "id");
    let schema =
        schema.sampled("fails", || None::<f64>).fact_with("bad", || -> u8 { panic!("bad") });
    let callhome = aggregator(schema);
    recording(&callhome, || {
        counter!("n").increment(2);
        (0..1000).for_each(|x| histogram!("x").record(x));
        gauge!("g").set(3);
        counter!("d", "id" => "a").increment(1);
        histogram!("x").record(f64::NAN);
    });
    let looks: Vec<_> = (0..3)
        .map(|_| {
            let _ = callhome.status();
            callhome.preview()
        })
        .collect();
    let report = callhome.flush().unwrap();
    for look in looks {
        assert_eq!(
            (look.id(), look.sequence(), look.data()),
            (report.id(), report.sequence(), report.data())
        );
        assert_eq!(envelope(&look)["losses"], envelope(&report)["losses"]);
    }
}

#[test]
fn a_clocked_preview_shows_the_very_bytes() {
    // The only difference between a look and the report is the time in between.
    let schema = Schema::new("s").counter("n").summary("x");
    let callhome = CallHome::builder(schema).bare().build().unwrap();
    recording(&callhome, || histogram!("x").record(0.1));
    assert_eq!(callhome.preview().body(), callhome.flush().unwrap().body());
}

#[test]
fn a_bad_setting_names_its_value_and_the_remedy() {
    use std::time::Duration;
    let builder = || CallHome::builder(Schema::new("s").counter("n"));
    let refused = |builder: callhome::Builder, kind: ErrorKind, words: &[&str]| {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        for word in words {
            assert!(error.to_string().contains(word), "{error}");
        }
    };
    refused(builder().every(Duration::ZERO), ErrorKind::Config, &["every", "0ns", "100ms"]);
    refused(
        builder().sample_every(Duration::from_millis(1)),
        ErrorKind::Config,
        &["sample_every", "1ms"],
    );
    refused(builder().attempt_timeout(Duration::ZERO), ErrorKind::Config, &["attempt_timeout"]);
    refused(builder().max_pending(0), ErrorKind::Config, &["max_pending", "0"]);
    refused(builder().max_attempts(0), ErrorKind::Config, &["max_attempts", "0"]);
    refused(builder().max_age(Duration::ZERO), ErrorKind::Config, &["max_age", "0"]);
    let bytes = builder().max_pending_bytes(1000);
    refused(bytes, ErrorKind::Config, &["max_pending_bytes", "1000", "max_body", "1048576"]);
    refused(builder().switch("A=B"), ErrorKind::Config, &["A=B"]);
    refused(builder().cluster_id(""), ErrorKind::Config, &["cluster"]);
    refused(builder().instance_id(" "), ErrorKind::Config, &["instance_id"]);
    refused(builder().cluster_id_file("/no/such/folder/id"), ErrorKind::Io, &["/no/such/folder"]);
    refused(
        CallHome::builder(Schema::new("s").counter("a").counter("a")),
        ErrorKind::Schema,
        &["`a`"],
    );
    #[cfg(feature = "http")]
    refused(builder().endpoint("not a url"), ErrorKind::Config, &["not a url"]);
    let error = builder().install().unwrap_err();
    assert!(error.to_string().contains("nowhere to send"), "{error}");
}

#[test]
fn a_function_gives_a_section_its_declared_values_at_one_moment() {
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let schema = Schema::new("s")
        .section_with(
            "metrics",
            |s| {
                s.values(["views", "is-on"])
                    .describe("Whether it is on")
                    .section("permissions", |s| s.value("select").counter("asked").value("roles"))
                    .section_with(
                        "own",
                        |s| s.value("views"),
                        |v| {
                            v.set("views", "mine");
                        },
                    )
                    .value("never")
            },
            move |values| {
                let call = counted.fetch_add(1, Ordering::Relaxed) + 1;
                values.set("is-on", true).set("views", 0).set("views", call);
                values.set("permissions.select", Some(2.5)).set("permissions.roles", None::<u64>);
                values.set("secret", 1).set("metrics.views", 1).set("permissions.asked", 1);
                values.set("own.views", "not yours");
            },
        )
        .counter("n");
    let callhome = aggregator(schema);
    let top = Schema::new("s").value("a").section("b", |s| s.value("c"));
    let top = top.filled_by(|values| {
        values.set("a", "constant").set("b.c", 2);
    });
    let top = aggregator(top).flush().unwrap();
    assert_eq!(*top.data(), json!({"a": "constant", "b": {"c": 2}}));
    let data = |call: u64| {
        json!({
            "metrics": {
                "views": call, "is-on": true, "never": null, "own": {"views": "mine"},
                "permissions": {"select": 2.5, "asked": 0, "roles": null},
            },
            "n": 0,
        })
    };
    let undeclared = json!({"undeclared_values": 4});
    for call in 1..=4 {
        let report = if call < 3 { callhome.preview() } else { callhome.flush().unwrap() };
        assert_eq!(*report.data(), data(call));
        assert_eq!(envelope(&report)["losses"], undeclared, "{call}");
        assert!(!report.body().contains("secret"));
    }
    assert_eq!(calls.load(Ordering::Relaxed), 4, "asked once for each report");
}

#[test]
fn a_section_of_a_function_that_panics_is_null_and_says_nothing_half() {
    let schema = Schema::new("s").section_with(
        "metrics",
        |s| s.values(["a", "b"]),
        |values| {
            values.set("a", 1).set("undeclared", 1);
            panic!("half-way");
        },
    );
    let callhome = aggregator(schema);
    for report in [callhome.preview(), callhome.flush().unwrap(), callhome.flush().unwrap()] {
        assert_eq!(report["metrics"], json!({"a": null, "b": null}));
        assert_eq!(envelope(&report)["losses"], json!({"failed_functions": 1}));
    }
}

#[test]
fn a_value_needs_a_function_and_a_function_a_value() {
    let error = |schema: Schema| {
        let error = CallHome::builder(schema).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        error.to_string()
    };
    let lonely = Schema::new("s").section("usage", |s| s.value("views"));
    assert!(error(lonely).contains("`usage.views` is a value that no function gives"));
    let idle = Schema::new("s").section_with("m", |s| s.counter("n"), |_| ());
    assert!(error(idle).contains("`m` has a function to give its values and declares none"));
    let inner = |s: Schema| s.section_with("own", |s| s.value("x"), |_| ());
    let idle = Schema::new("s").counter("n").filled_by(|_| ());
    assert!(error(idle).contains("`the top level` has a function"));
    let idle = Schema::new("s").section_with("m", inner, |_| ());
    assert!(error(idle).contains("`m` has a function"));
}

#[test]
fn a_fact_for_later_is_said_once_and_kept() {
    let schema = Schema::new("s")
        .section("environment", |s| s.fact_later("pg_version").fact_later("is-on"))
        .fact("constant", 1)
        .counter("n");
    let callhome = aggregator(schema);
    let environment = || callhome.flush().unwrap()["environment"].clone();
    assert_eq!(environment(), json!({"pg_version": null, "is-on": null}));
    callhome.set_fact("environment.pg_version", None::<u64>).unwrap();
    callhome.set_fact("environment.pg_version", Fact::text("7043454519337943041")).unwrap();
    callhome.set_fact("environment.pg_version", Fact::text("16.0")).unwrap();
    callhome.set_fact("environment.is-on", false).unwrap();
    let expected = json!({"pg_version": "7043454519337943041", "is-on": false});
    for report in [environment(), callhome.preview()["environment"].clone(), environment()] {
        assert_eq!(report, expected);
    }
    for path in ["environment", "pg_version", "environment.", "constant", "n", ""] {
        let error = callhome.set_fact(path, 1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(&format!("`{path}` is no fact that is said later")));
    }
}
