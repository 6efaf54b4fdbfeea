//! What can go wrong with an answer on its way.

use serde::{Deserialize, Serialize};

/// A fault beneath HTTP, as scenarios spell it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// No answer, until the client goes away.
    Hang,
    /// The connection is reset, the request was not taken, no byte of an answer was sent.
    ResetBefore,
    /// The connection is reset, the request was taken, no byte of an answer was sent.
    ResetAfter,
    /// Half of the answer's head, then a reset.
    HalfHead,
    /// The head and half of the body, then a reset.
    HalfBody,
    /// The head and half of the body, and then nothing.
    Stall,
    /// A byte a second.
    Trickle,
    /// The whole answer, whose end is that of the connection: no header tells how long it is.
    Unframed,
    /// The answer, and then spaces for ever.
    Endless,
}

/// What befalls a connection as it comes in, before anything of a request is read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reception {
    #[default]
    Open,
    /// It is reset once a request is there, unread.
    Reset,
}
