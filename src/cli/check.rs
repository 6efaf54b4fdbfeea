//! What a check needs: the connection, and how long a run would have.

use std::time::Duration;

use tokio::time::Instant;

use crate::check::{Check, Variables};
use crate::pace::Deadline;

use super::given::{Environment, Values};
use super::{Error, connection, credentials, limits, look, record, timeout};

/// How long a check may take: longer than any of its steps.
const LONGEST: Duration = Duration::from_mins(2);

/// A check. `--timeout` is what a run would have; a check has no more, and no longer than a check takes.
pub(super) fn check(values: &Values<'_>, environment: &Environment, start: Instant) -> Result<Check, Error> {
    let url = connection::url(values)?;
    let Some(credentials) = credentials::credentials(values)? else { return Err(credentials::no_credentials()) };
    credentials.prove().map_err(|error| credentials::unprovable(&error))?;
    let timeout = timeout(values)?;
    Ok(Check {
        given: values.one("url")?.map(|given| given.value).unwrap_or_default(),
        url,
        credentials,
        network: connection::network(values)?,
        variables: Variables {
            proxy: connection::first_of(values, &connection::PROXY)?.map(|given| given.origin),
            exceptions: connection::first_of(values, &connection::NO_PROXY)?.map(|given| given.origin),
        },
        limits: limits(values, deadline(start, timeout))?,
        record: record::begin(values, environment, "check")?,
        look: look(values)?,
        timeout,
    })
}

/// When a check ends.
pub(super) fn deadline(start: Instant, timeout: Option<Duration>) -> Deadline {
    Deadline::new(start, Some(timeout.unwrap_or(LONGEST).min(LONGEST)))
}
