//! Distinct counts that can be united: over windows, processes and nodes of one cluster, and of none
//! other.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use callhome::sink::{MemorySink, SendError};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, ErrorKind, Page, Report, Schema, Transform};
use metrics::{Counter, counter};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::folder::Folder;

const SECRET: &str = "correct horse battery staple";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn schema() -> Schema {
    Schema::new("shop")
        .cluster_id("cluster")
        .section("usage", |s| s.distinct("clients", "id").mergeable())
}

fn builder() -> Builder {
    CallHome::builder(schema()).sink(MemorySink::new()).opt_out()
}

/// A node of a cluster.
fn node(cluster: &str) -> CallHome {
    builder().cluster_id(cluster).distinct_key(SECRET).build().unwrap()
}

fn see(callhome: &CallHome, values: impl IntoIterator<Item = u32>) {
    metrics::with_local_recorder(callhome.recorder(), || {
        for value in values {
            counter!("usage.clients", "id" => value.to_string()).increment(1);
        }
    });
}

type Registers = BTreeMap<u64, u64>;

/// The registers that are not 0, of either form; none where the field says none.
fn registers(clients: &Value) -> Option<Registers> {
    let pair = |pair: &Value| Some((pair[0].as_u64()?, pair[1].as_u64()?));
    match &clients["registers"] {
        Value::Null => None,
        Value::Array(pairs) => {
            assert!(pairs.len() <= 1024);
            let pairs: Vec<(u64, u64)> = pairs.iter().map(|one| pair(one).unwrap()).collect();
            assert!(pairs.is_sorted_by(|a, b| a.0 < b.0), "{pairs:?}");
            Some(pairs.into_iter().collect())
        }
        Value::String(text) => {
            assert_eq!(text.len(), 16_384);
            let rank = |letter: char| match letter {
                'A'..='Z' => letter as u64 - 65,
                _ => letter as u64 - 71,
            };
            let all = (0..).zip(text.chars().map(rank)).filter(|(_, rank)| *rank > 0);
            Some(all.collect())
        }
        other => panic!("{other}"),
    }
}

fn of(report: &Report) -> Option<Registers> {
    registers(&report["usage"]["clients"])
}

/// What a window with these values says.
fn said(callhome: &CallHome, values: impl IntoIterator<Item = u32>) -> Option<Registers> {
    see(callhome, values);
    of(&callhome.flush().unwrap())
}

fn unite(one: &mut Registers, other: &Registers) {
    for (index, rank) in other {
        let own = one.entry(*index).or_default();
        *own = *rank.max(own);
    }
}

#[test]
fn a_value_has_the_register_that_is_published() {
    let callhome = node("cluster 1");
    see(&callhome, [4711]);
    let preview = callhome.preview();
    let report = callhome.flush().unwrap();
    assert_eq!(report["usage"]["clients"], json!({"count": 1, "registers": [[1389, 4]]}));
    assert_eq!(preview["usage"], report["usage"]);
    let empty = callhome.flush().unwrap();
    assert_eq!(empty["usage"]["clients"], json!({"count": 0, "registers": []}));
}

#[test]
fn many_values_of_several_threads_are_one_text_of_all_registers() {
    let callhome = node("a");
    thread::scope(|scope| {
        for part in 0..4 {
            let callhome = &callhome;
            scope.spawn(move || see(callhome, part * 2000..(part + 2) * 2000));
        }
    });
    let report = callhome.flush().unwrap();
    assert!(report["usage"]["clients"]["registers"].is_string(), "{report}");
    let whole = of(&report).unwrap();
    let mut parts = Registers::new();
    for part in 0..20 {
        unite(&mut parts, &said(&node("a"), part * 500..(part + 1) * 500).unwrap());
    }
    assert_eq!(parts, whole);
    assert!(report["usage"]["clients"]["count"].as_u64().unwrap().abs_diff(10_000) < 600);
}

proptest! {
    // A case is thousands of records.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(8), ..Default::default() })]

    /// However values are spread over nodes, windows and reports that fail and become one.
    #[test]
    fn the_union_of_what_arrives_is_that_of_all_that_was_recorded(
        nodes in proptest::collection::vec(
            proptest::collection::vec((0..1500u32, 0..700u32, any::<bool>()), 1..6),
            1..4,
        ),
    ) {
        let (mut united, mut all) = (Registers::new(), Vec::new());
        let mut most = 0;
        for windows in &nodes {
            let sink = MemorySink::new();
            let builder = CallHome::builder(schema()).opt_out().max_attempts(1).sink(sink.clone());
            let callhome = builder.cluster_id("a").distinct_key(SECRET).build().unwrap();
            for (at, (first, count, arrives)) in windows.iter().enumerate() {
                let values = *first..first + count;
                all.extend(values.clone());
                see(&callhome, values);
                let is_last = at + 1 == windows.len();
                let arrives = *arrives || is_last;
                sink.answer(move |_| if arrives { Ok(()) } else { Err(SendError::retry("down")) });
                let _ = callhome.flush();
            }
            for report in sink.documents() {
                let clients = &report["data"]["usage"]["clients"];
                most = most.max(clients["count"].as_u64().unwrap());
                unite(&mut united, &registers(clients).unwrap());
            }
        }
        prop_assert_eq!(&united, &said(&node("a"), all.iter().copied()).unwrap());
        all.sort_unstable();
        all.dedup();
        prop_assert!(united.len() <= all.len() && most as f64 <= all.len() as f64 * 1.06);
    }
}

#[test]
fn nothing_is_linked_to_another_cluster_field_or_secret() {
    let clients = |callhome: &CallHome| said(callhome, 0..1000).unwrap();
    let first = clients(&node("a"));
    assert_eq!(first, clients(&node("a")));
    let secret = builder().cluster_id("a").distinct_key("another secret of ours");
    let renamed = CallHome::builder(
        Schema::new("store").section("usage", |s| s.distinct("clients", "id").mergeable()),
    );
    let moved = CallHome::builder(Schema::new("shop").section("usage", |s| {
        s.section("clients", |s| s.distinct("x", "id").mergeable().metric("usage.clients"))
    }));
    let moved = moved.cluster_id("a").distinct_key(SECRET).build().unwrap();
    see(&moved, 0..1000);
    let unknown = || {
        let builder = builder().cluster_id_with(|| Ok::<_, ()>(None));
        builder.distinct_key(SECRET).build().unwrap()
    };
    let others = [
        clients(&node("b")),
        clients(&secret.build().unwrap()),
        clients(&renamed.cluster_id("a").distinct_key(SECRET).build().unwrap()),
        registers(&moved.flush().unwrap()["usage"]["clients"]["x"]).unwrap(),
        clients(&builder().cluster_id("a").build().unwrap()), // a random key
        clients(&builder().distinct_key(SECRET).build().unwrap()), // a random id
        clients(&unknown()),
        clients(&unknown()),
    ];
    for (at, other) in others.iter().enumerate() {
        // A register has a value of the other by chance, and one of three has that rank: of 20.
        let same = first.iter().filter(|(index, rank)| other.get(*index) == Some(*rank)).count();
        assert!(same < 60, "{at}: {same}");
        assert!(!others[..at].contains(other));
    }
}

#[test]
fn a_random_key_lasts_as_long_as_the_process() {
    let callhome = builder().build().unwrap();
    let first = said(&callhome, 0..100).unwrap();
    assert_eq!(said(&callhome, 0..100).unwrap(), first);
    callhome.set_enabled(false).unwrap();
    callhome.set_enabled(true).unwrap();
    let second = said(&callhome, 0..100).unwrap();
    assert_ne!(second, first, "whoever comes after a no is somebody else");
    assert_eq!(said(&callhome, 0..100).unwrap(), second);
}

/// Two processes with one id that is replaced after a month.
#[test]
fn a_replaced_id_has_another_key_and_costs_one_window() {
    let (folder, clock) = (Folder::new(), VirtualClock::new());
    let start = || {
        let builder = builder().clock(clock.clone()).distinct_key(SECRET);
        let builder = builder.cluster_id_file(folder.0.join("id")).cluster_id_rotates(30 * DAY);
        builder.build().unwrap()
    };
    let [one, other] = [start(), start()];
    let heartbeat = CallHome::builder(schema()).sink(MemorySink::new()).clock(clock.clone());
    let heartbeat = one.attach(heartbeat).unwrap();
    // Handles that are kept, one of them on a thread of its own.
    let kept: Vec<Counter> = metrics::with_local_recorder(one.recorder(), || {
        (0..50).map(|id: u32| counter!("usage.clients", "id" => id.to_string())).collect()
    });
    let record = || kept.iter().for_each(|handle| handle.increment(1));
    let values = 0..50;

    record();
    let first = of(&one.flush().unwrap()).unwrap();
    assert_eq!(said(&other, values.clone()).unwrap(), first);
    assert_eq!(of(&heartbeat.flush().unwrap()).unwrap(), first);
    record();
    see(&other, values.clone());
    clock.advance(30 * DAY);
    record();
    assert_eq!(of(&one.preview()), Some(first.clone()), "a preview replaces nothing");
    let replaced = one.flush().unwrap();
    assert_eq!(replaced["usage"]["clients"], json!({"count": 50, "registers": null}));
    record();
    let second = of(&one.flush().unwrap()).unwrap();
    // Some may have a register in common.
    assert!(second.len() > 40 && second != first);
    // What shares its id has been told of it by the id that it says, and says nothing beside it
    // that is under the old key.
    assert_eq!(of(&heartbeat.preview()), None);
    let late = heartbeat.flush().unwrap();
    assert_eq!(late["cluster"], replaced["cluster"]);
    assert_eq!(late["usage"]["clients"], json!({"count": 50, "registers": null}));
    assert_eq!(said(&other, values.clone()), None);
    for callhome in [&one, &other, &heartbeat] {
        see(callhome, values.clone());
    }
    assert_eq!(of(&one.flush().unwrap()).unwrap(), second);
    assert_eq!(of(&other.flush().unwrap()).unwrap(), second);
    let all = said(&heartbeat, values).unwrap();
    assert_eq!(all, second, "values of all windows since");
}

#[test]
fn windows_of_two_keys_do_not_become_one_sketch() {
    let (folder, clock, sink) = (Folder::new(), VirtualClock::new(), MemorySink::new());
    let builder = CallHome::builder(schema()).opt_out().max_attempts(1).sink(sink.clone());
    let builder = builder.clock(clock.clone()).distinct_key(SECRET);
    let builder = builder.cluster_id_file(folder.0.join("id")).cluster_id_rotates(30 * DAY);
    let callhome = builder.build().unwrap();
    let down = || sink.answer(|_| Err(SendError::retry("down")));
    let last = || {
        sink.answer(|_| Ok(()));
        callhome.flush().unwrap()["usage"]["clients"].clone()
    };
    down();
    see(&callhome, 0..10);
    assert!(callhome.flush().is_err());
    // An empty window under the new key is merged with one of the old.
    clock.advance(30 * DAY);
    assert_eq!(last(), json!({"count": 10, "registers": null}));
    // An empty one under the old key does no harm.
    down();
    assert!(callhome.flush().is_err());
    clock.advance(30 * DAY);
    let after = last();
    assert_eq!(after, json!({"count": 0, "registers": []}));
    see(&callhome, 0..10);
    // The id is a random one, under which some may have a register in common.
    assert!(last()["registers"].as_array().is_some_and(|registers| registers.len() > 5));
}

#[test]
fn a_key_in_a_file_is_made_once_and_shared() {
    let folder = Folder::new();
    let start =
        || builder().cluster_id("a").distinct_key_file(folder.0.join("key")).build().unwrap();
    let first = said(&start(), 0..100).unwrap();
    let kept = fs::read_to_string(folder.0.join("key")).unwrap();
    assert_eq!(said(&start(), 0..100).unwrap(), first);
    assert_eq!(fs::read_to_string(folder.0.join("key")).unwrap(), kept);
    let given = builder().cluster_id("a").distinct_key(kept.trim()).build().unwrap();
    assert_eq!(said(&given, 0..100).unwrap(), first, "another node may be given it");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(folder.0.join("key")).unwrap().permissions().mode() & 0o7777,
            0o600
        );
    }
    let refused = |path: &Path, kind: ErrorKind| {
        let error = builder().distinct_key_file(path).build().unwrap_err();
        assert_eq!(error.kind(), kind);
        let words = format!("the distinct key file {path:?}");
        assert!(error.to_string().contains(&words), "{error}");
        error.to_string()
    };
    refused(&folder.0.join("missing/key"), ErrorKind::Io);
    fs::write(folder.0.join("key"), "hunter2 hunter2 hunter2").unwrap();
    assert!(!refused(&folder.0.join("key"), ErrorKind::Config).contains("hunter2"));
}

/// It collects whatever the switch says, so that tests of a product do not depend on it.
#[test]
fn one_that_has_nowhere_to_report_to_makes_no_file_after_a_no() {
    let folder = Folder::new();
    let builder = CallHome::builder(schema()).opt_out().setting("--telemetry", Some("off"));
    let builder = builder.cluster_id_file(folder.0.join("id"));
    let callhome = builder.distinct_key_file(folder.0.join("key")).build().unwrap();
    see(&callhome, [1]);
    let report = callhome.flush().unwrap();
    assert!(folder.is_empty());
    assert_eq!(report["usage"]["clients"]["count"], 1);
    assert_eq!(report["usage"]["clients"]["registers"], Value::Null);
}

#[test]
fn a_yes_that_fails_for_its_key_leaves_no_id_that_it_made() {
    for was_kept in [false, true] {
        let folder = Folder::new();
        let id = folder.0.join("id");
        let callhome = builder().cluster_id_file(&id).distinct_key_file(folder.0.join("key"));
        let callhome = callhome.setting("--telemetry", Some("off")).build().unwrap();
        let kept = "0f7ab2f1-93c1-4c0e-9a55-3f1d6b1f1a2e";
        if was_kept {
            fs::write(&id, kept).unwrap();
        }
        fs::write(folder.0.join("key"), "somebody else's").unwrap();
        assert_eq!(callhome.set_enabled(true).unwrap_err().kind(), ErrorKind::Config);
        assert_eq!(fs::read_to_string(&id).ok().as_deref(), was_kept.then_some(kept));
        assert_eq!(fs::read_to_string(folder.0.join("key")).unwrap(), "somebody else's");
        fs::remove_file(folder.0.join("key")).unwrap();
        callhome.set_enabled(true).unwrap();
        assert!(said(&callhome, 0..20).is_some() && id.exists() && folder.0.join("key").exists());
    }
}

#[test]
fn the_file_is_there_only_while_the_switch_says_yes() {
    let folder = Folder::new();
    let off = builder().distinct_key_file(folder.0.join("key")).setting("--telemetry", Some("off"));
    let off = off.build().unwrap();
    off.preview();
    assert!(folder.is_empty());

    let callhome =
        builder().cluster_id("a").distinct_key_file(folder.0.join("key")).build().unwrap();
    let attached = CallHome::builder(schema()).sink(MemorySink::new()).cluster_id("b");
    let attached = callhome.attach(attached).unwrap();
    let kept = metrics::with_local_recorder(
        callhome.recorder(),
        || counter!("usage.clients", "id" => "7"),
    );
    kept.increment(1);
    let secret = fs::read_to_string(folder.0.join("key")).unwrap();
    let first = said(&callhome, 0..20).unwrap();
    callhome.set_enabled(false).unwrap();
    assert!(folder.is_empty());
    kept.increment(1);
    assert_eq!(of(&callhome.preview()), None);
    callhome.set_enabled(true).unwrap();
    assert_ne!(fs::read_to_string(folder.0.join("key")).unwrap(), secret);
    kept.increment(1);
    assert_eq!(of(&callhome.flush().unwrap()).unwrap().len(), 1, "of what came after the yes");
    let second = said(&callhome, 0..20).unwrap();
    assert_ne!(first, second);
    let other = builder().cluster_id("b").distinct_key_file(folder.0.join("key")).build().unwrap();
    see(&attached, 0..20);
    assert_eq!(of(&attached.flush().unwrap()), said(&other, 0..20), "the attached one's own id");

    // One that has ended is reached by a no as well.
    drop(attached);
    callhome.set_enabled(false).unwrap();
    assert!(folder.is_empty());
}

#[test]
fn the_secret_is_long_and_not_shown() {
    for short in ["", "fifteen charact"] {
        let error = builder().distinct_key(short).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("`distinct_key` has fewer than 16"), "{error}");
        assert!(short.is_empty() || !error.to_string().contains(short));
    }
    let callhome = node("a");
    see(&callhome, 0..3);
    let report = callhome.flush().unwrap();
    let shown = format!("{callhome:?} {:?} {report:?}", callhome.status());
    assert!(!shown.contains("horse"), "{shown}");
    let attached = CallHome::builder(schema()).sink(MemorySink::new()).distinct_key(SECRET);
    let error = callhome.attach(attached).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("said to the first report"), "{error}");
}

#[test]
fn too_few_values_are_not_told_apart() {
    let schema = Schema::new("shop").distinct("clients", "id").mergeable();
    let schema = schema.transform(Transform::AtLeast(5)).metric("usage.clients");
    let callhome = CallHome::builder(schema).build().unwrap();
    see(&callhome, 0..4);
    assert_eq!(callhome.flush().unwrap()["clients"], json!({"count": null, "registers": null}));
    see(&callhome, 0..5);
    let report = callhome.flush().unwrap();
    assert_eq!(report["clients"]["count"], 5);
    assert!(registers(&report["clients"]).unwrap().len() > 2);
}

#[test]
fn the_page_says_what_is_given_up() {
    let page = |builder: Builder| {
        let page = Page::new("Shop").why("To know.").retention("A year.");
        builder.to_markdown(&page).unwrap()
    };
    let text = page(builder().cluster_id("a").distinct_key(SECRET));
    for words in [
        "| `clients` | | different values, mergeable: count and registers |",
        "`{\"count\":3,\"registers\":[[",
        "- `usage.clients`: beside the number of different values there are `registers`",
        "comes of a secret that the program knows, and of the id of the installation.",
        "Whoever has the key can test whether a value",
        "that the same unknown value was counted in another report of this installation too",
        "No value can be linked to what another installation counts.",
        "- What is counted in `usage.clients`: values are hashed as they arrive. What is sent",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains("only the number of different ones is sent") && !text.contains(SECRET));
    assert_eq!(text, page(builder().cluster_id("a").distinct_key(SECRET)));
    let text = page(builder().distinct_key_file("/var/lib/shop/key"));
    assert!(text.contains("kept in `/var/lib/shop/key`, and of the id of the installation, which is another at every start."), "{text}");
    assert!(page(builder()).contains("a random secret, new at every start"));
}
