//! From one seal to the next: sampling on the clock, and taking a window's values exactly once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;
use uuid::Uuid;

use crate::cell::{Counter, Distinct, Range};
use crate::clock::Moment;
use crate::host::identity::new_id;
use crate::registry::{Cell, Registry};
use crate::schema::{Fact, Host, Kind};
use crate::summary::{Figures, Summary};

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
    /// By field: a counter's total when the window began.
    began: Vec<u128>,
    /// By field: what the clock has sampled since.
    sampled: Vec<Summary>,
    /// The totals of the tallies when the window began.
    losses: [u128; 4],
}

/// A window's values, taken exactly once.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) id: Uuid,
    pub(crate) sequence: u64,
    pub(crate) begin: Moment,
    pub(crate) end: Moment,
    /// In the schema's order.
    pub(crate) readings: Vec<Reading>,
    pub(crate) losses: Losses,
}

/// A field's value in a window, in a form that can still be merged with that of another.
#[derive(Clone, Debug)]
pub(crate) enum Reading {
    Fact(Fact),
    Os {
        family: String,
        name: String,
    },
    Counter(u64),
    Gauge(Option<f64>),
    /// The samples; for a gauge also the extremes it reached between them.
    Summary(Box<Summary>, Option<Range>),
    Distinct(Box<Distinct>),
}

/// Counts of what a window could not report, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) refused: u64,
    pub(crate) undeclared: u64,
    pub(crate) mismatched: u64,
    pub(crate) failed: u64,
}

/// Who knows the facts about the machine and the process at the moment of a seal.
pub(crate) trait Facts {
    fn fact(&self, host: Host) -> Reading;
}

thread_local! {
    /// Whether this thread is in a function of the application.
    static ASKING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Whether a read ends the window.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Seal,
    Peek,
}

impl Window {
    /// The first window, which begins now.
    pub(crate) fn new(registry: Arc<Registry>, now: Moment) -> Window {
        let fields = registry.plan().leaves.len();
        let open = Open {
            id: new_id(),
            sequence: 1,
            begin: now,
            began: vec![0; fields],
            sampled: vec![Summary::default(); fields],
            losses: [0; 4],
        };
        Window { registry, open: Mutex::new(open) }
    }

    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Takes one sample of every polled function and of every gauge that has a summary.
    pub(crate) fn sample(&self) {
        let samples = self.poll();
        let mut open = self.open.lock();
        for (sampled, sample) in open.sampled.iter_mut().zip(samples) {
            if let Some(sample) = sample {
                sampled.record(sample);
            }
        }
    }

    /// Ends the window and begins the next.
    pub(crate) fn seal(&self, facts: &dyn Facts, now: Moment) -> Sealed {
        self.read(facts, now, Mode::Seal)
    }

    /// What [`seal`](Window::seal) would return now. The window goes on as if nobody had looked.
    pub(crate) fn peek(&self, facts: &dyn Facts, now: Moment) -> Sealed {
        self.read(facts, now, Mode::Peek)
    }

    fn read(&self, facts: &dyn Facts, now: Moment, mode: Mode) -> Sealed {
        // The application's functions run before the lock is taken, so they may do what they
        // like with the aggregator.
        let samples = self.poll();
        let mut stated = self.state(facts);

        let mut open = self.open.lock();
        let Open { id, sequence, begin, began, sampled, losses } = &mut *open;
        let fields = self.registry.fields().zip(samples).zip(began.iter_mut().zip(sampled));
        let readings =
            fields.enumerate().map(|(index, (((_, cell), sample), (began, sampled)))| {
                let mut clocked = || {
                    let mut samples =
                        if mode == Mode::Seal { std::mem::take(sampled) } else { sampled.clone() };
                    if let Some(sample) = sample {
                        samples.record(sample);
                    }
                    Box::new(samples)
                };
                match cell {
                    Cell::None => match stated.get_mut(index).and_then(Option::take) {
                        Some(reading) => reading,
                        None => Reading::Summary(clocked(), None),
                    },
                    Cell::Counter(counter) => Reading::Counter(gained(counter, began, mode)),
                    Cell::Gauge(gauge) if gauge.is_tracked() => Reading::Summary(
                        clocked(),
                        if mode == Mode::Seal { gauge.take_range() } else { gauge.range() },
                    ),
                    Cell::Gauge(gauge) => Reading::Gauge(gauge.get()),
                    Cell::Histogram(cell) => Reading::Summary(
                        Box::new(if mode == Mode::Seal { cell.take() } else { cell.peek() }),
                        None,
                    ),
                    Cell::Distinct(cell) => Reading::Distinct(Box::new(if mode == Mode::Seal {
                        cell.take()
                    } else {
                        cell.peek()
                    })),
                }
            });
        let readings = readings.collect();
        let tallies = self.registry.tallies();
        let [refused, undeclared, mismatched, failed] = losses;
        let losses = Losses {
            refused: gained(&tallies.refused, refused, mode),
            undeclared: gained(&tallies.undeclared, undeclared, mode),
            mismatched: gained(&tallies.mismatched, mismatched, mode),
            failed: gained(&tallies.failed, failed, mode),
        };
        let sealed =
            Sealed { id: *id, sequence: *sequence, begin: *begin, end: now, readings, losses };
        if mode == Mode::Seal {
            (*id, *sequence, *begin) = (new_id(), *sequence + 1, now);
        }
        sealed
    }

    /// By field, the sample of this moment where one is taken.
    fn poll(&self) -> Vec<Option<f64>> {
        let samples = self.registry.fields().map(|(leaf, cell)| match (&leaf.field.kind, cell) {
            (Kind::GaugeSummary, Cell::Gauge(gauge)) => gauge.get(),
            (Kind::Sampled(poll), _) => self.ask(|| poll().filter(|sample| sample.is_finite())),
            _ => None,
        });
        samples.collect()
    }

    /// By field, the value where it is not recorded.
    fn state(&self, facts: &dyn Facts) -> Vec<Option<Reading>> {
        let stated = self.registry.fields().map(|(leaf, _)| match &leaf.field.kind {
            Kind::Fact(fact) => Some(Reading::Fact(fact.clone())),
            Kind::Asked(ask) => Some(Reading::Fact(self.ask(|| Some(ask())).unwrap_or(Fact::NULL))),
            Kind::Host(host) => Some(facts.fact(*host)),
            _ => None,
        });
        stated.collect()
    }

    /// Calls a function of the application. A panic in it, or nothing returned, is counted; so
    /// is a function that makes a report itself and would be asked for its own answer.
    fn ask<T>(&self, function: impl FnOnce() -> Option<T>) -> Option<T> {
        let answer = match ASKING.replace(true) {
            true => None,
            false => {
                let answer = catch_unwind(AssertUnwindSafe(function)).unwrap_or(None);
                ASKING.set(false);
                answer
            }
        };
        if answer.is_none() {
            self.registry.tallies().failed.add(1);
        }
        answer
    }
}

/// What a counter gained since its total was `began`, saturated. A seal moves `began` along.
fn gained(counter: &Counter, began: &mut u128, mode: Mode) -> u64 {
    let total = counter.total();
    let gained = total.saturating_sub(*began);
    if mode == Mode::Seal {
        *began = total;
    }
    u64::try_from(gained).unwrap_or(u64::MAX)
}

impl Reading {
    /// The figures of a summary; those of a gauge with its exact extremes.
    pub(crate) fn figures(summary: &Summary, range: Option<Range>) -> Figures {
        let mut figures = summary.figures();
        if let Some(range) = range.filter(|_| figures.count > 0) {
            figures.min = figures.min.min(range.min);
            figures.max = figures.max.max(range.max);
        }
        figures
    }
}
