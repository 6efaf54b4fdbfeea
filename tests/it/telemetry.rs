//! A run is exported as one trace. That changes no verdict, and nobody else reads where it goes or what is shown there.

use std::collections::BTreeSet;

use epm_sandbox::Sandbox;
use serde_json::Value;

use crate::harness::{Answer, Gate, Ran, Receiver, shipped};

const RUN: [&str; 3] = ["run", "--job-name", "GL_DATA_LOAD"];
const OK: &[Answer] = &[Answer::Code(200)];
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A gate that exports to this receiver, in JSON.
fn exporting(sandbox: &Sandbox, to: &Receiver) -> Gate {
    Gate::against(sandbox)
        .set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", to.url())
        .set("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
        .set("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret-token")
}

#[track_caller]
fn hides_the_secrets(ran: &Ran) {
    let shown = format!("{ran:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

/// The spans that were exported.
#[track_caller]
fn spans(receiver: &Receiver) -> Vec<Value> {
    let bodies = receiver.bodies();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    bodies[0]["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().expect("spans").clone()
}

fn names(spans: &[Value]) -> Vec<&str> {
    spans.iter().filter_map(|span| span["name"].as_str()).collect()
}

#[test]
fn a_run_is_a_trace_within_that_of_the_pipeline() {
    let receiver = Receiver::start(OK);
    let sandbox = shipped("fails-with-rejected-rows");
    let gate = exporting(&sandbox, &receiver).set("TRACEPARENT", format!("00-{TRACE}-{PARENT}-01"));
    let ran = gate.set("OTEL_SERVICE_NAME", "close").run(RUN);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    hides_the_secrets(&ran);
    let request = &receiver.requests()[0];
    assert!(
        request.contains("authorization: Bearer s3cret-token") && request.contains("application/json"),
        "{request}"
    );
    let spans = spans(&receiver);
    assert_eq!(names(&spans), ["gate", "attempt 1", "look", "submit", "wait", "collect", "diagnose"]);
    assert!(spans.iter().all(|span| span["traceId"] == TRACE));
    assert_eq!(spans[0]["parentSpanId"], PARENT);
    assert_eq!(spans[0]["status"]["code"], 2);
    let ids: BTreeSet<&str> = spans.iter().filter_map(|span| span["spanId"].as_str()).collect();
    assert_eq!(ids.len(), spans.len());
    let events: Vec<&str> = spans
        .iter()
        .flat_map(|span| span["events"].as_array().expect("events"))
        .filter_map(|one| one["name"].as_str())
        .collect();
    for expected in ["submit sent", "submitted", "state"] {
        assert!(events.contains(&expected), "{events:?}");
    }
    let resource = receiver.bodies()[0]["resourceSpans"][0]["resource"].to_string();
    assert!(resource.contains(r#"{"key":"service.name","value":{"stringValue":"close"}}"#), "{resource}");
    // The pod is told nothing of it.
    assert!(!format!("{:?}", sandbox.requests()).to_lowercase().contains("traceparent"));
}

#[test]
fn what_the_receiver_does_changes_nothing() {
    let table: [(&[Answer], usize, Option<&str>); 6] = [
        (&[Answer::Code(503), Answer::Code(200)], 2, None),
        (&[Answer::Close, Answer::Code(200)], 2, None),
        (&[Answer::Code(503)], 2, Some("it answered HTTP 503")),
        (&[Answer::Code(500)], 1, Some("it answered HTTP 500")),
        (&[Answer::Close], 2, Some("the connection broke")),
        (&[Answer::Redirect], 1, Some("HTTP 307")),
    ];
    for (answers, requests, warning) in table {
        let receiver = Receiver::start(answers);
        let ran = exporting(&shipped("quick-success"), &receiver).run(RUN);
        assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
        assert_eq!(receiver.requests().len(), requests, "{ran:?}");
        assert_eq!(ran.stderr.contains("the trace was not exported"), warning.is_some(), "{ran:?}");
        ran.says(warning.as_slice());
        hides_the_secrets(&ran);
    }
}

#[test]
fn a_receiver_that_hangs_is_left_when_its_time_is_over() {
    let receiver = Receiver::start(&[Answer::Hang]);
    let ran = exporting(&shipped("quick-success"), &receiver).set("OTEL_EXPORTER_OTLP_TIMEOUT", "200").run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.says(&["the trace was not exported: no answer came in time"]);
    hides_the_secrets(&ran);
}

#[test]
fn a_run_that_is_stopped_is_exported_with_what_was_cut_short() {
    let receiver = Receiver::start(OK);
    let sandbox = shipped("never-ends");
    let mut running = exporting(&sandbox, &receiver).start(RUN);
    running.until_it_says("in progress");
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    let spans = spans(&receiver);
    let wait = spans.iter().find(|span| span["name"] == "wait").expect("a wait");
    assert_eq!(wait["status"]["message"], "it was cut short");
}

#[test]
fn what_is_wrong_is_said_once_and_breaks_nothing() {
    for (name, value, said) in [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "s3cret.example.com", "is not an `http://` or `https://` URL"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "`grpc` is not offered"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret", "pair 1 is no `key=value`"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "absent.pem", "cannot read `absent.pem`"),
        ("TRACEPARENT", "00-0-0-00", "`00-0-0-00` is no parent"),
    ] {
        let receiver = Receiver::start(OK);
        let ran = exporting(&shipped("quick-success"), &receiver).set(name, value).run(RUN);
        assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
        assert_eq!(ran.stderr.matches(said).count(), 1, "{ran:?}");
        hides_the_secrets(&ran);
    }
}

#[test]
fn whoever_does_not_want_a_trace_gets_none() {
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("TRACEPARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
    ] {
        let receiver = Receiver::start(OK);
        let ran = exporting(&shipped("quick-success"), &receiver).set(name, value).run(RUN);
        assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
        assert!(receiver.requests().is_empty(), "{name}");
    }
    let (receiver, sandbox) = (Receiver::start(OK), shipped("quick-success"));
    assert_eq!(exporting(&sandbox, &receiver).run(RUN.into_iter().chain(["--dry-run"])).code, 0);
    assert!(receiver.requests().is_empty());
}
