//! The recorders behind the `metrics` facade, each installed as the process's global one.

use std::cell::{Cell, OnceCell};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Acquire, Ordering::Relaxed};
use std::time::Duration;

use callhome::sink::{Parcel, SendError, Sink};
use callhome::{Builder, CallHome, Schema};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_util::registry::{AtomicStorage, Registry};
use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline};

/// How many values of the label `id` the measurements of distinct counts use.
pub const IDS: usize = 1024;

/// Makes the library the global recorder. `callhome` asks for the schema; what is returned of it
/// must be kept.
pub fn install(library: &str, schema: impl FnOnce() -> Schema) -> Option<CallHome> {
    match library {
        // The switch of the second is off: the parent sets the variable.
        "callhome" | "callhome-off" => {
            return Some(builder(schema()).install().expect("callhome installs"));
        }
        "metrics-util" => set(Util::new()),
        "metrics-exporter-prometheus" => set(PrometheusBuilder::new().build_recorder()),
        "floor" => set(Floor),
        "seen-floor" => set(SeenFloor(RapidSecrets::seed(RandomState::new().hash_one(0)))),
        "counting-recorder" => set(Counting("x")),
        "noop-recorder" => set(metrics::NoopRecorder),
        _ => (), // not behind the facade, or the facade without a recorder
    }
    None
}

/// The settings of every aggregator that is measured: nothing happens by itself.
pub fn builder(schema: Schema) -> Builder {
    CallHome::builder(schema).opt_out().sink(Discard).every(Duration::from_secs(24 * 60 * 60))
}

/// What the measured lines record to.
pub fn schema() -> Schema {
    Schema::new("bench")
        .counter("x")
        .counter("s_1_2")
        .metric("s")
        .label("a", "1")
        .label("b", "2")
        .counter("r_v1")
        .metric("r")
        .label("k", "v1")
        .gauge("g")
        .summary("h")
        .distinct("d", "id")
}

fn set(recorder: impl Recorder + Sync + 'static) {
    metrics::set_global_recorder(recorder).map_err(|_| ()).expect("the first global recorder");
}

/// Accepts every report and keeps none.
struct Discard;

impl Sink for Discard {
    fn send(&self, _: &Parcel<'_>) -> Result<(), SendError> {
        Ok(())
    }

    fn describe(&self) -> String {
        "nowhere".to_owned()
    }
}

/// The registry of `metrics-util` as a recorder, as exporters build on it.
pub struct Util(Registry<Key, AtomicStorage>);

impl Util {
    /// An empty one.
    pub fn new() -> Util {
        Util(Registry::atomic())
    }
}

impl Recorder for Util {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.0.get_or_create_counter(key, |cell| Counter::from_arc(Arc::clone(cell)))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.0.get_or_create_gauge(key, |cell| Gauge::from_arc(Arc::clone(cell)))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.0.get_or_create_histogram(key, |cell| Histogram::from_arc(Arc::clone(cell)))
    }
}

/// The least that any recorder can cost: it looks nothing up, and its handles do nothing. Each
/// thread has its own, so no two threads share a reference count.
struct Floor;

/// An empty implementation of the facade's traits. Aligned, so that the reference counts of two
/// threads' handles never share a cache line.
#[repr(align(128))]
struct Empty;

impl CounterFn for Empty {
    fn increment(&self, _: u64) {}

    fn absolute(&self, _: u64) {}
}

impl GaugeFn for Empty {
    fn increment(&self, _: f64) {}

    fn decrement(&self, _: f64) {}

    fn set(&self, _: f64) {}
}

impl HistogramFn for Empty {
    fn record(&self, _: f64) {}
}

macro_rules! ready_made {
    ($handle:ident) => {{
        thread_local! {
            // A leaked reference needs no destructor, which is the cheapest kind of thread-local.
            static READY: Cell<Option<&'static $handle>> = const { Cell::new(None) };
        }
        match READY.get() {
            Some(handle) => handle.clone(),
            None => {
                let handle = Box::leak(Box::new($handle::from_arc(Arc::new(Empty))));
                READY.set(Some(handle));
                handle.clone()
            }
        }
    }};
}

impl Recorder for Floor {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        ready_made!(Counter)
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        ready_made!(Gauge)
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        ready_made!(Histogram)
    }
}

/// The least that a recorder can cost that counts different values without keeping them: it reads
/// the key, hashes the first label's value under a secret, finds the value's handle among those of
/// the thread and hands it out. It knows a metric by where its literal is, and has no other labels,
/// no window that ends, and room for the values of the measurement only.
struct SeenFloor(RapidSecrets);

/// Values by hash, next to which others are when their place is taken.
type Seen = [OnceCell<(u64, usize, Counter)>];

thread_local! {
    static SEEN: Cell<Option<&'static Seen>> = const { Cell::new(None) };
}

/// The window that goes on. It is read at each record, as whoever ends windows would move it on.
static WINDOW: AtomicU64 = AtomicU64::new(1);

/// The window that a value was last seen in.
#[repr(align(128))]
struct Sighting(AtomicU64);

impl CounterFn for Sighting {
    fn increment(&self, _: u64) {
        let window = WINDOW.load(Acquire);
        if self.0.load(Relaxed) != window {
            self.0.store(window, Relaxed); // here it would go to the window's set
        }
    }

    fn absolute(&self, _: u64) {}
}

impl Recorder for SeenFloor {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let name = key.name();
        let Some(label) = key.labels().next() else { return Counter::noop() };
        let hash = rapidhash_v3_nano_inline::<false, true>(label.value().as_bytes(), &self.0);
        let seen = SEEN.get().unwrap_or_else(|| {
            // Not an array: on its way to the heap it would be in the frame of every call.
            let seen: &'static Seen =
                (0..4 * IDS).map(|_| OnceCell::new()).collect::<Vec<_>>().leak();
            SEEN.set(Some(seen));
            seen
        });
        let mut at = hash as usize;
        loop {
            let make = || {
                let handle = Counter::from_arc(Arc::new(Sighting(AtomicU64::new(0))));
                (hash, name.as_ptr() as usize, handle)
            };
            let (other, metric, handle) = seen[at % (4 * IDS)].get_or_init(make);
            if *other == hash && *metric == name.as_ptr() as usize {
                return handle.clone();
            }
            at += 1;
        }
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// The least that a recorder can cost that tells metrics which it has no use for and says how often
/// it was asked for them: it reads the key's name, compares it with the one name it knows, and
/// counts in a word of the thread's own.
struct Counting(&'static str);

thread_local! {
    static ASKED: Cell<Option<&'static AtomicU64>> = const { Cell::new(None) };
}

impl Counting {
    #[inline]
    fn count(&self, key: &Key) {
        if key.name() == self.0 {
            return; // here it would record
        }
        let word = ASKED.get().unwrap_or_else(|| {
            let word: &'static AtomicU64 = Box::leak(Box::default());
            ASKED.set(Some(word));
            word
        });
        word.store(word.load(Relaxed) + 1, Relaxed);
    }
}

impl Recorder for Counting {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.count(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.count(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.count(key);
        Histogram::noop()
    }
}
