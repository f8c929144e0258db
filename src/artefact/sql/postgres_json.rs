//! What a line must be for PostgreSQL, and where in it the columns' values are.

use super::columns::{Column, Place, Value, kept_as};
use super::postgres::{kind, list, text};
use crate::artefact::shape::Shape;

/// What has to be so of each object that is always there, and of the values in it.
pub(super) fn collect(shape: &Shape, at: &str, place: &str, found: &mut Vec<(String, String)>) {
    let is_plain = shape.types == ["object"] && shape.optional.is_empty() && shape.others.is_none();
    if !is_plain {
        return found.push((place.to_owned(), valid(shape, at, 0)));
    }
    let bare = Shape { members: Vec::new(), ..shape.clone() };
    let names: Vec<String> = shape.members.iter().map(|(name, _)| name.clone()).collect();
    let all = object(&bare, at, &names, 0);
    found.push((
        format!("{place}: not an object with these members"),
        format!("CASE jsonb_typeof({at}) WHEN 'object' THEN {all} ELSE false END"),
    ));
    for (name, member) in &shape.members {
        let inner = if place == "report" { name.clone() } else { format!("{place}.{name}") };
        collect(member, &format!("({at} -> {})", text(name)), &inner, found);
    }
}

/// Whether the JSON value that an expression is has this shape.
fn valid(shape: &Shape, at: &str, depth: usize) -> String {
    let mut cases: Vec<(&str, String)> = Vec::new();
    for name in &shape.types {
        let (name, condition) = match *name {
            "object" => {
                let names: Vec<String> =
                    shape.members.iter().map(|(name, _)| name.clone()).collect();
                ("object", object(shape, at, &names, depth))
            }
            "array" => ("array", array(shape, at, depth)),
            "integer" => ("number", format!("({at})::numeric % 1 = 0{}", range(shape, at))),
            "number" => ("number", format!("true{}", range(shape, at))),
            "string" => ("string", string(shape, at)),
            other => (other, "true".to_owned()),
        };
        cases.push((name, condition));
    }
    let cases: Vec<String> =
        cases.iter().map(|(name, condition)| format!("WHEN '{name}' THEN {condition}")).collect();
    if cases.is_empty() {
        return format!("jsonb_typeof({at}) = 'null'");
    }
    format!("CASE jsonb_typeof({at}) {} ELSE false END", cases.join(" "))
}

fn range(shape: &Shape, at: &str) -> String {
    let limits = [(">=", shape.minimum), ("<=", shape.maximum)];
    let limits = limits.into_iter().filter_map(|(than, limit)| Some((than, limit?)));
    limits.map(|(than, limit)| format!(" AND ({at})::numeric {than} {limit}")).collect()
}

fn string(shape: &Shape, at: &str) -> String {
    let said = format!("({at} #>> '{{}}')");
    let mut all = Vec::new();
    if let Some(longest) = shape.longest {
        all.push(format!("char_length({said}) <= {longest}"));
    }
    if let Some(shortest) = shape.shortest {
        all.push(format!("char_length({said}) >= {shortest}"));
    }
    if let Some(pattern) = shape.pattern {
        all.push(format!("{said} ~ {}", text(pattern)));
    }
    match kept_as(shape) {
        Value::Uuid => all.push(format!("{said} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$'")),
        // PostgreSQL takes `now` and `infinity` for times.
        Value::Time => all.push(format!(
            "{said} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}([.][0-9]+)?Z$'"
        )),
        _ => {}
    }
    if all.is_empty() { "true".to_owned() } else { all.join(" AND ") }
}

fn array(shape: &Shape, at: &str, depth: usize) -> String {
    let most = shape.most.map(|most| format!("jsonb_array_length({at}) <= {most} AND "));
    let most = most.unwrap_or_default();
    let tuple = shape.tuple.iter().enumerate().map(|(place, (_, item))| {
        format!(" AND {}", valid(item, &format!("({at} -> {place})"), depth))
    });
    match &shape.items {
        None if shape.tuple.is_empty() => format!("{most}true"),
        None => {
            let length = shape.tuple.len();
            format!("jsonb_array_length({at}) = {length}{}", tuple.collect::<String>())
        }
        Some(items) => {
            let (list, one) = (format!("l{depth}"), format!("v{depth}"));
            let valid = valid(items, &one, depth + 1);
            format!(
                "{most}NOT EXISTS (SELECT FROM jsonb_array_elements({at}) AS {list}({one}) WHERE ({valid}) IS NOT TRUE)"
            )
        }
    }
}

/// Whether an object has these members, of the others only those that it may have, and whether its
/// members are what they should be.
fn object(shape: &Shape, at: &str, names: &[String], depth: usize) -> String {
    let optional: Vec<String> = shape.optional.iter().map(|(name, _)| name.clone()).collect();
    let known = list(names.iter().chain(&optional));
    let mut all = vec![format!("{at} ?& {}", list(names))];
    match &shape.others {
        None => all.push(format!("{at} - {known} = '{{}}'::jsonb")),
        Some((others, longest)) => {
            let (list, key, one) = (format!("l{depth}"), format!("k{depth}"), format!("v{depth}"));
            let valid = valid(others, &one, depth + 1);
            all.push(format!(
                "NOT EXISTS (SELECT FROM jsonb_each({at} - {known}) AS {list}({key}, {one}) WHERE (char_length({key}) <= {longest} AND {valid}) IS NOT TRUE)"
            ));
        }
    }
    for (name, member) in &shape.members {
        all.push(valid(member, &format!("({at} -> {})", text(name)), depth));
    }
    for (name, member) in &shape.optional {
        let (name, valid) =
            (text(name), valid(member, &format!("({at} -> {})", text(name)), depth));
        all.push(format!("(NOT {at} ? {name} OR {valid})"));
    }
    all.join(" AND ")
}

/// What a column is in a report `r`.
pub(super) fn value(column: &Column) -> String {
    let (path, cast) = (list(&column.path), kind(column.value));
    let said = |one: &str| match column.value {
        // To PostgreSQL the JSON value `null` is one that is there.
        Value::Json if column.is_nullable => format!("nullif({one}, 'null'::jsonb)"),
        Value::Json => one.to_owned(),
        _ => format!("({one} #>> '{{}}')::{cast}"),
    };
    let each = |one: &str| {
        format!(
            "ARRAY(SELECT {one} FROM jsonb_array_elements(nullif(r #> {path}, 'null')) WITH ORDINALITY AS l(v, n) ORDER BY n)"
        )
    };
    let pairs = |one: &str, known: &[String]| {
        format!(
            "ARRAY(SELECT {one} FROM jsonb_each((r #> {path}) - {}) AS l(k, v) ORDER BY k COLLATE \"C\")",
            list(known)
        )
    };
    match &column.place {
        Place::Here => {
            let said = said(&format!("(r #> {path})"));
            let is_zero = column.value == Value::Count && !column.is_nullable;
            if is_zero { format!("coalesce({said}, 0)") } else { said }
        }
        Place::Listed => each(&said("v")),
        Place::Member(name) => each(&said(&format!("(v -> {})", text(name)))),
        Place::Item(at) => each(&said(&format!("(v -> {at})"))),
        Place::Names(known) => pairs("k", known),
        Place::Values(known) => pairs(&said("v"), known),
    }
}
