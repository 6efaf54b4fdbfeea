//! `--ledger`: a run that is repeated loads nothing twice, whatever became of the one before.

mod file;
mod found;
mod key;

use epm_sandbox::Sandbox;

use crate::harness::{Gate, Ran, playing, shipped, text_of};

const RUN: [&str; 5] = ["run", "--job-name", "GLDATA", "--ledger", "ledger.json"];

/// With these a run ends after its first poll, and its job goes on.
const CUT_OFF: [&str; 6] = ["--timeout", "1s", "--poll-min", "9s", "--poll-max", "9s"];

/// Jobs that are in progress for two polls, then done; the first submit is answered so.
fn answering(submit: &str) -> Sandbox {
    playing(&format!(
        "[[job]]\nid = 2100\nsubmit = [{submit}, {{}}]\npolls = [{{ status = -1, times = 2 }}, {{ status = 0 }}]\n"
    ))
}

/// A call that can be repeated, under a key of its own.
fn keyed(sandbox: &Sandbox) -> Gate {
    Gate::against(sandbox).set("EPM_LEDGER_KEY", "close-2026-01")
}

fn ledger_of(gate: &Gate) -> serde_json::Value {
    serde_json::from_str(&text_of(&gate.path("ledger.json"))).expect("the ledger is JSON")
}

/// The states of the ledger's entries.
fn states(gate: &Gate) -> Vec<String> {
    let ledger = ledger_of(gate);
    let entries = ledger["entries"].as_array().expect("entries");
    entries.iter().map(|entry| entry["state"]["is"].as_str().expect("a state").to_owned()).collect()
}

fn facts(ran: &Ran) -> (&str, &str, &str, &str) {
    (ran.output("jobId"), ran.output("submitted"), ran.output("reused"), ran.output("attempts"))
}

/// The same gate before another service, which the ledger takes for the one that it knows.
fn moved(gate: Gate, from: &str, to: &str) -> Gate {
    let host = |url: &str| url.trim_start_matches("http://").to_owned();
    gate.file("ledger.json", text_of(&gate.path("ledger.json")).replace(&host(from), &host(to)));
    gate.set("EPM_URL", to)
}

#[test]
fn nothing_there_submits_and_records_the_id_and_the_end() {
    let sandbox = answering("{}");
    let mut gate = keyed(&sandbox);
    let ran = gate.run_again(RUN);
    assert_eq!((ran.end(), facts(&ran)), ((0, "succeeded"), ("2100", "yes", "false", "1")), "{ran:?}");
    let entry = &ledger_of(&gate)["entries"][0];
    assert_eq!((&entry["run"], &entry["jobName"]), (&"close-2026-01".into(), &"GLDATA".into()));
    assert_eq!((&entry["state"]["is"], &entry["state"]["jobId"]), (&"ended".into(), &2100.into()));
    assert_eq!(entry["state"]["end"]["status"], 0);
    assert_eq!(sandbox.taken(), 1);
}

#[test]
fn a_refused_submit_is_taken_back_and_the_next_run_submits() {
    for (refusal, code) in [
        ("{ status = 1, without = ['jobId'], details = 'EPMFDM-140149: Invalid Integration Name' }", 32),
        ("{ http = 400 }", 32),
        ("{ http = 403 }", 30),
        ("{ http = 401 }", 30),
        ("{ http = 302 }", 30),
        ("{ http = 429, headers = { 'Retry-After' = '3600' } }", 31),
    ] {
        let sandbox = answering(refusal);
        let mut gate = keyed(&sandbox);
        let ran = gate.run_again(RUN);
        assert_eq!((ran.code, ran.output("submitted")), (code, "no"), "{refusal}: {ran:?}");
        assert_eq!(states(&gate), ["refused"], "{refusal}");
        let ran = gate.run_again(RUN);
        assert_eq!((ran.end(), facts(&ran)), ((0, "succeeded"), ("2100", "yes", "false", "1")), "{refusal}: {ran:?}");
        assert_eq!(sandbox.taken(), 1);
    }
}

#[test]
fn a_look_that_is_not_let_in_leaves_no_trace() {
    let sandbox = shipped("unauthorized");
    let mut gate = keyed(&sandbox);
    let ran = gate.run_again(RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    assert!(!gate.path("ledger.json").exists());
}

#[test]
fn an_intent_without_an_id_is_never_submitted_again() {
    let sandbox = answering("{ fault = 'reset-after' }");
    let mut gate = keyed(&sandbox);
    assert_eq!(gate.run_again(RUN).end(), (24, "submit-uncertain"));
    for _ in 0..2 {
        let ran = gate.run_again(RUN);
        assert_eq!((ran.end(), facts(&ran)), ((24, "submit-uncertain"), ("", "maybe", "false", "1")), "{ran:?}");
        ran.says(&["error: ", "an earlier run sent", "the id of its job is not known"]);
        ran.says(&["warning: ", "EPM's list", "job 2100 (`RUNNING`"]);
        ran.says(&["hint: do not submit again", "epm-gate attach JOB_ID", "--ledger ledger.json", "--fresh"]);
        assert!(ran.summary.contains("job 2100") && ran.summary.contains("attach JOB_ID"), "{}", ran.summary);
    }
    assert_eq!((sandbox.posts(), sandbox.taken()), (1, 1));
}

#[test]
fn a_list_of_jobs_that_cannot_be_read_changes_nothing() {
    let sandbox = answering("{ fault = 'reset-after' }");
    let mut gate = keyed(&sandbox);
    gate.run_again(RUN);
    let before = text_of(&gate.path("ledger.json"));
    let mut stranger = gate.set("EPM_PASSWORD", "wrong-but-long-enough");
    let ran = stranger.run_again(RUN);
    assert_eq!(ran.end(), (24, "submit-uncertain"), "{ran:?}");
    ran.says(&["warning: ", "EPM's list of jobs could not be read", "HTTP 401"]);
    assert_eq!((sandbox.posts(), text_of(&stranger.path("ledger.json"))), (1, before));
}

#[test]
fn fresh_that_comes_to_nothing_leaves_the_running_job_where_it_was() {
    let sandbox = playing(
        "[[job]]\nid = 2100\nsubmit = [{}, { http = 400 }, { http = 429, headers = { 'Retry-After' = '9999' } }]\n\
         polls = [{ status = -1, times = 3 }, { status = 0 }]\n",
    );
    let mut gate = keyed(&sandbox);
    assert_eq!(gate.run_again([&RUN[..], &CUT_OFF].concat()).code, 20);
    for code in [32, 31] {
        assert_eq!(gate.run_again([&RUN[..], &["--fresh"]].concat()).code, code);
        assert_eq!(states(&gate), ["submitted"]);
    }
    let ran = gate.run_again(RUN);
    assert_eq!((ran.end(), ran.output("jobId"), sandbox.taken()), ((0, "succeeded"), "2100", 1), "{ran:?}");
}

#[test]
fn a_signal_while_the_list_is_read_says_that_a_job_may_run() {
    let sandbox = answering("{ fault = 'reset-after' }");
    let mut gate = keyed(&sandbox);
    gate.run_again(RUN);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let mut running = moved(gate, &sandbox.url(), &url).start(RUN);
    // Its question has come, and is not answered.
    let _asked = silent.accept().expect("the list is asked for");
    running.until_it_says("to be submitted");
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!((ran.code, ran.output("submitted")), (24, "maybe"), "{ran:?}");
    ran.says(&["hint: do not submit again"]);
}

#[test]
fn a_job_whose_end_is_not_known_is_followed_at_once() {
    let sandbox = answering("{}");
    let mut gate = keyed(&sandbox);
    let ran = gate.run_again([&RUN[..], &CUT_OFF].concat());
    assert_eq!((ran.end(), states(&gate)), ((20, "timed-out"), vec!["submitted".to_owned()]), "{ran:?}");
    let ran = gate.run_again(RUN);
    assert_eq!((ran.end(), facts(&ran)), ((0, "succeeded"), ("2100", "no", "false", "1")), "{ran:?}");
    ran.says(&["the ledger has it", "nothing is submitted, attaching to it"]);
    assert_eq!((sandbox.posts(), sandbox.taken()), (1, 1));
}

#[test]
fn a_followed_job_that_cannot_be_asked_about_may_still_run() {
    let sandbox = answering("{}");
    let mut gate = keyed(&sandbox);
    gate.run_again([&RUN[..], &CUT_OFF].concat());
    let mut stranger = gate.set("EPM_PASSWORD", "wrong-but-long-enough");
    let ran = stranger.run_again(RUN);
    assert_eq!(ran.end(), (22, "access-lost"), "{ran:?}");
    ran.says(&["hint: do not submit again", "epm-gate attach 2100"]);
    assert_eq!(sandbox.posts(), 1);
}

#[test]
fn a_success_is_asked_about_once_more_and_reused() {
    let sandbox = answering("{}");
    let mut gate = keyed(&sandbox);
    gate.run_again(RUN);
    let first = ledger_of(&gate);
    for _ in 0..2 {
        let ran = gate.run_again(RUN);
        assert_eq!((ran.end(), facts(&ran)), ((0, "succeeded"), ("2100", "no", "true", "1")), "{ran:?}");
        ran.says(&["the ledger has it: it passed at 20", "nothing is submitted, asking about it once more"]);
        assert!(ran.summary.contains("it passed at 20"), "{}", ran.summary);
        assert_eq!(ran.output("logFileName"), "outbox/logs/GLDATA_2100.log");
    }
    assert_eq!(ledger_of(&gate), first, "a success does not grow younger by being reused");
    assert_eq!((sandbox.posts(), sandbox.taken()), (1, 1));
    let ran = gate.run([&RUN[..], &["--require-output"]].concat());
    assert_eq!((ran.end(), ran.output("reused")), ((13, "condition-unmet"), "true"), "{ran:?}");
}

#[test]
fn what_epm_says_now_of_a_success_counts() {
    let sandbox = playing("[[job]]\nid = 2100\npolls = [{ status = 0 }, { status = 1, details = 'reset by hand' }]\n");
    let mut gate = keyed(&sandbox);
    assert_eq!(gate.run_again(RUN).end(), (0, "succeeded"));
    let ran = gate.run_again(RUN);
    assert_eq!((ran.end(), ran.output("reused")), ((10, "failed"), "true"), "{ran:?}");
    let ran = gate.run_again(RUN);
    assert_eq!((ran.output("submitted"), sandbox.taken()), ("yes", 2), "a failure is submitted anew: {ran:?}");
}

/// A run that finds a success of which EPM knows nothing any more.
fn forgotten(condition: &str) -> Ran {
    let (first, later) = (answering("{}"), shipped("succeeds"));
    let mut gate = keyed(&first);
    gate.run_again(RUN);
    let ran = moved(gate, &first.url(), &later.url()).run([&RUN[..], &["--min-duration", condition]].concat());
    assert_eq!(later.posts(), 0);
    ran
}

#[test]
fn what_was_recorded_of_a_success_stands_where_epm_has_forgotten_it() {
    let ran = forgotten("0s");
    assert_eq!((ran.end(), facts(&ran)), ((0, "succeeded"), ("2100", "no", "true", "1")), "{ran:?}");
    ran.says(&["EPM knows job 2100 no longer; what the ledger recorded of it stands"]);
    assert_eq!((ran.output("status"), ran.output("jobStatus")), ("0", "SUCCESS"));
}

#[test]
fn conditions_are_held_against_what_was_recorded() {
    let ran = forgotten("1h");
    assert_eq!((ran.end(), ran.output("reused")), ((13, "condition-unmet"), "true"), "{ran:?}");
}

#[test]
fn an_old_success_under_a_key_of_the_users_own_is_refused() {
    let sandbox = answering("{}");
    let mut gate = keyed(&sandbox);
    gate.run_again(RUN);
    let aged = {
        let mut ledger = ledger_of(&gate);
        ledger["entries"][0]["state"]["end"]["at"] = "2020-01-31T00:00:00Z".into();
        ledger.to_string()
    };
    gate.file("ledger.json", &aged);
    let ran = gate.run_again(RUN);
    assert_eq!((ran.end(), ran.output("submitted")), ((2, "usage"), "no"), "{ran:?}");
    ran.says(&["error: ", "job 2100", "passed at 2020-01-31", "too old"]);
    ran.says(&["hint: ", "--ledger-key", "--fresh"]);
    assert_eq!((sandbox.posts(), text_of(&gate.path("ledger.json"))), (1, aged));
    let ran = gate.run_again([&RUN[..], &["--fresh"]].concat());
    assert_eq!((ran.end(), ran.output("submitted"), sandbox.taken()), ((0, "succeeded"), "yes", 2), "{ran:?}");
}

#[test]
fn a_failure_is_submitted_anew() {
    for (status, code) in [(1, 10), (3, 11), (4, 12)] {
        let sandbox = playing(&format!(
            "[[job]]\nname = 'GLDATA'\npolls = [{{ status = {status} }}]\n[[job]]\nname = 'GLDATA'\npolls = [{{ status = 0 }}]\n"
        ));
        let mut gate = keyed(&sandbox);
        assert_eq!(gate.run_again(RUN).code, code);
        let ran = gate.run_again(RUN);
        assert_eq!((ran.end(), facts(&ran)), ((0, "succeeded"), ("2101", "yes", "false", "1")), "{ran:?}");
        assert_eq!(sandbox.taken(), 2);
    }
}

#[test]
fn fresh_submits_in_any_case_and_says_in_spite_of_what() {
    let sandbox = playing("[[job]]\nsubmit = [{ fault = 'reset-after' }, {}]\npolls = [{ status = 0 }]\n");
    let mut gate = keyed(&sandbox);
    let fresh = [&RUN[..], &["--fresh"]].concat();
    gate.run_again(RUN);
    let ran = gate.run_again(&fresh);
    assert_eq!((ran.end(), ran.output("submitted")), ((0, "succeeded"), "yes"), "{ran:?}");
    ran.says(&["warning: ", "a submit whose job is not known", "`--fresh`"]);
    let ran = gate.run_again(&fresh);
    ran.says(&["warning: ", "job 2101, which passed", "`--fresh`"]);
    assert_eq!(sandbox.taken(), 3);
}

#[test]
fn a_submit_hands_the_job_of_an_earlier_one_on() {
    let sandbox = answering("{}");
    let mut gate = keyed(&sandbox);
    let submit = ["submit", "--job-name", "GLDATA", "--ledger", "ledger.json"];
    assert_eq!(gate.run_again(submit).end(), (0, "submitted"));
    let ran = gate.run_again(submit);
    assert_eq!((ran.end(), facts(&ran)), ((0, "submitted"), ("2100", "no", "false", "1")), "{ran:?}");
    ran.says(&["ok: ", "an earlier run submitted it as job 2100"]);
    assert_eq!(gate.run_again(["attach", "2100", "--ledger", "ledger.json"]).end(), (0, "succeeded"));
    let ran = gate.run_again(submit);
    assert_eq!((ran.end(), facts(&ran)), ((0, "submitted"), ("2100", "no", "true", "1")), "{ran:?}");
    assert_eq!(sandbox.posts(), 1);
}
