//! The queue of the outbox: its states and counts, without any waiting or sending.

mod lull;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::asked::Asked;
use super::flush::Flush;
use super::intake::Intake;
use super::limits::Limits;
use super::pace::Pace;
use super::pending::{Fate, Pending};
use super::reason::{Losses, Reason};
use crate::report::Report;
use crate::sink::{Hints, SendError};
use crate::window::Sealed;

/// What an attempt to deliver a report came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The receiver has it.
    Accepted,
    /// Nothing is lost, and another attempt follows.
    Failed,
    /// The receiver will never take it; it is lost.
    Refused,
}

/// What became of the windows so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    /// On disk when the aggregator ended.
    pub(crate) spooled: u64,
    pub(crate) lost: Losses,
    pub(crate) pending: u64,
    pub(crate) attempts: u64,
    /// Detail for which reports had no room.
    pub(crate) left_out: u64,
    /// Whether the last window of all is among those counted.
    pub(crate) last: bool,
    /// What the last attempt came to.
    pub(crate) outcome: Option<Outcome>,
    /// Why it was not accepted.
    pub(crate) error: Option<SendError>,
    /// The report that was accepted last, as long as reporting is on.
    pub(crate) delivered: Option<Report>,
    /// What the receiver asked for with its last acceptance, as long as reporting is on.
    pub(crate) asked: Asked,
}

/// What an answer changed, for the log.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct News {
    pub(super) outcome: Option<Outcome>,
    pub(super) hints: Option<Hints>,
}

/// Reports that wait, oldest first.
pub(super) struct Queue {
    pub(super) limits: Limits,
    pub(super) pending: VecDeque<Pending>,
    /// The front report is with the sink and must stay.
    in_flight: bool,
    /// Reports that become a part of the next, which is made at this moment: they wait, and nobody
    /// sends them.
    parts: Vec<Pending>,
    /// Events that are put together at this moment.
    pub(super) making: u64,
    /// Events that are not part of a report yet.
    pub(super) intake: Intake,
    /// Who waits for what is there.
    pub(super) flushes: Vec<Weak<Flush>>,
    pub(super) pace: Pace,
    pub(super) closed: bool,
    /// How often it has begun and been cancelled.
    pub(super) era: u64,
    /// Lost windows that no report has told of yet.
    pub(super) untold: Losses,
    tally: Tally,
    /// The ids under which settled reports are on disk.
    gone: Vec<String>,
}

impl Queue {
    pub(super) fn new(limits: Limits) -> Queue {
        Queue {
            limits,
            pending: VecDeque::new(),
            in_flight: false,
            parts: Vec::new(),
            making: 0,
            intake: Intake::default(),
            flushes: Vec::new(),
            pace: Pace::new(limits.attempts),
            closed: false,
            era: 0,
            untold: Losses::default(),
            tally: Tally::default(),
            gone: Vec::new(),
        }
    }

    /// Begins, and takes over what an earlier process has left, oldest first. It goes with the first
    /// window: that is phased.
    pub(super) fn begin(&mut self, reports: impl Iterator<Item = Pending>, set_aside: u64) {
        self.era += 1;
        self.intake.is_open = true;
        self.lose(Reason::SetAside, set_aside);
        self.pending.extend(reports);
        self.trim(self.limits.reports);
    }

    pub(super) fn tally(&self) -> Tally {
        let waiting = self.pending.iter().chain(&self.parts);
        let pending = waiting.map(|pending| pending.windows).sum::<u64>();
        let pending = pending + self.intake.len() as u64 + self.making;
        Tally { pending, ..self.tally.clone() }
    }

    /// When the next attempt is due; `None` while there is nothing to send, a report is with the
    /// sink, or the next window has to be sealed first.
    pub(super) fn due(&self) -> Option<Duration> {
        if self.pending.is_empty() || self.in_flight { None } else { self.pace.due() }
    }

    /// Makes one window of `sealed` and those before it that were kept for it and that the receiver
    /// certainly does not have, and leaves those in place. Returns what its report has to tell
    /// of.
    pub(super) fn merged(&self, sealed: &mut Sealed) -> Losses {
        let mut tells = self.untold;
        let mut rest = self.pending.len();
        while let Some(part) = self.part(rest.wrapping_sub(1), sealed) {
            tells.merge(&part.tells);
            part.sealed.iter().for_each(|earlier| sealed.take_in(Sealed::clone(earlier)));
            rest -= 1;
        }
        let old = self.pending.iter().take(rest).skip(usize::from(self.in_flight));
        let old = old.filter(|pending| pending.expires <= sealed.end.monotonic);
        old.for_each(|old| {
            tells.merge(&old.tells);
            tells.add(Reason::Expired, old.windows);
        });
        tells
    }

    /// The same, but takes them out of the order: they are parts until the report that has them is
    /// [`push`](Queue::push)ed. Also returns the ids under which they are on disk.
    pub(super) fn merge(&mut self, sealed: &mut Sealed) -> (Losses, Vec<String>) {
        let mut tells = Losses::default();
        while self.part(self.pending.len().wrapping_sub(1), sealed).is_some() {
            let Some(mut part) = self.pending.pop_back() else { break };
            tells.merge(&part.tells);
            part.sealed.take().into_iter().for_each(|earlier| sealed.take_in(*earlier));
            self.parts.push(part);
        }
        self.expire(sealed.end.monotonic);
        tells.merge(&std::mem::take(&mut self.untold));
        (
            tells,
            self.parts.iter().flat_map(|part| &part.files).map(|file| file.id.clone()).collect(),
        )
    }

    /// The pending report at this place if it may become a part of `sealed`.
    fn part(&self, at: usize, sealed: &Sealed) -> Option<&Pending> {
        let with_sink = self.in_flight && at == 0;
        let possible = self.pace.is_held(sealed.end.monotonic) && !with_sink;
        let pending = self.pending.get(at).filter(|_| possible)?;
        pending.sealed.as_ref().filter(|earlier| sealed.follows(earlier)).map(|_| pending)
    }

    /// A report was made that leaves so much detail out.
    pub(super) fn note_left_out(&mut self, details: u64) {
        self.tally.left_out = self.tally.left_out.saturating_add(details);
    }

    /// The last window of all is settled or pushed now.
    pub(super) fn note_last(&mut self) {
        self.tally.last = true;
    }

    /// Puts the report of a window that was just sealed at the end. It stands for its parts, and
    /// for their files if it has none.
    pub(super) fn push(&mut self, now: Duration, mut pending: Pending) {
        if self.closed {
            pending.windows = 1; // the end has counted its parts
            return self.end(pending);
        }
        for mut part in std::mem::take(&mut self.parts) {
            if !pending.is_spooled() {
                pending.files.append(&mut part.files);
            }
            self.settle(part, Fate::Merged(Arc::clone(&pending.ticket)));
        }
        self.add(now, pending);
    }

    /// Puts a report at the end; there are attempts again, unless the receiver asked for a lull.
    pub(super) fn add(&mut self, now: Duration, mut pending: Pending) {
        self.arm(now);
        pending.rests = self.pace.is_lull(now);
        self.pending.push_back(pending);
        // It is not waiting for another attempt yet; the next may well take all of them.
        self.trim(self.limits.reports.saturating_add(1));
    }

    /// The report to send next, and which attempt at it this is. Where nobody is `urgent`, only
    /// when it is due; and never before the receiver wants it.
    pub(super) fn take_up(&mut self, now: Duration, urgent: bool) -> Option<(Report, u32)> {
        self.expire(now);
        let due = if urgent { Some(self.pace.asked_until()) } else { self.pace.due() };
        due.filter(|due| *due <= now)?;
        if urgent {
            self.wake();
        }
        let pending = self.pending.front_mut()?;
        pending.attempts = pending.attempts.saturating_add(1);
        self.in_flight = true;
        self.tally.attempts += 1;
        Some((pending.ticket.report.clone(), pending.attempts))
    }

    /// Notes the answer to the attempt at the report of this id. Returns what is news; nobody asks
    /// any more if the report is not here.
    pub(super) fn answered(
        &mut self,
        now: Duration,
        id: &str,
        result: Result<Asked, SendError>,
    ) -> News {
        let Some(_) = self.pending.front().filter(|front| front.ticket.report.id() == id) else {
            return News::default();
        };
        self.in_flight = false;
        let (outcome, fate) = match &result {
            Ok(_) => (Outcome::Accepted, Fate::Accepted),
            Err(error) if error.is_retryable() => {
                if let Some(pending) = self.pending.front_mut().filter(|_| error.maybe_delivered())
                {
                    pending.sealed = None;
                }
                let outcome = self.failed(now, error);
                self.trim(self.limits.reports);
                return News { outcome, hints: None };
            }
            Err(error) => (Outcome::Refused, Fate::Refused(error.to_string())),
        };
        let mut hints = None;
        match &result {
            Err(_) => self.pace.refused(now),
            Ok(asked) => {
                self.pace.accepted(now, asked.lull);
                let before = std::mem::replace(&mut self.tally.asked, *asked).hints;
                hints = Some(asked.hints).filter(|hints| !hints.is_like(&before));
            }
        }
        if let Some(pending) = self.pending.pop_front() {
            self.settle(pending, fate);
        }
        self.rest(now);
        News { outcome: self.becomes(outcome, result.err()), hints }
    }

    /// Notes a failed attempt, or one that could not be made. Returns what it came to, if that is
    /// news.
    pub(super) fn failed(&mut self, now: Duration, error: &SendError) -> Option<Outcome> {
        self.pace.failed(now, error);
        self.becomes(Outcome::Failed, Some(error.clone()))
    }

    /// The new state, if it is one. That all is well goes without saying at first.
    fn becomes(&mut self, outcome: Outcome, error: Option<SendError>) -> Option<Outcome> {
        self.tally.error = error;
        let before = self.tally.outcome.replace(outcome).unwrap_or(Outcome::Accepted);
        (before != outcome).then_some(outcome)
    }

    /// Gives up what has waited for too long. What is with the sink stays: it may be accepted yet.
    pub(super) fn expire(&mut self, now: Duration) {
        let from = usize::from(self.in_flight);
        let old = |pending: &Pending| pending.expires <= now;
        while let Some(at) = self.pending.iter().skip(from).position(old) {
            self.give_up(from + at, Reason::Expired);
        }
        self.expire_events(now);
    }

    /// Gives up the oldest reports until no more than `most` wait, nor more bytes than there may.
    /// What is with the sink stays.
    fn trim(&mut self, most: usize) {
        let from = usize::from(self.in_flight);
        let bytes = |queue: &Queue| queue.pending.iter().map(Pending::bytes).sum::<usize>();
        while self.pending.len() > from.max(1)
            && (self.pending.len() > most || bytes(self) > self.limits.bytes)
        {
            self.give_up(from, Reason::Overflowed);
        }
    }

    fn give_up(&mut self, at: usize, reason: Reason) {
        if let Some(pending) = self.pending.remove(at) {
            self.settle(pending, Fate::Lost(reason));
        }
    }

    /// Gives up everything, also what is with the sink: if that is accepted after all, nobody
    /// is there any more to be told. Events that are put together at this moment stay pending: they
    /// may be on disk soon. Returns what became of all.
    pub(super) fn close(&mut self) -> Tally {
        self.closed = true;
        self.empty_intake(Reason::Unshipped);
        let parts = std::mem::take(&mut self.parts);
        for pending in std::mem::take(&mut self.pending).into_iter().chain(parts) {
            self.end(pending);
        }
        self.tally()
    }

    /// Gives up everything, and begins as if there had never been anything: no report tells of it.
    pub(super) fn cancel(&mut self) {
        self.era += 1;
        self.in_flight = false;
        while let Some(pending) = self.pending.pop_front() {
            self.settle(pending, Fate::Lost(Reason::Withdrawn));
        }
        self.empty_intake(Reason::Withdrawn);
        self.intake = Intake::default();
        self.flushes.clear(); // the numbers begin anew
        self.untold = Losses::default();
        self.tally.delivered = None;
        self.tally.asked = Asked::default();
        self.pace = Pace::new(self.limits.attempts);
    }

    /// The program ends: what is on disk waits there for the next process. If those are the parts
    /// of a report that the receiver may have, they would be sent once more, so they do not.
    pub(super) fn end(&mut self, mut pending: Pending) {
        if pending.is_spooled() {
            return self.settle(pending, Fate::Spooled);
        }
        if pending.sealed.is_some() {
            let parts = std::mem::take(&mut pending.files);
            let on_disk = parts.iter().map(|part| part.windows).sum();
            self.tally.spooled += on_disk;
            pending.windows = pending.windows.saturating_sub(on_disk);
        }
        self.settle(pending, Fate::Lost(Reason::Unshipped));
    }

    /// Notes the end of a report that is not in the queue any more, or never was.
    pub(super) fn settle(&mut self, pending: Pending, fate: Fate) {
        let windows = pending.windows;
        match &fate {
            Fate::Accepted => {
                self.tally.accepted += windows;
                self.tally.delivered = Some(pending.ticket.report.clone());
            }
            Fate::Spooled => self.tally.spooled += windows,
            Fate::Merged(_) => {}
            Fate::Refused(_) => self.lose(Reason::Refused, windows),
            Fate::Lost(reason) => self.lose(*reason, windows),
        }
        if let Fate::Refused(_) | Fate::Lost(_) = fate {
            self.untold.merge(&pending.tells);
        }
        if !matches!(fate, Fate::Spooled) {
            self.gone.extend(pending.files.into_iter().map(|file| file.id));
        }
        // It is set once: a report leaves the queue once.
        let _ = pending.ticket.fate.set(fate);
    }

    pub(super) fn lose(&mut self, reason: Reason, windows: u64) {
        self.untold.add(reason, windows);
        self.tally.lost.add(reason, windows);
    }

    /// The ids whose files are to be removed, since this was last asked.
    pub(super) fn take_gone(&mut self) -> Vec<String> {
        std::mem::take(&mut self.gone)
    }
}
