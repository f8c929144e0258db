//! Which columns a report becomes: one for each value, and one for each member of a list's objects.

use super::names::Names;
use super::whole::Whole;
use crate::artefact::shape::Shape;

/// A column of the table of reports.
pub(super) struct Column {
    pub(super) name: String,
    /// The names that lead to the value or list.
    pub(super) path: Vec<String>,
    pub(super) place: Place,
    pub(super) value: Value,
    /// What one value is made of.
    pub(super) shape: Shape,
    pub(super) is_nullable: bool,
    /// What is said of it.
    pub(super) about: String,
}

/// Where in a report a column's values are.
#[derive(PartialEq)]
pub(super) enum Place {
    /// There is one.
    Here,
    /// The values of a list.
    Listed,
    /// This member of each object of a list.
    Member(String),
    /// The value at this place, from 0, of each list of a list.
    Item(usize),
    /// The names of an object's members, but for these.
    Names(Vec<String>),
    /// What these members say.
    Values(Vec<String>),
}

/// What a value is kept as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// 0 to 2^64 - 1.
    Count,
    /// A whole number of either sign.
    Integer,
    Float,
    Flag,
    Uuid,
    Time,
    Text,
    /// Whatever it is, as it was written.
    Json,
}

impl Column {
    pub(super) fn is_list(&self) -> bool {
        self.place != Place::Here
    }
}

/// The columns, in the order of the report, and the names of those that are as long as another.
pub(super) struct Columns {
    pub(super) columns: Vec<Column>,
    /// Columns whose lists have one value for each object of one list.
    pub(super) parallel: Vec<(String, String)>,
    /// Of columns that are in order: the lesser, and the one that is no less.
    pub(super) ordered: Vec<(String, String)>,
}

impl Columns {
    pub(super) fn new(whole: &Whole, names: Names) -> Columns {
        let columns = Columns { columns: Vec::new(), parallel: Vec::new(), ordered: Vec::new() };
        let mut walk = Walk { whole, names, columns, path: Vec::new() };
        walk.object(&whole.shape, false, false);
        walk.columns
    }

    pub(super) fn named(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.path == [name])
    }
}

struct Walk<'a> {
    whole: &'a Whole,
    names: Names,
    columns: Columns,
    path: Vec<String>,
}

impl Walk<'_> {
    /// The columns of an object; it may be null, or missing.
    fn object(&mut self, shape: &Shape, is_nullable: bool, is_missing: bool) {
        let first = self.columns.columns.len();
        for (name, member) in &shape.members {
            self.path.push(name.clone());
            self.member(member, is_nullable, is_missing);
            self.path.pop();
        }
        for (name, member) in &shape.optional {
            self.path.push(name.clone());
            self.member(member, is_nullable, true);
            self.path.pop();
        }
        if let Some((others, _)) = &shape.others {
            let known = shape.members.iter().chain(&shape.optional);
            let known: Vec<String> = known.map(|(name, _)| name.clone()).collect();
            let names = self.add("name", Place::Names(known.clone()), &Shape::of(&["string"]));
            let values = self.add("value", Place::Values(known), others);
            self.columns.parallel.push((names, values));
        }
        let own = |name: &str| {
            let columns = self.columns.columns.get(first..).unwrap_or_default();
            let is_own = |path: &[String]| {
                path.len() == self.path.len() + 1 && path.last().is_some_and(|last| last == name)
            };
            columns.iter().find(|column| is_own(&column.path)).map(|column| column.name.clone())
        };
        let pairs: Vec<_> =
            shape.between.iter().flat_map(|name| [("min", *name), (name, "max")]).collect();
        let pairs = pairs.into_iter().filter_map(|(less, more)| own(less).zip(own(more)));
        self.columns.ordered.extend(pairs.collect::<Vec<_>>());
    }

    fn member(&mut self, shape: &Shape, is_nullable: bool, is_missing: bool) {
        let is_nullable = is_nullable || shape.types.contains(&"null");
        let is_object = !shape.members.is_empty() || !shape.optional.is_empty();
        if shape.types.contains(&"object") && (is_object || shape.others.is_some()) {
            return self.object(shape, is_nullable, is_missing);
        }
        let is_list = kept_as(shape) == Value::Json && !shape.types.contains(&"string");
        match shape.items.as_deref().filter(|_| is_list) {
            Some(items) if !items.members.is_empty() => {
                let of = |(name, member): &(String, Shape)| {
                    self.add(name, Place::Member(name.clone()), member)
                };
                let lists: Vec<String> = items.members.iter().map(of).collect();
                self.parallel(&lists);
            }
            Some(items) if !items.tuple.is_empty() => {
                let of = |(at, (name, item)): (usize, &(&str, Shape))| {
                    self.add(name, Place::Item(at), item)
                };
                let lists: Vec<String> = items.tuple.iter().enumerate().map(of).collect();
                self.parallel(&lists);
            }
            Some(items) => {
                self.add("", Place::Listed, items);
            }
            None => {
                let name = self.add("", Place::Here, shape);
                // What adds up is 0 where it is not said.
                let is_zero = is_missing && kept_as(shape) == Value::Count;
                if let Some(column) = self.columns.columns.last_mut() {
                    debug_assert_eq!(column.name, name);
                    column.is_nullable = is_nullable || (is_missing && !is_zero);
                    if is_zero {
                        column.shape.minimum = Some(0);
                    }
                }
            }
        }
    }

    /// Notes that these columns have lists of one length.
    fn parallel(&mut self, lists: &[String]) {
        let pairs = lists.iter().zip(lists.iter().skip(1));
        self.columns.parallel.extend(pairs.map(|(one, other)| (one.clone(), other.clone())));
    }

    /// Adds a column of what is here, or of this part of it, and returns its name.
    fn add(&mut self, part: &str, place: Place, shape: &Shape) -> String {
        // What is in the data needs no prefix.
        let path = match &*self.path {
            [first, rest @ ..] if first == "data" => rest,
            whole => whole,
        };
        let mut parts: Vec<&str> = path.iter().map(String::as_str).collect();
        parts.extend(Some(part).filter(|part| !part.is_empty()));
        let name = self.names.give(&parts);
        let about = self.whole.about(&self.path).to_owned();
        self.columns.columns.push(Column {
            name: name.clone(),
            path: self.path.clone(),
            place,
            value: kept_as(shape),
            is_nullable: shape.types.contains(&"null"),
            shape: shape.clone(),
            about,
        });
        name
    }
}

/// What a value of a shape is kept as.
pub(super) fn kept_as(shape: &Shape) -> Value {
    let types: Vec<&str> = shape.types.iter().copied().filter(|name| *name != "null").collect();
    match (&*types, shape.format) {
        (["integer"], _) if shape.is_coarse => Value::Float,
        (["integer"], _) if shape.minimum.is_some() => Value::Count,
        (["integer"], _) => Value::Integer,
        (["number"], _) => Value::Float,
        (["boolean"], _) => Value::Flag,
        (["string"], Some("uuid")) => Value::Uuid,
        (["string"], Some("date-time")) => Value::Time,
        (types, _) if types.iter().all(|name| ["string", "number", "boolean"].contains(name)) => {
            Value::Text
        }
        _ => Value::Json,
    }
}
