//! Every shipped scenario, played from the look to the end of its polls.

use std::io::ErrorKind;
use std::net::TcpStream;

use epm_sandbox::{Fault, Sandbox, Scenario};
use serde_json::Value;

use crate::harness::{Answer, integration, read, request, send};

/// Name, look, submit, and polls until the job is finished or five have been sent; `...` goes on for ever. A number is
/// the status of our own job, `a/b` is what comes beside HTTP status `a`.
const PLAYS: &str = r#"
access-lost | versions | -1 | -1 -1 401/page ...
backslash-log | versions | -1 | -1 1
bad-gateway-poll | versions | -1 | 500/page 502/page 504/page 0
broken-json-poll | versions | -1 | broken broken 0
broken-json-submit | versions | broken | -1 -1 -1 0
cancelled | versions | -1 | -1 2 2 3
contradicting-failure | versions | -1 | -1 1
contradicting-texts | versions | -1 | -1 -1 -1 0
denied-without-id-at-first | versions | -1 | 1 of null 1 of null -1 0
empty-json-poll | versions | -1 | empty ...
empty-json-submit | versions | empty | -1 -1 -1 0
endless-log | versions | -1 | 1
endless-poll | versions | -1 | endless ...
endless-submit | versions | endless | -1 -1 -1 0
fails-connectivity | versions | -1 | -1 1
fails-file-missing | versions | -1 | -1 1
fails-for-no-known-reason | versions | -1 | -1 1
fails-invalid-name | versions | -1 | -1 1
fails-locked | versions | -1 | -1 1
fails-mapping | versions | -1 | -1 1
fails-no-data | versions | -1 | -1 1
fails-period | versions | -1 | -1 1
fails-permission | versions | -1 | -1 1
fails-service | versions | -1 | -1 1
fails-then-succeeds | versions | -1 | -1 1
fails-with-details | versions | -1 | -1 -1 1
fails-with-rejected-rows | versions | -1 | -1 -1 1
forbidden | versions | 403/page | 403/page ...
forbidden-log | versions | -1 | -1 1
forbidden-while-waiting | versions | -1 | 403/page ...
half-body-poll | versions | -1 | cut cut 0
half-body-submit | versions | cut | -1 -1 -1 0
half-head-poll | versions | -1 | cut cut 0
half-head-submit | versions | cut | -1 -1 -1 0
hang-log | versions | -1 | 1
hang-poll | versions | -1 | hang ...
hang-submit | versions | hang | -1 -1 -1 0
hostile-text | versions | -1 | -1 1
html-for-a-while | versions | -1 | page page 0
html-submit | versions | page | -1 -1 -1 0
huge-log | versions | -1 | 1
huge-poll | versions | -1 | huge ...
huge-submit | versions | huge | -1 -1 -1 0
id-in-links-poll | versions | -1 | 0 of null ...
id-zero-poll | versions | -1 | 0 of 0 ...
identity-unavailable-for-a-while | versions | -1 | -1 -1 -1 0
invalid-parameter | versions | -1 | -1 4
login-page | page | page | page ...
login-page-for-a-while | versions | -1 | -1 page page -1 0
login-page-while-waiting | versions | -1 | -1 page ...
maintenance-soon | versions | -1 | -1 -1 -1 0
missing-log | versions | -1 | -1 1
never-ends | versions | -1 | -1 ...
no-job-id-answers | versions | -1 | 0 of null ...
not-known-at-first | versions | -1 | 404/4 of null 404/4 of null -1 0
other-job-answers | versions | -1 | 0 of 9999 ...
output-withheld | versions | -1 | -1 0
pipeline-details-of-another-run | versions | -1 | -1 -1 0
pipeline-fails-in-a-stage | versions | -1 | -1 -1 1
pipeline-goes-on-past-a-failed-stage | versions | -1 | -1 -1 0
pipeline-succeeds | versions | -1 | -1 -1 0
proxy-denied | versions | 407/page | 407/page ...
quick-success | versions | 0 | 0
redirected | versions | 302/page | 302/page ...
redirected-while-waiting | versions | -1 | 301/page ...
rejected-rows-and-success | versions | -1 | -1 -1 0
rejected-submit | versions | 1 of null | -1 -1 -1 0
rejected-submit-400 | versions | 400/1 of null | -1 -1 -1 0
reset-after-submit | versions | reset | -1 -1 -1 0
reset-before-submit | versions | reset | -1 -1 -1 0
reset-unread-poll | versions | -1 | unread unread 0
reset-unread-submit | versions | unread | -1 -1 -1 0
reset-while-polling | versions | -1 | -1 reset reset reset 0
saves-files | versions | -1 | -1 0
stall-poll | versions | -1 | stall ...
stall-submit | versions | stall | -1 -1 -1 0
status-missing | versions | -1 | null ...
statuses-without-id | versions | -1 | -1 of null 0 of null 1 of null 2 of null 3 of null ...
string-typed | versions | "-1" | "-1" "-1" "0"
submit-id-in-links-only | versions | -1 of null | -1 -1 -1 0
submit-id-zero | versions | -1 of 0 | -1 -1 -1 0
submit-server-error | versions | 500/page | -1 -1 -1 0
submit-timed-out | versions | 408/page | -1 -1 -1 0
submit-unavailable | versions | 503/page 503/page 503/page | -1 -1 -1 0
submit-without-id | versions | -1 of null | -1 -1 -1 0
succeeds | versions | -1 | -1 -1 -1 0
throttled | 429/page versions | 429/page -1 | -1 429/page -1 0
throttled-for-long | versions | 429/page 429/page 429/page | -1 -1 -1 0
throttled-to-a-date | 429/page versions | 429/page -1 | 429/page 0
token-audience | versions | -1 | -1 -1 -1 0
token-consumed | versions | -1 | -1 -1 -1 0
token-expired | versions | -1 | -1 -1 -1 0
token-expires-in-mid-wait | versions | -1 | -1 -1 -1 -1 0
trickle-log | versions | -1 | 1
trickle-poll | versions | -1 | trickle ...
trickle-submit | versions | trickle | -1 -1 -1 0
unauthorized | 401/page | 401/page | 401/page ...
unavailable-for-a-while | 503/page 503/page versions | -1 | 503/page 503/page 503/page -1 0
unavailable-for-ever | 503/page 503/page 503/page | 503/page 503/page 503/page | 503/page ...
unknown-for-a-while | versions | -1 | 2147483647 2147483647 2147483647 0
unknown-for-ever | versions | -1 | 2147483647 ...
upload-cut-off | versions | -1 | -1 1
upload-exists | versions | -1 | -1 1
upload-in-progress | versions | -1 | -1 1
upload-refused | versions | -1 | -1 1
warns | versions | -1 | -1 -1 0
zero-rows | versions | -1 | -1 -1 0
"#;

#[test]
fn each_plays_as_it_is_described() {
    let played: Vec<_> = Scenario::shipped_names().into_iter().map(play).collect();
    let told: Vec<_> = PLAYS.trim().lines().collect();
    assert_eq!(played, told);
}

fn play(name: &str) -> String {
    let sandbox = Sandbox::start(Scenario::shipped(name).unwrap()).unwrap();
    let looks = patiently(|| ask(&sandbox, "GET", "/aif/rest/", ""));
    let submits = patiently(|| ask(&sandbox, "POST", "/aif/rest/V1/jobs", &integration("X")));
    let id = if sandbox.taken() > 0 { 2100 } else { 2000 };
    let mut polls: Vec<String> = Vec::new();
    while polls.len() < 5 && !polls.last().is_some_and(|last| is_end(last)) {
        polls.push(ask(&sandbox, "GET", &format!("/aif/rest/V1/jobs/{id}"), ""));
    }
    format!("{name} | {} | {} | {}", looks.join(" "), submits.join(" "), shortened(polls))
}

/// No answer about a job is as large.
const HUGE: usize = 1024 * 1024;

/// What goes on for ever is told once.
fn shortened(mut polls: Vec<String>) -> String {
    if polls.last().is_some_and(|last| is_end(last)) {
        return polls.join(" ");
    }
    while polls.len() > 1 && polls[polls.len() - 1] == polls[polls.len() - 2] {
        polls.pop();
    }
    polls.join(" ") + " ..."
}

/// Asks again, twice at most, where the answer is one to wait out.
fn patiently(mut ask: impl FnMut() -> String) -> Vec<String> {
    let mut heard = vec![ask()];
    while heard.len() < 3 && ["429", "503"].iter().any(|busy| heard[heard.len() - 1].starts_with(busy)) {
        heard.push(ask());
    }
    heard
}

fn is_end(poll: &str) -> bool {
    ["0", "1", "3", "4"].contains(&poll.trim_matches('"'))
}

/// Sends one request and says in a word what came of it. What never ends is not read, but looked up in the journal.
fn ask(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> String {
    let before = sandbox.requests().len();
    let stream = send(sandbox, &request(sandbox, method, path, body));
    while sandbox.requests().len() == before {
        if is_reset(&stream) && sandbox.requests().len() == before {
            return "unread".into();
        }
        std::thread::yield_now();
    }
    match sandbox.requests()[before].fault {
        Some(Fault::Hang) => "hang".into(),
        Some(Fault::Stall) => "stall".into(),
        Some(Fault::Trickle) => "trickle".into(),
        Some(Fault::Endless) => "endless".into(),
        _ => word(&read(stream)),
    }
}

fn is_reset(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    peeked.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
}

fn word(answer: &Answer) -> String {
    if answer.bytes.len() > HUGE {
        return "huge".into();
    }
    if answer.is_reset {
        return if answer.bytes.is_empty() { "reset" } else { "cut" }.into();
    }
    let said = match serde_json::from_slice::<Value>(answer.body()) {
        Ok(json) => said(&json),
        Err(_) if answer.body().starts_with(b"<") => "page".into(),
        Err(_) => "broken".into(),
    };
    match answer.http() {
        200 => said,
        http => format!("{http}/{said}"),
    }
}

fn said(json: &Value) -> String {
    if *json == serde_json::json!({}) {
        return "empty".into();
    }
    let is_ours = ["2000", "2100"].contains(&json["jobId"].to_string().trim_matches('"'));
    match (&json["status"], &json["jobId"]) {
        (Value::Null, Value::Null) => "versions".into(),
        (status, _) if is_ours => status.to_string(),
        (status, id) => format!("{status} of {id}"),
    }
}
