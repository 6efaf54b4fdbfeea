//! The daily maintenance ahead of a submit: a warning, and a refusal where the user wants one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use epm_sandbox::Sandbox;

use crate::harness::{Gate, Ran, playing};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

const NEAR: &str = "[maintenance]\nin = '30m'";
const UNDER_WAY: &str = "[maintenance]\nin = '0s'";

fn pod(toml: &str) -> Sandbox {
    playing(&format!("{toml}\n[[job]]\npolls = [{{ status = 0 }}]"))
}

fn run<'a>(sandbox: &Sandbox, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
    Gate::against(sandbox).run(RUN.into_iter().chain(arguments))
}

/// How often the hour was asked for.
fn asked(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|request| request.path.contains("dailymaintenance")).count()
}

fn warnings(ran: &Ran) -> usize {
    ran.stderr.lines().filter(|line| line.starts_with("warning: the daily maintenance")).count()
}

#[test]
fn a_run_whose_deadline_reaches_into_the_window_is_warned_once() {
    let sandbox = pod(NEAR);
    let ran = run(&sandbox, ["--timeout", "50m"]);
    assert_eq!((ran.end(), warnings(&ran), asked(&sandbox)), ((0, "succeeded"), 1, 1), "{ran:?}");
    ran.says(&["warning: the daily maintenance (", "begins at ", " UTC, in ", "may be stopped", "not documented"]);
    assert!(ran.summary.contains("> the daily maintenance ("), "{}", ran.summary);
    let order: Vec<_> = sandbox.requests().iter().map(|request| request.method.clone()).collect();
    assert_eq!(order[..3], ["GET", "GET", "POST"], "the look, the hour, the submit");
}

#[test]
fn the_window_is_told_by_the_clock_of_the_pod() {
    // By ours it would be 17 minutes away.
    let ran = run(&pod("clock = '+7m'\n[maintenance]\nin = '10m'"), ["--timeout", "12m"]);
    assert_eq!((ran.end(), warnings(&ran)), ((0, "succeeded"), 1), "{ran:?}");
}

#[test]
fn no_deadline_reaches_into_every_window() {
    let ran = run(&pod(""), ["--timeout", "none"]);
    assert_eq!((ran.end(), warnings(&ran)), ((0, "succeeded"), 1), "{ran:?}");
}

#[test]
fn a_run_during_the_window_is_warned() {
    let ran = run(&pod(UNDER_WAY), []);
    assert_eq!((ran.end(), warnings(&ran)), ((0, "succeeded"), 1), "{ran:?}");
    ran.says(&["began at ", "may last until "]);
}

#[test]
fn a_run_that_ends_before_is_told_nothing() {
    let ran = run(&pod(NEAR), ["--timeout", "20m"]);
    assert_eq!((ran.end(), ran.stderr.contains("maintenance")), ((0, "succeeded"), false), "{ran:?}");
}

#[test]
fn nobody_is_asked_without_a_look_or_without_a_wait() {
    let sandbox = pod(NEAR);
    let ran = run(&sandbox, ["--timeout", "50m", "--look", "off"]);
    assert_eq!((ran.end(), warnings(&ran)), ((0, "succeeded"), 0), "{ran:?}");
    let ran = Gate::against(&sandbox).run(["submit", "--job-name", "GLDATA", "--timeout", "50m"]);
    assert_eq!(ran.end(), (0, "submitted"), "{ran:?}");
    assert_eq!(asked(&sandbox), 0);
}

#[test]
fn a_pod_that_has_not_let_us_in_is_not_asked() {
    let sandbox = pod(&format!("[look]\nreplies = [{{ http = 404 }}]\n{NEAR}"));
    let ran = run(&sandbox, ["--timeout", "50m"]);
    assert_eq!((ran.end(), asked(&sandbox), warnings(&ran)), ((0, "succeeded"), 0, 0), "{ran:?}");
}

#[test]
fn no_answer_to_the_question_changes_a_run() {
    for reply in [
        "{ http = 401 }",
        "{ http = 403 }",
        "{ http = 404 }",
        "{ http = 503, headers = { Retry-After = '3600' } }",
        "{ page = 'login' }",
        "{ http = 302, headers = { Location = 'https://x.example' } }",
        "{ body = 'no JSON' }",
        "{ body = '{\"items\":[{\"amwTime\":\"soon\"}]}' }",
        "{ body = '{\"items\":[{\"amwTime\":\"19:00\",\"timeZone\":\"Asia/Tokyo\"}]}' }",
        "{ fault = 'reset-before' }",
        "{ fault = 'hang' }",
        "{ fault = 'half-body' }",
    ] {
        let sandbox = pod(&format!("[maintenance]\nreplies = [{reply}]"));
        // A hang costs a tenth of what is left.
        let ran = run(&sandbox, ["--timeout", "10s"]);
        assert_eq!((ran.end(), sandbox.posts(), asked(&sandbox)), ((0, "succeeded"), 1, 1), "{reply}: {ran:?}");
        assert!(!ran.stderr.contains("warning: ") && !ran.stderr.contains("asking again"), "{reply}: {ran:?}");
    }
}

#[test]
fn nothing_is_submitted_shortly_before_the_window_or_during_it() {
    for (toml, refusal, told) in [
        (NEAR, "1h", "begins in "),
        (NEAR, "30m", "begins in "),
        (UNDER_WAY, "1m", "began at "),
        (UNDER_WAY, "0s", "began at "),
    ] {
        let sandbox = pod(toml);
        let ran = run(&sandbox, ["--refuse-before-maintenance", refusal]);
        assert_eq!((ran.end(), ran.output("submitted")), ((31, "unreachable"), "no"), "{refusal}: {ran:?}");
        assert_eq!((sandbox.posts(), warnings(&ran)), (0, 0), "{refusal}");
        ran.says(&["error: ", "was not submitted", told]);
        ran.says(&["hint: ", "ry again after ", " UTC"]);
    }
}

#[test]
fn the_refusal_comes_by_variable_too_and_for_submit() {
    let sandbox = pod(NEAR);
    let gate = Gate::against(&sandbox).set("EPM_REFUSE_BEFORE_MAINTENANCE", "1h");
    let ran = gate.run(["submit", "--job-name", "GLDATA"]);
    assert_eq!((ran.end(), sandbox.posts()), ((31, "unreachable"), 0), "{ran:?}");
}

#[test]
fn a_window_that_is_far_holds_no_submit_back() {
    let sandbox = pod(NEAR);
    let ran = run(&sandbox, ["--refuse-before-maintenance", "20m"]);
    assert_eq!((ran.end(), sandbox.posts(), warnings(&ran)), ((0, "succeeded"), 1, 0), "{ran:?}");
    // The deadline may still reach into it.
    let ran = run(&sandbox, ["--refuse-before-maintenance", "20m", "--timeout", "50m"]);
    assert_eq!((ran.end(), warnings(&ran)), ((0, "succeeded"), 1), "{ran:?}");
}

#[test]
fn an_hour_that_is_not_known_holds_the_submit_back() {
    for (reply, told, help) in [
        ("{ http = 403 }", "EPM denied access (HTTP 403)", "Service Administrator"),
        ("{ http = 404 }", "HTTP 404", "Migrations - Administer"),
        ("{ body = '{\"status\":8,\"details\":\"EPMLCM-1\"}' }", "`EPMLCM-1`", "Service Administrator"),
        ("{ http = 503, lasts = '1m' }", "HTTP 503", "maintenance"),
        (
            "{ body = '{\"items\":[{\"amwTime\":\"14:00\",\"timeZone\":\"America/Los_Angeles\"}]}' }",
            "time zone `America/Los_Angeles`",
            "eave `--refuse-before-maintenance` out",
        ),
    ] {
        let sandbox = pod(&format!("[maintenance]\nreplies = [{reply}]"));
        let ran = run(&sandbox, ["--refuse-before-maintenance", "1h", "--outage-budget", "1s"]);
        assert_eq!((ran.end(), sandbox.posts()), ((31, "unreachable"), 0), "{reply}: {ran:?}");
        ran.says(&["error: ", "the hour of the daily maintenance is not known", told]);
        ran.says(&["hint: ", help]);
    }
}

#[test]
fn an_outage_that_ends_costs_no_submit() {
    let sandbox = pod("[maintenance]\nreplies = [{ http = 503, times = 3 }, {}]");
    let ran = run(&sandbox, ["--refuse-before-maintenance", "1h"]);
    assert_eq!((ran.end(), sandbox.posts(), asked(&sandbox)), ((0, "succeeded"), 1, 4), "{ran:?}");
}

#[test]
fn the_hour_is_asked_for_without_a_look_where_a_submit_hangs_on_it() {
    let sandbox = pod(NEAR);
    let arguments = ["--refuse-before-maintenance", "1h", "--look", "off"];
    let ran = run(&sandbox, arguments);
    assert_eq!((ran.end(), sandbox.posts(), asked(&sandbox)), ((31, "unreachable"), 0, 1), "{ran:?}");
    let ran = Gate::against(&sandbox).set("EPM_PASSWORD", "wrong-password").run(RUN.into_iter().chain(arguments));
    assert_eq!((ran.end(), sandbox.refused_logins()), ((30, "access-denied"), 1), "{ran:?}");
}

/// How long after the epoch it is.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set")
}

#[test]
fn a_submit_that_is_put_off_does_not_slip_into_the_window() {
    // The window is 3 s farther away than the refusal asks for, and EPM puts the submit off for 5 s.
    let begins = Duration::from_mins(now().as_secs() / 60 + 30);
    let minutes = begins.as_secs() / 60;
    let hour = format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60);
    let sandbox = playing(&format!(
        "[maintenance]\nhour = '{hour}'\n[[job]]\nsubmit = [{{ http = 429, headers = {{ Retry-After = '5' }} }}, {{}}]\n\
         polls = [{{ status = 0 }}]"
    ));
    let refusal = begins.as_millis() - now().as_millis() - 3000;
    let ran = run(&sandbox, ["--refuse-before-maintenance", &format!("{refusal}ms")]);
    assert_eq!((ran.end(), ran.output("submitted")), ((31, "unreachable"), "no"), "{ran:?}");
    // None where this machine was too slow to send even the first.
    assert!(sandbox.posts() <= 1, "{:?}", sandbox.requests());
    ran.says(&["error: ", "was not submitted", "the daily maintenance (", "begins in "]);
    ran.says(&["hint: ", "ry again after ", " UTC"]);
}

#[test]
fn a_warning_is_waited_for_2_seconds_at_most() {
    let sandbox = pod("[maintenance]\nreplies = [{ fault = 'hang' }]");
    let ran = run(&sandbox, ["--timeout", "50m", "--verbose"]);
    assert_eq!((ran.end(), sandbox.posts()), ((0, "succeeded"), 1), "{ran:?}");
    ran.says(&["dailymaintenancestarttime", "within 2s"]);
}

#[test]
fn what_is_no_duration_is_refused() {
    let sandbox = pod("");
    let ran = run(&sandbox, ["--refuse-before-maintenance", "soon"]);
    assert_eq!((ran.end(), sandbox.requests().len()), ((2, "usage"), 0), "{ran:?}");
    ran.says(&["`--refuse-before-maintenance`", "is not a duration"]);
}
