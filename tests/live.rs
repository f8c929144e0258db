//! Reporting switched off and on while the program runs.

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use callhome::sink::{MemorySink, SendError};
use callhome::{Builder, CallHome, ErrorKind, Mode, Schema};
use metrics::{counter, gauge, histogram};
use serde_json::Value;
use support::SOON;
use support::apart::{apart, apart_with, has_threads, threads};
use support::folder::Folder;

fn schema() -> Schema {
    Schema::new("s").counter("n").gauge("g").summary("x").distinct("d", "id").cluster_id("cluster")
}

fn record(callhome: &CallHome) {
    metrics::with_local_recorder(callhome.recorder(), || {
        counter!("n").increment(1);
        gauge!("g").set(7);
        histogram!("x").record(7);
        counter!("d", "id" => "a").increment(1);
    });
}

fn builder(sink: &MemorySink) -> Builder {
    CallHome::builder(schema()).sink(sink.clone()).opt_out()
}

#[test]
fn what_was_recorded_before_and_while_off_is_never_reported() {
    let sink = MemorySink::new();
    let callhome = builder(&sink).build().unwrap();
    let kept = metrics::with_local_recorder(callhome.recorder(), || {
        (counter!("n"), gauge!("g"), histogram!("x"))
    });
    let keep_recording = || {
        kept.0.increment(1);
        kept.1.set(1);
        kept.2.record(1);
    };
    record(&callhome);
    let decision = callhome.set_enabled(false).unwrap();
    assert_eq!(decision.to_string(), "telemetry: off (switched off while running)");
    assert_eq!(callhome.flush().unwrap_err().kind(), ErrorKind::Off);
    record(&callhome);
    keep_recording();
    assert_eq!(callhome.set_enabled(true).unwrap().mode(), Mode::On);

    callhome.flush().unwrap();
    let [report] = &sink.documents()[..] else { panic!("one report") };
    let data = &report["data"];
    assert_eq!((&data["n"], &data["g"], &data["d"]), (&0.into(), &Value::Null, &0.into()));
    assert_eq!((&data["x"]["mode"], &report["sequence"]), (&Value::Null, &1.into()));
    record(&callhome);
    keep_recording();
    let report = callhome.flush().unwrap();
    assert_eq!((&report["n"], &report["g"], &report["d"]), (&2.into(), &1.into(), &1.into()));
    assert_eq!(report["x"]["max"], 7);
}

#[test]
fn off_takes_back_what_waits_the_spool_and_the_id() {
    let (folder, sink) = (Folder::new(), MemorySink::new());
    sink.answer(|_| Err(SendError::retry("down")));
    let id = folder.0.join("id");
    let callhome =
        builder(&sink).spool(folder.0.join("spool")).cluster_id_file(&id).build().unwrap();
    record(&callhome);
    assert!(callhome.flush().is_err());
    assert_eq!(
        (callhome.status().pending(), folder.files().len()),
        (1, 3),
        "a report, its lock, an id"
    );
    let before = callhome.preview()["cluster"].clone();

    callhome.set_enabled(false).unwrap();
    assert_eq!(folder.files(), Vec::<PathBuf>::new());
    let status = callhome.status();
    assert_eq!((status.pending(), status.losses()), (0, vec![("reports_withdrawn", 1)]));

    sink.answer(|_| Ok(()));
    callhome.set_enabled(true).unwrap();
    callhome.flush().unwrap();
    let [report] = &sink.documents()[..] else { panic!("one report") };
    assert_eq!(report["losses"], serde_json::json!({}), "nothing of before");
    assert_ne!(report["data"]["cluster"], before);
    assert_eq!(fs::read_to_string(id).unwrap().trim(), report["data"]["cluster"].as_str().unwrap());
}

#[test]
fn the_answer_of_an_attempt_from_before_settles_nothing_of_now() {
    let sink = MemorySink::new();
    let ((sent, sends), (go, gate)) = (mpsc::channel(), mpsc::channel::<()>());
    let (sent, gate) = (Mutex::new(sent), Mutex::new(gate));
    sink.answer(move |_| {
        let _ = sent.lock().unwrap().send(());
        let _ = gate.lock().unwrap().recv();
        Ok(())
    });
    let callhome = Arc::new(builder(&sink).build().unwrap());
    let other = Arc::clone(&callhome);
    let flush = std::thread::spawn(move || other.flush().map(drop));
    sends.recv_timeout(SOON).unwrap();
    callhome.set_enabled(false).unwrap();
    callhome.set_enabled(true).unwrap();
    drop(go);
    let error = flush.join().unwrap().unwrap_err();
    assert!(error.to_string().contains("switched off"), "{error}");
    assert_eq!(callhome.status().accepted(), 0);
    callhome.flush().unwrap();
    assert_eq!(callhome.status().accepted(), 1);
}

#[test]
fn an_operator_is_stronger_than_the_program() {
    let variables = [("SHOP_TELEMETRY", "off")];
    apart_with("an_operator_is_stronger_than_the_program", &variables, || {
        let sink = MemorySink::new();
        let callhome = builder(&sink).switch("SHOP_TELEMETRY").install().unwrap();
        let error = callhome.set_enabled(true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Off);
        assert!(error.to_string().contains("SHOP_TELEMETRY=off"), "{error}");
        assert!(threads().is_empty());
        counter!("n").increment(1);
        assert_eq!(callhome.preview()["n"], 0);
    });
}

#[test]
fn an_opt_in_begins_when_it_is_given_and_ends_when_it_is_taken_back() {
    apart("an_opt_in_begins_when_it_is_given_and_ends_when_it_is_taken_back", || {
        let sink = MemorySink::new();
        let callhome = CallHome::builder(schema()).sink(sink.clone()).opt_in().install().unwrap();
        counter!("n").increment(1);
        assert!(threads().is_empty());
        callhome.set_enabled(true).unwrap();
        has_threads(&["callhome"]);
        counter!("n").increment(2);
        assert_eq!(callhome.flush().unwrap()["n"], 2);
        callhome.set_enabled(false).unwrap();
        assert_eq!(callhome.status().next_report(), None);
        has_threads(&[]);
        counter!("n").increment(4);
        callhome.set_enabled(true).unwrap();
        counter!("n").increment(8);
        assert_eq!(callhome.flush().unwrap()["n"], 8);
        let end = callhome.shutdown(SOON);
        assert_eq!((end.accepted(), end.lost()), (1, 0));
        assert_eq!(callhome.set_enabled(true).unwrap_err().kind(), ErrorKind::Usage);
    });
}

#[test]
fn nothing_is_collected_before_the_notice_was_shown() {
    let sink = MemorySink::new();
    let callhome = builder(&sink).notice_first().build().unwrap();
    assert_eq!(callhome.status().to_string(), "telemetry: off (the notice was not shown yet)");
    record(&callhome);
    assert_eq!(callhome.set_enabled(true).unwrap_err().kind(), ErrorKind::Off);
    assert_eq!(callhome.notice_shown().unwrap().mode(), Mode::On);
    record(&callhome);
    assert_eq!(callhome.flush().unwrap()["n"], 1);
}

#[test]
fn local_writes_the_very_reports_and_sends_none() {
    let folder = Folder::new();
    let (sink, file) = (MemorySink::new(), folder.0.join("reports"));
    let callhome =
        builder(&sink).setting("--telemetry", Some("local")).local_file(&file).build().unwrap();
    assert_eq!(callhome.status().to_string(), "telemetry: local (--telemetry=local)");
    record(&callhome);
    let report = callhome.flush().unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{report}\n"));
    assert_eq!(sink.attempts(), 0);

    callhome.set_enabled(true).unwrap();
    callhome.flush().unwrap();
    assert_eq!(sink.attempts(), 1);
    assert_eq!(sink.documents()[0]["data"]["n"], 0, "what was local stays local");
}

#[test]
fn a_file_that_says_no_is_heeded_before_the_next_attempt() {
    let (folder, sink) = (Folder::new(), MemorySink::new());
    let config = folder.0.join("config.json");
    fs::write(&config, r#"{"telemetry": true}"#).unwrap();
    let callhome = builder(&sink).config_file(&config, "telemetry").build().unwrap();
    callhome.flush().unwrap();
    fs::write(&config, r#"{"telemetry": false}"#).unwrap();
    record(&callhome);
    assert!(callhome.flush().is_err());
    assert_eq!(sink.attempts(), 1);
    let status = callhome.status();
    assert!(status.to_string().starts_with("telemetry: off (telemetry=false"), "{status}");
    assert_eq!((status.pending(), callhome.preview()["n"].clone()), (0, 0.into()));
}

#[test]
fn a_shutdown_while_off_is_the_end_too() {
    let sink = MemorySink::new();
    let callhome = builder(&sink).build().unwrap();
    callhome.set_enabled(false).unwrap();
    let end = callhome.shutdown(SOON);
    assert_eq!((end.accepted(), end.lost()), (0, 0), "{end}");
    assert_eq!(callhome.set_enabled(true).unwrap_err().kind(), ErrorKind::Usage);
    assert!(callhome.flush().is_err());
    assert_eq!(sink.attempts(), 0);
}

#[test]
fn what_was_collected_is_thrown_away_at_once() {
    let callhome = builder(&MemorySink::new()).build().unwrap();
    record(&callhome);
    callhome.set_enabled(false).unwrap();
    let preview = callhome.preview();
    assert_eq!((&preview["n"], &preview["g"], &preview["d"]), (&0.into(), &Value::Null, &0.into()));
}

#[test]
fn no_report_is_announced_once_a_file_says_no() {
    apart("no_report_is_announced_once_a_file_says_no", || {
        let (folder, sink) = (Folder::new(), MemorySink::new());
        let config = folder.0.join("config.json");
        fs::write(&config, r#"{"telemetry": true}"#).unwrap();
        let callhome = builder(&sink).config_file(&config, "telemetry").install().unwrap();
        assert!(callhome.status().next_report().is_some());
        fs::write(&config, r#"{"telemetry": false}"#).unwrap();
        assert!(callhome.flush().is_err());
        assert_eq!(callhome.status().next_report(), None);
        has_threads(&[]);
    });
}

#[test]
fn an_attempt_from_before_does_not_hold_up_what_comes_after_it() {
    apart("an_attempt_from_before_does_not_hold_up_what_comes_after_it", || {
        let sink = MemorySink::new();
        let ((sent, sends), (go, gate)) = (mpsc::channel(), mpsc::channel::<()>());
        let (sent, gate) = (Mutex::new(sent), Mutex::new(gate));
        sink.answer(move |_| {
            let _ = sent.lock().unwrap().send(());
            let _ = gate.lock().unwrap().recv();
            Err(SendError::retry("down"))
        });
        let builder = builder(&sink).first_after(Duration::ZERO).spread(Duration::ZERO);
        let callhome = builder.install().unwrap();
        sends.recv_timeout(SOON).unwrap();
        callhome.set_enabled(false).unwrap();
        callhome.set_enabled(true).unwrap();
        let begin = Instant::now();
        while callhome.status().pending() < 1 {
            assert!(begin.elapsed() < SOON, "no window was sealed");
            std::thread::yield_now();
        }
        drop(go);
        sends.recv_timeout(SOON).expect("an attempt at the window of now");
    });
}

#[test]
fn a_sink_may_say_no() {
    let callhome: Arc<OnceLock<CallHome>> = Arc::default();
    let (sink, itself) = (MemorySink::new(), Arc::clone(&callhome));
    sink.answer(move |_| {
        itself.get().unwrap().set_enabled(false).unwrap();
        Err(SendError::retry("gone"))
    });
    drop(callhome.set(builder(&sink).build().unwrap()));
    let callhome = callhome.get().unwrap();
    assert!(callhome.flush().is_err());
    let status = callhome.status();
    assert_eq!((status.switch().mode(), status.pending()), (Mode::Off, 0));
    assert!(callhome.flush().is_err());
    assert_eq!(sink.attempts(), 1);
}

#[test]
fn a_no_reaches_the_ids_that_a_report_has_of_one_that_is_gone() {
    let (folder, sink) = (Folder::new(), MemorySink::new());
    let file = folder.0.join("id");
    let schema = || schema().instance_id("instance");
    let first = builder(&sink).build().unwrap();
    let more = || CallHome::builder(schema()).sink(MemorySink::new());
    let gone = first.attach(more().cluster_id_file(&file)).unwrap();
    let callhome = gone.attach(more()).unwrap();
    let ids = || {
        let report = callhome.flush().unwrap();
        ["instance", "cluster"].map(|id| report[id].clone())
    };
    let before = ids();
    assert_eq!(before[1], fs::read_to_string(&file).unwrap().trim());
    drop(gone);
    first.set_enabled(false).unwrap();
    assert!(folder.files().is_empty());
    first.set_enabled(true).unwrap();
    let after = ids();
    assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{after:?}");
    assert_eq!(after[1], fs::read_to_string(&file).unwrap().trim());
}

#[test]
fn a_no_reaches_what_reports_that_have_ended_have_on_disk() {
    let folder = Folder::new();
    let first = builder(&MemorySink::new()).build().unwrap();
    let down = MemorySink::new();
    down.answer(|_| Err(SendError::retry("down")));
    let ended = |name: &str| {
        let builder = CallHome::builder(schema()).sink(down.clone());
        let builder = builder.spool(folder.0.join(name)).cluster_id_file(folder.0.join("id"));
        let callhome = first.attach(builder).unwrap();
        assert!(callhome.shutdown(SOON).to_string().contains("spool"));
        callhome
    };
    let (kept, gone) = (ended("kept"), ended("gone"));
    drop(gone);
    assert_eq!(folder.files().len(), 5, "{:?}", folder.files());
    let attempts = down.attempts();
    first.set_enabled(false).unwrap();
    assert_eq!(folder.files(), Vec::<PathBuf>::new());
    first.set_enabled(true).unwrap();
    assert_eq!(kept.flush().unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!((folder.files(), down.attempts()), (Vec::new(), attempts));
}

/// A no must not wait for the database of a report that comes.
#[test]
fn a_no_is_at_once_while_another_report_comes() {
    let folder = Folder::new();
    let first = Arc::new(builder(&MemorySink::new()).build().unwrap());
    let ((here, is_here), (go, gate)) = (mpsc::channel(), mpsc::channel::<()>());
    let gate = Mutex::new(gate);
    let ask = move || {
        let _ = here.send(());
        let _ = gate.lock().unwrap().recv();
        Ok::<_, ()>(None)
    };
    let (spool, itself) = (folder.0.join("spool"), Arc::clone(&first));
    let coming = std::thread::spawn(move || {
        let other = CallHome::builder(schema()).sink(MemorySink::new()).spool(spool);
        itself.attach(other.cluster_id_with(ask))
    });
    is_here.recv_timeout(SOON).unwrap();
    let ((said, is_said), itself) = (mpsc::channel(), Arc::clone(&first));
    let no = std::thread::spawn(move || said.send(itself.set_enabled(false).map(drop)));
    is_said.recv_timeout(SOON).expect("it does not wait").unwrap();
    drop(go);
    let other = coming.join().unwrap().unwrap();
    no.join().unwrap().unwrap();
    assert_eq!(other.flush().unwrap_err().kind(), ErrorKind::Off);
    assert_eq!(folder.files(), Vec::<PathBuf>::new());
    first.set_enabled(true).unwrap();
    assert!(other.flush().is_ok());
}
