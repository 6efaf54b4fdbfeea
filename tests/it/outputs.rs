//! Step outputs: all of them on every way out, the id the moment it is known, and what happens where they cannot be
//! written.

use std::process::Stdio;

use serde_json::Value;

use crate::harness::{Gate, Ran, playing, shipped, text_of};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

/// The names of spec §7.
pub(crate) const NAMES: [&str; 23] = [
    "jobId",
    "status",
    "logFileName",
    "outcome",
    "exitCode",
    "submitted",
    "reused",
    "jobName",
    "jobStatus",
    "descriptiveStatus",
    "detailedStatus",
    "details",
    "outputFileName",
    "processType",
    "executedBy",
    "category",
    "transient",
    "attempts",
    "durationSeconds",
    "logPath",
    "outputPath",
    "reportPath",
    "jobs",
];

/// Those that are told, but for `jobs`, the time it took, and what a diagnosis says.
fn told(ran: &Ran) -> Vec<(&str, &str)> {
    let names = NAMES.into_iter().filter(|name| !["jobs", "durationSeconds", "category", "transient"].contains(name));
    let values = names.map(|name| (name, ran.github[name].as_str()));
    values.filter(|(_, value)| !value.is_empty()).collect()
}

#[test]
fn a_success_tells_everything() {
    let ran = Gate::against(&shipped("succeeds")).on_github().run(RUN);
    let expected = [
        ("jobId", "2100"),
        ("status", "0"),
        ("logFileName", "outbox/logs/GLDATA_2100.log"),
        ("outcome", "succeeded"),
        ("exitCode", "0"),
        ("submitted", "yes"),
        ("reused", "false"),
        ("jobName", "GLDATA"),
        ("jobStatus", "SUCCESS"),
        ("outputFileName", "outbox/GLDATA_2100.dat"),
        ("processType", "COMM_LOAD_BALANCES"),
        ("executedBy", "close.bot@example.com"),
        ("attempts", "1"),
        ("reportPath", "report.json"),
    ];
    assert_eq!(told(&ran), expected);
    has_every_name(&ran);
    assert!(ran.github["durationSeconds"].parse::<u64>().is_ok(), "whole seconds");
    let jobs: Value = serde_json::from_str(&ran.github["jobs"]).expect("JSON");
    assert_eq!((&jobs[0]["jobId"], &jobs[0]["outcome"], &jobs[1]), (&2100.into(), &"succeeded".into(), &Value::Null));
}

#[test]
fn a_failure_tells_everything() {
    let ran = Gate::against(&shipped("fails-with-details")).on_github().run(RUN);
    has_every_name(&ran);
    assert_eq!((ran.github["status"].as_str(), ran.github["jobStatus"].as_str()), ("1", "FAILED"));
    let details = &ran.github["details"];
    assert!(details.starts_with("com.oracle.epm.aif.exception.AIFException: EPMFDM-140000"), "{details}");
    assert!(details.contains("\n\tat com.oracle.epm.aif.server.job.JobExecutor"), "all lines of it: {details}");
}

#[test]
fn wrong_usage_tells_what_is_known() {
    let ran = Gate::against(&shipped("succeeds")).on_github().run(["run"]);
    let expected = [
        ("outcome", "usage"),
        ("exitCode", "2"),
        ("submitted", "no"),
        ("reused", "false"),
        ("attempts", "0"),
        ("reportPath", "report.json"),
    ];
    assert_eq!(told(&ran), expected);
    has_every_name(&ran);
}

#[track_caller]
fn has_every_name(ran: &Ran) {
    let mut names = NAMES;
    names.sort_unstable();
    assert_eq!(ran.github.keys().collect::<Vec<_>>(), names);
    assert_eq!(ran.files.keys().collect::<Vec<_>>(), names);
}

#[test]
fn the_id_is_on_disk_before_the_first_poll() {
    let sandbox = shipped("hang-poll");
    let mut running = Gate::against(&sandbox).on_github().start(RUN);
    let polled = || sandbox.requests().iter().any(|request| request.path.ends_with("/jobs/2100"));
    running.until("the first poll has arrived", polled);
    assert_eq!(text_of(&running.path("outputs/jobId")), "2100");
    let output = text_of(&running.path("github-output"));
    assert!(output.contains("jobId<<") && output.contains("\n2100\n"), "{output}");
    running.kill();
}

#[test]
fn the_log_names_the_job_before_the_first_poll() {
    let sandbox = shipped("hang-poll");
    let mut running =
        Gate::against(&sandbox).start(["run", "--job-name", "GLDATA", "--poll-min", "10s", "--poll-max", "10s"]);
    running.until_it_says("2100");
    assert_eq!(sandbox.requests().len(), 3, "the look, the hour of the maintenance, the submit");
    running.kill();
}

#[test]
fn values_of_an_earlier_run_are_gone() {
    let sandbox = shipped("succeeds");
    let mut gate = Gate::against(&sandbox);
    let first = gate.run_again(["status", "2000"]);
    assert_eq!((first.output("jobId"), first.output("status")), ("2000", "-1"));
    let second = gate.run_again(["run"]);
    assert_eq!((second.output("jobId"), second.output("status"), second.output("outcome")), ("", "", "usage"));
}

#[test]
fn the_folder_holds_three_kilobytes_at_most() {
    let long = "ü".repeat(3000);
    let sandbox = playing(&format!(
        "[[job]]\nid = 2000\nexists = true\nlog_file = 'outbox/{long}.log'\npolls = [{{ status = 1, details = '{long}', \
         job_status = '{long}' }}]"
    ));
    let ran = Gate::against(&sandbox).on_github().run(["attach", "2000"]);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    assert!(ran.files.values().map(String::len).sum::<usize>() <= 3 * 1024, "{:?}", ran.files);
    assert_eq!((ran.output("jobId"), ran.output("status"), ran.output("exitCode")), ("2000", "1", "10"));
    assert!(ran.github["details"].len() <= 4096);
    assert!(ran.github["details"].len() > 3000, "a runner takes more than a folder does");
}

#[test]
fn stdout_has_what_was_asked_for_and_nothing_else() {
    let print = |what: &str| Gate::against(&shipped("fails-with-details")).run(RUN.iter().chain(&["--print", what]));
    assert_eq!(print("none").stdout, "");
    assert_eq!(print("jobId").stdout, "2100\n");
    let json = print("json");
    let values: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let object = values.as_object().expect("an object");
    assert_eq!((object.len(), json.stdout.lines().count()), (NAMES.len(), 1));
    assert!(NAMES.iter().all(|name| object.contains_key(*name)), "{values}");
    assert_eq!(
        (&values["jobId"], &values["exitCode"], &values["outcome"]),
        (&2100.into(), &10.into(), &"failed".into())
    );
    assert_eq!((&values["category"], &values["reused"]), (&"unclassified".into(), &false.into()));
}

#[test]
fn several_ids_are_printed_a_line_each() {
    let sandbox = playing("[[job]]\nid = 11\nexists = true\n[[job]]\nname = 'B'\nid = 12\nexists = true\n");
    let ran = Gate::against(&sandbox).run(["attach", "12", "11", "--print", "jobId"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "12\n11\n"), "{ran:?}");
}

#[test]
fn a_reader_of_stdout_that_has_gone_is_no_panic() {
    for (scenario, what, code) in [("succeeds", "json", 40), ("succeeds", "jobId", 40), ("fails-locked", "json", 10)] {
        let sandbox = shipped(scenario);
        let gate = Gate::against(&sandbox);
        let mut command = gate.command(RUN.iter().chain(&["--print", what]));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("it ends");
        let log = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(code), "{scenario} {what}: {log}");
        assert!(!log.contains("panicked") && log.contains("standard output"), "{log}");
    }
}

/// `/dev/full` opens and takes nothing.
#[cfg(target_os = "linux")]
#[test]
fn an_output_that_breaks_in_the_end_holds_a_job_that_passed() {
    for (variable, what) in
        [("EPM_SUMMARY", "summary"), ("GITHUB_OUTPUT", "outputs"), ("GITHUB_STEP_SUMMARY", "summary")]
    {
        let run = |scenario: &str| Gate::against(&shipped(scenario)).on_github().set(variable, "/dev/full").run(RUN);
        let passed = run("succeeds");
        assert_eq!(passed.end(), (40, "unwritable"), "{variable}: {passed:?}");
        assert_eq!((passed.output("status"), passed.output("jobId")), ("0", "2100"));
        passed.says(&["error: ", "passed", what, "/dev/full"]);
        passed.says(&["hint: ", "do not run the job again"]);

        let failed = run("fails-locked");
        assert_eq!(failed.end(), (10, "failed"), "{variable}: {failed:?}");
        failed.says(&["warning: ", what, "/dev/full"]);
    }
}

/// No file may grow: each write fails as on a disk that is full.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_changes_no_verdict_and_lets_no_stage_pass() {
    for (scenario, code) in [("succeeds", 40), ("fails-locked", 10), ("reset-after-submit", 24), ("unauthorized", 30)] {
        let sandbox = shipped(scenario);
        let gate = Gate::against(&sandbox).on_github().unset("EPM_REPORT");
        let ran = gate.after_shell("trap '' XFSZ; ulimit -f 0").run(RUN);
        assert_eq!(ran.code, code, "{scenario}: {ran:?}");
        ran.says(&["warning: ", "cannot write"]);
        if code < 30 {
            ran.says(&["(job 2100)"].map(|text| if code == 24 { "submit" } else { text }));
        }
    }
}

#[test]
fn the_command_line_wins_over_the_environment() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).set("EPM_JOB_NAME", "OTHER").set("EPM_PRINT", "json").set("EPM_TIMEOUT", "");
    let ran = gate.run(RUN.iter().chain(&["--print", "jobId"]));
    assert_eq!((ran.code, ran.stdout.as_str(), ran.output("jobName")), (0, "2100\n", "GLDATA"));
}

#[test]
fn the_platform_that_is_asked_for_decides_where_outputs_go() {
    let sandbox = shipped("quick-success");
    let gate = Gate::against(&sandbox);
    let (output, summary) = (gate.github_output_file(), gate.github_summary_file());
    let gate = gate.set("GITHUB_OUTPUT", &output).set("GITHUB_STEP_SUMMARY", &summary);
    let ran = gate.run(["run", "--job-name", "GLDATA", "--ci", "github"]);
    assert_eq!((ran.end(), ran.github["outcome"].as_str()), ((0, "succeeded"), "succeeded"), "{ran:?}");
    assert!(ran.github_summary.contains("passed"));
}

#[test]
fn a_submit_whose_output_breaks_says_that_the_job_was_submitted() {
    let sandbox = shipped("never-ends");
    let gate = Gate::against(&sandbox).set("EPM_SUMMARY", "/dev/full");
    let ran = gate.run(["submit", "--job-name", "GLDATA"]);
    assert_eq!(ran.end(), (40, "unwritable"), "{ran:?}");
    ran.says(&["was submitted, but an output could not be written"]);
    ran.says(&["do not submit again", "epm-gate attach 2100 "]);
}

#[test]
fn a_last_line_without_an_end_does_not_swallow_ours() {
    let sandbox = shipped("quick-success");
    let gate = Gate::against(&sandbox).on_github();
    std::fs::write(gate.github_output_file(), "a=1").expect("a file can be written");
    let ran = gate.run(RUN);
    assert_eq!((ran.github["a"].as_str(), ran.github["jobId"].as_str()), ("1", "2100"), "{ran:?}");
}

#[test]
fn one_output_that_breaks_leaves_the_others_whole() {
    let sandbox = shipped("never-ends");
    let mut running = Gate::against(&sandbox).start(RUN);
    running.until_it_says("in progress");
    let broken = running.path("outputs").join("jobName");
    std::fs::remove_file(&broken).and_then(|()| std::fs::create_dir(&broken)).expect("a folder in its place");
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    assert_eq!((ran.output("jobStatus"), ran.output("submitted")), ("RUNNING", "yes"));
}

#[test]
fn a_dry_run_leaves_the_outputs_of_an_earlier_run_alone() {
    let gate = Gate::nowhere().set("EPM_URL", "https://epm.example.com");
    std::fs::create_dir(gate.outputs_dir()).expect("a folder");
    std::fs::write(gate.outputs_dir().join("jobId"), "7").expect("a file can be written");
    let output = gate.command(["run", "--job-name", "GLDATA", "--dry-run"]).output().expect("the gate runs");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text_of(&gate.outputs_dir().join("jobId")), "7");
    assert!(!gate.summary_file().exists());
}
