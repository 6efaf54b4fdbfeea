//! `attach`: several jobs at once, the gravest decides, and all of them are told.

use epm_sandbox::Sandbox;

use crate::harness::{Gate, playing, shipped};

/// One job for each way to end, all there from the start.
fn jobs() -> Sandbox {
    playing(
        r#"
        [[job]]
        name = "GOOD"
        id = 11
        exists = true
        polls = [{ status = -1, times = 2 }, { status = 0 }]

        [[job]]
        name = "BAD"
        id = 12
        exists = true
        polls = [{ status = -1 }, { status = 1, details = "EPMFDM-140000: The rule could not be processed" }]

        [[job]]
        name = "CANCELLED"
        id = 13
        exists = true
        polls = [{ status = 3 }]

        [[job]]
        name = "ENDLESS"
        id = 14
        exists = true
        polls = [{ status = -1 }]

        [[job]]
        name = "STRANGE"
        id = 15
        exists = true
        polls = [{ status = 7 }]
        "#,
    )
}

#[test]
fn any_refusal_of_the_first_request_stops_all_others() {
    for refusal in ["{ http = 401 }", "{ http = 403 }", "{ http = 407 }", "{ http = 302 }", "{ page = 'login' }"] {
        let job = |id| format!("[[job]]\nname = 'J{id}'\nid = {id}\nexists = true\npolls = [{refusal}]\n");
        let sandbox = playing(&[11, 12, 13].map(job).concat());
        let ran = Gate::against(&sandbox).run(["attach", "11", "12", "13"]);
        assert_eq!(ran.end(), (30, "access-denied"), "{refusal}: {ran:?}");
        assert_eq!(sandbox.requests().len(), 1, "{refusal}: {ran:?}");
    }
}

#[test]
fn polls_keep_to_their_rate_over_all_jobs() {
    let job = |id| format!("[[job]]\nname = 'J{id}'\nid = {id}\nexists = true\npolls = [{{ status = -1 }}]\n");
    let sandbox = playing(&(1001..=1030).map(job).collect::<String>());
    let ids = (1001..=1030).map(|id: u32| id.to_string());
    let gate = Gate::against(&sandbox).set("EPM_TIMEOUT", "2s").set("EPM_POLL_RATE", "5");
    let ran = gate.run(["attach".to_owned()].into_iter().chain(ids));
    assert_eq!(ran.code, 20, "{ran:?}");
    let polls = sandbox.requests().len();
    assert!((2..=11).contains(&polls), "{polls} polls in 2 s");
}

#[test]
fn a_job_that_is_over_is_told_at_once() {
    let sandbox = jobs();
    let ran = Gate::against(&sandbox).run(["attach", "13"]);
    assert_eq!(ran.end(), (11, "cancelled"));
    assert_eq!((ran.output("jobId"), ran.output("status"), ran.output("submitted")), ("13", "3", "no"));
    assert_eq!(sandbox.posts(), 0);
    assert!(!ran.stderr.contains("epm-gate attach"), "{ran:?}");
}

#[test]
fn the_gravest_decides_and_within_it_the_order() {
    for (ids, end, decides) in [
        (&["11"][..], (0, "succeeded"), "11"),
        (&["11", "12"], (10, "failed"), "12"),
        (&["11", "13", "12"], (11, "cancelled"), "13"),
        (&["12", "13", "11"], (10, "failed"), "12"),
        (&["12", "15", "14"], (23, "undetermined"), "15"),
        (&["12", "14", "15"], (20, "timed-out"), "14"),
        (&["12", "99"], (32, "rejected"), "99"),
        (&["99", "12", "14"], (20, "timed-out"), "14"),
    ] {
        let sandbox = jobs();
        let gate = Gate::against(&sandbox).set("EPM_TIMEOUT", "2s").set("EPM_UNKNOWN_GRACE", "200ms");
        let ran = gate.run(["attach"].iter().chain(ids));
        assert_eq!(ran.end(), end, "{ids:?}: {ran:?}");
        assert_eq!(ran.output("jobId"), decides, "{ids:?}");
        let all: Vec<_> = ran.jobs().as_array().expect("an array").iter().map(|job| job["jobId"].to_string()).collect();
        assert_eq!(all, ids, "all jobs, in the order given");
    }
}

#[test]
fn every_job_is_told_with_its_own_end() {
    let ran = Gate::against(&jobs()).run(["attach", "11", "12", "13"]);
    let jobs = ran.jobs();
    let told = |index: usize| {
        [&jobs[index]["outcome"], &jobs[index]["exitCode"], &jobs[index]["status"]].map(ToString::to_string)
    };
    assert_eq!(told(0), [r#""succeeded""#, "0", "0"]);
    assert_eq!(told(1), [r#""failed""#, "10", "1"]);
    assert_eq!(told(2), [r#""cancelled""#, "11", "3"]);
    assert!(ran.output("details").starts_with("EPMFDM-140000"), "{ran:?}");
    ran.says(&["job 11", "success"]);
    ran.says(&["job 13", "cancelled"]);
}

#[test]
fn the_attach_command_names_the_jobs_that_may_still_run_alone() {
    let sandbox = jobs();
    let gate = Gate::against(&sandbox).set("EPM_JOB_NAME", "the nightly load");
    let ran = gate.run(["attach", "12", "14", "--timeout", "1s"]);
    assert_eq!(ran.end(), (20, "timed-out"));
    ran.says(&["hint: ", "`epm-gate attach 14 --url http://127.0.0.1:", "--job-name 'the nightly load'`"]);
}

#[test]
fn ids_come_by_variable_too() {
    for ids in ["11 12", "11,12", "11, 12\r\n", " 11\n12 "] {
        let ran = Gate::against(&jobs()).set("EPM_JOB_ID", ids).run(["attach"]);
        assert_eq!(ran.end(), (10, "failed"), "{ids:?}");
        assert_eq!(ran.jobs().as_array().map(Vec::len), Some(2), "{ids:?}");
    }
    let ran = Gate::against(&jobs()).set("EPM_JOB_ID", "12").run(["attach", "11"]);
    assert_eq!(ran.end(), (0, "succeeded"), "the flag wins");
}

#[test]
fn an_unknown_id_is_given_up_after_its_ten_seconds() {
    let sandbox = jobs();
    let ran = Gate::against(&sandbox).set("EPM_TIMEOUT", "30s").run(["attach", "99"]);
    assert_eq!(ran.end(), (32, "rejected"), "{ran:?}");
    assert!(sandbox.requests().len() > 2, "it is asked for again: a cluster may not know it yet");
    ran.says(&["error: ", "job 99", "knows no job"]);
}

#[test]
fn an_unknown_id_is_rejected_at_a_deadline_before_that() {
    for timeout in ["700ms", "800ms", "900ms", "1s"] {
        let ran = Gate::against(&jobs()).run(["attach", "99", "--timeout", timeout]);
        assert_eq!(ran.end(), (32, "rejected"), "{timeout}: {ran:?}");
        assert!(!ran.stderr.contains("the job may go on"), "there is no job: {ran:?}");
    }
}

#[test]
fn a_wrong_password_is_shown_once_for_all_jobs() {
    let sandbox = jobs();
    let gate = Gate::against(&sandbox).set("EPM_PASSWORD", "not the password");
    let ran = gate.run(["attach", "11", "12", "13", "14", "15"]);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    assert_eq!((sandbox.requests().len(), sandbox.refused_logins()), (1, 1));
    assert!(!ran.stderr.contains("not the password"));
}

#[test]
fn a_job_that_was_refused_to_us_from_the_start_is_access_denied() {
    let ran = Gate::against(&shipped("forbidden")).run(["attach", "2000"]);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
}

#[test]
fn nobody_there_is_unreachable() {
    let gate = Gate::against(&jobs());
    let ran = gate.run(["attach", "11", "--outage-budget", "200ms"]);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    ran.says(&["error: ", "no connection to `127.0.0.1"]);
}

#[test]
fn a_condition_that_does_not_hold_turns_a_pass_around() {
    for (scenario, flag, code) in [
        ("warns", "--fail-on-warning", 13),
        ("succeeds", "--fail-on-warning", 0),
        ("succeeds", "--require-output", 0),
        ("warns", "--require-output", 13),
        ("succeeds", "--min-duration=1h", 13),
    ] {
        let ran = Gate::against(&shipped(scenario)).run(["attach", "2000", flag]);
        assert_eq!(ran.code, code, "{scenario} {flag}: {ran:?}");
        assert_eq!(ran.output("status"), "0");
        if code == 13 {
            assert_eq!(ran.output("outcome"), "condition-unmet");
            ran.says(&["error: ", &format!("`{}`", flag.split('=').next().unwrap_or_default())]);
        }
    }
}

#[test]
fn a_length_that_is_expected_changes_no_verdict() {
    for expected in ["1ms", "300ms", "12h"] {
        let sandbox = jobs();
        let gate = Gate::against(&sandbox).set("EPM_EXPECT_DURATION", expected);
        assert_eq!(gate.run(["attach", "11", "12"]).end(), (10, "failed"), "{expected}");
    }
}

#[test]
fn a_long_interval_before_the_end_expected_stops_at_the_deadline() {
    let sandbox = jobs();
    let gate = Gate::against(&sandbox).unset("EPM_POLL_MAX").set("EPM_TIMEOUT", "2s");
    let ran = gate.run(["attach", "14", "--expect-duration", "9h", "--poll-min", "30s"]);
    assert_eq!(ran.end(), (20, "timed-out"), "{ran:?}");
    ran.says(&["epm-gate attach 14"]);
}

#[test]
fn a_length_of_nothing_is_refused() {
    let ran = Gate::against(&jobs()).run(["attach", "11", "--expect-duration", "0s"]);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["`--expect-duration`"]);
}
