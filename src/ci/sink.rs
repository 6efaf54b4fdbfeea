//! Where an output goes: a text that is appended to, or a document that is always whole. Both are opened before anything
//! is sent, and a pipe that nobody reads holds neither.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::bounded;
use crate::foreign::{defused, quote, quote_path};
use crate::report::Report;
use crate::report::console::write_to_log;

use super::Form;

/// An output that cannot be opened or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {what} `{}`", path.display())]
pub struct Error {
    pub(super) verb: &'static str,
    pub(super) what: &'static str,
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
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

/// How long all pipes together are waited for that somebody is to read.
const OPENING: Duration = Duration::from_secs(3);

/// Until when pipes are waited for.
pub(super) struct Patience(Instant);

impl Patience {
    pub(super) fn begin() -> Self {
        Self(Instant::now() + OPENING)
    }

    /// What is left; a pipe that has its reader opens at once.
    fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now()).max(Duration::from_millis(50))
    }
}

fn nobody_reads() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "it is a pipe that nobody reads")
}

/// A file, and whether it is a pipe or a device, whose reader may be asleep.
#[derive(Debug)]
struct Opened {
    file: File,
    may_block: bool,
}

impl Opened {
    /// Opens what may be a pipe: that opens when somebody reads it, and must not keep the other outputs from being opened.
    fn open(path: &Path, options: OpenOptions, patience: &Patience) -> io::Result<Self> {
        let may_block = std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        let path = path.to_owned();
        let open = move || options.open(path);
        let file = if may_block {
            bounded::within(patience.left(), open).unwrap_or_else(|| Err(nobody_reads()))
        } else {
            open()
        }?;
        let may_block = !file.metadata().is_ok_and(|metadata| metadata.is_file());
        Ok(Self { file, may_block })
    }

    fn write(&self, text: &str) -> io::Result<()> {
        if !self.may_block {
            return (&self.file).write_all(text.as_bytes());
        }
        let mut file = self.file.try_clone()?;
        let text = text.to_owned();
        bounded::write(move || file.write_all(text.as_bytes()))
    }
}

/// A file that is appended to; none stands for stderr, where people read.
#[derive(Debug)]
pub(super) struct Sink {
    what: &'static str,
    path: PathBuf,
    file: Option<Opened>,
    /// Whether somebody's last line has no end, and would swallow ours.
    is_open_ended: AtomicBool,
}

impl Sink {
    pub(super) fn open(what: &'static str, path: &Path, patience: &Patience) -> Result<Self, Error> {
        let path = path.to_owned();
        if path.as_os_str() == "-" {
            return Ok(Self { what, path, file: None, is_open_ended: AtomicBool::new(false) });
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        match Opened::open(&path, options, patience) {
            Ok(file) => Ok(Self { what, is_open_ended: is_open_ended(&path).into(), path, file: Some(file) }),
            Err(source) => Err(Error { verb: "open", what, path, source }),
        }
    }

    pub(super) fn append(&self, text: &str) -> Result<(), Error> {
        let written = match &self.file {
            Some(file) => file.write(text),
            None => write_to_log(text.lines().map(|line| defused(line) + "\n").collect()),
        };
        written.map_err(|source| self.unwritable(source))
    }

    /// The line end that somebody's last line lacks, once.
    pub(super) fn line_end(&self) -> &'static str {
        if self.is_open_ended.swap(false, Ordering::Relaxed) { "\n" } else { "" }
    }

    pub(super) fn unwritable(&self, source: io::Error) -> Error {
        Error { verb: "write", what: self.what, path: self.path.clone(), source }
    }

    /// The file that a runner can be told of; none where the text went to stderr, a pipe or a device.
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_ref().filter(|file| !file.may_block).map(|_| self.path.as_path())
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

/// A file that holds the report in one form, whole at every moment: one that a killed run leaves behind says what was
/// known by then, and never what an earlier run had said.
#[derive(Debug)]
pub(super) struct Document {
    form: Form,
    path: PathBuf,
    file: Opened,
}

impl Document {
    /// Opens it, and writes down that nothing is known yet.
    pub(super) fn open(form: Form, path: &Path, patience: &Patience) -> Result<Self, Error> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let failed = |source| Error { verb: "open", what: form.what(), path: path.to_owned(), source };
        let file = Opened::open(path, options, patience).map_err(failed)?;
        let document = Self { form, path: path.to_owned(), file };
        if document.can_be_rewritten() {
            document.write(&Report::default())?;
        }
        Ok(document)
    }

    /// Whether what is written can be taken back, as it cannot in a pipe.
    pub(super) fn can_be_rewritten(&self) -> bool {
        !self.file.may_block
    }

    /// Writes what is known now in place of what stood there.
    pub(super) fn write(&self, report: &Report) -> Result<(), Error> {
        let text = self.form.render(report);
        let written = if self.can_be_rewritten() { self.replace(&text) } else { self.file.write(&text) };
        written.map_err(|source| Error { verb: "write", what: self.form.what(), path: self.path.clone(), source })
    }

    /// The rest of a longer text goes last, so that a kill in between leaves too much and not nothing.
    fn replace(&self, text: &str) -> io::Result<()> {
        (&self.file.file).seek(SeekFrom::Start(0))?;
        self.file.write(text)?;
        self.file.file.set_len(text.len() as u64)
    }
}
