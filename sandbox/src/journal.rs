//! Every request that arrived, in order.

use std::io::Write;
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;

use crate::fault::Fault;

/// One request and what became of it. Its credentials are not kept.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Counted from 1.
    pub n: usize,
    /// When it arrived, in milliseconds since the sandbox was started.
    pub at_ms: u64,
    /// Which TCP connection it came over, counted from 1.
    pub connection: u64,
    /// How many connections were open then, this one among them.
    pub open: usize,
    /// `GET`, `POST`, ...
    pub method: String,
    /// The path as it was sent, with its query.
    pub path: String,
    /// Whether its login was accepted.
    pub let_in: bool,
    /// Whether it created a job.
    pub taken: bool,
    /// The job it created or asked for.
    pub job_id: Option<u64>,
    /// The HTTP status of the answer; none where a fault leaves no answer.
    pub http: Option<u16>,
    /// The fault that befell the answer.
    pub fault: Option<Fault>,
    /// The JSON that was posted, or null.
    pub payload: Value,
    /// The file that was brought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
    /// How the client calls itself.
    pub user_agent: Option<String>,
    /// Which part of a file was asked for, where it was a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Which grant was asked for, where it went to the identity service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// How the client of such a request calls itself; its secret and all tokens are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// A file that was brought, taken or not.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Upload {
    /// How much of it arrived, in bytes.
    pub size: u64,
    /// The SHA-256 of that, in hexadecimal.
    pub sha256: String,
    /// Whether that was all of it.
    pub whole: bool,
}

impl Request {
    /// Whether it brought a file.
    #[must_use]
    pub fn is_upload(&self) -> bool {
        self.upload.is_some()
    }

    /// Whether it was a submit, let in or not.
    #[must_use]
    pub fn is_submit(&self) -> bool {
        self.method == "POST" && self.path.split('?').next().is_some_and(|path| path.ends_with("/aif/rest/V1/jobs"))
    }

    /// Whether it went to the identity service.
    #[must_use]
    pub fn is_for_tokens(&self) -> bool {
        ["/oauth2/v1/token", "/oauth2/v1/device"].iter().any(|end| self.path.ends_with(end))
    }
}

/// The requests so far, and where a line of each goes.
pub(crate) struct Journal {
    start: Instant,
    requests: Vec<Request>,
    log: Option<Box<dyn Write + Send>>,
}

impl Journal {
    pub(crate) fn new(log: Option<Box<dyn Write + Send>>) -> Self {
        Self { start: Instant::now(), requests: Vec::new(), log }
    }

    /// Numbers a request and writes its line, so that it stands before the answer goes out.
    pub(crate) fn add(&mut self, mut request: Request) -> std::io::Result<()> {
        request.n = self.requests.len() + 1;
        request.at_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let line = serde_json::to_string(&request)?;
        self.requests.push(request);
        match &mut self.log {
            Some(log) => writeln!(log, "{line}").and_then(|()| log.flush()),
            None => Ok(()),
        }
    }

    pub(crate) fn requests(&self) -> &[Request] {
        &self.requests
    }
}
