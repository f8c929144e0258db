//! `loom`'s primitives in the shape of the real ones. Everything here is for `models` alone.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

use loom::sync::atomic::AtomicBool;
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

/// `loom`'s lock with `parking_lot`'s signatures: no poison.
///
/// `loom` lets no other thread run between the last step under a lock and its release, and
/// makes a `try_lock` that meets a lock wait instead of fail. The flag makes up for both.
pub(crate) struct Mutex<T> {
    held: AtomicBool,
    lock: loom::sync::Mutex<T>,
}

/// Holds the lock.
pub(crate) struct MutexGuard<'m, T> {
    held: &'m AtomicBool,
    guard: loom::sync::MutexGuard<'m, T>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Mutex { held: AtomicBool::new(false), lock: loom::sync::Mutex::new(value) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        let guard = self.lock.lock().expect("loom does not poison");
        self.held.store(true, Ordering::Relaxed);
        MutexGuard { held: &self.held, guard }
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        if self.held.load(Ordering::Relaxed) { None } else { Some(self.lock()) }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        self.held.store(false, Ordering::Relaxed);
    }
}

/// The standard library's cell that is written once, with what it promises spelt out in terms
/// that `loom` knows: initialisers exclude each other, and whoever gets the value acquires it.
pub(crate) struct OnceLock<T> {
    ready: AtomicBool,
    initialising: Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        let (ready, initialising) = (AtomicBool::new(false), Mutex::new(()));
        OnceLock { ready, initialising, value: std::sync::OnceLock::new() }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        if self.ready.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    pub(crate) fn get_or_init(&self, init: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _initialising = self.initialising.lock();
        if self.value.get().is_none() {
            let _ = self.value.set(init());
        }
        self.ready.store(true, Ordering::Release);
        self.value.get().expect("just set")
    }
}

std::thread_local! {
    /// Counts executions. `loom` runs all threads of an execution on the thread of its test.
    static EXECUTION: Cell<u64> = const { Cell::new(0) };
}

/// To be called first in every execution of a model: all globals are as new.
pub(crate) fn renew() {
    EXECUTION.set(EXECUTION.get() + 1);
}

/// A static that every execution of a model has to itself.
///
/// It is leaked, unlike that of `loom::lazy_static`: a thread hands its table on when it ends,
/// which may be after the end of the first thread, when those are gone.
pub(crate) struct Global<T: 'static> {
    pub(crate) slot: &'static LocalKey<Slot<T>>,
    pub(crate) init: fn() -> T,
}

/// The execution that made the value, and the value.
pub(crate) type Slot<T> = Cell<(u64, Option<&'static T>)>;

impl<T> Deref for Global<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let execution = EXECUTION.get();
        match self.slot.get() {
            (of, Some(value)) if of == execution => value,
            _ => {
                let value: &'static T = Box::leak(Box::new((self.init)()));
                self.slot.set((execution, Some(value)));
                value
            }
        }
    }
}

macro_rules! global {
    ($name:ident: $type:ty = $init:expr) => {
        static $name: crate::cell::sync::Global<$type> = {
            std::thread_local! {
                static SLOT: crate::cell::sync::Slot<$type> =
                    const { std::cell::Cell::new((0, None)) };
            }
            crate::cell::sync::Global { slot: &SLOT, init: || $init }
        };
    };
}
pub(crate) use global;

/// `loom`'s thread-locals, which do not know the notation of those made at compile time.
macro_rules! locals {
    () => {};
    ($(#[$attr:meta])* static $name:ident: $type:ty = const $init:block; $($rest:tt)*) => {
        loom::thread_local!($(#[$attr])* static $name: $type = $init);
        crate::cell::sync::thread_local!($($rest)*);
    };
    ($(#[$attr:meta])* static $name:ident: $type:ty = $init:expr; $($rest:tt)*) => {
        loom::thread_local!($(#[$attr])* static $name: $type = $init);
        crate::cell::sync::thread_local!($($rest)*);
    };
}
pub(crate) use locals as thread_local;
