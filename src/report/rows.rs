//! A labelled series, as a list of objects or as one object.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::document::Value;
use super::number::Number;
use crate::schema::{Field, Series, transform};
use crate::window::{Bucket, Reading, Row};

/// The values of a series.
pub(super) struct Rows<'a> {
    pub(super) rows: &'a [Row],
    pub(super) series: &'a Series,
    pub(super) field: &'a Field,
}

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Rows { rows, series, field } = *self;
        if series.as_object {
            let mut map = serializer.serialize_map(Some(rows.len()))?;
            for row in rows {
                let label = row.labels.first().map_or("", |label| label);
                map.serialize_entry(label, &value(&row.value, field))?;
            }
            return map.end();
        }
        let mut list = serializer.serialize_seq(None)?;
        for row in rows {
            let Reading::Buckets { buckets, .. } = &row.value else {
                list.serialize_element(&Labelled { row, bucket: None, series, field })?;
                continue;
            };
            for (bucket, cutoff) in buckets.iter().zip(series.cutoffs()) {
                let bucket = Some((*cutoff, *bucket));
                list.serialize_element(&Labelled { row, bucket, series, field })?;
            }
        }
        list.end()
    }
}

/// One value, or one bucket, with its labels.
struct Labelled<'a> {
    row: &'a Row,
    bucket: Option<(f64, Bucket)>,
    series: &'a Series,
    field: &'a Field,
}

impl Serialize for Labelled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Labelled { row, bucket, series, field } = *self;
        let mut map = serializer.serialize_map(None)?;
        for (key, label) in series.keys.iter().zip(&row.labels) {
            map.serialize_entry(&key.name, &**label)?;
        }
        let Some((cutoff, Bucket { count, sum })) = bucket else {
            map.serialize_entry("value", &value(&row.value, field))?;
            return map.end();
        };
        let said = transform::figure(&field.transforms, count, units(sum)).map(Number);
        map.serialize_entry("greater_than", &Number(cutoff))?;
        map.serialize_entry("sum", &said)?;
        map.serialize_entry("count", &value(&Reading::Counter(count), field))?;
        map.end()
    }
}

/// One value of a series, which has no detail.
fn value<'a>(reading: &'a Reading, field: &'a Field) -> Value<'a> {
    Value { reading, field, leaf: 0, left_out: &[] }
}

/// The nearest `f64` to a number of billionths.
fn units(billionths: u128) -> f64 {
    const UNIT: u128 = 1_000_000_000;
    // In decimal, so that it is rounded once.
    let text = format!("{}.{:09}", billionths / UNIT, billionths % UNIT);
    text.parse().unwrap_or(f64::MAX)
}
