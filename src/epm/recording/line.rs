//! The lines of a record, as they are written. What reads them is the sandbox, which shares no code with this.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::http::fault::Fault;

use super::content::Content;

/// The version of the format.
pub(super) const FORMAT: u32 = 1;

/// The first line.
#[derive(Serialize)]
pub(super) struct Head {
    pub(super) format: u32,
    pub(super) program: &'static str,
    pub(super) command: &'static str,
}

/// One exchange.
#[derive(Serialize)]
pub(super) struct Line<'a> {
    pub(super) n: u64,
    /// When it began, in milliseconds since the run did.
    pub(super) at: u128,
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) payload: Option<&'a RawValue>,
    /// What was sent of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sent: Option<Content>,
    /// How long it took, in milliseconds.
    pub(super) took: u128,
    /// Why there is no answer, or only a part of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) http: Option<u16>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) headers: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<Body>,
}

/// A body: JSON without what it must not say, or what can be told of anything else.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Body {
    Json { json: Box<RawValue> },
    Other(Content),
}

/// That the gate ended before an exchange did.
pub(super) const CUT_SHORT: &str = "cut-short";

/// A fault in one word: its sentence names hosts.
pub(super) fn word(fault: &Fault) -> &'static str {
    match fault {
        Fault::Unresolved { .. } => "unresolved",
        Fault::Certificate { .. } => "certificate",
        Fault::NoConnection { .. } => "no-connection",
        Fault::ProxyDenied { .. } => "proxy-denied",
        Fault::ProxyRefused { .. } => "proxy-refused",
        Fault::NoProxy { .. } => "no-proxy",
        Fault::Timeout { .. } => "timeout",
        Fault::Broken { .. } => "broken",
        Fault::TooLarge { .. } => "too-large",
    }
}
