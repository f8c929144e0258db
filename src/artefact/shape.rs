//! What a value in a report is made of, in the terms of JSON.

use crate::schema::{Fact, Transform};

/// What a value in a report is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// JSON Schema's names for what it may be: `integer`, `object`, `null`.
    pub(super) types: Vec<&'static str>,
    /// The least number.
    pub(super) minimum: Option<u64>,
    /// The greatest number.
    pub(super) maximum: Option<u64>,
    /// The fewest characters of a text.
    pub(super) shortest: Option<usize>,
    /// A regular expression that a text matches.
    pub(super) pattern: Option<&'static str>,
    /// The most characters of a text.
    pub(super) longest: Option<usize>,
    /// JSON Schema's name for what a text is: `uuid`, `date-time`.
    pub(super) format: Option<&'static str>,
    /// The members of an object, all of which are there.
    pub(super) members: Vec<(String, Shape)>,
    /// Members that may be there too.
    pub(super) optional: Vec<(String, Shape)>,
    /// What members of other names are, and how long those are at most; none if there are no others.
    pub(super) others: Option<(Box<Shape>, usize)>,
    /// What the values of a list are.
    pub(super) items: Option<Box<Shape>>,
    /// What each value of a list is that always has as many, and a name for it.
    pub(super) tuple: Vec<(&'static str, Shape)>,
    /// The most values of a list.
    pub(super) most: Option<usize>,
    /// The only text that it may be.
    pub(super) constant: Option<String>,
    /// All texts that it may be; none if it may be any.
    pub(super) options: Vec<String>,
    /// Members that are between `min` and `max`.
    pub(super) between: &'static [&'static str],
    /// It was made coarser, and is as exact as a float.
    pub(super) is_coarse: bool,
}

impl Shape {
    pub(super) fn of(types: &[&'static str]) -> Shape {
        Shape { types: types.to_vec(), ..Shape::default() }
    }

    /// A text, as long as a fact may be.
    pub(super) fn text() -> Shape {
        Shape { longest: Some(Fact::LONGEST_TEXT), ..Shape::of(&["string"]) }
    }

    /// A whole number, 0 or more.
    pub(super) fn count() -> Shape {
        Shape { minimum: Some(0), ..Shape::of(&["integer"]) }
    }

    pub(super) fn object(members: Vec<(String, Shape)>) -> Shape {
        Shape { members, ..Shape::of(&["object"]) }
    }

    pub(super) fn list(items: Shape) -> Shape {
        Shape { items: Some(Box::new(items)), ..Shape::of(&["array"]) }
    }

    pub(super) fn tuple(items: Vec<(&'static str, Shape)>) -> Shape {
        Shape { tuple: items, ..Shape::of(&["array"]) }
    }

    /// Whether it says figures of many samples.
    pub(super) fn is_summary(&self) -> bool {
        self.members.iter().any(|(name, _)| name == "median")
    }

    pub(super) fn or_null(mut self) -> Shape {
        if !self.types.contains(&"null") {
            self.types.push("null");
        }
        self
    }

    /// The same after the transforms of a field whose value is a number.
    pub(super) fn transformed(mut self, transforms: &[Transform]) -> Shape {
        self.is_coarse |= !transforms.is_empty();
        for transform in transforms {
            match transform {
                Transform::AtLeast(_) => self = self.or_null(),
                Transform::AtMost(most) => {
                    self.minimum = self.minimum.filter(|least| *most >= *least as f64);
                    if most.fract() != 0.0 {
                        self.types.iter_mut().filter(|name| **name == "integer").for_each(|name| {
                            *name = "number";
                        });
                    }
                }
                // What is whole stays whole, and what is not negative is not negative after it.
                Transform::Digits(_) | Transform::PowerOfTen | Transform::CoarseDuration => {}
                Transform::MajorMinor => {}
            }
        }
        self
    }

    /// What a fact of these types says after its transforms. It may always be null: a program may
    /// not know it.
    pub(super) fn fact(types: &[&'static str], transforms: &[Transform]) -> Shape {
        let is_version = |transform: &Transform| *transform == Transform::MajorMinor;
        let types: &[&'static str] = if transforms.is_empty() {
            types
        } else if transforms.iter().all(is_version) {
            &["string"]
        } else if transforms.iter().any(is_version) {
            &[] // what is text for the one is none for the other
        } else {
            &["number"]
        };
        let longest = types.contains(&"string").then_some(Fact::LONGEST_TEXT);
        Shape { longest, ..Shape::of(types) }.or_null()
    }
}
