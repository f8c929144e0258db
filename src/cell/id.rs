//! Dense numbers for cells, so that a thread finds its cell by index.

use super::sync::{MODELLED, Mutex};

/// The numbers in use and the numbers given back, for one sort of cell.
pub(crate) struct Ids {
    pool: Mutex<Pool>,
}

struct Pool {
    next: u32,
    free: Vec<u32>,
}

impl Ids {
    #[cfg(not(all(test, loom)))]
    pub(crate) const fn new() -> Self {
        Ids { pool: Mutex::new(Pool { next: 0, free: Vec::new() }) }
    }

    /// The same, for a lock that cannot be made at compile time.
    #[cfg(all(test, loom))]
    pub(crate) fn new() -> Self {
        Ids { pool: Mutex::new(Pool { next: 0, free: Vec::new() }) }
    }

    /// Takes a number that no live cell has.
    pub(crate) fn take(&'static self) -> Id {
        let mut pool = self.pool.lock();
        let number = pool.free.pop().unwrap_or_else(|| {
            pool.next += 1;
            pool.next - 1
        });
        Id { number, ids: self }
    }
}

/// A cell's number, given back when the last handle of the cell is dropped.
///
/// That is what makes reuse safe: the drop of an `Arc` orders every write through any handle
/// before the drop of the last, and the pool's lock orders that before the next `take`. The
/// next owner of the number therefore sees all that was written under it, and starts from there.
pub(crate) struct Id {
    number: u32,
    ids: &'static Ids,
}

impl Id {
    /// The place of this number among steps of which the first has `1 << first` places.
    pub(crate) fn place(&self, first: u32) -> Place {
        Place::of(self.number, first)
    }
}

impl Drop for Id {
    fn drop(&mut self) {
        self.ids.pool.lock().free.push(self.number);
    }
}

/// How many steps there are: enough for every number when the first has 16 places.
pub(crate) const STEPS: usize = if MODELLED { 1 } else { 29 };

/// A step of doubling size and an offset in it. Doubling steps let a thread's storage grow
/// without moving what readers are looking at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    pub(crate) step: usize,
    pub(crate) offset: usize,
}

impl Place {
    fn of(number: u32, first: u32) -> Place {
        let shifted = u64::from(number) + (1 << first);
        let step = shifted.ilog2() - first;
        Place { step: step as usize, offset: (shifted - (1 << (step + first))) as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_fill_each_step_without_gap_or_overlap() {
        let mut expected =
            (0..6).flat_map(|step| (0..16 << step).map(move |offset| (step, offset)));
        for number in 0..900 {
            let place = Place::of(number, 4);
            assert_eq!(Some((place.step, place.offset)), expected.next(), "number {number}");
        }
        assert!(Place::of(u32::MAX, 4).step < STEPS);
    }

    #[test]
    fn a_number_is_reused_only_after_it_is_given_back() {
        super::super::sync::global!(IDS: Ids = Ids::new());
        let (a, b) = (IDS.take(), IDS.take());
        assert_ne!(a.number, b.number);
        let freed = a.number;
        drop(a);
        assert_eq!(IDS.take().number, freed);
    }
}
