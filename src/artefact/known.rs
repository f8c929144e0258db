//! What a contract says, as [`Schema::compare`](crate::Schema::compare) reads it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Error, ErrorKind};

/// A path of a contract.
pub(super) struct Member<'a> {
    pub(super) schema: &'a Value,
    pub(super) is_required: bool,
}

impl<'a> Member<'a> {
    /// Whether all that this may be is within an older limit.
    pub(super) fn keeps(&self, limit: Option<&Value>, keyword: &str) -> bool {
        let Some(limit) = limit else { return true };
        let (own, options) = (self.schema.get(keyword), self.schema["enum"].as_array());
        let number = |value: &Value| value.as_f64();
        match (keyword, own, options) {
            ("minimum", Some(own), _) => number(own) >= number(limit),
            ("maxLength" | "maxItems", Some(own), _) => number(own) <= number(limit),
            ("maxLength", None, Some(options)) => options.iter().all(|option| {
                let length = option.as_str().map(|text| text.chars().count() as f64);
                length <= number(limit)
            }),
            _ => false,
        }
    }

    pub(super) fn types(&self) -> Vec<&'a str> {
        match &self.schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(some) => some.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// All paths of a contract.
pub(super) fn members(contract: &Value) -> BTreeMap<String, Member<'_>> {
    let mut found = BTreeMap::new();
    let mut open = vec![(String::new(), contract)];
    while let Some((path, schema)) = open.pop() {
        let required = schema["required"].as_array();
        let is_required = |name: &String| {
            required.is_some_and(|names| names.iter().any(|other| other.as_str() == Some(name)))
        };
        for (name, schema_of) in schema["properties"].as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            let member = Member { schema: schema_of, is_required: is_required(name) };
            found.insert(path.clone(), member);
            open.push((path, schema_of));
        }
        // The values of a list, and the members of any name.
        for (keyword, place) in [("items", "[]"), ("additionalProperties", ".*")] {
            if let Some(schema) = schema.get(keyword).filter(|schema| schema.is_object()) {
                let path = format!("{path}{place}");
                found.insert(path.clone(), Member { schema, is_required: false });
                open.push((path, schema));
            }
        }
    }
    found
}

/// The report that a contract is of, without a name, or the kinds of events by their names.
pub(super) fn documents(contract: &Value) -> BTreeMap<&str, &Value> {
    match kinds(contract) {
        Some(kinds) => {
            kinds.iter().map(|kind| (kind["title"].as_str().unwrap_or_default(), kind)).collect()
        }
        None => BTreeMap::from([("", contract)]),
    }
}

/// Whether it is a contract of events.
pub(super) fn is_of_events(contract: &Value) -> bool {
    kinds(contract).is_some()
}

fn kinds(contract: &Value) -> Option<&Vec<Value>> {
    contract["anyOf"].as_array().or_else(|| contract["items"]["anyOf"].as_array())
}

/// The version that a contract, or a kind of event in it, has.
pub(super) fn version(contract: &Value) -> u64 {
    contract["x-schema-version"].as_u64().unwrap_or_default()
}

/// Reads a contract; `which` is its name in errors.
pub(super) fn read(text: &str, which: &str) -> Result<Value, Error> {
    let bad = |what: String| {
        Error::new(ErrorKind::Schema, format!("the {which} schema is no contract: {what}"))
    };
    let value: Value = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    let has_fields = documents(&value).values().all(|part| part["properties"].is_object());
    match value["x-schema-version"].is_u64() && has_fields {
        true => Ok(value),
        false => Err(bad("`x-schema-version` or `properties` is missing".to_owned())),
    }
}
