//! Keys of sketches: from a secret to the hash of a value.
//!
//! All is SipHash-2-4, with 128 bits where the result is a key and 64 bits where it is a hash.
//! [`Schema::mergeable`](crate::Schema::mergeable) says it to those who have to make the same.

use std::fmt;

use siphasher::sip::SipHasher24;
use siphasher::sip128;

/// A key of 128 bits. Nothing shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key([u8; 16]);

/// The key where nothing is hidden yet.
const OPEN: Key = Key([0; 16]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// The key that a secret stands for.
    pub(crate) fn of_secret(secret: &str) -> Key {
        OPEN.derived(secret.as_bytes())
    }

    /// The key of one cluster: with it nothing can be linked to what another cluster counts, even
    /// where that has the same secret.
    pub(crate) fn of_cluster(self, id: &str) -> Key {
        self.derived(id.as_bytes())
    }

    /// The key of one field, so that fields have nothing in common either.
    pub(crate) fn of_field(self, schema: &str, path: &str) -> Key {
        // Neither has control characters.
        self.derived(format!("{schema}\0{path}").as_bytes())
    }

    fn derived(self, from: &[u8]) -> Key {
        Key(sip128::SipHasher24::new_with_key(&self.0).hash(from).as_bytes())
    }

    /// What is kept of a value until it is known under which key it counts.
    ///
    /// It hides nothing: whoever can read it in the memory of the process can read the key there
    /// too. So a handle stays good when the key changes, and never goes to a sketch as it is.
    pub(super) fn fingerprint(value: &str) -> u64 {
        SipHasher24::new_with_key(&OPEN.0).hash(value.as_bytes())
    }

    /// The hash of a value, of which its fingerprint is known.
    pub(super) fn hash(self, fingerprint: u64) -> u64 {
        SipHasher24::new_with_key(&self.0).hash(&fingerprint.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by another implementation, for whoever makes the same sketches.
    #[test]
    fn a_value_has_the_hash_that_is_published() {
        // The first test vectors of the reference implementation.
        let bytes: Vec<u8> = (0..16).collect();
        let key = Key(std::array::from_fn(|at| at as u8));
        assert_eq!(SipHasher24::new_with_key(&key.0).hash(&bytes[..15]), 0xa129_ca61_49be_45e5);
        let key = Key::of_secret("correct horse battery staple").of_cluster("cluster 1");
        let key = key.of_field("shop", "usage.clients");
        assert_eq!(key.hash(Key::fingerprint("4711")), 0x15b4_5f53_e648_2333);
    }

    #[test]
    fn each_part_makes_another_key() {
        let key = |secret: &str, cluster: &str, schema: &str, path: &str| {
            Key::of_secret(secret).of_cluster(cluster).of_field(schema, path)
        };
        let keys = [
            key("a", "b", "c", "d"),
            key("b", "a", "c", "d"),
            key("b", "b", "c", "d"),
            key("a", "a", "c", "d"),
            key("a", "b", "d", "d"),
            key("a", "b", "c", "c"),
            key("a", "b", "", "cd"),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(one), "{at}");
        }
        assert_eq!(key("a", "b", "c", "d"), keys[0]);
        assert_eq!(format!("{:?}", Some(keys[0])), "Some(Key)");
    }
}
