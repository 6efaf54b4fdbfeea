//! A JWT that speaks for the user. // RFC 7523

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use epm_sandbox::{
    CLIENT_ID, CONFIDENTIAL_CLIENT_ID, DOMAIN, JWT_KEY_ID, JWT_KEY_PKCS1, JWT_KEY_PKCS8, SCOPE, Sandbox, USERNAME,
};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use crate::harness::{Answer, ask, confidential, look, playing, post_form, refusal, usual};

const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
/// The address under which the harness asks.
const URL: &str = "http://pod.example/oauth2/v1/token";

fn der(pem: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

fn key() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&der(JWT_KEY_PKCS8)).unwrap()
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn claims(jti: &str) -> Value {
    let (iat, exp) = (now(), now() + 300);
    json!({"iss": CONFIDENTIAL_CLIENT_ID, "sub": USERNAME, "aud": URL, "iat": iat, "exp": exp, "jti": jti})
}

fn header() -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": JWT_KEY_ID})
}

fn jwt(header: &Value, claims: &Value, key: &RsaKeyPair) -> String {
    let encoded = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn present(sandbox: &Sandbox, assertion: &str, scope: &str) -> Answer {
    let fields = [GRANT, ("assertion", assertion), ("scope", scope)];
    post_form(sandbox, "/oauth2/v1/token", &confidential(), &fields)
}

/// The claims, one of them changed.
fn but(key: &str, value: impl Into<Value>) -> Value {
    let mut claims = claims("but");
    claims[key] = value.into();
    claims
}

#[test]
fn an_assertion_gets_an_access_token_and_a_refresh_token_where_asked() {
    let sandbox = usual();
    for (jti, scope, refreshes) in [("1", "urn:opc:idm:__myscopes__", false), ("2", SCOPE, true)] {
        let tokens = present(&sandbox, &jwt(&header(), &claims(jti), &key()), scope).json();
        assert_eq!(look(&sandbox, tokens["access_token"].as_str().unwrap()).http(), 200);
        assert_eq!(tokens.get("refresh_token").is_some(), refreshes, "{scope}");
    }
}

#[test]
fn both_spellings_of_the_key_are_one() {
    let other = RsaKeyPair::from_der(&der(JWT_KEY_PKCS1)).unwrap();
    assert_eq!(present(&usual(), &jwt(&header(), &claims("1"), &other), SCOPE).http(), 200);
}

#[test]
fn what_may_be_said_in_several_ways_is_taken_in_each() {
    let identity = "https://identity.oraclecloud.com/";
    for claims in [
        but("sub", format!("{DOMAIN}.{USERNAME}")),
        but("aud", identity),
        but("aud", json!(["https://other.example", URL])),
        but("iat", now() + 30),
        but("exp", now() - 30),
    ] {
        let answer = present(&usual(), &jwt(&header(), &claims, &key()), SCOPE);
        assert_eq!(answer.http(), 200, "{claims}: {answer:?}");
    }
}

#[test]
fn a_flaw_is_told_by_name() {
    let sandbox = usual();
    let good = jwt(&header(), &claims("good"), &key());
    let (signed, _) = good.rsplit_once('.').unwrap();
    let of = |claims: Value| jwt(&header(), &claims, &key());
    for (assertion, flaw) in [
        (of(but("iss", CLIENT_ID)), "`iss`"),
        (of(but("sub", "somebody@example.com")), "`sub`"),
        (of(but("aud", "https://other.example")), "`aud`"),
        (of(but("iat", now() + 90)), "`iat`"),
        (of(but("iat", "now")), "`iat`"),
        (of(but("exp", now() - 90)), "`exp`"),
        (of(but("jti", Value::Null)), "`jti`"),
        (jwt(&json!({"alg": "RS256", "kid": "other"}), &claims("k"), &key()), "`kid`"),
        (jwt(&json!({"alg": "none", "kid": JWT_KEY_ID}), &claims("k"), &key()), "`alg`"),
        (format!("{signed}.AAAA"), "signature"),
        (format!("{good}="), "signature"),
        ("x".into(), "no JWT"),
        ("x.y.z".into(), "not JSON"),
    ] {
        let (http, error, why) = refusal(&present(&sandbox, &assertion, SCOPE));
        assert_eq!((http, error.as_str()), (400, "invalid_grant"), "{why}");
        assert!(why.contains(flaw), "{flaw}: {why}");
    }
}

#[test]
fn an_assertion_is_taken_once() {
    let sandbox = usual();
    let assertion = jwt(&header(), &claims("once"), &key());
    assert_eq!(present(&sandbox, &assertion, SCOPE).http(), 200);
    assert!(refusal(&present(&sandbox, &assertion, SCOPE)).2.contains("`jti`"));
}

#[test]
fn the_issuer_is_the_client_that_asks() {
    let assertion = jwt(&header(), &but("iss", CLIENT_ID), &key());
    assert_eq!(ask(&usual(), &[GRANT, ("assertion", &assertion)]).http(), 200);
}

#[test]
fn an_assertion_is_held_to_the_sandbox_s_clock() {
    for (clock, http) in [("-50s", 200), ("-7m", 400), ("+5m", 200), ("+7m", 400)] {
        let sandbox = playing(&format!("clock = '{clock}'\n[[job]]"));
        assert_eq!(present(&sandbox, &jwt(&header(), &claims("1"), &key()), SCOPE).http(), http, "{clock}");
    }
}
