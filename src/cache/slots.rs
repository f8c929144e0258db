//! Places in a list, by hash.

/// Where in a list the entry of a hash is: open addressing, at most half full, so that a miss ends
/// at once, while the entries, ten times as large, stay packed.
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// 64 - log2 of the number of slots.
    shift: u32,
}

/// The lower half of a hash, and its entry's place from 1; 0 where there is none.
#[derive(Clone, Copy, Default)]
struct Slot {
    hash: u32,
    entry: u32,
}

impl Slots {
    pub(super) const fn new() -> Self {
        Slots { slots: Vec::new(), shift: 0 }
    }

    /// The entry of this hash that is the one.
    #[inline]
    pub(super) fn find<'e, E>(
        &self,
        entries: &'e [E],
        hash: u64,
        is_it: impl Fn(&E) -> bool,
    ) -> Option<&'e E> {
        let mut at = (hash >> self.shift) as usize;
        loop {
            let slot = self.slots.get(at & self.slots.len().wrapping_sub(1))?;
            if slot.hash == hash as u32 || slot.entry == 0 {
                let entry = entries.get((slot.entry as usize).wrapping_sub(1))?;
                if is_it(entry) {
                    return Some(entry);
                }
            }
            at += 1;
        }
    }

    /// Notes the place of the last entry, which has just been added.
    pub(super) fn add_last<E>(&mut self, entries: &[E], hash: impl Fn(&E) -> u64) {
        let mut first = entries.len();
        if entries.len() * 2 > self.slots.len() {
            let slots = (self.slots.len() * 2).max(16);
            self.slots = vec![Slot::default(); slots];
            self.shift = u64::BITS - slots.trailing_zeros();
            first = 1;
        }
        for (place, entry) in (1..).zip(entries).skip(first - 1) {
            let hash = hash(entry);
            let (before, after) = self.slots.split_at_mut((hash >> self.shift) as usize);
            let vacant = after.iter_mut().chain(before).find(|slot| slot.entry == 0);
            if let Some(slot) = vacant {
                *slot = Slot { hash: hash as u32, entry: place };
            }
        }
    }

    /// Forgets all places.
    pub(super) fn clear(&mut self) {
        self.slots.fill(Slot::default());
    }
}
