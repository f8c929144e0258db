//! The facade's recorder.

use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};

use crate::cache;
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
        cache::handle(&self.registry, key)
    }

    #[inline]
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        cache::handle(&self.registry, key)
    }

    #[inline]
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        cache::handle(&self.registry, key)
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("schema", &self.registry.plan().name).finish()
    }
}
