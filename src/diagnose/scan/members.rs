//! The members of the target that a row was not taken for.

use std::borrow::Cow;

use super::line::Hit;
use super::text::readable;

/// No member's name is longer, in bytes; a name that seems to be is none.
const LONGEST: usize = 200;

/// The member that a line names by this marker, where it names one.
pub(super) fn member<'a>(hit: &'a Hit<'_>) -> Option<Cow<'a, str>> {
    let (text, find): (_, fn(&str) -> Option<&str>) = match hit.marker().text {
        "Not Found In Database" => (hit.window.before(), named_last),
        marker @ "The member " => (hit.window.behind(marker.len()), |text| Some(named_first(text))),
        _ => return None,
    };
    // Without a copy, since every other line of a log may name one.
    match readable(text, true) {
        Cow::Borrowed(text) => bare(find(text)?).map(Cow::Borrowed),
        Cow::Owned(text) => bare(find(&text)?).map(|name| Cow::Owned(name.to_owned())),
    }
}

/// A name without what stands around it, where it can be one.
fn bare(name: &str) -> Option<&str> {
    let name = name.trim().trim_matches(['"', '\'', '[', ']']).trim_end_matches(['.', ',', ':']).trim();
    (!name.is_empty() && name.len() <= LONGEST).then_some(name)
}

/// The name that a text ends with: `Member X`, before `Not Found In Database`.
fn named_last(text: &str) -> Option<&str> {
    text.rsplit_once("Member ").map(|(_, name)| name)
}

/// The name that a sentence begins with, before `does not exist ...`: what stands in quotes, what stands before a verb, or
/// else a word.
fn named_first(sentence: &str) -> &str {
    const VERBS: [&str; 5] = [" does not ", " is ", " was ", " cannot ", " has "];
    for quote in ['"', '\''] {
        if let Some((name, _)) = sentence.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return name;
        }
    }
    let verb = VERBS.iter().filter_map(|verb| sentence.find(verb)).min();
    let end = verb.or_else(|| sentence.find(char::is_whitespace)).unwrap_or(sentence.len());
    &sentence[..end]
}

#[cfg(test)]
mod tests {
    use super::named_first;

    #[test]
    fn a_member_is_named_by_quotes_by_a_verb_or_by_a_word() {
        let table = [
            ("4711-X does not exist for the cube", "4711-X"),
            ("\"Net Income\" is not valid", "Net Income"),
            ("'A 1' x", "A 1"),
            ("Net Income is dynamic", "Net Income"),
            ("A1 (Account)", "A1"),
            ("A1", "A1"),
        ];
        for (sentence, expected) in table {
            assert_eq!(named_first(sentence), expected);
        }
    }
}
