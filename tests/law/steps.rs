//! What a schedule is made of.

use std::fmt;
use std::time::Duration;

use callhome::sink::Hints;
use proptest::prelude::*;

/// What the aggregator is built with, and what happens to it.
#[derive(Clone)]
pub(crate) struct Schedule {
    pub(crate) limits: Limits,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) attempts: u32,
    pub(crate) pending: usize,
    pub(crate) age: Duration,
    /// Whether sealed reports outlive the process.
    pub(crate) spool: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Count(By, u16),
    /// This many samples: 0, 1, 2, …
    Sample(By, u8),
    /// Sets the gauge.
    Level(By, i16),
    /// A value of the distinct field.
    See(By, u8),
    /// A sample that is no number.
    NotANumber,
    Advance(Duration),
    Tick,
    /// Advances by what the last tick returned, and ticks.
    Next,
    Flush,
    Preview,
    /// How the receiver answers from now on.
    Receiver(Answer),
    /// How it answers one attempt, before it goes on as it was.
    Once(Answer),
    /// Shuts down, and starts again.
    Shutdown(Patience),
    /// The process is gone, without a word. Another starts.
    Crash,
}

/// Who records.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    /// This thread, through a handle that it keeps.
    Handle,
    /// This thread, through the macros.
    Macro,
    /// Two threads at the same time, which end afterwards. Each records it all.
    TwoThreads,
}

/// How the receiver answers an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    Accept,
    /// It accepts, and asks for less.
    Ask(Hints),
    /// It cannot be reached.
    Down,
    /// Silence. It does not have the report.
    Swallow,
    /// Silence, but it has the report.
    TakeInSilence,
    /// The sink panics. The receiver does not have the report.
    Panic,
    /// Never will it take the report; unless it has it already.
    Refuse,
    /// It asks to be left alone for so long.
    Busy(Duration),
}

/// How long a shutdown may take.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    Ample,
    /// Microseconds of the system's time: anything may be under way when they are over.
    Hardly(u16),
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.limits)?;
        self.steps
            .iter()
            .enumerate()
            .try_for_each(|(at, step)| write!(f, "\n{:4}. {step:?}", at + 1))
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
const HOUR: Duration = seconds(60 * 60);
const DAY: Duration = seconds(24 * 60 * 60);

fn by() -> impl Strategy<Value = By> {
    prop_oneof![4 => Just(By::Handle), 4 => Just(By::Macro), 1 => Just(By::TwoThreads)]
}

fn hints() -> impl Strategy<Value = Hints> {
    let times = [seconds(0), HOUR, 4 * HOUR, 5 * HOUR, 40 * HOUR, Duration::MAX].to_vec();
    let times = prop::option::of(prop::sample::select(times));
    let shares = prop::option::of(prop::sample::select(vec![0.0, 1.0]));
    (times.clone(), shares, times).prop_map(|(every, share, pause)| {
        let hints = every.into_iter().fold(Hints::new(), Hints::with_every);
        let hints = share.into_iter().fold(hints, Hints::with_share);
        pause.into_iter().fold(hints, Hints::with_pause)
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    let busy = prop::sample::select(vec![seconds(0), seconds(15), 3 * HOUR, 40 * HOUR]);
    prop_oneof![
        6 => Just(Answer::Accept),
        4 => hints().prop_map(Answer::Ask),
        8 => Just(Answer::Down),
        3 => Just(Answer::Swallow),
        3 => Just(Answer::TakeInSilence),
        1 => Just(Answer::Panic),
        3 => Just(Answer::Refuse),
        2 => busy.prop_map(Answer::Busy),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let times =
        vec![seconds(1), seconds(9), seconds(11), seconds(61), HOUR, 5 * HOUR, DAY, 9 * DAY];
    prop_oneof![
        3 => (by(), 0..1000u16).prop_map(|(by, times)| Step::Count(by, times)),
        2 => (by(), 0..200u8).prop_map(|(by, times)| Step::Sample(by, times)),
        1 => (by(), any::<i16>()).prop_map(|(by, value)| Step::Level(by, value)),
        1 => (by(), 0..20u8).prop_map(|(by, value)| Step::See(by, value)),
        1 => Just(Step::NotANumber),
        3 => prop::sample::select(times).prop_map(Step::Advance),
        3 => Just(Step::Tick),
        10 => Just(Step::Next),
        4 => Just(Step::Flush),
        2 => Just(Step::Preview),
        5 => answer().prop_map(Step::Receiver),
        3 => answer().prop_map(Step::Once),
        1 => prop_oneof![4 => Just(Patience::Ample), 1 => (0..300u16).prop_map(Patience::Hardly)].prop_map(Step::Shutdown),
        1 => Just(Step::Crash),
    ]
}

pub(crate) fn schedule() -> impl Strategy<Value = Schedule> {
    let ages = prop::sample::select(vec![365 * DAY, 7 * DAY, DAY]);
    let spools = prop::bool::weighted(0.3);
    let limits = (1..5u32, prop::sample::select(vec![1000, 64, 3, 1]), ages, spools);
    let limits =
        limits.prop_map(|(attempts, pending, age, spool)| Limits { attempts, pending, age, spool });
    (limits, prop::collection::vec(step(), 0..60))
        .prop_map(|(limits, steps)| Schedule { limits, steps })
}
