//! What we say of an end: the headline and what to do next. One sentence each; names stand between backticks, so the
//! same words serve the log, an annotation and markdown.

use crate::foreign::{quote, quote_whole};
use crate::inbox::size;
use crate::job::State;
use crate::outcome::Outcome;
use crate::pace::brief;

use super::{End, Event, JobReport, Report, Submitted, steps};

/// What a job is called in a sentence.
pub fn subject(job: &JobReport) -> String {
    match (&job.name, job.id) {
        (Some(name), Some(id)) => format!("{} (job {id})", quote(name)),
        (Some(name), None) => quote(name),
        (None, Some(id)) => format!("job {id}"),
        (None, None) => "the job".to_owned(),
    }
}

/// The names of jobs in reports that are compared from run to run: they hold no id, which would be another one each time,
/// and of two alike the later one has a number.
#[derive(Default)]
pub(super) struct Names(Vec<String>);

impl Names {
    /// The next job's name.
    pub(super) fn of(&mut self, job: &JobReport) -> String {
        self.unlike(job.name.as_deref().unwrap_or("job"))
    }

    /// The next name, whosever it is.
    pub(super) fn unlike(&mut self, name: &str) -> String {
        self.0.push(name.to_owned());
        match self.0.iter().filter(|known| *known == name).count() {
            1 => name.to_owned(),
            count => format!("{name} {count}"),
        }
    }
}

/// The sign for how a run ended: it passed, it did not, or it cannot be told.
pub fn mark(report: &Report) -> &'static str {
    match report.end().map(|end| end.outcome) {
        Some(Outcome::Warned) => "⚠️",
        Some(outcome) if outcome.is_pass() => "✅",
        Some(outcome) if outcome.is_verdict() => "❌",
        _ => "⛔",
    }
}

/// The outcome of a run in one line: passed or not, and why.
pub fn headline(report: &Report) -> String {
    let Some(end) = report.end() else { return "not ended".to_owned() };
    let job = match report.deciding_job() {
        Some(job) if end.outcome == Outcome::Unwritable || report.end.is_none() && end.outcome != Outcome::Usage => {
            subject(job)
        }
        _ if !report.steps.is_empty() => return steps::headline(end),
        _ => return without_job(end),
    };
    let others = match report.jobs.len() {
        0 | 1 => String::new(),
        count => format!("; {} of {count} jobs passed", passed(report)),
    };
    let verb = match end.outcome {
        Outcome::Unwritable if report.is_handed_over() => "was submitted, but an output could not be written",
        Outcome::Unreachable if report.deciding_job().is_some_and(|job| job.id.is_none()) => "was not submitted",
        outcome => verb(outcome),
    };
    format!("{job} {verb}: {}{}{others}", end.why, reason(report))
}

/// The end of what is about no job, or was over before there was one.
fn without_job(end: &End) -> String {
    match end.outcome {
        Outcome::Succeeded | Outcome::Warned | Outcome::Unwritable | Outcome::Unreachable => end.why.clone(),
        Outcome::AccessDenied => format!("access denied: {}", end.why),
        Outcome::Interrupted(_) => format!("interrupted: {}", end.why),
        outcome => format!("{}: {}", verb(outcome), end.why),
    }
}

/// What the log says of a failure that EPM itself says nothing of: rejected rows end so (epm-api.md §1.6).
fn reason(report: &Report) -> String {
    let job = report.deciding_job().filter(|job| job.state == Some(State::Failed) && job.facts.details.is_none());
    let evidence = job.and_then(|job| job.diagnosis.as_ref()?.evidence.as_ref());
    evidence.map(|evidence| format!("; the log says {}", quote(evidence.message()))).unwrap_or_default()
}

fn passed(report: &Report) -> usize {
    report.jobs.iter().filter(|job| job.end.as_ref().is_some_and(|end| end.outcome.is_pass())).count()
}

/// What the outcome did to the stage.
pub(super) fn verb(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "passed",
        Outcome::Warned => "passed with a warning",
        Outcome::Submitted => "was submitted",
        Outcome::Usage => "wrong usage",
        Outcome::Failed => "failed",
        Outcome::Cancelled => "was cancelled",
        Outcome::InvalidParameter => "failed for an invalid parameter",
        Outcome::ConditionUnmet => "succeeded in EPM, but does not pass",
        Outcome::TimedOut => "timed out",
        Outcome::ContactLost => "lost contact with EPM",
        Outcome::AccessLost => "lost access to EPM",
        Outcome::Undetermined => "has no known end",
        Outcome::SubmitUncertain => "may or may not have been submitted",
        Outcome::InProgress => "is in progress",
        Outcome::AccessDenied => "was denied access",
        Outcome::Unreachable => "could not be asked about",
        Outcome::Rejected => "was rejected",
        Outcome::Unwritable => "passed, but an output could not be written",
        Outcome::Interrupted(_) => "was interrupted",
        Outcome::Panic => "stopped by a bug in epm-gate",
    }
}

/// What to do next, in one or two sentences without the last full stop.
pub fn next_step(report: &Report) -> String {
    let Some(end) = report.end() else { return String::new() };
    let mut steps: Vec<String> = Vec::new();
    let told = end.outcome.is_verdict() || matches!(end.outcome, Outcome::Submitted | Outcome::Rejected);
    if report.leaves_a_job() && !told {
        steps.push(still_running(report));
    }
    if report.payload.is_some() && report.submitted == Submitted::No && (30..40).contains(&end.outcome.code()) {
        steps.push("nothing was submitted".to_owned());
    }
    steps.extend(end.help.clone());
    if let Some(advice) = advice(report, end).filter(|_| end.help.is_none()) {
        steps.push(advice);
    } else if end.help.is_none() && !report.leaves_a_job() || steps.is_empty() || end.outcome == Outcome::Panic {
        steps.push(usual_step(end.outcome).to_owned());
    }
    let later = steps.split_off(1);
    later.iter().fold(steps.concat(), |all, step| format!("{all}. {}", capitalised(step)))
}

/// What happened, in a few words that may stand in markdown.
pub fn event(event: &Event) -> String {
    match event {
        Event::Uploaded { remote, bytes, was_there: false } => format!("uploaded {} ({})", quote(remote), size(*bytes)),
        Event::Uploaded { remote, bytes, .. } => {
            format!("{} held the same already ({}), nothing was sent", quote(remote), size(*bytes))
        }
        Event::Sent => "submit sent".to_owned(),
        Event::Submitted => "submitted".to_owned(),
        Event::Attached => "attached".to_owned(),
        Event::State(state, None) => format!("{state} ({})", state.number()),
        Event::State(state, Some(text)) => format!("{state} ({}), {}", state.number(), quote(text)),
        Event::Trouble(what) => what.clone(),
        Event::GaveUp(outcome) => format!("given up: {}", outcome.word()),
    }
}

/// The sentence as it stands behind a full stop.
pub fn capitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn still_running(report: &Report) -> String {
    let command = quote_whole(&report.attach_command());
    if report.deciding_job().is_some_and(|job| job.id.is_none()) {
        return format!(
            "do not submit again: look in EPM (Data Integration, Process Details) whether the job is there, and attach to \
             its id with {command}"
        );
    }
    format!("do not submit again: the job may go on in EPM; wait for it with {command}")
}

/// What the diagnosis of a job advises that EPM says has failed.
fn advice(report: &Report, end: &End) -> Option<String> {
    let has_failed = matches!(end.outcome, Outcome::Failed | Outcome::Cancelled | Outcome::InvalidParameter);
    let diagnosis = report.deciding_job()?.diagnosis.as_ref().filter(|_| has_failed)?;
    Some(diagnosis.advice.clone())
}

fn usual_step(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "nothing: the next stage may run",
        Outcome::Warned => {
            "the next stage may run; read the job's log, or set `--fail-on-warning` to hold it next time"
        }
        Outcome::Submitted => "wait for it in a later stage with `epm-gate attach`",
        Outcome::Failed => {
            "open the job's log in EPM (Data Integration, Process Details), mend the cause, then run again"
        }
        Outcome::Cancelled => "ask who cancelled it in EPM, then run again",
        Outcome::InvalidParameter => "check name, period, modes and file against the definition in EPM, then run again",
        Outcome::ConditionUnmet => "check the loaded data, or change the condition",
        Outcome::InProgress => "ask again later, or wait for it with `epm-gate attach`",
        Outcome::Rejected => "check type and name of the job, its period, modes and file",
        Outcome::Unreachable => "try again",
        Outcome::AccessDenied => "check the credentials and the URL",
        Outcome::Unwritable => {
            "the job passed: write the output by hand, or mend its place, but do not run the job again"
        }
        Outcome::Interrupted(_) => "nothing was submitted: run it again when you like",
        Outcome::Panic => "report it with the lines above at https://github.com/acme/epm-gate/issues",
        Outcome::Usage => "see `epm-gate --help`",
        Outcome::TimedOut
        | Outcome::ContactLost
        | Outcome::AccessLost
        | Outcome::Undetermined
        | Outcome::SubmitUncertain => "look the job up in EPM (Data Integration, Process Details)",
    }
}

/// How far a job is, for a heartbeat.
pub fn progress(job: &JobReport, now: tokio::time::Instant) -> String {
    let trouble = job.trouble.as_ref();
    let trouble = trouble.map(|trouble| format!("; for {}: {}", brief(now - trouble.since), trouble.what));
    let trouble = trouble.unwrap_or_default();
    let state = match (job.state, job.id) {
        (Some(state), _) => state.to_string(),
        (None, Some(_)) => "not heard of yet".to_owned(),
        (None, None) if job.start.is_some() => {
            return format!(
                "{}: the submit was sent, its answer is awaited, for {}",
                subject(job),
                brief(job.elapsed(now))
            );
        }
        (None, None) => return format!("{}: not submitted yet{trouble}", subject(job)),
    };
    let polls = if job.polls == 1 { "1 poll".to_owned() } else { format!("{} polls", job.polls) };
    format!("{}: {state}, after {}, {polls}{trouble}", subject(job), brief(job.elapsed(now)))
}
