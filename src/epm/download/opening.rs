//! How a file begins: an answer of EPM's, or a page, may come without the Content-Type that would tell it from one.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::epm::wire;
use crate::foreign::Mask;
use crate::json::Object;

/// The largest answer that is looked for: a stack trace in `details` stays far below it.
const LARGEST: usize = 1024 * 1024;

/// Whether the headers alone tell that the body is something else than the file: EPM says in JSON why it does not give
/// one out, and a page is no log of a job.
pub(super) fn is_no_file(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.ends_with("/json") || kind.ends_with("+json") || kind == "text/html"
}

/// The bytes that came first, held back while they may be those of an answer or of a page. Few files are held at all: of
/// a log, the first letter tells.
#[derive(Debug, Default)]
pub(super) struct Opening(Vec<u8>);

impl Opening {
    /// Whether more must come before it is told what this is.
    pub(super) fn is_open(&self) -> bool {
        self.0.len() <= LARGEST && matches!(text(&self.0).first(), None | Some(b'{' | b'<'))
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The beginning of the file that EPM calls so.
    ///
    /// # Errors
    ///
    /// The body, where it is that of no file.
    pub(super) fn file(self, name: &str) -> Result<Vec<u8>, Vec<u8>> {
        let is_file = match text(&self.0).first() {
            Some(b'{') => self.0.len() > LARGEST || !is_answer(&self.0, name),
            Some(b'<') => !is_page(&self.0, name),
            _ => true,
        };
        if is_file { Ok(self.0) } else { Err(self.0) }
    }
}

/// What comes behind a mark of the byte order and blanks.
fn text(bytes: &[u8]) -> &[u8] {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    // Half a mark is not told yet.
    if MARK.starts_with(bytes) { &[] } else { bytes.strip_prefix(MARK).unwrap_or(bytes).trim_ascii_start() }
}

/// Whether JSON is what EPM answers instead of a file (epm-api.md §4.1). One that is called JSON may have keys of the same
/// names, so that of it the whole shape of a refusal is asked for: a number other than 0, and what stands beside it.
fn is_answer(body: &[u8], name: &str) -> bool {
    let Ok(keys) = serde_json::from_str::<Object>(&wire::text(body)) else { return false };
    let has = |names: [&str; 2]| keys.pairs().any(|(key, _)| names.contains(&key));
    if !is_called(name, &[".json"]) {
        return has(["status", "details"]);
    }
    let status = wire::answer(body, &Mask::default()).and_then(|answer| answer.status);
    status.is_some_and(|status| status != 0) && has(["details", "links"])
}

/// Whether a page is one of the server's: whatever asks for a login, and any other where no page was asked for. One that
/// is larger than an answer is a file.
fn is_page(body: &[u8], name: &str) -> bool {
    let start = text(body);
    let is_html = ["<!doctype html", "<html"]
        .iter()
        .any(|mark| start.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark.as_bytes())));
    let is_own = body.len() > LARGEST || is_called(name, &[".html", ".htm"]);
    wire::is_login_page(body) || (is_html && !is_own)
}

fn is_called(name: &str, extensions: &[&str]) -> bool {
    let name = name.to_ascii_lowercase();
    extensions.iter().any(|extension| name.ends_with(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_file(body: &str, name: &str) -> bool {
        let mut opening = Opening::default();
        opening.push(body.as_bytes());
        opening.file(name).is_ok()
    }

    #[test]
    fn a_content_type_of_json_or_of_a_page_is_that_of_no_file() {
        for (kind, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/problem+json", true),
            ("text/json", true),
            ("text/html;charset=utf-8", true),
            ("application/octet-stream", false),
            ("text/plain", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(is_no_file(&headers), expected, "{kind}");
        }
        assert!(!is_no_file(&HeaderMap::new()));
    }

    #[test]
    fn what_an_answer_begins_with_is_held_and_a_log_is_not() {
        for (bytes, is_open) in [
            (&b""[..], true),
            (b" \r\n", true),
            (b"\xef\xbb", true),
            (b"\xef\xbb\xbf{", true),
            (b" <html", true),
            (b"{\"a\": 1}", true),
            (b"2026-03-22 INFO", false),
            (b"\xef\xbb\xbfa,b", false),
            (b"\xe9t\xe9", false),
            (b"[{}]", false),
        ] {
            assert_eq!(Opening(bytes.to_vec()).is_open(), is_open, "{bytes:?}");
        }
        assert!(!Opening([b"{".repeat(LARGEST), b"{".to_vec()].concat()).is_open());
    }

    #[test]
    fn a_refusal_or_a_page_is_no_file_unless_a_file_of_that_kind_was_asked_for() {
        let (refusal, login) = (r#"{"status":8,"details":"EPMLCM-1"}"#, "<html><!--loginForm--></html>");
        for (body, log, json, html) in [
            (refusal, false, false, false),
            ("\u{feff} {\"status\":\"8\",\"links\":[]}", false, false, false),
            (r#"{"status":0,"details":null}"#, false, true, false),
            (r#"{"status":"new","rows":3}"#, false, true, false),
            (r#"{"details":"EPMLCM-1"}"#, false, true, false),
            (r#"{"status":8}"#, false, true, false),
            (r#"{"rows":3}"#, true, true, true),
            (r#"{"status":8,"details":"x"} and more"#, true, true, true),
            (login, false, false, false),
            ("\n<!DOCTYPE HTML><p>503", false, false, true),
            ("<html><p>503", false, false, true),
            ("<?xml version='1.0'?><rows/>", true, true, true),
            ("", true, true, true),
            ("a,b", true, true, true),
        ] {
            let told = ["x.log", "x.JSON", "x.html"].map(|name| is_file(body, name));
            assert_eq!(told, [log, json, html], "{body}");
        }
        let large = " ".repeat(LARGEST);
        assert!(is_file(&format!("{refusal}{large}"), "x.log"));
        assert!(is_file(&format!("<html>{large}"), "x.log"));
        assert!(!is_file(&format!("{login}{large}"), "x.html"));
    }
}
