//! The facade's recorder.

use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, SharedString, Unit};

use crate::cache;
use crate::error::{Error, ErrorKind};
use crate::routes::Routes;

/// The recorder of one aggregator and of those attached to it, for
/// [`metrics::with_local_recorder`], or for a fan-out beside other recorders. `Builder::install`
/// makes one the global recorder.
///
/// A metric that the schema does not declare gets a handle that does nothing. Descriptions given
/// through the facade are ignored: the schema describes its fields.
#[derive(Clone)]
pub struct Recorder {
    routes: Arc<Routes>,
}

impl Recorder {
    pub(crate) fn new(routes: Arc<Routes>) -> Recorder {
        Recorder { routes }
    }
}

impl metrics::Recorder for Recorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    #[inline]
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        if self.routes.is_empty() { Counter::noop() } else { cache::handle(&self.routes, key) }
    }

    #[inline]
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        if self.routes.is_empty() { Gauge::noop() } else { cache::handle(&self.routes, key) }
    }

    #[inline]
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        if self.routes.is_empty() { Histogram::noop() } else { cache::handle(&self.routes, key) }
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
        f.debug_struct("Recorder").field("schema", &self.routes.first().plan().name).finish()
    }
}
