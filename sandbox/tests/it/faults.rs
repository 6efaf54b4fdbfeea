//! What befalls answers, seen from the socket.

use std::io::Read as _;

use epm_sandbox::Sandbox;

use crate::harness::{integration, playing, poll, post, request, send, submit};

fn submitting(reply: &str) -> Sandbox {
    playing(&format!("[[job]]\nsubmit = [{{ {reply} }}]"))
}

#[test]
fn a_reset_before_leaves_no_byte_and_no_job() {
    let sandbox = submitting("fault = 'reset-before'");
    let answer = post(&sandbox, &integration("X"));
    assert!(answer.is_reset && answer.bytes.is_empty(), "{answer:?}");
    assert_eq!((sandbox.posts(), sandbox.taken()), (1, 0));
    assert_eq!(poll(&sandbox, 2100).http(), 404);
}

#[test]
fn a_reset_after_leaves_no_byte_and_a_job() {
    let sandbox = submitting("fault = 'reset-after'");
    let answer = post(&sandbox, &integration("X"));
    assert!(answer.is_reset && answer.bytes.is_empty(), "{answer:?}");
    assert_eq!((sandbox.posts(), sandbox.taken()), (1, 1));
    assert_eq!(poll(&sandbox, 2100).http(), 200);
}

#[test]
fn half_a_head_ends_in_a_reset() {
    let answer = post(&submitting("fault = 'half-head'"), &integration("X"));
    assert!(answer.is_reset && answer.bytes.starts_with(b"HTTP/1.1 200 OK\r\n"), "{answer:?}");
    assert!(answer.body().is_empty());
}

#[test]
fn half_a_body_ends_in_a_reset() {
    let answer = post(&submitting("fault = 'half-body', body = '0123456789'"), &integration("X"));
    assert!(answer.is_reset);
    assert_eq!(answer.header("content-length").unwrap(), "10");
    assert_eq!(answer.body(), b"01234");
}

#[test]
fn a_hanging_request_has_been_taken_and_hears_nothing() {
    let sandbox = submitting("fault = 'hang'");
    let mut stream = send(&sandbox, &request(&sandbox, "POST", "/aif/rest/V1/jobs", &integration("X")));
    while sandbox.taken() == 0 {
        std::thread::yield_now();
    }
    stream.set_nonblocking(true).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_trickle_begins_with_one_byte() {
    let sandbox = submitting("fault = 'trickle'");
    let mut stream = send(&sandbox, &request(&sandbox, "POST", "/aif/rest/V1/jobs", &integration("X")));
    let mut buffer = [0; 100];
    assert_eq!(stream.read(&mut buffer).unwrap(), 1);
    assert_eq!(buffer[0], b'H');
}

#[test]
fn a_connection_is_reset_with_its_request_unread() {
    let sandbox = playing("connections = ['open', 'reset', 'open']\n[[job]]");
    assert_eq!(post(&sandbox, &integration("X")).http(), 200);
    let answer = post(&sandbox, &integration("X"));
    assert!(answer.is_reset && answer.bytes.is_empty(), "{answer:?}");
    for _ in 0..2 {
        assert_eq!(poll(&sandbox, 2100).http(), 200);
    }
    assert_eq!((sandbox.posts(), sandbox.requests().len()), (1, 3));
}

#[test]
fn an_answer_that_stalls_has_half_of_its_body() {
    let sandbox = submitting("fault = 'stall', body = '0123456789'");
    let mut stream = send(&sandbox, &request(&sandbox, "POST", "/aif/rest/V1/jobs", &integration("X")));
    let mut heard = Vec::new();
    while !heard.ends_with(b"\r\n\r\n01234") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        heard.extend(byte);
    }
    assert!(String::from_utf8_lossy(&heard).contains("content-length: 10\r\n"));
    stream.set_nonblocking(true).unwrap();
    assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn padding_makes_an_answer_longer_and_says_no_more() {
    let answer = post(&submitting("padding = 200001"), &integration("X"));
    let json = answer.json().to_string();
    let length = json.len() + 200_001;
    assert_eq!(answer.header("content-length").unwrap(), length.to_string());
    assert_eq!((answer.body().len(), answer.json()["jobId"].as_u64()), (length, Some(2100)));
}

#[test]
fn a_date_is_counted_from_the_answer() {
    let answer = post(&submitting("http = 429, headers = { Retry-After = '{date+1h}' }"), &integration("X"));
    let date = |name| httpdate::parse_http_date(&answer.header(name).unwrap()).unwrap();
    let pause = date("retry-after").duration_since(date("date")).unwrap().as_secs();
    assert!((3599..=3601).contains(&pause), "{pause}");
}

#[test]
fn an_endless_body_goes_on_after_the_answer() {
    let sandbox = submitting("fault = 'endless', body = '{}'");
    let mut stream = send(&sandbox, &request(&sandbox, "POST", "/aif/rest/V1/jobs", &integration("X")));
    let mut buffer = vec![0; 1_000_000];
    stream.read_exact(&mut buffer).unwrap();
    assert!(buffer.ends_with(b"    "));
}

#[test]
fn an_answer_after_a_fault_is_whole_again() {
    let sandbox =
        playing("[[job]]\npolls = [{fault = 'reset-after'}, {fault = 'half-body', status = 0}, {status = 0}]");
    let id = submit(&sandbox, "X");
    assert!(poll(&sandbox, id).is_reset);
    assert!(poll(&sandbox, id).is_reset);
    assert_eq!(poll(&sandbox, id).json()["status"], 0);
}

#[test]
fn dropping_the_sandbox_ends_a_connection_that_hangs() {
    let sandbox = submitting("fault = 'hang'");
    let mut stream = send(&sandbox, &request(&sandbox, "POST", "/aif/rest/V1/jobs", &integration("X")));
    while sandbox.taken() == 0 {
        std::thread::yield_now();
    }
    drop(sandbox);
    assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
}
