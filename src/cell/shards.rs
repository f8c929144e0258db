//! A reducer that many threads fold into without waiting for each other or for a seal.

use super::sync::{MODELLED, Mutex, MutexGuard, OnceLock};

/// How many copies of a reducer there may be. It takes that many threads, each inside a fold of
/// the same reducer at the same instant, before one of them waits for another.
const MOST: usize = if MODELLED { 2 } else { 16 };

/// What a part of a reducer is.
pub(crate) trait Part: Default {
    /// What a window was like, as far as the next one is prepared for it.
    type Outlook;
    /// What the next window is likely to be like.
    fn outlook(&self) -> Self::Outlook;
    /// An empty part, prepared for a window like that.
    fn prepared(outlook: Self::Outlook) -> Self;
}

/// A part of a reducer, on cache lines of its own.
#[repr(align(128))]
struct Shard<T>(Mutex<T>);

/// A reducer in parts. A thread folds into the first part that is free and makes another when
/// all are busy, so that there are as many parts as threads ever folded at once: one, mostly.
pub(crate) struct Shards<T> {
    parts: [OnceLock<Box<Shard<T>>>; MOST],
}

impl<T: Part> Shards<T> {
    pub(crate) fn new() -> Self {
        Shards { parts: std::array::from_fn(|_| OnceLock::new()) }
    }

    fn part(&self, at: usize) -> &Mutex<T> {
        &self.parts[at % MOST].get_or_init(|| Box::new(Shard(Mutex::new(T::default())))).0
    }

    /// Locks a part, trying `hint` first. Leaves in `hint` the part to try first next time, so
    /// that threads that met once keep apart from then on.
    pub(crate) fn lock(&self, hint: &mut usize) -> MutexGuard<'_, T> {
        for _ in 0..MOST {
            if let Some(part) = self.part(*hint).try_lock() {
                return part;
            }
            *hint = (*hint + 1) % MOST;
        }
        self.part(*hint).lock()
    }

    /// Takes what is in every part, one after the other. Waits for folds under way; nobody waits
    /// for longer than it takes to put an empty part in the place of a full one.
    pub(crate) fn take_all(&self) -> impl Iterator<Item = T> {
        let parts = self.parts.iter().filter_map(OnceLock::get);
        parts.map(|part| {
            // Not under the lock that it is put in place under: it may allocate.
            let outlook = part.0.lock().outlook();
            let prepared = T::prepared(outlook);
            std::mem::replace(&mut *part.0.lock(), prepared)
        })
    }

    /// Copies what is in every part, one after the other.
    pub(crate) fn copy_all(&self) -> impl Iterator<Item = T>
    where
        T: Clone,
    {
        let parts = self.parts.iter().filter_map(OnceLock::get);
        parts.map(|part| part.0.lock().clone())
    }
}
