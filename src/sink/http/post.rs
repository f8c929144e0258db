//! One attempt over HTTP.

use std::fmt;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body, Proxy, SendBody};

use super::answer::judge;
use super::endpoint::{Endpoint, PlainHttp};
use crate::error::{Error, ErrorKind};
use crate::sink::{Parcel, SendError, Sink};

/// POSTs each report to a collector.
///
/// # The request
///
/// `Content-Type: application/json`, `Idempotency-Key` with the report's id (the same at every
/// attempt), `User-Agent: callhome/` and the crate's version, no cookies, no credentials. Each
/// attempt opens a connection of its own and closes it.
///
/// # What an attempt means
///
/// | what happened | [retryable](SendError::is_retryable) | [maybe delivered](SendError::maybe_delivered) |
/// | --- | --- | --- |
/// | 2xx, whatever becomes of the answer's body | accepted | |
/// | 408, 425, 429, 5xx | yes | no |
/// | 1xx as the final answer, 3xx (never followed), any other 4xx | no | no |
/// | no name, no route, no connection, no TLS session, a proxy that says no; a timeout by then | yes | no |
/// | a fault or a timeout before the last byte of the report was handed to the connection | yes | no |
/// | a fault or a timeout after it, an answer that is not HTTP, headers over 64 KiB | yes | yes |
/// | an id that is no valid header value | no | no |
///
/// Every phase is limited by [`Parcel::timeout`], and by ten minutes. Of an answer's body at most
/// 64 KiB and one second are waited for; it is dropped.
///
/// # Proxies
///
/// Taken from the environment at each attempt, the first one that is set of `ALL_PROXY`,
/// `HTTPS_PROXY` and `HTTP_PROXY` in upper or lower case; `NO_PROXY` exempts hosts. This machine
/// itself (see [`HttpSink::new`]) is never reached through a proxy. A SOCKS proxy is not supported:
/// attempts fail, rather than going around it.
#[derive(Clone)]
pub struct HttpSink {
    endpoint: Endpoint,
    roots: RootCerts,
}

/// The longest an attempt takes even if the parcel would allow more. A deadline centuries ahead
/// cannot be added to a clock.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(600);

/// How much of an answer's body is read, in bytes. Closing a connection with unread bytes resets
/// it, which a receiver may log as a fault; beyond this much that is its own doing.
const BODY_READ: u64 = 64 * 1024;

/// How long an answer's body is waited for. The status before it has settled the report already.
const BODY_WAIT: Duration = Duration::from_secs(1);

/// The most bytes of status line and headers of an answer.
const HEADERS_READ: usize = 64 * 1024;

/// Bytes handed to the system in one piece. A receiver that reads slowly can stretch each piece
/// beyond the deadline, which is looked at only in between; so the pieces are small.
const WRITE_PIECE: usize = 16 * 1024;

impl HttpSink {
    /// A sink that POSTs to `url`, an absolute `https` URL. `http` is accepted for this machine
    /// itself: 127.0.0.0/8, `[::1]` and `localhost`.
    ///
    /// Nothing is resolved or connected before the first report. Server certificates are checked
    /// against the roots of the Mozilla root program that are built in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the URL cannot be used, saying why and what would do. User name and
    /// password in the URL are refused.
    pub fn new(url: &str) -> Result<Self, Error> {
        HttpSink::with(url, PlainHttp::LoopbackOnly)
    }

    /// Like [`HttpSink::new`], but `http` is accepted for any host, for networks that are trusted
    /// otherwise. Everybody on the way can read and change the reports then.
    ///
    /// # Errors
    ///
    /// As for [`HttpSink::new`].
    pub fn allowing_plain_http(url: &str) -> Result<Self, Error> {
        HttpSink::with(url, PlainHttp::Anywhere)
    }

    fn with(url: &str, plain_http: PlainHttp) -> Result<Self, Error> {
        Ok(HttpSink { endpoint: Endpoint::parse(url, plain_http)?, roots: RootCerts::WebPki })
    }

    /// Trusts the certificates in `pem` as roots, and no others: for a collector whose certificate
    /// a private authority has signed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if `pem` is not readable as PEM or holds no certificate.
    pub fn trusting_only(self, pem: &[u8]) -> Result<Self, Error> {
        let mut roots: Vec<Certificate<'static>> = Vec::new();
        for item in ureq::tls::parse_pem(pem) {
            let item = item.map_err(|e| {
                let message = "the root certificates are not readable as PEM; expected blocks that \
                               begin with -----BEGIN CERTIFICATE-----";
                Error::new(ErrorKind::Config, message).with_source(e)
            })?;
            if let PemItem::Certificate(certificate) = item {
                roots.push(certificate);
            }
        }
        if roots.is_empty() {
            let message = "the PEM text holds no root certificate; expected at least one block \
                           that begins with -----BEGIN CERTIFICATE-----";
            return Err(Error::new(ErrorKind::Config, message));
        }
        Ok(HttpSink { roots: RootCerts::Specific(Arc::new(roots)), ..self })
    }

    /// The proxy that the environment asks for.
    fn proxy(&self) -> Result<Option<Proxy>, SendError> {
        if self.endpoint.is_loopback() {
            return Ok(None);
        }
        match Proxy::try_from_env().filter(|proxy| !proxy.is_no_proxy(self.endpoint.uri())) {
            // The client was built without SOCKS and would go around such a proxy.
            Some(proxy) if !is_connect(&proxy) => Err(SendError::retry(format!(
                "{}: the environment names a SOCKS proxy, which is not supported; name an HTTP \
                 proxy, or exempt the host in NO_PROXY",
                self.endpoint.origin()
            ))),
            proxy => Ok(proxy),
        }
    }

    /// A client for one attempt. It is dropped with its connection, so nothing stays open in the
    /// hours between two reports.
    fn agent(&self, timeout: Duration, proxy: Option<Proxy>) -> Agent {
        Agent::config_builder()
            .timeout_global(Some(timeout))
            .timeout_per_call(Some(timeout))
            .timeout_resolve(Some(timeout))
            .timeout_connect(Some(timeout))
            .timeout_send_request(Some(timeout))
            .timeout_await_100(Some(timeout))
            .timeout_send_body(Some(timeout))
            .timeout_recv_response(Some(timeout))
            .timeout_recv_body(Some(timeout.min(BODY_WAIT)))
            .max_response_header_size(HEADERS_READ)
            .output_buffer_size(WRITE_PIECE)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .proxy(proxy)
            .user_agent(concat!("callhome/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(self.roots.clone()).build())
            .build()
            .into()
    }
}

impl Sink for HttpSink {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let origin = self.endpoint.origin();
        let timeout = parcel.timeout().min(LONGEST_ATTEMPT);
        if timeout.is_zero() {
            return Err(SendError::retry(format!("{origin}: no time was left for the attempt")));
        }
        // The client takes the body from here piece by piece, just before it writes each piece. So
        // when it fails, an empty rest tells that the receiver may have all of the report, and
        // anything else that it cannot: Content-Length announced more than was ever written.
        let mut rest = parcel.body();
        let outcome = self
            .agent(timeout, self.proxy()?)
            .post(self.endpoint.uri())
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, parcel.body().len())
            .header(CONNECTION, "close")
            .header("Idempotency-Key", parcel.id())
            .send(SendBody::from_reader(&mut rest));
        match outcome {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                let verdict = judge(&parts, origin);
                drain(body);
                verdict
            }
            Err(fault) => Err(explain(&fault, origin, rest.is_empty())),
        }
    }

    fn describe(&self) -> String {
        self.endpoint.origin().to_owned()
    }

    fn is_local(&self) -> bool {
        self.endpoint.is_loopback()
    }
}

impl fmt::Debug for HttpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpSink").field("origin", &self.endpoint.origin()).finish_non_exhaustive()
    }
}

/// Whether the client can use a proxy: one that is asked to CONNECT, over HTTP or HTTPS.
fn is_connect(proxy: &Proxy) -> bool {
    matches!(proxy.protocol(), ureq::ProxyProtocol::Http | ureq::ProxyProtocol::Https)
}

/// Reads an answer's body within its limits and forgets it. How that ends does not matter: the
/// status has said everything.
fn drain(body: Body) {
    let _ = io::copy(&mut body.into_reader().take(BODY_READ), &mut io::sink());
}

/// Classifies a request that got no answer. `written` says that all of the report had been handed
/// to the connection.
fn explain(fault: &ureq::Error, origin: &str, written: bool) -> SendError {
    let error = match fault {
        // Built from the same id and URL, every attempt would fail in the same way. The client's
        // own texts for these can repeat the URL.
        ureq::Error::Http(_) | ureq::Error::BadUri(_) => {
            return SendError::refused(format!(
                "{origin}: no HTTP request can be made of the report's id and the URL"
            ));
        }
        // The client tells which of its timeouts came first. They are all the same here.
        ureq::Error::Timeout(_) => {
            SendError::retry(format!("{origin}: timed out {}", when(written)))
        }
        fault => SendError::retry(format!("{origin}: {fault}, {}", when(written))),
    };
    if written { error.possibly_delivered() } else { error }
}

/// The moment of a fault, for a message.
fn when(written: bool) -> &'static str {
    if written { "after the report was written" } else { "before the report was written" }
}
