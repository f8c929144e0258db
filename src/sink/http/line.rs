//! The connection of one attempt: opened in stages whose faults are told apart, bound to one
//! deadline, and the only place where the application's headers are written.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector,
    TcpConnector, Transport,
};

use super::failed::sorted;
use super::headers::Headers;
use crate::clock::{Clock, SystemClock};
use crate::sink::Fault;

/// The end of an attempt.
pub(super) struct Deadline {
    clock: SystemClock,
    at: Duration,
}

impl Deadline {
    /// This much from now.
    pub(super) fn after(timeout: Duration) -> Self {
        let clock = SystemClock::new();
        let at = clock.now().monotonic.saturating_add(timeout);
        Deadline { clock, at }
    }

    /// What is left until then.
    pub(super) fn left(&self) -> Duration {
        self.at.saturating_sub(self.clock.now().monotonic)
    }
}

/// Opens the connections of one attempt.
pub(super) struct Connect {
    proxy: ConnectProxyConnector,
    tcp: TcpConnector,
    tls: RustlsConnector,
    /// Whether the receiver is behind a proxy, so that the first connection leads to that.
    proxied: bool,
    headers: Headers,
    deadline: Arc<Deadline>,
}

impl Connect {
    pub(super) fn new(proxied: bool, headers: Headers, deadline: Arc<Deadline>) -> Self {
        let (proxy, tcp, tls) = Default::default();
        Connect { proxy, tcp, tls, proxied, headers, deadline }
    }
}

impl Connector for Connect {
    type Out = Line;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Line>, ureq::Error> {
        let proxy = self.proxy.connect(details, None::<()>);
        let proxy = proxy.map_err(|e| sorted(e, Fault::Proxy))?;
        let tcp = self.tcp.connect(details, proxy).map_err(|e| sorted(e, Fault::Connect))?;
        let tls = self.tls.connect(details, tcp).map_err(|e| sorted(e, Fault::Tls))?;
        // The first stage asks this connector for the way to the proxy, with settings that name no
        // proxy. What is meant for the receiver must not be told there.
        let to_receiver = details.config.proxy().is_some() == self.proxied;
        let headers = if to_receiver { self.headers.lines() } else { Vec::new() };
        let deadline = Arc::clone(&self.deadline);
        Ok(tls.map(|inner| Line { inner: Box::new(inner), headers, deadline }))
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").finish_non_exhaustive()
    }
}

/// An open connection.
pub(super) struct Line {
    inner: Box<dyn Transport>,
    /// Header lines still to be written. The client logs what it writes, so it does not get them:
    /// they join the request here, behind its first line.
    headers: Vec<u8>,
    deadline: Arc<Deadline>,
}

impl Line {
    /// The client starts some of its timeouts anew with each piece that comes from a proxy, so
    /// they are cut here.
    fn cut(&self, timeout: NextTimeout) -> NextTimeout {
        NextTimeout { after: timeout.after.min(self.deadline.left().into()), ..timeout }
    }

    /// Takes what the client is about to write and adds the headers, if its first line is there.
    fn joined(&mut self, amount: usize) -> Option<Vec<u8>> {
        if self.headers.is_empty() {
            return None;
        }
        let head = &self.inner.buffers().output()[..amount];
        let behind_first_line = head.windows(2).position(|pair| pair == b"\r\n")? + 2;
        let (first, rest) = head.split_at(behind_first_line);
        let joined = [first, &self.headers, rest].concat();
        self.headers = Vec::new();
        Some(joined)
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let Some(joined) = self.joined(amount) else {
            let timeout = self.cut(timeout);
            return self.inner.transmit_output(amount, timeout);
        };
        let room = self.inner.buffers().output().len();
        for piece in joined.chunks(room) {
            self.inner.buffers().output()[..piece.len()].copy_from_slice(piece);
            let timeout = self.cut(timeout);
            self.inner.transmit_output(piece.len(), timeout)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let timeout = self.cut(timeout);
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}
