//! Where the payload comes from.

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};

use crate::foreign::quote;
use crate::outcome::Outcome;
use crate::payload::{self, Payload};
use crate::report::End;

/// Where the payload comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// It is at hand, and checked.
    Ready(Payload),
    /// It is to be read from stdin, which may stay open for longer than there is time.
    Stdin,
}

impl Source {
    /// The payload, read from stdin where it is there; a stdin that nobody closes is given up at `until`.
    ///
    /// # Errors
    ///
    /// The end of a run whose payload is none.
    pub async fn read(&self, until: Instant) -> Result<Payload, End> {
        let usage = |why: String, help: String| End { outcome: Outcome::Usage, why, help: Some(help) };
        if let Self::Ready(payload) = self {
            return Ok(payload.clone());
        }
        let mut bytes = Vec::new();
        let mut stdin = tokio::io::stdin().take(payload::LARGEST + 1);
        match timeout_at(until, stdin.read_to_end(&mut bytes)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let why = format!("`--payload -`: stdin cannot be read: {}", quote(&error.to_string()));
                return Err(usage(why, "pipe the payload in".to_owned()));
            }
            Err(_) => {
                let why = "`--payload -`: stdin was not closed before the deadline, and nothing was sent".to_owned();
                return Err(End::new(Outcome::Unreachable, why, Some("close stdin, or name a file")));
            }
        }
        Payload::of_bytes(&bytes).map_err(|error| usage(format!("`--payload -`: {error}"), error.help()))
    }
}
