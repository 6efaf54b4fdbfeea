//! A file of `KEY=value` lines that three kinds of readers take: GitLab as a dotenv report, Java as properties (Jenkins),
//! and shells (ci-contracts.md §2, §4). What is harmless to all three is little: ids, numbers, words, names and paths.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::report::Report;
use crate::report::values::{self, text};

/// The step outputs that it holds. GitLab takes 20 variables of a job in all, and other steps want some too.
const NAMES: [&str; 12] = [
    "jobId",
    "status",
    "outcome",
    "exitCode",
    "submitted",
    "reused",
    "jobName",
    "logFileName",
    "outputFileName",
    "durationSeconds",
    "category",
    "logPath",
];

/// The most that a value takes, in bytes: twelve of them stay below the 5 KB at which GitLab refuses the file.
const LONGEST: usize = 370;

/// What means something to one of the readers: everything but letters, digits and `_./:@+-`.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'/').remove(b':').remove(b'@').remove(b'+').remove(b'-');

/// The file. Its names are never those of an input, or a later job would take this one's id for its own.
pub fn render(report: &Report) -> String {
    let values = values::outputs(report);
    let line =
        |name| format!("{}={}\n", key(name), values.get(name).map(|value| fit(&text(value))).unwrap_or_default());
    NAMES.into_iter().map(line).collect()
}

/// `jobId` as `EPM_GATE_JOB_ID`.
fn key(name: &str) -> String {
    name.chars().fold("EPM_GATE_".to_owned(), |mut key, char| {
        if char.is_ascii_uppercase() {
            key.push('_');
        }
        key.push(char.to_ascii_uppercase());
        key
    })
}

/// The value, percent-encoded. Half a name is none: one that does not fit is left out.
fn fit(value: &str) -> String {
    let encoded = utf8_percent_encode(value, ENCODED).to_string();
    if encoded.len() > LONGEST { String::new() } else { encoded }
}
