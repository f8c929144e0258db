//! A schema that was checked: its leaves in order, its nesting, and which metric feeds what.

use hashbrown::HashMap;

use super::check::{self, bad, is_tidy};
use super::field::{Field, Kind};
use super::series::Of;
use super::transform;
use super::tree::{Node, Schema};
use super::values::Fill;
use crate::error::Error;

/// Which macro of the facade records to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Counter,
    Gauge,
    Histogram,
}

/// A checked schema.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) version: u32,
    /// The name, the version and a hash of every path, kind, unit, requested figure, transform and
    /// label: equal for schemas whose reports can be read alike.
    pub(crate) id: String,
    /// All leaves, in the order in which they are reported.
    pub(crate) leaves: Vec<Leaf>,
    /// How the leaves nest.
    pub(crate) items: Vec<Item>,
    /// What sections are about, by dotted path; that of the whole is empty.
    pub(crate) sections: HashMap<String, String>,
    /// By name of the metric, which leaves it feeds.
    pub(crate) feeds: HashMap<String, Feed>,
    /// Sections whose values a function gives.
    pub(crate) filled: Vec<Filled>,
}

/// A section whose values a function gives.
#[derive(Clone)]
pub(crate) struct Filled {
    /// The section's path, a dot at its end.
    prefix: String,
    pub(crate) fill: Fill,
    /// The values' leaves, by their paths within the section.
    pub(crate) leaves: HashMap<String, usize>,
}

/// A leaf and its dotted path.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) path: String,
    pub(crate) field: Field,
}

/// An entry of a section.
#[derive(Clone)]
pub(crate) enum Item {
    /// An index into [`Plan::leaves`].
    Leaf(usize),
    Section(String, Vec<Item>),
}

/// The leaves that one metric feeds, all of one kind.
#[derive(Clone)]
pub(crate) struct Feed {
    pub(crate) class: Class,
    pub(crate) leaves: Vec<usize>,
}

impl Kind {
    /// The macro that records to fields of this kind, if any does.
    pub(super) fn class(&self) -> Option<Class> {
        match self {
            Kind::Counter | Kind::Distinct { .. } => Some(Class::Counter),
            Kind::Gauge | Kind::GaugeSummary => Some(Class::Gauge),
            Kind::Series(series) => Some(match series.of {
                Of::Counters => Class::Counter,
                Of::Gauges => Class::Gauge,
                Of::Buckets(_) => Class::Histogram,
            }),
            Kind::Summary => Some(Class::Histogram),
            Kind::Fact(_) | Kind::Asked(_) | Kind::Later | Kind::Value | Kind::Given(_) => None,
            Kind::Host(_) | Kind::Reason | Kind::Sampled(_) | Kind::Panics(_) => None,
        }
    }
}

impl Plan {
    /// Checks the schema of a report. The error names the path that is wrong, and the remedy.
    pub(crate) fn new(schema: Schema) -> Result<Plan, Error> {
        let plan = Plan::any(schema)?.with_fields()?;
        plan.without_given()?;
        Ok(plan)
    }

    /// The same for whatever the schema is of.
    pub(super) fn any(schema: Schema) -> Result<Plan, Error> {
        if schema.name.trim().is_empty() || !is_tidy(&schema.name) {
            return Err(bad(format!(
                "{:?} cannot be a schema's name: give Schema::new the product's",
                schema.name
            )));
        }
        let mut plan = Plan {
            name: schema.name.clone(),
            version: schema.version,
            id: String::new(),
            leaves: Vec::new(),
            items: Vec::new(),
            sections: HashMap::new(),
            feeds: HashMap::new(),
            filled: Vec::new(),
        };
        plan.items = plan.section(schema, "", None, false)?;
        plan.id = format!("{}@{}+{:016x}", plan.name, plan.version, plan.hash());
        Ok(plan)
    }

    /// FNV-1a, which stays the same from one build and machine to the next.
    fn hash(&self) -> u64 {
        let bytes = self.leaves.iter().flat_map(|Leaf { path, field }| {
            let how = field.how();
            let labels = match &field.kind {
                Kind::Series(series) => series.key_words(),
                _ => String::new(),
            };
            let word = field.kind.word();
            let unit = field.unit.as_deref().unwrap_or_default();
            let figures: Vec<String> = field.figures.iter().map(|figure| figure.words()).collect();
            let transforms: Vec<String> = field.transforms.iter().map(|t| t.key()).collect();
            let (figures, transforms) = (figures.join(","), transforms.join(","));
            format!("{path}\0{word}\0{unit}\0{figures}\0{transforms}\0{labels}{how}").into_bytes()
        });
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// `filled` is the nearest section around it that a function fills.
    fn section(
        &mut self,
        section: Schema,
        prefix: &str,
        filled: Option<usize>,
        strict: bool,
    ) -> Result<Vec<Item>, Error> {
        let strict = strict || section.strict;
        if let Some(misplaced) = section.misplaced.first() {
            let place = if prefix.is_empty() { "the top level" } else { prefix };
            return Err(bad(format!(
                "{misplaced} in {place}: put it right after the field it is about"
            )));
        }
        if let Some(about) = section.description {
            self.sections.insert(prefix.to_owned(), about);
        }
        let own = section.fill.map(|fill| {
            let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}.") };
            self.filled.push(Filled { prefix, fill, leaves: HashMap::new() });
            self.filled.len() - 1
        });
        let mut items = Vec::with_capacity(section.nodes.len());
        let mut seen: Vec<(String, bool)> = Vec::new();
        for node in section.nodes {
            let name = node.name().to_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            if name.is_empty() || name.contains('.') || !is_tidy(&name) {
                return Err(bad(format!(
                    "`{path}` has a part that cannot be a name ({name:?}): names are not empty, have no dots or control characters, and no space at their ends"
                )));
            }
            let leaf = matches!(node, Node::Field(_));
            if let Some((_, other)) = seen.iter().find(|(other, _)| *other == name) {
                return Err(bad(match *other == leaf {
                    true => format!("`{path}` is declared twice: rename one or drop it"),
                    false => format!("`{path}` is both a field and a section: rename one"),
                }));
            }
            seen.push((name.clone(), leaf));
            items.push(match node {
                Node::Section(section) => {
                    Item::Section(name, self.section(section, &path, own.or(filled), strict)?)
                }
                Node::Field(field) => {
                    check::described(&field, &path, strict)?;
                    if let Kind::Value = field.kind {
                        self.fill(own.or(filled), &path)?;
                    }
                    Item::Leaf(self.leaf(field, path)?)
                }
            });
        }
        if own.and_then(|own| self.filled.get(own)).is_some_and(|own| own.leaves.is_empty()) {
            let place = if prefix.is_empty() { "the top level" } else { prefix };
            return Err(bad(format!(
                "`{place}` has a function to give its values and declares none: declare them by `values`"
            )));
        }
        Ok(items)
    }

    /// The same where what transforms do to a number makes it no shorter than it can be.
    pub(crate) fn longest(&self) -> Plan {
        let mut plan = self.clone();
        for Leaf { field, .. } in &mut plan.leaves {
            // A constant is as long as it is.
            if !matches!(field.kind, Kind::Fact(_)) {
                field.transforms = transform::longest(&field.transforms);
            }
        }
        plan
    }

    /// Notes that the next leaf is a value that the function of a section gives.
    fn fill(&mut self, filled: Option<usize>, path: &str) -> Result<(), Error> {
        let Some(filled) = filled.and_then(|filled| self.filled.get_mut(filled)) else {
            return Err(bad(format!(
                "`{path}` is a value that no function gives: give the section one by `filled_by`"
            )));
        };
        let within = path.strip_prefix(&filled.prefix).unwrap_or(path);
        filled.leaves.insert(within.to_owned(), self.leaves.len());
        Ok(())
    }

    fn leaf(&mut self, field: Field, path: String) -> Result<usize, Error> {
        let index = self.leaves.len();
        let word = field.kind.word();
        check::field(&field, &path)?;
        match field.kind.class() {
            Some(class) => self.feed(class, &field, &path, index)?,
            None if field.metric.is_some() || !field.labels.is_empty() => {
                return Err(bad(format!(
                    "`{path}` is a {word}, which no metric feeds: drop its `metric` and `label`"
                )));
            }
            None => {}
        }
        self.leaves.push(Leaf { path, field });
        Ok(index)
    }

    fn feed(&mut self, class: Class, field: &Field, path: &str, index: usize) -> Result<(), Error> {
        let metric = field.metric.clone().unwrap_or_else(|| path.to_owned());
        if metric.is_empty() || !is_tidy(&metric) {
            return Err(bad(format!(
                "`{path}` is fed by the metric {metric:?}, which is no name: name it"
            )));
        }
        let mut labels: Vec<&String> = field.labels.iter().map(|(key, _)| key).collect();
        match &field.kind {
            Kind::Distinct { label } => labels.push(label),
            Kind::Series(series) => labels.extend(series.keys.iter().map(|key| &key.name)),
            _ => {}
        }
        labels.sort_unstable();
        if labels.iter().any(|label| label.is_empty()) {
            return Err(bad(format!("`{path}` names a label with an empty key: name the key")));
        }
        if let Some(twice) = labels.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(bad(format!(
                "`{path}` asks for the label `{}` twice, and a key has it once: drop one",
                twice[0]
            )));
        }
        let feed =
            self.feeds.entry(metric.clone()).or_insert_with(|| Feed { class, leaves: Vec::new() });
        if let Some(other) = feed.leaves.first().and_then(|first| self.leaves.get(*first)) {
            let (word, other_word) = (field.kind.word(), other.field.kind.word());
            if word != other_word {
                return Err(bad(format!(
                    "metric `{metric}` feeds `{}`, a {other_word}, and `{path}`, a {word}: one metric has one kind; rename one metric",
                    other.path
                )));
            }
        }
        feed.leaves.push(index);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::schema::Figure;

    fn error(schema: Schema) -> String {
        let error = Plan::new(schema).err().expect("the schema is bad");
        assert_eq!(error.kind(), ErrorKind::Schema);
        error.to_string()
    }

    fn schema() -> Schema {
        Schema::new("shop")
    }

    #[test]
    fn a_contradiction_names_its_path() {
        let nested = |s: Schema| s.section("usage", |s| s.counter("orders").gauge("orders"));
        assert!(error(nested(schema())).contains("`usage.orders` is declared twice"));
        let both = schema().counter("usage").section("usage", |s| s.counter("orders"));
        assert!(error(both).contains("`usage` is both a field and a section"));
        assert!(error(schema().section("usage", |s| s.counter(" "))).contains("`usage. `"));
        assert!(error(schema().section("", |s| s.counter("x"))).contains("not empty"));
        assert!(error(schema().counter("a.b")).contains("`a.b`"));
        let kinds = schema().counter("a").metric("m").section("s", |s| s.gauge("b").metric("m"));
        let message = error(kinds);
        assert!(message.contains("`m`") && message.contains("`a`") && message.contains("`s.b`"));
        let kinds = schema().counter("a").metric("m").distinct("b", "id").metric("m");
        assert!(error(kinds).contains("one metric has one kind"));
    }

    #[test]
    fn what_means_nothing_is_an_error() {
        assert!(error(Schema::new(" ").counter("x")).contains("cannot be a schema's name"));
        assert!(error(Schema::new("a\nb").counter("x")).contains("cannot be a schema's name"));
        assert!(error(schema()).contains("no field"));
        assert!(error(schema().example(1).counter("a")).contains("`example` follows no field"));
        let inner = schema().section("usage", |s| s.unit("bytes").counter("a"));
        assert!(error(inner).contains("in usage"));
        assert!(error(schema().counter("a").default(1.0)).contains("takes no default"));
        assert!(error(schema().gauge("a").default(f64::NAN)).contains("NaN"));
        assert!(error(schema().fact("a", 1).metric("m")).contains("no metric feeds"));
        assert!(error(schema().distinct("a", "")).contains("empty key"));
        assert!(error(schema().counter("a").label("", "v")).contains("empty key"));
        assert!(error(schema().counter("a").metric(" ")).contains("no name"));
        let twice = schema().counter("a").label("k", "1").label("k", "2");
        assert!(error(twice).contains("`k` twice"));
        assert!(error(schema().distinct("a", "k").label("k", "1")).contains("`k` twice"));
    }

    #[test]
    fn a_strict_schema_describes_each_field() {
        let bare =
            |s: Schema| s.section("usage", |s| s.counter("orders").describe("Orders").gauge("x"));
        assert!(Plan::new(bare(schema())).is_ok());
        assert!(error(bare(schema()).strict()).contains("`usage.x` is not described"));
        let inner = schema().section("usage", |s| s.strict().counter("a").describe(" "));
        assert!(error(inner).contains("`usage.a` is not described"));
        let outer =
            schema().counter("a").section("usage", |s| s.strict().counter("b").describe("B"));
        assert!(Plan::new(outer).is_ok());
    }

    #[test]
    fn a_section_is_described_right_after_it() {
        let plan = Plan::new(schema().section("usage", |s| s.counter("a")).describe("How much"));
        let plan = plan.expect("a good schema");
        assert_eq!(plan.sections["usage"], "How much");
        assert_eq!(plan.leaves[0].field.description, None);
        let plan = Plan::new(schema().describe("The whole").counter("a")).expect("a good schema");
        assert_eq!((&*plan.sections[""], &plan.leaves[0].field.description), ("The whole", &None));
    }

    #[test]
    fn figures_are_part_of_the_schema_id() {
        let id = |figures: &[Figure]| {
            let asked = figures.iter().copied().fold(schema().summary("a"), Schema::with);
            Plan::new(asked).expect("a good schema").id
        };
        let (count, p50) = (Figure::Count, Figure::Quantile(0.5));
        let ids = [id(&[]), id(&[count]), id(&[p50]), id(&[count, p50]), id(&[p50, count])];
        for (index, one) in ids.iter().enumerate() {
            assert!(!ids[..index].contains(one), "{ids:?}");
        }
        assert_eq!(id(&[count, p50]), ids[3]);
        let second = Plan::new(schema().summary("a").version(2)).expect("a good schema").id;
        assert_eq!(ids[0].replace("shop@1+", "shop@2+"), second);
    }

    #[test]
    fn leaves_keep_their_order_and_find_their_metric() {
        let plan = Plan::new(
            schema()
                .counter("b")
                .section("usage", |s| s.counter("z").gauge("a").metric("load"))
                .counter("a")
                .metric("b"),
        )
        .expect("a good schema");
        let paths: Vec<&str> = plan.leaves.iter().map(|leaf| &*leaf.path).collect();
        assert_eq!(paths, ["b", "usage.z", "usage.a", "a"]);
        assert_eq!(plan.feeds["b"].leaves, [0, 3]);
        assert_eq!(plan.feeds["load"].class, Class::Gauge);
        assert_eq!(plan.feeds["usage.z"].leaves, [1]);
    }
}
