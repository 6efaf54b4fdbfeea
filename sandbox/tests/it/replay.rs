//! `--replay`: a record of a pod answers, whoever asks.

use std::process::Output;

use epm_sandbox::{Options, Replay, Sandbox, Scenario};

use crate::harness::{get, post, program, read, request_as, send};

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/recorded-rejected-rows.jsonl");

fn replaying(text: &str) -> Sandbox {
    let replay = Some(Replay::parse("a record", text).unwrap());
    Sandbox::start_with(Scenario::catalogue().unwrap(), Options { replay, ..Options::default() }).unwrap()
}

#[test]
fn a_record_answers_in_its_order_whoever_asks() {
    let sandbox = replaying(&std::fs::read_to_string(RECORD).unwrap());
    let look = read(send(&sandbox, &request_as("", "GET", "/gateway/aif/rest/", "")));
    assert_eq!((look.http(), &look.json()["items"][0]["version"]), (200, &serde_json::json!("V1")));
    let submit = post(&sandbox, "{}");
    assert_eq!((submit.http(), submit.json()["jobId"].as_u64()), (200, Some(2100)));
    let statuses: Vec<_> =
        (0..5).map(|_| get(&sandbox, "/aif/rest/V1/jobs/2100").json()["status"].as_i64().unwrap()).collect();
    // The record has as many polls as its run needed, and the last goes on.
    assert_eq!((statuses[0], statuses[4]), (-1, 1));
    let log = get(&sandbox, "/interop/rest/11.1.2.3.600/applicationsnapshots/outbox%2Flogs%2FFILE_1.log/contents");
    assert_eq!(log.header("content-type").as_deref(), Some("application/octet-stream"));
    assert!(log.body().starts_with(b"[BLANK]\n"));
    assert_eq!(get(&sandbox, "/aif/rest/V1/jobs/9").http(), 404);
    assert_eq!((sandbox.posts(), sandbox.taken(), sandbox.refused_logins()), (1, 1, 0));
}

#[test]
fn a_fault_of_the_record_is_committed() {
    let lines = [
        r#"{"format":1,"program":"epm-gate 0.1.0","command":"run"}"#,
        r#"{"n":1,"method":"GET","path":"/aif/rest/","took":3,"fault":"broken"}"#,
        r#"{"n":2,"method":"GET","path":"/aif/rest/","took":3,"http":503,"headers":{"retry-after":"7"},"body":{"is":"maintenance-page","size":9,"sha256":"00"}}"#,
        r#"{"n":3,"method":"GET","path":"/aif/rest/","took":3,"http":302,"headers":{"location":"https://elsewhere.invalid/x"},"body":{"is":"nothing","size":0,"sha256":"00"}}"#,
    ];
    let sandbox = replaying(&lines.join("\n"));
    let reset = get(&sandbox, "/aif/rest/");
    assert!(reset.is_reset && reset.bytes.is_empty());
    let busy = get(&sandbox, "/aif/rest/");
    assert_eq!((busy.http(), busy.header("retry-after").as_deref()), (503, Some("7")));
    assert!(String::from_utf8_lossy(busy.body()).contains("aintenance"));
    assert_eq!(get(&sandbox, "/aif/rest/").header("location").as_deref(), Some("https://elsewhere.invalid/x"));
}

fn serve(arguments: &[&str]) -> Output {
    program().arg("serve").args(arguments).output().unwrap()
}

#[test]
fn what_cannot_be_replayed_is_an_error_that_names_its_line() {
    let file = std::env::temp_dir().join(format!("epm-sandbox-it-{}.jsonl", std::process::id()));
    let place = file.to_str().unwrap();
    for (text, says) in [
        ("", "is empty"),
        (r#"{"format":2}"#, "has the format 2"),
        ("{\"format\":1}\n{\"method\":\"GET\"}\n", "line 2 of the record"),
    ] {
        std::fs::write(&file, text).unwrap();
        let output = serve(&["--replay", place]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.starts_with("error: ") && error.contains(says) && error.contains(place), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    let error = String::from_utf8(serve(&["--replay", place]).stderr).unwrap();
    assert!(error.contains("cannot be read"), "{error}");
    let both = String::from_utf8(serve(&["--replay", RECORD, "--scenario", "succeeds"]).stderr).unwrap();
    assert!(both.contains("cannot be used with"), "{both}");
}

#[cfg(unix)]
#[test]
fn exec_replays_too() {
    let output =
        program().args(["exec", "--replay", RECORD, "--", "sh", "-c", "test -n \"$EPM_URL\""]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
