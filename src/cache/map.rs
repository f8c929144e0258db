//! Handles by key.

use metrics::{Key, Label};

use super::slots::Slots;

/// Handles, found by the key's own hash. The hash has a fixed seed, so keys are compared too.
pub(crate) struct Map<H> {
    entries: Vec<Entry<H>>,
    slots: Slots,
}

struct Entry<H> {
    key: Key,
    /// Where the key is. It stays there as long as the entry has it.
    address: Address,
    handle: H,
}

/// What a key says, as it is given out.
#[derive(Clone, Copy)]
pub(super) struct Place<'k> {
    pub(super) name: &'k str,
    pub(super) labels: &'k [Label],
}

impl<'k> Place<'k> {
    #[inline]
    pub(super) fn of(key: &'k Key) -> Self {
        Place { name: key.name(), labels: key.labels().as_slice() }
    }

    #[inline]
    fn address(self) -> Address {
        let Place { name, labels } = self;
        Address {
            name: name.as_ptr() as usize,
            labels: labels.as_ptr() as usize,
            lengths: [name.len(), labels.len()].map(|length| length as u32),
        }
    }
}

/// Name and labels by their place in memory. A literal key of the macros is a static, so mostly
/// two equal keys even are the same memory, which is quicker to see than that they say the same.
#[derive(PartialEq)]
struct Address {
    name: usize,
    labels: usize,
    /// Of what is at the one place and at the other; neither has four billion of anything.
    lengths: [u32; 2],
}

impl<H> Map<H> {
    pub(super) const fn new() -> Self {
        Map { entries: Vec::new(), slots: Slots::new() }
    }

    /// The handle for a key.
    #[inline]
    pub(super) fn find(&self, key: &Key, place: Place<'_>) -> Option<&H> {
        let is_it = |entry: &Entry<H>| place.address() == entry.address || *key == entry.key;
        self.slots.find(&self.entries, spread(key), is_it).map(|entry| &entry.handle)
    }

    /// Adds a handle for a key that has none. When there are `most` of them, all others go.
    pub(super) fn insert(&mut self, key: &Key, handle: H, most: usize) {
        if self.entries.len() >= most {
            self.entries.clear();
            self.slots.clear();
        }
        let key = key.to_retained();
        let address = Place::of(&key).address();
        self.entries.push(Entry { key, address, handle });
        self.slots.add_last(&self.entries, |entry| spread(&entry.key));
    }
}

/// The key's own hash, spread over the high bits, which tell the slot.
#[inline]
fn spread(key: &Key) -> u64 {
    key.get_hash().wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(at: usize) -> Key {
        Key::from_name(format!("k{at}"))
    }

    fn find(map: &Map<usize>, at: usize) -> Option<usize> {
        let key = key(at);
        map.find(&key, Place::of(&key)).copied()
    }

    #[test]
    fn every_key_is_found_and_no_other() {
        let mut map = Map::new();
        for at in 0..1000 {
            assert!(find(&map, at).is_none());
            map.insert(&key(at), at, 2000);
            assert!((0..=at).all(|at| find(&map, at) == Some(at)));
        }
    }

    #[test]
    fn it_starts_over_when_it_is_full() {
        let mut map = Map::new();
        (0..64).for_each(|at| map.insert(&key(at), at, 64));
        map.insert(&key(64), 64, 64);
        assert_eq!(find(&map, 64), Some(64));
        assert!((0..64).all(|at| find(&map, at).is_none()));
    }
}
