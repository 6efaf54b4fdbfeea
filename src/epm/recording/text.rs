//! What is kept of free text: words of the vocabulary, codes of EPM, and how it is built.

use super::table::{self, Table};
use super::vocabulary::{is_composed, is_plain};

/// How much of a text is looked at, in bytes.
const LONGEST: usize = 8 * 1024;

/// Signs that are kept, though never more than two in a row.
const SIGNS: &str = ".,:;()[]{}'\"/\\-=<>!?#@*&%+|_";

/// A text in which every word that is not known is `x`, every number `0`, and every name what stands for it. One that said
/// something still does.
pub(super) fn redacted(table: &Table, text: &str) -> String {
    let text = start(text);
    let lower = text.to_ascii_lowercase();
    let found = table.within(&lower);
    let mut kept = String::new();
    let mut signs = 0;
    let mut place = 0;
    while let Some(char) = text[place..].chars().next() {
        let (length, word) = match table::at(&found, &lower, place) {
            Some((length, replacement)) => (length, replacement),
            None => token(&text[place..], char),
        };
        signs = if is_sign(char) && word.len() == 1 { signs + 1 } else { 0 };
        if signs <= 2 {
            kept.push_str(word);
        }
        place += length;
    }
    if is_absent(&kept) && !is_absent(text) { "x".to_owned() } else { kept }
}

/// Whether a text says nothing, as EPM spells that (epm-api.md §1.4).
pub(super) fn is_absent(text: &str) -> bool {
    matches!(text, "" | "null")
}

fn start(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

fn is_sign(char: char) -> bool {
    !char.is_alphanumeric() && !char.is_whitespace()
}

/// The next token: how long it is, and what is kept of it.
fn token(rest: &str, char: char) -> (usize, &str) {
    if let Some(code) = code(rest) {
        return (code.len(), code);
    }
    if !char.is_alphanumeric() {
        let kept = match char {
            '\n' => "\n",
            _ if char.is_whitespace() => " ",
            _ if SIGNS.contains(char) => &rest[..1],
            _ => "?",
        };
        return (char.len_utf8(), kept);
    }
    let word = &rest[..rest.find(|char: char| !char.is_alphanumeric()).unwrap_or(rest.len())];
    (word.len(), kept(word))
}

fn kept(word: &str) -> &str {
    let is_exception = word.ends_with("Exception") || word.ends_with("Error");
    match word {
        // Essbase's number for a member that is not there (epm-api.md §10.3).
        "3303" => word,
        _ if word.chars().all(|char| char.is_ascii_digit()) => "0",
        _ if is_plain(word) || is_exception && is_composed(word) => word,
        _ => "x",
    }
}

/// A code of EPM's: all that were seen begin with 14 (epm-api.md §10.1, §10.2).
fn code(rest: &str) -> Option<&str> {
    let code = rest.get(..13).filter(|code| code.starts_with("EPMFDM-14"))?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let ends = !rest[13..].starts_with(|char: char| char.is_alphanumeric());
    (is_number(&code[7..]) && ends).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::super::table::Kind;
    use super::*;

    #[test]
    fn a_message_keeps_what_is_oracles_and_loses_what_is_the_customers() {
        let mut table = Table::default();
        table.replace(Kind::Name, "GL Data");
        let table_of = [
            ("EPMFDM-140149: Invalid Integration Name: gl data", "EPMFDM-140149: Invalid Integration Name: NAME_1"),
            ("EPMFDM-1401490: x", "EPMFDM-0: x"),
            ("java.io.FileNotFoundException: /u03/inbox/GLBALANCE.csv", "java.io.FileNotFoundException: /x/inbox/x.x"),
            ("Error: 3303 Member 4711-X Not Found In Database", "Error: 3303 x 0-x Not Found In Database"),
            ("Summe 1.234,56 für Müller", "x 0.0,0 x x"),
            ("JobException DataLoad", "JobException x"),
            ("a\r\n\tb\u{2014}!!!! ->", "a \n x?! ->"),
            ("", ""),
            ("null", "null"),
            ("\u{2003}", " "),
        ];
        for (text, expected) in table_of {
            assert_eq!(redacted(&table, text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(redacted(&Table::default(), &"ä".repeat(LONGEST)), "x");
        assert!(redacted(&Table::default(), &"a b ".repeat(LONGEST)).len() <= LONGEST);
    }
}
