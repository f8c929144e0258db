//! The data of a report: the readings, nested and ordered as the schema says.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::number::Number;
use super::rows::Rows;
use super::sketched::Sketched;
use crate::cell::Range;
use crate::schema::{Detail, Field, Figure, Item, Kind, Plan, transform};
use crate::summary::{Buckets, Figures};
use crate::window::Reading;

/// The whole data object.
pub(crate) struct Data<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) readings: &'a [Reading],
    /// Null is in its place.
    pub(crate) left_out: &'a [Detail],
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Section { data: self, items: &self.plan.items }.serialize(serializer)
    }
}

/// One section of it.
struct Section<'a> {
    data: &'a Data<'a>,
    items: &'a [Item],
}

impl Serialize for Section<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Data { plan, readings, left_out } = *self.data;
        let mut map = serializer.serialize_map(Some(self.items.len()))?;
        for item in self.items {
            match item {
                Item::Section(name, items) => {
                    map.serialize_entry(name, &Section { data: self.data, items })?;
                }
                Item::Leaf(index) => {
                    if let (Some(leaf), Some(reading)) =
                        (plan.leaves.get(*index), readings.get(*index))
                    {
                        let field = &leaf.field;
                        let value = Value { reading, field, leaf: *index, left_out };
                        map.serialize_entry(&field.name, &value)?;
                    }
                }
            }
        }
        map.end()
    }
}

/// What a field says.
pub(super) struct Value<'a> {
    pub(super) reading: &'a Reading,
    pub(super) field: &'a Field,
    /// Where the field is among the plan's leaves.
    pub(super) leaf: usize,
    pub(super) left_out: &'a [Detail],
}

impl Value<'_> {
    /// Whether this detail of the field is said.
    fn says(&self, key: &str) -> bool {
        !Detail::is_in(self.left_out, self.leaf, key)
    }

    /// A count, which is exact unless it is made coarser.
    fn count<S: Serializer>(&self, count: u64, serializer: S) -> Result<S::Ok, S::Error> {
        match &*self.field.transforms {
            [] => serializer.serialize_u64(count),
            some => transform::number(some, count as f64).map(Number).serialize(serializer),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let transforms = &*self.field.transforms;
        match self.reading {
            Reading::Fact(fact) => transform::fact(transforms, fact.clone()).serialize(serializer),
            Reading::Os { family, name } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("family", family)?;
                map.serialize_entry("name", name)?;
                map.end()
            }
            // One that is as large as can be.
            Reading::Counter(count) if self.field.mergeable => {
                Sketched { count: Some(*count), registers: None }.serialize(serializer)
            }
            Reading::Counter(count) | Reading::Total(count) => self.count(*count, serializer),
            Reading::Gauge(value) => {
                let said = value.and_then(|value| transform::number(transforms, value));
                said.map(Number).serialize(serializer)
            }
            Reading::Distinct(set) => self.count(set.count(), serializer),
            Reading::Mergeable(set) => {
                let count = set.count();
                let is_said = transform::number(transforms, count as f64).is_some();
                let (count, registers) = (is_said.then_some(count), set.registers());
                let registers = registers.filter(|_| is_said && self.says("registers"));
                Sketched { count, registers }.serialize(serializer)
            }
            Reading::Buckets { .. } => serializer.serialize_unit(), // rows of a series have them
            Reading::Series(rows) => match &self.field.kind {
                Kind::Series(series) => {
                    Rows { rows, series, field: self.field }.serialize(serializer)
                }
                _ => serializer.serialize_unit(),
            },
            Reading::Summary(summary, range) => {
                let mut computed = summary.figures();
                // The samples of a gauge miss what it reached between them.
                if let Some(Range { min, max }) = range.filter(|_| computed.count > 0) {
                    computed.min = computed.min.min(min);
                    computed.max = computed.max.max(max);
                }
                figures(&computed, self, serializer)
            }
        }
    }
}

/// The five figures, in the order in which Electric's page has them, and then those asked for. Mean
/// and standard deviation are always floats.
fn figures<S: Serializer>(
    figures: &Figures<'_>,
    value: &Value<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let field = value.field;
    let said = |value| transform::figure(&field.transforms, figures.count, value);
    let number = |value| said(value).map(Number);
    if said(0.0).is_none() {
        return serializer.serialize_unit();
    }
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("max", &number(figures.max))?;
    map.serialize_entry("mean", &said(figures.mean))?;
    map.serialize_entry("median", &number(figures.median))?;
    map.serialize_entry("min", &number(figures.min))?;
    map.serialize_entry("mode", &figures.mode.and_then(number))?;
    for figure in &field.figures {
        let key = figure.key();
        match figure {
            Figure::Count if field.transforms.is_empty() => {
                map.serialize_entry(&key, &figures.count)?;
            }
            Figure::Count => map.serialize_entry(&key, &number(figures.count as f64))?,
            Figure::Sum => map.serialize_entry(&key, &number(figures.sum))?,
            Figure::Stddev => map.serialize_entry(&key, &said(figures.stddev()))?,
            Figure::Quantile(q) => map.serialize_entry(&key, &number(figures.quantile(*q)))?,
            Figure::Buckets(most) => {
                let buckets = value.says(&key).then(|| figures.buckets(*most));
                let (pairs, error) = buckets.map(|Buckets { pairs, error }| (pairs, error)).unzip();
                map.serialize_entry(&key, &pairs.map(numbers))?;
                map.serialize_entry(Figure::ERROR, &error.map(Number))?;
            }
            #[cfg(feature = "hdr")]
            Figure::Hdr(resolution) => {
                let hdr = value.says(&key).then(|| figures.hdr(*resolution)).flatten();
                map.serialize_entry(&key, &hdr)?;
                map.serialize_entry(Figure::RESOLUTION, &Number(*resolution))?;
            }
        }
    }
    map.end()
}

fn numbers(pairs: Vec<(f64, u64)>) -> Vec<(Number, u64)> {
    pairs.into_iter().map(|(value, count)| (Number(value), count)).collect()
}
