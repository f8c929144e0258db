//! Several reports of one process: each takes in all of what it declares, in windows of its own.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use callhome::sink::{MemorySink, Parcel, SendError, Sink};
use callhome::testing::VirtualClock;
use callhome::{Builder, CallHome, ErrorKind, Schema};
use metrics::{counter, gauge, histogram, with_local_recorder};

fn builder(schema: Schema) -> Builder {
    CallHome::builder(schema)
}

/// Two reports that have one metric in common, built only.
fn two() -> (CallHome, CallHome) {
    let one =
        builder(Schema::new("one").counter("both").counter("only_one").gauge("g").gauge("odd"));
    let one = one.build().unwrap();
    let other = Schema::new("other").counter("both").counter("only_other").counter("odd");
    let other = other.gauge_summary("g").default(0.0).distinct("seen", "id");
    let other = one.attach(builder(other)).unwrap();
    (one, other)
}

#[test]
fn a_metric_of_two_reports_is_counted_in_full_in_both() {
    let (one, other) = two();
    for recorder in [one.recorder(), other.recorder()] {
        with_local_recorder(recorder, || {
            counter!("both").increment(3);
            counter!("only_one").increment(1);
            counter!("only_other").increment(2);
            gauge!("g").set(5);
        });
    }
    let report = one.flush().unwrap();
    assert_eq!((&report["both"], &report["only_one"]), (&6.into(), &2.into()));
    assert_eq!(report["g"], 5, "a gauge here and its summary there");
    with_local_recorder(one.recorder(), || counter!("both").increment(1));
    let report = other.flush().unwrap();
    assert_eq!((&report["both"], &report["only_other"]), (&7.into(), &4.into()));
    assert_eq!(report["g"]["max"], 5);
    assert_eq!(one.flush().unwrap()["both"], 1, "each has windows of its own");
    assert_eq!(other.flush().unwrap()["both"], 0);
}

#[test]
fn what_no_report_declares_is_counted_once_and_a_mismatch_where_it_is_one() {
    let (one, other) = two();
    with_local_recorder(one.recorder(), || {
        (0..3).for_each(|_| counter!("only_other").increment(1));
        (0..4).for_each(|_| counter!("nobody").increment(1));
        (0..5).for_each(|_| histogram!("only_other").record(1));
        // Without the label it asks for, or as another kind, each time.
        (0..6).for_each(|_| counter!("seen").increment(1));
        // As it is in one report and not in the other.
        (0..7).for_each(|_| counter!("odd").increment(1));
    });
    let losses = |callhome: &CallHome| {
        let report = callhome.flush().unwrap();
        let envelope: serde_json::Value = serde_json::from_str(report.body()).unwrap();
        envelope["losses"].clone()
    };
    let expected = serde_json::json!({"undeclared_metrics": 4, "mismatched_metrics": 7});
    assert_eq!(losses(&one), expected);
    assert_eq!(losses(&other), serde_json::json!({"mismatched_metrics": 11}));
}

#[test]
fn distinct_values_are_seen_by_each_report() {
    let one = builder(Schema::new("one").distinct("seen", "id")).build().unwrap();
    let two = one.attach(builder(Schema::new("two").distinct("seen", "id"))).unwrap();
    let see = |ids: std::ops::Range<u32>| {
        with_local_recorder(one.recorder(), || {
            ids.for_each(|id| counter!("seen", "id" => id.to_string()).increment(1));
        });
    };
    see(0..10);
    see(0..10);
    assert_eq!(one.flush().unwrap()["seen"], 10);
    see(5..15);
    assert_eq!(
        (&one.flush().unwrap()["seen"], &two.flush().unwrap()["seen"]),
        (&10.into(), &15.into())
    );
}

#[test]
fn a_metric_is_counted_in_one_report_and_told_apart_in_another() {
    let first = builder(Schema::new("a").counter("clients")).build().unwrap();
    let distinct = |label| builder(Schema::new("b").distinct("clients", label));
    let second = first.attach(distinct("id")).unwrap();
    // What it asks for is not there: that counts each time.
    let third = first.attach(distinct("tenant")).unwrap();
    for _ in 0..2 {
        metrics::with_local_recorder(first.recorder(), || {
            (0..9).for_each(|at| counter!("clients", "id" => (at % 3).to_string()).increment(1));
        });
        assert_eq!(first.flush().unwrap()["clients"], 9);
        assert_eq!(second.flush().unwrap()["clients"], 3);
        let third: serde_json::Value = serde_json::from_str(third.flush().unwrap().body()).unwrap();
        assert_eq!(third["losses"]["mismatched_metrics"], 9);
    }
}

#[test]
fn reports_come_and_go_while_threads_record() {
    const TIMES: u64 = 20_000;
    let main = builder(Schema::new("main").counter("n")).build().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let record = || {
            with_local_recorder(main.recorder(), || {
                for at in 0..TIMES {
                    let stack = if at % 2 == 0 { "even" } else { "odd" };
                    counter!("n", "stack" => stack).increment(1);
                }
            });
        };
        let threads = [scope.spawn(record), scope.spawn(record)];
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let schema = Schema::new("stack").counter("n").label("stack", "even");
                let stack = main.attach(builder(schema)).unwrap();
                with_local_recorder(main.recorder(), || {
                    counter!("n", "stack" => "even").increment(0);
                });
                drop(stack);
            }
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(main.flush().unwrap()["n"], 2 * TIMES);

    // What was recorded before it came is not in it, what comes after is, in every thread.
    let schema = Schema::new("stack").counter("n").label("stack", "even");
    let stack = main.attach(builder(schema)).unwrap();
    let record = || {
        with_local_recorder(main.recorder(), || counter!("n", "stack" => "even").increment(1));
    };
    record();
    std::thread::scope(|scope| drop(scope.spawn(record)));
    assert_eq!((&stack.flush().unwrap()["n"], &main.flush().unwrap()["n"]), (&2.into(), &2.into()));
}

#[test]
fn ids_and_clock_are_those_of_the_first_unless_they_are_given() {
    let schema = || Schema::new("s").instance_id("instance").cluster_id("cluster").uptime("uptime");
    let clock = VirtualClock::new();
    let first = builder(schema()).clock(clock.clone()).build().unwrap();
    clock.advance(Duration::from_secs(60));
    let second = first.attach(builder(schema())).unwrap();
    let [one, two] = [&first, &second].map(|callhome| callhome.flush().unwrap().data().clone());
    assert_eq!((&one, &one["uptime"]), (&two, &60.into()));
    let of = |more: Builder| {
        let report = first.attach(more).unwrap().flush().unwrap();
        ["instance", "cluster", "uptime"].map(|name| report[name].clone())
    };
    let ids =
        |[instance, cluster, _]: &[serde_json::Value; 3]| [instance, cluster].map(Clone::clone);
    let [instance, cluster] = ["instance", "cluster"].map(|name| one[name].clone());
    let own = of(builder(schema()).instance_id("mine"));
    assert_eq!(own, ["mine".into(), cluster.clone(), 60.into()]);
    let own = of(builder(schema()).host(callhome::host::HostFacts::detect()));
    assert_eq!(ids(&own), [instance.clone(), cluster.clone()]);
    let own = of(builder(schema()).cluster_id("4711"));
    assert!(own[1] == "4711" && own[0] != instance, "nothing tells that both are of one process");
    let own = of(builder(schema()).clock(VirtualClock::new()));
    assert_eq!(own, [instance, cluster, 0.into()]);
}

/// A sink that would send to another machine: the rule for `cargo test` says no.
struct Far;

impl Sink for Far {
    fn send(&self, _: &Parcel<'_>) -> Result<(), SendError> {
        panic!("it is off")
    }

    fn describe(&self) -> String {
        "a sink".into()
    }
}

#[test]
fn ids_are_those_of_a_first_that_reports_nothing_itself() {
    let schema = || Schema::new("s").cluster_id("cluster");
    let first = builder(schema()).cluster_id("4711").sink(Far).opt_out().build().unwrap();
    assert_eq!(first.flush().unwrap_err().kind(), ErrorKind::Off);
    let second = first.attach(builder(schema()).sink(MemorySink::new())).unwrap();
    assert_eq!(second.flush().unwrap()["cluster"], "4711");
    second.set_enabled(false).unwrap();
    assert_ne!(second.preview()["cluster"], "4711");
}

/// The application may let a report go while it is asked for an id.
#[test]
fn a_report_that_goes_while_all_are_switched_on_is_gone() {
    let guest: Arc<std::sync::Mutex<Option<CallHome>>> = Arc::default();
    let itself = Arc::clone(&guest);
    let ask = move || {
        drop(itself.lock().unwrap().take());
        Ok::<_, ()>(None)
    };
    let first =
        builder(Schema::new("first").cluster_id("c")).cluster_id_with(ask).sink(MemorySink::new());
    let first = first.opt_out().build().unwrap();
    let kept = Arc::new(());
    let held = Arc::clone(&kept);
    let schema = Schema::new("s").counter("n").fact_with("f", move || {
        let _ = &held;
        callhome::Fact::NULL
    });
    let builder = builder(schema).sink(MemorySink::new());
    *guest.lock().unwrap() = Some(first.attach(builder).unwrap());
    first.set_enabled(false).unwrap();
    first.set_enabled(true).unwrap();
    assert!(guest.lock().unwrap().is_none());
    assert_eq!(Arc::strong_count(&kept), 1, "the macros record to it");
}

#[test]
fn one_switch_is_for_all() {
    let (sink, other_sink) = (MemorySink::new(), MemorySink::new());
    let schema = || Schema::new("s").counter("n").instance_id("instance");
    let first = builder(schema()).sink(sink.clone()).opt_out().build().unwrap();
    let second = first.attach(builder(schema()).sink(other_sink.clone())).unwrap();
    let record = || with_local_recorder(first.recorder(), || counter!("n").increment(1));
    let reports = |callhome: &CallHome| callhome.flush().map(|r| r["n"].as_u64().unwrap());

    record();
    second.set_enabled(false).unwrap();
    record();
    for callhome in [&first, &second] {
        assert_eq!(reports(callhome).unwrap_err().kind(), ErrorKind::Off);
        assert_eq!(callhome.status().switch().to_string(), first.status().switch().to_string());
    }
    let third = first.attach(builder(schema()).sink(MemorySink::new())).unwrap();
    assert_eq!(reports(&third).unwrap_err().kind(), ErrorKind::Off, "what comes later is off too");

    first.set_enabled(true).unwrap();
    record();
    for callhome in [&first, &second, &third] {
        assert_eq!(reports(callhome).unwrap(), 1);
    }
    assert_eq!((sink.bodies().len(), other_sink.bodies().len()), (1, 1));
    let instances = [&first, &second, &third].map(|c| c.preview()["instance"].clone());
    assert!(instances.iter().all(|id| *id == instances[0]), "{instances:?}");
}

#[test]
fn a_no_that_the_first_has_heard_holds_for_those_that_come_later() {
    let file = std::env::temp_dir().join(format!("callhome-later-{}.json", std::process::id()));
    let say = |yes: bool| std::fs::write(&file, format!("{{\"telemetry\": {yes}}}")).unwrap();
    let schema = || Schema::new("s").counter("n").instance_id("instance");
    say(true);
    let first = builder(schema()).sink(MemorySink::new()).opt_in().config_file(&file, "telemetry");
    let first = first.build().unwrap();
    let other = first.attach(builder(schema()).sink(MemorySink::new())).unwrap();
    let instance = first.flush().unwrap()["instance"].clone();
    say(false);
    other.flush().unwrap_err();
    assert_eq!(first.preview()["instance"], instance, "the ids are the first one's to forget");
    first.flush().unwrap_err(); // it asks before it sends
    say(true);
    let second = first.attach(builder(schema()).sink(MemorySink::new())).unwrap();
    assert_eq!(second.flush().unwrap_err().kind(), ErrorKind::Off);
    second.set_enabled(true).unwrap();
    assert!(first.flush().is_ok() && second.flush().is_ok());
    std::fs::remove_file(file).unwrap();
}

#[test]
fn what_is_said_to_the_first_is_an_error_in_another() {
    let schema = || Schema::new("s").counter("n");
    let spool = std::env::temp_dir().join(format!("callhome-reports-{}", std::process::id()));
    let first = builder(schema()).sink(MemorySink::new()).opt_out().spool(&spool);
    let first = first.build().unwrap();
    let more = || builder(schema()).sink(MemorySink::new());
    let wrong = [
        (more().opt_out(), "switched on and off with the first"),
        (more().switch("X"), "switched on and off with the first"),
        (more().beside(first.recorder().clone()), "`beside`"),
        (more().spool(&spool), "`spool`"),
        (more().spool(spool.join("..").join(spool.file_name().unwrap())), "`spool`"),
        (more().every(Duration::ZERO), "`every`"),
    ];
    for (builder, words) in wrong {
        let error = first.attach(builder).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(first.attach(builder(Schema::new("s"))).is_err());
    let _ = first.shutdown(support::SOON);
    assert_eq!(first.attach(more()).unwrap_err().kind(), ErrorKind::Usage);
    drop(first);
    std::fs::remove_dir_all(spool).unwrap();
}

/// A sink during whose making somebody shuts all reports down.
struct Late(Arc<CallHome>);

impl Sink for Late {
    fn send(&self, _: &Parcel<'_>) -> Result<(), SendError> {
        Ok(())
    }

    fn describe(&self) -> String {
        assert_eq!(self.0.shutdown(support::SOON).lost(), 0);
        "a sink".into()
    }

    fn is_local(&self) -> bool {
        true
    }
}

#[test]
fn a_report_that_comes_while_all_end_does_not_stay() {
    let schema = || Schema::new("s").counter("n");
    let first = builder(schema()).sink(MemorySink::new()).opt_out().build().unwrap();
    let first = Arc::new(first);
    let late = first.attach(builder(schema()).sink(Late(Arc::clone(&first))));
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(Arc::strong_count(&first), 1, "nothing of it is left");
}

#[test]
fn a_shutdown_of_the_first_is_that_of_all_and_one_of_another_its_own() {
    let sinks = [(); 3].map(|()| MemorySink::new());
    let [a, b, c] = &sinks;
    let schema = || Schema::new("s").counter("n");
    let first = builder(schema()).sink(a.clone()).opt_out().build().unwrap();
    let second = first.attach(builder(schema()).sink(b.clone())).unwrap();
    let third = first.attach(builder(schema()).sink(c.clone())).unwrap();
    let record = || with_local_recorder(first.recorder(), || counter!("n").increment(1));
    record();
    assert_eq!(second.shutdown(support::SOON).accepted(), 1);
    assert_eq!(second.flush().unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(sinks.each_ref().map(|sink| sink.bodies().len()), [0, 1, 0]);
    record();
    assert_eq!(first.shutdown(support::SOON).accepted(), 2);
    assert_eq!(third.shutdown(support::SOON).accepted(), 0, "it has ended with the first");
    for sink in [a, c] {
        let report: serde_json::Value = serde_json::from_slice(&sink.bodies()[0]).unwrap();
        assert_eq!(report["data"]["n"], 2);
    }
}

/// The cases that need the global recorder, and so a process of their own.
#[cfg(target_os = "linux")]
mod installed {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::support::apart::{apart, apart_with, has_threads, threads};
    use super::support::{Hanging, SOON};
    use super::*;

    fn schema() -> Schema {
        Schema::new("s").counter("n")
    }

    fn fast(sink: impl Sink + 'static) -> Builder {
        let every = Duration::from_millis(100);
        builder(schema()).sink(sink).every(every).first_after(every).spread(Duration::ZERO)
    }

    /// Tells what the reports of a sink count.
    fn told(sink: &MemorySink) -> mpsc::Receiver<u64> {
        let (tell, told) = mpsc::channel();
        sink.answer(move |parcel| {
            let report: serde_json::Value = serde_json::from_slice(parcel.body()).unwrap();
            tell.send(report["data"]["n"].as_u64().unwrap()).unwrap();
            Ok(())
        });
        told
    }

    /// Waits until the reports that are told of have counted so much, and no more.
    #[track_caller]
    fn until(told: &mpsc::Receiver<u64>, count: u64) {
        let (mut seen, begin) = (0, Instant::now());
        while seen < count {
            seen += told.recv_timeout(SOON).unwrap();
            assert!(begin.elapsed() < SOON, "{seen} of {count}");
        }
        assert_eq!(seen, count);
    }

    #[test]
    fn one_recorder_serves_all_reports_and_each_has_a_thread() {
        apart("installed::one_recorder_serves_all_reports_and_each_has_a_thread", || {
            let sinks = [(); 2].map(|()| MemorySink::new());
            let [a, b] = sinks.each_ref().map(told);
            let [first, second] = sinks;
            let first = fast(first).opt_out().install().unwrap();
            let second = first.attach(fast(second)).unwrap();
            has_threads(&["callhome", "callhome"]);
            counter!("n").increment(7);
            [&a, &b].into_iter().for_each(|told| until(told, 7));
            // One goes, and the other goes on.
            counter!("n").increment(1);
            drop(second);
            assert_eq!(b.iter().sum::<u64>(), 1, "its last window");
            until(&a, 1);
            has_threads(&["callhome"]);
            drop(first);
            has_threads(&[]);
        });
    }

    #[test]
    fn all_reports_end_within_one_deadline() {
        apart("installed::all_reports_end_within_one_deadline", || {
            let deadline = Duration::from_secs(1);
            let slow = |sink| builder(schema()).sink(sink);
            let (_first, sink) = Hanging::new();
            let first = slow(sink).opt_out().install().unwrap();
            let others: Vec<_> = (0..20)
                .map(|_| {
                    let (let_go, sink) = Hanging::new();
                    (let_go, first.attach(slow(sink)).unwrap())
                })
                .collect();
            let well = MemorySink::new();
            let _well = first.attach(builder(schema()).sink(well.clone())).unwrap();
            let begin = Instant::now();
            let end = first.shutdown(deadline);
            assert!(begin.elapsed() < deadline * 10, "{:?}", begin.elapsed());
            assert_eq!((end.accepted(), end.lost()), (1, 21));
            assert_eq!(well.bodies().len(), 1, "the others did not keep it");
            drop(others);
        });
    }

    #[test]
    fn off_is_off_for_all() {
        let name = "installed::off_is_off_for_all";
        apart_with(name, &[("SHOP_TELEMETRY", "0")], || {
            let sink = MemorySink::new();
            let told = told(&sink);
            let first = fast(MemorySink::new()).opt_out().setting("--telemetry", Some(true));
            let first = first.switch("SHOP_TELEMETRY").install().unwrap();
            let second = first.attach(fast(sink.clone())).unwrap();
            counter!("n").increment(1);
            assert_eq!(second.set_enabled(true).unwrap_err().kind(), ErrorKind::Off);
            assert!(threads().is_empty() && sink.attempts() == 0);
            drop(second);
            drop(first);
            assert!(told.try_iter().next().is_none());
        });
    }

    #[test]
    fn the_threads_come_and_go_with_the_switch() {
        apart("installed::the_threads_come_and_go_with_the_switch", || {
            let sink = MemorySink::new();
            let told = told(&sink);
            let first = fast(MemorySink::new()).opt_out().notice_first().install().unwrap();
            let second = first.attach(fast(sink)).unwrap();
            counter!("n").increment(1);
            assert!(threads().is_empty());
            second.notice_shown().unwrap();
            counter!("n").increment(3);
            until(&told, 3);
            first.set_enabled(false).unwrap();
            has_threads(&[]);
            drop(second);
            drop(first);
        });
    }

    #[test]
    fn no_thread_stays_of_a_report_that_comes_while_all_end() {
        apart("installed::no_thread_stays_of_a_report_that_comes_while_all_end", || {
            let builder = || builder(schema()).sink(MemorySink::new());
            let first = builder().opt_out().install().unwrap();
            let (come, comes) = mpsc::channel();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let coming = std::iter::from_fn(|| first.attach(builder()).ok());
                    coming.for_each(|callhome| come.send(callhome).unwrap());
                });
                let some: Vec<_> = (0..3).map(|_| comes.recv_timeout(SOON).unwrap()).collect();
                let _ = first.shutdown(SOON);
                has_threads(&[]);
                drop(some);
            });
        });
    }

    #[test]
    fn the_logger_may_switch_off_while_a_report_comes() {
        static FIRST: std::sync::OnceLock<CallHome> = std::sync::OnceLock::new();
        struct No;
        impl log::Log for No {
            fn enabled(&self, _: &log::Metadata<'_>) -> bool {
                true
            }
            fn log(&self, _: &log::Record<'_>) {
                FIRST.get().unwrap().set_enabled(false).unwrap();
            }
            fn flush(&self) {}
        }
        apart("installed::the_logger_may_switch_off_while_a_report_comes", || {
            log::set_logger(&No).unwrap();
            log::set_max_level(log::LevelFilter::Warn);
            let builder = || builder(schema()).sink(MemorySink::new());
            drop(FIRST.set(builder().opt_out().build().unwrap()));
            // A spool that cannot be made.
            let spool = std::env::current_exe().unwrap().join("spool");
            let (done, is_done) = mpsc::channel();
            let come = move || done.send(FIRST.get().unwrap().attach(builder().spool(spool)));
            std::thread::spawn(come);
            let second = is_done.recv_timeout(SOON).expect("it waits for itself").unwrap();
            assert_eq!(second.flush().unwrap_err().kind(), ErrorKind::Off);
        });
    }
}
