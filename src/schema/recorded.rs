//! Declaring what is recorded or sampled.

use std::sync::Arc;

use super::field::{Kind, Sample};
use super::series::{Of, Series};
use super::tree::{Node, Schema};

impl Schema {
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

    /// Max, mean, median, min and mode of the samples that `histogram!` recorded within the window,
    /// and others [`with`](Schema::with) which it is asked for. Without samples the mode is null
    /// and the others are 0.
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
    /// processes and starts that were sent apart cannot be united, only added up. Where the receiver
    /// is to unite them the field is [`mergeable`](Schema::mergeable), which takes a key that they
    /// share.
    pub fn distinct(self, name: impl Into<String>, label: impl Into<String>) -> Schema {
        self.field(name, Kind::Distinct { label: label.into() })
    }

    /// Says the last field, a [`distinct`](Schema::distinct) count, in a form of which the receiver
    /// can make the union over windows, processes and nodes of one cluster, with no more than SQL:
    /// `{"count": 3, "registers": [[97, 1], [4711, 2], [16001, 1]]}`.
    ///
    /// `count` is what the field would say otherwise. `registers` are those of a HyperLogLog sketch,
    /// 16,384 for a standard error of 0.81 %, under a key of the cluster:
    /// [`Builder::distinct_key`](crate::Builder::distinct_key),
    /// [`Builder::distinct_key_file`](crate::Builder::distinct_key_file), else a random one for the
    /// life of the process, and then there is a union over the windows of one process alone. The
    /// union of two sketches is the greater of both in each register; `docs/sql` of the repository
    /// has the question for PostgreSQL and for ClickHouse.
    ///
    /// What is given up for it: who has the key can test whether a value was counted. The receiver,
    /// who has not, can see of windows with few values that the same one, whichever it is, came again
    /// in another window or on another node of the cluster. No value can be linked to another
    /// cluster, to the same one after its id was [replaced](crate::Builder::cluster_id_rotates), or
    /// to another field. The [page](crate::Builder::to_markdown) says so.
    ///
    /// # Form
    ///
    /// Of at most 1024 registers that are not 0 each is a pair of its index, from 0 to 16,383, and
    /// its rank, from 1 to 51, in the order of the indices: 10 bytes for each, 11 KiB at most. Of
    /// more there is a text of 16,384 letters, one for each register, that stand for the rank as in
    /// base64: `A` is 0, `Z` 25, `a` 26, `z` 51. `null` is said of a window in which the key
    /// changed, and by a report that would be [too large](crate::Builder::max_body). In memory it
    /// takes 4 KiB, and 16 KiB where there are more than 1024 registers, beside what
    /// [`distinct`](Schema::distinct) takes, and as much again for each further thread that puts a
    /// value in at the same instant.
    ///
    /// Whoever wants to make the same: all hashes are SipHash-2-4, a value is its UTF-8, and the
    /// first key is 16 zero bytes.
    ///
    /// | what | of | under |
    /// | --- | --- | --- |
    /// | key of the secret, 128 bits | the secret; of a file its UUID in small letters, with hyphens | zeros |
    /// | key of the cluster, 128 bits | the cluster's id | the key of the secret |
    /// | key of the field, 128 bits | the schema's name, a zero byte, the field's dotted path | the key of the cluster |
    /// | fingerprint, 64 bits | the value | zeros |
    /// | hash, 64 bits | the 8 bytes of the fingerprint, the least first | the key of the field |
    ///
    /// A result of 128 bits becomes a key as the reference implementation writes it, 16 bytes. The 14
    /// highest bits of the hash are the register's index. Its rank is the place, from 1, of the first
    /// 1 among the other 50, from the highest on; 51 if there is none. A register has the highest
    /// rank of its values, and 0 without any. With the secret `correct horse battery staple`, the
    /// cluster `cluster 1`, the schema `shop` and the field `usage.clients` the hash of the value
    /// `4711` is 0x15b45f53e6482333: the register 1389 has the rank 4.
    ///
    /// With `ez` registers of 0 among the `m` = 16,384 and `zl` = ln(`ez` + 1), the estimate is
    /// 0.7213 / (1 + 1.079 / m) · m · (m − ez) / (b + Σ 2^−rank), the sum over all registers, where b
    /// is −0.370393911 ez + 0.070471823 zl + 0.17393686 zl² + 0.16339839 zl³ − 0.09237745 zl⁴ +
    /// 0.03738027 zl⁵ − 0.005384159 zl⁶ + 0.00042419 zl⁷ (LogLog-Beta; Qin, Kim and Tung, 2016). It
    /// holds from one value on.
    ///
    /// [`Transform::AtLeast`](crate::Transform::AtLeast) hides the registers with the count; no other
    /// transform is possible, for the registers would tell what it hides.
    ///
    /// ```
    /// use callhome::{CallHome, Schema};
    ///
    /// let schema = Schema::new("shop").distinct("clients", "id").mergeable();
    /// let callhome = CallHome::builder(schema)
    ///     .cluster_id("cluster 7")
    ///     .distinct_key("from the cluster's own database")
    ///     .build()?;
    /// metrics::with_local_recorder(callhome.recorder(), || {
    ///     metrics::counter!("clients", "id" => "4711").increment(1);
    /// });
    /// let report = callhome.flush()?;
    /// assert_eq!(report["clients"]["count"], 1);
    /// assert_eq!(report["clients"]["registers"][0].as_array().map(Vec::len), Some(2));
    /// # Ok::<(), callhome::Error>(())
    /// ```
    pub fn mergeable(self) -> Schema {
        self.last("mergeable", |field| field.mergeable = true)
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

    /// Counters told apart by labels. `labels` gets a series without a label key and returns it with
    /// those that tell its values apart; other labels of the metric are ignored. Written as
    /// `[{"operation": "read", "value": 3}, {"operation": "write", "value": 0}]`, without label keys
    /// as `[{"value": 3}]`.
    ///
    /// Each value is a [`counter`](Schema::counter) of its own, and costs what one costs.
    pub fn series(self, name: impl Into<String>, labels: impl FnOnce(Series) -> Series) -> Schema {
        self.field(name, Kind::Series(Series { of: Of::Counters, ..labels(Series::counter()) }))
    }

    /// The same of gauges. A listed value is 0, or the [`default`](Schema::default), before it is
    /// set.
    pub fn gauge_series(
        self,
        name: impl Into<String>,
        labels: impl FnOnce(Series) -> Series,
    ) -> Schema {
        self.field(name, Kind::Series(Series { of: Of::Gauges, ..labels(Series::gauge()) }))
    }

    /// Samples in buckets, told apart by labels: [`Series::buckets`] says how. With
    /// [`cumulative`](Schema::cumulative) they are those since the start.
    ///
    /// ```
    /// use callhome::Schema;
    ///
    /// let schema = Schema::new("engine").started_at("since").section("timings", |s| {
    ///     s.buckets("service_time", [0.0, 0.001, 0.05, 1.0, 3600.0], |s| {
    ///         s.values("operation", ["query", "mutation"])
    ///     })
    ///     .unit("seconds")
    ///     .cumulative()
    /// });
    /// ```
    pub fn buckets(
        self,
        name: impl Into<String>,
        cutoffs: impl IntoIterator<Item = f64>,
        labels: impl FnOnce(Series) -> Series,
    ) -> Schema {
        let series = Series::buckets(cutoffs);
        let of = series.of.clone();
        self.field(name, Kind::Series(Series { of, ..labels(series) }))
    }

    /// Metrics that there are already, by their names: each becomes a [`series`](Schema::series), of
    /// counters or of gauges, with the metric's name for a key, wherever the section is.
    ///
    /// ```
    /// use callhome::{Schema, Series};
    ///
    /// let schema = Schema::new("proxy").section("metrics", |s| {
    ///     s.metrics([
    ///         ("http_connections", Series::gauge()),
    ///         ("http_requests_total", Series::counter().values("status", ["ok", "failed"])),
    ///     ])
    /// });
    /// ```
    pub fn metrics<N: Into<String>>(
        self,
        metrics: impl IntoIterator<Item = (N, Series)>,
    ) -> Schema {
        metrics.into_iter().fold(self, |schema, (name, series)| {
            let name = name.into();
            schema.field(name.clone(), Kind::Series(series)).metric(name)
        })
    }

    /// Errors, counted by the kind that the label `kind` gives, which should be one of these; others
    /// count as `__other__`. What an error says never leaves.
    ///
    /// It is short for `series(name, |s| s.values("kind", kinds).others())`:
    /// `counter!("errors", "kind" => "timeout").increment(1)`.
    pub fn errors<V: Into<String>>(
        self,
        name: impl Into<String>,
        kinds: impl IntoIterator<Item = V>,
    ) -> Schema {
        self.series(name, |s| s.values("kind", kinds).others())
    }

    /// The metric that feeds the last field, when it is not named like the field's dotted path.
    /// Several fields of one kind may listen to one metric.
    pub fn metric(self, metric: impl Into<String>) -> Schema {
        self.last("metric", |field| field.metric = Some(metric.into()))
    }

    /// Restricts the last field to keys with this label; right after a section, all fields in it that
    /// are fed by metrics. May be said more than once. Labels that are not named here are ignored:
    /// the field covers all their values.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Schema {
        let (key, value) = (key.into(), value.into());
        let is_section = match self.nodes.last_mut() {
            Some(Node::Section(section)) => section.restrict(&key, &value),
            _ => false,
        };
        if is_section {
            return self;
        }
        self.last("label", |field| field.labels.push((key, value)))
    }

    /// Restricts all fields that are fed by metrics, and says whether there is one.
    fn restrict(&mut self, key: &str, value: &str) -> bool {
        let restricted = self.nodes.iter_mut().map(|node| match node {
            Node::Section(section) => section.restrict(key, value),
            Node::Field(field) if field.kind.class().is_none() => false,
            Node::Field(field) => {
                field.labels.push((key.to_owned(), value.to_owned()));
                true
            }
        });
        restricted.fold(false, |any, one| any | one)
    }
}
