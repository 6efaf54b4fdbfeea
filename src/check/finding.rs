//! What a step of a check has found.

use crate::epm::error::ReadError;
use crate::outcome::Outcome;
use crate::report::steps::State;

/// How a step went, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) state: State,
    pub(super) what: String,
    pub(super) remedy: Option<String>,
    /// How a run would end here; none where it would get past.
    pub(super) outcome: Option<Outcome>,
}

impl Finding {
    pub(super) fn ok(what: String) -> Self {
        Self { state: State::Ok, what, remedy: None, outcome: None }
    }

    pub(super) fn warning(what: String, remedy: &str) -> Self {
        Self { state: State::Warning, what, remedy: Some(remedy.to_owned()), outcome: None }
    }

    pub(super) fn skipped(why: &str) -> Self {
        Self { state: State::Skipped, what: why.to_owned(), remedy: None, outcome: None }
    }

    pub(super) fn failed(outcome: Outcome, what: String, remedy: &str) -> Self {
        Self { state: State::Failed, what, remedy: Some(remedy.to_owned()), outcome: Some(outcome) }
    }

    /// A request without an answer that counts.
    pub(super) fn of(error: &ReadError) -> Self {
        let outcome = match error {
            ReadError::Refused(_) => Outcome::AccessDenied,
            ReadError::Fault(_) | ReadError::Missing { .. } => Outcome::Unreachable,
        };
        Self::failed(outcome, error.to_string(), error.help())
    }

    /// The same with what it is about in front.
    pub(super) fn about(self, subject: &str) -> Self {
        Self { what: format!("{subject}: {}", self.what), ..self }
    }

    /// The same with something that helps.
    pub(super) fn with_remedy(self, remedy: &str) -> Self {
        Self { remedy: Some(remedy.to_owned()), ..self }
    }
}
