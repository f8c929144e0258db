//! What is asked of a sink: the trait, and what it is handed.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::{Hints, SendError};

/// A place where reports go.
///
/// ```
/// use callhome::sink::{Parcel, SendError, Sink};
///
/// struct Stdout;
///
/// impl Sink for Stdout {
///     fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
///         use std::io::Write;
///         let mut out = std::io::stdout().lock();
///         out.write_all(parcel.body()).map_err(|e| SendError::retry(format!("stdout: {e}")))
///     }
///
///     fn describe(&self) -> String {
///         "stdout".to_owned()
///     }
/// }
///
/// let parcel = Parcel::new("6ba7b810", 1, b"{}", std::time::Duration::from_secs(10));
/// assert!(Stdout.send(&parcel).is_ok());
/// ```
pub trait Sink: Send + Sync {
    /// Makes one attempt to hand the report over, and returns within [`Parcel::timeout`].
    ///
    /// `Ok` settles the report: the receiver has it, and it is never sent again. A sink does not
    /// retry by itself. If the receiver asks for fewer reports, that is said by
    /// [`Parcel::hint`] before.
    ///
    /// # Errors
    ///
    /// A [`SendError`] that says whether another attempt can help and whether the receiver may have
    /// the report nevertheless.
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError>;

    /// Names the destination in a log line. It holds no credentials, no path and no query string
    /// of a URL.
    fn describe(&self) -> String;

    /// Whether reports stay on this machine. Default: no. Under `cargo test` only such a sink is
    /// given any, unless [`Builder::in_tests`](crate::Builder::in_tests) allows others.
    fn is_local(&self) -> bool {
        false
    }
}

/// One sealed report on its way: the same bytes and the same id at every attempt. Clones share what
/// is [hinted](Parcel::hint).
#[derive(Clone)]
pub struct Parcel<'a> {
    id: &'a str,
    attempt: u32,
    body: &'a [u8],
    timeout: Duration,
    /// What the receiver asks for, as the sink said last.
    hints: Arc<Mutex<Hints>>,
}

impl<'a> Parcel<'a> {
    /// Puts a parcel together; public so that a sink can be tested without the rest of the crate.
    ///
    /// The arguments are what the accessors of the same names give back.
    pub fn new(id: &'a str, attempt: u32, body: &'a [u8], timeout: Duration) -> Self {
        Parcel { id, attempt, body, timeout, hints: Arc::default() }
    }

    /// The same with another body, for a sink that hands it to another: what that one
    /// [hints](Parcel::hint) is hinted here.
    pub fn with_body<'b>(&self, body: &'b [u8]) -> Parcel<'b>
    where
        'a: 'b,
    {
        Parcel { body, ..self.clone() }
    }

    /// Says what the receiver asks for with its answer. It counts if the sink returns `Ok`; of
    /// several the last does. Without it the receiver asks for nothing, and takes back what it asked
    /// for before.
    pub fn hint(&self, hints: Hints) {
        *self.hints.lock() = hints;
    }

    /// What was hinted so far.
    pub fn hints(&self) -> Hints {
        *self.hints.lock()
    }

    /// Identifies the report. It stays the same over all attempts, so that a receiver can recognise
    /// a report that it already has.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// Which attempt at this report this is, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The report: one JSON object in UTF-8, on one line; of events that are sent
    /// [together](crate::Builder::events_as_array) an array, or an object on each line.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The report as text.
    pub fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.body)
    }

    /// What is left for this attempt. The sink returns within it, whatever the receiver does.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl fmt::Debug for Parcel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel")
            .field("id", &self.id)
            .field("attempt", &self.attempt)
            .field("body_len", &self.body.len())
            .field("timeout", &self.timeout)
            .finish()
    }
}
