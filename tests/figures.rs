//! The figures of a summary on request, and coarser values, from the declaration to the report.

use std::time::{Duration, SystemTime};

use callhome::{CallHome, Fact, Figure, Schema, Transform};
use metrics::{counter, gauge, histogram};

fn asked(schema: Schema) -> Schema {
    schema
        .with(Figure::Quantile(0.999))
        .with(Figure::Count)
        .with(Figure::Stddev)
        .with(Figure::Sum)
        .with(Figure::Quantile(0.5))
        .with(Figure::Quantile(0.07))
}

#[test]
fn figures_follow_the_five_in_the_order_asked() {
    let schema = Schema::new("shop").section("usage", |s| {
        let s = asked(s.summary("latency"));
        let s = asked(s.gauge_summary("load"));
        let s = asked(s.sampled("memory", || 7));
        s.summary("plain").summary("one").with(Figure::Sum)
    });
    let t = CallHome::builder(schema).build().unwrap();
    metrics::with_local_recorder(t.recorder(), || {
        (1..=100).for_each(|n| histogram!("usage.latency").record(f64::from(n)));
        gauge!("usage.load").set(9.0);
        gauge!("usage.load").set(0.5);
        histogram!("usage.one").record(0.25);
    });
    let body = t.flush().unwrap().body().to_owned();
    let shown = |text: &str| assert!(body.contains(text), "{text} is not in {body}");
    shown(concat!(
        r#""latency":{"max":100,"mean":50.5,"median":50.5,"min":1,"mode":1,"#,
        r#""p99.9":100,"count":100,"stddev":29.011491975882016,"sum":5050,"p50":50,"p7":7}"#,
    ));
    // The peak between two samples is in `max`; all else is about the one sample.
    shown(concat!(
        r#""load":{"max":9,"mean":0.5,"median":0.5,"min":0.5,"mode":0.5,"#,
        r#""p99.9":0.5,"count":1,"stddev":0.0,"sum":0.5,"p50":0.5,"p7":0.5}"#,
    ));
    shown(concat!(
        r#""memory":{"max":7,"mean":7.0,"median":7,"min":7,"mode":7,"#,
        r#""p99.9":7,"count":1,"stddev":0.0,"sum":7,"p50":7,"p7":7}"#,
    ));
    shown(r#""plain":{"max":0,"mean":0.0,"median":0,"min":0,"mode":null}"#);
    shown(r#""one":{"max":0.25,"mean":0.25,"median":0.25,"min":0.25,"mode":0.25,"sum":0.25}"#);

    let body = t.flush().unwrap().body().to_owned();
    let empty = concat!(
        r#""latency":{"max":0,"mean":0.0,"median":0,"min":0,"mode":null,"#,
        r#""p99.9":0,"count":0,"stddev":0.0,"sum":0,"p50":0,"p7":0}"#,
    );
    assert!(body.contains(empty), "{body}");
}

#[test]
fn buckets_are_pairs_that_add_up() {
    let schema = Schema::new("shop").summary("rows").with(Figure::Buckets(16));
    let t = CallHome::builder(schema).build().unwrap();
    let window = |values: &[f64]| {
        metrics::with_local_recorder(t.recorder(), || {
            values.iter().for_each(|value| histogram!("rows").record(*value));
        });
        t.flush().unwrap()["rows"].clone()
    };
    let rows = window(&[]);
    assert_eq!(
        (rows["buckets"].to_string(), rows["buckets_error"].to_string()),
        ("[]".into(), "0".into())
    );
    let rows = window(&[2.5, -1.0, 2.5, 7.0]);
    assert_eq!(rows["buckets"].to_string(), "[[-1,1],[2.5,2],[7,1]]");
    assert_eq!(rows["buckets_error"], 0);
    let values: Vec<f64> = (1..=100).map(f64::from).collect();
    let rows = window(&values);
    assert!(rows["buckets"].as_array().unwrap().len() <= 16);
    assert_eq!(rows["buckets_error"], 0.25); // two for each power of two
}

#[cfg(feature = "hdr")]
#[test]
fn a_histogram_has_its_resolution_beside_it() {
    let schema = Schema::new("shop").summary("time").with(Figure::Hdr(0.001)).summary("rows");
    let t = CallHome::builder(schema.with(Figure::Hdr(1.0))).build().unwrap();
    metrics::with_local_recorder(t.recorder(), || {
        histogram!("time").record(0.25);
        histogram!("rows").record(-1.0);
    });
    let report = t.flush().unwrap();
    // The wire format's own mark, in base64.
    assert!(report["time"]["hdr"].as_str().unwrap().starts_with("HISTF"), "{report}");
    assert_eq!(report["time"]["hdr_resolution"], 0.001);
    let nothing = r#""mode":-1,"hdr":null,"hdr_resolution":1}"#;
    assert!(report.body().contains(nothing), "{report}");
    // No samples are a histogram as well, one that adds nothing.
    let report = t.flush().unwrap();
    assert!(report["rows"]["hdr"].as_str().unwrap().starts_with("HISTF"), "{report}");
}

#[cfg(feature = "hdr")]
#[test]
fn a_histogram_that_cannot_be_is_an_error_of_build() {
    let error = |schema: Schema| CallHome::builder(schema).build().err().unwrap().to_string();
    let summary = || Schema::new("shop").summary("a");
    for resolution in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY] {
        let message = error(summary().with(Figure::Hdr(resolution)));
        let expected = format!("`a` has `hdr` with the resolution {resolution}: give");
        assert!(message.contains(&expected), "{message}");
    }
    let twice = summary().with(Figure::Hdr(1.0)).with(Figure::Hdr(0.1));
    assert!(error(twice).contains("`a` has `hdr` twice"));
    let coarse = summary().with(Figure::Hdr(1.0)).transform(Transform::Digits(2));
    assert!(error(coarse).contains("`a` has `hdr`, to which `digits 2` does not apply"));
    let id = |resolution| {
        let t = CallHome::builder(summary().with(Figure::Hdr(resolution))).build().unwrap();
        let report = t.flush().unwrap();
        let report: serde_json::Value = serde_json::from_str(report.body()).unwrap();
        report["schema_id"].clone()
    };
    assert_ne!(id(1.0), id(0.1), "who adds histograms up has to tell them apart");
    let few = summary().with(Figure::Hdr(1.0)).transform(Transform::AtLeast(2));
    assert_eq!(
        CallHome::builder(few).build().unwrap().flush().unwrap()["a"],
        serde_json::Value::Null
    );
}

/// More distinct values than are kept apart: quantiles and deviation come from the sketch.
#[test]
fn figures_of_many_distinct_values_are_close() {
    let t = CallHome::builder(asked(Schema::new("shop").summary("rows"))).build().unwrap();
    metrics::with_local_recorder(t.recorder(), || {
        (1..=100_000).for_each(|n| histogram!("rows").record(f64::from(n)));
    });
    let report = t.flush().unwrap();
    let rows = &report["rows"];
    assert_eq!(rows["count"], 100_000);
    assert_eq!(rows["sum"], 5_000_050_000u64);
    let stddev = (1e5f64 * (1e5 + 1.0) / 12.0).sqrt();
    for (key, expected) in [("p99.9", 99_900.0), ("p50", 5e4), ("p7", 7e3), ("stddev", stddev)] {
        let actual = rows[key].as_f64().unwrap();
        assert!((actual - expected).abs() <= expected / 1000.0, "{key} {actual}");
    }
}

#[test]
fn what_cannot_be_shown_is_an_error_of_build() {
    let error = |schema: Schema| CallHome::builder(schema).build().err().unwrap().to_string();
    let summary = || Schema::new("shop").summary("a");
    let coarse = summary().transform(Transform::Digits(2)).with(Figure::Buckets(64));
    assert!(error(coarse).contains("`a` has `buckets`, to which"));
    let twice = summary().with(Figure::Buckets(64)).with(Figure::Buckets(32));
    assert!(error(twice).contains("`a` has `buckets` twice"));
    for most in [0, 15, 1025] {
        let message = error(summary().with(Figure::Buckets(most)));
        assert!(message.contains(&format!("`a` has {most} buckets")), "{message}");
    }
    let nan = Schema::new("shop").section("s", |s| s.summary("a").with(Figure::Quantile(f64::NAN)));
    assert!(error(nan).contains("`s.a` has the quantile NaN"));
    let counter = Schema::new("shop").counter("orders").with(Figure::Sum);
    assert!(error(counter).contains("`orders` is a counter and has no `sum`"));
}

#[test]
fn values_are_made_coarser_when_they_are_said_and_not_before() {
    use Transform::*;
    let schema = Schema::new("shop")
        .fact_with("server", || Fact::text("15.4 (Debian)"))
        .transform(MajorMinor)
        .fact("since", SystemTime::UNIX_EPOCH + Duration::from_micros(1_695_134_445_972_021))
        .fact("rows", 123_456)
        .transform(PowerOfTen)
        .counter("orders")
        .transform(Digits(1))
        .gauge("load")
        .transform(AtMost(1.0))
        .distinct("customers", "id")
        .transform(AtLeast(3))
        .summary("few")
        .transform(AtLeast(3))
        .summary("many")
        .with(Figure::Count)
        .transform(AtLeast(3))
        .transform(Digits(2));
    let t = CallHome::builder(schema).bare().build().unwrap();
    metrics::with_local_recorder(t.recorder(), || {
        counter!("orders").increment(14);
        gauge!("load").set(1.5);
        counter!("customers", "id" => "a").increment(1);
        counter!("customers", "id" => "b").increment(1);
        histogram!("few").record(7);
        [111, 222, 336].iter().for_each(|n| histogram!("many").record(*n));
        counter!("orders").increment(2); // each alone would be 10 and 2
    });
    let report = t.flush().unwrap();
    assert_eq!(
        report.body(),
        concat!(
            r#"{"server":"15.4","since":"2023-09-19T14:40:45.972021Z","rows":100000,"orders":20,"#,
            r#""load":1,"customers":null,"few":null,"#,
            r#""many":{"max":340,"mean":220.0,"median":220,"min":110,"mode":110,"count":3}}"#,
        )
    );
}
