//! What is told of bytes that are no answer in JSON: how many, their hash, what kind of thing they are, and for a log the
//! first thing in it that says why a job failed.

use std::sync::{Mutex, PoisonError};

use ring::digest::{Context, SHA256};
use serde::Serialize;

use super::super::wire;
use crate::diagnose::markers::{ALL, LONGEST, WORDS};

/// The length of the longest marker, less one: so much of a piece may be the start of one.
const OVERLAP: usize = LONGEST - 1;

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
        Content { is, size: self.size, sha256, marker: ALL.get(self.best).map(|marker| marker.text) }
    }
}

/// A [`Reader`] of what goes out, which another thread fills.
#[derive(Default)]
pub(in crate::epm) struct Tap(Mutex<Reader>);

impl Tap {
    /// Takes the next piece.
    pub(in crate::epm) fn push(&self, piece: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(piece);
    }

    /// What went out by now.
    pub(super) fn finish(&self) -> Content {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).finish(Thing::File)
    }
}

/// The place of the best marker in these bytes, if it is better than `best`: of those that say why, as the record may name
/// them, the first of the table tells most.
fn best_marker(bytes: &[u8], best: usize) -> usize {
    let mut best = best;
    let mut from = 0;
    while let Some(at) = WORDS.next(bytes, from) {
        best = WORDS.at(bytes, at).filter(|marker| ALL[*marker].may_tell()).fold(best, usize::min);
        from = at + 1;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_marker_is_missed_between_two_pieces() {
        let markers = || ALL.iter().filter(|marker| marker.may_tell()).map(|marker| marker.text);
        for marker in markers() {
            for cut in 0..marker.len() {
                let mut reader = Reader::default();
                reader.push(format!("{}{}", "a line\n".repeat(20), &marker[..cut]).as_bytes());
                reader.push(&marker.as_bytes()[cut..]);
                let first = markers().find(|first| marker.contains(first));
                assert_eq!(reader.finish(Thing::File).marker, first, "{marker} at {cut}");
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
