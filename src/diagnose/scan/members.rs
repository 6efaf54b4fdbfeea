//! The members of the target that a row was not taken for.

use super::line::Hit;
use super::text::readable;

/// No member's name is longer, in bytes; a name that seems to be is none.
const LONGEST: usize = 200;

/// The member that a line names by this marker, where it names one.
pub(super) fn member(hit: &Hit<'_>) -> Option<String> {
    let name = match hit.marker().text {
        // `Member X Not Found In Database`
        "Not Found In Database" => {
            let before = readable(hit.window.before(), true).into_owned();
            before[before.rfind("Member ")? + "Member ".len()..].to_owned()
        }
        // `The member X does not exist ...`
        marker @ "The member " => named(&readable(hit.window.behind(marker.len()), true)),
        _ => return None,
    };
    let name = name.trim().trim_matches(['"', '\'', '[', ']']).trim_end_matches(['.', ',', ':']).trim();
    (!name.is_empty() && name.len() <= LONGEST).then(|| name.to_owned())
}

/// The name that a sentence begins with: what stands in quotes, what stands before a verb, or else a word.
fn named(sentence: &str) -> String {
    const VERBS: [&str; 5] = [" does not ", " is ", " was ", " cannot ", " has "];
    for quote in ['"', '\''] {
        if let Some((name, _)) = sentence.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return name.to_owned();
        }
    }
    let verb = VERBS.iter().filter_map(|verb| sentence.find(verb)).min();
    let end = verb.or_else(|| sentence.find(char::is_whitespace)).unwrap_or(sentence.len());
    sentence[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::named;

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
            assert_eq!(named(sentence), expected);
        }
    }
}
