//! Streams that nobody reads, that are closed, or that were never open: the run goes on, ends in time, and leaves its
//! outputs.

use std::io::Write;
use std::process::{Child, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::harness::{Gate, make_pipe, shipped, text_of};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

/// What a pipe holds (pipe(7)).
const CAPACITY: usize = 65536;

/// A pipe that is full, and its reader, who does not read.
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&b".".repeat(CAPACITY)).expect("it takes so much");
    (reader, writer)
}

/// The exit code of a gate that must not hang.
fn ended(mut child: Child) -> Option<i32> {
    let (sender, receiver) = channel();
    let pid = child.id().to_string();
    std::thread::spawn(move || sender.send(child.wait()));
    let Ok(status) = receiver.recv_timeout(Duration::from_secs(50)) else {
        let _ = std::process::Command::new("kill").args(["-KILL", &pid]).status();
        panic!("it hangs")
    };
    status.expect("it is ours").code()
}

#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    for (timeout, scenario, code, outcome) in [
        ("2s", "never-ends", 20, "timed-out"),
        ("20s", "succeeds", 0, "succeeded"),
        ("20s", "fails-locked", 10, "failed"),
    ] {
        let (_reader, writer) = full_pipe();
        let sandbox = shipped(scenario);
        let gate = Gate::against(&sandbox).set("EPM_TIMEOUT", timeout);
        let gate = gate.set("EPM_LEDGER", "ledger.json").set("EPM_LEDGER_KEY", "k");
        let child = gate.command(RUN).stderr(writer).stdout(Stdio::null()).spawn().expect("it starts");
        assert_eq!(ended(child), Some(code), "{scenario}");
        assert_eq!(text_of(&gate.outputs_dir().join("outcome")), outcome);
        assert_eq!(text_of(&gate.outputs_dir().join("jobId")), "2100");
        assert!(text_of(&gate.path("ledger.json")).contains("\"jobId\": 2100"));
    }
}

#[test]
fn a_signal_ends_a_gate_whose_log_nobody_reads() {
    let (_reader, writer) = full_pipe();
    let sandbox = shipped("never-ends");
    let gate = Gate::against(&sandbox);
    let child = gate.command(RUN).stderr(writer).stdout(Stdio::null()).spawn().expect("it starts");
    for _ in 0..5000 {
        if sandbox.requests().len() > 3 {
            break;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let sent = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(sent.expect("`kill` runs").success());
    assert_eq!(ended(child), Some(143));
    assert_eq!(text_of(&gate.outputs_dir().join("outcome")), "interrupted");
}

#[test]
fn a_program_that_does_not_read_stdout_holds_a_stage_that_passed() {
    let (_reader, writer) = full_pipe();
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox);
    let child = gate.command(RUN.iter().chain(&["--print", "json"])).stdout(writer).stderr(Stdio::null()).spawn();
    assert_eq!(ended(child.expect("it starts")), Some(40));
    assert_eq!(text_of(&gate.outputs_dir().join("outcome")), "unwritable");
}

#[test]
fn a_summary_that_nobody_reads_is_given_up() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).unset("EPM_SUMMARY");
    let fifo = gate.path("given-fifo");
    make_pipe(&fifo);
    // Both ends are ours: it opens at once, and is full.
    let mut ours = std::fs::OpenOptions::new().read(true).write(true).open(&fifo).expect("a pipe");
    ours.write_all(&b".".repeat(CAPACITY)).expect("it takes so much");
    let child = gate.command(RUN.iter().copied().chain(["--summary", fifo.to_str().expect("UTF-8")]));
    let child = { child }.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    assert_eq!(ended(child), Some(40));
    assert_eq!(text_of(&gate.outputs_dir().join("outcome")), "unwritable");
}

#[test]
fn closed_streams_are_no_panic() {
    for closed in ["exec 2>&-", "exec >&-", "exec >&- 2>&-", "exec <&- >&- 2>&-"] {
        for print in ["none", "json"] {
            let sandbox = shipped("succeeds");
            let gate = Gate::against(&sandbox).after_shell(closed);
            let status = gate.command(RUN.iter().chain(&["--print", print])).status().expect("it runs");
            // What is closed at the start is `/dev/null` to a program of Rust's.
            assert_eq!(status.code(), Some(0), "{closed} {print}");
            assert_eq!(text_of(&gate.outputs_dir().join("exitCode")), "0", "{closed} {print}");
            assert_eq!((sandbox.posts(), sandbox.taken()), (1, 1));
        }
    }
}

#[test]
fn a_quiet_log_names_the_job_all_the_same() {
    let sandbox = shipped("never-ends");
    let mut running = Gate::against(&sandbox).start(RUN.iter().chain(&["-q"]));
    running.until_it_says("(job 2100): submitted");
    running.kill();
}
