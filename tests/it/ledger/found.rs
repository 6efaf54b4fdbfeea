//! An id that somebody found and attached to: whose job it is, and whose it is not.

use super::{RUN, answering, facts, keyed, states};
use crate::harness::{Gate, playing, text_of};

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
    let mut later = gate.unset("EPM_LEDGER_KEY").set_all(&stage);
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
    let gate = Gate::against(&sandbox).set_all(&github);
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
