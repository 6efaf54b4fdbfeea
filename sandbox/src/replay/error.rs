//! What can be wrong with a record.

use std::path::PathBuf;

/// Why there is nothing to replay.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("the record `{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is in UTF-16, as PowerShell's `>` writes it.
    #[error("the record `{origin}` is in UTF-16: save it in UTF-8")]
    Wide {
        /// The file.
        origin: String,
    },
    /// It is in no encoding that is known.
    #[error("the record `{origin}` is not in UTF-8")]
    NoText {
        /// The file.
        origin: String,
    },
    /// There is nothing in it.
    #[error("the record `{origin}` is empty")]
    Empty {
        /// The file.
        origin: String,
    },
    /// It is of a version that this program does not know.
    #[error("the record `{origin}` has the format {found}, and this program knows 1: take one of the same release")]
    Version {
        /// The file.
        origin: String,
        /// Its version.
        found: u64,
    },
    /// A line is none of a record; the cause says why.
    #[error("line {line} of the record `{origin}` is wrong")]
    Malformed {
        /// The file.
        origin: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A line says nothing that could be played.
    #[error("line {line} of the record `{origin}` is wrong: {why}")]
    Senseless {
        /// The file.
        origin: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}
