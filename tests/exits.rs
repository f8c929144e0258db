//! The end of a program: what the last window comes to when `main` returns, panics or exits.
//!
//! Without the test harness, for each case is the `main` of a process of its own.

use std::cell::RefCell;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::OnceLock;

use callhome::sink::FileSink;
use callhome::{CallHome, Schema};
use metrics::counter;

/// The case that a process is, and where its reports go.
const CASE: &str = "EXIT_CASE";
const REPORTS: &str = "EXIT_REPORTS";

/// The cases: the exit code, and whether the window arrives.
const CASES: [(&str, i32, bool); 5] = [
    ("returns", 0, true),
    ("panics", 101, true),
    ("keeps it in a thread-local", 0, true),
    ("keeps it in a static", 0, false),
    ("exits", 3, false),
];

thread_local! {
    static KEPT: RefCell<Option<CallHome>> = const { RefCell::new(None) };
}
static STATIC: OnceLock<CallHome> = OnceLock::new();

fn main() -> ExitCode {
    let Ok(case) = std::env::var(CASE) else { return run_all() };
    let sink = FileSink::new(std::env::var_os(REPORTS).unwrap());
    let callhome =
        CallHome::builder(Schema::new("s").counter("n")).opt_out().sink(sink).install().unwrap();
    counter!("n").increment(7);
    match case.as_str() {
        "returns" => {}
        "panics" => panic!("main panics"),
        "keeps it in a thread-local" => KEPT.set(Some(callhome)),
        "keeps it in a static" => assert!(STATIC.set(callhome).is_ok()),
        "exits" => std::process::exit(3),
        case => panic!("{case}?"),
    }
    ExitCode::SUCCESS
}

/// Starts a process for each case.
fn run_all() -> ExitCode {
    for (case, code, arrives) in CASES {
        let file = format!("callhome-exits-{}", std::process::id());
        let reports = std::env::temp_dir().join(file);
        let mut process = Command::new(std::env::current_exe().unwrap());
        process.env(CASE, case).env(REPORTS, &reports).env_remove("DO_NOT_TRACK");
        let output = process.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "main {case}: {said}");
        assert_eq!(read(&reports), if arrives { vec![7] } else { vec![] }, "main {case}: {said}");
        println!("main {case}: ok");
    }
    ExitCode::SUCCESS
}

/// What `n` is in each report. The file is gone afterwards.
fn read(file: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let _ = std::fs::remove_file(file);
    let n =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["data"]["n"].as_u64();
    text.lines().map(|line| n(line).unwrap()).collect()
}
