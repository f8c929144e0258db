//! What waits because the receiver asked for less.

use std::time::Duration;

use super::Queue;
use crate::delivery::asked::Asked;

impl Queue {
    /// Until when the receiver asked to be left alone.
    pub(in crate::delivery) fn asked_until(&self) -> Duration {
        self.pace.asked_until()
    }

    /// Until when what is sealed waits because the receiver asked for that.
    pub(in crate::delivery) fn waits_until(&self) -> Duration {
        self.pace.waits_until()
    }

    /// Takes back what the receiver asked for when it accepted a report.
    pub(in crate::delivery) fn forget_hints(&mut self) {
        self.tally.asked = Asked::default();
        self.pace.forget_lull();
    }

    /// There are attempts again, unless the receiver asked for a lull. After one all that waits goes.
    pub(in crate::delivery) fn arm(&mut self, now: Duration) {
        self.pace.sealed(now, self.pending.iter().all(|pending| pending.rests));
        if !self.pace.is_lull(now) {
            self.wake();
        }
    }

    /// What waits goes on from now.
    pub(super) fn wake(&mut self) {
        self.pending.iter_mut().for_each(|pending| pending.rests = false);
    }

    /// What was sealed in a lull does not go on with what waited before: where answers take longer
    /// than an interval there always is something that waits.
    pub(super) fn rest(&mut self, now: Duration) {
        let rests = self.pending.front().is_some_and(|pending| pending.rests);
        if rests && self.pace.is_lull(now) {
            self.pace.rest();
        }
    }
}
