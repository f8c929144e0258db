//! What a labelled series is to its readers.

use std::sync::Arc;

use super::shape::Shape;
use crate::schema::{LabelValues, Of, Series, Transform};
use crate::window::{Reading, Row};

/// Values of a series that an example shows at most.
const MOST: usize = 16;

/// The kind in a few words. That values leave as they come is one of them.
pub(super) fn word(series: &Series, cumulative: bool) -> &'static str {
    let as_they_come = series.keys.iter().any(|key| matches!(key.values, LabelValues::Seen(_)));
    match (&series.of, as_they_come) {
        (Of::Counters, false) if cumulative => "counters since the start by label",
        (Of::Counters, true) if cumulative => {
            "counters since the start by label, named by the values that come"
        }
        (Of::Counters, false) => "counters by label",
        (Of::Counters, true) => "counters by label, named by the values that come",
        (Of::Gauges, false) => "gauges by label",
        (Of::Gauges, true) => "gauges by label, named by the values that come",
    }
}

/// What it is written as.
pub(super) fn shape(series: &Series, transforms: &[Transform]) -> Shape {
    let value = match &series.of {
        Of::Counters => Shape::count(),
        Of::Gauges => Shape::of(&["number"]),
    };
    let value = value.transformed(transforms);
    let labels = series.keys.iter().map(|key| (key.name.clone(), label(&key.values)));
    if !series.as_object {
        return Shape::list(Shape::object(labels.chain([("value".to_owned(), value)]).collect()));
    }
    let mut object = Shape::object(Vec::new());
    for key in &series.keys {
        match &key.values {
            LabelValues::Listed { list, others } => {
                let listed = list.iter().map(|name| (name.clone(), value.clone()));
                object.members.extend(listed);
                object.others = others.then(|| Box::new(value.clone()));
            }
            LabelValues::Seen(_) => object.others = Some(Box::new(value.clone())),
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
