//! Calling functions of the application, which may panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What `function` returns; `None` when it panics.
pub(crate) fn caught<T>(function: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(function)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // A payload may be anything, also something that panics when it is dropped. What that
            // panics with in its turn is leaked.
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(again);
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_ends_here_even_if_its_payload_panics_too() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                std::panic::panic_any(());
            }
        }
        assert_eq!(caught(|| 7), Some(7));
        assert_eq!(caught(|| -> u8 { std::panic::panic_any(Bomb) }), None);
    }
}
