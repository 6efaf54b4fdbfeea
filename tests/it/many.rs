//! Many jobs attached in one process: few connections, and each job with its own end.

use std::fmt::Write as _;

use epm_sandbox::Sandbox;
use serde_json::Value;

use crate::harness::{Gate, Ran, playing};

const FIRST_ID: u64 = 5000;

/// So many jobs that are there; what polls of the one with this index say.
fn jobs(count: u64, polls: impl Fn(u64) -> &'static str) -> (Sandbox, Vec<String>) {
    let mut toml = String::new();
    for index in 0..count {
        let (id, polls) = (FIRST_ID + index, polls(index));
        write!(toml, "[[job]]\nname = 'J{index}'\nid = {id}\nexists = true\npolls = [{polls}]\n").expect("a string");
    }
    let ids = (FIRST_ID..FIRST_ID + count).map(|id| id.to_string()).collect();
    (playing(&toml), ids)
}

/// The jobs of the report, in its order. The step output `jobs` has no room for so many where a task may have 3 KB.
fn told(ran: &Ran) -> Vec<Value> {
    assert_eq!(ran.output("jobs"), "");
    let report: Value = serde_json::from_str(&ran.report).expect("JSON");
    report["jobs"].as_array().expect("an array").clone()
}

fn attach(ids: Vec<String>) -> impl Iterator<Item = String> {
    std::iter::once("attach".to_owned()).chain(ids)
}

#[test]
fn two_hundred_jobs_share_eight_connections_and_each_has_its_own_end() {
    let fails = |index: u64| index % 10 == 3;
    let (sandbox, ids) = jobs(200, |index| {
        if fails(index) {
            "{ status = -1, delay = '20ms' }, { status = 1, delay = '20ms' }"
        } else {
            "{ status = -1, delay = '20ms' }, { status = 0, delay = '20ms' }"
        }
    });
    let ran = Gate::against(&sandbox).set("EPM_POLL_RATE", "2000").run(attach(ids));
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    let told = told(&ran);
    for (index, job) in (0_u64..).zip(&told) {
        assert_eq!(job["jobId"], FIRST_ID + index, "in the order given");
        assert_eq!(job["outcome"], if fails(index) { "failed" } else { "succeeded" }, "{job}");
    }
    assert_eq!(told.len(), 200);
    let most = sandbox.requests().iter().map(|request| request.open).max();
    assert!(most.is_some_and(|most| (2..=8).contains(&most)), "{most:?} at a time");
}

#[test]
fn jobs_whose_polls_hang_do_not_keep_the_others_from_their_ends() {
    let hangs = |index: u64| index % 2 == 1;
    let polls = |index| if hangs(index) { "{ fault = 'hang' }" } else { "{ status = -1 }, { status = 0 }" };
    let (sandbox, ids) = jobs(40, polls);
    let gate = Gate::against(&sandbox).set("EPM_REQUEST_TIMEOUT", "100ms").set("EPM_TIMEOUT", "3s");
    let ran = gate.run(attach(ids));
    assert_eq!(ran.code, 20, "{ran:?}");
    for (index, job) in (0_u64..).zip(told(&ran)) {
        assert_eq!(job["outcome"] == "succeeded", !hangs(index), "{job}");
    }
}

/// A job that waits for a lane is not asked about yet: what others take is no outage of its own.
#[test]
fn a_fault_behind_slow_answers_is_no_outage_that_began_with_them() {
    let polls =
        |index| if index < 8 { "{ status = 0, delay = '1s' }" } else { "{ fault = 'reset-before' }, { status = 0 }" };
    let (sandbox, ids) = jobs(9, polls);
    let ran = Gate::against(&sandbox).set("EPM_OUTAGE_BUDGET", "500ms").run(attach(ids));
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}
