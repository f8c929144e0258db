//! When the next attempt may be made.

use std::time::Duration;

use super::asked::Lull;
use crate::host::identity::new_id;
use crate::sink::SendError;

/// The shortest wait between two attempts, however lucky the draw.
const FLOOR: Duration = Duration::from_secs(10);
/// The ceiling of the first wait; it doubles with each failure in a row.
const BASE: Duration = Duration::from_secs(60);
/// The ceiling never grows past this.
const CAP: Duration = Duration::from_secs(60 * 60);
/// The longest a receiver may ask for with `Retry-After`.
const LONGEST_ASKED: Duration = Duration::from_secs(24 * 60 * 60);
/// Reports refused in a row after which the receiver is only probed.
const REFUSALS: u32 = 3;
/// The time between two probes.
const PROBE: Duration = Duration::from_secs(24 * 60 * 60);

/// What has come of the last attempts, and so when the next may be made; times are those of the
/// monotonic clock.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    /// Attempts that a window is given.
    attempts: u32,
    /// Those left before the next window is sealed.
    left: u32,
    /// Failed attempts in a row.
    failures: u32,
    /// Reports in a row that were refused for good.
    refusals: u32,
    /// Our own wait.
    not_before: Duration,
    /// The receiver's wish with a failure.
    asked_until: Duration,
    /// Its wish with the last acceptance.
    lull: Lull,
}

impl Pace {
    /// No attempt is due before the first [`sealed`](Pace::sealed) window.
    pub(super) fn new(attempts: u32) -> Pace {
        Pace {
            attempts,
            left: 0,
            failures: 0,
            refusals: 0,
            not_before: Duration::ZERO,
            asked_until: Duration::ZERO,
            lull: Lull::default(),
        }
    }

    /// A window was sealed: there are attempts again. Only one while the receiver is down, so that
    /// all those who wait for it do not come with all their attempts when it is back. None in a lull:
    /// the first window after it takes with it what waits. So a fleet comes back at its own beats,
    /// and not at the moment when the lull ends, which may be the same for all. It is not `is_alone`
    /// where something goes on that waited before.
    pub(super) fn sealed(&mut self, now: Duration, is_alone: bool) {
        if !self.is_lull(now) {
            self.left = if self.failures < self.attempts { self.attempts } else { 1 };
        } else if is_alone {
            self.rest();
        }
    }

    /// Whether what is sealed now waits because the receiver asked for that with an acceptance.
    pub(super) fn is_lull(&self, now: Duration) -> bool {
        self.lull.end() > now
    }

    /// No attempt before the next window that is sealed after the lull.
    pub(super) fn rest(&mut self) {
        self.left = 0;
    }

    /// A report was accepted, and this is what the receiver asked for.
    pub(super) fn accepted(&mut self, now: Duration, lull: Lull) {
        (self.failures, self.refusals, self.not_before) = (0, 0, Duration::ZERO);
        self.lull = lull;
        self.left = if lull.hold > now { 0 } else { self.attempts };
    }

    /// What the receiver asked for with an acceptance is of no account any more.
    pub(super) fn forget_lull(&mut self) {
        self.lull = Lull::default();
    }

    /// An attempt failed, and another may not.
    pub(super) fn failed(&mut self, now: Duration, error: &SendError) {
        self.failures = self.failures.saturating_add(1);
        self.left = self.left.saturating_sub(1);
        let wait =
            if self.is_refusing() { PROBE } else { wait(self.failures, new_id().as_u128() as u64) };
        self.not_before = now.saturating_add(wait);
        let asked = error.retry_after().unwrap_or_default().min(LONGEST_ASKED);
        self.asked_until = now.saturating_add(asked);
    }

    /// A report was refused for good. After a few in a row it is not the report.
    pub(super) fn refused(&mut self, now: Duration) {
        self.failures = 0;
        self.refusals = self.refusals.saturating_add(1);
        let wait = if self.is_refusing() { PROBE } else { Duration::ZERO };
        self.not_before = now.saturating_add(wait);
    }

    /// Whether the receiver is only probed: it refused the last few, whatever else failed since.
    fn is_refusing(&self) -> bool {
        self.refusals >= REFUSALS
    }

    /// When the next attempt is due; `None` before another window is sealed.
    pub(super) fn due(&self) -> Option<Duration> {
        (self.left > 0).then_some(self.not_before.max(self.asked_until()))
    }

    /// Whether what waits is kept for the next window: the attempts are used up, the receiver
    /// refuses everything, or it asked to be left alone.
    pub(super) fn is_held(&self, now: Duration) -> bool {
        self.left == 0 || self.is_refusing() || self.asked_until() > now
    }

    /// The receiver asked to be left alone until then. Kept even when somebody wants an attempt
    /// now.
    pub(super) fn asked_until(&self) -> Duration {
        self.asked_until.max(self.lull.hold)
    }

    /// Until then what is sealed waits because the receiver asked for that.
    pub(super) fn waits_until(&self) -> Duration {
        self.asked_until().max(self.lull.rest)
    }
}

/// The wait after `failures` failed attempts in a row (at least 1): exponential with full jitter
/// (Brooker, "Exponential Backoff And Jitter", 2015) above a floor. `draw` is the low half of a
/// version 4 UUID, of which the low 62 bits are random.
fn wait(failures: u32, draw: u64) -> Duration {
    let doubled =
        BASE.saturating_mul(1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX));
    let share = (draw & ((1 << 53) - 1)) as f64 / (1u64 << 53) as f64;
    doubled.min(CAP).mul_f64(share).max(FLOOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn waits_spread_up_to_a_growing_ceiling_and_never_fall_below_the_floor() {
        for (failures, ceiling) in
            [(1, 60), (2, 120), (3, 240), (7, 3600), (40, 3600), (u32::MAX, 3600)]
        {
            assert_eq!(wait(failures, 0), FLOOR);
            let longest = wait(failures, u64::MAX);
            assert!(longest <= s(ceiling), "{failures}: {longest:?}");
            assert!(longest > s(ceiling - 1), "{failures}: {longest:?}");
        }
        let drawn: Vec<Duration> = (0..100).map(|_| wait(7, new_id().as_u128() as u64)).collect();
        assert!(drawn.iter().any(|wait| *wait < CAP / 2));
        assert!(drawn.iter().any(|wait| *wait > CAP / 2));
    }

    #[test]
    fn the_receivers_wish_is_kept_up_to_a_day() {
        for (asked, kept) in [(1, 1), (500, 500), (1 << 40, 24 * 60 * 60)] {
            let mut pace = Pace::new(4);
            pace.sealed(s(0), true);
            pace.failed(s(1000), &SendError::retry("busy").with_retry_after(s(asked)));
            assert_eq!(pace.asked_until(), s(1000 + kept));
            assert!(pace.due() >= Some(s(1000 + kept)) && pace.due() >= Some(s(1010)));
            pace.accepted(s(0), Lull::default());
            assert_eq!(pace.due(), Some(s(1000 + kept)), "an answer does not end it");
        }
    }

    #[test]
    fn a_window_has_its_attempts_and_while_the_receiver_is_down_one() {
        let mut pace = Pace::new(3);
        assert_eq!(pace.due(), None, "nothing is sealed");
        pace.sealed(s(0), true);
        for left in [true, true, false] {
            pace.failed(s(0), &SendError::retry("down"));
            assert_eq!(pace.due().is_some(), left);
        }
        for _ in 0..3 {
            pace.sealed(s(0), true);
            assert!(pace.due().is_some());
            pace.failed(s(0), &SendError::retry("down"));
            assert_eq!(pace.due(), None);
        }
        pace.accepted(s(0), Lull::default());
        assert_eq!(pace.due(), Some(s(0)), "what waits goes now");
        pace.failed(s(0), &SendError::retry("down"));
        pace.failed(s(0), &SendError::retry("down"));
        assert!(pace.due().is_some());
    }

    #[test]
    fn a_receiver_that_refuses_again_and_again_is_probed_once_a_day() {
        let mut pace = Pace::new(4);
        pace.sealed(s(0), true);
        for _ in 0..2 {
            pace.refused(s(50));
            assert_eq!(pace.due(), Some(s(50)));
        }
        for day in 1..4 {
            let now = s(day * 24 * 60 * 60);
            pace.refused(now);
            pace.sealed(s(0), true);
            assert_eq!(pace.due(), Some(now + PROBE));
            pace.failed(now, &SendError::retry("down"));
            assert_eq!(pace.due(), Some(now + PROBE), "a failure is no reason to come earlier");
        }
        pace.accepted(s(0), Lull::default());
        assert!(pace.due() < Some(s(4 * 24 * 60 * 60)), "what waits goes now");
    }

    #[test]
    fn in_a_lull_what_is_sealed_waits_for_the_first_window_after_it() {
        for (hold, rest) in [(s(100), s(0)), (s(0), s(100)), (s(70), s(100))] {
            let mut pace = Pace::new(4);
            pace.sealed(s(0), true);
            pace.accepted(s(10), Lull { hold, rest });
            assert_eq!(pace.asked_until(), hold, "somebody wants an attempt");
            for now in [20, 90, 99] {
                pace.sealed(s(now), true);
                assert_eq!((pace.due(), pace.is_held(s(now))), (None, true), "{now}");
            }
            pace.sealed(s(100), true);
            assert_eq!(pace.due(), Some(hold));
        }
    }

    #[test]
    fn what_waited_before_a_lull_goes_on_unless_no_attempt_is_wanted() {
        for (hold, goes_on) in [(s(0), true), (s(10), true), (s(11), false)] {
            let mut pace = Pace::new(4);
            pace.sealed(s(0), true);
            pace.accepted(s(10), Lull { hold, rest: s(100) });
            assert_eq!(pace.due().is_some(), goes_on);
            pace.sealed(s(20), false);
            assert_eq!(pace.due().is_some(), goes_on, "behind what goes on");
        }
    }

    #[test]
    fn each_acceptance_says_anew_what_is_wanted() {
        let mut pace = Pace::new(4);
        pace.sealed(s(0), true);
        pace.accepted(s(10), Lull { hold: s(0), rest: s(100) });
        assert_eq!(pace.waits_until(), s(100));
        pace.accepted(s(20), Lull::default());
        pace.sealed(s(30), true);
        assert!(pace.due().is_some() && pace.waits_until() == s(0));
        pace.accepted(s(40), Lull { hold: s(90), rest: s(0) });
        pace.forget_lull();
        pace.sealed(s(50), true);
        assert!(pace.due().is_some());
    }
}
