//! How a cost is measured: in short slices, each with the reference right before it.
//!
//! Other programs want the processors too. A slice in which a thread had to wait for one, or in
//! which the threads did not run side by side, is measured again; for the others there are medians.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use crate::reading::Reading;
use crate::work::{Run, Work, reference};

/// How much is measured.
#[derive(Clone, Copy)]
pub struct Effort {
    /// Slices of each kind in one process.
    pub rounds: usize,
    /// How long a slice lasts, about.
    pub slice: Duration,
    /// How often the list of all cases is gone through.
    pub repetitions: usize,
    /// What the counts of the larger measurements are divided by.
    pub divisor: usize,
}

impl Effort {
    /// What the published figures are measured with.
    pub const FULL: Effort =
        Effort { rounds: 5, slice: Duration::from_millis(4), repetitions: 7, divisor: 1 };
    /// Only shows that everything runs.
    pub const SMOKE: Effort =
        Effort { rounds: 1, slice: Duration::from_micros(100), repetitions: 1, divisor: 1000 };
}

/// The costs of one operation, slice by slice.
#[derive(Default)]
pub struct Costs {
    /// Nanoseconds per operation on each thread.
    pub ns: Vec<f64>,
    /// Nanoseconds per addition of the reference, measured right before.
    pub reference: Vec<f64>,
    /// No slice was quiet.
    pub disturbed: bool,
}

impl Costs {
    /// The reading with these costs.
    pub fn read(self, mut reading: Reading) -> Reading {
        reading.disturbed = self.disturbed;
        reading
            .with("ratio", self.ratios())
            .with("ns", self.ns)
            .with("reference_ns", self.reference)
    }

    /// Slice by slice, the cost as a multiple of the reference.
    pub fn ratios(&self) -> Vec<f64> {
        self.ns.iter().zip(&self.reference).map(|(ns, reference)| ns / reference).collect()
    }
}

/// Measures the work on `threads` threads at once.
pub fn costs(work: &Work, threads: usize, effort: Effort) -> Costs {
    let reference = reference();
    let times = |work: &Work, threads, time| enough(time, || slice(work, threads, FEW));
    let reference_times = times(&reference, 1, effort.slice / 2);
    let work_times = times(work, threads, effort.slice);
    let pair = || (slice(&reference, 1, reference_times), slice(work, threads, work_times));
    Costs::of(effort, pair)
}

/// Measures on the calling thread, for operations that a thread must have done before.
pub fn costs_here(mut run: Run, effort: Effort) -> Costs {
    let mut reference = reference().start();
    let reference_times = times_here(&mut reference, effort.slice / 2);
    let times = times_here(&mut run, effort.slice);
    let pair = || (slice_here(&mut reference, reference_times), slice_here(&mut run, times));
    Costs::of(effort, pair)
}

impl Costs {
    /// As many undisturbed pairs of slices as are wanted, or as twice as many attempts bring; if
    /// they bring none, the disturbed ones.
    pub fn of(effort: Effort, mut pair: impl FnMut() -> (Slice, Slice)) -> Costs {
        let mut quiet = Costs::default();
        let mut disturbed = Costs { disturbed: true, ..Costs::default() };
        for _ in 0..2 * effort.rounds {
            if quiet.ns.len() == effort.rounds {
                break;
            }
            let (reference, slice) = pair();
            let costs = match reference.quiet && slice.quiet {
                true => &mut quiet,
                false => &mut disturbed,
            };
            costs.reference.push(reference.ns);
            costs.ns.push(slice.ns);
        }
        if quiet.ns.is_empty() { disturbed } else { quiet }
    }
}

/// Nanoseconds per addition of the reference on the calling thread, for what is measured once.
pub fn reference_here(effort: Effort) -> f64 {
    let mut reference = reference().start();
    let times = times_here(&mut reference, effort.slice);
    (0..5).map(|_| slice_here(&mut reference, times).ns).fold(f64::INFINITY, f64::min)
}

/// Operations in the slices that tell how long the others are to be, and the fewest of any slice.
const FEW: u32 = 2000;

/// How many operations take about so long on the calling thread.
pub fn times_here(run: &mut Run, time: Duration) -> u32 {
    enough(time, || slice_here(run, FEW))
}

fn enough(time: Duration, mut few: impl FnMut() -> Slice) -> u32 {
    let ns = (0..3).map(|_| few().ns).fold(f64::INFINITY, f64::min);
    ((time.as_secs_f64() * 1e9 / ns) as u32).clamp(FEW, 50_000_000)
}

/// One measurement.
#[derive(Clone, Copy)]
pub struct Slice {
    /// Nanoseconds per operation: the mean over the threads.
    pub ns: f64,
    /// All threads had a processor all the time, the same time.
    pub quiet: bool,
}

/// The share of a slice that may be lost to other programs.
const TOLERANCE: f64 = 0.05;

/// Measures on the calling thread.
pub fn slice_here(run: &mut Run, times: u32) -> Slice {
    let (waited, begin) = (waited(), Instant::now());
    run(times);
    let elapsed = begin.elapsed();
    let quiet = self::waited().saturating_sub(waited) <= elapsed.mul_f64(TOLERANCE);
    Slice { ns: elapsed.as_secs_f64() * 1e9 / f64::from(times), quiet }
}

/// Measures on new threads, which start together.
fn slice(work: &Work, threads: usize, times: u32) -> Slice {
    let together = Barrier::new(threads);
    let timed = || {
        let mut run = work.start();
        run(times / 16 + 1); // what a thread does only once, and pages that nobody has touched yet
        together.wait();
        let begin = Instant::now();
        (begin, slice_here(&mut run, times))
    };
    let slices: Vec<(Instant, Slice)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(timed)).collect();
        threads.into_iter().map(|thread| thread.join().expect("the work panicked")).collect()
    });
    let ns = slices.iter().map(|(_, slice)| slice.ns).sum::<f64>() / threads as f64;
    let begins = slices.iter().map(|(begin, _)| *begin);
    let late = begins.clone().max().zip(begins.min()).map(|(last, first)| last - first);
    let tolerated = ns * f64::from(times) / 1e9 * TOLERANCE;
    let together = late.is_none_or(|late| late.as_secs_f64() <= tolerated);
    Slice { ns, quiet: together && slices.iter().all(|(_, slice)| slice.quiet) }
}

/// How long the calling thread has waited for a processor since it began, as Linux counts it; zero
/// where there is no such count.
fn waited() -> Duration {
    let counts = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let waited = counts.split_whitespace().nth(1).and_then(|count| count.parse().ok());
    Duration::from_nanos(waited.unwrap_or_default())
}
