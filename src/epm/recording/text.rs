//! What is kept of free text: words of the vocabulary, codes of EPM, and how it is built.

use super::table::{self, Table};
use super::vocabulary::{is_composed, is_function, is_naming, is_plain, is_word};

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
    let mut naming = Naming::Nothing;
    while let Some(char) = text[place..].chars().next() {
        let (length, word) = if let Some(known) = table::at(&found, &lower, place) {
            naming = naming.past_a_word();
            known
        } else {
            let (length, word) = token(text, place, char);
            let (next, is_name) = naming.after(&text[place..place + length], &text[place + length..]);
            naming = next;
            (length, if is_name { "x" } else { word })
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

/// Whether what comes is what somebody calls something, by the words before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// It is not.
    Nothing,
    /// What is named was said: `application`, and whether `name` was.
    Announced { is_name: bool },
    /// In the middle of a name.
    Within,
    /// In the middle of a name in these quotes.
    Quoted(char),
}

impl Naming {
    /// A word that is replaced whatever it is.
    fn past_a_word(self) -> Self {
        if let Self::Announced { .. } = self { Self::Within } else { self }
    }

    /// What comes after this token, and whether the token is of a name.
    fn after(self, token: &str, rest: &str) -> (Self, bool) {
        let first = token.chars().next().unwrap_or_default();
        if first.is_alphanumeric() {
            return self.after_word(token);
        }
        let next = match self {
            _ if first == '\n' => Self::Nothing,
            Self::Quoted(quote) if first == quote => Self::Nothing,
            Self::Announced { .. } if matches!(first, '"' | '\'') => Self::Quoted(first),
            Self::Announced { .. } if ":=([{".contains(first) => self,
            Self::Announced { .. } | Self::Within if ends_a_name(first, rest) => Self::Nothing,
            _ => self,
        };
        (next, false)
    }

    fn after_word(self, word: &str) -> (Self, bool) {
        let is_name =
            matches!(word.to_ascii_lowercase().as_str(), "name" | "names" | "named" | "called" | "id" | "code");
        match self {
            Self::Quoted(_) => (self, true),
            Self::Nothing if is_naming(word) => (Self::Announced { is_name }, false),
            Self::Nothing => (self, false),
            Self::Announced { .. } if is_name => (Self::Announced { is_name }, false),
            // The name is still to come: `the name is Core`.
            Self::Announced { is_name: true } if matches!(word, "is" | "was") => (self, false),
            Self::Announced { .. } | Self::Within if is_function(word) => (Self::Nothing, false),
            Self::Announced { .. } | Self::Within => (Self::Within, true),
        }
    }
}

/// Whether a sign ends a name: names have dots, strokes and the like within them.
fn ends_a_name(sign: char, rest: &str) -> bool {
    ",:;()[]{}'\"=<>!?".contains(sign) || sign == '.' && !rest.starts_with(char::is_alphanumeric)
}

/// The token at a place: how long it is, and what is kept of it.
fn token(text: &str, place: usize, char: char) -> (usize, &str) {
    let rest = &text[place..];
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
    let word = &rest[..rest.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(rest.len())];
    (word.len(), kept(word, &text[..place], &rest[word.len()..]))
}

fn kept<'a>(word: &'a str, before: &str, after: &str) -> &'a str {
    let is_exception = word.ends_with("Exception") || word.ends_with("Error");
    let is_joined = before.strip_suffix(['-', '_']).is_some_and(|before| before.ends_with(char::is_alphanumeric))
        || after.strip_prefix('-').is_some_and(|after| after.starts_with(char::is_alphanumeric));
    match word {
        // Essbase's number for a member that is not there (epm-api.md §10.3).
        "3303" if before.trim_end_matches(' ').ends_with("Error:") => word,
        _ if word.chars().all(|char| char.is_ascii_digit()) => "0",
        _ if is_word(word) => word,
        // Words that are joined are what somebody calls something.
        _ if !is_joined && (is_plain(word) || is_exception && !word.contains('_') && is_composed(word)) => word,
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
            ("EPMFDM-1401490: x", "x-0: x"),
            ("java.io.FileNotFoundException: /u03/inbox/GLBALANCE.csv", "java.io.FileNotFoundException: /x/inbox/x.x"),
            ("Error: 3303 Member 4711-X Not Found In Database", "Error: 3303 x x-x Not Found In Database"),
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
    fn what_a_sentence_calls_by_name_is_lost_whatever_its_words_are() {
        for (text, expected) in [
            ("the application General Core failed", "the application x x x"),
            ("user 'Data Manager' is locked", "user 'x x' is locked"),
            ("Invalid Rule Name: Load & Data-Map, again", "Invalid Rule Name: x & x-x, x"),
            ("the application name is General Core.", "the application name is x x."),
            ("Rules Load and Check", "Rules x and Check"),
            ("location (Core) is closed", "location (x) is closed"),
            ("file inbox/Data.Final not found", "file x/x.x not found"),
            ("period\nFinal", "period\nFinal"),
            ("DATA_LOAD, DATA-LOAD and COMM_LOAD_BALANCES", "x, x-x and COMM_LOAD_BALANCES"),
            ("The application is not available", "The application is not available"),
        ] {
            assert_eq!(redacted(&Table::default(), text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(redacted(&Table::default(), &"ä".repeat(LONGEST)), "x");
        assert!(redacted(&Table::default(), &"a b ".repeat(LONGEST)).len() <= LONGEST);
    }
}
