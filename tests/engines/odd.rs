//! Names and values that an engine might not like.

use callhome::sink::MemorySink;
use callhome::{Builder, CallHome, Fact, Figure, Schema, Transform};
use metrics::{counter, gauge, histogram};

use super::engine::Engine;

const NAMES: [&str; 16] = [
    "select",
    "object 1",
    "fault",
    "Orders",
    "orders",
    "a b",
    "\"; drop table t; --",
    "'quoted'",
    "`ticked`",
    "back\\slash",
    "$body$ $xbody$ $1 ${x} {x:UInt8}",
    "é😀ß",
    "report_id",
    "line",
    "xmin",
    "a name that is much longer than sixty-three bytes, as PostgreSQL's may not be, 1",
];

fn schema() -> Schema {
    let counters = |s: Schema| NAMES.iter().fold(s, |s, name| s.counter(*name).describe(*name));
    let long =
        |at: usize| format!("{}{at}", "a name that is much longer than they may be ".repeat(4));
    counters(Schema::new("odd's \"schema\" \\"))
        .section("it's \\ \"", counters)
        .section("a", |s| s.counter("b_c"))
        .section("a_b", |s| s.counter("c"))
        .section("long", |s| (0..20).fold(s, |s, at| s.counter(long(at))))
        .section("values", |s| {
            s.fact_with("text", || {
                Fact::text("tab\t line\n quote' \" back\\ \\u0000 nul\0 é😀 $body$")
            })
            .fact_with("most", || u64::MAX)
            .fact_with("least", || i64::MIN)
            .fact("constant", i64::MIN)
            .fact("huge", u64::MAX)
            .fact_with("nothing", || Fact::NULL)
            .fact_with("time", std::time::SystemTime::now)
            .counter("counter")
            .gauge("largest")
            .gauge("smallest")
            .gauge("unset")
            .summary("extremes")
            .with(Figure::Stddev)
            .with(Figure::Sum)
            .summary("none")
            .with(Figure::Count)
            .summary("wide")
            .with(Figure::Buckets(1024))
            .summary("spread")
            .with(Figure::Buckets(1024))
            .summary("hidden")
            .transform(Transform::AtLeast(10))
            .counter("rounded")
            .transform(Transform::Digits(1))
            .series("seen", |s| s.seen("it's \\ \"").as_object())
            .series("listed", |s| s.values("k", ["'", "\\", "\"", "\0", ""]).others().as_object())
            .series("rows", |s| s.values("a b", ["'", "\\", "\0"]).seen("\"").at_most(9))
            .panics("panics", &[("here", "src/")])
            .distinct("several", "id")
            .mergeable()
            .distinct("many", "id")
            .mergeable()
            .distinct("some", "id")
            .mergeable()
            .transform(Transform::AtLeast(10))
        })
        .section("hdr", hdr)
}

/// A histogram that is there and one that cannot be.
#[cfg(feature = "hdr")]
fn hdr(s: Schema) -> Schema {
    s.summary("there").with(Figure::Hdr(0.5)).summary("none").with(Figure::Hdr(0.5))
}

#[cfg(not(feature = "hdr"))]
fn hdr(s: Schema) -> Schema {
    s.counter("there")
}

fn record() {
    for (at, name) in NAMES.iter().enumerate() {
        counter!(*name).increment(at as u64 + 1);
        counter!(format!("it's \\ \".{name}")).increment(at as u64 + 101);
    }
    counter!("a.b_c").increment(7);
    counter!("a_b.c").increment(8);
    for _ in 0..3 {
        counter!("values.counter").increment(u64::MAX);
        counter!("values.rounded").increment(u64::MAX);
    }
    gauge!("values.largest").set(f64::MAX);
    gauge!("values.smallest").set(-5e-324);
    for value in [f64::MAX, f64::MIN, 0.1, 5e-324] {
        histogram!("values.extremes").record(value);
    }
    histogram!("values.hidden").record(1.0);
    for id in 0..2000 {
        counter!("values.many", "id" => id.to_string()).increment(1);
    }
    for id in 0..7 {
        counter!("values.several", "id" => id.to_string()).increment(1);
        counter!("values.some", "id" => id.to_string()).increment(1);
    }
    histogram!("hdr.there").record(7.0);
    histogram!("hdr.none").record(-7.0);
    for label in ["'", "\\", "\"", "\0", "", "é", "\u{1}\n\t", "$body$"] {
        counter!("values.seen", "it's \\ \"" => label).increment(1);
        counter!("values.listed", "k" => label).increment(1);
        counter!("values.rows", "a b" => label, "\"" => label).increment(1);
    }
}

fn builder(sink: &MemorySink) -> Builder {
    CallHome::builder(schema()).sink(sink.clone()).opt_out().max_body(45_000)
}

pub(crate) fn check(engine: &dyn Engine) {
    let sink = MemorySink::new();
    let table = "odd's \"table\" \\ $body$";
    engine.create(&builder(&sink), table);
    let callhome = builder(&sink).build().unwrap();
    metrics::with_local_recorder(callhome.recorder(), record);
    callhome.flush().unwrap();
    callhome.flush().unwrap();
    // One that has no room for all of its buckets.
    metrics::with_local_recorder(callhome.recorder(), || {
        for value in (0..1000).map(|at| 1e300 / f64::from(at * 7 + 1)) {
            histogram!("values.wide").record(value);
            histogram!("values.spread").record(value);
        }
    });
    callhome.flush().unwrap();
    let bodies = sink.bodies();
    let lines: Vec<String> =
        bodies.iter().map(|body| String::from_utf8(body.to_vec()).unwrap()).collect();
    let quoted = |part: &str| match engine.is_postgres() {
        true => format!("\"{}{part}\"", table.replace('"', "\"\"")),
        false => format!("`{}{part}`", table.replace('\\', "\\\\")),
    };
    for line in &lines {
        let line = line.replace('\\', if engine.is_postgres() { "\\" } else { "\\\\" });
        let text =
            if engine.is_postgres() { line.replace('\'', "''") } else { line.replace('\'', "\\'") };
        engine.rows(&format!("INSERT INTO {} (line) VALUES ('{text}')", quoted("_lines")));
    }
    let faults = engine.rows(&format!("SELECT reason FROM {}", quoted("_rejected")));
    assert!(faults.is_empty(), "{faults:?}");
    // Both engines have the columns in one order, whatever they are called.
    let all = engine.rows(&format!("SELECT * FROM {} WHERE sequence = 1", quoted("_current")));
    let counts: Vec<&str> = all[0].iter().map(String::as_str).collect();
    let first = counts.iter().position(|value| *value == "2").expect("the second name's");
    let count = NAMES.len();
    let own: Vec<String> = (1..=count).map(|at| at.to_string()).collect();
    assert_eq!(counts[first - 1..first - 1 + count], own);
    let others: Vec<String> = (101..=100 + count).map(|at| at.to_string()).collect();
    assert_eq!(counts[first - 1 + count..first - 1 + 2 * count], others);
    assert_eq!(counts[first - 1 + 2 * count..][..2], ["7", "8"]);

    let same_of = |sequence: u64, condition: &str| {
        let sql = format!(
            "SELECT count(*) FROM {} WHERE sequence = {sequence} AND {condition}",
            quoted("_current")
        );
        assert_eq!(engine.rows(&sql), [["1"]], "{condition}");
    };
    let same = |condition: &str| same_of(1, condition);
    same("values_counter = 18446744073709551615");
    same("values_huge = 18446744073709551615 AND values_constant = -9223372036854775808");
    same("values_most = '18446744073709551615' AND values_least = '-9223372036854775808'");
    same("values_largest = 1.7976931348623157e308 AND values_smallest = -5e-324");
    same("values_unset IS NULL AND values_nothing IS NULL AND values_hidden_max IS NULL");
    same("values_rounded = 2e19");
    same(
        "values_extremes_max = 1.7976931348623157e308 AND values_extremes_min = -1.7976931348623157e308",
    );
    same("values_extremes_median BETWEEN 0.04999 AND 0.05001 AND values_none_mode IS NULL");
    same("values_listed___other__ = 3 AND values_none_count = 0");
    same(
        "values_several_count = 7 AND values_some_count IS NULL AND values_some_registers IS NULL",
    );
    same(match engine.is_postgres() {
        true => {
            "jsonb_typeof(values_several_registers) = 'array' \
             AND char_length(values_many_registers #>> '{}') = 16384"
        }
        false => "values_several_registers LIKE '[[%' AND length(values_many_registers) = 16386",
    });
    let (text, length) = match engine.is_postgres() {
        true => (r#"e'tab\t line\n quote\' " back\\ \\u0000 nul\ufffd é😀 $body$'"#, "cardinality"),
        false => (r#"'tab\t line\n quote\' " back\\ \\u0000 nul\0 é😀 $body$'"#, "length"),
    };
    same(&format!("values_text = {text}"));
    #[cfg(feature = "hdr")]
    same("hdr_there_hdr LIKE 'HISTF%' AND hdr_none_hdr IS NULL AND hdr_none_hdr_resolution = 0.5");
    same(&format!("{length}(values_seen_name) = 8 AND {length}(values_seen_value) = 8"));
    let (pairs, error) = ("values_spread_buckets_value", "values_spread_buckets_error");
    same(&format!("{length}({pairs}) = 0 AND {error} = 0 AND losses_dropped_details = 0"));
    let without = format!("{length}({pairs}) = 0 AND {error} IS NULL");
    same_of(3, &format!("{without} AND {length}(values_wide_buckets_value) > 900"));
    same_of(3, "losses_dropped_details = 1 AND values_spread_max = 1e300");
}
