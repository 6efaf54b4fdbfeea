//! One message on its way to one address. What failed is told by the kind of the address and its line: neither its URL, nor
//! its host, nor a word of an answer, which may hold them.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::Instant;

use crate::http::delivery::{Failure, PAUSE, deliver};

use super::Address;

/// Sends it, once more after a fault that may pass. The head of the answer decides; nothing of its body is read, whatever
/// its size.
///
/// # Errors
///
/// That nobody took it, in a sentence.
pub(super) async fn send(client: &reqwest::Client, to: &Address, body: &Value, end: Instant) -> Result<(), String> {
    let body = body.to_string();
    let request = || client.post(to.url()).header(CONTENT_TYPE, to.kind.content_type()).body(body.clone());
    deliver(request, end, again).await.map(drop).map_err(|failure| {
        format!("`{}` in line {} of the addresses was not notified: {}", to.kind.word(), to.line, failure.why())
    })
}

/// How long before a second try, where one is worth it.
fn again(failure: &Failure) -> Option<Duration> {
    let may_pass = failure.is_passing_fault() || matches!(failure, Failure::Code(408 | 429 | 500..=599, _));
    may_pass.then_some(PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::fault::Fault;

    #[test]
    fn what_may_pass_is_tried_again() {
        let host = || "s3cret.example.com".to_owned();
        let table = [
            (Failure::Code(408, None), true),
            (Failure::Code(429, None), true),
            (Failure::Code(500, None), true),
            (Failure::Code(302, None), false),
            (Failure::Code(404, None), false),
            (Failure::Fault(Fault::Unresolved { host: host() }), true),
            (Failure::Fault(Fault::NoConnection { host: host(), reason: host() }), true),
            (Failure::Fault(Fault::NoProxy { host: host(), reason: host() }), true),
            (Failure::Fault(Fault::ProxyRefused { host: host() }), true),
            (Failure::Fault(Fault::ProxyDenied { host: host() }), false),
            (Failure::Fault(Fault::Timeout { host: host(), limit: PAUSE }), true),
            (Failure::Fault(Fault::Broken { host: host(), reason: host() }), true),
        ];
        for (failure, expected) in table {
            assert_eq!(again(&failure).is_some(), expected, "{failure:?}");
            assert!(!failure.why().contains("s3cret"), "{failure:?}");
        }
    }
}
