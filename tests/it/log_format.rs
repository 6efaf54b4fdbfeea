//! `--log-format json`: every line on stderr is an object with the documented fields (docs/observability.md) and no
//! others, whatever becomes of the run.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::harness::{Gate, On, Ran, playing, shipped};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The lines of a log, of which there is one at least, each held to its fields.
#[track_caller]
fn lines(log: &str) -> Vec<Value> {
    let lines: Vec<Value> = log.lines().map(line).collect();
    let traces: BTreeSet<String> = lines.iter().map(|line| line["trace_id"].to_string()).collect();
    assert_eq!(traces.len(), 1, "{log}");
    lines
}

#[track_caller]
fn line(line: &str) -> Value {
    let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let text = |name: &str| value[name].as_str().unwrap_or_else(|| panic!("no `{name}`: {line}"));
    for (name, field) in value.as_object().expect("an object") {
        assert!(["time", "level", "message", "trace_id", "job_id"].contains(&name.as_str()), "{name}: {line}");
        assert!(name != "job_id" || field.as_u64().is_some_and(|id| id > 0), "{line}");
    }
    let time: Timestamp = text("time").parse().expect("a time");
    assert_eq!(format!("{time:.3}"), text("time"));
    assert!(["debug", "info", "warn", "error"].contains(&text("level")), "{line}");
    assert!(!text("message").trim().is_empty(), "{line}");
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    assert!(text("trace_id").len() == 32 && text("trace_id").bytes().all(is_digit), "{line}");
    value
}

/// The messages of a level.
fn messages<'a>(lines: &'a [Value], level: &str) -> Vec<&'a str> {
    lines.iter().filter(|line| line["level"] == level).filter_map(|line| line["message"].as_str()).collect()
}

fn json(gate: Gate) -> Gate {
    gate.set("EPM_LOG_FORMAT", "json")
}

#[track_caller]
fn has_one(messages: &[&str], part: &str) {
    assert_eq!(messages.iter().filter(|message| message.contains(part)).count(), 1, "{part}: {messages:#?}");
}

#[test]
fn a_pass_names_its_job_and_its_trace() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).set("TRACEPARENT", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let ran = gate.run(RUN.iter().chain(&["--log-format", "json"]));
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let lines = lines(&ran.stderr);
    assert!(lines.iter().all(|line| line["trace_id"] == TRACE), "{ran:?}");
    let (last, submitted) = (lines.last().unwrap(), lines.iter().find(|line| line["job_id"] == 2100).unwrap());
    assert_eq!((&last["level"], &last["job_id"]), (&"info".into(), &2100.into()));
    assert!(submitted["message"].as_str().unwrap().ends_with("(job 2100): submitted"), "{ran:?}");
    assert!(messages(&lines, "debug").is_empty() && messages(&lines, "error").is_empty());
}

#[test]
fn a_trace_that_is_not_valid_is_replaced() {
    let traces: BTreeSet<String> = ["", "00-x", &format!("ff-{TRACE}-00f067aa0ba902b7-01")]
        .into_iter()
        .map(|given| json(Gate::against(&shipped("succeeds"))).set("TRACEPARENT", given).run(RUN))
        .map(|ran| lines(&ran.stderr)[0]["trace_id"].to_string())
        .collect();
    assert!(traces.len() == 3 && traces.iter().all(|trace| !trace.contains(TRACE)), "{traces:?}");
}

#[test]
fn a_failure_shows_its_log_a_line_each_and_no_platform_a_command() {
    for on in [On::Nowhere, On::Github, On::Gitlab, On::Azure, On::Jenkins] {
        let sandbox = shipped("fails-locked");
        let gate = json(Gate::against(&sandbox).on(on));
        let ran = gate.run(RUN.iter().chain(&["--color", "always"]));
        assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
        let lines = lines(&ran.stderr);
        let quoted: Vec<_> = lines.iter().filter(|line| line["message"].as_str().unwrap().starts_with("│ ")).collect();
        assert!(!quoted.is_empty() && quoted.iter().all(|line| line["job_id"] == 2100), "{ran:?}");
        assert_eq!(messages(&lines, "error").len(), 1, "{ran:?}");
        has_one(&messages(&lines, "info"), "hint: ");
        assert_eq!(ran.stdout.contains("##vso[task.logissue type=error]"), on == On::Azure, "{ran:?}");
    }
}

#[test]
fn texts_of_others_stay_within_their_message() {
    let hostile = "##vso[task.complete] ::error::x \\\"}{\\\"level\\\":\\\"info\\\"}\\n::stop-commands::x\\u001b[31m";
    let scenario = format!(
        "[[job]]\npolls = [{{ status = 1, job_status = \"{hostile}\", details = \"{hostile}\" }}]\n\
         log = \"ERROR {hostile}\"\n"
    );
    for on in [On::Nowhere, On::Github, On::Azure] {
        for sandbox in [playing(&scenario), shipped("hostile-text")] {
            let ran = json(Gate::against(&sandbox).on(on)).run(RUN.iter().chain(&["-v"]));
            let lines = lines(&ran.stderr);
            assert!(lines.len() > 4 && !messages(&lines, "debug").is_empty(), "{ran:?}");
        }
    }
}

#[test]
fn a_command_line_that_is_wrong_is_told_as_json_too() {
    let table: [(&[&str], Option<&str>, &str); 6] = [
        (&["run", "--nonsense", "--log-format", "json"], None, "`--nonsense` is not a flag"),
        (&["run", "--log-format=json", "--log-format=json"], None, "multiple times"),
        (&["nonsense"], Some("json"), "is not a command"),
        (&[], Some("JSON"), "no command is given"),
        (&["run", "--job-name", "X", "--poll-min", "x"], Some(" json\n"), "`--poll-min`"),
        (&["login"], Some("json"), "no file is given for the refresh token"),
    ];
    for (arguments, variable, told) in table {
        let sandbox = shipped("succeeds");
        let gate = Gate::against(&sandbox);
        let gate = variable.into_iter().fold(gate, |gate, word| gate.set("EPM_LOG_FORMAT", word));
        let ran = gate.run(arguments);
        let lines = lines(&ran.stderr);
        assert_eq!((ran.code, messages(&lines, "error").len()), (2, 1), "{ran:?}");
        assert!(messages(&lines, "error")[0].contains(told), "{ran:?}");
        has_one(&messages(&lines, "info"), "hint: ");
    }
}

#[test]
fn a_format_that_nobody_knows_is_told_as_text() {
    for (arguments, variable) in [(["--log-format", "xml"], "json"), (["--log-format", "text"], "xml")] {
        let ran = Gate::against(&shipped("succeeds")).set("EPM_LOG_FORMAT", variable).run(RUN.iter().chain(&arguments));
        let is_wrong = arguments[1] == "xml";
        assert_eq!(ran.code, if is_wrong { 2 } else { 0 }, "{ran:?}");
        assert_eq!(ran.stderr.contains("`--log-format`: `xml` is not known"), is_wrong, "{ran:?}");
        assert!(!ran.stderr.contains("trace_id"), "{ran:?}");
    }
}

#[test]
fn a_summary_has_no_place_in_a_log_of_json() {
    let table: [&[&str]; 3] = [&["run", "--job-name", "X"], &["run", "--nonsense"], &["check", "--log-format", "json"]];
    for arguments in table {
        let sandbox = shipped("succeeds");
        let ran = json(Gate::against(&sandbox)).set("EPM_SUMMARY", "-").run(arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        lines(&ran.stderr);
        assert!(sandbox.requests().is_empty());
    }
    let ran = json(Gate::against(&shipped("succeeds"))).run(["run", "--nonsense", "--summary", "-"]);
    lines(&ran.stderr);
}

#[test]
fn every_command_keeps_to_it() {
    let log = "2026-01-01 INFO begin\nERROR ##[group] connection refused\n";
    let table: [(&str, &[&str], i32); 9] = [
        ("succeeds", &["run", "--job-name", "GLDATA", "--dry-run"], 0),
        ("succeeds", &["submit", "--job-name", "GLDATA", "-v"], 0),
        ("succeeds", &["attach", "2100", "--timeout", "1s"], 32),
        ("succeeds", &["status", "2100", "-v"], 32),
        ("succeeds", &["check"], 0),
        ("maintenance-soon", &["check", "-v"], 0),
        ("succeeds", &["explain", "-"], 0),
        ("never-ends", &["run", "--job-name", "GLDATA", "-q", "--timeout", "500ms"], 20),
        ("broken-json-submit", &["run", "--job-name", "GLDATA"], 24),
    ];
    for (scenario, arguments, code) in table {
        let sandbox = shipped(scenario);
        let ran = json(Gate::against(&sandbox)).piped(log).run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        assert!(!lines(&ran.stderr).is_empty());
    }
}

#[test]
fn whoever_is_not_let_in_is_told_so_as_json() {
    let sandbox = playing("[identity]\ndevice = ['denied']\n[[job]]\npolls = [{ status = 0 }]\n");
    let gate = json(Gate::nowhere().at_identity_service(&sandbox));
    let file = gate.path("given-token");
    let ran = gate.set("EPM_REFRESH_TOKEN_FILE", file).run(["login"]);
    let lines_of_login = lines(&ran.stderr);
    assert_eq!(ran.code, 30, "{ran:?}");
    has_one(&messages(&lines_of_login, "info"), "enter the code `");
    has_one(&messages(&lines_of_login, "error"), "denied access");
    let ran = json(Gate::against(&sandbox)).set("EPM_PASSWORD", "another-one").run(["check"]);
    let lines_of_check = lines(&ran.stderr);
    assert_eq!(ran.code, 30, "{ran:?}");
    // The step that failed, and the end.
    assert_eq!(messages(&lines_of_check, "error").len(), 2, "{ran:?}");
    has_one(&messages(&lines_of_check, "info"), "remedy: ");
}

#[test]
fn several_jobs_are_told_apart() {
    let sandbox = playing("[[job]]\npolls = [{ status = 0 }]\n[[job]]\npolls = [{ status = 1 }]\n");
    let submit = |name: &str| Gate::against(&sandbox).run(["submit", "--job-name", name]);
    let ids: Vec<String> = ["A", "B"].map(|name| submit(name).output("jobId").to_owned()).to_vec();
    let ran = json(Gate::against(&sandbox)).run(["attach", &ids[0], &ids[1]]);
    assert_eq!(ran.code, 10, "{ran:?}");
    let lines = lines(&ran.stderr);
    for id in &ids {
        let of_job = |line: &&Value| line["message"].as_str().unwrap().starts_with(&format!("job {id}: "));
        let (told, number) = (lines.iter().filter(of_job).collect::<Vec<_>>(), id.parse::<u64>().unwrap());
        assert!(!told.is_empty() && told.iter().all(|line| line["job_id"] == number), "{ran:?}");
    }
    // The end is that of both.
    assert_eq!(lines.iter().find(|line| line["level"] == "error").unwrap().get("job_id"), None, "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_signal_is_told_as_json_too() {
    let sandbox = shipped("never-ends");
    let mut running = json(Gate::against(&sandbox)).start(RUN);
    running.until_it_says("(job 2100): submitted");
    running.signal("TERM");
    let ran: Ran = running.finish();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    let lines = lines(&ran.stderr);
    has_one(&messages(&lines, "warn"), "SIGTERM received");
    assert_eq!(lines.iter().find(|line| line["level"] == "error").unwrap()["job_id"], 2100, "{ran:?}");
}
