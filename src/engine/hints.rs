//! What a receiver's hints come to for this installation.

use std::time::Duration;

use super::Engine;
use crate::delivery::{Asked, Lull};
use crate::guard::caught;
use crate::schedule::is_in_share;
use crate::sink::Hints;

/// How long those wait that a share leaves out before they ask again, at least.
const ASK_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

impl Engine {
    /// What the hints of an answer that came now come to.
    pub(super) fn asked(&self, hints: Hints, now: Duration) -> Asked {
        let every = hints.every().unwrap_or_default();
        let is_left_out =
            hints.share().is_some_and(|share| !is_in_share(&self.identity.lasting(), share));
        let mut lull = Lull::default();
        let schedule = self.schedule.lock();
        let interval = schedule.interval();
        if self.events.has_kinds() {
            lull.rest = now.saturating_add(every); // they have no interval of their own
        } else if every > interval {
            lull.rest = schedule.turn(every);
        }
        if let Some(pause) = hints.pause() {
            lull.hold = now.saturating_add(pause);
        }
        if is_left_out {
            let again = every.max(ASK_AGAIN).max(interval.saturating_mul(2));
            lull.hold = lull.hold.max(schedule.turn(again));
        }
        // Whatever was asked for, it is asked again after the longest time at the first beat.
        let longest = now.saturating_add(Hints::LONGEST);
        lull = Lull { hold: lull.hold.min(longest), rest: lull.rest.min(longest) };
        Asked { hints, lull, is_left_out }
    }

    /// That the receiver wants no attempt now, in words, if so.
    pub(crate) fn left_alone(&self) -> Option<String> {
        // A clock that panics must not keep a program from its end.
        let now = caught(|| self.clock.now().monotonic).unwrap_or_default();
        let asked = self.outbox.asked_until().saturating_sub(now);
        let seconds = asked.as_nanos().div_ceil(1_000_000_000); // the last moment is one of them
        (seconds > 0).then(|| format!("the receiver asked to be left alone for {seconds} s more"))
    }
}
