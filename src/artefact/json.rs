//! A JSON document whose members keep their order.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A value, a list, or an object with its members in order.
pub(super) enum Json {
    Value(Value),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
        Json::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
    }

    pub(super) fn list<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Json {
        Json::Value(values.into_iter().collect())
    }

    /// On many lines, with a line's end.
    pub(super) fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl<T: Into<Value>> From<T> for Json {
    fn from(value: T) -> Json {
        Json::Value(value.into())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Value(value) => value.serialize(serializer),
            Json::List(items) => items.serialize(serializer),
            Json::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}
