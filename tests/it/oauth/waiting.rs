//! A job of many hours sees as many tokens as it needs, and no poll is lost to that.

use super::{RUN, grants};
use crate::harness::{Gate, playing};

#[test]
fn tokens_are_renewed_ahead_of_their_end() {
    let sandbox =
        playing("[identity]\naccess_lasts = '2s'\n[[job]]\npolls = [{ status = -1, lasts = '4s' }, { status = 0 }]\n");
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert!(sandbox.exchanges() >= 3, "{}", sandbox.exchanges());
    assert_eq!(sandbox.refused_logins(), 0);
}

#[test]
fn a_token_that_is_refused_is_renewed_and_the_poll_is_sent_again() {
    let sandbox =
        playing("[identity]\naccess_serves = 4\n[[job]]\npolls = [{ status = -1, times = 9 }, { status = 0 }]\n");
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert!(sandbox.exchanges() >= 3 && !ran.stderr.contains("asking again"), "{ran:?}");
}

#[test]
fn an_assertion_is_signed_anew_for_each_token() {
    let sandbox =
        playing("[identity]\naccess_serves = 4\n[[job]]\npolls = [{ status = -1, times = 9 }, { status = 0 }]\n");
    let ran = Gate::asserting(&sandbox).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert!(grants(&sandbox).len() >= 3);
}

#[test]
fn an_identity_service_that_is_down_for_a_while_is_an_outage() {
    let sandbox = playing(
        "[identity]\naccess_serves = 3\nreplies = [{}, { http = 503, times = 2 }, {}]\n[[job]]\n\
         polls = [{ status = -1, times = 3 }, { status = 0 }]\n",
    );
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.mentions(&["no access token for EPM", "identity service", "HTTP 503", "asking again"]);
}

#[test]
fn an_identity_service_that_stays_down_is_contact_lost() {
    let sandbox =
        playing("[identity]\naccess_serves = 3\nreplies = [{}, { http = 503 }]\n[[job]]\npolls = [{ status = -1 }]\n");
    let ran = Gate::exchanging(&sandbox).set("EPM_OUTAGE_BUDGET", "500ms").run(RUN);
    assert_eq!((ran.end(), ran.output("submitted")), ((21, "contact-lost"), "yes"), "{ran:?}");
    ran.mentions(&["identity service", "epm-gate attach"]);
}

#[test]
fn a_refusal_of_the_identity_service_is_access_lost() {
    let body = r#"{"error":"invalid_grant","error_description":"The token has already been consumed"}"#;
    let sandbox = playing(&format!(
        "[identity]\naccess_serves = 3\nreplies = [{{}}, {{ http = 400, body = '{body}' }}]\n[[job]]\n\
         polls = [{{ status = -1 }}]\n",
    ));
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!((ran.end(), ran.output("submitted")), ((22, "access-lost"), "yes"), "{ran:?}");
    ran.mentions(&["already been consumed", "epm-gate attach"]);
    // One is enough: what was consumed stays so.
    assert_eq!(sandbox.token_requests().len(), 2);
}

#[test]
fn an_identity_service_that_is_not_there_at_the_start_is_unreachable() {
    let sandbox = playing("[identity]\nreplies = [{ http = 503 }]\n[[job]]\n");
    let ran = Gate::exchanging(&sandbox).set("EPM_OUTAGE_BUDGET", "300ms").run(RUN);
    assert_eq!((ran.end(), ran.output("submitted")), ((31, "unreachable"), "no"), "{ran:?}");
    assert_eq!(sandbox.requests().len(), 0);
    let ran = Gate::exchanging(&sandbox).set("EPM_TOKEN_URL", "https://no-such-host.invalid/oauth2/v1/token");
    let ran = ran.set("EPM_OUTAGE_BUDGET", "300ms").run(RUN);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    ran.mentions(&["`no-such-host.invalid` does not resolve"]);
}

#[test]
fn a_submit_waits_for_a_token_and_is_sent_once() {
    let sandbox = playing("[identity]\naccess_serves = 1\n[[job]]\npolls = [{ status = 0 }]\n");
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(sandbox.taken(), 1);
}

#[test]
fn an_identity_service_that_asks_to_be_left_alone_is() {
    let sandbox = playing(
        "[identity]\nreplies = [{ http = 503, headers = { Retry-After = '2' } }, {}]\n[[job]]\npolls = [{ status = 0 }]\n",
    );
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!((ran.end(), sandbox.token_requests().len()), ((0, "succeeded"), 2), "{ran:?}");
}

#[test]
fn a_token_that_ends_at_once_is_not_exchanged_for_each_request() {
    let sandbox = playing(
        "[identity]\nreplies = [{ fields = { expires_in = 0 } }]\n[[job]]\npolls = [{ times = 9 }, { status = 0 }]\n",
    );
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert!(sandbox.exchanges() <= 3, "{}", sandbox.exchanges());
}

#[test]
fn a_log_that_is_refused_is_asked_for_again_with_a_renewed_token() {
    // The look, the hour, the submit and the poll.
    let sandbox =
        playing("[identity]\naccess_serves = 4\n[[job]]\npolls = [{ status = 1 }]\nlog = ' ERROR [AIF]: x'\n");
    let ran = Gate::exchanging(&sandbox).run(RUN);
    assert_eq!((ran.end(), sandbox.exchanges()), ((10, "failed"), 2), "{ran:?}");
    ran.mentions(&["ERROR [AIF]: x"]);
}

#[test]
fn exchanges_are_told_to_whoever_wants_to_know_each_request() {
    let sandbox = playing("[identity]\nreplies = [{ http = 503 }, {}]\n[[job]]\npolls = [{ status = 0 }]\n");
    let ran = Gate::exchanging(&sandbox).run([RUN.as_slice(), &["-v"]].concat());
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.mentions(&["exchange at `127.0.0.1", "HTTP 503", "an access token for 1h"]);
}
