//! The rows that a load did not take, by kind.

use crate::foreign::Foreign;

/// The rows that were not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Each kind that there is, in the order of the table of kinds.
    pub kinds: Vec<Kind>,
    /// How many rows in all.
    pub total: u64,
    /// The members that rows were rejected for, each once, in the order in which they came up.
    pub members: Vec<Foreign>,
    /// Whether there were more members than are kept.
    pub has_more_members: bool,
}

/// The rows that were rejected in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// What the log marks such a row with. The words are a promise.
    pub marker: &'static str,
    /// What that means, in a few words.
    pub meaning: &'static str,
    /// How many rows.
    pub count: u64,
    /// The first of them, with the numbers of their lines.
    pub first: Vec<(u64, Foreign)>,
}
