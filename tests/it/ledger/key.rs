//! The key: which runs are one load, and which are not.

use super::{RUN, answering, keyed};
use crate::harness::Gate;

#[test]
fn services_behind_one_host_are_told_apart() {
    let sandbox = answering("{}");
    let mut gate = keyed(&sandbox);
    for prefix in ["/test", "/prod"] {
        let ran = gate.run_again([&RUN[..], &["--url", &format!("{}{prefix}", sandbox.url())]].concat());
        assert_eq!((ran.end(), ran.output("reused")), ((0, "succeeded"), "false"), "{ran:?}");
    }
    assert_eq!(sandbox.taken(), 2);
}

#[test]
fn other_payloads_other_keys_and_other_hosts_are_other_loads() {
    let (sandbox, other) = (answering("{}"), answering("{}"));
    let mut gate = keyed(&sandbox);
    gate.run_again(RUN);
    gate.run_again([&RUN[..], &["--import-mode", "Replace"]].concat());
    gate.run_again([&RUN[..], &["--ledger-key", "close-2026-02"]].concat());
    gate.run_again([&RUN[..], &["--url", &other.url()]].concat());
    assert_eq!((sandbox.taken(), other.taken()), (3, 1));
    gate.run_again(["run", "--payload", "given-payload.json", "--ledger", "ledger.json"]);
    gate.file("given-payload.json", "{\n \"jobName\": \"GLDATA\",\n \"jobType\": \"INTEGRATION\" }");
    let ran = gate.run_again(["run", "--payload", "given-payload.json", "--ledger", "ledger.json"]);
    assert_eq!((ran.output("reused"), sandbox.taken()), ("true", 3), "the same payload, written otherwise: {ran:?}");
}

#[test]
fn on_each_ci_a_repeated_run_keeps_the_key_and_another_step_has_its_own() {
    let github =
        [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "16588"), ("GITHUB_JOB", "load"), ("GITHUB_ACTION", "gate")];
    let gitlab = [("GITLAB_CI", "true"), ("CI_PIPELINE_ID", "77"), ("CI_JOB_ID", "1"), ("CI_JOB_NAME", "load")];
    let azure =
        [("TF_BUILD", "True"), ("BUILD_BUILDID", "9"), ("SYSTEM_JOBNAME", "load"), ("SYSTEM_TASKINSTANCENAME", "gate")];
    let jenkins =
        [("JENKINS_URL", "https://ci/"), ("BUILD_NUMBER", "4"), ("JOB_NAME", "close"), ("STAGE_NAME", "load")];
    for (ci, repeats, step) in [
        (github, "GITHUB_RUN_ATTEMPT", "GITHUB_ACTION"),
        (gitlab, "CI_JOB_ID", "CI_JOB_NAME"),
        (azure, "SYSTEM_JOBATTEMPT", "SYSTEM_TASKINSTANCENAME"),
        (jenkins, "BUILD_ID", "STAGE_NAME"),
    ] {
        let sandbox = answering("{}");
        let mut gate = Gate::against(&sandbox).set_all(&ci);
        assert_eq!(gate.run_again(RUN).end(), (0, "succeeded"));
        let mut gate = gate.set(repeats, "2");
        let ran = gate.run_again(RUN);
        assert_eq!((ran.output("reused"), sandbox.taken()), ("true", 1), "{ci:?}: {ran:?}");
        let mut gate = gate.set(step, "other");
        let ran = gate.run_again(RUN);
        assert_eq!((ran.output("reused"), sandbox.taken()), ("false", 2), "{ci:?}: {ran:?}");
    }
}

#[test]
fn where_no_ci_gives_a_key_the_user_must() {
    let sandbox = answering("{}");
    let ran = Gate::against(&sandbox).run(RUN);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["error: ", "`--ledger`", "needs a key here"]);
    ran.says(&["hint: ", "`--ledger-key`"]);
    let ran = Gate::against(&sandbox).set("GITHUB_ACTIONS", "true").set("GITHUB_RUN_ID", "1").run(RUN);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["error: ", "`GITHUB_JOB`"]);
    let ran = Gate::against(&sandbox).run(["run", "--job-name", "GLDATA", "--ledger-key", "k"]);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["error: ", "`--ledger-key`", "there is no ledger"]);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_repeated_run_without_a_ledger_is_warned() {
    for (variables, warned) in [
        (&[("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ATTEMPT", "2")][..], true),
        (&[("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ATTEMPT", "1")], false),
        (&[("TF_BUILD", "True"), ("SYSTEM_STAGEATTEMPT", "2")], true),
        (&[("GITHUB_RUN_ATTEMPT", "2")], false),
    ] {
        let sandbox = answering("{}");
        let gate = Gate::against(&sandbox).set_all(variables);
        let ran = gate.run(["run", "--job-name", "GLDATA"]);
        assert_eq!(ran.stderr.contains("this run is a repetition"), warned, "{variables:?}: {ran:?}");
        assert_eq!(ran.end(), (0, "succeeded"));
    }
}

#[test]
fn a_repeated_run_whose_ledger_was_lost_is_warned() {
    let sandbox = answering("{}");
    let mut gate = keyed(&sandbox).set_all(&[("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ATTEMPT", "2")]);
    let ran = gate.run_again(RUN);
    ran.says(&["warning: ", "this run is a repetition", "ledger.json", "is not there"]);
    let ran = gate.run_again(RUN);
    assert!(!ran.stderr.contains("this run is a repetition"), "{ran:?}");
    assert_eq!((ran.output("reused"), sandbox.taken()), ("true", 1));
}
