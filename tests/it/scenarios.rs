//! `run` against every scenario that the sandbox ships: how it ends, and how often it submitted.

use std::sync::Mutex;

use epm_sandbox::{CLIENT_ID, Sandbox, Scenario};

use crate::harness::{Gate, Ran, plain, shipped};
use crate::recording;

/// What a scenario comes to.
struct Row {
    scenario: &'static str,
    /// Budgets that make it short.
    flags: &'static [&'static str],
    code: i32,
    outcome: &'static str,
    status: &'static str,
    /// Submits that arrived, and those that made a job.
    posts: (usize, usize),
    /// What the log says, in one line of it.
    says: &'static [&'static str],
    /// How many refresh tokens are exchanged; none where it logs in with user and password.
    exchanges: Option<usize>,
}

type Ended = (i32, &'static str, &'static str);

const fn row(scenario: &'static str, (code, outcome, status): Ended) -> Row {
    Row { scenario, flags: &[], code, outcome, status, posts: (1, 1), says: &[], exchanges: None }
}

impl Row {
    const fn with(mut self, flags: &'static [&'static str]) -> Self {
        self.flags = flags;
        self
    }

    const fn posts(mut self, arrived: usize, taken: usize) -> Self {
        self.posts = (arrived, taken);
        self
    }

    /// With a refresh token in a file.
    const fn exchanges(mut self, exchanges: usize) -> Self {
        self.exchanges = Some(exchanges);
        self
    }

    const fn says(mut self, parts: &'static [&'static str]) -> Self {
        self.says = parts;
        self
    }
}

const SUCCEEDED: Ended = (0, "succeeded", "0");
const FAILED: Ended = (10, "failed", "1");
const ACCESS_LOST: Ended = (22, "access-lost", "-1");
const CONTACT_LOST: Ended = (21, "contact-lost", "-1");
const UNDETERMINED: Ended = (23, "undetermined", "-1");
const UNCERTAIN: Ended = (24, "submit-uncertain", "");
const DENIED: Ended = (30, "access-denied", "");
const REJECTED: Ended = (32, "rejected", "");

const SHORT_OUTAGE: &[&str] = &["--request-timeout", "500ms", "--outage-budget", "300ms"];
const PIPELINE: &[&str] = &["--job-type", "PIPELINE"];
const BOTH_FILES: &[&str] = &["--download-dir", "files", "--collect", "log,output"];
/// Another attempt hangs on what the log says, so there is as much time to read it as for all else.
const LOG_DECIDES: &[&str] = &["--retries", "1"];
const SHORT_GRACE: &[&str] = &["--unknown-grace", "300ms"];

const TABLE: [Row; 107] = [
    row("access-lost", ACCESS_LOST).says(&["HTTP 401"]),
    row("backslash-log", FAILED).says(&["│ ", "3303 Member 4711-X"]),
    row("bad-gateway-poll", SUCCEEDED).says(&["HTTP 504"]),
    row("broken-json-poll", SUCCEEDED).says(&["not JSON"]),
    row("broken-json-submit", UNCERTAIN).says(&["error: ", "not JSON"]),
    row("cancelled", (11, "cancelled", "3")).says(&["cancel pending"]),
    row("contradicting-failure", FAILED).says(&["SUCCESS", "the number decides"]),
    row("contradicting-texts", SUCCEEDED).says(&["SUCCESS", "the number decides"]),
    row("denied-without-id-at-first", SUCCEEDED).says(&["which job it is about", "Job not found"]),
    row("empty-json-poll", UNDETERMINED).with(SHORT_GRACE),
    row("empty-json-submit", UNCERTAIN),
    row("endless-log", FAILED).with(&["--timeout", "3s"]).says(&["warning: ", "log", "could not be read"]),
    row("endless-poll", CONTACT_LOST).with(&["--request-timeout", "2s", "--outage-budget", "300ms"]),
    row("endless-submit", UNCERTAIN).says(&["error: ", "larger than"]),
    row("fails-connectivity", FAILED).says(&["│ ", "java.net.ConnectException"]),
    row("fails-file-missing", FAILED).says(&["error: ", "java.io.FileNotFoundException"]),
    row("fails-for-no-known-reason", FAILED).says(&["│ ", "Process ended"]),
    row("fails-invalid-name", FAILED).says(&["error: ", "EPMFDM-140149"]),
    row("fails-locked", FAILED).says(&["error: ", "The POV is locked"]),
    row("fails-mapping", FAILED).says(&["│ ", "unmapped dimensions"]),
    row("fails-no-data", FAILED).says(&["│ ", "No Records Imported"]),
    row("fails-period", FAILED).says(&["error: ", "EPMFDM-140002"]),
    row("fails-permission", FAILED).says(&["error: ", "EPMFDM-140001"]),
    row("fails-service", FAILED).says(&["│ ", "503 Service Unavailable"]),
    row("fails-then-succeeds", FAILED).says(&["│ ", "connect timed out"]),
    row("fails-with-details", FAILED).says(&["error: ", "EPMFDM-140000: The rule could not be processed"]),
    row("fails-with-rejected-rows", FAILED).says(&["│ ", "[BLANK] 2,FY26,Actual"]),
    row("forbidden", DENIED).posts(1, 0).says(&["error: ", "HTTP 403"]),
    row("forbidden-log", FAILED).says(&["warning: ", "log", "could not be read"]),
    row("forbidden-while-waiting", ACCESS_LOST).says(&["error: ", "HTTP 403"]),
    row("half-body-poll", SUCCEEDED),
    row("half-body-submit", UNCERTAIN),
    row("half-head-poll", SUCCEEDED),
    row("half-head-submit", UNCERTAIN),
    row("hang-log", FAILED).with(SHORT_OUTAGE).says(&["warning: ", "log", "could not be read"]),
    row("hang-poll", CONTACT_LOST).with(SHORT_OUTAGE),
    row("hang-submit", UNCERTAIN).with(&["--submit-timeout", "500ms"]),
    row("hostile-text", FAILED).says(&["│ ", "3303 Member ::error::x"]),
    row("html-for-a-while", SUCCEEDED).says(&["not JSON"]),
    row("html-submit", UNCERTAIN).says(&["error: ", "not JSON"]),
    row("huge-log", FAILED).with(LOG_DECIDES).says(&["│ ", "it was this"]),
    row("huge-poll", CONTACT_LOST).with(&["--outage-budget", "300ms"]).says(&["error: ", "larger than"]),
    row("huge-submit", UNCERTAIN).says(&["error: ", "larger than"]),
    row("id-in-links-poll", UNDETERMINED).with(SHORT_GRACE),
    row("id-zero-poll", UNDETERMINED).with(SHORT_GRACE),
    row("identity-unavailable-for-a-while", SUCCEEDED).exchanges(1).says(&["HTTP 503"]),
    row("invalid-parameter", (12, "invalid-parameter", "4")).says(&["error: ", "Invalid import mode: REPLACE"]),
    row("login-page", DENIED).posts(0, 0).says(&["error: ", "login page"]),
    row("login-page-for-a-while", SUCCEEDED).says(&["login page"]),
    row("login-page-while-waiting", UNDETERMINED).with(SHORT_GRACE).says(&["error: ", "login page"]),
    row("maintenance-soon", SUCCEEDED),
    row("missing-log", FAILED).says(&["warning: ", "log", "could not be read"]),
    row("never-ends", (20, "timed-out", "-1")).with(&["--timeout", "2s"]).says(&["error: ", "in progress"]),
    row("no-job-id-answers", UNDETERMINED).with(SHORT_GRACE),
    row("not-known-at-first", SUCCEEDED),
    row("other-job-answers", UNDETERMINED).with(SHORT_GRACE).says(&["error: ", "9999"]),
    row("output-withheld", (40, "unwritable", "0")).with(BOTH_FILES).says(&[
        "error: ",
        "output",
        "EPM does not give it out",
    ]),
    row("pipeline-details-of-another-run", SUCCEEDED).with(PIPELINE).says(&["warning: ", "stages", "job 9999"]),
    row("pipeline-fails-in-a-stage", FAILED)
        .with(PIPELINE)
        .says(&["`GL_LOAD` of stage `Load` ended with `FAILED`", "outbox/logs/GL_LOAD_210002.log"]),
    row("pipeline-goes-on-past-a-failed-stage", (13, "condition-unmet", "0"))
        .with(&["--job-type", "PIPELINE", "--fail-on-stage-failure"])
        .says(&["error: ", "`GL_LOAD` of stage `Load` did not pass (`FAILED`)"]),
    row("pipeline-succeeds", SUCCEEDED).with(&["--job-type", "PIPELINE", "--fail-on-stage-failure"]),
    row("proxy-denied", DENIED).posts(1, 0).says(&["error: ", "HTTP 407"]),
    row("quick-success", SUCCEEDED),
    row("redirected", DENIED).posts(1, 0).says(&["error: ", "HTTP 302", "login.example.invalid"]),
    row("redirected-while-waiting", ACCESS_LOST).says(&["error: ", "HTTP 301", "login.example.invalid"]),
    row("rejected-rows-and-success", (13, "condition-unmet", "0")).with(&["--max-rejected", "0"]).says(&[
        "error: ",
        "3 rejected rows",
        "`--max-rejected` of 0",
    ]),
    row("rejected-submit", REJECTED).posts(1, 0).says(&["error: ", "EPMFDM-140149"]),
    row("rejected-submit-400", REJECTED).posts(1, 0).says(&["error: ", "EPMFDM-140149"]),
    row("reset-after-submit", UNCERTAIN),
    row("reset-before-submit", UNCERTAIN).posts(1, 0),
    row("reset-unread-poll", SUCCEEDED),
    row("reset-unread-submit", UNCERTAIN).posts(0, 0),
    row("reset-while-polling", SUCCEEDED),
    row("saves-files", SUCCEEDED).with(BOTH_FILES).says(&["saved the output as `files/GLDATA_2100.csv` (77 bytes"]),
    row("stall-poll", CONTACT_LOST).with(SHORT_OUTAGE),
    row("stall-submit", UNCERTAIN).with(&["--submit-timeout", "500ms"]),
    row("status-missing", UNDETERMINED).with(SHORT_GRACE),
    row("statuses-without-id", SUCCEEDED),
    row("string-typed", SUCCEEDED),
    row("submit-id-in-links-only", SUCCEEDED),
    row("submit-id-zero", UNCERTAIN),
    row("submit-server-error", UNCERTAIN).says(&["error: ", "HTTP 500"]),
    row("submit-timed-out", UNCERTAIN).says(&["error: ", "HTTP 408"]),
    row("submit-unavailable", UNCERTAIN).says(&["error: ", "HTTP 503"]),
    row("submit-without-id", UNCERTAIN),
    row("succeeds", SUCCEEDED).says(&["ok: "]),
    row("throttled", SUCCEEDED).posts(2, 1).says(&["HTTP 429"]),
    row("throttled-for-long", (31, "unreachable", "")).posts(1, 0).says(&["error: ", "HTTP 429"]),
    row("throttled-to-a-date", SUCCEEDED).posts(2, 1).says(&["HTTP 429"]),
    row("token-audience", DENIED).exchanges(1).posts(0, 0).says(&["error: ", "Token Audience"]),
    row("token-consumed", DENIED).exchanges(0).posts(0, 0).says(&["error: ", "already been consumed"]),
    row("token-expired", DENIED).exchanges(0).posts(0, 0).says(&["error: ", "expired"]),
    row("token-expires-in-mid-wait", SUCCEEDED).exchanges(2),
    row("trickle-log", FAILED).with(SHORT_OUTAGE).says(&["warning: ", "log", "could not be read"]),
    row("trickle-poll", CONTACT_LOST).with(SHORT_OUTAGE),
    row("trickle-submit", UNCERTAIN).with(&["--submit-timeout", "500ms"]),
    row("unauthorized", DENIED).posts(0, 0).says(&["error: ", "HTTP 401"]),
    row("unavailable-for-a-while", SUCCEEDED).says(&["HTTP 503"]),
    row("unavailable-for-ever", (31, "unreachable", "")).with(SHORT_OUTAGE).posts(0, 0).says(&["error: ", "HTTP 503"]),
    row("unknown-for-a-while", SUCCEEDED),
    row("unknown-for-ever", (23, "undetermined", "2147483647")).with(SHORT_GRACE),
    row("upload-cut-off", FAILED).says(&["FileNotFoundException"]),
    row("upload-exists", FAILED).says(&["FileNotFoundException"]),
    row("upload-in-progress", FAILED).says(&["FileNotFoundException"]),
    row("upload-refused", FAILED).says(&["FileNotFoundException"]),
    row("warns", (0, "warned", "0")).says(&["ok: ", "warning"]),
    row("zero-rows", (13, "condition-unmet", "0")).with(&["--min-rows", "1"]).says(&[
        "error: ",
        "0 rows",
        "`--min-rows` of 1",
    ]),
];

/// How many rows play at the same time: most of them wait most of the time.
const AT_ONCE: usize = 6;

#[test]
fn every_shipped_scenario_has_its_row() {
    let rows: Vec<_> = TABLE.iter().map(|row| row.scenario).collect();
    assert_eq!(rows, Scenario::shipped_names());
}

#[test]
fn every_scenario_ends_as_the_contract_says() {
    let rows = Mutex::new(TABLE.iter());
    let wrong = Mutex::new(Vec::new());
    let next = || rows.lock().expect("nothing panics with the lock").next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(row) = next() {
                    if std::panic::catch_unwind(|| play(row)).is_err() {
                        wrong.lock().expect("nothing panics with the lock").push(row.scenario);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("nothing panics with the lock");
    assert!(wrong.is_empty(), "what is wrong with these stands above: {wrong:?}");
}

fn play(row: &Row) {
    let sandbox = shipped(row.scenario);
    let gate = Gate::against(&sandbox).on_github().recorded();
    let gate = if row.exchanges.is_some() { with_refresh_token(gate, &sandbox) } else { gate };
    let ran = gate.run(arguments_of(row));
    let name = row.scenario;
    assert_eq!(sandbox.exchanges(), row.exchanges.unwrap_or(0), "{name}: {ran:?}");
    assert_eq!((ran.code, ran.output("outcome")), (row.code, row.outcome), "{name}: {ran:?}");
    assert_eq!(ran.output("status"), row.status, "{name}: {ran:?}");
    assert_eq!((sandbox.posts(), sandbox.taken()), row.posts, "{name}: {ran:?}");
    if !row.says.is_empty() {
        ran.says(row.says);
    }
    names_the_job(row, &ran);
    tells_what_to_do(row, &ran);
    writes_alike_everywhere(name, &ran);
    shows_the_password_no_second_time(name, &sandbox);
    recording::plays_again(name, arguments_of(row), &ran);
    let mut settings = plain();
    settings.set_snapshot_path("snapshots/scenarios");
    settings.bind(|| insta::assert_snapshot!(name, whole(&ran)));
}

fn arguments_of(row: &Row) -> impl Iterator<Item = &'static &'static str> {
    ["run", "--job-name", "GLDATA"].iter().chain(row.flags)
}

/// With a refresh token in place of user and password.
fn with_refresh_token(gate: Gate, sandbox: &Sandbox) -> Gate {
    let file = gate.file("given-refresh-token", sandbox.refresh_token());
    gate.unset("EPM_USERNAME")
        .unset("EPM_PASSWORD")
        .set("EPM_TOKEN_URL", sandbox.token_url())
        .set("EPM_CLIENT_ID", CLIENT_ID)
        .set("EPM_REFRESH_TOKEN_FILE", file)
}

/// Everything that a run says: each step output, the log, the summary.
fn whole(ran: &Ran) -> String {
    let outputs: Vec<String> = ran.github.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    format!("{}\n--- log\n{}\n--- summary\n{}", outputs.concat(), ran.stderr, ran.github_summary.trim())
}

/// The id is told wherever it is known, and `submitted` says no more than is known.
fn names_the_job(row: &Row, ran: &Ran) {
    let (id, submitted) = match row.code {
        24 => ("", "maybe"),
        30..=32 => ("", "no"),
        _ => ("2100", "yes"),
    };
    assert_eq!((ran.output("jobId"), ran.output("submitted")), (id, submitted), "{}: {ran:?}", row.scenario);
}

/// Every 2x prints the exact attach command; a failure prints a hint; a pass neither.
fn tells_what_to_do(row: &Row, ran: &Ran) {
    let attach = ran.stderr.lines().any(|line| line.starts_with("hint: ") && line.contains("epm-gate attach "));
    assert_eq!(attach, (20..30).contains(&row.code), "{}: {ran:?}", row.scenario);
    if attach && row.code != 24 {
        ran.says(&["hint: ", "epm-gate attach 2100 --url http://127.0.0.1:", "--username close.bot@example.com"]);
    }
    let hints = ran.stderr.lines().filter(|line| line.starts_with("hint: ")).count();
    let errors = ran.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    let annotations = ran.stderr.lines().filter(|line| line.starts_with("::error title=epm-gate")).count();
    let failed = usize::from(row.code != 0);
    assert_eq!((hints, errors, annotations), (failed, failed, failed), "{}: {ran:?}", row.scenario);
    assert_eq!(ran.stdout, "", "{}", row.scenario);
}

/// The runner's file, the folder, and both summaries say the same.
fn writes_alike_everywhere(name: &str, ran: &Ran) {
    assert_eq!(ran.github.keys().collect::<Vec<_>>(), ran.files.keys().collect::<Vec<_>>(), "{name}");
    for output in ["jobId", "status", "outcome", "exitCode", "submitted", "jobName", "jobStatus", "executedBy"] {
        assert_eq!(ran.github[output], ran.files[output], "{name}: {output}");
    }
    assert_eq!(ran.summary, ran.github_summary, "{name}");
    assert!(ran.summary.contains("**What to do next:**"), "{name}: {}", ran.summary);
}

/// Basic credentials that were refused are shown once more only where they had worked before.
fn shows_the_password_no_second_time(name: &str, sandbox: &Sandbox) {
    let answers: Vec<_> = sandbox.requests().iter().filter_map(|request| request.http).collect();
    let refused = answers.iter().filter(|http| **http == 401).count();
    let most = if name == "access-lost" { 2 } else { 1 };
    assert!(refused <= most, "{name}: {answers:?}");
    assert!(answers.first() != Some(&401) || answers.len() == 1, "{name}: {answers:?}");
}
