//! The stages of a PIPELINE job and the jobs in them, as EPM tells of its latest run (epm-api.md §2.2).

use std::time::Duration;

use crate::foreign::Foreign;
use crate::job::JobId;

/// A job of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The stage that it belongs to.
    pub stage: Foreign,
    /// Its name.
    pub name: Foreign,
    /// Its type.
    pub job_type: Option<Foreign>,
    /// Its status, as it is told.
    pub status: Option<Foreign>,
    /// What that means.
    pub end: StepEnd,
    /// Its own id.
    pub id: Option<JobId>,
    /// How long it took, where both of its ends are told.
    pub took: Option<Duration>,
    /// When it ended, as it is told.
    pub ended: Option<Foreign>,
    /// Its log.
    pub log: Option<Foreign>,
}

/// How a job of a stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepEnd {
    /// It passed.
    Passed,
    /// It failed, or was cancelled.
    Failed,
    /// What is told cannot be read, or nothing is.
    Unknown,
}
