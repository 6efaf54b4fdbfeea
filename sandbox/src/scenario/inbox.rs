//! What a scenario says about the inbox.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::each;
use super::job::Separator;
use super::reply::Reply;

/// The script of the inbox.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InboxScript {
    /// What lies there from the start: each name, as `fileName` spells it, with its content.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// What each upload is answered in turn, and each question whether it is done with.
    #[serde(default, deserialize_with = "each")]
    pub(crate) upload: Vec<Reply>,
    /// How each upload in turn is broken off; those that follow are not.
    #[serde(default, deserialize_with = "each")]
    pub(crate) breaks: Vec<Break>,
    /// Which encoding of `/` the services take in a file's name; both, where nothing is said.
    pub(crate) separator: Option<Separator>,
}

/// How an upload is broken off. The file of one that is shorter is taken as ever.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "Keys")]
pub(crate) struct Break {
    /// How many bytes of the file are read.
    pub(crate) after: u64,
    /// Whether nothing more is read; else the connection is reset.
    pub(crate) stalls: bool,
    /// Whether what was read stays in the inbox.
    pub(crate) leaves: bool,
}

impl Break {
    /// The client itself has gone away.
    pub(crate) const GONE: Self = Self { after: 0, stalls: false, leaves: false };
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    after: u64,
    by: By,
    #[serde(default)]
    leaves: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum By {
    Reset,
    Stall,
}

impl TryFrom<Keys> for Break {
    type Error = String;

    fn try_from(Keys { after, by, leaves }: Keys) -> Result<Self, String> {
        if after == 0 {
            return Err("`after = 0`: at least a byte is read; `fault` is for the rest".into());
        }
        Ok(Self { after, stalls: matches!(by, By::Stall), leaves })
    }
}
