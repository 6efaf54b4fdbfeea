//! Devices that wait for their user, who has a code to enter elsewhere. // RFC 8628

use std::time::Instant;

use serde_json::{Value, json};

use super::client::Client;
use super::refusal::Refusal;
use crate::scenario::{Consent, IdentityScript};

/// All devices that asked.
#[derive(Default)]
pub(super) struct Devices {
    known: Vec<Device>,
}

struct Device {
    code: String,
    client: Client,
    is_offline: bool,
    since: Instant,
    /// When it came last.
    asked: Option<Instant>,
    /// How many of its polls found out what the user has decided.
    polls: usize,
    is_over: bool,
}

impl Devices {
    /// What a device is told that shows its user where to go.
    pub(super) fn register(
        &mut self,
        code: String,
        client: Client,
        is_offline: bool,
        base: &str,
        script: &IdentityScript,
        now: Instant,
    ) -> Value {
        let user_code = format!("SBXCODE{}", self.known.len() + 1);
        let mut answer = json!({
            "device_code": code,
            "user_code": user_code,
            "verification_uri": format!("{base}/ui/v1/device"),
            "expires_in": script.device_lasts.as_secs(),
        });
        if let Some(interval) = script.device_interval {
            answer["interval"] = interval.as_secs().into();
        }
        self.known.push(Device { code, client, is_offline, since: now, asked: None, polls: 0, is_over: false });
        answer
    }

    /// Lets a device know what its user has decided; gives back whether it is to get a refresh token.
    pub(super) fn poll(
        &mut self,
        code: &str,
        client: Client,
        script: &IdentityScript,
        now: Instant,
    ) -> Result<bool, Refusal> {
        let device = self.known.iter_mut().find(|device| device.code == code && device.client == client);
        let device = device.filter(|device| !device.is_over);
        let device =
            device.ok_or_else(|| Refusal::of("invalid_grant", "EPM sandbox: no device waits with this code"))?;
        match device.consent(script, now) {
            Consent::Pending => Err(Refusal::of("authorization_pending", "EPM sandbox: the user has not decided yet")),
            Consent::SlowDown => Err(Refusal::of("slow_down", "EPM sandbox: poll less often, 5 s more in between")),
            Consent::Denied => Err(Refusal::of("access_denied", "EPM sandbox: the user has refused")),
            Consent::Expired => Err(Refusal::of("expired_token", "EPM sandbox: the device code has expired")),
            Consent::Granted => Ok(device.is_offline),
        }
    }
}

impl Device {
    /// The next that the script has, unless the device comes too early or too late.
    fn consent(&mut self, script: &IdentityScript, now: Instant) -> Consent {
        let before = self.asked.replace(now);
        if now.saturating_duration_since(self.since) >= script.device_lasts {
            return Consent::Expired;
        }
        let pause = script.device_interval.unwrap_or_default();
        if before.is_some_and(|before| now.saturating_duration_since(before) < pause) {
            return Consent::SlowDown;
        }
        let consent = script.device.get(self.polls).or(script.device.last()).copied().unwrap_or(Consent::Granted);
        self.polls += 1;
        self.is_over = consent == Consent::Granted;
        consent
    }
}
