//! What a run left behind.

use std::collections::BTreeMap;
use std::path::Path;

use super::text_of;

/// A run that is over.
pub(crate) struct Ran {
    /// The exit code; 128 and more where a signal ended it uncaught.
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// A file per step output, by `--outputs-dir`.
    pub(crate) files: BTreeMap<String, String>,
    /// `GITHUB_OUTPUT`, as it stands.
    pub(crate) github_output: String,
    /// What the runner reads from it.
    pub(crate) github: BTreeMap<String, String>,
    /// `--summary`
    pub(crate) summary: String,
    /// `GITHUB_STEP_SUMMARY`
    pub(crate) github_summary: String,
    /// `--record`
    pub(crate) record: String,
    /// `--report`
    pub(crate) report: String,
}

impl Ran {
    pub(super) fn collect(code: i32, stdout: String, stderr: String, dir: &Path) -> Self {
        let github_output = text_of(&dir.join("github-output"));
        let github = parse_github_output(&github_output).unwrap_or_else(|error| panic!("{error}:\n{github_output}"));
        let summary = text_of(&dir.join("summary.md"));
        let github_summary = text_of(&dir.join("github-summary.md"));
        Self {
            code,
            stdout,
            stderr,
            files: files_in(&dir.join("outputs")),
            github_output,
            github,
            summary,
            github_summary,
            record: text_of(&dir.join("record.jsonl")),
            report: text_of(&dir.join("report.json")),
        }
    }

    /// A step output, by its file.
    pub(crate) fn output(&self, name: &str) -> &str {
        self.files.get(name).unwrap_or_else(|| panic!("no step output `{name}`: {self:?}"))
    }

    /// Outcome and exit code, which belong together.
    pub(crate) fn end(&self) -> (i32, &str) {
        (self.code, self.output("outcome"))
    }

    /// The step output `jobs`.
    pub(crate) fn jobs(&self) -> serde_json::Value {
        serde_json::from_str(self.output("jobs")).expect("`jobs` is JSON")
    }

    /// Whether the log holds each of these somewhere.
    #[track_caller]
    pub(crate) fn mentions(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.stderr.contains(part), "the log never says {part:?}:\n{}", self.stderr);
        }
    }

    /// Whether a line of the log holds all of these.
    #[track_caller]
    pub(crate) fn says(&self, parts: &[&str]) {
        let told = self.stderr.lines().any(|line| parts.iter().all(|part| line.contains(part)));
        assert!(told, "no line says {parts:?}:\n{}", self.stderr);
    }
}

impl std::fmt::Debug for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

fn files_in(dir: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), text_of(&entry.path()))).collect()
}

/// How the runner reads `GITHUB_OUTPUT` (ci-contracts.md §1.1), written anew: the last value of a name wins, and what
/// is malformed fails the step.
fn parse_github_output(file: &str) -> Result<BTreeMap<String, String>, String> {
    let mut outputs = BTreeMap::new();
    let mut lines = file.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let line = line.trim_end_matches('\n');
        if line.is_empty() {
            continue;
        }
        let (equals, heredoc) = (line.find('='), line.find("<<"));
        let (name, value) = match (equals, heredoc) {
            (Some(equals), heredoc) if heredoc.is_none_or(|heredoc| equals < heredoc) => {
                (&line[..equals], line[equals + 1..].to_owned())
            }
            (_, Some(heredoc)) => (&line[..heredoc], heredoc_value(&line[heredoc + 2..], &mut lines)?),
            _ => return Err(format!("invalid format: {line:?}")),
        };
        if name.is_empty() {
            return Err(format!("no name: {line:?}"));
        }
        outputs.insert(name.to_owned(), value);
    }
    Ok(outputs)
}

fn heredoc_value<'a>(delimiter: &str, lines: &mut impl Iterator<Item = &'a str>) -> Result<String, String> {
    if delimiter.is_empty() {
        return Err("no delimiter".to_owned());
    }
    let mut value = String::new();
    for line in lines {
        if line.trim_end_matches('\n') == delimiter {
            return Ok(value.strip_suffix('\n').unwrap_or(&value).to_owned());
        }
        if !line.ends_with('\n') {
            break;
        }
        value.push_str(line);
    }
    Err(format!("the delimiter {delimiter:?} is missing"))
}

#[test]
fn the_output_file_is_read_as_the_runner_reads_it() {
    let read = |file: &str| parse_github_output(file).map(|outputs| outputs.into_iter().collect::<Vec<_>>());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(read("a=1\n\na=2\nb<<E\nx\ny=z\nE\n"), Ok(vec![pair("a", "2"), pair("b", "x\ny=z")]));
    assert_eq!(read("a<<E\nE\nb=c<<d\n"), Ok(vec![pair("a", ""), pair("b", "c<<d")]));
    for malformed in ["a", "=1", "<<E\nE\n", "a<<\n", "a<<E\nx\n", "a<<E\nx E\n", "a<<E\nxE"] {
        assert!(read(malformed).is_err(), "{malformed:?}");
    }
}
