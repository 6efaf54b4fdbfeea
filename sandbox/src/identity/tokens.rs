//! The tokens that were handed out, and which of them are still good.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use serde_json::{Value, json};

use super::client::Client;
use super::refusal::Refusal;
use crate::login::Entry;
use crate::scenario::IdentityScript;

/// The refresh token that is good when the sandbox starts, for any client: what has to be encoded in a form is in it.
pub const REFRESH_TOKEN: &str = "sbx-refresh-0-Zq7+t/X0vB3yW9+kLm/R2cHs5uN8aPe1dGf4iJo6xQY=";

/// All tokens.
pub(super) struct Tokens {
    /// Makes the tokens of each sandbox its own.
    seed: u128,
    access: Vec<Access>,
    refresh: Vec<Refresh>,
    device_codes: usize,
    exchanges: usize,
}

struct Access {
    token: String,
    since: Instant,
    served: u32,
}

struct Refresh {
    token: String,
    /// Whom it was given to; the first is anyone's.
    client: Option<Client>,
    since: Instant,
    is_consumed: bool,
}

impl Tokens {
    pub(super) fn new(now: Instant) -> Self {
        let first = Refresh { token: REFRESH_TOKEN.into(), client: None, since: now, is_consumed: false };
        let seed =
            ring::rand::generate::<[u8; 16]>(&SystemRandom::new()).map(|seed| u128::from_ne_bytes(seed.expose()));
        Self { seed: seed.unwrap_or_default(), access: Vec::new(), refresh: vec![first], device_codes: 0, exchanges: 0 }
    }

    pub(super) fn exchanges(&self) -> usize {
        self.exchanges
    }

    pub(super) fn current(&self) -> &str {
        let good = self.refresh.iter().rev().find(|refresh| !refresh.is_consumed);
        good.map_or("", |refresh| &refresh.token)
    }

    /// Whether an access token is still good, which is asked once for each request.
    pub(super) fn admit(&mut self, token: &str, script: &IdentityScript, now: Instant) -> Entry {
        let Some(access) = self.access.iter_mut().find(|access| access.token == token) else {
            return Entry::Refused("EPM sandbox: nobody gave out this token");
        };
        access.served = access.served.saturating_add(1);
        let is_used_up = script.access_serves.is_some_and(|most| access.served > most);
        // The text of an expired one is Oracle's. // epm-api.md §3.5
        if is_used_up || is_over(access.since, script.access_lasts, now) {
            return Entry::Refused("Token Expired");
        }
        Entry::LetIn
    }

    /// Takes a refresh token, with Oracle's words for one that was consumed or has expired. // epm-api.md §5.2
    pub(super) fn exchange(
        &mut self,
        token: &str,
        client: Client,
        script: &IdentityScript,
        now: Instant,
    ) -> Result<(), Refusal> {
        let refused = |why: &str| Err(Refusal::of("invalid_grant", why));
        let Some(refresh) = self.refresh.iter_mut().find(|refresh| refresh.token == token) else {
            return refused("EPM sandbox: nobody gave out this refresh token");
        };
        if refresh.client.is_some_and(|owner| owner != client) {
            return refused("EPM sandbox: the refresh token is another client's");
        }
        if refresh.is_consumed {
            return refused("The token has already been consumed");
        }
        if is_over(refresh.since, script.refresh_lasts, now) {
            return refused(&format!("Token is expired for client : {}", client.id()));
        }
        refresh.is_consumed = script.rotates;
        self.exchanges += 1;
        Ok(())
    }

    /// Hands out an access token, and a refresh token where there is to be one.
    pub(super) fn issue(&mut self, client: Client, script: &IdentityScript, refreshes: bool, now: Instant) -> Value {
        let access = self.access(now);
        let seconds = script.access_lasts.as_secs();
        let mut tokens = json!({"access_token": access, "token_type": "Bearer", "expires_in": seconds});
        if refreshes {
            let refresh = self.token("refresh", self.refresh.len());
            tokens["refresh_token"] = refresh.as_str().into();
            self.refresh.push(Refresh { token: refresh, client: Some(client), since: now, is_consumed: false });
        }
        tokens
    }

    /// An access token alone.
    pub(super) fn access(&mut self, now: Instant) -> String {
        let token = self.token("access", self.access.len() + 1);
        self.access.push(Access { token: token.clone(), since: now, served: 0 });
        token
    }

    pub(super) fn device_code(&mut self) -> String {
        self.device_codes += 1;
        self.token("device", self.device_codes)
    }

    /// A token of a kind: 44 characters of base64 behind its number, some of which a form has to encode.
    fn token(&self, kind: &str, number: usize) -> String {
        let hash = digest(&SHA256, format!("{} {kind} {number}", self.seed).as_bytes());
        format!("sbx-{kind}-{number}-{}", BASE64_STANDARD.encode(hash))
    }
}

fn is_over(since: Instant, lasts: Duration, now: Instant) -> bool {
    now.saturating_duration_since(since) >= lasts
}
