//! The command `check`: each step of the way to EPM and into it by itself, with its time and, where it fails, the remedy.
//! It submits nothing.

mod finding;
mod judge;
mod reach;
mod walk;

use std::rc::Rc;
use std::time::Duration;

use tokio::time::sleep_until;

use crate::auth::Credentials;
use crate::epm::Limits;
use crate::epm::recording::Beginning;
use crate::epm::url::EpmUrl;
use crate::gate::desk::Desk;
use crate::http::Network;
use crate::outcome::{Outcome, Signal};
use crate::report::End;
use crate::signals::Signals;

pub use reach::Variables;
use walk::Walk;

/// How long after the deadline the story may still end by itself: its requests end at the deadline.
const DEADLINE_GRACE: Duration = Duration::from_millis(300);

/// A check.
pub struct Check {
    /// What is to be reached.
    pub url: EpmUrl,
    /// What was given as the URL.
    pub given: String,
    /// As whom.
    pub credentials: Credentials,
    /// On which way.
    pub network: Network,
    /// By which variables that way was given.
    pub variables: Variables,
    /// How long requests, and the check, may take.
    pub limits: Limits,
    /// The record of what is said, where there is to be one.
    pub record: Option<Beginning>,
    /// The path of the look; none for no look.
    pub look: Option<String>,
    /// How long a run may take; none for no end.
    pub timeout: Option<Duration>,
}

impl Check {
    /// Plays it to its end, the deadline or a signal.
    pub async fn run(self, desk: &Rc<Desk>, signals: &mut Signals) -> Outcome {
        let deadline = self.limits.deadline;
        let walk = match Walk::of(self, desk) {
            Ok(walk) => walk,
            Err(error) => return desk.end_with(End::new(Outcome::Usage, error.to_string(), None)),
        };
        let signal = tokio::select! {
            biased;
            () = walk.story() => None,
            signal = signals.first() => Some(signal),
            () = sleep_until(deadline + DEADLINE_GRACE) => {
                walk.cut_short();
                None
            }
        };
        let outcome = desk.end_with(signal.map_or_else(|| walk.end(), interrupted));
        walk.land(signals).await;
        outcome
    }
}

fn interrupted(signal: Signal) -> End {
    End::new(Outcome::Interrupted(signal), format!("{} was received; nothing was submitted", signal.name()), None)
}
