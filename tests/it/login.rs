//! `login`: a person lets us in, and the refresh token is kept; `login --renew` exchanges it ahead of its end.

use std::os::unix::fs::PermissionsExt;

use epm_sandbox::{CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID, Sandbox};

use crate::harness::{Gate, Ran, playing, shipped, text_of};

/// A gate that is to log in; nothing is in its token file yet.
fn login(sandbox: &Sandbox) -> Gate {
    let gate = Gate::nowhere().at_identity_service(sandbox);
    let file = gate.path("given-token");
    gate.set("EPM_REFRESH_TOKEN_FILE", file)
}

/// How it ended. It is about no job, so it must not pass for one: it touches no output.
fn ended(ran: &Ran) -> i32 {
    assert!(ran.files.is_empty() && ran.summary.is_empty(), "{ran:?}");
    ran.code
}

#[test]
fn a_person_is_shown_where_to_go_and_the_token_is_kept() {
    let sandbox =
        playing("[identity]\ndevice = ['pending', 'pending', 'granted']\n[[job]]\npolls = [{ status = 0 }]\n");
    let mut gate = login(&sandbox);
    let ran = gate.run_again(["login"]);
    assert_eq!(ended(&ran), 0, "{ran:?}");
    ran.mentions(&["open `http", "enter the code `", "the refresh token is in `"]);
    let path = gate.path("given-token");
    assert_eq!(text_of(&path).trim(), sandbox.refresh_token());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let ran = gate.set("EPM_URL", sandbox.url()).run(["run", "--job-name", "GLDATA"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}

#[test]
fn a_confidential_client_can_log_in_too() {
    let sandbox = playing("[identity]\ndevice = ['granted']\n");
    let gate = login(&sandbox).set("EPM_CLIENT_ID", CONFIDENTIAL_CLIENT_ID).set("EPM_CLIENT_SECRET", CLIENT_SECRET);
    let ran = gate.run(["login"]);
    assert_eq!(ended(&ran), 0, "{ran:?}");
}

#[test]
fn each_end_without_a_token_says_what_to_do() {
    let table = [
        ("device = ['denied']", 30, "denied access", "epm-gate login"),
        ("device = ['expired']", 30, "in time", "within its time"),
        ("device = ['pending']\ndevice_lasts = '1s'", 30, "in time", "within its time"),
        ("allows_refresh = false", 30, "unauthorized_client", "Allow token refresh"),
    ];
    for (identity, code, problem, help) in table {
        let sandbox = playing(&format!("[identity]\n{identity}\n"));
        let mut gate = login(&sandbox);
        let ran = gate.run_again(["login"]);
        assert_eq!(ran.code, code, "{identity}: {ran:?}");
        ran.mentions(&[problem, "hint: "]);
        assert!(ran.stderr.contains(help), "{identity}: {}", ran.stderr);
        assert!(!gate.path("given-token").exists());
    }
}

#[test]
fn a_login_mends_a_file_that_holds_no_token() {
    for content in ["", "\n", "two\nlines\n"] {
        let sandbox = playing("[identity]\ndevice = ['granted']\n");
        let mut gate = login(&sandbox);
        gate.file("given-token", content);
        let ran = gate.run_again(["login"]);
        assert_eq!(ended(&ran), 0, "{content:?}: {ran:?}");
        assert_eq!(text_of(&gate.path("given-token")).trim(), sandbox.refresh_token());
        assert!(!gate.path("given-token.room").exists());
    }
}

#[test]
fn a_login_that_goes_too_fast_slows_down() {
    let sandbox = playing("[identity]\ndevice = ['slow-down', 'granted']\ndevice_interval = '1s'\n");
    let ran = login(&sandbox).run(["login"]);
    assert_eq!(ended(&ran), 0, "{ran:?}");
}

#[test]
fn a_login_without_a_place_for_its_token_is_refused_before_anybody_logs_in() {
    let sandbox = playing("[identity]\n");
    let ran = login(&sandbox).set("EPM_REFRESH_TOKEN_FILE", "/proc/self/token").run(["login"]);
    assert_eq!(ended(&ran), 2, "{ran:?}");
    assert!(sandbox.token_requests().is_empty());
    let table = [
        ("EPM_REFRESH_TOKEN_FILE", "--refresh-token-file"),
        ("EPM_TOKEN_URL", "--token-url"),
        ("EPM_CLIENT_ID", "--client-id"),
    ];
    for (missing, flag) in table {
        let ran = login(&sandbox).unset(missing).run(["login"]);
        assert_eq!(ended(&ran), 2, "{ran:?}");
        ran.mentions(&[flag]);
    }
}

#[test]
fn a_login_ends_at_the_deadline_and_at_a_signal() {
    let sandbox = playing("[identity]\ndevice = ['pending']\n");
    let ran = login(&sandbox).set("EPM_TIMEOUT", "300ms").run(["login"]);
    assert_eq!(ended(&ran), 31, "{ran:?}");
    let mut running = login(&sandbox).start(["login"]);
    running.until_it_says("enter the code");
    running.signal("INT");
    let ran = running.finish();
    assert_eq!(ended(&ran), 130, "{ran:?}");
}

#[test]
fn a_renewal_exchanges_the_token_that_is_there() {
    let sandbox = shipped("succeeds");
    let mut gate = Gate::exchanging(&sandbox).unset("EPM_URL");
    let old = sandbox.refresh_token();
    let ran = gate.run_again(["login", "--renew"]);
    assert_eq!(ended(&ran), 0, "{ran:?}");
    ran.mentions(&["holds the next token"]);
    let kept = text_of(&gate.path("given-token"));
    assert_eq!((kept.trim(), sandbox.exchanges()), (sandbox.refresh_token().as_str(), 1));
    gate.file("given-token", old);
    let ran = gate.run(["login", "--renew"]);
    assert_eq!(ended(&ran), 30, "{ran:?}");
    ran.mentions(&["already been consumed"]);
}

#[test]
fn a_renewal_that_cannot_be_kept_does_not_pass() {
    let sandbox = playing("[identity]\nreplies = [{ delay = '1s' }]\n");
    let mut running = Gate::exchanging(&sandbox).start(["login", "--renew"]);
    running.until("the exchange is under way", || sandbox.exchanges() == 1);
    std::fs::remove_file(running.path("given-token.room")).unwrap();
    let ran = running.finish();
    assert_eq!(ended(&ran), 40, "{ran:?}");
    ran.mentions(&["is dead"]);
    let gate = Gate::exchanging(&sandbox);
    std::fs::create_dir(gate.path("given-token.room")).unwrap();
    let ran = gate.run(["login", "--renew"]);
    assert_eq!((ended(&ran), sandbox.exchanges()), (2, 1), "{ran:?}");
}

#[test]
fn a_file_that_another_gate_keeps_or_that_is_none_is_told_before_anybody_logs_in() {
    let sandbox = playing("[identity]\ndevice = ['granted']\n");
    let gate = login(&sandbox).set("EPM_TIMEOUT", "300ms");
    let lock = std::fs::File::create(gate.path("given-token.lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(ended(&gate.run(["login"])), 31);
    let gate = login(&sandbox);
    std::fs::create_dir(gate.path("given-token")).unwrap();
    let ran = gate.run(["login"]);
    assert_eq!(ended(&ran), 2, "{ran:?}");
    assert!(sandbox.token_requests().is_empty());
}

#[test]
fn a_renewal_waits_out_an_outage_and_finishes_what_is_in_flight() {
    let sandbox = playing("[identity]\nreplies = [{ http = 503, times = 2 }, { delay = '1s' }]\n");
    let mut running = Gate::exchanging(&sandbox).start(["login", "--renew"]);
    running.until("the exchange is under way", || sandbox.exchanges() == 1);
    running.signal("TERM");
    let (ran, dir) = running.finish_and_keep();
    assert_eq!(ended(&ran), 143, "{ran:?}");
    assert_eq!(text_of(&dir.path().join("given-token")).trim(), sandbox.refresh_token());
}
