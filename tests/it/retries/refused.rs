//! What ends a new attempt before it has a job, and what may not be tried again at all.

use super::{TIMED_OUT, facts, failing, hasty, run};
use crate::harness::{playing, shipped};

/// A job that fails for a reason that passes; the second submit is answered so.
fn second(reply: &str) -> String {
    failing(TIMED_OUT) + &failing(TIMED_OUT).replace("[[job]]", &format!("[[job]]\nsubmit = [{reply}]"))
}

#[test]
fn an_attempt_that_was_not_submitted_leaves_the_verdict_of_the_one_before() {
    for (reply, says) in [
        ("{ http = 400 }", "HTTP 400"),
        ("{ status = 1, without = ['jobId'], details = 'EPMFDM-140149: Invalid Integration Name' }", "EPMFDM-140149"),
        ("{ http = 403 }", "HTTP 403"),
        ("{ http = 429, headers = { 'Retry-After' = '3600' } }", "HTTP 429"),
    ] {
        let sandbox = playing(&second(reply));
        let ran = hasty(&sandbox).run(run("2", &[]));
        assert_eq!(facts(&ran, &sandbox), (10, "2100", "1", "yes", 1), "{reply}: {ran:?}");
        assert!(ran.summary.contains("attempt 2 was not submitted") && ran.summary.contains(says), "{reply}: {ran:?}");
    }
}

#[test]
fn an_attempt_of_which_nobody_knows_is_the_end() {
    let sandbox = playing(&second("{ fault = 'reset-after' }"));
    let ran = hasty(&sandbox).run(run("5", &[]));
    assert_eq!((ran.end(), ran.output("submitted")), ((24, "submit-uncertain"), "maybe"), "{ran:?}");
    assert_eq!((ran.output("jobId"), ran.output("attempts"), sandbox.taken()), ("", "2", 2), "{ran:?}");
}

#[test]
fn what_is_not_known_to_be_over_is_never_tried_again() {
    for (scenario, code) in [("no-job-id-answers", 23), ("submit-server-error", 24), ("rejected-submit", 32)] {
        let sandbox = shipped(scenario);
        let ran = hasty(&sandbox).run(run("5", &["--unknown-grace", "300ms", "--retry-on", "unclassified"]));
        assert_eq!((ran.code, sandbox.posts()), (code, 1), "{scenario}: {ran:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_signal_between_two_attempts_leaves_the_verdict() {
    let sandbox = playing(&failing(TIMED_OUT));
    let mut running = hasty(&sandbox).start(run("5", &["--retry-delay", "15s"]));
    running.until_it_says("attempt 2 of 6 follows");
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!(facts(&ran, &sandbox), (10, "2100", "1", "yes", 1), "{ran:?}");
    ran.says(&["SIGTERM received"]);
}

#[test]
fn what_would_be_loaded_twice_is_wrong_usage() {
    let sandbox = shipped("succeeds");
    let payload = ["--payload", "payload.json"];
    let rows: [(&[&str], &str); 10] = [
        (&["--job-name", "GL", "--export-mode", "Accumulate"], "`--export-mode` is `Accumulate`"),
        (&["--job-name", "GL", "--export-mode", "subtract"], "`--export-mode` is `Subtract`"),
        (&["--job-name", "GL", "--import-mode", "Append"], "`--import-mode` is `Append`"),
        (&["--job-name", "GL", "--job-type", "DATARULE", "--export-mode", "ADD_DATA"], "`ADD_DATA`"),
        (&["--job-name", "GL", "--job-type", "DATARULE", "--export-mode", "SUBTRACT_DATA"], "`SUBTRACT_DATA`"),
        (&["--job-name", "GL", "--job-type", "DATARULE", "--import-mode", "APPEND"], "`APPEND`"),
        (&["--job-name", "GL", "--job-type", "PIPELINE"], "what a PIPELINE loads"),
        (&["--job-name", "GL", "--job-type", "BATCH"], "what a BATCH loads"),
        (&payload, "`--payload` gives a body"),
        (&["--payload", "-"], "`--payload` gives a body"),
    ];
    for (flags, says) in rows {
        let gate = || {
            let gate = hasty(&sandbox).piped(r#"{"jobType":"INTEGRATION","jobName":"GL"}"#);
            gate.file("payload.json", r#"{"jobType":"INTEGRATION","jobName":"GL"}"#);
            gate
        };
        let taken = sandbox.taken();
        let ran = gate().run([&["run"], flags, &["--retries", "1"]].concat());
        assert_eq!((ran.code, sandbox.taken()), (2, taken), "{flags:?}: {ran:?}");
        ran.says(&["`--retries`", says]);
        ran.mentions(&["`--retry-anyway`"]);
        for harmless in [&["--retries", "0"][..], &["--retries", "1", "--retry-anyway"]] {
            let ran = gate().run([&["run"], flags, harmless].concat());
            assert_eq!(ran.code, 0, "{flags:?} {harmless:?}: {ran:?}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_named_with_what_would_be_right() {
    let rows: [(&[&str], &str, &str); 4] = [
        (&["--retries=-1"], "is not a number of attempts", "from 0 to 100"),
        (&["--retries", "many"], "`many` is not a number of attempts", "from 0 to 100"),
        (&["--retry-on", "locked, weather"], "`weather` is not a category", "`rejected-rows`"),
        (&["--retry-delay", "5"], "`5` is not a duration", "`90s`"),
    ];
    for (flags, problem, help) in rows {
        let ran = hasty(&shipped("succeeds")).run([&["run", "--job-name", "GL"], flags].concat());
        assert_eq!(ran.code, 2, "{flags:?}: {ran:?}");
        ran.says(&["error: ", problem]);
        ran.says(&["hint: ", help]);
    }
}
