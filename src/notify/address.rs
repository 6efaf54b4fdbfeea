//! To whom: one line of `EPM_NOTIFY`. The whole line is a secret, so an address is shown by its kind and its place alone.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::http::url::is_private;

/// Where PagerDuty takes events (developer.pagerduty.com/docs/events-api-v2/trigger-events/).
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";

/// The length of a routing key: PagerDuty answers any other with `Length of 'routing_key' is incorrect (should be 32
/// characters)` (v2.developer.pagerduty.com/docs/send-an-event-events-api-v2).
const ROUTING_KEY: usize = 32;

/// What reads there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whatever takes CloudEvents.
    CloudEvents,
    /// An incoming webhook of Slack.
    Slack,
    /// A workflow of Microsoft Teams.
    Teams,
    /// The Events API v2 of PagerDuty.
    PagerDuty,
}

impl Kind {
    const ALL: [Self; 4] = [Self::CloudEvents, Self::Slack, Self::Teams, Self::PagerDuty];

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(word.trim()))
    }

    /// The word in front of the address.
    pub fn word(self) -> &'static str {
        match self {
            Self::CloudEvents => "cloudevents",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::PagerDuty => "pagerduty",
        }
    }

    /// What the body is.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::CloudEvents => "application/cloudevents+json; charset=utf-8",
            Self::Slack | Self::Teams | Self::PagerDuty => "application/json",
        }
    }
}

/// Where a message goes. It has no `Debug`, and no text of it is printed.
pub struct Address {
    /// What reads there.
    pub kind: Kind,
    /// The line that it stands in, counted from 1.
    pub line: usize,
    url: SecretString,
    routing_key: Option<SecretString>,
}

/// What is wrong with a line. No variant holds any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Nothing says what reads there.
    #[error("it does not begin with `cloudevents=`, `slack=`, `teams=` or `pagerduty=`")]
    Kind,
    /// A secret that the CI did not fill in.
    #[error("it is a placeholder that nobody has filled in")]
    Placeholder,
    /// No URL.
    #[error("its address is not a URL")]
    NoUrl,
    /// Whoever listens would read it.
    #[error("its address does not begin with `https://`")]
    Plain,
    /// A user in the URL, whom nothing would send.
    #[error("its address has a user in it")]
    User,
    /// Not a routing key.
    #[error("its routing key is not of 32 letters and digits")]
    RoutingKey,
}

impl Wrong {
    /// What would be right.
    pub fn help(self) -> &'static str {
        match self {
            Self::Placeholder => "define the secret in the pipeline, or map it into the step's environment",
            Self::RoutingKey => "write `pagerduty=` and the integration key of an Events API v2 integration",
            Self::Kind | Self::NoUrl | Self::Plain | Self::User => {
                "write a line each: `cloudevents=URL`, `slack=URL`, `teams=URL` or `pagerduty=ROUTING_KEY`"
            }
        }
    }
}

/// Whether a text that stands where another belongs is an address, and so nothing to be shown.
pub fn is_address(text: &str) -> bool {
    let kind = text.split_once('=').and_then(|(word, _)| Kind::of_word(word));
    kind.is_some() || text.contains("://") || routing_key(text.trim()).is_ok()
}

impl Address {
    /// Reads a line that is not empty.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(line: usize, text: &str, is_placeholder: fn(&str) -> bool) -> Result<Self, Wrong> {
        if is_placeholder(text) {
            return Err(Wrong::Placeholder);
        }
        let (word, value) = text.split_once('=').ok_or(Wrong::Kind)?;
        let (kind, value) = (Kind::of_word(word).ok_or(Wrong::Kind)?, value.trim());
        if is_placeholder(value) {
            return Err(Wrong::Placeholder);
        }
        let (routing_key, url) = match kind {
            Kind::PagerDuty => {
                let (key, url) = value.split_once('@').unwrap_or((value, PAGERDUTY));
                (Some(routing_key(key)?), url)
            }
            _ => (None, value),
        };
        Ok(Self { kind, line, url: checked(url)?, routing_key })
    }

    /// The routing key, where there is one.
    pub(super) fn routing_key(&self) -> &str {
        self.routing_key.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default()
    }

    /// The URL, to be sent to and nothing else.
    pub(super) fn url(&self) -> &str {
        self.url.expose_secret()
    }
}

fn routing_key(key: &str) -> Result<SecretString, Wrong> {
    let is_key = key.len() == ROUTING_KEY && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_key { Ok(SecretString::from(key)) } else { Err(Wrong::RoutingKey) }
}

/// A webhook's URL may have a query: a workflow of Teams carries its signature there.
fn checked(text: &str) -> Result<SecretString, Wrong> {
    let url = Url::parse(text).ok().filter(|url| text.contains("://") && url.has_host()).ok_or(Wrong::NoUrl)?;
    if !is_private(&url) {
        return Err(Wrong::Plain);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Wrong::User);
    }
    Ok(SecretString::from(url.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789ABCDEF";

    fn parse(text: &str) -> Result<Address, Wrong> {
        Address::parse(3, text, |text| text.trim().starts_with("$("))
    }

    #[test]
    fn each_kind_has_its_word_and_its_address() {
        let long = format!("pagerduty={KEY}@https://events.eu.pagerduty.com/v2/enqueue");
        let table = [
            ("cloudevents=https://e.example.com/in?x=1&y=a=b", Kind::CloudEvents, "https://e.example.com/in?x=1&y=a=b"),
            (" Slack = https://hooks.slack.com/services/T/B/x ", Kind::Slack, "https://hooks.slack.com/services/T/B/x"),
            (
                "teams=https://x.example.com:443/workflows/1?sig=s",
                Kind::Teams,
                "https://x.example.com/workflows/1?sig=s",
            ),
            ("cloudevents=http://127.0.0.1:8080/", Kind::CloudEvents, "http://127.0.0.1:8080/"),
            (&format!("pagerduty={KEY}"), Kind::PagerDuty, PAGERDUTY),
            (&long, Kind::PagerDuty, "https://events.eu.pagerduty.com/v2/enqueue"),
        ];
        for (text, kind, url) in table {
            let address = parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"));
            assert_eq!((address.kind, address.line, address.url()), (kind, 3, url), "{text}");
            assert_eq!(address.routing_key(), if kind == Kind::PagerDuty { KEY } else { "" });
        }
    }

    #[test]
    fn what_is_wrong_is_told_without_a_word_of_it() {
        let short = format!("pagerduty={}", &KEY[1..]);
        let dashed = format!("pagerduty=-{}", &KEY[1..]);
        let plain = format!("pagerduty={KEY}@http://s3cret.example.com");
        let table = [
            ("https://s3cret.example.com", Wrong::Kind),
            ("irc=https://s3cret.example.com", Wrong::Kind),
            ("slack", Wrong::Kind),
            ("slack=", Wrong::NoUrl),
            ("slack=s3cret", Wrong::NoUrl),
            ("slack=https:s3cret.example.com", Wrong::NoUrl),
            ("slack=http://s3cret.example.com", Wrong::Plain),
            ("slack=ftp://s3cret.example.com", Wrong::Plain),
            ("slack=https://bob:s3cret@example.com", Wrong::User),
            ("$(slackWebhook)", Wrong::Placeholder),
            ("slack=$(slackWebhook)", Wrong::Placeholder),
            ("pagerduty=", Wrong::RoutingKey),
            (&short, Wrong::RoutingKey),
            (&dashed, Wrong::RoutingKey),
            (&plain, Wrong::Plain),
        ];
        for (text, expected) in table {
            let Err(wrong) = parse(text) else { panic!("taken: {text}") };
            assert_eq!(wrong, expected, "{text}");
            assert!(!format!("{wrong} {}", wrong.help()).contains("s3cret"));
        }
    }
}
