//! Events: from what is said of one to the outbox.

use std::sync::Arc;

use super::{Collecting, Engine};
use crate::clock::Moment;
use crate::delivery::{Flush, Losses, Written};
use crate::error::Error;
use crate::events::Draft;
use crate::host::identity::new_id;
use crate::report::{Event, Report};

impl Engine {
    /// Takes an event in; nothing happens while reporting is off.
    pub(crate) fn take_in(&self, draft: &Draft) {
        // Before anything is asked: the functions take their time, and somebody may say no, and yes
        // again.
        let era = self.outbox.era();
        if !self.consent.is_open() {
            return;
        }
        let write = self.writer(draft, true);
        let now = self.clock.now();
        self.outbox.take_in(era, now.monotonic, |sequence, tells| write(now, sequence, tells));
    }

    /// What would be sent of it now.
    pub(crate) fn look(&self, draft: &Draft) -> Report {
        let write = self.writer(draft, false);
        let now = self.clock.now();
        let Written { id, sequence, body, .. } =
            self.outbox.look(|sequence, tells| write(now, sequence, tells));
        Report::read_back(id, sequence, body, self.bare)
    }

    /// Asks for all that is not given, and writes the event when its number is known. One that is
    /// `sent` tells of losses that no other tells of then.
    fn writer<'a>(
        &'a self,
        draft: &'a Draft,
        sent: bool,
    ) -> impl FnOnce(Moment, u64, Losses) -> Written + 'a {
        let now = self.clock.now();
        // Without a lock: they are functions of the application.
        let (since, said) = (self.window.since(), self.identity.said());
        let (readings, failed) = draft.readings(
            |ask| self.window.alone(|| Some(ask())),
            |fact| self.identity.fact(&said, fact, since, now),
        );
        let id = new_id().to_string();
        move |now, sequence, mut tells| {
            // What nobody declares is counted by the registry that the recorder was made for. Where
            // that is this one, no report tells of it.
            let (undeclared, refused) = self.window.losses(sent);
            tells.merge(&Losses::of_metrics(undeclared, refused));
            let mut losses = vec![("failed_functions", failed)];
            losses.extend(tells.by_reason());
            let plan = &*draft.plan;
            let event = Event {
                id: &id,
                sequence,
                time: now.wall,
                plan,
                form: self.form(),
                readings: &readings,
                losses: &losses,
            };
            let body = event.body();
            Written { id, sequence, body, tells }
        }
    }

    /// Puts all events that wait in the outbox, as far as there is room; an error if the switch says
    /// no.
    pub(crate) fn seal_events(&self, last: bool) -> Result<Arc<Flush>, Error> {
        let now = self.clock.now();
        let collecting = self.sealing.lock();
        if *collecting != Collecting::Now || !self.consent.is_open() {
            return Err(self.off());
        }
        let flush = self.outbox.hurry();
        self.outbox.put_batches(now);
        if last {
            self.outbox.note_last();
        }
        drop(collecting);
        self.outbox.tell();
        Ok(flush)
    }

    /// Puts those in the outbox that are due, or all at the end of an interval: then those that wait
    /// in the outbox get attempts again.
    pub(super) fn put_events(&self, is_report_due: bool) {
        let now = self.clock.now();
        let collecting = self.sealing.lock();
        if *collecting == Collecting::Now && self.consent.is_open() {
            if is_report_due {
                self.outbox.rearm(now.monotonic);
                drop(self.outbox.hurry());
            }
            self.outbox.put_batches(now);
        }
        drop(collecting);
        self.outbox.tell();
    }
}
