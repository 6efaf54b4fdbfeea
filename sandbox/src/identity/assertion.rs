//! Does an assertion speak for the user? // RFC 7523 §3, epm-api.md §5.2

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::client::Client;
use super::refusal::Refusal;
use crate::login::DOMAIN;

/// The alias of the certificate that belongs to [`JWT_KEY_PKCS8`].
pub const JWT_KEY_ID: &str = "sandbox-key";

/// The private key that an assertion is signed with. Everyone has it: it protects nothing.
pub const JWT_KEY_PKCS8: &str = include_str!("../../keys/jwt-key.pkcs8.pem");

/// The key of [`JWT_KEY_PKCS8`] once more, as older tools write it.
pub const JWT_KEY_PKCS1: &str = include_str!("../../keys/jwt-key.pkcs1.pem");

/// What is checked with: the public half of that key.
const PUBLIC_KEY: &str = include_str!("../../keys/jwt-public.pem");

/// An audience that is said to be wanted by some, beside the address of the token endpoint. // epm-api.md §5.2
const AUDIENCE: &str = "https://identity.oraclecloud.com/";

/// How far two clocks may be apart, in seconds.
const LEEWAY: i64 = 60;

/// What an assertion has to say.
pub(super) struct Expected<'a> {
    pub(super) client: Client,
    pub(super) username: &'a str,
    /// The token endpoint, as it was asked.
    pub(super) url: &'a str,
    pub(super) clock: SystemTime,
}

impl Expected<'_> {
    /// Gives back the assertion's `jti`.
    pub(super) fn verify(&self, assertion: &str) -> Result<String, Refusal> {
        let (signed, signature) = assertion.rsplit_once('.').ok_or_else(|| refused("it is no JWT"))?;
        let (header, claims) = signed.split_once('.').ok_or_else(|| refused("it is no JWT"))?;
        let (header, claims) = (part(header)?, part(claims)?);
        let jti = claims["jti"].as_str().unwrap_or_default();
        let flaws = [
            (header["alg"] != "RS256", "its `alg` is not RS256"),
            (header["kid"] != JWT_KEY_ID, "its `kid` is no certificate of this client"),
            (!is_signed(signed, signature), "its signature is wrong"),
            (claims["iss"] != self.client.id(), "its `iss` is not the client"),
            (!self.is_user(&claims["sub"]), "its `sub` is no user"),
            (!self.is_audience(&claims["aud"]), "its `aud` is neither this endpoint nor the identity service"),
            (!self.has_begun(&claims["iat"]), "its `iat` is missing, or in the future"),
            (!self.is_on(&claims["exp"]), "its `exp` is missing, or past"),
            (jti.is_empty(), "its `jti` is missing"),
        ];
        match flaws.iter().find(|(is_flawed, _)| *is_flawed) {
            Some((_, flaw)) => Err(refused(flaw)),
            None => Ok(jti.to_owned()),
        }
    }

    fn is_user(&self, sub: &Value) -> bool {
        sub.as_str().is_some_and(|sub| sub == self.username || sub == format!("{DOMAIN}.{}", self.username))
    }

    /// The audience is one, or several. // RFC 7519 §4.1.3
    fn is_audience(&self, aud: &Value) -> bool {
        let fits = |aud: &Value| aud == self.url || aud == AUDIENCE;
        aud.as_array().map_or_else(|| fits(aud), |several| several.iter().any(fits))
    }

    fn has_begun(&self, iat: &Value) -> bool {
        iat.as_i64().is_some_and(|iat| iat.saturating_sub(LEEWAY) <= self.seconds())
    }

    fn is_on(&self, exp: &Value) -> bool {
        exp.as_i64().is_some_and(|exp| exp.saturating_add(LEEWAY) > self.seconds())
    }

    fn seconds(&self) -> i64 {
        let since = self.clock.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }
}

fn part(encoded: &str) -> Result<Value, Refusal> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(encoded).ok();
    let value = json.and_then(|json| serde_json::from_slice(&json).ok());
    value.ok_or_else(|| refused("a part of it is not JSON in unpadded base64url"))
}

fn is_signed(signed: &str, signature: &str) -> bool {
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_key());
    BASE64_URL_SAFE_NO_PAD.decode(signature).is_ok_and(|signature| key.verify(signed.as_bytes(), &signature).is_ok())
}

/// The DER in the PEM.
fn public_key() -> Vec<u8> {
    let lines = PUBLIC_KEY.lines().filter(|line| !line.starts_with('-'));
    BASE64_STANDARD.decode(lines.collect::<String>()).unwrap_or_default()
}

fn refused(why: &str) -> Refusal {
    Refusal::of("invalid_grant", format!("EPM sandbox: the assertion is refused: {why}"))
}
