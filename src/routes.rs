//! Which reports a metric records to: the registries behind one recorder.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use metrics::Key;
use parking_lot::RwLock;

use crate::cell;
use crate::handle::{self, Handle, Made};
use crate::registry::Registry;
use crate::schema::Class;

/// The words of the names' bits: so many that of a thousand names' bits most names that are not
/// declared meet none. A fixed number, which a look-up need not read.
const WORDS: usize = 1024;

/// The registries that one recorder feeds, one for each report that is made of what it takes in.
///
/// They come and go while the program runs. A thread that has a handle for a key only looks whether
/// the list has changed since it made it, so recording takes no lock. All who record read it, so it
/// shares no cache line with what is written.
#[repr(align(128))]
pub(crate) struct Routes {
    /// The one that the recorder was made for. What no report declares is counted there.
    first: Arc<Registry>,
    /// Read to make a handle, written when a report comes or goes.
    registries: RwLock<Arc<[Arc<Registry>]>>,
    /// Whether there are none. Written with the list, read by every registration; it publishes
    /// nothing.
    empty: AtomicBool,
    /// How often the list has changed. Its release publishes the list to whoever makes a handle for
    /// the new number.
    changes: AtomicUsize,
    /// A bit is set for the hint of each name that a registry declares. Bits stay when a registry
    /// goes: they only say where it is worth looking.
    declared: [AtomicU64; WORDS],
}

/// The registries at one moment.
pub(crate) struct Present {
    registries: Arc<[Arc<Registry>]>,
    changes: usize,
}

impl Routes {
    /// The routes of a recorder that is made for `first`, which is not among them yet.
    pub(crate) fn new(first: Arc<Registry>) -> Routes {
        Routes {
            first,
            registries: RwLock::new(Arc::new([])),
            empty: AtomicBool::new(true),
            changes: AtomicUsize::new(0),
            declared: [const { AtomicU64::new(0) }; WORDS],
        }
    }

    /// From now on the macros record to this registry too.
    pub(crate) fn add(&self, registry: &Arc<Registry>) {
        for name in registry.plan().feeds.keys() {
            let (word, bit) = bit(name);
            self.declared[word].fetch_or(bit, Ordering::Relaxed);
        }
        registry.collect(true);
        if registry.plan().leaves.is_empty() {
            return; // one that has events alone
        }
        self.change(|list| list.push(Arc::clone(registry)));
    }

    /// From now on they do not.
    pub(crate) fn remove(&self, registry: &Arc<Registry>) {
        registry.collect(false);
        self.change(|list| list.retain(|other| !Arc::ptr_eq(other, registry)));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Registry>>)) {
        // What an allocator records in here finds no lock to wait for.
        cell::aside(|| {
            let mut registries = self.registries.write();
            let mut list = registries.to_vec();
            change(&mut list);
            self.empty.store(list.is_empty(), Ordering::Relaxed);
            let before = std::mem::replace(&mut *registries, list.into());
            self.changes.fetch_add(1, Ordering::Release);
            drop(registries);
            drop(before);
        });
    }

    /// Whether nothing is recorded at all.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.empty.load(Ordering::Relaxed)
    }

    /// How often the list has changed: a handle is good as long as this stays the same.
    #[inline]
    pub(crate) fn changes(&self) -> usize {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether certainly no report has the metric of this name: a look at one bit.
    #[inline]
    pub(crate) fn lacks(&self, name: &str) -> bool {
        let (word, bit) = bit(name);
        self.declared[word].load(Ordering::Relaxed) & bit == 0
    }

    pub(crate) fn first(&self) -> &Registry {
        &self.first
    }

    pub(crate) fn present(&self) -> Present {
        let registries = self.registries.read();
        Present { changes: self.changes(), registries: Arc::clone(&registries) }
    }
}

impl Present {
    /// How often the list had changed.
    pub(crate) fn changes(&self) -> usize {
        self.changes
    }

    /// A handle that records to every report that declares the metric. Those that have it as
    /// another kind count that.
    pub(crate) fn make<H: Handle>(&self, key: &Key) -> Made<H> {
        let (mut handles, mut once, mut mismatched) = (Vec::new(), false, false);
        for registry in self.registries.iter() {
            match handle::make(registry, key) {
                Made::Kept(handle) => handles.push(handle),
                Made::Once(handle) => {
                    once = true;
                    handles.push(handle);
                }
                Made::Undeclared => {}
                Made::Mismatched => {
                    registry.tallies().mismatched.add(1);
                    mismatched = true;
                }
            }
        }
        match handles.is_empty() {
            true if mismatched => Made::Mismatched,
            true => Made::Undeclared,
            // Each registration counts a mismatch, so each asks again.
            false if once || mismatched => Made::Once(H::all(handles)),
            false => Made::Kept(H::all(handles)),
        }
    }

    /// Whether a key of this metric records, in each report that has the metric, to distinct fields
    /// and counters of any labels, and to nothing else.
    pub(crate) fn is_sighting(&self, class: Class, key: &Key) -> bool {
        let mut having =
            self.registries.iter().filter(|of| of.plan().feeds.contains_key(key.name()));
        having.all(|registry| registry.is_sighting(class, key))
    }

    /// How many different handles record to them at most, values of distinct counts aside.
    pub(crate) fn handles(&self) -> usize {
        self.registries.iter().map(|registry| registry.handles()).sum()
    }
}

/// Where a name's bit is: the word, and the bit in it.
///
/// The key's own hash would not do: it is also that of its labels. The first and the last eight
/// bytes and the length tell most names apart, and take no time to read.
#[inline]
fn bit(name: &str) -> (usize, u64) {
    let ends = match (name.as_bytes().first_chunk::<8>(), name.as_bytes().last_chunk::<8>()) {
        (Some(head), Some(tail)) => {
            u64::from_le_bytes(*head).rotate_left(29) ^ u64::from_le_bytes(*tail)
        }
        _ => name.bytes().fold(0, |ends, byte| ends << 8 | u64::from(byte)),
    };
    let hash = (ends ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((hash >> 32) as usize % WORDS, 1 << (hash >> 58))
}

#[cfg(test)]
mod tests {
    use metrics::Label;

    use super::*;
    use crate::schema::{Plan, Schema};

    #[test]
    fn a_value_is_a_sighting_where_all_reports_take_it_whatever_its_labels_are() {
        let distinct = |label| Schema::new("s").distinct("m", label);
        let cases = [
            (distinct("id"), true),
            (Schema::new("s").counter("m"), true),
            (Schema::new("s").counter("other"), true),
            (distinct("tenant"), false),
            (Schema::new("s").gauge("m"), false),
            (Schema::new("s").counter("m").label("id", "1"), false),
            (Schema::new("s").series("m", |series| series.seen("id")), false),
        ];
        let registry = |schema| Arc::new(Registry::new(Plan::new(schema).expect("a good schema")));
        let key = Key::from_parts("m", vec![Label::new("id", "1")]);
        for (at, (schema, is)) in cases.into_iter().enumerate() {
            let first = registry(distinct("id"));
            let routes = Routes::new(Arc::clone(&first));
            [first, registry(schema)].iter().for_each(|registry| routes.add(registry));
            assert_eq!(routes.present().is_sighting(Class::Counter, &key), is, "case {at}");
        }
    }
}
