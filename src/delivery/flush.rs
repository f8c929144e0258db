//! What somebody who flushes events waits for.

use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::pending::{Fate, Ticket};
use super::reason::Reason;

/// All that is there when it begins: bodies, and events that are not part of one yet.
pub(crate) struct Flush {
    /// The number of the last event.
    upto: u64,
    bodies: Mutex<Vec<Arc<Ticket>>>,
    /// Why one of the events was lost before it was part of a body.
    lost: OnceLock<Reason>,
}

impl Flush {
    pub(super) fn new(upto: u64, bodies: Vec<Arc<Ticket>>) -> Flush {
        Flush { upto, bodies: bodies.into(), lost: OnceLock::new() }
    }

    /// Notes a body that is made of events from the one of this number on.
    pub(super) fn note(&self, first: u64, body: &Arc<Ticket>) {
        if first <= self.upto {
            self.bodies.lock().push(Arc::clone(body));
        }
    }

    /// Notes an event that was lost alone.
    pub(super) fn note_lost(&self, sequence: u64, reason: Reason) {
        if sequence <= self.upto {
            let _ = self.lost.set(reason); // the first tells enough
        }
    }

    /// Why an event was lost that was part of no body.
    pub(crate) fn lost(&self) -> Option<Reason> {
        self.lost.get().copied()
    }

    /// Whether anything was thrown away because reporting was switched off.
    pub(crate) fn is_withdrawn(&self) -> bool {
        let withdrawn = |fate: &Fate| matches!(fate, Fate::Lost(Reason::Withdrawn));
        self.lost() == Some(Reason::Withdrawn)
            || self.bodies.lock().iter().any(|body| body.fate.get().is_some_and(withdrawn))
    }

    /// The body that says most about how it went: one that was lost, or else one that waits, or else
    /// the last.
    pub(crate) fn outcome(&self) -> Option<Arc<Ticket>> {
        let bodies = self.bodies.lock();
        let worst = bodies.iter().max_by_key(|body| match body.fate.get() {
            Some(Fate::Accepted) => 0,
            Some(Fate::Refused(_) | Fate::Lost(_)) => 2,
            _ => 1,
        });
        worst.map(Arc::clone)
    }
}
