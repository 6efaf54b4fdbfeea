//! Files that must survive the process: replaced as a whole and flushed, so that at every moment the old text or the new
//! one is there; and locks beside them, which end with the process however that comes about.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// The replacement of a file, made ahead: its room is taken on the disk, so that what is to stand there has a place.
#[derive(Debug)]
pub struct Replacement {
    path: PathBuf,
    part: PathBuf,
    file: File,
}

/// What fills the room of a replacement until its text is known.
const FILLING: u8 = b'-';

impl Replacement {
    /// Takes the room of so many bytes beside a file; for its owner alone.
    ///
    /// # Errors
    ///
    /// What the system says; the file is as it was.
    pub fn prepare(path: &Path, room: usize) -> io::Result<Self> {
        let part = beside(path, "part");
        let mut file = new_file(&part, Readers::Owner)?;
        file.write_all(&vec![FILLING; room])?;
        file.sync_all()?;
        Ok(Self { path: path.to_owned(), part, file })
    }

    /// Writes the text, and puts it in the file's place. Where only the last step fails, it stays beside the file.
    ///
    /// # Errors
    ///
    /// What the system says; the file is as it was.
    pub fn commit(mut self, line: &str) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(format!("{line}\n").as_bytes())?;
        self.file.set_len(line.len() as u64 + 1)?;
        self.file.sync_all()?;
        // Closed, since some systems rename no file that is open.
        let (part, path) = (self.part, self.path);
        drop(self.file);
        rename(&part, &path)?;
        // It stands there; that a folder may not be flushed takes nothing back.
        let _ = flush_folder(folder(&path));
        Ok(())
    }

    /// Gives the room back.
    pub fn discard(self) {
        // What stays is overwritten by the next one.
        let _ = fs::remove_file(&self.part);
    }

    /// Puts the line in its place that an earlier process had written beside the file, and no further. Whether there was
    /// one.
    ///
    /// # Errors
    ///
    /// What the system says; the line stands where it stood.
    pub fn take_up(path: &Path) -> io::Result<bool> {
        let part = beside(path, "part");
        let Ok(text) = fs::read_to_string(&part) else { return Ok(false) };
        let whole = text.split_once('\n').filter(|(_, rest)| rest.bytes().all(|byte| byte == FILLING));
        let Some((line, _)) = whole.filter(|(line, _)| !line.is_empty()) else { return Ok(false) };
        let file = OpenOptions::new().write(true).open(&part)?;
        file.set_len(line.len() as u64 + 1)?;
        file.sync_all()?;
        drop(file);
        rename(&part, path)?;
        Ok(true)
    }
}

/// Renames, and tries again for a moment: a scanner of viruses holds a new file open, and a share may stutter.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    const PAUSES: [u64; 3] = [100, 400, 1000];
    let mut pauses = PAUSES.iter();
    loop {
        match (fs::rename(from, to), pauses.next()) {
            (Err(_), Some(pause)) => std::thread::park_timeout(Duration::from_millis(*pause)),
            (renamed, _) => return renamed,
        }
    }
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
    fn a_replacement_takes_its_room_ahead_and_leaves_none_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::write(&path, "old\n").unwrap();
        let replacement = Replacement::prepare(&path, 100).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old\n");
        assert!(!Replacement::take_up(&path).unwrap());
        replacement.commit("new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new\n");
        Replacement::prepare(&path, 100).unwrap().discard();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(Replacement::prepare(&dir.path().join("none/token"), 1).is_err());
    }

    #[test]
    fn what_could_not_be_put_in_its_place_is_taken_up_from_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let taken = |text: &str| {
            fs::write(&path, "old\n").unwrap();
            fs::write(beside(&path, "part"), text).unwrap();
            (Replacement::take_up(&path).unwrap(), fs::read_to_string(&path).unwrap())
        };
        for text in ["new\n", "new\n-----"] {
            assert_eq!(taken(text), (true, "new\n".to_owned()), "{text:?}");
        }
        for text in ["", "\n", "-----", "new", "new\nother"] {
            assert_eq!(taken(text), (false, "old\n".to_owned()), "{text:?}");
        }
        assert!(!Replacement::take_up(&dir.path().join("none")).unwrap());
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
