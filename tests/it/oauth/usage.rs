//! Exactly one complete way to authenticate: half of one, or two, is named.

use epm_sandbox::{JWT_KEY_PKCS8, REFRESH_TOKEN};

use super::RUN;
use crate::harness::{Gate, shipped};

type Variables = &'static [(&'static str, &'static str)];

const TOKEN_URL: (&str, &str) = ("EPM_TOKEN_URL", "https://idcs.example.com/oauth2/v1/token");
const CLIENT: (&str, &str) = ("EPM_CLIENT_ID", "client");
const REFRESH: (&str, &str) = ("EPM_REFRESH_TOKEN", REFRESH_TOKEN);
const KEY: (&str, &str) = ("EPM_JWT_KEY", JWT_KEY_PKCS8);

#[test]
fn what_is_missing_or_doubled_is_named() {
    let table: &[(Variables, &[&str])] = &[
        (&[REFRESH], &["`EPM_REFRESH_TOKEN`", "no token URL", "--token-url"]),
        (&[REFRESH, TOKEN_URL], &["`EPM_REFRESH_TOKEN`", "no client id", "--client-id"]),
        (&[TOKEN_URL, CLIENT], &["`EPM_TOKEN_URL`", "no refresh token and no JWT key"]),
        (&[CLIENT], &["`EPM_CLIENT_ID`", "no refresh token and no JWT key"]),
        (&[("EPM_CLIENT_SECRET", "s")], &["`EPM_CLIENT_SECRET`", "no refresh token and no JWT key"]),
        (&[KEY, TOKEN_URL, CLIENT], &["`EPM_JWT_KEY`", "no key id", "--jwt-key-id"]),
        (&[KEY, TOKEN_URL, CLIENT, ("EPM_JWT_KEY_ID", "k")], &["`EPM_JWT_KEY`", "no subject", "--jwt-subject"]),
        (&[("EPM_JWT_SUBJECT", "bob"), TOKEN_URL, CLIENT], &["`EPM_JWT_SUBJECT`", "no private key", "EPM_JWT_KEY"]),
        (&[("EPM_USERNAME", "bob"), REFRESH], &["two ways", "user and password (`EPM_USERNAME`)", "a refresh token"]),
        (&[("EPM_ACCESS_TOKEN", "t"), REFRESH, TOKEN_URL], &["two ways", "an access token", "a refresh token"]),
        (&[KEY, REFRESH], &["two ways", "a refresh token", "a JWT user assertion"]),
        (&[("EPM_ACCESS_TOKEN", "t"), CLIENT], &["two ways", "an access token", "an application"]),
        (&[("EPM_USERNAME", "b"), ("EPM_PASSWORD", "p"), TOKEN_URL], &["two ways", "`EPM_TOKEN_URL`"]),
        (&[REFRESH, CLIENT, ("EPM_TOKEN_URL", "idcs.example.com")], &["`EPM_TOKEN_URL`", "begin with `https://`"]),
        (&[REFRESH, CLIENT, ("EPM_TOKEN_URL", "http://idcs.example.com/t")], &["`EPM_TOKEN_URL`", "plain `http`"]),
        (&[REFRESH, CLIENT, ("EPM_TOKEN_URL", "https://a:hush@b/t")], &["`EPM_TOKEN_URL`", "has a user in it"]),
        (&[REFRESH, ("EPM_REFRESH_TOKEN_FILE", "x")], &["`EPM_REFRESH_TOKEN` is set as well"]),
        (
            &[("EPM_REFRESH_TOKEN_FILE", "none"), TOKEN_URL, CLIENT],
            &["`EPM_REFRESH_TOKEN_FILE`", "cannot read `none`", "epm-gate login"],
        ),
        (&[("EPM_ACCESS_TOKEN", "Bearer abc")], &["`EPM_ACCESS_TOKEN`", "begins with `Bearer `"]),
        (&[("EPM_ACCESS_TOKEN", "t"), ("HTTPS_PROXY", "$(proxy)")], &["`HTTPS_PROXY`", "placeholder"]),
        (&[("EPM_ACCESS_TOKEN", "t"), ("SSL_CERT_FILE", "${{ x }}")], &["`SSL_CERT_FILE`", "placeholder"]),
        (&[("EPM_REFRESH_TOKEN", "$(token)"), TOKEN_URL, CLIENT], &["`EPM_REFRESH_TOKEN`", "placeholder"]),
    ];
    for (variables, problems) in table {
        let ran = Gate::nowhere().set("EPM_URL", "https://epm.example.com").set_all(variables).run(RUN);
        assert_eq!(ran.end(), (2, "usage"), "{variables:?}: {ran:?}");
        ran.mentions(&["error: ", "hint: "]);
        ran.mentions(problems);
        assert!(!ran.stderr.contains("hush"), "{}", ran.stderr);
    }
}

#[test]
fn no_flag_takes_a_secret() {
    for flag in ["--refresh-token", "--client-secret", "--jwt-key", "--access-token", "--password"] {
        let ran = Gate::against(&shipped("succeeds")).run([RUN.as_slice(), &[flag, "x"]].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
    }
}

#[test]
fn an_output_does_not_overwrite_a_secret() {
    let sandbox = shipped("succeeds");
    let gate = Gate::exchanging(&sandbox);
    let file = gate.path("given-token");
    let ran = gate.set("EPM_JUNIT", file).run(RUN);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.mentions(&["refresh-token-file"]);
    assert!(sandbox.token_requests().is_empty());
}
