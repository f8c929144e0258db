//! Root certificates: the built-in ones, one's own, or both.

use std::sync::Arc;

use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use crate::error::{Error, ErrorKind};

/// The certificates in a PEM text.
///
/// # Errors
///
/// [`ErrorKind::Config`] if it is not readable as PEM, holds no certificate, or holds one that
/// cannot be a root.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, Error> {
    let config = |message| Error::new(ErrorKind::Config, message);
    let mut roots = Vec::new();
    for item in parse_pem(pem) {
        let item = item.map_err(|e| {
            let message = "the root certificates are not readable as PEM; expected blocks that \
                           begin with -----BEGIN CERTIFICATE-----";
            config(message).with_source(e)
        })?;
        // Keys and other blocks may stand beside them.
        let PemItem::Certificate(root) = item else { continue };
        // The client would leave out what it cannot read, and then trust nobody in silence.
        let readable = rustls::RootCertStore::empty().add(root.der().into());
        readable.map_err(|e| {
            let message = "a root certificate is damaged; export it again, as X.509 in PEM";
            config(message).with_source(e)
        })?;
        roots.push(root);
    }
    if roots.is_empty() {
        let message = "the PEM text holds no root certificate; expected at least one block that \
                       begins with -----BEGIN CERTIFICATE-----";
        return Err(config(message));
    }
    Ok(roots)
}

/// What was trusted so far, and these.
pub(super) fn with(trusted: &RootCerts, mut more: Vec<Certificate<'static>>) -> RootCerts {
    match trusted {
        RootCerts::Specific(roots) => more.extend(roots.iter().cloned()),
        _ => {
            let built_in = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
            more.extend(built_in.map(|root| Certificate::from_der(root)));
        }
    }
    RootCerts::Specific(Arc::new(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_roots_join_the_built_in_ones_or_those_before() {
        let count = |roots: &RootCerts| match roots {
            RootCerts::Specific(roots) => roots.len(),
            _ => 0,
        };
        let own = || vec![Certificate::from_der(b"own")];
        let both = with(&RootCerts::WebPki, own());
        let built_in = webpki_root_certs::TLS_SERVER_ROOT_CERTS.len();
        assert!(built_in > 50);
        assert_eq!(count(&both), built_in + 1);
        assert_eq!(count(&with(&both, own())), built_in + 2);
        let only = RootCerts::Specific(Arc::new(own()));
        assert_eq!(count(&with(&only, own())), 2);
    }

    #[test]
    fn every_built_in_root_is_readable() {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned();
        let (_, unreadable) = rustls::RootCertStore::empty().add_parsable_certificates(roots);
        assert_eq!(unreadable, 0);
    }
}
