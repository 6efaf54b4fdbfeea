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

/// The replacement of a file, made ahead: its room is taken on the disk (`FILE.room`), so that what is to stand there has
/// a place. What could not be put in the file's place stays beside it (`FILE.next`), which no preparation touches.
#[derive(Debug)]
pub struct Replacement {
    path: PathBuf,
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
        let mut file = new_file(&beside(path, "room"), Readers::Owner)?;
        let filled = file.write_all(&vec![FILLING; room]).and_then(|()| file.sync_all());
        let replacement = Self { path: path.to_owned(), file };
        match filled {
            Ok(()) => Ok(replacement),
            Err(error) => {
                replacement.discard();
                Err(error)
            }
        }
    }

    /// Writes the content, and puts it in the file's place; failing that, it stays beside the file.
    ///
    /// # Errors
    ///
    /// What the system says; the file is as it was.
    pub fn commit(mut self, content: &[u8]) -> io::Result<()> {
        let (room, next) = (beside(&self.path, "room"), beside(&self.path, "next"));
        self.file.rewind()?;
        self.file.write_all(content)?;
        self.file.set_len(content.len() as u64)?;
        self.file.sync_all()?;
        // Closed, since some systems rename no file that is open.
        drop(self.file);
        if let Err(error) = rename(&room, &self.path) {
            // Where even this fails, it is lost to the disk; whoever holds it in memory is told.
            let _ = fs::rename(&room, &next);
            return Err(error);
        }
        // What stayed beside the file before is older.
        let _ = fs::remove_file(&next);
        // It stands there; that a folder may not be flushed takes nothing back.
        let _ = flush_folder(folder(&self.path));
        Ok(())
    }

    /// Gives the room back.
    pub fn discard(self) {
        // What stays is overwritten by the next one.
        let _ = fs::remove_file(beside(&self.path, "room"));
    }

    /// Puts a line in the file's place that stayed beside it, or that a killed process had written into its room. Whether
    /// there was one.
    ///
    /// # Errors
    ///
    /// What the system says; the line stands where it stood.
    pub fn take_up(path: &Path) -> io::Result<bool> {
        let standing = fs::read(path).unwrap_or_default();
        // The room is the newer of the two.
        for place in ["room", "next"].map(|suffix| beside(path, suffix)) {
            let Some(length) = whole_line(&place, &standing) else { continue };
            let file = OpenOptions::new().write(true).open(&place)?;
            file.set_len(length)?;
            file.sync_all()?;
            drop(file);
            rename(&place, path)?;
            return Ok(true);
        }
        Ok(false)
    }
}

/// The length of the line that stands whole in a file, if that is one and another than `standing`, which a rehearsal that
/// was killed leaves behind.
fn whole_line(file: &Path, standing: &[u8]) -> Option<u64> {
    let bytes = fs::read(file).ok()?;
    let length = bytes.iter().position(|byte| *byte == b'\n')? + 1;
    let (line, rest) = bytes.split_at(length);
    let is_whole = length > 1 && rest.iter().all(|byte| *byte == FILLING);
    (is_whole && line.trim_ascii_end() != standing.trim_ascii_end()).then_some(length as u64)
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
///
/// # Errors
///
/// What the system says; what stood there may be gone.
pub fn new_file(path: &Path, readers: Readers) -> io::Result<File> {
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    limit(&mut options, readers);
    options.open(path)
}

/// A file that is written beside its place, and locked so long.
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
    file: File,
}

/// How many names are tried where others write; more gates than that hardly share a folder.
const MOST_PARTS: u32 = 9;

impl Part {
    /// Makes the part `NAME.part` of a file, or one with a name of this process's where another one is writing that. What
    /// nobody holds a lock on is left over, and replaced.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn beside(path: &Path, readers: Readers) -> io::Result<Self> {
        let process = std::process::id();
        let own = (2..MOST_PARTS).map(|number| format!("{process}-{number}.part"));
        for suffix in ["part".to_owned(), format!("{process}.part")].into_iter().chain(own) {
            let path = beside(path, &suffix);
            if let Some(file) = claim(&path, readers)? {
                return Ok(Self { path, file });
            }
        }
        Err(io::Error::other("other processes are writing it"))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is written to.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Puts it into its place once it is on disk; the folder is flushed too. It is locked until then, so that nobody else
    /// makes a file where it lies.
    ///
    /// # Errors
    ///
    /// What the system says, or that another file lies where it was; what stood in the place is as it was.
    pub fn put(&self, to: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        if !leads_to(&self.path, &self.file) {
            return Err(io::Error::other("another process has taken its place"));
        }
        rename(&self.path, to)?;
        // It stands there; that a folder may not be flushed takes nothing back.
        let _ = flush_folder(folder(to));
        Ok(())
    }

    /// Takes it away, where it still lies there.
    pub fn discard(self) {
        if leads_to(&self.path, &self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a file and locks it; none where another process holds the one that is there. Only who holds the lock on a file
/// takes it away, and only while the name still leads to it.
fn claim(path: &Path, readers: Readers) -> io::Result<Option<File>> {
    if !is_cleared(path) {
        return Ok(None);
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    limit(&mut options, readers);
    let file = match options.open(path) {
        Ok(file) => file,
        // Somebody else was there first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok((is_lockable(&file) && leads_to(path, &file)).then_some(file))
}

/// Whether nothing lies there, or nothing any more: what is left over goes. A link is not followed, and a pipe not opened.
fn is_cleared(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {
            // For writing too: over a network, only such a file can be locked.
            let left = OpenOptions::new().read(true).write(true).open(path);
            let is_left_over = left.as_ref().is_ok_and(|left| is_lockable(left) && leads_to(path, left));
            is_left_over && fs::remove_file(path).is_ok()
        }
        Ok(_) => fs::remove_file(path).is_ok(),
        Err(_) => true,
    }
}

/// Whether nobody else holds a lock on a file; it is locked then. A file system without locks has none to respect.
fn is_lockable(file: &File) -> bool {
    match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => error.kind() != io::ErrorKind::Interrupted,
    }
}

/// Whether a name leads to the file that is open.
#[cfg(unix)]
fn leads_to(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(there), Ok(open)) = (fs::symlink_metadata(path), file.metadata()) else { return false };
    (there.dev(), there.ino()) == (open.dev(), open.ino())
}

/// Elsewhere no file tells which one it is; but one that is open keeps its name there.
#[cfg(not(unix))]
fn leads_to(path: &Path, _: &File) -> bool {
    path.exists()
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
        replacement.commit(b"new\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new\n");
        Replacement::prepare(&path, 100).unwrap().discard();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(Replacement::prepare(&dir.path().join("none/token"), 1).is_err());
    }

    #[test]
    fn what_could_not_be_put_in_its_place_is_taken_up_from_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let taken = |suffix: &str, text: &str| {
            fs::write(&path, "old\n").unwrap();
            fs::write(beside(&path, suffix), text).unwrap();
            let taken = (Replacement::take_up(&path).unwrap(), fs::read_to_string(&path).unwrap());
            let _ = fs::remove_file(beside(&path, suffix));
            taken
        };
        for suffix in ["room", "next"] {
            for text in ["new\n", "new\n-----"] {
                assert_eq!(taken(suffix, text), (true, "new\n".to_owned()), "{suffix}: {text:?}");
            }
            for text in ["", "\n", "-----", "new", "new\nother", "old\n", "old\n---"] {
                assert_eq!(taken(suffix, text), (false, "old\n".to_owned()), "{suffix}: {text:?}");
            }
        }
        assert!(!Replacement::take_up(&dir.path().join("none")).unwrap());
    }

    #[test]
    fn what_stays_beside_the_file_outlives_every_preparation() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        fs::create_dir(&path).unwrap();
        assert!(Replacement::prepare(&path, 100).unwrap().commit(b"new\n").is_err());
        Replacement::prepare(&path, 100).unwrap().discard();
        fs::remove_dir(&path).unwrap();
        fs::write(&path, "old\n").unwrap();
        Replacement::prepare(&path, 100).unwrap().discard();
        assert!(Replacement::take_up(&path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"new\n");
    }

    #[test]
    fn a_part_that_another_one_writes_is_never_touched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let own = beside(&path, &format!("{}.part", std::process::id()));
        fs::write(beside(&path, "part"), "left over").unwrap();
        let parts = [(); 2].map(|()| Part::beside(&path, Readers::AsBefore).unwrap());
        assert_eq!(parts.each_ref().map(Part::path), [beside(&path, "part").as_path(), own.as_path()]);
        let [mut one, mut two] = parts;
        one.file().write_all(b"one").unwrap();
        two.file().write_all(b"two").unwrap();
        one.put(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one");
        drop(one);
        two.put(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        Part::beside(&path, Readers::AsBefore).unwrap().discard();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn what_lies_where_a_part_was_is_not_taken_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let part = Part::beside(&path, Readers::AsBefore).unwrap();
        fs::remove_file(part.path()).unwrap();
        fs::write(part.path(), "theirs").unwrap();
        assert!(part.put(&path).is_err() && !path.exists());
        let theirs = part.path().to_owned();
        part.discard();
        assert_eq!(fs::read(theirs).unwrap(), b"theirs");
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
