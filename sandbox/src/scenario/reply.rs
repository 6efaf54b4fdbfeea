//! One answer of a script: what it says, for how long, and what befalls it.

mod header;
mod keys;

use std::time::Duration;

use axum::http::HeaderName;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) use header::Value as HeaderText;

use crate::fault::Fault;
use crate::page::Page;
use crate::script::Stay;

/// One answer, checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "keys::Keys")]
pub(crate) struct Reply {
    pub(crate) http: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderText)>,
    pub(crate) says: Says,
    /// How many bytes of blank lines follow the body.
    pub(crate) padding: u64,
    /// After how many bytes of the body the connection ends; none where it does not.
    pub(crate) cut_after: Option<u64>,
    /// Whether a POST that gets this has created a job.
    pub(crate) taken: bool,
    pub(crate) fault: Option<Fault>,
    pub(crate) delay: Duration,
    pub(crate) stay: Stay,
}

/// What stands in the body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Says {
    /// What the service says on its own: the versions, the job in progress, the file.
    Usual,
    /// The job's envelope, changed.
    Envelope(Changes),
    Page(Page),
    ErrorPage,
    Text {
        content_type: String,
        body: String,
    },
}

/// How an envelope differs from that of a job in progress.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub(crate) status: Option<Value>,
    pub(crate) job_status: Option<String>,
    pub(crate) details: Option<String>,
    pub(crate) fields: Map<String, Value>,
    pub(crate) without: Vec<String>,
}

impl Reply {
    /// An envelope of a job that failed for this.
    pub(crate) fn of_failure(details: &str) -> Self {
        let mut reply = Self::of_status(1, 1);
        if let Says::Envelope(changes) = &mut reply.says {
            changes.details = Some(details.into());
        }
        reply
    }

    /// An envelope with this number, so many times.
    pub(crate) fn of_status(status: i64, times: u32) -> Self {
        Self {
            http: 200,
            headers: Vec::new(),
            says: Says::Envelope(Changes { status: Some(status.into()), ..Changes::default() }),
            padding: 0,
            cut_after: None,
            taken: true,
            fault: None,
            delay: Duration::ZERO,
            stay: Stay::Times(times),
        }
    }
}
