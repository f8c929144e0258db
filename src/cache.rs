//! The thread's own handles, by key.
//!
//! The macros of the facade ask for a handle at every call, and drop it at the end of the line.
//! Here each thread keeps handles of its own, found by the key's precomputed hash: a call takes
//! no lock, and the reference counts that go up and down are no other thread's. A thread that
//! ends hands its handles to one that starts, so a short one need not make any.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use hashbrown::HashTable;
use metrics::Key;
use parking_lot::Mutex;

use crate::cell;
use crate::handle::{self, Handle, Made};
use crate::registry::Registry;

/// The handles a thread keeps.
struct Kept(Vec<OfRegistry>);

/// Those of one registry.
pub(crate) struct OfRegistry {
    /// Tells whether the registry is still there; a strong reference would keep it. While this is
    /// here, no other registry can have its address.
    registry: Weak<Registry>,
    counters: Map<metrics::Counter>,
    gauges: Map<metrics::Gauge>,
    histograms: Map<metrics::Histogram>,
    /// Handles of distinct fields, by the hash of the value and the address of the cell. Not by
    /// key: that would keep the value.
    sightings: HashTable<(u64, usize, metrics::Counter)>,
}

impl OfRegistry {
    #[inline]
    fn is_of(&self, registry: &Arc<Registry>) -> bool {
        std::ptr::eq(self.registry.as_ptr(), Arc::as_ptr(registry))
    }
}

type Map<H> = HashTable<(Key, H)>;

/// Values of distinct fields that a thread remembers. Past that it starts over.
const SIGHTINGS: usize = 1024;

/// The handles of threads that have ended.
static LEFT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

thread_local! {
    static KEPT: RefCell<Kept> = const { RefCell::new(Kept(Vec::new())) };
}

impl Kept {
    /// Lets go of registries that are gone, and with them of the cells their handles hold.
    fn tidy(&mut self) {
        self.0.retain(|of| of.registry.strong_count() > 0);
    }

    /// The handles of a registry, if there are any.
    fn find(&self, registry: &Arc<Registry>) -> Option<&OfRegistry> {
        self.0.iter().find(|of| of.is_of(registry))
    }

    /// The handles of a registry. The first time, takes over what another thread has left.
    fn of(&mut self, registry: &Arc<Registry>) -> Option<&mut OfRegistry> {
        if self.0.is_empty() {
            self.0 =
                LEFT.lock().pop().map(|mut left| std::mem::take(&mut left.0)).unwrap_or_default();
        }
        if self.find(registry).is_none() {
            self.tidy();
            self.0.push(OfRegistry {
                registry: Arc::downgrade(registry),
                counters: Map::new(),
                gauges: Map::new(),
                histograms: Map::new(),
                sightings: HashTable::new(),
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

/// A sort of handle that is kept, and where.
pub(crate) trait Keep: Handle + 'static {
    fn map(of: &OfRegistry) -> &Map<Self>;
    fn map_mut(of: &mut OfRegistry) -> &mut Map<Self>;

    /// The handle for a value of a distinct field that this thread has seen before.
    fn again(_: &Arc<Registry>, _: &Key) -> Option<Self> {
        None
    }

    /// Keeps this handle for a value of a distinct field.
    fn first(&self, _: &Arc<Registry>, _: &Key) {}
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
    metrics::Counter => counters {
        fn again(registry: &Arc<Registry>, key: &Key) -> Option<Self> {
            seen_again(registry, key)
        }

        fn first(&self, registry: &Arc<Registry>, key: &Key) {
            seen_first(registry, key, self);
        }
    }
    metrics::Gauge => gauges {}
    metrics::Histogram => histograms {}
}

/// The calling thread's handle for `key`.
#[inline]
pub(crate) fn handle<H: Keep>(registry: &Arc<Registry>, key: &Key) -> H {
    let kept = KEPT.try_with(|kept| {
        let kept = kept.try_borrow().ok()?;
        let map = H::map(kept.find(registry)?);
        map.find(spread(key), |(other, _)| same(key, other)).map(|(_, handle)| handle.clone())
    });
    match kept {
        Ok(Some(handle)) => handle,
        Ok(None) | Err(_) if registry.lacks(key) => {
            registry.tallies().undeclared.add(1);
            H::noop()
        }
        Ok(None) | Err(_) => H::again(registry, key).unwrap_or_else(|| make(registry, key)),
    }
}

/// The thread's handle for a value of a distinct field that it has seen before.
#[inline(never)]
fn seen_again(registry: &Arc<Registry>, key: &Key) -> Option<metrics::Counter> {
    let (cell, hash) = registry.sighting(key)?;
    let address = Arc::as_ptr(cell) as usize;
    let find = |kept: &RefCell<Kept>| {
        let kept = kept.try_borrow().ok()?;
        let sightings = &kept.find(registry)?.sightings;
        let found = sightings.find(hash, |(other, at, _)| (*other, *at) == (hash, address));
        found.map(|(_, _, handle)| handle.clone())
    };
    KEPT.try_with(find).ok().flatten()
}

/// Keeps the handle for a value of a distinct field that is seen for the first time.
fn seen_first(registry: &Arc<Registry>, key: &Key, handle: &metrics::Counter) {
    let Some((cell, hash)) = registry.sighting(key) else { return };
    let entry = (hash, Arc::as_ptr(cell) as usize, handle.clone());
    let _ = KEPT.try_with(|kept| {
        let mut kept = kept.try_borrow_mut().ok()?;
        let sightings = &mut kept.of(registry)?.sightings;
        if sightings.len() >= SIGHTINGS {
            sightings.clear();
        }
        sightings.insert_unique(hash, entry, |(hash, ..)| *hash);
        Some(())
    });
}

/// The key's own hash, spread over the high bits, which a hash table looks at first.
#[inline]
fn spread(key: &Key) -> u64 {
    key.get_hash().wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Whether two keys are equal. A literal key of the macros is a static, so mostly they even are
/// the same place in memory, which is quicker to see than that they say the same.
#[inline]
fn same(key: &Key, other: &Key) -> bool {
    let (labels, others) = (key.labels().as_slice(), other.labels().as_slice());
    (std::ptr::eq(key.name(), other.name()) && std::ptr::eq(labels, others)) || key == other
}

/// Makes a handle, and keeps it for the next call.
#[cold]
fn make<H: Keep>(registry: &Arc<Registry>, key: &Key) -> H {
    if cell::is_aside() {
        // An allocator that uses the macros would come here again for each handle it makes.
        registry.tallies().refused.add(1);
        return H::noop();
    }
    cell::aside(|| {
        let handle = match handle::make::<H>(registry, key) {
            Made::Kept(handle) => handle,
            Made::Once(handle) => {
                handle.first(registry, key);
                return handle;
            }
            Made::Undeclared => {
                registry.tallies().undeclared.add(1);
                return H::noop();
            }
            Made::Mismatched => {
                registry.tallies().mismatched.add(1);
                return H::noop();
            }
        };
        // A thread that is ending keeps nothing; its next call makes another.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.try_borrow_mut().ok()?;
            let map = H::map_mut(kept.of(registry)?);
            // There are as many keys as fields, unless labels that the schema ignores make more
            // of them; those must not fill the memory.
            if map.len() >= 4 * registry.plan().leaves.len() + 256 {
                map.clear();
            }
            let entry = (key.to_retained(), handle.clone());
            map.insert_unique(spread(key), entry, |(key, _)| spread(key));
            Some(())
        });
        handle
    })
}
