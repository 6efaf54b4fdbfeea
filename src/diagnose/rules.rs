//! From what a status, `details` and a log tell to a reason: the rules of the user first, then those that are built in.

mod written;

use std::sync::Arc;

use regex_lite::Regex;

use super::category::Category;
use super::markers::ALL;
use super::scan::Scan;
use super::told::{Reason, Weight};
use super::{Basis, Diagnosis, Evidence, Findings};
use crate::foreign::{Foreign, Mask};
use crate::job::State;

pub use written::Error;

/// The rules, cheap to clone.
#[derive(Clone, Debug)]
pub struct Rules(Arc<[Rule]>);

/// A rule of the user.
#[derive(Debug)]
struct Rule {
    pattern: Regex,
    category: Category,
    transient: bool,
    advice: String,
}

impl Rules {
    /// Those that are built in.
    pub fn built_in() -> Self {
        Self::with(Vec::new())
    }

    /// Those that are built in, and before them those of a file: a JSON array of objects with the keys `pattern`,
    /// `category`, `transient` and `advice`.
    ///
    /// # Errors
    ///
    /// What is wrong in the text, and where.
    pub fn parse(text: &str) -> Result<Self, Error> {
        written::rules(text).map(Self::with)
    }

    fn with(user: Vec<Rule>) -> Self {
        Self(user.into())
    }

    /// How many are the user's.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn user(&self, rule: usize) -> &Regex {
        &self.0[rule].pattern
    }

    /// Why a job ended as it did, by what its end and its log say.
    pub fn diagnose(&self, state: State, details: Option<&Foreign>, findings: Option<&Findings>) -> Diagnosis {
        let spoken = details.map(|details| self.read(details));
        let texts = || [spoken.as_ref(), findings].into_iter().flatten();
        let is_left = texts().any(|text| text.export_began || text.rejected.total > 0);
        let found = [spoken.as_ref().map(|spoken| (spoken, false)), findings.map(|findings| (findings, true))];
        let diagnosis = || {
            let texts = || found.iter().flatten();
            let by_user = texts().find_map(|(text, is_log)| self.by_user(text, *is_log));
            let cancelled = || (state == State::Cancelled).then(|| Diagnosis::of(Category::Cancelled));
            let built_in = || texts().find_map(|(text, is_log)| Some(by_marker(text.told.best()?, *is_log)));
            by_user.or_else(cancelled).or_else(built_in)
        };
        let diagnosis = diagnosis().unwrap_or_else(|| unclassified(state, details, findings));
        // What was begun may have loaded a part, and the next try would load it again. Rows do not mend by themselves.
        Diagnosis { transient: diagnosis.transient && !is_left, ..diagnosis }
    }

    /// Reads `details` as a log is read; its secrets are hidden already.
    fn read(&self, details: &Foreign) -> Findings {
        let mut scan = Scan::new(self, Mask::default());
        scan.push(details.as_str().as_bytes());
        scan.finish()
    }

    fn by_user(&self, text: &Findings, is_log: bool) -> Option<Diagnosis> {
        let (rule, (line, shown)) = text.told.first_of_user()?;
        let rule = &self.0[rule];
        Some(Diagnosis {
            category: rule.category,
            transient: rule.transient,
            advice: rule.advice.clone(),
            evidence: Some(Evidence { line: is_log.then_some(*line), text: shown.clone() }),
            basis: Basis::User,
        })
    }
}

fn by_marker((reason, shown): &(Reason, Foreign), is_log: bool) -> Diagnosis {
    let marker = &ALL[reason.marker];
    Diagnosis {
        category: reason.category(),
        // What is only said by the way may have passed, and something else be the reason.
        transient: reason.category().is_transient() && reason.weight == Weight::Full,
        advice: marker.advice().to_owned(),
        evidence: Some(Evidence { line: is_log.then_some(reason.line), text: shown.clone() }),
        basis: if marker.source.is_some() { Basis::Sourced } else { Basis::Unverified },
    }
}

/// What only the status tells.
/// Where no rule matches, people get the line that a rule would have been written for.
fn unclassified(state: State, details: Option<&Foreign>, findings: Option<&Findings>) -> Diagnosis {
    let spoken = details.map(Foreign::first_line).filter(|line| !line.is_empty());
    let spoken = spoken.map(|line| Evidence { line: None, text: Foreign::new(&crate::foreign::cut(line, 400)) });
    let logged = || {
        let (line, text) = findings?.excerpt.reason()?;
        Some(Evidence { line: Some(*line), text: text.clone() })
    };
    let evidence = spoken.or_else(logged);
    let diagnosis = Diagnosis { evidence, ..Diagnosis::of(Category::Unclassified) };
    match state {
        State::InvalidParameter => Diagnosis { advice: INVALID.to_owned(), ..diagnosis },
        _ => diagnosis,
    }
}

const INVALID: &str = "compare name, period, modes and file of the job with its definition in Data Integration, correct \
    what differs, then run it again";

#[cfg(test)]
mod tests;
