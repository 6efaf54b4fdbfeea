//! The rules of a user, as they are written.

use regex_lite::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::category::Category;
use super::Rule;
use crate::foreign::{Foreign, backticked, cut, quote};

/// How large a compiled pattern may be, in bytes: each byte of a line is held to all of it.
const LARGEST: usize = 64 * 1024;

/// How long an advice may be, in bytes.
const LONGEST_ADVICE: usize = 500;

/// What is wrong in a file of rules, and where.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no array in JSON.
    #[error("line {}, column {}: it is no JSON array: {why}", .at.line, .at.column)]
    NoList {
        /// Where.
        at: Place,
        /// What the parser says.
        why: String,
    },
    /// A key is missing or not known, or a value is of another kind.
    #[error("line {}, column {}: rule {rule} cannot be read: {why}", .at.line, .at.column)]
    NoRule {
        /// Where.
        at: Place,
        /// The number of the rule, counted from 1.
        rule: usize,
        /// What the parser says.
        why: String,
    },
    /// A pattern is no regular expression.
    #[error("line {}, column {}: the pattern of rule {rule} cannot be read: {why}", .at.line, .at.column)]
    NoPattern {
        /// Where.
        at: Place,
        /// The number of the rule, counted from 1.
        rule: usize,
        /// What the parser says.
        why: String,
    },
    /// A pattern matches every line, or every one that says anything.
    #[error("line {}, column {}: the pattern of rule {rule} matches every line", .at.line, .at.column)]
    Everything {
        /// Where.
        at: Place,
        /// The number of the rule, counted from 1.
        rule: usize,
    },
    /// A category is not known.
    #[error("line {}, column {}: rule {rule} has a category that is not known, {}", .at.line, .at.column, quote(.category))]
    NoCategory {
        /// Where.
        at: Place,
        /// The number of the rule, counted from 1.
        rule: usize,
        /// What is written there.
        category: String,
    },
}

/// A place in a text, counted from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    line: usize,
    column: usize,
}

impl Error {
    /// What would be right.
    pub fn help(&self) -> String {
        match self {
            Self::NoList { .. } => {
                "write an array of rules: `[{\"pattern\": \"ORA-12541\", \"category\": \"connectivity\"}]`".to_owned()
            }
            Self::NoRule { .. } => "a rule has the keys `pattern` and `category`, and may have `transient` (`true` or \
                 `false`) and `advice` (a sentence)"
                .to_owned(),
            Self::NoPattern { .. } => {
                "write a regular expression; a backslash stands twice in JSON, and `\\\\[` is a bracket; repeat less \
                 where it is too big"
                    .to_owned()
            }
            Self::Everything { .. } => "write what the line must hold".to_owned(),
            Self::NoCategory { .. } => {
                format!("use one of {}", backticked(&Category::ALL.map(Category::word)))
            }
        }
    }
}

impl Place {
    /// Of a byte.
    fn of(text: &str, offset: usize) -> Self {
        let before = &text[..text.floor_char_boundary(offset)];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Self { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 }
    }

    /// Of what a parser stumbled over in a part that begins at `offset`.
    fn of_error(text: &str, offset: usize, error: &serde_json::Error) -> Self {
        let lines = text[offset..].split_inclusive('\n').take(error.line().saturating_sub(1));
        let start = offset + lines.map(str::len).sum::<usize>();
        Self::of(text, (start + error.column().saturating_sub(1)).min(text.len()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    #[serde(borrow)]
    pattern: &'a RawValue,
    #[serde(borrow)]
    category: &'a RawValue,
    transient: Option<bool>,
    advice: Option<String>,
}

/// The rules of a text, in its order.
pub(super) fn rules(text: &str) -> Result<Vec<Rule>, Error> {
    let list: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| Error::NoList { at: Place::of_error(text, 0, &error), why: said(&error) })?;
    list.into_iter().enumerate().map(|(index, raw)| rule(text, raw, index + 1)).collect()
}

fn rule(text: &str, raw: &RawValue, rule: usize) -> Result<Rule, Error> {
    let no_rule = |offset| {
        move |error: serde_json::Error| Error::NoRule {
            at: Place::of_error(text, offset, &error),
            rule,
            why: said(&error),
        }
    };
    let written: Written<'_> = serde_json::from_str(raw.get()).map_err(no_rule(offset(text, raw)))?;
    let word = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).map_err(no_rule(offset(text, raw)));
    let pattern = pattern(&word(written.pattern)?, Place::of(text, offset(text, written.pattern)), rule)?;
    let category = word(written.category)?;
    let at = Place::of(text, offset(text, written.category));
    let category = Category::of_word(category.trim()).ok_or(Error::NoCategory { at, rule, category })?;
    let transient = written.transient.unwrap_or(category.is_transient());
    let advice = written.advice.as_deref().map(advice).filter(|advice| !advice.is_empty());
    let advice = advice.unwrap_or_else(|| category.advice().to_owned());
    Ok(Rule { pattern, category, transient, advice })
}

/// An advice in one clean line, cut to a size.
fn advice(written: &str) -> String {
    let clean = Foreign::new(written);
    let line = clean.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
    cut(line.trim_end_matches('.'), LONGEST_ADVICE).into_owned()
}

fn pattern(written: &str, at: Place, rule: usize) -> Result<Regex, Error> {
    let pattern = RegexBuilder::new(written).size_limit(LARGEST).build();
    let pattern = pattern.map_err(|error| Error::NoPattern { at, rule, why: error.to_string() })?;
    // What is found in nothing, or in each of some lines that have no character in common, is found in every line.
    let matches_all = pattern.is_match("") || ["a", " ", "0"].iter().all(|line| pattern.is_match(line));
    if matches_all { Err(Error::Everything { at, rule }) } else { Ok(pattern) }
}

/// How far into the text a part of it begins, in bytes.
fn offset(text: &str, part: &RawValue) -> usize {
    (part.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// What the parser says, without the place: that is counted in the part that it was given.
fn said(error: &serde_json::Error) -> String {
    let said = error.to_string();
    said.split(" at line ").next().unwrap_or_default().to_owned()
}
