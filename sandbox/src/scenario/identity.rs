//! What a scenario says about the identity service.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IntoDeserializer as _;

use super::reply::{Changes, Reply, Says};
use super::{duration, each};

/// The `[identity]` of a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct IdentityScript {
    #[serde(deserialize_with = "duration")]
    pub(crate) access_lasts: Duration,
    /// How many requests an access token is good for, however young it is.
    pub(crate) access_serves: Option<u32>,
    #[serde(deserialize_with = "duration")]
    pub(crate) refresh_lasts: Duration,
    /// Whether an exchange consumes the refresh token and hands out a new one.
    pub(crate) rotates: bool,
    pub(crate) allows_refresh: bool,
    pub(crate) audience: Audience,
    /// What befalls the requests for a token, each in turn.
    #[serde(deserialize_with = "of_tokens")]
    pub(crate) replies: Vec<Reply>,
    /// What the user has decided by each poll of a device, in turn; the last goes on.
    pub(crate) device: Vec<Consent>,
    #[serde(deserialize_with = "duration")]
    pub(crate) device_lasts: Duration,
    /// A poll that comes sooner than this after the one before is too early; told in whole seconds, or not at all.
    #[serde(deserialize_with = "duration_or_none")]
    pub(crate) device_interval: Option<Duration>,
}

impl Default for IdentityScript {
    /// An access token lives an hour, a refresh token 7 days, and each is used once. // epm-api.md §5.2
    fn default() -> Self {
        Self {
            access_lasts: Duration::from_hours(1),
            access_serves: None,
            refresh_lasts: Duration::from_hours(7 * 24),
            rotates: true,
            allows_refresh: true,
            audience: Audience::Pod,
            replies: Vec::new(),
            device: vec![Consent::Pending, Consent::Granted],
            // The 300 s are those of Oracle's example (DeviceCodeFlowAuth.html), which tells no interval.
            device_lasts: Duration::from_mins(5),
            device_interval: Some(Duration::from_secs(1)),
        }
    }
}

/// Whom the access tokens are for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Audience {
    Pod,
    /// The secondary audience is not configured: the pod refuses a good token. // epm-api.md §3.5
    Wrong,
}

/// What the user, who has the code of a device before them, has decided. // RFC 8628 §3.5
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Consent {
    Pending,
    SlowDown,
    Denied,
    Expired,
    Granted,
}

fn duration_or_none<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(from)?;
    if text == "none" { Ok(None) } else { duration(text.into_deserializer()).map(Some) }
}

/// A reply of the token endpoint may change the tokens' answer by `fields` and `without`, and has nothing of a job.
fn of_tokens<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Reply>, D::Error> {
    let replies: Vec<Reply> = each(from)?;
    let is_of_a_job = |reply: &Reply| match &reply.says {
        Says::Envelope(Changes { status, job_status, details, .. }) => {
            status.is_some() || job_status.is_some() || details.is_some()
        }
        _ => false,
    };
    if replies.iter().any(is_of_a_job) {
        let why = "`status`, `job_status` and `details` belong to a job: a token has `fields` and `without` alone";
        return Err(serde::de::Error::custom(why));
    }
    Ok(replies)
}
