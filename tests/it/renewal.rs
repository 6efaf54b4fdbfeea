//! An access token that somebody renews in its file while the gate runs: a 401 costs one renewal and one more try, and
//! a submit that EPM may have acted on is sent no second time for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::harness::{Gate, Ran, playing};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

/// Code and body.
type Answer = (u16, &'static str);

const REFUSED: Answer = (401, "");
const TAKEN: Answer = (200, r#"{"jobId": 2100, "status": -1}"#);
const PASSED: Answer = (200, r#"{"jobId": 2100, "status": 0}"#);

/// What a service answers.
#[derive(Clone, Copy)]
struct Script {
    /// At which request, counted from 1, the token in the file becomes another one; 0 for never.
    renewed_at: usize,
    posts: &'static [Answer],
    polls: &'static [Answer],
}

/// Each request, as method and token.
type Asked = Arc<Mutex<Vec<String>>>;

/// A service that lets any token in for as long as its script does. It ends with the process.
fn service(script: Script, token: PathBuf) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Asked::default();
    let heard = Arc::clone(&asked);
    std::thread::spawn(move || {
        let (mut posts, mut polls) = (script.posts.iter(), script.polls.iter());
        for (index, stream) in listener.incoming().flatten().enumerate() {
            let (method, path, bearer) = read(&stream);
            heard.lock().expect("nothing panics with the lock").push(format!("{method} {bearer}"));
            if index + 1 == script.renewed_at {
                std::fs::write(&token, "renewed").expect("the token can be written");
            }
            let answer = match (method.as_str(), path.contains("/jobs/")) {
                ("POST", _) => posts.next(),
                (_, true) => polls.next(),
                (_, false) => Some(&(200, "{}")),
            };
            let (code, body) = *answer.unwrap_or(&(500, ""));
            write(stream, code, body);
        }
    });
    (url, asked)
}

/// Method, path and token of a request, read to its end.
fn read(stream: &TcpStream) -> (String, String, String) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|length| length > 0) {}
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
    let mut body = vec![0; header("content-length: ").parse().unwrap_or_default()];
    let _ = reader.read_exact(&mut body);
    let mut words = head.split(' ').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    (word(), word(), header("authorization: Bearer "))
}

fn write(mut stream: TcpStream, code: u16, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nConnection: close\r\n");
    let _ = write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}");
}

/// Runs, and tells what was asked: first the look, and then the hour of the maintenance.
fn run_with_token(script: Script) -> (Ran, Vec<String>) {
    let gate = Gate::nowhere();
    let token = gate.file("given-token", "first");
    let (url, asked) = service(script, gate.path("given-token"));
    let ran = gate.set("EPM_URL", url).set("EPM_ACCESS_TOKEN_FILE", token).run(RUN);
    let asked = asked.lock().expect("nothing panics with the lock").clone();
    (ran, asked)
}

#[test]
fn a_submit_that_was_refused_is_sent_once_more_with_a_renewed_token() {
    let (ran, asked) = run_with_token(Script { renewed_at: 1, posts: &[REFUSED, TAKEN], polls: &[PASSED] });
    assert_eq!((ran.end(), ran.output("submitted")), ((0, "succeeded"), "yes"), "{ran:?}");
    assert_eq!(asked, ["GET first", "GET first", "POST first", "POST renewed", "GET renewed"]);
}

#[test]
fn a_submit_is_not_sent_again_with_the_token_that_was_refused() {
    let (ran, asked) = run_with_token(Script { renewed_at: 0, posts: &[REFUSED, TAKEN], polls: &[] });
    assert_eq!((ran.end(), ran.output("submitted")), ((30, "access-denied"), "no"), "{ran:?}");
    assert_eq!(asked, ["GET first", "GET first", "POST first"]);
}

#[test]
fn one_renewal_is_all_that_a_refused_submit_gets() {
    let (ran, asked) = run_with_token(Script { renewed_at: 1, posts: &[REFUSED, REFUSED, TAKEN], polls: &[] });
    assert_eq!((ran.end(), ran.output("submitted")), ((30, "access-denied"), "no"), "{ran:?}");
    assert_eq!(asked, ["GET first", "GET first", "POST first", "POST renewed"]);
}

#[test]
fn a_submit_that_became_uncertain_after_a_renewal_is_sent_no_third_time() {
    let (ran, asked) = run_with_token(Script { renewed_at: 1, posts: &[REFUSED, (502, ""), TAKEN], polls: &[] });
    assert_eq!((ran.end(), ran.output("submitted")), ((24, "submit-uncertain"), "maybe"), "{ran:?}");
    assert_eq!(asked, ["GET first", "GET first", "POST first", "POST renewed"]);
}

#[test]
fn a_poll_that_was_refused_is_sent_once_more_with_a_renewed_token() {
    let (ran, asked) = run_with_token(Script { renewed_at: 4, posts: &[TAKEN], polls: &[REFUSED, PASSED] });
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(asked, ["GET first", "GET first", "POST first", "GET first", "GET renewed"]);
}

#[test]
fn access_is_lost_where_a_renewed_token_is_refused_as_well() {
    let (ran, asked) = run_with_token(Script { renewed_at: 4, posts: &[TAKEN], polls: &[REFUSED, REFUSED, PASSED] });
    assert_eq!(ran.end(), (22, "access-lost"), "{ran:?}");
    assert_eq!(asked, ["GET first", "GET first", "POST first", "GET first", "GET renewed"]);
}

#[test]
fn a_password_that_had_worked_survives_one_refusal() {
    let sandbox = playing("[[job]]\npolls = [{ http = 401 }, { status = 0 }]");
    let ran = Gate::against(&sandbox).run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let sandbox = playing("[[job]]\nsubmit = [{ http = 401 }, {}]");
    let ran = Gate::against(&sandbox).run(RUN);
    assert_eq!((ran.end(), sandbox.posts()), ((30, "access-denied"), 1), "{ran:?}");
}

/// A service with several jobs that lets only this token in, and answers each request only once two are there, so that
/// both were sent with the old token. It ends with the process.
fn service_for_two(good: &'static str, token: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        // The first proves the old token, and goes alone.
        let mut waiting: Vec<(TcpStream, String, String)> = Vec::new();
        for (index, stream) in listener.incoming().flatten().enumerate() {
            let (_, path, bearer) = read(&stream);
            let id = path.rsplit('/').next().unwrap_or_default().to_owned();
            if index == 0 {
                write(stream, 200, &format!("{{\"jobId\": {id}, \"status\": -1}}"));
                std::fs::write(&token, good).expect("the token can be written");
                continue;
            }
            waiting.push((stream, id, bearer));
            if index == 1 {
                continue;
            }
            for (stream, id, bearer) in waiting.drain(..) {
                let code = if bearer == good { 200 } else { 401 };
                write(stream, code, &format!("{{\"jobId\": {id}, \"status\": 0}}"));
            }
        }
    });
    url
}

#[test]
fn one_renewal_serves_all_requests_that_were_refused_with_the_old_token() {
    let gate = Gate::nowhere().set("EPM_POLL_MIN", "200ms").set("EPM_POLL_MAX", "200ms");
    let token = gate.file("given-token", "old");
    let url = service_for_two("new", PathBuf::from(&token));
    let ran = gate.set("EPM_URL", url).set("EPM_ACCESS_TOKEN_FILE", &token).run(["attach", "7", "8", "9"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
}
