//! The thread's own handles, by key.
//!
//! The macros of the facade ask for a handle at every call, and drop it at the end of the line.
//! Here each thread keeps handles of its own, found by the key's precomputed hash: a call takes
//! no lock, and the reference counts that go up and down are no other thread's. A thread that
//! ends hands its handles to one that starts, so a short one need not make any.

mod kept;
mod lookup;
mod map;
mod sightings;
mod slots;

pub(crate) use kept::tidy;
pub(crate) use lookup::handle;
