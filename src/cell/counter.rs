//! A counter: what was added, as one growing total that is never reset.

use std::sync::Arc;

use super::id::{Id, Ids, Place};
use super::sync::{AtomicU64, Mutex, Ordering, global};
use super::table::{self, WORDS};

global!(IDS: Ids = Ids::new());

/// A counter that every thread adds to in a word of its own.
///
/// A word is written by the thread that owns its table and by nobody else, so an addition is a
/// relaxed load and a relaxed store; an overflowing one leaves the word alone and goes to
/// `large`. A word therefore only grows, and so does every total a reader sees. Relaxed is
/// enough for the reader too: whatever made it know that something was recorded (a join, a
/// channel) ordered the store before its load, and coherence does the rest.
pub(crate) struct Counter {
    place: Place,
    /// The place's offset if it is in the first step, else one that is in no step: what most
    /// counters need is found with one comparison.
    first: usize,
    /// Given back when the counter goes, never before.
    _id: Id,
    /// What earlier counters left in the words of this number.
    inherited: u128,
    /// Added by threads that have no table (see [`table::current`]), with a shared addition.
    homeless: AtomicU64,
    /// Added by [`raise_to`](Counter::raise_to), and what would not fit a word.
    large: Mutex<u128>,
    /// Whether there is anything in `large`: 0 or 1. Set under its lock, after the first addition
    /// to it; read by [`total`](Counter::total), which leaves the lock alone until then. A lock
    /// taken at every seal would take this cache line from all who record.
    is_large: AtomicU64,
    /// Where what it refuses is counted. Here, and not in each thread's handle, which there are many
    /// more of.
    refused: Option<Arc<Counter>>,
}

impl Counter {
    pub(crate) fn new() -> Self {
        Counter::telling(None)
    }

    /// A counter that counts there what it refuses.
    pub(crate) fn telling(refused: Option<Arc<Counter>>) -> Self {
        let id = IDS.take();
        let place = id.place(WORDS);
        Counter {
            place,
            first: if place.step == 0 { place.offset } else { usize::MAX },
            _id: id,
            inherited: words(place),
            homeless: AtomicU64::new(0),
            large: Mutex::new(0),
            is_large: AtomicU64::new(0),
            refused,
        }
    }

    /// Adds to the calling thread's word.
    #[inline]
    pub(crate) fn add(&self, amount: u64) {
        match table::current().and_then(|table| table.first_word(self.first)) {
            Some(word) => self.add_to(word, amount),
            None => self.add_beyond(amount),
        }
    }

    #[inline]
    fn add_to(&self, word: &AtomicU64, amount: u64) {
        match word.load(Ordering::Relaxed).checked_add(amount) {
            Some(sum) => word.store(sum, Ordering::Relaxed),
            None => self.add_large(u128::from(amount)),
        }
    }

    /// Adds to a word beyond the first step, if there is one.
    #[inline(never)]
    fn add_beyond(&self, amount: u64) {
        match table::current().and_then(|table| table.word(self.place)) {
            Some(word) => self.add_to(word, amount),
            None => self.add_slowly(amount),
        }
    }

    #[cold]
    fn add_slowly(&self, amount: u64) {
        match table::current().and_then(|table| table.make_word(self.place)) {
            Some(word) => self.add_to(word, amount),
            None => self.add_homeless(amount),
        }
    }

    /// Adds for a thread that has no table. It neither allocates nor waits.
    pub(crate) fn add_homeless(&self, amount: u64) {
        let add = |sum: u64| sum.checked_add(amount);
        if self.homeless.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_err() {
            self.add_large(u128::from(amount));
        }
    }

    #[cold]
    fn add_large(&self, amount: u128) {
        let mut large = self.large.lock();
        *large = large.saturating_add(amount);
        self.is_large.store(1, Ordering::Release);
    }

    /// Raises the total to at least `total`. The lock makes two raises one after the other, so
    /// neither adds what the other has added already; additions by other threads at the same
    /// time count as made after the raise. False, and nothing done but counting that, when it comes
    /// from an allocator that records while cells are being worked at (see [`table::aside`]).
    pub(crate) fn raise_to(&self, total: u64) -> bool {
        if table::is_aside() {
            self.refused.iter().for_each(|refused| refused.add(1));
            return false;
        }
        let mut large = self.large.lock();
        let is = self.without_large().saturating_add(*large);
        let missing = u128::from(total).saturating_sub(is);
        *large = large.saturating_add(missing);
        self.is_large.store(1, Ordering::Release);
        true
    }

    /// All that was ever added to this counter. Never less than an earlier answer.
    pub(crate) fn total(&self) -> u128 {
        let is_large = self.is_large.load(Ordering::Acquire) == 1;
        let large = if is_large { *self.large.lock() } else { 0 };
        self.without_large().saturating_add(large)
    }

    fn without_large(&self) -> u128 {
        let homeless = self.homeless.load(Ordering::Relaxed);
        words(self.place) - self.inherited + u128::from(homeless)
    }
}

/// The sum of one number's words over all tables. A u128 cannot overflow here.
fn words(place: Place) -> u128 {
    let words = table::all().filter_map(|table| table.word(place));
    words.map(|word| u128::from(word.load(Ordering::Relaxed))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threads_additions_are_in_the_total_at_once_and_after_the_thread() {
        let counter = Counter::new();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..1000).for_each(|_| counter.add(3)));
            }
        });
        assert_eq!(counter.total(), 24_000);
    }

    #[test]
    fn a_new_counter_starts_at_zero_whatever_its_number_counted_before() {
        for round in 1..50 {
            let counter = Counter::new();
            assert_eq!(counter.total(), 0);
            counter.add(round);
            assert_eq!(counter.total(), u128::from(round));
        }
    }

    #[test]
    fn many_counters_are_told_apart_within_the_first_step_and_beyond() {
        let counters: Vec<Counter> = (0..3 << WORDS).map(|_| Counter::new()).collect();
        for _ in 0..2 {
            (1..).zip(&counters).for_each(|(at, counter)| counter.add(at));
        }
        (1..).zip(&counters).for_each(|(at, counter)| assert_eq!(counter.total(), 2 * at));
    }

    #[test]
    fn an_addition_that_overflows_the_word_is_kept() {
        let counter = Counter::new();
        counter.add(u64::MAX);
        counter.add(u64::MAX);
        counter.add(5);
        assert_eq!(counter.total(), 2 * u128::from(u64::MAX) + 5);
    }

    #[test]
    fn raising_takes_the_larger_and_adding_goes_on_from_there() {
        let counter = Counter::new();
        counter.add(10);
        assert!(counter.raise_to(7));
        assert_eq!(counter.total(), 10);
        assert!(table::aside(|| !counter.raise_to(100)));
        assert!(counter.raise_to(12));
        counter.add(1);
        assert_eq!(counter.total(), 13);
    }

    #[test]
    fn additions_of_an_allocator_that_records_count() {
        let counter = Counter::new();
        table::aside(|| counter.add(2));
        counter.add(1);
        table::aside(|| table::aside(|| counter.add(4)));
        assert_eq!(counter.total(), 7);
    }

    #[test]
    fn additions_from_destructors_before_and_after_the_table_is_gone_count() {
        static COUNTER: std::sync::LazyLock<Counter> = std::sync::LazyLock::new(Counter::new);
        struct AddsWhenDropped;
        impl Drop for AddsWhenDropped {
            fn drop(&mut self) {
                COUNTER.add(1);
            }
        }
        thread_local!(static LATE: AddsWhenDropped = const { AddsWhenDropped });
        // Whichever order the platform destroys thread-locals in, one of the two threads
        // records after its table has been handed on.
        let table_last = || {
            LATE.with(|_| ());
            COUNTER.add(1);
        };
        let table_first = || {
            COUNTER.add(1);
            LATE.with(|_| ());
        };
        std::thread::spawn(table_last).join().expect("no panic");
        std::thread::spawn(table_first).join().expect("no panic");
        assert_eq!(COUNTER.total(), 4);
    }
}
