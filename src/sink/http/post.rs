//! One attempt over HTTP.

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use ureq::http::response;
use ureq::tls::TlsConfig;
use ureq::{Agent, Body, Proxy, SendBody};

use super::answer::judge;
use super::endpoint::Endpoint;
use super::failed::explain;
use super::hints::hints;
use super::line::{Connect, Deadline};
use super::proxy::proxy;
use super::redirect;
use super::settings::HttpSink;
use crate::sink::{Fault, Parcel, SendError, Sink};

/// The longest an attempt takes even if the parcel would allow more. A deadline centuries ahead
/// cannot be added to a clock.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(600);

/// How much of an answer's body is read, in bytes. Closing a connection with unread bytes resets
/// it, which a receiver may log as a fault; beyond this much that is its own doing.
const BODY_READ: u64 = 64 * 1024;

/// How long an answer's body is waited for. The status before it has settled the report already.
const BODY_WAIT: Duration = Duration::from_secs(1);

/// The most bytes of status line and headers of an answer. The client reads into a buffer of this
/// size: with a larger one it would take many short interim answers for one that is too long.
const HEADERS_READ: usize = 64 * 1024;

/// Bytes handed to the system in one piece. A receiver that reads slowly can stretch each piece
/// beyond the deadline, which is looked at only in between; so the pieces are small.
const WRITE_PIECE: usize = 16 * 1024;

impl HttpSink {
    /// The report as it goes out.
    fn encode<'a>(&self, report: &'a [u8]) -> Result<Cow<'a, [u8]>, SendError> {
        #[cfg(feature = "gzip")]
        if self.compressing {
            return super::gzip::compress(report)
                .map(Cow::Owned)
                .map_err(|e| SendError::retry(format!("cannot compress the report: {e}")));
        }
        Ok(Cow::Borrowed(report))
    }

    /// POSTs a report to one URL and reads the answer, whatever it says.
    fn post(
        &self,
        to: &Endpoint,
        id: &str,
        report: &[u8],
        deadline: &Arc<Deadline>,
    ) -> Result<response::Parts, SendError> {
        let origin = to.origin();
        let left = deadline.left();
        if left.is_zero() {
            let error = SendError::retry(format!("{origin}: no time was left for the attempt"));
            return Err(error.with_fault(Fault::Timeout));
        }
        let proxy = proxy(to, |name| std::env::var(name).ok())?;
        // The client takes the body from here piece by piece, just before it writes each piece. So
        // when it fails, an empty rest tells that the receiver may have all of the report, and
        // anything else that it cannot: Content-Length announced more than was ever written.
        let mut rest = report;
        let mut request = self
            .agent(left, proxy, deadline)
            .post(to.uri())
            .header(CONTENT_TYPE, "application/json")
            .header(CONTENT_LENGTH, report.len())
            .header(CONNECTION, "close")
            .header("Idempotency-Key", id);
        if self.compressing {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        let outcome = request.send(SendBody::from_reader(&mut rest));
        let (parts, body) = outcome.map_err(|e| explain(&e, origin, rest.is_empty()))?.into_parts();
        drain(body);
        Ok(parts)
    }

    /// A client for one request. It is dropped with its connection, so nothing stays open in the
    /// hours between two reports.
    fn agent(&self, left: Duration, proxy: Option<Proxy>, deadline: &Arc<Deadline>) -> Agent {
        let connect = Connect::new(proxy.is_some(), self.headers.clone(), Arc::clone(deadline));
        let config = Agent::config_builder()
            .timeout_global(Some(left))
            .timeout_per_call(Some(left))
            .timeout_resolve(Some(left))
            .timeout_connect(Some(left))
            .timeout_send_request(Some(left))
            .timeout_await_100(Some(left))
            .timeout_send_body(Some(left))
            .timeout_recv_response(Some(left))
            .timeout_recv_body(Some(left.min(BODY_WAIT)))
            .max_response_header_size(HEADERS_READ)
            .input_buffer_size(HEADERS_READ)
            .output_buffer_size(WRITE_PIECE)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .proxy(proxy)
            .user_agent(concat!("callhome/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(self.roots.clone()).build())
            .build();
        Agent::with_parts(config, connect, self.lookup.clone())
    }
}

impl Sink for HttpSink {
    fn send(&self, parcel: &Parcel<'_>) -> Result<(), SendError> {
        let deadline = Arc::new(Deadline::after(parcel.timeout().min(LONGEST_ATTEMPT)));
        let report = self.encode(parcel.body())?;
        let mut to = self.endpoint.clone();
        let mut redirects = 0;
        loop {
            let answer = self.post(&to, parcel.id(), &report, &deadline)?;
            let Some(next) = redirect::target(&answer, &to)? else {
                judge(&answer, to.origin())?;
                parcel.hint(hints(&answer.headers));
                return Ok(());
            };
            redirects += 1;
            if redirects > redirect::MOST {
                return Err(redirect::too_many(answer.status, &to));
            }
            to = next;
        }
    }

    fn describe(&self) -> String {
        self.endpoint.origin().to_owned()
    }

    fn is_local(&self) -> bool {
        self.endpoint.is_loopback()
    }
}

/// Reads an answer's body within its limits and forgets it. How that ends does not matter: the
/// status has said everything.
fn drain(body: Body) {
    let _ = io::copy(&mut body.into_reader().take(BODY_READ), &mut io::sink());
}
