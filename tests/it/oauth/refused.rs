//! Each refusal of the identity service has its own advice, and nothing is submitted.

use epm_sandbox::{CONFIDENTIAL_CLIENT_ID, JWT_KEY_PKCS8};

use super::RUN;
use crate::harness::{Gate, Ran, playing, shipped};

const QUICK: &str = "[[job]]\npolls = [{ status = 0 }]\n";

/// The run of a gate that is not let in.
fn denied(identity: &str, change: impl FnOnce(Gate) -> Gate) -> Ran {
    let sandbox = playing(&format!("{identity}\n{QUICK}"));
    let ran = change(Gate::exchanging(&sandbox)).on_github().run(RUN);
    assert_eq!((ran.end(), ran.output("submitted")), ((30, "access-denied"), "no"), "{ran:?}");
    assert_eq!(sandbox.posts(), 0);
    ran
}

#[test]
fn a_token_that_was_consumed_already() {
    let sandbox = shipped("quick-success");
    let old = sandbox.refresh_token();
    let mut gate = Gate::exchanging(&sandbox);
    assert_eq!(gate.run_again(RUN).code, 0);
    gate.file("given-token", old);
    let ran = gate.run(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    ran.mentions(&[
        "the refresh token in `",
        "given-token` has already been consumed",
        "hint: ",
        "epm-gate login",
        "no two places",
    ]);
    assert!(!ran.stderr.contains("cut short"), "{}", ran.stderr);
}

#[test]
fn a_token_that_has_expired() {
    let ran = denied("[identity]\nrefresh_lasts = '0s'", |gate| gate);
    ran.mentions(&["given-token` has expired", "hint: ", "epm-gate login --renew", "7 days"]);
}

#[test]
fn a_client_that_is_not_known_or_keeps_its_secret_to_itself() {
    for client in ["nobody", CONFIDENTIAL_CLIENT_ID] {
        let ran = denied("", |gate| gate.set("EPM_CLIENT_ID", client));
        ran.mentions(&["`invalid_client`", "hint: ", "--client-id", "EPM_CLIENT_SECRET"]);
    }
}

#[test]
fn a_client_that_may_not_refresh() {
    let ran = denied("[identity]\nallows_refresh = false", |gate| gate);
    ran.mentions(&["`unauthorized_client`", "hint: ", "Allow token refresh"]);
}

#[test]
fn a_token_for_another_audience_costs_no_second_exchange() {
    let sandbox = playing(&format!("[identity]\naudience = 'wrong'\n{QUICK}"));
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    ran.mentions(&["Token Audience", "hint: ", "secondary audience"]);
    assert_eq!((sandbox.exchanges(), sandbox.posts()), (1, 0));
}

#[test]
fn a_token_that_another_service_says_no_more_of_than_that_it_is_invalid() {
    let body = r#"{"error":"invalid_grant","error_description":"grant request is invalid"}"#;
    let ran = denied(&format!("[identity]\nreplies = [{{ http = 400, body = '{body}' }}]"), |gate| gate);
    ran.mentions(&["given-token` is not accepted", "`grant request is invalid`", "hint: ", "epm-gate login"]);
}

#[test]
fn an_assertion_that_is_not_accepted() {
    let sandbox = shipped("quick-success");
    let ran = Gate::asserting(&sandbox).set("EPM_JWT_SUBJECT", "somebody").run(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    ran.mentions(&["does not accept the assertion", "hint: ", "--jwt-key-id", "--jwt-subject", "--jwt-audience"]);
}

#[test]
fn any_other_refusal_in_its_own_words() {
    let body = r#"{"error":"invalid_scope","error_description":"Scope `x` is bad::error::"}"#;
    let ran = denied(&format!("[identity]\nreplies = [{{ http = 400, body = '{body}' }}]"), |gate| gate);
    ran.mentions(&["HTTP 400", "`invalid_scope`", "Scope 'x' is bad", "hint: ", "--token-url"]);
}

#[test]
fn a_redirect_and_a_page_are_no_tokens() {
    let ran =
        denied("[identity]\nreplies = [{ http = 302, headers = { Location = 'https://x.invalid/' } }]", |gate| gate);
    ran.mentions(&["HTTP 302", "--token-url"]);
    let sandbox = playing(&format!(
        "[identity]\nreplies = [{{ http = 200, body = '<html>', content_type = 'text/html' }}]\n{QUICK}"
    ));
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    ran.mentions(&["without a token", "hint: ", "--token-url"]);
}

#[test]
fn a_clock_that_is_wrong_is_told_from_a_key_that_is() {
    let sandbox = playing(&format!("clock = '-20m'\n{QUICK}"));
    let ran = Gate::asserting(&sandbox).run(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    ran.mentions(&["hint: ", "clock"]);
    let sandbox = shipped("quick-success");
    let ran = Gate::asserting(&sandbox).set("EPM_JWT_KEY_ID", "another").run(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    assert!(!ran.stderr.contains("clock"), "{}", ran.stderr);
    assert_eq!(sandbox.posts(), 0);
}

#[test]
fn what_the_identity_service_sends_back_of_a_secret_is_masked() {
    let sandbox = playing(QUICK);
    let token = sandbox.refresh_token();
    let body = format!(r#"{{"error":"invalid_grant","error_description":"what is {token}?"}}"#);
    let sandbox = playing(&format!("[identity]\nreplies = [{{ http = 400, body = '{body}' }}]\n{QUICK}"));
    let ran = Gate::exchanging(&sandbox).set("EPM_VERBOSE", "true").run(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    ran.mentions(&["what is ***?"]);
}

#[test]
fn a_key_that_signs_nothing_is_refused_before_anything_is_sent() {
    let cases = [
        ("no key at all", "holds no private key"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n", "is encrypted"),
        ("-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----\n", "not an RSA key"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", "cannot be used"),
    ];
    for (key, problem) in cases {
        let sandbox = shipped("quick-success");
        let ran = Gate::asserting(&sandbox).set("EPM_JWT_KEY", key).run(RUN);
        assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
        ran.mentions(&["`EPM_JWT_KEY`", problem, "hint: "]);
        assert!(sandbox.token_requests().is_empty());
    }
    assert!(JWT_KEY_PKCS8.starts_with("-----BEGIN PRIVATE KEY-----"));
}
