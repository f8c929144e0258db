//! The registers of a HyperLogLog sketch.

/// The bits of a hash that tell the register.
const PRECISION: u32 = 14;

/// 2^14 registers: a standard error of 0.81 % (1.04 / √16,384).
///
/// A set of values for receivers, who have SQL and no sketch of anybody's: the union of two is the
/// greater rank of each register, and of the registers an estimate is made by one expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Registers {
    /// Those that are not 0, with their ranks, in order; at most [`Registers::FEW`].
    Few(Vec<(u16, u8)>),
    /// The rank of each, of which more are not 0.
    Many(Box<[u8]>),
}

impl Default for Registers {
    fn default() -> Self {
        Registers::Few(Vec::new())
    }
}

impl Registers {
    /// How many there are.
    pub(crate) const COUNT: usize = 1 << PRECISION;
    /// The greatest rank: all other bits of the hash are 0.
    pub(crate) const HIGHEST: u8 = (u64::BITS - PRECISION + 1) as u8;
    /// As many that are not 0 are listed; of more it is shorter to say all.
    pub(crate) const FEW: usize = 1024;

    /// Takes a value in: the first 14 bits of its hash are the register's number, and the rank is
    /// the place, from 1, of the first 1 in the rest.
    pub(super) fn add(&mut self, hash: u64) {
        let index = hash >> (u64::BITS - PRECISION);
        let rest = hash << PRECISION | 1 << (PRECISION - 1);
        self.raise(index as u16, rest.leading_zeros() as u8 + 1);
    }

    fn raise(&mut self, index: u16, rank: u8) {
        match self {
            Registers::Few(list) => match list.binary_search_by_key(&index, |(index, _)| *index) {
                Ok(at) => list[at].1 = list[at].1.max(rank),
                Err(at) if list.len() < Registers::FEW => list.insert(at, (index, rank)),
                Err(_) => {
                    let mut ranks = vec![0; Registers::COUNT].into_boxed_slice();
                    list.iter().for_each(|(index, rank)| ranks[usize::from(*index)] = *rank);
                    *self = Registers::Many(ranks);
                    self.raise(index, rank);
                }
            },
            Registers::Many(ranks) => {
                if let Some(own) = ranks.get_mut(usize::from(index)) {
                    *own = rank.max(*own);
                }
            }
        }
    }

    /// Makes this the union of the two.
    pub(super) fn merge(&mut self, other: &Registers) {
        other.iter().for_each(|(index, rank)| self.raise(index, rank));
    }

    /// Those that are not 0, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u16, u8)> {
        let (few, many): (&[_], &[_]) = match self {
            Registers::Few(list) => (list, &[]),
            Registers::Many(ranks) => (&[], ranks),
        };
        let many = (0..).zip(many).filter(|(_, rank)| **rank > 0);
        few.iter().copied().chain(many.map(|(index, rank)| (index, *rank)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The estimate that a receiver makes: LogLog-Beta, as `Schema::mergeable` states it.
    fn estimate(registers: &Registers) -> f64 {
        const B: [f64; 8] = [
            -0.370393911,
            0.070471823,
            0.17393686,
            0.16339839,
            -0.09237745,
            0.03738027,
            -0.005384159,
            0.00042419,
        ];
        let m = Registers::COUNT as f64;
        let used = registers.iter().count() as f64;
        let sum: f64 = registers.iter().map(|(_, rank)| 0.5f64.powi(rank.into())).sum();
        let ez = m - used;
        let zl = (ez + 1.0).ln();
        let b: f64 = (1..).zip(&B[1..]).map(|(power, b)| b * zl.powi(power)).sum();
        0.7213 / (1.0 + 1.079 / m) * m * used / (B[0] * ez + b + ez + sum)
    }

    /// SplitMix64: as good as random, and the same in every run.
    fn hash(seed: u64, n: u64) -> u64 {
        let mut z = (seed << 40 | n).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn of(hashes: impl Iterator<Item = u64>) -> Registers {
        hashes.fold(Registers::default(), |mut registers, hash| {
            registers.add(hash);
            registers
        })
    }

    #[test]
    fn the_first_bits_are_the_index_and_the_rest_has_the_rank() {
        let cases = [
            (0, (0, 51)),
            (1, (0, 50)),
            (1 << 49, (0, 1)),
            (u64::MAX, (16_383, 1)),
            (1 << 63, (8192, 51)),
            (0b101 << 48, (0b1, 2)),
            (3 << 50 | 1 << 40, (3, 10)),
        ];
        for (hash, expected) in cases {
            assert_eq!(of([hash].into_iter()).iter().collect::<Vec<_>>(), [expected], "{hash:#x}");
        }
    }

    /// The mean over several sets shows a bias that the error of one would hide; the square mean is
    /// the standard error.
    #[test]
    fn the_estimate_is_right_from_one_value_to_millions() {
        const SETS: u64 = 24;
        let most = if cfg!(debug_assertions) { 300_000 } else { 10_000_000 };
        let marks: Vec<u64> = (0..8)
            .flat_map(|power| [1, 2, 3, 5, 7].map(|digit| digit * 10u64.pow(power)))
            .filter(|mark| *mark <= most)
            .collect();
        let mut errors = vec![Vec::new(); marks.len()];
        for seed in 0..SETS {
            let mut registers = Registers::default();
            let mut next = 0;
            for (mark, errors) in marks.iter().zip(&mut errors) {
                (next..*mark).for_each(|n| registers.add(hash(seed, n)));
                next = *mark;
                errors.push(estimate(&registers) / *mark as f64 - 1.0);
            }
        }
        for (mark, errors) in marks.iter().zip(errors) {
            let mean = errors.iter().sum::<f64>() / SETS as f64;
            let square = (errors.iter().map(|e| e * e).sum::<f64>() / SETS as f64).sqrt();
            println!("{mark:>9}: bias {:>6.3} %, error {:>6.3} %", mean * 100.0, square * 100.0);
            // Where none has a register in common with another the estimate is all but exact.
            let off = errors.iter().map(|error| error.abs()).fold(0.0, f64::max);
            assert!(*mark > 50 || off * *mark as f64 <= 1.5, "{mark}: {off}");
            assert!(square < 0.0125, "{mark}: error {square}");
            assert!(mean.abs() < 0.004, "{mark}: bias {mean}");
        }
    }

    #[test]
    fn the_union_of_parts_is_the_whole_register_by_register() {
        let ranges = [0..1, 0..700, 500..1000, 900..2000, 0..0, 1500..40_000];
        for (a, b) in ranges.iter().flat_map(|a| ranges.iter().map(move |b| (a, b))) {
            let whole = of(a.clone().chain(b.clone()).map(|n| hash(1, n)));
            let mut union = of(a.clone().map(|n| hash(1, n)));
            union.merge(&of(b.clone().map(|n| hash(1, n))));
            assert_eq!(union, whole, "{a:?} {b:?}");
        }
    }

    #[test]
    fn few_are_listed_and_many_are_not() {
        let mut registers = Registers::default();
        for index in (0..Registers::FEW as u64).rev() {
            registers.add(index << 54);
        }
        assert!(matches!(&registers, Registers::Few(list) if list.len() == 1024));
        let before: Vec<_> = registers.iter().collect();
        assert!(before.is_sorted());
        registers.add(u64::from(before[9].0) << 50 | 1); // one that is there
        assert!(matches!(&registers, Registers::Few(_)));
        registers.add(1 << 50);
        assert!(matches!(&registers, Registers::Many(ranks) if ranks.len() == 16_384));
        assert_eq!(registers.iter().count(), 1025);
        assert!(registers.iter().is_sorted());
    }
}
