//! The predicate of an in-toto attestation of type `https://in-toto.io/attestation/test-result/v0.1` (in-toto/attestation,
//! spec/predicates/test-result.md): what was tested, with what, and how that ended. Whoever signs it, such as GitHub's
//! `actions/attest`, adds the statement around it and its subject.

use serde_json::{Map, Value, json};

use crate::outcome::Outcome;

use super::Report;
use super::values::harmless_lines;
use super::wording::Names;

/// Renders the predicate. Of a run that has not ended, or whose end cannot be told, nothing is attested but a failure.
pub fn render(report: &Report) -> String {
    let mut predicate = Map::new();
    predicate.insert("result".to_owned(), result(report.end().map(|end| end.outcome)).into());
    predicate.insert("configuration".to_owned(), configuration(report).into());
    if let Some(run) = &report.context.run {
        predicate.insert("url".to_owned(), run.as_str().into());
    }
    for (list, word) in [("passedTests", "PASSED"), ("warnedTests", "WARNED"), ("failedTests", "FAILED")] {
        predicate.insert(list.to_owned(), tests(report, word).into());
    }
    harmless_lines(&serde_json::to_string_pretty(&predicate).unwrap_or_default()) + "\n"
}

/// A job that is only submitted has passed nothing.
fn result(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Succeeded) => "PASSED",
        Some(Outcome::Warned) => "WARNED",
        _ => "FAILED",
    }
}

/// The names of the jobs that ended so.
fn tests(report: &Report, word: &str) -> Vec<String> {
    let mut names = Names::default();
    let ends = report.jobs.iter().map(|job| (names.of(job), result(job.end.as_ref().map(|end| end.outcome))));
    ends.filter(|(_, result)| *result == word).map(|(name, _)| name).collect()
}

/// What went into it, each as a resource descriptor: the service, the payload, and the files. What came out of it, report and
/// log, is what the statement is about.
fn configuration(report: &Report) -> Vec<Value> {
    let service = report.url.iter().map(|url| json!({"name": "epm", "uri": url.base().as_str()}));
    let payload = report.payload.iter().map(|payload| descriptor("payload", &payload.sha256()));
    let uploads = report.uploads.iter().map(|file| descriptor(&file.remote, &file.sha256));
    service.chain(payload).chain(uploads).collect()
}

fn descriptor(name: &str, sha256: &str) -> Value {
    json!({"name": name, "digest": {"sha256": sha256}})
}
