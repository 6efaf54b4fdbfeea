//! How the lines of the log are written. It is decided before the command line is read as a whole, so that what is wrong
//! with the rest is told in the same format.

use std::ffi::OsString;

use crate::report::console::Format;
use crate::telemetry::context::TraceContext;

use super::Error;
use super::given::{Environment, Values};

const FLAG: &str = "--log-format";

/// The format that the arguments ask for, or else the environment. A word that is wrong is refused by `is_json`, as text.
pub fn log_format(arguments: &[OsString], environment: &Environment, context: &TraceContext) -> Format {
    let word = typed(arguments).or_else(|| environment.get("EPM_LOG_FORMAT"));
    let is_json = word.is_some_and(|word| word.trim().eq_ignore_ascii_case("json"));
    if is_json { Format::Json(context.trace_id) } else { Format::Text }
}

/// The trace that the environment says this run is part of, or its own.
pub fn trace_context(environment: &Environment) -> TraceContext {
    let given = environment.get("TRACEPARENT").and_then(|text| TraceContext::from_traceparent(&text));
    given.unwrap_or_default()
}

/// What is given for the flag, as clap reads it where nothing is wrong.
fn typed(arguments: &[OsString]) -> Option<String> {
    let mut words = arguments.iter().map(|word| word.to_string_lossy()).take_while(|word| word != "--");
    while let Some(word) = words.next() {
        match word.strip_prefix(FLAG) {
            Some("") => return words.next().map(Into::into),
            Some(rest) if rest.starts_with('=') => return Some(rest[1..].to_owned()),
            _ => {}
        }
    }
    None
}

/// Whether JSON is asked for, by a word that is right.
pub(super) fn is_json(values: &Values<'_>) -> Result<bool, Error> {
    values.one("log-format")?.map_or(Ok(false), |given| given.word(&[("text", false), ("json", true)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_flag_before_the_end_of_flags_counts() {
        let table: [(&[&str], Option<&str>); 8] = [
            (&["run"], None),
            (&["run", "--log-format", "json"], Some("json")),
            (&["run", "--log-format=json"], Some("json")),
            (&["run", "--log-format=", "json"], Some("")),
            (&["run", "--log-format"], None),
            (&["run", "--log-formats=json"], None),
            (&["explain", "--", "--log-format=json"], None),
            (&["run", "--nonsense", "--log-format=text", "--log-format=json"], Some("text")),
        ];
        for (words, expected) in table {
            let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert_eq!(typed(&arguments).as_deref(), expected, "{words:?}");
        }
    }
}
