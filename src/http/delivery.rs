//! One message on its way to somebody who is told: two tries at most, within a bound. Addresses are secrets: what failed is
//! told without a host, and without a word of an answer, which may hold them.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use tokio::time::{Instant, sleep_until};

use crate::pace;

use super::Allowance;
use super::fault::Fault;

/// How long before the second try, where the receiver does not say.
pub const PAUSE: Duration = Duration::from_millis(500);

/// Why a message did not arrive.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer.
    Fault(Fault),
    /// A code that is no 2xx, and how long the receiver asks to stay away.
    Code(u16, Option<Duration>),
}

/// Sends it, and once more after what `again` gives a pause for. The answer, whose body is not read yet, and what is left
/// for that.
///
/// # Errors
///
/// Why nobody took it in the end.
pub async fn deliver(
    request: impl Fn() -> RequestBuilder,
    end: Instant,
    again: impl Fn(&Failure) -> Option<Duration>,
) -> Result<(Response, Allowance), Failure> {
    // The second try needs as much time as the first.
    let half = end.saturating_duration_since(Instant::now()) / 2;
    let failure = match attempt(request(), Allowance::until(end, half)).await {
        Err(failure) => failure,
        taken => return taken,
    };
    match again(&failure).and_then(|pause| Instant::now().checked_add(pause)).filter(|at| *at < end) {
        Some(at) => {
            sleep_until(at).await;
            attempt(request(), Allowance::until(end, half)).await
        }
        None => Err(failure),
    }
}

async fn attempt(request: RequestBuilder, allowance: Allowance) -> Result<(Response, Allowance), Failure> {
    let answer = allowance.spend("", request.send()).await.map_err(Failure::Fault)?;
    let code = answer.status().as_u16();
    if (200..300).contains(&code) {
        Ok((answer, allowance))
    } else {
        Err(Failure::Code(code, retry_after(answer.headers())))
    }
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    pace::retry_after(text(RETRY_AFTER)?, text(DATE), SystemTime::now())
}

impl Failure {
    /// Whether there was no answer, for a reason that may pass.
    pub fn is_passing_fault(&self) -> bool {
        matches!(self, Self::Fault(fault) if !matches!(fault, Fault::Certificate { .. } | Fault::ProxyDenied { .. }))
    }

    /// What happened, as a clause without a name.
    pub fn why(&self) -> String {
        match self {
            Self::Fault(fault) => fault.unnamed().to_owned(),
            Self::Code(code @ 300..400, _) => {
                format!("it answered with a redirect (HTTP {code}), which is not followed")
            }
            Self::Code(code, _) => format!("it answered HTTP {code}"),
        }
    }
}
