//! What is measured: one operation, repeated.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

/// Repeats one operation so many times, on the thread that it was made on.
pub type Run = Box<dyn FnMut(u32)>;

/// One operation of one library, that any number of threads can repeat on the same metric.
pub struct Work {
    /// Makes what one thread repeats. It is called on that thread, before the clock runs.
    start: Box<dyn Fn() -> Run + Send + Sync>,
    /// Whether two threads can do it to one metric at all.
    pub shared: bool,
}

impl Work {
    /// Work that threads can do at once.
    pub fn new(start: impl Fn() -> Run + Send + Sync + 'static) -> Work {
        Work { start: Box::new(start), shared: true }
    }

    /// What the calling thread repeats.
    pub fn start(&self) -> Run {
        (self.start)()
    }

    /// Work on something that one thread has for itself.
    pub fn unshared(start: impl Fn() -> Run + Send + Sync + 'static) -> Work {
        Work { start: Box::new(start), shared: false }
    }
}

/// The operation, repeated.
pub fn each(mut operation: impl FnMut() + 'static) -> Run {
    Box::new(move |times| {
        for _ in 0..times {
            operation();
        }
    })
}

/// The operation, repeated with another value each time, so that no gauge finds itself set already.
pub fn each_rising(mut operation: impl FnMut(f64) + 'static) -> Run {
    Box::new(move |times| {
        for at in 0..times {
            operation(f64::from(at));
        }
    })
}

/// The operation, repeated with one item after the other, and with the first after the last.
pub fn each_of<T: Copy, const N: usize>(
    items: &'static [T; N],
    mut operation: impl FnMut(T) + 'static,
) -> Run {
    const { assert!(N.is_power_of_two()) }; // the index is masked: a division would be measured too
    let mut at = 0;
    Box::new(move |times| {
        for _ in 0..times {
            operation(items[at & (N - 1)]);
            at += 1;
        }
    })
}

/// The reference: relaxed additions to an atomic that nobody else touches.
pub fn reference() -> Work {
    Work::new(|| {
        let counter = Box::new(AtomicU64::new(0));
        each(move || {
            black_box(&*counter).fetch_add(1, Ordering::Relaxed);
        })
    })
}
