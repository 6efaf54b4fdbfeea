//! Text that others wrote: cleaned once at the door, masked, cut, and made harmless for the log of a CI runner.
//!
//! Runners read commands out of the log: GitHub `::cmd::` at the start of a line and `##[cmd]` anywhere in one, Azure
//! `##vso[...]` anywhere, and it warns of a bare `##vso` (ci-contracts.md §1.3, §1.4, §3.1; azure-pipelines-agent
//! `Command.cs`). What each other destination needs (a markdown cell, a step
//! output) stands in the file that writes to it.

use std::borrow::Cow;
use std::fmt;
use std::iter::Peekable;
use std::path::Path;
use std::str::Chars;

use serde::{Deserialize, Serialize};

/// Text that came from EPM. It holds no control characters but `\n` and tabs, no escape sequences and nothing that
/// turns the direction of writing, whatever was sent.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Foreign(String);

impl Foreign {
    /// Cleans a text.
    pub fn new(text: &str) -> Self {
        Self(clean(text))
    }

    /// The clean text, its lines included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first line that says something.
    pub fn first_line(&self) -> &str {
        self.0.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
    }
}

/// Whatever has lain in a file since is foreign again.
impl From<String> for Foreign {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What must never be seen in a text of others: an error of a proxy or a pod can quote what it was sent.
#[derive(Clone, Default)]
pub struct Mask {
    /// Longest first, so that no form is cut by a shorter one within it.
    forms: Vec<String>,
}

impl Mask {
    /// Secrets of fewer bytes are not masked: replacing every `a` would hide the answer and guard nothing.
    const SHORTEST: usize = 4;

    /// Masks these secrets, each in every form in which it travels.
    pub fn new(forms: impl IntoIterator<Item = String>) -> Self {
        let mut forms: Vec<String> = forms.into_iter().filter(|form| form.len() >= Self::SHORTEST).collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self { forms }
    }

    /// Hides these too: a secret that was renewed may still come back.
    pub fn extend(&mut self, forms: impl IntoIterator<Item = String>) {
        *self = Self::new(self.forms.drain(..).chain(forms).collect::<Vec<_>>());
    }

    /// The length of the longest form, in bytes: so much of a text must be there for it to be found.
    pub fn longest(&self) -> usize {
        self.forms.first().map(String::len).unwrap_or_default()
    }

    /// Cleans a text and hides every secret in it; in this order, since cleaning could join the halves of one.
    pub fn foreign(&self, text: &str) -> Foreign {
        let clean = clean(text);
        Foreign(self.forms.iter().fold(clean, |text, form| {
            if text.contains(form.as_str()) { text.replace(form.as_str(), "***") } else { text }
        }))
    }

    /// The same for a text that was cut off: it loses what may be half of a secret at its end.
    pub fn foreign_start(&self, text: &str) -> Foreign {
        self.foreign_part(text, false, true)
    }

    /// The same for a text that was cut out of a longer one, before it, behind it, or both.
    pub fn foreign_part(&self, text: &str, is_cut_before: bool, is_cut_behind: bool) -> Foreign {
        let clean = clean(text);
        let mut text = clean.as_str();
        // A cut through a character leaves the sign of one that cannot be read.
        if is_cut_behind {
            text = text.trim_end_matches('\u{fffd}');
            let is_half = |at: &usize| self.forms.iter().any(|form| form.starts_with(&text[*at..]));
            let end = text.char_indices().map(|(at, _)| at).find(is_half).unwrap_or(text.len());
            text = &text[..end];
        }
        if is_cut_before {
            text = text.trim_start_matches('\u{fffd}');
            let is_half = |at: &usize| self.forms.iter().any(|form| form.ends_with(&text[..*at]));
            let longest = text.len().min(self.longest());
            let start = (0..=longest).rev().filter(|at| text.is_char_boundary(*at)).find(is_half).unwrap_or_default();
            text = &text[start..];
        }
        // Only now: a short secret that is masked within half of a longer one would show the rest of that.
        self.foreign(text)
    }
}

/// The text without what a terminal or a runner could obey: escape sequences, control characters (every kind of line
/// end becomes `\n`), and the invisible characters that turn or hide text.
fn clean(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' => {
                chars.next_if_eq(&'\n');
                kept.push('\n');
            }
            '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => kept.push('\n'),
            '\n' | '\t' => kept.push(char),
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => skip_string(&mut chars),
            _ if char.is_control() || is_invisible(char) => {}
            _ => kept.push(char),
        }
    }
    kept
}

/// Whether a character is seen where it is printed, and is obeyed by nothing; a line end is.
pub fn is_shown(char: char) -> bool {
    char == '\n' || !char.is_control() && !is_invisible(char) && !matches!(char, '\u{2028}' | '\u{2029}')
}

fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Skips what follows an ESC (ECMA-48 §5.3): a control sequence, a string, or one character after intermediates.
fn skip_escape(chars: &mut Peekable<Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_control_sequence(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        _ => {
            while chars.next_if(|char| matches!(char, ' '..='/')).is_some() {}
            chars.next_if(|char| matches!(char, '0'..='~'));
        }
    }
}

fn skip_control_sequence(chars: &mut Peekable<Chars<'_>>) {
    while chars.next_if(|char| matches!(char, ' '..='?')).is_some() {}
    chars.next_if(|char| matches!(char, '@'..='~'));
}

/// Skips a control string to its end, but never past the line: what is not closed must not hide the lines below it.
fn skip_string(chars: &mut Peekable<Chars<'_>>) {
    while let Some(char) = chars.next_if(|char| !matches!(char, '\n' | '\r')) {
        match char {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' => {
                chars.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

/// The clean text on one line.
pub fn one_line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ").trim().to_owned()
}

/// The same where it starts no command of any CI runner, wherever in a line of the log it is put.
pub fn log_line(text: &str) -> String {
    defused(&one_line(text))
}

/// A line of the log, its command broken by a space where it would be one: `::` at the start, `##[`, `##word[` or `##vso`
/// anywhere.
pub fn defused(line: &str) -> String {
    let mut safe = String::with_capacity(line.len());
    for (at, char) in line.char_indices() {
        safe.push(char);
        let rest = &line[at + char.len_utf8()..];
        let opens_command = char == '#' && rest.strip_prefix('#').is_some_and(is_command);
        let starts_command = char == ':' && rest.starts_with(':') && line[..at].trim().is_empty();
        if opens_command || starts_command {
            safe.push(' ');
        }
    }
    safe
}

fn is_command(text: &str) -> bool {
    let rest = text.trim_start_matches(|char: char| char.is_ascii_alphabetic());
    rest.starts_with('[') || text[..text.len() - rest.len()].to_ascii_lowercase().starts_with("vso")
}

/// The text as a name within a sentence of ours: on one line, between backticks, without a backtick of its own. In
/// markdown that is a code span which nothing can leave, so whole sentences may stand there as they are.
pub fn quote(text: &str) -> String {
    /// A name or a message is readable up to here.
    const LONGEST: usize = 300;
    quote_whole(&cut(&log_line(text), LONGEST))
}

/// The same for what is no use in part, such as a command.
pub fn quote_whole(text: &str) -> String {
    let line = log_line(text).replace('`', "'");
    // Two backticks with nothing between them would open a longer span.
    if line.is_empty() { "`(empty)`".to_owned() } else { format!("`{line}`") }
}

/// A path in the same way.
pub fn quote_path(path: &Path) -> String {
    quote(&path.display().to_string())
}

/// Lists words of ours as `a`, `b`.
pub fn backticked(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The text, no longer than `most` bytes; what was cut ends in `…`.
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    const MARK: &str = "…";
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let mut end = most.saturating_sub(MARK.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mark = if most < MARK.len() { "" } else { MARK };
    Cow::Owned(format!("{}{mark}", &text[..end]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_and_control_characters_are_gone() {
        let table = [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("\u{1b}]never closed\nnext line", "\nnext line"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}(Bx", "x"),
            ("a\r\nb\rc\u{b}d\u{2028}e", "a\nb\nc\nd\ne"),
            ("a\u{0}\u{8}\u{7f}b\tc", "ab\tc"),
            ("abc\u{202e}fdp.exe\u{2066}", "abcfdp.exe"),
            ("Konto Größe – 日本語", "Konto Größe – 日本語"),
        ];
        for (text, expected) in table {
            assert_eq!(Foreign::new(text).as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_of_the_log_starts_no_command() {
        let table = [
            ("::error::boo", ": :error::boo"),
            ("  ::error::boo", ": :error::boo"),
            ("a ::error::boo", "a ::error::boo"),
            ("x ##[error]boo", "x # #[error]boo"),
            ("###vso[task.complete]", "## #vso[task.complete]"),
            ("say ##VSO and ##vsotask", "say # #VSO and # #vsotask"),
            ("## a heading [x]", "## a heading [x]"),
            ("#\u{200b}#[error]", "# #[error]"),
            ("one\ntwo\r\nthree", "one two three"),
            (":\u{1b}[0m:stop-commands::x", ": :stop-commands::x"),
        ];
        for (text, expected) in table {
            assert_eq!(log_line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_quoted_text_cannot_leave_its_code_span() {
        assert_eq!(quote("GL `x`</details>\n\n# h"), "`GL 'x'</details>  # h`");
        assert_eq!(quote(&"x".repeat(400)).len(), 302);
        assert_eq!(quote_whole(&"x".repeat(400)).len(), 402);
        assert_eq!(quote("\n"), "`(empty)`");
    }

    #[test]
    fn the_first_line_is_the_first_that_says_something() {
        assert_eq!(Foreign::new("\n \n  first \nsecond").first_line(), "first");
        assert_eq!(Foreign::new("").first_line(), "");
    }

    #[test]
    fn a_secret_is_masked_even_where_cleaning_joins_it() {
        let mask = Mask::new(["s3cret".to_owned(), "s3cret-and-more".to_owned(), "abc".to_owned()]);
        assert_eq!(mask.foreign("Basic s3cr\u{1b}[0met, s3cret-and-more abc").as_str(), "Basic ***, *** abc");
    }

    #[test]
    fn half_a_secret_is_masked_where_a_text_was_cut() {
        let mask = Mask::new(["s3cret".to_owned(), "s3c-other".to_owned(), "s3cret-and-more".to_owned()]);
        let table = [
            ("no s3cre", "no "),
            ("no s3cret-and", "no "),
            ("no s3c\u{1b}[0m-oth\u{fffd}", "no "),
            ("a s3cret", "a "),
            ("a s3cret s", "a *** "),
            ("s3x", "s3x"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(mask.foreign_start(text).as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn half_a_secret_is_masked_where_a_text_was_cut_before() {
        let mask = Mask::new(["s3cret".to_owned(), "s3cret-and-more".to_owned()]);
        let table = [
            ("cret no", " no"),
            ("t-and-more no", " no"),
            ("\u{fffd}cr\u{1b}[0met no", " no"),
            ("s3cret no", " no"),
            ("more s3cret s3c", " *** "),
            ("ok s3c", "ok "),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(mask.foreign_part(text, true, true).as_str(), expected, "{text:?}");
        }
    }

    /// How actions/runner and the Azure agent find a command in a line (ci-contracts.md §1.3, §3.1), written anew.
    fn is_obeyed(line: &str) -> bool {
        line.trim_start().starts_with("::") || line.contains("##[") || line.contains("##vso")
    }

    proptest! {
        #[test]
        fn no_text_becomes_a_command_of_the_log(text in "([:#\\[\\]vso \t\r\n\u{1b}\u{200b}a]|\\PC){0,40}") {
            let line = log_line(&text);
            prop_assert!(!is_obeyed(&line), "{line:?}");
            prop_assert!(!line.chars().any(char::is_control));
            let within = format!("job 1: {line}");
            prop_assert!(!is_obeyed(&within));
        }

        #[test]
        fn cleaning_is_final_and_leaves_no_control(text in any::<String>()) {
            let once = clean(&text);
            prop_assert!(once.chars().all(|char| !char.is_control() || matches!(char, '\n' | '\t')));
            prop_assert_eq!(clean(&once), once);
        }

        #[test]
        fn a_cut_text_fits_and_is_a_prefix(text in any::<String>(), most in 0_usize..80) {
            let short = cut(&text, most);
            prop_assert!(short.len() <= most);
            prop_assert!(text.starts_with(short.strip_suffix('…').unwrap_or(&short)));
            prop_assert_eq!(short.as_ref() == text, text.len() <= most || text == short);
        }
    }
}
