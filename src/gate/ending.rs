//! How an end is told: its outcome, and the sentence that says why.

use std::time::Duration;

use jiff::Timestamp;

use crate::epm::error::{ReadError, Refusal, words};
use crate::epm::submission::Doubt;
use crate::epm::upload::Failure;
use crate::foreign::{Foreign, quote, quote_path};
use crate::job::{Answer, JobId, State};
use crate::ledger::book::{Adopted, Found};
use crate::ledger::{self, Ledger};
use crate::outcome::{Outcome, Signal};
use crate::pace::{brief, utc};
use crate::report::{End, JobReport};
use crate::submit::Unsubmitted;
use crate::wait::{Ending, Heard};

use super::Plan;
use super::collecting::Which;
use super::conditions::{Conditions, Looks};

/// What is told of a wish to stay away; what is longer is for ever.
const LONGEST_WISH: Duration = Duration::from_hours(365 * 24);

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
pub(super) fn of(ending: Ending, job: &JobReport, plan: &Plan, looks: &Looks) -> End {
    let rules = &plan.rules;
    match ending {
        Ending::Finished(state) => finished(state, job, &plan.conditions, looks, job.is_whole()),
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
            Some(_) => finished(state, job, &Conditions::default(), &Looks::default(), false),
            None if matches!(state, State::Unknown(_)) => {
                End::new(Outcome::Undetermined, status(state), Some(PUZZLE_HELP))
            }
            None => End::new(Outcome::InProgress, status(state), None),
        },
        Heard::Nothing | Heard::Wordless => End::new(Outcome::Undetermined, newest(job), Some(PUZZLE_HELP)),
        Heard::Missing => End::new(Outcome::Rejected, "EPM knows no job of that id".to_owned(), help(job)),
        Heard::Fault(_) => End::new(Outcome::Unreachable, newest(job), help(job)),
        Heard::Refused | Heard::LoginPage => End::new(Outcome::AccessDenied, newest(job), help(job)),
    }
}

/// `whole`: we know the job from its beginning.
fn finished(state: State, job: &JobReport, conditions: &Conditions, looks: &Looks, whole: bool) -> End {
    let Some(outcome) = Outcome::of_finished(state, job.facts.is_warning()) else {
        return End::new(Outcome::Undetermined, status(state), Some(PUZZLE_HELP));
    };
    if let Some(unmet) = conditions.unmet(job, looks, whole).filter(|_| outcome.is_pass()) {
        return End { outcome: Outcome::ConditionUnmet, why: unmet.why, help: unmet.help };
    }
    let details = words(job.facts.details.as_ref().filter(|_| !outcome.is_pass()));
    End::new(outcome, format!("EPM ended it with {}{details}", status(state)), None)
}

fn status(state: State) -> String {
    format!("status {} ({state})", state.number())
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
    job.sent().map(|at| format!(" at {}", utc(at))).unwrap_or_default()
}

/// The end of a submit that EPM may have acted on.
pub(super) fn uncertain(doubt: &Doubt, job: &JobReport) -> End {
    let why = format!("the submit was sent{}, and the id of its job is not known: {doubt}", sent(job));
    End::new(Outcome::SubmitUncertain, why, None)
}

/// The end of a submit, or of the look before it, that brought no job into being.
pub(super) fn unsubmitted(unsubmitted: &Unsubmitted) -> End {
    match unsubmitted {
        Unsubmitted::Denied(error) => {
            let is_of_file = matches!(error, ReadError::Refused(Refusal::NoToken(denial)) if denial.is_of_file());
            let outcome = if is_of_file { Outcome::Usage } else { Outcome::AccessDenied };
            End::new(outcome, error.to_string(), Some(error.help()))
        }
        Unsubmitted::Maintenance(why, help) => End::new(Outcome::Unreachable, why.clone(), Some(help)),
        Unsubmitted::Rejected(rejection) => End::new(Outcome::Rejected, rejection.to_string(), None),
        Unsubmitted::Unreachable(fault, tried) => {
            let tried = Some(tried).filter(|tried| **tried >= Duration::from_secs(1));
            let tried = tried.map(|tried| format!("; tried for {}", brief(*tried))).unwrap_or_default();
            let wish = fault.retry_after().filter(|wish| !wish.is_zero());
            let wish = wish.map(|wish| format!("; it asks to stay away for {}", brief(wish.min(LONGEST_WISH))));
            End::new(Outcome::Unreachable, format!("{fault}{}{tried}", wish.unwrap_or_default()), Some(fault.help()))
        }
        Unsubmitted::NotBrought { file, failure } => {
            let outcome = match failure {
                Failure::Lost(_) | Failure::Busy => Outcome::Unreachable,
                Failure::Denied(Refusal::NoToken(denial)) if denial.is_of_file() => Outcome::Usage,
                Failure::Denied(_) => Outcome::AccessDenied,
                Failure::Exists(_) | Failure::Other | Failure::Refused(_) => Outcome::Rejected,
                Failure::Changed | Failure::Unreadable(_) => Outcome::Usage,
            };
            let nothing = if outcome == Outcome::Usage { "; nothing was submitted" } else { "" };
            End::new(outcome, format!("{file} was not uploaded: {failure}{nothing}"), Some(failure.help()))
        }
        Unsubmitted::Unrecorded(error) => {
            End::new(Outcome::Usage, format!("{}; nothing was submitted", error.sentence()), Some(error.help()))
        }
        Unsubmitted::Uncertain(doubt) => End::new(Outcome::SubmitUncertain, doubt.to_string(), None),
    }
}

/// The end before anything was sent, for a ledger that cannot be used.
pub(super) fn unusable(error: &ledger::Error) -> End {
    End::new(Outcome::Usage, format!("{}; nothing was sent", error.sentence()), Some(error.help()))
}

/// That another gate has the turn at the ledger.
pub(super) fn waits_for_turn(ledger: &Ledger) -> String {
    format!("another gate is submitting with the ledger {}; waiting for it", quote_path(ledger.path()))
}

/// The end where its turn was not over in time.
pub(super) fn no_turn(ledger: &Ledger) -> End {
    let why = format!("another gate was submitting with the ledger {} until the deadline", quote_path(ledger.path()));
    End::new(Outcome::Unreachable, why, Some("try again once it is done"))
}

/// The end where an earlier run may have submitted this already.
pub(super) fn open(at: Option<Timestamp>) -> End {
    let when = at.map(|at| format!(" at {}", utc(at))).unwrap_or_default();
    let why =
        format!("the ledger holds a submit of it that an earlier run sent{when}, and the id of its job is not known");
    let help = "attaching with the ledger writes the id down, and the next run takes it from there; if EPM shows that no \
                job came of it, submit anew with `--fresh`";
    End::new(Outcome::SubmitUncertain, why, Some(help))
}

/// The end where a key of the user's own leads to a success that is too old to be meant.
pub(super) fn stale(id: JobId, at: Timestamp) -> End {
    let why = format!(
        "the ledger holds under this key job {id}, which passed at {}; that is too old to stand for this run",
        utc(at)
    );
    let help = "give each load a `--ledger-key` of its own, such as one with the period or the run in it, or submit anew \
                with `--fresh`";
    End::new(Outcome::Usage, why, Some(help))
}

/// That jobs of the same run may be reading what is brought anew.
pub(super) fn may_be_reading(jobs: &[JobId]) -> String {
    let jobs = jobs.iter().map(JobId::to_string).collect::<Vec<_>>().join(", ");
    format!(
        "the ledger holds under this key what is not finished (job {jobs}), submitted with other content: if it reads a file \
         that is brought now, it loads half of each"
    )
}

/// That `--fresh` submits in spite of what the ledger holds.
pub(super) fn in_spite_of(found: &Found) -> String {
    let held = match found {
        Found::Running { id, .. } => format!("job {id}, whose end is not known"),
        Found::Passed { id, .. } | Found::Stale { id, .. } => format!("job {id}, which passed"),
        Found::Nothing | Found::Open { .. } => "a submit whose job is not known".to_owned(),
    };
    format!("the ledger holds {held}; submitting anew all the same, since `--fresh` is set")
}

/// That the job of an earlier run is followed.
pub(super) fn follows(at: Timestamp) -> String {
    format!("the ledger has it: an earlier run submitted it at {}; nothing is submitted, attaching to it", utc(at))
}

/// That the success of an earlier run is reused.
pub(super) fn reuses(at: Timestamp) -> String {
    format!("the ledger has it: it passed at {}; nothing is submitted, asking about it once more", utc(at))
}

/// That what was recorded stands.
pub(super) fn forgotten(id: JobId) -> String {
    format!("EPM knows job {id} no longer; what the ledger recorded of it stands")
}

/// What EPM's own list holds, for a person to look at.
pub(super) fn listed(jobs: &[Answer], of: usize) -> String {
    if jobs.is_empty() {
        return "EPM's list of jobs is empty".to_owned();
    }
    let told = jobs.iter().map(|job| {
        let id = job.job_id.map_or_else(|| "a job without an id".to_owned(), |id| format!("job {id}"));
        let facts = &job.facts;
        let texts = [&facts.job_status, &facts.process_type, &facts.executed_by, &facts.log_file_name];
        let texts: Vec<String> = texts.into_iter().flatten().map(|text| quote(text.as_str())).collect();
        format!("{id} ({})", texts.join(", "))
    });
    let told = told.collect::<Vec<_>>().join("; ");
    format!("look whether one of these is it; EPM's list begins with {} of {of}: {told}", jobs.len())
}

/// The end of a submit whose job an earlier one brought into being.
pub(super) fn handed_over(id: JobId) -> End {
    End::new(Outcome::Submitted, format!("an earlier run submitted it as job {id}; nothing was submitted now"), None)
}

/// What became of an id that was attached to with a ledger; nothing where the ledger had it.
pub(super) fn adopted(adopted: &Adopted) -> Option<String> {
    match adopted {
        Adopted::Known => None,
        Adopted::OfSubmit(at) => {
            let when = at.map(|at| format!(" of {}", utc(at))).unwrap_or_default();
            Some(format!("now in the ledger as the job of the submit{when}"))
        }
        Adopted::Alone { open: 0 } => Some("now in the ledger; no submit there waited for its job".to_owned()),
        Adopted::Alone { open } => Some(format!(
            "now in the ledger by itself: {open} submits there wait for their jobs; if it belongs to one, attach to it alone, \
             with the `--ledger-key` that the run of that submit has printed"
        )),
    }
}

/// That there is no excerpt, and why.
pub(super) fn unread(which: &str, name: &Foreign, why: &str) -> String {
    format!("the {which} {} could not be read: {why}", quote(name.as_str()))
}

/// A file was asked for and is not there.
pub(super) fn unsaved(which: &str, name: &Foreign, why: &str) -> String {
    format!("the {which} {} was not saved: {why}", quote(name.as_str()))
}

/// EPM names no such file.
pub(super) fn names_none(which: Which) -> String {
    match which {
        Which::Log => "EPM names no log, so none is saved".to_owned(),
        Which::Output => "EPM names no output file, so none is saved".to_owned(),
    }
}

/// How a file is had that a run did not bring.
pub(super) fn collect_later(id: JobId) -> String {
    format!(
        "the job passed, so do not run it again: attach to job {id} to have the file once more, or take it from EPM"
    )
}

/// Why a run is over.
pub(super) fn stopped(signal: Option<Signal>) -> String {
    match signal {
        Some(signal) => format!("{} was received before it had come", signal.name()),
        None => "it had not come by the deadline".to_owned(),
    }
}
