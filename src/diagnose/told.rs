//! What a text has told of a reason, kept until all of it is read: which of several wins is known only then.

use super::category::Category;
use super::markers::ALL;
use crate::foreign::Foreign;

/// The best of each kind that has been found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// The first line for each rule of the user, in the order of the rules.
    user: Vec<Option<(u64, Foreign)>>,
    /// The best line for each category.
    reasons: Vec<(Reason, Foreign)>,
}

/// How much a line weighs by its level, the heaviest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// An error, or a line without a level, such as one of a stack trace.
    Full,
    /// What is said by the way: what it speaks of may have passed since.
    Said,
    /// What is there only because the log is as wordy as it can be.
    Wordy,
}

/// A line that says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reason {
    /// The place of its marker in the table.
    pub(super) marker: usize,
    /// Its number.
    pub(super) line: u64,
    /// What it weighs, marker and level together.
    pub(super) weight: Weight,
    /// Whether the log calls it an error.
    pub(super) is_error: bool,
}

impl Reason {
    pub(super) fn category(self) -> Category {
        ALL[self.marker].why.unwrap_or(Category::Unclassified)
    }

    /// Of several for one category the smallest shows it best.
    fn rank(self) -> (Weight, bool, u64, bool, usize) {
        (self.weight, !self.is_error, self.line, ALL[self.marker].source.is_none(), self.marker)
    }
}

impl Told {
    /// Of nothing yet, for so many rules of the user.
    pub(super) fn new(rules: usize) -> Self {
        Self { user: vec![None; rules], reasons: Vec::new() }
    }

    /// The rules of the user that have no line yet.
    pub(super) fn awaited(&self) -> impl Iterator<Item = usize> {
        self.user.iter().enumerate().filter(|(_, line)| line.is_none()).map(|(rule, _)| rule)
    }

    pub(super) fn awaits_user(&self) -> bool {
        self.awaited().next().is_some()
    }

    pub(super) fn user(&mut self, rule: usize, line: u64, shown: Foreign) {
        self.user[rule] = Some((line, shown));
    }

    pub(super) fn reason(&mut self, reason: Reason, shown: impl FnOnce() -> Foreign) {
        match self.reasons.iter_mut().find(|(known, _)| known.category() == reason.category()) {
            None => self.reasons.push((reason, shown())),
            Some(known) if reason.rank() < known.0.rank() => *known = (reason, shown()),
            Some(_) => {}
        }
    }

    /// The first rule of the user that has found a line, and that.
    pub(super) fn first_of_user(&self) -> Option<(usize, &(u64, Foreign))> {
        self.user.iter().enumerate().find_map(|(rule, line)| Some((rule, line.as_ref()?)))
    }

    /// The line that wins: the heaviest, and of several the first category of the list.
    pub(super) fn best(&self) -> Option<&(Reason, Foreign)> {
        self.reasons.iter().min_by_key(|(reason, _)| (reason.weight, reason.category()))
    }
}
