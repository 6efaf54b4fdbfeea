//! The record of what is said: where it is written, and what must not stand in it.

use std::path::Path;

use crate::epm::recording::{Beginning, Kind, Sink};

use super::Error;
use super::given::{Environment, Values};
use super::wanted;

/// The commands that are recorded.
const RECORDED: [&str; 4] = ["run", "attach", "status", "check"];

/// What the customer is called, by the flags that say so.
const KNOWN: [(&str, Kind); 5] = [
    ("username", Kind::User),
    ("identity-domain", Kind::User),
    ("jwt-subject", Kind::User),
    ("client-id", Kind::Name),
    ("job-name", Kind::Name),
];

/// Opens the record, where one is asked for: what is there already is gone then.
pub(super) fn begin(
    values: &Values<'_>,
    environment: &Environment,
    command: &'static str,
) -> Result<Option<Beginning>, Error> {
    if !RECORDED.contains(&command) {
        return Ok(None);
    }
    let Some(given) = wanted::record(values, environment)? else { return Ok(None) };
    let mut known = Vec::new();
    for (flag, kind) in KNOWN {
        known.extend(values.one(flag)?.map(|given| (kind, given.value)));
    }
    let sink = Sink::open(Path::new(&given.value)).map_err(|error| given.error(error.to_string(), error.help()))?;
    Ok(Some(Beginning { sink, command, known }))
}
