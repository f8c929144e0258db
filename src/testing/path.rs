//! Paths into a document: `usage.orders`, `errors.0.kind`, `responses[status=ok].value`.

use serde_json::Value;

/// What is at a path. Its steps are parted by points: a member's name, or an element's number from
/// 0. `[label=value]` behind a name takes the first element of a list with such a member, or, with
/// more of them parted by commas, with all of them.
///
/// A name that holds a point, or brackets, is found as well: the longest name that fits counts.
pub(super) fn find<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(document);
    }
    // The longest first step that leads on, so that names with points in them are found.
    step(document, path).or_else(|| {
        path.rmatch_indices('.').find_map(|(at, _)| {
            let rest = Some(&path[at + 1..]).filter(|rest| !rest.is_empty())?;
            find(step(document, &path[..at])?, rest)
        })
    })
}

/// One step down.
fn step<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let found = match value {
        Value::Object(members) => members.get(name),
        Value::Array(elements) => elements.get(name.parse::<usize>().ok()?),
        _ => None,
    };
    found.or_else(|| {
        let (list, labels) = name.strip_suffix(']')?.split_once('[')?;
        let list = if list.is_empty() { value } else { step(value, list)? };
        let labels: Option<Vec<(&str, &str)>> =
            labels.split(',').map(|label| label.split_once('=')).collect();
        let labels = labels?;
        let fits = |element: &&Value| {
            labels.iter().all(|(key, wanted)| match element.get(key) {
                Some(Value::String(text)) => text == wanted,
                Some(other) => {
                    let written = other.to_string();
                    written == *wanted
                }
                None => false,
            })
        };
        list.as_array()?.iter().find(fits)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_goes_through_members_elements_and_labels() {
        let document = json!({
            "usage": {"orders": 3, "by.day": {"x": 4}, "none": null},
            "responses": [{"status": "ok", "at": 5, "value": 7}, {"status": "no", "value": 8}],
        });
        let number = |path| find(&document, path).and_then(Value::as_u64);
        assert_eq!(number("usage.orders"), Some(3));
        assert_eq!(number("usage.by.day.x"), Some(4));
        assert_eq!(number("responses.1.value"), Some(8));
        assert_eq!(number("responses[status=no].value"), Some(8));
        assert_eq!(number("responses[status=ok,at=5].value"), Some(7));
        assert_eq!(find(&document, "usage.none"), Some(&Value::Null));
        assert_eq!(find(&document, ""), Some(&document));
        for nowhere in [
            "usage.order",
            "usage.orders.x",
            "responses.2",
            "responses.x",
            "responses[status=late]",
            "responses[status=no,at=5].value",
            "responses[status]",
            "usage[status=ok]",
            "usage.",
        ] {
            assert_eq!(find(&document, nowhere), None, "{nowhere}");
        }
    }
}
