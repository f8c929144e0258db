//! Who a report says it comes from.

mod support;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use callhome::sink::MemorySink;
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, ErrorKind, Report, Schema};
use serde_json::{Value, json};
use support::apart::apart;
use support::folder::Folder;
use support::lines;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn builder() -> Builder {
    let schema = Schema::new("s").cluster_id("id").cluster_id_source("source");
    CallHome::builder(schema.instance_id("instance")).opt_out().sink(MemorySink::new())
}

fn ids(report: &Report) -> [Value; 2] {
    ["id", "source"].map(|name| report[name].clone())
}

/// What the first report of an aggregator says.
fn said(builder: Builder) -> [Value; 2] {
    ids(&builder.build().unwrap().flush().unwrap())
}

#[test]
fn a_report_says_where_its_id_comes_from() {
    assert_eq!(said(builder().cluster_id("Prod-7")), [json!("Prod-7"), json!("given")]);
    let asked = builder().cluster_id_with(|| Ok::<_, ()>(Some("4711".into())));
    assert_eq!(said(asked), [json!("4711"), json!("given")]);
    let folder = Folder::new();
    let [id, source] = said(builder().cluster_id_file(folder.0.join("id")));
    let kept = fs::read_to_string(folder.0.join("id")).unwrap();
    assert_eq!((id, source), (json!(kept.trim()), json!("file")));
    let [id, source] = said(builder());
    assert!(id.is_string() && source == json!("ephemeral"));
    assert_ne!(id, said(builder())[0]);
}

#[test]
fn the_envelope_has_the_ids_that_are_declared_and_no_others() {
    let envelope = |builder: Builder| -> Value {
        let report = builder.build().unwrap().flush().unwrap();
        serde_json::from_str(report.body()).unwrap()
    };
    let given = envelope(builder().cluster_id("Prod-7").instance_id("four"));
    assert_eq!((&given["instance"], &given["installation"]), (&json!("four"), &json!("Prod-7")));
    let library = format!("callhome/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(given["library"], library);
    let folder = Folder::new();
    let kept = envelope(builder().cluster_id_file(folder.0.join("id")));
    assert_eq!(kept["installation"], kept["data"]["id"]);
    assert_eq!(kept["instance"], kept["data"]["instance"]);
    assert!(kept["installation"].is_string() && kept["instance"].is_string(), "{kept}");

    let fleeting = envelope(builder());
    assert!(fleeting["data"]["id"].is_string());
    assert_eq!(fleeting["installation"], Value::Null, "every start would be an installation");
    let unknown = envelope(builder().cluster_id_with(|| Ok::<_, ()>(None)));
    assert_eq!(unknown["installation"], Value::Null);

    let of = |schema: Schema| envelope(CallHome::builder(schema).opt_out().cluster_id("Prod-7"));
    let has =
        |envelope: &Value| ["instance", "installation"].map(|name| envelope.get(name).is_some());
    assert_eq!(has(&of(Schema::new("s").counter("a"))), [false, false]);
    assert_eq!(has(&of(Schema::new("s").instance_id("a"))), [true, false]);
    assert_eq!(has(&of(Schema::new("s").section("a", |s| s.cluster_id("a")))), [false, true]);
}

#[test]
fn ids_that_are_none_are_errors_wherever_the_switch_is() {
    let [longest, longer] = [256, 257].map(|length| "é".repeat(length));
    for builder in [builder, || builder().opt_in()] {
        for (wrong, words) in [
            (builder().cluster_id(&*longer), "`cluster_id` has 257 characters"),
            (builder().cluster_id(" "), "`cluster_id` is empty"),
            (builder().instance_id(&*longer), "`instance_id` has 257 characters"),
            (builder().cluster_id_rotates(30 * DAY), "no id to replace"),
            (builder().cluster_id("a").cluster_id_rotates(30 * DAY), "no id to replace"),
            (builder().cluster_id_file("a").cluster_id_rotates(DAY / 2), "a day at least"),
        ] {
            let error = wrong.build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
    let callhome = builder().cluster_id(&*longest).instance_id(&*longest).build().unwrap();
    let report = callhome.flush().unwrap();
    assert_eq!((&report["id"], &report["instance"]), (&json!(longest), &json!(longest)));
}

#[test]
fn the_application_is_asked_once_and_only_when_it_may_be() {
    let asked = Arc::new(AtomicUsize::new(0));
    let asking = |builder: Builder| {
        let asked = Arc::clone(&asked);
        builder.cluster_id_with(move || {
            Ok::<_, ()>(Some(format!("id-{}", asked.fetch_add(1, Ordering::Relaxed))))
        })
    };
    let callhome = asking(builder().opt_in()).build().unwrap();
    callhome.preview();
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    callhome.set_enabled(true).unwrap();
    (0..3).for_each(|_| assert_eq!(callhome.flush().unwrap()["id"], "id-0"));
    callhome.set_enabled(false).unwrap();
    assert_ne!(callhome.preview()["id"], "id-0");
    callhome.set_enabled(true).unwrap();
    assert_eq!(callhome.flush().unwrap()["id"], "id-1");
    let _ = asking(builder()).build().unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

/// An aggregator may be used while it asks for its id.
#[test]
fn the_function_may_use_the_aggregator() {
    let slot = Arc::new(Mutex::new(None::<Arc<CallHome>>));
    let inner = Arc::clone(&slot);
    let callhome = builder().opt_in().cluster_id_with(move || {
        let callhome = inner.lock().unwrap().clone().unwrap();
        let _ = (callhome.flush(), callhome.preview(), callhome.status());
        Ok::<_, ()>(Some("4711".into()))
    });
    let callhome = Arc::new(callhome.build().unwrap());
    *slot.lock().unwrap() = Some(Arc::clone(&callhome));
    callhome.set_enabled(true).unwrap();
    assert_eq!(callhome.flush().unwrap()["id"], "4711");
    slot.lock().unwrap().take();
}

#[test]
fn an_id_that_cannot_be_had_is_null_and_told_once_without_a_secret() {
    type Ask = fn() -> Result<Option<String>, &'static str>;
    let cases: [(Ask, &[&str]); 5] = [
        (|| Ok(None), &[]),
        (|| Err("db:hunter2@host"), &["WARN the cluster id could not be asked for:"]),
        (|| panic!("hunter2"), &["the function panicked"]),
        (|| Ok(Some(String::new())), &["is empty"]),
        (|| Ok(Some("hunter2".repeat(40))), &["has 280 characters"]),
    ];
    apart("an_id_that_cannot_be_had_is_null_and_told_once_without_a_secret", || {
        lines::keep();
        for (ask, words) in cases {
            let callhome = builder().cluster_id_with(ask).build().unwrap();
            for _ in 0..3 {
                assert_eq!(ids(&callhome.flush().unwrap()), [Value::Null, Value::Null]);
            }
            let lines = lines::taken();
            assert_eq!(lines.len(), words.len(), "{lines:?}");
            assert!(lines.iter().zip(words).all(|(line, words)| line.contains(words)), "{lines:?}");
            assert!(!format!("{lines:?}").contains("hunter2"), "{lines:?}");
        }
    });
}

#[test]
fn a_kept_id_is_replaced_while_the_program_runs() {
    let (folder, clock) = (Folder::new(), VirtualClock::new());
    let start = |file: &Path| {
        let builder = builder().clock(clock.clone()).cluster_id_file(file);
        builder.cluster_id_rotates(30 * DAY).build().unwrap()
    };
    let two = [start(&folder.0.join("id")), start(&folder.0.join("id"))];
    let of = |callhome: &CallHome| callhome.flush().unwrap()["id"].clone();
    let first = of(&two[0]);
    let instance = || two[0].preview()["instance"].clone();
    let process = instance();
    clock.advance(29 * DAY);
    assert_eq!([of(&two[0]), of(&two[1])], [first.clone(), first.clone()]);
    clock.advance(DAY);
    assert_eq!(two[0].preview()["id"], first, "a preview changes nothing");
    assert_eq!(instance(), process);
    let second = of(&two[0]);
    assert_ne!(instance(), process, "it would tell that both are of one installation");
    let process = instance();
    assert_ne!(second, first);
    assert_eq!([of(&two[1]), of(&two[0])], [second.clone(), second.clone()], "one new id");
    assert_eq!(instance(), process);
    clock.advance(30 * DAY);
    let late = start(&folder.0.join("id"));
    assert_eq!(late.preview()["id"], second);
    assert_ne!(of(&late), second, "also by one that starts then");
}

#[test]
fn nothing_is_replaced_when_the_switch_says_no() {
    let (folder, clock) = (Folder::new(), VirtualClock::new());
    let builder = builder().clock(clock.clone()).cluster_id_file(folder.0.join("id"));
    let callhome = builder.cluster_id_rotates(30 * DAY).build().unwrap();
    callhome.set_enabled(false).unwrap();
    assert!(folder.is_empty());
    clock.advance(31 * DAY);
    callhome.tick();
    assert!(callhome.flush().is_err());
    assert!(folder.is_empty());
}
