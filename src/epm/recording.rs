//! What a pod really said, kept in a file that its user can show to anyone: every exchange, a line of JSON each, without
//! whatever is not known to be harmless. The sandbox answers from it.
//!
//! What is kept is decided without a socket or a file: which words are harmless in `vocabulary`, what stands for all
//! others in `table`, and what that means for JSON, texts, paths and headers in the files named so.

mod body;
mod content;
mod headers;
mod line;
mod place;
mod sink;
mod table;
mod text;
mod vocabulary;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use ::url::Url;
use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::foreign::Mask;
use crate::http;
use crate::payload::Payload;

use super::url::EpmUrl;
use body::Redaction;
pub(super) use content::Tap;
use content::{Content, Reader, Thing};
use line::{Body, CUT_SHORT, FORMAT, Head, Line};
pub use sink::{Error, Sink};
pub use table::Kind;
use table::Table;

/// What a record is begun with.
pub struct Beginning {
    /// Where it is written.
    pub sink: Sink,
    /// The command that is recorded.
    pub command: &'static str,
    /// What is known of the customer before anything is said.
    pub known: Vec<(Kind, String)>,
}

/// A record that is being written.
pub struct Recording {
    started: Instant,
    host: String,
    table: RefCell<Table>,
    /// None once it could not be written to.
    sink: RefCell<Option<Sink>>,
    count: Cell<u64>,
    tell: Box<dyn Fn(String)>,
}

impl Recording {
    /// Writes the first line. `tell` hears of the first line that cannot be written.
    pub(super) fn begin(beginning: Beginning, url: &EpmUrl, tell: impl Fn(String) + 'static) -> Self {
        let host = url.host();
        let mut table = Table::default();
        let hosts = [host.as_str(), name_of(&host)].map(|host| (Kind::Host, host.to_owned()));
        for (kind, original) in hosts.into_iter().chain(beginning.known) {
            table.replace(kind, original.trim());
        }
        let (table, sink) = (RefCell::new(table), RefCell::new(Some(beginning.sink)));
        let recording =
            Self { started: Instant::now(), host, table, sink, count: Cell::default(), tell: Box::new(tell) };
        let program = concat!("epm-gate ", env!("CARGO_PKG_VERSION"));
        recording.write(serde_json::to_string(&Head { format: FORMAT, program, command: beginning.command }));
        recording
    }

    /// Takes in what the customer calls things before anything speaks of them.
    pub(super) fn learn(&self, payload: &Payload, mask: &Mask) {
        self.redact(payload.body().as_bytes(), mask);
    }

    /// Begins an exchange. It stands in the record when it is over, however that is.
    pub(super) fn exchange(&self, method: &'static str, url: &Url) -> Exchange<'_> {
        let number = self.count.get() + 1;
        self.count.set(number);
        let path = place::path(&mut self.table.borrow_mut(), url.path(), url.query());
        let begun = Instant::now();
        Exchange { recording: self, number, begun, method, path, payload: None, tap: None, file: None, is_over: false }
    }

    fn redact(&self, body: &[u8], mask: &Mask) -> Option<Box<RawValue>> {
        let mut table = self.table.borrow_mut();
        Redaction { table: &mut table, mask, host: &self.host }.body(body)
    }

    fn body(&self, body: &[u8], mask: &Mask) -> Body {
        match self.redact(body, mask) {
            Some(json) => Body::Json { json },
            None => Body::Other(Content::of(body)),
        }
    }

    fn headers(&self, headers: &HeaderMap) -> Map<String, Value> {
        headers::redacted(&mut self.table.borrow_mut(), headers, &self.host)
    }

    /// Writes a line. A record that cannot be written is given up: it never changes what the gate does.
    fn write(&self, line: serde_json::Result<String>) {
        let mut sink = self.sink.borrow_mut();
        let (Some(open), Ok(line)) = (sink.as_mut(), line) else { return };
        if let Err(error) = open.write(line + "\n") {
            *sink = None;
            (self.tell)(error.to_string());
        }
    }
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name)
}

/// What has come of an answer.
struct Received {
    http: u16,
    headers: Map<String, Value>,
    body: Option<Body>,
}

/// A file that is coming in.
struct Incoming {
    http: u16,
    headers: Map<String, Value>,
    reader: Reader,
}

/// An exchange, where there is a record of it.
pub(super) struct Noted<'a>(pub(super) Option<Exchange<'a>>);

impl Noted<'_> {
    /// What is sent with it.
    pub(super) fn sends(&mut self, payload: Option<&Payload>, mask: impl Fn() -> Mask) {
        if let (Some(exchange), Some(payload)) = (&mut self.0, payload) {
            exchange.payload = exchange.recording.redact(payload.body().as_bytes(), &mask());
        }
    }

    /// What takes the file that is sent with it.
    pub(super) fn taps(&mut self) -> Option<Arc<Tap>> {
        let exchange = self.0.as_mut()?;
        Some(Arc::clone(exchange.tap.insert(Arc::default())))
    }

    /// What it brought, to the end of its body.
    pub(super) fn ended(&mut self, result: &Result<http::Answer, http::fault::Fault>, mask: impl Fn() -> Mask) {
        if let Some(exchange) = &mut self.0 {
            exchange.ended(result, &mask());
        }
    }

    /// One step of it, which may be the last.
    pub(super) fn step<T>(&mut self, step: Result<T, http::fault::Fault>) -> Result<T, http::fault::Fault> {
        if let (Some(exchange), Err(fault)) = (&mut self.0, &step) {
            exchange.failed(fault);
        }
        step
    }

    /// A file begins to come in.
    pub(super) fn begins_file(&mut self, response: &Response) {
        if let Some(exchange) = &mut self.0 {
            let headers = exchange.recording.headers(response.headers());
            exchange.file = Some(Incoming { http: response.status().as_u16(), headers, reader: Reader::default() });
        }
    }

    /// A piece of the file.
    pub(super) fn piece(&mut self, bytes: &[u8]) {
        if let Some(file) = self.0.as_mut().and_then(|exchange| exchange.file.as_mut()) {
            file.reader.push(bytes);
        }
    }

    /// The file is there as a whole.
    pub(super) fn ends_file(&mut self) {
        if let Some(exchange) = &mut self.0 {
            let file = exchange.received();
            exchange.write(None, file);
        }
    }
}

/// An exchange that is under way.
pub(super) struct Exchange<'a> {
    recording: &'a Recording,
    number: u64,
    begun: Instant,
    method: &'static str,
    path: String,
    payload: Option<Box<RawValue>>,
    /// What was sent of a file.
    tap: Option<Arc<Tap>>,
    file: Option<Incoming>,
    is_over: bool,
}

impl Exchange<'_> {
    /// It brought this.
    fn ended(&mut self, result: &Result<http::Answer, http::fault::Fault>, mask: &Mask) {
        let answer = match result {
            Ok(answer) => answer,
            Err(fault) => return self.failed(fault),
        };
        // The body first: its keys tell what is a name, also in a header.
        let (body, headers) = (self.recording.body(&answer.body, mask), self.recording.headers(&answer.headers));
        self.write(None, Some(Received { http: answer.status, headers, body: Some(body) }));
    }

    /// It brought nothing, or only a part.
    fn failed(&mut self, fault: &http::fault::Fault) {
        let part = match fault {
            http::fault::Fault::TooLarge { status, .. } => {
                Some(Received { http: *status, headers: Map::new(), body: None })
            }
            _ => self.received(),
        };
        self.write(Some(line::word(fault)), part);
    }

    /// What has come of a file.
    fn received(&mut self) -> Option<Received> {
        let Incoming { http, headers, reader } = self.file.take()?;
        Some(Received { http, headers, body: Some(Body::Other(reader.finish(Thing::File))) })
    }

    fn write(&mut self, fault: Option<&'static str>, received: Option<Received>) {
        self.is_over = true;
        let http = received.as_ref().map(|received| received.http);
        let (headers, body) = received.map(|received| (received.headers, received.body)).unwrap_or_default();
        let line = Line {
            n: self.number,
            at: self.begun.duration_since(self.recording.started).as_millis(),
            method: self.method,
            path: &self.path,
            payload: self.payload.as_deref(),
            sent: self.tap.as_ref().map(|tap| tap.finish()),
            took: self.begun.elapsed().as_millis(),
            fault,
            http,
            headers,
            body,
        };
        self.recording.write(serde_json::to_string(&line));
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let part = self.received();
            self.write(Some(CUT_SHORT), part);
        }
    }
}

#[cfg(test)]
mod tests;
