//! Handles for values of distinct fields that the thread has seen.

use std::hash::{BuildHasher, RandomState};

use metrics::{Key, KeyName, Label};
use rapidhash::v3::{RapidSecrets, rapidhash_v3_nano_inline};

use super::map::Place;
use super::slots::Slots;

/// Values that a thread remembers. Past that it starts over.
const MOST: usize = 1024;

/// Handles for keys with a value that must not be kept.
///
/// What is kept of such a key is the metric's name, and a hash of its labels under a secret. This
/// is not the hash that goes to the set of values, which is a SipHash and takes twice as long: it
/// only tells the values of one thread apart. Two different ones are taken for one with a
/// probability of 2^-64. Somebody who could choose values so that they are would have one of his
/// own not counted, as if he had not sent it.
///
/// The facade's own hash of the key would not do: it has no secret, and it is the same for "1" and
/// "11".
pub(crate) struct Sightings<H> {
    seen: Vec<Seen<H>>,
    slots: Slots,
    /// Drawn when there is something to hide.
    secret: Option<RapidSecrets>,
}

struct Seen<H> {
    hash: u64,
    name: KeyName,
    handle: H,
}

impl<H> Sightings<H> {
    pub(super) const fn new() -> Self {
        Sightings { seen: Vec::new(), slots: Slots::new(), secret: None }
    }

    /// The handle for a key with a value that was seen before.
    #[inline(always)]
    pub(super) fn find(&self, key: &Key, place: Place<'_>) -> Option<&H> {
        let hash = hash(key.get_hash(), place.labels, self.secret.as_ref()?);
        let is_it = |seen: &Seen<H>| seen.hash == hash && is_name(&seen.name, place.name);
        self.slots.find(&self.seen, hash, is_it).map(|seen| &seen.handle)
    }

    /// Adds the handle for a key with a value that is seen for the first time.
    pub(super) fn insert(&mut self, key: &Key, handle: H) {
        if self.seen.len() >= MOST {
            self.seen.clear();
            self.slots.clear();
        }
        // From the operating system's randomness, as the standard library draws it.
        let secret = || RapidSecrets::seed(RandomState::new().hash_one(0));
        let labels = key.labels().as_slice();
        let hash = hash(key.get_hash(), labels, self.secret.get_or_insert_with(secret));
        let name = key.name_shared().to_retained();
        self.seen.push(Seen { hash, name, handle });
        self.slots.add_last(&self.seen, |seen| seen.hash);
    }
}

/// The hash of a key's labels, in their order. What the labels are called is in the facade's hash
/// and in the lengths; the values' own hashes, which nobody can tell without the secret, hide both.
#[inline(always)]
fn hash(hash: u64, labels: &[Label], secret: &RapidSecrets) -> u64 {
    labels.iter().fold(hash, |hash, label| {
        let (key, value) = (label.key(), label.value());
        // Without the last step of the hash, which would mix the length in, and the bits well.
        let hidden = rapidhash_v3_nano_inline::<false, true>(value.as_bytes(), secret);
        let lengths = key.len() as u64 ^ (value.len() as u64).rotate_left(32);
        // A multiplication by an odd number keeps what came before, apart from what follows.
        (hash ^ lengths).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ hidden
    })
}

/// Whether the name is this one, which mostly is the same literal.
#[inline]
fn is_name(kept: &KeyName, name: &str) -> bool {
    std::ptr::eq(kept.as_str(), name) || kept.as_str() == name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &'static str, labels: &[(&'static str, String)]) -> Key {
        let labels: Vec<_> =
            labels.iter().map(|(key, value)| Label::new(*key, value.clone())).collect();
        Key::from_parts(name, labels)
    }

    #[test]
    fn values_are_told_apart_by_name_label_and_length() {
        let value = |text: &str| text.to_owned();
        let digits = (0..900).map(|at| key("m", &[("id", at.to_string())]));
        let others = ["", "a", "aa", "aaa", "ab", "ba"].map(|id| key("m", &[("id", value(id))]));
        let labels = ["i", "ii", "iii"].map(|label| key("m", &[(label, value("1"))]));
        let names = ["n", "nn"].map(|name| key(name, &[("id", value("1"))]));
        let several = [("a", "b"), ("b", "a"), ("ab", "")]
            .map(|(one, two)| key("m", &[("x", value(one)), ("y", value(two))]));
        let keys: Vec<Key> =
            digits.chain(others).chain(labels).chain(names).chain(several).collect();
        let mut sightings = Sightings::new();
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(sightings.find(key, Place::of(key)), None, "{key}");
            sightings.insert(key, at);
        }
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(sightings.find(key, Place::of(key)), Some(&at), "{key}");
        }
    }
}
