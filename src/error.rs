//! One opaque error: what was wrong, the value it was wrong in, and the remedy.

use std::error::Error as StdError;
use std::fmt;

/// What a [`Error`] is about, for code that wants to act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The schema contradicts itself; nothing was built.
    Schema,
    /// A setting of the builder cannot be used; nothing was built.
    Config,
    /// The recorder or the background thread could not be put in place; neither was left behind.
    Install,
    /// The switch says no: nothing is collected and nothing is sent.
    Off,
    /// The report was sealed but not accepted. It is kept and goes out with a later attempt.
    Delivery,
    /// The report was sealed, and is lost: the receiver refused it for good, or too many were
    /// waiting. It is counted in [`Status::lost`](crate::Status::lost).
    Lost,
    /// The call cannot be made here or now, for example after a shutdown.
    Usage,
    /// A file could not be read or written.
    Io,
}

/// An error of this crate.
///
/// The text names the value that was wrong and what to do about it. [`Error::kind`] says which
/// part of the crate it comes from. Values recorded before the error are not lost by it, unless
/// it is [`ErrorKind::Lost`].
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), source: None }
    }

    /// A setting that cannot be used.
    pub(crate) fn config(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Config, message)
    }

    pub(crate) fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Which part of the crate the error comes from.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind).field("message", &self.message).finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
