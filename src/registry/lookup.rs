//! From a metric's key to the fields it means, and their cells.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;
use metrics::Key;

use super::buckets::Buckets;
use super::series::{Meaning, Series};
use crate::cell::{Counter, Distinct, DistinctCell, Gauge, Histogram, Union};
use crate::schema::{Class, Fact, Kind, Leaf, Of, Plan};

/// The checked schema of one aggregator and a cell for each field that is recorded to.
///
/// It never changes once it is built, so a look-up takes no lock.
pub(crate) struct Registry {
    plan: Plan,
    cells: Vec<Cell>,
    /// How many different handles there may be, values of distinct counts aside.
    handles: usize,
    tallies: Tallies,
    /// Of metrics that feed many fields, which a key may mean.
    by_label: HashMap<String, ByLabel>,
    /// Whether it is among those that a recorder feeds. Written when it comes or goes, read by the
    /// hook for panics; it publishes nothing.
    collects: Arc<AtomicBool>,
}

/// Fields that a metric feeds at most without an index of their labels.
const FEW: usize = 4;

/// The fields of one metric, as indices into the plan's leaves, by the first label that each asks
/// for. A look-up takes the same time for any number of values.
#[derive(Default)]
struct ByLabel {
    /// By key and value. The keys are few.
    labelled: Vec<(String, HashMap<String, Vec<usize>>)>,
    /// Those that ask for no label.
    plain: Vec<usize>,
}

impl ByLabel {
    fn new(plan: &Plan, leaves: &[usize]) -> ByLabel {
        let mut by_label = ByLabel::default();
        for &index in leaves {
            let labels = plan.leaves.get(index).map(|leaf| &leaf.field.labels[..]);
            let Some([(key, value), ..]) = labels else {
                by_label.plain.push(index);
                continue;
            };
            let at = by_label.labelled.iter().position(|(other, _)| other == key);
            let at = at.unwrap_or_else(|| {
                by_label.labelled.push((key.clone(), HashMap::new()));
                by_label.labelled.len() - 1
            });
            if let Some((_, values)) = by_label.labelled.get_mut(at) {
                values.entry(value.clone()).or_default().push(index);
            }
        }
        by_label
    }

    /// The fields that `key` may mean, each once, in the schema's order.
    fn candidates(&self, key: &Key) -> Vec<usize> {
        let mut candidates = self.plain.clone();
        for label in key.labels() {
            let of_key = self.labelled.iter().find(|(key, _)| key == label.key());
            let of_value = of_key.and_then(|(_, values)| values.get(label.value()));
            candidates.extend(of_value.into_iter().flatten());
        }
        candidates.sort_unstable();
        candidates.dedup();
        candidates
    }
}

/// The cell behind a field.
pub(crate) enum Cell {
    /// Nothing records to the field: its value is known, or asked for.
    None,
    /// Set once, by the application; read at every seal.
    Fact(OnceLock<Fact>),
    Counter(Arc<Counter>),
    Gauge(Arc<Gauge>),
    Histogram(Arc<Histogram>),
    Distinct(Arc<DistinctCell<Distinct>>),
    Mergeable(Arc<DistinctCell<Union>>),
    Series(Series<Counter>),
    GaugeSeries(Series<Gauge>),
    Buckets(Series<Buckets>),
}

impl Cell {
    /// The counters in it, in the order in which they are reported.
    pub(crate) fn counters(&self) -> Vec<&Counter> {
        match self {
            Cell::Counter(counter) => vec![counter],
            Cell::Series(series) => series.cells().iter().map(|cell| &**cell).collect(),
            Cell::Buckets(series) => {
                let buckets = series.cells().iter().flat_map(|cell| cell.counters());
                buckets.flatten().collect()
            }
            _ => Vec::new(),
        }
    }

    /// How many different handles record to it at most, values of a distinct count aside.
    fn handles(&self) -> usize {
        match self {
            Cell::Series(series) => series.cells().len(),
            Cell::GaugeSeries(series) => series.cells().len(),
            Cell::Buckets(series) => series.cells().len(),
            _ => 1,
        }
    }
}

/// What was recorded but cannot be reported, counted by reason.
pub(crate) struct Tallies {
    /// Samples and gauge values that were NaN or infinite, and what an allocator recorded while
    /// the aggregator itself allocated.
    pub(crate) refused: Arc<Counter>,
    /// Registrations of metrics, or of labels of them, that the schema does not declare.
    pub(crate) undeclared: Counter,
    /// Registrations with another macro than the field's kind takes, or without its label.
    pub(crate) mismatched: Counter,
    /// Functions of the schema that panicked or had no sample to give.
    pub(crate) failed: Counter,
    /// Records whose label had as many values as it may have, under `__other__`.
    pub(crate) capped: Arc<Counter>,
    /// Values that a function gave and the schema does not have.
    pub(crate) unasked: Counter,
}

/// What a key records to.
pub(crate) enum Found<'r> {
    /// These fields, at least one.
    Fields(Vec<(&'r Leaf, &'r Cell)>),
    /// The same, and others that do not declare the value of a label.
    Partly(Vec<(&'r Leaf, &'r Cell)>),
    /// The schema does not have the metric, or only with other labels.
    Undeclared,
    /// The schema has the metric as another kind, or by a label that the key lacks.
    Mismatched,
}

impl Registry {
    pub(crate) fn new(plan: Plan) -> Registry {
        // First, for the first counters' words are found the quickest.
        let tallies = Tallies {
            refused: Arc::new(Counter::new()),
            undeclared: Counter::new(),
            mismatched: Counter::new(),
            failed: Counter::new(),
            capped: Arc::new(Counter::new()),
            unasked: Counter::new(),
        };
        let counter = || Counter::telling(Some(Arc::clone(&tallies.refused)));
        let cells = plan.leaves.iter().map(|leaf| match &leaf.field.kind {
            Kind::Later => Cell::Fact(OnceLock::new()),
            Kind::Counter | Kind::Panics(_) => Cell::Counter(Arc::new(counter())),
            Kind::Gauge => Cell::Gauge(Arc::new(Gauge::new(leaf.field.default, false))),
            Kind::GaugeSummary => Cell::Gauge(Arc::new(Gauge::new(leaf.field.default, true))),
            Kind::Summary => Cell::Histogram(Arc::new(Histogram::new())),
            Kind::Distinct { .. } if leaf.field.mergeable => {
                Cell::Mergeable(Arc::new(DistinctCell::new()))
            }
            Kind::Distinct { .. } => Cell::Distinct(Arc::new(DistinctCell::new())),
            Kind::Series(series) => match &series.of {
                Of::Buckets(cutoffs) => {
                    Cell::Buckets(Series::new(series, |_| Buckets::new(cutoffs)))
                }
                Of::Counters => Cell::Series(Series::new(series, |_| counter())),
                Of::Gauges => Cell::GaugeSeries(Series::new(series, |listed| {
                    let zero = listed.then_some(leaf.field.default.unwrap_or(0.0));
                    Gauge::new(zero, false)
                })),
            },
            Kind::Fact(_)
            | Kind::Asked(_)
            | Kind::Value
            | Kind::Given(_)
            | Kind::Host(_)
            | Kind::Reason
            | Kind::Sampled(_) => Cell::None,
        });
        let many = plan.feeds.iter().filter(|(_, feed)| feed.leaves.len() > FEW);
        let by_label =
            many.map(|(name, feed)| (name.clone(), ByLabel::new(&plan, &feed.leaves))).collect();
        let collects = Arc::new(AtomicBool::new(false));
        let cells: Vec<Cell> = cells.collect();
        let handles = cells.iter().map(Cell::handles).sum();
        Registry { by_label, cells, handles, plan, tallies, collects }
    }

    /// Says whether that is so from now on.
    pub(crate) fn collect(&self, whether: bool) {
        self.collects.store(whether, Ordering::Relaxed);
    }

    /// What says it, for who must not keep the registry.
    pub(crate) fn collecting(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.collects)
    }

    /// How many different handles there may be, values of distinct counts aside.
    pub(crate) fn handles(&self) -> usize {
        self.handles
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    pub(crate) fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// The fields and their cells, in the schema's order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&Leaf, &Cell)> {
        self.plan.leaves.iter().zip(&self.cells)
    }

    /// Whether a key of this metric records to distinct fields and counters of any labels, and to
    /// nothing else.
    pub(crate) fn is_sighting(&self, class: Class, key: &Key) -> bool {
        let feed = self.plan.feeds.get(key.name());
        let mut leaves = feed.into_iter().flat_map(|feed| &feed.leaves);
        let is_plain = leaves.all(|index| {
            self.plan.leaves.get(*index).is_some_and(|leaf| {
                matches!(leaf.field.kind, Kind::Distinct { .. } | Kind::Counter)
                    && leaf.field.labels.is_empty()
            })
        });
        is_plain && matches!(self.find(class, key), Found::Fields(_))
    }

    /// Says the fact at `path`, unless it was said before. False when none there is said later.
    pub(crate) fn set_fact(&self, path: &str, fact: Fact) -> bool {
        let mut fields = self.fields().filter(|(leaf, _)| leaf.path == path);
        let Some((_, Cell::Fact(known))) = fields.next() else { return false };
        if fact != Fact::NULL {
            let _ = known.set(fact); // the first stays
        }
        true
    }

    /// What `key`, registered by the macro of `class`, records to.
    pub(crate) fn find(&self, class: Class, key: &Key) -> Found<'_> {
        let Some(feed) = self.plan.feeds.get(key.name()) else { return Found::Undeclared };
        if feed.class != class {
            return Found::Mismatched;
        }
        let candidates = match self.by_label.get(key.name()) {
            Some(by_label) => by_label.candidates(key),
            None => feed.leaves.clone(),
        };
        let mut found = Vec::with_capacity(candidates.len());
        let (mut unlabelled, mut undeclared) = (false, false);
        for index in candidates {
            let (Some(leaf), Some(cell)) = (self.plan.leaves.get(index), self.cells.get(index))
            else {
                continue;
            };
            let wanted = &leaf.field.labels;
            if wanted.iter().all(|(label, value)| label_of(key, label) == Some(value)) {
                let meaning = match (&leaf.field.kind, cell) {
                    (Kind::Distinct { label }, _) if label_of(key, label).is_none() => {
                        Meaning::Unlabelled
                    }
                    (_, Cell::Series(series)) => series.meaning(key),
                    (_, Cell::GaugeSeries(series)) => series.meaning(key),
                    (_, Cell::Buckets(series)) => series.meaning(key),
                    _ => Meaning::Cell,
                };
                match meaning {
                    Meaning::Cell => found.push((leaf, cell)),
                    Meaning::Undeclared => undeclared = true,
                    Meaning::Unlabelled => unlabelled = true,
                }
            }
        }
        match (found.is_empty(), undeclared, unlabelled) {
            (false, false, _) => Found::Fields(found),
            (false, true, _) => Found::Partly(found),
            (true, false, true) => Found::Mismatched,
            (true, ..) => Found::Undeclared,
        }
    }
}

/// The value of the key's label `label`.
pub(crate) fn label_of<'k>(key: &'k Key, label: &str) -> Option<&'k str> {
    key.labels().find(|candidate| candidate.key() == label).map(metrics::Label::value)
}

#[cfg(test)]
mod tests {
    use metrics::Label;

    use super::*;
    use crate::schema::Schema;

    /// What a key means does not depend on how many fields its metric feeds.
    #[test]
    fn an_index_finds_what_a_look_at_every_field_finds() {
        let wanted: [&[(&str, &str)]; 7] = [
            &[],
            &[("k", "1")],
            &[("k", "1"), ("l", "2")],
            &[("l", "2"), ("k", "1")],
            &[("k", "2")],
            &[("l", "1")],
            &[],
        ];
        let fields = wanted.iter().enumerate();
        let schema = fields.fold(Schema::new("s"), |schema, (at, labels)| {
            let field = schema.counter(at.to_string()).metric("m");
            labels.iter().fold(field, |field, (key, value)| field.label(*key, *value))
        });
        let registry = Registry::new(Plan::new(schema).expect("a good schema"));
        assert!(wanted.len() > FEW);
        let keys: [&[(&str, &str)]; 7] = [
            &[],
            &[("k", "1")],
            &[("l", "2"), ("x", "y"), ("k", "1")],
            &[("k", "2"), ("l", "2")],
            &[("k", "1"), ("k", "1")],
            &[("k", "1"), ("k", "2")],
            &[("l", "1"), ("k", "3")],
        ];
        for labels in keys {
            let list: Vec<_> = labels.iter().map(|(key, value)| Label::new(*key, *value)).collect();
            let key = Key::from_parts("m", list);
            let Found::Fields(found) = registry.find(Class::Counter, &key) else {
                panic!("{labels:?} is found nowhere")
            };
            let found: Vec<&str> = found.iter().map(|(leaf, _)| &*leaf.path).collect();
            let has = |(key, value): &(&str, &str)| {
                labels.iter().find(|(other, _)| other == key).is_some_and(|(_, is)| is == value)
            };
            let expected = wanted.iter().enumerate().filter(|(_, wanted)| wanted.iter().all(has));
            let expected: Vec<String> = expected.map(|(at, _)| at.to_string()).collect();
            assert_eq!(found, expected, "{labels:?}");
        }
    }
}
