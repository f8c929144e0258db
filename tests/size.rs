//! How many bytes a report has: what it leaves out to have no more than it may, and what those of a
//! real schema have.
//!
//! `cargo test --test size -- --nocapture` prints the sizes that are measured.

#[path = "size/electric.rs"]
mod electric;
#[path = "support/valid.rs"]
#[allow(dead_code)] // a part of it is used
mod valid;

use std::io::Write;

use callhome::sink::{MemorySink, SendError};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, ErrorKind, Figure, Page, Report, Schema};
use flate2::Compression;
use flate2::write::GzEncoder;
use metrics::{counter, histogram, with_local_recorder};
use serde_json::{Value, json};

/// All detail there is, several times.
fn schema() -> Schema {
    let counts = Schema::new("s").distinct("d", "id").mergeable().distinct("e", "id").mergeable();
    ["a", "b", "c"].into_iter().fold(counts, |s, name| {
        let s = s.summary(name).with(Figure::Buckets(1024));
        #[cfg(feature = "hdr")]
        let s = s.with(Figure::Hdr(1.0));
        s.with(Figure::Count)
    })
}

/// All detail of it, in the order in which it goes.
fn order() -> Vec<(&'static str, &'static str)> {
    let of = |key| ["c", "b", "a"].map(|name| (name, key));
    let mut all = of("buckets").to_vec();
    if cfg!(feature = "hdr") {
        all.extend(of("hdr"));
    }
    all.extend(["e", "d"].map(|name| (name, "registers")));
    all
}

/// What a receiver can make little smaller.
fn record(callhome: &CallHome) {
    with_local_recorder(callhome.recorder(), || {
        for name in ["a", "b", "c"] {
            for value in 0..700usize {
                histogram!(name).record_many(value as f64, 1 + value * value * value % 31);
            }
        }
        for id in (0..200).map(|id| id.to_string()) {
            counter!("d", "id" => id.clone()).increment(1);
            counter!("e", "id" => id).increment(1);
        }
    });
}

fn builder(most: usize, bare: bool) -> Builder {
    let builder = CallHome::builder(schema()).sink(MemorySink::new()).opt_out().max_body(most);
    let builder = builder
        .clock(VirtualClock::new())
        .cluster_id("cluster")
        .distinct_key("a key of the cluster");
    if bare { builder.bare() } else { builder }
}

/// What the reports of the schema have at most without detail, as the error says it.
fn bound(bare: bool) -> usize {
    let error = builder(1, bare).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let error = error.to_string();
    assert!(
        error.starts_with("`max_body` is 1 bytes") && error.contains("raise `max_body`"),
        "{error}"
    );
    error.split("may have ").nth(1).unwrap().split(':').next().unwrap().parse().unwrap()
}

/// The detail that is not there.
fn missing(report: &Report) -> Vec<(&'static str, &'static str)> {
    order().into_iter().filter(|(name, key)| report[name][key].is_null()).collect()
}

/// What the envelope, if there is one, says of it.
fn told(report: &Report) -> Value {
    let body: Value = serde_json::from_str(report.body()).unwrap();
    body["losses"]["dropped_details"].clone()
}

/// The report of the same window for which this is the limit, and how much it leaves out.
fn limited(most: usize, bare: bool) -> (usize, usize) {
    let builder = builder(most, bare);
    let valid = valid::validator(&builder.to_json_schema().unwrap());
    let callhome = builder.build().unwrap();
    record(&callhome);
    let preview = callhome.preview();
    assert_eq!(callhome.status().dropped_details(), 0, "looking changes nothing");
    let report = callhome.flush().unwrap();
    let body: Value = serde_json::from_str(report.body()).unwrap();
    assert_eq!(valid::fault(&valid, &body), Ok(()));
    let missing = missing(&report);
    assert_eq!(missing, self::missing(&preview), "what is shown is what is sent");
    assert_eq!(missing, order()[..missing.len()], "{most}");
    assert!(report.body().len() <= most, "{} of {most}", report.body().len());
    assert_eq!(callhome.status().dropped_details(), missing.len() as u64);
    let counted = if bare || missing.is_empty() { Value::Null } else { missing.len().into() };
    assert_eq!(told(&report), counted);
    for name in ["a", "b", "c"] {
        assert_eq!((&report[name]["max"], &report[name]["min"]), (&json!(699), &json!(0)));
        assert!(report[name]["count"].as_u64() > Some(700));
        assert_eq!(report["d"]["count"], 200);
        assert_eq!(report[name]["buckets_error"].is_null(), report[name]["buckets"].is_null());
    }
    (report.body().len(), missing.len())
}

#[test]
fn detail_goes_one_after_the_other_until_the_rest_fits() {
    for bare in [true, false] {
        let least = bound(bare);
        assert!(builder(least, bare).build().is_ok() && builder(least - 1, bare).build().is_err());
        let (mut length, none) = limited(1 << 20, bare);
        assert_eq!((none, limited(length, bare)), (0, (length, 0)), "all that fits is there");
        // One byte less, and one more goes.
        let mut gone = 0;
        while length > least {
            let (shorter, missing) = limited(length - 1, bare);
            assert_eq!(
                (missing, limited(shorter.max(least), bare)),
                (gone + 1, (shorter, missing))
            );
            (length, gone) = (shorter, missing);
        }
        assert!(gone >= if bare { order().len() - 1 } else { 2 }, "{gone}");
    }
}

/// A report goes without it, and the window keeps it.
#[test]
fn a_later_report_has_what_an_earlier_one_had_no_room_for() {
    let sink = MemorySink::new();
    let schema = Schema::new("s").summary("a").with(Figure::Buckets(64));
    let builder = CallHome::builder(schema).sink(sink.clone()).opt_out().bare();
    let callhome = builder.max_attempts(1).max_body(1000).build().unwrap();
    let record = |value: f64| {
        with_local_recorder(callhome.recorder(), || histogram!("a").record(value));
    };
    sink.answer(|_| Err(SendError::retry("down")));
    // Values of many digits, each a pair of its own.
    (0..64).for_each(|at| record(1e6 + f64::from(at) / 7.0));
    assert_eq!(callhome.preview()["a"]["buckets"], Value::Null);
    assert!(callhome.flush().is_err());
    assert_eq!(callhome.status().dropped_details(), 1);
    // One more is one too many for that: now those that are close are one pair.
    record(5.0);
    sink.answer(|_| Ok(()));
    let report = callhome.flush().unwrap();
    assert_eq!(report["a"]["buckets"], json!([[5, 1], [999_936, 64]]));
    assert_eq!((sink.bodies().len(), callhome.status().dropped_details()), (1, 1));
}

/// Null takes as many bytes as what it would stand for.
#[test]
fn what_takes_no_room_is_not_left_out() {
    let schema = ["many", "none", "one"]
        .into_iter()
        .fold(Schema::new("s"), |s, name| s.summary(name).with(Figure::Buckets(1024)));
    let callhome = CallHome::builder(schema).bare().max_body(900).build().unwrap();
    with_local_recorder(callhome.recorder(), || {
        histogram!("one").record(1);
        (0..500).for_each(|value| histogram!("many").record(value));
    });
    let report = callhome.flush().unwrap();
    let buckets = ["none", "one", "many"].map(|name| report[name]["buckets"].clone());
    assert_eq!(buckets, [json!([]), json!([[1, 1]]), Value::Null]);
    assert_eq!(callhome.status().dropped_details(), 1);
}

#[test]
fn the_page_says_what_is_left_out_and_in_which_order() {
    let page = Page::new("Shop").why("To know.").retention("A year.");
    let text = |builder: Builder| builder.to_markdown(&page).unwrap();
    let hdr = if cfg!(feature = "hdr") { ", then `hdr`" } else { "" };
    let order = format!("all `buckets`{hdr}, then `registers`");
    let words = format!(
        "A report has 20000 bytes at most, before compression. Where it would have more, \
        as much of the following is left out as has to be: {order}, that of the last field first."
    );
    let with = text(builder(20_000, false));
    assert!(with.contains(&words) && with.contains("`dropped_details`"), "{with}");
    let bare = text(builder(20_000, true));
    assert!(bare.contains(&words) && !bare.contains("`dropped_details`"), "{bare}");
    let without =
        CallHome::builder(Schema::new("s").summary("a")).sink(MemorySink::new()).opt_out();
    assert!(!text(without).contains("bytes at most"));
}

/// What a receiver gets of Electric's schema, as it is and with detail of every summary.
#[test]
fn a_report_of_a_real_schema_is_as_small_as_the_guide_says() {
    let mut details = vec![("none".to_owned(), None)];
    let buckets = [64, 128, 160, 256].map(Figure::Buckets);
    details.extend(buckets.map(|figure| (format!("`{figure:?}`"), Some(figure))));
    #[cfg(feature = "hdr")]
    details.push(("`Hdr(1.0)`".to_owned(), Some(Figure::Hdr(1.0))));
    let mut sizes = Vec::new();
    for (name, detail) in details {
        let body = electric::report(detail);
        let (size, small) = (body.len() as f64 / 1000.0, gzip(&body) as f64 / 1000.0);
        let row = format!("| {name} | {size:.1} kB | {small:.1} kB |");
        println!("{row}");
        sizes.push((name, size, small, row));
    }
    let of = |name: &str| sizes.iter().find(|size| size.0 == name).unwrap();
    assert!(of("none").1 <= 1.5, "{sizes:?}");
    assert!(of("`Buckets(160)`").2 <= 4.0, "{sizes:?}");
    let guide = include_str!("../docs/guide/numbers.md");
    let missing = sizes.iter().map(|size| &size.3).find(|row| !guide.contains(&***row));
    assert_eq!(missing, None, "not in the guide");
}

fn gzip(body: &str) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.as_bytes()).unwrap();
    encoder.finish().unwrap().len()
}
