//! Which headers are kept, and what of them. All others could name a server, a proxy or a session.

use reqwest::header::{
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};
use serde_json::{Map, Value};

use super::place;
use super::table::Table;
use super::text;

const KEPT: [HeaderName; 7] =
    [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_RANGE, DATE, RETRY_AFTER, WWW_AUTHENTICATE, LOCATION];

const TYPES: [&str; 10] = [
    "application/json",
    "application/octet-stream",
    "application/problem+json",
    "application/xml",
    "application/zip",
    "text/csv",
    "text/html",
    "text/plain",
    "text/xml",
    "multipart/form-data",
];

const CHARSETS: [&str; 3] = ["utf-8", "iso-8859-1", "us-ascii"];

const SCHEMES: [&str; 5] = ["Basic", "Bearer", "Digest", "Negotiate", "NTLM"];

/// RFC 6750 §3.1
const ERRORS: [&str; 3] = ["invalid_request", "invalid_token", "insufficient_scope"];

/// What is kept of the headers of an answer. `host`: the pod's.
pub(super) fn redacted(table: &mut Table, headers: &HeaderMap, host: &str) -> Map<String, Value> {
    let mut kept = Map::new();
    for name in KEPT {
        let Some(value) = headers.get(&name) else { continue };
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = match name {
            CONTENT_TYPE => content_type(&value),
            CONTENT_RANGE => range(&value),
            DATE | RETRY_AFTER | CONTENT_LENGTH => time_or_number(&value),
            WWW_AUTHENTICATE => challenge(table, &value),
            _ => place::url(table, &value, host),
        };
        kept.insert(name.as_str().to_owned(), value.into());
    }
    kept
}

fn content_type(value: &str) -> String {
    let mut parts = value.split(';').map(|part| part.trim().to_ascii_lowercase());
    let essence = parts.next().unwrap_or_default();
    let essence = TYPES.into_iter().find(|known| *known == essence).unwrap_or("x/x");
    let charset = parts.find_map(|part| CHARSETS.into_iter().find(|known| part == format!("charset={known}")));
    charset.map_or(essence.to_owned(), |charset| format!("{essence};charset={charset}"))
}

fn time_or_number(value: &str) -> String {
    let value = value.trim();
    let is_number = (1..=12).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    match httpdate::parse_http_date(value) {
        _ if is_number => value.to_owned(),
        Ok(time) => httpdate::fmt_http_date(time),
        Err(_) => "x".to_owned(),
    }
}

/// Numbers alone: `bytes 5-9/10`.
fn range(value: &str) -> String {
    let is_number = |text: &str| (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = value.trim().strip_prefix("bytes ").and_then(|range| range.split_once('/'));
    let fits = numbers.is_some_and(|(place, total)| {
        let is_place =
            place == "*" || place.split_once('-').is_some_and(|(first, last)| is_number(first) && is_number(last));
        is_place && (total == "*" || is_number(total))
    });
    if fits { value.trim().to_owned() } else { "x".to_owned() }
}

/// The scheme, the error, and Oracle's words beside it (epm-api.md §3.5).
fn challenge(table: &Table, value: &str) -> String {
    let scheme = value.split_ascii_whitespace().next().unwrap_or_default();
    let scheme = SCHEMES.into_iter().find(|known| known.eq_ignore_ascii_case(scheme)).unwrap_or("x");
    let error = quoted(value, "error=").map(|error| ERRORS.into_iter().find(|known| *known == error).unwrap_or("x"));
    let words = quoted(value, "error_description=").map(|words| text::redacted(table, words).replace('"', "'"));
    let error = error.map(|error| format!(" error=\"{error}\""));
    let separator = if error.is_some() { "," } else { "" };
    let words = words.map(|words| format!("{separator} error_description=\"{}\"", words.replace('\n', " ")));
    format!("{scheme}{}{}", error.unwrap_or_default(), words.unwrap_or_default())
}

/// The text in quotes behind this.
fn quoted<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split_once(name)?.1.strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_header_says_what_it_may() {
        let table = [
            ("content-type", "Application/JSON; charset=UTF-8", "application/json;charset=utf-8"),
            ("content-type", "application/x-acme; x=secret", "x/x"),
            ("content-length", "181", "181"),
            ("content-range", "bytes 5-9/10", "bytes 5-9/10"),
            ("content-range", "bytes */10", "bytes */10"),
            ("content-range", "bytes 5-9/bob", "x"),
            ("content-range", "bytes 5-9/10 of bob", "x"),
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("retry-after", "120", "120"),
            ("retry-after", "when Bob is back", "x"),
            ("location", "https://login.acme.example/oam?x=y", "https://elsewhere.invalid/x"),
            ("www-authenticate", "Basic realm=\"acme\"", "Basic"),
            (
                "www-authenticate",
                "Bearer error=\"invalid_token\", error_description=\"Token Audience\"",
                "Bearer error=\"invalid_token\", error_description=\"Token Audience\"",
            ),
            (
                "www-authenticate",
                "Bearer error_description=\"application General Core is unknown\"",
                "Bearer error_description=\"application x x is unknown\"",
            ),
            ("www-authenticate", "Acme error_description=\"for bob\"", "x error_description=\"for x\""),
        ];
        for (name, value, expected) in table {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())]);
            let kept = redacted(&mut Table::default(), &headers, "epm.example.com");
            assert_eq!(kept.get(name).and_then(Value::as_str), Some(expected), "{value}");
        }
        let others =
            ["server", "set-cookie", "x-request-id"].map(|name| (HeaderName::from_static(name), "s".parse().unwrap()));
        assert!(redacted(&mut Table::default(), &HeaderMap::from_iter(others), "h").is_empty());
    }
}
