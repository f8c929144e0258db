//! How a fleet's reports arrive: all of it starts within one minute, and the receiver is down for
//! two intervals, or asks all to wait until a date. Prints the arrivals per second, and fails if a
//! second has more than twice the mean.
//!
//! ```text
//! cargo run --release --example storm                  # 100,000 instances, every 15 minutes
//! cargo run --release --example storm -- 100000 240    # every 4 hours
//! ```
//!
//! `plots arrivals` draws such a fleet.

mod fleet;

use std::ops::Range;
use std::process::ExitCode;

use fleet::{Figures, Fleet};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|n| n.parse().expect("a number"));
    let instances = arguments.next().unwrap_or(100_000);
    let minutes: u64 = arguments.next().unwrap_or(15);
    let every = minutes * 60;
    // The first interval is for the start.
    let trouble = 5 * every..7 * every;
    let fleet = || Fleet::new(instances, every, 12);
    let down = show(&Fleet { outage: trouble.clone(), ..fleet() }, "is down", &trouble);
    let silent = Fleet { outage: trouble.clone(), silent: true, ..fleet() };
    show(&silent, "is silent", &trouble);
    let asked = Fleet { pause: trouble.clone(), ..fleet() };
    let paused = show(&asked, "asks all to wait until a date", &trouble);
    // Where few arrive in a second, chance alone makes a peak of more than twice the mean: the
    // minutes count then.
    let chance = instances / every < 50;
    let is_even = |(ratio, minute)| (if chance { minute } else { ratio }) <= 2.0;
    if is_even(down) && is_even(paused) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the figures of a fleet whose receiver is in trouble. Returns the peak of a second and of a
/// minute outside of that, as multiples of the mean.
fn show(fleet: &Fleet, kind: &str, trouble: &Range<u64>) -> (f64, f64) {
    let (every, arrivals) = (fleet.every, fleet.run());
    let during = trouble.end - trouble.start;
    println!("{} instances, every {every} s, the receiver {kind}, {during} s", fleet.instances);
    println!(
        "{:<28}{:>9} {:>8} {:>8} {:>10} {:>13}",
        "", "arrivals", "a second", "peak", "peak/mean", "minute/mean"
    );
    let mean = fleet.mean();
    let line = |name: &str, seconds: &[u64]| {
        let Figures { arrivals, mean: own, peak, minute } = Figures::of(seconds);
        let (ratio, minute) = (peak as f64 / mean, minute / mean);
        println!("{name:<28}{arrivals:>9} {own:>8.1} {peak:>8} {ratio:>10.2} {minute:>13.2}");
        (ratio, minute)
    };
    let part = |from: u64, to: u64| &arrivals.up[from as usize..to as usize];
    let (before, after) = (part(fleet.begin(), trouble.start), part(trouble.end, fleet.end));
    let worst = line("before and after", &[before, after].concat());
    line("  before", before);
    line("  the first minute after", part(trouble.end, trouble.end + 60));
    line("  the first interval after", part(trouble.end, trouble.end + every));
    line("  from then on", part(trouble.end + every, fleet.end));
    line("meanwhile, accepted", part(trouble.start, trouble.end));
    let down = &arrivals.down[trouble.start as usize..trouble.end as usize];
    line("meanwhile, not accepted", down);
    println!();
    worst
}
