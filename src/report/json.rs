//! The report as JSON, version 1: docs/report.schema.json says what each key means. Every key is there in every report, in
//! one order; what is not known is `null`, and what there is none of is an empty list.

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use crate::diagnose::Findings;
use crate::diagnose::excerpt::Excerpt;
use crate::diagnose::rejected::{Kind, Rejected};
use crate::diagnose::{Diagnosis, Evidence};
use crate::epm::url::EpmUrl;
use crate::foreign::{Foreign, cut};
use crate::job::{JobId, State};
use crate::outcome::Outcome;
use crate::payload::Payload;
use crate::pipeline::{Step, StepEnd};

use super::outages::{Outage, outages};
use super::values::{harmless_lines, seconds};
use super::wording::{headline, next_step};
use super::{Context, Earlier, Event, Fetched, JobReport, Moment, Report, Uploaded};

/// What a reader may go by: a key that is taken away or means something else makes it another one.
const VERSION: u8 = 1;

/// The most of a text of others, in bytes.
const LONGEST: usize = 64 * 1024;

/// Renders the document.
pub fn render(report: &Report) -> String {
    let text = serde_json::to_string_pretty(&document(report)).unwrap_or_default();
    harmless_lines(&text) + "\n"
}

/// The document itself.
pub fn document(report: &Report) -> Value {
    let end = report.end();
    let outcome = end.map(|end| end.outcome);
    object(vec![
        ("version", VERSION.into()),
        ("program", object(vec![("name", "epm-gate".into()), ("version", env!("CARGO_PKG_VERSION").into())])),
        ("command", report.command.into()),
        ("outcome", outcome.map(Outcome::word).into()),
        ("exitCode", outcome.map(Outcome::code).into()),
        ("passed", outcome.map(Outcome::is_pass).into()),
        ("headline", end.map(|_| headline(report)).into()),
        ("why", end.map(|end| end.why.as_str()).into()),
        ("nextStep", end.map(|_| next_step(report)).into()),
        ("startedAt", (report.begun != Timestamp::default()).then(|| time(report.begun)).into()),
        ("endedAt", report.ended.map(time).into()),
        ("url", report.url.as_ref().map(|url| url.base().to_string()).into()),
        ("host", report.url.as_ref().map(EpmUrl::host).into()),
        ("askedBy", context(&report.context)),
        ("payload", report.payload.as_ref().map(payload).into()),
        ("submitted", report.submitted.word().into()),
        ("earlier", report.earlier.map(earlier).into()),
        ("uploads", list(&report.uploads, uploaded)),
        ("jobs", list(&report.jobs, job)),
        ("attempts", list(&report.attempts, job)),
        ("attachCommand", report.leaves_a_job().then(|| report.attach_command()).into()),
        ("notes", report.notes.iter().map(String::as_str).collect()),
    ])
}

fn object(pairs: Vec<(&'static str, Value)>) -> Value {
    Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn list<T>(items: &[T], value: fn(&T) -> Value) -> Value {
    items.iter().map(value).collect()
}

/// A moment in UTC, to the millisecond.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn foreign(text: &Foreign) -> Value {
    cut(text.as_str(), LONGEST).into()
}

fn text(text: Option<&Foreign>) -> Value {
    text.map(foreign).into()
}

fn earlier(earlier: Earlier) -> &'static str {
    match earlier {
        Earlier::Followed => "followed",
        Earlier::Reused => "reused",
    }
}

fn context(context: &Context) -> Value {
    object(vec![
        ("platform", context.platform.into()),
        ("actor", text(context.actor.as_ref())),
        ("pipeline", text(context.pipeline.as_ref())),
        ("reference", text(context.reference.as_ref())),
        ("commit", text(context.commit.as_ref())),
        ("attempt", context.attempt.into()),
        ("run", context.run.as_ref().map(Url::as_str).into()),
    ])
}

/// The body as one text, so that whoever has the report can hash it anew.
fn payload(payload: &Payload) -> Value {
    object(vec![
        ("jobType", payload.job_type().into()),
        ("body", payload.body().into()),
        ("bytes", payload.body().len().into()),
        ("sha256", payload.sha256().into()),
    ])
}

fn uploaded(file: &Uploaded) -> Value {
    object(vec![
        ("path", file.local.display().to_string().into()),
        ("remote", file.remote.as_str().into()),
        ("bytes", file.bytes.into()),
        ("sha256", file.sha256.as_str().into()),
        ("wasThere", file.was_there.into()),
    ])
}

fn job(job: &JobReport) -> Value {
    let (end, facts) = (job.end.as_ref(), &job.facts);
    let findings = job.findings.as_ref();
    object(vec![
        ("jobId", job.id.map(JobId::number).into()),
        ("name", job.name.as_deref().into()),
        ("attempt", job.attempt.into()),
        ("status", job.state.map(State::number).into()),
        ("state", job.state.map(|state| state.to_string()).into()),
        ("outcome", end.map(|end| end.outcome.word()).into()),
        ("exitCode", end.map(|end| end.outcome.code()).into()),
        ("why", end.map(|end| end.why.as_str()).into()),
        ("jobName", text(facts.job_name.as_ref())),
        ("jobStatus", text(facts.job_status.as_ref())),
        ("descriptiveStatus", text(facts.descriptive_status.as_ref())),
        ("detailedStatus", text(facts.detailed_status.as_ref())),
        ("details", text(facts.details.as_ref())),
        ("processType", text(facts.process_type.as_ref())),
        ("executedBy", text(facts.executed_by.as_ref())),
        ("other", job.other.iter().map(|(key, value)| (key.as_str().to_owned(), foreign(value))).collect()),
        ("durationSeconds", job.duration.map(seconds).into()),
        ("polls", job.polls.into()),
        ("submits", job.submits().into()),
        ("timeline", list(&job.moments, moment)),
        ("outages", outages(job).iter().map(outage).collect()),
        ("log", file(facts.log_file_name.as_ref(), job.log.as_ref())),
        ("output", file(facts.output_file_name.as_ref(), job.output.as_ref())),
        ("diagnosis", job.diagnosis.as_ref().map(diagnosis).into()),
        ("toldBy", text(job.told_by.as_ref().or(facts.log_file_name.as_ref()).filter(|_| findings.is_some()))),
        ("rows", findings.and_then(|findings| findings.rows).into()),
        ("exportBegan", findings.map(|findings| findings.export_began).into()),
        ("rejected", findings.map(|findings| rejected(&findings.rejected)).into()),
        ("excerpt", findings.map(excerpt).into()),
        ("stages", list(&job.steps, stage)),
    ])
}

fn moment(moment: &Moment) -> Value {
    let (kind, status, text) = match &moment.event {
        Event::Uploaded { remote, .. } => ("uploaded", None, Some(remote.as_str())),
        Event::Sent => ("sent", None, None),
        Event::Submitted => ("submitted", None, None),
        Event::Attached => ("attached", None, None),
        Event::State(state, text) => ("status", Some(state.number()), text.as_deref()),
        Event::Trouble(what) => ("trouble", None, Some(what.as_str())),
        Event::GaveUp(outcome) => ("gave-up", None, Some(outcome.word())),
    };
    object(vec![
        ("at", time(moment.at).into()),
        ("afterSeconds", seconds(moment.after)),
        ("kind", kind.into()),
        ("status", status.into()),
        ("text", text.map(|text| cut(text, LONGEST)).into()),
    ])
}

fn outage(outage: &Outage<'_>) -> Value {
    object(vec![
        ("from", time(outage.from.at).into()),
        ("until", outage.until.map(|until| time(until.at)).into()),
        ("durationSeconds", outage.length().map(seconds).into()),
        ("reasons", outage.reasons.iter().copied().collect()),
    ])
}

/// A file of a job: its name at EPM, and where it lies here, if it was saved.
fn file(name: Option<&Foreign>, saved: Option<&Fetched>) -> Value {
    object(vec![
        ("name", text(name)),
        ("path", saved.map(|saved| saved.path.display().to_string()).into()),
        ("bytes", saved.map(|saved| saved.bytes).into()),
        ("sha256", saved.map(|saved| saved.sha256.as_str()).into()),
    ])
}

fn diagnosis(diagnosis: &Diagnosis) -> Value {
    object(vec![
        ("category", diagnosis.category.word().into()),
        ("transient", diagnosis.transient.into()),
        ("advice", diagnosis.advice.as_str().into()),
        ("basis", diagnosis.basis.word().into()),
        ("evidence", diagnosis.evidence.as_ref().map(evidence).into()),
    ])
}

fn evidence(evidence: &Evidence) -> Value {
    object(vec![("line", evidence.line.into()), ("text", foreign(&evidence.text))])
}

fn line((number, line): &(u64, Foreign)) -> Value {
    object(vec![("line", (*number).into()), ("text", foreign(line))])
}

fn rejected(rejected: &Rejected) -> Value {
    object(vec![
        ("total", rejected.total.into()),
        ("kinds", list(&rejected.kinds, kind)),
        ("members", list(&rejected.members, foreign)),
        ("hasMoreMembers", rejected.has_more_members.into()),
    ])
}

fn kind(kind: &Kind) -> Value {
    object(vec![
        ("marker", kind.marker.into()),
        ("meaning", kind.meaning.into()),
        ("count", kind.count.into()),
        ("first", list(&kind.first, line)),
    ])
}

fn excerpt(findings: &Findings) -> Value {
    let Excerpt { lines, total, telling, .. } = &findings.excerpt;
    object(vec![("total", (*total).into()), ("telling", (*telling).into()), ("lines", list(lines, line))])
}

fn stage(step: &Step) -> Value {
    object(vec![
        ("stage", foreign(&step.stage)),
        ("name", foreign(&step.name)),
        ("jobType", text(step.job_type.as_ref())),
        ("status", text(step.status.as_ref())),
        ("end", stage_end(step.end).into()),
        ("jobId", step.id.map(JobId::number).into()),
        ("durationSeconds", step.took.map(seconds).into()),
        ("endedAt", text(step.ended.as_ref())),
        ("logName", text(step.log.as_ref())),
    ])
}

/// The word for how a job of a stage ended.
pub(super) fn stage_end(end: StepEnd) -> &'static str {
    match end {
        StepEnd::Passed => "passed",
        StepEnd::Failed => "failed",
        StepEnd::Unknown => "unknown",
    }
}
