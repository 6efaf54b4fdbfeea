//! The submit: a look until EPM lets us in, then one POST, sent again only where it provably did not act.
//!
//! Both are given what sends and what records, so that the rules are tested without a socket.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::Instant;

use crate::epm::error::{Fault, ReadError};
use crate::epm::submission::{Doubt, Rejection, Submission};
use crate::epm::upload::Failure;
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
    /// A file that it is to load was not brought.
    NotBrought {
        /// Which, as it is called on this machine, between backticks.
        file: String,
        /// Why.
        failure: Failure,
    },
    /// EPM could not be reached, for so long.
    Unreachable(Fault, Duration),
    /// It is, or will soon be, in its daily maintenance, or may be: why, and what helps.
    Maintenance(String, String),
    /// It was sent, and may have acted.
    Uncertain(Doubt),
    /// The intent could not be written down, so nothing was sent.
    Unrecorded(ledger::Error),
}

impl From<ledger::Error> for Unsubmitted {
    fn from(error: ledger::Error) -> Self {
        Self::Unrecorded(error)
    }
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

/// Sends the POST, and again only where it provably did not act. Why `post` would not send it ends it. `answered` tells whether EPM has answered by now; `told`
/// hears each fault.
///
/// # Errors
///
/// Whatever leaves us without a job; [`Unsubmitted::Uncertain`] alone may have brought one into being.
pub async fn submit(
    rules: &Rules,
    answered: impl Fn() -> bool,
    mut post: impl AsyncFnMut() -> Result<Submission, Unsubmitted>,
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
        Ok(Err(unsent)) => Err(unsent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epm::error::Refusal;
    use crate::pace::{Deadline, Pace};

    fn rules(timeout: u64) -> Rules {
        let second = Duration::from_secs(1);
        Rules {
            pace: Pace { min: second, max: second * 60, cost: second / 10, jitter: 0.0, expected: None },
            deadline: Deadline::new(Instant::now(), Some(Duration::from_secs(timeout))),
            outage_budget: second * 600,
            unknown_grace: second * 300,
            lead: Duration::ZERO,
        }
    }

    fn refused() -> Fault {
        Fault::Unavailable { status: 429, retry_after: None, said: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_that_is_refused_ends_it() {
        let refusal = || ReadError::Refused(Refusal::Unauthorized);
        let looked = look(&rules(100), || false, async || Err(refusal()), |_| {}).await;
        assert!(matches!(looked, Err(Unsubmitted::Denied(error)) if error == refusal()));
        assert!(look(&rules(100), || false, async || Ok(()), |_| {}).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_sent_at_the_last_moment_and_what_had_kept_it_is_told() {
        let rules = rules(100);
        tokio::time::sleep_until(rules.deadline.last_poll()).await;
        let late = submit(&rules, || true, async || unreachable!("it is too late"), |_| {}).await;
        assert!(matches!(late, Err(Unsubmitted::Unreachable(Fault::Late, _))));
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_up_between_two_submits_ends_it() {
        let posts = RefCell::new(0);
        let post = async || {
            *posts.borrow_mut() += 1;
            if *posts.borrow() == 1 {
                return Ok(Submission::NotTaken(refused()));
            }
            Err(Unsubmitted::Maintenance("it is near".to_owned(), String::new()))
        };
        let ended = submit(&rules(20), || true, post, |_| {}).await;
        assert!(matches!(ended, Err(Unsubmitted::Maintenance(why, _)) if why == "it is near"));
        assert_eq!(posts.into_inner(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_had_kept_a_submit_from_being_sent_says_more_than_that_time_is_up() {
        let posts = RefCell::new(0);
        let post = async || {
            *posts.borrow_mut() += 1;
            Ok(Submission::NotTaken(refused()))
        };
        let ended = submit(&rules(20), || true, post, |_| {}).await;
        assert!(matches!(ended, Err(Unsubmitted::Unreachable(fault, _)) if fault == refused()));
        assert!(posts.into_inner() > 5);
    }
}
