//! A gate that is killed without a warning (SIGKILL), at every step around the submit: with a ledger, the next run finds
//! its job or says that it cannot know, and EPM has taken one.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use epm_sandbox::Sandbox;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::harness::{Gate, Ran, playing, text_of};

/// How many gates are killed.
const ROUNDS: u32 = 300;

/// How far apart the moments are, from the start of the process and from the arrival of its submit.
const STEP: Duration = Duration::from_micros(200);

fn gate(sandbox: &Sandbox) -> Gate {
    Gate::against(sandbox).set("EPM_LEDGER_KEY", "close-2026-01")
}

fn run(ledger: &Path) -> [&str; 5] {
    ["run", "--job-name", "GLDATA", "--ledger", ledger.to_str().expect("UTF-8")]
}

/// Lets a moment pass that no sleep is fine enough for.
fn spin(until: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(30);
    while !until() {
        assert!(Instant::now() < patience, "it never came to be");
        std::hint::spin_loop();
    }
}

/// Kills a gate, in every second round so long after its start, else so long after its submit has arrived; then runs
/// another one.
fn round(number: u32) -> (Ran, usize) {
    let sandbox = playing("[[job]]\nsubmit = [{ delay = '5ms' }]\npolls = [{ status = -1 }, { status = 0 }]\n");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let ledger = dir.path().join("ledger.json");
    let running = gate(&sandbox).start(run(&ledger));
    if number % 2 == 1 {
        spin(|| sandbox.posts() > 0);
    }
    let from = Instant::now();
    spin(|| from.elapsed() >= STEP * (number / 2));
    running.kill();
    let ran = gate(&sandbox).run(run(&ledger));
    (ran, sandbox.taken())
}

#[test]
fn at_each_step_around_the_submit_one_job_is_taken_at_most() {
    let (next, followed, uncertain) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    let rounds = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= ROUNDS {
                return;
            }
            let (ran, taken) = round(number);
            match ran.end() {
                (0, "succeeded") => assert_eq!(taken, 1, "round {number}: {ran:?}"),
                (24, "submit-uncertain") => assert!(taken <= 1, "round {number}: {taken} were taken: {ran:?}"),
                _ => panic!("round {number}: {ran:?}"),
            }
            let kind = if ran.code == 0 { &followed } else { &uncertain };
            kind.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        let workers = [scope.spawn(rounds), scope.spawn(rounds)];
        for worker in workers {
            worker.join().expect("no round fails");
        }
    });
    let (followed, uncertain) = (followed.into_inner(), uncertain.into_inner());
    assert!(followed > 0 && uncertain > 0, "the moments miss the submit: {followed} and {uncertain}");
}

#[test]
fn the_job_id_stands_everywhere_before_the_first_poll() {
    let sandbox = playing("[[job]]\nid = 2345\npolls = [{ fault = 'hang' }]\n");
    let kept: TempDir = tempfile::tempdir().expect("a temporary folder");
    let place = |name: &str| kept.path().join(name);
    let gate =
        gate(&sandbox).on_github().set("GITHUB_OUTPUT", place("output")).set("EPM_OUTPUTS_DIR", place("outputs"));
    let ledger = place("ledger.json");
    let mut running = gate.start(run(&ledger));
    running.until_it_says("(job 2345): submitted");
    running.until("the first poll has arrived", || sandbox.requests().len() == 4);
    running.kill();
    assert!(text_of(&place("output")).lines().any(|line| line == "2345"), "{}", text_of(&place("output")));
    assert_eq!(text_of(&place("outputs").join("jobId")), "2345");
    assert!(text_of(&ledger).contains("\"jobId\": 2345"), "{}", text_of(&ledger));
}
