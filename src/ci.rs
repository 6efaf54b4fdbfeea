//! Which platform the gate runs on, and the outputs that were asked for: all opened before anything is sent, written on
//! every way out.

pub mod files;
pub mod github;
pub mod run;

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bounded;
use crate::foreign::{defused, quote, quote_path};
use crate::job::JobId;
use crate::outcome::Outcome;
use crate::report::console::{print_line, write_to_log};
use crate::report::values::{self, json_line, text};
use crate::report::{End, Report, markdown};

/// A CI platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Azure DevOps.
    Azure,
    /// Jenkins.
    Jenkins,
    /// None of these.
    None,
}

impl Platform {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Github, Self::Gitlab, Self::Azure, Self::Jenkins, Self::None];

    /// The word of `--ci`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Azure => "azure",
            Self::Jenkins => "jenkins",
            Self::None => "none",
        }
    }

    /// The platform whose variables are set, in the order of ci-contracts.md §6. `variable` gives what is set.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_true = |name| variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if is_true("GITHUB_ACTIONS") {
            Self::Github
        } else if is_true("GITLAB_CI") {
            Self::Gitlab
        } else if is_true("TF_BUILD") {
            Self::Azure
        } else if variable("JENKINS_URL").is_some() {
            Self::Jenkins
        } else {
            Self::None
        }
    }
}

/// What goes to stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Print {
    /// Nothing.
    #[default]
    None,
    /// Every output as one JSON object, at the end.
    Json,
    /// The id of each job, the moment it is known.
    JobId,
}

/// The outputs to open.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The platform whose grammar they follow.
    pub platform: Platform,
    /// What goes to stdout.
    pub print: Print,
    /// `GITHUB_OUTPUT`, which counts on GitHub alone.
    pub github_output: Option<PathBuf>,
    /// `GITHUB_STEP_SUMMARY`, which counts on GitHub alone.
    pub github_summary: Option<PathBuf>,
    /// `--outputs-dir`
    pub outputs_dir: Option<PathBuf>,
    /// `--summary`
    pub summary: Option<PathBuf>,
}

/// An output that cannot be opened or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {what} `{}`", path.display())]
pub struct Error {
    verb: &'static str,
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Error {
    /// What would be right.
    pub fn help(&self) -> &'static str {
        "name a place that exists and that this user may write to"
    }

    /// The error with its cause, as one sentence of a report.
    pub fn sentence(&self) -> String {
        let path = Some(&self.path).filter(|path| path.as_os_str() != "-");
        let path = path.map(|path| format!(" {}", quote_path(path))).unwrap_or_default();
        format!("cannot {} {}{path}: {}", self.verb, self.what, quote(&self.source.to_string()))
    }
}

/// How long a pipe is waited for that somebody is to read.
const OPENING: Duration = Duration::from_secs(3);

fn nobody_reads() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it is a pipe that nobody reads")
}

/// A file that is appended to; none stands for stderr, where people read.
#[derive(Debug)]
struct Sink {
    what: &'static str,
    path: PathBuf,
    file: Option<File>,
    /// Whether it is a pipe or a device, whose reader may be asleep.
    may_block: bool,
    /// Whether somebody's last line has no end, and would swallow ours.
    is_open_ended: bool,
}

impl Sink {
    fn open(what: &'static str, path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        if path.as_os_str() == "-" {
            return Ok(Self { what, path, file: None, may_block: true, is_open_ended: false });
        }
        // A pipe opens when somebody reads it: it must not keep the other outputs from being opened.
        let is_file = std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_file());
        let open = {
            let path = path.clone();
            move || OpenOptions::new().append(true).create(true).open(path)
        };
        let opened =
            if is_file { open() } else { bounded::within(OPENING, open).unwrap_or_else(|_| Err(nobody_reads())) };
        match opened {
            Ok(file) => {
                let may_block = !file.metadata().is_ok_and(|metadata| metadata.is_file());
                Ok(Self { what, is_open_ended: is_open_ended(&path), path, file: Some(file), may_block })
            }
            Err(source) => Err(Error { verb: "open", what, path, source }),
        }
    }

    fn append(&mut self, text: &str) -> Result<(), Error> {
        let written = match &mut self.file {
            Some(file) if self.may_block => file.try_clone().and_then(|mut file| {
                let text = text.to_owned();
                bounded::write(move || file.write_all(text.as_bytes()))
            }),
            Some(file) => file.write_all(text.as_bytes()),
            None => write_to_log(text.lines().map(|line| defused(line) + "\n").collect()),
        };
        written.map_err(|source| self.unwritable(source))
    }

    fn unwritable(&self, source: io::Error) -> Error {
        Error { verb: "write", what: self.what, path: self.path.clone(), source }
    }
}

/// Whether a file ends within a line. What is no file, such as a pipe, does not.
fn is_open_ended(path: &Path) -> bool {
    let last_byte = || -> io::Result<u8> {
        let mut last = [0];
        if std::fs::metadata(path)?.is_file() {
            let mut file = File::open(path)?;
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok(last[0])
    };
    last_byte().is_ok_and(|last| last != b'\n' && last != 0)
}

/// The outputs of a run, open.
#[derive(Debug, Default)]
pub struct Outputs {
    github: Option<Sink>,
    summaries: Vec<Sink>,
    /// Whether the platform draws diagrams.
    draws: bool,
    dir: Option<PathBuf>,
    print: Print,
    /// Why an id could not be printed when it was known.
    unprinted: Option<io::ErrorKind>,
}

impl Outputs {
    /// Opens all of them. What can be opened is kept where something else cannot, so that the reason can be written
    /// there.
    pub fn open(wanted: &Wanted) -> (Self, Vec<Error>) {
        let mut outputs = Self { print: wanted.print, ..Self::default() };
        let mut errors = Vec::new();
        let mut keep = |opened: Result<Sink, Error>| opened.map_err(|error| errors.push(error)).ok();
        let on_github = wanted.platform == Platform::Github;
        let only_there = |path: &Option<PathBuf>| path.clone().filter(|_| on_github);
        let github = only_there(&wanted.github_output).map(|path| Sink::open("the step outputs", &path));
        outputs.github = github.and_then(&mut keep);
        outputs.draws = on_github;
        for path in [only_there(&wanted.github_summary), wanted.summary.clone()].into_iter().flatten() {
            outputs.summaries.extend(keep(Sink::open("the summary", &path)));
        }
        if let Some(dir) = &wanted.outputs_dir {
            match prepare(dir) {
                Ok(()) => outputs.dir = Some(dir.clone()),
                Err(source) => {
                    errors.push(Error { verb: "write to", what: "the outputs' folder", path: dir.clone(), source });
                }
            }
        }
        (outputs, errors)
    }

    /// Writes the id down the moment it is known.
    ///
    /// # Errors
    ///
    /// What could not be written; the rest was.
    pub fn job_known(&mut self, id: JobId) -> Vec<Error> {
        let id = id.to_string();
        let mut errors = Vec::new();
        errors.extend(self.write_github(&[("jobId".to_owned(), id.clone())]).err());
        errors.extend(self.write_files(&[("jobId".to_owned(), id.clone())]));
        if self.print == Print::JobId {
            self.unprinted = self.unprinted.or(print_line(&id).err().map(|error| error.kind()));
        }
        errors
    }

    /// Writes everything, at the end. Where that fails and the job passed, the stage does not: the report says so, and
    /// what can still be written says so too.
    ///
    /// # Errors
    ///
    /// What could not be written; the rest was.
    pub fn finish(&mut self, report: &mut Report) -> Vec<Error> {
        let mut errors = self.write_values(report);
        hold_for(report, &errors);
        let told = report.end().map(|end| end.outcome);
        for sink in &mut self.summaries {
            errors.extend(sink.append(&markdown::render(report, self.draws)).err());
        }
        hold_for(report, &errors);
        errors.extend(self.unprinted.take().map(|kind| unprintable(kind.into())));
        if self.print == Print::Json {
            let line = json_line(&serde_json::Value::Object(values::outputs(report)));
            errors.extend(print_line(&line).map_err(unprintable).err());
        }
        hold_for(report, &errors);
        if !errors.is_empty() {
            self.write_values(report);
        }
        if report.end().map(|end| end.outcome) != told {
            // A summary that says that the stage passed must not be the last word where it did not.
            let correction = markdown::heading(report);
            self.summaries.iter_mut().for_each(|sink| drop(sink.append(&correction)));
        }
        errors
    }

    fn write_values(&mut self, report: &Report) -> Vec<Error> {
        let values = values::outputs(report);
        let texts: Vec<_> = values.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let mut errors = Vec::new();
        errors.extend(self.write_github(&texts).err());
        errors.extend(self.write_files(&files::contents(&values)));
        errors
    }

    fn write_github(&mut self, outputs: &[(String, String)]) -> Result<(), Error> {
        let Some(sink) = &mut self.github else { return Ok(()) };
        let mut lines = String::new();
        if std::mem::take(&mut sink.is_open_ended) {
            lines.push('\n');
        }
        for (name, value) in outputs {
            let output = github::delimiter()
                .map_err(io::Error::other)
                .and_then(|delimiter| github::output(name, value, &delimiter).map_err(io::Error::other));
            lines += &output.map_err(|source| sink.unwritable(source))?;
        }
        sink.append(&lines)
    }

    /// Writes what can be written, and tells what could not.
    fn write_files(&self, files: &[(String, String)]) -> Vec<Error> {
        let Some(dir) = &self.dir else { return Vec::new() };
        let write = |(name, content): &(String, String)| {
            let path = dir.join(name);
            std::fs::write(&path, content).map_err(|source| Error {
                verb: "write",
                what: "the step output",
                path,
                source,
            })
        };
        files.iter().filter_map(|file| write(file).err()).collect()
    }
}

fn hold_for(report: &mut Report, errors: &[Error]) {
    if let Some(error) = errors.first() {
        hold(report, &error.sentence());
    }
}

/// Keeps a stage from passing where something that was asked for could not be written.
pub fn hold(report: &mut Report, why: &str) {
    if report.end().is_some_and(|end| end.outcome.is_pass()) {
        report.end = Some(End { outcome: Outcome::Unwritable, why: why.to_owned(), help: None });
    }
}

/// Makes the folder and an empty file per output: that shows that it can be written to, and no value of an earlier run
/// is left there.
fn prepare(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for name in values::outputs(&Report::default()).keys() {
        File::create(dir.join(name))?;
    }
    Ok(())
}

fn unprintable(source: io::Error) -> Error {
    Error { verb: "write", what: "standard output", path: PathBuf::from("-"), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platform_is_told_by_its_variables() {
        let table: [(&[(&str, &str)], Platform); 6] = [
            (&[("GITHUB_ACTIONS", "true")], Platform::Github),
            (&[("GITLAB_CI", "true")], Platform::Gitlab),
            (&[("TF_BUILD", "True")], Platform::Azure),
            (&[("JENKINS_URL", "https://ci.example.com/")], Platform::Jenkins),
            (&[("CI", "true")], Platform::None),
            (&[("GITHUB_ACTIONS", "true"), ("JENKINS_URL", "x")], Platform::Github),
        ];
        for (variables, platform) in table {
            let set =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(Platform::detect(set), platform, "{variables:?}");
        }
    }
}
