//! When what is due.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::Duration;

/// The share of the spread by which a single report is late: none of two instances that happen to
/// have one phase keeps step with the other.
const JITTER: u32 = 64;

/// What is drawn by an id besides the phase, which is number 0, and the jitter of each report.
const TURN: u64 = u64::MAX;
const SHARE: u64 = u64::MAX - 1;

/// Whether an installation is in a share of all.
pub(crate) fn is_in_share(id: &str, share: f64) -> bool {
    draw(id, SHARE) < share
}

/// A number from 0 to below 1, the same for the same id and number.
fn draw(id: &str, number: u64) -> f64 {
    // SipHash with a fixed key: evenly spread, and the same wherever it is computed.
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((id, number));
    (hash >> 11) as f64 / (1u64 << 53) as f64
}

/// When to sample and when to seal, on the monotonic clock.
#[derive(Debug)]
pub(crate) struct Schedule {
    sample: Option<Beat>,
    report: Beat,
    phase: Phase,
}

/// The settings that a schedule is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// The least time until the first report.
    pub(crate) first: Duration,
    pub(crate) report: Duration,
    /// Where anything is sampled.
    pub(crate) sample: Option<Duration>,
    pub(crate) spread: Duration,
}

impl Timing {
    /// The schedule of an instance that begins now.
    pub(crate) fn schedule(&self, now: Duration, instance: &str) -> Schedule {
        let phase = Phase::new(instance, self.spread);
        Schedule::new(now, self.first, self.report, self.sample, phase)
    }
}

/// A point in time that comes back at a fixed interval.
#[derive(Clone, Copy, Debug)]
struct Beat {
    next: Duration,
    every: Duration,
    /// Beats that have passed, the missed ones too.
    passed: u64,
}

/// Where one instance of a fleet stands in the common interval.
///
/// The instances of a fleet are often started at the same moment: after an upgrade, or when the
/// power is back. Their reports are spread evenly over the interval by a hash of the instance's
/// id, the same for each run of the program that has the same id.
#[derive(Clone, Debug)]
struct Phase {
    instance: String,
    spread: Duration,
}

impl Beat {
    fn new(next: Duration, every: Duration) -> Beat {
        Beat { next, every, passed: 0 }
    }

    /// Whether the beat has come; it is `late` by so much. It then moves on by whole intervals, so
    /// it neither drifts with the time that the work takes nor makes up for beats that were slept
    /// through.
    fn take(&mut self, now: Duration, late: Duration) -> bool {
        if now < self.next.saturating_add(late) {
            return false;
        }
        // From the beat itself, and not from when it came: so the next is always to come.
        let missed = now.saturating_sub(self.next).as_nanos() / self.every.as_nanos().max(1);
        let steps = u32::try_from(missed + 1).unwrap_or(u32::MAX);
        self.next = self.next.saturating_add(self.every.saturating_mul(steps));
        self.passed = self.passed.saturating_add(steps.into());
        true
    }
}

impl Phase {
    /// The phase of an instance, up to `spread`; with none, reports come at the same time
    /// everywhere.
    fn new(instance: &str, spread: Duration) -> Phase {
        Phase { instance: instance.to_owned(), spread }
    }

    /// A share of the spread, the same for the same instance and number.
    fn share(&self, number: u64) -> Duration {
        self.spread.mul_f64(draw(&self.instance, number))
    }

    /// How late the report after so many others is.
    fn jitter(&self, passed: u64) -> Duration {
        self.share(passed.saturating_add(1)) / JITTER
    }
}

impl Schedule {
    /// From `now` on: the first report after `first` and the instance's phase, then one every
    /// `report`; a sample every `sample`, where anything is sampled.
    fn new(
        now: Duration,
        first: Duration,
        report: Duration,
        sample: Option<Duration>,
        phase: Phase,
    ) -> Schedule {
        let first = now.saturating_add(first).saturating_add(phase.share(0));
        Schedule {
            sample: sample.map(|every| Beat::new(now.saturating_add(every), every)),
            report: Beat::new(first, report),
            phase,
        }
    }

    /// Whether a sample is due; the next one then is one interval on.
    pub(crate) fn take_sample(&mut self, now: Duration) -> bool {
        self.sample.as_mut().is_some_and(|beat| beat.take(now, Duration::ZERO))
    }

    /// Whether a report is due; the next one then is one interval on.
    pub(crate) fn take_report(&mut self, now: Duration) -> bool {
        let late = self.late();
        self.report.take(now, late)
    }

    /// When the next report is due.
    pub(crate) fn next_report(&self) -> Duration {
        self.report.next.saturating_add(self.late())
    }

    /// How late the next report is: never so late that it misses the beat after it.
    fn late(&self) -> Duration {
        self.phase.jitter(self.report.passed).min(self.report.every / 2)
    }

    /// The beat of the next report, if reports are to go at least `every` apart: one beat of so many,
    /// counted from the last one. Which one of so many is drawn by the instance: those of a fleet whose
    /// beats lie in one interval spread over all of `every`. The first wait is longer for it.
    pub(crate) fn turn(&self, every: Duration) -> Duration {
        let Beat { next, every: own, passed } = self.report;
        let beats =
            every.as_nanos().div_ceil(own.as_nanos().max(1)).clamp(1, u32::MAX.into()) as u64;
        let least = passed.saturating_add(beats - 1);
        let drawn = (draw(&self.phase.instance, TURN) * beats as f64) as u64;
        // Without a spread all beats are meant to come at the same time everywhere.
        let drawn = if self.phase.spread.is_zero() { least % beats } else { drawn.min(beats - 1) };
        let more = (drawn + beats - least % beats) % beats;
        let steps = u32::try_from(beats - 1 + more).unwrap_or(u32::MAX);
        next.saturating_add(own.saturating_mul(steps))
    }

    /// The interval between two reports.
    pub(crate) fn interval(&self) -> Duration {
        self.report.every
    }

    /// When anything is due.
    pub(crate) fn next(&self) -> Duration {
        let report = self.next_report();
        self.sample.map_or(report, |sample| sample.next.min(report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn unphased(now: Duration, first: Duration, report: Duration) -> Schedule {
        Schedule::new(now, first, report, Some(s(2)), Phase::new("", Duration::ZERO))
    }

    #[test]
    fn beats_keep_their_phase_and_never_come_in_bursts() {
        let mut schedule = unphased(s(100), s(10), s(60));
        assert_eq!((schedule.next(), schedule.next_report()), (s(102), s(110)));
        assert!(!schedule.take_sample(s(101)) && schedule.take_sample(s(103)));
        assert!(!schedule.take_sample(s(103)));
        assert_eq!(schedule.next(), s(104));
        assert!(!schedule.take_report(s(109)) && schedule.take_report(s(115)));
        assert_eq!(schedule.next_report(), s(170), "late by 5 s, and not shifted by it");
        assert!(schedule.take_report(s(10_000)), "asleep for hours");
        assert!(!schedule.take_report(s(10_001)), "what was missed is not made up for");
        assert_eq!(schedule.next_report(), s(10_010));
    }

    #[test]
    fn a_report_that_is_late_by_nearly_an_interval_is_not_followed_by_another_at_once() {
        let every = s(3600);
        for instance in 0..100 {
            let phase = Phase::new(&format!("instance {instance}"), every);
            let mut schedule = Schedule::new(s(0), s(0), every, None, phase);
            for _ in 0..10 {
                let now = schedule.next_report() + every - Duration::from_millis(1);
                assert!(schedule.take_report(now));
                assert!(schedule.next_report() > now, "{instance}: a burst");
            }
        }
    }

    #[test]
    fn extreme_settings_do_not_overflow() {
        let mut schedule = unphased(Duration::MAX, Duration::MAX, Duration::MAX);
        assert!(schedule.take_report(Duration::MAX));
        assert_eq!(schedule.next_report(), Duration::MAX);
        let phase = Phase::new("a", Duration::MAX);
        let far = Schedule::new(Duration::MAX, s(1), s(1), None, phase);
        assert_eq!(far.next(), Duration::MAX);
    }

    /// The reports of instances that start together, by tenth of the interval.
    #[test]
    fn a_fleet_that_starts_together_spreads_over_the_interval_and_stays_spread() {
        const INSTANCES: usize = 20_000;
        let every = s(4 * 60 * 60);
        let fleet = (0..INSTANCES).map(|at| Phase::new(&format!("instance {at}"), every));
        let mut fleet: Vec<_> =
            fleet.map(|phase| Schedule::new(s(0), s(600), every, None, phase)).collect();
        for round in 0..3 {
            let mut tenths = [0usize; 11];
            for schedule in &mut fleet {
                let due = schedule.next_report();
                assert!(!schedule.take_report(due - s(1)) && schedule.take_report(due));
                let offset = due - s(600) - every * round;
                tenths[(offset.as_nanos() * 10 / every.as_nanos()) as usize] += 1;
            }
            let even = INSTANCES / 10;
            assert!(tenths[1..10].iter().all(|n| n.abs_diff(even) < even / 10), "{tenths:?}");
            assert!(tenths[10] < INSTANCES / 64, "late by the jitter alone: {tenths:?}");
        }
    }

    #[test]
    fn an_instance_keeps_its_phase_and_its_reports_vary_a_little() {
        let every = s(3600);
        let due = |id: &str| {
            let mut schedule = Schedule::new(s(0), s(0), every, None, Phase::new(id, every));
            let mut due = Vec::new();
            for round in 0..5 {
                due.push(schedule.next_report() - every * round);
                assert!(schedule.take_report(schedule.next_report()));
            }
            due
        };
        assert_eq!(due("a"), due("a"));
        assert_ne!(due("a"), due("b"));
        let (least, most) = (due("a").into_iter().min(), due("a").into_iter().max());
        assert!(most > least);
        assert!(most.zip(least).is_some_and(|(most, least)| most - least <= every / JITTER));
    }

    /// The beats of an instance, from the first on, and what it makes of `every`.
    fn turns(instance: &str, own: Duration, every: Duration, spread: Duration) -> Vec<u64> {
        let phase = Phase::new(instance, spread);
        let mut schedule = Schedule::new(s(0), s(0), own, None, phase);
        let mut last: Option<u64> = None;
        let mut turns = Vec::new();
        for beat in 0..100 {
            let turn = schedule.turn(every);
            if last.is_none_or(|last| last == beat) {
                // It goes, and the receiver asks again.
                let begin = schedule.report.next;
                assert!(schedule.take_report(schedule.next_report()));
                let next = schedule.turn(every);
                assert!(next - begin >= every.max(own), "{next:?} after {begin:?}");
                last = Some(beat + ((next - begin).as_nanos() / own.as_nanos()) as u64);
                turns.push(beat);
            } else {
                assert!(schedule.report.next < turn, "it stays where it was");
                assert!(schedule.take_report(schedule.next_report()));
            }
        }
        turns
    }

    #[test]
    fn reports_that_are_to_go_less_often_go_at_beats_that_lie_far_enough_apart() {
        let own = s(4 * 3600);
        for (every, beats) in [(1, 1), (4 * 3600, 1), (4 * 3600 + 1, 2), (86_400, 6)] {
            for instance in ["a", "b", "c", "d"] {
                let turns = turns(instance, own, s(every), own);
                assert!((beats..2 * beats).contains(&turns[1]), "{turns:?}");
                assert!(turns[1..].windows(2).all(|two| two[1] - two[0] == beats), "{turns:?}");
            }
            let exact = turns("a", own, s(every), Duration::ZERO);
            assert!(exact.windows(2).all(|two| two[1] - two[0] == beats), "{exact:?}");
        }
    }

    #[test]
    fn a_fleet_that_is_to_report_less_often_spreads_over_the_longer_interval() {
        const INSTANCES: usize = 6_000;
        let own = s(4 * 3600);
        let mut beats = [0usize; 6];
        for instance in 0..INSTANCES {
            let phase = Phase::new(&format!("instance {instance}"), own);
            let mut schedule = Schedule::new(s(0), s(0), own, None, phase);
            assert!(schedule.take_report(schedule.next_report()));
            let begin = schedule.report.next;
            let later = (schedule.turn(6 * own) - begin).as_nanos() / own.as_nanos();
            beats[later as usize - 5] += 1;
        }
        let even = INSTANCES / 6;
        assert!(beats.iter().all(|n| n.abs_diff(even) < even / 8), "{beats:?}");
    }

    #[test]
    fn extreme_turns_do_not_overflow() {
        let mut schedule = unphased(Duration::MAX, Duration::MAX, Duration::MAX);
        assert!(schedule.take_report(Duration::MAX));
        assert_eq!(schedule.turn(Duration::MAX), Duration::MAX);
        let mut often = unphased(s(0), s(0), Duration::from_millis(100));
        assert!(often.take_report(s(0)));
        assert_eq!(often.turn(s(30 * 86_400)), s(30 * 86_400));
        assert_eq!(often.turn(Duration::ZERO), Duration::from_millis(100));
    }

    #[test]
    fn a_share_is_as_large_as_it_is_part_of_larger_ones_and_has_nothing_to_do_with_the_phase() {
        let ids: Vec<String> = (0..20_000).map(|at| format!("instance {at}")).collect();
        let within = |share| ids.iter().filter(move |id| is_in_share(id, share));
        for (share, expected) in [(0.0, 0), (0.1, 2_000), (0.5, 10_000), (1.0, 20_000)] {
            assert!(within(share).count().abs_diff(expected) < 300, "{share}");
        }
        assert!(within(0.1).all(|id| is_in_share(id, 0.2)));
        let early = within(0.1).filter(|id| draw(id, 0) < 0.5).count();
        assert!(early.abs_diff(1_000) < 150, "{early}");
    }
}
