//! The JSON Schema of a report, and of events.

use super::envelope::{self, Sort};
use super::json::Json;
use super::kind::look;
use super::shape::Shape;
use crate::delivery::Shape as Body;
use crate::error::{Error, ErrorKind};
use crate::schema::{Field, Item, Plan};

/// The members of an object, in order.
type Members = Vec<(String, Json)>;

/// What a receiver of a report, or of one kind of event, may rely on.
pub(crate) fn contract(plan: &Plan, bare: bool, sort: Sort) -> Result<String, Error> {
    document(plan, bare, sort).map(text)
}

/// What a receiver of events may rely on: of each, or of the array that they arrive in.
pub(crate) fn events_contract(
    whole: &Plan,
    kinds: &[&Plan],
    bare: bool,
    body: Body,
) -> Result<String, Error> {
    let kinds = kinds.iter().map(|plan| document(plan, bare, Sort::Event).map(Json::Object));
    // Kinds without an envelope may look alike, so an event may be valid as several.
    let any = ("anyOf", Json::List(kinds.collect::<Result<_, Error>>()?));
    let (word, about) = match body {
        Body::Single => ("event", "An event"),
        Body::Array => ("array", "Events that are sent together"),
        Body::Lines => ("lines", "An event, which is on a line of its own"),
    };
    let mut members = head(&whole.name, format!("{about}, of {}", whole.name), whole.version);
    let mut add = |name: &str, value: Json| members.push((name.to_owned(), value));
    add("x-body", word.into());
    match (body, any) {
        (Body::Array, any) => {
            add("type", "array".into());
            add("items", Json::object([any]));
            add("minItems", 1.into());
        }
        (_, (name, any)) => add(name, any),
    }
    Ok(text(members))
}

/// What one document is made of.
fn document(plan: &Plan, bare: bool, sort: Sort) -> Result<Members, Error> {
    let data = section(plan, &plan.items, "")?;
    let mut about = format!("{} of schema {}", sort.word(), plan.id);
    if let Some(said) = plan.sections.get("") {
        about = format!("{about}: {said}");
    }
    let mut members = head(&plan.name, about, plan.version);
    let body = if bare { data } else { around(plan, data, sort) };
    if let Json::Object(body) = body {
        members.extend(body);
    }
    Ok(members)
}

fn head(title: &str, about: String, version: u32) -> Members {
    vec![
        ("title".to_owned(), title.into()),
        ("description".to_owned(), about.into()),
        ("x-schema-version".to_owned(), version.into()),
    ]
}

fn text(mut members: Members) -> String {
    let dialect = "https://json-schema.org/draft/2020-12/schema";
    members.insert(0, ("$schema".to_owned(), dialect.into()));
    Json::Object(members).text()
}

/// The envelope with this data.
fn around(plan: &Plan, data: Json, sort: Sort) -> Json {
    let mut data = Some(data);
    let members = sort.members(&[plan]).map(|(name, about)| {
        let value = match name {
            "data" => data.take().unwrap_or(Json::Object(Vec::new())),
            name => described(value(&envelope::shape(name, plan, sort)), about),
        };
        (name.to_owned(), value)
    });
    object(members.collect(), &["object"])
}

fn section(plan: &Plan, items: &[Item], path: &str) -> Result<Json, Error> {
    let mut members = Vec::new();
    for item in items {
        match item {
            Item::Leaf(index) => {
                let Some(leaf) = plan.leaves.get(*index) else { continue };
                let member = field(&leaf.field).map_err(|fault| {
                    Error::new(ErrorKind::Schema, format!("`{}` {fault}", leaf.path))
                })?;
                members.push((leaf.field.name.clone(), member));
            }
            Item::Section(name, items) => {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                members.push((name.clone(), section(plan, items, &path)?));
            }
        }
    }
    let object = object(members, &["object"]);
    Ok(match plan.sections.get(path) {
        Some(about) if !path.is_empty() => described(object, about),
        _ => object,
    })
}

fn field(field: &Field) -> Result<Json, String> {
    let mut json = value(&look(field)?.shape);
    if let Some(about) = &field.description {
        json = described(json, about);
    }
    if let Json::Object(members) = &mut json {
        let mut add = |name: &str, value: Json| members.push((name.to_owned(), value));
        let kind = format!("{} {}", field.how(), field.kind.word());
        add("x-kind", kind.trim_start().into());
        if let Some(unit) = &field.unit {
            add("x-unit", unit.as_str().into());
        }
        if !field.transforms.is_empty() {
            add("x-transforms", Json::list(field.transforms.iter().map(|one| one.key())));
        }
    }
    Ok(json)
}

fn value(shape: &Shape) -> Json {
    if shape.types.contains(&"object") {
        return members(shape);
    }
    if let Some(constant) = &shape.constant {
        return Json::object([("const", constant.as_str().into())]);
    }
    let mut members = vec![("type".to_owned(), types(&shape.types))];
    if let Some(format) = shape.format {
        members.push(("format".to_owned(), format.into()));
    }
    if let Some(items) = &shape.items {
        members.push(("items".to_owned(), value(items)));
    }
    if !shape.tuple.is_empty() {
        let items = shape.tuple.iter().map(|(_, item)| value(item));
        members.push(("prefixItems".to_owned(), Json::List(items.collect())));
        members.push(("items".to_owned(), false.into()));
        members.push(("minItems".to_owned(), shape.tuple.len().into()));
    }
    if let Some(most) = shape.most {
        members.push(("maxItems".to_owned(), most.into()));
    }
    if !shape.options.is_empty() {
        members.push(("enum".to_owned(), Json::list(shape.options.iter().cloned())));
    }
    if let Some(least) = shape.minimum {
        members.push(("minimum".to_owned(), least.into()));
    }
    if let Some(most) = shape.maximum {
        members.push(("maximum".to_owned(), most.into()));
    }
    if let Some(shortest) = shape.shortest {
        members.push(("minLength".to_owned(), shortest.into()));
    }
    if let Some(pattern) = shape.pattern {
        members.push(("pattern".to_owned(), pattern.into()));
    }
    if let Some(longest) = shape.longest {
        members.push(("maxLength".to_owned(), longest.into()));
    }
    Json::Object(members)
}

/// An object of these members, each of which is there, and no others.
fn object(members: Vec<(String, Json)>, kinds: &[&str]) -> Json {
    let names = Json::list(members.iter().map(|(name, _)| name.as_str()));
    Json::object([
        ("type", types(kinds)),
        ("properties", Json::Object(members)),
        ("required", names),
        ("additionalProperties", false.into()),
    ])
}

/// The object that a field is, some members of which need not be there.
fn members(shape: &Shape) -> Json {
    let each = |members: &[(String, Shape)]| -> Vec<(String, Json)> {
        members.iter().map(|(name, shape)| (name.clone(), value(shape))).collect()
    };
    let mut json = object(each(&shape.members), &shape.types);
    if let Json::Object(parts) = &mut json {
        for (name, part) in parts.iter_mut() {
            match (&**name, part, &shape.others) {
                ("properties", Json::Object(all), _) => all.extend(each(&shape.optional)),
                ("additionalProperties", part, Some((others, _))) => *part = value(others),
                _ => {}
            }
        }
        if let Some((_, longest)) = shape.others {
            let names = Json::object([("maxLength", longest.into())]);
            parts.push(("propertyNames".to_owned(), names));
        }
    }
    json
}

fn types(types: &[&str]) -> Json {
    match types {
        [one] => (*one).into(),
        some => Json::list(some.iter().copied()),
    }
}

fn described(json: Json, about: &str) -> Json {
    match json {
        Json::Object(mut members) => {
            members.insert(0, ("description".to_owned(), about.into()));
            Json::Object(members)
        }
        other => other,
    }
}
