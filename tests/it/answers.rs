//! What is made of answers that come in pieces: texts that vanish, logs that come late or not at all, other jobs.

use crate::harness::{Gate, playing};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

#[test]
fn texts_of_an_older_answer_are_not_those_of_the_end() {
    let sandbox = playing(
        "about = \"Its last answer is silent.\"\n[[job]]\npolls = [\n\
         { status = -1, job_status = \"WARNING\", details = \"still loading\" },\n\
         { status = 0, without = [\"jobStatus\", \"details\"] },\n]\n",
    );
    let mut gate = Gate::against(&sandbox);
    let ran = gate.run_again(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!((ran.output("jobStatus"), ran.output("details")), ("", ""));
    let ran = gate.run_again(["run", "--job-name", "GLDATA", "--fail-on-warning"]);
    assert_eq!(ran.end(), (13, "condition-unmet"), "a text that is not there cannot rule a warning out: {ran:?}");
}

#[test]
fn an_output_that_the_end_does_not_name_is_none() {
    let sandbox = playing(
        "[[job]]\noutput_file = \"outbox/x.csv\"\npolls = [\n\
         { status = -1, fields = { outputFileName = \"outbox/x.csv\" } },\n\
         { status = 0, without = [\"outputFileName\"] },\n]\n",
    );
    let ran = Gate::against(&sandbox).run(["run", "--job-name", "GLDATA", "--require-output"]);
    assert_eq!(ran.end(), (13, "condition-unmet"), "{ran:?}");
}

#[test]
fn an_answer_to_a_submit_that_cannot_be_read_is_no_refusal() {
    for body in [
        r#"{"status":"RUNNING","details":"started"}"#,
        r#"{"jobId":"J-17","details":"job submitted"}"#,
        r#"{"jobId":7,"jobID":8,"status":1}"#,
    ] {
        let sandbox = playing(&format!("[[job]]\nsubmit = [{{ body = '{body}' }}]\n"));
        let ran = Gate::against(&sandbox).run(RUN);
        assert_eq!((ran.end(), ran.output("submitted")), ((24, "submit-uncertain"), "maybe"), "{body}: {ran:?}");
        assert_eq!(sandbox.posts(), 1);
    }
}

#[test]
fn a_look_that_has_more_to_say_than_anyone_reads_lets_us_in() {
    let sandbox = playing(&format!(
        "[look]\nreplies = [{{ body = '{}' }}]\n[[job]]\npolls = [{{ status = 0 }}]\n",
        "x".repeat(1_100_000)
    ));
    let ran = Gate::against(&sandbox).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}

#[test]
fn a_password_that_a_submit_has_proven_is_tried_once_more() {
    for look in ["off", "/nothing/there/"] {
        let sandbox = playing("[[job]]\npolls = [{ http = 401 }, { status = 0 }]\n");
        let ran = Gate::against(&sandbox).run(["run", "--job-name", "GLDATA", "--look", look]);
        assert_eq!(ran.end(), (0, "succeeded"), "{look}: {ran:?}");
    }
}

#[test]
fn a_wish_to_stay_away_is_followed() {
    // Asked each 10 ms, the first answer would be heard again and again before its time is over.
    let sandbox = playing(
        "[[job]]\npolls = [{ http = 429, headers = { 'Retry-After' = '1' }, lasts = '900ms' }, { status = 0 }]\n",
    );
    let ran = Gate::against(&sandbox).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let polls = sandbox.requests().iter().filter(|request| request.path.contains("/jobs/")).count();
    assert_eq!(polls, 2, "{ran:?}");
}

#[test]
fn a_page_that_comes_for_the_log_is_no_log() {
    let sandbox = playing(
        "about = \"A login page for the log.\"\n[[job]]\npolls = [{ status = 1 }]\nlog = \"x\"\n\
         download = [{ page = \"login\" }]\n",
    );
    let ran = Gate::against(&sandbox).run(RUN);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    ran.says(&["warning: the log `", "could not be read", "login page"]);
    assert!(!ran.summary.contains("<details>") && !ran.stderr.contains("DOCTYPE"), "{ran:?}");
}

#[test]
fn a_log_is_asked_for_again_after_a_fault() {
    let sandbox = playing(
        "about = \"A log at the second try.\"\n[[job]]\npolls = [{ status = 1 }]\nlog = \" ERROR it was this\"\n\
         download = [{ http = 503 }, {}]\n",
    );
    let ran = Gate::against(&sandbox).run(RUN);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    assert!(ran.summary.contains("1:  ERROR it was this"), "{}", ran.summary);
}

#[test]
fn access_that_another_job_had_is_lost_and_not_denied() {
    let sandbox = playing(
        "about = \"One of two answers.\"\n\
         [[job]]\nname = \"A\"\nid = 11\nexists = true\npolls = [{ status = 0 }]\n\
         [[job]]\nname = \"B\"\nid = 12\nexists = true\npolls = [{ page = \"login\" }]\n",
    );
    let ran = Gate::against(&sandbox).set("EPM_UNKNOWN_GRACE", "200ms").run(["attach", "11", "12"]);
    assert_eq!(ran.end(), (23, "undetermined"), "{ran:?}");
    ran.says(&["epm-gate attach 12 "]);
}

#[test]
fn an_uncertain_submit_tells_when_it_was_sent() {
    let sandbox =
        playing("about = \"No id.\"\n[[job]]\nsubmit = [{ status = -1, without = [\"jobId\", \"links\"] }]\n");
    let ran = Gate::against(&sandbox).run(RUN);
    assert_eq!(ran.end(), (24, "submit-uncertain"), "{ran:?}");
    ran.says(&["the submit was sent at 20", " UTC, and the id of its job is not known"]);
    assert!(ran.summary.contains("| submit sent |"));
}

#[test]
fn what_epm_says_beside_an_error_is_told() {
    let sandbox =
        playing("about = \"It says why.\"\n[[job]]\nsubmit = [{ http = 403, body = '{\"details\":\"no role\"}' }]\n");
    let ran = Gate::against(&sandbox).run(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    ran.says(&["EPM denied access (HTTP 403): `no role`"]);
    ran.says(&["hint: nothing was submitted"]);
}

#[test]
fn a_summary_of_many_long_texts_stays_below_its_limit() {
    let jobs: Vec<String> = (1001..=1060)
        .map(|id| {
            let text = "`|# <x> ".repeat(800);
            format!(
                "[[job]]\nname = \"J{id}\"\nid = {id}\nexists = true\n\
                 polls = [{{ status = 1, job_status = '{text}', details = \"{text}\\n{text}\" }}]\nlog = \" ERROR {text}\"\n"
            )
        })
        .collect();
    let sandbox = playing(&format!("about = \"Many long texts.\"\n{}", jobs.concat()));
    let ids = (1001..=1060).map(|id: u32| id.to_string());
    let ran = Gate::against(&sandbox).run(["attach".to_owned()].into_iter().chain(ids));
    assert_eq!(ran.end(), (10, "failed"));
    assert!(ran.summary.len() <= 64 * 1024, "{}", ran.summary.len());
}
