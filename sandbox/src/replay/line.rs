//! The lines of a record, as they are read.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The first line.
#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) format: u64,
}

/// One exchange, as far as it matters to its answer.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) fault: Option<Trouble>,
    pub(super) http: Option<u16>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<Body>,
}

/// Why there was no answer, or only a part of one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Trouble {
    Unresolved,
    Certificate,
    NoConnection,
    ProxyDenied,
    ProxyRefused,
    NoProxy,
    Timeout,
    Broken,
    TooLarge,
    CutShort,
}

/// JSON as it was written, or what is known of any other body.
#[derive(Debug, Deserialize)]
pub(super) struct Body {
    pub(super) json: Option<Box<RawValue>>,
    pub(super) is: Option<Kind>,
    pub(super) size: Option<u64>,
    pub(super) marker: Option<String>,
}

/// What a body was.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Nothing,
    LoginPage,
    MaintenancePage,
    Page,
    Text,
    File,
}

impl Line {
    /// Whether it can be played.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match (self.http, self.fault) {
            (None, None) => Err("it has neither `http` nor `fault`"),
            (Some(http), _) if !(200..1000).contains(&http) => Err("its `http` is no final status"),
            _ if self.body.as_ref().is_some_and(|body| body.json.is_none() && body.is.is_none()) => {
                Err("its `body` has neither `json` nor `is`")
            }
            (Some(204 | 304), _) if self.body.as_ref().is_some_and(|body| !body.is_nothing()) => {
                Err("its `http` allows no `body`")
            }
            _ => Ok(()),
        }
    }
}

impl Body {
    fn is_nothing(&self) -> bool {
        self.json.is_none() && self.is == Some(Kind::Nothing)
    }
}
