//! The definitions of the figures, written down as plainly as possible.

use std::collections::BTreeMap;

/// All samples, sorted.
pub(super) struct Oracle {
    sorted: Vec<f64>,
}

impl Oracle {
    pub(super) fn new(values: &[f64]) -> Self {
        let mut sorted: Vec<f64> = values.iter().map(|value| value + 0.0).collect();
        sorted.sort_by(f64::total_cmp);
        Oracle { sorted }
    }

    pub(super) fn distinct(&self) -> usize {
        let mut distinct = self.sorted.clone();
        distinct.dedup();
        distinct.len()
    }

    pub(super) fn min(&self) -> f64 {
        self.sorted[0]
    }

    pub(super) fn max(&self) -> f64 {
        self.sorted[self.sorted.len() - 1]
    }

    /// The middle two samples, the same one twice if their number is odd.
    pub(super) fn middle(&self) -> (f64, f64) {
        let n = self.sorted.len();
        (self.sorted[(n - 1) / 2], self.sorted[n / 2])
    }

    /// The rank, from 1, and the sample of a quantile given in thousandths: ⌈n·q⌉ in integers.
    pub(super) fn quantile(&self, thousandths: usize) -> (usize, f64) {
        let rank = (self.sorted.len() * thousandths).div_ceil(1000).max(1);
        (rank, self.sorted[rank - 1])
    }

    /// The most frequent of the samples after `round`, the smallest of several.
    pub(super) fn mode(&self, round: impl Fn(f64) -> f64) -> f64 {
        let mut counts: BTreeMap<i64, (f64, usize)> = BTreeMap::new();
        for &value in &self.sorted {
            let value = round(value) + 0.0;
            counts.entry(ordered(value)).or_insert((value, 0)).1 += 1;
        }
        let most = counts.values().map(|(_, n)| *n).max();
        let mode = counts.values().find(|(_, n)| Some(*n) == most);
        mode.expect("there are samples").0
    }

    /// The sum, by Shewchuk's expansions: exact as long as nothing overflows, then rounded.
    pub(super) fn sum(&self) -> f64 {
        let mut partials: Vec<f64> = Vec::new();
        for &value in &self.sorted {
            let mut x = value;
            let mut kept = Vec::new();
            for &partial in &partials {
                let (large, small) =
                    if x.abs() < partial.abs() { (partial, x) } else { (x, partial) };
                let sum = large + small;
                let error = small - (sum - large);
                if error != 0.0 {
                    kept.push(error);
                }
                x = sum;
            }
            kept.push(x);
            partials = kept;
        }
        partials.iter().sum()
    }

    /// The sample standard deviation, from the differences of all pairs of samples and thus without
    /// any mean: s² = Σ (a - b)² / (n · (n - 1)). Quadratic in the number of distinct samples.
    pub(super) fn stddev(&self) -> f64 {
        if self.sorted.len() < 2 {
            return 0.0;
        }
        let unit = self.unit();
        let distinct: Vec<(f64, f64)> = self
            .sorted
            .chunk_by(|a, b| a == b)
            .map(|run| (run[0] * unit, run.len() as f64))
            .collect();
        // Compensated (Neumaier), for the sum of half a million squares.
        let (mut sum, mut lost) = (0.0f64, 0.0);
        for (index, &(a, n)) in distinct.iter().enumerate() {
            for &(b, m) in &distinct[..index] {
                let term = (a - b) * (a - b) * n * m;
                let next = sum + term;
                lost += if sum >= term { (sum - next) + term } else { (term - next) + sum };
                sum = next;
            }
        }
        let n = self.sorted.len() as f64;
        ((sum + lost) / (n * (n - 1.0))).sqrt() / unit
    }

    /// The sample standard deviation by the textbook's two passes, and the root mean square.
    pub(super) fn stddev_and_rms(&self) -> (f64, f64) {
        let (n, unit) = (self.sorted.len() as f64, self.unit());
        let square_sum = |center: f64| -> f64 {
            self.sorted.iter().map(|value| (value * unit - center).powi(2)).sum()
        };
        let stddev = (square_sum(self.sum() / n * unit) / (n - 1.0)).sqrt();
        (stddev / unit, (square_sum(0.0) / n).sqrt() / unit)
    }

    /// A power of two that brings the samples to where their squares are normal numbers.
    fn unit(&self) -> f64 {
        match self.max().max(-self.min()) {
            huge if huge > 1e100 => 2f64.powi(-600),
            tiny if tiny < 1e-100 => 2f64.powi(600),
            _ => 1.0,
        }
    }
}

/// The edge nearest to zero of the cell of a sample: its top eleven significant bits.
pub(super) fn cell_edge(value: f64) -> f64 {
    let truncate = |value: f64| f64::from_bits(value.to_bits() & !((1 << 42) - 1));
    if value.abs() < 1e-200 {
        let up = 2f64.powi(400);
        truncate(value * up) / up
    } else {
        truncate(value)
    }
}

/// An integer for each `f64`, in the same order, neighbours one apart.
fn ordered(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits }
}

/// How many steps from one `f64` to the next lie between the two.
pub(super) fn ulps(a: f64, b: f64) -> u64 {
    ordered(a + 0.0).abs_diff(ordered(b + 0.0))
}
