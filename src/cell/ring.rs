//! A thread's ring of samples of one histogram: pushed by the thread, claimed in batches.

use super::sync::{AtomicU64, MODELLED, Ordering};

/// Samples a ring holds, and the size of the batches that are folded into the reducer.
pub(crate) const LEN: usize = if MODELLED { 2 } else { 64 };

/// A single-producer ring that any number of claimants may empty.
///
/// The owner pushes at `head`; a claimant copies the samples between `tail` and `head` and then
/// moves `tail` from what it read to the `head` it read. Of all claimants that read the same
/// `tail` exactly one moves it, and only that one owns the samples; the others throw their
/// copies away. So each sample is claimed once, by whoever, and nobody waits.
///
/// The owner must see the ring empty before it pushes the sample after the last free slot. It
/// does so without reading `tail` at each push: at every `LEN`th push it claims the ring itself
/// ([`push`](Ring::push) says when), which leaves `tail == head`, by its own move or another's.
#[repr(align(128))]
pub(crate) struct Ring {
    /// Samples ever pushed. Written by the owner only; read by claimants. The release store
    /// publishes the slot written before it.
    head: AtomicU64,
    /// Samples ever claimed. Moved by claimants with compare-exchange. Its release half orders
    /// the claimant's reads of the slots before the owner's next writes to them, since the owner
    /// acquires `tail` in its own claim before it comes round to those slots again.
    tail: AtomicU64,
    /// The samples' bits. Written by the owner only, relaxed: `head` publishes them.
    slots: [AtomicU64; LEN],
    /// Which part of the reducer the owner tries first. Written and read by the owner only.
    hint: AtomicU64,
}

impl Ring {
    pub(crate) fn new() -> Self {
        Ring {
            head: AtomicU64::new(0),
            tail: AtomicU64::new(0),
            slots: std::array::from_fn(|_| AtomicU64::new(0)),
            hint: AtomicU64::new(0),
        }
    }

    /// The part of the reducer that was free last time; for the owning thread.
    pub(crate) fn hint(&self) -> usize {
        self.hint.load(Ordering::Relaxed) as usize
    }

    /// Remembers [`hint`](Ring::hint); for the owning thread.
    pub(crate) fn set_hint(&self, hint: usize) {
        self.hint.store(hint as u64, Ordering::Relaxed);
    }

    /// Pushes a sample; only the owning thread may. True when the owner must
    /// [`claim`](Ring::claim) before it pushes again.
    #[inline]
    #[must_use]
    pub(crate) fn push(&self, value: f64) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        self.slots[head as usize % LEN].store(value.to_bits(), Ordering::Relaxed);
        self.head.store(head + 1, Ordering::Release);
        (head + 1) % LEN as u64 == 0
    }

    /// Takes all samples that are in the ring now; returns those it got, copied into `batch`.
    pub(crate) fn claim<'b>(&self, batch: &'b mut [f64; LEN]) -> &'b [f64] {
        loop {
            let tail = self.tail.load(Ordering::Acquire);
            let head = self.head.load(Ordering::Acquire);
            let count = head.wrapping_sub(tail) as usize;
            if count > LEN {
                continue; // `tail` was read first, and is of an earlier round than `head`
            }
            for (at, sample) in (tail..head).zip(batch.iter_mut()) {
                *sample = f64::from_bits(self.slots[at as usize % LEN].load(Ordering::Relaxed));
            }
            if self.tail.compare_exchange(tail, head, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return &batch[..count];
            }
        }
    }
}
