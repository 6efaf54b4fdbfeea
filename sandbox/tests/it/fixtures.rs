//! Answers as Oracle's pages print them and as pods gave them; only ids, hosts and users are the sandbox's own.

use epm_sandbox::{Sandbox, Scenario};
use serde_json::{Value, json};

use crate::harness::{integration, poll, post, submit};

fn shipped(name: &str) -> Sandbox {
    Sandbox::start(Scenario::shipped(name).unwrap()).unwrap()
}

fn polled(scenario: &str, job: &str, polls: usize) -> Value {
    let sandbox = shipped(scenario);
    post(&sandbox, &integration(job));
    (1..polls).for_each(|_| drop(poll(&sandbox, 2100)));
    poll(&sandbox, 2100).json()
}

/// Values and the order of keys.
fn assert_same(answer: &Value, printed: &Value) {
    assert_eq!(answer.to_string(), printed.to_string());
}

#[test]
fn success_in_strings_as_documented() {
    // documented-success-strings.json, epm-api.md §3.2
    let printed = json!({
        "links": [], "status": "0", "details": "null", "jobId": "2100", "jobStatus": "SUCCESS",
        "logFileName": "outbox/logs/BESSAPP-DB_2100.log", "outputFileName": "outbox/BESSAPPJan-06.csv",
        "processType": "EXPORT_MAPPING", "executedBy": "close.bot@example.com",
    });
    assert_same(&polled("string-typed", "BESSAPP-DB", 3), &printed);
}

#[test]
fn a_text_that_contradicts_its_number_as_documented() {
    // documented-running-contradiction.json, epm-api.md §2.4; there, the keys stand in another order
    let printed = json!({
        "links": [{"rel": "self", "href": "http://pod.example/aif/rest/V1/jobs/2100", "action": "GET"}],
        "status": -1, "details": null, "jobId": 2100, "jobStatus": "SUCCESS",
        "logFileName": "\\outbox\\logs\\BATCH1_7595.log", "outputFileName": null,
        "processType": "COMM_BATCH", "executedBy": "close.bot@example.com",
    });
    assert_same(&polled("contradicting-texts", "BATCH1", 1), &printed);
}

#[test]
fn a_rejected_submit_as_seen() {
    // seen-rejected-submit.json, epm-api.md §2.7
    let seen = json!({"status": 1, "details": "EPMFDM-140149: Invalid Integration Name: Removed_Load", "links": []});
    assert_same(&post(&shipped("rejected-submit"), &integration("Removed_Load")).json(), &seen);
}

#[test]
fn a_second_attempt_plays_its_own_script() {
    let sandbox = shipped("fails-then-succeeds");
    let ends = ["X", "X"].map(|job| submit(&sandbox, job)).map(|id| {
        poll(&sandbox, id);
        poll(&sandbox, id).json()["status"].clone()
    });
    assert_eq!(ends, [json!(1), json!(0)]);
}
