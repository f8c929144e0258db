//! The thread's own handles, by key.
//!
//! The macros of the facade ask for a handle at every call, and drop it at the end of the line.
//! Here each thread keeps handles of its own, found by the key's precomputed hash: a call takes
//! no lock, and the reference counts that go up and down are no other thread's.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Weak};

use metrics::Key;

use crate::handle::{self, Handle, Made};
use crate::registry::Registry;

/// The handles a thread keeps of one registry.
pub(crate) struct Kept {
    id: u64,
    /// Only tells whether the registry is still there; a strong reference would keep it.
    registry: Weak<Registry>,
    counters: Map<metrics::Counter>,
    gauges: Map<metrics::Gauge>,
    histograms: Map<metrics::Histogram>,
}

type Map<H> = HashMap<Key, Entry<H>, BuildHasherDefault<KeyHash>>;

/// What a key turned out to be.
#[derive(Clone)]
pub(crate) enum Entry<H> {
    Handle(H),
    Undeclared,
    Mismatched,
}

thread_local! {
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// A handle that is kept, and where.
pub(crate) trait Keep: Handle + 'static {
    fn map(kept: &Kept) -> &Map<Self>;
    fn map_mut(kept: &mut Kept) -> &mut Map<Self>;
}

macro_rules! keep {
    ($($handle:ty => $map:ident;)*) => {$(
        impl Keep for $handle {
            #[inline]
            fn map(kept: &Kept) -> &Map<Self> {
                &kept.$map
            }

            fn map_mut(kept: &mut Kept) -> &mut Map<Self> {
                &mut kept.$map
            }
        }
    )*};
}

keep! {
    metrics::Counter => counters;
    metrics::Gauge => gauges;
    metrics::Histogram => histograms;
}

/// The calling thread's handle for `key`.
#[inline]
pub(crate) fn handle<H: Keep>(registry: &Arc<Registry>, key: &Key) -> H {
    let id = registry.id();
    // Neither a thread that is ending nor an allocator that records while this very cache grows
    // can look into it. They get a handle of their own, made anew.
    let known = KEPT.try_with(|kept| {
        let kept = kept.try_borrow().ok()?;
        H::map(kept.iter().find(|kept| kept.id == id)?).get(key).cloned()
    });
    match known {
        Ok(Some(Entry::Handle(handle))) => handle,
        Ok(Some(Entry::Undeclared)) => {
            registry.tallies().undeclared.add(1);
            H::noop()
        }
        Ok(Some(Entry::Mismatched)) => {
            registry.tallies().mismatched.add(1);
            H::noop()
        }
        Ok(None) | Err(_) => make(registry, key),
    }
}

#[cold]
fn make<H: Keep>(registry: &Arc<Registry>, key: &Key) -> H {
    let (entry, handle) = match handle::make::<H>(registry, key) {
        Made::Once(handle) => return handle,
        Made::Kept(handle) => (Entry::Handle(handle.clone()), handle),
        Made::Undeclared => {
            registry.tallies().undeclared.add(1);
            (Entry::Undeclared, H::noop())
        }
        Made::Mismatched => {
            registry.tallies().mismatched.add(1);
            (Entry::Mismatched, H::noop())
        }
    };
    // A failure to keep it costs time at the next call, nothing else.
    let _ = KEPT.try_with(|kept| {
        kept.try_borrow_mut().map(|mut kept| keep(&mut kept, registry, key, entry))
    });
    handle
}

fn keep<H: Keep>(kept: &mut Vec<Kept>, registry: &Arc<Registry>, key: &Key, entry: Entry<H>) {
    let position = kept.iter().position(|kept| kept.id == registry.id()).unwrap_or_else(|| {
        // A new registry is the occasion to let go of those that are gone.
        kept.retain(|kept| kept.registry.strong_count() > 0);
        kept.push(Kept {
            id: registry.id(),
            registry: Arc::downgrade(registry),
            counters: Map::default(),
            gauges: Map::default(),
            histograms: Map::default(),
        });
        kept.len() - 1
    });
    let Some(kept) = kept.get_mut(position) else { return };
    let map = H::map_mut(kept);
    // There are as many keys as fields, unless labels that the schema ignores make more of them;
    // those must not fill the memory.
    if map.len() >= 4 * registry.plan().leaves.len() + 256 {
        map.clear();
    }
    map.insert(key.to_retained(), entry);
}

/// Passes the key's own hash on; the multiplication spreads it over the high bits, which the
/// hash map looks at first.
#[derive(Default)]
pub(crate) struct KeyHash(u64);

impl Hasher for KeyHash {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3); // FNV-1a
        }
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
