//! What sort of fault kept a report from its receiver.

use std::fmt;

/// What sort of fault ended an attempt: where an operator has to look.
///
/// It decides nothing. Whether another attempt can help and whether the receiver may have the
/// report is what [`SendError`](super::SendError) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The receiver's name could not be looked up, or not in time.
    NameLookup,
    /// No connection came about: refused, no route, forbidden by a firewall.
    Connect,
    /// No TLS session came about: the certificate is not trusted, expired or for another host, or
    /// there is no TLS at that port.
    Tls,
    /// The proxy could not be reached, did not open the way to the receiver, or is not one that can
    /// be used.
    Proxy,
    /// Time ran out, in whichever phase after the look-up of the name.
    Timeout,
    /// The connection broke, or what came back is no answer in HTTP.
    Broken,
    /// The receiver answered with a status that is not success:
    /// [`SendError::status`](super::SendError::status).
    Status,
    /// A file could not be written: the disk is full, read-only or gone.
    File,
    /// Anything else; what a sink says that names no fault.
    Other,
}

impl fmt::Display for Fault {
    /// A word or two, as in `timeout` or `name look-up`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::NameLookup => "name look-up",
            Fault::Connect => "no connection",
            Fault::Tls => "TLS",
            Fault::Proxy => "proxy",
            Fault::Timeout => "timeout",
            Fault::Broken => "broken connection",
            Fault::Status => "status",
            Fault::File => "file",
            Fault::Other => "other",
        })
    }
}
