//! What each kind of field is to those who read about it: the one place that knows all kinds.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::series;
use super::shape::Shape;
use crate::cell::{Registers, Union};
use crate::schema::{Fact, Field, Figure, Given, Host, Kind, Of, Transform};
use crate::summary::Summary;
use crate::window::Reading;

/// A field as its readers see it.
pub(super) struct Look {
    /// The kind in a word or two.
    pub(super) word: &'static str,
    /// What its value is made of.
    pub(super) shape: Shape,
    /// What a window may read.
    pub(super) example: Reading,
}

/// What a field looks like; an error says what is wrong with its example.
pub(super) fn look(field: &Field) -> Result<Look, String> {
    let transforms = &*field.transforms;
    let number = |otherwise: f64| match &field.example {
        None => Ok(otherwise),
        Some(example) => example.as_number().ok_or("a number"),
    };
    let count = |otherwise: f64| number(otherwise).map(|value| Reading::Counter(value as u64));
    let text = |otherwise: &str| match &field.example {
        None => Ok(Reading::Fact(Fact::text(otherwise))),
        Some(example) => example.as_text().map(|_| Reading::Fact(example.clone())).ok_or("a text"),
    };
    let whole = |otherwise: u64| {
        let example = field.example.clone().unwrap_or(otherwise.into());
        example.as_number().map(|_| Reading::Fact(example)).ok_or("a number")
    };
    let figures = || {
        let middle = number(usual(field.unit.as_deref()))?;
        Ok(Reading::Summary(Box::new(samples(middle)), None))
    };
    let (word, shape, example) = match &field.kind {
        Kind::Fact(fact) => {
            let example = field.example.clone().unwrap_or(fact.clone());
            ("constant", Shape::fact(types(fact), transforms), Ok(Reading::Fact(example)))
        }
        Kind::Asked(_) | Kind::Later | Kind::Value => {
            let example = field.example.clone().unwrap_or(Fact::NULL);
            ("fact", Shape::fact(&SCALAR, transforms), Ok(Reading::Fact(example)))
        }
        Kind::Given(Given::One(unless_given)) => {
            let example = field.example.clone().unwrap_or(unless_given.clone());
            ("given", Shape::fact(&SCALAR, transforms), Ok(Reading::Fact(example)))
        }
        Kind::Given(Given::List) => {
            let most = Some(Fact::LONGEST_LIST);
            let shape = Shape { most, ..Shape::list(Shape::fact(&SCALAR, &[])) };
            let example = Fact::list(field.example.clone().into_iter());
            ("given", shape, Ok(Reading::Fact(example)))
        }
        Kind::Host(Host::Arch) => ("fact", Shape::text(), text("x86_64-unknown-linux-gnu")),
        Kind::Host(Host::Cores) => {
            ("fact", Shape::count().or_null().transformed(transforms), whole(8))
        }
        Kind::Host(Host::Os) => {
            let members = ["family", "name"].map(|name| (name.to_owned(), Shape::text()));
            let example = Reading::Os { family: "unix".into(), name: "linux".into() };
            let example = if field.example.is_some() { Err("no example") } else { Ok(example) };
            ("fact", Shape::object(members.into()), example)
        }
        Kind::Host(Host::Ram) => {
            ("fact", Shape::count().or_null().transformed(transforms), whole(16 << 30))
        }
        Kind::Host(Host::Uptime) => {
            ("uptime", Shape::count().transformed(transforms), whole(14_400))
        }
        Kind::Host(Host::InstanceId) => {
            ("id of the process", Shape::text(), text("0d64597b-168b-45a2-ad64-a9baba55fd59"))
        }
        Kind::Host(Host::ClusterId) => {
            let example = text("a1336abd-804c-4d0c-a06a-c73da6dd148e");
            ("id of the installation", Shape::text().or_null(), example)
        }
        Kind::Host(Host::ClusterIdSource) => {
            ("source of the id", Shape::text().or_null(), text("file"))
        }
        Kind::Host(Host::StartedAt) => {
            let shape = Shape { format: Some("date-time"), ..Shape::of(&["string"]).or_null() };
            ("time of the start", shape, text("2026-01-01T00:00:00.000000Z"))
        }
        Kind::Host(Host::Ci) => ("fact", Shape::text().or_null(), text("GITHUB_ACTIONS")),
        Kind::Reason => {
            let options = Reading::REASONS.map(str::to_owned).into();
            let shape = Shape { options, ..Shape::of(&["string"]) };
            ("reason of the report", shape, text(Reading::REASONS[1]))
        }
        Kind::Panics(_) => ("count of panics", Shape::count().transformed(transforms), count(0.0)),
        Kind::Counter => ("counter", Shape::count().transformed(transforms), count(1200.0)),
        Kind::Gauge => {
            let shape = Shape::of(&["number"]);
            let shape = if field.default.is_some() { shape } else { shape.or_null() };
            let example = number(usual(field.unit.as_deref())).map(|n| Reading::Gauge(Some(n)));
            ("gauge", shape.transformed(transforms), example)
        }
        Kind::Summary => ("summary of samples", summary(field), figures()),
        Kind::GaugeSummary => ("summary of a gauge", summary(field), figures()),
        Kind::Sampled(_) => ("summary, sampled", summary(field), figures()),
        Kind::Series(labels) => {
            let value = match &labels.of {
                Of::Counters => count(1200.0),
                Of::Buckets(cutoffs) => number(12.0).map(|n| series::buckets(cutoffs, n as u64)),
                Of::Gauges => number(usual(field.unit.as_deref())).map(|n| Reading::Gauge(Some(n))),
            };
            let example = value.map(|value| series::example(labels, &value));
            (series::word(labels), series::shape(labels, transforms), example)
        }
        Kind::Distinct { .. } if field.mergeable => {
            // More are counted under a random key, and the page would be another each time.
            let example = number(3.0).map(|n| Union::of_some((n as u64).min(500)));
            let example = example.map(|union| Reading::Mergeable(Box::new(union)));
            ("different values, mergeable", mergeable(transforms), example)
        }
        Kind::Distinct { .. } => {
            ("different values", Shape::count().transformed(transforms), count(12.0))
        }
    };
    let example = example.map_err(|wanted| format!("has an example, and takes {wanted}"))?;
    Ok(Look { word, shape, example })
}

/// All that a fact may be.
const SCALAR: [&str; 3] = ["string", "number", "boolean"];

/// What a constant is.
fn types(fact: &Fact) -> &'static [&'static str] {
    match serde_json::to_value(fact) {
        Ok(Value::Bool(_)) => &["boolean"],
        Ok(Value::Number(number)) if number.is_f64() => &["number"],
        Ok(Value::Number(_)) => &["integer"],
        Ok(Value::String(_)) => &["string"],
        _ => &SCALAR,
    }
}

/// What a summary says.
fn summary(field: &Field) -> Shape {
    let number = || Shape::of(&["number"]);
    let names = ["max", "mean", "median", "min"];
    let mut members: Vec<(String, Shape)> =
        names.map(|name| (name.to_owned(), number())).into_iter().collect();
    members.push(("mode".to_owned(), number().or_null()));
    for figure in &field.figures {
        let shape = match figure {
            Figure::Count => Shape::count(),
            Figure::Buckets(most) => {
                let pair = Shape::tuple(vec![("value", number()), ("count", Shape::count())]);
                Shape { most: Some(*most), ..Shape::list(pair).or_null() }
            }
            #[cfg(feature = "hdr")]
            Figure::Hdr(_) => {
                Shape { longest: Some(Figure::LONGEST_HDR), ..Shape::of(&["string"]).or_null() }
            }
            _ => number(),
        };
        members.push((figure.key(), shape));
        let beside = || Shape { minimum: Some(0), ..number() };
        match figure {
            Figure::Buckets(_) => members.push((Figure::ERROR.to_owned(), beside().or_null())),
            #[cfg(feature = "hdr")]
            Figure::Hdr(_) => members.push((Figure::RESOLUTION.to_owned(), beside())),
            _ => {}
        }
    }
    // Of a summary that has too few samples nothing is said; `AtLeast` does nothing to its figures.
    let (rest, least): (Vec<_>, Vec<_>) = field
        .transforms
        .iter()
        .copied()
        .partition(|transform| !matches!(transform, Transform::AtLeast(_)));
    let figures = members.into_iter().map(|(name, shape)| (name, shape.transformed(&rest)));
    let between: &[&str] = if rest.is_empty() { &["mean", "median"] } else { &[] };
    let shape = Shape { between, ..Shape::object(figures.collect()) };
    if least.is_empty() { shape } else { shape.or_null() }
}

/// What a distinct count says that can be united with others.
fn mergeable(transforms: &[Transform]) -> Shape {
    let whole = |range: RangeInclusive<u64>| Shape {
        minimum: Some(*range.start()),
        maximum: Some(*range.end()),
        ..Shape::of(&["integer"])
    };
    let indices = 0..=Registers::COUNT as u64 - 1;
    let ranks = 1..=u64::from(Registers::HIGHEST);
    let pair = Shape::tuple(vec![("index", whole(indices)), ("rank", whole(ranks))]);
    let registers = Shape {
        types: vec!["array", "string"],
        most: Some(Registers::FEW),
        shortest: Some(Registers::COUNT),
        longest: Some(Registers::COUNT),
        // As many as there are ranks.
        pattern: Some("^[A-Za-z]*$"),
        ..Shape::list(pair)
    };
    // It stays a whole number: no other transform is possible.
    let count = if transforms.is_empty() { Shape::count() } else { Shape::count().or_null() };
    let members = [("count", count), ("registers", registers.or_null())];
    Shape::object(members.map(|(name, shape)| (name.to_owned(), shape)).into())
}

/// A number such as one of this unit may be.
fn usual(unit: Option<&str>) -> f64 {
    match unit {
        Some("bytes") => 1_048_576.0,
        Some("seconds") => 0.25,
        _ => 4.0,
    }
}

/// A hundred samples, the most of them this.
fn samples(middle: f64) -> Summary {
    let mut summary = Summary::default();
    for (value, times) in [(middle / 2.0, 25), (middle, 50), (middle * 2.0, 25)] {
        if value.is_finite() {
            summary.record_n(value, times);
        }
    }
    summary
}
