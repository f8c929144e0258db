//! The switch, from the builder to what is sent. Its rules are tested where they are.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use callhome::sink::{FileSink, MemorySink, Parcel, SendError, Sink};
use callhome::{Builder, CallHome, CiPolicy, ErrorKind, Mode, Schema};
use support::apart::{apart, apart_with};
use support::lines;

fn builder() -> Builder {
    CallHome::builder(Schema::new("s").counter("n").ci("ci"))
}

/// Goes nobody knows where.
struct Anywhere(std::sync::Arc<AtomicUsize>);

impl Sink for Anywhere {
    fn send(&self, _: &Parcel<'_>) -> Result<(), SendError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn describe(&self) -> String {
        "anywhere".into()
    }
}

/// What is printed at the start.
fn printed(builder: Builder) -> String {
    builder.build().unwrap().status().to_string()
}

#[test]
fn a_default_must_be_chosen_where_there_is_a_sink() {
    let name = "a_default_must_be_chosen_where_there_is_a_sink";
    apart_with(name, &[("DO_NOT_TRACK", "1")], || {
        // Also where the operator says no: a mistake of the maintainer is found everywhere.
        for error in [
            builder().sink(MemorySink::new()).install().unwrap_err(),
            builder().sink(MemorySink::new()).build().unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = error.to_string();
            assert!(text.contains("`opt_out`") && text.contains("`opt_in`"), "{text}");
        }
        let _ = builder().build().unwrap();
    });
}

#[test]
fn opt_in_is_off_until_somebody_says_yes() {
    let name = "opt_in_is_off_until_somebody_says_yes";
    apart_with(name, &[("APP", "on")], || {
        let opt_in = || builder().opt_in().sink(MemorySink::new());
        assert_eq!(printed(opt_in()), "telemetry: off (default)");
        assert_eq!(printed(opt_in().switch("APP")), "telemetry: on (APP=on)");
        assert_eq!(printed(opt_in().opt_out_switch("APP")), "telemetry: off (APP=on)");
        assert_eq!(printed(opt_in().opt_out()), "telemetry: on (default)", "the last one counts");
        let off = opt_in().build().unwrap();
        assert_eq!(off.flush().unwrap_err().kind(), ErrorKind::Off);
    });
}

#[test]
fn settings_and_files_reach_the_switch() {
    apart("settings_and_files_reach_the_switch", || {
        let opt_out = || builder().opt_out().sink(MemorySink::new());
        let flagged = opt_out().setting("--telemetry", Some(false));
        assert_eq!(printed(flagged), "telemetry: off (--telemetry=false)");
        let flagged = opt_out().opt_out_setting("--opt-out", Some("TRUE"));
        assert_eq!(printed(flagged), "telemetry: off (--opt-out=true)");
        let silent = opt_out().setting("--a", None::<bool>).opt_out_setting("--b", "");
        assert_eq!(printed(silent), "telemetry: on (default)");
        let file = std::env::temp_dir().join(format!("callhome-key-{}", std::process::id()));
        std::fs::write(&file, r#"{"enable_telemetry": false}"#).unwrap();
        let said = printed(opt_out().config_file(&file, "enable_telemetry"));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(said, format!("telemetry: off (enable_telemetry=false in {file:?})"));
        let missing = opt_out().config_file(&file, "enable_telemetry");
        assert_eq!(printed(missing), "telemetry: on (default)");
        let error = opt_out().setting("", Some(true)).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    });
}

#[test]
fn local_sends_nothing() {
    apart_with("local_sends_nothing", &[("APP", "local")], || {
        let sink = MemorySink::new();
        let callhome = builder().opt_out().switch("APP").sink(sink.clone()).build().unwrap();
        let status = callhome.status();
        assert_eq!(status.to_string(), "telemetry: local (APP=local)");
        assert_eq!((status.switch().mode(), status.switch().is_on()), (Mode::Local, false));
        callhome.flush().unwrap();
        assert_eq!(sink.attempts(), 0);
    });
}

#[test]
fn a_report_says_which_ci_it_is_from() {
    // The first of the table, so that it counts in whatever CI this test runs.
    apart_with("a_report_says_which_ci_it_is_from", &[("AGOLA_GIT_REF", "main")], || {
        let report = |builder: Builder| builder.build().unwrap().flush().unwrap();
        assert_eq!(report(builder())["ci"], "AGOLA");
        assert_eq!(report(builder().ci(CiPolicy::Tag))["ci"], "AGOLA");
        assert_eq!(report(builder().ci(CiPolicy::Count))["ci"], serde_json::Value::Null);
        let dropped = builder().opt_out().ci(CiPolicy::Drop).sink(MemorySink::new());
        assert_eq!(printed(dropped), "telemetry: off (CI (AGOLA_GIT_REF))");
    });
}

#[test]
fn nothing_leaves_a_test_that_does_not_ask_for_it() {
    apart("nothing_leaves_a_test_that_does_not_ask_for_it", || {
        let off = "telemetry: off (cargo test)";
        let attempts = std::sync::Arc::new(AtomicUsize::new(0));
        let to = || builder().opt_out().sink(Anywhere(attempts.clone()));
        assert_eq!(printed(to()), off);
        let installed = to().install().unwrap();
        assert_eq!(installed.status().to_string(), off);
        assert_eq!(installed.flush().unwrap_err().kind(), ErrorKind::Off);
        drop(installed);
        assert_eq!(attempts.load(Ordering::Relaxed), 0);
        to().in_tests(true).build().unwrap().flush().unwrap();
        assert_eq!(attempts.load(Ordering::Relaxed), 1);
        let file = FileSink::new("never-written");
        assert_eq!(printed(builder().opt_out().sink(file)), "telemetry: on (default)");
        #[cfg(feature = "http")]
        for (url, printed_there) in [
            ("https://reports.example.com/v1", off),
            ("http://127.0.0.1:9/v1", "telemetry: on (default)"),
        ] {
            assert_eq!(printed(builder().opt_out().endpoint(url)), printed_there);
        }
    });
}

#[test]
fn an_unknown_value_is_told_once_and_not_repeated() {
    let name = "an_unknown_value_is_told_once_and_not_repeated";
    apart_with(name, &[("APP", "hunter2"), ("OTHER", "hunter2")], || {
        lines::keep();
        let callhome = builder().opt_out().switch("APP").switch("OTHER").sink(MemorySink::new());
        let callhome = callhome.build().unwrap();
        let error = callhome.flush().unwrap_err();
        let lines = lines::taken();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("WARN telemetry: off (APP has an unknown value): "));
        let shown = format!("{lines:?} {callhome:?} {:?} {error} {error:?}", callhome.status());
        assert!(!shown.contains("hunter2"), "{shown}");
    });
}
