//! Where a thread records.
//!
//! A thread owns the cells it writes: it adds with a plain load and a plain store, never with a
//! read-modify-write. Whoever wants the total adds up every thread's cells and takes the
//! difference to what it saw last. Nothing is reset, so nothing can be lost or counted twice by
//! a reset, and nothing has to be folded when a thread ends: its [`table`] stays readable and
//! is handed, values and all, to the next thread that starts.

mod counter;
mod distinct;
mod gauge;
mod histogram;
mod id;
mod key;
#[cfg(all(test, loom))]
mod models;
mod registers;
mod ring;
mod seen;
mod shards;
mod sync;
#[cfg(all(test, loom))]
mod sync_loom;
mod table;
mod union;

pub(crate) use counter::Counter;
pub(crate) use distinct::Distinct;
pub(crate) use gauge::{Gauge, Range};
pub(crate) use histogram::Histogram;
pub(crate) use key::Key;
pub(crate) use registers::Registers;
pub(crate) use seen::{DistinctCell, Set, Sighting};
pub(crate) use table::{aside, is_aside};
pub(crate) use union::Union;
