//! The sink, and what can be set on it.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ureq::tls::RootCerts;

use super::endpoint::{Endpoint, PlainHttp};
use super::headers::Headers;
use super::lookup::Lookup;
use super::roots;
use crate::error::Error;

/// POSTs each report to a collector.
///
/// # The request
///
/// `Content-Type: application/json`, `Idempotency-Key` with the report's id (the same at every
/// attempt), `User-Agent: callhome/` and the crate's version, no cookies, and no credentials but
/// those of [`HttpSink::bearer`], [`HttpSink::basic`] and [`HttpSink::header`]. Each attempt opens
/// a connection of its own and closes it. The body is the report as it is, unless the feature
/// `gzip` is there and `HttpSink::compressing` is asked for.
///
/// # What an attempt means
///
/// | what happened | [fault] | [retryable] | [maybe delivered] |
/// | --- | --- | --- | --- |
/// | 2xx, whatever becomes of the answer's body | | accepted | |
/// | 408, 425, 429, 5xx | [`Status`] | yes | no |
/// | 101, a redirect that is not followed, any other 4xx | [`Status`] | no | no |
/// | the name is unknown, or not looked up in time | [`NameLookup`] | yes | no |
/// | no route, no connection | [`Connect`] | yes | no |
/// | no TLS session, a certificate that is not trusted | [`Tls`] | yes | no |
/// | a proxy that is not there, says no, or cannot be used | [`Proxy`] | yes | no |
/// | a timeout before the last byte of the report was handed to the connection | [`Timeout`] | yes | no |
/// | a timeout after it | [`Timeout`] | yes | yes |
/// | a connection that breaks before that byte | [`Broken`] | yes | no |
/// | one that breaks after it, an answer that is not HTTP, headers over 64 KiB | [`Broken`] | yes | yes |
/// | an id that is no valid header value | [`Other`] | no | no |
///
/// An attempt ends by [`Parcel::timeout`], and after ten minutes at the latest, whatever hangs. Of
/// an answer's body at most 64 KiB and one second are waited for; it is dropped. When an attempt
/// ends nothing is left of it, with one exception: the system's look-up of a name cannot be
/// interrupted. One that hangs keeps its thread, and later attempts wait for it instead of starting
/// another, so that a sink and its clones have one such thread at most.
///
/// # Asking for less
///
/// An answer of 2xx may have a header by which the receiver asks for fewer reports, a dictionary of
/// RFC 9651: `Callhome: every=86400, share=0.1, until=@1796083200`. Each answer says all that the
/// receiver wishes; one without the header takes back what was asked before. What it means, and how
/// far it goes, is in [`Hints`](crate::sink::Hints).
///
/// | key | value |
/// | --- | --- |
/// | `every` | seconds between two reports, an integer |
/// | `share` | the part of the installations that is to report, a decimal from 0 to 1 with at most three digits after the point |
/// | `until` | a date before which there are to be no reports; it is compared with the answer's `Date`, so a clock that is wrong here does not matter |
///
/// Keys that are not known are ignored. So is a value that is not of that kind, for its key alone,
/// and a header that is no such dictionary or longer than 1024 bytes; the log says so once.
///
/// # Redirects
///
/// 307 and 308 are followed, up to three times in an attempt, to the same scheme, host and port,
/// with the same headers and bytes. `Location` is a URL or a path from the root. Any other redirect
/// is a refusal: 301, 302 and 303 let clients turn a POST into a GET, and the operator was told one
/// destination.
///
/// # Proxies
///
/// Taken from the environment at each attempt, by the rules of curl: `https_proxy` for an `https`
/// URL, `http_proxy` for an `http` URL, else `all_proxy`; in lower case, else in upper case.
/// (`HTTP_PROXY` does not count in a CGI program, where a client can set it.) `no_proxy` exempts
/// hosts: a list of names, which stand for all names below them as well, of addresses, of networks
/// like `10.0.0.0/8`, or `*`. This machine itself (see [`HttpSink::new`]) is never reached through a
/// proxy. The way through is opened with `CONNECT`, for `http` too. SOCKS is not supported: attempts
/// fail, rather than going around the proxy.
///
/// [fault]: crate::sink::SendError::fault
/// [retryable]: crate::sink::SendError::is_retryable
/// [maybe delivered]: crate::sink::SendError::maybe_delivered
/// [`Parcel::timeout`]: crate::sink::Parcel::timeout
/// [`Status`]: crate::sink::Fault::Status
/// [`NameLookup`]: crate::sink::Fault::NameLookup
/// [`Connect`]: crate::sink::Fault::Connect
/// [`Tls`]: crate::sink::Fault::Tls
/// [`Proxy`]: crate::sink::Fault::Proxy
/// [`Timeout`]: crate::sink::Fault::Timeout
/// [`Broken`]: crate::sink::Fault::Broken
/// [`Other`]: crate::sink::Fault::Other
#[derive(Clone)]
pub struct HttpSink {
    pub(super) endpoint: Endpoint,
    pub(super) headers: Headers,
    pub(super) roots: RootCerts,
    pub(super) lookup: Lookup,
    pub(super) compressing: bool,
}

impl HttpSink {
    /// A sink that POSTs to `url`, an absolute `https` URL. `http` is accepted for this machine
    /// itself: 127.0.0.0/8, `[::1]` and `localhost`.
    ///
    /// Nothing is resolved or connected before the first report. Server certificates are checked
    /// against the roots of the Mozilla root program that are built in.
    ///
    /// A key belongs in [`HttpSink::header`] rather than in the URL: path and query string are kept
    /// out of this crate's messages, but the HTTP client logs them at the level `trace`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the URL cannot be used, saying why and what would do. User name and
    /// password in the URL are refused.
    ///
    /// [`ErrorKind::Config`]: crate::ErrorKind::Config
    pub fn new(url: &str) -> Result<Self, Error> {
        HttpSink::with(url, PlainHttp::LoopbackOnly)
    }

    /// Like [`HttpSink::new`], but `http` is accepted for any host, for networks that are trusted
    /// otherwise. Everybody on the way can read and change the reports then, and read credentials.
    ///
    /// # Errors
    ///
    /// As for [`HttpSink::new`].
    pub fn allowing_plain_http(url: &str) -> Result<Self, Error> {
        HttpSink::with(url, PlainHttp::Anywhere)
    }

    fn with(url: &str, plain_http: PlainHttp) -> Result<Self, Error> {
        let endpoint = Endpoint::parse(url, plain_http)?;
        Ok(HttpSink {
            endpoint,
            headers: Headers::default(),
            roots: RootCerts::WebPki,
            lookup: Lookup::new(),
            compressing: false,
        })
    }

    /// Sends `Authorization: Bearer` and this token with each report. It is a
    /// [`header`](HttpSink::header): the same holds for it.
    ///
    /// # Errors
    ///
    /// As for [`HttpSink::header`].
    pub fn bearer(self, token: &str) -> Result<Self, Error> {
        // Checked by itself, since with the word in front an empty one would not be seen.
        Headers::default().set("authorization", token)?;
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Sends `Authorization: Basic` and this name and password with each report (RFC 7617, in
    /// UTF-8). A receiver that takes a key often wants it as the name, with an empty password. It is
    /// a [`header`](HttpSink::header): the same holds for it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), showing neither, if the name is empty or has
    /// a colon, or if one of them has a control character.
    pub fn basic(self, name: &str, password: &str) -> Result<Self, Error> {
        let is_control = name.chars().chain(password.chars()).any(char::is_control);
        if name.is_empty() || name.contains(':') || is_control {
            return Err(Error::config(
                "the name or the password for `basic` (not shown) cannot be sent: give a name \
                 without a colon, and both without control characters, such as a line break at the \
                 end",
            ));
        }
        let credentials = BASE64.encode(format!("{name}:{password}"));
        self.header("authorization", &format!("Basic {credentials}"))
    }

    /// Sends this header with each report, in place of an earlier one of the same name.
    ///
    /// The value may be a secret. It is in no error, no `Debug` and no log line of any level: the
    /// HTTP client does not get to know it. It is sent to the host of the URL and to no other;
    /// over plain `http`, only where that is accepted at all.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config), with the name and not the value, if the name
    /// is none or is one that every request has, like `Host`, or if the value is empty or not
    /// visible ASCII.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self.headers.set(name, value)?;
        Ok(self)
    }

    /// Sends each report compressed, with `Content-Encoding: gzip`: the same bytes at each attempt.
    /// The receiver must understand that; one that does not may well answer 415, which loses the
    /// report.
    #[cfg(feature = "gzip")]
    #[must_use]
    pub fn compressing(self) -> Self {
        HttpSink { compressing: true, ..self }
    }

    /// Trusts the certificates in `pem` as roots as well: for a collector whose certificate a
    /// private authority has signed, or behind a proxy that looks into TLS. May be called again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) if `pem` is not readable as PEM, holds no
    /// certificate, or one that is damaged.
    pub fn trusting(self, pem: &[u8]) -> Result<Self, Error> {
        let roots = roots::with(&self.roots, roots::certificates(pem)?);
        Ok(HttpSink { roots, ..self })
    }

    /// Trusts the certificates in `pem` as roots, and no others, neither the built-in ones nor
    /// those of an earlier call.
    ///
    /// # Errors
    ///
    /// As for [`HttpSink::trusting`].
    pub fn trusting_only(self, pem: &[u8]) -> Result<Self, Error> {
        let roots = RootCerts::Specific(Arc::new(roots::certificates(pem)?));
        Ok(HttpSink { roots, ..self })
    }
}

impl fmt::Debug for HttpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSink").field("origin", &self.endpoint.origin()).finish_non_exhaustive()
    }
}
