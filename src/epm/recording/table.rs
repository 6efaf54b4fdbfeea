//! What stands for what: the same original has the same replacement in all of a record, also within longer texts, so that
//! it can still be read who is who.

use std::collections::HashMap;

use super::vocabulary::is_plain;

/// What an original is, as far as its replacement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the customer called something.
    Name,
    /// A user, or an identity domain.
    User,
    /// A host.
    Host,
    /// A file, without its extension.
    File,
    /// A period.
    Period,
    /// A value that the customer chose.
    Value,
    /// A key that is not known.
    Key,
    /// Any other text.
    Text,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::User => "USER",
            Self::Host => "HOST",
            Self::File => "FILE",
            Self::Period => "PERIOD",
            Self::Value => "VALUE",
            Self::Key => "KEY",
            Self::Text => "TEXT",
        }
    }
}

/// Shorter originals are found only where they are whole words: otherwise a job called `A` would be seen everywhere.
const SHORTEST: usize = 4;

/// The replacements that were given out.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By the original in lower case: one name is often spelled in several cases.
    replacements: HashMap<String, String>,
    /// How many there are of each kind.
    counts: [usize; 8],
}

impl Table {
    /// What stands for this original, from now on at the latest.
    pub(super) fn replace(&mut self, kind: Kind, original: &str) -> String {
        let original = original.to_ascii_lowercase();
        if let Some(replacement) = self.replacements.get(&original) {
            return replacement.clone();
        }
        let count = &mut self.counts[kind as usize];
        *count += 1;
        let replacement = format!("{}_{count}", kind.word());
        self.replacements.insert(original, replacement.clone());
        replacement
    }

    /// What stands for this original, where it has been met.
    pub(super) fn known(&self, original: &str) -> Option<&str> {
        self.replacements.get(&original.to_ascii_lowercase()).map(String::as_str)
    }

    /// The originals in a text that is in lower case, as they can be looked for.
    pub(super) fn within<'a>(&'a self, lower: &str) -> Vec<(&'a str, &'a str)> {
        let pairs = self.replacements.iter().filter(|(original, _)| !original.is_empty() && lower.contains(*original));
        let mut found: Vec<_> =
            pairs.map(|(original, replacement)| (original.as_str(), replacement.as_str())).collect();
        // Longest first, so that none is cut by a shorter one within it.
        found.sort_unstable_by_key(|(original, _)| std::cmp::Reverse(original.len()));
        found
    }
}

/// Which of these a text, in lower case, has at this place: the longest, so that none is cut by another within it, and only
/// one that is long enough or a word of its own.
pub(super) fn at<'a>(found: &[(&'a str, &'a str)], lower: &str, place: usize) -> Option<(usize, &'a str)> {
    let rest = &lower[place..];
    let is_word = |original: &str| {
        let before = lower[..place].chars().next_back();
        let after = rest[original.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    };
    let fitting = found.iter().filter(|(original, _)| rest.starts_with(original));
    // A name such as `State` is no part of `IllegalStateException`.
    let is_certain = |original: &str| original.len() >= SHORTEST && !is_plain(original);
    let certain = fitting.filter(|(original, _)| is_certain(original) || is_word(original));
    let (original, replacement) = certain.max_by_key(|(original, _)| original.len())?;
    Some((original.len(), replacement))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_original_has_one_replacement() {
        let mut table = Table::default();
        assert_eq!(table.replace(Kind::Name, "GLDATA"), "NAME_1");
        assert_eq!(table.replace(Kind::Name, "Other"), "NAME_2");
        assert_eq!(table.replace(Kind::User, "bob"), "USER_1");
        assert_eq!(table.replace(Kind::File, "gldata"), "NAME_1");
        assert_eq!((table.known("OTHER"), table.known("x")), (Some("NAME_2"), None));
    }

    #[test]
    fn short_originals_are_found_as_words_alone() {
        let mut table = Table::default();
        table.replace(Kind::Name, "A");
        table.replace(Kind::Name, "Vision");
        let text = "a vision, a provision";
        let found = table.within(text);
        let places: Vec<_> = (0..text.len()).filter(|place| at(&found, text, *place).is_some()).collect();
        assert_eq!(places, [0, 2, 10, 15]);
    }
}
