//! What did a pod answer? Read from a record that `epm-gate --record` wrote, and played in the order of the record,
//! whoever asks.

mod error;
mod line;

use std::collections::HashMap;
use std::path::Path;

use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE};
use axum::http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::answer::Answer;
use crate::fault::Fault;
use crate::page::{self, Page};
use crate::range::Wish;
use crate::route::Route;
use crate::scenario::HeaderText;

pub use error::Error;
use line::{Body, Head, Kind, Line, Trouble};

/// The only version of the format there is.
const FORMAT: u64 = 1;

/// How much of a file that was larger is served, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// More than any client takes for an answer about a job.
const TOO_LARGE: u64 = 16 * 1024 * 1024;

/// Where the paths of the services begin; a record's begin there too.
const ROOTS: [&str; 3] = ["/aif/", "/interop/", "/HyperionPlanning/"];

/// How asking for a pipeline begins; the rest is its name.
const PIPELINE: &str = "GET /aif/rest/V1/pipeline?pipelineName=";

/// A record, and how far it was played.
#[derive(Debug)]
pub struct Replay {
    parts: HashMap<String, Part>,
    /// The files of the inbox that it speaks of, in the order of the record.
    files: Vec<String>,
    /// Which of them is meant by the names of whoever asks.
    meant: HashMap<String, String>,
}

/// What was answered to one method and path, in order.
#[derive(Debug, Default)]
struct Part {
    lines: Vec<Line>,
    played: usize,
}

impl Replay {
    /// Reads a record.
    ///
    /// # Errors
    /// A file that cannot be read, that is of another version, or in which a line is none of a record.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(|source| Error::Unreadable { path: path.into(), source })?;
        let origin = path.display().to_string();
        Self::parse(&origin, &text_of(&origin, bytes)?)
    }

    /// Reads the text of a record. `origin` names it in errors.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(origin: &str, text: &str) -> Result<Self, Error> {
        // Some tools put a mark in front of what they have rewritten.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let (_, head) = lines.next().ok_or_else(|| Error::Empty { origin: origin.into() })?;
        let head: Head = read(origin, 0, head)?;
        if head.format != FORMAT {
            return Err(Error::Version { origin: origin.into(), found: head.format });
        }
        let (mut parts, mut files): (HashMap<String, Part>, Vec<String>) = (HashMap::new(), Vec::new());
        for (index, text) in lines {
            let line: Line = read(origin, index, text)?;
            line.check().map_err(|why| Error::Senseless { origin: origin.into(), line: index + 1, why })?;
            let file = in_inbox(&line.path);
            let asked = key(&line.method, &line.path, file.as_ref());
            files.extend(file.map(|(_, name)| name).filter(|name| !files.contains(name)));
            parts.entry(asked).or_default().lines.push(line);
        }
        Ok(Self { parts, files, meant: HashMap::new() })
    }

    /// The next answer to this request; the last one repeats. What was never asked is not there.
    pub(crate) fn answer(&mut self, method: &str, path: &str, wish: Wish<'_>) -> Answer {
        let start = ROOTS.iter().filter_map(|root| path.find(root)).min().unwrap_or_default();
        let path = &path[start..];
        let file = in_inbox(path).map(|(separator, name)| (separator, self.file_meant(name)));
        let asked = key(method, path, file.as_ref());
        let Some(part) = self.recorded_as(&asked).and_then(|asked| self.parts.get_mut(&asked)) else {
            return Answer::error(404);
        };
        let line = part.lines.get(part.played).or(part.lines.last());
        part.played += 1;
        line.map_or_else(|| Answer::error(404), |line| line.file(wish).unwrap_or_else(|| line.answer()))
    }

    /// How the record has a request. Whoever asks calls the pipeline by its name, which is one that the record does not
    /// tell: where it speaks of one pipeline alone, that is meant.
    fn recorded_as(&self, asked: &str) -> Option<String> {
        if self.parts.contains_key(asked) || !asked.starts_with(PIPELINE) {
            return Some(asked.to_owned());
        }
        let mut recorded = self.parts.keys().filter(|recorded| recorded.starts_with(PIPELINE));
        recorded.next().filter(|_| recorded.next().is_none()).cloned()
    }

    /// How the record calls a file of the inbox, which has lost its name there too: the one of that name, or else the first
    /// that nobody has asked for yet, since the same command brings its files in the same order.
    fn file_meant(&mut self, name: String) -> String {
        if let Some(meant) = self.meant.get(&name) {
            return meant.clone();
        }
        let is_free = |file: &&String| !self.meant.values().any(|meant| meant == *file);
        let same = self.files.iter().find(|file| **file == name);
        let meant = same.or_else(|| self.files.iter().find(is_free)).unwrap_or(&name).clone();
        self.meant.insert(name, meant.clone());
        meant
    }
}

/// Under what a request is kept: one about a file of the inbox by its name, however that is parted between folder and file.
fn key(method: &str, path: &str, file: Option<&(char, String)>) -> String {
    match file {
        Some((separator, name)) => format!("{method} {separator} {name}"),
        None => format!("{method} {path}"),
    }
}

/// The file of the inbox that a request is about, and what parts its folder from its name: nothing in that of an upload.
fn in_inbox(path: &str) -> Option<(char, String)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (separator, name) = match Route::of(path) {
        Route::Contents { name, folder: Some(folder), .. } => (' ', format!("{}/{}", decoded(folder), decoded(name))),
        Route::Contents { name, .. } | Route::Stored { name, .. } => {
            let name = decoded(name);
            (if name.contains('\\') { '\\' } else { '/' }, name.replace('\\', "/"))
        }
        _ => return None,
    };
    name.starts_with("inbox/").then_some((separator, name))
}

/// The text of a file, which is in UTF-8.
fn text_of(origin: &str, bytes: Vec<u8>) -> Result<String, Error> {
    // JSON holds no zero, and in UTF-16 every second byte of it is one.
    if bytes.contains(&0) {
        return Err(Error::Wide { origin: origin.into() });
    }
    String::from_utf8(bytes).map_err(|_| Error::NoText { origin: origin.into() })
}

fn read<'a, T: serde::Deserialize<'a>>(origin: &str, index: usize, text: &'a str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|source| Error::Malformed { origin: origin.into(), line: index + 1, source })
}

impl Line {
    /// A file whose length is known, or the rest of one: so much of it as came. None where it is no such thing.
    fn file(&self, wish: Wish<'_>) -> Option<Answer> {
        let body = self.body.as_ref().filter(|body| body.is == Some(Kind::File))?;
        let total = self.length()?;
        let served = total.min(LARGEST_FILE);
        let came = body.size.unwrap_or_default();
        let came = if served == total { came } else { came.saturating_mul(served) / total };
        let whole = Answer { http: 200, body: body.filler(served), ..self.whole() };
        // A record names no state of a file, and without one no client asks for a rest.
        let wish = if self.http == Some(206) { wish } else { Wish::default() };
        let mut answer = whole.ranged(wish);
        answer.cut_after = self.fault.map(|_| came);
        answer.fault = self.fault.filter(|fault| *fault != Trouble::Broken).map(|_| Fault::Stall);
        Some(answer)
    }

    /// How long the whole file is, by the headers of an answer that holds it or its rest.
    fn length(&self) -> Option<u64> {
        let length = match self.http? {
            200 => self.headers.get(CONTENT_LENGTH.as_str())?.as_str(),
            206 => self.headers.get(CONTENT_RANGE.as_str())?.rsplit('/').next()?,
            _ => return None,
        };
        length.parse().ok()
    }

    fn answer(&self) -> Answer {
        match (self.fault, self.http) {
            // No connection was made, so that even a submit was sent again. A server that is there comes nearest to that
            // by turning the request away for now.
            (
                Some(
                    Trouble::Unresolved
                    | Trouble::Certificate
                    | Trouble::NoConnection
                    | Trouble::ProxyRefused
                    | Trouble::NoProxy,
                ),
                _,
            ) => Answer::error(429),
            (Some(Trouble::ProxyDenied), _) => Answer::error(407),
            (Some(Trouble::TooLarge), http) => {
                Answer { padding: TOO_LARGE, ..Answer::json(http.unwrap_or(200), &serde_json::Value::Null) }
            }
            (Some(Trouble::Timeout | Trouble::CutShort), None) => self.faulty(Fault::Hang),
            (Some(Trouble::Timeout | Trouble::CutShort), Some(_)) => self.faulty(Fault::Stall),
            (Some(Trouble::Broken), None) => self.faulty(Fault::ResetAfter),
            (Some(Trouble::Broken), Some(_)) => self.faulty(Fault::HalfBody),
            (None, _) => self.whole(),
        }
    }

    fn faulty(&self, fault: Fault) -> Answer {
        Answer { fault: Some(fault), ..self.whole() }
    }

    fn whole(&self) -> Answer {
        let http = self.http.unwrap_or(200);
        let (usual_type, bytes) = self.body.as_ref().map_or(("application/json", Vec::new()), |body| body.bytes(http));
        let mut answer = Answer::file(bytes);
        answer.http = http;
        answer.content_type = self.headers.get(CONTENT_TYPE.as_str()).map_or(usual_type, String::as_str).into();
        answer.headers = self.headers.iter().filter_map(|(name, value)| self.header(name, value)).collect();
        answer.job_id = self.body.as_ref().and_then(Body::job_id);
        answer.taken = self.method == "POST" && answer.job_id.is_some_and(|id| id > 0);
        answer
    }

    /// A header as it is sent. Its length is that of what goes out now; its date too, unless another date beside it is
    /// measured against it.
    fn header(&self, name: &str, value: &str) -> Option<(HeaderName, HeaderText)> {
        let is_date = |value: &String| httpdate::parse_http_date(value).is_ok();
        let is_sent = match name {
            "retry-after" | "www-authenticate" | "location" => true,
            "date" => self.headers.get("retry-after").is_some_and(is_date),
            _ => false,
        };
        let name = if name == "date" { DATE } else { HeaderName::try_from(name).ok()? };
        let value = HeaderValue::try_from(value).ok()?;
        is_sent.then_some((name, HeaderText::Fixed(value)))
    }
}

impl Body {
    /// The usual type of such a body, and its bytes.
    fn bytes(&self, http: u16) -> (&'static str, Vec<u8>) {
        const HTML: &str = "text/html; charset=utf-8";
        let size = self.size.unwrap_or_default();
        match (&self.json, self.is) {
            (Some(json), _) => ("application/json", json.get().as_bytes().to_vec()),
            (None, Some(Kind::LoginPage)) => (HTML, Page::Login.html().into()),
            (None, Some(Kind::MaintenancePage)) => (HTML, Page::Maintenance.html().into()),
            (None, Some(Kind::Page)) => (HTML, page::error(http).into_bytes()),
            (None, Some(Kind::File)) => ("application/octet-stream", self.filler(size)),
            (None, Some(Kind::Text)) => ("text/plain", self.filler(size.max(1))),
            (None, Some(Kind::Nothing) | None) => ("text/plain", Vec::new()),
        }
    }

    /// So many bytes that say nothing, behind the marker.
    fn filler(&self, size: u64) -> Vec<u8> {
        let size = usize::try_from(size.min(LARGEST_FILE)).unwrap_or_default();
        let marker = self.marker.as_ref().map(|marker| format!("{marker}\n")).unwrap_or_default();
        let mut bytes = marker.into_bytes();
        let rest = size.saturating_sub(bytes.len());
        bytes.extend((1..=rest).map(|place| if place % 80 == 0 { b'\n' } else { b'x' }));
        bytes
    }

    fn job_id(&self) -> Option<u64> {
        let value: serde_json::Value = serde_json::from_str(self.json.as_ref()?.get()).ok()?;
        value.get("jobId").or(value.get("jobID")).and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()))
    }
}

#[cfg(test)]
mod tests;
