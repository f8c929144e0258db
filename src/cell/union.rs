//! A distinct count that can be united with those of other windows and processes.

use super::distinct::Distinct;
use super::key::Key;
use super::registers::Registers;
use super::seen::{DistinctCell, Set};
use super::shards::Part;
use super::sync::Mutex;

/// A set of values that knows its size, and a sketch of it under a key that others have too.
///
/// The two have nothing to do with each other. The count is that of any distinct count, under a key
/// of its own that never changes, so it is right also where the key of the sketch does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Union {
    counted: Distinct,
    sketch: Sketch,
}

/// A sketch of what came since the last seal. It says under which key it is, so no two can be taken
/// for one that are not.
#[derive(Clone, Debug, Default)]
enum Sketch {
    /// Nothing has come.
    #[default]
    Empty,
    Under(Key, Registers),
    /// Some came under another key, or under none: nothing can be said.
    Unknown,
}

impl Sketch {
    /// Makes this the union with an earlier one.
    fn merge(&mut self, earlier: Sketch) {
        match (&mut *self, earlier) {
            (_, Sketch::Empty) => {}
            (Sketch::Empty, earlier) => *self = earlier,
            (Sketch::Under(key, own), Sketch::Under(other, registers)) if *key == other => {
                own.merge(&registers);
            }
            (Sketch::Under(..), Sketch::Under(_, registers)) if registers.is_empty() => {}
            _ => *self = Sketch::Unknown,
        }
    }

    /// Of a window that ends under this key: nothing is said that is not under it.
    fn seal(&mut self, key: Option<Key>) {
        match (&*self, key) {
            (Sketch::Empty, Some(key)) => *self = Sketch::Under(key, Registers::default()),
            (Sketch::Under(own, _), Some(key)) if *own == key => {}
            _ => *self = Sketch::Unknown,
        }
    }
}

impl Union {
    /// Makes this the union with the set of an earlier window.
    pub(crate) fn merge(&mut self, earlier: Union) {
        self.counted.merge(earlier.counted);
        self.sketch.merge(earlier.sketch);
    }

    /// The number of members, as [`Distinct::count`] has it.
    pub(crate) fn count(&self) -> u64 {
        self.counted.count()
    }

    /// The sketch, if it is of all members and under one key.
    pub(crate) fn registers(&self) -> Option<&Registers> {
        match &self.sketch {
            Sketch::Under(_, registers) => Some(registers),
            Sketch::Empty | Sketch::Unknown => None,
        }
    }

    /// A set of so many values, always the same.
    pub(crate) fn of_some(count: u64) -> Union {
        let (mut union, key) = (Union::default(), Mutex::new(Some(Key::of_secret("example"))));
        for at in 0..count {
            let fingerprint = Key::fingerprint(&at.to_string());
            union.insert((fingerprint, fingerprint), &key);
        }
        union.sketch.seal(*key.lock());
        union
    }
}

impl Part for Union {
    type Outlook = ();

    fn outlook(&self) {}

    fn prepared((): ()) -> Self {
        Union::default()
    }
}

impl Set for Union {
    /// The hash under the cell's own key, and the fingerprint for the sketch.
    type Value = (u64, u64);
    /// The key of the sketch; none where nothing is collected. Written by whoever seals, before it
    /// takes the parts; read under the lock of a part, by the first value that is put in it. So all
    /// that is put in a part after it was taken is under the new key.
    type Beside = Mutex<Option<Key>>;

    fn value(hash: u64, value: &str) -> (u64, u64) {
        (hash, Key::fingerprint(value))
    }

    fn beside() -> Mutex<Option<Key>> {
        Mutex::new(None)
    }

    fn insert(&mut self, (hash, fingerprint): (u64, u64), key: &Mutex<Option<Key>>) {
        self.counted.add(hash);
        if let Sketch::Empty = self.sketch {
            let under = |key| Sketch::Under(key, Registers::default());
            self.sketch = key.lock().map_or(Sketch::Unknown, under);
        }
        if let Sketch::Under(key, registers) = &mut self.sketch {
            registers.add(key.hash(fingerprint));
        }
    }

    fn merge(&mut self, other: Self) {
        self.merge(other);
    }
}

impl DistinctCell<Union> {
    /// Puts what comes from now on under this key. The window in which it changes has no sketch.
    pub(crate) fn set_key(&self, key: Option<Key>) {
        *self.beside.lock() = key;
    }

    /// The values seen since the last one, taken, of a window that ends under this key.
    pub(crate) fn seal(&self, key: Option<Key>) -> Union {
        self.set_key(key);
        let mut whole = self.take();
        whole.sketch.seal(key);
        whole
    }

    /// What [`seal`](DistinctCell::seal) would return now, left in place.
    pub(crate) fn look(&self, key: Option<Key>) -> Union {
        let mut whole = self.peek();
        whole.sketch.seal(key);
        whole
    }
}
