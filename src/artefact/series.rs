//! What a labelled series is to its readers.

use std::sync::Arc;

use super::shape::Shape;
use crate::schema::{Field, Kind, LabelValues, Of, Series, Transform};
use crate::window::{Bucket, Reading, Row};

/// Values of a series that an example shows at most.
const MOST: usize = 16;

/// The kind in a few words.
pub(super) fn word(series: &Series) -> &'static str {
    match &series.of {
        Of::Counters => "counters by label",
        Of::Gauges => "gauges by label",
        Of::Buckets(_) => "samples in buckets by label",
    }
}

/// What is to be said beside the kind's word: since when it counts, and that values leave as they
/// come.
pub(super) fn notes(field: &Field) -> String {
    let as_they_come = match &field.kind {
        Kind::Series(series) => {
            series.keys.iter().any(|key| matches!(key.values, LabelValues::Seen(_)))
        }
        _ => false,
    };
    let mut notes = String::new();
    if field.cumulative {
        notes.push_str(" since the start");
    }
    if as_they_come {
        notes.push_str(", named by the values that come");
    }
    notes
}

/// What it is written as.
pub(super) fn shape(series: &Series, transforms: &[Transform]) -> Shape {
    let number = || Shape::of(&["number"]);
    let value = match &series.of {
        Of::Counters | Of::Buckets(_) => Shape::count(),
        Of::Gauges => number(),
    };
    let value = value.transformed(transforms);
    let labels = series.keys.iter().map(|key| (key.name.clone(), label(&key.values)));
    if !series.as_object {
        let members = match &series.of {
            Of::Buckets(_) => vec![
                ("greater_than", number()),
                ("sum", number().transformed(transforms)),
                ("count", value),
            ],
            Of::Counters | Of::Gauges => vec![("value", value)],
        };
        let members = members.into_iter().map(|(name, shape)| (name.to_owned(), shape));
        return Shape::list(Shape::object(labels.chain(members).collect()));
    }
    let mut object = Shape::object(Vec::new());
    for key in &series.keys {
        match &key.values {
            LabelValues::Listed { list, others } => {
                let listed = list.iter().map(|name| (name.clone(), value.clone()));
                object.members.extend(listed);
                let other = others.then(|| (Series::OTHER.to_owned(), value.clone()));
                object.optional.extend(other);
            }
            LabelValues::Seen(_) => {
                object.others = Some((Box::new(value.clone()), Series::LONGEST_VALUE));
            }
        }
    }
    object
}

/// What a label may be.
fn label(values: &LabelValues) -> Shape {
    match values {
        LabelValues::Listed { list, others } => {
            let other = others.then(|| Series::OTHER.to_owned());
            Shape { options: list.iter().cloned().chain(other).collect(), ..Shape::of(&["string"]) }
        }
        LabelValues::Seen(_) => {
            Shape { longest: Some(Series::LONGEST_VALUE), ..Shape::of(&["string"]) }
        }
    }
}

/// Buckets of which each has samples.
pub(super) fn buckets(cutoffs: &[f64], count: u64) -> Reading {
    const BILLION: f64 = 1e9;
    // The mean sample is in the bucket.
    let sum = |cutoff: f64| (cutoff * 1.25 * BILLION * count as f64) as u128;
    let buckets = cutoffs.iter().map(|cutoff| Bucket { count, sum: sum(*cutoff) }).collect();
    Reading::Buckets { buckets, cumulative: false }
}

/// A series of which each listed value reads this, and so does one of those that come.
pub(super) fn example(series: &Series, value: &Reading) -> Reading {
    let mut combinations: Vec<Vec<Arc<str>>> = vec![Vec::new()];
    for key in &series.keys {
        let values: Vec<Arc<str>> = match &key.values {
            LabelValues::Listed { list, .. } => {
                list.iter().map(|name| Arc::from(&**name)).collect()
            }
            LabelValues::Seen(_) => vec![format!("<{}>", key.name).into()],
        };
        let longer = combinations.iter().flat_map(|labels| {
            values.iter().map(|value| labels.iter().chain([value]).cloned().collect())
        });
        combinations = longer.take(MOST).collect();
    }
    let row = |(slot, labels)| Row { slot, labels, value: value.clone() };
    Reading::Series(combinations.into_iter().enumerate().map(row).collect())
}
