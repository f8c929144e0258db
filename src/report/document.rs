//! The data of a report: the readings, nested and ordered as the schema says.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::number::Number;
use crate::cell::Range;
use crate::schema::{Figure, Item, Plan};
use crate::summary::Figures;
use crate::window::Reading;

/// The whole data object.
pub(crate) struct Data<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) readings: &'a [Reading],
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
        let Data { plan, readings } = self.data;
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
                        let figures = &leaf.field.figures;
                        map.serialize_entry(&leaf.field.name, &Value { reading, figures })?;
                    }
                }
            }
        }
        map.end()
    }
}

/// What a field says.
struct Value<'a> {
    reading: &'a Reading,
    /// What it was asked for beside the five figures, if it is a summary.
    figures: &'a [Figure],
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.reading {
            Reading::Fact(fact) => fact.serialize(serializer),
            Reading::Os { family, name } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("family", family)?;
                map.serialize_entry("name", name)?;
                map.end()
            }
            Reading::Counter(count) => serializer.serialize_u64(*count),
            Reading::Gauge(value) => value.map(Number).serialize(serializer),
            Reading::Distinct(set) => serializer.serialize_u64(set.count()),
            Reading::Summary(summary, range) => {
                let mut computed = summary.figures();
                // The samples of a gauge miss what it reached between them.
                if let Some(Range { min, max }) = range.filter(|_| computed.count > 0) {
                    computed.min = computed.min.min(min);
                    computed.max = computed.max.max(max);
                }
                figures(&computed, self.figures, serializer)
            }
        }
    }
}

/// The five figures, in the order in which Electric's page has them, and then those asked for. Mean
/// and standard deviation are always floats.
fn figures<S: Serializer>(
    figures: &Figures,
    asked: &[Figure],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(5 + asked.len()))?;
    map.serialize_entry("max", &Number(figures.max))?;
    map.serialize_entry("mean", &figures.mean)?;
    map.serialize_entry("median", &Number(figures.median))?;
    map.serialize_entry("min", &Number(figures.min))?;
    map.serialize_entry("mode", &figures.mode.map(Number))?;
    for figure in asked {
        let key = figure.key();
        match figure {
            Figure::Count => map.serialize_entry(&key, &figures.count)?,
            Figure::Sum => map.serialize_entry(&key, &Number(figures.sum))?,
            Figure::Stddev => map.serialize_entry(&key, &figures.stddev())?,
            Figure::Quantile(q) => map.serialize_entry(&key, &Number(figures.quantile(*q)))?,
        }
    }
    map.end()
}
