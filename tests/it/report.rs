//! `--report`: everything that is known, in the shape of its schema, and what docs/audit.md promises of it. The harness
//! holds the report of every run to the schema.

use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::harness::{Gate, On, playing, shipped, text_of};
use crate::schema;

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

fn report(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[test]
fn says_what_was_asked_for_by_whom_and_how_it_ended() {
    let sandbox = shipped("succeeds");
    let ran = Gate::against(&sandbox).on(On::Github).run([&RUN[..], &["--period-name", "Jan-26"]].concat());
    let report = report(&ran.report);
    assert_eq!(ran.output("reportPath"), "report.json");
    let told = [&report["command"], &report["outcome"], &report["exitCode"], &report["submitted"], &report["passed"]];
    assert_eq!(told, [&Value::from("run"), &"succeeded".into(), &0.into(), &"yes".into(), &true.into()]);
    assert_eq!(report["askedBy"]["actor"], "hubot");
    assert_eq!(report["askedBy"]["platform"], "github");
    assert_eq!(report["url"].as_str().map(|url| url.trim_end_matches('/')), Some(&*sandbox.url()));
    let (started, ended) = (report["startedAt"].as_str(), report["endedAt"].as_str());
    assert!(started.is_some() && started <= ended, "{report}");
    let job = &report["jobs"][0];
    assert_eq!((&job["jobId"], &job["status"], &job["state"]), (&2100.into(), &0.into(), &"success".into()));
    let kinds: Vec<&str> =
        job["timeline"].as_array().expect("a list").iter().filter_map(|at| at["kind"].as_str()).collect();
    assert_eq!(kinds.first_chunk(), Some(&["sent", "submitted", "status"]));
    assert_eq!(job["submits"], 1);
}

#[test]
fn holds_the_payload_to_the_byte_and_its_hash() {
    let body = "{ \"jobType\" : \"INTEGRATION\", \"jobName\": \"GLDATA\",\n  \"note\": \"Größe\\u2028\u{202e}\" }";
    let sandbox = shipped("quick-success");
    let gate = Gate::against(&sandbox);
    let file = gate.file("payload.json", body);
    let ran = gate.run(["run", "--payload", &file]);
    let payload = report(&ran.report)["payload"].clone();
    assert_eq!(payload["body"], body);
    assert_eq!(payload["sha256"].as_str(), Some(sha256(body.as_bytes()).as_str()));
    assert_eq!(payload["bytes"], body.len());
    assert!(!ran.report.contains('\u{202e}'), "it would turn the text around where it is printed: {}", ran.report);
}

#[test]
fn keeps_what_epm_says_under_names_that_nobody_knows() {
    let sandbox = playing("[[job]]\npolls = [{ status = 0, fields = { newKey = 7, deep = { a = 1 } } }]\n");
    let ran = Gate::against(&sandbox).run(RUN);
    let report = report(&ran.report);
    let other = &report["jobs"][0]["other"];
    assert_eq!((&other["newKey"], &other["deep"]), (&"7".into(), &"{\"a\":1}".into()), "{report}");
    assert_eq!(other.as_object().map(serde_json::Map::len), Some(2), "{report}");
}

#[test]
fn tells_each_outage_once_with_its_reasons() {
    let ran = Gate::against(&shipped("unavailable-for-a-while")).run(RUN);
    let report = report(&ran.report);
    let outages = report["jobs"][0]["outages"].as_array().expect("a list");
    assert!(!outages.is_empty(), "{report}");
    for outage in outages {
        assert!(
            outage["until"].is_string() && outage["reasons"][0].as_str().is_some_and(|why| why.contains("503")),
            "{report}"
        );
    }
}

#[test]
fn a_killed_run_leaves_what_is_known() {
    let sandbox = shipped("hang-poll");
    let mut running = Gate::against(&sandbox).start(RUN);
    running
        .until("the first poll has arrived", || sandbox.requests().iter().any(|ask| ask.path.ends_with("/jobs/2100")));
    let left = report(&text_of(&running.path("report.json")));
    running.kill();
    assert_eq!(schema::faults(&left), [""; 0]);
    assert_eq!((&left["outcome"], &left["submitted"]), (&Value::Null, &"yes".into()));
    assert_eq!((&left["jobs"][0]["jobId"], &left["endedAt"]), (&2100.into(), &Value::Null));
}

#[test]
fn of_a_run_that_is_wrong_says_so() {
    let ran = Gate::against(&shipped("succeeds")).run(["run"]);
    let report = report(&ran.report);
    assert_eq!(
        (&report["outcome"], &report["command"], &report["payload"]),
        (&"usage".into(), &"run".into(), &Value::Null)
    );
    assert_eq!(ran.output("reportPath"), "report.json");
}

#[test]
fn an_attestation_tells_what_has_passed_with_what() {
    let attested = |scenario: &str| {
        let sandbox = shipped(scenario);
        let mut gate = Gate::against(&sandbox).on(On::Github).set("EPM_ATTESTATION", "predicate.json");
        let ran = gate.run_again(RUN);
        (report(&text_of(&gate.path("predicate.json"))), report(&ran.report))
    };
    for (scenario, result, list) in [
        ("succeeds", "PASSED", "passedTests"),
        ("warns", "WARNED", "warnedTests"),
        ("fails-locked", "FAILED", "failedTests"),
    ] {
        let (predicate, report) = attested(scenario);
        assert_eq!((&predicate["result"], &predicate[list][0]), (&result.into(), &"GLDATA".into()), "{predicate}");
        assert_eq!(predicate["url"], report["askedBy"]["run"]);
        assert_eq!(predicate["configuration"][1]["digest"]["sha256"], report["payload"]["sha256"]);
        let named = ["passedTests", "warnedTests", "failedTests"].map(|list| predicate[list].as_array().map(Vec::len));
        assert_eq!(named.iter().flatten().sum::<usize>(), 1, "{predicate}");
    }
}

#[test]
fn a_killed_run_attests_no_success() {
    let sandbox = shipped("hang-poll");
    let mut running = Gate::against(&sandbox).set("EPM_ATTESTATION", "predicate.json").start(RUN);
    running
        .until("the first poll has arrived", || sandbox.requests().iter().any(|ask| ask.path.ends_with("/jobs/2100")));
    let left = report(&text_of(&running.path("predicate.json")));
    running.kill();
    assert_eq!((&left["result"], &left["passedTests"]), (&"FAILED".into(), &Value::Array(Vec::new())));
}

#[test]
fn a_condition_that_is_unmet_attests_no_success() {
    let sandbox = shipped("quick-success");
    let mut gate = Gate::against(&sandbox).set("EPM_ATTESTATION", "predicate.json");
    assert_eq!(gate.run_again([&RUN[..], &["--min-duration", "1h"]].concat()).code, 13);
    assert_eq!(report(&text_of(&gate.path("predicate.json")))["result"], "FAILED");
}

#[test]
fn a_report_can_be_printed_in_any_log() {
    let sandbox =
        playing("[[job]]\npolls = [{ status = 1, details = \"##vso[task.x] $(secret)\\n::error::x ##[y]\" }]\n");
    let ran = Gate::against(&sandbox).run(RUN);
    let text = &ran.report;
    assert!(!text.contains("##") && !text.contains("$("), "{text}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{text}");
    assert_eq!(report(text)["jobs"][0]["details"], "##vso[task.x] $(secret)\n::error::x ##[y]");
}

/// What an auditor is told to look at is there.
#[test]
fn every_field_that_the_audit_names_is_one_of_the_schema() {
    let page = include_str!("../../docs/audit.md");
    let schema = schema::schema();
    let (table, _) = page.split_once("## Signed").expect("a second section");
    let rows: Vec<&str> =
        table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| question")).collect();
    assert!(rows.len() > 12, "{rows:?}");
    for row in rows {
        let fields = row.split('|').nth(2).expect("a second column");
        let fields: Vec<&str> = fields.split('`').skip(1).step_by(2).collect();
        assert!(!fields.is_empty(), "no field: {row}");
        for field in fields {
            assert!(schema::part(&schema, field).is_some(), "`{field}` is not in the schema: {row}");
        }
    }
}
