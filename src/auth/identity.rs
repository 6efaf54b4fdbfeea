//! The identity service: where tokens come from (RFC 6749, RFC 7523; Oracle's texts in epm-api.md §5.2).

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::foreign::{Mask, quote};
use crate::http::{self, Allowance, Answer, Transport};
use crate::pace;

use super::error::{Fault, NoToken, denial};
use super::secret::{check, form_encoded, forms};

/// How long one exchange may take. Nothing else ends it: what it hands out can be had only once.
pub const EXCHANGE: Duration = Duration::from_mins(1);

/// The identity service, and who we are to it.
#[derive(Clone)]
pub struct Identity {
    /// Where tokens are handed out.
    pub token_url: Url,
    /// The application that is registered there.
    pub client_id: String,
    /// Its secret; a public application has none.
    pub client_secret: Option<SecretString>,
    /// What the token is for.
    pub scope: Option<String>,
}

/// What an exchange brought.
pub struct Granted {
    /// The next refresh token. None where the old one stays.
    pub refresh: Option<SecretString>,
    /// An access token, or that there is none in the answer.
    pub access: Result<Access, NoToken>,
}

/// What is shown to EPM.
#[derive(Clone)]
pub struct Access {
    /// The token.
    pub token: SecretString,
    /// How long it holds, where that is said.
    pub lasts: Option<Duration>,
}

/// What is exchanged for tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// RFC 6749 §6
    RefreshToken,
    /// RFC 7523 §2.1
    Assertion,
    /// RFC 8628 §3.4
    DeviceCode,
}

/// What stands in the body of a success (RFC 6749 §5.1).
#[derive(Deserialize)]
struct Success {
    #[serde(default)]
    access_token: Option<SecretString>,
    #[serde(default)]
    refresh_token: Option<SecretString>,
    #[serde(default)]
    expires_in: Value,
}

impl Identity {
    /// Exchanges a refresh token for an access token, and for the next refresh token.
    ///
    /// # Errors
    ///
    /// Why there is none. After a fault that is not before sending, the token may be used up.
    pub async fn refresh(&self, transport: &Transport, token: &SecretString) -> Result<Granted, NoToken> {
        let secret = token.expose_secret();
        self.exchange(transport, Kind::RefreshToken, secret).await
    }

    /// Exchanges an assertion about a user for an access token.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn assert(&self, transport: &Transport, assertion: &SecretString) -> Result<Granted, NoToken> {
        self.exchange(transport, Kind::Assertion, assertion.expose_secret()).await
    }

    /// The host, for messages.
    pub fn host(&self) -> String {
        http::url::host(&self.token_url)
    }

    /// Every form in which the client's secret could come back.
    pub fn forms(&self) -> Vec<String> {
        let Some(secret) = &self.client_secret else { return Vec::new() };
        forms([secret.expose_secret(), &self.basic(secret)])
    }

    async fn exchange(&self, transport: &Transport, kind: Kind, secret: &str) -> Result<Granted, NoToken> {
        let mask = Mask::new(self.forms().into_iter().chain(forms([secret])));
        let answer = self.ask(transport, kind, secret).await?;
        self.granted(&answer).ok_or_else(|| self.no_token(&answer, kind, &mask))
    }

    /// Asks for tokens in exchange for this.
    pub(super) async fn ask(&self, transport: &Transport, kind: Kind, secret: &str) -> Result<Answer, Fault> {
        let mut fields = match kind {
            // It brings the scope that the first token had (RFC 6749 §6).
            Kind::RefreshToken => vec![("grant_type", "refresh_token"), ("refresh_token", secret)],
            Kind::Assertion => {
                vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", secret)]
            }
            Kind::DeviceCode => {
                vec![("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", secret)]
            }
        };
        if kind == Kind::Assertion {
            fields.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        }
        self.post(transport, self.token_url.clone(), &fields).await
    }

    /// Sends a form as this client. The connection is a new one: a reset of one that had idled could not be told from an
    /// exchange that took place.
    pub(super) async fn post(&self, transport: &Transport, url: Url, fields: &[(&str, &str)]) -> Result<Answer, Fault> {
        let allowance = Allowance::until(tokio::time::Instant::now() + EXCHANGE, EXCHANGE);
        let host = self.host();
        let client = transport.for_one_request(EXCHANGE).map_err(|error| http::fault::Fault::NoConnection {
            host: host.clone(),
            reason: quote(&error.to_string()),
        })?;
        let own = self.client_secret.is_none().then_some(("client_id", self.client_id.as_str()));
        let fields = fields.iter().copied().chain(own);
        let form: Vec<String> = fields.map(|(name, value)| format!("{name}={}", form_encoded(value))).collect();
        let mut request =
            client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.join("&"));
        if let Some(secret) = &self.client_secret {
            request = request.header(AUTHORIZATION, format!("Basic {}", self.basic(secret)));
        }
        Ok(http::exchange(request, &host, allowance).await?)
    }

    fn basic(&self, secret: &SecretString) -> String {
        let (id, secret) = (form_encoded(&self.client_id), form_encoded(secret.expose_secret()));
        STANDARD.encode(format!("{id}:{secret}"))
    }

    /// What an answer without tokens means.
    pub(super) fn no_token(&self, answer: &Answer, kind: Kind, mask: &Mask) -> NoToken {
        let (host, status) = (self.host(), answer.status);
        let text = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
        match status {
            408 | 429 | 500.. => {
                let retry_after = text(RETRY_AFTER);
                let retry_after = retry_after.and_then(|value| pace::retry_after(value, text(DATE), SystemTime::now()));
                NoToken::Fault(Fault::Unavailable { host, status, retry_after })
            }
            200..300 => NoToken::Fault(Fault::NoTokens { host, status }),
            _ => NoToken::Denied(denial(host, answer, kind, text(DATE), mask)),
        }
    }

    /// The tokens of an answer, if it has any. A new refresh token counts even where no access token stands beside it:
    /// the old one is used up.
    pub(super) fn granted(&self, answer: &Answer) -> Option<Granted> {
        let success: Success = serde_json::from_slice(&answer.body).ok()?;
        let usable = |token: &SecretString| !token.expose_secret().is_empty() && check(token, "token").is_ok();
        let refresh = success.refresh_token.filter(usable);
        let none = NoToken::Fault(Fault::NoTokens { host: self.host(), status: answer.status });
        let lasts = duration(&success.expires_in);
        let access = success.access_token.filter(usable).map(|token| Access { token, lasts }).ok_or(none);
        let has_any = refresh.is_some() || access.is_ok();
        ((200..300).contains(&answer.status) && has_any).then_some(Granted { refresh, access })
    }
}

/// A number of seconds, or the spelling of one: Oracle's pages have both kinds of numbers (epm-api.md §1.4). None where it
/// is no length that means anything.
pub(super) fn duration(seconds: &Value) -> Option<Duration> {
    const LONGEST: f64 = 365.0 * 24.0 * 3600.0;
    let seconds = match seconds {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    Duration::try_from_secs_f64(seconds.filter(|seconds| *seconds <= LONGEST)?).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;

    fn identity(secret: Option<&str>) -> Identity {
        let token_url = Url::parse("https://idcs.example.com:8443/oauth2/v1/token").expect("a URL");
        Identity { token_url, client_id: "a b".to_owned(), client_secret: secret.map(SecretString::from), scope: None }
    }

    fn granted(status: u16, body: &str) -> Option<(Option<String>, Option<String>)> {
        let answer = Answer { status, headers: HeaderMap::new(), body: body.into(), peer: None };
        let text = |token: SecretString| token.expose_secret().to_owned();
        let granted = identity(None).granted(&answer)?;
        Some((granted.refresh.map(text), granted.access.ok().map(|access| text(access.token))))
    }

    #[test]
    fn whatever_tokens_an_answer_has_are_taken_and_no_others() {
        let some = |text: &str| Some(text.to_owned());
        let table = [
            (200, r#"{"access_token":"a","refresh_token":"r"}"#, Some((some("r"), some("a")))),
            (200, r#"{"access_token":"a"}"#, Some((None, some("a")))),
            (200, r#"{"access_token":"a","refresh_token":null}"#, Some((None, some("a")))),
            (200, r#"{"access_token":"a","refresh_token":""}"#, Some((None, some("a")))),
            (200, r#"{"access_token":"a","refresh_token":"r\nx"}"#, Some((None, some("a")))),
            (200, r#"{"refresh_token":"r"}"#, Some((some("r"), None))),
            (200, r#"{"access_token":"","refresh_token":"r"}"#, Some((some("r"), None))),
            (200, "{}", None),
            (200, "<html>", None),
            (400, r#"{"access_token":"a"}"#, None),
        ];
        for (status, body, expected) in table {
            assert_eq!(granted(status, body), expected, "{body}");
        }
    }

    #[test]
    fn a_life_is_a_number_or_its_spelling() {
        let table = [
            (json!(3600), Some(3600)),
            (json!("300"), Some(300)),
            (json!(0), Some(0)),
            (json!(-1), None),
            (json!(1e19), None),
            (json!("soon"), None),
            (json!(null), None),
            (json!([1]), None),
        ];
        for (value, expected) in table {
            assert_eq!(duration(&value), expected.map(Duration::from_secs), "{value}");
        }
        assert_eq!(duration(&json!("NaN")), None);
    }

    #[test]
    fn a_client_shows_itself_form_encoded_and_its_secret_is_known_so() {
        let (public, confidential) = (identity(None), identity(Some("s+/=é")));
        assert_eq!(confidential.host(), "idcs.example.com:8443");
        let sent = STANDARD.encode("a+b:s%2B%2F%3D%C3%A9");
        assert!(confidential.forms().contains(&sent) && confidential.forms().contains(&"s+/=é".to_owned()));
        assert!(public.forms().is_empty());
    }
}
