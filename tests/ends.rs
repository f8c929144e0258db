//! The end of an aggregator in odd places: it ships its window or says that it did not, and
//! neither hangs nor panics.
//!
//! A global recorder is for the rest of its process, so each case that installs one has its own.

mod support;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::thread;
use std::time::{Duration, SystemTime};

use callhome::sink::{MemorySink, Parcel, SendError, Sink};
use callhome::{CallHome, Clock, ErrorKind, Moment, Schema};
use metrics::counter;
use support::SOON;
use support::apart::{apart, has_threads};

fn schema() -> Schema {
    Schema::new("s").counter("n")
}

fn installed(schema: Schema, sink: &MemorySink) -> CallHome {
    let callhome = CallHome::builder(schema).opt_out().sink(sink.clone()).install().unwrap();
    counter!("n").increment(7);
    callhome
}

/// What `n` is in each report that arrived.
fn arrived(sink: &MemorySink) -> Vec<u64> {
    sink.documents().iter().map(|report| report["data"]["n"].as_u64().unwrap()).collect()
}

/// A value that runs this when it is dropped.
struct AtDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for AtDrop<F> {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|work| work());
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

#[test]
fn inside_an_async_runtime_of_one_thread() {
    apart("inside_an_async_runtime_of_one_thread", || {
        let sink = MemorySink::new();
        runtime().block_on(async {
            let callhome = installed(schema(), &sink);
            tokio::task::yield_now().await;
            let end = callhome.shutdown(SOON);
            assert_eq!((end.accepted(), end.lost()), (1, 0), "{end}");
        });
        assert_eq!(arrived(&sink), [7]);
    });
}

#[test]
fn dropped_by_a_task_and_with_the_runtime() {
    apart("dropped_by_a_task_and_with_the_runtime", || {
        let sink = MemorySink::new();
        let callhome = installed(schema(), &sink);
        let runtime = runtime();
        // The task is never polled to its end: it is dropped with the runtime.
        runtime.spawn(async move {
            let _callhome = callhome;
            std::future::pending::<()>().await;
        });
        runtime.block_on(tokio::task::yield_now());
        drop(runtime);
        assert_eq!(arrived(&sink), [7]);
    });
}

/// The sink that is there without own work: HTTP, from within a runtime.
#[cfg(feature = "http")]
#[test]
fn inside_a_runtime_over_http() {
    apart("inside_a_runtime_over_http", || {
        let server = callhome::testing::HttpReceiver::answering("HTTP/1.1 204 No Content\r\n\r\n");
        runtime().block_on(async {
            let builder = CallHome::builder(schema()).opt_out().endpoint(&server.url("/"));
            let callhome = builder.install().unwrap();
            counter!("n").increment(7);
            drop(callhome);
        });
        callhome::assert_report!(server.request(), "data.n" == 7);
    });
}

#[test]
fn dropped_by_a_panic() {
    apart("dropped_by_a_panic", || {
        let sink = MemorySink::new();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _callhome = installed(schema(), &sink);
            panic!("the application panics");
        }));
        assert!(panicked.is_err());
        assert_eq!(arrived(&sink), [7]);
    });
}

#[test]
fn dropped_by_the_destructor_of_a_thread_local() {
    apart("dropped_by_the_destructor_of_a_thread_local", || {
        thread_local! {
            static KEPT: RefCell<Option<CallHome>> = const { RefCell::new(None) };
        }
        let sink = MemorySink::new();
        let given = sink.clone();
        let ends = thread::spawn(move || {
            KEPT.set(None); // registers its destructor before all others
            let schema = schema().sampled("polled", || 1.0);
            KEPT.set(Some(installed(schema, &given)));
        });
        ends.join().unwrap();
        assert_eq!(arrived(&sink), [7]);
    });
}

/// By then the thread-locals of this crate may be gone.
#[test]
fn used_by_the_destructor_of_a_thread_local() {
    type Work = Box<dyn FnOnce()>;
    thread_local! {
        static LAST: RefCell<Option<AtDrop<Work>>> = const { RefCell::new(None) };
    }
    let sink = MemorySink::new();
    let asked = schema().sampled("polled", || 1.0).fact_with("asked", || "fact");
    let callhome = Arc::new(CallHome::builder(asked).opt_out().sink(sink.clone()).build().unwrap());
    let used = Arc::clone(&callhome);
    let ends = thread::spawn(move || {
        LAST.set(None); // registers its destructor before all others: it runs after them
        let record = {
            let recorder = used.recorder().clone();
            move || metrics::with_local_recorder(&recorder, || counter!("n").increment(7))
        };
        record();
        used.flush().unwrap();
        let work = move || {
            record();
            used.preview();
            used.tick();
            let report = used.flush().unwrap();
            assert_eq!(report["asked"], "fact");
            let end = used.shutdown(SOON);
            assert_eq!((end.accepted(), end.lost()), (1, 0), "{end}");
        };
        LAST.set(Some(AtDrop(Some(Box::new(work)))));
    });
    ends.join().unwrap();
    assert_eq!(callhome.flush().unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(arrived(&sink)[0], 7);
    assert_eq!(arrived(&sink).len(), 3);
}

#[test]
fn twice_and_by_two_threads_at_once() {
    for _ in 0..500 {
        let sink = MemorySink::new();
        let callhome = CallHome::builder(schema()).opt_out().sink(sink.clone()).build().unwrap();
        metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(7));
        // Closer to each other than a barrier lets them go.
        let there = AtomicU32::new(0);
        let shut = || {
            there.fetch_add(1, Ordering::Relaxed);
            while there.load(Ordering::Relaxed) < 2 {
                std::hint::spin_loop();
            }
            callhome.shutdown(SOON)
        };
        let ends = thread::scope(|scope| {
            let other = scope.spawn(shut);
            [shut(), other.join().unwrap()]
        });
        let again = callhome.shutdown(SOON);
        assert_eq!(ends.iter().map(|end| end.accepted()).sum::<u64>(), 1);
        assert_eq!(ends.iter().map(|end| end.lost()).sum::<u64>(), 0);
        assert_eq!((again.accepted(), again.lost()), (0, 0));
        assert_eq!(arrived(&sink), [7]);
    }
}

/// On the background thread, and on the thread that seals the last window.
#[test]
fn within_a_function_of_the_schema() {
    apart("within_a_function_of_the_schema", || {
        static ITSELF: Mutex<Option<Arc<CallHome>>> = Mutex::new(None);
        let (ended, end) = mpsc::channel();
        let ended = Mutex::new(ended);
        let schema = schema().sampled("shuts", move || {
            let itself = ITSELF.lock().unwrap().clone();
            itself.into_iter().for_each(|callhome| {
                let end = callhome.shutdown(SOON);
                let _ = ended.lock().unwrap().send(end);
            });
            1.0
        });
        let sink = MemorySink::new();
        let builder = CallHome::builder(schema).opt_out().sink(sink.clone());
        let callhome = builder.sample_every(Duration::from_millis(100)).install().unwrap();
        counter!("n").increment(7);
        *ITSELF.lock().unwrap() = Some(Arc::new(callhome));
        // Asked once more by the seal of the last window, whose end is there first.
        let second = end.recv_timeout(SOON).unwrap();
        assert_eq!((second.accepted(), second.lost()), (0, 0), "{second}");
        let first = end.recv_timeout(SOON).unwrap();
        assert_eq!((first.accepted(), first.lost()), (1, 0), "{first}");
        assert_eq!(arrived(&sink), [7]);
    });
}

/// A sink would wait for itself. Nothing happens, and the end that comes after is whole.
#[test]
fn within_a_sink() {
    struct Shuts(Weak<CallHome>, MemorySink);
    impl Sink for Shuts {
        fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
            let end = self.0.upgrade().unwrap().shutdown(SOON);
            assert_eq!((end.accepted(), end.lost()), (0, 0));
            self.1.send(parcel)
        }

        fn describe(&self) -> String {
            "a sink that shuts down".into()
        }

        fn is_local(&self) -> bool {
            true
        }
    }
    let sink = MemorySink::new();
    let callhome = Arc::new_cyclic(|itself| {
        let sink = Shuts(Weak::clone(itself), sink.clone());
        CallHome::builder(schema()).opt_out().sink(sink).build().unwrap()
    });
    let add = || metrics::with_local_recorder(callhome.recorder(), || counter!("n").increment(7));
    add();
    callhome.flush().unwrap();
    add();
    let end = callhome.shutdown(SOON);
    assert_eq!((end.accepted(), end.lost()), (1, 0), "{end}");
    assert_eq!(arrived(&sink), [7, 7]);
}

/// A sink that has the aggregator, and is the last to have it.
#[test]
fn dropped_by_a_sink() {
    apart("dropped_by_a_sink", || {
        #[derive(Clone, Default)]
        struct Owner(Arc<Mutex<Option<CallHome>>>);
        impl Sink for Owner {
            fn send(&self, _: &Parcel<'_>) -> Result<(), SendError> {
                drop(self.0.lock().unwrap().take());
                Ok(())
            }

            fn describe(&self) -> String {
                "owner".into()
            }

            fn is_local(&self) -> bool {
                true
            }
        }
        let owner = Owner::default();
        let builder = CallHome::builder(schema()).opt_out().sink(owner.clone());
        let builder = builder.first_after(Duration::ZERO).spread(Duration::ZERO);
        // Held until it is the sink's: the first report is due at once.
        let mut owned = owner.0.lock().unwrap();
        *owned = Some(builder.install().unwrap());
        drop(owned);
        has_threads(&[]);
    });
}

/// A second panic would abort the process.
#[test]
fn dropped_by_a_panic_with_a_clock_that_panics_too() {
    apart("dropped_by_a_panic_with_a_clock_that_panics_too", || {
        struct Broken(Arc<AtomicBool>);
        impl Clock for Broken {
            fn now(&self) -> Moment {
                assert!(!self.0.load(Ordering::Relaxed), "the clock panics");
                Moment { monotonic: Duration::ZERO, wall: SystemTime::UNIX_EPOCH }
            }
        }
        let (sink, broken) = (MemorySink::new(), Arc::new(AtomicBool::new(false)));
        let builder = CallHome::builder(schema()).opt_out().sink(sink.clone());
        let callhome = builder.clock(Broken(Arc::clone(&broken))).install().unwrap();
        broken.store(true, Ordering::Relaxed);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _callhome = callhome;
            panic!("the application panics");
        }));
        assert!(panicked.is_err());
        assert_eq!(arrived(&sink), Vec::<u64>::new());
    });
}
