//! What is recorded, made before the clock runs.

/// How many values there are of each shape: 1 MiB, read in order, so that reading them costs next
/// to nothing.
pub const LEN: usize = 1 << 17;

/// The shapes of samples.
pub const SHAPES: [&str; 3] = ["few", "many", "continuous"];

/// The samples of a shape, for libraries that take floats.
///
/// `few`: ten integers. `many`: a hundred thousand integers. `continuous`: fractions, log-normal
/// with median 12 and sigma 1, hardly one of them twice.
pub fn floats(shape: &str) -> &'static [f64; LEN] {
    let mut random = Random(7);
    let mut draw = || match shape {
        "few" => (1 + random.below(10)) as f64,
        "many" => (1 + random.below(100_000)) as f64,
        _ => (12f64.ln() + random.normal()).exp(),
    };
    leak(std::array::from_fn(|_| 0.0), &mut draw)
}

/// The same samples for libraries that take integers; fractions in millionths.
pub fn integers(shape: &str) -> &'static [u64; LEN] {
    let scale = if shape == "continuous" { 1e6 } else { 1.0 };
    let floats = floats(shape);
    let mut at = 0;
    let mut next = || {
        at += 1;
        (floats[at - 1] * scale) as u64
    };
    leak(std::array::from_fn(|_| 0), &mut next)
}

/// Positions below `end` in no order, for touching many metrics.
pub fn positions(end: usize) -> &'static [u32; LEN] {
    let mut random = Random(11);
    leak(std::array::from_fn(|_| 0), &mut || random.below(end as u64) as u32)
}

/// Text that lives as long as the process, as literals do.
pub fn name(text: impl Into<String>) -> &'static str {
    Box::leak(text.into().into_boxed_str())
}

fn leak<T: Copy>(filling: [T; LEN], next: &mut dyn FnMut() -> T) -> &'static [T; LEN] {
    let array: &'static mut [T; LEN] = Box::leak(Box::new(filling));
    array.iter_mut().for_each(|item| *item = next());
    array
}

/// SplitMix64: the same numbers in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Above 0, at most 1.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// Box and Muller's.
    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}
