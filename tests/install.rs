//! The global recorder and the background thread. One process has one global recorder, so each
//! case runs in a process of its own: this binary, started again.
#![cfg(target_os = "linux")]

mod support;

use std::time::{Duration, Instant};

use callhome::sink::MemorySink;
use callhome::{CallHome, ErrorKind, Schema};
use metrics::{counter, gauge};
use support::apart::{apart, apart_with, has_threads, threads};
use support::{Hanging, SOON};

fn schema() -> Schema {
    Schema::new("s").counter("n").gauge_summary("g").default(0.0)
}

#[test]
fn an_installed_aggregator_reports_by_itself_and_at_its_end() {
    apart("an_installed_aggregator_reports_by_itself_and_at_its_end", || {
        let sink = MemorySink::new();
        let (tell, told) = std::sync::mpsc::channel();
        sink.answer(move |parcel| {
            let report: serde_json::Value = serde_json::from_slice(parcel.body()).unwrap();
            tell.send(report["data"]["n"].as_u64().unwrap()).unwrap();
            Ok(())
        });
        let callhome = CallHome::builder(schema())
            .sink(sink)
            .opt_out()
            .every(Duration::from_millis(100))
            .install()
            .unwrap();
        has_threads(&["callhome"]);
        assert!(callhome.status().next_report().is_some());
        counter!("n").increment(7);
        gauge!("g").increment(1);
        let mut seen = 0;
        while seen < 7 {
            seen += told.recv_timeout(SOON).unwrap();
        }
        counter!("n").increment(1);
        drop(callhome); // the last, partial window
        seen += told.try_iter().sum::<u64>();
        assert_eq!(seen, 8);
        has_threads(&[]);
    });
}

#[test]
fn a_second_install_is_an_error_and_leaves_nothing_behind() {
    apart("a_second_install_is_an_error_and_leaves_nothing_behind", || {
        let sink = MemorySink::new();
        let first = CallHome::builder(schema()).opt_out().sink(sink.clone()).install().unwrap();
        let error =
            CallHome::builder(schema()).opt_out().sink(MemorySink::new()).install().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Install);
        assert!(error.to_string().contains("beside"), "{error}");
        has_threads(&["callhome"]); // the first one's
        counter!("n").increment(3);
        assert_eq!(first.flush().unwrap()["n"], 3, "the first one goes on");
        let end = first.shutdown(SOON);
        assert_eq!((end.accepted(), end.lost(), sink.bodies().len()), (1, 0, 2));
        assert_eq!(first.flush().unwrap_err().kind(), ErrorKind::Usage);
        assert_eq!(first.shutdown(SOON).accepted(), 0, "a second shutdown does nothing");
    });
}

#[test]
fn a_recorder_beside_gets_everything_too() {
    apart("a_recorder_beside_gets_everything_too", || {
        let other = CallHome::builder(schema()).build().unwrap();
        let callhome = CallHome::builder(schema())
            .sink(MemorySink::new())
            .opt_out()
            .beside(other.recorder().clone())
            .install()
            .unwrap();
        counter!("n").increment(3);
        assert_eq!(callhome.flush().unwrap()["n"], 3);
        assert_eq!(other.flush().unwrap()["n"], 3);
    });
}

/// What off means for an installed aggregator, whatever switched it off.
fn is_off(rule: &str) {
    let file = std::env::temp_dir().join(format!("callhome-off-{}", std::process::id()));
    let (other, sink) = (CallHome::builder(schema()).build().unwrap(), MemorySink::new());
    let callhome = CallHome::builder(schema())
        .sink(sink.clone())
        .opt_out()
        .switch("SHOP_TELEMETRY")
        .every(Duration::from_millis(100))
        .cluster_id_file(&file)
        .beside(other.recorder().clone())
        .install()
        .unwrap();
    assert_eq!(callhome.status().to_string(), format!("telemetry: off ({rule})"));
    counter!("n").increment(3);
    assert_eq!(other.flush().unwrap()["n"], 3, "the application's own recorder stays");
    let error = callhome.flush().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Off);
    assert!(error.to_string().contains(rule), "{error}");
    assert_eq!(callhome.preview()["n"], 0);
    let end = callhome.shutdown(SOON);
    assert_eq!((end.accepted(), end.lost(), sink.attempts()), (0, 0, 0));
    assert!(threads().is_empty() && !file.exists());
    drop(callhome);
    assert_eq!(sink.attempts(), 0);
}

#[test]
fn do_not_track_is_heeded() {
    let name = "do_not_track_is_heeded";
    apart_with(name, &[("DO_NOT_TRACK", "1"), ("SHOP_TELEMETRY", "on")], || {
        is_off("DO_NOT_TRACK=1")
    });
}

#[test]
fn the_applications_own_variable_is_heeded() {
    let name = "the_applications_own_variable_is_heeded";
    apart_with(name, &[("SHOP_TELEMETRY", "Disabled")], || is_off("SHOP_TELEMETRY=disabled"));
}

#[test]
fn a_receiver_that_hangs_delays_neither_sampling_nor_sealing_nor_the_end() {
    let name = "a_receiver_that_hangs_delays_neither_sampling_nor_sealing_nor_the_end";
    apart(name, || {
        let (_let_go, hanging) = Hanging::new();
        let (tell, told) = std::sync::mpsc::channel();
        let schema = Schema::new("s").counter("n").sampled("polled", move || {
            let _ = tell.send(());
            1.0
        });
        let callhome = CallHome::builder(schema)
            .sink(hanging)
            .opt_out()
            .every(Duration::from_millis(100))
            .sample_every(Duration::from_millis(100))
            .install()
            .unwrap();
        // Each seal asks once and each beat once: with the first attempt hanging from the start,
        // twenty answers mean that both went on.
        (0..20).for_each(|_| told.recv_timeout(SOON).unwrap());
        counter!("n").increment(1);
        let pending = callhome.status().pending();
        assert!(pending > 1, "{pending}");
        let begin = Instant::now();
        let end = callhome.shutdown(Duration::from_millis(200));
        assert!(begin.elapsed() < SOON / 3, "{:?}", begin.elapsed());
        assert_eq!(end.accepted(), 0);
        assert!(end.lost() > pending, "{end}");
    });
}
