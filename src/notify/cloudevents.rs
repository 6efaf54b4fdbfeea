//! The end of a run as a CloudEvent 1.0 in structured JSON (docs/events.md): its data is the report.

use serde_json::{Value, json};
use url::Url;

use crate::digest::hexadecimal;
use crate::epm::url::EpmUrl;
use crate::outcome::Outcome;
use crate::report::{Report, json};

/// The schema of the data.
const SCHEMA: &str = "https://github.com/acme/epm-gate/blob/main/docs/report.schema.json";

/// An event. `id` is its own: no other event of its source has the same.
pub(super) fn render(report: &Report, id: &str) -> Value {
    let outcome = report.end().map_or(Outcome::Panic, |end| end.outcome);
    let host = report.url.as_ref().map_or_else(|| "unknown".to_owned(), EpmUrl::host);
    let source = report.context.run.as_ref().map_or_else(|| format!("//{host}/epm-gate"), Url::to_string);
    let mut event = json!({
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": format!("com.github.acme.epm-gate.job.{}.v1", class(outcome)),
        "datacontenttype": "application/json",
        "dataschema": SCHEMA,
        "data": json::document(report),
    });
    // An attribute that is there is not empty.
    if let Some(id) = report.deciding_job().and_then(|job| job.id) {
        event["subject"] = id.to_string().into();
    }
    if let Some(ended) = report.ended {
        event["time"] = json::time(ended).into();
    }
    event
}

/// What happened, as far as a subscription tells one event from another. The words are a promise.
fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Submitted => "submitted",
        Outcome::Succeeded | Outcome::Warned => "passed",
        Outcome::Failed | Outcome::Cancelled | Outcome::InvalidParameter | Outcome::ConditionUnmet => "failed",
        Outcome::TimedOut
        | Outcome::ContactLost
        | Outcome::AccessLost
        | Outcome::Undetermined
        | Outcome::SubmitUncertain
        | Outcome::InProgress => "unsettled",
        Outcome::Usage | Outcome::AccessDenied | Outcome::Unreachable | Outcome::Rejected => "refused",
        Outcome::Unwritable => "unwritten",
        Outcome::Interrupted(_) | Outcome::Panic => "stopped",
    }
}

/// 128 random bits; where the system has none, the moment and the process.
pub(super) fn identifier() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => hexadecimal(&bytes),
        Err(_) => format!("{}-{}", jiff::Timestamp::now().as_nanosecond(), std::process::id()),
    }
}
