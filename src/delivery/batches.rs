//! Events on their way: taken in one by one, sent together, settled like reports.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use super::flush::Flush;
use super::intake::{Shape, Written};
use super::limits::Limits;
use super::outbox::Outbox;
use super::pending::{Fate, File, Pending, Ticket};
use super::queue::Queue;
use super::reason::{Losses, Reason};
use crate::clock::Moment;
use crate::report::Report;

impl Outbox {
    /// Takes in an event, which `write` writes, given its number and the losses that it has to tell
    /// of; unless reporting is off, or the `era` is over of which the event is.
    pub(crate) fn take_in(
        &self,
        era: u64,
        now: Duration,
        write: impl FnOnce(u64, Losses) -> Written,
    ) {
        self.change(|queue| {
            if queue.era == era {
                queue.take_in(now, write);
            }
        });
    }

    /// Which time this is: another begins with each yes and each no.
    pub(crate) fn era(&self) -> u64 {
        self.queue.lock().era
    }

    /// What [`take_in`](Outbox::take_in) would have written now; nothing changes.
    pub(crate) fn look<T>(&self, write: impl FnOnce(u64, Losses) -> T) -> T {
        let queue = self.queue.lock();
        write(queue.intake.sequence + 1, queue.untold)
    }

    /// Counts an event that cannot be sent.
    pub(crate) fn reject(&self) {
        self.change(|queue| {
            if queue.intake.is_open {
                queue.lose(Reason::Undeclared, 1);
            }
        });
    }

    /// The body that is sent next: the oldest that waits for another attempt, or else that of the
    /// events that wait.
    pub(crate) fn preview_batch(&self, now: Duration) -> Report {
        let queue = self.queue.lock();
        if let Some(pending) = queue.pending.iter().find(|pending| pending.expires > now) {
            return pending.ticket.report.clone();
        }
        let Limits { batching, body, .. } = &self.limits;
        self.batch(&queue.intake.next(batching, *body).collect::<Vec<_>>())
    }

    /// No body at all.
    pub(crate) fn nothing(&self) -> Report {
        self.batch(&[])
    }

    /// From now on, events that are there wait for no others. What comes of them and of all that is
    /// pending is noted as long as what is returned is there.
    pub(crate) fn hurry(&self) -> Arc<Flush> {
        self.queue.lock().hurry()
    }

    /// When the next events are to be put together, on the monotonic clock; `None` while there are
    /// none, or no room for them among what waits for an attempt.
    pub(crate) fn batch_due(&self) -> Option<Duration> {
        self.queue.lock().batch_due()
    }

    /// Puts events together that are to go now, as long as there is room for them.
    pub(crate) fn put_batches(&self, now: Moment) {
        // In their order.
        let _putting = self.putting.lock();
        while self.put_batch(now).is_some() {}
    }

    fn put_batch(&self, now: Moment) -> Option<()> {
        let (since, events) = self.change(|queue| queue.take_batch(now.monotonic))?;
        let report = self.batch(&events.iter().collect::<Vec<_>>());
        let (_, others) = events.split_last()?;
        // A batch is as many as a report that was made of as many windows.
        let others: Vec<String> = others.iter().map(|event| event.id.clone()).collect();
        // The next process, too, counts from the oldest event on.
        let taken_in = now.wall.checked_sub(now.monotonic.saturating_sub(since));
        let is_kept = self.disk.write(&report, &others, taken_in.unwrap_or(now.wall));
        let mut tells = Losses::default();
        events.iter().for_each(|event| tells.merge(&event.tells));
        let pending = Pending {
            windows: events.len() as u64,
            expires: since.saturating_add(self.limits.age),
            files: File::list(report.id(), events.len() as u64, is_kept),
            ticket: Arc::new(Ticket { report, fate: OnceLock::new() }),
            sealed: None,
            tells,
            attempts: 0,
            rests: false,
        };
        self.change(|queue| queue.put_batch(now.monotonic, pending, self.home.is_none()));
        Some(())
    }

    /// Gives what waits attempts again.
    pub(crate) fn rearm(&self, now: Duration) {
        self.change(|queue| queue.rearm(now));
    }

    /// No event follows.
    pub(crate) fn note_last(&self) {
        self.change(Queue::note_last);
    }

    /// The body of these events; the last one's id and number are its own.
    fn batch(&self, events: &[&Written]) -> Report {
        let batching = &self.limits.batching;
        let last = events.last();
        let id = last.map_or_else(String::new, |event| event.id.clone());
        let sequence = last.map_or(0, |event| event.sequence);
        let bare = self.bare || batching.shape != Shape::Single;
        Report::read_back(id, sequence, batching.body(events), bare)
    }
}

impl Queue {
    fn take_in(&mut self, now: Duration, write: impl FnOnce(u64, Losses) -> Written) {
        if !self.intake.is_open {
            return;
        }
        self.intake.sequence += 1;
        let event = write(self.intake.sequence, std::mem::take(&mut self.untold));
        self.intake.push(now, event);
        if self.closed {
            return self.empty_intake(Reason::Unshipped);
        }
        let most = self.limits.batching.waiting;
        while self.intake.len() > most || self.intake.bytes() > self.limits.bytes {
            self.lose_event(Reason::Overflowed);
        }
    }

    fn hurry(&mut self) -> Arc<Flush> {
        self.intake.urgent = self.intake.sequence;
        let bodies = self.pending.iter().map(|pending| Arc::clone(&pending.ticket)).collect();
        let flush = Arc::new(Flush::new(self.intake.sequence, bodies));
        self.flushes.retain(|flush| flush.strong_count() > 0);
        self.flushes.push(Arc::downgrade(&flush));
        flush
    }

    /// Those who wait for events.
    fn flushes(&self) -> impl Iterator<Item = Arc<Flush>> {
        self.flushes.iter().filter_map(Weak::upgrade)
    }

    /// Gives what waits attempts again, as a sealed window does.
    fn rearm(&mut self, now: Duration) {
        if !self.pending.is_empty() {
            self.arm(now);
        }
    }

    /// Whether one more report of so many bytes can wait.
    fn has_room(&self, bytes: usize) -> bool {
        let waiting = self.pending.iter().map(Pending::bytes).sum::<usize>();
        self.pending.len() < self.limits.reports
            && (self.pending.is_empty() || waiting.saturating_add(bytes) <= self.limits.bytes)
    }

    fn batch_due(&self) -> Option<Duration> {
        self.intake.due(&self.limits.batching).filter(|_| self.has_room(self.limits.body))
    }

    /// The events of the next body, if it is due, and since when the oldest of them has waited.
    fn take_batch(&mut self, now: Duration) -> Option<(Duration, Vec<Written>)> {
        self.expire(now);
        let since = self.intake.since()?;
        self.batch_due().filter(|due| *due <= now)?;
        let count = self.intake.next(&self.limits.batching, self.limits.body).count();
        let events: Vec<Written> = (0..count).filter_map(|_| self.intake.pop()).collect();
        self.making += events.len() as u64;
        Some((since, events))
    }

    /// Puts events in that were taken out together. Without a receiver they are settled by being
    /// returned.
    fn put_batch(&mut self, now: Duration, pending: Pending, is_settled: bool) {
        // Their numbers follow one another.
        let first = (pending.ticket.report.sequence() + 1).saturating_sub(pending.windows);
        self.flushes().for_each(|flush| flush.note(first, &pending.ticket));
        self.making -= pending.windows;
        if self.closed {
            return self.end(pending);
        }
        match is_settled {
            true => self.settle(pending, Fate::Accepted),
            false => self.add(now, pending),
        }
    }

    /// Gives up all events that wait to be put together.
    pub(super) fn empty_intake(&mut self, reason: Reason) {
        while self.lose_event(reason).is_some() {}
    }

    /// Gives up the events that have waited for too long.
    pub(super) fn expire_events(&mut self, now: Duration) {
        let age = self.limits.age;
        while self.intake.since().is_some_and(|since| since.saturating_add(age) <= now) {
            self.lose_event(Reason::Expired);
        }
    }

    /// Gives up the oldest.
    fn lose_event(&mut self, reason: Reason) -> Option<()> {
        let event = self.intake.pop()?;
        self.untold.merge(&event.tells);
        self.flushes().for_each(|flush| flush.note_lost(event.sequence, reason));
        self.lose(reason, 1);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sequence: u64, tells: Losses) -> Written {
        Written { id: String::new(), sequence, body: "{}".into(), tells }
    }

    fn pending(sequence: u64) -> Pending {
        let report = Report::read_back(String::new(), sequence, "{}".into(), true);
        Pending {
            ticket: Arc::new(Ticket { report, fate: OnceLock::new() }),
            sealed: None,
            windows: 1,
            tells: Losses::default(),
            attempts: 0,
            rests: false,
            expires: Duration::MAX,
            files: Vec::new(),
        }
    }

    #[test]
    fn nothing_is_taken_in_before_the_beginning_and_after_a_no() {
        let mut queue = Queue::new(Limits::SMALL);
        let never = |_, _| -> Written { unreachable!() };
        queue.take_in(Duration::ZERO, never);
        queue.begin(std::iter::empty(), 0);
        queue.take_in(Duration::ZERO, event);
        assert_eq!((queue.tally().pending, queue.intake.sequence), (1, 1));
        queue.cancel();
        queue.take_in(Duration::ZERO, never);
        assert_eq!((queue.tally().pending, queue.intake.sequence), (0, 0));
    }

    #[test]
    fn an_end_while_events_are_put_together_counts_each_once() {
        let mut queue = Queue::new(Limits::SMALL);
        queue.begin(std::iter::empty(), 0);
        (0..3).for_each(|_| queue.take_in(Duration::ZERO, event));
        (0..2).for_each(|_| assert!(queue.take_batch(Duration::ZERO).is_some()));
        assert_eq!(queue.tally().pending, 3, "two in the making");
        let count = |tally: super::super::Tally| (tally.spooled, tally.lost.total(), tally.pending);
        assert_eq!(count(queue.close()), (0, 1, 2), "the disk may take those two yet");
        queue.put_batch(
            Duration::ZERO,
            Pending { files: File::list("", 1, true), ..pending(1) },
            false,
        );
        assert_eq!(count(queue.tally()), (1, 1, 1), "as it did with the one");
        assert!(queue.take_gone().is_empty(), "the next process sends it");
        queue.put_batch(Duration::ZERO, pending(2), true);
        assert_eq!(count(queue.tally()), (1, 2, 0));
        queue.take_in(Duration::ZERO, event);
        assert_eq!(count(queue.tally()), (1, 3, 0));
    }

    #[test]
    fn two_flushes_at_once_both_have_what_was_there_and_no_more() {
        let mut queue = Queue::new(Limits { bytes: 10_000, ..Limits::SMALL });
        queue.begin(std::iter::empty(), 0);
        let put = |queue: &mut Queue, sequence| {
            queue.take_in(Duration::ZERO, event);
            queue.take_batch(Duration::ZERO);
            queue.put_batch(Duration::ZERO, pending(sequence), false);
        };
        put(&mut queue, 1);
        let (first, second) = (queue.hurry(), queue.hurry());
        put(&mut queue, 2);
        let refuse = |queue: &mut Queue| {
            let pending = queue.pending.pop_back().unwrap();
            queue.settle(pending, Fate::Refused(String::new()));
        };
        refuse(&mut queue);
        let is_lost = |flush: &Flush| {
            let ticket = flush.outcome().unwrap();
            assert_eq!(ticket.report.sequence(), 1);
            ticket.fate.get().is_some()
        };
        assert!(!is_lost(&first) && !is_lost(&second), "what came later");
        refuse(&mut queue);
        assert!(is_lost(&first) && is_lost(&second));
    }
}
