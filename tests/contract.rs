//! The JSON Schema of a report: what is sent is valid, and what is not declared is not.
//!
//! `PROPTEST_CASES=10000 cargo test --test contract` tries as many schemas.

#[path = "support/valid.rs"]
mod valid;

use std::time::Duration;

use callhome::sink::{MemorySink, SendError};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, ErrorKind, Fact, Figure, Schema, Series, Transform};
use metrics::{counter, gauge, histogram};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use valid::{fault, objects, validator, with_fewer, with_more};

fn builder(schema: Schema) -> Builder {
    CallHome::builder(schema).sink(MemorySink::new()).opt_out()
}

/// A field of any kind; it is named by its kind and a number.
#[derive(Clone, Debug)]
struct Declared {
    kind: usize,
    transforms: Vec<Transform>,
    figures: Vec<Figure>,
    fact: Fact,
    default: bool,
    sample: Option<f64>,
}

const KINDS: usize = 26;
const METRICS: usize = 4;

impl Declared {
    fn add(&self, s: Schema, at: usize) -> Schema {
        let Declared { kind, transforms, figures, fact, default, sample } = self.clone();
        let name = format!("{kind} {at} \"|<é");
        // In one of few metrics of its kind, so that what is recorded meets a field.
        let fed = |s: Schema, sort: &str| s.metric(format!("{sort}.{}", at % METRICS));
        let s = match kind {
            0 => fed(s.counter(name), "counter"),
            1 => fed(s.gauge(name), "gauge"),
            2 => fed(s.summary(name), "summary"),
            3 => fed(s.gauge_summary(name), "levels"),
            4 => fed(s.distinct(name, "id"), "distinct"),
            5 => s.sampled(name, move || sample).unit("seconds"),
            6 => s.fact_with(name, move || fact.clone()),
            7 => s.uptime(name),
            8 => s.cores(name),
            9 => s.ram(name),
            10 => s.arch(name),
            11 => s.os(name),
            12 => s.instance_id(name),
            13 => s.cluster_id(name),
            14 => s.ci(name),
            15 => fed(s.series(name, labels), "labelled"),
            16 => fed(s.series(name, |s| s.seen("at").at_most(2).as_object()), "labelled")
                .cumulative(),
            17 => fed(s.series(name, |s| s.values("kind", ["a", "b"]).as_object()), "labelled"),
            18 => fed(s.gauge_series(name, labels), "levelled"),
            19 => fed(s.buckets(name, [0.0, 0.5, 1000.0], labels), "bucketed"),
            20 => s.started_at(name),
            21 => s.fact_later(name),
            22 => s.section_with(
                name,
                |s| s.value("given"),
                move |values| {
                    values.set("given", fact.clone());
                },
            ),
            23 => s.reason(name),
            24 => fed(s.distinct(name, "id").mergeable(), "distinct"),
            _ => return s.fact(name, fact),
        };
        let s = if default && matches!(kind, 1 | 3) { s.default(-1.5) } else { s };
        let has_figures = matches!(kind, 2 | 3 | 5);
        let has_detail = has_figures && details().iter().any(|detail| figures.contains(detail));
        let s = if has_figures { figures.into_iter().fold(s, Schema::with) } else { s };
        let version = |transform: &Transform| *transform == Transform::MajorMinor;
        let least = |transform: &Transform| matches!(transform, Transform::AtLeast(_));
        match kind {
            6 | 21 => transforms.into_iter().fold(s, Schema::transform),
            10..=14 | 20 | 22 | 23 => s,
            24 => transforms.into_iter().filter(least).fold(s, Schema::transform),
            _ if has_detail => transforms.into_iter().filter(least).fold(s, Schema::transform),
            _ => transforms.into_iter().filter(|one| !version(one)).fold(s, Schema::transform),
        }
    }
}

/// What summaries say of the samples themselves.
fn details() -> Vec<Figure> {
    vec![
        Figure::Buckets(16),
        #[cfg(feature = "hdr")]
        Figure::Hdr(0.5),
    ]
}

fn labels(series: Series) -> Series {
    series.values("kind", ["a", "b"]).others().seen("at").at_most(2)
}

/// What is recorded: to which metric of which sort, and what.
#[derive(Clone, Debug)]
struct Recorded {
    sort: usize,
    at: usize,
    value: f64,
    id: u8,
}

impl Recorded {
    fn record(&self) {
        let Recorded { sort, at, value, id } = *self;
        match sort {
            0 => counter!(format!("counter.{at}")).increment(value.abs() as u64),
            1 => gauge!(format!("gauge.{at}")).set(value),
            2 => histogram!(format!("summary.{at}")).record(value),
            3 => gauge!(format!("levels.{at}")).set(value),
            4 => counter!(format!("distinct.{at}"), "id" => id.to_string()).increment(1),
            5 => labelled(
                |kind, at_most| {
                    counter!(format!("labelled.{at}"), "kind" => kind, "at" => at_most)
                        .increment(value.abs() as u64)
                },
                id,
            ),
            6 => labelled(
                |kind, at_most| {
                    gauge!(format!("levelled.{at}"), "kind" => kind, "at" => at_most).set(value)
                },
                id,
            ),
            7 => labelled(
                |kind, at_most| {
                    histogram!(format!("bucketed.{at}"), "kind" => kind, "at" => at_most)
                        .record(value)
                },
                id,
            ),
            _ => counter!("nobody.asks").increment(1),
        }
    }
}

/// Records with labels: listed ones, ones that are not, and a long one.
fn labelled(record: impl Fn(String, String), id: u8) {
    let kind = ["a", "b", "c"][usize::from(id % 3)].to_owned();
    record(kind, "\u{1}é".repeat(usize::from(id) % 40));
}

fn values() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::MAX),
        Just(u64::MAX as f64),
        any::<f64>(),
        -1000.0..1000.0f64,
        (0..50u32).prop_map(f64::from),
    ]
}

fn transforms() -> impl Strategy<Value = Vec<Transform>> {
    let one = prop_oneof![
        (1..=15u8).prop_map(Transform::Digits),
        Just(Transform::PowerOfTen),
        Just(Transform::CoarseDuration),
        Just(Transform::MajorMinor),
        (1..20u64).prop_map(Transform::AtLeast),
        select(vec![-2.5, -1.0, 0.0, 0.5, 7.0, 1e6, 1e19]).prop_map(Transform::AtMost),
    ];
    prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(one, 1..4)]
}

fn facts() -> impl Strategy<Value = Fact> {
    prop_oneof![
        Just(Fact::NULL),
        any::<bool>().prop_map(Fact::from),
        any::<i64>().prop_map(Fact::from),
        any::<u64>().prop_map(Fact::from),
        any::<f64>().prop_map(Fact::from),
        ".{0,300}".prop_map(Fact::text),
        Just(Fact::text("15.4 (Debian)")),
        Just(Fact::from(std::time::SystemTime::UNIX_EPOCH)),
    ]
}

fn declared() -> impl Strategy<Value = Declared> {
    let figures = [Figure::Count, Figure::Sum, Figure::Stddev, Figure::Quantile(0.999)];
    let figures = select([&figures[..], &details()].concat());
    let figures =
        prop_oneof![Just(Vec::new()), figures.prop_map(|figure| vec![figure]), Just(details()),];
    let sample = proptest::option::of(values());
    let parts = (0..KINDS, transforms(), figures, facts(), any::<bool>(), sample);
    parts.prop_map(|(kind, transforms, figures, fact, default, sample)| Declared {
        kind,
        transforms,
        figures,
        fact,
        default,
        sample,
    })
}

fn recorded() -> impl Strategy<Value = Recorded> {
    (0..9usize, 0..METRICS, values(), any::<u8>()).prop_map(|(sort, at, value, id)| Recorded {
        sort,
        at,
        value,
        id,
    })
}

proptest! {
    #[test]
    fn what_is_sent_is_valid_and_nothing_else(
        fields in proptest::collection::vec(declared(), 1..12),
        windows in proptest::collection::vec(proptest::collection::vec(recorded(), 0..30), 1..3),
        bare in any::<bool>(),
        pick in any::<prop::sample::Index>(),
    ) {
        let builder = random(&fields, bare);
        let valid = validator(&builder.to_json_schema().unwrap());
        let reports = reports(builder, &windows).documents();
        prop_assert!(!reports.is_empty());
        for report in reports {
            prop_assert_eq!(fault(&valid, &report), Ok(()));

            let mut paths = Vec::new();
            objects(&report, "", &mut paths);
            // An object of the values that come has members that nobody has listed.
            paths.retain(|path| !path.contains("/16 "));
            let path = pick.get(&paths);
            let more = with_more(&report, path);
            prop_assert!(!valid.is_valid(&more), "one more in {}: {}", path, more);
            let fewer = with_fewer(&report, path).filter(|_| !path.ends_with("losses"));
            if let Some(fewer) = fewer {
                prop_assert!(!valid.is_valid(&fewer), "one fewer in {}: {}", path, fewer);
            }
        }
    }
}

proptest! {
    /// However small a report has to be, as long as its schema's largest without detail is no larger.
    #[test]
    fn no_report_is_larger_than_the_largest(
        fields in proptest::collection::vec(declared(), 1..8),
        windows in proptest::collection::vec(proptest::collection::vec(recorded(), 0..60), 1..3),
        bare in any::<bool>(),
    ) {
        let error = random(&fields, bare).max_body(1).build().unwrap_err().to_string();
        let most = error.split("may have ").nth(1).and_then(|rest| rest.split(':').next());
        let most: usize = most.unwrap().parse().unwrap();
        let builder = random(&fields, bare).max_body(most).max_pending_bytes(16 << 20);
        let valid = validator(&builder.to_json_schema().unwrap());
        let sink = reports(builder, &windows);
        for (body, report) in sink.bodies().iter().zip(sink.documents()) {
            prop_assert!(body.len() <= most, "{} of {}: {}", body.len(), most, report);
            prop_assert_eq!(fault(&valid, &report), Ok(()));
        }
    }
}

/// A builder of half of the fields in a section and the others outside.
fn random(fields: &[Declared], bare: bool) -> Builder {
    let (some, rest) = fields.split_at(fields.len() / 2);
    let schema = Schema::new("random")
        .section("first/~", |s| some.iter().enumerate().fold(s, |s, (at, field)| field.add(s, at)));
    let add = |s, (at, field): (usize, &Declared)| field.add(s, some.len() + at);
    let builder = builder(rest.iter().enumerate().fold(schema, add)).max_attempts(1);
    if bare { builder.bare() } else { builder }
}

/// What arrives of these windows. All but the last fail, and are merged with it.
fn reports(builder: Builder, windows: &[Vec<Recorded>]) -> MemorySink {
    let (sink, clock) = (MemorySink::new(), VirtualClock::new());
    let callhome = builder.sink(sink.clone()).clock(clock.clone()).build().unwrap();
    sink.answer(|_| Err(SendError::retry("down")));
    for (at, window) in windows.iter().enumerate() {
        if at + 1 == windows.len() {
            sink.answer(|_| Ok(()));
        }
        metrics::with_local_recorder(callhome.recorder(), || {
            window.iter().for_each(Recorded::record);
        });
        clock.advance(Duration::from_secs(7200));
        let _ = callhome.flush();
    }
    sink
}

#[test]
fn registers_are_of_either_form_or_null() {
    let schema = Schema::new("shop").distinct("clients", "id").mergeable();
    let callhome = builder(schema.clone()).build().unwrap();
    let report = callhome.flush().unwrap();
    let valid = validator(&builder(schema).to_json_schema().unwrap());
    let is_valid = |registers: Value| {
        let mut report: Value = serde_json::from_str(report.body()).unwrap();
        report["data"]["clients"]["registers"] = registers;
        valid.is_valid(&report)
    };
    let text = |letter: char, length| Value::from(letter.to_string().repeat(length));
    let pairs = |count| (0..count).map(|at| json!([at, 1])).collect::<Value>();
    for registers in [
        Value::Null,
        json!([]),
        json!([[0, 1], [16_383, 51]]),
        pairs(1024),
        text('A', 16_384),
        text('z', 16_384),
    ] {
        assert!(is_valid(registers.clone()), "{registers}");
    }
    for registers in [
        json!([[16_384, 1]]),
        json!([[-1, 1]]),
        json!([[0, 0]]),
        json!([[0, 52]]),
        json!([[0.5, 1]]),
        json!([[0]]),
        json!([[0, 1, 1]]),
        json!([0, 1]),
        pairs(1025),
        text('A', 16_383),
        text('A', 16_385),
        text('0', 16_384),
        text('+', 16_384),
        json!(""),
        json!(7),
        json!({}),
        json!(true),
    ] {
        assert!(!is_valid(registers.clone()), "{registers}");
    }
}

#[test]
fn an_installation_without_an_id_is_valid() {
    let schema = Schema::new("shop").cluster_id("id").cluster_id_source("source");
    let builder = builder(schema).cluster_id_with(|| Ok::<_, ()>(None));
    let valid = validator(&builder.to_json_schema().unwrap());
    let report = builder.build().unwrap().flush().unwrap();
    assert!(valid.is_valid(&serde_json::from_str(report.body()).unwrap()), "{report}");
}

/// The changes from one schema to the other.
fn changes(old: Schema, new: Schema) -> callhome::Changes {
    let text = |schema| builder(schema).to_json_schema().unwrap();
    Schema::compare(&text(old), &text(new)).unwrap()
}

#[test]
fn what_receivers_cannot_bear_is_told_by_path() {
    let old = || {
        Schema::new("shop").section("usage", |s| {
            s.counter("orders").summary("rows").with(Figure::Count).gauge("load").default(0.0)
        })
    };
    assert_eq!(changes(old(), old()).to_string(), "");
    let usage = |fields: fn(Schema) -> Schema| {
        let changes = changes(old(), Schema::new("shop").section("usage", fields));
        assert!(changes.is_unannounced());
        changes.breaking().to_vec()
    };
    let gone = usage(|s| s.counter("orders").summary("rows").with(Figure::Count));
    assert_eq!(gone, ["`data.usage.load` is gone"]);
    let figure = usage(|s| s.counter("orders").summary("rows").gauge("load").default(0.0));
    assert_eq!(figure, ["`data.usage.rows.count` is gone"]);
    let null = usage(|s| s.counter("orders").summary("rows").with(Figure::Count).gauge("load"));
    assert_eq!(null, ["`data.usage.load` may be null"]);
    let others = usage(|s| {
        let s = s.gauge("orders").default(0.0).summary("rows").unit("bytes").with(Figure::Count);
        s.transform(Transform::Digits(2)).gauge("load").default(0.0)
    });
    assert_eq!(
        others,
        [
            "`data.usage.orders` may be number",
            "`data.usage.orders` has the kind \"gauge\", and had \"counter\"",
            "`data.usage.orders` has the least value none, and had 0",
            "`data.usage.rows` has the unit \"bytes\", and had none",
            "`data.usage.rows` has the transforms [\"digits 2\"], and had none",
        ]
    );

    let more = changes(
        old(),
        Schema::new("shop").counter("visits").section("usage", |s| {
            s.counter("orders")
                .describe("Orders")
                .summary("rows")
                .with(Figure::Count)
                .with(Figure::Sum)
                .gauge("load")
                .default(0.0)
        }),
    );
    assert_eq!(more.breaking(), [""; 0]);
    assert_eq!(more.compatible(), ["`data.usage.rows.sum` is new", "`data.visits` is new"]);
    assert!(!more.is_unannounced());

    let announced = changes(old(), Schema::new("shop").version(2).counter("a"));
    assert_eq!((announced.versions(), announced.is_unannounced()), ((1, 2), false));
    assert!(announced.to_string().starts_with("breaking: `data.usage` is gone\n"), "{announced}");
    let back = changes(Schema::new("shop").version(2).counter("a"), old());
    assert!(back.is_unannounced());
}

#[test]
fn leaving_the_envelope_out_is_a_change_too() {
    let text = |builder: Builder| builder.to_json_schema().unwrap();
    let schema = || Schema::new("shop").counter("orders");
    let (whole, bare) = (text(builder(schema())), text(builder(schema()).bare()));
    let changes = Schema::compare(&whole, &bare).unwrap();
    assert!(changes.breaking().contains(&"`report_id` is gone".to_owned()), "{changes}");
    for text in ["", "{}", "[]", "{\"x-schema-version\": 1}", &whole[1..]] {
        let error = Schema::compare(text, &whole).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Schema);
        assert!(error.to_string().contains("old schema is no contract"), "{error}");
    }
}

#[test]
fn the_id_in_reports_has_the_name_the_version_and_a_hash() {
    let schema = Schema::new("shop@home").version(7).counter("orders");
    let contract = builder(schema.clone()).to_json_schema().unwrap();
    let contract: Value = serde_json::from_str(&contract).unwrap();
    let sink = MemorySink::new();
    let callhome = CallHome::builder(schema).sink(sink.clone()).opt_out().build().unwrap();
    callhome.flush().unwrap();
    let report = &sink.documents()[0];
    let id = report["schema_id"].as_str().unwrap();
    let (name, version) = id.rsplit_once('@').unwrap();
    let (version, hash) = version.split_once('+').unwrap();
    assert_eq!((name, version, hash.len()), ("shop@home", "7", 16));
    assert_eq!(
        contract["properties"]["schema_id"],
        json!({
            "const": id,
            "description": contract["properties"]["schema_id"]["description"],
        })
    );
}
