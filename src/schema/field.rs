//! One leaf of the schema.

use std::sync::Arc;

use super::fact::Fact;
use super::figure::Figure;
use super::given::Given;
use super::series::{Of, Series};
use super::transform::Transform;

/// A function that gives a fact when a report is made.
pub(crate) type Ask = Arc<dyn Fn() -> Fact + Send + Sync>;

/// A function that gives a sample each time the sampling clock ticks.
pub(crate) type Poll = Arc<dyn Fn() -> Option<f64> + Send + Sync>;

/// What a polled function may return: a number, or an option or result of one.
///
/// `None` and `Err` mean that there is no value this time: the attempt is counted as failed and
/// the function is asked again at the next tick. Integers of more than 2^53 are rounded to the
/// nearest `f64`.
pub trait Sample {
    /// The sample, if there is one.
    fn sample(self) -> Option<f64>;
}

macro_rules! samples {
    ($($type:ty),*) => {$(
        impl Sample for $type {
            fn sample(self) -> Option<f64> {
                Some(self as f64)
            }
        }
    )*};
}

samples!(f64, f32, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl<T: Sample> Sample for Option<T> {
    fn sample(self) -> Option<f64> {
        self?.sample()
    }
}

impl<T: Sample, E> Sample for Result<T, E> {
    fn sample(self) -> Option<f64> {
        self.ok()?.sample()
    }
}

/// Where a field's value comes from, and what becomes of it in a window.
#[derive(Clone)]
pub(crate) enum Kind {
    /// A constant.
    Fact(Fact),
    /// Asked when the report is made.
    Asked(Ask),
    /// Said once while the program runs.
    Later,
    /// Given by the function of its section when the report is made.
    Value,
    /// Given with each event.
    Given(Given),
    /// A fact about the machine or the process.
    Host(Host),
    /// Why the report is made.
    Reason,
    /// What was added within the window.
    Counter,
    /// The last value set, carried over from window to window.
    Gauge,
    /// The figures of the samples recorded within the window.
    Summary,
    /// The figures of a gauge sampled on the clock, exact at its extremes.
    GaugeSummary,
    /// The figures of a function sampled on the clock.
    Sampled(Poll),
    /// How many different values one label took within the window.
    Distinct { label: String },
    /// How often the process panicked in files whose path has this part, or in all others.
    Panics(Option<String>),
    /// Counters or gauges, one for each combination of the labels' values.
    Series(Series),
}

impl Kind {
    /// The kind's name in messages.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Kind::Fact(_) | Kind::Asked(_) | Kind::Later => "fact",
            Kind::Value => "value",
            Kind::Given(Given::One(_)) => "given fact",
            Kind::Given(Given::List) => "given list",
            Kind::Host(_) => "host fact",
            Kind::Reason => "reason",
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Summary => "summary",
            Kind::GaugeSummary => "gauge summary",
            Kind::Sampled(_) => "sampled summary",
            Kind::Distinct { .. } => "distinct",
            Kind::Panics(_) => "panic count",
            Kind::Series(series) => match series.of {
                Of::Counters => "series",
                Of::Gauges => "gauge series",
                Of::Buckets(_) => "series of buckets",
            },
        }
    }
}

/// Facts the crate finds out by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    Arch,
    Cores,
    Os,
    Ram,
    Uptime,
    InstanceId,
    ClusterId,
    ClusterIdSource,
    Ci,
    /// Since when cumulative counters count.
    StartedAt,
}

/// A leaf as it was declared.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) description: Option<String>,
    pub(crate) unit: Option<String>,
    /// A value such as it may have, for its readers.
    pub(crate) example: Option<Fact>,
    /// The metric that feeds it, when that is not the dotted path.
    pub(crate) metric: Option<String>,
    /// Only keys with all of these labels feed it.
    pub(crate) labels: Vec<(String, String)>,
    /// What a gauge is before it is set.
    pub(crate) default: Option<f64>,
    /// Counted since the start, and not since the window's.
    pub(crate) cumulative: bool,
    /// Said with a sketch, so that receivers can unite several.
    pub(crate) mergeable: bool,
    /// What a summary shows beside its five figures, in this order.
    pub(crate) figures: Vec<Figure>,
    /// What is done to its value before it is said, in this order.
    pub(crate) transforms: Vec<Transform>,
}

impl Field {
    pub(crate) fn new(name: String, kind: Kind) -> Field {
        Field {
            name,
            kind,
            description: None,
            unit: None,
            example: None,
            metric: None,
            labels: Vec::new(),
            default: None,
            cumulative: false,
            mergeable: false,
            figures: Vec::new(),
            transforms: Vec::new(),
        }
    }

    /// How it counts, where there is a word for it.
    pub(crate) fn how(&self) -> &'static str {
        match (self.cumulative, self.mergeable) {
            (true, _) => "cumulative",
            (_, true) => "mergeable",
            _ => "",
        }
    }
}
