//! Declaring a schema.

use std::sync::Arc;

use super::fact::Fact;
use super::field::{Field, Host, Kind};
use super::figure::Figure;
use super::transform::Transform;
use super::values::{Fill, Values};

/// The declared, ordered tree of everything that may leave the process.
///
/// A field is named within its section, and the report nests and orders exactly as declared.
/// A field that is fed by a metric listens to the metric named like its dotted path
/// (`usage.requests`) unless [`metric`](Schema::metric) says otherwise. Words that follow a
/// field (`describe`, `unit`, `example`, `metric`, `label`, `default`, `cumulative`, `with`,
/// `transform`) are about that field; `describe` and `label` after a section are about the section.
///
/// Nothing is checked while declaring; a contradiction is an error of
/// [`Builder::build`](crate::Builder::build) that names the path.
///
/// ```
/// use callhome::Schema;
///
/// let schema = Schema::new("shop")
///     .fact("version", env!("CARGO_PKG_VERSION"))
///     .section("usage", |s| {
///         s.counter("orders")
///             .describe("Orders placed")
///             .summary("basket_value")
///             .unit("EUR")
///             .distinct("customers", "customer_id")
///     });
/// ```
#[derive(Clone)]
pub struct Schema {
    pub(crate) name: String,
    pub(crate) nodes: Vec<Node>,
    /// What it is about.
    pub(crate) description: Option<String>,
    /// The maintainers' number for its meaning.
    pub(crate) version: u32,
    /// Whether each field has to be described.
    pub(crate) strict: bool,
    /// What was said in a place where it means nothing, reported when the schema is built.
    pub(crate) misplaced: Vec<String>,
    /// Gives the values in it.
    pub(crate) fill: Option<Fill>,
}

/// A field or a section of fields.
#[derive(Clone)]
pub(crate) enum Node {
    Field(Field),
    Section(Schema),
}

impl Node {
    pub(crate) fn name(&self) -> &str {
        match self {
            Node::Field(field) => &field.name,
            Node::Section(section) => &section.name,
        }
    }
}

impl Schema {
    /// An empty schema. The name is that of the product; it names the report's kind in the
    /// envelope.
    pub fn new(name: impl Into<String>) -> Schema {
        Schema {
            name: name.into(),
            nodes: Vec::new(),
            description: None,
            version: 1,
            strict: false,
            misplaced: Vec::new(),
            fill: None,
        }
    }

    /// The version of the schema, which its `schema_id` has between its name and its hash. Default: 1.
    /// Raise it when receivers have to change too;
    /// [`assert_schema_compatible!`](crate::assert_schema_compatible) says when. Each kind of event has
    /// its own. That of a section means nothing.
    pub fn version(mut self, version: u32) -> Schema {
        self.version = version;
        self
    }

    /// Makes a field without a description an error of [`Builder::build`](crate::Builder::build).
    /// Within a section it holds for that section, and said of the builder's schema for its
    /// [events](crate::Builder::event).
    pub fn strict(mut self) -> Schema {
        self.strict = true;
        self
    }

    /// Declares a field of a kind.
    pub(super) fn field(mut self, name: impl Into<String>, kind: Kind) -> Schema {
        self.nodes.push(Node::Field(Field::new(name.into(), kind)));
        self
    }

    /// A nested object. `fields` gets an empty section and returns it filled.
    pub fn section(
        mut self,
        name: impl Into<String>,
        fields: impl FnOnce(Schema) -> Schema,
    ) -> Schema {
        let name = name.into();
        // Named by the argument, whatever schema `fields` returns.
        let section = Schema { name: name.clone(), ..fields(Schema::new(name)) };
        self.nodes.push(Node::Section(section));
        self
    }

    /// A fact that the program learns while it runs, and says once by
    /// [`CallHome::set_fact`](crate::CallHome::set_fact): the version of a server, after the first
    /// connection. Null until then.
    pub fn fact_later(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Later)
    }

    /// A section whose values one function gives: [`filled_by`](Schema::filled_by) for a section of
    /// its own.
    ///
    /// ```
    /// use callhome::{CallHome, Schema};
    ///
    /// let schema = Schema::new("engine").section_with(
    ///     "metrics",
    ///     |s| s.values(["views", "tables"]).section("permissions", |s| s.value("select")),
    ///     |values| {
    ///         values.set("views", 1).set("tables", 2).set("permissions.select", 2);
    ///     },
    /// );
    /// let report = CallHome::builder(schema).build()?.flush()?;
    /// assert_eq!(report["metrics"]["permissions"]["select"], 2);
    /// # Ok::<(), callhome::Error>(())
    /// ```
    pub fn section_with(
        self,
        name: impl Into<String>,
        fields: impl FnOnce(Schema) -> Schema,
        fill: impl Fn(&mut Values) + Send + Sync + 'static,
    ) -> Schema {
        self.section(name, |section| fields(section).filled_by(fill))
    }

    /// The function that gives all [`values`](Schema::values) of this section, or of the top level,
    /// and of the sections within it that have no function of their own; so they are those of one
    /// moment. It is called when a report is made, and [`preview`](crate::CallHome::preview) calls
    /// it too. There is one; the last one given counts.
    ///
    /// A value that it does not give is null. One that is not declared is dropped and counted in the
    /// envelope's losses as `undeclared_values`. When the function panics (the program's panic hook
    /// runs) all are null, and `failed_functions` counts it.
    pub fn filled_by(mut self, fill: impl Fn(&mut Values) + Send + Sync + 'static) -> Schema {
        self.fill = Some(Arc::new(fill));
        self
    }

    /// A value that the function of its section gives, or of the nearest around it:
    /// [`section_with`](Schema::section_with), [`filled_by`](Schema::filled_by).
    pub fn value(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Value)
    }

    /// Several such values.
    pub fn values<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Schema {
        names.into_iter().fold(self, Schema::value)
    }

    /// A constant: a version, an edition, a flag.
    pub fn fact(self, name: impl Into<String>, value: impl Into<Fact>) -> Schema {
        self.field(name, Kind::Fact(value.into()))
    }

    /// A fact that is asked for each time a report is made, for what is known only later or
    /// changes. A panic in the function is caught and counted (the program's panic hook runs), and
    /// the fact is null this time. [`preview`](crate::CallHome::preview) asks it too.
    pub fn fact_with<T: Into<Fact>>(
        self,
        name: impl Into<String>,
        ask: impl Fn() -> T + Send + Sync + 'static,
    ) -> Schema {
        self.field(name, Kind::Asked(Arc::new(move || ask().into())))
    }

    /// Whole seconds since the aggregator was built.
    pub fn uptime(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::Uptime))
    }

    /// Since when [`cumulative`](Schema::cumulative) fields count: when the aggregator was built, or
    /// reporting was switched on while the program ran. A time, in UTC as RFC 3339 has it.
    pub fn started_at(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::StartedAt))
    }

    /// Why the report is made: `start` for the first one, `stop` for that of a
    /// [`shutdown`](crate::CallHome::shutdown), and `heartbeat` for all between them. The first one
    /// after reporting was switched on is a `start` too; of windows that became one report the last
    /// one's reason counts.
    ///
    /// A product that wants to hear of its start at once says
    /// [`first_after`](crate::Builder::first_after) and [`spread`](crate::Builder::spread) of zero.
    ///
    /// ```
    /// use callhome::{CallHome, Schema};
    ///
    /// let schema = Schema::new("node").reason("reason").counter("requests");
    /// let callhome = CallHome::builder(schema).build()?;
    /// assert_eq!(callhome.flush()?["reason"], "start");
    /// assert_eq!(callhome.flush()?["reason"], "heartbeat");
    /// # Ok::<(), callhome::Error>(())
    /// ```
    pub fn reason(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Reason)
    }

    /// The architecture the program was compiled for, as a target triple.
    pub fn arch(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::Arch))
    }

    /// Logical processors available to the process; null when that is unknown.
    pub fn cores(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::Cores))
    }

    /// The operating system, as `{"family": "unix", "name": "linux"}`.
    pub fn os(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::Os))
    }

    /// The machine's memory in bytes; null without the feature `host`.
    pub fn ram(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::Ram))
    }

    /// A random id of this process, new at every start, and when
    /// [`cluster_id_rotates`](crate::Builder::cluster_id_rotates) replaces the installation's. With
    /// it a receiver can tell by the reports' numbers whether one is missing.
    pub fn instance_id(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::InstanceId))
    }

    /// The id of the installation or cluster:
    /// [`Builder::cluster_id`](crate::Builder::cluster_id),
    /// [`Builder::cluster_id_with`](crate::Builder::cluster_id_with) or
    /// [`Builder::cluster_id_file`](crate::Builder::cluster_id_file), else a random one that
    /// lasts as long as the process. Null where the application knows none.
    pub fn cluster_id(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::ClusterId))
    }

    /// Where the id of [`cluster_id`](Schema::cluster_id) comes from: `given` by the application,
    /// kept in a `file`, or `ephemeral`; null where there is none. Of ephemeral ids there are as
    /// many as starts, so they must not be counted as installations.
    pub fn cluster_id_source(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::ClusterIdSource))
    }

    /// The CI system that the process runs in (`GITHUB_ACTIONS`, `TRAVIS`, or `OTHER` for one that
    /// says only that it is one); null outside CI, and with
    /// [`CiPolicy::Count`](crate::CiPolicy::Count). [`Decision`](crate::Decision) lists them.
    pub fn ci(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::Ci))
    }

    /// Changes the field declared last, or notes that `word` has nothing to be about.
    pub(super) fn last(mut self, word: &str, change: impl FnOnce(&mut Field)) -> Schema {
        match self.nodes.last_mut() {
            Some(Node::Field(field)) => change(field),
            _ => self.misplaced.push(format!("`{word}` follows no field")),
        }
        self
    }

    /// What the last field means, in a sentence for its readers; right after a section, what that
    /// section is about, and as the first word what the whole is about: a report, or a kind of event.
    pub fn describe(mut self, description: impl Into<String>) -> Schema {
        let about = match self.nodes.last_mut() {
            Some(Node::Field(field)) => &mut field.description,
            Some(Node::Section(section)) => &mut section.description,
            None => &mut self.description,
        };
        *about = Some(description.into());
        self
    }

    /// The unit of the last field (`bytes`, `seconds`).
    pub fn unit(self, unit: impl Into<String>) -> Schema {
        self.last("unit", |field| field.unit = Some(unit.into()))
    }

    /// A value such as the last field may have, for the readers of documents: it is what the
    /// [page](crate::Builder::to_markdown) shows, transformed as a value would be, and never part of
    /// a report. Of a summary it is the value in the middle, of a list the one that it has. Without
    /// one the page shows a constant as it is, null for a fact that is asked for, and some number for
    /// others.
    pub fn example(self, value: impl Into<Fact>) -> Schema {
        self.last("example", |field| field.example = Some(value.into()))
    }

    /// What the last field, a gauge or a gauge's summary, is before it is first set.
    pub fn default(self, value: f64) -> Schema {
        self.last("default", |field| field.default = Some(value))
    }

    /// Counts the last field, a counter or a series of counters, since the start and not since the
    /// last report. A receiver that takes the latest of such values needs no other report, and one
    /// that comes twice does no harm; it tells a value that began anew by
    /// [`started_at`](Schema::started_at), which belongs beside it.
    ///
    /// ```
    /// use callhome::Schema;
    ///
    /// let schema = Schema::new("shop")
    ///     .started_at("counted_since")
    ///     .counter("orders")
    ///     .cumulative();
    /// ```
    pub fn cumulative(self) -> Schema {
        self.last("cumulative", |field| field.cumulative = true)
    }

    /// One more figure of the last field, a summary of any kind; may be said more than once. They
    /// follow the five that a summary always has, in the order in which they are asked for.
    ///
    /// ```
    /// use callhome::{Figure, Schema};
    ///
    /// let schema = Schema::new("shop").section("usage", |s| {
    ///     s.summary("latency").unit("seconds").with(Figure::Count).with(Figure::Quantile(0.99))
    /// });
    /// ```
    pub fn with(self, figure: Figure) -> Schema {
        self.last("with", |field| field.figures.push(figure))
    }

    /// Makes the value of the last field coarser before it is said; may be said more than once, and
    /// they apply in that order.
    ///
    /// ```
    /// use callhome::{Schema, Transform};
    ///
    /// let schema = Schema::new("shop")
    ///     .section("usage", |s| {
    ///         s.distinct("customers", "id")
    ///             .transform(Transform::AtLeast(10)) // fewer could be told apart
    ///             .transform(Transform::Digits(2))
    ///     });
    /// ```
    pub fn transform(self, transform: Transform) -> Schema {
        self.last("transform", |field| field.transforms.push(transform))
    }
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nodes: Vec<&str> = self.nodes.iter().map(Node::name).collect();
        f.debug_struct("Schema").field("name", &self.name).field("nodes", &nodes).finish()
    }
}
