//! The value of a fact.

use std::borrow::Cow;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use super::field::Sample;
use crate::clock::utc;

/// A value that is stated rather than measured: a version, an edition, a flag, a count.
///
/// Made with `into()` from booleans, numbers, constant text, points in time and options of these,
/// and with [`Fact::text`] from other text. `None` and floats that are not finite become JSON's
/// `null`, a time is written in UTC as RFC 3339 has it, to the microsecond. Of a text 256 characters
/// are kept at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact(Value);

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(Cow<'static, str>),
    Time(SystemTime),
    List(Vec<Fact>),
}

impl Fact {
    /// JSON's `null`: the fact is not known.
    pub const NULL: Fact = Fact(Value::Null);

    /// The longest text, in characters.
    pub(crate) const LONGEST_TEXT: usize = 256;

    /// A text that the program does not know beforehand: the version of a server, an id. It leaves
    /// the process as it is, so it is admitted by this word alone, and not by `into()`, which takes
    /// constants: see to it that it never holds a name, a path or an address.
    pub fn text(text: impl Into<String>) -> Fact {
        let mut text = text.into();
        text.truncate(end(&text));
        Fact(Value::Text(text.into()))
    }

    /// How much of the whole a part is, in per cent: 3 of 8 is 37.5. Null where the whole is 0, or one
    /// of them is unknown or not finite.
    ///
    /// ```
    /// use callhome::Fact;
    ///
    /// assert_eq!(Fact::percent(3, 8), Fact::from(37.5));
    /// assert_eq!(Fact::percent(7, 100), Fact::from(7.0));
    /// assert_eq!(Fact::percent(0, 0), Fact::NULL); // a machine without swap uses none of it
    /// assert_eq!(Fact::percent(1, f64::INFINITY), Fact::NULL);
    /// ```
    pub fn percent(part: impl Sample, whole: impl Sample) -> Fact {
        let known = |number: Option<f64>| number.filter(|number| number.is_finite());
        let both = known(part.sample()).zip(known(whole.sample()));
        // First the part, so that 7 of 100 is 7.
        both.map(|(part, whole)| 100.0 * part / whole).into()
    }

    /// The most facts in a list.
    pub(crate) const LONGEST_LIST: usize = 64;

    /// Several facts in order, the first 64 of them.
    pub(crate) fn list(facts: impl Iterator<Item = Fact>) -> Fact {
        Fact(Value::List(facts.take(Fact::LONGEST_LIST).collect()))
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self.0, Value::List(_))
    }

    /// A number, written as an integer when it is one.
    pub(super) fn number(value: f64) -> Fact {
        let is_integer = value.fract() == 0.0 && value.abs() < 9e15; // each of these is an f64
        Fact(if is_integer { Value::Signed(value as i64) } else { finite(value) })
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_number(&self) -> Option<f64> {
        match self.0 {
            Value::Signed(value) => Some(value as f64),
            Value::Unsigned(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::Time(_) | Value::List(_) => None,
        }
    }
}

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Signed(value) => serializer.serialize_i64(*value),
            Value::Unsigned(value) => serializer.serialize_u64(*value),
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::Text(value) => serializer.serialize_str(value),
            Value::Time(value) => utc(*value).serialize(serializer),
            Value::List(values) => values.serialize(serializer),
        }
    }
}

macro_rules! from {
    ($($type:ty => $value:expr;)*) => {$(
        impl From<$type> for Fact {
            fn from(value: $type) -> Fact {
                Fact($value(value.into()))
            }
        }
    )*};
}

from! {
    bool => Value::Bool;
    i8 => Value::Signed;
    i16 => Value::Signed;
    i32 => Value::Signed;
    i64 => Value::Signed;
    u8 => Value::Unsigned;
    u16 => Value::Unsigned;
    u32 => Value::Unsigned;
    u64 => Value::Unsigned;
    f32 => decimal;
    f64 => finite;
    &'static str => constant;
    SystemTime => Value::Time;
}

fn constant(text: &'static str) -> Value {
    Value::Text(text.get(..end(text)).unwrap_or_default().into())
}

/// Where a text ends that is as long as may be.
fn end(text: &str) -> usize {
    text.char_indices().nth(Fact::LONGEST_TEXT).map_or(text.len(), |(end, _)| end)
}

fn finite(value: f64) -> Value {
    if value.is_finite() { Value::Float(value) } else { Value::Null }
}

/// The shortest decimal that is this `f32`, so that 0.1 is written as 0.1.
fn decimal(value: f32) -> Value {
    value.to_string().parse().map_or(Value::Null, finite)
}

impl From<usize> for Fact {
    fn from(value: usize) -> Fact {
        Fact(Value::Unsigned(value as u64))
    }
}

impl From<isize> for Fact {
    fn from(value: isize) -> Fact {
        Fact(Value::Signed(value as i64))
    }
}

impl<T: Into<Fact>> From<Option<T>> for Fact {
    fn from(value: Option<T>) -> Fact {
        value.map_or(Fact::NULL, Into::into)
    }
}
