//! Why a request brought no answer, sorted by the one question that matters before a second try: could the server have
//! acted?

mod cause;

use std::time::Duration;

use super::verify::Problem;
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

    /// What it is, without a name in it: where the host is a secret.
    pub fn unnamed(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => "its host does not resolve",
            Self::Certificate { .. } => "the certificate of its host does not verify",
            Self::NoConnection { .. } => "there is no connection to its host",
            Self::ProxyDenied { .. } => "the proxy refused its credentials (HTTP 407)",
            Self::ProxyRefused { .. } => "the proxy refused the way to its host",
            Self::NoProxy { .. } => "there is no connection to the proxy",
            Self::Timeout { .. } => "no answer came in time",
            Self::Broken { .. } | Self::TooLarge { .. } => "the connection broke",
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
}

#[cfg(test)]
mod tests;
