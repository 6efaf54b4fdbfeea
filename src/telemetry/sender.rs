//! The spans on their way: two tries at most, within the bound. What failed is told without the address or a word of an
//! answer, which may hold secrets.

use std::time::{Duration, SystemTime};

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, RETRY_AFTER};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::http::fault::Fault;
use crate::http::{Allowance, Transport, read};
use crate::pace;

use super::{Encoding, Export, protobuf};

/// How long before the second try, where the receiver does not say.
const PAUSE: Duration = Duration::from_millis(500);

enum Failure {
    Fault(Fault),
    Code(u16, Option<Duration>),
}

/// Sends a request, once more after a fault that may pass. How many spans were not taken, as far as the receiver tells.
///
/// # Errors
///
/// Why nobody took it.
pub(super) async fn send(export: &Export, body: Vec<u8>, end: Instant) -> Result<u64, String> {
    let client = Transport::new(&export.network).and_then(|transport| transport.for_reads());
    let client = client.map_err(|_| "HTTP cannot be set up".to_owned())?;
    let request = || {
        let request = client.post(export.endpoint.url()).headers(export.headers.0.clone());
        request.header(CONTENT_TYPE, export.encoding.content_type()).body(body.clone())
    };
    // The second try needs as much time as the first.
    let half = end.saturating_duration_since(Instant::now()) / 2;
    let failure = match attempt(export, request(), Allowance::until(end, half)).await {
        Ok(rejected) => return Ok(rejected),
        Err(failure) => failure,
    };
    let Some(at) = failure.again().and_then(|pause| Instant::now().checked_add(pause)).filter(|at| *at < end) else {
        return Err(failure.why());
    };
    sleep_until(at).await;
    attempt(export, request(), Allowance::until(end, half)).await.map_err(|failure| failure.why())
}

async fn attempt(export: &Export, request: reqwest::RequestBuilder, allowance: Allowance) -> Result<u64, Failure> {
    let answer = allowance.spend("", request.send()).await.map_err(Failure::Fault)?;
    let code = answer.status().as_u16();
    if !(200..300).contains(&code) {
        return Err(Failure::Code(code, retry_after(answer.headers())));
    }
    // The code has decided; what its body says is worth knowing, and no more.
    let body = read(answer, "", allowance).await.map(|answer| answer.body).unwrap_or_default();
    Ok(match export.encoding {
        Encoding::Protobuf => protobuf::rejected(&body),
        Encoding::Json => rejected(&body),
    })
}

/// How many spans an answer in JSON says were not taken.
fn rejected(body: &[u8]) -> u64 {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let number = &answer["partialSuccess"]["rejectedSpans"];
    number.as_u64().or_else(|| number.as_str()?.parse().ok()).unwrap_or_default()
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    pace::retry_after(text(RETRY_AFTER)?, text(DATE), SystemTime::now())
}

impl Failure {
    /// How long before a second try; none where that must not be (`docs/specification.md`, "Retryable Response Codes").
    fn again(&self) -> Option<Duration> {
        match self {
            Self::Fault(Fault::Certificate { .. } | Fault::ProxyDenied { .. }) => None,
            Self::Fault(_) => Some(PAUSE),
            Self::Code(429 | 502 | 503 | 504, after) => Some(after.unwrap_or(PAUSE)),
            Self::Code(..) => None,
        }
    }

    fn why(&self) -> String {
        match self {
            Self::Fault(fault) => fault.unnamed().to_owned(),
            Self::Code(code @ 300..400, _) => {
                format!("it answered with a redirect (HTTP {code}), which is not followed")
            }
            Self::Code(code, _) => format!("it answered HTTP {code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_again_when_the_receiver_wishes() {
        let minute = Some(Duration::from_mins(1));
        for (failure, expected) in [
            (Failure::Code(503, None), Some(PAUSE)),
            (Failure::Code(429, minute), minute),
            (Failure::Code(502, None), Some(PAUSE)),
            (Failure::Code(504, None), Some(PAUSE)),
            (Failure::Code(500, minute), None),
            (Failure::Code(413, None), None),
            (Failure::Code(307, None), None),
            (Failure::Fault(Fault::Unresolved { host: String::new() }), Some(PAUSE)),
            (Failure::Fault(Fault::ProxyDenied { host: String::new() }), None),
        ] {
            assert_eq!(failure.again(), expected, "{}", failure.why());
        }
    }

    #[test]
    fn what_was_not_taken_is_read_from_a_number_or_a_text() {
        for (body, expected) in [
            (&b""[..], 0),
            (b"{}", 0),
            (br#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}"#, 2),
            (br#"{"partialSuccess":{"rejectedSpans":3}}"#, 3),
        ] {
            assert_eq!(rejected(body), expected);
        }
    }
}
