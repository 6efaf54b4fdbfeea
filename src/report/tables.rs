//! Tables that every renderer shows alike: what was brought, what was saved, which rows were rejected, how stages and
//! attempts ended.

use crate::diagnose::rejected::{Kind, Rejected};
use crate::diagnose::{Diagnosis, Evidence};
use crate::foreign::{Foreign, backticked, quote};
use crate::pace::brief;
use crate::pipeline::Step;

use super::facts::status;
use super::{Fetched, JobReport, Report, Uploaded, json};

/// A table.
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) head: &'static [&'static str],
    pub(super) rows: Vec<Vec<Cell>>,
}

/// What stands in a cell.
pub(super) enum Cell {
    /// What we say.
    Said(String),
    /// What others wrote, or how a file is called.
    Quoted(Foreign),
    /// A SHA-256, of which a narrow place shows the beginning.
    Hash(String),
}

impl Cell {
    fn said(text: Option<String>) -> Self {
        Self::Said(text.unwrap_or_default())
    }

    fn quoted(text: Option<&Foreign>) -> Self {
        text.map_or_else(|| Self::Said(String::new()), |text| Self::Quoted(text.clone()))
    }
}

/// The most rows of a table.
const MOST_ROWS: usize = 100;

/// The most members that are listed.
const MOST_MEMBERS: usize = 20;

fn table<T>(
    title: &'static str,
    head: &'static [&'static str],
    of: &[T],
    row: impl FnMut(&T) -> Vec<Cell>,
) -> Option<Table> {
    let mut rows: Vec<Vec<Cell>> = of.iter().take(MOST_ROWS).map(row).collect();
    let first = rows.first()?.len();
    if of.len() > MOST_ROWS {
        let rest = format!("and {} more", of.len() - MOST_ROWS);
        rows.push([rest].into_iter().chain(std::iter::repeat_n(String::new(), first - 1)).map(Cell::Said).collect());
    }
    Some(Table { title, head, rows })
}

/// The files that were brought to the inbox.
pub(super) fn uploads(report: &Report) -> Option<Table> {
    table("Uploads", &["file", "in EPM", "bytes", "SHA-256"], &report.uploads, |file: &Uploaded| {
        vec![
            Cell::Quoted(Foreign::new(&file.local.display().to_string())),
            Cell::Quoted(Foreign::new(&file.remote)),
            Cell::Said(file.bytes.to_string()),
            Cell::Hash(file.sha256.clone()),
        ]
    })
}

/// The files of a job that were saved.
pub(super) fn files(job: &JobReport) -> Option<Table> {
    let files: Vec<(&str, &Fetched)> = [("log", &job.log), ("output", &job.output)]
        .into_iter()
        .filter_map(|(what, file)| Some((what, file.as_ref()?)))
        .collect();
    table("Saved", &["what", "file", "bytes", "SHA-256"], &files, |(what, file)| {
        vec![
            Cell::Said((*what).to_owned()),
            Cell::Quoted(Foreign::new(&file.path.display().to_string())),
            Cell::Said(file.bytes.to_string()),
            Cell::Hash(file.sha256.clone()),
        ]
    })
}

/// The rows that a job did not take, by kind, with so many of the first.
pub(super) fn rejected(job: &JobReport, first: usize) -> Option<Table> {
    let rejected = &job.findings.as_ref()?.rejected;
    table("Rejected rows", &["kind", "meaning", "rows", "the first"], &rejected.kinds, |kind: &Kind| {
        let shown: Vec<String> =
            kind.first.iter().take(first).map(|(number, line)| format!("{number}: {}", line.as_str().trim())).collect();
        vec![
            Cell::Quoted(Foreign::new(kind.marker)),
            Cell::Said(kind.meaning.to_owned()),
            Cell::Said(kind.count.to_string()),
            Cell::Quoted(Foreign::new(&shown.join("\n"))),
        ]
    })
}

/// The members that rows were rejected for, in a sentence of ours.
pub(super) fn members(job: &JobReport) -> Option<String> {
    let Rejected { members, has_more_members, .. } = &job.findings.as_ref()?.rejected;
    if members.is_empty() {
        return None;
    }
    let shown: Vec<&str> = members.iter().take(MOST_MEMBERS).map(Foreign::as_str).collect();
    let shown = shown.iter().map(|member| quote(member)).collect::<Vec<_>>().join(", ");
    let more = members.len().saturating_sub(MOST_MEMBERS);
    let more = match (more, has_more_members) {
        (0, false) => String::new(),
        (0, true) => ", and more".to_owned(),
        (more, true) => format!(", and more than {more} others"),
        (more, false) => format!(", and {more} others"),
    };
    Some(format!("Members: {shown}{more}"))
}

/// The jobs of a pipeline's stages.
pub(super) fn stages(job: &JobReport) -> Option<Table> {
    table("Stages", &["stage", "job", "type", "end", "status", "job id", "took"], &job.steps, |step: &Step| {
        vec![
            Cell::Quoted(step.stage.clone()),
            Cell::Quoted(step.name.clone()),
            Cell::quoted(step.job_type.as_ref()),
            Cell::Said(json::stage_end(step.end).to_owned()),
            Cell::quoted(step.status.as_ref()),
            Cell::said(step.id.map(|id| id.to_string())),
            Cell::said(step.took.map(brief)),
        ]
    })
}

/// Every attempt, the last one included; none where there was but one.
pub(super) fn attempts(report: &Report) -> Option<Table> {
    let last = report.jobs.first().filter(|_| !report.attempts.is_empty());
    let all: Vec<&JobReport> = report.attempts.iter().chain(last).collect();
    table("Attempts", &["attempt", "job id", "outcome", "status", "category", "took"], &all, |job| {
        let category = job.diagnosis.as_ref().map(|diagnosis| diagnosis.category.word().to_owned());
        vec![
            Cell::Said(job.attempt.to_string()),
            Cell::said(job.id.map(|id| id.to_string())),
            Cell::said(job.end.as_ref().map(|end| format!("{} (exit {})", end.outcome.word(), end.outcome.code()))),
            Cell::said(job.state.map(status)),
            Cell::said(category),
            Cell::said(job.duration.map(brief)),
        ]
    })
}

/// Why a job did not pass, in a sentence of ours without its full stop.
pub(super) fn reason(job: &JobReport, diagnosis: &Diagnosis) -> String {
    let transient = if diagnosis.transient { ", which may pass by itself" } else { "" };
    let shown = match &diagnosis.evidence {
        Some(Evidence { line: Some(line), text }) => {
            let other = job.told_by.as_ref().map(|name| format!(" {}", quote(name.as_str()))).unwrap_or_default();
            format!(": line {line} of the log{other} says {}", quote(text.as_str()))
        }
        Some(Evidence { line: None, text }) => format!(": EPM says {}", quote(text.as_str())),
        None => String::new(),
    };
    format!("{}{transient}{shown}", backticked(&[diagnosis.category.word()]))
}
