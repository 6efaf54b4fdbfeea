//! `--retries`: a job that failed for a reason that passes is submitted anew, and nothing is loaded twice.

mod killed;
mod refused;

use epm_sandbox::Sandbox;

use crate::harness::{Gate, Ran, playing, shipped};

/// A reason that passes.
const TIMED_OUT: &str = "2026-03-22 03:24:26,512 ERROR [AIF]: java.net.SocketTimeoutException: connect timed out";

/// A job that fails with this log.
fn failing(log: &str) -> String {
    format!("[[job]]\npolls = [{{ status = -1 }}, {{ status = 1 }}]\nlog = '''\n{log}\n'''\n")
}

fn run<'a>(retries: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let run = ["run", "--job-name", "GLDATA", "--retries", retries];
    [&run[..], more].concat()
}

/// A gate that does not wait for long between two attempts.
fn hasty(sandbox: &Sandbox) -> Gate {
    Gate::against(sandbox).set("EPM_RETRY_DELAY", "10ms")
}

fn facts<'a>(ran: &'a Ran, sandbox: &Sandbox) -> (i32, &'a str, &'a str, &'a str, usize) {
    (ran.code, ran.output("jobId"), ran.output("attempts"), ran.output("submitted"), sandbox.taken())
}

#[test]
fn a_job_that_failed_for_a_reason_that_passes_is_tried_again() {
    let sandbox = shipped("fails-then-succeeds");
    let ran = hasty(&sandbox).on_github().run(run("2", &[]));
    assert_eq!(facts(&ran, &sandbox), (0, "2101", "2", "yes", 2), "{ran:?}");
    ran.says(&["(job 2100)", "attempt 2 of 3 follows in 10ms"]);
    assert_eq!((ran.output("category"), ran.output("transient")), ("", ""), "{ran:?}");
    assert!(ran.summary.contains("2100"), "the first attempt is told: {}", ran.summary);
}

#[test]
fn the_last_attempt_decides() {
    let sandbox = playing(&failing(TIMED_OUT));
    let ran = hasty(&sandbox).run(run("2", &[]));
    assert_eq!(facts(&ran, &sandbox), (10, "2102", "3", "yes", 3), "{ran:?}");
    ran.says(&["not tried again", "`--retries` allows 2 more than the first attempt"]);
    assert_eq!((ran.output("category"), ran.output("transient")), ("connectivity", "true"), "{ran:?}");
}

#[test]
fn nothing_is_tried_again_unless_asked_for() {
    let sandbox = playing(&failing(TIMED_OUT));
    let ran = hasty(&sandbox).run(["run", "--job-name", "GLDATA"]);
    assert_eq!(facts(&ran, &sandbox), (10, "2100", "1", "yes", 1), "{ran:?}");
    assert!(!ran.stderr.contains("tried again"), "{ran:?}");
}

#[test]
fn a_reason_that_does_not_pass_by_itself_is_no_reason_unless_it_is_named() {
    let sandbox = shipped("fails-mapping");
    let ran = hasty(&sandbox).run(run("1", &[]));
    assert_eq!(facts(&ran, &sandbox), (10, "2100", "1", "yes", 1), "{ran:?}");
    ran.says(&["not tried again", "`mapping`", "does not pass by itself"]);
    let ran = hasty(&sandbox).run(run("1", &["--retry-on", "locked,Mapping"]));
    assert_eq!(facts(&ran, &sandbox), (10, "2102", "2", "yes", 3), "{ran:?}");
    let ran = hasty(&sandbox).run(run("1", &["--retry-on", "locked"]));
    assert_eq!(facts(&ran, &sandbox), (10, "2103", "1", "yes", 4), "{ran:?}");
    ran.says(&["`mapping` is not among those of `--retry-on`"]);
}

#[test]
fn what_may_be_loaded_in_part_is_not_loaded_again() {
    let began = "2026-03-22 03:24:28,004 INFO  [AIF]: Loading data into cube using data file...";
    let sandbox = playing(&failing(&format!("{began}\n{TIMED_OUT}")));
    let ran = hasty(&sandbox).run(run("1", &[]));
    assert_eq!(facts(&ran, &sandbox), (10, "2100", "1", "yes", 1), "{ran:?}");
    assert_eq!((ran.output("category"), ran.output("transient")), ("connectivity", "false"), "{ran:?}");
    let ran = hasty(&sandbox).run(run("1", &["--retry-on", "connectivity"]));
    assert_eq!(facts(&ran, &sandbox), (10, "2101", "1", "yes", 2), "{ran:?}");
    ran.says(&["not tried again", "the export had begun", "`--retry-anyway`"]);
    let ran = hasty(&sandbox).run(run("1", &["--retry-on", "connectivity", "--retry-anyway"]));
    assert_eq!(facts(&ran, &sandbox), (10, "2103", "2", "yes", 4), "{ran:?}");
}

#[test]
fn a_log_that_cannot_be_read_may_hide_a_beginning() {
    let details = "java.net.ConnectException: Connection refused";
    let sandbox = playing(&format!("[[job]]\npolls = [{{ status = 1, details = '{details}' }}]\n"));
    let ran = hasty(&sandbox).run(run("1", &["--retry-on", "connectivity"]));
    assert_eq!(facts(&ran, &sandbox), (10, "2100", "1", "yes", 1), "{ran:?}");
    ran.says(&["not tried again", "its log could not be read", "`--retry-anyway`"]);
}

#[test]
fn a_job_whose_log_is_not_named_may_have_begun_too() {
    let details = "java.net.ConnectException: Connection refused";
    let poll = format!("{{ status = 1, without = ['logFileName'], details = '{details}' }}");
    let sandbox = playing(&format!("[[job]]\nsubmit = [{{ without = ['logFileName'] }}]\npolls = [{poll}]\n"));
    let ran = hasty(&sandbox).run(run("1", &[]));
    assert_eq!(facts(&ran, &sandbox), (10, "2100", "1", "yes", 1), "{ran:?}");
    ran.says(&["not tried again", "EPM names no log of it", "`--retry-anyway`"]);
}

#[test]
fn a_verdict_that_a_condition_gives_is_not_tried_again() {
    let sandbox = shipped("succeeds");
    let ran = hasty(&sandbox).run(run("3", &["--min-duration", "1h", "--retry-on", "unclassified"]));
    assert_eq!((ran.code, sandbox.taken()), (13, 1), "{ran:?}");
}

#[test]
fn no_attempt_follows_that_the_deadline_would_cut_off() {
    let sandbox = playing(&failing(TIMED_OUT));
    let ran = hasty(&sandbox).run(["run", "--job-name", "GLDATA", "--retries", "3", "--retry-delay", "1h"]);
    assert_eq!(facts(&ran, &sandbox), (10, "2100", "1", "yes", 1), "{ran:?}");
    ran.says(&["not tried again", "no time left"]);
}
