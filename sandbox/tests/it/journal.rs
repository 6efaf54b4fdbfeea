//! The record of requests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use epm_sandbox::{Fault, Options, PASSWORD, REFRESH_TOKEN, Sandbox, Scenario};
use serde_json::{Value, json};

use crate::harness::{basic, exchange, get, integration, playing, poll, post, read, request, send, submit, usual};

/// A log that the test can read back.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The line of the one request, without the time at which it came.
fn timeless(text: &str) -> Value {
    let mut line: Value = serde_json::from_str(text.trim_end()).unwrap();
    let at = line.as_object_mut().unwrap().remove("at_ms");
    assert!(at.is_some_and(|at| at.is_u64()), "{text}");
    line
}

#[test]
fn a_request_is_a_line_of_json_without_its_secret() {
    let log = Log::default();
    let options = Options { log: Some(Box::new(log.clone())), ..Options::default() };
    let sandbox = Sandbox::start_with(Scenario::catalogue().unwrap(), options).unwrap();
    submit(&sandbox, "GLDATA");
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = json!({
        "n": 1, "connection": 1, "open": 1,
        "method": "POST", "path": "/aif/rest/V1/jobs", "let_in": true, "taken": true,
        "job_id": 2100, "http": 200, "fault": null, "user_agent": "it/1",
        "payload": {"jobType": "INTEGRATION", "jobName": "GLDATA", "periodName": "{Jan-26}"},
    });
    assert_eq!(timeless(&text), line);
    let encoded = basic(&format!("{}:{PASSWORD}", sandbox.username()));
    assert!(!text.contains(PASSWORD) && !text.contains(&encoded["Basic ".len()..]));
}

#[test]
fn a_request_for_tokens_is_a_line_with_its_grant_and_client() {
    let log = Log::default();
    let options = Options { log: Some(Box::new(log.clone())), ..Options::default() };
    let sandbox = Sandbox::start_with(Scenario::catalogue().unwrap(), options).unwrap();
    exchange(&sandbox, REFRESH_TOKEN);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = json!({
        "n": 1, "connection": 1, "open": 1,
        "method": "POST", "path": "/oauth2/v1/token", "let_in": true, "taken": false,
        "job_id": null, "http": 200, "fault": null, "user_agent": "it/1", "payload": null,
        "grant": "refresh_token", "client": "sandbox-public",
    });
    assert_eq!(timeless(&text), line);
}

#[test]
fn a_fault_stands_in_place_of_an_answer() {
    let sandbox = playing("[[job]]\nsubmit = [{fault = 'reset-after'}]");
    post(&sandbox, &integration("X"));
    let seen = &sandbox.requests()[0];
    assert_eq!((seen.http, seen.fault, seen.taken), (None, Some(Fault::ResetAfter), true));
}

#[test]
fn counts_what_arrived_and_what_was_taken() {
    let sandbox = playing("[[job]]\nsubmit = [{http = 503}, {}]");
    post(&sandbox, &integration("X"));
    let id = submit(&sandbox, "X");
    poll(&sandbox, id);
    get(&sandbox, "/aif/rest/V1/jobs?limit=1");
    assert_eq!((sandbox.posts(), sandbox.taken(), sandbox.requests().len()), (2, 1, 4));
    assert_eq!(sandbox.requests()[2].job_id, Some(id));
    assert_eq!(sandbox.requests()[3].path, "/aif/rest/V1/jobs?limit=1");
}

#[test]
fn requests_of_one_connection_share_its_number() {
    let sandbox = usual();
    get(&sandbox, "/aif/rest/");
    let last = request(&sandbox, "GET", "/aif/rest/", "");
    let kept = last.replace("Connection: close\r\n", "");
    read(send(&sandbox, &format!("{kept}{last}")));
    let connections: Vec<_> = sandbox.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 2, 2]);
}
