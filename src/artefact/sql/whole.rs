//! A report with its envelope as one shape, and what is said of each member.

use std::collections::HashMap;

use crate::artefact::envelope::{self, Sort};
use crate::artefact::kind::look;
use crate::artefact::series;
use crate::artefact::shape::Shape;
use crate::artefact::words;
use crate::error::{Error, ErrorKind};
use crate::schema::{Field, Item, Plan};

/// What a report is made of.
pub(super) struct Whole {
    pub(super) shape: Shape,
    /// By the names that lead there.
    abouts: HashMap<Vec<String>, String>,
}

impl Whole {
    pub(super) fn new(plan: &Plan) -> Result<Whole, Error> {
        let mut abouts = HashMap::new();
        let data = section(plan, &plan.items, &mut vec!["data".to_owned()], &mut abouts)?;
        let mut data = Some(data);
        let members = Sort::Report.members(&[plan]).map(|(name, about)| {
            abouts.insert(vec![name.to_owned()], about.to_owned());
            let shape = match name {
                "data" => data.take().unwrap_or_default(),
                name => envelope::shape(name, plan, Sort::Report),
            };
            (name.to_owned(), shape)
        });
        let shape = Shape::object(members.collect());
        Ok(Whole { shape, abouts })
    }

    /// What is said of the nearest member around this.
    pub(super) fn about(&self, path: &[String]) -> &str {
        let mut around = (1..=path.len()).rev().filter_map(|length| path.get(..length));
        around.find_map(|path| self.abouts.get(path)).map_or("", |about| about)
    }
}

fn section(
    plan: &Plan,
    items: &[Item],
    path: &mut Vec<String>,
    abouts: &mut HashMap<Vec<String>, String>,
) -> Result<Shape, Error> {
    let mut members = Vec::new();
    for item in items {
        let (name, shape) = match item {
            Item::Leaf(index) => {
                let Some(leaf) = plan.leaves.get(*index) else { continue };
                let look = look(&leaf.field).map_err(|fault| {
                    Error::new(ErrorKind::Schema, format!("`{}` {fault}", leaf.path))
                })?;
                let name = leaf.field.name.clone();
                path.push(name.clone());
                abouts.insert(path.clone(), about(&leaf.field, look.word, &look.shape));
                path.pop();
                (name, look.shape)
            }
            Item::Section(name, items) => {
                path.push(name.clone());
                let shape = section(plan, items, path, abouts)?;
                path.pop();
                (name.clone(), shape)
            }
        };
        members.push((name, shape));
    }
    Ok(Shape::object(members))
}

/// The description, and in brackets the kind, the unit and what is done to the value.
fn about(field: &Field, word: &str, shape: &Shape) -> String {
    let transforms = field.transforms.iter().map(|one| words::transform(*one, shape.is_summary()));
    let kind = format!("{word}{}", series::notes(field));
    let notes: Vec<String> =
        std::iter::once(kind).chain(field.unit.clone()).chain(transforms).collect();
    let notes = notes.join(", ");
    match field.description.as_deref().map(str::trim) {
        Some(said) if !said.is_empty() => format!("{said} ({notes})"),
        _ => notes,
    }
}
