//! What differs between two contracts, and whether a receiver can bear it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::schema::Schema;

/// What differs between the reports of two versions of a schema, see [`Schema::compare`].
///
/// Its `Display` is a line for each change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    breaking: Vec<String>,
    compatible: Vec<String>,
    versions: (u64, u64),
}

impl Changes {
    /// What a receiver of the old reports cannot bear, by path: a field is gone, may be of another
    /// type or null, is of another kind, unit or transform, or is a label that may have a value it
    /// did not have, which a receiver that checks labels rejects.
    pub fn breaking(&self) -> &[String] {
        &self.breaking
    }

    /// What it can, if it ignores what it does not know: a field is new, or may be fewer things.
    pub fn compatible(&self) -> &[String] {
        &self.compatible
    }

    /// The versions of the two schemas, old and new.
    pub fn versions(&self) -> (u64, u64) {
        self.versions
    }

    /// Whether something breaks and the version says nothing of it.
    pub fn is_unannounced(&self) -> bool {
        !self.breaking.is_empty() && self.versions.1 <= self.versions.0
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let breaking = self.breaking.iter().map(|change| ("breaking", change));
        let compatible = self.compatible.iter().map(|change| ("compatible", change));
        for (at, (sort, change)) in breaking.chain(compatible).enumerate() {
            write!(f, "{}{sort}: {change}", if at > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl Schema {
    /// What differs between two documents of
    /// [`Builder::to_json_schema`](crate::Builder::to_json_schema), in the eyes of a receiver that
    /// ignores fields it does not know.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Schema`] for a text that is no such document.
    pub fn compare(old: &str, new: &str) -> Result<Changes, Error> {
        let (old, new) = (read(old, "old")?, read(new, "new")?);
        let mut changes =
            Changes { versions: (version(&old), version(&new)), ..Changes::default() };
        let (old, new) = (members(&old), members(&new));
        for (path, before) in &old {
            match new.get(path) {
                None => changes.breaking.push(format!("`{path}` is gone")),
                Some(after) => changes.of(path, before, after),
            }
        }
        let added = new.keys().filter(|path| !old.contains_key(*path));
        changes.compatible.extend(added.map(|path| format!("`{path}` is new")));
        Ok(changes)
    }
}

impl Changes {
    /// Compares what one path is.
    fn of(&mut self, path: &str, before: &Member<'_>, after: &Member<'_>) {
        let (old, new) = (before.types(), after.types());
        let more: Vec<&str> = new.iter().copied().filter(|name| !covers(&old, name)).collect();
        let fewer: Vec<&str> = old.iter().copied().filter(|name| !covers(&new, name)).collect();
        if !more.is_empty() {
            self.breaking.push(format!("`{path}` may be {}", more.join(" or ")));
        }
        if !fewer.is_empty() {
            self.compatible.push(format!("`{path}` is not {} any more", fewer.join(" or ")));
        }
        if before.is_required && !after.is_required {
            self.breaking.push(format!("`{path}` may be missing"));
        }
        self.of_options(path, before, after);
        for (keyword, word) in MEANINGS {
            let (old, new) = (said(before, keyword), said(after, keyword));
            if old != new {
                self.breaking.push(format!("`{path}` has the {word} {new}, and had {old}"));
            }
        }
        for (keyword, word) in LIMITS {
            let (was, is) = (said(before, keyword), said(after, keyword));
            if was == is {
                continue;
            }
            match after.keeps(before.schema.get(keyword), keyword) {
                true if is != "none" => {
                    self.compatible.push(format!("`{path}` has the {word} {is} now"));
                }
                true => {} // nothing, or the values that it may have are listed
                false => {
                    self.breaking.push(format!("`{path}` has the {word} {is}, and had {was}"));
                }
            }
        }
    }
}

impl Changes {
    /// Compares which values one path may have.
    fn of_options(&mut self, path: &str, before: &Member<'_>, after: &Member<'_>) {
        let options = |member: &Member<'_>| member.schema["enum"].as_array().cloned();
        let (old, new) = (options(before), options(after));
        let listed =
            |some: Vec<Value>| some.iter().map(Value::to_string).collect::<Vec<_>>().join(" or ");
        match (old, new) {
            (Some(old), Some(new)) => {
                let without = |all: &[Value], some: &[Value]| -> Vec<Value> {
                    all.iter().filter(|one| !some.contains(one)).cloned().collect()
                };
                let (more, fewer) = (without(&new, &old), without(&old, &new));
                if !more.is_empty() {
                    self.breaking.push(format!("`{path}` may be {}", listed(more)));
                }
                if !fewer.is_empty() {
                    let fewer = listed(fewer);
                    self.compatible.push(format!("`{path}` is not {fewer} any more"));
                }
            }
            (Some(_), None) => self.breaking.push(format!("`{path}` may be anything")),
            (None, Some(new)) => {
                self.compatible.push(format!("`{path}` is {} now", listed(new)));
            }
            (None, None) => {}
        }
    }
}

/// What a value means; any change of it is another meaning.
const MEANINGS: [(&str, &str); 3] =
    [("x-kind", "kind"), ("x-unit", "unit"), ("x-transforms", "transforms")];

/// What limits a value; one that is new or narrower takes nothing from a receiver.
const LIMITS: [(&str, &str); 4] = [
    ("minimum", "least value"),
    ("maxLength", "length"),
    ("maxItems", "most items"),
    ("format", "format"),
];

/// What a keyword says, in words.
fn said(member: &Member<'_>, keyword: &str) -> String {
    member.schema.get(keyword).map_or("none".to_owned(), Value::to_string)
}

/// Whether all values of a type are values of one of these.
fn covers(types: &[&str], name: &str) -> bool {
    types.contains(&name) || (name == "integer" && types.contains(&"number"))
}

/// A path of a contract.
struct Member<'a> {
    schema: &'a Value,
    is_required: bool,
}

impl<'a> Member<'a> {
    /// Whether all that this may be is within an older limit.
    fn keeps(&self, limit: Option<&Value>, keyword: &str) -> bool {
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

    fn types(&self) -> Vec<&'a str> {
        match &self.schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(some) => some.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// All paths of a contract.
fn members(contract: &Value) -> BTreeMap<String, Member<'_>> {
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

fn version(contract: &Value) -> u64 {
    contract["x-schema-version"].as_u64().unwrap_or_default()
}

fn read(text: &str, which: &str) -> Result<Value, Error> {
    let bad = |what: String| {
        Error::new(ErrorKind::Schema, format!("the {which} schema is no contract: {what}"))
    };
    let value: Value = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    match value["x-schema-version"].is_u64() && value["properties"].is_object() {
        true => Ok(value),
        false => Err(bad("`x-schema-version` or `properties` is missing".to_owned())),
    }
}
