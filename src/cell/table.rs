//! The thread's table: every cell that one thread writes.
//!
//! A table is leaked and recycled, never freed: the thread that owns it finds it through a
//! thread-local without a destructor (a destructor would cost a check at every record), readers
//! reach it through a list of all tables, and when the thread ends a second thread-local, which
//! has a destructor, hands it to the next thread. Memory follows the peak of live threads.

use std::cell::Cell;
use std::sync::OnceLock;

use parking_lot::Mutex;

use super::id::{Place, STEPS};
use super::ring::Ring;
use super::sync::AtomicU64;

/// The first step of a table holds `1 << WORDS` counter words.
pub(crate) const WORDS: u32 = 6;
/// The first step of a table holds `1 << RINGS` histogram rings.
pub(crate) const RINGS: u32 = 4;

/// Words of one thread on cache lines of their own, so that no other thread's stores touch them
/// (two lines, because adjacent lines are prefetched together).
#[repr(align(128))]
struct Line([AtomicU64; 16]);

/// A step of a table, allocated at the first touch.
type Step<T> = OnceLock<Box<[T]>>;

/// What one thread writes.
pub(crate) struct Table {
    words: [Step<Line>; STEPS],
    rings: [Step<OnceLock<Box<Ring>>>; STEPS],
}

impl Table {
    fn new() -> Self {
        Table {
            words: [const { OnceLock::new() }; STEPS],
            rings: [const { OnceLock::new() }; STEPS],
        }
    }

    /// The counter word at `place`, if this table has that step yet.
    #[inline]
    pub(crate) fn word(&self, place: Place) -> Option<&AtomicU64> {
        let line = self.words.get(place.step)?.get()?.get(place.offset / 16)?;
        Some(&line.0[place.offset % 16])
    }

    /// The histogram ring at `place`, if this table has it yet.
    #[inline]
    pub(crate) fn ring(&self, place: Place) -> Option<&Ring> {
        self.rings.get(place.step)?.get()?.get(place.offset)?.get().map(|ring| &**ring)
    }

    #[cold]
    pub(crate) fn make_word(&self, place: Place) -> Option<&AtomicU64> {
        self.words.get(place.step)?.get_or_init(|| {
            let lines = (1usize << WORDS << place.step) / 16;
            (0..lines).map(|_| Line(std::array::from_fn(|_| AtomicU64::new(0)))).collect()
        });
        self.word(place)
    }

    #[cold]
    pub(crate) fn make_ring(&self, place: Place) -> Option<&Ring> {
        let step = self
            .rings
            .get(place.step)?
            .get_or_init(|| (0..1usize << RINGS << place.step).map(|_| OnceLock::new()).collect());
        step.get(place.offset)?.get_or_init(|| Box::new(Ring::new()));
        self.ring(place)
    }
}

/// Every table there is, and those that no thread owns at the moment.
struct Tables {
    all: Vec<&'static Table>,
    free: Vec<&'static Table>,
}

static TABLES: Mutex<Tables> = Mutex::new(Tables { all: Vec::new(), free: Vec::new() });

/// All tables. Reads of their cells happen outside the lock, so a starting thread never waits
/// for a seal.
pub(crate) fn all() -> Vec<&'static Table> {
    TABLES.lock().all.clone()
}

thread_local! {
    /// The hot path's way to the table: constant-initialised and without a destructor.
    static TABLE: Cell<Option<&'static Table>> = const { Cell::new(None) };
    /// Set while the table is looked for, for an allocator that records.
    static LEASING: Cell<bool> = const { Cell::new(false) };
    /// Hands the table on when the thread ends.
    static LEASE: Lease = Lease::take();
}

/// A thread's hold on its table.
struct Lease {
    table: &'static Table,
}

impl Lease {
    fn take() -> Lease {
        let free = TABLES.lock().free.pop();
        let table = free.unwrap_or_else(|| {
            let table: &'static Table = Box::leak(Box::new(Table::new()));
            TABLES.lock().all.push(table);
            table
        });
        Lease { table }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // In this order: once the table is on the free list another thread may own it.
        TABLE.set(None);
        TABLES.lock().free.push(self.table);
    }
}

/// The calling thread's table, or `None` while it cannot have one: after its thread-locals were
/// destroyed, and inside an allocation that the search for a table makes. Callers then record
/// through a shared cell.
#[inline]
pub(crate) fn current() -> Option<&'static Table> {
    match TABLE.get() {
        Some(table) => Some(table),
        None => lease(),
    }
}

#[cold]
fn lease() -> Option<&'static Table> {
    if LEASING.replace(true) {
        return None;
    }
    let table = LEASE.try_with(|lease| lease.table).ok();
    TABLE.set(table);
    LEASING.set(false);
    table
}
