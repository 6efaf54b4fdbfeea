//! What is told of bytes that are no answer in JSON: how many, their hash, what kind of thing they are, and for a log the
//! first thing in it that says why a job failed.

use ring::digest::{Context, SHA256};
use serde::Serialize;

use super::super::wire;
use crate::diagnose::markers;

/// What says why as well, though not verified, after those that were seen.
const UNVERIFIED: [&str; 11] = [
    "cannot be processed",
    "unmapped dimensions",
    "Marked as Invalid",
    "Rows Rejected",
    "No Records Imported",
    "FileNotFoundException",
    "UnknownHostException",
    "Connection refused",
    "SocketTimeout",
    "FATAL ",
    "ERROR ",
];

/// What says why, as the record may name it; the first of these that is there tells most.
fn markers() -> impl Iterator<Item = &'static str> {
    markers::SEEN.into_iter().chain(UNVERIFIED)
}

/// The longest of them, less one: so much of a piece may be the start of one.
const OVERLAP: usize = 23;

/// What kind of thing a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Thing {
    Nothing,
    LoginPage,
    MaintenancePage,
    Page,
    Text,
    File,
}

/// What is told of them.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Content {
    is: Thing,
    size: u64,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<&'static str>,
}

impl Content {
    /// Of a body that is there as a whole.
    pub(super) fn of(body: &[u8]) -> Self {
        let mut reader = Reader::default();
        reader.push(body);
        reader.finish(thing(body))
    }
}

fn thing(body: &[u8]) -> Thing {
    let start = String::from_utf8_lossy(&body[..body.len().min(64 * 1024)]).to_ascii_lowercase();
    match start.trim_start_matches('\u{feff}').trim_start() {
        "" if body.is_empty() => Thing::Nothing,
        _ if wire::is_login_page(body) => Thing::LoginPage,
        page if page.starts_with('<') && page.contains("maintenance") => Thing::MaintenancePage,
        page if page.starts_with('<') => Thing::Page,
        _ => Thing::Text,
    }
}

/// Takes bytes piece by piece.
pub(super) struct Reader {
    size: u64,
    digest: Context,
    /// The place of the best marker so far.
    best: usize,
    /// The end of what came before, in which a marker may begin.
    tail: Vec<u8>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { size: 0, digest: Context::new(&SHA256), best: usize::MAX, tail: Vec::new() }
    }
}

impl Reader {
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.size += piece.len() as u64;
        self.digest.update(piece);
        self.tail.extend_from_slice(piece);
        self.best = best_marker(&self.tail, self.best);
        self.tail.drain(..self.tail.len().saturating_sub(OVERLAP));
    }

    pub(super) fn finish(self, is: Thing) -> Content {
        let hash = self.digest.finish();
        let sha256 = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        Content { is, size: self.size, sha256, marker: markers().nth(self.best) }
    }
}

/// The place of the best marker in these bytes, if it is better than that of `best`.
fn best_marker(bytes: &[u8], best: usize) -> usize {
    let better = |best: usize, at: usize| {
        let begins = |marker: &str| bytes[at..].starts_with(marker.as_bytes());
        markers().take(best).position(begins).unwrap_or(best)
    };
    // Most bytes begin none of them.
    let may_begin = |at: &usize| {
        matches!(bytes[*at], b'[' | b'E' | b'N' | b'T' | b'c' | b'u' | b'M' | b'R' | b'F' | b'U' | b'C' | b'S')
    };
    (0..bytes.len()).filter(may_begin).fold(best, better)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_marker_is_missed_between_two_pieces() {
        assert_eq!(markers().map(str::len).max(), Some(OVERLAP + 1));
        for marker in markers() {
            for cut in 0..marker.len() {
                let mut reader = Reader::default();
                reader.push(format!("{}{}", "a line\n".repeat(20), &marker[..cut]).as_bytes());
                reader.push(&marker.as_bytes()[cut..]);
                assert_eq!(reader.finish(Thing::File).marker, Some(marker), "{cut}");
            }
        }
    }

    #[test]
    fn a_body_is_told_by_its_kind_size_and_hash() {
        let table: [(&str, Thing); 6] = [
            ("", Thing::Nothing),
            ("<html><!--loginForm--></html>", Thing::LoginPage),
            ("\n<!DOCTYPE html><h1>Daily Maintenance</h1>", Thing::MaintenancePage),
            ("<html>502</html>", Thing::Page),
            ("OK", Thing::Text),
            ("{\"jobId\":", Thing::Text),
        ];
        for (body, is) in table {
            let content = Content::of(body.as_bytes());
            assert_eq!((content.is, content.size), (is, body.len() as u64), "{body}");
        }
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Content::of(b"").sha256, empty);
    }
}
