//! What a thread keeps, and what becomes of it when the thread ends.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use metrics::{Counter, Gauge, Histogram, Key};
use parking_lot::Mutex;

use super::map::{Map, Place};
use super::sightings::Sightings;
use crate::cell;
use crate::handle::Handle;
use crate::routes::{Present, Routes};

/// The handles a thread keeps.
pub(super) struct Kept(Vec<OfRoutes>);

/// Those of one recorder.
pub(crate) struct OfRoutes {
    /// Tells whether the recorder is still there; a strong reference would keep it. While this is
    /// here, no other can have its address.
    routes: Weak<Routes>,
    /// That address, which is quicker to compare.
    address: usize,
    /// How often the recorder's reports had changed when the handles were made.
    changes: usize,
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

/// Lets go of what ended threads have left for reports that are gone.
pub(crate) fn tidy() {
    let mut left = cell::aside(|| std::mem::take(&mut *LEFT.lock()));
    // Without the lock: what goes may record.
    left.iter_mut().for_each(Kept::tidy_all);
    left.retain(|kept| !kept.0.is_empty());
    cell::aside(|| LEFT.lock().extend(left));
}

impl Kept {
    /// Lets go of recorders that are gone, and with them of the cells their handles hold.
    fn tidy(&mut self) {
        self.0.retain(|of| of.routes.strong_count() > 0);
    }

    /// Also of handles that are not good any more: they hold the cells of reports that are gone.
    /// Not to be called while a thread's handles are borrowed: a recorder may end here.
    fn tidy_all(&mut self) {
        let is_good = |of: &OfRoutes, routes: Arc<Routes>| of.changes == routes.changes();
        self.0.retain(|of| of.routes.upgrade().is_some_and(|routes| is_good(of, routes)));
    }

    /// The handles of a recorder, if there are any that are good.
    #[inline]
    pub(super) fn find(&self, routes: &Arc<Routes>) -> Option<&OfRoutes> {
        self.0.iter().find(|of| of.is_of(routes))
    }

    /// The handles of a recorder. The first time, takes over what another thread has left.
    pub(super) fn of(&mut self, routes: &Arc<Routes>) -> Option<&mut OfRoutes> {
        if self.0.is_empty() {
            let left = LEFT.lock().pop();
            self.0 = left.map(|mut left| std::mem::take(&mut left.0)).unwrap_or_default();
        }
        if self.find(routes).is_none() {
            self.tidy();
            let (address, changes) = (Arc::as_ptr(routes) as usize, routes.changes());
            self.0.retain(|of| of.address != address);
            self.0.push(OfRoutes {
                routes: Arc::downgrade(routes),
                address,
                changes,
                counters: Map::new(),
                gauges: Map::new(),
                histograms: Map::new(),
                sightings: Sightings::new(),
            });
        }
        self.0.iter_mut().find(|of| of.is_of(routes))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.tidy_all();
        if !self.0.is_empty() {
            let left = Kept(std::mem::take(&mut self.0));
            cell::aside(|| LEFT.lock().push(left));
        }
    }
}

impl OfRoutes {
    #[inline]
    fn is_of(&self, routes: &Arc<Routes>) -> bool {
        self.address == Arc::as_ptr(routes) as usize && self.changes == routes.changes()
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
        present: &Present,
        key: &Key,
        handle: &H,
        once: bool,
    ) -> Option<()> {
        if present.changes() != self.changes {
            return None; // a report has come or gone since the handle was made
        }
        if !once {
            // There are as many keys as handles, unless labels that the schema ignores make more
            // of them; those must not fill the memory.
            let most = 4 * present.handles() + 256;
            H::map_mut(self).insert(key, handle.clone(), most);
        } else if present.is_sighting(H::CLASS, key) {
            H::sightings_mut(self)?.insert(key, handle.clone());
        }
        Some(())
    }
}

/// A sort of handle that is kept, and where.
pub(crate) trait Keep: Handle + 'static {
    fn map(of: &OfRoutes) -> &Map<Self>;
    fn map_mut(of: &mut OfRoutes) -> &mut Map<Self>;

    /// Handles for values of distinct fields, if this is the sort that they have.
    fn sightings(_: &OfRoutes) -> Option<&Sightings<Self>> {
        None
    }

    fn sightings_mut(_: &mut OfRoutes) -> Option<&mut Sightings<Self>> {
        None
    }
}

macro_rules! keep {
    ($($handle:ty => $map:ident { $($more:tt)* })*) => {$(
        impl Keep for $handle {
            #[inline]
            fn map(of: &OfRoutes) -> &Map<Self> {
                &of.$map
            }

            fn map_mut(of: &mut OfRoutes) -> &mut Map<Self> {
                &mut of.$map
            }

            $($more)*
        }
    )*};
}

keep! {
    Counter => counters {
        fn sightings(of: &OfRoutes) -> Option<&Sightings<Self>> {
            Some(&of.sightings)
        }

        fn sightings_mut(of: &mut OfRoutes) -> Option<&mut Sightings<Self>> {
            Some(&mut of.sightings)
        }
    }
    Gauge => gauges {}
    Histogram => histograms {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;
    use crate::schema::{Plan, Schema};

    #[test]
    fn what_ended_threads_have_left_goes_with_the_report() {
        let plan = Plan::new(Schema::new("s").counter("n")).expect("a good schema");
        let registry = Arc::new(Registry::new(plan));
        let routes = Arc::new(Routes::new(Arc::clone(&registry)));
        routes.add(&registry);
        let record = || {
            let handle: Counter = crate::cache::handle(&routes, &Key::from_static_name("n"));
            handle.increment(1);
        };
        for ends_before in [true, false] {
            std::thread::scope(|scope| {
                let thread = scope.spawn(record);
                if ends_before {
                    assert!(thread.join().is_ok());
                }
                routes.remove(&registry);
                tidy();
                routes.add(&registry);
            });
            routes.remove(&registry);
            tidy();
            let is_it = |of: &&OfRoutes| of.address == Arc::as_ptr(&routes) as usize;
            let left = LEFT.lock().iter().flat_map(|kept| &kept.0).filter(is_it).count();
            assert_eq!(left, 0);
            routes.add(&registry);
        }
    }
}
