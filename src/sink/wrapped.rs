//! Reports in an envelope of the receiver's own.

use std::fmt;

use super::{Parcel, SendError, Sink};
use crate::guard::caught;

/// Puts each report into the envelope that its receiver asks for, and hands it to another sink.
///
/// The function is given the parcel and returns the body that is sent. It says the same of a parcel
/// at every attempt, so it reads no clock: [`Parcel::id`] tells the receiver a report that came
/// twice. When it panics (the program's panic hook runs) nothing is sent, and the attempt has
/// failed.
///
/// What it adds leaves the process undeclared, and no preview and no page shows it: constants belong
/// here, and values in the schema. [`Builder::max_body`](crate::Builder::max_body) is about the
/// report alone.
///
/// ```
/// use callhome::sink::{MemorySink, Parcel, Wrapped};
/// use callhome::{CallHome, Schema};
///
/// let memory = MemorySink::new();
/// let sink = Wrapped::new(memory.clone(), |parcel: &Parcel<'_>| {
///     format!(r#"{{"messageId":"{}","properties":{}}}"#, parcel.id(), parcel.text())
/// });
/// let schema = Schema::new("shop").fact("version", "1.2");
/// let callhome = CallHome::builder(schema).sink(sink).opt_out().bare().build()?;
/// let id = callhome.flush()?.id().to_owned();
/// let expected = format!(r#"{{"messageId":"{id}","properties":{{"version":"1.2"}}}}"#);
/// assert_eq!(memory.bodies(), [expected.into_bytes()]);
/// # Ok::<(), callhome::Error>(())
/// ```
#[derive(Clone)]
pub struct Wrapped<S, F> {
    sink: S,
    wrap: F,
}

impl<S, F> Wrapped<S, F>
where
    S: Sink,
    F: Fn(&Parcel<'_>) -> String + Send + Sync,
{
    /// A sink that hands to `sink` what `wrap` makes of each parcel.
    pub fn new(sink: S, wrap: F) -> Self {
        Wrapped { sink, wrap }
    }
}

impl<S, F> Sink for Wrapped<S, F>
where
    S: Sink,
    F: Fn(&Parcel<'_>) -> String + Send + Sync,
{
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        // A panic in the sink itself leaves it open whether the report arrived; one here does not.
        let body = caught(|| (self.wrap)(parcel))
            .ok_or_else(|| SendError::retry("the envelope's function panicked"))?;
        self.sink.send(&parcel.with_body(body.as_bytes()))
    }

    fn describe(&self) -> String {
        self.sink.describe()
    }

    fn is_local(&self) -> bool {
        self.sink.is_local()
    }
}

impl<S: fmt::Debug, F> fmt::Debug for Wrapped<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapped").field("sink", &self.sink).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sink::{Hints, MemorySink};

    #[test]
    fn all_but_the_body_is_that_of_the_parcel_and_of_the_sink() {
        let memory = MemorySink::new();
        memory.answer(|parcel| {
            let (attempt, timeout) = (parcel.attempt(), parcel.timeout());
            assert_eq!((attempt, timeout), (3, Duration::from_secs(7)));
            parcel.hint(Hints::new().with_every(timeout));
            Ok(())
        });
        let sink =
            Wrapped::new(memory.clone(), |parcel: &Parcel<'_>| format!("<{}>", parcel.text()));
        let parcel = Parcel::new("id", 3, b"{}", Duration::from_secs(7));
        sink.send(&parcel).expect("accepted");
        assert_eq!(parcel.hints().every(), Some(Duration::from_secs(7)));
        assert_eq!(
            (memory.ids(), memory.bodies()),
            (vec!["id".to_owned()], vec![b"<{}>".to_vec()])
        );
        assert_eq!((sink.describe(), sink.is_local()), ("memory".to_owned(), true));
    }

    #[test]
    fn a_panic_of_the_function_certainly_sends_nothing() {
        let memory = MemorySink::new();
        let panics = |_: &Parcel<'_>| -> String { std::panic::resume_unwind(Box::new(())) };
        let sink = Wrapped::new(memory.clone(), panics);
        let error = sink.send(&Parcel::new("id", 1, b"{}", Duration::MAX)).expect_err("a panic");
        assert!(error.is_retryable() && !error.maybe_delivered());
        assert_eq!(memory.attempts(), 0);
    }
}
