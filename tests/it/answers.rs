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
    let ran = Gate::against(&sandbox).run(["run", "--job-name", "GLDATA", "--fail-on-warning"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!((ran.output("jobStatus"), ran.output("details")), ("", ""));
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
