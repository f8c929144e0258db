//! A fleet that starts within a minute, and whose receiver is down for two intervals, or asks all to
//! wait for as long: its reports arrive evenly. The example `storm` does the same with a larger fleet.

#[allow(dead_code)] // the example prints more figures
#[path = "../examples/storm/fleet.rs"]
mod fleet;

use std::ops::Range;

use fleet::{Arrivals, Figures, Fleet};

/// Few enough instances for an unoptimised build; chance then moves the minutes by a quarter.
const INSTANCES: u64 = 4_000;
const EVERY: u64 = 15 * 60;
const TROUBLE: Range<u64> = 5 * EVERY..7 * EVERY;

fn comes_evenly(fleet: &Fleet) -> Arrivals {
    let (mean, arrivals) = (fleet.mean(), fleet.run());
    for part in [fleet.begin()..TROUBLE.start, TROUBLE.end..fleet.end] {
        let Figures { mean: own, minute, .. } =
            Figures::of(&arrivals.up[part.start as usize..part.end as usize]);
        assert!((own / mean - 1.0).abs() < 0.05, "{own} a second instead of {mean}");
        assert!(minute < 1.5 * mean, "{minute} a second in a minute, {mean} on average");
    }
    arrivals
}

#[test]
fn a_fleet_comes_evenly_also_when_its_receiver_is_back() {
    let arrivals = comes_evenly(&Fleet { outage: TROUBLE, ..Fleet::new(INSTANCES, EVERY, 12) });
    // Four attempts for the first window of the outage, one for the next.
    let down: u64 = arrivals.down.iter().sum();
    assert!(down <= INSTANCES * 5 + INSTANCES / 100, "{down} attempts");
    assert!(down >= INSTANCES * 2, "{down} attempts");
}

#[test]
fn a_fleet_comes_evenly_also_when_all_have_waited_for_the_same_date() {
    let arrivals = comes_evenly(&Fleet { pause: TROUBLE, ..Fleet::new(INSTANCES, EVERY, 12) });
    // Each came once more and was told.
    let during = |from: u64, to: u64| arrivals.up[from as usize..to as usize].iter().sum::<u64>();
    let told = during(TROUBLE.start, TROUBLE.start + EVERY);
    assert!(told.abs_diff(INSTANCES) < INSTANCES / 50, "{told} were told");
    let late = during(TROUBLE.start + EVERY, TROUBLE.end);
    assert!(late < INSTANCES / 50, "{late} came though they were told");
    assert_eq!(told + late, INSTANCES, "each once");
}
