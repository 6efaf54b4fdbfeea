//! What can be wrong with a payload, and what would be right.

use crate::foreign::{backticked, quote};

use super::{Field, JobType};

/// A payload that would not be understood, or not as it was meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No name, though the type needs one.
    #[error("a job of type {} needs a name", job_type.word())]
    NoName {
        /// The type in question.
        job_type: JobType,
    },
    /// A part that the type has no place for.
    #[error("a job of type {} has no `{}`", job_type.word(), field.key())]
    NotTaken {
        /// The type in question.
        job_type: JobType,
        /// The part it does not have.
        field: Field,
    },
    /// A mode that is not documented for the type.
    #[error("{} is not one of the `{}` values of {}", quote(value), field.key(), job_type.word())]
    Mode {
        /// The type in question.
        job_type: JobType,
        /// Which of the modes.
        field: Field,
        /// What was given.
        value: String,
    },
    /// A period that cannot be read.
    #[error("{} is not a period: {problem}", quote(value))]
    Period {
        /// Which of the periods.
        field: Field,
        /// What was given.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// One end of a range without the other.
    #[error("`{}` is given without the other end of the range", given.key())]
    HalfRange {
        /// The end that was given.
        given: Field,
    },
    /// A key that has a flag of its own was set by `--set`.
    #[error("{} has a flag of its own", quote(key))]
    OwnFlag {
        /// The key.
        key: String,
        /// The flag that sets it.
        flag: &'static str,
    },
    /// The same key twice.
    #[error("{} is set twice", quote(key))]
    Twice {
        /// The key.
        key: String,
    },
    /// A payload that is not JSON.
    #[error("the payload is not JSON: {problem}, at line {line}, column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// JSON, but not an object.
    #[error("the payload is {found}, not a JSON object")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// An object that names no job type.
    #[error("the payload has no `jobType` that is a text")]
    NoJobType,
    /// More than any payload holds.
    #[error("the payload is larger than 10 MiB")]
    TooLarge,
    /// UTF-16, as Windows PowerShell's `>` and `Out-File` write it.
    #[error("the payload is UTF-16")]
    Utf16,
    /// Neither UTF-8 nor UTF-16.
    #[error("the payload is not UTF-8 text")]
    NotText,
}

impl Error {
    /// The part of the payload that is wrong, where it is one with a flag.
    pub fn field(&self) -> Option<Field> {
        match self {
            Self::NotTaken { field, .. } | Self::Mode { field, .. } | Self::Period { field, .. } => Some(*field),
            Self::HalfRange { given } => Some(*given),
            _ => None,
        }
    }

    /// What would be right.
    pub fn help(&self) -> String {
        match self {
            Self::NoName { .. } => "set `--job-name`".to_owned(),
            Self::NotTaken { job_type, field } => job_type.instead(*field).unwrap_or_default(),
            Self::Mode { job_type, field, .. } => format!("use one of {}", backticked(job_type.modes(*field))),
            Self::Period { field: Field::PeriodName, .. } => {
                "write `{Jan-26}`, a range `{Jan-26}{Mar-26}`, `{Jan#FY26}` or `{GLOBAL_POV}`; one period alone may do \
                 without braces"
                    .to_owned()
            }
            Self::Period { .. } => "write the period without braces, such as `Jan-26`".to_owned(),
            Self::HalfRange { .. } => "set both `--start-period` and `--end-period`".to_owned(),
            Self::OwnFlag { flag, .. } => format!("use `--{flag}`"),
            Self::Twice { .. } => "keep one of the two".to_owned(),
            Self::NotJson { .. } => "mend the JSON at that place".to_owned(),
            Self::NotAnObject { .. } => {
                "give one object, such as `{\"jobType\":\"INTEGRATION\",\"jobName\":\"GL\"}`".to_owned()
            }
            Self::TooLarge => "give the payload alone".to_owned(),
            Self::Utf16 | Self::NotText => "write it in UTF-8, in PowerShell with `Out-File -Encoding utf8`".to_owned(),
            Self::NoJobType => "add `\"jobType\"` with the type in quotes".to_owned(),
        }
    }
}
