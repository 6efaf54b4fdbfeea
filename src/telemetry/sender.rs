//! The spans on their way, and what the receiver says of them.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::Instant;

use crate::http::delivery::{Failure, PAUSE, deliver};
use crate::http::{Transport, read};

use super::{Encoding, Export, protobuf};

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
    let (answer, allowance) = deliver(request, end, again).await.map_err(|failure| failure.why())?;
    // The code has decided; what its body says is worth knowing, and no more.
    let body = read(answer, "", allowance).await.map(|answer| answer.body).unwrap_or_default();
    Ok(match export.encoding {
        Encoding::Protobuf => protobuf::rejected(&body),
        Encoding::Json => rejected(&body),
    })
}

/// How long before a second try; none where that must not be (`docs/specification.md`, "Retryable Response Codes").
fn again(failure: &Failure) -> Option<Duration> {
    match failure {
        Failure::Code(429 | 502 | 503 | 504, after) => Some(after.unwrap_or(PAUSE)),
        failure => failure.is_passing_fault().then_some(PAUSE),
    }
}

/// How many spans an answer in JSON says were not taken.
fn rejected(body: &[u8]) -> u64 {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let number = &answer["partialSuccess"]["rejectedSpans"];
    number.as_u64().or_else(|| number.as_str()?.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::fault::Fault;

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
            assert_eq!(again(&failure), expected, "{}", failure.why());
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
