//! What a job is: its id, its state, and what EPM says of it.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::foreign::Foreign;

/// The number EPM gave a job. Never 0: the snapshot import of the same REST family answers `"jobId":"0"` for a job
/// that cannot be asked about (epm-api.md §2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobId(NonZeroU64);

/// A text that is not the id of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobIdError {
    /// The id 0, which EPM gives to what cannot be polled.
    #[error("0 is not the id of a job that can be asked about")]
    Zero,
    /// Anything that is not written in decimal digits alone, or is beyond 64 bits.
    #[error("a job id is a positive whole number, such as `2100`")]
    NotANumber,
}

impl JobId {
    /// The id as a number; none for 0.
    pub fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// The number itself.
    pub fn number(self) -> u64 {
        self.0.get()
    }
}

impl FromStr for JobId {
    type Err = JobIdError;

    fn from_str(text: &str) -> Result<Self, JobIdError> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(JobIdError::NotANumber);
        }
        let number = text.parse().map_err(|_| JobIdError::NotANumber)?;
        Self::new(number).ok_or(JobIdError::Zero)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the numeric `status` of a job means (spec §3). The texts beside the number never decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// -1
    InProgress,
    /// 0
    Succeeded,
    /// 1
    Failed,
    /// 2: somebody asked for the end; the job still runs.
    CancelPending,
    /// 3
    Cancelled,
    /// 4
    InvalidParameter,
    /// 2147483647 ("unknown" in Oracle's words) and every number that Oracle does not document.
    Unknown(i64),
}

impl State {
    /// The state that a number stands for.
    pub fn of(number: i64) -> Self {
        match number {
            -1 => Self::InProgress,
            0 => Self::Succeeded,
            1 => Self::Failed,
            2 => Self::CancelPending,
            3 => Self::Cancelled,
            4 => Self::InvalidParameter,
            other => Self::Unknown(other),
        }
    }

    /// The number that stands for it.
    pub fn number(self) -> i64 {
        match self {
            Self::InProgress => -1,
            Self::Succeeded => 0,
            Self::Failed => 1,
            Self::CancelPending => 2,
            Self::Cancelled => 3,
            Self::InvalidParameter => 4,
            Self::Unknown(number) => number,
        }
    }

    /// Whether the job is at its end.
    pub fn is_finished(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::InvalidParameter => true,
            Self::InProgress | Self::CancelPending | Self::Unknown(_) => false,
        }
    }

    /// Whether a text of EPM speaks of another state, as far as its words are known (epm-api.md §3.4). There are three
    /// documented ones for all numbers, so that `FAILED` stands beside every end that is none of success; which number
    /// goes with `WARNING` is not documented.
    fn is_contradicted_by(self, word: &str) -> bool {
        let agrees = match word.trim().to_ascii_uppercase().as_str() {
            "RUNNING" | "PROCESSING" | "IN PROGRESS" | "PENDING" => !self.is_finished(),
            "SUCCESS" | "SUCCEEDED" | "COMPLETED" => matches!(self, Self::Succeeded | Self::Unknown(_)),
            "FAILED" | "ERROR" => {
                matches!(self, Self::Failed | Self::Cancelled | Self::InvalidParameter | Self::Unknown(_))
            }
            "CANCELLED" | "CANCELED" => matches!(self, Self::Cancelled | Self::Unknown(_)),
            _ => true,
        };
        !agrees
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProgress => "in progress",
            Self::Succeeded => "success",
            Self::Failed => "error",
            Self::CancelPending => "cancel pending",
            Self::Cancelled => "cancelled",
            Self::InvalidParameter => "invalid parameter",
            Self::Unknown(_) => "unknown",
        })
    }
}

const WARNING: &str = "WARNING";

/// The texts of an answer about a job. Each may be absent, and on most pods most are (epm-api.md §1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Facts {
    /// `jobName`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_name: Option<Foreign>,
    /// `jobStatus`: a word such as `RUNNING`, `SUCCESS`, `WARNING`, `FAILED`; it may contradict the number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_status: Option<Foreign>,
    /// `descriptiveStatus`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub descriptive_status: Option<Foreign>,
    /// `detailedStatus`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detailed_status: Option<Foreign>,
    /// `details`: a sentence, or the stack trace of an exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Foreign>,
    /// `logFileName`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_file_name: Option<Foreign>,
    /// `outputFileName`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_file_name: Option<Foreign>,
    /// `processType`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_type: Option<Foreign>,
    /// `executedBy`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executed_by: Option<Foreign>,
}

impl Facts {
    /// The texts that speak of the state, the shortest word first.
    pub fn status_texts(&self) -> impl Iterator<Item = &Foreign> {
        [&self.job_status, &self.descriptive_status, &self.detailed_status].into_iter().flatten()
    }

    /// Whether EPM calls the end a warning.
    pub fn is_warning(&self) -> bool {
        self.status_texts().any(|text| text.as_str().to_ascii_uppercase().contains(WARNING))
    }

    /// The text that says something else than the number, where one does.
    pub fn contradiction(&self, state: State) -> Option<&Foreign> {
        self.status_texts().find(|text| state.is_contradicted_by(text.as_str()))
    }

    /// Takes over what a newer answer says. What speaks of the state is that of the newest answer, absent included; what
    /// names the job and its files stays where the answer is silent about it.
    pub fn update(&mut self, newer: Facts) {
        self.job_status = newer.job_status;
        self.descriptive_status = newer.descriptive_status;
        self.detailed_status = newer.detailed_status;
        self.details = newer.details;
        let names = [
            (&mut self.job_name, newer.job_name),
            (&mut self.log_file_name, newer.log_file_name),
            (&mut self.output_file_name, newer.output_file_name),
            (&mut self.process_type, newer.process_type),
            (&mut self.executed_by, newer.executed_by),
        ];
        for (known, told) in names {
            if told.is_some() {
                *known = told;
            }
        }
    }
}

/// What EPM said of a job at one moment: the number, where it gave one that can be read, and the texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The job that the answer is about.
    pub job_id: Option<JobId>,
    /// `status`
    pub status: Option<i64>,
    /// Whether id or status is there, but in a form that cannot be read: that is not the same as absent.
    pub is_garbled: bool,
    /// The texts beside it.
    pub facts: Facts,
    /// What else the answer says, each with its key, for the report alone: as much as [`crate::epm`] keeps of it.
    pub other: Vec<(Foreign, Foreign)>,
}

impl Answer {
    /// The state, only where the answer is about the job that was asked for.
    pub fn state_of(&self, id: JobId) -> Option<State> {
        self.status.filter(|_| self.job_id == Some(id)).map(State::of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_positive_decimal_digits_are_a_job_id() {
        assert_eq!("2100".parse::<JobId>().map(JobId::number), Ok(2100));
        assert_eq!("4294967296".parse::<JobId>().map(JobId::number), Ok(4_294_967_296));
        assert_eq!("0".parse::<JobId>(), Err(JobIdError::Zero));
        for text in ["", "-1", "+1", " 1", "1.0", "0x10", "abc", "18446744073709551616"] {
            assert_eq!(text.parse::<JobId>(), Err(JobIdError::NotANumber), "{text:?}");
        }
    }

    #[test]
    fn every_documented_number_has_its_state_and_back() {
        let table = [
            (-1, State::InProgress, false),
            (0, State::Succeeded, true),
            (1, State::Failed, true),
            (2, State::CancelPending, false),
            (3, State::Cancelled, true),
            (4, State::InvalidParameter, true),
            (5, State::Unknown(5), false),
            (-2, State::Unknown(-2), false),
            (2_147_483_647, State::Unknown(2_147_483_647), false),
        ];
        for (number, state, finished) in table {
            assert_eq!(State::of(number), state);
            assert_eq!(state.number(), number);
            assert_eq!(state.is_finished(), finished, "{state}");
        }
    }

    #[test]
    fn a_text_contradicts_only_with_a_word_that_is_known() {
        let table = [
            ("SUCCESS", State::InProgress, true),
            ("SUCCESS", State::Failed, true),
            ("RUNNING", State::Succeeded, true),
            ("FAILED", State::Succeeded, true),
            ("FAILED", State::InProgress, true),
            ("Cancelled", State::Failed, true),
            ("RUNNING", State::CancelPending, false),
            ("RUNNING", State::Unknown(7), false),
            ("FAILED", State::Cancelled, false),
            ("FAILED", State::InvalidParameter, false),
            ("WARNING", State::Failed, false),
            ("WARNING", State::Succeeded, false),
            ("Staging", State::Succeeded, false),
        ];
        for (word, state, contradicts) in table {
            let facts = Facts { job_status: Some(Foreign::new(word)), ..Facts::default() };
            assert_eq!(facts.contradiction(state).is_some(), contradicts, "{word} beside {state}");
        }
    }

    #[test]
    fn a_newer_answer_replaces_what_speaks_of_the_state_and_keeps_names() {
        let text = |text| Some(Foreign::new(text));
        let running = Facts { job_status: text("WARNING"), details: text("still loading"), ..Facts::default() };
        let mut facts = Facts { log_file_name: text("x.log"), ..running };
        facts.update(Facts { executed_by: text("admin"), ..Facts::default() });
        let expected = Facts { log_file_name: text("x.log"), executed_by: text("admin"), ..Facts::default() };
        assert_eq!(facts, expected);
        assert!(!facts.is_warning());
    }

    #[test]
    fn an_answer_about_another_job_has_no_state() {
        let answer = Answer { job_id: JobId::new(7), status: Some(0), ..Answer::default() };
        assert_eq!(answer.state_of("7".parse().unwrap()), Some(State::Succeeded));
        assert_eq!(answer.state_of("8".parse().unwrap()), None);
    }
}
