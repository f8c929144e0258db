//! What differs between two contracts, and whether a receiver can bear it.

use std::fmt;

use serde_json::Value;

use super::known::{Member, documents, is_of_events, members, read, version};
use crate::error::Error;
use crate::schema::Schema;

/// What differs between the reports or events of two versions of a schema, see [`Schema::compare`].
///
/// Its `Display` is a line for each change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    breaking: Vec<String>,
    compatible: Vec<String>,
    versions: (u64, u64),
    /// What has to be raised, in words.
    unannounced: Vec<String>,
}

impl Changes {
    /// What a receiver of the old reports cannot bear, by path: a field is gone, may be of another
    /// type or null, is of another kind, unit or transform, or is a label that may have a value it
    /// did not have, which a receiver that checks labels rejects. Of events also: a kind is gone, or
    /// they are sent together in another way. The paths of an event are after its kind:
    /// `command: data.name`.
    pub fn breaking(&self) -> &[String] {
        &self.breaking
    }

    /// What it can, if it ignores what it does not know: a field or a kind of event is new, or a field
    /// may be fewer things.
    pub fn compatible(&self) -> &[String] {
        &self.compatible
    }

    /// The versions of the two schemas, old and new; of events those of the builder's schema.
    pub fn versions(&self) -> (u64, u64) {
        self.versions
    }

    /// Whether something breaks and the version says nothing of it. Of a kind of event its own version
    /// says it as well as that of the builder's schema.
    pub fn is_unannounced(&self) -> bool {
        !self.unannounced.is_empty()
    }

    /// Which version would announce what breaks: "`Schema::version` above 1".
    pub(super) fn remedy(&self) -> String {
        self.unannounced.join(" and ")
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
    /// [`ErrorKind::Schema`](crate::ErrorKind::Schema) for a text that is no such document.
    pub fn compare(old: &str, new: &str) -> Result<Changes, Error> {
        let (old, new) = (read(old, "old")?, read(new, "new")?);
        let versions = (version(&old), version(&new));
        let mut changes = Changes { versions, ..Changes::default() };
        let (before, after) = (documents(&old), documents(&new));
        changes.of_bodies(&old, &new);
        for (kind, _) in before.iter().filter(|(kind, _)| !after.contains_key(*kind)) {
            changes.breaking.push(format!("{} is gone", named(kind)));
        }
        if !changes.breaking.is_empty() && versions.1 <= versions.0 {
            let whose = match is_of_events(&old) {
                true => format!(" of {}", old["title"]),
                false => String::new(),
            };
            changes.unannounced.push(format!("`Schema::version`{whose} above {}", versions.0));
        }
        for (kind, before) in &before {
            if let Some(after) = after.get(kind) {
                changes.of_document(kind, before, after);
            }
        }
        let added = after.keys().filter(|kind| !before.contains_key(*kind));
        changes.compatible.extend(added.map(|kind| format!("{} is new", named(kind))));
        Ok(changes)
    }
}

/// A report, or a kind of event.
fn named(kind: &str) -> String {
    if kind.is_empty() { "the report".to_owned() } else { format!("the event `{kind}`") }
}

impl Changes {
    /// Compares how events are sent together.
    fn of_bodies(&mut self, old: &Value, new: &Value) {
        let (old, new) = (&old["x-body"], &new["x-body"]);
        if old.is_string() && new.is_string() && old != new {
            self.breaking.push(format!("the body is {new}, and was {old}"));
        }
    }

    /// Compares what a report or a kind of event is.
    fn of_document(&mut self, kind: &str, old: &Value, new: &Value) {
        let breaks = self.breaking.len();
        let shown = |path: &str| match kind {
            "" => path.to_owned(),
            kind => format!("{kind}: {path}"),
        };
        let (was, is) = (version(old), version(new));
        let (old, new) = (members(old), members(new));
        for (path, before) in &old {
            match new.get(path) {
                None => self.breaking.push(format!("`{}` is gone", shown(path))),
                Some(after) => self.of(&shown(path), before, after),
            }
        }
        let added = new.keys().filter(|path| !old.contains_key(*path));
        self.compatible.extend(added.map(|path| format!("`{}` is new", shown(path))));
        let is_raised = is > was || self.versions.1 > self.versions.0;
        if self.breaking.len() > breaks && !is_raised {
            let whose = if kind.is_empty() { String::new() } else { format!(" of {kind:?}") };
            self.unannounced.push(format!("`Schema::version`{whose} above {was}"));
        }
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
