//! The facts of a job and of its run as rows of a table, for every renderer alike.

use crate::diagnose::excerpt::Excerpt;
use crate::foreign::Foreign;
use crate::job::State;
use crate::pace::brief;
use crate::payload::{Field, file_place};

use super::{Context, JobReport, Report};

/// A row.
pub(super) struct Fact {
    pub(super) name: &'static str,
    /// What others wrote.
    pub(super) quoted: Option<Foreign>,
    /// What we say, or say of it.
    pub(super) said: String,
}

fn quoted(name: &'static str, text: Option<Foreign>) -> Option<Fact> {
    text.map(|text| Fact { name, quoted: Some(text), said: String::new() })
}

fn said(name: &'static str, said: Option<String>) -> Option<Fact> {
    said.map(|said| Fact { name, quoted: None, said })
}

/// A state, by its number and its word.
pub(super) fn status(state: State) -> String {
    format!("{} ({state})", state.number())
}

/// What is known of a job.
pub(super) fn of_job(report: &Report, job: &JobReport) -> Vec<Fact> {
    let payload = report.payload.as_ref();
    let sent = |field: Field| payload.and_then(|payload| payload.text(field.key())).map(Foreign::new);
    let facts = &job.facts;
    let name = facts.job_name.clone().or_else(|| job.name.as_deref().map(Foreign::new));
    let file = sent(Field::FileName).map(|file| Fact {
        name: "file",
        said: format!(", {}", file_place(file.as_str())),
        quoted: Some(file),
    });
    let details = facts.details.as_ref().map(|details| Foreign::new(details.first_line()));
    let end = job.end.as_ref().map(|end| format!("{} (exit {})", end.outcome.word(), end.outcome.code()));
    let rows = [
        quoted("job", name),
        quoted("type", payload.map(|payload| Foreign::new(payload.job_type()))),
        said("job id", job.id.map(|id| id.to_string())),
        quoted("host", report.url.as_ref().map(|url| Foreign::new(&url.host()))),
        quoted("period", sent(Field::PeriodName)),
        quoted("start period", sent(Field::StartPeriod)),
        quoted("end period", sent(Field::EndPeriod)),
        quoted("import mode", sent(Field::ImportMode)),
        quoted("export mode", sent(Field::ExportMode)),
        file,
        said("status", job.state.map(status)),
        quoted("job status", facts.job_status.clone()),
        quoted("descriptive status", facts.descriptive_status.clone()),
        quoted("detailed status", facts.detailed_status.clone()),
        quoted("details", details),
        said("outcome", end),
        said("duration", job.duration.map(brief)),
        quoted("executed by", facts.executed_by.clone()),
        quoted("process type", facts.process_type.clone()),
        quoted("log", facts.log_file_name.clone()),
        quoted("output", facts.output_file_name.clone()),
    ];
    rows.into_iter().flatten().collect()
}

/// A stack trace, where `details` is more than its first line.
pub(super) fn trace(job: &JobReport) -> Option<&str> {
    job.facts.details.as_ref().map(|details| details.as_str().trim()).filter(|details| details.contains('\n'))
}

/// The lines of the log, where there are any.
pub(super) fn excerpt(job: &JobReport) -> Option<&Excerpt> {
    job.findings.as_ref().map(|findings| &findings.excerpt).filter(|excerpt| !excerpt.lines.is_empty())
}

/// What the CI tells of the run.
pub(super) fn of_run(context: &Context) -> Vec<Fact> {
    let rows = [
        quoted("asked for by", context.actor.clone()),
        quoted("pipeline", context.pipeline.clone()),
        quoted("branch or tag", context.reference.clone()),
        quoted("commit", context.commit.clone()),
        said("attempt of the run", context.attempt.map(|attempt| attempt.to_string())),
        quoted("run", context.run.as_ref().map(|run| Foreign::new(run.as_str()))),
    ];
    rows.into_iter().flatten().collect()
}
