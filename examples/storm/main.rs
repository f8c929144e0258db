//! How a fleet's reports arrive: all of it starts within one minute, and the receiver is down for
//! two intervals. Prints the arrivals per second, and fails if a second has more than twice the
//! mean.
//!
//! ```text
//! cargo run --release --example storm                  # 100,000 instances, every 15 minutes
//! cargo run --release --example storm -- 100000 240    # every 4 hours
//! ```

mod fleet;

use std::process::ExitCode;

use fleet::{Figures, Fleet};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|n| n.parse().expect("a number"));
    let instances = arguments.next().unwrap_or(100_000);
    let minutes: u64 = arguments.next().unwrap_or(15);
    let (ratio, minute) = show(&Fleet { instances, every: minutes * 60, silent: false });
    show(&Fleet { instances, every: minutes * 60, silent: true });
    // Where few arrive in a second, chance alone makes a peak of more than twice the mean: the
    // minutes count then.
    let chance = instances / (minutes * 60) < 50;
    let worst = if chance { minute } else { ratio };
    if worst <= 2.0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the figures of a fleet. Returns the peak of a second and of a minute, as multiples of the
/// mean.
fn show(fleet: &Fleet) -> (f64, f64) {
    let (span, outage, arrivals) = (fleet.span(), fleet.outage(), fleet.run());
    let kind = if fleet.silent { "silent" } else { "down" };
    println!(
        "{} instances, every {} s, the receiver {kind} for {} s",
        fleet.instances,
        fleet.every,
        outage.end - outage.start
    );
    println!(
        "{:<28}{:>9} {:>8} {:>8} {:>10} {:>13}",
        "", "arrivals", "a second", "peak", "peak/mean", "minute/mean"
    );
    let mut up = arrivals.up[span.start as usize..outage.start as usize].to_vec();
    up.extend(&arrivals.up[outage.end as usize..span.end as usize]);
    let mean = fleet.instances as f64 / fleet.every as f64;
    let line = |name: &str, seconds: &[u64]| {
        let Figures { arrivals, mean: own, peak, minute } = Figures::of(seconds);
        let (ratio, minute) = (peak as f64 / mean, minute / mean);
        println!("{name:<28}{arrivals:>9} {own:>8.1} {peak:>8} {ratio:>10.2} {minute:>13.2}");
        (ratio, minute)
    };
    let part = |from: u64, to: u64| &arrivals.up[from as usize..to as usize];
    let worst = line("while it is up", &up);
    line("  before the outage", part(span.start, outage.start));
    line("  the first minute after", part(outage.end, outage.end + 60));
    line("  the first interval after", part(outage.end, outage.end + fleet.every));
    line("  from then on", part(outage.end + fleet.every, span.end));
    line("attempts while it is down", &arrivals.down[outage.start as usize..outage.end as usize]);
    println!();
    worst
}
