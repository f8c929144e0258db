//! What windows hold, as the test knows it and as a report shows it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

/// What was recorded in a window, or in several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) begin: Duration,
    pub(crate) end: Duration,
    pub(crate) counted: u64,
    pub(crate) samples: Samples,
    /// Of the gauge, by the clock and at the seal.
    pub(crate) levels: Samples,
    /// The values that were seen.
    pub(crate) seen: BTreeSet<u8>,
    /// Values that are no numbers.
    pub(crate) refused: u64,
}

/// Samples, all of them integers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Samples {
    pub(crate) count: u64,
    pub(crate) sum: i64,
    /// The lowest and the highest, those of a gauge between two samples too.
    pub(crate) range: Option<(i64, i64)>,
}

impl Samples {
    pub(crate) fn add(&mut self, sample: i64) {
        self.count += 1;
        self.sum += sample;
        self.reach(sample);
    }

    pub(crate) fn reach(&mut self, value: i64) {
        let (min, max) = self.range.unwrap_or((value, value));
        self.range = Some((min.min(value), max.max(value)));
    }

    fn take_in(&mut self, later: &Samples) {
        self.count += later.count;
        self.sum += later.sum;
        later.range.into_iter().for_each(|(min, max)| {
            self.reach(min);
            self.reach(max);
        });
    }

    fn read(field: &Value) -> Option<Samples> {
        let integer = |name| field[name].as_f64().map(|value: f64| value as i64);
        let range = Some((integer("min")?, integer("max")?));
        let count = field["count"].as_u64()?;
        Some(Samples { count, sum: integer("sum")?, range: range.filter(|_| count > 0) })
    }
}

/// What a report shows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    /// Of the window, in milliseconds.
    length: u128,
    pub(crate) counted: u64,
    pub(crate) samples: Samples,
    levels: Samples,
    seen: u64,
    refused: u64,
}

impl Held {
    /// Takes in the window after this.
    pub(crate) fn take_in(&mut self, later: &Held) {
        self.end = later.end;
        self.counted += later.counted;
        self.samples.take_in(&later.samples);
        self.levels.take_in(&later.levels);
        self.seen.extend(&later.seen);
        self.refused += later.refused;
    }

    pub(crate) fn shown(&self) -> Shown {
        Shown {
            length: ((self.end - self.begin).as_secs_f64() * 1000.0).round() as u128,
            counted: self.counted,
            samples: self.samples,
            levels: self.levels,
            seen: self.seen.len() as u64,
            refused: self.refused,
        }
    }
}

impl Shown {
    pub(crate) fn read(report: &Value) -> Option<Shown> {
        let data = &report["data"];
        Some(Shown {
            length: (report["window_seconds"].as_f64()? * 1000.0).round() as u128,
            counted: data["counted"].as_u64()?,
            samples: Samples::read(&data["samples"])?,
            levels: Samples::read(&data["levels"])?,
            seen: data["seen"].as_u64()?,
            refused: report["losses"]["refused_values"].as_u64().unwrap_or(0),
        })
    }
}
