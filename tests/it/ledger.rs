//! `--ledger`: a run that is repeated loads nothing twice, whatever became of the one before.

use std::fs::File;
use std::path::PathBuf;

use epm_sandbox::Sandbox;

use crate::harness::{Gate, Ran, playing, shipped, text_of};

const RUN: [&str; 5] = ["run", "--job-name", "GLDATA", "--ledger", "ledger.json"];

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
fn the_id_that_a_person_found_is_followed_by_the_next_run() {
    let sandbox = answering("{ fault = 'reset-after' }");
    let mut gate = keyed(&sandbox);
    gate.run_again(RUN);
    let mut person = gate.unset("EPM_LEDGER_KEY");
    let ran = person.run_again([
        "attach",
        "2100",
        "--ledger",
        "ledger.json",
        "--timeout",
        "400ms",
        "--poll-min",
        "9s",
        "--poll-max",
        "9s",
    ]);
    assert_eq!(ran.end(), (20, "timed-out"), "{ran:?}");
    ran.says(&["job 2100: now in the ledger as the job of the submit of 20"]);
    assert_eq!(states(&person), ["submitted"]);
    let mut gate = person.set("EPM_LEDGER_KEY", "close-2026-01");
    let ran = gate.run_again(RUN);
    assert_eq!((ran.end(), facts(&ran)), ((0, "succeeded"), ("2100", "no", "false", "1")), "{ran:?}");
    assert_eq!((sandbox.posts(), sandbox.taken()), (1, 1));
}

#[test]
fn an_id_that_is_attached_to_is_recorded_with_its_end() {
    let sandbox = answering("{}");
    let mut gate = Gate::against(&sandbox);
    gate.run_again(["submit", "--job-name", "GLDATA"]);
    let ran = gate.run_again(["attach", "2100", "--ledger", "ledger.json"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.says(&["job 2100: now in the ledger; no submit there waited for its job"]);
    assert_eq!(states(&gate), ["ended"]);
}

#[test]
fn an_id_that_could_belong_to_two_submits_stands_by_itself_until_the_key_is_named() {
    let sandbox = playing("[[job]]\nsubmit = [{ fault = 'reset-after' }]\npolls = [{ status = 0 }]\n");
    let mut gate = keyed(&sandbox);
    for name in ["GL", "AP"] {
        let ran = gate.run_again(["run", "--job-name", name, "--ledger", "ledger.json"]);
        assert_eq!(ran.end(), (24, "submit-uncertain"), "{ran:?}");
    }
    let mut gate = gate.unset("EPM_LEDGER_KEY");
    let attach = ["attach", "2101", "--ledger", "ledger.json"];
    let ran = gate.run_again(attach);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.says(&["job 2101: now in the ledger by itself: 2 submits there wait", "`--ledger-key`"]);
    assert_eq!(states(&gate), ["intended", "intended", "ended"]);
    let ran = gate.run_again([&attach[..], &["--ledger-key", "close-2026-01", "--job-name", "AP"]].concat());
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(states(&gate), ["intended", "ended"]);
    let mut gate = gate.set("EPM_LEDGER_KEY", "close-2026-01");
    let ran = gate.run_again(["run", "--job-name", "AP", "--ledger", "ledger.json"]);
    assert_eq!((ran.output("jobId"), ran.output("reused"), sandbox.posts()), ("2101", "true", 2), "{ran:?}");
}

#[test]
fn an_id_that_epm_does_not_know_never_gets_into_the_ledger() {
    let sandbox = answering("{ fault = 'reset-after' }");
    let mut gate = keyed(&sandbox);
    gate.run_again(RUN);
    let before = text_of(&gate.path("ledger.json"));
    let ran = gate.run_again(["attach", "99999", "--ledger", "ledger.json", "--timeout", "1s"]);
    assert_eq!(ran.end(), (32, "rejected"), "{ran:?}");
    assert_eq!(text_of(&gate.path("ledger.json")), before);
    assert_eq!(gate.run_again(["attach", "2100", "--ledger", "ledger.json"]).end(), (0, "succeeded"));
    assert_eq!(gate.run_again(RUN).output("reused"), "true");
}

#[test]
fn a_stage_that_attaches_to_another_job_makes_no_run_green() {
    let sandbox = playing(
        "[[job]]\nname = 'GLDATA'\nsubmit = [{ fault = 'reset-after' }]\npolls = [{ status = -1 }]\n\
         [[job]]\nname = 'OTHER'\nid = 50\nexists = true\npolls = [{ status = 0 }]\n",
    );
    let mut gate = keyed(&sandbox);
    gate.run_again(RUN);
    let stage =
        [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "1"), ("GITHUB_JOB", "later"), ("EPM_LEDGER", "ledger.json")];
    let mut later = stage.into_iter().fold(gate.unset("EPM_LEDGER_KEY"), |gate, (name, value)| gate.set(name, value));
    let ran = later.run_again(["attach", "50"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(states(&later), ["intended", "ended"]);
    let ran = later.set("EPM_LEDGER_KEY", "close-2026-01").run_again(RUN);
    assert_eq!(ran.end(), (24, "submit-uncertain"), "{ran:?}");
}

#[test]
fn an_id_is_not_given_to_a_submit_that_is_on_its_way() {
    let sandbox = playing(
        "[[job]]\nname = 'GLDATA'\nsubmit = [{ delay = '1500ms', http = 400 }]\n\
         [[job]]\nname = 'OTHER'\nid = 50\nexists = true\npolls = [{ status = 0 }]\n",
    );
    let gate = keyed(&sandbox);
    let ledger = gate.path("ledger.json").display().to_string();
    let mut running = gate.start(["run", "--job-name", "GLDATA", "--ledger", &ledger]);
    running.until("the submit has arrived", || sandbox.posts() == 1);
    let ran = Gate::against(&sandbox).run(["attach", "50", "--ledger", &ledger]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let kept = text_of(std::path::Path::new(&ledger));
    assert!(!kept.contains("jobId"), "{kept}");
    assert_eq!(running.finish().end(), (32, "rejected"));
}

#[test]
fn the_command_that_is_printed_attaches_to_the_right_submit() {
    let sandbox = playing("[[job]]\nsubmit = [{ fault = 'reset-after' }]\npolls = [{ status = 0 }]\n");
    let github = [("GITHUB_ACTIONS", "true"), ("GITHUB_JOB", "load"), ("GITHUB_ACTION", "gate")];
    let gate = github.into_iter().fold(Gate::against(&sandbox), |gate, (name, value)| gate.set(name, value));
    let mut gate = gate.set("GITHUB_RUN_ID", "1");
    assert_eq!(gate.run_again(RUN).code, 24);
    let mut gate = gate.set("GITHUB_RUN_ID", "2");
    let ran = gate.run_again(RUN);
    let hint = ran.stderr.lines().find(|line| line.starts_with("hint: ")).expect("a hint");
    let command = hint.split('`').find_map(|word| word.strip_prefix("epm-gate attach ")).expect("a command");
    // A shell takes it apart.
    let script = format!("printf '%s\\n' attach {}", command.replace("JOB_ID", "2101"));
    let words = std::process::Command::new("sh").args(["-c", &script]).output().expect("a shell").stdout;
    let words = String::from_utf8(words).expect("UTF-8");
    let names = ["GITHUB_ACTIONS", "GITHUB_JOB", "GITHUB_ACTION", "GITHUB_RUN_ID"];
    let mut person = names.into_iter().fold(gate, Gate::unset);
    let ran = person.run_again(words.lines());
    assert_eq!(ran.end(), (0, "succeeded"), "{command}: {ran:?}");
    assert_eq!(states(&person), ["intended", "ended"]);
}

#[test]
fn fresh_that_comes_to_nothing_leaves_the_running_job_where_it_was() {
    let sandbox = playing(
        "[[job]]\nid = 2100\nsubmit = [{}, { http = 400 }, { http = 429, headers = { 'Retry-After' = '9999' } }]\n\
         polls = [{ status = -1, times = 3 }, { status = 0 }]\n",
    );
    let mut gate = keyed(&sandbox);
    let short = ["--timeout", "300ms", "--poll-min", "9s", "--poll-max", "9s"];
    assert_eq!(gate.run_again([&RUN[..], &short].concat()).code, 20);
    for code in [32, 31] {
        assert_eq!(gate.run_again([&RUN[..], &["--fresh"]].concat()).code, code);
        assert_eq!(states(&gate), ["submitted"]);
    }
    let ran = gate.run_again(RUN);
    assert_eq!((ran.end(), ran.output("jobId"), sandbox.taken()), ((0, "succeeded"), "2100", 1), "{ran:?}");
}

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
fn a_ledger_that_vanishes_during_the_submit_does_not_lose_the_job() {
    let sandbox = playing("[[job]]\nid = 2100\nsubmit = [{ delay = '700ms' }]\npolls = [{ status = 0 }]\n");
    let gate = keyed(&sandbox);
    let ledger = gate.path("ledger.json");
    let run = ["run", "--job-name", "GLDATA", "--ledger", ledger.to_str().expect("UTF-8")];
    let mut running = gate.start(run);
    running.until("the submit has arrived", || sandbox.posts() == 1);
    std::fs::remove_file(&ledger).expect("it is there");
    let (ran, kept) = running.finish_and_keep();
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert!(text_of(&ledger).contains("\"jobId\": 2100"), "{}", text_of(&ledger));
    drop(kept);
}

#[test]
fn a_signal_while_the_list_is_read_says_that_a_job_may_run() {
    let sandbox = answering("{ fault = 'reset-after' }");
    let mut gate = keyed(&sandbox);
    gate.run_again(RUN);
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let host = |url: String| url.trim_start_matches("http://").to_owned();
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let ledger = text_of(&gate.path("ledger.json")).replace(&host(sandbox.url()), &host(url.clone()));
    gate.file("ledger.json", ledger);
    let mut running = gate.set("EPM_URL", url).start(RUN);
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
    let ran = gate.run_again([&RUN[..], &["--timeout", "300ms", "--poll-min", "9s", "--poll-max", "9s"]].concat());
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
    gate.run_again([&RUN[..], &["--timeout", "300ms", "--poll-min", "9s", "--poll-max", "9s"]].concat());
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
    // The same host to the ledger, and a service that knows nothing of the job.
    let host = |sandbox: &Sandbox| sandbox.url().trim_start_matches("http://").to_owned();
    let ledger = text_of(&gate.path("ledger.json")).replace(&host(&first), &host(&later));
    gate.file("ledger.json", ledger);
    let ran = gate.set("EPM_URL", later.url()).run([&RUN[..], &["--min-duration", condition]].concat());
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
        let mut gate = ci.into_iter().fold(Gate::against(&sandbox), |gate, (name, value)| gate.set(name, value));
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
        let gate = variables.iter().fold(Gate::against(&sandbox), |gate, (name, value)| gate.set(name, value));
        let ran = gate.run(["run", "--job-name", "GLDATA"]);
        assert_eq!(ran.stderr.contains("this run is a repetition"), warned, "{variables:?}: {ran:?}");
        assert_eq!(ran.end(), (0, "succeeded"));
    }
}

/// Makes a ledger unusable.
type Spoil = Box<dyn Fn(&mut Gate)>;

#[test]
fn a_ledger_that_cannot_be_used_is_named_and_nothing_is_sent() {
    let damaged = |content: &'static str| {
        move |gate: &mut Gate| {
            gate.file("ledger.json", content);
        }
    };
    let table: [(Spoil, &str); 5] = [
        (Box::new(damaged("{\"format\": \"epm-gate ledger\", \"vers")), "damaged"),
        (Box::new(damaged("")), "damaged"),
        (Box::new(damaged("{\"name\": \"package.json\"}")), "damaged, or no ledger"),
        (Box::new(damaged("{\"format\": \"epm-gate ledger\", \"version\": 9, \"entries\": []}")), "its version is 9"),
        (Box::new(|gate| std::fs::create_dir(gate.path("ledger.json")).expect("a folder")), "is not a file"),
    ];
    for (spoil, told) in table {
        let sandbox = answering("{}");
        let mut gate = keyed(&sandbox);
        spoil(&mut gate);
        let before = text_of(&gate.path("ledger.json"));
        for arguments in [&RUN[..], &["attach", "2100", "--ledger", "ledger.json"]] {
            let ran = gate.run_again(arguments);
            assert_eq!(ran.end(), (2, "usage"), "{told}: {ran:?}");
            ran.says(&["error: ", "ledger.json`", told, "nothing was sent"]);
            assert_eq!(text_of(&gate.path("ledger.json")), before);
        }
        assert!(sandbox.requests().is_empty(), "{told}");
    }
}

/// A library in front of the system's that has no locks.
#[cfg(target_os = "linux")]
fn without_locks(gate: &Gate) -> String {
    let source = gate.file(
        "given-no-locks.c",
        "#include <errno.h>\nint flock(int fd, int operation) { errno = EOPNOTSUPP; return -1; }\n",
    );
    let library = gate.path("given-no-locks.so").display().to_string();
    let built = std::process::Command::new("cc").args(["-shared", "-fPIC", "-o", &library, &source]).status();
    assert!(built.expect("the compiler that ring needs").success());
    library
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_system_without_locks_is_refused() {
    let sandbox = answering("{}");
    let gate = keyed(&sandbox);
    let library = without_locks(&gate);
    let ran = gate.set("LD_PRELOAD", library).run(RUN);
    assert_eq!((ran.end(), ran.output("submitted")), ((2, "usage"), "no"), "{ran:?}");
    ran.says(&["error: ", "cannot be locked", "nothing was sent"]);
    ran.says(&["hint: ", "a file system that has locks"]);
    assert!(sandbox.requests().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_means_that_nothing_is_submitted_where_the_ledger_is_on_it() {
    let sandbox = answering("{}");
    // No file may grow: each write fails as on a disk that is full.
    let ran = keyed(&sandbox).after_shell("trap '' XFSZ; ulimit -f 0").run(RUN);
    assert_eq!(ran.code, 2, "{ran:?}");
    ran.says(&["error: ", "ledger.json", "cannot be written", "nothing was submitted"]);
    assert_eq!(sandbox.posts(), 0);
}

#[test]
fn a_ledger_that_cannot_be_written_means_that_nothing_is_submitted() {
    let sandbox = answering("{}");
    let gate = keyed(&sandbox);
    std::fs::create_dir(gate.path("ledger.json.part")).expect("a folder where the new text would be written");
    let ran = gate.run(RUN);
    assert_eq!((ran.end(), ran.output("submitted")), ((2, "usage"), "no"), "{ran:?}");
    ran.says(&["error: ", "cannot be written", "nothing was submitted"]);
    assert_eq!(sandbox.posts(), 0);
    let ran = keyed(&sandbox).run(["run", "--job-name", "GLDATA", "--ledger", "no/such/folder/ledger.json"]);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["error: ", "no/such/folder", "cannot be written"]);
    assert_eq!(sandbox.posts(), 0);
}

#[test]
fn a_ledger_that_breaks_after_the_submit_does_not_lose_the_job() {
    let sandbox =
        playing("[[job]]\nid = 2100\nsubmit = [{ delay = '700ms' }]\npolls = [{ status = -1 }, { status = 0 }]\n");
    let mut running = keyed(&sandbox).start(RUN);
    running.until("the submit has arrived", || sandbox.posts() == 1);
    std::fs::create_dir(running.path("ledger.json.part")).expect("a folder where the new text would be written");
    let ran = running.finish();
    assert_eq!((ran.end(), facts(&ran)), ((40, "unwritable"), ("2100", "yes", "false", "1")), "{ran:?}");
    ran.says(&["warning: ", "ledger.json", "cannot be written"]);
    ran.says(&["error: ", "passed, but an output could not be written"]);
}

/// Holds a lock as another process would, until it is dropped.
fn hold(path: PathBuf) -> File {
    let file = File::create(path).expect("a lock file");
    file.try_lock().expect("nobody else has it");
    file
}

#[test]
fn the_second_gate_waits_for_the_first_and_then_follows_its_job() {
    let sandbox = playing("[[job]]\nid = 2100\nsubmit = [{ delay = '700ms' }]\npolls = [{ status = 0 }]\n");
    let first = keyed(&sandbox);
    let ledger = first.path("ledger.json").display().to_string();
    let run = ["run", "--job-name", "GLDATA", "--ledger", &ledger];
    let mut first = first.start(run);
    first.until("the submit has arrived", || sandbox.posts() == 1);
    let second = keyed(&sandbox).run(run);
    let first = first.finish();
    assert_eq!((first.end(), facts(&first)), ((0, "succeeded"), ("2100", "yes", "false", "1")), "{first:?}");
    assert_eq!((second.end(), second.output("jobId"), second.output("submitted")), ((0, "succeeded"), "2100", "no"));
    second.says(&["another gate is submitting with the ledger", "waiting for it"]);
    assert_eq!((sandbox.posts(), sandbox.taken()), (1, 1));
}

#[test]
fn a_turn_that_does_not_come_before_the_deadline_is_31() {
    let sandbox = answering("{}");
    let gate = keyed(&sandbox);
    let _turn = hold(gate.path("ledger.json.lock"));
    let ran = gate.run([&RUN[..], &["--timeout", "500ms"]].concat());
    assert_eq!((ran.end(), ran.output("submitted")), ((31, "unreachable"), "no"), "{ran:?}");
    ran.says(&["error: ", "another gate was submitting with the ledger", "until the deadline"]);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn an_end_is_written_while_another_gate_has_its_turn() {
    let sandbox = playing("[[job]]\nid = 2100\npolls = [{ status = -1, times = 5 }, { status = 0 }]\n");
    let mut running = keyed(&sandbox).start([&RUN[..], &["--poll-min", "100ms", "--poll-max", "100ms"]].concat());
    running.until_it_says("in progress");
    let _turn = hold(running.path("ledger.json.lock"));
    let ran = running.finish();
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
}
