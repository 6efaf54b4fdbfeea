//! Submitting and polling. // epm-api.md §2, §3

use serde_json::json;

use crate::harness::{get, integration, playing, poll, post, read, request, send, submit, usual};

#[test]
fn a_submit_is_answered_with_a_job_in_progress() {
    let sandbox = usual();
    let answer = post(&sandbox, &integration("GLDATA"));
    assert_eq!(answer.http(), 200);
    assert_eq!(answer.header("content-type").unwrap(), "application/json");
    let seen = json!({
        "links": [{"rel": "self", "href": "http://pod.example/aif/rest/V1/jobs/2100", "action": "GET"}],
        "status": -1,
        "details": null,
        "jobId": 2100,
        "jobStatus": "RUNNING",
        "logFileName": null,
        "outputFileName": null,
        "processType": "COMM_LOAD_BALANCES",
        "executedBy": "close.bot@example.com",
    });
    assert_eq!(answer.json(), seen);
}

#[test]
fn a_job_runs_for_three_polls_and_then_names_its_log() {
    let sandbox = usual();
    let id = submit(&sandbox, "GLDATA");
    let polls: Vec<_> = (0..5).map(|_| poll(&sandbox, id).json()).collect();
    let statuses: Vec<_> = polls.iter().map(|poll| poll["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [-1, -1, -1, 0, 0]);
    assert!(polls[2]["logFileName"].is_null());
    assert_eq!(polls[3]["logFileName"], "outbox/logs/GLDATA_2100.log");
}

#[test]
fn jobs_run_side_by_side() {
    let sandbox = usual();
    let (one, two) = (submit(&sandbox, "A"), submit(&sandbox, "B"));
    assert_eq!((one, two), (2100, 2101));
    for _ in 0..4 {
        poll(&sandbox, one);
    }
    assert_eq!(poll(&sandbox, one).json()["status"], 0);
    assert_eq!(poll(&sandbox, two).json()["status"], -1);
}

#[test]
fn a_gateway_may_put_a_prefix_in_front_and_finds_it_in_the_link() {
    let sandbox = usual();
    let id = submit(&sandbox, "GLDATA");
    let answer = get(&sandbox, &format!("/a/gateway/aif/rest/V1/jobs/{id}"));
    assert_eq!(answer.json()["links"][0]["href"], "http://pod.example/a/gateway/aif/rest/V1/jobs/2100");
    assert_eq!(get(&sandbox, "/a/gateway/aif/rest/").json()["items"][0]["version"], "V1");
}

#[test]
fn paths_are_taken_as_they_are_written() {
    let sandbox = usual();
    let id = submit(&sandbox, "GLDATA");
    for (path, http) in [
        ("/aif/rest/", 200),
        ("/aif/rest", 302),
        ("/aif/rest/V1/jobs", 200),
        (&format!("/aif/rest/V1/jobs/{id}"), 200),
        (&format!("/aif/rest/v1/jobs/{id}"), 404),
        (&format!("/AIF/rest/V1/jobs/{id}"), 404),
        ("/aif/rest/V1/jobs/7", 404),
        ("/aif/rest/V1/jobs/x", 404),
        ("/aif/rest/V2/jobs", 404),
        ("/", 404),
    ] {
        assert_eq!(get(&sandbox, path).http(), http, "{path}");
    }
    assert_eq!(read(send(&sandbox, &request(&sandbox, "DELETE", "/aif/rest/V1/jobs/2100", ""))).http(), 405);
}

#[test]
fn an_unknown_id_is_told_in_json() {
    let answer = poll(&usual(), 7);
    assert_eq!(answer.http(), 404);
    assert!(answer.json()["details"].as_str().unwrap().ends_with("no job has the id 7"));
}

#[test]
fn a_submit_that_says_not_what_to_run_creates_no_job() {
    let sandbox = usual();
    for body in ["", "{", "[]", r#"{"jobName": "X"}"#, r#"{"jobType": "INTEGRATION"}"#, r#"{"jobType": 1}"#] {
        let answer = post(&sandbox, body);
        assert_eq!(answer.http(), 400, "{body}");
        assert_eq!(answer.json()["status"], 4);
    }
    assert_eq!((sandbox.posts(), sandbox.taken()), (6, 0));
}

#[test]
fn a_name_that_no_script_is_for_is_rejected_as_a_pod_does() {
    let sandbox = playing("[[job]]\nname = 'GLDATA'");
    let seen = json!({"status": 1, "details": "EPMFDM-140149: Invalid Integration Name: Removed_Load", "links": []});
    let answer = post(&sandbox, &integration("Removed_Load"));
    assert_eq!((answer.http(), answer.json()), (200, seen));
    assert_eq!(sandbox.taken(), 0);
}

#[test]
fn scripts_of_one_name_are_its_attempts() {
    let failing = "[[job]]\nname = 'A'\npolls = [{status = 1}]\n";
    let passing = "[[job]]\nname = 'A'\npolls = [{status = 0}]\n";
    let sandbox = playing(&format!("{failing}{passing}[[job]]\npolls = [{{status = 3}}]"));
    let statuses: Vec<_> = ["A", "B", "A", "A"]
        .map(|name| submit(&sandbox, name))
        .map(|id| poll(&sandbox, id).json()["status"].as_i64().unwrap())
        .into();
    assert_eq!(statuses, [1, 3, 0, 0]);
}

#[test]
fn a_job_can_be_there_from_the_start() {
    let sandbox = playing("[[job]]\nid = 1881\nexists = true\nname = 'OLD'\npolls = [{status = 0}]");
    assert_eq!(poll(&sandbox, 1881).json()["logFileName"], "outbox/logs/OLD_1881.log");
    assert_eq!(submit(&sandbox, "OLD"), 2100);
}

#[test]
fn a_job_gets_the_id_it_is_given_once() {
    let sandbox = playing("[[job]]\nid = 2100\nname = 'A'\n[[job]]");
    assert_eq!(["B", "A", "A"].map(|name| submit(&sandbox, name)), [2101, 2100, 2102]);
}

#[test]
fn the_list_holds_all_jobs_newest_first() {
    let sandbox = usual();
    submit(&sandbox, "A");
    submit(&sandbox, "B");
    let list = get(&sandbox, "/aif/rest/V1/jobs").json();
    assert_eq!((&list["items"][0]["jobId"], &list["items"][1]["jobId"]), (&json!(2101), &json!(2100)));
}

#[test]
fn process_types_follow_the_job_type() {
    let sandbox = usual();
    for (job_type, process_type) in
        [("BATCH", "COMM_BATCH"), ("MAPPINGEXPORT", "EXPORT_MAPPING"), ("pipeline", "COMM_LOAD_BALANCES")]
    {
        let body = json!({"jobType": job_type, "jobName": "X"}).to_string();
        assert_eq!(post(&sandbox, &body).json()["processType"], process_type);
    }
}
