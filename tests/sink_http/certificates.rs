//! A private authority, and receivers with its certificates.

use callhome::testing::{HttpReceiver, Request};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

/// Who signs.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Authority(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// What a client trusts to trust all that this authority signs.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// For a host, a name or an address, valid until this year.
    pub(crate) fn signs(&self, host: &str, until: i32) -> Identity {
        let (mut params, key) = request(host);
        params.not_after = date_time_ymd(until, 1, 1);
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        Identity { certificate: certificate.into(), key }
    }
}

/// A certificate that nobody else has signed.
pub(crate) fn self_signed(host: &str) -> Identity {
    let (params, key) = request(host);
    let certificate = params.self_signed(&key).expect("a certificate");
    Identity { certificate: certificate.into(), key }
}

fn request(host: &str) -> (CertificateParams, KeyPair) {
    let params = CertificateParams::new([host.to_owned()]).expect("a host");
    (params, KeyPair::generate().expect("a key"))
}

impl Identity {
    /// A receiver that runs `script` on each connection, within TLS.
    pub(crate) fn serving(
        &self,
        mut script: impl FnMut(&mut Stream<'_, ServerConnection, TcpStream>) + Send + 'static,
    ) -> HttpReceiver {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .expect("a certificate and its key");
        let config = Arc::new(config);
        HttpReceiver::raw(move |mut tcp| {
            let mut tls = ServerConnection::new(Arc::clone(&config)).expect("a session");
            script(&mut Stream::new(&mut tls, &mut tcp));
            tls.send_close_notify();
            let _ = tls.write_tls(&mut tcp);
            // Until the client has closed as well: a reset would take the answer with it.
            let _ = tcp.shutdown(std::net::Shutdown::Write);
            let _ = tcp.read_to_end(&mut Vec::new());
        })
    }

    /// A receiver that accepts each report and hands it to the test.
    pub(crate) fn accepting(&self) -> (HttpReceiver, std::sync::mpsc::Receiver<Request>) {
        let (seen, requests) = std::sync::mpsc::channel();
        let server = self.serving(move |stream| {
            let Ok(request) = Request::read(&mut *stream) else { return };
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
            let _ = seen.send(request);
        });
        (server, requests)
    }
}
