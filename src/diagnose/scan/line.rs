//! One line of a log as it is looked at: its beginning, and the surroundings of each marker in it, so that a line of any
//! length is looked at in a bounded room.

use std::borrow::Cow;

use super::super::markers::{ALL, Marker, Role};
use super::super::told::Weight;
use super::text::readable;
use crate::foreign::{Foreign, Mask, cut};

/// How much of a line is shown, in bytes.
pub(super) const WIDEST: usize = 400;

/// How far into a line something may stand so that the line is shown from its start, in bytes.
const NEAR: usize = 300;

/// How much before something is shown with it, in bytes.
const BEFORE: usize = 100;

/// How much of a line is read to be shown from its start, beside the longest secret: what cleaning takes away leaves room.
const SHOWN_FROM: usize = 1000;

/// What a sentence about a member holds that refuses it.
const REFUSALS: [&str; 6] = ["does not exist", "not found", "is not", "cannot", "invalid", "not valid"];

/// A marker in a line.
pub(super) struct Hit<'a> {
    /// Its place in the table.
    pub(super) marker: usize,
    /// How far into the line it begins, in bytes.
    pub(super) at: u64,
    /// What stands around it.
    pub(super) window: Window<'a>,
}

/// A part of a line around something.
pub(super) struct Window<'a> {
    bytes: Cow<'a, [u8]>,
    /// Where in it that begins.
    at: usize,
    /// Whether the line begins before it.
    is_cut_before: bool,
    /// Whether the line goes on behind it.
    is_cut_behind: bool,
}

/// A line.
pub(super) struct Line<'a> {
    /// Its number, counted from 1.
    pub(super) number: u64,
    /// It, or how it begins.
    pub(super) head: &'a [u8],
    /// Whether that is all of it.
    pub(super) is_whole: bool,
}

impl Hit<'_> {
    pub(super) fn marker(&self) -> &'static Marker {
        &ALL[self.marker]
    }

    /// The number that belongs to it: behind it, and of rows that were not taken wherever a sentence can have it, since none
    /// must be missed.
    pub(super) fn number(&self) -> Option<u64> {
        let behind = self.window.behind(self.marker().text.len());
        let is_refusal = matches!(self.marker().role, Role::Rejected | Role::Invalid);
        number(behind).or_else(|| is_refusal.then(|| aside(self.window.before(), behind)).flatten())
    }

    /// Whether it speaks of rows that were not taken, and does not say how many.
    pub(super) fn is_unread(&self) -> bool {
        matches!(self.marker().role, Role::Rejected | Role::Invalid) && self.number().is_none()
    }

    /// Whether it counts in a line of that weight: what goes by at DEBUG is no row of the load.
    pub(super) fn counts(&self, line: Weight) -> bool {
        line < Weight::Wordy || !matches!(self.marker().role, Role::Row(_))
    }

    /// Whether it stands within a statement or in a list of marks, and so marks no row.
    fn is_quoted(&self) -> bool {
        let (before, behind) = (self.window.before(), self.window.behind(self.marker().text.len()));
        let is_within = matches!(before.last(), Some(b'\'' | b'"' | b'%'));
        // A row may go on behind its mark with a comma; a list of marks goes on with another one.
        let is_listed =
            matches!(behind.first(), Some(b'%' | b'\'')) || behind.starts_with(b", [") || before.ends_with(b"], ");
        is_within || is_listed
    }

    /// Whether the words behind it hold one of these, in any case.
    fn is_followed(&self, words: &[&str]) -> bool {
        let behind = String::from_utf8_lossy(self.window.behind(self.marker().text.len())).to_ascii_lowercase();
        words.iter().any(|word| behind.contains(word))
    }

    /// Whether it means what it says: a level stands alone, a code is not the start of a longer one, and a number that is
    /// nothing tells nothing.
    pub(super) fn is_meant(&self) -> bool {
        let text = self.marker().text;
        if text.ends_with(|last: char| last.is_ascii_digit()) {
            return !self.window.behind(text.len()).first().is_some_and(u8::is_ascii_digit);
        }
        match text {
            "The member " => return self.is_followed(&REFUSALS),
            "FileNotFoundException" => return !self.is_followed(&["(permission denied)"]),
            _ => {}
        }
        match self.marker().role {
            Role::Row(_) if text.starts_with('[') => !self.is_quoted(),
            Role::Level => self.at == 0 || self.window.bytes[self.window.at - 1] == b' ',
            Role::Number => self.number().is_some_and(|number| number > 0),
            Role::Rejected | Role::Invalid => self.number() != Some(0),
            role => !role.is_number() || self.number().is_some(),
        }
    }

    /// What it weighs in a line of that weight: rows and their numbers stand at INFO in every log, and mean no less there.
    pub(super) fn weight(&self, line: Weight) -> Weight {
        match (line, self.marker().role) {
            (Weight::Said, Role::Words | Role::Level) | (Weight::Wordy, _) => line,
            _ => Weight::Full,
        }
    }

    /// The same, with what it stands in kept.
    pub(super) fn kept(self) -> Hit<'static> {
        let Hit { marker, at, window } = self;
        Hit { marker, at, window: Window { bytes: Cow::Owned(window.bytes.into_owned()), ..window } }
    }
}

impl<'a> Window<'a> {
    /// How much must be there on each side of something, in bytes: a secret that reaches into what is shown must be there
    /// as a whole.
    pub(super) fn room(mask: &Mask) -> (usize, usize) {
        (BEFORE + mask.longest(), WIDEST + mask.longest())
    }

    /// What stands around `at` in a text that begins `is_cut_before` or ends `is_cut_behind`.
    pub(super) fn around(text: &'a [u8], at: usize, room: (usize, usize), is_cut_before: bool) -> Self {
        let start = at.saturating_sub(room.0);
        let end = text.len().min(at + room.1);
        Self {
            bytes: Cow::Borrowed(&text[start..end]),
            at: at - start,
            is_cut_before: is_cut_before || start > 0,
            is_cut_behind: end < text.len(),
        }
    }

    /// What stands before it.
    pub(super) fn before(&self) -> &[u8] {
        &self.bytes[..self.at]
    }

    /// What stands so many bytes behind its start.
    pub(super) fn behind(&self, length: usize) -> &[u8] {
        self.bytes.get(self.at + length..).unwrap_or_default()
    }

    /// It as it is shown: the secrets go before anything is cut.
    fn shown(&self, mask: &Mask, what: &str) -> Foreign {
        let text = readable(&self.bytes, self.is_cut_before || self.is_cut_behind);
        let clean = mask.foreign_part(&text, self.is_cut_before, self.is_cut_behind);
        let clean = clean.as_str();
        let from = clean.find(what).unwrap_or_default().saturating_sub(BEFORE);
        let from = (from..=clean.len()).find(|at| clean.is_char_boundary(*at)).unwrap_or_default();
        let more = if from > 0 || self.is_cut_before { "…" } else { "" };
        one_line(&format!("{more}{}", &clean[from..]))
    }
}

impl Line<'_> {
    /// So much of its beginning is needed.
    pub(super) fn shown_from(mask: &Mask) -> usize {
        SHOWN_FROM + mask.longest()
    }

    /// It as it is shown for something in it.
    pub(super) fn shown(&self, mask: &Mask, at: u64, what: &str, window: &Window<'_>) -> Foreign {
        let is_near = usize::try_from(at).is_ok_and(|at| at + what.len() <= NEAR);
        if is_near { self.shown_from_start(mask) } else { window.shown(mask, what) }
    }

    pub(super) fn shown_from_start(&self, mask: &Mask) -> Foreign {
        let room = Self::shown_from(mask);
        let is_cut = !self.is_whole || self.head.len() > room;
        let text = readable(&self.head[..self.head.len().min(room)], is_cut);
        one_line(mask.foreign_part(&text, false, is_cut).as_str())
    }

    /// Whether so much of its beginning says nothing.
    pub(super) fn is_blank(&self, room: usize) -> bool {
        String::from_utf8_lossy(&self.head[..self.head.len().min(room)]).trim().is_empty()
    }

    /// What it weighs by its level.
    pub(super) fn weight(&self) -> Weight {
        /// A level stands behind the time, and before the name of what logs.
        const START: usize = 64;
        let start = &self.head[..self.head.len().min(START)];
        let is_time = |word: &&[u8]| word.iter().all(|byte| byte.is_ascii_digit() || b"-:,.+TZ".contains(byte));
        let level = start.split(|byte| matches!(byte, b' ' | b'\t' | b'[' | b']' | b':')).find(|word| !is_time(word));
        match level {
            Some(b"DEBUG" | b"TRACE") => Weight::Wordy,
            Some(b"INFO" | b"WARN" | b"WARNING") => Weight::Said,
            _ => Weight::Full,
        }
    }
}

fn one_line(text: &str) -> Foreign {
    Foreign::new(&cut(text.trim_end(), WIDEST).replace('\n', " "))
}

/// The number that a text begins with, behind `:`, `=` and spaces: `12`, `1,234,567`, `1.234`.
fn number(text: &[u8]) -> Option<u64> {
    let start = text.iter().position(|byte| !matches!(byte, b' ' | b':' | b'=' | b'\t'))?;
    let mut rest = &text[start..];
    let mut number: Option<u64> = None;
    loop {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_group = number.is_some();
        if digits == 0 || is_group && digits != 3 {
            return number;
        }
        let group = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
        number = Some(rest[..digits].iter().fold(number.unwrap_or_default(), group));
        rest = match &rest[digits..] {
            [b',' | b'.' | b'\'', rest @ ..] => rest,
            _ => return number,
        };
    }
}

/// The number of rows that were not taken, where it does not stand right behind the words: `5 Rows Rejected`,
/// `Rows Rejected - 5`, `Rows Rejected (5)`, `Rows Rejected for period Jan-26: 5`. Of two it is the larger.
fn aside(before: &[u8], behind: &[u8]) -> Option<u64> {
    let (before, behind) = (String::from_utf8_lossy(before), String::from_utf8_lossy(behind));
    let marked = behind.trim_start_matches([' ', '\t', ':', '=', '-', '–', '—', '(', '[']);
    let sentence = behind.find([':', '=']).map(|at| &behind[at..]);
    let word = before.split_whitespace().rev().find(|word| !matches!(*word, "Data" | "Total" | "of"));
    let first = word.filter(|word| word.bytes().all(|byte| byte.is_ascii_digit() || b",.'".contains(&byte)));
    let read = [Some(marked), sentence, first].into_iter().flatten().filter_map(|text| number(text.as_bytes())).max();
    let none = |word: &str| word.eq_ignore_ascii_case("none") || word.eq_ignore_ascii_case("no");
    let is_none = word.is_some_and(none) || none(marked.trim_end_matches('.').trim_end());
    read.or(is_none.then_some(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_with_and_without_marks_between_thousands() {
        let table: [(&str, Option<u64>); 11] = [
            (": 12", Some(12)),
            ("= 1,234,567 rows", Some(1_234_567)),
            (" 1.234", Some(1234)),
            ("1'000", Some(1000)),
            ("0", Some(0)),
            ("12.5", Some(12)),
            ("12,34", Some(12)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("", None),
            (": none", None),
            (":", None),
        ];
        for (text, expected) in table {
            assert_eq!(number(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_number_that_stands_aside_is_read() {
        let table: [(&str, &str, Option<u64>); 14] = [
            ("INFO  [AIF]: 5 ", "", Some(5)),
            ("1,204 Data ", " in all", Some(1204)),
            ("INFO ", " - 5", Some(5)),
            ("INFO ", " – 5", Some(5)),
            ("INFO ", " (5)", Some(5)),
            ("INFO ", " for period Jan-26: 5", Some(5)),
            ("INFO ", " in Feb = 7", Some(7)),
            ("Rows Imported: 12 ", " for Jan-26: 3", Some(12)),
            ("No ", "", Some(0)),
            ("INFO ", ": none", Some(0)),
            ("INFO ", ": see the file", None),
            ("2026-03-22 03:24:27,402 INFO  [AIF]: ", "", None),
            ("03:24 ", " by the target", None),
            ("", "", None),
        ];
        for (before, behind, expected) in table {
            assert_eq!(aside(before.as_bytes(), behind.as_bytes()), expected, "{before}#{behind}");
        }
    }

    #[test]
    fn a_line_weighs_by_its_level_alone() {
        let table = [
            ("2026-03-22 03:24:27,327 DEBUG [AIF]: x", Weight::Wordy),
            ("DEBUG [AIF]: x", Weight::Wordy),
            ("2026-03-22T03:24:27.327Z\t[TRACE] x", Weight::Wordy),
            ("2026-03-22 03:24:27,327 INFO  [AIF]: DEBUG", Weight::Said),
            ("WARN: x", Weight::Said),
            ("[2026-03-22 03:24:27] [WARNING] ERROR x", Weight::Said),
            ("ERROR [AIF]: DEBUG", Weight::Full),
            ("\tat DEBUG", Weight::Full),
            ("a b c d DEBUG", Weight::Full),
            ("", Weight::Full),
        ];
        for (text, expected) in table {
            let line = Line { number: 1, head: text.as_bytes(), is_whole: true };
            assert_eq!(line.weight(), expected, "{text}");
        }
    }
}
