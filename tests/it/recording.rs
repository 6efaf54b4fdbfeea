//! `--record`: what the pod said, in a file that holds nothing of the customer's, and from which the sandbox answers so that
//! the same command ends in the same way.

use std::ffi::OsStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

use crate::harness::{Gate, Ran, playing, replaying, shipped};

/// Those whose record tells only a part of the story, and why.
const NOT_ALONE: [(&str, &str); 2] = [
    ("token-consumed", "the identity service refuses, and is not recorded"),
    ("token-expired", "the identity service refuses, and is not recorded"),
];

/// Holds the record of a run to what is promised: nothing of the customer's is in it, and played it ends as the run did.
pub(crate) fn plays_again<A: AsRef<OsStr>>(scenario: &str, arguments: impl IntoIterator<Item = A>, ran: &Ran) {
    holds_none_of(&ran.record, &["GLDATA", "127.0.0.1", "close.bot", "example.com", "acme"]);
    if NOT_ALONE.iter().any(|(name, _)| *name == scenario) {
        assert_eq!(ran.record.lines().count(), 1, "{scenario}: {}", ran.record);
        return;
    }
    let pod = replaying(&ran.record);
    let again = Gate::against(&pod).on_github().run(arguments);
    let end = |ran: &Ran| [ran.code.to_string(), ran.output("outcome").to_owned(), ran.output("status").to_owned()];
    assert_eq!(end(&again), end(ran), "{scenario}: {again:?}\nof\n{}", ran.record);
}

/// Nothing of these stands there: as it is, in lower case, or encoded in any way.
#[track_caller]
fn holds_none_of(record: &str, originals: &[&str]) {
    let lower = record.to_lowercase();
    for original in originals {
        let percent = original.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let encoded = percent_encoding(original);
        let forms = [(*original).to_owned(), percent, encoded, Value::from(*original).to_string().replace('"', "")];
        for form in forms.iter().map(|form| form.to_lowercase()) {
            assert!(!lower.contains(&form), "{original:?} stands there as {form:?}:\n{record}");
        }
        let base64 = STANDARD_NO_PAD.encode(original);
        assert!(!record.contains(&base64), "{original:?} stands there in base64:\n{record}");
    }
}

fn percent_encoding(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The lines of a record, the first of which speaks of the run.
fn lines(record: &str) -> Vec<Value> {
    record.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// What the customer calls things, in every place where the pod could say it.
const TELLTALE: &str = r#"
about = "It names everything."

[look]
replies = [{ body = '{"items": [], "details": "Daily Load is running since the daily load was started"}' }]

[[job]]
name = "Ölpreis/Report \"Q3\""
id = 7
log_file = 'outbox/logs/Vision München_{id}.log'
output_file = '\u03\inbox\outbox\Gehälter 2026.csv'
output = "Entity,4711.25"
log = """
2026-03-22 03:24:27,402 ERROR [AIF]: [BLANK] Werk Nord,FY26,Actual,4711.25
"""
polls = [
  { status = -1, fields = { jobName = "{name}", application = "Vision München", periodName = "Okt-26" } },
  { status = 1, job_status = "FAILED by m.mueller@acme.example", details = """
EPMFDM-140149: Invalid Integration Name: {name} for m.mueller@acme.example at Werk Nord
java.lang.IllegalStateException: 4711.25 rejected in Okt-26, see https://epm.acme.example/Vision%20M%C3%BCnchen
""", fields = { rejectedRows = 4711.25, "Werk Nord" = { amount = "4711.25" }, links = [
  { rel = "self", href = "https://epm.acme.example/gw/aif/rest/V1/jobs/7", action = "GET" } ] } },
]
"#;

const CUSTOMERS: [&str; 15] = [
    "Ölpreis",
    "Ölpreis/Report \"Q3\"",
    "Vision",
    "München",
    "Gehälter",
    "Werk Nord",
    "Okt-26",
    "m.mueller",
    "acme",
    "4711.25",
    "WERK_SCHALTER",
    "Sommerloch",
    // Plain words, which only the payload tells to be a name, and that is not sent yet when the pod says it first.
    "Daily Load",
    "Planungslauf.csv",
    "close.bot@example.com",
];

#[test]
fn a_record_holds_nothing_of_the_customers_and_all_of_the_shape() {
    let sandbox = playing(TELLTALE);
    let payload = r##"{"jobType":"PIPELINE","jobName":"Ölpreis/Report \"Q3\"","periodName":"{Okt-26}","fileName":"#epminbox/Planungslauf.csv","variables":{"WERK_SCHALTER":"Sommerloch","WERK_LAUF":"Daily Load","IMPORTMODE":"Replace"},"amount":4711.25}"##;
    let gate = Gate::against(&sandbox).recorded();
    let file = gate.file("given-payload.json", payload);
    let url = format!("{}/acme-gateway", sandbox.url());
    let ran = gate.set("EPM_PAYLOAD_FILE", file).set("EPM_URL", url).run(["run"]);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    holds_none_of(&ran.record, &CUSTOMERS);
    holds_none_of(&ran.record, &["127.0.0.1"]);
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true, filters => [
        (r#""(at|took)":\d+"#, r#""$1":[ms]"#),
        (r#""date":"[^"]+""#, r#""date":"[date]""#),
        (r#""amwTime":"\d\d:00""#, r#""amwTime":"[hour]""#),
        (r#""content-length":"\d+""#, r#""content-length":"[length]""#),
        (r#""program":"epm-gate [^"]+""#, r#""program":"epm-gate [version]""#),
    ] }, { insta::assert_snapshot!("record", ran.record) });
    let pod = replaying(&ran.record);
    let again = Gate::against(&pod);
    let file = again.file("given-payload.json", payload);
    let again = again.set("EPM_PAYLOAD_FILE", file).run(["run"]);
    assert_eq!((again.end(), again.output("status")), (ran.end(), "1"), "{again:?}");
    assert_eq!(again.output("logFileName"), "outbox/logs/FILE_2.log", "{again:?}");
    again.says(&["│ ", "[BLANK]"]);
}

/// Everything is called by words that are Oracle's too, and first where nothing tells that it is a name.
const PLAINLY: &str = r#"
about = "It names everything in plain words."

[look]
replies = [{ body = '{"items": [{"ruleName": "MAP_LOAD", "count": 48213377}], "count": 48213377}' }]

[[job]]
id = 77
exists = true
name = "Load"
polls = [{ status = 1, details = "Integration Daily Load for application General Core failed on 3303 rows of period Final", fields = {
  ruleName = "Daily_Load", loadRule = "DATA_LOAD", DailyLoad = "Load", entity = "Global", size = 48213377,
  parameters = [{ value = "Final" }], jobName = "Daily Load" } }]
"#;

const PLAIN: [&str; 12] = [
    "MAP_LOAD",
    "Daily_Load",
    "DATA_LOAD",
    "DailyLoad",
    "Daily Load",
    "General",
    "Core",
    "Final",
    "Global",
    "48213377",
    "3303",
    "\"Load\"",
];

#[test]
fn names_of_plain_words_are_not_taken_for_oracles() {
    let variables = ["--variable", "VERSION=Final", "--variable", "ENTITY=General", "--set", "note=Final"];
    let run = [&["run", "--job-type", "PIPELINE", "--job-name", "Load"], &variables[..]].concat();
    let commands: [&[&str]; 4] = [&["check"], &["status", "77"], &["attach", "77", "--job-name", "Load"], &run];
    for command in commands {
        let sandbox = playing(PLAINLY);
        let ran = Gate::against(&sandbox).recorded().run(command);
        holds_none_of(&ran.record, &PLAIN);
        assert!(ran.record.contains("/aif/rest/"), "{command:?}: {ran:?}");
        let again = Gate::against(&replaying(&ran.record)).run(command);
        assert_eq!(again.end(), ran.end(), "{command:?}: {again:?}\nof\n{ran:?}");
    }
}

#[test]
fn attach_and_status_are_recorded_and_play_again() {
    let sandbox = playing("[[job]]\nid = 4711\nexists = true\npolls = [{}, { status = 0 }]\n");
    let asked = Gate::against(&sandbox).recorded().run(["status", "4711"]);
    assert_eq!(asked.end(), (25, "in-progress"), "{asked:?}");
    let waited = Gate::against(&sandbox).recorded().run(["attach", "4711"]);
    assert_eq!(waited.end(), (0, "succeeded"), "{waited:?}");
    for (command, ran) in [("status", asked), ("attach", waited)] {
        assert_eq!(lines(&ran.record)[0]["command"], command);
        holds_none_of(&ran.record, &["127.0.0.1", "close.bot"]);
        let pod = replaying(&ran.record);
        let again = Gate::against(&pod).run([command, "4711"]);
        assert_eq!(again.end(), ran.end(), "{again:?}");
    }
}

#[test]
fn a_check_is_recorded_and_plays_again() {
    for scenario in ["succeeds", "maintenance-soon", "unauthorized", "login-page", "forbidden"] {
        let sandbox = shipped(scenario);
        let ran = Gate::against(&sandbox).recorded().run(["check"]);
        assert_eq!(lines(&ran.record)[0]["command"], "check");
        holds_none_of(&ran.record, &["127.0.0.1", "close.bot", "example.com", "acme"]);
        let pod = replaying(&ran.record);
        let again = Gate::against(&pod).run(["check"]);
        assert_eq!(again.end(), ran.end(), "{scenario}: {again:?}\nof\n{ran:?}");
        let step = |line: &str| line.split(" (").next().unwrap_or_default().to_owned();
        let marks = |ran: &Ran| ran.stderr.lines().filter(|line| line.contains(": ")).map(step).collect::<Vec<_>>();
        assert_eq!(marks(&again), marks(&ran), "{scenario}");
    }
}

#[test]
fn a_record_that_is_kept_as_a_fixture_plays() {
    let record = include_str!("../fixtures/recorded-rejected-rows.jsonl");
    let sandbox = replaying(record);
    let ran = Gate::against(&sandbox).on_github().run(["run", "--job-name", "ANY"]);
    assert_eq!((ran.end(), ran.output("jobId")), ((10, "failed"), "2100"), "{ran:?}");
    assert_eq!((sandbox.posts(), sandbox.taken()), (1, 1));
    ran.says(&["│ ", "[BLANK]"]);
    // It was recorded of a run that is played here as well: the format must not drift from what stands in the fixture.
    let sandbox = shipped("fails-with-rejected-rows");
    let fresh = Gate::against(&sandbox).recorded().run(["run", "--job-name", "GLDATA"]);
    let shape = |record: &str| {
        let mut lines = lines(record);
        for line in &mut lines {
            for varying in ["at", "took", "headers", "program"] {
                line.as_object_mut().expect("an object").remove(varying);
            }
            // The sandbox's maintenance is always far away, so that its hour depends on the time of day.
            if let Some(hour) = line.pointer_mut("/body/json/items/0/amwTime") {
                *hour = Value::Null;
            }
        }
        lines
    };
    assert_eq!(shape(&fresh.record), shape(record));
}

#[test]
fn a_connection_that_was_never_made_is_recorded_without_its_host() {
    let gate =
        Gate::nowhere().set("EPM_URL", "http://127.0.0.1:1").set("EPM_USERNAME", "bob").set("EPM_PASSWORD", "pw");
    let ran = gate.recorded().run(["run", "--job-name", "GLDATA", "--outage-budget", "0s"]);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    assert_eq!(lines(&ran.record)[1]["fault"], "no-connection");
    let pod = replaying(&ran.record);
    let again = Gate::against(&pod).run(["run", "--job-name", "GLDATA", "--outage-budget", "0s"]);
    assert_eq!(again.end(), ran.end(), "{again:?}");
}

#[test]
fn what_cannot_hold_a_record_is_refused_before_anything_is_sent() {
    let sandbox = shipped("succeeds");
    for (place, says) in [
        ("no/such/folder/record.jsonl", "cannot open the record"),
        ("ledger.json", "is the file of `ledger` already"),
        ("ledger.json.part", "is the file of `ledger` already"),
        ("ledger.json.lock", "is the file of `ledger` already"),
        ("ledger.json.writing", "is the file of `ledger` already"),
        ("given-password", "is the file of `password-file` already"),
        ("summary.md", "is the file of `the summary` already"),
        ("report.html", "is the file of `html` already"),
        ("-", "it is written to a file alone"),
    ] {
        let gate = Gate::against(&sandbox);
        let password = gate.file("given-password", sandbox.password());
        let (ledger, html) = (gate.path("ledger.json"), gate.path("report.html"));
        let gate = gate
            .unset("EPM_PASSWORD")
            .set("EPM_PASSWORD_FILE", &password)
            .set("EPM_LEDGER", ledger)
            .set("EPM_HTML", html);
        let ran = gate.set("EPM_RECORD", place).run(["run", "--job-name", "GLDATA", "--ledger-key", "k"]);
        assert_eq!(ran.end(), (2, "usage"), "{place}: {ran:?}");
        ran.says(&["error: ", says]);
    }
    for place in ["given-token", "given-token.room", "given-token.next", "given-token.lock"] {
        let gate = Gate::exchanging(&sandbox);
        let ran = gate.set("EPM_RECORD", place).run(["run", "--job-name", "GLDATA"]);
        assert_eq!(ran.end(), (2, "usage"), "{place}: {ran:?}");
        ran.says(&["error: ", "is the file of `refresh-token-file` already"]);
    }
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_dry_run_leaves_an_earlier_record_alone() {
    let gate = Gate::nowhere().set("EPM_URL", "https://epm.example.com").recorded();
    gate.file("record.jsonl", "an earlier run\n");
    let ran = gate.run(["run", "--job-name", "GLDATA", "--dry-run"]);
    assert_eq!((ran.code, ran.record.as_str()), (0, "an earlier run\n"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_record_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = shipped("quick-success");
    let mut gate = Gate::against(&sandbox).recorded();
    let _ = gate.run_again(["run", "--job-name", "GLDATA"]);
    let mode = std::fs::metadata(gate.path("record.jsonl")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(target_os = "linux")]
#[test]
fn a_record_that_cannot_be_written_is_told_once_and_changes_nothing() {
    let sandbox = shipped("quick-success");
    let ran = Gate::against(&sandbox).set("EPM_RECORD", "/dev/full").run(["run", "--job-name", "GLDATA"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.says(&["warning: ", "cannot write the record `/dev/full`"]);
    assert_eq!(ran.stderr.matches("cannot write the record").count(), 1, "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_pipe_that_somebody_reads_gets_every_line() {
    let sandbox = shipped("quick-success");
    let dir = tempfile::tempdir().expect("a temporary folder");
    let pipe = dir.path().join("record");
    crate::harness::make_pipe(&pipe);
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::read_to_string(pipe).expect("text")
    });
    let ran = Gate::against(&sandbox).set("EPM_RECORD", pipe).run(["run", "--job-name", "GLDATA"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let record = reader.join().expect("it reads");
    assert_eq!(lines(&record).len(), 1 + sandbox.requests().len(), "{record}");
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_reads_is_refused_in_time() {
    let sandbox = shipped("succeeds");
    // The harness looks into every file of a run, and a pipe has no end.
    let dir = tempfile::tempdir().expect("a temporary folder");
    let pipe = dir.path().join("record");
    crate::harness::make_pipe(&pipe);
    let ran = Gate::against(&sandbox).set("EPM_RECORD", pipe).run(["run", "--job-name", "GLDATA"]);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["error: ", "cannot open the record", "a pipe that nobody reads"]);
    assert!(sandbox.requests().is_empty());
}
