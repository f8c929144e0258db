//! The window that goes on: sampling on the clock, and taking its values exactly once.

use std::cell::Cell as Slot;
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

use super::gains::{Gains, gained, rows, saturated};
use super::sealed::{Losses, Reading, Sealed};
use crate::cell::{Counter, Key};
use crate::clock::Moment;
use crate::guard::caught;
use crate::host::identity::new_id;
use crate::registry::{Cell, Registry, Tallies};
use crate::schema::{Fact, Filled, Host, Kind, Leaf, Values};
use crate::summary::Summary;

thread_local! {
    /// The windows whose functions this thread is in, by the address of their registry; 0 where
    /// there is none. It has no destructor, so that it is there in those of other thread-locals.
    static ASKING: Slot<[usize; NESTED]> = const { Slot::new([0; NESTED]) };
}

/// How many aggregators may be asked for a report by a function of the one before.
const NESTED: usize = 8;

/// The open window of one registry.
///
/// Counters are never reset; a window remembers where they stood when it began.
pub(crate) struct Window {
    registry: Arc<Registry>,
    open: Mutex<Open>,
}

/// What has to be known to tell the open window from the sealed ones.
struct Open {
    /// What the report will be called, known beforehand so that a preview can show it.
    id: Uuid,
    sequence: u64,
    begin: Moment,
    /// Where the first window began.
    since: Moment,
    /// By counter of the fields, in their order: its total when the window began, or the first
    /// window for a cumulative one.
    began: Vec<u128>,
    /// By field: what the clock has sampled since.
    sampled: Vec<Summary>,
    /// The totals of the tallies when the window began.
    losses: [u128; 6],
    /// How often it was [restarted](Window::restart).
    restarts: u64,
}

impl Open {
    /// The first window of a registry to which nothing was recorded.
    fn first(registry: &Registry, now: Moment) -> Open {
        let fields = registry.plan().leaves.len();
        let counters = registry.fields().map(|(_, cell)| cell.counters().len()).sum();
        Open {
            id: new_id(),
            sequence: 1,
            begin: now,
            since: now,
            began: vec![0; counters],
            sampled: vec![Summary::default(); fields],
            losses: [0; 6],
            restarts: 0,
        }
    }
}

/// What a window says that was not recorded.
pub(crate) struct Answers {
    /// By field: a value that is stated, or asked for.
    stated: Vec<Option<Reading>>,
    /// By field: the last sample of the clock.
    samples: Vec<Option<f64>>,
    /// Functions that panicked or had nothing to say.
    failed: u64,
    /// Values that they gave and nobody has declared.
    unasked: u64,
    /// How often the window had been restarted when they were asked.
    restarts: u64,
    /// The key of sketches that belongs to the ids that were stated.
    key: Option<Key>,
}

/// Whether a read ends the window.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Seal,
    /// No window follows.
    SealLast,
    Peek,
}

impl Mode {
    /// Why the report of the window with this number is made.
    fn reason(self, sequence: u64) -> &'static str {
        match (self, sequence) {
            (Mode::SealLast, _) => Reading::REASONS[2],
            (_, 1) => Reading::REASONS[0],
            _ => Reading::REASONS[1],
        }
    }
}

impl Window {
    /// When the first window since the start, or since the last no, began.
    pub(crate) fn since(&self) -> Moment {
        self.open.lock().since
    }

    /// The first window, which begins now.
    pub(crate) fn new(registry: Arc<Registry>, now: Moment) -> Window {
        let open = Open::first(&registry, now);
        Window { registry, open: Mutex::new(open) }
    }

    /// Begins with the first window once more. Nothing that was recorded before is in it. Sketches
    /// are under `key` from now on, if there are to be any.
    pub(crate) fn restart(&self, now: Moment, key: Option<Key>) {
        let mut open = self.open.lock();
        *open = Open { restarts: open.restarts + 1, ..Open::first(&self.registry, now) };
        let counters = self.registry.fields().flat_map(|(_, cell)| cell.counters());
        for (counter, began) in counters.zip(&mut open.began) {
            *began = counter.total();
        }
        for (leaf, cell) in self.registry.fields() {
            match cell {
                Cell::None | Cell::Fact(_) => {}
                Cell::Counter(_) | Cell::Series(_) | Cell::Buckets(_) => {}
                Cell::Gauge(gauge) => gauge.clear(),
                Cell::GaugeSeries(series) => series.cells().iter().for_each(|gauge| gauge.clear()),
                Cell::Histogram(cell) => drop(cell.take()),
                Cell::Distinct(cell) => drop(cell.take()),
                Cell::Mergeable(cell) => drop(cell.seal(self.key_of(leaf, key))),
            }
        }
        let Tallies { refused, undeclared, mismatched, failed, capped, unasked } =
            self.registry.tallies();
        open.losses =
            [refused, undeclared, mismatched, failed, capped, unasked].map(Counter::total);
    }

    fn key_of(&self, leaf: &Leaf, key: Option<Key>) -> Option<Key> {
        key.map(|key| key.of_field(&self.registry.plan().name, &leaf.path))
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Takes one sample of every polled function and of every gauge that has a summary.
    pub(crate) fn sample(&self) {
        let restarts = self.open.lock().restarts;
        let (samples, failed) = self.poll();
        let mut open = self.open.lock();
        if open.restarts != restarts {
            return; // what was said before counts no more
        }
        self.registry.tallies().failed.add(failed);
        for (sampled, sample) in open.sampled.iter_mut().zip(samples) {
            if let Some(sample) = sample {
                sampled.record(sample);
            }
        }
    }

    /// Asks the application's functions, and `host` for the facts it knows, for what is not
    /// recorded. No lock is held, so the functions may do what they like with the aggregator.
    /// `host` is given the moment when the first window began, too. `key` is that of the ids it says.
    pub(crate) fn ask(&self, key: Option<Key>, host: &dyn Fn(Host, Moment) -> Reading) -> Answers {
        let Open { restarts, since, .. } = *self.open.lock();
        let (samples, mut failed) = self.poll();
        let stated = self.registry.fields().map(|(leaf, cell)| match &leaf.field.kind {
            Kind::Fact(fact) => Some(Reading::Fact(fact.clone())),
            Kind::Asked(ask) => {
                Some(Reading::Fact(self.alone(|| Some(ask())).unwrap_or_else(|| {
                    failed += 1;
                    Fact::NULL
                })))
            }
            Kind::Value | Kind::Later => Some(Reading::Fact(match cell {
                Cell::Fact(known) => known.get().cloned().unwrap_or(Fact::NULL),
                _ => Fact::NULL,
            })),
            Kind::Host(fact) => Some(host(*fact, since)),
            _ => None,
        });
        let mut stated: Vec<Option<Reading>> = stated.collect();
        let mut unasked = 0;
        for Filled { fill, leaves, .. } in &self.registry.plan().filled {
            // Of a function that panics half-way nothing counts.
            let given = self.alone(|| {
                let mut values = Values::default();
                fill(&mut values);
                Some(values.0)
            });
            failed += u64::from(given.is_none());
            for (path, fact) in given.into_iter().flatten() {
                match leaves.get(&path).and_then(|index| stated.get_mut(*index)) {
                    Some(reading) => *reading = Some(Reading::Fact(fact)),
                    None => unasked += 1,
                }
            }
        }
        Answers { stated, samples, failed, unasked, restarts, key }
    }

    /// Whether the window was not restarted since the answers were asked for.
    pub(crate) fn is_current(&self, answers: &Answers) -> bool {
        self.open.lock().restarts == answers.restarts
    }

    /// By field, the sample of this moment where one is taken; and how many could not be.
    fn poll(&self) -> (Vec<Option<f64>>, u64) {
        let mut failed = 0;
        let samples = self.registry.fields().map(|(leaf, cell)| match (&leaf.field.kind, cell) {
            (Kind::GaugeSummary, Cell::Gauge(gauge)) => gauge.get(),
            (Kind::Sampled(poll), _) => {
                let sample = self.alone(|| poll().filter(|sample| sample.is_finite()));
                failed += u64::from(sample.is_none());
                sample
            }
            _ => None,
        });
        (samples.collect(), failed)
    }

    /// Calls a function of the application. None when it panics, or when this very thread is in
    /// such a function of this window already: one that makes a report itself would be asked for
    /// its own answer without end. None too when [`NESTED`] others are in the way.
    pub(crate) fn alone<T>(&self, function: impl FnOnce() -> Option<T>) -> Option<T> {
        let this = Arc::as_ptr(&self.registry) as usize;
        let before = ASKING.get();
        let free = before.iter().position(|window| *window == 0)?;
        if before.contains(&this) {
            return None;
        }
        let mut asking = before;
        asking[free] = this;
        ASKING.set(asking);
        let answer = caught(function).flatten();
        ASKING.set(before);
        answer
    }

    /// How many metrics were not declared, and how many values could not be kept, since this was last
    /// asked and `taken`. For events: no window of theirs is sealed.
    pub(crate) fn losses(&self, taken: bool) -> (u64, u64) {
        let mut open = self.open.lock();
        let [refused, undeclared, ..] = &mut open.losses;
        let tallies = self.registry.tallies();
        (
            saturated(gained(&tallies.undeclared, undeclared, taken)),
            saturated(gained(&tallies.refused, refused, taken)),
        )
    }

    /// Ends the window and begins the next, unless it is the `last`.
    pub(crate) fn seal(&self, answers: Answers, now: Moment, last: bool) -> Sealed {
        self.registry.tallies().failed.add(answers.failed);
        self.registry.tallies().unasked.add(answers.unasked);
        self.read(answers, now, if last { Mode::SealLast } else { Mode::Seal })
    }

    /// What [`seal`](Window::seal) would return now. The window goes on as if nobody had looked.
    pub(crate) fn peek(&self, answers: Answers, now: Moment) -> Sealed {
        let Answers { failed, unasked, .. } = answers;
        let mut sealed = self.read(answers, now, Mode::Peek);
        sealed.losses.unasked = sealed.losses.unasked.saturating_add(unasked);
        sealed.losses.failed = sealed.losses.failed.saturating_add(failed);
        sealed
    }

    fn read(&self, answers: Answers, now: Moment, mode: Mode) -> Sealed {
        let seal = mode != Mode::Peek;
        let mut open = self.open.lock();
        let Open { id, sequence, begin, began, sampled, losses, .. } = &mut *open;
        // Whoever sealed in the meantime may have looked at the clock later.
        let end = if now.monotonic < begin.monotonic { *begin } else { now };
        let mut gains = Gains::new(began, seal);
        let key = answers.key;
        let fields = self.registry.fields().zip(sampled);
        let answers = answers.stated.into_iter().zip(answers.samples);
        let readings = fields.zip(answers).map(|(((leaf, cell), sampled), (stated, sample))| {
            let mut clocked = || {
                let mut samples = if seal { std::mem::take(sampled) } else { sampled.clone() };
                if let Some(sample) = sample {
                    samples.record(sample);
                }
                Box::new(samples)
            };
            match (stated, cell) {
                (Some(reading), _) => reading,
                // Only here it is known which window it is.
                _ if matches!(leaf.field.kind, Kind::Reason) => {
                    Reading::Fact(mode.reason(*sequence).into())
                }
                (None, Cell::None | Cell::Fact(_)) => Reading::Summary(clocked(), None),
                (None, Cell::Counter(counter)) => gains.counter(counter, leaf.field.cumulative),
                (None, Cell::Series(series)) => gains.series(series, leaf.field.cumulative),
                (None, Cell::Buckets(series)) => gains.buckets(series, leaf.field.cumulative),
                (None, Cell::GaugeSeries(series)) => Reading::Series(rows(series, |gauge, _| {
                    gauge.get().map(|value| Reading::Gauge(Some(value)))
                })),
                (None, Cell::Gauge(gauge)) if gauge.is_tracked() => {
                    let range = if seal { gauge.take_range() } else { gauge.range() };
                    Reading::Summary(clocked(), range)
                }
                (None, Cell::Gauge(gauge)) => Reading::Gauge(gauge.get()),
                (None, Cell::Histogram(cell)) => {
                    let samples = if seal { cell.take() } else { cell.peek() };
                    Reading::Summary(Box::new(samples), None)
                }
                (None, Cell::Distinct(cell)) => {
                    Reading::Distinct(Box::new(if seal { cell.take() } else { cell.peek() }))
                }
                (None, Cell::Mergeable(cell)) => {
                    let key = self.key_of(leaf, key);
                    Reading::Mergeable(Box::new(if seal { cell.seal(key) } else { cell.look(key) }))
                }
            }
        });
        let readings = readings.collect();
        let tallies = self.registry.tallies();
        let [refused, undeclared, mismatched, failed, capped, unasked] = losses;
        let lost = |counter: &Counter, began| saturated(gained(counter, began, seal));
        let losses = Losses {
            refused: lost(&tallies.refused, refused),
            undeclared: lost(&tallies.undeclared, undeclared),
            mismatched: lost(&tallies.mismatched, mismatched),
            failed: lost(&tallies.failed, failed),
            capped: lost(&tallies.capped, capped),
            unasked: lost(&tallies.unasked, unasked),
        };
        let sealed = Sealed::new(*id, *sequence, *begin..end, readings, losses);
        if seal {
            (*id, *sequence, *begin) = (new_id(), *sequence + 1, end);
        }
        sealed
    }
}
