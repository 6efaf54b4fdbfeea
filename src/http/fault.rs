//! Why a request brought no answer, sorted by the one question that matters before a second try: could the server have
//! acted?

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::CertificateError;

use crate::foreign::quote;
use crate::pace::brief;

/// A request that brought no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The name has no address.
    #[error("the name {} does not resolve", quote(host))]
    Unresolved {
        /// The host in question.
        host: String,
    },
    /// The certificate was refused.
    #[error("the certificate of {} does not verify: {reason}", quote(host))]
    Certificate {
        /// The host in question.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No connection was made: refused, unreachable, not opened in time, no TLS.
    #[error("no connection to {}: {reason}", quote(host))]
    NoConnection {
        /// The host in question.
        host: String,
        /// What the system says.
        reason: String,
    },
    /// The proxy wants credentials before it opens a way.
    #[error("the proxy on the way to {} refused its credentials (HTTP 407)", quote(host))]
    ProxyDenied {
        /// The host behind the proxy.
        host: String,
    },
    /// A connection was made, and the answer did not come in time.
    #[error("no whole answer from {} within {}", quote(host), brief(*limit))]
    Timeout {
        /// The host in question.
        host: String,
        /// How long it had.
        limit: Duration,
    },
    /// The connection ended before the answer did.
    #[error("the connection to {} broke: {reason}", quote(host))]
    Broken {
        /// The host in question.
        host: String,
        /// What the system says.
        reason: String,
    },
    /// More than any answer holds.
    #[error("the answer (HTTP {status}) is larger than {limit} bytes")]
    TooLarge {
        /// The code.
        status: u16,
        /// How much would have been read.
        limit: usize,
    },
}

/// How long it is worth asking again while the server has not answered once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hope {
    /// It will not mend itself.
    None,
    /// A name that was mistyped looks like a resolver that is slow; a minute tells them apart.
    Minute,
    /// As long as the outage budget lasts.
    Budget,
}

impl Fault {
    /// Whether the request provably never reached the server, so that even one that acts may be sent again.
    pub fn is_before_sending(&self) -> bool {
        match self {
            Self::Unresolved { .. }
            | Self::Certificate { .. }
            | Self::NoConnection { .. }
            | Self::ProxyDenied { .. } => true,
            Self::Timeout { .. } | Self::Broken { .. } | Self::TooLarge { .. } => false,
        }
    }

    /// How long it is worth asking again.
    pub fn hope(&self) -> Hope {
        match self {
            Self::Certificate { .. } | Self::ProxyDenied { .. } => Hope::None,
            Self::Unresolved { .. } => Hope::Minute,
            _ => Hope::Budget,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => {
                "check the host in the URL and that of a proxy, and that this machine resolves them"
            }
            Self::Certificate { .. } => "check the host in the URL, and whether a proxy inspects TLS here",
            Self::ProxyDenied { .. } => "put the proxy's user and password into its URL in `HTTPS_PROXY`",
            Self::NoConnection { .. } | Self::Timeout { .. } | Self::Broken { .. } => {
                "check the network, proxy and allowlist between this machine and the service"
            }
            Self::TooLarge { .. } => "check that the URL is that of the service itself and no page in front of it",
        }
    }

    /// What reqwest's error means. `limit` is how long the request had.
    pub(super) fn of(error: &reqwest::Error, host: &str, limit: Duration) -> Self {
        let host = host.to_owned();
        if error.is_dns() {
            return Self::Unresolved { host };
        }
        if let Some(reason) = chain(error).find_map(certificate_problem) {
            return Self::Certificate { host, reason };
        }
        // hyper-util's error of a tunnel has no type that could be asked, only this text.
        if error.is_connect() && root_cause(error).contains("proxy authorization required") {
            return Self::ProxyDenied { host };
        }
        if error.is_connect() {
            let reason = if is_timeout(error) { "it was not opened in time".to_owned() } else { root_cause(error) };
            return Self::NoConnection { host, reason };
        }
        if error.is_timeout() {
            return Self::Timeout { host, limit };
        }
        Self::Broken { host, reason: root_cause(error) }
    }
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        // An `io::Error` passes over what it wraps: its source is the source of that.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        }
    })
}

fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let cause = chain(error).last().map(ToString::to_string).unwrap_or_default();
    quote(&cause)
}

fn is_timeout(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| {
        let of_system = cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::TimedOut);
        of_system || cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout)
    })
}

/// What is wrong with a certificate, where this error is about one: rustls' own words are for its developers.
fn certificate_problem(error: &(dyn StdError + 'static)) -> Option<String> {
    let rustls::Error::InvalidCertificate(problem) = error.downcast_ref::<rustls::Error>()? else { return None };
    let words = match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "it is for another host",
        CertificateError::UnknownIssuer => "its issuer is not known",
        CertificateError::Revoked => "it was revoked",
        other => return Some(quote(&other.to_string())),
    };
    Some(words.to_owned())
}

#[cfg(test)]
mod tests;
