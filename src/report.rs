//! The facts of one run, as far as they are known: filled in while it goes on, rendered on every way out.

pub mod attestation;
pub mod console;
mod facts;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod markup;
pub mod metrics;
mod outages;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
#[path = "../tests/schema/report.rs"]
pub(crate) mod schema;
pub mod steps;
pub mod stretches;
mod tables;
mod timeline;
pub mod values;
pub mod wording;

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use url::Url;

use crate::diagnose::{Diagnosis, Findings};
use crate::epm::requests::Requests;
use crate::epm::url::EpmUrl;
use crate::foreign::Foreign;
use crate::job::{Answer, Facts, JobId, State};
use crate::outcome::Outcome;
use crate::payload::Payload;
use crate::pipeline;

use steps::Step;
use stretches::Stretch;

/// Whether a job was submitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Submitted {
    /// EPM gave an id.
    Yes,
    /// Nothing that EPM could have acted on was sent.
    #[default]
    No,
    /// A submit was sent, and its answer is not known.
    Maybe,
}

impl Submitted {
    /// The word in the step output `submitted`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Maybe => "maybe",
        }
    }
}

/// How an earlier run's job came into this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Its end was not known, and it is waited for.
    Followed,
    /// It had passed, and stands for this run.
    Reused,
}

/// Everything that is known of one run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The command that was called, where it is known.
    pub command: Option<&'static str>,
    /// Where EPM is.
    pub url: Option<EpmUrl>,
    /// What was, or was to be, submitted.
    pub payload: Option<Payload>,
    /// Whether it was.
    pub submitted: Submitted,
    /// Whether the job is that of an earlier run, by the ledger.
    pub earlier: Option<Earlier>,
    /// The files that were brought to the inbox.
    pub uploads: Vec<Uploaded>,
    /// The attempts that failed before the one that stands in `jobs`, in their order.
    pub attempts: Vec<JobReport>,
    /// The jobs, in the order given; one without an id where it was to be submitted.
    pub jobs: Vec<JobReport>,
    /// The steps of a check.
    pub steps: Vec<Step>,
    /// What became of the requests to EPM.
    pub requests: Requests,
    /// When the process began.
    pub begun: Timestamp,
    /// When its outcome stood, and the outputs were written.
    pub ended: Option<Timestamp>,
    /// Where the report stands, as JSON.
    pub path: Option<PathBuf>,
    /// An end that no job brought about: bad usage, a bug.
    pub end: Option<End>,
    /// Things worth knowing that change nothing.
    pub notes: Vec<String>,
    /// The flags that an attach needs beside the id.
    pub attach_flags: String,
    /// Who asked for the run, and from where.
    pub context: Context,
}

/// A file that was brought to the inbox of Data Integration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Where it lies on this machine.
    pub local: PathBuf,
    /// What it is called there, as `fileName` spells it: `inbox/NAME`.
    pub remote: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// Whether it lay there already, so that nothing was sent.
    pub was_there: bool,
}

/// A file of a job that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where it lies on this machine.
    pub path: PathBuf,
    /// Its size, in bytes.
    pub bytes: u64,
    /// The SHA-256 of what was received, in hexadecimal.
    pub sha256: String,
}

/// A file of a finished job that was asked for and is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// Whether it is the log or the output, in that word.
    pub which: &'static str,
    /// What EPM calls it.
    pub name: Foreign,
    /// Why it will not be; none while it may come.
    pub why: Option<String>,
    /// Whether that was told already.
    pub is_told: bool,
}

/// What a CI platform tells of its run. Names of branches and people are chosen by others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The platform's word in `--ci`; none outside of all that are known.
    pub platform: Option<&'static str>,
    /// Who started the run, or tried it again.
    pub actor: Option<Foreign>,
    /// The commit that it runs for.
    pub commit: Option<Foreign>,
    /// The branch or the tag.
    pub reference: Option<Foreign>,
    /// The workflow or the pipeline.
    pub pipeline: Option<Foreign>,
    /// Which try of the run it is, counted from 1.
    pub attempt: Option<u32>,
    /// What the platform numbers the run by, the same for each try of it.
    pub id: Option<Foreign>,
    /// The job of the platform, or its stage, that the gate is in.
    pub task: Option<Foreign>,
    /// Where the run can be looked at.
    pub run: Option<Url>,
}

/// An outcome, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence, without a full stop; names and foreign text in it stand between backticks.
    pub why: String,
    /// What to do next, where more is known than the outcome tells.
    pub help: Option<String>,
}

impl End {
    /// An end, and what helps where more is known than the outcome tells.
    pub fn new(outcome: Outcome, why: String, help: Option<&str>) -> Self {
        Self { outcome, why, help: help.map(str::to_owned) }
    }
}

/// What is known of one job.
#[derive(Clone, Debug)]
pub struct JobReport {
    /// Its id, once it is known.
    pub id: Option<JobId>,
    /// Its name, or the label that the user gave it.
    pub name: Option<String>,
    /// Which attempt of the run it is, counted from 1.
    pub attempt: u32,
    /// The newest state.
    pub state: Option<State>,
    /// The newest texts.
    pub facts: Facts,
    /// What EPM said under other names, each with its key; no more than `Answer::other` holds.
    pub other: Vec<(Foreign, Foreign)>,
    /// What happened, in order.
    pub moments: Vec<Moment>,
    /// The parts of the work on it, in the order in which they began.
    pub stretches: Vec<Stretch>,
    /// When we began with it.
    pub begun: Option<Instant>,
    /// When it was submitted or attached to.
    pub start: Option<Instant>,
    /// How long it took from then to its end.
    pub duration: Option<Duration>,
    /// How often EPM was asked.
    pub polls: u64,
    /// How it ended for us.
    pub end: Option<End>,
    /// Why it did not pass, where it did not.
    pub diagnosis: Option<Diagnosis>,
    /// What its log says; none where it was not read.
    pub findings: Option<Findings>,
    /// The log that says it, where that is another's: the log of a job in a stage of its own.
    pub told_by: Option<Foreign>,
    /// The jobs of its stages, where it is a PIPELINE and EPM tells them.
    pub steps: Vec<pipeline::Step>,
    /// Its log on this machine.
    pub log: Option<Fetched>,
    /// Its output on this machine.
    pub output: Option<Fetched>,
    /// Its files that were asked for and are not there: until they are, it does not pass the stage.
    pub owed: Vec<Owed>,
    /// What stands between us and an answer now, and what to do about it.
    pub trouble: Option<Trouble>,
}

/// Something that keeps an answer from us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What it is, in a sentence.
    pub what: String,
    /// What to do about it.
    pub help: &'static str,
    /// Since when there has been trouble, of this kind or another.
    pub since: Instant,
}

/// Something that happened to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// On the wall clock, in UTC.
    pub at: Timestamp,
    /// Since we began with the job, the look before a submit included.
    pub after: Duration,
    /// What it was.
    pub event: Event,
}

/// What can happen to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A file lies in the inbox.
    Uploaded {
        /// What it is called there.
        remote: String,
        /// Its size.
        bytes: u64,
        /// Whether it lay there already.
        was_there: bool,
    },
    /// The submit is being sent.
    Sent,
    /// EPM took it.
    Submitted,
    /// We began to wait for a job that was there.
    Attached,
    /// A new state, and the text beside it.
    State(State, Option<String>),
    /// EPM cannot be reached, or says nothing that decides; why.
    Trouble(String),
    /// The wait ended without an end of the job.
    GaveUp(Outcome),
}

impl Moment {
    /// When it was, as people read it.
    pub fn clock(&self) -> String {
        self.at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }
}

impl Report {
    /// A new attempt begins: the job as it is becomes one of the earlier ones.
    pub fn begin_attempt(&mut self) {
        let Some(job) = self.jobs.first_mut() else { return };
        let next = JobReport { attempt: job.attempt + 1, begun: job.begun, ..JobReport::new(None, job.name.clone()) };
        self.attempts.push(std::mem::replace(job, next));
    }

    /// Takes a new attempt back that nothing came of: the one before it stands then, and with it its end.
    pub fn take_attempt_back(&mut self) {
        let is_nothing = self.submitted != Submitted::Maybe && self.jobs.first().is_some_and(|job| job.id.is_none());
        let Some(earlier) = self.attempts.pop_if(|_| is_nothing) else { return };
        let submitted = if earlier.is_whole() { Submitted::Yes } else { Submitted::No };
        let later = std::mem::replace(&mut self.jobs[0], earlier);
        let why = later.end.map_or_else(|| "it was cut short".to_owned(), |end| end.why);
        self.notes.push(format!("attempt {} was not submitted: {why}", later.attempt));
        self.submitted = submitted;
    }

    /// The job that decides: the first of the gravest outcome. One that has no end yet comes before all others.
    pub fn deciding_job(&self) -> Option<&JobReport> {
        let outcomes = self.jobs.iter().map(|job| job.end.as_ref().map_or(Outcome::Panic, |end| end.outcome));
        self.jobs.get(Outcome::deciding(outcomes)?)
    }

    /// The jobs, those that did not pass before those that did.
    pub fn worst_first(&self) -> impl Iterator<Item = &JobReport> {
        let passed = |job: &&JobReport| job.end.as_ref().is_some_and(|end| end.outcome.is_pass());
        let (good, bad): (Vec<_>, Vec<_>) = self.jobs.iter().partition(passed);
        bad.into_iter().chain(good)
    }

    /// How the run ended; none while it goes on.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref().or_else(|| self.deciding_job()?.end.as_ref())
    }

    /// The command that waits for the jobs which may still run, ready to be pasted into a shell.
    pub fn attach_command(&self) -> String {
        let open: Vec<String> =
            self.jobs.iter().filter(|job| job.may_run()).filter_map(|job| Some(job.id?.to_string())).collect();
        let ids = if open.is_empty() { "JOB_ID".to_owned() } else { open.join(" ") };
        format!("epm-gate attach {ids}{}", self.attach_flags)
    }

    /// Whether a job was submitted only, and left to whoever attaches to it.
    pub fn is_handed_over(&self) -> bool {
        let of_job = self.deciding_job().and_then(|job| job.end.as_ref());
        of_job.is_some_and(|end| end.outcome == Outcome::Submitted)
    }

    /// Whether there is a job that may still run, or one that may have come into being.
    pub fn leaves_a_job(&self) -> bool {
        self.submitted == Submitted::Maybe || self.jobs.iter().any(|job| job.id.is_some() && job.may_run())
    }
}

impl JobReport {
    /// A job, by whatever is known of it now.
    pub fn new(id: Option<JobId>, name: Option<String>) -> Self {
        Self {
            id,
            name,
            attempt: 1,
            state: None,
            facts: Facts::default(),
            other: Vec::new(),
            moments: Vec::new(),
            stretches: Vec::new(),
            begun: None,
            start: None,
            duration: None,
            polls: 0,
            end: None,
            diagnosis: None,
            findings: None,
            told_by: None,
            steps: Vec::new(),
            log: None,
            output: None,
            owed: Vec::new(),
            trouble: None,
        }
    }

    /// Takes in an answer about this job. The texts of another job's answer are not ours.
    pub fn hear(&mut self, answer: &Answer) {
        if let Some(state) = self.id.and_then(|id| answer.state_of(id)) {
            self.state = Some(state);
            self.facts.update(answer.facts.clone());
            self.other.clone_from(&answer.other);
            // A condition may ask for the output: at the end, what was promised before is not there unless it is named.
            if state.is_finished() {
                self.facts.output_file_name.clone_from(&answer.facts.output_file_name);
            }
        }
    }

    /// Notes something that happened, at this moment.
    pub fn mark(&mut self, now: Instant, event: Event) {
        let begun = *self.begun.get_or_insert(now);
        self.moments.push(Moment { at: Timestamp::now(), after: now.saturating_duration_since(begun), event });
    }

    /// When the submit was sent last.
    pub fn sent(&self) -> Option<Timestamp> {
        self.moments.iter().rfind(|moment| moment.event == Event::Sent).map(|moment| moment.at)
    }

    /// How often the submit was sent: more than once only where EPM provably took none before.
    pub fn submits(&self) -> usize {
        self.moments.iter().filter(|moment| moment.event == Event::Sent).count()
    }

    /// Whether we know it from its beginning.
    pub fn is_whole(&self) -> bool {
        self.moments.iter().any(|moment| moment.event == Event::Submitted)
    }

    /// How long it has gone on.
    pub fn elapsed(&self, now: Instant) -> Duration {
        self.duration
            .unwrap_or_else(|| self.start.map(|start| now.saturating_duration_since(start)).unwrap_or_default())
    }

    /// Whether it may still run: nobody has heard of its end.
    pub fn may_run(&self) -> bool {
        let unknown = self.end.as_ref().is_some_and(|end| end.outcome == Outcome::Rejected);
        !unknown && !self.state.is_some_and(State::is_finished)
    }
}
