//! Why there is no token. Descriptions that begin with `EPM sandbox` are ours: Oracle's are not known.

use axum::http::HeaderValue;
use axum::http::header::WWW_AUTHENTICATE;
use serde_json::json;

use crate::answer::Answer;
use crate::scenario::HeaderText;

/// An error of RFC 6749 §5.2 or RFC 8628 §3.5.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: &'static str,
    description: String,
}

impl Refusal {
    pub(super) fn of(error: &'static str, description: impl Into<String>) -> Self {
        Self { error, description: description.into() }
    }

    /// A client that is not who it says gets a 401, any other refusal a 400.
    pub(super) fn answer(&self) -> Answer {
        let body = json!({"error": self.error, "error_description": self.description});
        if self.error != "invalid_client" {
            return Answer::json(400, &body).uncached();
        }
        let mut answer = Answer::json(401, &body).uncached();
        let basic = HeaderValue::from_static("Basic realm=\"EPM sandbox identity\"");
        answer.headers.push((WWW_AUTHENTICATE, HeaderText::Fixed(basic)));
        answer
    }
}

/// The client's "Allow token refresh" is off. // epm-api.md §5.2
pub(super) fn refresh_disallowed() -> Refusal {
    Refusal::of("unauthorized_client", "EPM sandbox: the client is not allowed to refresh tokens")
}
