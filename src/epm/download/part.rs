//! How far a file has come, and how the rest of it is asked for (RFC 9110 §14).

use reqwest::Response;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE, TRANSFER_ENCODING};

use crate::http::fault::Fault;

/// How far a file has come.
#[derive(Clone, Debug, Default)]
pub struct Part {
    bytes: u64,
    /// How long the whole is, where that was told.
    total: Option<u64>,
    /// Whether an answer without an end of its own was among those that brought it.
    is_open_ended: bool,
    /// Which state of the file the bytes are of; none where that was not told for sure.
    tag: Option<HeaderValue>,
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

    /// What asks for the rest. What cannot be held against a rest is asked for from the beginning.
    pub(super) fn wish(&self) -> HeaderMap {
        let mut wish = HeaderMap::new();
        if self.bytes > 0 && (self.tag.is_some() || self.total.is_some()) {
            wish.extend(HeaderValue::try_from(format!("bytes={}-", self.bytes)).ok().map(|range| (RANGE, range)));
            wish.extend(self.tag.clone().map(|tag| (IF_RANGE, tag)));
        }
        wish
    }

    /// A whole file begins.
    pub(super) fn begin(&mut self, response: &Response) {
        let total = response.content_length();
        *self = Self {
            bytes: 0,
            total,
            is_open_ended: !is_chunked(response.headers()),
            tag: strong_tag(response.headers()),
        };
    }

    /// Whether an answer of 206 is what was asked for: the rest of the same file.
    pub(super) fn is_rest(&self, headers: &HeaderMap) -> bool {
        let Some((first, last, total)) = range(headers) else { return false };
        let is_same = match (&self.tag, strong_tag(headers)) {
            (Some(tag), Some(told)) => *tag == told,
            _ => true,
        };
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

/// The tag of a file's state. A weak one does not tell bytes apart, and must not be asked with (RFC 9110 §13.1.5).
fn strong_tag(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\"")).cloned()
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
        let part =
            Part { bytes: 5, total: Some(10), is_open_ended: false, tag: Some(HeaderValue::from_static("\"a\"")) };
        for (range, tag, fits) in [
            ("bytes 5-9/10", None, true),
            ("bytes 5-9/10", Some("\"a\""), true),
            ("Bytes 5-7/10", Some("W/\"b\""), true),
            ("bytes 5-9/*", None, true),
            ("bytes 5-9/10", Some("\"b\""), false),
            ("bytes 4-9/10", None, false),
            ("bytes 6-9/10", None, false),
            ("bytes 5-9/11", None, false),
            ("bytes 5-4/10", None, false),
            ("bytes */10", None, false),
            ("lines 5-9/10", None, false),
            ("5-9/10", None, false),
        ] {
            let mut pairs = vec![("content-range", range)];
            pairs.extend(tag.map(|tag| ("etag", tag)));
            assert_eq!(part.is_rest(&headers(&pairs)), fits, "{range} {tag:?}");
        }
        assert!(!part.is_rest(&headers(&[])));
        assert!(!Part::default().is_rest(&headers(&[("content-range", "bytes 0-9/10")])));
    }

    #[test]
    fn the_rest_is_asked_for_where_it_can_be_held_against_what_is_there() {
        let asked = |part: Part| {
            let wish = part.wish();
            let text = |name| wish.get(name).map(|value: &HeaderValue| value.to_str().unwrap().to_owned());
            (text(RANGE), text(IF_RANGE))
        };
        let tag = || Some(HeaderValue::from_static("\"a\""));
        let range = || Some("bytes=5-".to_owned());
        let part = |bytes, total, tag| Part { bytes, total, tag, ..Part::default() };
        assert_eq!(asked(part(0, Some(9), tag())), (None, None));
        assert_eq!(asked(part(5, None, None)), (None, None));
        assert_eq!(asked(part(5, Some(9), None)), (range(), None));
        assert_eq!(asked(part(5, None, tag())), (range(), Some("\"a\"".to_owned())));
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

    #[test]
    fn a_weak_tag_is_none() {
        assert_eq!(strong_tag(&headers(&[("etag", "W/\"a\"")])), None);
        assert_eq!(strong_tag(&headers(&[("etag", "\"a\"")])), Some(HeaderValue::from_static("\"a\"")));
    }
}
