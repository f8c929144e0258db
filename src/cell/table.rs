//! The thread's table: every cell that one thread writes.
//!
//! A table is leaked and recycled, never freed: the thread that owns it finds it through a
//! thread-local without a destructor (a destructor would cost a check at every record), readers
//! reach it through a list of all tables, and when the thread ends a second thread-local, which
//! has a destructor, hands it to the next thread. Memory follows the peak of live threads.

use std::cell::Cell;

use super::id::{Place, STEPS};
use super::ring::Ring;
use super::sync::{AtomicU64, MODELLED, Mutex, OnceLock, global, thread_local};

/// The first step of a table holds `1 << WORDS` counter words.
pub(crate) const WORDS: u32 = if MODELLED { 4 } else { 6 };
/// The first step of a table holds `1 << RINGS` histogram rings.
pub(crate) const RINGS: u32 = if MODELLED { 1 } else { 4 };

/// Words of one thread on cache lines of their own, so that no other thread's stores touch them
/// (two lines, because adjacent lines are prefetched together).
#[repr(align(128))]
struct Line([AtomicU64; 16]);

impl Line {
    fn new() -> Line {
        Line(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

/// The first step of words, on lines of its own as well.
#[repr(align(128))]
struct First([AtomicU64; 1 << WORDS]);

/// A step of a table, allocated at the first touch.
type Step<T> = OnceLock<Box<[T]>>;

/// What one thread writes.
pub(crate) struct Table {
    /// The first step of the words, which is there from the start, and so found in fewer loads.
    first: First,
    /// The other steps of them.
    words: [Step<Line>; STEPS],
    rings: [Step<OnceLock<Box<Ring>>>; STEPS],
    /// The table that was made after this one; written once, under the pool's lock.
    next: OnceLock<&'static Table>,
}

impl Table {
    fn new() -> Self {
        Table {
            first: First(std::array::from_fn(|_| AtomicU64::new(0))),
            words: std::array::from_fn(|_| OnceLock::new()),
            rings: std::array::from_fn(|_| OnceLock::new()),
            next: OnceLock::new(),
        }
    }

    /// The counter word at this offset of the first step, if the step goes that far.
    #[inline]
    pub(crate) fn first_word(&self, offset: usize) -> Option<&AtomicU64> {
        self.first.0.get(offset)
    }

    /// The counter word at `place`, if this table has that step yet.
    #[inline]
    pub(crate) fn word(&self, place: Place) -> Option<&AtomicU64> {
        if place.step == 0 {
            return self.first_word(place.offset);
        }
        let lines = self.words.get(place.step)?.get()?;
        Some(&lines.get(place.offset / 16)?.0[place.offset % 16])
    }

    /// The histogram ring at `place`, if this table has it yet.
    #[inline]
    pub(crate) fn ring(&self, place: Place) -> Option<&Ring> {
        self.rings.get(place.step)?.get()?.get(place.offset)?.get().map(|ring| &**ring)
    }

    /// The counter word at `place`, made if need be.
    pub(crate) fn make_word(&self, place: Place) -> Option<&AtomicU64> {
        let lines = (1usize << WORDS << place.step) / 16;
        let step = self.words.get(place.step)?;
        aside(|| step.get_or_init(|| (0..lines).map(|_| Line::new()).collect()));
        self.word(place)
    }

    /// The histogram ring at `place`, made if need be.
    pub(crate) fn make_ring(&self, place: Place) -> Option<&Ring> {
        let rings = 1usize << RINGS << place.step;
        let step = self.rings.get(place.step)?;
        aside(|| {
            let step = step.get_or_init(|| (0..rings).map(|_| OnceLock::new()).collect());
            step.get(place.offset)?.get_or_init(|| Box::new(Ring::new()));
            Some(())
        })?;
        self.ring(place)
    }
}

/// Every table there is, each leading to the next, and those that no thread owns at the moment.
struct Tables {
    first: OnceLock<&'static Table>,
    pool: Mutex<Pool>,
}

struct Pool {
    free: Vec<&'static Table>,
    last: Option<&'static Table>,
}

global!(TABLES: Tables = Tables {
    first: OnceLock::new(),
    pool: Mutex::new(Pool { free: Vec::new(), last: None }),
});

/// All tables. A reader takes no lock, so a starting thread never waits for a seal; whoever knows
/// that a thread has recorded finds its table, which was in the list before.
pub(crate) fn all() -> impl Iterator<Item = &'static Table> {
    std::iter::successors(TABLES.first.get().copied(), |table| table.next.get().copied())
}

thread_local! {
    /// The hot path's way to the table: constant-initialised and without a destructor.
    static TABLE: Cell<Option<&'static Table>> = const { Cell::new(None) };
    /// Whether the thread is within [`aside`].
    static ASIDE: Cell<bool> = const { Cell::new(false) };
    /// Hands the table on when the thread ends.
    static LEASE: Lease = Lease::take();
}

/// A thread's hold on its table.
struct Lease {
    table: &'static Table,
}

impl Lease {
    fn take() -> Lease {
        let free = TABLES.pool.lock().free.pop();
        let table = free.unwrap_or_else(|| {
            let table: &'static Table = Box::leak(Box::new(Table::new()));
            let mut pool = TABLES.pool.lock();
            let end = pool.last.replace(table).map_or(&TABLES.first, |last| &last.next);
            end.get_or_init(|| table);
            table
        });
        Lease { table }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // In this order: once the table is on the free list another thread may own it.
        let _ = TABLE.try_with(|table| table.set(None));
        TABLES.pool.lock().free.push(self.table);
    }
}

/// The calling thread's table, or `None` while it cannot have one: [`aside`], and after its
/// thread-locals were destroyed. Callers then record through something shared.
#[inline]
pub(crate) fn current() -> Option<&'static Table> {
    match TABLE.with(Cell::get) {
        Some(table) => Some(table),
        None => lease(),
    }
}

#[cold]
fn lease() -> Option<&'static Table> {
    if is_aside() {
        return None;
    }
    let table = aside(|| LEASE.try_with(|lease| lease.table).ok());
    TABLE.with(|slot| slot.set(table));
    table
}

/// Runs `work`, which makes or folds cells, with the calling thread's table out of its reach.
///
/// Such work allocates and takes locks. An allocator that records would come back into the very
/// cell that is being made, full or locked; here it finds no table, and must get by without
/// allocating or waiting.
pub(crate) fn aside<R>(work: impl FnOnce() -> R) -> R {
    /// Puts things back, also when `work` panics.
    struct Back(Option<&'static Table>, bool);
    impl Drop for Back {
        fn drop(&mut self) {
            TABLE.with(|table| table.set(self.0));
            ASIDE.with(|aside| aside.set(self.1));
        }
    }
    let table = TABLE.with(|table| table.replace(None));
    let _back = Back(table, ASIDE.with(|aside| aside.replace(true)));
    work()
}

/// Whether the calling thread is within [`aside`].
pub(crate) fn is_aside() -> bool {
    ASIDE.with(Cell::get)
}
