//! The value of a fact.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// A value that is stated rather than measured: a version, an edition, a flag, a count.
///
/// Made with `into()` from booleans, numbers, text and options of these; `None` and floats that
/// are not finite become JSON's `null`.
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
}

impl Fact {
    /// JSON's `null`: the fact is not known.
    pub const NULL: Fact = Fact(Value::Null);
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
    &'static str => Value::Text;
    String => Value::Text;
    Cow<'static, str> => Value::Text;
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
