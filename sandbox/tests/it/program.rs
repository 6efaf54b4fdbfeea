//! The program's other commands, and its errors.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use epm_sandbox::Scenario;

use crate::harness::program;

#[test]
fn serve_says_first_where_it_listens_and_then_who_is_let_in() {
    let mut child = program().arg("serve").env("EPM_SANDBOX_PASSWORD", "pw").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.next().unwrap();
    let address = address.strip_prefix("listening on http://").unwrap();
    std::net::TcpStream::connect(address).unwrap();
    assert_eq!(lines.next().unwrap(), "username: close.bot@example.com");
    assert_eq!(lines.next().unwrap(), "password: pw");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn scenarios_lists_each_with_what_it_is_about() {
    let output = program().arg("scenarios").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let names: Vec<_> = text.lines().map(|line| line.split("  ").next().unwrap().trim()).collect();
    assert_eq!(names, Scenario::shipped_names());
    assert!(text.contains("The job runs for three polls and succeeds."));
}

#[test]
fn an_unknown_scenario_is_an_error_that_names_the_right_ones() {
    let output = program().args(["serve", "--scenario", "suceeds"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.starts_with("error: `suceeds` is neither a shipped scenario nor a file"), "{text}");
    assert!(text.contains(" succeeds,"), "{text}");
}

#[test]
fn a_broken_scenario_file_is_an_error_that_names_file_line_and_key() {
    let file = std::env::temp_dir().join(format!("epm-sandbox-it-{}.toml", std::process::id()));
    std::fs::write(&file, "about = 'x'\n[[job]]\npols = []\n").unwrap();
    let output = program().args(["serve", "--scenario"]).arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    for names in [file.to_str().unwrap(), "line 3", "`pols`"] {
        assert!(text.contains(names), "{text}");
    }
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = program().args(["serve", "--port", &port]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text.contains(&format!("cannot listen on port {port}")), "{text}");
}

#[test]
fn serve_writes_its_requests_to_stderr_where_asked() {
    let mut serve = program();
    let mut child = serve.args(["serve", "-v"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let mut stream = std::net::TcpStream::connect(first.trim().trim_start_matches("listening on http://")).unwrap();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.0\r\n\r\n").unwrap();
    stream.read_to_string(&mut String::new()).unwrap();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with(r#"{"n":1,"at_ms":"#), "{text}");
    assert!(text.contains(r#","connection":1,"open":1,"method":"GET""#), "{text}");
}
