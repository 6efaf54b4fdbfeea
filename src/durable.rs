//! Files that must survive the process: replaced as a whole and flushed, so that at every moment the old text or the new
//! one is there; and locks beside them, which end with the process however that comes about.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A lock, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// The file that is locked: what is written there can be read by whoever has the lock next.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }
}

/// A lock that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The lock file cannot be written.
    #[error("{0}")]
    Unwritable(io::Error),
    /// A folder, a pipe or a device.
    #[error("it is not a file")]
    NotAFile,
    /// The file system has no locks.
    #[error("{0}")]
    NoLocks(io::Error),
}

/// The file that a path leads to: a link is followed, even to a file that is not there yet, so that the file is replaced
/// and not the link, and two ways to one file share its locks.
pub fn resolve(path: &Path) -> PathBuf {
    const MOST_LINKS: usize = 16;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(target) = fs::read_link(&path) else { break };
        path = folder(&path).join(target);
    }
    let in_folder = || Some(fs::canonicalize(folder(&path)).ok()?.join(path.file_name()?));
    in_folder().unwrap_or_else(|| path.clone())
}

/// The file `NAME.SUFFIX` beside `NAME`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Takes the lock on a file, which is made for it; none while another process has it.
///
/// # Errors
///
/// A file that cannot be written or locked.
pub fn lock(path: &Path, readers: Readers) -> Result<Option<Lock>, LockError> {
    let mut options = OpenOptions::new();
    // For reading too: a pipe in its place would block whoever only writes.
    options.read(true).write(true).create(true).truncate(false);
    limit(&mut options, readers);
    let file = options.open(path).map_err(LockError::Unwritable)?;
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(LockError::NotAFile);
    }
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock { file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) if source.kind() == io::ErrorKind::Interrupted => Ok(None),
        Err(TryLockError::Error(source)) => Err(LockError::NoLocks(source)),
    }
}

/// Who may read a file that is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Those who could read the one that is replaced, or whoever may by the system's rules.
    AsBefore,
    /// Its owner alone (mode 600; on Windows the folder decides).
    Owner,
}

/// Writes the whole beside a file, and puts it in its place once it is on disk; the folder is flushed too, since a
/// rename is of the folder.
///
/// # Errors
///
/// What the system says; the file is as it was then.
pub fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let part = beside(path, "part");
    let mut file = new_file(&part, readers)?;
    if let (Readers::AsBefore, Ok(metadata)) = (readers, fs::metadata(path)) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&part, path)?;
    flush_folder(folder(path))
}

/// Shows that a file could be replaced, without replacing it.
///
/// # Errors
///
/// What would keep it from being replaced, as far as that can be known.
pub fn prove(path: &Path, size: usize) -> io::Result<()> {
    // A name of its own: another process may be replacing the file at this moment.
    let proof = beside(path, &format!("proof-{:016x}", fastrand::u64(..)));
    let mut file = new_file(&proof, Readers::Owner)?;
    let written = file.write_all(&vec![b'-'; size]).and_then(|()| file.sync_all());
    drop(file);
    fs::remove_file(&proof)?;
    written
}

/// Makes a file that was not there; what an earlier process has left there, or whatever else, is not written through.
fn new_file(path: &Path, readers: Readers) -> io::Result<File> {
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    limit(&mut options, readers);
    options.open(path)
}

/// Sees to it that what is made is for these readers.
#[cfg_attr(not(unix), expect(unused_variables, reason = "there the folder decides"))]
fn limit(options: &mut OpenOptions, readers: Readers) {
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    }
}

/// The folder of a file.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Flushes a folder, where the system can: some folders may not be read, and some file systems refuse.
#[cfg(unix)]
fn flush_folder(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => Ok(()),
        flushed => flushed,
    }
}

/// Where a folder cannot be opened, the system flushes a rename by itself.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
fn flush_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_leaves_nothing_behind_and_a_folder_that_is_not_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        prove(&dir.path().join("token"), 100).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(prove(&dir.path().join("none/token"), 1).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_for_its_owner_alone_is_so_from_its_first_byte_on() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "old").unwrap();
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"new", Readers::AsBefore).unwrap();
        assert_eq!((mode(), fs::read(&path).unwrap()), (0o640, b"new".to_vec()));
        replace(&path, b"newer", Readers::Owner).unwrap();
        assert_eq!((mode(), fs::read(&path).unwrap()), (0o600, b"newer".to_vec()));
    }
}
