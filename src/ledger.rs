//! What earlier runs did: the intent, the id and the end of each submit, on disk, so that a run survives its process.
//!
//! [`book`] holds the rules and sees no file; [`Page`] is what one run writes. Here is the file: replaced as a whole,
//! flushed before anything that relies on it, and guarded by two locks beside it. One is held by a gate from reading
//! until an id or a refusal stands, so that of two gates with one key only one submits. The other is held for the moment
//! of a rewrite, so that a gate which writes its end never waits for another's submit.

pub mod book;
mod page;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::durable::{self, Lock, LockError, Readers};
use crate::foreign::{quote, quote_path};
use crate::job::JobId;

use book::{Adopted, Book, Hint, Recorded};

pub use page::Page;

/// More than any ledger holds: what is ended is dropped after a season.
const LARGEST: u64 = 64 * 1024 * 1024;

/// How long another gate's rewrite is waited for; one takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// The same at the end of a run, which has to stand soon.
const HURRY: Duration = Duration::from_millis(250);

/// A ledger that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is there and cannot be read.
    #[error("the ledger {} cannot be read", quote_path(path))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("the ledger {} is not a file", quote_path(path))]
    NotAFile {
        /// What it is.
        path: PathBuf,
    },
    /// It is not what this program wrote.
    #[error("the ledger {} is damaged, or no ledger: {problem}", quote_path(path))]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file system has no locks, so two gates could submit at once.
    #[error("the ledger {} cannot be locked", quote_path(path))]
    NoLocks {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file, or a lock beside it, cannot be written.
    #[error("the ledger {} cannot be written", quote_path(path))]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    /// What would be right.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::NotAFile { .. } => "name a file that this user may read and write",
            Self::Damaged { .. } => {
                "it was left as it is: restore it, or move it away once EPM shows that none of its loads is still \
                 under way"
            }
            Self::NoLocks { .. } => "put the ledger on a file system that has locks, such as a local disk",
            Self::Unwritable { .. } => "name a place that exists, has room, and that this user may write to",
        }
    }

    /// The error with its cause, as one sentence of a report.
    pub fn sentence(&self) -> String {
        let cause = std::error::Error::source(self).map(|cause| format!(": {}", quote(&cause.to_string())));
        format!("{self}{}", cause.unwrap_or_default())
    }
}

/// The ledger's file.
#[derive(Clone, Debug)]
pub struct Ledger {
    path: PathBuf,
    patience: Duration,
}

/// A gate's turn to submit, until it is dropped or the process ends, however that comes about.
#[derive(Debug)]
pub struct Turn {
    _lock: Lock,
}

impl Ledger {
    /// The ledger at a path, or where a link there leads to.
    pub fn at(path: &Path) -> Self {
        Self { path: durable::resolve(path), patience: PATIENCE }
    }

    /// The same for the end of a run.
    #[must_use]
    pub fn in_a_hurry(&self) -> Self {
        Self { patience: HURRY, ..self.clone() }
    }

    /// The file itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the turn to submit; none while another gate has it.
    ///
    /// # Errors
    ///
    /// A folder that cannot be written to, or has no locks.
    pub fn turn(&self) -> Result<Option<Turn>, Error> {
        self.check()?;
        Ok(self.lock("lock")?.map(|lock| Turn { _lock: lock }))
    }

    /// Reads it. A file that is not there is an empty ledger; one that is empty is not, since it may have been cut.
    ///
    /// # Errors
    ///
    /// What cannot be read, and what is no ledger of this version.
    pub fn read(&self) -> Result<Book, Error> {
        let path = || self.path.clone();
        if !self.check()? {
            return Ok(Book::default());
        }
        let mut bytes = Vec::new();
        File::open(&self.path)
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
            .map_err(|source| Error::Unreadable { path: path(), source })?;
        if bytes.len() as u64 > LARGEST {
            return Err(Error::Damaged { path: path(), problem: format!("it is larger than {LARGEST} bytes") });
        }
        Book::parse(&bytes).map_err(|problem| Error::Damaged { path: path(), problem })
    }

    /// Writes the ends of jobs down, wherever these jobs stand; nothing of one that does not.
    ///
    /// # Errors
    ///
    /// What keeps the ledger from being written.
    pub fn ended(&self, place: &str, ends: &[(JobId, Recorded)]) -> Result<(), Error> {
        if ends.is_empty() {
            return Ok(());
        }
        self.change(|book| ends.iter().for_each(|(id, end)| book.ended(place, *id, end)))
    }

    /// Takes in an id that somebody found, and tells what became of it; none while another gate submits, since it may be
    /// the one whose job this is.
    ///
    /// # Errors
    ///
    /// What keeps the ledger from being written.
    pub fn adopt(&self, place: &str, id: JobId, hint: &Hint) -> Result<Option<Adopted>, Error> {
        let Some(_turn) = self.turn()? else { return Ok(None) };
        self.change(|book| Some(book.adopt(place, id, hint, Timestamp::now())))
    }

    /// Whether it is there; what is there must be a file.
    fn check(&self) -> Result<bool, Error> {
        match fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_file() => Ok(true),
            Ok(_) => Err(Error::NotAFile { path: self.path.clone() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(Error::Unreadable { path: self.path.clone(), source }),
        }
    }

    /// Changes it: reads, changes and replaces it as one step among all gates.
    ///
    /// # Errors
    ///
    /// What keeps it from being read or written; it is as it was then.
    fn change<T>(&self, change: impl FnOnce(&mut Book) -> T) -> Result<T, Error> {
        let _writing = self.writing()?;
        let mut book = self.read()?;
        let changed = change(&mut book);
        durable::replace(&self.path, book.text().as_bytes(), Readers::AsBefore)
            .map_err(|source| Error::Unwritable { path: self.path.clone(), source })?;
        Ok(changed)
    }

    /// Waits for the moment of a rewrite.
    fn writing(&self) -> Result<Lock, Error> {
        let until = Instant::now() + self.patience;
        loop {
            if let Some(lock) = self.lock("writing")? {
                return Ok(lock);
            }
            if Instant::now() >= until {
                let source = io::Error::new(io::ErrorKind::TimedOut, "another process does not let go of it");
                return Err(Error::Unwritable { path: durable::beside(&self.path, "writing"), source });
            }
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    fn lock(&self, suffix: &str) -> Result<Option<Lock>, Error> {
        let path = durable::beside(&self.path, suffix);
        durable::lock(&path, Readers::AsBefore).map_err(|error| match error {
            LockError::Unwritable(source) => Error::Unwritable { path, source },
            LockError::NotAFile => Error::NotAFile { path },
            LockError::NoLocks(source) => Error::NoLocks { path, source },
        })
    }
}

#[cfg(test)]
mod tests;
