//! What a thread keeps, and what becomes of it when the thread ends.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use metrics::{Counter, Gauge, Histogram, Key};
use parking_lot::Mutex;

use super::map::{Map, Place};
use super::sightings::Sightings;
use crate::cell;
use crate::handle::Handle;
use crate::registry::Registry;

/// The handles a thread keeps.
pub(super) struct Kept(Vec<OfRegistry>);

/// Those of one registry.
pub(crate) struct OfRegistry {
    /// Tells whether the registry is still there; a strong reference would keep it. While this is
    /// here, no other registry can have its address.
    registry: Weak<Registry>,
    /// That address, which is quicker to compare.
    address: usize,
    counters: Map<Counter>,
    gauges: Map<Gauge>,
    histograms: Map<Histogram>,
    sightings: Sightings<Counter>,
}

/// The handles of threads that have ended.
static LEFT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

thread_local! {
    pub(super) static KEPT: RefCell<Kept> = const { RefCell::new(Kept(Vec::new())) };
}

impl Kept {
    /// Lets go of registries that are gone, and with them of the cells their handles hold.
    fn tidy(&mut self) {
        self.0.retain(|of| of.registry.strong_count() > 0);
    }

    /// The handles of a registry, if there are any.
    #[inline]
    pub(super) fn find(&self, registry: &Arc<Registry>) -> Option<&OfRegistry> {
        self.0.iter().find(|of| of.is_of(registry))
    }

    /// The handles of a registry. The first time, takes over what another thread has left.
    pub(super) fn of(&mut self, registry: &Arc<Registry>) -> Option<&mut OfRegistry> {
        if self.0.is_empty() {
            let left = LEFT.lock().pop();
            self.0 = left.map(|mut left| std::mem::take(&mut left.0)).unwrap_or_default();
        }
        if self.find(registry).is_none() {
            self.tidy();
            self.0.push(OfRegistry {
                registry: Arc::downgrade(registry),
                address: Arc::as_ptr(registry) as usize,
                counters: Map::new(),
                gauges: Map::new(),
                histograms: Map::new(),
                sightings: Sightings::new(),
            });
        }
        self.0.iter_mut().find(|of| of.is_of(registry))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.tidy();
        if !self.0.is_empty() {
            let left = Kept(std::mem::take(&mut self.0));
            cell::aside(|| LEFT.lock().push(left));
        }
    }
}

impl OfRegistry {
    #[inline]
    fn is_of(&self, registry: &Arc<Registry>) -> bool {
        self.address == Arc::as_ptr(registry) as usize
    }

    /// The handle for a key, if there is one.
    pub(super) fn find<H: Keep>(&self, key: &Key) -> Option<H> {
        let place = Place::of(key);
        let seen = || H::sightings(self)?.find(key, place);
        H::map(self).find(key, place).or_else(seen).cloned()
    }

    /// Keeps a handle; without the key if it has the value of a distinct field.
    pub(super) fn keep<H: Keep>(
        &mut self,
        registry: &Registry,
        key: &Key,
        handle: &H,
        once: bool,
    ) -> Option<()> {
        if !once {
            // There are as many keys as handles, unless labels that the schema ignores make more
            // of them; those must not fill the memory.
            let most = 4 * registry.handles() + 256;
            H::map_mut(self).insert(key, handle.clone(), most);
        } else if registry.is_sighting(key) {
            H::sightings_mut(self)?.insert(key, handle.clone());
        }
        Some(())
    }
}

/// A sort of handle that is kept, and where.
pub(crate) trait Keep: Handle + 'static {
    fn map(of: &OfRegistry) -> &Map<Self>;
    fn map_mut(of: &mut OfRegistry) -> &mut Map<Self>;

    /// Handles for values of distinct fields, if this is the sort that they have.
    fn sightings(_: &OfRegistry) -> Option<&Sightings<Self>> {
        None
    }

    fn sightings_mut(_: &mut OfRegistry) -> Option<&mut Sightings<Self>> {
        None
    }
}

macro_rules! keep {
    ($($handle:ty => $map:ident { $($more:tt)* })*) => {$(
        impl Keep for $handle {
            #[inline]
            fn map(of: &OfRegistry) -> &Map<Self> {
                &of.$map
            }

            fn map_mut(of: &mut OfRegistry) -> &mut Map<Self> {
                &mut of.$map
            }

            $($more)*
        }
    )*};
}

keep! {
    Counter => counters {
        fn sightings(of: &OfRegistry) -> Option<&Sightings<Self>> {
            Some(&of.sightings)
        }

        fn sightings_mut(of: &mut OfRegistry) -> Option<&mut Sightings<Self>> {
            Some(&mut of.sightings)
        }
    }
    Gauge => gauges {}
    Histogram => histograms {}
}
