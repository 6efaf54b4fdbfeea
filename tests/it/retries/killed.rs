//! Attempts and the ledger: a gate that is killed between two of them loses none, and doubles none.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use epm_sandbox::Sandbox;
use tokio::time::Instant;

use super::{TIMED_OUT, failing, hasty, run};
use crate::harness::{Gate, playing, shipped, text_of};

/// How many gates are killed.
const ROUNDS: u32 = 80;

/// How far apart the moments are.
const STEP: Duration = Duration::from_millis(1);

const LEDGER: [&str; 2] = ["--ledger", "ledger.json"];

fn keyed(sandbox: &Sandbox) -> Gate {
    hasty(sandbox).set("EPM_LEDGER_KEY", "close-2026-01")
}

fn ledger_of(gate: &Gate) -> serde_json::Value {
    serde_json::from_str(&text_of(&gate.path("ledger.json"))).expect("the ledger is JSON")
}

#[test]
fn the_ledger_knows_which_attempt_it_is() {
    let sandbox = shipped("fails-then-succeeds");
    let mut gate = keyed(&sandbox);
    let ran = gate.run_again(run("2", &LEDGER));
    assert_eq!((ran.code, ran.output("attempts")), (0, "2"), "{ran:?}");
    let entries = ledger_of(&gate)["entries"].clone();
    assert_eq!(entries.as_array().map(Vec::len), Some(1), "{entries}");
    assert_eq!((&entries[0]["attempt"], &entries[0]["state"]["jobId"]), (&2.into(), &2101.into()), "{entries}");
    let ran = gate.run_again(run("2", &LEDGER));
    assert_eq!((ran.code, ran.output("attempts"), ran.output("reused")), (0, "2", "true"), "{ran:?}");
    assert_eq!(sandbox.taken(), 2);
}

#[test]
fn a_run_that_is_over_begins_anew_with_its_first_attempt() {
    let sandbox = playing(&failing(TIMED_OUT));
    let mut gate = keyed(&sandbox);
    for taken in [2, 4] {
        let ran = gate.run_again(run("1", &LEDGER));
        assert_eq!((ran.code, ran.output("attempts"), sandbox.taken()), (10, "2", taken), "{ran:?}");
    }
}

#[test]
fn an_attempt_that_an_earlier_process_was_about_to_make_is_made_by_the_next() {
    let sandbox = shipped("fails-then-succeeds");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let ledger = dir.path().join("ledger.json");
    let ledger = ["--ledger", ledger.to_str().expect("UTF-8")];
    let mut running = keyed(&sandbox).start([&run("1", &ledger)[..], &["--retry-delay=15s"]].concat());
    running.until_it_says("attempt 2 of 2 follows");
    running.kill();
    let ran = keyed(&sandbox).run(run("1", &ledger));
    assert_eq!((ran.code, ran.output("attempts"), ran.output("jobId")), (0, "2", "2101"), "{ran:?}");
    ran.says(&["1 failed attempts", "this is attempt 2"]);
    assert_eq!(sandbox.taken(), 2);
}

#[test]
fn an_attempt_whose_submit_was_turned_away_is_still_to_come() {
    let later =
        "[[job]]\nsubmit = [{ http = 429, headers = { 'Retry-After' = '3600' } }, {}]\npolls = [{ status = 0 }]\n";
    let sandbox = playing(&(failing(TIMED_OUT) + later));
    let mut gate = keyed(&sandbox);
    let ran = gate.run_again(run("1", &LEDGER));
    assert_eq!((ran.code, ran.output("attempts"), ran.output("jobId")), (10, "1", "2100"), "{ran:?}");
    ran.says(&["the new attempt was not submitted", "HTTP 429"]);
    let entry = ledger_of(&gate)["entries"][0].clone();
    assert_eq!((&entry["attempt"], &entry["again"]), (&serde_json::Value::Null, &true.into()), "{entry}");
    let ran = gate.run_again(run("1", &LEDGER));
    assert_eq!((ran.code, ran.output("attempts"), sandbox.taken()), (0, "2", 2), "{ran:?}");
}

/// Kills a gate so long after its first submit, then runs another one until it passes.
fn round(number: u32) {
    let slow = failing(TIMED_OUT).replace("[[job]]", "[[job]]\nsubmit = [{ delay = '2ms' }]");
    let sandbox = playing(&(slow + "[[job]]\nsubmit = [{ delay = '2ms' }]\npolls = [{ status = 0 }]\n"));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let ledger = dir.path().join("ledger.json");
    let ledger = ["--ledger", ledger.to_str().expect("UTF-8")];
    let running = keyed(&sandbox).start(run("1", &ledger));
    let patience = Instant::now() + Duration::from_secs(30);
    while sandbox.posts() == 0 {
        assert!(Instant::now() < patience, "it never submitted");
        std::thread::yield_now();
    }
    let from = Instant::now();
    while from.elapsed() < STEP * number {
        std::thread::yield_now();
    }
    running.kill();
    let ran = keyed(&sandbox).run(run("1", &ledger));
    match ran.code {
        0 => assert_eq!((sandbox.taken(), ran.output("attempts")), (2, "2"), "round {number}: {ran:?}"),
        // Its submit was under way: nobody can know, and nobody submits.
        24 => assert!((1..=2).contains(&sandbox.taken()), "round {number}: {ran:?}"),
        _ => panic!("round {number}: {ran:?}"),
    }
}

#[test]
fn at_each_step_between_two_attempts_none_is_lost_and_none_is_doubled() {
    let next = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= ROUNDS {
                        return;
                    }
                    round(number);
                }
            });
        }
    });
}

#[test]
fn a_second_gate_with_the_same_key_makes_no_attempt_of_its_own() {
    let sandbox = playing(&(failing(TIMED_OUT) + "[[job]]\npolls = [{ status = -1, times = 20 }, { status = 0 }]\n"));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let ledger = dir.path().join("ledger.json");
    let ledger = ["--ledger", ledger.to_str().expect("UTF-8")];
    let gates: Vec<_> = (0..3).map(|_| keyed(&sandbox).start(run("1", &ledger))).collect();
    for gate in gates {
        let ran = gate.finish();
        assert_eq!((ran.code, ran.output("jobId")), (0, "2101"), "{ran:?}");
    }
    assert_eq!(sandbox.taken(), 2);
}
