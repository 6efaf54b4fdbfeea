//! The HTTP clients: TLS, roots, proxies, redirects. The only file that knows rustls.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use rustls::{CertificateError, ClientConfig, RootCertStore};

/// How long a connection may take to open, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// Makes clients that share one TLS configuration.
pub(crate) struct Transport {
    tls: ClientConfig,
    direct: bool,
}

impl Transport {
    /// TLS 1.2 and 1.3 with the bundled roots of Mozilla. `direct`: past every proxy, for plain `http` is let through
    /// only because it stays on this machine.
    ///
    /// # Errors
    ///
    /// None is known; rustls may refuse its own defaults.
    pub(crate) fn new(direct: bool) -> Result<Self, rustls::Error> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls, direct })
    }

    /// A client that keeps its connection between reads.
    ///
    /// # Errors
    ///
    /// A proxy in the environment that cannot be read.
    pub(crate) fn for_reads(&self) -> reqwest::Result<reqwest::Client> {
        self.builder(CONNECT).build()
    }

    /// A client for one submit: its connection is newly made, because a reset of one that had idled could not be told
    /// from a submit that acted. Opening it takes at most half of what is `left`, so that a connection that never opens
    /// is told from an answer that never comes.
    ///
    /// # Errors
    ///
    /// A proxy in the environment that cannot be read.
    pub(crate) fn for_one_submit(&self, left: Duration) -> reqwest::Result<reqwest::Client> {
        self.builder(CONNECT.min(left / 2)).pool_max_idle_per_host(0).build()
    }

    fn builder(&self, connect: Duration) -> reqwest::ClientBuilder {
        let builder = reqwest::Client::builder();
        let builder = if self.direct { builder.no_proxy() } else { builder };
        builder
            .user_agent(concat!("epm-gate/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(self.tls.clone())
            .connect_timeout(connect)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
    }
}

/// What is wrong with a certificate, where this error is about one.
pub(crate) fn certificate_problem(error: &(dyn StdError + 'static)) -> Option<String> {
    let rustls::Error::InvalidCertificate(problem) = error.downcast_ref::<rustls::Error>()? else { return None };
    let words = match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "it is for another host",
        CertificateError::UnknownIssuer => "its issuer is not known",
        CertificateError::Revoked => "it was revoked",
        other => return Some(crate::foreign::quote(&other.to_string())),
    };
    Some(words.to_owned())
}
