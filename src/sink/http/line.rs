//! The connection of one attempt: opened in stages whose faults are told apart, and bound to one
//! deadline.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector,
    TcpConnector, Transport,
};

use super::failed::sorted;
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
    deadline: Arc<Deadline>,
}

impl Connect {
    pub(super) fn new(deadline: Arc<Deadline>) -> Self {
        let (proxy, tcp, tls) = Default::default();
        Connect { proxy, tcp, tls, deadline }
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
        let deadline = Arc::clone(&self.deadline);
        Ok(tls.map(|inner| Line { inner: Box::new(inner), deadline }))
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
    deadline: Arc<Deadline>,
}

impl Line {
    /// The client starts some of its timeouts anew with each piece that comes from a proxy, so
    /// they are cut here.
    fn cut(&self, timeout: NextTimeout) -> NextTimeout {
        NextTimeout { after: timeout.after.min(self.deadline.left().into()), ..timeout }
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = self.cut(timeout);
        self.inner.transmit_output(amount, timeout)
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
