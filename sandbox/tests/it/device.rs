//! The device flow. // RFC 8628

use epm_sandbox::{CLIENT_ID, CONFIDENTIAL_CLIENT_ID, SCOPE, Sandbox};

use crate::harness::{Answer, ask, confidential, look, playing, post_form, refusal};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn identity(keys: &str) -> Sandbox {
    playing(&format!("[identity]\n{keys}\n[[job]]"))
}

fn code(sandbox: &Sandbox, scope: &str) -> Answer {
    let fields = [("response_type", "device_code"), ("scope", scope), ("client_id", CLIENT_ID)];
    post_form(sandbox, "/oauth2/v1/device", "", &fields)
}

fn poll(sandbox: &Sandbox, code: &str) -> Answer {
    ask(sandbox, &[("grant_type", GRANT), ("device_code", code)])
}

/// What the polls of a device come to: the error, or nothing.
fn polls<const N: usize>(keys: &str) -> [String; N] {
    let sandbox = identity(keys);
    let code = code(&sandbox, SCOPE).json()["device_code"].as_str().unwrap().to_owned();
    [(); N].map(|()| refusal(&poll(&sandbox, &code)).1)
}

#[test]
fn a_device_is_told_where_its_user_has_to_go() {
    let sandbox = identity("");
    let answer = code(&sandbox, SCOPE);
    let json = answer.json();
    assert!(json["device_code"].as_str().unwrap().starts_with("sbx-device-1-"));
    assert_eq!(json["user_code"], "SBXCODE1");
    assert_eq!(json["verification_uri"], "http://pod.example/ui/v1/device");
    assert_eq!((json["expires_in"].as_u64(), json["interval"].as_u64()), (Some(300), Some(1)));
    let silent = code(&identity("device_interval = 'none'"), SCOPE).json();
    assert!(silent.get("interval").is_none(), "{silent}");
}

#[test]
fn polls_hear_what_the_user_has_decided() {
    let keys = "device_interval = '0s'\ndevice = ['pending', 'slow-down', 'granted']";
    assert_eq!(polls(keys), ["authorization_pending", "slow_down", "", "invalid_grant"]);
    assert_eq!(polls("device_interval = '0s'\ndevice = ['denied']"), ["access_denied"]);
    assert_eq!(polls("device_interval = '0s'\ndevice = ['expired']"), ["expired_token"]);
    assert_eq!(polls("device_lasts = '0s'\ndevice = ['granted']"), ["expired_token"]);
}

#[test]
fn a_poll_that_comes_too_early_is_slowed_down() {
    assert_eq!(
        polls("device_interval = '1h'\ndevice = ['pending', 'granted']"),
        ["authorization_pending", "slow_down"]
    );
}

#[test]
fn a_refresh_token_is_handed_out_where_it_was_asked_for() {
    let sandbox = identity("device = ['granted']");
    for (scope, refreshes) in [(SCOPE, true), ("urn:opc:idm:__myscopes__", false)] {
        let code = code(&sandbox, scope).json();
        let tokens = poll(&sandbox, code["device_code"].as_str().unwrap()).json();
        assert_eq!(look(&sandbox, tokens["access_token"].as_str().unwrap()).http(), 200);
        assert_eq!(tokens.get("refresh_token").is_some(), refreshes, "{scope}");
    }
    assert_eq!(sandbox.token_requests()[0].grant.as_deref(), Some("device_code"));
    assert_eq!(sandbox.exchanges(), 0);
}

#[test]
fn a_confidential_client_proves_itself_when_it_polls() {
    let sandbox = identity("device = ['granted']");
    let fields = [("response_type", "device_code"), ("client_id", CONFIDENTIAL_CLIENT_ID)];
    let code = post_form(&sandbox, "/oauth2/v1/device", "", &fields).json();
    let code = code["device_code"].as_str().unwrap();
    assert_eq!(refusal(&poll(&sandbox, code)).1, "invalid_grant");
    let fields = [("grant_type", GRANT), ("device_code", code)];
    assert_eq!(post_form(&sandbox, "/oauth2/v1/token", &confidential(), &fields).http(), 200);
}

#[test]
fn a_request_for_a_code_names_its_client_and_its_type() {
    let sandbox = identity("");
    for (fields, http, error) in [
        (vec![("response_type", "device_code")], 401, "invalid_client"),
        (vec![("client_id", CLIENT_ID)], 400, "invalid_request"),
        (vec![("client_id", CLIENT_ID), ("response_type", "code")], 400, "invalid_request"),
    ] {
        let answer = refusal(&post_form(&sandbox, "/oauth2/v1/device", "", &fields));
        assert_eq!((answer.0, answer.1.as_str()), (http, error), "{fields:?}");
    }
}
