//! The first law over random schedules: what was recorded is in exactly one accepted report, still
//! pending, or counted as lost; and no attempt comes before its time.
//!
//! A schedule is a list of steps on a clock that stands still between them. The test keeps a ledger
//! of what each window holds, so each report that the receiver sees is compared with the windows that
//! it says it is made of, and the status with the windows that there are.
//!
//! `PROPTEST_CASES` says how many schedules are tried, 1,000 unless it is set. One that fails is
//! shrunk and printed, a step on each line.

#[path = "law/ledger.rs"]
mod ledger;
#[path = "law/receiver.rs"]
mod receiver;
#[path = "law/steps.rs"]
mod steps;
mod support;
#[path = "law/world.rs"]
mod world;

use std::cell::Cell;

use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};
use steps::{Schedule, schedule};
use world::World;

/// Plays a schedule to its end.
fn play(schedule: &Schedule) -> Result<(), String> {
    let mut world = World::new(schedule.limits);
    for (at, step) in schedule.steps.iter().enumerate() {
        world.step(step).map_err(|broken| format!("step {}: {broken}", at + 1))?;
    }
    world.end().map_err(|broken| format!("after the last step: {broken}"))
}

#[test]
fn any_schedule_keeps_the_law() {
    let cases = std::env::var("PROPTEST_CASES").ok().map(|cases| cases.parse().unwrap());
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
    let cases = cases.unwrap_or(1_000u32).div_ceil(threads);
    let run = || {
        let config =
            Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
        let config = Config { cases, ..config };
        // The aggregator draws its waits at random, so what fails once may not fail again. While a
        // schedule is shrunk each is given some chances.
        let shrinking = Cell::new(false);
        let play = |schedule: Schedule| {
            let chances = if shrinking.get() { 5 } else { 1 };
            let played = (0..chances).try_for_each(|_| play(&schedule));
            shrinking.set(shrinking.get() || played.is_err());
            played.map_err(TestCaseError::fail)
        };
        match TestRunner::new(config).run(&schedule(), play) {
            Err(TestError::Fail(broken, schedule)) => panic!("{broken}\n{schedule:?}"),
            played => played.unwrap(),
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(run))));
}
