//! Why there is no token: what the identity service did not answer, and what it refused, each with its own advice.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::foreign::{Foreign, Mask, quote, quote_path};
use crate::http::fault::Hope;
use crate::http::{self, Answer};

use super::identity::Kind;

/// Why there is no token. No variant carries one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoToken {
    /// Worth asking again.
    Fault(Fault),
    /// Final.
    Denied(Denial),
}

/// The identity service is not there, or does not answer the question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No answer came.
    #[error(transparent)]
    Http(#[from] http::fault::Fault),
    /// 408, 429, 5xx.
    #[error("the identity service {} answered HTTP {status}", quote(host))]
    Unavailable {
        /// The host.
        host: String,
        /// The code.
        status: u16,
        /// How long to stay away.
        retry_after: Option<Duration>,
    },
    /// A 2xx without tokens.
    #[error("the identity service {} answered HTTP {status} without a token", quote(host))]
    NoTokens {
        /// The host.
        host: String,
        /// The code.
        status: u16,
    },
    /// Another gate exchanges the token of the same file.
    #[error("another gate is exchanging the refresh token at this moment")]
    Busy,
}

impl Fault {
    /// Whether the exchange provably did not take place.
    pub fn is_before_sending(&self) -> bool {
        match self {
            Self::Http(fault) => fault.is_before_sending(),
            Self::Busy => true,
            Self::Unavailable { .. } | Self::NoTokens { .. } => false,
        }
    }

    /// How long it is worth asking again.
    pub fn hope(&self) -> Hope {
        match self {
            Self::Http(fault) => fault.hope(),
            Self::NoTokens { .. } => Hope::None,
            Self::Unavailable { .. } | Self::Busy => Hope::Budget,
        }
    }

    /// How long the service asks to stay away.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Http(fault) => fault.help(),
            Self::Unavailable { status: 429, .. } => "start fewer gates at the same time, or raise `--outage-budget`",
            Self::Unavailable { .. } => "the identity service may be down: try again, or raise `--outage-budget`",
            Self::NoTokens { .. } => "check that `--token-url` is the token endpoint itself and no page in front of it",
            Self::Busy => "try again once it is done, or give each pipeline a client and a token file of its own",
        }
    }
}

/// The identity service gives out no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The refresh token is good no longer.
    #[error("the refresh token{} {death}{}", within(file.as_deref()), after(cut_short.as_deref()))]
    Dead {
        /// What is known of why.
        death: Death,
        /// The file that holds it.
        file: Option<PathBuf>,
        /// When an exchange of it began that was cut short, where the file tells of one.
        cut_short: Option<String>,
    },
    /// `invalid_grant` for an assertion.
    #[error("the identity service does not accept the assertion (`invalid_grant`){}", words(said.as_ref()))]
    Assertion {
        /// What it says beside it.
        said: Option<Foreign>,
        /// By how many seconds its clock is ahead of ours, where that is more than a minute.
        skew: Option<i64>,
    },
    /// `invalid_client`.
    #[error("the identity service does not accept the client (`invalid_client`){}", words(said.as_ref()))]
    InvalidClient {
        /// What it says beside it.
        said: Option<Foreign>,
    },
    /// `unauthorized_client`.
    #[error("the client may not do this (`unauthorized_client`){}", words(said.as_ref()))]
    UnauthorizedClient {
        /// What it says beside it.
        said: Option<Foreign>,
    },
    /// Any other refusal.
    #[error("the identity service {} refused (HTTP {status}{}){}", quote(host), named(error.as_ref()), words(said.as_ref()))]
    Refused {
        /// The host.
        host: String,
        /// The code.
        status: u16,
        /// The error's name.
        error: Option<Foreign>,
        /// What it says beside it.
        said: Option<Foreign>,
    },
    /// A proxy on the way wants credentials.
    #[error(transparent)]
    Proxy(http::fault::Fault),
    /// A token file that cannot be used.
    #[error(transparent)]
    File(super::token_file::Error),
    /// An assertion that could not be signed.
    #[error(transparent)]
    Unsigned(super::jwt::Error),
}

/// Why a refresh token is good no longer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Death {
    /// `The token has already been consumed`.
    #[error("has already been consumed")]
    Consumed,
    /// `Token is expired for client`.
    #[error("has expired")]
    Outlived,
    /// `invalid_grant` in other words: other services say so of a token that was used twice.
    #[error("is not accepted (`invalid_grant`){}", words(.0.as_ref()))]
    Unknown(Option<Foreign>),
}

fn within(file: Option<&Path>) -> String {
    file.map(|file| format!(" in {}", quote_path(file))).unwrap_or_default()
}

fn after(cut_short: Option<&str>) -> String {
    let told = |at| {
        format!(
            ": an exchange that began at {at} was cut short, so the token that it brought was lost on its way into the file"
        )
    };
    cut_short.map(told).unwrap_or_default()
}

fn words(said: Option<&Foreign>) -> String {
    said.map(|said| format!(": {}", quote(said.first_line()))).unwrap_or_default()
}

fn named(error: Option<&Foreign>) -> String {
    error.map(|error| format!(", {}", quote(error.first_line()))).unwrap_or_default()
}

impl Denial {
    /// Whether it is the file that denies, and nothing was sent.
    pub fn is_of_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Dead { death: Death::Consumed | Death::Unknown(_), .. } => {
                "a refresh token can be exchanged once: get a new one with `epm-gate login`, keep it in a \
                 `--refresh-token-file` that survives the job, and let no two places use the same one"
            }
            Self::Dead { death: Death::Outlived, .. } => {
                "get a new one with `epm-gate login`, and exchange it ahead of its 7 days with `epm-gate login --renew` \
                 in a scheduled job"
            }
            Self::Assertion { skew: Some(_), .. } => {
                "set this machine's clock: it differs from that of the identity service, which refuses assertions from \
                 the past or the future"
            }
            Self::Assertion { skew: None, .. } => {
                "check that the certificate of this very key is imported under the alias in `--jwt-key-id` and has not \
                 expired, that `--jwt-subject` is a user of the domain, and `--jwt-audience`"
            }
            Self::InvalidClient { .. } => {
                "check `--client-id`, and `EPM_CLIENT_SECRET` if the application is confidential; a public one has no secret"
            }
            Self::UnauthorizedClient { .. } => {
                "allow this grant to the application at the identity service, and `Allow token refresh` where the scope \
                 has `offline_access`"
            }
            Self::Refused { error: None, .. } => {
                "check that `--token-url` is the token endpoint itself, and that no proxy and no page stands in front of it"
            }
            Self::Refused { .. } => {
                "compare `--token-url`, `--client-id`, `--scope` and the grant with the application at the identity service"
            }
            Self::Proxy(fault) => fault.help(),
            Self::File(error) => error.help(),
            Self::Unsigned(error) => error.help(),
        }
    }
}

impl From<Fault> for NoToken {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Http(denied @ http::fault::Fault::ProxyDenied { .. }) => Self::Denied(Denial::Proxy(denied)),
            fault => Self::Fault(fault),
        }
    }
}

impl From<super::token_file::Error> for NoToken {
    fn from(error: super::token_file::Error) -> Self {
        Self::Denied(Denial::File(error))
    }
}

/// What stands in the body of an error (RFC 6749 §5.2).
#[derive(Default, Deserialize)]
struct Complaint {
    error: Option<String>,
    error_description: Option<String>,
}

/// The name of an error of the identity service, as the device flow branches on it.
pub(super) fn error_of(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Complaint>(body).ok()?.error
}

/// Reads what the service says, of which Oracle's own texts are quoted in epm-api.md §5.2.
pub(super) fn denial(host: String, answer: &Answer, kind: Kind, date: Option<&str>, mask: &Mask) -> Denial {
    let complaint: Complaint = serde_json::from_slice(&answer.body).unwrap_or_default();
    let description = complaint.error_description.unwrap_or_default();
    let said = Some(mask.foreign(&description)).filter(|said| !said.first_line().is_empty());
    match (complaint.error.as_deref(), kind) {
        (Some("invalid_grant"), Kind::RefreshToken) => {
            Denial::Dead { death: death(&description, said), file: None, cut_short: None }
        }
        (Some("invalid_grant"), Kind::Assertion) => Denial::Assertion { said, skew: skew(date) },
        (Some("invalid_client"), _) => Denial::InvalidClient { said },
        (Some("unauthorized_client"), _) => Denial::UnauthorizedClient { said },
        (error, _) => {
            Denial::Refused { host, status: answer.status, error: error.map(|error| mask.foreign(error)), said }
        }
    }
}

fn death(description: &str, said: Option<Foreign>) -> Death {
    let description = description.to_ascii_lowercase();
    if description.contains("already been consumed") {
        Death::Consumed
    } else if description.contains("token is expired for client") {
        Death::Outlived
    } else {
        Death::Unknown(said)
    }
}

/// How many seconds the clock that made this `Date` is ahead of ours; none where both agree to a minute.
fn skew(date: Option<&str>) -> Option<i64> {
    let theirs = httpdate::parse_http_date(date?.trim()).ok()?;
    let ahead = match theirs.duration_since(SystemTime::now()) {
        Ok(ahead) => i64::try_from(ahead.as_secs()).ok()?,
        Err(behind) => -i64::try_from(behind.duration().as_secs()).ok()?,
    };
    (ahead.abs() > 60).then_some(ahead)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn denied(kind: Kind, status: u16, body: &str, date: Option<&str>) -> Denial {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.into(), peer: None };
        denial("idcs.example.com".to_owned(), &answer, kind, date, &Mask::new(["hush".to_owned()]))
    }

    #[test]
    fn each_refusal_has_a_name_and_advice_of_its_own() {
        let consumed = r#"{"error":"invalid_grant","error_description":"The token has already been consumed"}"#;
        let expired = r#"{"error":"invalid_grant","error_description":"Token is expired for client : abc"}"#;
        let other = r#"{"error":"invalid_grant","error_description":"grant hush is invalid"}"#;
        let (refresh, assertion) = (Kind::RefreshToken, Kind::Assertion);
        let table = [
            (refresh, 400, consumed, "already been consumed", "`epm-gate login`, keep it"),
            (refresh, 400, expired, "has expired", "login --renew"),
            (refresh, 400, other, "`grant *** is invalid`", "`epm-gate login`, keep it"),
            (refresh, 400, r#"{"error":"invalid_grant"}"#, "is not accepted (`invalid_grant`)", "`epm-gate login`"),
            (assertion, 400, other, "does not accept the assertion", "--jwt-key-id"),
            (assertion, 400, consumed, "does not accept the assertion", "--jwt-key-id"),
            (refresh, 401, r#"{"error":"invalid_client"}"#, "`invalid_client`", "EPM_CLIENT_SECRET"),
            (refresh, 400, r#"{"error":"unauthorized_client"}"#, "`unauthorized_client`", "Allow token refresh"),
            (refresh, 400, r#"{"error":"invalid_scope"}"#, "HTTP 400, `invalid_scope`", "`--scope`"),
            (refresh, 404, "<html>", "`idcs.example.com` refused (HTTP 404)", "`--token-url`"),
        ];
        for (kind, status, body, said, advice) in table {
            let denial = denied(kind, status, body, None);
            assert!(denial.to_string().contains(said), "{body}: {denial}");
            assert!(denial.help().contains(advice), "{body}: {}", denial.help());
        }
    }

    #[test]
    fn a_clock_that_is_wrong_by_more_than_a_minute_is_blamed_for_a_refused_assertion() {
        let body = r#"{"error":"invalid_grant"}"#;
        let date = |ahead: i64| {
            let seconds = Duration::from_secs(ahead.unsigned_abs());
            let now = SystemTime::now();
            httpdate::fmt_http_date(if ahead < 0 { now - seconds } else { now + seconds })
        };
        for (ahead, is_blamed) in [(0, false), (30, false), (-30, false), (600, true), (-600, true)] {
            let denial = denied(Kind::Assertion, 400, body, Some(&date(ahead)));
            assert_eq!(denial.help().contains("clock"), is_blamed, "{ahead}");
        }
    }

    #[test]
    fn only_what_never_left_has_used_nothing_up() {
        let host = || "h".to_owned();
        let shut = http::fault::Fault::NoConnection { host: host(), reason: String::new() };
        let lost = http::fault::Fault::Broken { host: host(), reason: String::new() };
        let wait = Some(Duration::from_secs(7));
        let table = [
            (Fault::Http(shut), true, Hope::Budget, None),
            (Fault::Http(lost), false, Hope::Budget, None),
            (Fault::Unavailable { host: host(), status: 503, retry_after: wait }, false, Hope::Budget, wait),
            (Fault::NoTokens { host: host(), status: 200 }, false, Hope::None, None),
            (Fault::Busy, true, Hope::Budget, None),
        ];
        for (fault, before, hope, wish) in table {
            assert_eq!((fault.is_before_sending(), fault.hope(), fault.retry_after()), (before, hope, wish), "{fault}");
            assert!(!fault.help().is_empty());
        }
    }
}
