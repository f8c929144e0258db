//! Where values are put in a set, each once for as long as the set is not taken.

use std::hash::{BuildHasher, RandomState};

use super::shards::{Part, Shards};
use super::sync::{AtomicU64, Ordering};
use super::table;

/// A set of values.
pub(crate) trait Set: Part {
    /// All that is kept of a value.
    type Value: Copy;
    /// What is needed beside the set to put a value in.
    type Beside;

    /// What is kept of a value that has this hash under the cell's own key.
    fn value(hash: u64, value: &str) -> Self::Value;

    fn beside() -> Self::Beside;

    fn insert(&mut self, value: Self::Value, beside: &Self::Beside);

    /// Makes this the union of the two.
    fn merge(&mut self, other: Self);
}

/// A set of values that threads record to.
///
/// A value is hashed with a secret random key as it arrives (SipHash, keyed by the standard
/// library from the operating system's randomness), so the set neither holds the value nor lets
/// anybody without the key test whether a value is in it. The key lives as long as the cell and
/// is never written anywhere. A shorter life, as one per window, would leave windows that are merged
/// with sets that have no union, and values to be hashed again in each of them; what leaves, a
/// number, would be the same. A longer one would put a secret on the disk, by which values could be
/// tested; a set that has to be united with those of others has such a key besides, see
/// [`Union`](super::Union).
pub(crate) struct DistinctCell<S: Set> {
    key: RandomState,
    set: Shards<S>,
    /// Sets taken so far. Moved on by [`take`](DistinctCell::take) after it has emptied all parts:
    /// whoever reads the new number puts a value in a set that is not taken yet.
    taken: AtomicU64,
    pub(super) beside: S::Beside,
}

/// A value that one thread sees again and again: its hash, and when it was last put in the set.
pub(crate) struct Sighting<V> {
    value: V,
    /// What [`DistinctCell::taken`] was when the value was last put in; `u64::MAX` before that.
    /// Mostly read and written by one thread; by several only where a handle is lent, and then
    /// the worst that a stale value does is to put the hash in again.
    at: AtomicU64,
}

impl<V> Sighting<V> {
    /// What is kept of a value, not put in any set yet.
    pub(crate) fn new(value: V) -> Sighting<V> {
        Sighting { value, at: AtomicU64::new(u64::MAX) }
    }
}

impl<S: Set> DistinctCell<S> {
    pub(crate) fn new() -> Self {
        let (key, set, taken) = (RandomState::new(), Shards::new(), AtomicU64::new(0));
        DistinctCell { key, set, taken, beside: S::beside() }
    }

    /// The value's keyed hash, and what else the set needs: all that is kept of it.
    pub(crate) fn hash(&self, value: &str) -> S::Value {
        S::value(self.key.hash_one(value), value)
    }

    /// Puts a value whose hash was made by [`hash`](DistinctCell::hash) in the set, unless this
    /// sighting of it has done so since the last `take`. False when it comes from an allocator
    /// that records while cells are being worked at (see [`table::aside`]).
    #[inline]
    pub(crate) fn see(&self, sighting: &Sighting<S::Value>) -> bool {
        // Read before the value is put in: if a `take` comes between, the number is an old one,
        // and the next sighting puts the value in again.
        let taken = self.taken.load(Ordering::Acquire);
        sighting.at.load(Ordering::Relaxed) == taken || self.insert(sighting, taken)
    }

    #[inline(never)]
    fn insert(&self, sighting: &Sighting<S::Value>, taken: u64) -> bool {
        let possible = !table::is_aside();
        if possible {
            table::aside(|| self.set.lock(&mut 0).insert(sighting.value, &self.beside));
            sighting.at.store(taken, Ordering::Relaxed);
        }
        possible
    }

    /// The values seen since the last `take`, taken.
    pub(crate) fn take(&self) -> S {
        table::aside(|| {
            let mut whole = S::default();
            self.set.take_all().for_each(|part| whole.merge(part));
            self.taken.fetch_add(1, Ordering::Release);
            whole
        })
    }

    /// The values seen since the last `take`, left in place.
    pub(crate) fn peek(&self) -> S
    where
        S: Clone,
    {
        table::aside(|| {
            let mut whole = S::default();
            self.set.copy_all().for_each(|part| whole.merge(part));
            whole
        })
    }
}
