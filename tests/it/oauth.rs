//! OAuth 2.0: tokens are had at the identity service, as many as are needed, and no refresh token is ever lost.

mod flight;
mod refused;
mod rotation;
mod usage;
mod waiting;

use epm_sandbox::{CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID, JWT_KEY_PKCS1, JWT_KEY_PKCS8, Sandbox};

use crate::harness::{Gate, playing, shipped};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

/// The grants that were used, in order.
fn grants(sandbox: &Sandbox) -> Vec<String> {
    sandbox.token_requests().into_iter().filter_map(|request| request.grant).collect()
}

const ASSERTION: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

#[test]
fn a_refresh_token_lets_a_run_in_and_nothing_but_its_token_is_shown() {
    let sandbox = shipped("quick-success");
    let ran = Gate::exchanging(&sandbox).on_github().run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!((sandbox.exchanges(), sandbox.refused_logins()), (1, 0));
    assert_eq!(grants(&sandbox), ["refresh_token"]);
}

#[test]
fn a_confidential_client_shows_its_secret() {
    let sandbox = shipped("quick-success");
    let gate = Gate::exchanging(&sandbox).set("EPM_CLIENT_ID", CONFIDENTIAL_CLIENT_ID);
    let ran = gate.set("EPM_CLIENT_SECRET", CLIENT_SECRET).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let gate = Gate::exchanging(&sandbox).set("EPM_CLIENT_ID", CONFIDENTIAL_CLIENT_ID);
    let secret = gate.file("given-secret", format!("{CLIENT_SECRET}\n"));
    let ran = gate.set("EPM_CLIENT_SECRET_FILE", secret).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}

#[test]
fn an_assertion_lets_a_run_in_with_a_key_of_either_kind() {
    // One line, as a variable that holds no line ends has it.
    let one_line = |key: &str, end: &str| key.trim().replace('\n', end);
    let keys = [
        JWT_KEY_PKCS8.to_owned(),
        JWT_KEY_PKCS1.to_owned(),
        JWT_KEY_PKCS8.replace('\n', "\r\n"),
        one_line(JWT_KEY_PKCS8, "\\n"),
        one_line(JWT_KEY_PKCS1, " "),
    ];
    for key in keys {
        let sandbox = shipped("quick-success");
        let ran = Gate::asserting(&sandbox).set("EPM_JWT_KEY", key).run(RUN);
        assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
        assert_eq!(grants(&sandbox), [ASSERTION]);
    }
    let sandbox = shipped("quick-success");
    let gate = Gate::asserting(&sandbox).unset("EPM_JWT_KEY");
    let key = gate.file("given-key.pem", JWT_KEY_PKCS1);
    let ran = gate.set("EPM_JWT_KEY_FILE", key).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}

#[test]
fn the_audience_of_an_assertion_can_be_given() {
    let sandbox = shipped("quick-success");
    let ran = Gate::asserting(&sandbox).set("EPM_JWT_AUDIENCE", "https://identity.oraclecloud.com/").run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let ran = Gate::asserting(&sandbox).set("EPM_JWT_AUDIENCE", "https://elsewhere.example.com").run(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
}

#[test]
fn several_jobs_share_one_token() {
    let jobs = [1, 2, 3].map(|id| format!("[[job]]\nid = {id}\nexists = true\npolls = [{{ status = 0 }}]\n"));
    let sandbox = playing(&jobs.concat());
    let ran = Gate::exchanging(&sandbox).run(["attach", "1", "2", "3"]);
    assert_eq!((ran.code, sandbox.exchanges()), (0, 1), "{ran:?}");
}

#[test]
fn the_host_of_the_identity_service_alone_is_understood() {
    let sandbox = shipped("quick-success");
    let ran = Gate::exchanging(&sandbox).set("EPM_TOKEN_URL", sandbox.url()).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}

#[test]
fn no_secret_is_shown_at_any_verbosity() {
    for flag in ["--quiet", "--verbose"] {
        let sandbox = playing("[identity]\naccess_serves = 4\n[[job]]\npolls = [{ times = 9 }, { status = 1 }]\n");
        let run = || [RUN.as_slice(), &[flag, "--timeout", "10s"]].concat();
        // The harness looks through every byte.
        assert_eq!(Gate::exchanging(&sandbox).unset("EPM_SUMMARY").run(run()).code, 10);
        assert_eq!(Gate::asserting(&sandbox).unset("EPM_SUMMARY").run(run()).code, 10);
    }
}

#[test]
fn a_dry_run_exchanges_nothing() {
    let sandbox = shipped("quick-success");
    let ran = Gate::exchanging(&sandbox).run([RUN.as_slice(), &["--dry-run"]].concat());
    assert_eq!((ran.code, sandbox.exchanges()), (0, 0), "{ran:?}");
}

#[test]
fn an_attach_by_hand_is_told_the_same_way_in() {
    let sandbox = shipped("never-ends");
    let ran = Gate::exchanging(&sandbox).run([RUN.as_slice(), &["--timeout", "1s"]].concat());
    assert_eq!(ran.end(), (20, "timed-out"), "{ran:?}");
    ran.mentions(&["--token-url", "--client-id", "--refresh-token-file"]);
}
