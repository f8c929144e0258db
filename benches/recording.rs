//! What recording costs, as a ratio to one uncontended relaxed atomic addition measured in the
//! same run.
//!
//! ```text
//! cargo bench --bench recording             # a few seconds
//! cargo bench --bench recording -- --smoke  # only that it runs
//! ```

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use callhome::{CallHome, Recorder, Schema};
use metrics::{counter, gauge, histogram};

/// Nanoseconds per call of `work` on each of `threads` threads at once: the median of `rounds`.
fn cost(threads: usize, rounds: usize, times: u32, work: impl Fn(u32) + Sync) -> f64 {
    let mut costs: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Barrier::new(threads);
            let total: f64 = std::thread::scope(|scope| {
                let timed = || {
                    start.wait();
                    let begin = Instant::now();
                    (0..times).for_each(&work);
                    begin.elapsed().as_secs_f64() * 1e9 / f64::from(times)
                };
                let threads: Vec<_> = (0..threads).map(|_| scope.spawn(timed)).collect();
                threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
            });
            total / threads as f64
        })
        .collect();
    costs.sort_by(f64::total_cmp);
    costs.get(rounds / 2).copied().unwrap_or(f64::NAN)
}

/// How much each measurement does.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    times: u32,
}

/// Prints the cost of `work` on one thread and on two, each beside a fresh reference.
fn row(name: &str, Effort { rounds, times }: Effort, work: impl Fn(u32) + Sync) {
    let ratios = [1, 2].map(|threads| {
        let counter = AtomicU64::new(0);
        let reference = cost(1, rounds, times, |_| {
            black_box(&counter).fetch_add(1, Ordering::Relaxed);
        });
        cost(threads, rounds, times, &work) / reference
    });
    println!("{name:<44}{:>10.2}{:>10.2}", ratios[0], ratios[1]);
}

/// The same for a line that uses a macro: it runs with the local recorder in place.
fn macro_row(name: &str, effort: Effort, recorder: &Recorder, line: fn()) {
    const LINES: u32 = 1000;
    let Effort { rounds, times } = effort;
    let ratios = [1, 2].map(|threads| {
        let counter = AtomicU64::new(0);
        let reference = cost(1, rounds, times, |_| {
            black_box(&counter).fetch_add(1, Ordering::Relaxed);
        });
        let lines = |_| metrics::with_local_recorder(recorder, || (0..LINES).for_each(|_| line()));
        cost(threads, rounds, times.div_ceil(LINES), lines) / f64::from(LINES) / reference
    });
    println!("{name:<44}{:>10.2}{:>10.2}", ratios[0], ratios[1]);
}

fn main() {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    let effort =
        Effort { rounds: if smoke { 1 } else { 9 }, times: if smoke { 1000 } else { 1_000_000 } };

    let schema = Schema::new("bench").counter("c").gauge("g").summary("few").summary("many");
    let callhome = CallHome::builder(schema).build().expect("a good schema");
    let recorder = callhome.recorder();
    let (c, g, few, many) = metrics::with_local_recorder(recorder, || {
        (counter!("c"), gauge!("g"), histogram!("few"), histogram!("many"))
    });

    println!(
        "{:<44}{:>10}{:>10}",
        "ratio to one uncontended atomic addition", "1 thread", "2 threads"
    );
    row("counter, kept handle", effort, |_| black_box(&c).increment(1));
    row("gauge set, kept handle", effort, |at| black_box(&g).set(at));
    row("histogram, kept handle, 10 distinct values", effort, |at| black_box(&few).record(at % 10));
    row("histogram, kept handle, all values distinct", effort, |at| {
        black_box(&many).record(f64::from(at) * 0.37);
    });
    macro_row("counter!(…).increment(1)", effort, recorder, || counter!("c").increment(1));
    macro_row("histogram!(…).record(1)", effort, recorder, || histogram!("few").record(1));
    macro_row("a metric that is not declared", effort, recorder, || counter!("no").increment(1));
}
