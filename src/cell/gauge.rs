//! A gauge: one shared value, with the extremes it reached where they are asked for.

use super::sync::{AtomicU64, Ordering};

/// A quiet NaN stands for "never set"; a gauge refuses NaN, so it is never a value.
const UNSET: u64 = 0x7ff8_0000_0000_0000;

/// The last value set, by whichever thread.
///
/// "Last" is an order over all threads, so the value is shared: a set is one relaxed store, an
/// increment a compare-exchange.
pub(crate) struct Gauge {
    /// The value's bits. Written by any thread, read by any; relaxed, for it publishes nothing.
    value: Alone,
    /// What increments of a gauge that was never set start from.
    default: Option<f64>,
    range: Option<Tracked>,
}

/// On cache lines of its own: a thread that sets, and reads nothing that is there, goes on while the
/// store waits for the line. (On x86 the macro's next step, a locked addition to its handle's
/// reference count, waits for the store, so two threads that set one gauge through it take turns.)
#[repr(align(128))]
struct Alone(AtomicU64);

/// The lowest and the highest value since the last [`Gauge::take_range`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// Running extremes as order-preserving integers, so that the atomics' own minimum and maximum
/// apply. Written by recorders after the value; taken by the sealer before it reads the value.
/// A recorder that has stored its value but not yet its extreme is still inside its call, and
/// its extreme counts in the next window.
struct Tracked {
    min: AtomicU64,
    max: AtomicU64,
}

impl Gauge {
    /// A gauge that nobody has set. With `tracked` it also keeps its extremes.
    pub(crate) fn new(default: Option<f64>, tracked: bool) -> Self {
        let range = tracked
            .then(|| Tracked { min: AtomicU64::new(u64::MAX), max: AtomicU64::new(u64::MIN) });
        Gauge { value: Alone(AtomicU64::new(UNSET)), default, range }
    }

    /// Whether the gauge keeps its extremes.
    pub(crate) fn is_tracked(&self) -> bool {
        self.range.is_some()
    }

    /// Makes the gauge one that nobody has set.
    pub(crate) fn clear(&self) {
        self.value.0.store(UNSET, Ordering::Relaxed);
        if let Some(range) = &self.range {
            range.min.store(u64::MAX, Ordering::Relaxed);
            range.max.store(u64::MIN, Ordering::Relaxed);
        }
    }

    /// The last value set, else the default, else nothing.
    pub(crate) fn get(&self) -> Option<f64> {
        let value = f64::from_bits(self.value.0.load(Ordering::Relaxed));
        if value.is_nan() { self.default } else { Some(value) }
    }

    /// Sets the value. False, and nothing changed, when it is not finite.
    #[inline]
    pub(crate) fn set(&self, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        self.value.0.store(value.to_bits(), Ordering::Relaxed);
        self.reached(value);
        true
    }

    /// Adds to the value. False, and nothing changed, when the sum is not finite.
    #[inline]
    pub(crate) fn add(&self, amount: f64) -> bool {
        let mut bits = self.value.0.load(Ordering::Relaxed);
        loop {
            let from = f64::from_bits(bits);
            let from = if from.is_nan() { self.default.unwrap_or(0.0) } else { from };
            let sum = from + amount;
            if !sum.is_finite() {
                return false;
            }
            let set = self.value.0.compare_exchange_weak(
                bits,
                sum.to_bits(),
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match set {
                Ok(_) => {
                    self.reached(sum);
                    return true;
                }
                Err(now) => bits = now,
            }
        }
    }

    #[inline]
    fn reached(&self, value: f64) {
        let Some(range) = &self.range else { return };
        let rank = rank(value);
        // Looked at first: an extreme is rarely moved, and a read does not take the cache line.
        if rank < range.min.load(Ordering::Relaxed) {
            range.min.fetch_min(rank, Ordering::Relaxed);
        }
        if rank > range.max.load(Ordering::Relaxed) {
            range.max.fetch_max(rank, Ordering::Relaxed);
        }
    }

    /// The extremes since the last call, the value at that call included; `None` when nothing
    /// was ever set.
    pub(crate) fn take_range(&self) -> Option<Range> {
        let range = self.range.as_ref()?;
        let min = range.min.swap(u64::MAX, Ordering::Relaxed);
        let max = range.max.swap(u64::MIN, Ordering::Relaxed);
        let value = f64::from_bits(self.value.0.load(Ordering::Relaxed));
        if value.is_nan() {
            return between(min, max);
        }
        // It is in force when this window ends and when the next begins. Its recorder may not
        // have come to say so, or have said so between the swaps and this look.
        self.reached(value);
        between(min.min(rank(value)), max.max(rank(value)))
    }

    /// The extremes since the last [`take_range`](Gauge::take_range), left in place.
    pub(crate) fn range(&self) -> Option<Range> {
        let range = self.range.as_ref()?;
        between(range.min.load(Ordering::Relaxed), range.max.load(Ordering::Relaxed))
    }
}

/// A recorder may be between its two updates, so either side may be missing.
fn between(min: u64, max: u64) -> Option<Range> {
    match (min != u64::MAX, max != u64::MIN) {
        (true, true) => Some(Range { min: unrank(min), max: unrank(max) }),
        (true, false) => Some(Range { min: unrank(min), max: unrank(min) }),
        (false, true) => Some(Range { min: unrank(max), max: unrank(max) }),
        (false, false) => None,
    }
}

/// An integer that orders like the finite float it is made from.
fn rank(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

fn unrank(rank: u64) -> f64 {
    f64::from_bits(if rank >> 63 == 1 { rank & !(1 << 63) } else { !rank })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_stays_until_another_is_set() {
        let gauge = Gauge::new(None, false);
        assert_eq!(gauge.get(), None);
        assert!(gauge.set(2.5));
        assert!(gauge.add(-4.0));
        assert_eq!(gauge.get(), Some(-1.5));
        assert!(!gauge.set(f64::NAN) && !gauge.set(f64::INFINITY) && !gauge.add(f64::INFINITY));
        assert!(gauge.set(f64::MAX) && !gauge.add(f64::MAX));
        assert_eq!(gauge.get(), Some(f64::MAX));
    }

    #[test]
    fn increments_start_from_the_default() {
        let gauge = Gauge::new(Some(10.0), false);
        assert_eq!(gauge.get(), Some(10.0));
        gauge.add(1.0);
        assert_eq!(gauge.get(), Some(11.0));
    }

    #[test]
    fn extremes_are_exact_and_taken_once() {
        let gauge = Gauge::new(None, true);
        assert_eq!(gauge.take_range(), None);
        for value in [3.0, -7.5, 0.0, 12.0, 1.0] {
            gauge.set(value);
        }
        let range = Some(Range { min: -7.5, max: 12.0 });
        assert_eq!((gauge.range(), gauge.take_range()), (range, range));
        assert_eq!(gauge.range(), Some(Range { min: 1.0, max: 1.0 }), "the value in force");
    }

    #[test]
    fn ranks_order_as_the_floats_do() {
        let ordered = [f64::MIN, -1.0, -f64::MIN_POSITIVE, -0.0, 0.0, 5e-324, 1.0, f64::MAX];
        for pair in ordered.windows(2) {
            assert!(rank(pair[0]) < rank(pair[1]), "{pair:?}");
        }
        assert!(ordered.iter().all(|value| unrank(rank(*value)).to_bits() == value.to_bits()));
    }

    #[test]
    fn concurrent_increments_all_count_and_their_peak_is_seen() {
        let gauge = Gauge::new(None, true);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| assert!(gauge.add(1.0) && gauge.add(-1.0))));
            }
        });
        assert_eq!(gauge.get(), Some(0.0));
        let max = gauge.take_range().map(|range| range.max);
        assert!(max >= Some(1.0) && max <= Some(4.0), "{max:?}");
    }
}
