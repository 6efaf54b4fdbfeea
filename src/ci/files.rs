//! A folder with a file per step output, as Tekton takes results and Argo takes parameters: the content is the value,
//! without a line end.

use serde_json::{Map, Value};

use crate::foreign::cut;
use crate::report::Report;
use crate::report::values::{self, text};

/// What Tekton passes on from all results of a task together, in bytes, less its own part (ci-contracts.md §5).
pub const LARGEST: usize = 3 * 1024;

/// What one text may take of it, so that no name pushes the others out.
const LONGEST_TEXT: usize = 120;

/// The names of the files: those of the step outputs.
pub fn names() -> Vec<String> {
    values::outputs(&Report::default()).into_iter().map(|(name, _)| name).collect()
}

/// The files and their contents. Together they stay below [`LARGEST`]: long texts are cut, and `jobs`, which would be
/// no JSON any more, is left empty where it does not fit.
pub fn contents(values: &Map<String, Value>) -> Vec<(String, String)> {
    let mut room = LARGEST;
    let mut files = Vec::new();
    let is_last = |name: &str| matches!(name, "details" | "jobs");
    let (last, first): (Vec<_>, Vec<_>) = values.iter().partition(|(name, _)| is_last(name));
    for (name, value) in first.into_iter().chain(last) {
        let whole = text(value);
        let content = match name.as_str() {
            "details" => cut(&whole, room.min(LARGEST / 3)).into_owned(),
            "jobs" if whole.len() > room => String::new(),
            "jobs" | "logFileName" | "outputFileName" => whole,
            _ => cut(&whole, LONGEST_TEXT).into_owned(),
        };
        let content = if content.len() > room { String::new() } else { content };
        room -= content.len();
        files.push((name.clone(), content));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, Value)]) -> Map<String, Value> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn content<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
        files.iter().find(|(file, _)| file == name).map(|(_, content)| content.as_str()).unwrap()
    }

    #[test]
    fn each_output_is_a_file_and_an_absent_one_is_empty() {
        let files = contents(&values(&[("jobId", 2100.into()), ("jobName", Value::Null), ("reused", false.into())]));
        assert_eq!(content(&files, "jobId"), "2100");
        assert_eq!(content(&files, "jobName"), "");
        assert_eq!(content(&files, "reused"), "false");
    }

    #[test]
    fn long_texts_stay_below_the_limit_together() {
        let jobs: Value = (0..100).map(|number| Value::from(format!("job {number}"))).collect();
        let long = || Value::from("ü".repeat(5000));
        let files = contents(&values(&[
            ("jobId", 2100.into()),
            ("details", long()),
            ("jobs", Value::Array(vec![jobs.clone(); 9])),
            ("jobName", long()),
            ("executedBy", long()),
            ("logFileName", long()),
        ]));
        assert!(files.iter().map(|(_, content)| content.len()).sum::<usize>() <= LARGEST);
        assert_eq!(content(&files, "jobs"), "");
        assert!(content(&files, "details").ends_with('…'));
        assert!(content(&files, "jobName").len() <= LONGEST_TEXT);
        assert_eq!(content(&files, "logFileName"), "");
    }
}
