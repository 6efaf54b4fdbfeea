//! A token in flight is a dead credential if nobody catches it: no deadline and no first signal ends an exchange, and one
//! that was killed says so at the next start.

use super::RUN;
use crate::harness::{Gate, playing, text_of};

const SLOW: &str = "[identity]\nreplies = [{ delay = '1500ms' }, {}]\n[[job]]\npolls = [{ status = 0 }]\n";

#[test]
fn a_deadline_ends_the_run_and_not_the_exchange() {
    let sandbox = playing(SLOW);
    let mut gate = Gate::exchanging(&sandbox);
    let ran = gate.run_again([RUN.as_slice(), &["--timeout", "500ms"]].concat());
    assert_eq!((ran.end(), ran.output("submitted")), ((31, "unreachable"), "no"), "{ran:?}");
    assert_eq!((sandbox.exchanges(), sandbox.posts()), (1, 0));
    assert_eq!(text_of(&gate.path("given-token")).trim(), sandbox.refresh_token());
    let ran = gate.run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}

#[test]
fn a_first_signal_ends_the_run_and_not_the_exchange() {
    let sandbox = playing(SLOW);
    let mut running = Gate::exchanging(&sandbox).start(RUN);
    running.until("the exchange is under way", || sandbox.exchanges() == 1);
    running.signal("TERM");
    let (ran, dir) = running.finish_and_keep();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    assert_eq!(text_of(&dir.path().join("given-token")).trim(), sandbox.refresh_token());
    assert_eq!(sandbox.posts(), 0);
}

#[test]
fn a_poll_that_gives_up_does_not_end_the_exchange() {
    let sandbox = playing(SLOW);
    let mut gate = Gate::exchanging(&sandbox);
    let ran = gate.run_again([RUN.as_slice(), &["--request-timeout", "200ms"]].concat());
    assert_eq!((ran.end(), sandbox.exchanges()), ((0, "succeeded"), 1), "{ran:?}");
    assert_eq!(text_of(&gate.path("given-token")).trim(), sandbox.refresh_token());
}

#[test]
fn a_kill_between_the_answer_and_its_file_is_explained_by_the_next_start() {
    let sandbox = playing("[identity]\nreplies = [{ fault = 'hang' }, {}]\n[[job]]\npolls = [{ status = 0 }]\n");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, sandbox.refresh_token()).unwrap();
    let gate = || Gate::exchanging(&sandbox).set("EPM_REFRESH_TOKEN_FILE", &file);
    let mut running = gate().start(RUN);
    running.until("the token is consumed", || sandbox.exchanges() == 1);
    running.kill();
    for _ in 0..2 {
        let ran = gate().run(RUN);
        assert_eq!((ran.end(), ran.output("submitted")), ((30, "access-denied"), "no"), "{ran:?}");
        ran.mentions(&["already been consumed: an exchange that began at 2", "cut short", "hint: ", "epm-gate login"]);
    }
    std::fs::write(&file, sandbox.refresh_token()).unwrap();
    let ran = gate().run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}

#[test]
fn a_service_that_names_no_reason_has_it_explained_too() {
    let body = r#"{"error":"invalid_grant","error_description":"grant request is invalid"}"#;
    let sandbox = playing(&format!(
        "[identity]\nreplies = [{{ fault = 'reset-after' }}, {{ http = 400, body = '{body}' }}]\n[[job]]\n"
    ));
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    ran.mentions(&["is not accepted", "an exchange that began at 2", "cut short"]);
}

#[test]
fn an_answer_that_never_came_is_asked_for_again_and_explained() {
    for fault in ["reset-after", "half-body"] {
        let sandbox = playing(&format!(
            "[identity]\nreplies = [{{ fault = '{fault}' }}, {{}}]\n[[job]]\npolls = [{{ status = 0 }}]\n"
        ));
        let ran = Gate::exchanging(&sandbox).run(RUN);
        assert_eq!(ran.end(), (30, "access-denied"), "{fault}: {ran:?}");
        ran.mentions(&["already been consumed: an exchange that began at 2", "cut short"]);
    }
}

#[test]
fn a_request_that_never_arrived_has_used_nothing_up() {
    let sandbox =
        playing("[identity]\nreplies = [{ fault = 'reset-before' }, {}]\n[[job]]\npolls = [{ status = 0 }]\n");
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!((ran.end(), sandbox.exchanges()), ((0, "succeeded"), 1), "{ran:?}");
}

/// Nothing looks before the submit, so that it is the submit which needs a token first.
const BLIND: [&str; 5] = ["run", "--job-name", "GLDATA", "--look", "off"];

#[test]
fn nothing_is_submitted_after_a_signal_that_comes_before_the_token() {
    let sandbox = playing(SLOW);
    let mut running = Gate::exchanging(&sandbox).start(BLIND);
    running.until("the exchange is under way", || sandbox.exchanges() == 1);
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!((ran.end(), ran.output("submitted")), ((143, "interrupted"), "no"), "{ran:?}");
    assert_eq!(sandbox.posts(), 0);
}

#[test]
fn a_token_that_comes_late_leaves_no_doubt_behind() {
    let sandbox = playing(SLOW);
    let ran = Gate::exchanging(&sandbox).run([&BLIND[..], &["--timeout", "1600ms"]].concat());
    assert_eq!((ran.end(), ran.output("submitted")), ((31, "unreachable"), "no"), "{ran:?}");
    assert_eq!(sandbox.posts(), 0);
}

#[test]
fn a_signal_during_the_renewal_of_a_refused_submit_leaves_the_ledger_without_doubt() {
    let sandbox = playing(
        "[identity]\nreplies = [{}, { delay = '1500ms' }, {}]\n[[job]]\nsubmit = [{ http = 401 }, {}]\n\
         polls = [{ status = 0 }]\n",
    );
    let dir = tempfile::tempdir().unwrap();
    let gate = || {
        let gate = Gate::exchanging(&sandbox).set("EPM_LEDGER", dir.path().join("ledger.json"));
        gate.set("EPM_LEDGER_KEY", "close")
    };
    let mut running = gate().start(RUN);
    running.until("the second exchange is under way", || sandbox.exchanges() == 2);
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!((ran.end(), ran.output("submitted")), ((143, "interrupted"), "no"), "{ran:?}");
    let ran = gate().run(RUN);
    assert_eq!((ran.end(), sandbox.taken()), ((0, "succeeded"), 1), "{ran:?}");
}
