//! The submit: a look until EPM lets us in, then one POST, sent again only where it provably did not act.
//!
//! Both are given what sends and what records, so that the rules are tested without a socket.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::Instant;

use crate::epm::error::{Fault, ReadError};
use crate::epm::submission::{Doubt, Rejection, Submission};
use crate::job::{Answer, JobId};
use crate::ledger;
use crate::wait::{Rules, persist};

/// Why there is no job to follow.
#[derive(Debug)]
pub enum Unsubmitted {
    /// We are not let in.
    Denied(ReadError),
    /// EPM does not want it.
    Rejected(Rejection),
    /// EPM could not be reached, for so long.
    Unreachable(Fault, Duration),
    /// It was sent, and may have acted.
    Uncertain(Doubt),
    /// The intent could not be written down, so nothing was sent.
    Unrecorded(ledger::Error),
}

/// Looks until EPM lets us in, within the outage budget. `answered` tells whether EPM has answered by now; `told` hears
/// each fault.
///
/// # Errors
///
/// A refusal, or the fault that stood at the end.
pub async fn look(
    rules: &Rules,
    answered: impl Fn() -> bool,
    mut ask: impl AsyncFnMut() -> Result<(), ReadError>,
    told: impl FnMut(&Fault),
) -> Result<(), Unsubmitted> {
    let attempt = async || match ask().await {
        Err(ReadError::Fault(fault)) => Err(fault),
        other => Ok(other),
    };
    let began = Instant::now();
    match persist(rules, answered, attempt, told).await {
        Ok(let_in) => let_in.map_err(Unsubmitted::Denied),
        Err(fault) => Err(Unsubmitted::Unreachable(fault, began.elapsed())),
    }
}

/// Sends the POST, and again only where it provably did not act. `answered` tells whether EPM has answered by now; `told`
/// hears each fault.
///
/// # Errors
///
/// Whatever leaves us without a job; [`Unsubmitted::Uncertain`] alone may have brought one into being.
pub async fn submit(
    rules: &Rules,
    answered: impl Fn() -> bool,
    mut post: impl AsyncFnMut() -> Result<Submission, ledger::Error>,
    mut told: impl FnMut(&Fault),
) -> Result<(JobId, Answer), Unsubmitted> {
    let newest = RefCell::new(None);
    let attempt = async || {
        // What is sent now could be answered after the end, and then a job would run that nobody knows.
        if Instant::now() >= rules.deadline.last_poll() {
            // What had kept it from being sent says more than that time is up.
            let why = newest.borrow_mut().take().unwrap_or(Fault::Late);
            return Ok(Ok(Submission::NotTaken(why)));
        }
        match post().await {
            Ok(Submission::NotTaken(fault)) => Err(fault),
            other => Ok(other),
        }
    };
    let began = Instant::now();
    match persist(rules, answered, attempt, |fault| {
        told(fault);
        *newest.borrow_mut() = Some(fault.clone());
    })
    .await
    {
        Ok(Ok(Submission::Taken(id, answer))) => Ok((id, answer)),
        Ok(Ok(Submission::Uncertain(doubt))) => Err(Unsubmitted::Uncertain(doubt)),
        Ok(Ok(Submission::Denied(refusal))) => Err(Unsubmitted::Denied(refusal.into())),
        Ok(Ok(Submission::Rejected(rejection))) => Err(Unsubmitted::Rejected(rejection)),
        Ok(Ok(Submission::NotTaken(fault))) | Err(fault) => Err(Unsubmitted::Unreachable(fault, began.elapsed())),
        Ok(Err(unwritable)) => Err(Unsubmitted::Unrecorded(unwritable)),
    }
}
