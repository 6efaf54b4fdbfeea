//! `status`: asks once, and exits by what it hears.

use crate::harness::{Gate, playing, shipped};

#[test]
fn asks_once_and_exits_by_the_answer() {
    for (poll, end) in [
        ("{ status = 0 }", (0, "succeeded")),
        ("{ status = 0, job_status = 'WARNING' }", (0, "warned")),
        ("{ status = 1 }", (10, "failed")),
        ("{ status = 3 }", (11, "cancelled")),
        ("{ status = 4 }", (12, "invalid-parameter")),
        ("{ status = -1 }", (25, "in-progress")),
        ("{ status = 2 }", (25, "in-progress")),
        ("{ status = 2147483647 }", (23, "undetermined")),
        ("{ status = 0, without = ['jobId'] }", (23, "undetermined")),
        ("{ status = 0, fields = { jobId = 9999 } }", (23, "undetermined")),
        ("{ page = 'maintenance' }", (31, "unreachable")),
        ("{ page = 'login' }", (30, "access-denied")),
        ("{ http = 401 }", (30, "access-denied")),
        ("{ http = 403 }", (30, "access-denied")),
        ("{ http = 404 }", (32, "rejected")),
    ] {
        let sandbox = playing(&format!("[[job]]\nid = 2000\nexists = true\npolls = [{poll}]"));
        let ran = Gate::against(&sandbox).run(["status", "2000"]);
        assert_eq!(ran.end(), end, "{poll}: {ran:?}");
        assert_eq!(sandbox.requests().len(), 1, "{poll}");
        assert_eq!((ran.output("submitted"), ran.output("jobId")), ("no", "2000"));
    }
}

#[test]
fn a_job_in_progress_is_never_a_pass_and_tells_how_to_wait_for_it() {
    let ran = Gate::against(&shipped("never-ends")).run(["status", "2000"]);
    assert_eq!(ran.end(), (25, "in-progress"));
    assert_eq!(ran.output("status"), "-1");
    ran.says(&["job 2000", "in progress"]);
    ran.says(&["hint: ", "`epm-gate attach 2000 --url http://127.0.0.1:"]);
}

#[test]
fn an_answer_that_never_comes_ends_with_its_timeout() {
    let ran = Gate::against(&shipped("hang-poll")).run(["status", "2000", "--request-timeout", "200ms"]);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
}

#[test]
fn the_id_comes_by_variable_too() {
    let ran = Gate::against(&shipped("quick-success")).set("EPM_JOB_ID", "2000").run(["status"]);
    assert_eq!(ran.end(), (0, "succeeded"));
}
