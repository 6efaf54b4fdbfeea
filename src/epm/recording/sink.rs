//! The file of a record: for its owner alone, a line at a time, and never in the way of the gate.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bounded;
use crate::durable::{self, Readers};
use crate::foreign::{quote, quote_path};

/// How long a pipe is waited for that somebody is to read.
const OPENING: Duration = Duration::from_secs(3);

/// A record that cannot be opened or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} the record {}: {}", quote_path(path), quote(&source.to_string()))]
pub struct Error {
    verb: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl Error {
    /// What would be right.
    pub fn help(&self) -> &'static str {
        "name a place that exists and that this user may write to"
    }
}

/// An open file.
#[derive(Debug)]
pub struct Sink {
    path: PathBuf,
    file: File,
    /// Whether it is a pipe or a device, whose reader may be asleep.
    may_block: bool,
}

impl Sink {
    /// Opens it, empty.
    ///
    /// # Errors
    ///
    /// A file that cannot be opened, or not be kept from others; a pipe that nobody reads.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let place = path.to_owned();
        let opened = bounded::within(OPENING, move || open(&place))
            .unwrap_or_else(|| Err(io::Error::new(io::ErrorKind::TimedOut, "it is a pipe that nobody reads")));
        match opened {
            Ok((file, may_block)) => Ok(Self { path: path.to_owned(), file, may_block }),
            Err(source) => Err(Error { verb: "open", path: path.to_owned(), source }),
        }
    }

    /// Writes a line, which nobody has to wait for afterwards.
    pub(super) fn write(&mut self, line: String) -> Result<(), Error> {
        let written = if self.may_block { self.write_aside(line) } else { self.file.write_all(line.as_bytes()) };
        written.map_err(|source| Error { verb: "write", path: self.path.clone(), source })
    }

    fn write_aside(&self, line: String) -> io::Result<()> {
        let mut file = self.file.try_clone()?;
        bounded::write(move || file.write_all(line.as_bytes()))
    }
}

/// A new file, whatever stands at its place: what a link leads to is somebody else's, and one that was there already may be
/// open to others. A device or a pipe stays what it is.
fn open(path: &Path) -> io::Result<(File, bool)> {
    if is_systems(path) {
        return Ok((OpenOptions::new().write(true).open(path)?, true));
    }
    Ok((durable::new_file(path, Readers::Owner)?, false))
}

/// Whether it is no place for a file: a folder, a device or a pipe, or one of the system's names for an open file, such as
/// `/dev/stdout`, whose link must stay.
fn is_systems(path: &Path) -> bool {
    let names_open_files = |folder: PathBuf| {
        folder == Path::new("/dev") || ["/dev/fd", "/proc"].iter().any(|systems| folder.starts_with(systems))
    };
    let is_name = durable::folder(path).canonicalize().is_ok_and(names_open_files);
    path.metadata().is_ok_and(|metadata| is_name || !metadata.is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_record_is_its_owners_and_holds_nothing_of_an_earlier_run() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("record.jsonl");
        fs::write(&path, "an earlier run").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        for name in ["record.jsonl", "new.jsonl"] {
            let path = dir.path().join(name);
            Sink::open(&path).unwrap().write("a line\n".to_owned()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "a line\n");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let error = Sink::open(&dir.path().join("no/such/folder")).unwrap_err().to_string();
        assert!(error.starts_with("cannot open the record `"), "{error}");
    }
    #[test]
    fn what_a_link_leads_to_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let kept = dir.path().join("kept.txt");
        fs::write(&kept, "somebody else's").unwrap();
        fs::set_permissions(&kept, fs::Permissions::from_mode(0o644)).unwrap();
        let (soft, hard, dangling) = (dir.path().join("soft"), dir.path().join("hard"), dir.path().join("dangling"));
        std::os::unix::fs::symlink(&kept, &soft).unwrap();
        fs::hard_link(&kept, &hard).unwrap();
        std::os::unix::fs::symlink(dir.path().join("nowhere"), &dangling).unwrap();
        for path in [&soft, &hard, &dangling] {
            Sink::open(path).unwrap().write("a line\n".to_owned()).unwrap();
            assert_eq!(fs::read_to_string(path).unwrap(), "a line\n");
            let metadata = fs::symlink_metadata(path).unwrap();
            assert!(metadata.is_file() && metadata.permissions().mode() & 0o777 == 0o600, "{}", path.display());
        }
        assert_eq!(fs::read_to_string(&kept).unwrap(), "somebody else's");
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o644);
        assert!(!dir.path().join("nowhere").exists());
    }

    #[test]
    fn a_device_stays_what_it_is() {
        let sink = Sink::open(Path::new("/dev/null")).unwrap();
        assert!(sink.may_block && !fs::metadata("/dev/null").unwrap().is_file());
    }
}
