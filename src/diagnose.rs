//! Why a job did not pass, as far as its status, its `details` and its log tell. A hint, for people and for a retry: it
//! never changes a verdict.

pub mod category;
pub mod excerpt;
pub(crate) mod literals;
pub mod markers;
pub mod rejected;
pub mod rules;
pub mod scan;
mod told;

use crate::foreign::Foreign;

use category::Category;
use excerpt::Excerpt;
use rejected::Rejected;
pub use told::Told;

/// What is believed to be the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Which kind of reason.
    pub category: Category,
    /// Whether the same job may well pass if it is tried again as it is.
    pub transient: bool,
    /// What to do about it, in a sentence without a full stop; names in it stand between backticks.
    pub advice: String,
    /// What shows it; none where only the status does, or nothing.
    pub evidence: Option<Evidence>,
    /// How well the rule that told it is founded.
    pub basis: Basis,
}

impl Diagnosis {
    /// What is known of a reason that no text shows.
    pub fn of(category: Category) -> Self {
        let advice = category.advice().to_owned();
        Self { category, transient: category.is_transient(), advice, evidence: None, basis: Basis::Status }
    }
}

/// How well a rule is founded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The user has written it.
    User,
    /// Its marker stands in Oracle's pages, or was seen in a log or in public code.
    Sourced,
    /// Its marker is well known, and no source of it was found.
    Unverified,
    /// No rule has matched, or only the status tells.
    Status,
}

impl Basis {
    /// Its word. The words are a promise.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Sourced => "sourced",
            Self::Unverified => "unverified",
            Self::Status => "status",
        }
    }
}

/// The text that shows a reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The number of the log's line, counted from 1; none where it stands in `details`.
    pub line: Option<u64>,
    /// The line, cut to a size.
    pub text: Foreign,
}

impl Evidence {
    /// What it says, without the time and the level in front.
    pub fn message(&self) -> &str {
        let line = self.text.first_line();
        line.split_once("]: ").map_or(line, |(_, message)| message).trim()
    }
}

/// What one pass over a log has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The telling lines.
    pub excerpt: Excerpt,
    /// The rows that were not taken.
    pub rejected: Rejected,
    /// How many rows the log says were loaded; none where it does not say.
    pub rows: Option<u64>,
    /// Whether the log shows that the export to the target has begun: a part may be loaded.
    pub export_began: bool,
    /// Why the log does not show how many rows were rejected, as a clause behind its name; none where it could be read. A
    /// condition must not pass for such a log.
    pub unreadable: Option<&'static str>,
    /// Whether the rules of the user took too long, and were not tried on the rest of the log.
    pub rules_given_up: bool,
    /// What says why, for [`rules::Rules::diagnose`].
    pub told: Told,
}
