//! Who is told of the end of a run, and how. Nothing here changes the verdict: it stands, and is written, before.

mod address;
mod cloudevents;
mod message;
mod pagerduty;
#[cfg(test)]
mod renderings;
mod sender;
mod slack;
mod teams;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::Instant;

use crate::http::{Network, Transport};
use crate::outcome::Outcome;
use crate::report::Report;

pub use address::{Address, Kind, Wrong, is_address};
pub use pagerduty::job;

use message::Message;

/// How long telling may take, all addresses side by side.
pub const BOUND: Duration = Duration::from_secs(10);

/// How long after a signal: the runner kills what it has asked to stop.
pub const AFTER_SIGNAL: Duration = Duration::from_secs(2);

/// Who is to be told, and of what.
pub struct Audience {
    /// To whom, in the order given.
    pub addresses: Vec<Address>,
    /// Whether a pass is told as well.
    pub always: bool,
    /// What stands for the same trouble from run to run.
    pub key: Key,
    /// The way to all of them.
    pub network: Network,
}

/// What an incident goes by, so that a later pass resolves it and no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// What the user has called it.
    pub given: Option<String>,
    /// The host on the command line, for a run that did not come as far as to know it.
    pub host: Option<String>,
    /// What the job is called there: its type and its name, with a colon between them. None where that is not told.
    pub job: Option<String>,
}

impl Audience {
    /// Tells everyone, until `end` at most. What could not be told, in a sentence each.
    pub async fn tell(&self, report: &Report, end: Instant) -> Vec<String> {
        let message = Message::of(report);
        let told: Vec<_> =
            self.addresses.iter().filter_map(|to| Some((to, self.body(to, report, &message)?))).collect();
        if told.is_empty() {
            return Vec::new();
        }
        let Ok(client) = Transport::new(&self.network).and_then(|transport| transport.for_reads()) else {
            return vec!["nobody was notified: HTTP cannot be set up".to_owned()];
        };
        let sends = told.iter().map(|(to, body)| sender::send(&client, to, body, end));
        join_all(sends).await.into_iter().filter_map(Result::err).collect()
    }

    /// What a later `attach` is to call the incident that this run may open; none where there will be none, or where the
    /// command line says it already.
    pub fn incident(&self) -> Option<String> {
        let is_called = self.addresses.iter().any(|to| to.kind == Kind::PagerDuty) && self.key.given.is_none();
        pagerduty::dedup_key(&Report::default(), &self.key).filter(|_| is_called)
    }

    /// What an address is told; none where this end is nothing to it.
    fn body(&self, to: &Address, report: &Report, message: &Message) -> Option<Value> {
        let outcome = report.end()?.outcome;
        if to.kind == Kind::PagerDuty {
            return pagerduty::render(report, message, &self.key, to.routing_key());
        }
        is_wanted(outcome, self.always).then(|| match to.kind {
            Kind::Slack => slack::render(message),
            Kind::Teams => teams::render(message),
            Kind::CloudEvents | Kind::PagerDuty => cloudevents::render(report, &cloudevents::identifier()),
        })
    }
}

/// Whether an end is worth a message.
fn is_wanted(outcome: Outcome, always: bool) -> bool {
    always || !outcome.is_pass()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_told_where_everything_is() {
        for (outcome, always, wanted) in [
            (Outcome::Succeeded, false, false),
            (Outcome::Warned, false, false),
            (Outcome::Submitted, false, false),
            (Outcome::Succeeded, true, true),
            (Outcome::Failed, false, true),
            (Outcome::Usage, false, true),
            (Outcome::Unwritable, false, true),
        ] {
            assert_eq!(is_wanted(outcome, always), wanted, "{outcome:?} {always}");
        }
    }
}
