//! How an end is told: its outcome, and the sentence that says why.

use std::time::Duration;

use crate::epm::error::{Fault, ReadError, words};
use crate::epm::submission::{Doubt, Rejection};
use crate::foreign::{Foreign, quote};
use crate::job::{Answer, JobId, State};
use crate::outcome::{Outcome, Signal};
use crate::pace::brief;
use crate::report::{End, JobReport};
use crate::wait::{Ending, Heard};

use super::{Conditions, Plan};

/// What helps where EPM's answers decide nothing.
pub(super) const PUZZLE_HELP: &str = "look at the job in EPM (Data Integration, Process Details)";

/// Why an answer decides nothing.
pub(super) fn puzzle(id: JobId, answer: &Answer) -> String {
    let details = words(answer.facts.details.as_ref());
    match (answer.job_id, answer.status) {
        (Some(other), _) if other != id => format!("EPM answered about job {other} instead{details}"),
        (None, _) => format!("EPM's answer does not say which job it is about{details}"),
        (Some(_), _) => format!("EPM's answer has no status that can be read{details}"),
    }
}

/// The end of a wait.
pub(super) fn of(ending: Ending, job: &JobReport, plan: &Plan) -> End {
    let rules = &plan.rules;
    match ending {
        Ending::Finished(state) => finished(state, job, &plan.conditions),
        Ending::TimedOut => End::new(Outcome::TimedOut, timed_out(job, plan), None),
        Ending::ContactLost => {
            let why = format!("no usable answer came for {}: {}", brief(rules.outage_budget), newest(job));
            End::new(Outcome::ContactLost, why, help(job))
        }
        Ending::AccessLost => End::new(Outcome::AccessLost, newest(job), help(job)),
        Ending::Undetermined => {
            let why = format!("EPM's answers decided nothing for {}: {}", brief(rules.unknown_grace), newest(job));
            End::new(Outcome::Undetermined, why, Some(PUZZLE_HELP))
        }
        Ending::NotKnown => End::new(Outcome::Rejected, "EPM knows no job of that id".to_owned(), help(job)),
        Ending::AccessDenied => End::new(Outcome::AccessDenied, newest(job), help(job)),
        Ending::Unreachable => End::new(Outcome::Unreachable, newest(job), help(job)),
    }
}

/// The end of asking once.
pub(super) fn of_status(heard: Heard, job: &JobReport) -> End {
    match heard {
        Heard::State(state) => match Outcome::of_finished(state, job.facts.is_warning()) {
            Some(_) => finished(state, job, &Conditions::default()),
            None if matches!(state, State::Unknown(_)) => {
                End::new(Outcome::Undetermined, status(state), Some(PUZZLE_HELP))
            }
            None => End::new(Outcome::InProgress, status(state), None),
        },
        Heard::Nothing => End::new(Outcome::Undetermined, newest(job), Some(PUZZLE_HELP)),
        Heard::Missing => End::new(Outcome::Rejected, "EPM knows no job of that id".to_owned(), help(job)),
        Heard::Fault(_) => End::new(Outcome::Unreachable, newest(job), help(job)),
        Heard::Refused | Heard::LoginPage => End::new(Outcome::AccessDenied, newest(job), help(job)),
    }
}

fn finished(state: State, job: &JobReport, conditions: &Conditions) -> End {
    let Some(outcome) = Outcome::of_finished(state, job.facts.is_warning()) else {
        return End::new(Outcome::Undetermined, status(state), Some(PUZZLE_HELP));
    };
    if let Some(unmet) = unmet(job, conditions).filter(|_| outcome.is_pass()) {
        return End::new(Outcome::ConditionUnmet, unmet, None);
    }
    let details = words(job.facts.details.as_ref().filter(|_| !outcome.is_pass()));
    End::new(outcome, format!("EPM ended it with {}{details}", status(state)), None)
}

fn status(state: State) -> String {
    format!("status {} ({state})", state.number())
}

/// The first condition that does not hold.
fn unmet(job: &JobReport, conditions: &Conditions) -> Option<String> {
    let took = job.elapsed(tokio::time::Instant::now());
    if conditions.fail_on_warning && job.facts.is_warning() {
        return Some("EPM ended it with a warning, and `--fail-on-warning` is set".to_owned());
    }
    if conditions.require_output && job.facts.output_file_name.is_none() {
        return Some("EPM names no output file, and `--require-output` is set".to_owned());
    }
    match conditions.min_duration {
        Some(least) if took < least => {
            Some(format!("it took {}, less than the `--min-duration` of {}", brief(took), brief(least)))
        }
        _ => None,
    }
}

fn timed_out(job: &JobReport, plan: &Plan) -> String {
    let deadline = plan.rules.deadline.timeout().map(brief).unwrap_or_default();
    let state = match (job.state, &job.trouble) {
        (Some(state), None) => format!("its last known status is {} ({state})", state.number()),
        (_, Some(trouble)) => trouble.what.clone(),
        (None, None) => "nothing was heard of it".to_owned(),
    };
    format!("not finished at the deadline of {deadline}; {state}")
}

/// What stands between us and an answer, or the state that was told last.
fn newest(job: &JobReport) -> String {
    match (&job.trouble, job.state) {
        (Some(trouble), _) => trouble.what.clone(),
        (None, Some(state)) => format!("the newest was {}", status(state)),
        (None, None) => "no answer came in time".to_owned(),
    }
}

fn help(job: &JobReport) -> Option<&'static str> {
    job.trouble.as_ref().map(|trouble| trouble.help)
}

/// The end at the deadline, where the story itself had none.
pub(super) fn at_deadline(job: &JobReport, plan: &Plan) -> End {
    // Nobody but the user has told of a job that EPM never answered about.
    let known = job.id.is_some() && (plan.submits() || job.state.is_some());
    let outcome = if known { Outcome::TimedOut } else { Outcome::Unreachable };
    End::new(outcome, timed_out(job, plan), help(job))
}

/// The end at a signal.
pub(super) fn interrupted(signal: Signal, job: &JobReport) -> End {
    let what = match (job.id, job.state) {
        (None, _) => "nothing was submitted",
        (Some(_), Some(State::InProgress | State::CancelPending)) => "the job goes on",
        (Some(_), _) => "the job may go on",
    };
    End::new(Outcome::Interrupted(signal), format!("{} was received; {what}", signal.name()), None)
}

/// The end of a submit that was cut short before its answer.
pub(super) fn unanswered(signal: Option<Signal>, job: &JobReport) -> End {
    let what = signal.map_or("the deadline came", |_| "the run was interrupted");
    End::new(Outcome::SubmitUncertain, format!("the submit was sent{}, and {what} before its answer", sent(job)), None)
}

/// When the submit was sent: what one looks for in EPM's list.
fn sent(job: &JobReport) -> String {
    job.sent().map(|at| format!(" at {} UTC", at.strftime("%Y-%m-%d %H:%M:%S"))).unwrap_or_default()
}

/// The end of a submit that EPM may have acted on.
pub(super) fn uncertain(doubt: &Doubt, job: &JobReport) -> End {
    let why = format!("the submit was sent{}, and the id of its job is not known: {doubt}", sent(job));
    End::new(Outcome::SubmitUncertain, why, None)
}

/// The end of a submit, or of the look before it, that is not let in.
pub(super) fn denied(error: &ReadError) -> End {
    End::new(Outcome::AccessDenied, error.to_string(), Some(error.help()))
}

/// The end of a submit that EPM does not want.
pub(super) fn rejected(rejection: &Rejection) -> End {
    End::new(Outcome::Rejected, rejection.to_string(), None)
}

/// The end before anything was submitted, for want of an answer.
pub(super) fn unreachable(fault: &Fault, tried: Duration) -> End {
    let tried = if tried < Duration::from_secs(1) { String::new() } else { format!("; tried for {}", brief(tried)) };
    End::new(Outcome::Unreachable, format!("{fault}{tried}"), Some(fault.help()))
}

/// That there is no excerpt, and why.
pub(super) fn no_log(name: &Foreign, why: &str) -> String {
    format!("the log {} could not be read: {why}", quote(name.as_str()))
}
