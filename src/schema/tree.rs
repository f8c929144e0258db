//! Declaring a schema.

use std::sync::Arc;

use super::fact::Fact;
use super::field::{Field, Host, Kind, Sample};
use super::figure::Figure;
use super::transform::Transform;

/// The declared, ordered tree of everything that may leave the process.
///
/// A field is named within its section, and the report nests and orders exactly as declared.
/// A field that is fed by a metric listens to the metric named like its dotted path
/// (`usage.requests`) unless [`metric`](Schema::metric) says otherwise. Words that follow a
/// field (`describe`, `unit`, `example`, `metric`, `label`, `default`, `with`, `transform`) are about
/// that field; `describe` after a section is about the section.
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
    /// What the section is about.
    pub(crate) description: Option<String>,
    /// The maintainers' number for its meaning.
    pub(crate) version: u32,
    /// Whether each field has to be described.
    pub(crate) strict: bool,
    /// What was said in a place where it means nothing, reported when the schema is built.
    pub(crate) misplaced: Vec<String>,
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
        }
    }

    /// The version of the schema, which its `schema_id` has between its name and its hash. Default: 1.
    /// Raise it when receivers have to change too;
    /// [`assert_schema_compatible!`](crate::assert_schema_compatible) says when. That of a section
    /// means nothing.
    pub fn version(mut self, version: u32) -> Schema {
        self.version = version;
        self
    }

    /// Makes a field without a description an error of [`Builder::build`](crate::Builder::build).
    /// Within a section it holds for that section.
    pub fn strict(mut self) -> Schema {
        self.strict = true;
        self
    }

    fn field(mut self, name: impl Into<String>, kind: Kind) -> Schema {
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

    /// What `counter!` added within the window, an unsigned 64-bit integer that saturates. Zero
    /// when nothing was added.
    ///
    /// `absolute` raises the field's running total. Where the field covers several values of a
    /// label that is the total of all of them, of which no one caller knows: use `increment`.
    pub fn counter(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Counter)
    }

    /// The last value `gauge!` set. It stays from window to window; null until it is set, unless
    /// it has a [`default`](Schema::default).
    pub fn gauge(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Gauge)
    }

    /// Max, mean, median, min and mode of the samples that `histogram!` recorded within the
    /// window, and others [`with`](Schema::with) which it is asked for. Without samples the mode is null and the others are 0.
    ///
    /// Exact while the window has at most 1024 distinct values, however many samples. Beyond that
    /// the samples are counted in cells a thousandth of a power of two wide: median and quantiles
    /// are within 0.1 %, and the mode is that of the fullest cell. The others stay exact. NaN and
    /// infinities are refused and counted.
    ///
    /// Takes at most 32 KiB while it is exact, and beyond that 8 KiB for each power of two between
    /// the samples; as much again for each further thread that folds samples at the same instant.
    pub fn summary(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Summary)
    }

    /// The same figures of a gauge: its value is sampled on the clock (every 2 s by default) and
    /// when a window is sealed, and `max` and `min` are exact even for a peak between samples.
    /// The others are those of the samples: in a window of a few seconds there are few of them.
    pub fn gauge_summary(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::GaugeSummary)
    }

    /// The same figures of a function, sampled on the clock and when a window is sealed. It should
    /// return within milliseconds: it runs on the background thread, and on that of whoever calls
    /// [`flush`](crate::CallHome::flush), [`preview`](crate::CallHome::preview) or
    /// [`tick`](crate::CallHome::tick). A panic, `None`, `Err`, NaN or an infinity is counted as
    /// failed, and it is asked again next time.
    pub fn sampled<T: Sample>(
        self,
        name: impl Into<String>,
        poll: impl Fn() -> T + Send + Sync + 'static,
    ) -> Schema {
        self.field(name, Kind::Sampled(Arc::new(move || poll().sample())))
    }

    /// How many different values the label `label` of a `counter!` took within the window:
    /// `counter!("usage.clients", "id" => id).increment(1)`. Exact up to 512, then an estimate
    /// with a standard error of 1.1 %, in 4 KiB at most. `increment(0)` is no sighting.
    ///
    /// A value is hashed with a secret random key as it arrives and never stored; of the hashes only
    /// their number leaves. The key is the field's own. It is made with the aggregator, lives in
    /// memory as long as it does, and is written and logged nowhere, so nobody can tell afterwards
    /// whether some value was among those counted. Windows that are merged because a report could
    /// not be delivered count a value of both once: that takes one key for both. Counts of reports,
    /// processes and starts that were sent apart cannot be united, only added up, and so there is
    /// nothing that a key of the installation could be for.
    pub fn distinct(self, name: impl Into<String>, label: impl Into<String>) -> Schema {
        self.field(name, Kind::Distinct { label: label.into() })
    }

    /// How often threads of the process panicked within the window, by where in the source: an
    /// object of counters, one for each class and `__other__` for all other places. A class is a
    /// name and a part of the paths of its source files, as the compiler knows them; the first that
    /// fits counts. Nothing else of a panic is looked at: no message, no path and no line leaves.
    ///
    /// ```
    /// use callhome::Schema;
    ///
    /// let schema = Schema::new("shop")
    ///     .panics("panics", &[("storage", "src/storage/"), ("http", "src/http/")]);
    /// // {"panics": {"storage": 0, "http": 2, "__other__": 1}}
    /// ```
    ///
    /// [`Builder::install`](crate::Builder::install) puts a hook in front of the process's panic
    /// hook, which runs as before; an aggregator that is only built counts none. A hook that is set
    /// later has to call the one it finds. Panics that are caught count too. One that ends the
    /// process is in the last report if that still goes out: when `main` returns or unwinds, not
    /// with `panic = "abort"`.
    pub fn panics(self, name: impl Into<String>, classes: &[(&str, &str)]) -> Schema {
        self.section(name, |section| {
            let count = |schema: Schema, (class, part): &(&str, &str)| {
                schema.field(*class, Kind::Panics(Some((*part).to_owned())))
            };
            classes.iter().fold(section, count).field("__other__", Kind::Panics(None))
        })
    }

    /// Whole seconds since the aggregator was built.
    pub fn uptime(self, name: impl Into<String>) -> Schema {
        self.field(name, Kind::Host(Host::Uptime))
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

    /// A random id of this process, new at every start.
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
    fn last(mut self, word: &str, change: impl FnOnce(&mut Field)) -> Schema {
        match self.nodes.last_mut() {
            Some(Node::Field(field)) => change(field),
            _ => self.misplaced.push(format!("`{word}` follows no field")),
        }
        self
    }

    /// What the last field means, in a sentence for its readers; right after a section, what that
    /// section is about.
    pub fn describe(mut self, description: impl Into<String>) -> Schema {
        if let Some(Node::Section(section)) = self.nodes.last_mut() {
            section.description = Some(description.into());
            return self;
        }
        self.last("describe", |field| field.description = Some(description.into()))
    }

    /// The unit of the last field (`bytes`, `seconds`).
    pub fn unit(self, unit: impl Into<String>) -> Schema {
        self.last("unit", |field| field.unit = Some(unit.into()))
    }

    /// A value such as the last field may have, for the readers of documents: it is what the
    /// [page](crate::Builder::to_markdown) shows, transformed as a value would be, and never part of
    /// a report. Of a summary it is the value in the middle. Without one the page shows a constant
    /// as it is, null for a fact that is asked for, and some number for others.
    pub fn example(self, value: impl Into<Fact>) -> Schema {
        self.last("example", |field| field.example = Some(value.into()))
    }

    /// The metric that feeds the last field, when it is not named like the field's dotted path.
    /// Several fields of one kind may listen to one metric.
    pub fn metric(self, metric: impl Into<String>) -> Schema {
        self.last("metric", |field| field.metric = Some(metric.into()))
    }

    /// Restricts the last field to keys with this label; may be said more than once. Labels
    /// that are not named here are ignored: the field covers all their values.
    pub fn label(self, key: impl Into<String>, value: impl Into<String>) -> Schema {
        self.last("label", |field| field.labels.push((key.into(), value.into())))
    }

    /// What the last field, a gauge or a gauge's summary, is before it is first set.
    pub fn default(self, value: f64) -> Schema {
        self.last("default", |field| field.default = Some(value))
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
