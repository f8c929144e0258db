//! Settings: one table of defaults, their checks, and the wiring.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use metrics_util::layers::FanoutBuilder;

use crate::callhome::CallHome;
use crate::clock::Clock;
use crate::delivery::{Batching, Limits};
use crate::error::Error;
use crate::host::HostFacts;
use crate::host::identity::{ClusterSource, KeySource};
use crate::schema::Schema;
use crate::sink::Sink;
use crate::switch::Switch;

mod artefact;
mod attach;
mod delivery;
mod events;
mod ids;
mod switch;
mod wire;

/// The defaults of all settings that have one.
mod defaults {
    use std::time::Duration;

    pub(super) const EVERY: Duration = Duration::from_secs(4 * 60 * 60);
    pub(super) const FIRST_AFTER: Duration = Duration::from_secs(10 * 60);
    pub(super) const SAMPLE_EVERY: Duration = Duration::from_secs(2);
    pub(super) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
    pub(super) const MAX_ATTEMPTS: u32 = 4;
    pub(super) const MAX_PENDING: usize = 64;
    pub(super) const MAX_PENDING_BYTES: usize = 4 << 20;
    pub(super) const MAX_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    pub(super) const MAX_BODY: usize = 1 << 20;
    pub(super) const MAX_EVENTS: usize = 1000;
}

/// Settings of an aggregator, from [`CallHome::builder`].
///
/// Nothing is checked before [`build`](Builder::build) or [`install`](Builder::install).
#[must_use = "a builder does nothing until `build` or `install`"]
pub struct Builder {
    schema: Schema,
    events: Vec<Schema>,
    sink: Option<Result<Box<dyn Sink>, Error>>,
    every: Duration,
    first_after: Option<Duration>,
    spread: Option<Duration>,
    sample_every: Duration,
    limits: Limits,
    spool: Option<PathBuf>,
    switch: Switch,
    cluster: ClusterSource,
    cluster_id_period: Option<Duration>,
    key: KeySource,
    instance: Option<String>,
    host: Option<HostFacts>,
    clock: Option<Arc<dyn Clock>>,
    beside: Option<FanoutBuilder>,
    bare: bool,
    local_file: Option<PathBuf>,
}

impl CallHome {
    /// Starts the settings of an aggregator that reports the fields of `schema`.
    pub fn builder(schema: Schema) -> Builder {
        Builder {
            schema,
            events: Vec::new(),
            sink: None,
            every: defaults::EVERY,
            first_after: None,
            spread: None,
            sample_every: defaults::SAMPLE_EVERY,
            limits: Limits {
                reports: defaults::MAX_PENDING,
                bytes: defaults::MAX_PENDING_BYTES,
                age: defaults::MAX_AGE,
                body: defaults::MAX_BODY,
                attempts: defaults::MAX_ATTEMPTS,
                attempt: defaults::ATTEMPT_TIMEOUT,
                batching: Batching::single(defaults::MAX_EVENTS),
            },
            spool: None,
            switch: Switch::default(),
            cluster: ClusterSource::Ephemeral,
            cluster_id_period: None,
            key: KeySource::Ephemeral,
            instance: None,
            host: None,
            clock: None,
            beside: None,
            bare: false,
            local_file: None,
        }
    }
}

impl Builder {
    /// Reports go to this URL, by POST. It must be `https` unless it is on this machine; for
    /// other settings give an [`HttpSink`](crate::sink::HttpSink) to [`sink`](Builder::sink).
    #[cfg(feature = "http")]
    pub fn endpoint(mut self, url: &str) -> Builder {
        let sink = crate::sink::HttpSink::new(url);
        let sink = sink.map(|sink| Box::new(sink) as Box<dyn Sink>);
        self.sink = Some(sink.map_err(|error| Error::config(format!("`endpoint`: {error}"))));
        self
    }

    /// Reports go to this sink. There is one sink; the last one given counts.
    pub fn sink(mut self, sink: impl Sink + 'static) -> Builder {
        self.sink = Some(Ok(Box::new(sink)));
        self
    }

    /// Facts about the machine, instead of what [`HostFacts::detect`] finds; for tests and
    /// samples.
    pub fn host(mut self, facts: HostFacts) -> Builder {
        self.host = Some(facts);
        self
    }

    /// Where time comes from, instead of the system's clocks; for tests.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Builder {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Installs this recorder too: each metric goes to both. May be said more than once. It is
    /// installed even when the switch says no; [`build`](Builder::build) ignores it.
    pub fn beside<R>(mut self, recorder: R) -> Builder
    where
        R: metrics::Recorder + Sync + 'static,
    {
        self.beside = Some(self.beside.unwrap_or_default().add_recorder(recorder));
        self
    }

    /// Sends the data alone, without the envelope around it: no id, no window, no losses. The
    /// receiver then knows a report that came twice only by what the sink tells it
    /// ([`HttpSink`](crate::sink) sends the id as `Idempotency-Key`).
    ///
    /// The envelope is an object of `report_id` (a random UUID), `sequence` (from 1, counted by
    /// the process), `schema_id` (the schema's name, version and
    /// a hash of its fields, as in `shop@1+fa49c307fb1d3642`), `library` (as in `callhome/0.1.0`),
    /// `window_start` and
    /// `window_end` (RFC 3339, UTC, microseconds), `window_seconds` (the length by the monotonic
    /// clock), `merged`, `losses` and `data`.
    ///
    /// It has ids only of a schema that declares them, so that the receiver finds them at one
    /// place: `instance` where the schema has an [`instance_id`](Schema::instance_id), and
    /// `installation` where it has a [`cluster_id`](Schema::cluster_id), null if the application
    /// knows none or the id ends with the process.
    ///
    /// `merged` has the ids of the windows before this one that could not be delivered and are part
    /// of it, oldest first, the latest 128 of them: the window then begins where the first of them
    /// did.
    ///
    /// `losses` has a count for each reason there was. Of values: `refused_values` (NaN,
    /// infinities, samples that no bucket takes), `undeclared_metrics` and `mismatched_metrics`
    /// (registrations of a name, or of labels, that the schema does not have, or has as another
    /// kind), `failed_functions`, `capped_values` (records under `__other__`: their label had as
    /// many values as it may), `undeclared_values` (given to a section by its function). Of detail:
    /// `dropped_details` (buckets, histograms and registers for which the report had no room, see
    /// [`max_body`](Builder::max_body)). Of windows that will not arrive: `reports_refused` (the
    /// receiver would never have taken them), `reports_overflowed` (too many waited),
    /// `reports_expired` (they waited for too long), `reports_set_aside` (files of the spool that
    /// were not whole).
    pub fn bare(mut self) -> Builder {
        self.bare = true;
        self
    }
}
