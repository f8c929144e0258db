//! The exact state: how often each distinct value was seen.

use super::deviation::stddev;
use super::figures::Figures;
use super::float::split;
use super::ranked::{self, Ranked};
use super::sum::Sum;

/// A summary is exact while it holds at most this many distinct values.
pub(super) const EXACT_DISTINCT: usize = 1024;

/// Distinct values per bucket. Random keys overflow a bucket of four rarely enough, at half load,
/// that the processor foresees nearly every look-up ending in its first bucket; with single slots a
/// quarter of the keys is displaced, and each costs two mispredicted branches.
const WIDTH: usize = 4;

/// Buckets of the first table that is allocated.
const FIRST_BUCKETS: usize = 4;

/// The key of a vacant slot: the bits of a NaN, which is never a sample.
const VACANT: u64 = u64::MAX;

/// Four slots, filled from the front: one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Bucket {
    /// The bits of the values.
    keys: [u64; WIDTH],
    /// How often each was seen.
    counts: [u64; WIDTH],
}

/// A hash table with open addressing by bucket, never more than half full.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// None at first, then a power of two.
    buckets: Vec<Bucket>,
    /// 64 - log2 of the number of buckets.
    shift: u32,
    /// Distinct values.
    occupied: usize,
}

impl Table {
    /// An empty table with memory for so many distinct values.
    pub(super) fn with_room(distinct: usize) -> Table {
        let mut table = Table::default();
        if distinct > 0 {
            let buckets = (2 * distinct).div_ceil(WIDTH).next_power_of_two();
            table.grow(buckets.max(FIRST_BUCKETS));
        }
        table
    }

    /// Adds the samples up to the first for which there is no room, and says how many that were.
    pub(super) fn extend(&mut self, values: &[f64]) -> usize {
        values.iter().position(|&value| !self.add(value, 1)).unwrap_or(values.len())
    }

    /// Adds `n` > 0 samples of one value. `false`, and nothing added, if it would be one distinct
    /// value too many.
    #[inline]
    pub(super) fn add(&mut self, value: f64, n: u64) -> bool {
        // -0.0 + 0.0 is 0.0: the two zeros are one value.
        let key = (value + 0.0).to_bits();
        let mut index = self.home(key);
        loop {
            index &= self.buckets.len().wrapping_sub(1);
            let Some(bucket) = self.buckets.get_mut(index) else { break };
            // Which slot matches cannot be foreseen: conditional moves, and one branch on the result.
            let keys = &bucket.keys;
            let slot = if keys[1] == key { 1 } else { 0 };
            let slot = if keys[2] == key { 2 } else { slot };
            let slot = if keys[3] == key { 3 } else { slot };
            if keys[slot] == key {
                bucket.counts[slot] = bucket.counts[slot].saturating_add(n);
                return true;
            }
            if keys[WIDTH - 1] == VACANT {
                break;
            }
            index += 1;
        }
        self.insert(key, n)
    }

    /// Adds a value that is not in the table, unless that makes one too many.
    #[cold]
    fn insert(&mut self, key: u64, n: u64) -> bool {
        if self.occupied >= EXACT_DISTINCT {
            return false;
        }
        if (self.occupied + 1) * 2 > self.buckets.len() * WIDTH {
            self.grow((self.buckets.len() * 2).max(FIRST_BUCKETS));
        }
        self.place(key, n);
        self.occupied += 1;
        true
    }

    /// Moves to a table of so many buckets.
    fn grow(&mut self, size: usize) {
        let vacant = vec![Bucket { keys: [VACANT; WIDTH], counts: [0; WIDTH] }; size];
        let old = std::mem::replace(&mut self.buckets, vacant);
        self.shift = u64::BITS - size.trailing_zeros();
        for (key, n) in pairs(&old) {
            self.place(key, n);
        }
    }

    /// Writes to the first vacant slot from the value's home on. There is one.
    fn place(&mut self, key: u64, n: u64) {
        let home = self.home(key);
        let (before, after) = self.buckets.split_at_mut(home);
        for bucket in after.iter_mut().chain(before) {
            if let Some(slot) = bucket.keys.iter().position(|&key| key == VACANT) {
                bucket.keys[slot] = key;
                bucket.counts[slot] = n;
                return;
            }
        }
    }

    /// The bucket where the search for a key starts, in range once the table is allocated.
    #[inline]
    fn home(&self, key: u64) -> usize {
        // Multiplicative hashing with 2^64 / golden ratio (Knuth, TAOCP 3, 6.4). It is the high bits
        // of the product that depend on all bits of the key, also on the exponent and the few top
        // fraction bits in which small integers differ.
        (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    /// The number of distinct values.
    pub(super) fn distinct(&self) -> usize {
        self.occupied
    }

    /// The distinct values and their counts, in no order.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        pairs(&self.buckets).map(|(key, n)| (f64::from_bits(key), n))
    }

    /// The same, as a list.
    pub(super) fn to_vec(&self) -> Vec<(f64, u64)> {
        let mut list = Vec::with_capacity(self.occupied);
        list.extend(self.pairs());
        list
    }

    /// The same, from the smallest value on.
    pub(super) fn sorted(&self) -> Vec<(f64, u64)> {
        let mut list = self.to_vec();
        list.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        list
    }

    /// The sample standard deviation given the mean.
    pub(super) fn stddev(&self, mean: f64) -> f64 {
        // Rounding depends on the order, and the order in the table on that of the samples.
        let pairs = self.sorted();
        let reach = |pair: Option<&(f64, u64)>| pair.map_or(0.0, |(value, _)| value.abs());
        let reach = reach(pairs.first()).max(reach(pairs.last()));
        stddev(pairs.into_iter(), mean, reach)
    }

    /// The figures; `count` is the number of samples.
    pub(super) fn figures(&self, count: u64) -> Figures<'_> {
        let mut pairs = self.to_vec();
        let first = pairs.first().map(|&(value, _)| value);
        let (mut min, mut max) = (first.unwrap_or(0.0), first.unwrap_or(0.0));
        let mut sum = Sum::new();
        let mut mode = (min, 0);
        for &(value, n) in &pairs {
            min = if value < min { value } else { min };
            max = if value > max { value } else { max };
            if n > mode.1 || (n == mode.1 && value < mode.0) {
                mode = (value, n);
            }
            if let Some((octave, significand)) = split(value) {
                sum.add(value < 0.0, octave, u128::from(significand) * u128::from(n));
            }
        }
        let (sum, mean) = sum.finish(count);
        let median =
            ranked::median(ranked::total(&pairs), |rank| ranked::at_rank(&mut pairs, rank));
        Figures {
            count,
            sum,
            min,
            max,
            mean: mean.max(min).min(max),
            median,
            mode: first.and(Some(mode.0)),
            ranked: Ranked::Exact(self),
        }
    }
}

/// The occupied slots.
fn pairs(buckets: &[Bucket]) -> impl Iterator<Item = (u64, u64)> + '_ {
    let slots = buckets.iter().flat_map(|bucket| bucket.keys.into_iter().zip(bucket.counts));
    slots.filter(|&(key, _)| key != VACANT)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bound of memory that the module's documentation states.
    #[test]
    fn the_table_grows_to_32_kib_and_no_further() {
        let bytes = |table: &Table| size_of_val(table.buckets.as_slice());
        let mut table = Table::default();
        assert_eq!(bytes(&table), 0);
        assert!(table.add(0.5, 1));
        assert_eq!(bytes(&table), 16 * 16);
        for i in 1..EXACT_DISTINCT {
            assert!(table.add(i as f64 + 0.5, 1));
            assert!(table.occupied * 2 <= table.buckets.len() * WIDTH);
        }
        assert!(!table.add(-1.0, 1));
        assert!(table.add(0.5, 1));
        assert_eq!(bytes(&table), 32 * 1024);
        assert_eq!(table.pairs().count(), EXACT_DISTINCT);
    }
}
