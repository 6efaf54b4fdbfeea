//! `submit`: takes the id home, and leaves the wait to `attach`.

use crate::harness::{Gate, shipped};

#[test]
fn a_submit_ends_with_the_id_and_attach_takes_over() {
    let sandbox = shipped("succeeds");
    let ran = Gate::against(&sandbox).on_github().run(["submit", "--job-name", "GLDATA", "--print", "jobId"]);
    assert_eq!(ran.end(), (0, "submitted"), "{ran:?}");
    assert_eq!((ran.output("jobId"), ran.output("submitted"), ran.stdout.as_str()), ("2100", "yes", "2100\n"));
    let polls = sandbox.requests().iter().filter(|request| request.path.ends_with("/2100")).count();
    assert_eq!((sandbox.posts(), polls), (1, 0));
    ran.says(&["ok: ", "GLDATA", "2100"]);

    let id = ran.github["jobId"].clone();
    let waited = Gate::against(&sandbox).set("EPM_JOB_ID", id).run(["attach"]);
    assert_eq!(waited.end(), (0, "succeeded"), "{waited:?}");
    assert_eq!((waited.output("jobId"), sandbox.posts()), ("2100", 1));
}

#[test]
fn what_the_submit_itself_says_is_told() {
    for (scenario, end, submitted) in [
        ("quick-success", (0, "submitted"), "yes"),
        ("submit-id-in-links-only", (0, "submitted"), "yes"),
        ("rejected-submit", (32, "rejected"), "no"),
        ("unauthorized", (30, "access-denied"), "no"),
        ("reset-after-submit", (24, "submit-uncertain"), "maybe"),
        ("submit-server-error", (24, "submit-uncertain"), "maybe"),
    ] {
        let sandbox = shipped(scenario);
        let ran = Gate::against(&sandbox).run(["submit", "--job-name", "GLDATA"]);
        assert_eq!(ran.end(), end, "{scenario}: {ran:?}");
        assert_eq!(ran.output("submitted"), submitted, "{scenario}");
        assert!(sandbox.posts() <= 1, "{scenario}");
    }
}

#[test]
fn a_look_that_fails_keeps_the_submit_back() {
    let sandbox = shipped("unavailable-for-ever");
    let ran = Gate::against(&sandbox).run(["submit", "--job-name", "GLDATA", "--outage-budget", "200ms"]);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    assert_eq!(sandbox.posts(), 0);
}

#[test]
fn the_look_can_be_elsewhere_or_left_out() {
    let sandbox = shipped("succeeds");
    let first = || sandbox.requests().last().map(|request| request.path.clone()).unwrap_or_default();
    let submit = |look: &str| Gate::against(&sandbox).run(["submit", "--job-name", "GLDATA", "--look", look]);
    assert_eq!(submit("off").code, 0);
    assert_eq!(sandbox.requests().len(), 1);
    assert_eq!(submit("/epm/rest/v1").code, 0, "whatever else the look says, it holds nothing back");
    assert_eq!((sandbox.requests()[1].path.as_str(), sandbox.requests()[1].http), ("/epm/rest/v1", Some(404)));
    assert_eq!(first(), "/aif/rest/V1/jobs");
}
