//! How a line of the log is written: as text for people, or as a JSON object for programs.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::Value;

use crate::digest::hexadecimal;
use crate::foreign::{log_line, one_line};
use crate::job::JobId;
use crate::report::values::harmless;

/// How the lines of the log are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Text.
    #[default]
    Text,
    /// An object a line, each with the id of the trace that the run is part of.
    Json([u8; 16]),
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// A request.
    Debug,
    /// A change of state, a heartbeat, a pass.
    Info,
    /// Something that may need a person.
    Warn,
    /// An end that is no pass.
    Error,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl Format {
    /// An error that ends the process where there is no console, with the end of its line.
    pub fn last_line(self, text: &str) -> String {
        match self {
            Self::Text => log_line(text) + "\n",
            Self::Json(trace) => json(Timestamp::now(), Level::Error, text, trace, None),
        }
    }
}

/// A line as a JSON object, with the end of its line. A runner finds no command in it: it begins with a brace, and `##`
/// is written as an escape.
pub(super) fn json(time: Timestamp, level: Level, text: &str, trace: [u8; 16], job: Option<JobId>) -> String {
    let message = harmless(&Value::from(one_line(text)).to_string());
    let (level, trace) = (level.word(), hexadecimal(&trace));
    let mut line =
        format!("{{\"time\":\"{time:.3}\",\"level\":\"{level}\",\"message\":{message},\"trace_id\":\"{trace}\"");
    if let Some(job) = job {
        let _ = write!(line, ",\"job_id\":{job}");
    }
    line + "}\n"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TRACE: [u8; 16] = [0x4b; 16];

    fn read(line: &str) -> Value {
        let line = line.strip_suffix('\n').unwrap();
        assert!(!line.contains(['\n', '\r']), "{line:?}");
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    #[test]
    fn a_line_has_its_fields_in_their_order() {
        let time = "2026-11-25T12:00:00.1239Z".parse().unwrap();
        assert_eq!(
            json(time, Level::Info, "job 2100: \"done\"", TRACE, JobId::new(2100)),
            "{\"time\":\"2026-11-25T12:00:00.123Z\",\"level\":\"info\",\"message\":\"job 2100: \\\"done\\\"\",\
             \"trace_id\":\"4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b\",\"job_id\":2100}\n"
        );
        let line = read(&json(time, Level::Debug, "x", TRACE, None));
        assert_eq!((&line["level"], line.get("job_id")), (&json!("debug"), None));
    }

    #[test]
    fn the_last_words_are_a_line_too() {
        let panic = "thread 'main' panicked at src/main.rs:1:1:\nas the test ##[wants] it";
        assert_eq!(
            Format::Text.last_line(panic),
            "thread 'main' panicked at src/main.rs:1:1: as the test # #[wants] it\n"
        );
        let line = read(&Format::Json(TRACE).last_line(panic));
        let told = "thread 'main' panicked at src/main.rs:1:1: as the test ##[wants] it";
        assert_eq!((&line["level"], &line["message"]), (&json!("error"), &json!(told)));
    }

    proptest! {
        #[test]
        fn whatever_is_said_is_one_object_that_starts_no_command(text in "([:#\\[\\]vso \t\r\n\u{1b}\u{202e}\"\\\\$(a]|\\PC){0,40}") {
            let line = json(Timestamp::now(), Level::Warn, &text, TRACE, None);
            prop_assert!(!line.contains("##") && !line.contains("$(") && line.starts_with('{'), "{line:?}");
            prop_assert!(!line.trim_end().chars().any(char::is_control));
            prop_assert_eq!(&read(&line)["message"], &Value::from(one_line(&text)));
        }
    }
}
