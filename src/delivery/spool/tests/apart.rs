//! A process of its own for a test: this binary again, with one test.

use std::env;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::STARTING;

/// Set in such a process to the directory of its spool.
const ROOT: &str = "CALLHOME_TEST_SPOOL";

/// The directory, in such a process.
pub(super) fn root() -> Option<PathBuf> {
    env::var_os(ROOT).map(PathBuf::from)
}

/// Such a process. It says something by lines that begin with `> `.
pub(super) struct Apart {
    pub(super) child: Child,
    pub(super) input: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Apart {
    /// Runs the test `name` of the tests of the spool again, by `sh` after `commands`.
    pub(super) fn new(name: &str, commands: &str, root: &Path) -> Apart {
        let script = format!("echo '> started'; {commands} exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(env::current_exe().unwrap());
        command.args(["--exact", &format!("delivery::spool::tests::{name}"), "--nocapture"]);
        let piped = command.env(ROOT, root).stdin(Stdio::piped()).stdout(Stdio::piped());
        let _starting = STARTING.write();
        let mut child = piped.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut apart = Apart { input: child.stdin.take(), child, lines };
        // Not before it says something is it sure to have closed what it was born with.
        assert_eq!(apart.next().as_deref(), Some("started"));
        apart
    }

    /// The next line that it says; `None` when it has ended, and those that it has forked.
    pub(super) fn next(&mut self) -> Option<String> {
        let said = self.lines.by_ref().map_while(Result::ok);
        // The test harness may have begun the line.
        said.filter_map(|line| Some(line.split_once("> ")?.1.to_owned())).next()
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
