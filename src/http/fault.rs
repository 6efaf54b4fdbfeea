//! Why a request brought no answer, sorted by the one question that matters before a second try: could the server have
//! acted?

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::{CertificateError, InvalidMessage, OtherError};

use super::verify::{Problem, Unverified};
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
    #[error("the certificate of {} does not verify: {problem}", quote(host))]
    Certificate {
        /// Who presented it: a proxy, where TLS leads to one.
        host: String,
        /// What is wrong with it.
        problem: Problem,
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
    /// The proxy did not open a way.
    #[error("the proxy refused the way to {}: it answered `CONNECT` with neither 200 nor 407", quote(host))]
    ProxyRefused {
        /// The host behind the proxy.
        host: String,
    },
    /// There is no connection to the proxy.
    #[error("no connection to the proxy on the way to {}: {reason}", quote(host))]
    NoProxy {
        /// The host behind the proxy.
        host: String,
        /// What the system says.
        reason: String,
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
            | Self::ProxyDenied { .. }
            | Self::ProxyRefused { .. }
            | Self::NoProxy { .. } => true,
            Self::Timeout { .. } | Self::Broken { .. } | Self::TooLarge { .. } => false,
        }
    }

    /// How long it is worth asking again.
    pub fn hope(&self) -> Hope {
        match self {
            Self::Certificate { .. } | Self::ProxyDenied { .. } => Hope::None,
            Self::Unresolved { .. } | Self::ProxyRefused { .. } | Self::NoProxy { .. } => Hope::Minute,
            _ => Hope::Budget,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => {
                "check the host in the URL and that of a proxy, and that this machine resolves them"
            }
            Self::Certificate { problem, .. } => problem.help(),
            Self::ProxyDenied { .. } => "put the proxy's user and password into its URL in `HTTPS_PROXY`",
            Self::ProxyRefused { .. } => {
                "check the proxy's user and password in `HTTPS_PROXY`, that the proxy lets this host through, and that it \
                 reaches it; or name the host in `NO_PROXY`"
            }
            Self::NoProxy { .. } => "check host and port in `HTTPS_PROXY`, or name the host in `NO_PROXY`",
            Self::NoConnection { .. } | Self::Timeout { .. } | Self::Broken { .. } => {
                "check the network, proxy and allowlist between this machine and the service"
            }
            Self::TooLarge { .. } => "check that the URL is that of the service itself and no page in front of it",
        }
    }

    /// What reqwest's error means. `limit` is how long the request had.
    pub(super) fn of(error: &reqwest::Error, host: &str, limit: Duration) -> Self {
        let host = host.to_owned();
        if let Some(Unverified { server, problem }) = chain(error).find_map(unverified).cloned() {
            return Self::Certificate { host: if is_name_of(&server, &host) { host } else { server }, problem };
        }
        if error.is_connect()
            && let Some(fault) = chain(error).find_map(|cause| of_proxy(cause, error, &host))
        {
            return fault;
        }
        if error.is_dns() {
            return Self::Unresolved { host };
        }
        if error.is_connect() {
            return Self::NoConnection { host, reason: why_unconnected(error) };
        }
        if error.is_timeout() {
            return Self::Timeout { host, limit };
        }
        Self::Broken { host, reason: root_cause(error) }
    }
}

/// Whether this is the name or the address in `host`, which may have a port.
fn is_name_of(server: &str, host: &str) -> bool {
    let without_port = |host: &str| host.rsplit_once(':').map(|(name, _)| name.to_owned());
    [Some(host.to_owned()), without_port(host)]
        .into_iter()
        .flatten()
        .any(|name| name.trim_matches(['[', ']']) == server)
}

/// What a proxy did, where this cause is of one: hyper-util's error of a tunnel has no type that could be asked, only
/// these texts, and no code but 407.
fn of_proxy(cause: &(dyn StdError + 'static), error: &reqwest::Error, host: &str) -> Option<Fault> {
    let host = host.to_owned();
    match cause.to_string().strip_prefix("tunnel error: ")? {
        "proxy authorization required" => Some(Fault::ProxyDenied { host }),
        "unsuccessful" => Some(Fault::ProxyRefused { host }),
        "failed to create underlying connection" => Some(Fault::NoProxy { host, reason: why_unconnected(error) }),
        _ => None,
    }
}

fn why_unconnected(error: &reqwest::Error) -> String {
    let is_garbled = |cause: &(dyn StdError + 'static)| {
        matches!(cause.downcast_ref(), Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)))
    };
    let root = root_cause(error);
    if chain(error).any(is_garbled) {
        "what answers there does not speak TLS".to_owned()
    } else if is_timeout(error) {
        "it was not opened in time".to_owned()
    } else if root == "`Invalid Server Name`" {
        // reqwest's own fault, and only there (its issue 3094).
        "an IPv6 address cannot be asked through a proxy; name a host, or put the address into `NO_PROXY`".to_owned()
    } else {
        root
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

/// What [`verify`](super::verify) says of a certificate, where this error is about one.
fn unverified<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Unverified> {
    match error.downcast_ref()? {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(error))) => error.downcast_ref(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
