//! The deadline bounds whatever could block for ever, and nothing is sent that could not be answered in time.

use tempfile::TempDir;

use crate::harness::{Gate, make_pipe, playing, shipped};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

/// A pipe with nobody at its other end, in a folder of its own.
fn pipe() -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("pipe");
    make_pipe(&path);
    (dir, path.display().to_string())
}

#[test]
fn a_secret_that_never_comes_is_given_up() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).unset("EPM_PASSWORD").set("EPM_TIMEOUT", "300ms");
    let (_dir, fifo) = pipe();
    let ran = gate.run(RUN.iter().copied().chain(["--password-file", &fifo]));
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    ran.says(&["could not be read before the deadline", "nothing was sent"]);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_payload_that_never_comes_is_given_up() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).set("EPM_TIMEOUT", "300ms");
    let (_dir, fifo) = pipe();
    let ran = gate.run(["run", "--payload", &fifo]);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    assert!(sandbox.requests().is_empty());
    let ran = Gate::against(&sandbox).with_stdin_that_nobody_closes().set("EPM_TIMEOUT", "300ms").run([
        "run",
        "--payload",
        "-",
    ]);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    ran.says(&["stdin was not closed before the deadline"]);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn an_output_that_does_not_open_is_wrong_usage() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).on_github().unset("EPM_SUMMARY");
    let (_dir, fifo) = pipe();
    let ran = gate.run(RUN.iter().copied().chain(["--summary", &fifo]));
    assert_eq!((ran.end(), ran.github["outcome"].as_str()), ((2, "usage"), "usage"), "the others say so: {ran:?}");
    ran.says(&["error: ", "cannot open the summary", "a pipe that nobody reads"]);
    assert!(ran.github_summary.contains("nobody reads"), "{ran:?}");
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_submit_is_not_sent_so_late_that_its_answer_could_be_lost() {
    // The look is answered after nine tenths of the time, however late the gate came to ask, and before its end.
    let sandbox = playing("about = \"A slow look.\"\n[look]\nreplies = [{ delay = \"3600ms\" }]\n[[job]]\n");
    let ran = Gate::against(&sandbox).set("EPM_TIMEOUT", "4s").run(RUN);
    assert_eq!((ran.end(), ran.output("submitted")), ((31, "unreachable"), "no"), "{ran:?}");
    ran.says(&["the deadline came before it was sent"]);
    assert_eq!(sandbox.posts(), 0);
}

#[test]
fn the_last_polls_of_many_jobs_all_come_before_the_deadline() {
    let jobs: Vec<String> = (1001..=1040)
        .map(|id| {
            format!(
                "[[job]]\nname = \"J{id}\"\nid = {id}\nexists = true\npolls = [{{ status = -1 }}, {{ status = 0 }}]\n"
            )
        })
        .collect();
    let sandbox = playing(&format!("about = \"Each is finished at its second poll.\"\n{}", jobs.concat()));
    let ids = (1001..=1040).map(|id: u32| id.to_string());
    let gate = Gate::against(&sandbox).set("EPM_TIMEOUT", "4s").set("EPM_POLL_RATE", "40");
    let ran =
        gate.set("EPM_POLL_MIN", "30s").set("EPM_POLL_MAX", "30s").run(["attach".to_owned()].into_iter().chain(ids));
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(sandbox.requests().len(), 80);
}
