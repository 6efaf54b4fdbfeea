//! What is a file called in the path of a download?

use percent_encoding::percent_decode_str;

use crate::scenario::Separator;

/// Whether one raw path segment names the file, decoded once and no more. // epm-api.md §4.1
pub(crate) fn is_named(segment: &str, file: &str, separator: Separator) -> bool {
    let accepted = match separator {
        Separator::Slash => home(file),
        Separator::Backslash => home(file).replace('/', "\\"),
    };
    percent_decode_str(segment).decode_utf8().is_ok_and(|name| name == accepted)
}

/// The place in the service's home of a name that comes in three spellings. // epm-api.md §3.4
fn home(file: &str) -> String {
    let file = file.replace('\\', "/");
    match file.find("outbox/") {
        Some(start) => file[start..].to_owned(),
        None => file.trim_start_matches('/').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{home, is_named};
    use crate::scenario::Separator::{Backslash, Slash};

    #[test]
    fn three_spellings_are_one_file() {
        for (spelling, file) in [
            ("outbox/logs/X_1881.log", "outbox/logs/X_1881.log"),
            ("\\outbox\\logs\\BATCH1_7595.log", "outbox/logs/BATCH1_7595.log"),
            ("/u03/inbox/outbox/logs/Vision_271.log", "outbox/logs/Vision_271.log"),
            ("/x.log", "x.log"),
        ] {
            assert_eq!(home(spelling), file, "{spelling}");
        }
    }

    #[test]
    fn a_segment_is_decoded_once_and_has_the_right_separator() {
        let file = "outbox/logs/100% é.log";
        for (segment, separator, named) in [
            ("outbox%2Flogs%2F100%25%20%C3%A9.log", Slash, true),
            ("outbox%2flogs%2f100%25%20%c3%a9.log", Slash, true),
            ("outbox%252Flogs%252F100%2525%2520.log", Slash, false),
            ("outbox%5Clogs%5C100%25%20%C3%A9.log", Slash, false),
            ("outbox%5Clogs%5C100%25%20%C3%A9.log", Backslash, true),
            ("outbox%2Flogs%2F100%25%20%C3%A9.log", Backslash, false),
            ("%2Foutbox%2Flogs%2F100%25%20%C3%A9.log", Slash, false),
            ("100%25%20%C3%A9.log", Slash, false),
        ] {
            assert_eq!(is_named(segment, file, separator), named, "{segment} {separator:?}");
        }
    }
}
