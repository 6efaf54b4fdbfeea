//! The file that holds a refresh token. Such a token can be exchanged once (epm-api.md §5.2), so one gate at a time
//! exchanges it, under a lock; before it does, the file is replaced once by what it holds, so that what keeps it from being
//! replaced is met while nothing is lost; and an exchange that was cut short says so to the next one.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};

use crate::durable::{self, Lock, Readers, Replacement};
use crate::foreign::{quote, quote_path};

use super::secret::{self, read_secret};

/// A file with a refresh token.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

/// A token file that cannot be used. No variant carries a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It holds no token.
    #[error("{problem}")]
    Unreadable {
        /// What is wrong with it.
        problem: String,
        /// What would be right.
        help: &'static str,
    },
    /// It could not be replaced, and the token that it holds can be used only once.
    #[error("the refresh token's file {} cannot be replaced: {problem}", quote_path(path))]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        problem: String,
        /// Whether it is a mount of its own.
        is_mount: bool,
    },
    /// Two gates could exchange the token at once.
    #[error("the lock {} beside the refresh token's file cannot be taken: {problem}", quote_path(path))]
    NoLock {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
}

impl Error {
    /// What would be right.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Unreadable { help, .. } => help,
            Self::Unwritable { is_mount: true, .. } => {
                "it is mounted by itself: mount the folder that holds it, since each exchange puts a new file in its place"
            }
            Self::Unwritable { is_mount: false, .. } => {
                "put the token into a file of its own, in a folder that this user may write to and that has room: each \
                 exchange replaces it by a new one"
            }
            Self::NoLock { .. } => {
                "see that this user may write to it, and that the file system has locks, as a local disk has"
            }
        }
    }
}

impl From<secret::Error> for Error {
    fn from(error: secret::Error) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {}", quote(&cause.to_string())));
        Self::Unreadable { problem: format!("{error}{}", cause.unwrap_or_default()), help: error.help() }
    }
}

/// How often it is tried whether another gate's turn at the file is over.
pub const TURN: Duration = Duration::from_millis(50);

/// The room that is taken for a token: as much as a file with a secret may hold.
const ROOM: usize = 64 * 1024;

/// A gate's turn at the file, until it is dropped or the process ends.
pub struct Turn {
    file: TokenFile,
    lock: Lock,
}

impl TokenFile {
    /// The file at a path, or where a link there leads to.
    pub fn at(path: &Path) -> Self {
        Self { path: durable::resolve(path) }
    }

    /// The file itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The token that it holds now.
    ///
    /// # Errors
    ///
    /// A file that holds no token.
    pub fn read(&self) -> Result<SecretString, Error> {
        let token = read_secret(&self.path)?;
        secret::check(&token, "refresh token")?;
        Ok(token)
    }

    /// Shows that the file can be replaced, where no other gate is about to.
    ///
    /// # Errors
    ///
    /// What would keep it from being replaced.
    pub fn prove(&self) -> Result<(), Error> {
        match self.turn()? {
            Some(mut turn) => {
                turn.take_up()?;
                turn.rehearse()
            }
            None => Ok(()),
        }
    }

    /// Takes the turn to exchange the token; none while another gate has it.
    ///
    /// # Errors
    ///
    /// A lock beside the file that cannot be had.
    pub fn turn(&self) -> Result<Option<Turn>, Error> {
        let path = durable::beside(&self.path, "lock");
        match durable::lock(&path, Readers::Owner) {
            Ok(lock) => Ok(lock.map(|lock| Turn { file: self.clone(), lock })),
            Err(error) => Err(Error::NoLock { path, problem: quote(&error.to_string()) }),
        }
    }

    fn unwritable(&self, source: &io::Error) -> Error {
        // A file that is mounted by itself cannot be renamed to.
        let is_mount = matches!(source.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices);
        Error::Unwritable { path: self.path.clone(), problem: quote(&source.to_string()), is_mount }
    }
}

impl Turn {
    /// The file whose turn it is.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// When an earlier exchange of this very token began whose end nobody wrote down: its process was killed, or its
    /// answer never came, so the token may be used up.
    pub fn unfinished(&mut self, token: &SecretString) -> Option<Timestamp> {
        let mut mark = String::new();
        let file = self.lock.file();
        file.rewind().and_then(|()| file.take(256).read_to_string(&mut mark)).ok()?;
        let (fingerprint, at) = mark.trim().split_once(' ')?;
        at.parse().ok().filter(|_| fingerprint == fingerprint_of(token))
    }

    /// Leaves a mark that the exchange of this token has begun.
    ///
    /// # Errors
    ///
    /// A mark that cannot be written: then nothing may be exchanged.
    pub fn begin(&mut self, token: &SecretString) -> Result<(), Error> {
        let mark = format!("{} {}\n", fingerprint_of(token), Timestamp::now());
        self.mark(&mark).map_err(|error| self.file.unwritable(&error))
    }

    /// Takes the mark away: the token is known to be good, or to be dead.
    pub fn end(&mut self) {
        // A mark that stays matches no token but a dead one.
        let _ = self.mark("");
    }

    /// Puts what the file holds into its own place, just as the next token will be.
    ///
    /// # Errors
    ///
    /// What keeps it from being replaced; nothing is lost by that.
    pub fn rehearse(&self) -> Result<(), Error> {
        match self.content() {
            Ok(content) => self.replacement()?.commit(&content).map_err(|error| self.file.unwritable(&error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.replacement()?.discard();
                Ok(())
            }
            Err(error) => Err(self.file.unwritable(&error)),
        }
    }

    /// Whatever stands there, be it a token or not: a login replaces it.
    fn content(&self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(&self.file.path)?.take(ROOM as u64 + 1).read_to_end(&mut content)?;
        if content.len() > ROOM {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than any token"));
        }
        Ok(content)
    }

    /// Takes the room for the next token.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn replacement(&self) -> Result<Replacement, Error> {
        Replacement::prepare(&self.file.path, ROOM).map_err(|error| self.file.unwritable(&error))
    }

    /// Puts a token into the file's place.
    ///
    /// # Errors
    ///
    /// What the system says; the file is as it was, and the token may stand beside it.
    pub fn replace(&self, replacement: Replacement, token: &SecretString) -> Result<(), Error> {
        let line = format!("{}\n", token.expose_secret());
        replacement.commit(line.as_bytes()).map_err(|error| self.file.unwritable(&error))
    }

    /// Puts the token in its place that an exchange had brought which was cut short after it was written beside the file.
    ///
    /// # Errors
    ///
    /// What keeps it from its place; it stays beside the file.
    pub fn take_up(&mut self) -> Result<(), Error> {
        // What stands beside any other token is none of its own.
        let Ok(token) = self.file.read() else { return Ok(()) };
        if self.unfinished(&token).is_some()
            && Replacement::take_up(&self.file.path).map_err(|error| self.file.unwritable(&error))?
        {
            self.end();
        }
        Ok(())
    }

    fn mark(&mut self, mark: &str) -> io::Result<()> {
        let file = self.lock.file();
        file.rewind()?;
        file.set_len(0)?;
        file.write_all(mark.as_bytes())?;
        file.sync_all()
    }
}

/// Tells one token from another, and nothing else of it.
fn fingerprint_of(token: &SecretString) -> String {
    let hash = digest(&SHA256, token.expose_secret().as_bytes());
    STANDARD.encode(&hash.as_ref()[..12])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_file(content: &str) -> (tempfile::TempDir, TokenFile) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, content).unwrap();
        (dir, TokenFile::at(&path))
    }

    #[test]
    fn one_gate_at_a_time_has_its_turn() {
        let (_dir, file) = token_file("first\n");
        let turn = file.turn().unwrap();
        assert!(turn.is_some() && file.turn().unwrap().is_none());
        drop(turn);
        assert!(file.turn().unwrap().is_some());
    }

    #[test]
    fn an_exchange_that_was_killed_is_found_by_the_next_of_the_same_token() {
        let (_dir, file) = token_file("first\n");
        let mut turn = file.turn().unwrap().unwrap();
        let token = file.read().unwrap();
        assert_eq!(turn.unfinished(&token), None);
        turn.begin(&token).unwrap();
        drop(turn);
        let mut turn = file.turn().unwrap().unwrap();
        assert!(turn.unfinished(&token).is_some());
        assert_eq!(turn.unfinished(&SecretString::from("another")), None);
        turn.end();
        assert_eq!(turn.unfinished(&token), None);
    }

    #[test]
    fn a_new_token_takes_the_place_of_the_old_one() {
        let (_dir, file) = token_file("first\n");
        let turn = file.turn().unwrap().unwrap();
        turn.rehearse().unwrap();
        assert_eq!(file.read().unwrap().expose_secret(), "first");
        turn.replace(turn.replacement().unwrap(), &SecretString::from("second")).unwrap();
        assert_eq!(file.read().unwrap().expose_secret(), "second");
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "second\n");
    }

    #[test]
    fn a_mark_shows_nothing_of_the_token() {
        let (_dir, file) = token_file("first\n");
        let mut turn = file.turn().unwrap().unwrap();
        turn.begin(&SecretString::from("first")).unwrap();
        let mark = std::fs::read_to_string(durable::beside(file.path(), "lock")).unwrap();
        assert!(mark.len() > 20 && !mark.contains("first"), "{mark}");
    }
}
