//! The facade's recorder.

use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};

use crate::cache;
use crate::error::{Error, ErrorKind};
use crate::registry::Registry;

/// The recorder of one aggregator, for [`metrics::with_local_recorder`], or for a fan-out beside
/// other recorders. `Builder::install` makes one the global recorder.
///
/// A metric that the schema does not declare gets a handle that does nothing. Descriptions given
/// through the facade are ignored: the schema describes its fields.
#[derive(Clone)]
pub struct Recorder {
    registry: Arc<Registry>,
}

impl Recorder {
    pub(crate) fn new(registry: Arc<Registry>) -> Recorder {
        Recorder { registry }
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    #[inline]
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if self.registry.collects() { cache::handle(&self.registry, key) } else { Counter::noop() }
    }

    #[inline]
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        if self.registry.collects() { cache::handle(&self.registry, key) } else { Gauge::noop() }
    }

    #[inline]
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        if self.registry.collects() {
            cache::handle(&self.registry, key)
        } else {
            Histogram::noop()
        }
    }
}

/// Makes a recorder the one of the macros. It cannot be taken back.
pub(crate) fn set_global(recorder: impl metrics::Recorder + Sync + 'static) -> Result<(), Error> {
    metrics::set_global_recorder(recorder).map_err(|_| {
        let message = "there is a global metrics recorder already: install once, or install the other one through `beside`";
        Error::new(ErrorKind::Install, message)
    })
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("schema", &self.registry.plan().name).finish()
    }
}
