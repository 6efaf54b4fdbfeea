//! The outputs of a run: all opened before anything is sent, the id written down the moment it is known, everything on
//! every way out.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::durable::{self, Readers};
use crate::foreign::quote_path;
use crate::job::JobId;
use crate::outcome::Outcome;
use crate::report::console::print_line;
use crate::report::values::{self, json_line, text};
use crate::report::{End, Report, markdown, metrics};

use super::sink::{Document, Error, Patience, Sink};
use super::{Platform, Print, Wanted, azure, files, github};

/// The outputs of a run, open. Writing borrows none of it, so that after a panic in the midst of one output all of them
/// can still be written.
#[derive(Debug, Default)]
pub struct Outputs {
    platform: Platform,
    github: Option<Sink>,
    summaries: Vec<Sink>,
    documents: Vec<Document>,
    dir: Option<PathBuf>,
    metrics: Option<PathBuf>,
    print: Print,
    /// Why an id could not be printed when it was known.
    unprinted: OnceLock<io::ErrorKind>,
}

impl Outputs {
    /// Opens all of them. What can be opened is kept where something else cannot, so that the reason can be written
    /// there.
    pub fn open(wanted: &Wanted) -> (Self, Vec<Error>) {
        let mut outputs = Self { platform: wanted.platform, print: wanted.print, ..Self::default() };
        let mut errors = Vec::new();
        let patience = Patience::begin();
        if let Some(path) = wanted.only_on(Platform::Github, wanted.github_output.as_ref()) {
            outputs.github = kept(Sink::open("the step outputs", path, &patience), &mut errors);
        }
        for path in wanted.summaries() {
            if Some(path) == wanted.azure_summary.as_deref() && !make_folder(path) {
                continue;
            }
            outputs.summaries.extend(kept(Sink::open("the summary", path, &patience), &mut errors));
        }
        for (form, path) in &wanted.documents {
            outputs.documents.extend(kept(Document::open(*form, path, &patience), &mut errors));
        }
        if let Some(dir) = &wanted.outputs_dir {
            let failed = |source| Error { verb: "write to", what: "the outputs' folder", path: dir.clone(), source };
            outputs.dir = kept(prepare(dir).map_err(failed), &mut errors).map(|()| dir.clone());
        }
        if let Some(path) = &wanted.metrics {
            let proven = prove_place(path).map_err(|source| unwritten_metrics(path, source));
            outputs.metrics = kept(proven, &mut errors).map(|()| path.clone());
        }
        if let Some(dir) = &wanted.download_dir {
            let failed =
                |source| Error { verb: "write to", what: "the folder for downloads", path: dir.clone(), source };
            errors.extend(make(dir).map_err(failed).err());
        }
        (outputs, errors)
    }

    /// Writes down whether a submit may have been taken, when that changes: a gate that is killed while its POST is under
    /// way must not have said `no`.
    ///
    /// # Errors
    ///
    /// What could not be written; the rest was.
    pub fn submit_known(&self, report: &Report) -> Vec<Error> {
        self.write_early("submitted", report.submitted.word(), report)
    }

    /// Writes the ids down the moment they are known: the output is that of the first until one of them decides. Once for
    /// all, since each time every document is written.
    ///
    /// # Errors
    ///
    /// What could not be written; the rest was.
    pub fn jobs_known(&self, ids: &[JobId], report: &Report) -> Vec<Error> {
        let Some(first) = ids.first() else { return Vec::new() };
        let errors = self.write_early("jobId", &first.to_string(), report);
        if self.print == Print::JobId
            && let Err(error) = ids.iter().try_for_each(|id| print_line(&id.to_string()))
        {
            // The first reason is the one to tell.
            let _ = self.unprinted.set(error.kind());
        }
        errors
    }

    /// Writes one output before the end, and the documents as they are by then.
    fn write_early(&self, name: &str, value: &str, report: &Report) -> Vec<Error> {
        let output = [(name.to_owned(), value.to_owned())];
        self.write(&output, &output, report)
    }

    /// Writes everything, at the end. Where that fails and the job passed, the stage does not: the report says so, and
    /// what can still be written says so too.
    ///
    /// # Errors
    ///
    /// What could not be written; the rest was.
    pub fn finish(&self, report: &mut Report) -> Vec<Error> {
        let draws = self.platform == Platform::Github;
        let mut errors = self.write_values(report);
        hold_for(report, &errors);
        let told = report.end().map(|end| end.outcome);
        for sink in &self.summaries {
            errors.extend(sink.append(&markdown::render(report, draws)).err());
        }
        hold_for(report, &errors);
        errors.extend(self.write_documents(report, false));
        hold_for(report, &errors);
        errors.extend(self.write_metrics(report).err());
        hold_for(report, &errors);
        errors.extend(self.unprinted.get().map(|kind| unprintable((*kind).into())));
        if self.print == Print::Json {
            let line = json_line(&serde_json::Value::Object(values::printed(report)));
            errors.extend(print_line(&line).map_err(unprintable).err());
        }
        hold_for(report, &errors);
        if !errors.is_empty() {
            self.write_values(report);
        }
        if report.end().map(|end| end.outcome) != told {
            // What says that the stage passed must not be the last word where it did not.
            let correction = markdown::heading(report);
            self.summaries.iter().for_each(|sink| drop(sink.append(&correction)));
            drop(self.write_metrics(report));
        }
        errors.extend(self.upload_summaries().err());
        errors
    }

    fn write_values(&self, report: &Report) -> Vec<Error> {
        let values = values::outputs(report);
        let texts: Vec<_> = values.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        self.write(&texts, &files::contents(&values), report)
    }

    /// Writes these outputs for the platform, these of them into the folder, and the documents.
    fn write(&self, outputs: &[(String, String)], files: &[(String, String)], report: &Report) -> Vec<Error> {
        let mut errors = Vec::new();
        errors.extend(self.write_github(outputs).err());
        errors.extend(self.write_azure(outputs).err());
        errors.extend(self.write_files(files));
        errors.extend(self.write_documents(report, true));
        errors
    }

    fn write_github(&self, outputs: &[(String, String)]) -> Result<(), Error> {
        let Some(sink) = &self.github else { return Ok(()) };
        let mut lines = sink.line_end().to_owned();
        for (name, value) in outputs {
            let output = github::delimiter()
                .map_err(io::Error::other)
                .and_then(|delimiter| github::output(name, value, &delimiter).map_err(io::Error::other));
            lines += &output.map_err(|source| sink.unwritable(source))?;
        }
        sink.append(&lines)
    }

    /// On standard output, where the agent reads them.
    fn write_azure(&self, outputs: &[(String, String)]) -> Result<(), Error> {
        if self.platform != Platform::Azure {
            return Ok(());
        }
        // Each by itself: the agent mixes the two streams between one write and the next.
        outputs.iter().try_for_each(|(name, value)| print_line(&azure::variable(name, value)).map_err(unprintable))
    }

    /// A convenience, which decides nothing.
    fn upload_summaries(&self) -> Result<(), Error> {
        let files = self.summaries.iter().filter_map(Sink::file).filter(|_| self.platform == Platform::Azure);
        // The agent may look for it from another folder.
        files
            .filter_map(|file| std::path::absolute(file).ok())
            .try_for_each(|file| print_line(&azure::upload_summary(&file)).map_err(unprintable))
    }

    /// Writes the documents that can be rewritten, or those that cannot.
    fn write_documents(&self, report: &Report, rewritten: bool) -> Vec<Error> {
        let documents = self.documents.iter().filter(|document| document.can_be_rewritten() == rewritten);
        documents.filter_map(|document| document.write(report).err()).collect()
    }

    /// At the end alone: what an earlier run has left there is read until then, and must not be taken for this one's.
    fn write_metrics(&self, report: &Report) -> Result<(), Error> {
        let Some(path) = &self.metrics else { return Ok(()) };
        durable::replace(&durable::resolve(path), metrics::render(report).as_bytes(), Readers::AsBefore)
            .map_err(|source| unwritten_metrics(path, source))
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

fn kept<T>(opened: Result<T, Error>, errors: &mut Vec<Error>) -> Option<T> {
    opened.map_err(|error| errors.push(error)).ok()
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

/// Makes the folder of a summary that nobody asked for, in the folder of Azure's agent. That is not there in a container
/// that does not share it: a step fails that has the agent take a file which it cannot find.
fn make_folder(summary: &Path) -> bool {
    let Some(folder) = summary.parent() else { return false };
    std::fs::create_dir(folder).is_ok() || folder.is_dir()
}

/// Makes the folder and an empty file per output: that shows that it can be written to, and no value of an earlier run
/// is left there.
fn prepare(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for name in files::names() {
        let path = dir.join(name);
        // A pipe in its place could hold the gate whenever its reader sleeps.
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::other(format!("{} is no file", quote_path(&path))));
        }
        File::create(path)?;
    }
    Ok(())
}

/// Makes the folder, and shows that files can be made there.
fn make(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    prove(dir)
}

/// Shows that a file can be put into this place, in which a folder, a pipe or a device may stand.
fn prove_place(path: &Path) -> io::Result<()> {
    let path = durable::resolve(path);
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::other("it is no file, and cannot be replaced"));
    }
    prove(durable::folder(&path))
}

/// Shows that files can be made in a folder: by the end it is too late for a job that has run.
fn prove(dir: &Path) -> io::Result<()> {
    let probe = dir.join(format!("epm-gate-{:016x}.part", fastrand::u64(..)));
    drop(durable::new_file(&probe, Readers::AsBefore)?);
    std::fs::remove_file(probe)
}

fn unwritten_metrics(path: &Path, source: io::Error) -> Error {
    Error { verb: "write", what: "the metrics", path: path.to_owned(), source }
}

fn unprintable(source: io::Error) -> Error {
    Error { verb: "write", what: "standard output", path: PathBuf::from("-"), source }
}
