//! How far a file has come, and how the rest of it is asked for (RFC 9110 §14).

use reqwest::Response;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE, TRANSFER_ENCODING};

use crate::http::fault::Fault;

/// How far a file has come.
#[derive(Clone, Debug, Default)]
pub struct Part {
    bytes: u64,
    /// How long the whole is, where that was told.
    total: Option<u64>,
    /// Whether an answer without an end of its own was among those that brought it.
    is_open_ended: bool,
    /// Which state of the file the bytes are of, as its tag has it; a weak one does not tell bytes apart.
    tag: Option<HeaderValue>,
    /// When that state came to be, where it was told.
    modified: Option<HeaderValue>,
}

impl Part {
    /// How many bytes of it are there.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether something tells that it came to its end: its length, or the chunks that it came in. A connection that ends
    /// may have been cut.
    pub fn is_proven(&self) -> bool {
        self.total.is_some() || !self.is_open_ended
    }

    /// What asks for the rest. Where nothing tells one state of the file from another, the same length is no proof, and it
    /// is asked for from the beginning.
    pub(super) fn wish(&self) -> HeaderMap {
        let mut wish = HeaderMap::new();
        let state = self.tag.as_ref().filter(|tag| is_strong(tag)).or(self.modified.as_ref());
        if let Some(state) = state.filter(|_| self.bytes > 0) {
            wish.extend(HeaderValue::try_from(format!("bytes={}-", self.bytes)).ok().map(|range| (RANGE, range)));
            wish.insert(IF_RANGE, state.clone());
        }
        wish
    }

    /// A whole file begins.
    pub(super) fn begin(&mut self, response: &Response) {
        let total = response.content_length();
        let headers = response.headers();
        *self = Self {
            bytes: 0,
            total,
            is_open_ended: !is_chunked(headers),
            tag: headers.get(ETAG).cloned(),
            modified: headers.get(LAST_MODIFIED).cloned(),
        };
    }

    /// Whether an answer of 206 is what was asked for: the rest of the same file.
    pub(super) fn is_rest(&self, headers: &HeaderMap) -> bool {
        let Some((first, last, total)) = range(headers) else { return false };
        let is_same = |known: Option<&[u8]>, told: Option<&[u8]>| known.is_none() || told.is_none() || known == told;
        let is_same = is_same(self.tag.as_ref().map(opaque), headers.get(ETAG).map(opaque))
            && is_same(self.modified.as_ref().map(text), headers.get(LAST_MODIFIED).map(text));
        let fits = total.is_none() || self.total.is_none() || total == self.total;
        self.bytes > 0 && first == self.bytes && last >= first && fits && is_same
    }

    /// The rest begins.
    pub(super) fn goes_on(&mut self, response: &Response) {
        let told = range(response.headers()).and_then(|(_, _, total)| total);
        self.total = self.total.or(told);
        self.is_open_ended = response.content_length().is_none() && !is_chunked(response.headers());
    }

    pub(super) fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// The end of an answer.
    ///
    /// # Errors
    ///
    /// It is not the end of the file.
    pub(super) fn whole(&self, host: &str) -> Result<(), Fault> {
        match self.total {
            Some(total) if total != self.bytes => {
                let reason = format!("{} of {total} bytes had come", self.bytes);
                Err(Fault::Broken { host: host.to_owned(), reason })
            }
            _ => Ok(()),
        }
    }

    /// What came is of no use.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Whether a tag tells bytes apart; a weak one must not be asked with (RFC 9110 §13.1.5).
fn is_strong(tag: &HeaderValue) -> bool {
    tag.as_bytes().starts_with(b"\"")
}

/// What a tag says whether it is weak or not: whoever packs an answer makes it weak on the way.
fn opaque(tag: &HeaderValue) -> &[u8] {
    let text = text(tag);
    text.strip_prefix(b"W/").unwrap_or(text)
}

fn text(value: &HeaderValue) -> &[u8] {
    value.as_bytes().trim_ascii()
}

fn is_chunked(headers: &HeaderMap) -> bool {
    let coding = headers.get(TRANSFER_ENCODING).and_then(|coding| coding.to_str().ok()).unwrap_or_default();
    coding.trim().to_ascii_lowercase().ends_with("chunked")
}

fn range(headers: &HeaderMap) -> Option<(u64, u64, Option<u64>)> {
    headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).and_then(content_range)
}

/// First and last byte and the length of the whole, which may be `*`: `bytes 5-9/10`.
fn content_range(value: &str) -> Option<(u64, u64, Option<u64>)> {
    let (unit, range) = value.trim().split_once(' ')?;
    let (place, total) = range.trim().split_once('/')?;
    let (first, last) = place.split_once('-')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    unit.eq_ignore_ascii_case("bytes").then_some((first.parse().ok()?, last.parse().ok()?, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_the_rest_of_the_same_file_fits_behind_what_is_there() {
        let value = |text| Some(HeaderValue::from_static(text));
        let part =
            Part { bytes: 5, total: Some(10), tag: value("\"a\""), modified: value("Monday"), ..Part::default() };
        for (range, tag, modified, fits) in [
            ("bytes 5-9/10", None, None, true),
            ("bytes 5-9/10", Some("\"a\""), Some("Monday"), true),
            ("Bytes 5-7/10", Some("W/\"a\""), None, true),
            ("bytes 5-9/*", None, None, true),
            ("bytes 5-9/10", Some("\"b\""), None, false),
            ("bytes 5-9/10", Some("W/\"b\""), None, false),
            ("bytes 5-9/10", Some("\"a\""), Some("Tuesday"), false),
            ("bytes 5-9/10", None, Some("Tuesday"), false),
            ("bytes 4-9/10", None, None, false),
            ("bytes 6-9/10", None, None, false),
            ("bytes 5-9/11", None, None, false),
            ("bytes 5-4/10", None, None, false),
            ("bytes */10", None, None, false),
            ("lines 5-9/10", None, None, false),
            ("5-9/10", None, None, false),
        ] {
            let mut pairs = vec![("content-range", range)];
            pairs.extend(tag.map(|tag| ("etag", tag)));
            pairs.extend(modified.map(|modified| ("last-modified", modified)));
            assert_eq!(part.is_rest(&headers(&pairs)), fits, "{range} {tag:?} {modified:?}");
        }
        assert!(!part.is_rest(&headers(&[])));
        assert!(!Part::default().is_rest(&headers(&[("content-range", "bytes 0-9/10")])));
    }

    #[test]
    fn the_rest_is_asked_for_where_it_can_be_held_against_what_is_there() {
        let value = HeaderValue::from_static;
        for (bytes, tag, modified, expected) in [
            (0, Some("\"a\""), Some("Monday"), None),
            (5, None, None, None),
            (5, Some("W/\"a\""), None, None),
            (5, Some("\"a\""), Some("Monday"), Some("\"a\"")),
            (5, Some("W/\"a\""), Some("Monday"), Some("Monday")),
            (5, None, Some("Monday"), Some("Monday")),
        ] {
            let (tag, modified) = (tag.map(value), modified.map(value));
            let wish = Part { bytes, total: Some(9), tag, modified, ..Part::default() }.wish();
            assert_eq!(wish.get(IF_RANGE), expected.map(value).as_ref());
            assert_eq!(wish.get(RANGE), expected.map(|_| value("bytes=5-")).as_ref());
        }
    }

    #[test]
    fn a_length_or_chunks_prove_that_a_file_is_whole() {
        for (total, is_open_ended, is_proven) in
            [(Some(9), true, true), (Some(9), false, true), (None, false, true), (None, true, false)]
        {
            assert_eq!(Part { total, is_open_ended, ..Part::default() }.is_proven(), is_proven);
        }
        assert!(is_chunked(&headers(&[("transfer-encoding", "Chunked")])));
        assert!(is_chunked(&headers(&[("transfer-encoding", "gzip, chunked")])));
        assert!(!is_chunked(&headers(&[("transfer-encoding", "chunked, gzip")])) && !is_chunked(&headers(&[])));
    }
}
