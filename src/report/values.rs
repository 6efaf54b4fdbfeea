//! The step outputs of spec §7 as one table, typed; every writer takes them from here.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::foreign::{Foreign, cut, is_shown};
use crate::job::State;
use crate::outcome::Outcome;

use super::steps::Step;
use super::{Earlier, Fetched, JobReport, Report, Submitted};

/// The most that `details` holds, in bytes.
const LONGEST_DETAILS: usize = 4096;

/// The most of it in the list `jobs`: the outputs of a GitHub job hold 1 MB together (ci-contracts.md §1.1).
const LONGEST_IN_LIST: usize = 200;

/// Every step output in its order, absent ones as `null`. `outcome` and `exitCode` are those of the whole run, all that
/// speaks of a job is of the one that decided.
pub fn outputs(report: &Report) -> Map<String, Value> {
    let outcome = report.end().map(|end| end.outcome);
    let none = JobReport::new(None, None);
    let job = report.deciding_job().unwrap_or(&none);
    let mut values = job_values(job, outcome, LONGEST_DETAILS);
    values.insert("submitted".to_owned(), report.submitted.word().into());
    values.insert("reused".to_owned(), (report.earlier == Some(Earlier::Reused)).into());
    let has_attempt = report.submitted != Submitted::No || report.earlier.is_some();
    let attempts = report.jobs.first().map(|job| job.attempt).filter(|_| has_attempt).unwrap_or_default();
    values.insert("attempts".to_owned(), attempts.into());
    let diagnosis = job.diagnosis.as_ref();
    values.insert("category".to_owned(), json!(diagnosis.map(|diagnosis| diagnosis.category.word())));
    values.insert("transient".to_owned(), json!(diagnosis.map(|diagnosis| diagnosis.transient)));
    values.insert("reportPath".to_owned(), json!(report.path.as_ref().map(|path| path.display().to_string())));
    let jobs = report
        .jobs
        .iter()
        .map(|job| Value::Object(job_values(job, job.end.as_ref().map(|end| end.outcome), LONGEST_IN_LIST)));
    values.insert("jobs".to_owned(), jobs.collect());
    values
}

/// What `--print json` says: every step output, or the steps of a check.
pub fn printed(report: &Report) -> Map<String, Value> {
    if report.steps.is_empty() {
        return outputs(report);
    }
    let outcome = report.end().map(|end| end.outcome);
    let pairs = [
        ("outcome", json!(outcome.map(Outcome::word))),
        ("exitCode", json!(outcome.map(Outcome::code))),
        ("why", json!(report.end().map(|end| &end.why))),
        ("steps", report.steps.iter().map(step).collect()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

fn step(step: &Step) -> Value {
    json!({
        "name": step.name.word(),
        "state": step.state.word(),
        "milliseconds": u64::try_from(step.took.as_millis()).unwrap_or(u64::MAX),
        "what": step.what,
        "remedy": step.remedy,
    })
}

/// The outputs that speak of one job, with so much of its `details`, in bytes.
fn job_values(job: &JobReport, outcome: Option<Outcome>, details: usize) -> Map<String, Value> {
    let facts = &job.facts;
    let line = |text: &Option<Foreign>| text.as_ref().map(|text| text.as_str().trim().replace('\n', " "));
    let path = |file: &Option<Fetched>| file.as_ref().map(|file| file.path.to_string_lossy().into_owned());
    let duration = job.start.map(|_| job.elapsed(Instant::now()).as_secs());
    let pairs = [
        ("jobId", json!(job.id.map(crate::job::JobId::number))),
        ("status", json!(job.state.map(State::number))),
        ("logFileName", json!(line(&facts.log_file_name))),
        ("outcome", json!(outcome.map(Outcome::word))),
        ("exitCode", json!(outcome.map(Outcome::code))),
        ("jobName", json!(line(&facts.job_name).or_else(|| job.name.clone()))),
        ("jobStatus", json!(line(&facts.job_status))),
        ("descriptiveStatus", json!(line(&facts.descriptive_status))),
        ("detailedStatus", json!(line(&facts.detailed_status))),
        ("details", json!(facts.details.as_ref().map(|text| cut(text.as_str(), details).into_owned()))),
        ("outputFileName", json!(line(&facts.output_file_name))),
        ("processType", json!(line(&facts.process_type))),
        ("executedBy", json!(line(&facts.executed_by))),
        ("durationSeconds", json!(duration)),
        ("logPath", json!(path(&job.log))),
        ("outputPath", json!(path(&job.output))),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

/// A value as the text of a step output: absent is the empty string.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => json_line(other),
    }
}

/// JSON on one line that starts no command in the log of a runner.
pub fn json_line(value: &Value) -> String {
    harmless(&value.to_string())
}

/// The same JSON without two `#` side by side and without `$(`, which may stand in its texts alone, and on one line.
pub fn harmless(json: &str) -> String {
    harmless_lines(&json.replace(['\n', '\r'], " "))
}

/// The same JSON on its lines, and without a character that a terminal obeys or does not show: what is none of the
/// syntax can stand in a text alone, where its number stands for it.
pub fn harmless_lines(json: &str) -> String {
    let json = json.replace("##", "#\\u0023").replace("$(", "$\\u0028");
    if json.chars().all(is_shown) {
        return json;
    }
    let mut shown = String::with_capacity(json.len());
    for char in json.chars() {
        if is_shown(char) {
            shown.push(char);
        } else {
            let mut units = [0; 2];
            shown.extend(char.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    shown
}

/// A duration in seconds, to the millisecond.
pub fn seconds(duration: Duration) -> Value {
    ((duration.as_secs_f64() * 1000.0).round() / 1000.0).into()
}
