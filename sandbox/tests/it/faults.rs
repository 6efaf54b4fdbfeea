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
