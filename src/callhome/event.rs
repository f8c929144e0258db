//! Saying what happened once.

use std::fmt;

use super::CallHome;
use crate::error::{Error, ErrorKind};
use crate::events::Draft;
use crate::report::Report;
use crate::schema::Fact;

/// An event that is about to be sent, from [`CallHome::event`].
#[must_use = "an event is sent by `send`"]
pub struct Event<'a> {
    callhome: &'a CallHome,
    draft: Result<Draft, Error>,
}

impl CallHome {
    /// Begins an event of a kind that [`Builder::event`](crate::Builder::event) declares.
    ///
    /// ```
    /// use callhome::{CallHome, Schema};
    /// use std::time::Duration;
    ///
    /// let command = Schema::new("command").given("name").given_or("is_error", false);
    /// let callhome = CallHome::builder(Schema::new("cli")).event(command).build()?;
    ///
    /// callhome.event("command").set("name", "migrate apply").send()?;
    /// let misspelt = callhome.event("command").set("nmae", "migrate apply");
    /// assert!(misspelt.send().is_err());
    ///
    /// let report = callhome.flush()?;
    /// assert_eq!(report["name"], "migrate apply");
    /// assert_eq!(report["is_error"], false);
    /// # Ok::<(), callhome::Error>(())
    /// ```
    pub fn event(&self, kind: &str) -> Event<'_> {
        Event { callhome: self, draft: self.engine.events.draft(kind) }
    }
}

impl Event<'_> {
    /// Gives the fact of the field at `path`: its name, or names joined by dots where it is in a
    /// section. Of a field that is given twice the later value counts.
    pub fn set(self, path: &str, value: impl Into<Fact>) -> Self {
        self.give(path, value.into())
    }

    /// Gives the facts of a list, of which the first 64 are kept.
    pub fn set_list<T: Into<Fact>>(self, path: &str, values: impl IntoIterator<Item = T>) -> Self {
        self.give(path, Fact::list(values.into_iter().map(Into::into)))
    }

    fn give(mut self, path: &str, value: Fact) -> Self {
        self.draft = self.draft.and_then(|mut draft| draft.set(path, value).map(|()| draft));
        self
    }

    /// Sends the event: it is written once, now, and waits in memory to be sent by the background
    /// thread, or by [`tick`](CallHome::tick), [`flush`](CallHome::flush) or
    /// [`shutdown`](CallHome::shutdown). It takes no longer than the functions of its schema and
    /// waits for no disk and no receiver. While reporting is off nothing is kept, and that is no
    /// error.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Usage`] when the kind or a field that was given is not declared, or not as what
    /// was given; nothing is sent then, and `undeclared_events` counts it in the losses. The same
    /// after a shutdown, in a forked child and within a sink.
    pub fn send(self) -> Result<(), Error> {
        let engine = &self.callhome.engine;
        match engine.refusal() {
            Some(refusal) if refusal.kind() != ErrorKind::Off => return Err(refusal),
            _ => {}
        }
        let draft = self.draft.inspect_err(|_| engine.outbox.reject())?;
        engine.take_in(&draft);
        engine.wake();
        Ok(())
    }

    /// The event as [`send`](Event::send) would write it now, byte for byte but for its random id
    /// and the time. Changes nothing.
    ///
    /// # Errors
    ///
    /// As those of `send` for what is not declared; nothing is counted.
    pub fn preview(self) -> Result<Report, Error> {
        self.draft.map(|draft| self.callhome.engine.look(&draft))
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.draft.as_ref().map(|draft| &draft.plan.name);
        f.debug_struct("Event").field("kind", &kind).finish_non_exhaustive()
    }
}
