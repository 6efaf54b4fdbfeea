//! What XML and HTML have in common: a text that stays a text.

use crate::foreign::Foreign;

/// A text as the content of an element, or of an attribute between double quotes. What XML has no way to write is gone.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for char in Foreign::new(text).as_str().chars() {
        match char {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            _ => safe.push(char),
        }
    }
    safe
}
