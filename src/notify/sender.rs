//! One message on its way to one address: two tries at most, within the bound. What failed is told by the kind of the
//! address and its line: neither its URL, nor its host, nor a word of an answer, which may hold them.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::http::Allowance;
use crate::http::fault::Fault;

use super::Address;

/// How long before the second try.
const PAUSE: Duration = Duration::from_millis(500);

/// Why a message did not arrive.
#[derive(Debug, PartialEq, Eq)]
enum Failure {
    Fault(Fault),
    Code(u16),
}

/// Sends it, once more after a fault that may pass.
///
/// # Errors
///
/// That nobody took it, in a sentence.
pub(super) async fn send(client: &reqwest::Client, to: &Address, body: &Value, end: Instant) -> Result<(), String> {
    let body = body.to_string();
    // The second try needs as much time as the first.
    let half = end.saturating_duration_since(Instant::now()) / 2;
    let first = attempt(client, to, &body, Allowance::until(end, half)).await;
    let last = match first {
        Err(failure) if failure.may_pass() => {
            sleep_until(end.min(Instant::now() + PAUSE)).await;
            attempt(client, to, &body, Allowance::until(end, half)).await
        }
        first => first,
    };
    last.map_err(|failure| {
        format!("`{}` in line {} of the addresses was not notified: {}", to.kind.word(), to.line, failure.why())
    })
}

async fn attempt(client: &reqwest::Client, to: &Address, body: &str, allowance: Allowance) -> Result<(), Failure> {
    let request = client.post(to.url()).header(CONTENT_TYPE, to.kind.content_type()).body(body.to_owned());
    // The head decides; nothing of the answer's body is read, whatever its size.
    let answer = allowance.spend("", request.send()).await.map_err(Failure::Fault)?;
    let code = answer.status().as_u16();
    if (200..300).contains(&code) { Ok(()) } else { Err(Failure::Code(code)) }
}

impl Failure {
    /// Whether a second try is worth it.
    fn may_pass(&self) -> bool {
        match self {
            Self::Fault(fault) => !matches!(fault, Fault::Certificate { .. } | Fault::ProxyDenied { .. }),
            Self::Code(code) => matches!(code, 408 | 429 | 500..=599),
        }
    }

    fn why(&self) -> String {
        match self {
            Self::Fault(fault) => fault.unnamed().to_owned(),
            Self::Code(code @ 300..400) => format!("it answered with a redirect (HTTP {code}), which is not followed"),
            Self::Code(code) => format!("it answered HTTP {code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again() {
        let host = || "s3cret.example.com".to_owned();
        let table = [
            (Failure::Code(408), true),
            (Failure::Code(429), true),
            (Failure::Code(500), true),
            (Failure::Code(302), false),
            (Failure::Code(404), false),
            (Failure::Fault(Fault::Unresolved { host: host() }), true),
            (Failure::Fault(Fault::NoConnection { host: host(), reason: host() }), true),
            (Failure::Fault(Fault::NoProxy { host: host(), reason: host() }), true),
            (Failure::Fault(Fault::ProxyRefused { host: host() }), true),
            (Failure::Fault(Fault::ProxyDenied { host: host() }), false),
            (Failure::Fault(Fault::Timeout { host: host(), limit: PAUSE }), true),
            (Failure::Fault(Fault::Broken { host: host(), reason: host() }), true),
        ];
        for (failure, expected) in table {
            assert_eq!(failure.may_pass(), expected, "{failure:?}");
            assert!(!failure.why().contains("s3cret"), "{failure:?}");
        }
    }
}
