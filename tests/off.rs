//! Proof of off: what the operating system is asked for, as `strace` sees it.
//!
//! This binary is started once more for each case, installs an aggregator that has an endpoint, a
//! spool, an id file, a configuration file and a local file, records from several threads and calls
//! all there is to call. Between two marks every call of the groups network, file and process is
//! looked at. Where reporting is off there may be none but those that the case lists; the same
//! program with reporting on shows them all.
#![cfg(all(target_os = "linux", feature = "http"))]

mod support;
#[path = "off/trace.rs"]
mod trace;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callhome::{Builder, CallHome, CiPolicy, Schema};
use metrics::{NoopRecorder, counter, gauge, histogram};
use serde_json::Value;
use support::SOON;
use support::folder::Folder;
use trace::{Trace, is_network};

/// Set in the program under trace: the case, the folder for its files, and the endpoint.
const CASE: &str = "OFF_CASE";
const FOLDER: &str = "OFF_FOLDER";
const ENDPOINT: &str = "OFF_ENDPOINT";

/// A name that has to be looked up, and that nobody has.
const ELSEWHERE: &str = "https://reports.invalid/v1";

/// The threads that the program itself makes.
const THREADS: usize = 3;

/// Marks in the trace: names of files that are asked for and not there.
const BEGIN: &str = "mark-begin";
const PREVIEW: &str = "mark-preview";
const END: &str = "mark-end";

/// A way to be off.
struct Case {
    name: &'static str,
    variables: &'static [(&'static str, &'static str)],
    settings: fn(Builder) -> Builder,
    /// What the operator is told.
    decided: &'static str,
    /// The only files that are looked at.
    reads: &'static [&'static str],
}

/// The switch looks there when nothing stronger says anything.
const CONFIG: &[&str] = &["/config.json"];
/// And where this program is, when nobody says no.
const ITSELF: &[&str] = &["/config.json", "/proc/self/exe"];

const CASES: [Case; 7] = [
    Case {
        name: "DO_NOT_TRACK",
        variables: &[("DO_NOT_TRACK", "1"), ("SHOP_TELEMETRY", "on")],
        settings: Builder::opt_out,
        decided: "DO_NOT_TRACK=1",
        reads: &[],
    },
    Case {
        name: "variable",
        variables: &[("SHOP_TELEMETRY", "off")],
        settings: |builder| builder.opt_out().in_tests(true),
        decided: "SHOP_TELEMETRY=off",
        reads: &[],
    },
    Case {
        name: "setting",
        variables: &[],
        settings: |builder| builder.opt_out().in_tests(true).setting("--telemetry", Some(false)),
        decided: "--telemetry=false",
        reads: &[],
    },
    Case {
        name: "opt_in",
        variables: &[],
        settings: |builder| builder.opt_in().in_tests(true),
        decided: "default",
        reads: CONFIG,
    },
    Case {
        name: "notice",
        variables: &[],
        settings: |builder| builder.opt_out().in_tests(true).notice_first(),
        decided: "the notice was not shown yet",
        reads: CONFIG,
    },
    Case {
        name: "CI",
        variables: &[("AGOLA_GIT_REF", "main")],
        settings: |builder| builder.opt_out().in_tests(true).ci(CiPolicy::Drop),
        decided: "CI (AGOLA_GIT_REF)",
        reads: CONFIG,
    },
    Case {
        name: "cargo test",
        variables: &[],
        settings: Builder::opt_out,
        decided: "cargo test",
        reads: ITSELF,
    },
];

fn mark(folder: &Path, mark: &str) {
    assert!(fs::metadata(folder.join(mark)).is_err());
}

/// An aggregator with all that touches something.
fn builder(folder: &Path) -> Builder {
    let schema = Schema::new("s").section("usage", |s| {
        s.counter("n")
            .gauge_summary("g")
            .summary("x")
            .distinct("d", "id")
            .mergeable()
            .sampled("p", || 1)
    });
    let schema = schema.ram("ram").cores("cores").instance_id("instance").cluster_id("cluster");
    CallHome::builder(schema)
        .endpoint(&std::env::var(ENDPOINT).unwrap())
        .switch("SHOP_TELEMETRY")
        .config_file(folder.join("config.json"), "telemetry")
        .spool(folder.join("spool"))
        .cluster_id_file(folder.join("id"))
        .distinct_key_file(folder.join("key"))
        .local_file(folder.join("local"))
        .first_after(Duration::ZERO)
        .spread(Duration::ZERO)
        .every(Duration::from_millis(100))
        .attempt_timeout(SOON)
}

fn record() {
    let record = || {
        for value in 0..100 {
            counter!("usage.n").increment(1);
            gauge!("usage.g").set(value);
            histogram!("usage.x").record(value);
            counter!("usage.d", "id" => value.to_string()).increment(1);
            counter!("undeclared").increment(1);
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let named = std::thread::Builder::new().name(format!("test-{thread}"));
            named.spawn_scoped(scope, record).unwrap();
        }
    });
}

/// The program under trace, in one life.
fn live(folder: &Path, settings: fn(Builder) -> Builder) -> String {
    mark(folder, BEGIN);
    call_all(folder, settings(builder(folder)).install().unwrap())
}

/// Calls all there is to call. Returns what the operator is told.
fn call_all(folder: &Path, callhome: CallHome) -> String {
    record();
    let _ = callhome.flush();
    callhome.tick();
    let said = callhome.status().to_string();
    let _ = format!("{callhome:?} {:?}", callhome.status());
    mark(folder, PREVIEW);
    let _ = callhome.preview();
    mark(folder, PREVIEW);
    let _ = callhome.shutdown(SOON);
    mark(folder, END);
    said
}

/// The names of all that is in it, but for the trace.
fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(&folder.0).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "trace");
    names.sort();
    names
}

/// Starts this binary with `test` alone under `strace`.
#[track_caller]
fn trace(
    test: &str,
    case: &str,
    variables: &[(&str, &str)],
    endpoint: &str,
    folder: &Folder,
) -> Trace {
    let file = folder.0.join("trace");
    let mut command = std::process::Command::new("strace");
    command
        .args(["-f", "-qq", "-s", "200", "-e", "trace=%network,%file,%process,prctl", "-o"])
        .arg(&file)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env_remove("DO_NOT_TRACK")
        .env_remove("NEXTEST")
        .env(CASE, case)
        .env(FOLDER, &folder.0)
        .env(ENDPOINT, endpoint)
        .envs(variables.iter().copied());
    let output = command.output().expect("needs strace: apt-get install strace");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{case}: {said}{complaint}");
    Trace::read(&fs::read_to_string(file).unwrap(), [BEGIN, PREVIEW, END])
}

/// In the program under trace, what it is; nothing in the test that starts it.
fn under_trace() -> Option<(String, PathBuf)> {
    Some((std::env::var(CASE).ok()?, std::env::var_os(FOLDER)?.into()))
}

/// Checks that a program that is off touched only the files that are `reads`.
#[track_caller]
fn asked_nothing(trace: &Trace, name: &str, reads: &[&str]) {
    let calls = &trace.calls;
    assert_eq!(trace.touching(reads), Vec::<&String>::new(), "{name}");
    assert!(!calls.iter().any(|call| is_network(call)), "{name}: {calls:#?}");
    assert_eq!(trace.threads(), ["test-0", "test-1", "test-2"], "{name}");
    assert_eq!(trace.clones(), THREADS, "{name}: {calls:#?}");
    let preview = trace.touching_in_preview();
    assert!(preview.is_empty(), "{name}: {preview:#?}");
}

#[test]
#[ignore = "needs strace"]
fn off_asks_nothing_of_the_operating_system() {
    if let Some((name, folder)) = under_trace() {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        assert_eq!(live(&folder, case.settings), format!("telemetry: off ({})", case.decided));
        // The macros had no recorder: another one can be installed.
        assert!(metrics::set_global_recorder(NoopRecorder).is_ok());
        return;
    }
    let test = "off_asks_nothing_of_the_operating_system";
    let here = TcpListener::bind("127.0.0.1:0").unwrap(); // nobody comes
    let loopback = format!("http://{}/v1", here.local_addr().unwrap());
    for case in &CASES {
        for endpoint in [ELSEWHERE, &loopback] {
            // A test may send what stays on the machine.
            if case.decided != "cargo test" || endpoint == ELSEWHERE {
                let folder = Folder::new();
                let trace = trace(test, case.name, case.variables, endpoint, &folder);
                asked_nothing(&trace, case.name, case.reads);
                assert_eq!(names(&folder), Vec::<String>::new(), "{}", case.name);
            }
        }
    }
}

#[test]
#[ignore = "needs strace"]
fn switched_off_it_asks_nothing_any_more() {
    if let Some((_, folder)) = under_trace() {
        let builder = builder(&folder).opt_out().in_tests(true).first_after(SOON * 100);
        let callhome = builder.install().unwrap();
        support::apart::has_threads(&["callhome"]);
        callhome.set_enabled(false).unwrap();
        support::apart::has_threads(&[]);
        mark(&folder, BEGIN);
        let said = call_all(&folder, callhome);
        assert_eq!(said, "telemetry: off (switched off while running)");
        return;
    }
    let folder = Folder::new();
    let test = "switched_off_it_asks_nothing_any_more";
    let trace = trace(test, "switched off", &[], ELSEWHERE, &folder);
    asked_nothing(&trace, "switched off", &[]);
    assert_eq!(names(&folder), ["spool"], "empty, for its maker may have been somebody else");
    assert_eq!(fs::read_dir(folder.0.join("spool")).unwrap().count(), 0);
}

#[test]
#[ignore = "needs strace"]
fn on_asks_for_all_of_it() {
    if let Some((_, folder)) = under_trace() {
        let said = live(&folder, |builder| builder.opt_out().in_tests(true));
        assert_eq!(said, "telemetry: on (default)");
        return;
    }
    // Each connection is closed, so that what was sent is not known to have arrived.
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = receiver.local_addr().unwrap().port();
    std::thread::spawn(move || receiver.incoming().for_each(drop));
    let (endpoint, folder) = (format!("https://localhost:{port}/v1"), Folder::new());
    let trace = trace("on_asks_for_all_of_it", "on", &[], &endpoint, &folder);
    for asked in [
        "/config.json\"",
        "/spool\"",
        "/id\"",
        "O_CREAT",
        "mkdir",
        "rename",
        "unlink",
        "\"/etc/hosts\"", // a name is looked up
        "socket(AF_INET",
        "connect(",
        &format!("sin_port=htons({port})"),
    ] {
        assert!(trace.has(asked), "{asked}: {:#?}", trace.calls);
    }
    let threads = trace.threads();
    assert!(threads.contains(&"callhome") && threads.contains(&"callhome-last"), "{threads:?}");
    assert!(trace.clones() > THREADS + 1);
    assert!(!trace.touching(&[]).is_empty());
    assert_eq!(names(&folder), ["id", "key", "spool"]);
    for identity in ["machine-id", "/etc/hostname", "/etc/passwd", "product_uuid", "/sys/class/net"]
    {
        assert!(!trace.has(identity), "{identity}: {:#?}", trace.calls);
    }
}

#[test]
#[ignore = "needs strace"]
fn local_opens_no_socket() {
    if let Some((_, folder)) = under_trace() {
        let said = live(&folder, |builder| builder.opt_out().in_tests(true));
        assert_eq!(said, "telemetry: local (SHOP_TELEMETRY=local)");
        return;
    }
    let (local, folder) = (&[("SHOP_TELEMETRY", "local")], Folder::new());
    let trace = trace("local_opens_no_socket", "local", local, ELSEWHERE, &folder);
    let calls = &trace.calls;
    assert!(!calls.iter().any(|call| is_network(call)), "{calls:#?}");
    assert!(!trace.has("\"/etc/"), "a name is looked up: {calls:#?}");
    let written = fs::read_to_string(folder.0.join("local")).unwrap();
    let reports = written.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let n: u64 = reports.map(|report| report["data"]["usage"]["n"].as_u64().unwrap()).sum();
    assert_eq!(n, 300);
}
