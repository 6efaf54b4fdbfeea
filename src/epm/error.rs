//! Why a request brought nothing, sorted by the one question that matters before a second try: could the server have
//! acted?

use std::time::Duration;

use crate::auth;
use crate::foreign::{Foreign, quote};
use crate::http::fault::{self as http, Hope};

/// A request that brought no answer which says anything of the job. Worth asking again, if it was a read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No answer came.
    #[error(transparent)]
    Http(#[from] http::Fault),
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
    /// There is no token to send it with.
    #[error("no access token for EPM: {0}")]
    NoToken(auth::Fault),
    /// It was too late to send it.
    #[error("the deadline came before it was sent")]
    Late,
}

impl From<auth::Fault> for Fault {
    fn from(fault: auth::Fault) -> Self {
        Self::NoToken(fault)
    }
}

impl Fault {
    /// Whether the request provably never reached the server, so that even a submit may be sent again.
    pub fn is_before_sending(&self) -> bool {
        match self {
            Self::Http(fault) => fault.is_before_sending(),
            Self::Expired | Self::NoToken(_) | Self::Late => true,
            Self::Unavailable { .. } | Self::NotJson { .. } => false,
        }
    }

    /// How long it is worth asking again.
    pub fn hope(&self) -> Hope {
        match self {
            Self::Http(fault) => fault.hope(),
            Self::NoToken(fault) => fault.hope(),
            Self::Late => Hope::None,
            Self::Unavailable { .. } | Self::NotJson { .. } | Self::Expired => Hope::Budget,
        }
    }

    /// How long the server asks to stay away.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            Self::NoToken(fault) => fault.retry_after(),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Http(fault) => fault.help(),
            Self::NoToken(fault) => fault.help(),
            Self::Unavailable { status: 429, .. } => "start fewer jobs at the same time, or raise `--outage-budget`",
            Self::Unavailable { .. } => {
                "EPM may be in its daily maintenance: try again after it, or raise `--outage-budget`"
            }
            Self::Late => "try again with a longer `--timeout`",
            Self::Expired => Refusal::TokenRefused.help(),
            Self::NotJson { .. } => "check that `--url` is the service itself and no page in front of it",
        }
    }
}

/// Why EPM, or something in front of it, does not let us in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 401 for a password.
    #[error("EPM refused the credentials (HTTP 401)")]
    Unauthorized,
    /// 401 for a token.
    #[error("EPM refused the access token (HTTP 401)")]
    TokenRefused,
    /// 401 with `error_description="Token Audience"`: no other token of that client would be let in (epm-api.md §3.5).
    #[error("EPM refused the access token (HTTP 401): it is meant for another audience (`Token Audience`)")]
    Audience,
    /// The identity service gives out no token.
    #[error(transparent)]
    NoToken(auth::Denial),
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
            Self::TokenRefused => {
                "check that the token is one for this pod and has not expired, and that its user is known to the pod"
            }
            Self::Audience => {
                "add the pod's URL as secondary audience to the application at the identity service, and check \
                 `--scope`"
            }
            Self::NoToken(denial) => denial.help(),
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
            Fault::Http(http::Fault::ProxyDenied { .. }) => Self::Refused(Refusal::Proxy),
            fault => Self::Fault(fault),
        }
    }
}

impl From<auth::NoToken> for ReadError {
    fn from(none: auth::NoToken) -> Self {
        match none {
            auth::NoToken::Fault(fault) => Self::Fault(fault.into()),
            auth::NoToken::Denied(denial) => Refusal::NoToken(denial).into(),
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
