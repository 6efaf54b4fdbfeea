//! The stages of a pipeline. // epm-api.md §2.2

use epm_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::harness::{get, playing, submit};

const STAGES: &str = r#"
[[job]]
[job.pipeline]
stages = [
  { name = "Extract", jobs = [{ name = "A", status = 0, started = "s", ended = "e" }, { name = "B", type = "REPORT", without = ["status"] }] },
  { name = "Load", jobs = [{ name = "C", status = ["RUNNING", "FAILED"], log = "why", fields = { jobObject = "x" } }] },
]

[[job]]
name = "OTHER"
id = 7
exists = true
pipeline = { process_id = 9999, replies = [{ http = 503 }, { body = "{" }, {}] }

[[job]]
name = "PLAIN"
"#;

fn details(sandbox: &Sandbox, code: &str) -> Value {
    get(sandbox, &format!("/aif/rest/V1/pipeline?pipelineName={code}")).json()
}

#[test]
fn the_newest_run_of_a_pipeline_tells_of_its_stages() {
    let sandbox = playing(STAGES);
    submit(&sandbox, "D L");
    submit(&sandbox, "D L");
    let told = details(&sandbox, "D%20L");
    assert_eq!((&told["status"], &told["response"]["processId"]), (&json!(0), &json!(2101)));
    let stages = &told["response"]["stages"];
    let job = |stage: usize, job: usize| &stages[stage]["jobs"][job];
    assert_eq!((&stages[1]["stageName"], &stages[1]["stageSequence"]), (&json!("Load"), &json!(2)));
    assert_eq!(
        (&job(0, 0)["status"], &job(0, 0)["startTime"], &job(0, 0)["endTime"]),
        (&json!(0), &json!("s"), &json!("e"))
    );
    assert_eq!(
        (job(0, 1).get("status"), &job(0, 1)["jobType"], &job(0, 1)["jobSeq"]),
        (None, &json!("REPORT"), &json!(2))
    );
    assert_eq!((&job(1, 0)["status"], &job(1, 0)["processId"]), (&json!("RUNNING"), &json!(210_103)));
    assert_eq!((&job(1, 0)["logFile"], &job(1, 0)["jobObject"]), (&json!("outbox/logs/C_210103.log"), &json!("x")));
    assert_eq!(details(&sandbox, "D%20L")["response"]["stages"][1]["jobs"][0]["status"], "FAILED");
}

#[test]
fn the_log_of_a_job_in_a_stage_can_be_had() {
    let sandbox = playing(STAGES);
    submit(&sandbox, "DL");
    let file = |name: &str| get(&sandbox, &format!("/interop/rest/11.1.2.3.600/applicationsnapshots/{name}/contents"));
    assert_eq!(file("outbox%2Flogs%2FC_210003.log").body(), b"why");
    assert_eq!(file("outbox%2Flogs%2FA_210001.log").json()["status"], 8);
}

#[test]
fn a_pipeline_can_show_another_run_and_answer_in_any_way() {
    let sandbox = playing(STAGES);
    let other = || get(&sandbox, "/aif/rest/V1/pipeline?pipelineName=OTHER");
    assert_eq!(other().http(), 503);
    assert_eq!(other().body(), b"{");
    assert_eq!(other().json()["response"]["processId"], 9999);
}

#[test]
fn what_is_no_pipeline_has_no_details() {
    let sandbox = playing(STAGES);
    submit(&sandbox, "PLAIN");
    for code in ["PLAIN", "NONE", "other", ""] {
        assert_eq!(details(&sandbox, code)["status"], 1, "{code}");
    }
    assert_eq!(get(&sandbox, "/aif/rest/V1/pipeline").http(), 404);
}
