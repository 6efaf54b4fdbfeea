//! What the sandbox shows of itself over TLS.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// A certificate for `localhost`, `127.0.0.1` and `::1`, to serve with; [`TLS_CA`] has issued it.
pub const TLS_CERT: &str = include_str!("../keys/tls-cert.pem");

/// The key of [`TLS_CERT`]. Everyone has it: it protects nothing.
pub const TLS_KEY: &str = include_str!("../keys/tls-key.pem");

/// What a client has to trust for [`TLS_CERT`].
pub const TLS_CA: &str = include_str!("../keys/tls-ca.pem");

/// Why a certificate and a key are none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the certificate is not PEM")]
    Certificate(#[source] pem::Error),
    #[error("there is no certificate in the PEM")]
    NoCertificate,
    #[error("there is no private key in the PEM")]
    Key(#[source] pem::Error),
    #[error("certificate and key cannot be used")]
    Unusable(#[source] rustls::Error),
}

/// TLS 1.2 and 1.3 with a chain and its key, both PEM.
pub(crate) fn acceptor(chain: &str, key: &str) -> Result<TlsAcceptor, Error> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let chain = chain.map_err(Error::Certificate)?;
    if chain.is_empty() {
        return Err(Error::NoCertificate);
    }
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(Error::Key)?;
    let versions =
        ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    let config = versions.and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
    let mut config = config.map_err(Error::Unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::{Error, TLS_CERT, TLS_KEY, acceptor};

    #[test]
    fn what_cannot_be_served_with_is_told_apart() {
        assert!(acceptor(TLS_CERT, TLS_KEY).is_ok());
        assert!(matches!(acceptor(TLS_KEY, TLS_KEY), Err(Error::NoCertificate)));
        assert!(matches!(acceptor(TLS_CERT, TLS_CERT), Err(Error::Key(_))));
        let broken = TLS_CERT.replace("-----END", "----- END");
        assert!(matches!(acceptor(&broken, TLS_KEY), Err(Error::Certificate(_))));
        let other = crate::identity::JWT_KEY_PKCS8;
        assert!(matches!(acceptor(TLS_CERT, other), Err(Error::Unusable(_))));
    }
}
