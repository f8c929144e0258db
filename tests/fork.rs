//! Forked children: a child has the aggregator but not its thread, and what the parent recorded.
//! It must neither report that nor hang; what it records is its own.
//!
//! Each case has a process of its own, for one thread of a child is all that is left of it.
#![cfg(target_os = "linux")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use callhome::sink::{FileSink, MemorySink};
use callhome::{CallHome, ErrorKind, Figure, Report, Schema};
use fork::{Fork, WEXITSTATUS, WIFEXITED, waitpid, waitpid_nohang};
use metrics::{Counter, Histogram, counter, histogram, with_local_recorder};
use serde_json::Value;
use support::SOON;
use support::apart::apart;

/// How long a child may take. Less than what it gives `shutdown`, which must not wait for that.
const LIMIT: Duration = Duration::from_secs(10);

/// Enough samples that some are with the thread and some are not any more.
const TIMES: u64 = 300;

fn schema() -> Schema {
    let schema = Schema::new("s").counter("n").distinct("ids", "id").instance_id("instance");
    schema.summary("x").with(Figure::Count).with(Figure::Sum)
}

/// A file for reports that no other test and no other run has. Gone when dropped, but not in a
/// child, which leaves by `exit`.
struct Reports(PathBuf);

impl Reports {
    fn new(name: &str) -> Reports {
        let file = format!("callhome-fork-{}-{name}", std::process::id());
        Reports(std::env::temp_dir().join(file))
    }

    fn sink(&self) -> FileSink {
        FileSink::new(&self.0)
    }

    /// Those that are there, without a line that is being written.
    fn read(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        let lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What `n`, the samples of `x` and `ids` are in each report.
    fn shown(&self) -> Vec<[u64; 3]> {
        let shown = |report: &Value| {
            assert_eq!(report["losses"], serde_json::json!({}), "inherited, perhaps");
            shown(&report["data"])
        };
        self.read().iter().map(shown).collect()
    }

    /// The same over all reports.
    fn sums(&self) -> [u64; 3] {
        let add = |a: [u64; 3], b: [u64; 3]| std::array::from_fn(|at| a[at] + b[at]);
        self.shown().into_iter().fold([0; 3], add)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
        let _ = std::fs::remove_dir_all(&self.0); // where it is a folder
    }
}

fn shown(data: &Value) -> [u64; 3] {
    [&data["n"], &data["x"]["count"], &data["ids"]].map(|value| value.as_u64().unwrap())
}

fn flushed(callhome: &CallHome) -> [u64; 3] {
    callhome.flush().as_ref().map(Report::data).map(shown).unwrap()
}

/// Records through the macros: `n` samples of `x`, `n` in `n` and one id.
fn record(n: u64) {
    (0..n).for_each(|at| {
        counter!("n").increment(1);
        histogram!("x").record(at as f64);
    });
    counter!("ids", "id" => n.to_string()).increment(1);
}

/// Waits until every other thread of this process sleeps. A thread that runs may hold a lock,
/// of the allocator for one, which would be locked for ever in a child.
fn quiet() {
    let sleeps = |task: &Path| {
        // `id (name) state ...`: proc_pid_stat(5). A thread that has just ended has none.
        let Ok(stat) = std::fs::read_to_string(task.join("stat")) else { return true };
        stat.rsplit(')').next().unwrap().trim_start().starts_with('S')
    };
    let this = std::fs::read_link("/proc/thread-self").unwrap();
    let this = this.file_name().unwrap().to_owned();
    let begin = Instant::now();
    loop {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap());
        if tasks.filter(|task| task.file_name() != this).all(|task| sleeps(&task.path())) {
            return;
        }
        assert!(begin.elapsed() < SOON, "no quiet moment");
        thread::yield_now();
    }
}

/// Forks; the child does `work` and exits. Fails when it does not exit in time, or panics.
#[track_caller]
fn in_a_child(work: impl FnOnce()) {
    quiet();
    let child = match fork::fork().unwrap() {
        Fork::Parent(child) => child,
        Fork::Child => {
            // Not into the test runner, which has no main thread here.
            let worked = catch_unwind(AssertUnwindSafe(work));
            std::process::exit(if worked.is_ok() { 42 } else { 1 });
        }
    };
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = waitpid_nohang(child).unwrap() {
            break status;
        }
        if begin.elapsed() > LIMIT {
            let kill = format!("kill -9 {child}");
            assert!(
                std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success()
            );
            waitpid(child).unwrap();
            panic!("the child hangs");
        }
        thread::yield_now();
    };
    assert!(WIFEXITED(status), "{status:#x}");
    assert_eq!(WEXITSTATUS(status), 42, "what the child said is above");
}

#[test]
fn a_child_neither_sends_its_parents_window_nor_hangs_at_its_end() {
    apart("a_child_neither_sends_its_parents_window_nor_hangs_at_its_end", || {
        let reports = Reports::new("parent");
        let builder = CallHome::builder(schema()).opt_out().sink(reports.sink());
        let mut callhome = Some(builder.install().unwrap());
        record(3);
        assert_eq!(flushed(callhome.as_ref().unwrap()), [3, 3, 1]);
        record(TIMES);
        in_a_child(|| {
            let callhome = callhome.take().unwrap();
            record(10_000); // no report's
            let error = callhome.flush().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
            assert!(error.to_string().contains("fork"), "{error}");
            assert_eq!(callhome.tick(), Duration::MAX);
            let _ = (callhome.preview(), callhome.status().to_string());
            // The parent's is installed here too.
            let error =
                CallHome::builder(schema()).opt_out().sink(reports.sink()).install().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Install, "{error}");
            let end = callhome.shutdown(SOON);
            assert_eq!((end.accepted(), end.lost()), (0, 0));
            assert_eq!(callhome.flush().unwrap_err().kind(), ErrorKind::Usage);
            drop(callhome);
        });
        assert_eq!(reports.shown(), [[3, 3, 1]], "nothing is from the child");
        record(5);
        assert_eq!(flushed(callhome.as_ref().unwrap()), [TIMES + 5, TIMES + 5, 2]);
        record(1);
        let end = callhome.as_ref().unwrap().shutdown(SOON);
        assert_eq!((end.accepted(), end.lost()), (1, 0));
        assert_eq!(reports.shown(), [[3, 3, 1], [TIMES + 5, TIMES + 5, 2], [1, 1, 1]]);
    });
}

#[test]
fn a_child_may_just_drop_the_aggregator_or_just_exit() {
    apart("a_child_may_just_drop_the_aggregator_or_just_exit", || {
        let reports = Reports::new("parent");
        let builder = CallHome::builder(schema()).opt_out().sink(reports.sink());
        let mut callhome = Some(builder.install().unwrap());
        record(TIMES);
        in_a_child(|| {
            record(1);
            let begin = Instant::now();
            drop(callhome.take());
            // It waits for nothing: not for a thread that is not there, up to its deadline.
            assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
        });
        in_a_child(|| record(1));
        in_a_child(|| {
            record(1);
            // What a thread of the child leaves is the child's too.
            thread::spawn(|| record(7)).join().unwrap();
        });
        assert!(reports.read().is_empty(), "nothing is from a child");
        drop(callhome); // the last window
        assert_eq!(reports.shown(), [[TIMES, TIMES, 1]]);
    });
}

#[test]
fn what_is_pending_at_the_fork_is_the_parents_to_send() {
    apart("what_is_pending_at_the_fork_is_the_parents_to_send", || {
        let reports = Reports::new("parent");
        // A folder in its place: delivery fails, and the report is kept.
        let folder = reports.path().join("missing");
        let callhome =
            CallHome::builder(schema()).opt_out().sink(FileSink::new(folder.join("reports")));
        let callhome = callhome.install().unwrap();
        record(4);
        assert_eq!(callhome.flush().unwrap_err().kind(), ErrorKind::Delivery);
        std::fs::create_dir_all(&folder).unwrap();
        let sent = || std::fs::read_to_string(folder.join("reports")).unwrap_or_default();
        in_a_child(|| {
            assert_eq!(callhome.flush().unwrap_err().kind(), ErrorKind::Usage);
            callhome.tick();
            assert_eq!(callhome.shutdown(SOON).accepted(), 0);
            assert_eq!(sent(), "");
        });
        assert_eq!(sent(), "");
        record(2);
        assert_eq!(flushed(&callhome), [2, 2, 1]);
        assert_eq!(sent().lines().count(), 2);
    });
}

#[test]
fn an_aggregator_built_in_a_child_reports_what_the_child_recorded() {
    apart("an_aggregator_built_in_a_child_reports_what_the_child_recorded", || {
        let (parents, childs) = (Reports::new("parent"), Reports::new("child"));
        let callhome = CallHome::builder(schema()).opt_out().sink(parents.sink()).build().unwrap();
        // A thread that lives on, but not in the child. It holds nothing of the aggregator, which
        // can then be dropped there, but what it recorded is in its storage.
        let (go, goes) = mpsc::channel::<(Counter, Histogram, u64)>();
        let (told, tell) = mpsc::channel();
        let other = thread::spawn(move || {
            for (n, x, times) in goes {
                n.increment(times);
                (0..times).for_each(|at| x.record(at as f64));
                drop((n, x));
                told.send(()).unwrap();
            }
        });
        let tells = |callhome: &CallHome, times| {
            let handles = || (counter!("n"), histogram!("x"), times);
            go.send(with_local_recorder(callhome.recorder(), handles)).unwrap();
            tell.recv().unwrap();
        };
        tells(&callhome, 11);
        with_local_recorder(callhome.recorder(), || record(TIMES));
        let mut callhome = Some(callhome);
        let build = || CallHome::builder(schema()).opt_out().sink(childs.sink()).build().unwrap();
        let record_in = |callhome: &CallHome, n| {
            with_local_recorder(callhome.recorder(), || record(n));
            thread::scope(|scope| {
                scope.spawn(|| with_local_recorder(callhome.recorder(), || record(n + 1)));
            });
        };
        in_a_child(|| {
            let beside = build(); // while the parent's is there
            assert_eq!(flushed(&beside), [0, 0, 0]);
            drop(callhome.take());
            record_in(&beside, 20); // which lets go of the last handles of the parent's
            let instead = build(); // where the parent's was
            assert_eq!(flushed(&instead), [0, 0, 0]);
            record_in(&instead, 500);
            assert_eq!(flushed(&instead), [1001, 1001, 2]);
            assert_eq!(flushed(&beside), [41, 41, 2]);
            assert_eq!(instead.flush().unwrap()["x"]["sum"], 0.0);
        });
        let expected = [[0; 3], [0; 3], [1001, 1001, 2], [41, 41, 2], [0; 3]];
        assert_eq!(childs.shown(), expected);
        assert_eq!(parents.shown(), [[0u64; 3]; 0]);
        let callhome = callhome.unwrap();
        tells(&callhome, 12);
        assert_eq!(flushed(&callhome), [TIMES + 23, TIMES + 23, 1]);
        let instances =
            |reports: &Reports| reports.read().pop().unwrap()["data"]["instance"].clone();
        assert_ne!(instances(&parents), instances(&childs), "two processes");
        drop(go);
        other.join().unwrap();
    });
}

#[test]
fn a_child_installs_its_own_and_reports_by_itself() {
    apart("a_child_installs_its_own_and_reports_by_itself", || {
        let (parents, childs) = (Reports::new("parent"), Reports::new("child"));
        let callhome = CallHome::builder(schema()).opt_out().sink(parents.sink()).build().unwrap();
        with_local_recorder(callhome.recorder(), || record(TIMES));
        in_a_child(|| {
            let every = Duration::from_millis(100);
            let own = CallHome::builder(schema()).opt_out().sink(childs.sink()).every(every);
            let own = own.install().unwrap();
            record(6);
            let begin = Instant::now();
            while childs.sums() != [6, 6, 1] {
                assert!(begin.elapsed() < LIMIT, "not by itself: {:?}", childs.shown());
                thread::yield_now();
            }
            record(8);
            let end = own.shutdown(LIMIT);
            assert_eq!(end.lost(), 0, "{end}");
        });
        assert_eq!(childs.sums(), [14, 14, 2]);
        assert!(parents.read().is_empty());
        assert_eq!(flushed(&callhome), [TIMES, TIMES, 1]);
    });
}

#[test]
fn a_child_cannot_switch_on_what_its_parent_has_switched_off() {
    apart("a_child_cannot_switch_on_what_its_parent_has_switched_off", || {
        let reports = Reports::new("off");
        let builder = CallHome::builder(schema()).opt_out().sink(reports.sink());
        let callhome = builder.install().unwrap();
        callhome.set_enabled(false).unwrap();
        support::apart::has_threads(&[]);
        in_a_child(|| {
            let error = callhome.set_enabled(true).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        });
        callhome.set_enabled(true).unwrap();
    });
}

/// Somebody switches reporting in the parent, and is still at it in the child.
#[test]
fn no_report_is_attached_in_a_child() {
    apart("no_report_is_attached_in_a_child", || {
        let ((here, is_here), (go, gate)) = (mpsc::channel(), mpsc::channel::<()>());
        let gate = std::sync::Mutex::new(gate);
        let ask = move || {
            let _ = here.send(());
            let _ = gate.lock().unwrap().recv();
            Ok::<_, ()>(None)
        };
        let first = CallHome::builder(schema()).sink(MemorySink::new()).cluster_id_with(ask);
        let first = first.opt_in().build().unwrap();
        thread::scope(|scope| {
            let go = go; // the thread ends if this panics
            let yes = scope.spawn(|| first.set_enabled(true).map(drop));
            is_here.recv_timeout(SOON).unwrap();
            in_a_child(|| {
                let error = first.attach(CallHome::builder(schema())).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Usage);
            });
            go.send(()).unwrap();
            yes.join().unwrap().unwrap();
        });
    });
}
