//! A report without what differs from run to run.

use std::fmt;

use serde_json::Value;

use super::Document;
use crate::clock::parse_utc;

/// A report as text for a snapshot: what differs from run to run is taken out, and the rest has an
/// order of its own.
///
/// - Ids (UUIDs) become `[id 1]`, `[id 2]` and so on, the same id the same number.
/// - Times (RFC 3339) become `[time]`, and so does the envelope's `window_seconds`; its `library`,
///   which is another after each update of this crate, becomes `[library]`.
/// - The registers of a [`mergeable`](crate::Schema::mergeable) count become `[registers]`.
/// - What is at a path of [`redact`](Snapshot::redact) becomes `[redacted]`.
/// - Members are ordered by their names, and the values of a series by their labels: in a report
///   they stand in the order of their arrival.
///
/// Its `Display` is the text, of many lines. A snapshot library takes it, and so does
/// [`assert_page_current!`](crate::assert_page_current), which keeps it in a file.
///
/// ```
/// use callhome::testing::Snapshot;
/// use callhome::{CallHome, Schema};
///
/// let schema = Schema::new("shop").counter("orders").uptime("uptime").instance_id("id");
/// let t = CallHome::builder(schema).build()?;
/// let snapshot = Snapshot::of(t.flush()?).redact("uptime");
/// assert_eq!(
///     snapshot.to_string(),
///     "{\n  \"id\": \"[id 1]\",\n  \"orders\": 0,\n  \"uptime\": \"[redacted]\"\n}\n"
/// );
/// # Ok::<(), callhome::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Snapshot {
    document: Value,
    redacted: Vec<String>,
}

impl Snapshot {
    /// A snapshot of this report.
    pub fn of(report: impl Document) -> Snapshot {
        Snapshot { document: report.document().into_owned(), redacted: Vec::new() }
    }

    /// Takes out what is at this path. In a list `*` stands for each element.
    #[must_use]
    pub fn redact(mut self, path: &str) -> Snapshot {
        self.redacted.push(path.to_owned());
        self
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writing =
            Writing { redacted: &self.redacted, ids: Vec::new(), text: String::new() };
        writing.value("", &self.document, 0);
        writeln!(f, "{}", writing.text)
    }
}

/// A snapshot as it is written.
struct Writing<'a> {
    redacted: &'a [String],
    /// Those seen so far.
    ids: Vec<String>,
    text: String,
}

impl Writing<'_> {
    fn value(&mut self, path: &str, value: &Value, depth: usize) {
        if self.redacted.iter().any(|redacted| redacted == path) {
            self.text.push_str("\"[redacted]\"");
            return;
        }
        match value {
            Value::Object(members) => {
                let is_sketch = members.len() == 2
                    && members.contains_key("count")
                    && members.get("registers").is_some_and(|said| !said.is_null());
                let mut members: Vec<(&String, &Value)> = members.iter().collect();
                members.sort_by_key(|(name, _)| *name);
                self.block('{', members, depth, |writing, (name, member)| {
                    writing.text.push_str(&Value::from(name.as_str()).to_string());
                    writing.text.push_str(": ");
                    match is_sketch && name == "registers" {
                        true => writing.text.push_str("\"[registers]\""),
                        false => writing.value(&join(path, name), member, depth + 1),
                    }
                });
            }
            Value::Array(elements) => {
                let mut elements: Vec<&Value> = elements.iter().collect();
                elements.sort_by_key(|element| labels(element)); // stable: others keep their order
                self.block('[', elements, depth, |writing, element| {
                    writing.value(&join(path, "*"), element, depth + 1);
                });
            }
            Value::String(_) if path == "library" => self.text.push_str("\"[library]\""),
            Value::String(text) => {
                let text = self.text_of(text);
                self.text.push_str(&Value::from(text).to_string());
            }
            _ if path == "window_seconds" => self.text.push_str("\"[time]\""),
            _ => self.text.push_str(&value.to_string()),
        }
    }

    /// Brackets, and within them an item on each line.
    fn block<I>(
        &mut self,
        open: char,
        items: Vec<I>,
        depth: usize,
        mut write: impl FnMut(&mut Self, I),
    ) {
        self.text.push(open);
        let count = items.len();
        for (at, item) in items.into_iter().enumerate() {
            self.line(depth + 1);
            write(self, item);
            if at + 1 < count {
                self.text.push(',');
            }
        }
        if count > 0 {
            self.line(depth);
        }
        self.text.push(if open == '{' { '}' } else { ']' });
    }

    fn line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.push_str(&"  ".repeat(depth));
    }

    /// A text, or what stands for it.
    fn text_of(&mut self, text: &str) -> String {
        if text.len() == 36 && uuid::Uuid::try_parse(text).is_ok() {
            let known = self.ids.iter().position(|id| id == text);
            let at = known.unwrap_or_else(|| {
                self.ids.push(text.to_owned());
                self.ids.len() - 1
            });
            return format!("[id {}]", at + 1);
        }
        match parse_utc(text) {
            Some(_) => "[time]".to_owned(),
            None => text.to_owned(),
        }
    }
}

fn join(path: &str, step: &str) -> String {
    if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") }
}

/// The labels of an element of a series: its texts, by their names. Other elements have none.
fn labels(element: &Value) -> Vec<(String, String)> {
    let is_row = element.get("value").or(element.get("greater_than")).is_some();
    let members = element.as_object().filter(|_| is_row).into_iter().flatten();
    let texts =
        members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let mut labels: Vec<_> = texts.collect();
    labels.sort();
    labels
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_taken_out_and_the_rest_is_in_order() {
        let (one, other) =
            ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "6ba7b811-9dad-11d1-80b4-00c04fd430c8");
        let document = json!({
            "window_seconds": 1.864,
            "report_id": other,
            "merged": [{"report_id": other}, {"report_id": one}],
            "at": "2023-09-19T14:40:45.972021Z",
            "day": "2023-09-19",
            "errors": [{"kind": "late", "value": 2}, {"kind": "io", "value": 1}],
            "figures": [3, 1, 2],
            "empty": [{}, []],
            "unique": [{"count": 1, "registers": [[7, 1]]}, {"count": 1, "registers": null}],
            "totals": {"count": 1, "registers": [7], "open": 1},
            "data": {"window_seconds": 7, "pid": 3, "pids": [{"pid": 4}]},
        });
        let snapshot = Snapshot::of(&document).redact("data.pid").redact("data.pids.*.pid");
        let text = snapshot.to_string();
        let read: Value = serde_json::from_str(&text).unwrap();
        let expected = json!({
            "window_seconds": "[time]",
            "report_id": "[id 1]",
            "merged": [{"report_id": "[id 1]"}, {"report_id": "[id 2]"}],
            "at": "[time]",
            "day": "2023-09-19",
            "errors": [{"kind": "io", "value": 1}, {"kind": "late", "value": 2}],
            "figures": [3, 1, 2],
            "empty": [{}, []],
            "unique": [{"count": 1, "registers": "[registers]"}, {"count": 1, "registers": null}],
            "totals": {"count": 1, "registers": [7], "open": 1},
            "data": {
                "window_seconds": 7,
                "pid": "[redacted]",
                "pids": [{"pid": "[redacted]"}],
            },
        });
        assert_eq!(read, expected, "{text}");
        let names: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("  \"")).collect();
        assert!(names.is_sorted(), "{text}");
        assert!(
            text.starts_with("{\n  \"at\": \"[time]\",\n  \"data\": {\n    \"pid\": "),
            "{text}"
        );
    }
}
