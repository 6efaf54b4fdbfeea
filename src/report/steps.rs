//! The steps of a check, one after the other on the way to EPM and into it.

use std::time::Duration;

use crate::outcome::Outcome;

use super::End;

/// A step that was taken, or could not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub name: Name,
    /// How it went.
    pub state: State,
    /// How long it took.
    pub took: Duration,
    /// What was found, in a sentence; names and foreign text in it stand between backticks.
    pub what: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// Which step. The words are a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// What is used of what was given.
    Url,
    /// Which proxy leads to the services.
    Proxy,
    /// Addresses of the host.
    Dns,
    /// A connection to one of them.
    Tcp,
    /// The certificate.
    Tls,
    /// Whether we are let in.
    Credentials,
    /// Whether we may ask about jobs.
    Role,
    /// The release and the daily maintenance.
    Maintenance,
    /// How far the clocks differ.
    Clock,
    /// What is answered for an id that no job has.
    NoJob,
    /// How the list of jobs is built.
    JobList,
    /// Which versions there are.
    Versions,
}

impl Name {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Proxy => "proxy",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Credentials => "credentials",
            Self::Role => "role",
            Self::Maintenance => "maintenance",
            Self::Clock => "clock",
            Self::NoJob => "no-job",
            Self::JobList => "job-list",
            Self::Versions => "versions",
        }
    }
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Well.
    Ok,
    /// Well, and something may need a person.
    Warning,
    /// A run would not get past it.
    Failed,
    /// Nothing could be found out.
    Skipped,
}

impl State {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A step on one line of the log.
pub fn line(step: &Step) -> String {
    format!("{} ({}): {}", step.name.word(), took(step), step.what)
}

/// How long it took, as people read it.
pub(super) fn took(step: &Step) -> String {
    format!("{} ms", step.took.as_millis())
}

/// The end of a check in one line.
pub(super) fn headline(end: &End) -> String {
    match end.outcome {
        Outcome::Succeeded | Outcome::Warned => format!("ready for a run: {}", end.why),
        Outcome::AccessDenied | Outcome::Unreachable => format!("a run would not get through: {}", end.why),
        outcome => format!("check {}: {}", super::wording::verb(outcome), end.why),
    }
}
