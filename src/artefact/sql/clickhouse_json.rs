//! What a line must be for ClickHouse, and where in it the columns' values are.
//!
//! Functions of the engine read JSON generously, so each value's type is asked for first.

use super::clickhouse::{kind, list, nullable, quoted, text};
use super::columns::{Column, Place, Value, kept_as};
use crate::artefact::shape::Shape;

/// A JSON value, as the first arguments of a function that reads JSON.
struct At(String);

impl At {
    /// A text that is JSON.
    fn whole(text: &str) -> At {
        At(text.to_owned())
    }

    fn member(json: &str, name: &str) -> At {
        At(format!("{json}, {}", text(name)))
    }

    fn item(json: &str, place: usize) -> At {
        At(format!("{json}, {}", place + 1))
    }

    fn arguments(&self) -> String {
        self.0.clone()
    }

    fn raw(&self) -> String {
        format!("JSONExtractRaw({})", self.arguments())
    }

    /// The value as a column keeps it.
    fn read(&self, value: Value, is_nullable: bool) -> String {
        let at = self.arguments();
        match value {
            Value::Uuid => format!("toUUIDOrZero(JSONExtractString({at}))"),
            Value::Time => {
                format!("parseDateTime64BestEffortOrNull(JSONExtractString({at}), 6, 'UTC')")
            }
            Value::Json if is_nullable => format!("nullIf(JSONExtractRaw({at}), 'null')"),
            Value::Json => format!("JSONExtractRaw({at})"),
            _ => format!("JSONExtract({at}, '{}')", nullable(kind(value), is_nullable)),
        }
    }
}

/// The objects of a report, each a column of its text, so that none is read more often than it must be.
#[derive(Default)]
pub(super) struct Objects {
    /// Paths, the names of columns, and what they are.
    found: Vec<(Vec<String>, String, String)>,
}

impl Objects {
    /// The columns of a line's objects.
    pub(super) fn columns(&self) -> String {
        let lines = self
            .found
            .iter()
            .map(|(_, name, text)| format!("  {name} String MATERIALIZED {text},\n"));
        lines.collect()
    }

    /// Where a path leads.
    fn at(&self, path: &[String]) -> At {
        let around = path.split_last().map_or(&[][..], |(_, around)| around);
        let object = self.text_of(around);
        path.last().map_or(At::whole(&object), |name| At::member(&object, name))
    }

    /// What a line is when it is no report: pairs of a condition and a word on where.
    pub(super) fn faults(&mut self, shape: &Shape) -> Vec<String> {
        let mut found = vec![("not JSON".to_owned(), "isValidJSON(`line`)".to_owned())];
        self.collect(shape, &mut Vec::new(), &mut found);
        found.iter().map(|(place, valid)| format!("    NOT ({valid}), {}", text(place))).collect()
    }

    fn collect(
        &mut self,
        shape: &Shape,
        path: &mut Vec<String>,
        found: &mut Vec<(String, String)>,
    ) {
        let place = if path.is_empty() { "report".to_owned() } else { path.join(".") };
        let at = self.at(path);
        let is_object = shape.types.contains(&"object");
        if is_object && !path.is_empty() {
            // No column of a report has a dot in its name.
            let name = quoted(&format!("object.{}", self.found.len() + 1));
            self.found.push((path.clone(), name, at.raw()));
        }
        let is_plain =
            shape.types == ["object"] && shape.optional.is_empty() && shape.others.is_none();
        if !is_plain {
            return found.push((place, valid(shape, &at, 0)));
        }
        let own = Shape { members: Vec::new(), between: &[], ..shape.clone() };
        let names: Vec<String> = shape.members.iter().map(|(name, _)| name.clone()).collect();
        let is_object = format!("JSONType({}) = 'Object'", at.arguments());
        let members = object(&own, &self.text_of(path), &names, 0);
        found.push((
            format!("{place}: not an object with these members"),
            format!("{is_object} AND {members}"),
        ));
        for (name, member) in &shape.members {
            path.push(name.clone());
            self.collect(member, path, found);
            path.pop();
        }
        for order in orders(shape, &self.text_of(path)) {
            found.push((format!("{place}: not in order"), order));
        }
    }

    /// The text of the object that a path leads to.
    fn text_of(&self, path: &[String]) -> String {
        let found = self.found.iter().find(|(other, ..)| other == path);
        found.map_or("`line`".to_owned(), |(_, name, _)| name.clone())
    }

    /// What a column is in a line.
    pub(super) fn value(&self, column: &Column) -> String {
        let at = self.at(&column.path);
        let list = format!("JSONExtractArrayRaw({})", at.arguments());
        let pairs = |known: &[String]| {
            format!(
                "arraySort(arrayFilter(e -> NOT has({}, e.1), JSONExtractKeysAndValuesRaw({})))",
                self::list(known),
                at.arguments()
            )
        };
        let (value, is_nullable) = (column.value, column.is_nullable);
        match &column.place {
            Place::Here => at.read(value, is_nullable),
            Place::Listed => {
                let one = At::whole("e");
                format!("arrayMap(e -> {}, {list})", one.read(value, is_nullable))
            }
            Place::Member(name) => {
                let one = At::member("e", name);
                format!("arrayMap(e -> {}, {list})", one.read(value, is_nullable))
            }
            Place::Item(place) => {
                let one = At::item("e", *place);
                format!("arrayMap(e -> {}, {list})", one.read(value, is_nullable))
            }
            Place::Names(known) => format!("arrayMap(e -> e.1, {})", pairs(known)),
            Place::Values(known) => {
                let one = At::whole("e.2");
                format!("arrayMap(e -> {}, {})", one.read(value, is_nullable), pairs(known))
            }
        }
    }
}

/// Whether a JSON value is a number. Floats from 2^64 to 10^21 become whole numbers when the text of
/// an object around them is taken out, and those of more than 64 bits are strings to the engine.
fn is_number(arguments: &str) -> String {
    format!(
        "(JSONType({arguments}) IN ('Int64', 'UInt64', 'Double') \
         OR match(JSONExtractString({arguments}), '^-?[0-9]{{20,}}$'))"
    )
}

/// Whether a JSON value has this shape.
fn valid(shape: &Shape, at: &At, depth: usize) -> String {
    let arguments = at.arguments();
    let is = |names: &str| format!("JSONType({arguments}) IN ({names})");
    let mut any = Vec::new();
    for name in &shape.types {
        any.push(match *name {
            "object" => {
                let names: Vec<String> =
                    shape.members.iter().map(|(name, _)| name.clone()).collect();
                format!("({} AND {})", is("'Object'"), object(shape, &at.raw(), &names, depth))
            }
            "array" => format!("({}{})", is("'Array'"), array(shape, at, depth)),
            "string" => format!("({}{})", is("'String'"), string(shape, at)),
            "boolean" => is("'Bool'"),
            "number" => limited(is_number(&arguments), shape, at, Value::Float),
            "integer" => match kept_as(shape) {
                Value::Float => {
                    let number = at.read(Value::Float, false);
                    let is_number = is_number(&arguments);
                    let whole = format!("{is_number} AND floor({number}) = {number}");
                    limited(whole, shape, at, Value::Float)
                }
                // A `Nullable` is null where the number does not fit.
                value => {
                    let fits = format!("isNotNull({})", at.read(value, true));
                    let whole = format!("{} AND {fits}", is("'Int64', 'UInt64'"));
                    limited(whole, shape, at, value)
                }
            },
            _ => is("'Null'"),
        });
    }
    match &*any {
        [] => is("'Null'"),
        any => format!("({})", any.join(" OR ")),
    }
}

/// A condition, and that a number is within its limits.
fn limited(condition: String, shape: &Shape, at: &At, value: Value) -> String {
    let least = shape.minimum.filter(|least| *least > 0 || value == Value::Float);
    let limits = [(">=", least), ("<=", shape.maximum)];
    let limits = limits.into_iter().filter_map(|(than, limit)| Some((than, limit?)));
    let limits =
        limits.map(|(than, limit)| format!(" AND {} {than} {limit}", at.read(value, false)));
    format!("({condition}{})", limits.collect::<String>())
}

fn string(shape: &Shape, at: &At) -> String {
    let said = format!("JSONExtractString({})", at.arguments());
    let mut all: Vec<String> = Vec::new();
    if let Some(longest) = shape.longest {
        all.push(format!("lengthUTF8({said}) <= {longest}"));
    }
    if let Some(shortest) = shape.shortest {
        all.push(format!("lengthUTF8({said}) >= {shortest}"));
    }
    if let Some(pattern) = shape.pattern {
        all.push(format!("match({said}, {})", text(pattern)));
    }
    match kept_as(shape) {
        Value::Uuid => {
            all.push(format!(
                "match({said}, '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$')"
            ));
        }
        Value::Time => {
            all.push(format!(
                "match({said}, '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}([.][0-9]+)?Z$')"
            ));
            all.push(format!("isNotNull({})", at.read(Value::Time, true)));
        }
        _ => {}
    }
    if let Some(constant) = &shape.constant {
        all.push(format!("{said} = {}", text(constant)));
    }
    if !shape.options.is_empty() {
        all.push(format!("has({}, {said})", list(&shape.options)));
    }
    all.iter().map(|one| format!(" AND {one}")).collect()
}

fn array(shape: &Shape, at: &At, depth: usize) -> String {
    let values = format!("JSONExtractArrayRaw({})", at.arguments());
    let mut all = String::new();
    if let Some(most) = shape.most {
        all.push_str(&format!(" AND length({values}) <= {most}"));
    }
    if let Some(items) = &shape.items {
        let one = format!("e{depth}");
        let valid = valid(items, &At::whole(&one), depth + 1);
        all.push_str(&format!(" AND arrayAll({one} -> {valid}, {values})"));
    }
    if !shape.tuple.is_empty() {
        all.push_str(&format!(" AND JSONLength({}) = {}", at.arguments(), shape.tuple.len()));
        let items = shape.tuple.iter().enumerate();
        let items = items.map(|(place, (_, item))| {
            format!(" AND {}", valid(item, &At::item(&at.arguments(), place), depth))
        });
        all.extend(items);
    }
    all
}

/// Whether an object has these members, of the others only those that it may have, and whether its
/// members are what they should be.
fn object(shape: &Shape, raw: &str, names: &[String], depth: usize) -> String {
    let optional: Vec<String> = shape.optional.iter().map(|(name, _)| name.clone()).collect();
    let keys = format!("JSONExtractKeys({raw})");
    let mut all = vec![
        format!("hasAll({keys}, {})", list(names)),
        format!("length({keys}) = length(arrayDistinct({keys}))"),
    ];
    let known = list(names.iter().chain(&optional));
    match &shape.others {
        None => all.push(format!("hasAll({known}, {keys})")),
        Some((others, longest)) => {
            let one = format!("e{depth}");
            let valid = valid(others, &At::whole(&format!("{one}.2")), depth + 1);
            all.push(format!(
                "arrayAll({one} -> has({known}, {one}.1) OR (lengthUTF8({one}.1) <= {longest} AND {valid}), JSONExtractKeysAndValuesRaw({raw}))"
            ));
        }
    }
    let at = |name: &String| At::member(raw, name);
    for (name, member) in &shape.members {
        all.push(valid(member, &at(name), depth));
    }
    for (name, member) in &shape.optional {
        all.push(format!(
            "(NOT JSONHas({raw}, {}) OR {})",
            text(name),
            valid(member, &at(name), depth)
        ));
    }
    all.extend(orders(shape, raw));
    all.join(" AND ")
}

/// That the members of an object are in order that must be.
fn orders(shape: &Shape, raw: &str) -> Vec<String> {
    let read = |name: &str| At::member(raw, name).read(Value::Float, false);
    let pairs = shape.between.iter().flat_map(|name| [("min", *name), (name, "max")]);
    pairs.map(|(less, more)| format!("{} <= {}", read(less), read(more))).collect()
}
