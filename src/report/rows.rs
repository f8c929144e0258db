//! A labelled series, as a list of objects or as one object.

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::document::Value;
use crate::schema::{Field, Series};
use crate::window::Row;

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
                map.serialize_entry(label, &Value { reading: &row.value, field })?;
            }
            return map.end();
        }
        let mut list = serializer.serialize_seq(Some(rows.len()))?;
        for row in rows {
            let value = Value { reading: &row.value, field };
            list.serialize_element(&Labelled { row, series, value })?;
        }
        list.end()
    }
}

/// One value with its labels.
struct Labelled<'a> {
    row: &'a Row,
    series: &'a Series,
    value: Value<'a>,
}

impl Serialize for Labelled<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Labelled { row, series, value } = self;
        let mut map = serializer.serialize_map(Some(row.labels.len() + 1))?;
        for (key, label) in series.keys.iter().zip(&row.labels) {
            map.serialize_entry(&key.name, &**label)?;
        }
        map.serialize_entry("value", value)?;
        map.end()
    }
}
