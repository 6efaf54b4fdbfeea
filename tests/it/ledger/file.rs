//! The ledger's file: damaged, in the way, on a full disk, gone, or locked by another gate.

use std::fs::File;
use std::path::PathBuf;

use super::{RUN, answering, facts, keyed};
use crate::harness::{Gate, playing, text_of};

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
    let ran = keyed(&sandbox).unset("EPM_REPORT").after_shell("trap '' XFSZ; ulimit -f 0").run(RUN);
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
