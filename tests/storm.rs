//! A fleet that starts within a minute, and whose receiver is down for two intervals: its reports
//! arrive evenly. The example `storm` does the same with a larger fleet.

#[allow(dead_code)] // the example prints more figures
#[path = "../examples/storm/fleet.rs"]
mod fleet;

use fleet::{Figures, Fleet};

/// Few enough instances for an unoptimised build; chance then moves the minutes by a quarter.
const INSTANCES: u64 = 4_000;

#[test]
fn a_fleet_comes_evenly_also_when_its_receiver_is_back() {
    let fleet = Fleet { instances: INSTANCES, every: 15 * 60, silent: false };
    let (span, outage, arrivals) = (fleet.span(), fleet.outage(), fleet.run());
    let mean = INSTANCES as f64 / fleet.every as f64;
    for part in [span.start..outage.start, outage.end..span.end] {
        let Figures { mean: own, minute, .. } =
            Figures::of(&arrivals.up[part.start as usize..part.end as usize]);
        assert!((own / mean - 1.0).abs() < 0.05, "{own} a second instead of {mean}");
        assert!(minute < 1.5 * mean, "{minute} a second in a minute, {mean} on average");
    }
    // Four attempts for the first window of the outage, one for the next.
    let down: u64 = arrivals.down.iter().sum();
    assert!(down <= INSTANCES * 5 + INSTANCES / 100, "{down} attempts");
    assert!(down >= INSTANCES * 2, "{down} attempts");
}
