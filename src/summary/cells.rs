//! The state for many distinct values: a count for every thousandth of a power of two.
//!
//! `hdrhistogram` has the same cells, but its `record` looks after its own total, minimum, maximum
//! and range with every sample and costs several times the increment that it comes down to. So
//! samples are counted here, and brought to a histogram when an answer is wanted (see `sketch`).

use super::deviation;
use super::float;
use super::octave::Octave;
use super::sum::Sum;

/// The samples of one sign: the octaves from the lowest to the highest in use.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    /// The exponent of the first octave: `octave + 1023`, as in an `f64`, but 0 and below for
    /// subnormals.
    first: i32,
    octaves: Vec<Option<Octave>>,
}

impl Side {
    /// The octaves that hold samples with their number (`floor(log2(|value|))`), lowest first.
    pub(super) fn octaves(&self) -> impl Iterator<Item = (i32, &Octave)> {
        let octaves = (self.first..).zip(&self.octaves);
        octaves
            .filter_map(|(field, octave)| Some((float::octave_of_field(field), octave.as_ref()?)))
    }

    /// The lower edges of the cells that hold samples, and how many those are.
    fn edges(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.octaves().flat_map(|(number, octave)| {
            octave.counts().map(move |(cell, count)| (float::lower_edge(number, cell), count))
        })
    }

    /// The octave with this exponent, if it holds samples.
    #[inline(always)]
    fn get(&mut self, field: i32) -> Option<&mut Octave> {
        // Below the first octave the difference wraps and is out of range as well.
        let index = field.wrapping_sub(self.first) as u32 as usize;
        self.octaves.get_mut(index)?.as_mut()
    }

    /// Makes room for this octave if need be, and calls `change` with it.
    #[cold]
    fn change(&mut self, octave: i32, change: impl FnOnce(&mut Octave)) {
        let field = octave - float::octave_of_field(0);
        if self.octaves.is_empty() {
            self.first = field;
        }
        if field < self.first {
            let missing = (self.first - field) as usize;
            self.octaves.splice(0..0, std::iter::repeat_with(|| None).take(missing));
            self.first = field;
        }
        let index = (field - self.first) as usize;
        if index >= self.octaves.len() {
            self.octaves.resize_with(index + 1, || None);
        }
        if let Some(slot) = self.octaves.get_mut(index) {
            change(slot.get_or_insert_with(Octave::new));
        }
    }
}

/// Cells for both signs.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    /// Positive and negative samples, indexed by the sign bit.
    sides: [Side; 2],
    /// Samples that are zero.
    pub(super) zeros: u64,
    /// Smallest sample; positive infinity before the first.
    pub(super) min: f64,
    /// Largest sample; negative infinity before the first.
    pub(super) max: f64,
}

impl Cells {
    /// No samples.
    pub(super) fn new() -> Self {
        Cells { sides: Default::default(), zeros: 0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }

    /// The positive samples.
    pub(super) fn positive(&self) -> &Side {
        &self.sides[0]
    }

    /// The negative samples.
    pub(super) fn negative(&self) -> &Side {
        &self.sides[1]
    }

    /// Adds samples, one of each value.
    pub(super) fn extend(&mut self, values: &[f64]) {
        self.widen(values);
        for &value in values {
            let bits = value.to_bits();
            let field = float::exponent_field(bits);
            match self.sides[(bits >> 63) as usize].get(field) {
                // Zero and subnormals have exponent field 0, and need to be told apart.
                Some(octave) if field != 0 => {
                    octave.push(float::cell(bits), float::significand(bits));
                }
                _ => self.count(value, 1),
            }
        }
    }

    /// Adds `n` samples of one value.
    pub(super) fn add(&mut self, value: f64, n: u64) {
        self.widen(&[value]);
        self.count(value, n);
    }

    /// Adds what another summary has counted.
    pub(super) fn merge(&mut self, other: &Cells) {
        self.widen(&[other.min, other.max]);
        self.zeros = self.zeros.saturating_add(other.zeros);
        for (side, others) in self.sides.iter_mut().zip(&other.sides) {
            for (octave, others) in others.octaves() {
                side.change(octave, |octave| octave.merge(others));
            }
        }
    }

    /// The number of cells that hold samples. There are at least as many distinct values.
    pub(super) fn occupied(&self) -> usize {
        let octaves = self.sides.iter().flat_map(Side::octaves);
        octaves.map(|(_, octave)| octave.occupied()).sum::<usize>() + usize::from(self.zeros > 0)
    }

    /// The sum of all samples, and their mean given their count.
    pub(super) fn sum_and_mean(&self, count: u64) -> (f64, f64) {
        let mut sum = Sum::new();
        for (side, negative) in [(self.positive(), false), (self.negative(), true)] {
            for (number, octave) in side.octaves() {
                sum.add(negative, number, octave.significands());
            }
        }
        let (sum, mean) = sum.finish(count);
        (sum, mean.max(self.min).min(self.max))
    }

    /// The sample standard deviation given the mean. Every sample is taken for its cell's edge nearest
    /// to zero, less than 1/1024 of it off; so by the triangle inequality the result is less than
    /// 0.1 % of the samples' root mean square off. Nor is it larger than the range of the samples.
    pub(super) fn stddev(&self, mean: f64) -> f64 {
        deviation::stddev(self.samples().into_iter(), mean, self.max.max(-self.min))
    }

    /// All samples in order, each taken for its cell's edge nearest to zero.
    pub(super) fn samples(&self) -> Vec<(f64, u64)> {
        let negative = self.negative().edges().map(|(magnitude, count)| (-magnitude, count));
        let mut samples: Vec<(f64, u64)> = negative.collect();
        samples.reverse();
        samples.extend((self.zeros > 0).then_some((0.0, self.zeros)));
        samples.extend(self.positive().edges());
        samples.iter_mut().for_each(|(value, _)| *value = value.max(self.min).min(self.max));
        samples
    }

    /// Counts `n` samples of a value whose octave may be missing, or that is zero or subnormal.
    #[cold]
    fn count(&mut self, value: f64, n: u64) {
        let Some((octave, significand)) = float::split(value) else {
            self.zeros = self.zeros.saturating_add(n);
            return;
        };
        self.sides[usize::from(value < 0.0)].change(octave, |octave| {
            // A significand that is normalised has its cell where a normal number has it.
            octave.add(float::cell(significand), significand, n);
        });
    }

    /// Takes the values into account for the minimum and maximum.
    fn widen(&mut self, values: &[f64]) {
        // Four independent lanes, or every comparison would wait for the one before it.
        let mut min = [self.min; 4];
        let mut max = [self.max; 4];
        let mut fours = values.chunks_exact(4);
        for four in &mut fours {
            for lane in 0..4 {
                min[lane] = if four[lane] < min[lane] { four[lane] } else { min[lane] };
                max[lane] = if four[lane] > max[lane] { four[lane] } else { max[lane] };
            }
        }
        let rest = fours.remainder().iter().copied();
        self.min = rest.clone().chain(min).fold(self.min, f64::min);
        self.max = rest.chain(max).fold(self.max, f64::max);
    }
}
