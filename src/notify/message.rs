//! What people are told of a run, before it is made ready for the place where they read it.

use crate::epm::url::EpmUrl;
use crate::foreign::{Foreign, cut};
use crate::outcome::Outcome;
use crate::report::wording::{capitalised, headline, mark, next_step};
use crate::report::{JobReport, Report};

/// The most of one text, in bytes: a headline and a line of a log are readable up to here.
const LONGEST: usize = 1000;

/// A message. Its texts are plain, on a line each, and hold words of others.
pub(super) struct Message {
    pub(super) outcome: Outcome,
    /// A sign, and what the run was about.
    pub(super) title: String,
    /// What happened, and why.
    pub(super) headline: String,
    /// What to do next.
    pub(super) next: String,
    /// What else is known, each with its name.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The line that shows the reason.
    pub(super) evidence: Option<String>,
    /// Where the run can be looked at.
    pub(super) run: Option<String>,
    /// The command that waits for what may still run.
    pub(super) attach: Option<String>,
}

impl Message {
    pub(super) fn of(report: &Report) -> Self {
        let outcome = report.end().map_or(Outcome::Panic, |end| end.outcome);
        let diagnosis = report.deciding_job().and_then(|job| job.diagnosis.as_ref());
        let evidence = diagnosis.and_then(|diagnosis| diagnosis.evidence.as_ref());
        Self {
            outcome,
            title: format!("{} {}: {}", mark(report), subject(report), outcome.word()),
            headline: line(&headline(report)),
            next: line(&capitalised(&next_step(report))),
            facts: facts(report, outcome),
            evidence: evidence.map(|evidence| line(evidence.text.as_str())),
            run: report.context.run.as_ref().map(|run| run.as_str().replace('|', "%7C")),
            attach: report.leaves_a_job().then(|| line(&report.attach_command())),
        }
    }
}

/// What the run was about, in a few words.
fn subject(report: &Report) -> String {
    let job = report.deciding_job();
    match job.and_then(name) {
        Some(name) => cut(&name, 100).into_owned(),
        None => job.and_then(|job| job.id).map_or_else(|| "EPM gate".to_owned(), |id| format!("job {id}")),
    }
}

/// What a job is called: by EPM, or else by whoever asked for it.
pub(super) fn name(job: &JobReport) -> Option<String> {
    job.facts.job_name.as_ref().map(Foreign::as_str).or(job.name.as_deref()).map(line).filter(|name| !name.is_empty())
}

fn facts(report: &Report, outcome: Outcome) -> Vec<(&'static str, String)> {
    let job = report.deciding_job();
    let diagnosis = job.and_then(|job| job.diagnosis.as_ref());
    let several = (report.jobs.len() > 1).then(|| report.jobs.len().to_string());
    let rows = [
        ("job", job.and_then(name)),
        ("job id", job.and_then(|job| job.id).map(|id| id.to_string())),
        ("jobs in all", several),
        ("type", report.payload.as_ref().map(|payload| line(payload.job_type()))),
        ("host", report.url.as_ref().map(EpmUrl::host)),
        ("outcome", Some(format!("{} (exit {})", outcome.word(), outcome.code()))),
        ("category", diagnosis.map(|diagnosis| diagnosis.category.word().to_owned())),
        ("advice", diagnosis.map(|diagnosis| line(&diagnosis.advice)).filter(|advice| !advice.is_empty())),
        ("pipeline", report.context.pipeline.as_ref().map(|pipeline| line(pipeline.as_str()))),
        ("asked for by", report.context.actor.as_ref().map(|actor| line(actor.as_str()))),
    ];
    rows.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// A text of others, or with such in it, on one line of a bounded length.
fn line(text: &str) -> String {
    let clean = Foreign::new(text).as_str().replace(['\n', '\t'], " ");
    cut(clean.trim(), LONGEST).into_owned()
}
