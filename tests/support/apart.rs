//! A process for a test alone: this binary, started again with one test.

use std::process::Command;
use std::time::Instant;

use super::SOON;

/// Set in such a process.
const APART: &str = "APART";

/// A test that needs a process of its own: runs `case` there. `name` is the test's whole name.
#[track_caller]
pub(crate) fn apart(name: &str, case: impl FnOnce()) {
    drop(apart_with(name, &[], case));
}

/// The same, with these variables in its environment. Returns what it printed, none of it in that
/// process itself.
#[track_caller]
pub(crate) fn apart_with(name: &str, variables: &[(&str, &str)], case: impl FnOnce()) -> String {
    if std::env::var_os(APART).is_some() {
        case();
        return String::new();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(APART, "1").env_remove("DO_NOT_TRACK");
    let output = command.envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", {
        String::from_utf8_lossy(&output.stderr)
    });
    text.into_owned()
}

/// The resident set size of this process in KiB.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix("kB").unwrap().trim().parse().unwrap()
}

/// The names of this process's threads that are ours.
pub(crate) fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| name.starts_with("callhome")).collect()
}

/// Waits until the threads of this process that are ours have these names. A thread names itself
/// when it starts to run, and is seen for a moment after it has been joined.
#[track_caller]
pub(crate) fn has_threads(expected: &[&str]) {
    let begin = Instant::now();
    while threads() != expected {
        assert!(begin.elapsed() < SOON, "{:?}, not {expected:?}", threads());
        std::thread::yield_now();
    }
}
