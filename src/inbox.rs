//! What is brought to the inbox of Data Integration: files of this machine, and what each is called there.

use std::fmt::{self, Display};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::digest::{Digest, Measured};
use crate::foreign::{quote, quote_path};
use crate::payload::{Field, Payload};

/// What is read of a file at once, in bytes.
pub const PIECE: usize = 64 * 1024;

/// Where every name begins. The other inbox is that of Planning: mixing the two up loads stale data and still ends in
/// success (epm-api.md §1.13).
const FOLDER: &str = "inbox";

/// The name of a file in the inbox, as `fileName` spells it: `inbox/NAME` or `inbox/FOLDER/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remote(String);

/// A name that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Another folder, or none.
    #[error("it does not begin with `inbox/`")]
    Elsewhere,
    /// Nothing between two slashes, or after the last.
    #[error("a part of it is empty")]
    Empty,
    /// `.` or `..`.
    #[error("`.` and `..` are no names")]
    Dots,
    /// What Windows parts folders with, and the service too (epm-api.md §4.1).
    #[error("a backslash stands in it")]
    Backslash,
    /// A control character, or a space around a part.
    #[error("a control character stands in it, or a space at the beginning or the end of a part")]
    Odd,
}

impl Remote {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// What leads out of the inbox, or would be read as another name than it is.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let mut parts = name.split('/');
        if parts.next() != Some(FOLDER) || !name.contains('/') {
            return Err(NameError::Elsewhere);
        }
        parts.try_for_each(check_part)?;
        Ok(Self(name.to_owned()))
    }

    /// The name of a file by its content, so that two gates share one only where they bring the same.
    ///
    /// # Errors
    ///
    /// A local name that can be none there.
    pub fn of_content(local: &Path, sha256: &str) -> Result<Self, NameError> {
        let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
        let stem = text(local.file_stem()).unwrap_or_default();
        let extension = text(local.extension()).map(|extension| format!(".{extension}")).unwrap_or_default();
        Self::parse(&format!("{FOLDER}/{stem}-{}{extension}", &sha256[..16]))
    }

    /// The name as `fileName` spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its folder and its name within that.
    pub fn parts(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or((FOLDER, &self.0))
    }
}

impl Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_part(part: &str) -> Result<(), NameError> {
    match part {
        "" => Err(NameError::Empty),
        "." | ".." => Err(NameError::Dots),
        _ if part.contains('\\') => Err(NameError::Backslash),
        _ if part.trim() != part || part.chars().any(char::is_control) => Err(NameError::Odd),
        _ => Ok(()),
    }
}

/// A file that is to be brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Where it lies on this machine.
    pub local: PathBuf,
    /// What it is to be called there.
    pub remote: Remote,
    /// Whether that name was made of its content.
    pub is_named_by_content: bool,
    /// What it was when it was looked at.
    pub measured: Measured,
}

/// A local file that cannot be brought.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be opened or read.
    #[error("{} cannot be read", quote_path(path))]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A folder, a pipe, a device.
    #[error("{} is no file", quote_path(path))]
    NoFile {
        /// Which.
        path: PathBuf,
    },
}

impl ReadError {
    /// What it is, with its cause.
    pub fn sentence(&self) -> String {
        match self {
            Self::Io { source, .. } => format!("{self}: {}", quote(&source.to_string())),
            Self::NoFile { .. } => self.to_string(),
        }
    }
}

/// Opens a file, and nothing else: a pipe would have to be read twice.
///
/// # Errors
///
/// A file that cannot be opened, and whatever is no file.
pub fn open(path: &Path) -> Result<File, ReadError> {
    let failed = |source| ReadError::Io { path: path.to_owned(), source };
    // To open a pipe may block for ever.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(ReadError::NoFile { path: path.to_owned() });
    }
    File::open(path).map_err(failed)
}

/// Reads a file to its end, and keeps its size and hash.
///
/// # Errors
///
/// As [`open`], and a file that cannot be read.
pub fn measure(path: &Path) -> Result<Measured, ReadError> {
    let mut file = open(path)?;
    let mut digest = Digest::default();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(digest.finish()),
            Ok(length) => digest.push(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(ReadError::Io { path: path.to_owned(), source }),
        }
    }
}

/// Where a local path ends and the name in the inbox begins, if one is given: behind the last `=` before `inbox/`.
pub fn split(given: &str) -> (&str, Option<&str>) {
    match given.rfind("=inbox/") {
        Some(at) => (&given[..at], Some(&given[at + 1..])),
        None => (given, None),
    }
}

/// What may be a mistake about these files and the payload that is to load them.
pub fn doubts(parcels: &[Parcel], payload: &Payload) -> Vec<String> {
    let empty = parcels.iter().filter(|parcel| parcel.measured.bytes == 0);
    let empty = empty.map(|parcel| {
        format!("{} is empty: to load it loads nothing, and may pass all the same", quote_path(&parcel.local))
    });
    let unread = payload.text(Field::FileName.key()).filter(|_| !parcels.is_empty()).filter(|file| {
        // A name without a folder is looked for in the folder of the job's definition.
        let is_it = |parcel: &Parcel| {
            parcel.remote.as_str() == *file || !file.contains('/') && parcel.remote.parts().1 == *file
        };
        !parcels.iter().any(is_it)
    });
    let unread = unread.map(|file| format!("the job reads {}, which is none of the uploads", quote(file)));
    empty.chain(unread).collect()
}

/// A size as people read it: `12.3 MB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    match UNITS.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            let tenths = u128::from(bytes) * 10 / u128::from(unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None if bytes == 1 => "1 byte".to_owned(),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_into_the_inbox_and_nowhere_else() {
        for (name, expected) in [
            ("inbox/x.csv", Ok(("inbox", "x.csv"))),
            ("inbox/2026/Jan/ä b.csv", Ok(("inbox/2026/Jan", "ä b.csv"))),
            ("inbox/a=b;%2F.csv", Ok(("inbox", "a=b;%2F.csv"))),
            ("inbox", Err(NameError::Elsewhere)),
            ("x.csv", Err(NameError::Elsewhere)),
            ("outbox/x.csv", Err(NameError::Elsewhere)),
            ("#epminbox/x.csv", Err(NameError::Elsewhere)),
            ("/inbox/x.csv", Err(NameError::Elsewhere)),
            ("inbox/", Err(NameError::Empty)),
            ("inbox//x.csv", Err(NameError::Empty)),
            ("inbox/../x.csv", Err(NameError::Dots)),
            ("inbox/./x.csv", Err(NameError::Dots)),
            ("inbox/a\\x.csv", Err(NameError::Backslash)),
            ("inbox/a\nx.csv", Err(NameError::Odd)),
            ("inbox/x.csv ", Err(NameError::Odd)),
        ] {
            let remote = Remote::parse(name);
            assert_eq!(remote.as_ref().map(Remote::parts).map_err(|error| *error), expected, "{name:?}");
        }
    }

    #[test]
    fn a_name_by_content_keeps_stem_and_extension() {
        let hash = "0123456789abcdef".repeat(4);
        for (local, remote) in [
            ("/data/GL Jan.csv", Some("inbox/GL Jan-0123456789abcdef.csv")),
            ("a.tar.gz", Some("inbox/a.tar-0123456789abcdef.gz")),
            ("data", Some("inbox/data-0123456789abcdef")),
            (".csv", Some("inbox/.csv-0123456789abcdef")),
            ("a\nb.csv", None),
        ] {
            let named = Remote::of_content(Path::new(local), &hash).ok();
            assert_eq!(named.as_ref().map(Remote::as_str), remote, "{local:?}");
        }
    }

    #[test]
    fn the_name_in_the_inbox_begins_behind_the_last_equals_sign_that_leads_there() {
        for (given, expected) in [
            ("x.csv", ("x.csv", None)),
            ("x.csv=inbox/y.csv", ("x.csv", Some("inbox/y.csv"))),
            ("a=b.csv", ("a=b.csv", None)),
            ("a=b.csv=inbox/y.csv", ("a=b.csv", Some("inbox/y.csv"))),
            ("d=inbox/x.csv=inbox/y=z.csv", ("d=inbox/x.csv", Some("inbox/y=z.csv"))),
        ] {
            assert_eq!(split(given), expected, "{given}");
        }
    }

    #[test]
    fn only_a_file_is_measured() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        assert!(matches!(measure(&path), Err(ReadError::Io { .. })));
        assert!(matches!(measure(dir.path()), Err(ReadError::NoFile { .. })));
        std::fs::write(&path, vec![b'x'; PIECE + 1]).unwrap();
        assert_eq!(measure(&path).unwrap().bytes, PIECE as u64 + 1);
    }

    #[test]
    fn a_payload_that_reads_another_file_is_doubted() {
        let parcel = |remote: &str, bytes| Parcel {
            local: "x.csv".into(),
            remote: Remote::parse(remote).unwrap(),
            is_named_by_content: false,
            measured: Measured { bytes, sha256: String::new() },
        };
        for (file, parcels, count) in [
            ("inbox/x.csv", vec![parcel("inbox/x.csv", 1)], 0),
            ("x.csv", vec![parcel("inbox/x.csv", 1)], 0),
            ("inbox/y.csv", vec![parcel("inbox/x.csv", 1), parcel("inbox/y.csv", 1)], 0),
            ("inbox/y.csv", vec![parcel("inbox/x.csv", 1)], 1),
            ("#epminbox/x.csv", vec![parcel("inbox/x.csv", 1)], 1),
            ("inbox/y.csv", vec![parcel("inbox/x.csv", 0)], 2),
            ("inbox/y.csv", vec![], 0),
        ] {
            let payload = Payload::of_text(&format!(r#"{{"jobType":"X","fileName":"{file}"}}"#)).unwrap();
            assert_eq!(doubts(&parcels, &payload).len(), count, "{file}");
        }
        let payload = Payload::of_text(r#"{"jobType":"X"}"#).unwrap();
        assert!(doubts(&[parcel("inbox/x.csv", 1)], &payload).is_empty());
    }

    #[test]
    fn sizes_are_read_at_a_glance() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1.0 KB"),
            (12_345_678, "12.3 MB"),
            (1_073_741_824, "1.0 GB"),
            (u64::MAX, "18446744073.7 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
