//! Requests to stop: what is known is written, and the job goes on.

use crate::harness::{Gate, Running, make_pipe, playing, shipped, text_of};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

/// A gate that waits for a job that does not end.
fn waiting(gate: Gate) -> Running {
    let mut running = gate.on_github().start(RUN);
    running.until_it_says("in progress");
    running
}

#[test]
fn each_signal_ends_a_wait_with_its_code_and_everything_written() {
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let sandbox = shipped("never-ends");
        let running = waiting(Gate::against(&sandbox));
        running.signal(name);
        let ran = running.finish();
        assert_eq!(ran.end(), (code, "interrupted"), "{ran:?}");
        assert_eq!((ran.output("jobId"), ran.output("submitted"), ran.output("status")), ("2100", "yes", "-1"));
        assert_eq!((&ran.github["outcome"], &ran.github["exitCode"]), (&"interrupted".to_owned(), &code.to_string()));
        ran.says(&["error: ", &format!("SIG{name}")]);
        ran.says(&["hint: ", "`epm-gate attach 2100 --url http://127.0.0.1:"]);
        assert!(ran.summary.contains("epm-gate attach 2100") && ran.summary.contains(&format!("SIG{name}")));
        assert_eq!(sandbox.posts(), 1);
    }
}

#[test]
fn the_attach_command_finds_the_job_again() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).set("EPM_POLL_MIN", "10s").set("EPM_POLL_MAX", "10s");
    let running = waiting(gate);
    running.signal("INT");
    let ran = running.finish();
    let command = ran.stderr.split('`').find_map(|word| word.strip_prefix("epm-gate ")).expect("an attach command");
    let again = Gate::against(&sandbox).unset("EPM_URL").unset("EPM_USERNAME").run(command.split(' '));
    assert_eq!(again.end(), (0, "succeeded"), "{again:?}");
}

#[test]
fn a_hangup_that_was_ignored_at_the_start_stays_ignored() {
    let sandbox = shipped("never-ends");
    let running = waiting(Gate::against(&sandbox).after_shell("trap '' HUP"));
    running.signal("HUP");
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    assert!(!ran.stderr.contains("SIGHUP"), "{ran:?}");
}

#[test]
fn a_signal_while_the_submit_is_in_flight_leaves_it_uncertain() {
    let sandbox = shipped("hang-submit");
    let mut running = Gate::against(&sandbox).on_github().start(RUN);
    running.until("the submit has arrived", || sandbox.posts() == 1);
    running.signal("INT");
    let ran = running.finish();
    assert_eq!(ran.end(), (24, "submit-uncertain"), "{ran:?}");
    assert_eq!((ran.output("submitted"), ran.output("jobId")), ("maybe", ""));
    ran.says(&["hint: ", "not submit again", "epm-gate attach JOB_ID"]);
    assert_eq!(sandbox.posts(), 1);
}

#[test]
fn the_answer_to_a_submit_in_flight_is_awaited() {
    let sandbox = playing("[[job]]\nid = 2000\nsubmit = [{ delay = '1s' }]\npolls = [{ status = -1 }]");
    let mut running = Gate::against(&sandbox).start(RUN);
    running.until("the submit has arrived", || sandbox.posts() == 1);
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    assert_eq!((ran.output("submitted"), ran.output("jobId")), ("yes", "2000"));
    ran.says(&["hint: ", "`epm-gate attach 2000 "]);
}

#[test]
fn a_signal_before_anything_was_sent_says_so() {
    let sandbox = playing("[look]\nreplies = [{ fault = 'hang' }]\n");
    let mut running = Gate::against(&sandbox).on_github().start(RUN);
    running.until("the look has arrived", || sandbox.requests().len() == 1);
    running.signal("INT");
    let ran = running.finish();
    assert_eq!(ran.end(), (130, "interrupted"), "{ran:?}");
    assert_eq!((ran.output("submitted"), ran.output("jobId"), sandbox.posts()), ("no", "", 0));
    ran.says(&["error: ", "SIGINT", "nothing was submitted"]);
    assert!(!ran.stderr.contains("epm-gate attach"), "there is nothing to attach to: {ran:?}");
}

#[test]
fn the_same_signal_twice_at_once_is_one() {
    let sandbox = shipped("never-ends");
    let running = waiting(Gate::against(&sandbox));
    running.signal("INT");
    running.signal("INT");
    let ran = running.finish();
    assert_eq!(ran.end(), (130, "interrupted"), "{ran:?}");
    assert_eq!(ran.output("jobId"), "2100");
}

#[test]
fn a_later_signal_ends_at_once() {
    let sandbox = playing("[[job]]\nsubmit = [{ delay = '3s' }]\n");
    let mut running = Gate::against(&sandbox).start(RUN);
    running.until("the submit has arrived", || sandbox.posts() == 1);
    running.signal("INT");
    // Each is sent again and again: those of the first half second are the first one, and the next ends it.
    running.until_it_ends_by_signals("INT");
    let ran = running.finish();
    assert_eq!((ran.end(), ran.output("jobId")), ((24, "submit-uncertain"), ""), "{ran:?}");
}

#[test]
fn a_signal_is_heard_while_a_file_is_not_there_yet() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).unset("EPM_PASSWORD");
    let fifo = gate.path("given-fifo");
    make_pipe(&fifo);
    let mut running = gate.start(["run", "--job-name", "GLDATA", "--password-file", fifo.to_str().expect("UTF-8")]);
    running.until("the outputs are open", {
        let outcome = running.path("outputs").join("outcome");
        move || outcome.exists()
    });
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!((ran.end(), ran.output("submitted")), ((143, "interrupted"), "no"), "{ran:?}");
    ran.says(&["error: ", "SIGTERM was received; nothing was submitted"]);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn what_a_signal_leaves_in_the_ledger_is_what_the_next_run_goes_by() {
    let scenario = |look: &str, submit: &str| {
        playing(&format!(
            "[look]\nreplies = [{look}]\n[[job]]\nid = 2100\nsubmit = [{submit}]\npolls = [{{ status = -1, times = 60 }}, {{ status = 0 }}]\n"
        ))
    };
    for (look, submit, requests, state, next) in [
        ("{ fault = 'hang' }, {}", "{}", 1, "", (0, "yes")),
        ("{}", "{ fault = 'hang' }, {}", 3, "intended", (24, "maybe")),
        ("{}", "{ http = 429, headers = { 'Retry-After' = '15' } }, {}", 3, "refused", (0, "yes")),
        ("{}", "{}", 4, "submitted", (0, "no")),
    ] {
        let sandbox = scenario(look, submit);
        let gate = Gate::against(&sandbox).set("EPM_LEDGER_KEY", "k").set("EPM_POLL_MIN", "50ms");
        let dir = tempfile::tempdir().expect("a folder");
        let ledger = dir.path().join("ledger.json");
        let run = ["run", "--job-name", "GLDATA", "--ledger", ledger.to_str().expect("UTF-8")];
        let mut running = gate.start(run);
        running.until("it has come so far", || sandbox.requests().len() >= requests);
        if state == "refused" {
            running.until_it_says("HTTP 429");
        }
        running.signal("TERM");
        let ran = running.finish();
        assert!([143, 24].contains(&ran.code), "{submit}: {ran:?}");
        let kept = text_of(&ledger);
        assert!(
            kept.contains(&format!("\"is\": \"{state}\"")) || state.is_empty() && kept.is_empty(),
            "{submit}: {kept}"
        );
        let again = Gate::against(&sandbox).set("EPM_LEDGER_KEY", "k").run(run);
        assert_eq!((again.code, again.output("submitted")), next, "{submit}: {again:?}");
        assert!(sandbox.taken() <= 1, "{submit}");
    }
}

#[test]
fn an_attach_that_is_interrupted_names_every_job_that_may_run() {
    let sandbox = playing(
        "[[job]]\nid = 11\nexists = true\npolls = [{ status = -1 }]\n\
         [[job]]\nname = 'B'\nid = 12\nexists = true\npolls = [{ status = 1 }]\n\
         [[job]]\nname = 'C'\nid = 13\nexists = true\npolls = [{ status = -1 }]\n",
    );
    let mut running = Gate::against(&sandbox).start(["attach", "11", "12", "13"]);
    running.until_it_says("job 12: failed");
    running.until("each was asked about", || sandbox.requests().len() > 5);
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    ran.says(&["hint: ", "`epm-gate attach 11 13 "]);
}
