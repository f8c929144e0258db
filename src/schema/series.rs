//! How a labelled series is told apart.

/// How a labelled series tells its values apart, and how it is written: for [`Schema::series`],
/// [`Schema::gauge_series`] and [`Schema::metrics`].
///
/// A key's values are listed ([`values`](Series::values)) or those that come
/// ([`seen`](Series::seen)). With several keys each combination of values has a value of its own, in
/// the order in which they are declared, the last key's changing fastest. A series without a key has
/// one value.
///
/// ```
/// use callhome::{CallHome, Schema};
///
/// let schema = Schema::new("shop")
///     .series("requests", |s| s.values("operation", ["read", "write"]))
///     .series("commands", |s| s.seen("command").as_object());
/// let callhome = CallHome::builder(schema).build()?;
/// metrics::with_local_recorder(callhome.recorder(), || {
///     metrics::counter!("requests", "operation" => "read").increment(3);
///     metrics::counter!("commands", "command" => "list").increment(1);
/// });
/// let report = callhome.flush()?;
/// assert_eq!(report["requests"][0]["operation"], "read");
/// assert_eq!(report["requests"][0]["value"], 3);
/// assert_eq!(report["requests"][1]["value"], 0);
/// assert_eq!(report["commands"]["list"], 1);
/// # Ok::<(), callhome::Error>(())
/// ```
///
/// [`Schema::series`]: crate::Schema::series
/// [`Schema::gauge_series`]: crate::Schema::gauge_series
/// [`Schema::metrics`]: crate::Schema::metrics
#[derive(Clone, Debug)]
#[must_use = "it declares nothing until it is part of a schema"]
pub struct Series {
    pub(crate) of: Of,
    pub(crate) keys: Vec<LabelKey>,
    /// Written as an object with the one key's values for names.
    pub(crate) as_object: bool,
    /// What was said where it means nothing.
    pub(crate) misplaced: Option<&'static str>,
}

/// What the values of a series are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Of {
    Counters,
    Gauges,
    /// Samples, by the largest of these cut-offs that they reach.
    Buckets(Vec<f64>),
}

/// A label key and its values.
#[derive(Clone, Debug)]
pub(crate) struct LabelKey {
    pub(crate) name: String,
    pub(crate) values: LabelValues,
}

#[derive(Clone, Debug)]
pub(crate) enum LabelValues {
    /// These, and if there are `others`, one for all that are not listed.
    Listed { list: Vec<String>, others: bool },
    /// The first so many that come, and one for all others.
    Seen(usize),
}

impl LabelValues {
    /// How many values there are to tell apart.
    pub(crate) fn count(&self) -> usize {
        match self {
            LabelValues::Listed { list, others } => list.len() + usize::from(*others),
            LabelValues::Seen(most) => most.saturating_add(1),
        }
    }
}

impl Series {
    /// Values that a key has at most, if its values are those that come, unless `at_most` says
    /// otherwise.
    const SEEN: usize = 16;

    /// The longest value, in characters, that is told apart because it was seen.
    pub(crate) const LONGEST_VALUE: usize = 64;

    /// The value that stands for all that are not told apart.
    pub(crate) const OTHER: &'static str = "__other__";

    /// A series of counters: what `counter!` added within the window.
    pub fn counter() -> Series {
        Series::new(Of::Counters)
    }

    /// A series of gauges: the last value that `gauge!` set.
    pub fn gauge() -> Series {
        Series::new(Of::Gauges)
    }

    /// A series of samples in buckets: how many samples `histogram!` recorded that reach a cut-off
    /// and not the next, and their sum.
    ///
    /// The cut-offs ascend and the first is 0; samples below that and NaN are refused and counted. It
    /// is written with an object for each bucket,
    /// `[{"operation": "read", "greater_than": 0.05, "sum": 1.5, "count": 12}]`. Sums are kept in
    /// billionths, to which each sample is rounded: exact for times in seconds by a clock that tells
    /// nanoseconds. Samples of 10^10 and more
    /// are refused.
    ///
    /// A sample takes about four times what a counter's increment takes. One that comes at the very
    /// moment of a seal may be added to the sum of one window and to the count of the next.
    pub fn buckets(cutoffs: impl IntoIterator<Item = f64>) -> Series {
        Series::new(Of::Buckets(cutoffs.into_iter().collect()))
    }

    fn new(of: Of) -> Series {
        Series { of, keys: Vec::new(), as_object: false, misplaced: None }
    }

    fn key(mut self, name: impl Into<String>, values: LabelValues) -> Series {
        self.keys.push(LabelKey { name: name.into(), values });
        self
    }

    /// A label key whose values are these. Each is in every report, with 0 before it is seen. A
    /// metric with another value is counted as undeclared, unless [`others`](Series::others) are
    /// admitted.
    pub fn values<V: Into<String>>(
        self,
        key: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Series {
        let list = values.into_iter().map(Into::into).collect();
        self.key(key, LabelValues::Listed { list, others: false })
    }

    /// Values of the last key that are not listed count under `__other__`, which is in a report
    /// when it has something to say.
    pub fn others(mut self) -> Series {
        match self.keys.last_mut().map(|key| &mut key.values) {
            Some(LabelValues::Listed { others, .. }) => *others = true,
            _ => self.misplaced = Some("`others` follows no listed values"),
        }
        self
    }

    /// A label key whose values are those that come: the first 16 of them, or
    /// [`at_most`](Series::at_most), as long as the process runs. What comes beyond those, and values
    /// of more than 64 characters, count under `__other__` and in the envelope's losses as
    /// `capped_values`. A value is in a report when it has something to say.
    ///
    /// The values leave the process as they are. Declare this only of a label that never holds a
    /// name, a path or an address.
    pub fn seen(self, key: impl Into<String>) -> Series {
        self.key(key, LabelValues::Seen(Series::SEEN))
    }

    /// How many values the last key, one whose values are [`seen`](Series::seen), has at most,
    /// `__other__` not counted. Default: 16. At least 1.
    pub fn at_most(mut self, values: usize) -> Series {
        match self.keys.last_mut().map(|key| &mut key.values) {
            Some(LabelValues::Seen(most)) => *most = values,
            _ => self.misplaced = Some("`at_most` follows no seen values"),
        }
        self
    }

    /// Writes the series, which has one key, as an object: `{"list": 4, "search": 12}` rather than
    /// `[{"command": "list", "value": 4}, {"command": "search", "value": 12}]`.
    pub fn as_object(mut self) -> Series {
        self.as_object = true;
        self
    }

    /// How many values it tells apart.
    pub(crate) fn slots(&self) -> usize {
        self.keys.iter().fold(1, |slots: usize, key| slots.saturating_mul(key.values.count()))
    }

    /// Where its buckets begin; none if it has no buckets.
    pub(crate) fn cutoffs(&self) -> &[f64] {
        match &self.of {
            Of::Buckets(cutoffs) => cutoffs,
            Of::Counters | Of::Gauges => &[],
        }
    }

    /// Why it cannot be declared, if so.
    pub(super) fn fault(&self) -> Option<String> {
        /// Values of all keys together. A report has a line for each.
        const MOST: usize = 1024;
        if let Some(misplaced) = self.misplaced {
            return Some(format!("says that {misplaced}: put it right after them"));
        }
        for LabelKey { name, values } in &self.keys {
            let own: &[&str] = match self.of {
                Of::Buckets(_) => &["greater_than", "sum", "count"],
                Of::Counters | Of::Gauges if self.as_object => &[],
                Of::Counters | Of::Gauges => &["value"],
            };
            if own.contains(&&**name) {
                return Some(format!(
                    "has a label `{name}`, as a part of its values is called: rename it"
                ));
            }
            let LabelValues::Listed { list, .. } = values else { continue };
            if list.is_empty() {
                return Some(format!("lists no value of the label `{name}`: list some"));
            }
            if list.iter().any(|value| value == Series::OTHER) {
                return Some(format!(
                    "lists `{}` for the label `{name}`: say `others` for what is not listed",
                    Series::OTHER
                ));
            }
            let twice = list.iter().enumerate().find(|(at, value)| list[..*at].contains(value));
            if let Some((_, twice)) = twice {
                return Some(format!("lists `{twice}` for the label `{name}` twice: drop one"));
            }
        }
        if self.keys.iter().any(|key| matches!(key.values, LabelValues::Seen(0))) {
            return Some("takes at most 0 values of a label: take 1 at least".into());
        }
        if let Of::Buckets(cutoffs) = &self.of {
            let ascend = cutoffs.windows(2).all(|pair| pair[0] < pair[1]);
            if cutoffs.first() != Some(&0.0) || !ascend || cutoffs.last() == Some(&f64::INFINITY) {
                return Some(format!("has the cut-offs {cutoffs:?}: begin with 0 and ascend"));
            }
            if self.as_object {
                return Some("has buckets and is no object: drop `as_object`".into());
            }
        }
        if self.as_object && self.keys.len() != 1 {
            let keys = self.keys.len();
            return Some(format!(
                "has {keys} labels and is an object, which has one: drop `as_object`"
            ));
        }
        let slots = self.slots().saturating_mul(self.cutoffs().len().max(1));
        (slots > MOST).then(|| format!("tells {slots} values apart: at most {MOST}, so list fewer"))
    }

    /// What is the same for series that are written alike.
    pub(super) fn key_words(&self) -> String {
        let keys = self.keys.iter().map(|LabelKey { name, values }| match values {
            LabelValues::Listed { list, others } => format!("{name}={list:?}{others}"),
            LabelValues::Seen(most) => format!("{name}~{most}"),
        });
        let keys: Vec<String> = keys.collect();
        format!("{}{}{:?}", keys.join(";"), self.as_object, self.cutoffs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Plan, Schema};

    #[test]
    fn a_contradiction_names_its_path_and_label() {
        type Declare = fn(Series) -> Series;
        let wrong: [(Declare, &str); 20] = [
            (|s| s.values("k", [""; 0]), "lists no value of the label `k`"),
            (|s| s.values("k", ["a", "b", "a"]), "lists `a` for the label `k` twice"),
            (|s| s.values("k", ["__other__"]), "say `others`"),
            (|s| s.values("value", ["a"]), "has a label `value`"),
            (|_| Series::buckets([0.0]).values("sum", ["a"]), "has a label `sum`"),
            (|_| Series::buckets([]), "has the cut-offs []"),
            (|_| Series::buckets([0.5, 1.0]), "has the cut-offs [0.5, 1.0]"),
            (|_| Series::buckets([0.0, 1.0, 1.0]), "ascend"),
            (|_| Series::buckets([0.0, f64::NAN]), "ascend"),
            (|_| Series::buckets([0.0, f64::INFINITY]), "ascend"),
            (|_| Series::buckets([0.0]).seen("k").as_object(), "is no object"),
            (|_| Series::buckets((0..61).map(f64::from)).seen("k"), "tells 1037 values apart"),
            (|s| s.others(), "`others` follows no listed values"),
            (|s| s.seen("k").others(), "`others` follows no listed values"),
            (|s| s.values("k", ["a"]).at_most(2), "`at_most` follows no seen values"),
            (|s| s.seen("k").at_most(0), "at most 0 values"),
            (|s| s.as_object(), "has 0 labels and is an object"),
            (|s| s.seen("k").seen("l").as_object(), "has 2 labels and is an object"),
            (|s| s.seen("k").at_most(1024), "tells 1025 values apart"),
            (|s| s.seen("k").at_most(usize::MAX).seen("l"), "values apart: at most 1024"),
        ];
        for (declare, words) in wrong {
            let schema = Schema::new("s")
                .section("usage", |s| s.metrics([("x", declare(Series::counter()))]));
            let message = Plan::new(schema).err().expect(words).to_string();
            assert!(message.contains("`usage.x` ") && message.contains(words), "{message}");
        }
        let twice = Schema::new("s").series("x", |s| s.seen("k").seen("k"));
        assert!(Plan::new(twice).err().expect("bad").to_string().contains("`k` twice"));
        let counters = Schema::new("s").series("x", |s| s).default(1.0);
        assert!(Plan::new(counters).err().expect("bad").to_string().contains("takes no default"));
        let right = Schema::new("s")
            .gauge_series("x", |s| s.values("value", ["a"]).others().as_object())
            .default(7.0)
            .series("y", |s| s.seen("k").at_most(511).values("l", ["a", "b"]));
        assert!(Plan::new(right).is_ok());
    }

    #[test]
    fn labels_are_part_of_the_schema_id() {
        let id = |series: Series| {
            Plan::new(Schema::new("s").metrics([("x", series)])).expect("a good schema").id
        };
        let ids = [
            id(Series::counter()),
            id(Series::gauge()),
            id(Series::counter().seen("k")),
            id(Series::counter().seen("k").at_most(2)),
            id(Series::counter().seen("k").as_object()),
            id(Series::counter().seen("l")),
            id(Series::counter().values("k", ["a"])),
            id(Series::counter().values("k", ["a", "b"])),
            id(Series::counter().values("k", ["b", "a"])),
            id(Series::counter().values("k", ["a"]).others()),
            id(Series::buckets([0.0])),
            id(Series::buckets([0.0, 1.0])),
        ];
        for (index, one) in ids.iter().enumerate() {
            assert!(!ids[..index].contains(one), "{ids:?}");
        }
        assert_eq!(id(Series::counter().seen("k")), ids[2]);
    }
}
