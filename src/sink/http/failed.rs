//! Faults on the way to an answer: what they were, in the terms of the caller.

use std::fmt;

use crate::sink::{Fault, SendError};

/// A fault whose sort is known where it happens. It passes through the client as it is.
#[derive(Debug)]
struct Failed {
    fault: Fault,
    text: String,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Failed {}

/// A fault of this sort, for the client to hand on.
pub(super) fn failed(fault: Fault, text: impl Into<String>) -> ureq::Error {
    ureq::Error::Other(Box::new(Failed { fault, text: text.into() }))
}

/// Says of which sort an error of the client is. A timeout is a timeout in every phase.
pub(super) fn sorted(error: ureq::Error, fault: Fault) -> ureq::Error {
    match error {
        ureq::Error::Timeout(_) => error,
        ureq::Error::Other(inner) => failed(fault, inner.to_string()),
        error => failed(fault, error.to_string()),
    }
}

/// Classifies a request that got no answer. `written` says that all of the report had been handed
/// to the connection.
pub(super) fn explain(error: &ureq::Error, origin: &str, written: bool) -> SendError {
    let (fault, text) = match error {
        // Built from the same id and URL, every attempt would fail in the same way. The client's
        // own texts for these can repeat the URL.
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
            return SendError::refused(format!(
                "{origin}: no HTTP request can be made of the report's id and the URL"
            ));
        }
        // The client tells which of its timeouts came first. They are all the same here.
        ureq::Error::Timeout(_) => (Fault::Timeout, "timed out".to_owned()),
        ureq::Error::Other(inner) => {
            let fault = inner.downcast_ref().map_or(Fault::Other, |failed: &Failed| failed.fault);
            (fault, inner.to_string())
        }
        error => (Fault::Broken, error.to_string()),
    };
    let when = if written { "after" } else { "before" };
    let error = SendError::retry(format!("{origin}: {text}, {when} the report was written"));
    let error = error.with_fault(fault);
    if written { error.possibly_delivered() } else { error }
}
