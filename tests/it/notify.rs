//! Whoever is named hears of the end. It changes no verdict, and nobody else reads where they are.

use serde_json::Value;

use crate::harness::{Answer, Gate, Ran, Receiver, playing, shipped};

const RUN: [&str; 3] = ["run", "--job-name", "GL_DATA_LOAD"];
const KEY: &str = "0123456789abcdef0123456789abcdef";
const OK: &[Answer] = &[Answer::Code(202)];

/// The addresses of all four kinds, at one place.
fn everyone(at: &Receiver) -> String {
    let url = at.url();
    format!("cloudevents={url}\nslack={url}\r\nteams={url}\n\npagerduty={KEY}@{url}\n")
}

/// No byte of the run shows an address.
#[track_caller]
fn hides_the_addresses(ran: &Ran) {
    let shown = format!("{ran:?}");
    for secret in ["s3cret", KEY] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// How often each kind of message came: events, Slack's, Teams', PagerDuty's.
fn counts(bodies: &[Value]) -> [usize; 4] {
    ["specversion", "blocks", "attachments", "routing_key"]
        .map(|key| bodies.iter().filter(|body| !body[key].is_null()).count())
}

#[test]
fn everyone_is_told_of_a_failure_once() {
    let receiver = Receiver::start(OK);
    let ran = Gate::against(&shipped("fails-with-rejected-rows")).set("EPM_NOTIFY", everyone(&receiver)).run(RUN);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    let bodies = receiver.bodies();
    assert_eq!(counts(&bodies), [1, 1, 1, 1], "{bodies:?}");
    let event = bodies.iter().find(|body| !body["specversion"].is_null()).expect("an event");
    assert_eq!(event["type"], "com.github.acme.epm-gate.job.failed.v1");
    assert_eq!(event["subject"], ran.output("jobId"));
    // What is told is what was written.
    assert_eq!(event["data"], serde_json::from_str::<Value>(&ran.report).expect("JSON"));
    let incident = bodies.iter().find(|body| !body["routing_key"].is_null()).expect("an incident");
    assert_eq!((&incident["event_action"], &incident["payload"]["severity"]), (&"trigger".into(), &"error".into()));
    assert!(receiver.requests().iter().any(|request| request.contains("application/cloudevents+json")));
    hides_the_addresses(&ran);
}

#[test]
fn a_pass_is_told_to_whoever_wants_all_and_resolves_in_any_case() {
    for (on, expected) in [("failure", [0, 0, 0, 1]), ("always", [1, 1, 1, 1])] {
        let receiver = Receiver::start(OK);
        let sandbox = shipped("quick-success");
        let gate = Gate::against(&sandbox).set("EPM_NOTIFY", everyone(&receiver));
        let ran = gate.set("EPM_NOTIFY_ON", on).run(RUN);
        assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
        let bodies = receiver.bodies();
        assert_eq!(counts(&bodies), expected, "{on}");
        assert!(bodies.iter().any(|body| body["event_action"] == "resolve"));
    }
}

#[test]
fn what_the_receiver_does_changes_nothing() {
    let table: [(&[Answer], usize, Option<&str>); 6] = [
        (&[Answer::Code(500), Answer::Code(200)], 2, None),
        (&[Answer::Close, Answer::Code(200)], 2, None),
        (&[Answer::Code(503)], 2, Some("it answered HTTP 503")),
        (&[Answer::Close], 2, Some("the connection broke")),
        (&[Answer::Code(404)], 1, Some("it answered HTTP 404")),
        (&[Answer::Redirect], 1, Some("HTTP 307")),
    ];
    for (answers, requests, warning) in table {
        let receiver = Receiver::start(answers);
        let sandbox = shipped("fails-with-details");
        let gate = Gate::against(&sandbox).set("EPM_NOTIFY", format!("slack={}", receiver.url()));
        let ran = gate.run(RUN);
        assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
        assert_eq!(receiver.requests().len(), requests, "{ran:?}");
        assert_eq!(ran.stderr.contains("was not notified"), warning.is_some(), "{ran:?}");
        ran.says(warning.as_slice());
        hides_the_addresses(&ran);
    }
}

#[test]
fn a_run_that_is_stopped_ends_though_the_receiver_hangs() {
    let receiver = Receiver::start(&[Answer::Hang]);
    let sandbox = shipped("never-ends");
    let gate = Gate::against(&sandbox).set("EPM_NOTIFY", format!("slack={}", receiver.url()));
    let mut running = gate.start(RUN);
    running.until_it_says("in progress");
    running.signal("TERM");
    running.until("it is told", || !receiver.requests().is_empty());
    let ran = running.finish();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    ran.says(&["was not notified: no answer came in time"]);
    hides_the_addresses(&ran);
}

#[test]
fn a_second_signal_tells_nobody_whatever_the_end_was() {
    let receiver = Receiver::start(&[Answer::Hang]);
    let sandbox = playing("[[job]]\nsubmit = [{ delay = '3s' }]\n");
    let mut running = Gate::against(&sandbox).set("EPM_NOTIFY", everyone(&receiver)).start(RUN);
    running.until("the submit has arrived", || sandbox.posts() == 1);
    running.until_it_ends_by_signals("TERM");
    let ran = running.finish();
    assert_eq!(ran.end(), (24, "submit-uncertain"), "{ran:?}");
    ran.says(&["nobody was notified: a second signal came before"]);
    assert!(receiver.requests().is_empty());
}

#[test]
fn addresses_come_by_one_way_and_are_read_before_anything_is_sent() {
    let sandbox = shipped("succeeds");
    let gate = || Gate::against(&sandbox);
    let table = [
        (gate().set("EPM_NOTIFY", "slack=https://a.example.com/s3cret\nirc=s3cret"), "line 2: it does not begin with"),
        (gate().set("EPM_NOTIFY", "slack=http://a.example.com/s3cret"), "line 1: its address does not begin with"),
        (gate().set("EPM_NOTIFY", "$(notify)"), "placeholder"),
        (gate().set("EPM_NOTIFY", format!("pagerduty={KEY}0")), "line 1: its routing key"),
        (gate().set("EPM_NOTIFY", "slack=https://a.example.com").set("EPM_NOTIFY_FILE", "x"), "is set as well"),
        (gate().set("EPM_NOTIFY_FILE", "absent"), "cannot read `absent`"),
        (gate().set("EPM_NOTIFY_ON", "sometimes"), "`sometimes` is not known"),
        (gate().set("EPM_NOTIFY_FILE", "slack=https://a.example.com/s3cret"), "`EPM_NOTIFY_FILE`: it is an address"),
        (gate().set("EPM_NOTIFY_FILE", "https://a.example.com/s3cret"), "it is an address"),
        (gate().set("EPM_NOTIFY_FILE", KEY), "it is an address"),
        (gate().set("EPM_NOTIFY_ON", format!("Slack={KEY}")), "`EPM_NOTIFY_ON`: it is an address"),
    ];
    for (gate, problem) in table {
        let ran = gate.run(RUN);
        assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
        ran.says(&[problem]);
        hides_the_addresses(&ran);
    }
    let gate = gate();
    let file = gate.file("given-addresses", b"\xff\xfes\0l\0".as_slice());
    gate.set("EPM_NOTIFY_FILE", file).run(RUN).says(&["is UTF-16"]);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_run_that_cannot_begin_is_told_and_a_dry_one_is_not() {
    let receiver = Receiver::start(OK);
    let sandbox = shipped("succeeds");
    let gate = || Gate::against(&sandbox);
    let wrong = gate().set("EPM_NOTIFY", everyone(&receiver)).set("EPM_POLL_MIN", "soon").run(RUN);
    assert_eq!(wrong.end(), (2, "usage"), "{wrong:?}");
    assert_eq!(counts(&receiver.bodies()), [1, 1, 1, 1]);
    let receiver = Receiver::start(OK);
    let dry = gate().set("EPM_NOTIFY", everyone(&receiver)).run(RUN.into_iter().chain(["--dry-run"]));
    assert_eq!(dry.code, 0, "{dry:?}");
    assert!(receiver.requests().is_empty());
}

#[test]
fn a_submit_resolves_nothing() {
    let receiver = Receiver::start(OK);
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).set("EPM_NOTIFY", everyone(&receiver)).set("EPM_NOTIFY_ON", "always");
    let ran = gate.run(["submit", "--job-name", "GL_DATA_LOAD"]);
    assert_eq!(ran.end(), (0, "submitted"), "{ran:?}");
    assert_eq!(counts(&receiver.bodies()), [1, 1, 1, 0]);
}

#[test]
fn an_incident_has_one_key_from_failure_to_pass() {
    for (scenario, action) in [("fails-with-details", "trigger"), ("quick-success", "resolve")] {
        let receiver = Receiver::start(OK);
        let addresses = format!("pagerduty={KEY}@{}", receiver.url());
        let sandbox = shipped(scenario);
        let gate = Gate::against(&sandbox).set("EPM_NOTIFY", addresses).set("EPM_NOTIFY_KEY", "the close");
        gate.run(RUN);
        let bodies = receiver.bodies();
        assert_eq!(bodies.len(), 1, "{scenario}");
        assert_eq!((&bodies[0]["event_action"], &bodies[0]["dedup_key"]), (&action.into(), &"the close".into()));
    }
}

/// The events of a run with these arguments and variables.
fn events(scenario: &str, variables: &[(&str, &str)], arguments: &[&str]) -> (Ran, Vec<Value>) {
    let receiver = Receiver::start(OK);
    let sandbox = shipped(scenario);
    let gate = Gate::against(&sandbox).set("EPM_NOTIFY", format!("pagerduty={KEY}@{}", receiver.url()));
    let payload = gate.file("given-payload.json", r#"{"jobType":"BATCH","jobName":"B"}"#);
    // The sandbox has another port for each run.
    let gate = gate.set("EPM_URL", sandbox.url()).set("EPM_JOB_TYPE", "").set_all(variables);
    let arguments = arguments.iter().map(|word| if *word == "PAYLOAD" { payload.as_str() } else { word });
    let ran = gate.run(arguments);
    let host = sandbox.url().replace("http://", "");
    let mut bodies = receiver.bodies();
    for body in &mut bodies {
        body["dedup_key"] = body["dedup_key"].as_str().expect("a key").replace(&host, "HOST").into();
    }
    (ran, bodies)
}

#[test]
fn a_command_line_that_is_wrong_triggers_what_the_mended_one_resolves() {
    /// The arguments, a variable beside them, and the key.
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], Option<&'a str>);
    let table: [Case<'_>; 9] = [
        (&["run", "--job-name", "GL"], &[], Some("epm-gate:HOST:INTEGRATION:GL")),
        (&["submit", "--job-name", "GL", "--job-type", "batch"], &[], Some("epm-gate:HOST:BATCH:GL")),
        (&["run", "--payload", "PAYLOAD"], &[], Some("epm-gate:HOST:BATCH:B")),
        (&["run", "--payload", "-"], &[], None),
        (&["run", "--payload", "absent"], &[], None),
        (&["run"], &[], None),
        (&["attach", "2001", "2000"], &[("EPM_JOB_TYPE", "BATCH")], Some("epm-gate:HOST::2000,2001")),
        (&["attach", "2000"], &[("EPM_JOB_NAME", "GL")], Some("epm-gate:HOST::GL")),
        (&["attach", "two"], &[], None),
    ];
    for (arguments, variables, expected) in table {
        let variables: Vec<_> = variables.iter().copied().chain([("EPM_POLL_MIN", "soon")]).collect();
        let (ran, bodies) = events("succeeds", &variables, arguments);
        assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
        let keys: Vec<_> = bodies.iter().filter_map(|body| body["dedup_key"].as_str()).collect();
        assert_eq!(keys, Vec::from_iter(expected), "{arguments:?}");
    }
    let (ran, bodies) = events("quick-success", &[("EPM_JOB_TYPE", "BATCH")], &["attach", "2000"]);
    assert_eq!(bodies.len(), 1, "{ran:?}");
    assert_eq!(bodies[0]["dedup_key"], "epm-gate:HOST::2000");
}

#[test]
fn the_attach_command_names_the_incident_of_its_run() {
    let (ran, bodies) = events("never-ends", &[("EPM_TIMEOUT", "1s")], &["run", "--job-name", "GL"]);
    assert_eq!(ran.end(), (20, "timed-out"), "{ran:?}");
    assert_eq!(bodies[0]["dedup_key"], "epm-gate:HOST:INTEGRATION:GL");
    ran.says(&[" --notify-key epm-gate:127.0.0.1:", ":INTEGRATION:GL`"]);
    let (ran, _) =
        events("never-ends", &[("EPM_TIMEOUT", "1s"), ("EPM_NOTIFY_KEY", "the close")], &["run", "--job-name", "GL"]);
    ran.says(&[" --notify-key 'the close'`"]);
}

#[test]
fn what_is_said_of_telling_where_nobody_is_told_is_a_warning() {
    let sandbox = shipped("quick-success");
    let ran = Gate::against(&sandbox).set("EPM_NOTIFY_ON", "always").set("EPM_NOTIFY_KEY", "the close").run(RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    for name in ["EPM_NOTIFY_ON", "EPM_NOTIFY_KEY"] {
        ran.says(&[&format!("warning: `{name}`: nobody is told")]);
    }
}

#[test]
fn nobody_is_told_by_another_way_than_the_one_that_was_asked_for() {
    for (name, value) in [("EPM_CA_CERT", "absent.pem"), ("HTTPS_PROXY", "socks9://proxy:1")] {
        let receiver = Receiver::start(OK);
        let sandbox = shipped("succeeds");
        let ran = Gate::against(&sandbox).set("EPM_NOTIFY", everyone(&receiver)).set(name, value).run(RUN);
        assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
        assert!(receiver.requests().is_empty(), "{name}");
    }
}
