//! Device login (RFC 8628): a person lets us in with a browser anywhere, and we get a refresh token.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};
use url::Url;

use crate::foreign::{Foreign, Mask};
use crate::http::Transport;

use super::error::{Denial, Fault, NoToken, error_of};
use super::identity::{Identity, Kind, duration};
use super::secret::forms;

/// How often is asked where the service does not say (RFC 8628 §3.2).
const INTERVAL: Duration = Duration::from_secs(5);

/// By how much `slow_down` makes that longer (RFC 8628 §3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// No service is asked more often, whatever it says.
const SHORTEST: Duration = Duration::from_secs(1);

/// Nor more seldom.
const SLOWEST: Duration = Duration::from_mins(1);

/// How long a code holds where the service does not say.
const LASTS: Duration = Duration::from_mins(10);

/// How long one is waited for, whatever the service says.
const LONGEST: Duration = Duration::from_hours(1);

/// Why nobody was let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The token URL does not say where codes are handed out.
    #[error("`--token-url` does not end in `/token`, so where device codes are handed out is not known")]
    NoEndpoint,
    /// The service is not there.
    #[error(transparent)]
    Fault(Fault),
    /// It hands out no code, or no token for one.
    #[error(transparent)]
    Denied(Denial),
    /// `access_denied`.
    #[error("the person who was asked has denied access")]
    Refused,
    /// `expired_token`, or nobody answered for as long as the code holds.
    #[error("nobody entered the code in time")]
    Expired,
    /// Tokens without a refresh token among them.
    #[error("the identity service gave no refresh token")]
    NoRefreshToken,
}

impl Error {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoEndpoint => {
                "give the token endpoint, such as `https://idcs-....identity.oraclecloud.com/oauth2/v1/token`"
            }
            Self::Fault(fault) => fault.help(),
            Self::Denied(denial) => denial.help(),
            Self::Refused => "run `epm-gate login` again, and allow access as the user whom the jobs are to run as",
            Self::Expired => "run `epm-gate login` again, and enter the code within its time",
            Self::NoRefreshToken => {
                "add `offline_access` to `--scope`, and allow `Token refresh` to the application at the identity service"
            }
        }
    }
}

impl From<NoToken> for Error {
    fn from(none: NoToken) -> Self {
        match none {
            NoToken::Fault(fault) => Self::Fault(fault),
            NoToken::Denied(denial) => Self::Denied(denial),
        }
    }
}

/// What a person is to do.
pub struct Invitation {
    /// Where to go.
    pub address: Foreign,
    /// What to enter there.
    pub code: Foreign,
    /// How long the code holds.
    pub lasts: Duration,
    secret: SecretString,
    interval: Duration,
    begun: Instant,
}

#[derive(Deserialize)]
struct Handed {
    device_code: SecretString,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    interval: Value,
}

/// Asks for a code that a person can enter.
///
/// # Errors
///
/// Why there is none.
pub async fn invite(identity: &Identity, transport: &Transport) -> Result<Invitation, Error> {
    let url = endpoint(&identity.token_url).ok_or(Error::NoEndpoint)?;
    let scope = identity.scope.as_deref().unwrap_or_default();
    let mut fields = vec![("response_type", "device_code")];
    if identity.client_secret.is_some() {
        // RFC 8628 §3.1 wants it in the form, whatever else tells who the client is.
        fields.push(("client_id", &identity.client_id));
    }
    if !scope.is_empty() {
        fields.push(("scope", scope));
    }
    let begun = Instant::now();
    let answer = identity.post(transport, url, &fields).await.map_err(NoToken::from)?;
    let Ok(handed) = serde_json::from_slice::<Handed>(&answer.body) else {
        return Err(identity.no_token(&answer, Kind::DeviceCode, &Mask::new(identity.forms())).into());
    };
    let mask = Mask::new(identity.forms().into_iter().chain(forms([handed.device_code.expose_secret()])));
    Ok(Invitation {
        address: mask.foreign(&handed.verification_uri),
        code: mask.foreign(&handed.user_code),
        lasts: duration(&handed.expires_in).unwrap_or(LASTS).min(LONGEST),
        interval: duration(&handed.interval).unwrap_or(INTERVAL).clamp(SHORTEST, SLOWEST),
        secret: handed.device_code,
        begun,
    })
}

/// Waits until the person has answered, for the refresh token.
///
/// # Errors
///
/// Why there are no tokens.
pub async fn accept(identity: &Identity, transport: &Transport, invitation: Invitation) -> Result<SecretString, Error> {
    let code = invitation.secret.expose_secret();
    let mask = Mask::new(identity.forms().into_iter().chain(forms([code])));
    let end = invitation.begun + invitation.lasts;
    let mut interval = invitation.interval;
    loop {
        let at = Instant::now() + interval;
        if at > end {
            return Err(Error::Expired);
        }
        sleep_until(at).await;
        // What cannot be reached for a moment is asked again, ever more slowly (RFC 8628 §3.5).
        let Ok(answer) = identity.ask(transport, Kind::DeviceCode, code).await else {
            interval = (interval * 2).min(SLOWEST);
            continue;
        };
        if let Some(granted) = identity.granted(&answer) {
            return granted.refresh.ok_or(Error::NoRefreshToken);
        }
        if matches!(answer.status, 408 | 429 | 500..) {
            interval = (interval * 2).min(SLOWEST);
            continue;
        }
        match error_of(&answer.body).as_deref() {
            Some("authorization_pending") => {}
            Some("slow_down") => interval = (interval + SLOWER).min(SLOWEST),
            Some("access_denied") => return Err(Error::Refused),
            Some("expired_token") => return Err(Error::Expired),
            _ => return Err(identity.no_token(&answer, Kind::DeviceCode, &mask).into()),
        }
    }
}

/// Device codes are handed out beside tokens: `/oauth2/v1/device` (epm-api.md §5.2).
fn endpoint(token_url: &Url) -> Option<Url> {
    let path = token_url.path().trim_end_matches('/').strip_suffix("/token")?;
    let mut url = token_url.clone();
    url.set_path(&format!("{path}/device"));
    Some(url)
}
