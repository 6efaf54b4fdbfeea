//! What arrives at EPM: the body of each job type, and how the requests travel.

use epm_sandbox::{Sandbox, USERNAME};
use serde_json::{Value, json};

use crate::harness::{Gate, Ran, shipped};

/// What the sandbox received for these flags, after they were split at `;`.
fn submitted(change: impl FnOnce(Gate) -> Gate, flags: &str) -> Value {
    let sandbox = shipped("quick-success");
    let flags = flags.split(';').filter(|flag| !flag.is_empty());
    let ran = change(Gate::against(&sandbox)).run(["submit"].into_iter().chain(flags));
    assert_eq!(ran.end(), (0, "submitted"), "{ran:?}");
    payload(&sandbox)
}

fn payload(sandbox: &Sandbox) -> Value {
    let requests = sandbox.requests();
    requests.into_iter().find(epm_sandbox::Request::is_submit).expect("a submit").payload
}

fn as_it_is(gate: Gate) -> Gate {
    gate
}

#[test]
fn each_job_type_sends_its_own_keys() {
    for (flags, body) in [
        (
            "--job-name;GL;--period-name;Jan-26;--import-mode;replace;--export-mode;MERGE;--file-name;inbox/gl.csv",
            json!({"jobType": "INTEGRATION", "jobName": "GL", "periodName": "{Jan-26}", "importMode": "Replace",
                "exportMode": "Merge", "fileName": "inbox/gl.csv"}),
        ),
        (
            "--job-type;integration;--job-name;GL;--period-name;{Jan-26}{Mar-26};--import-mode;map and validate",
            json!({"jobType": "INTEGRATION", "jobName": "GL", "periodName": "{Jan-26}{Mar-26}",
                "importMode": "Map and Validate"}),
        ),
        (
            "--job-type;DataRule;--job-name;R;--start-period;Jan-26;--end-period;Mar-26;--import-mode;replace;\
             --export-mode;store_data;--file-name;#epminbox/x.csv",
            json!({"jobType": "DATARULE", "jobName": "R", "startPeriod": "Jan-26", "endPeriod": "Mar-26",
                "importMode": "REPLACE", "exportMode": "STORE_DATA", "fileName": "#epminbox/x.csv"}),
        ),
        ("--job-type;BATCH;--job-name;B 1", json!({"jobType": "BATCH", "jobName": "B 1"})),
        (
            "--job-type;PIPELINE;--job-name;DAILY;--variable;STARTPERIOD=Jan-26;--variable;IMPORTMODE=a=b",
            json!({"jobType": "pipeline", "jobName": "DAILY",
                "variables": {"STARTPERIOD": "Jan-26", "IMPORTMODE": "a=b"}}),
        ),
        (
            "--job-type;MAPPINGIMPORT;--job-name;ACCOUNT;--import-mode;merge;--file-name;inbox/m.csv",
            json!({"jobType": "MAPPINGIMPORT", "jobName": "ACCOUNT", "importMode": "MERGE", "fileName": "inbox/m.csv"}),
        ),
        (
            "--job-type;MAPPINGEXPORT;--job-name;ACCOUNT;--file-name;outbox/m.csv",
            json!({"jobType": "MAPPINGEXPORT", "jobName": "ACCOUNT", "fileName": "outbox/m.csv"}),
        ),
        ("--job-type;REPORT;--job-name;R 1", json!({"jobType": "REPORT", "jobName": "R 1"})),
    ] {
        let mut sent = submitted(as_it_is, flags);
        let mut body = body;
        // The spelling of the type is Oracle's matter; that it is this type is ours.
        for value in [&mut sent, &mut body] {
            let kind = value["jobType"].as_str().map(str::to_uppercase);
            value["jobType"] = json!(kind);
        }
        assert_eq!(sent, body, "{flags}");
    }
}

#[test]
fn any_other_key_is_set_as_text_or_as_json() {
    let body = submitted(as_it_is, "--job-name;GL;--set;note=7;--set;count:=7;--set;deep:={\"a\":[true,null]}");
    let expected =
        json!({"jobType": "INTEGRATION", "jobName": "GL", "note": "7", "count": 7, "deep": {"a": [true, null]}});
    assert_eq!(body, expected);
}

#[test]
fn the_environment_does_all_that_flags_do() {
    let change = |gate: Gate| {
        gate.set("EPM_JOB_TYPE", "pipeline")
            .set("EPM_JOB_NAME", "DAILY")
            .set("EPM_VARIABLES", "STARTPERIOD=Jan-26\r\n\r\nENDPERIOD=Mar-26\r\n")
            .set("EPM_SET", "a=1\r\nb:=2\r\n")
            .set("EPM_FILE_NAME", "")
    };
    let mut body = submitted(change, "");
    body["jobType"] = Value::Null;
    let variables = json!({"STARTPERIOD": "Jan-26", "ENDPERIOD": "Mar-26"});
    assert_eq!(body, json!({"jobType": null, "jobName": "DAILY", "variables": variables, "a": "1", "b": 2}));
}

#[test]
fn a_whole_payload_goes_as_it_was_written() {
    let body = r#"{"jobType": "SOMETHINGNEW", "z": 1, "a": [1.50, "é"], "jobName": "N"}"#;
    let parsed: Value = serde_json::from_str(body).expect("JSON");
    let by_file = |gate: Gate| {
        gate.file("given-payload.json", body);
        gate
    };
    assert_eq!(submitted(by_file, "--payload;given-payload.json"), parsed);
    let by_variable = |gate: Gate| by_file(gate).set("EPM_PAYLOAD_FILE", "given-payload.json");
    assert_eq!(submitted(by_variable, ""), parsed);
    assert_eq!(submitted(|gate| gate.piped(body), "--payload;-"), parsed);
}

#[test]
fn a_dry_run_prints_the_target_and_the_payload_and_sends_nothing() {
    let sandbox = shipped("succeeds");
    let dry = |gate: Gate| gate.run(["run", "--job-name", "GL", "--period-name", "Jan-26", "--dry-run"]);
    let expected = json!({"method": "POST", "url": format!("{}/aif/rest/V1/jobs", sandbox.url()),
        "payload": {"jobType": "INTEGRATION", "jobName": "GL", "periodName": "{Jan-26}"}});
    let shown = |ran: &Ran| serde_json::from_str::<Value>(&ran.stdout).expect("JSON");
    let ran = dry(Gate::against(&sandbox));
    assert_eq!((ran.code, shown(&ran)), (0, expected.clone()), "{ran:?}");
    let without = dry(Gate::against(&sandbox).unset("EPM_USERNAME").unset("EPM_PASSWORD"));
    assert_eq!((without.code, shown(&without)), (0, expected), "nothing is sent, so nobody has to be let in");
    assert!(sandbox.requests().is_empty());
}

#[test]
fn every_request_names_the_gate_and_the_submit_has_a_connection_of_its_own() {
    let sandbox = shipped("succeeds");
    let ran = Gate::against(&sandbox).run(["run", "--job-name", "GL"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let requests = sandbox.requests();
    let agent = concat!("epm-gate/", env!("CARGO_PKG_VERSION"));
    for request in &requests {
        assert!(request.user_agent.as_deref().is_some_and(|name| name.starts_with(agent)), "{request:?}");
        assert!(request.let_in && request.fault.is_none());
    }
    assert_eq!((requests[0].method.as_str(), requests[0].path.as_str()), ("GET", "/aif/rest/"));
    assert!(requests[1].method == "GET" && requests[1].path.ends_with("/getdailymaintenancestarttime"));
    assert_eq!((requests[2].method.as_str(), requests[2].path.as_str()), ("POST", "/aif/rest/V1/jobs"));
    let submit = requests[2].connection;
    let others: Vec<_> =
        requests.iter().filter(|request| !request.is_submit()).map(|request| request.connection).collect();
    assert!(!others.contains(&submit), "{submit} beside {others:?}");
    let mut polls = others[2..].to_vec();
    polls.dedup();
    assert_eq!(polls.len(), 1, "polls share one: {others:?}");
    assert!(requests[3..].iter().all(|request| request.path == "/aif/rest/V1/jobs/2100"));
}

#[test]
fn an_identity_domain_stands_before_the_user() {
    let sandbox = shipped("quick-success");
    let run =
        |domain: &str| Gate::against(&sandbox).set("EPM_IDENTITY_DOMAIN", domain).run(["run", "--job-name", "GL"]);
    let right = run("acme");
    assert_eq!(right.end(), (0, "succeeded"), "{right:?}");
    assert_eq!(sandbox.refused_logins(), 0);
    let wrong = run("other");
    assert_eq!(wrong.end(), (30, "access-denied"), "{wrong:?}");
    assert_eq!(sandbox.refused_logins(), 1, "shown once, not twice");
    assert!(!wrong.stderr.contains(&format!("other.{USERNAME}:")));
}

#[test]
fn a_password_by_file_loses_one_line_end() {
    let sandbox = shipped("quick-success");
    for end in ["", "\n", "\r\n"] {
        let gate = Gate::against(&sandbox).unset("EPM_PASSWORD");
        let file = gate.file("given-password", format!("{}{end}", sandbox.password()));
        let ran = gate.run(["run", "--job-name", "GL", "--password-file", &file]);
        assert_eq!(ran.end(), (0, "succeeded"), "{end:?}: {ran:?}");
    }
    assert_eq!(sandbox.refused_logins(), 0);
}

#[test]
fn a_pasted_url_is_mended() {
    let sandbox = shipped("quick-success");
    for end in ["/", "/epmcloud", "/HyperionPlanning/", "/gateway/epmcloud"] {
        let gate = Gate::against(&sandbox).set("EPM_URL", format!("{}{end}", sandbox.url()));
        assert_eq!(gate.run(["run", "--job-name", "GL"]).end(), (0, "succeeded"), "{end}");
    }
    let last = sandbox.requests().last().map(|request| request.path.clone());
    assert_eq!(last.as_deref(), Some("/gateway/aif/rest/V1/jobs"));
}

#[test]
fn a_file_says_which_of_the_two_places_it_is_in() {
    for (file, place) in [("inbox/x.csv", "Data Integration"), ("#epminbox/x.csv", "Planning")] {
        let ran = Gate::against(&shipped("quick-success")).run(["run", "--job-name", "GL", "--file-name", file]);
        assert_eq!(ran.code, 0);
        ran.says(&[&format!("`{file}`"), place]);
        assert!(ran.summary.contains(place), "{}", ran.summary);
    }
}
