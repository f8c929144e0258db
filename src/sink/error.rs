//! Why an attempt failed, in the terms that decide what happens next.

use std::fmt;
use std::time::Duration;

use super::Fault;

/// An attempt that did not end with the receiver accepting the report.
///
/// Two questions decide what happens next, and each has its own answer:
///
/// - *Can another attempt help?* [`SendError::is_retryable`].
/// - *May the receiver have the report nevertheless?* [`SendError::maybe_delivered`]. Such a report
///   may only be repeated as it is, under its own id: merged into another one, it could be counted
///   twice.
///
/// [`SendError::fault`] names the sort of the fault, for whoever has to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError {
    message: String,
    fault: Fault,
    retryable: bool,
    maybe_delivered: bool,
    status: Option<u16>,
    retry_after: Option<Duration>,
}

impl SendError {
    /// The receiver does not have the report, and another attempt may succeed.
    pub fn retry(message: impl Into<String>) -> Self {
        SendError {
            message: message.into(),
            fault: Fault::Other,
            retryable: true,
            maybe_delivered: false,
            status: None,
            retry_after: None,
        }
    }

    /// The receiver does not want this report; the same bytes would fail again. The report is lost.
    pub fn refused(message: impl Into<String>) -> Self {
        SendError { retryable: false, ..SendError::retry(message) }
    }

    /// Adds that the receiver may have the report although no answer says so.
    #[must_use]
    pub fn possibly_delivered(self) -> Self {
        SendError { maybe_delivered: true, ..self }
    }

    /// Says what sort of fault it was; [`Fault::Other`] if this is not called.
    #[must_use]
    pub fn with_fault(self, fault: Fault) -> Self {
        SendError { fault, ..self }
    }

    /// Adds the status code with which the receiver answered, which makes the fault
    /// [`Fault::Status`].
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        SendError { status: Some(status), fault: Fault::Status, ..self }
    }

    /// Adds how long the receiver wants to be left alone, counted from now.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        SendError { retry_after: Some(wait), ..self }
    }

    /// What sort of fault it was.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// Whether another attempt with the same bytes and the same id can succeed.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// Whether the receiver may have the report nevertheless, as after a timeout that came when all
    /// of the report had been written. `false` means that it certainly has not taken it.
    pub fn maybe_delivered(&self) -> bool {
        self.maybe_delivered
    }

    /// The status code of the answer; `None` if there was no answer or the sink has no such thing.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// How long the receiver asked to be left alone, as in HTTP's `Retry-After`; `None` if it did
    /// not ask. It is what the receiver said, without any upper limit.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SendError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_constructors_differ_in_what_another_attempt_can_do() {
        let retry = SendError::retry("down");
        assert!(retry.is_retryable());
        let refused = SendError::refused("bad request");
        assert!(!refused.is_retryable());
        for error in [retry, refused] {
            assert!(!error.maybe_delivered());
            assert_eq!(error.fault(), Fault::Other);
            assert_eq!(error.status(), None);
            assert_eq!(error.retry_after(), None);
        }
    }

    #[test]
    fn what_is_added_changes_nothing_else() {
        let error = SendError::retry("busy")
            .with_status(429)
            .with_retry_after(Duration::from_secs(7))
            .possibly_delivered();
        assert!(error.is_retryable());
        assert!(error.maybe_delivered());
        assert_eq!(error.status(), Some(429));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert_eq!(error.fault(), Fault::Status);
        assert_eq!(error.to_string(), "busy");
        let error = error.with_fault(Fault::Timeout);
        assert_eq!((error.fault(), error.status()), (Fault::Timeout, Some(429)));
    }
}
