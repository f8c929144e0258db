//! Declared only: random names, labels and values, and the environment of the process, go through
//! the recorder; reports have the schema's keys and texts and no others, and nothing that was
//! recorded is in a report, a line of the log, a file, an error or what `Debug` shows.
//!
//! `PROPTEST_CASES` says how many lists of records are tried, 100 unless it is set.

#[path = "declared/needles.rs"]
mod needles;
mod support;

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use callhome::sink::{MemorySink, SendError};
use callhome::{Builder, CallHome, Fact, Schema};
use metrics::{Key, Label, Level, Metadata, Recorder, SharedString, Unit};
use needles::MARK;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::Value;
use support::SOON;
use support::apart::apart_with;

/// The metrics that the schema has.
const METRICS: [&str; 10] = [
    "usage.requests",
    "usage.responses",
    "usage.load",
    "usage.rows",
    "usage.depth",
    "usage.clients",
    "usage.kinds",
    "usage.codes",
    "usage.time",
    "errors",
];

/// Label keys and values that it has, but for those of `id`, which are counted and never said.
const LABELS: [(&str, &str); 4] =
    [("status", "ok"), ("status", "failed"), ("id", "lEaK7-4711"), ("kind", "timeout")];

fn schema() -> Schema {
    Schema::new("shop")
        .fact("version", "1.2.3")
        .fact_with("server", || Fact::text("15.4"))
        .fact_with("failing", || -> u64 { panic!("lEaK7") })
        .section("usage", |s| {
            s.counter("requests")
                .section("responses", |s| {
                    s.counter("ok")
                        .metric("usage.responses")
                        .label("status", "ok")
                        .counter("failed")
                        .metric("usage.responses")
                        .label("status", "failed")
                })
                .gauge("load")
                .summary("rows")
                .gauge_summary("depth")
                .distinct("clients", "id")
                .distinct("mergeable", "id")
                .mergeable()
                .metric("usage.clients")
                .series("kinds", |s| s.values("kind", ["timeout"]).others())
                .gauge_series("codes", |s| s.values("status", ["ok", "failed"]).as_object())
                .buckets("time", [0.0, 1.0], |s| s.values("kind", ["timeout"]).others())
                .cumulative()
        })
        .section("errors", |s| s.counter("timeout").metric("errors").label("kind", "timeout"))
        .section_with(
            "given",
            |s| s.value("known"),
            |values| {
                values.set("known", 1).set("lEaK7", "lEaK7");
            },
        )
        .panics("panics", &[("here", "tests/")])
        .instance_id("instance")
        .cluster_id("cluster")
        .cluster_id_source("cluster_source")
}

/// Every path that a report may have.
const PATHS: [&str; 72] = [
    "report_id",
    "instance",
    "installation",
    "sequence",
    "schema_id",
    "library",
    "window_start",
    "window_end",
    "window_seconds",
    "merged",
    "losses",
    "losses.refused_values",
    "losses.undeclared_metrics",
    "losses.mismatched_metrics",
    "losses.failed_functions",
    "losses.undeclared_values",
    "data",
    "data.version",
    "data.server",
    "data.failing",
    "data.usage",
    "data.usage.requests",
    "data.usage.responses",
    "data.usage.responses.ok",
    "data.usage.responses.failed",
    "data.usage.load",
    "data.usage.rows",
    "data.usage.rows.max",
    "data.usage.rows.mean",
    "data.usage.rows.median",
    "data.usage.rows.min",
    "data.usage.rows.mode",
    "data.usage.depth",
    "data.usage.depth.max",
    "data.usage.depth.mean",
    "data.usage.depth.median",
    "data.usage.depth.min",
    "data.usage.depth.mode",
    "data.usage.clients",
    "data.usage.mergeable",
    "data.usage.mergeable.count",
    "data.usage.mergeable.registers",
    "data.usage.kinds",
    "data.usage.kinds.kind",
    "data.usage.kinds.value",
    "data.usage.codes",
    "data.usage.codes.ok",
    "data.usage.codes.failed",
    "data.usage.time",
    "data.usage.time.kind",
    "data.usage.time.greater_than",
    "data.usage.time.sum",
    "data.usage.time.count",
    "data.given",
    "data.given.known",
    "data.errors",
    "data.errors.timeout",
    "data.panics",
    "data.panics.here",
    "data.panics.__other__",
    "data.instance",
    "data.cluster",
    "data.cluster_source",
    "losses.reports_refused",
    "losses.reports_overflowed",
    "losses.reports_expired",
    "losses.reports_set_aside",
    "losses.reports_withdrawn",
    // Of events.
    "event_id",
    "time",
    "data.name",
    "losses.undeclared_events",
];

/// One use of the facade.
#[derive(Clone, Debug)]
struct Record {
    class: u8,
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

/// A text that nobody has declared: characters of any sort around the mark, at times very long.
fn foreign() -> impl Strategy<Value = String> {
    let any = || vec(any::<char>(), 0..12).prop_map(String::from_iter);
    let long = prop_oneof![9 => Just(1usize), 1 => Just(2000)];
    (any(), any(), long)
        .prop_map(|(before, after, times)| format!("{before}{MARK}{after}").repeat(times))
}

/// Nearly `declared`, and marked where it can be told from it.
fn similar(declared: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        Just(declared.to_uppercase()),
        Just(format!("{declared} ")),
        Just(format!("{declared}\0")),
        Just(declared[1..].to_owned()),
        Just(declared.replace('s', "\u{455}")), // the Cyrillic letter that looks alike
        Just(format!("{declared}.{MARK}")),
        Just(format!("{MARK}{declared}")),
    ]
}

fn one_of(texts: Vec<&'static str>) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(texts)
}

/// A text in the place of a declared one.
fn text(declared: Vec<&'static str>, environment: &[String]) -> impl Strategy<Value = String> {
    prop_oneof![
        3 => one_of(declared.clone()).prop_map(str::to_owned),
        2 => one_of(declared).prop_flat_map(similar),
        2 => foreign(),
        1 => proptest::sample::select(environment.to_vec()),
    ]
}

fn records(environment: &[String]) -> impl Strategy<Value = Vec<Record>> {
    let keys = LABELS.map(|(key, _)| key).to_vec();
    let values = LABELS.map(|(_, value)| value).to_vec();
    let label = (text(keys, environment), text(values, environment));
    let numbers = prop_oneof![4 => 0.0..1e6, 1 => any::<f64>()];
    let record = (0..4u8, text(METRICS.to_vec(), environment), vec(label, 0..4), numbers);
    let record =
        record.prop_map(|(class, name, labels, value)| Record { class, name, labels, value });
    vec(record, 1..40)
}

fn record(recorder: &callhome::Recorder, Record { class, name, labels, value }: &Record) {
    let labels: Vec<Label> =
        labels.iter().map(|(key, value)| Label::new(key.clone(), value.clone())).collect();
    let key = Key::from_parts(name.clone(), labels);
    let told = Metadata::new(MARK, Level::INFO, Some(MARK));
    match class {
        0 => recorder.register_counter(&key, &told).increment(*value as u64),
        1 => recorder.register_gauge(&key, &told).set(*value),
        2 => recorder.register_histogram(&key, &told).record(*value),
        _ => {
            let description = SharedString::from(format!("{MARK}{name}"));
            recorder.describe_counter(name.clone().into(), Some(Unit::Bytes), description);
        }
    }
}

/// All that the crate has let be seen.
#[derive(Default)]
struct Seen(Vec<String>);

impl Seen {
    fn shown(&mut self, one: &(impl Debug + Display)) {
        self.debug(one);
        self.0.push(one.to_string());
    }

    fn debug(&mut self, one: &impl Debug) {
        self.0.push(format!("{one:?} {one:#?}"));
    }

    fn error(&mut self, error: &(dyn Error + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.0.push(format!("{error} {error:?} {error:#?}"));
            next = error.source();
        }
    }

    /// Whatever is in the files of a folder.
    fn files(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            self.0.push(entry.file_name().to_string_lossy().into_owned());
            match entry.path().is_dir() {
                true => self.files(&entry.path()),
                false => {
                    self.0.push(String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into())
                }
            }
        }
    }
}

/// The lines of the log.
struct Lines;

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {:?} {}", record.target(), record.module_path(), record.args());
        LINES.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

/// What the envelope says made the report.
const LIBRARY: &str = concat!("callhome/", env!("CARGO_PKG_VERSION"));

/// A report has the schema's paths, and texts that are known or an id.
fn declared(body: &str) -> Result<(), String> {
    fn walk(value: &Value, path: &str, paths: &mut BTreeSet<String>, texts: &mut Vec<String>) {
        match value {
            Value::Object(entries) => entries.iter().for_each(|(name, value)| {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                paths.insert(path.clone());
                walk(value, &path, paths, texts);
            }),
            Value::Array(values) => values.iter().for_each(|value| walk(value, path, paths, texts)),
            Value::String(text) => texts.push(text.clone()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let value = serde_json::from_str(body).map_err(|error| format!("{error}: {body}"))?;
    let (mut paths, mut texts) = (BTreeSet::new(), Vec::new());
    walk(&value, "", &mut paths, &mut texts);
    let stray: Vec<_> = paths.iter().filter(|path| !PATHS.contains(&&***path)).collect();
    let is_id = |text: &str| text.len() == 36 && uuid::Uuid::try_parse(text).is_ok();
    let is_time = |text: &str| text.len() == 27 && text.parse::<jiff::Timestamp>().is_ok();
    let known = ["1.2.3", "15.4", "ephemeral", "timeout", "ok", "__other__", LIBRARY];
    let is_known = |text: &str| known.contains(&text);
    let is_schema = |text: &str| {
        let hash = text.strip_prefix("shop@1+").or_else(|| text.strip_prefix("ran@1+"));
        hash.is_some_and(|hash| hash.len() == 16)
    };
    texts.retain(|text| !(is_id(text) || is_time(text) || is_known(text) || is_schema(text)));
    if stray.is_empty() && texts.is_empty() {
        Ok(())
    } else {
        Err(format!("not declared: {stray:?} {texts:?}"))
    }
}

/// Says of events what their kind does not have, and what it has.
fn events(callhome: &CallHome, sink: &MemorySink, records: &[Record], seen: &mut Seen) {
    let kind = Schema::new("ran").fact("version", "1.2.3").given("name");
    let events = CallHome::builder(Schema::new("events")).event(kind).sink(sink.clone());
    let events = callhome.attach(events).unwrap();
    for Record { name, .. } in records.iter().filter(|record| record.name.contains(MARK)).take(3) {
        let wrong = events.event("ran").set("nobody", Fact::text(&**name)).set("name", 1);
        seen.debug(&wrong);
        seen.error(&wrong.send().unwrap_err());
        let list = events.event("ran").set_list("name", [Fact::text(&**name)]);
        seen.error(&list.send().unwrap_err());
        seen.error(&events.event("ran").set("version", Fact::text(&**name)).send().unwrap_err());
        events.event("ran").set("name", "ok").send().unwrap();
        seen.debug(&events.event("ran").set("name", Fact::text(&**name)));
    }
    seen.shown(&events.preview());
    for _ in 0..2 {
        match events.flush() {
            Ok(report) => seen.shown(&report),
            Err(error) => seen.error(&error),
        }
    }
    seen.shown(&events.status());
    seen.debug(&events);
}

/// Records all of it, and does everything that makes the crate say something.
fn play(records: &[Record], folder: &Path) -> (Seen, Vec<String>) {
    let mut seen = Seen::default();
    let sink = MemorySink::new();
    sink.answer(|attempt| match attempt.attempt() {
        1 => Err(SendError::retry("the receiver is down")),
        _ => Ok(()),
    });
    let builder = |schema: Schema| CallHome::builder(schema).opt_out().sink(sink.clone());
    let mut settings = builder(schema());
    if records.len() % 16 == 0 {
        settings = settings.spool(folder.join("spool")); // slow, for it waits for the disk
    }
    let callhome = settings.build().unwrap();
    let more = callhome.attach(CallHome::builder(schema()).sink(sink.clone())).unwrap();
    records.iter().for_each(|one| record(callhome.recorder(), one));
    for _ in 0..2 {
        match more.flush() {
            Ok(report) => seen.shown(&report),
            Err(error) => seen.error(&error),
        }
    }
    events(&callhome, &sink, records, &mut seen);
    seen.shown(&callhome.preview());
    if let Err(error) = callhome.flush() {
        seen.error(&error);
    }
    seen.files(folder);
    seen.shown(&callhome.status());
    if let Some(error) = callhome.status().last_error() {
        seen.error(error);
    }
    records.iter().for_each(|one| record(callhome.recorder(), one));
    match callhome.flush() {
        Ok(report) => seen.shown(&report),
        Err(error) => seen.error(&error),
    }
    seen.debug(&callhome);
    seen.debug(callhome.recorder());
    seen.debug(&schema());
    seen.debug(&sink);
    seen.shown(callhome.status().switch());
    seen.shown(&callhome.shutdown(SOON));

    // The very reports as lines of the log, and settings that are none.
    let local = builder(schema()).setting("--telemetry", Some("local")).build().unwrap();
    records.iter().for_each(|one| record(local.recorder(), one));
    drop(local.flush());
    seen.shown(&local.status());
    let marked = records.iter().filter(|record| record.name.contains(MARK));
    for Record { name, .. } in marked.take(2) {
        let unknown = builder(schema()).setting("--telemetry", Some(name.clone())).build().unwrap();
        seen.shown(&unknown.status());
        seen.error(&unknown.flush().unwrap_err());
        let long = || name.repeat(300);
        let wrong: [fn(Builder, String) -> Builder; 2] =
            [|builder, id| builder.cluster_id(id), |builder, id| builder.instance_id(id)];
        wrong.iter().for_each(|id| seen.error(&id(builder(schema()), long()).build().unwrap_err()));
        let asked = long();
        let asking =
            builder(schema()).cluster_id_with(move || Ok::<_, String>(Some(asked.clone())));
        seen.shown(&asking.build().unwrap().preview());
    }
    let mut reports: Vec<String> =
        sink.bodies().iter().map(|body| String::from_utf8(body.to_vec()).unwrap()).collect();
    let lines = std::mem::take(&mut *LINES.lock().unwrap());
    let logged = lines.iter().filter(|line| line.starts_with("callhome::report"));
    reports.extend(logged.filter_map(|line| Some(line[line.find('{')?..].to_owned())));
    seen.0.extend(lines);
    seen.0.extend(reports.iter().cloned());
    (seen, reports)
}

/// Plays the records and looks for what must not be seen.
fn check(records: &[Record], environment: &[String], folder: &Path) -> Result<(), String> {
    let (seen, reports) = play(records, folder);
    assert!(reports.len() >= 2 && seen.0.len() > 20, "{reports:?}");
    reports.iter().try_for_each(|report| declared(report))?;
    let own = folder.to_str().unwrap(); // the application has named it
    for text in &seen.0 {
        let text = text.replace(own, "");
        let needle =
            environment.iter().map(|one| &**one).chain([MARK]).find(|one| text.contains(one));
        if let Some(needle) = needle {
            return Err(format!("{needle:?} is in {text}"));
        }
    }
    Ok(())
}

/// Gone after the test.
struct Folder(PathBuf);
impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn only_what_is_declared_leaves_or_is_seen() {
    let secrets = [("SECRET_TOKEN", "lEaK7-token"), ("EMAIL", "lEaK7@example.com")];
    apart_with("only_what_is_declared_leaves_or_is_seen", &secrets, || {
        std::panic::set_hook(Box::new(|_| {})); // the function of the schema panics at each report
        log::set_logger(&Lines).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        let environment = needles::environment();
        assert!(environment.iter().any(|one| one == "lEaK7-token"));
        assert!(
            environment.contains(&std::env::current_dir().unwrap().to_str().unwrap().to_owned())
        );
        let folder = format!("callhome-declared-{}", uuid::Uuid::new_v4());
        let folder = Folder(std::env::temp_dir().join(folder));
        let cases = std::env::var("PROPTEST_CASES").map_or(100, |cases| cases.parse().unwrap());
        let config =
            Config { cases, failure_persistence: None, max_shrink_iters: 500, ..Config::default() };
        let play = |records: Vec<Record>| {
            fs::create_dir(&folder.0).unwrap();
            let checked = check(&records, &environment, &folder.0);
            fs::remove_dir_all(&folder.0).unwrap();
            checked.map_err(proptest::test_runner::TestCaseError::fail)
        };
        if let Err(error) = TestRunner::new(config).run(&records(&environment), play) {
            let told = match error {
                TestError::Fail(reason, records) => format!("{reason}\n{records:#?}"),
                other => other.to_string(),
            };
            eprintln!("{told}");
            std::process::exit(1);
        }
    });
}
