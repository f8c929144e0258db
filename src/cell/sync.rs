//! What the lock-free protocols are built of: atomics, locks, cells that are written once, and
//! globals. In the unit tests of a build with `--cfg loom` these are `loom`'s, for `models`; in
//! every other build, also one whose user sets that flag for models of his own, the real ones.

/// Whether this is a build for the models, whose storage has to be small: a model checker looks
/// at every order in which a program can do its steps.
pub(crate) const MODELLED: bool = cfg!(all(test, loom));

#[cfg(not(all(test, loom)))]
mod real {
    pub(crate) use parking_lot::{Mutex, MutexGuard};
    pub(crate) use std::sync::OnceLock;
    pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
    pub(crate) use std::thread_local;

    /// A static of a value that is made at compile time.
    macro_rules! global {
        ($name:ident: $type:ty = $init:expr) => {
            static $name: $type = $init;
        };
    }
    pub(crate) use global;
}
#[cfg(not(all(test, loom)))]
pub(crate) use real::*;

#[cfg(all(test, loom))]
pub(crate) use super::sync_loom::*;
