//! What the facade's `Counter`, `Gauge` and `Histogram` call when they are used.

use std::sync::Arc;

use metrics::{CounterFn, GaugeFn, HistogramFn, Key};

use crate::cell::{Counter, DistinctCell, Gauge, Histogram, Set, Sighting};
use crate::registry::{Buckets, Cell, Found, Registry, label_of};
use crate::schema::{Class, Kind};

/// A handle of the facade, and how to make one for a key.
pub(crate) trait Handle: Clone {
    const CLASS: Class;
    /// A handle that does nothing.
    fn noop() -> Self;
    /// A handle that records to these fields. It must not keep the registry alive.
    fn of(registry: &Registry, key: &Key, found: Found<'_>) -> Self;
    /// A handle that stands for all of these; the handle itself if it is one.
    fn all(handles: Vec<Self>) -> Self;
}

/// A handle and whether it may be used again for the same key.
///
/// Each call makes a new one: a handle is reference-counted, and a count that several threads
/// share costs more than everything else on the way (see `cache`).
pub(crate) fn make<H: Handle>(registry: &Registry, key: &Key) -> Made<H> {
    match registry.find(H::CLASS, key) {
        Found::Undeclared => Made::Undeclared,
        Found::Mismatched => Made::Mismatched,
        found @ Found::Partly(_) => {
            registry.tallies().undeclared.add(1);
            Made::Once(H::of(registry, key, found)) // so that the next call is counted too
        }
        found @ Found::Fields(_) => {
            let distinct = matches!(&found, Found::Fields(fields) if fields
                .iter()
                .any(|(leaf, _)| matches!(leaf.field.kind, Kind::Distinct { .. })));
            let handle = H::of(registry, key, found);
            if distinct { Made::Once(handle) } else { Made::Kept(handle) }
        }
    }
}

/// What became of a key.
pub(crate) enum Made<H> {
    /// Good for every registration of the key.
    Kept(H),
    /// Good for this registration only: the handle holds the value of a label.
    Once(H),
    /// Not in the schema.
    Undeclared,
    /// In the schema as something else.
    Mismatched,
}

/// Counts what a field refuses. Out of the way: what is recorded pays for no register that this
/// uses.
#[cold]
#[inline(never)]
fn refuse(refused: &Counter, times: u64) {
    refused.add(times);
}

/// A counter.
struct CounterHandle(Arc<Counter>);

impl CounterFn for CounterHandle {
    #[inline]
    fn increment(&self, value: u64) {
        self.0.add(value);
    }

    fn absolute(&self, value: u64) {
        self.0.raise_to(value);
    }
}

/// A handle to what stands for all values of a label that have no place of their own, and the
/// tally of those.
struct Capped<H>(H, Arc<Counter>);

impl CounterFn for Capped<metrics::Counter> {
    fn increment(&self, value: u64) {
        self.0.increment(value);
        self.1.add(1);
    }

    fn absolute(&self, value: u64) {
        self.0.absolute(value);
        self.1.add(1);
    }
}

impl GaugeFn for Capped<metrics::Gauge> {
    fn increment(&self, value: f64) {
        self.0.increment(value);
        self.1.add(1);
    }

    fn decrement(&self, value: f64) {
        self.0.decrement(value);
        self.1.add(1);
    }

    fn set(&self, value: f64) {
        self.0.set(value);
        self.1.add(1);
    }
}

impl HistogramFn for Capped<metrics::Histogram> {
    fn record(&self, value: f64) {
        self.0.record(value);
        self.1.add(1);
    }

    fn record_many(&self, value: f64, count: usize) {
        self.0.record_many(value, count);
        self.1.add(count as u64);
    }
}

/// A value of a distinct field, hashed, and the tally of what is refused.
struct DistinctHandle<S: Set> {
    cell: Arc<DistinctCell<S>>,
    sighting: Sighting<S::Value>,
    refused: Arc<Counter>,
}

impl<S> DistinctHandle<S>
where
    S: Set<Value: Send + Sync, Beside: Send + Sync> + Send + 'static,
{
    fn of(cell: &Arc<DistinctCell<S>>, value: &str, refused: &Arc<Counter>) -> metrics::Counter {
        let sighting = Sighting::new(cell.hash(value));
        let handle =
            DistinctHandle { cell: Arc::clone(cell), sighting, refused: Arc::clone(refused) };
        metrics::Counter::from_arc(Arc::new(handle))
    }
}

impl<S: Set> CounterFn for DistinctHandle<S> {
    fn increment(&self, value: u64) {
        if value > 0 && !self.cell.see(&self.sighting) {
            refuse(&self.refused, 1);
        }
    }

    fn absolute(&self, value: u64) {
        self.increment(value);
    }
}

/// A gauge, and the tally of the values it refuses.
struct GaugeHandle(Arc<Gauge>, Arc<Counter>);

impl GaugeHandle {
    fn check(&self, taken: bool) {
        if !taken {
            refuse(&self.1, 1);
        }
    }
}

impl GaugeFn for GaugeHandle {
    fn increment(&self, value: f64) {
        self.check(self.0.add(value));
    }

    fn decrement(&self, value: f64) {
        self.check(self.0.add(-value));
    }

    fn set(&self, value: f64) {
        self.check(self.0.set(value));
    }
}

/// A histogram, and the tally of the samples it refuses.
struct HistogramHandle(Arc<Histogram>, Arc<Counter>);

impl HistogramFn for HistogramHandle {
    #[inline]
    fn record(&self, value: f64) {
        if !self.0.record(value) {
            refuse(&self.1, 1);
        }
    }

    fn record_many(&self, value: f64, count: usize) {
        if !self.0.record_many(value, count as u64) {
            refuse(&self.1, count as u64);
        }
    }
}

/// Samples in buckets, and the tally of those it refuses.
struct BucketsHandle(Arc<Buckets>, Arc<Counter>);

impl HistogramFn for BucketsHandle {
    #[inline]
    fn record(&self, value: f64) {
        if !self.0.record(value, 1) {
            self.1.add(1);
        }
    }

    fn record_many(&self, value: f64, count: usize) {
        if !self.0.record(value, count as u64) {
            self.1.add(count as u64);
        }
    }
}

/// One metric that feeds several fields, of one report or of several.
struct Several<H>(Vec<H>);

impl CounterFn for Several<metrics::Counter> {
    fn increment(&self, value: u64) {
        self.0.iter().for_each(|handle| handle.increment(value));
    }

    fn absolute(&self, value: u64) {
        self.0.iter().for_each(|handle| handle.absolute(value));
    }
}

impl GaugeFn for Several<metrics::Gauge> {
    fn increment(&self, value: f64) {
        self.0.iter().for_each(|handle| handle.increment(value));
    }

    fn decrement(&self, value: f64) {
        self.0.iter().for_each(|handle| handle.decrement(value));
    }

    fn set(&self, value: f64) {
        self.0.iter().for_each(|handle| handle.set(value));
    }
}

impl HistogramFn for Several<metrics::Histogram> {
    fn record(&self, value: f64) {
        self.0.iter().for_each(|handle| handle.record(value));
    }

    fn record_many(&self, value: f64, count: usize) {
        self.0.iter().for_each(|handle| handle.record_many(value, count));
    }
}

/// The one handle of a list, or one that stands for all of it.
fn one_of<H>(mut handles: Vec<H>, several: impl FnOnce(Vec<H>) -> H) -> H {
    match handles.len() {
        1 => handles.remove(0),
        _ => several(handles),
    }
}

fn handles<H>(found: Found<'_>, one: impl Fn(&Kind, &Cell) -> Option<H>) -> Vec<H> {
    match found {
        Found::Fields(fields) | Found::Partly(fields) => {
            fields.into_iter().filter_map(|(leaf, cell)| one(&leaf.field.kind, cell)).collect()
        }
        Found::Undeclared | Found::Mismatched => Vec::new(),
    }
}

impl Handle for metrics::Counter {
    const CLASS: Class = Class::Counter;

    fn noop() -> Self {
        metrics::Counter::noop()
    }

    fn of(registry: &Registry, key: &Key, found: Found<'_>) -> Self {
        let tallies = registry.tallies();
        let counter = |cell: &Arc<Counter>| {
            let handle = CounterHandle(Arc::clone(cell));
            metrics::Counter::from_arc(Arc::new(handle))
        };
        let handles = handles(found, |kind, cell| match (cell, kind) {
            (Cell::Counter(cell), _) => Some(counter(cell)),
            (Cell::Series(series), _) => {
                let (cell, is_capped) = series.cell(key)?;
                let handle = counter(cell);
                Some(match is_capped {
                    true => {
                        let capped = Capped(handle, Arc::clone(&tallies.capped));
                        metrics::Counter::from_arc(Arc::new(capped))
                    }
                    false => handle,
                })
            }
            (Cell::Distinct(cell), Kind::Distinct { label }) => {
                Some(DistinctHandle::of(cell, label_of(key, label)?, &tallies.refused))
            }
            (Cell::Mergeable(cell), Kind::Distinct { label }) => {
                Some(DistinctHandle::of(cell, label_of(key, label)?, &tallies.refused))
            }
            _ => None,
        });
        Self::all(handles)
    }

    fn all(handles: Vec<Self>) -> Self {
        one_of(handles, |handles| metrics::Counter::from_arc(Arc::new(Several(handles))))
    }
}

impl Handle for metrics::Gauge {
    const CLASS: Class = Class::Gauge;

    fn noop() -> Self {
        metrics::Gauge::noop()
    }

    fn of(registry: &Registry, key: &Key, found: Found<'_>) -> Self {
        let tallies = registry.tallies();
        let gauge = |cell: &Arc<Gauge>| {
            let handle = GaugeHandle(Arc::clone(cell), Arc::clone(&tallies.refused));
            metrics::Gauge::from_arc(Arc::new(handle))
        };
        let handles = handles(found, |_, cell| match cell {
            Cell::Gauge(cell) => Some(gauge(cell)),
            Cell::GaugeSeries(series) => {
                let (cell, is_capped) = series.cell(key)?;
                let handle = gauge(cell);
                Some(match is_capped {
                    true => {
                        let capped = Capped(handle, Arc::clone(&tallies.capped));
                        metrics::Gauge::from_arc(Arc::new(capped))
                    }
                    false => handle,
                })
            }
            _ => None,
        });
        Self::all(handles)
    }

    fn all(handles: Vec<Self>) -> Self {
        one_of(handles, |handles| metrics::Gauge::from_arc(Arc::new(Several(handles))))
    }
}

impl Handle for metrics::Histogram {
    const CLASS: Class = Class::Histogram;

    fn noop() -> Self {
        metrics::Histogram::noop()
    }

    fn of(registry: &Registry, key: &Key, found: Found<'_>) -> Self {
        let tallies = registry.tallies();
        let refused = || Arc::clone(&tallies.refused);
        let handles = handles(found, |_, cell| match cell {
            Cell::Histogram(cell) => {
                let handle = HistogramHandle(Arc::clone(cell), refused());
                Some(metrics::Histogram::from_arc(Arc::new(handle)))
            }
            Cell::Buckets(series) => {
                let (cell, is_capped) = series.cell(key)?;
                let handle = Arc::new(BucketsHandle(Arc::clone(cell), refused()));
                let handle = metrics::Histogram::from_arc(handle);
                Some(match is_capped {
                    true => {
                        let capped = Capped(handle, Arc::clone(&tallies.capped));
                        metrics::Histogram::from_arc(Arc::new(capped))
                    }
                    false => handle,
                })
            }
            _ => None,
        });
        Self::all(handles)
    }

    fn all(handles: Vec<Self>) -> Self {
        one_of(handles, |handles| metrics::Histogram::from_arc(Arc::new(Several(handles))))
    }
}
