//! The tables of the page.

use serde_json::Value;

use super::envelope::Sort;
use super::kind::look;
use super::series;
use super::words;
use crate::error::{Error, ErrorKind};
use crate::report::Report;
use crate::schema::{Field, Item, Kind, Plan};

/// What is around the data.
pub(super) fn envelope(plans: &[&Plan], samples: &[Report], sort: Sort) -> String {
    let read = |sample: &Report| serde_json::from_str(sample.body()).unwrap_or_default();
    let bodies: Vec<Value> = samples.iter().map(read).collect();
    let mut lines = vec!["| name | description | example |".to_owned(), rule(3)];
    for (name, about) in sort.members(plans) {
        let example = bodies.iter().find_map(|body| body.get(name)).filter(|_| name != "data");
        let example = example.map_or(String::new(), |example| code(&example.to_string()));
        lines.push(row(&[&code(name), about, &example]));
    }
    lines.join("\n")
}

/// A heading, a description and a table for each section, in the order of the schema. Those of an
/// event begin with its kind.
pub(super) fn fields(plan: &Plan, sample: &Report, sort: Sort) -> Result<Vec<String>, Error> {
    let mut parts = Vec::new();
    let kind = match sort {
        Sort::Report => "",
        Sort::Event => {
            parts.push(format!("### {}", code(&plan.name)));
            &plan.name
        }
    };
    parts.extend(plan.sections.get("").cloned());
    section(plan, &plan.items, "", kind, sample.data(), &mut parts)?;
    Ok(parts)
}

fn section(
    plan: &Plan,
    items: &[Item],
    path: &str,
    kind: &str,
    values: &Value,
    parts: &mut Vec<String>,
) -> Result<(), Error> {
    if !path.is_empty() {
        let shown = if kind.is_empty() { path.to_owned() } else { format!("{kind}: {path}") };
        parts.push(format!("### {}", code(&shown)));
        parts.extend(plan.sections.get(path).cloned());
    }
    let leaves = items.iter().filter_map(|item| match item {
        Item::Leaf(index) => plan.leaves.get(*index),
        Item::Section(..) => None,
    });
    let mut rows = Vec::new();
    for leaf in leaves {
        let field = &leaf.field;
        let fault = |fault| Error::new(ErrorKind::Schema, format!("`{}` {fault}", leaf.path));
        rows.push(line(field, &values[&field.name]).map_err(fault)?);
    }
    if !rows.is_empty() {
        let head = ["name", "description", "type", "unit", "transform", "example"];
        let table = [row(&head), rule(head.len())].into_iter().chain(rows);
        parts.push(table.collect::<Vec<_>>().join("\n"));
    }
    for item in items {
        if let Item::Section(name, items) = item {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            section(plan, items, &path, kind, &values[name], parts)?;
        }
    }
    Ok(())
}

/// A field's row.
fn line(field: &Field, example: &Value) -> Result<String, String> {
    let look = look(field)?;
    let is_constant = matches!(field.kind, Kind::Fact(_));
    let shape = words::shape(&look.shape, is_constant);
    let is_summary = look.shape.is_summary();
    let transforms: Vec<String> =
        field.transforms.iter().map(|one| words::transform(*one, is_summary)).collect();
    Ok(row(&[
        &code(&field.name),
        field.description.as_deref().unwrap_or_default(),
        &format!("{}{}: {shape}", look.word, series::notes(field)),
        field.unit.as_deref().unwrap_or_default(),
        &transforms.join(", then "),
        &code(&example.to_string()),
    ]))
}

fn row(cells: &[&str]) -> String {
    let cells = cells.iter().map(|cell| {
        let cell = cell.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
        if cell.is_empty() { " |".to_owned() } else { format!(" {cell} |") }
    });
    format!("|{}", cells.collect::<String>())
}

fn rule(cells: usize) -> String {
    format!("|{}", " --- |".repeat(cells))
}

/// As code, whatever is in it.
fn code(text: &str) -> String {
    let ticks = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(ticks + 1);
    let pad = if ticks > 0 { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_stays_a_cell() {
        assert_eq!(row(&["a|b", "two\nlines", ""]), r"| a\|b | two lines | |");
        assert_eq!(code("x"), "`x`");
        assert_eq!(code("a `b` ``c"), "``` a `b` ``c ```");
    }
}
