//! Why a request brought nothing, sorted by the one question that matters before a second try: could the server have
//! acted?

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use crate::foreign::{Foreign, quote};
use crate::pace::brief;

/// A request that brought no answer which says anything of the job. Worth asking again, if it was a read.
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
    /// 408, 429, 5xx: EPM is there and does not answer the question.
    #[error("EPM answered HTTP {status}{}", words(said.as_ref()))]
    Unavailable {
        /// The code.
        status: u16,
        /// What EPM says beside it.
        said: Option<Foreign>,
        /// How long to stay away.
        retry_after: Option<Duration>,
    },
    /// A 2xx that is not JSON.
    #[error("EPM answered HTTP {status} with a body that is not JSON")]
    NotJson {
        /// The code.
        status: u16,
    },
    /// The token was refused, and a newer one is at hand.
    #[error("EPM refused the access token (HTTP 401), and a newer one is at hand")]
    Expired,
    /// It was too late to send it.
    #[error("the deadline came before it was sent")]
    Late,
    /// The proxy wants credentials before it opens a way to EPM.
    #[error("the proxy on the way to {} refused its credentials", quote(host))]
    ProxyDenied {
        /// The host behind the proxy.
        host: String,
    },
    /// More than any answer about a job holds.
    #[error("the answer (HTTP {status}) is larger than {limit} bytes")]
    TooLarge {
        /// The code.
        status: u16,
        /// How much would have been read.
        limit: usize,
    },
}

/// How long it is worth asking again while EPM has not answered once.
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
    /// Whether the request provably never reached the server, so that even a submit may be sent again.
    pub fn is_before_sending(&self) -> bool {
        match self {
            Self::Unresolved { .. }
            | Self::Certificate { .. }
            | Self::NoConnection { .. }
            | Self::ProxyDenied { .. }
            | Self::Expired
            | Self::Late => true,
            Self::Timeout { .. }
            | Self::Broken { .. }
            | Self::Unavailable { .. }
            | Self::NotJson { .. }
            | Self::TooLarge { .. } => false,
        }
    }

    /// How long it is worth asking again.
    pub fn hope(&self) -> Hope {
        match self {
            Self::Certificate { .. } | Self::ProxyDenied { .. } | Self::Late => Hope::None,
            Self::Unresolved { .. } => Hope::Minute,
            _ => Hope::Budget,
        }
    }

    /// How long the server asks to stay away.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => {
                "check the host in `--url` and that of a proxy, and that this machine resolves them"
            }
            Self::Certificate { .. } => "check the host in `--url`, and whether a proxy inspects TLS here",
            Self::NoConnection { .. } | Self::Timeout { .. } | Self::Broken { .. } => {
                "check the network, proxy and allowlist between this machine and EPM"
            }
            Self::Unavailable { status: 429, .. } => "start fewer jobs at the same time, or raise `--outage-budget`",
            Self::Unavailable { .. } => {
                "EPM may be in its daily maintenance: try again after it, or raise `--outage-budget`"
            }
            Self::Late => "try again with a longer `--timeout`",
            Self::Expired => Refusal::Unauthorized.help(),
            Self::ProxyDenied { .. } => Refusal::Proxy.help(),
            Self::NotJson { .. } | Self::TooLarge { .. } => {
                "check that `--url` is the service itself and no page in front of it"
            }
        }
    }

    /// What reqwest's error means. `limit` is how long the request had.
    pub(crate) fn of(error: &reqwest::Error, host: &str, limit: Duration) -> Self {
        let host = host.to_owned();
        if error.is_dns() {
            return Self::Unresolved { host };
        }
        if let Some(reason) = certificate_problem(error) {
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

/// What is wrong with a certificate, in words: rustls' own are for its developers.
fn certificate_problem(error: &(dyn StdError + 'static)) -> Option<String> {
    chain(error).find_map(super::transport::certificate_problem)
}

/// Why EPM, or something in front of it, does not let us in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 401
    #[error("EPM refused the credentials (HTTP 401)")]
    Unauthorized,
    /// 403
    #[error("EPM denied access (HTTP 403){}", words(said.as_ref()))]
    Forbidden {
        /// What EPM says beside it.
        said: Option<Foreign>,
    },
    /// 407
    #[error("the proxy wants credentials of its own (HTTP 407)")]
    Proxy,
    /// 3xx
    #[error("EPM answered with a redirect (HTTP {status}){}", destination(location.as_ref()))]
    Redirect {
        /// The code.
        status: u16,
        /// Where to; never followed.
        location: Option<Foreign>,
    },
    /// A page that asks for a login, with HTTP 200 (epm-api.md §1.7).
    #[error("EPM answered with its login page")]
    LoginPage,
}

/// What EPM says beside an error, for the end of a sentence.
pub(crate) fn words(said: Option<&Foreign>) -> String {
    said.map(|said| format!(": {}", quote(said.first_line()))).unwrap_or_default()
}

fn destination(location: Option<&Foreign>) -> String {
    location.map(|location| format!(" to {}", quote(location.as_str()))).unwrap_or_default()
}

impl Refusal {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unauthorized => {
                "check user and password; do not try them again and again, since that locks the account. Users with \
                 multi-factor or single sign-on cannot use a password here"
            }
            Self::Forbidden { .. } => {
                "check that the user has the Service Administrator or Power User role, and that EPM's allowlist has \
                 this runner's address"
            }
            Self::Proxy => "put the proxy's user and password into its URL in `HTTPS_PROXY`",
            Self::Redirect { .. } => "check `--url`: it must be the host of the service itself, without `/epmcloud`",
            Self::LoginPage => {
                "check user and password, and whether the user needs `--identity-domain`: EPM shows this page to whom \
                 it does not know"
            }
        }
    }
}

/// A read that brought no answer about the job.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Worth asking again.
    #[error(transparent)]
    Fault(Fault),
    /// Final.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// 404 and the other 4xx: EPM knows no such thing.
    #[error("EPM knows nothing there (HTTP {status}){}", words(said.as_ref()))]
    Missing {
        /// The code.
        status: u16,
        /// What EPM says beside it.
        said: Option<Foreign>,
    },
}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::ProxyDenied { .. } => Self::Refused(Refusal::Proxy),
            fault => Self::Fault(fault),
        }
    }
}

impl ReadError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Fault(fault) => fault.help(),
            Self::Refused(refusal) => refusal.help(),
            Self::Missing { .. } => "check the job id, and that `--url` is the pod on which the job runs",
        }
    }
}

#[cfg(test)]
mod tests;
