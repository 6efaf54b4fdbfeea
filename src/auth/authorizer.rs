//! What goes into `Authorization` at each request: a password, a token that somebody else renews, or one that is
//! exchanged at the identity service in time.
//!
//! An exchange is a task of its own, so that no poll, deadline or first signal cuts it short: what it hands out can be
//! had only once. Requests go on with the old token as long as that holds.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::bounded;
use crate::foreign::{Mask, quote};
use crate::http::{Allowance, Transport};
use crate::pace::brief;

use super::error::{Denial, Fault, NoToken};
use super::exchange::{Ears, Grant, Kept, Way, exchange};
use super::identity::Access;
use super::secret::{check, forms, read_secret};
use super::{Credentials, bearer};

/// How long reading a token again may take.
const READING: Duration = Duration::from_secs(1);

/// How much ahead of its end a token is renewed; a shorter one at half of its life.
const AHEAD: Duration = Duration::from_mins(1);

/// The shortest life that a token is given, whatever is said of it, so that none is exchanged for each request.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long the identity service is left alone after a first fault; each further one doubles that.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// More than an exchange and the writing of its token take.
const SETTLING: Duration = Duration::from_secs(75);

/// The value of the header, and which token it shows.
pub struct Shown {
    /// The value.
    pub header: Option<HeaderValue>,
    /// Counts the tokens; what was refused with an older one is sent again.
    pub generation: u32,
}

/// Yields what is shown at each request.
pub struct Authorizer {
    source: Source,
    shared: Rc<Shared>,
}

/// What an exchange, a task of its own, shares with whoever waits for it.
struct Shared {
    transport: Rc<Transport>,
    held: watch::Sender<Held>,
    /// Hides every secret that was ever shown.
    mask: RefCell<Mask>,
    trace: Rc<dyn Fn(&str)>,
    tell: Box<dyn Fn(String)>,
}

impl Shared {
    fn learn(&self, secret: &SecretString) {
        self.mask.borrow_mut().extend(forms([secret.expose_secret()]));
    }
}

/// Where what is shown comes from.
enum Source {
    /// It was given; a token may be given anew in its file.
    Given(RefCell<Credentials>),
    /// It is exchanged.
    Exchanged(Rc<Way>),
}

/// What is held of the identity service.
#[derive(Clone, Default)]
struct Held {
    token: Option<Token>,
    generation: u32,
    phase: Phase,
    /// Why the newest exchange brought nothing.
    failed: Option<NoToken>,
    /// Until when the identity service is left alone after that.
    not_before: Option<Instant>,
    /// How many exchanges in a row brought nothing.
    faults: u32,
}

impl Held {
    /// The token that holds still.
    fn good(&self, now: Instant) -> Option<&Token> {
        self.token.as_ref().filter(|token| token.ends.is_none_or(|ends| now < ends))
    }

    /// Takes in what an exchange brought that was asked for at `asked`.
    fn learn(&mut self, result: Result<Access, NoToken>, asked: Instant) {
        self.phase = Phase::Idle;
        match result {
            Ok(access) => {
                self.generation += 1;
                self.token = Some(Token::new(access, asked));
                (self.failed, self.not_before, self.faults) = (None, None, 0);
            }
            Err(failed) => {
                let pause = (PAUSE * 2_u32.saturating_pow(self.faults.min(10))).min(LONGEST_PAUSE);
                let wished = match &failed {
                    NoToken::Fault(fault) => fault.retry_after().unwrap_or_default(),
                    NoToken::Denied(_) => Duration::ZERO,
                };
                self.not_before = Instant::now().checked_add(pause.max(wished));
                self.faults += 1;
                self.failed = Some(failed);
            }
        }
    }
}

#[derive(Clone)]
struct Token {
    secret: SecretString,
    /// When the next one is to be had.
    due: Option<Instant>,
    ends: Option<Instant>,
}

/// Where an exchange stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Idle,
    /// Nothing has been sent yet.
    Waiting,
    /// A token is in flight.
    Sent,
}

impl Authorizer {
    /// Of these credentials. `trace` hears a line per exchange, `tell` what a person must know, such as that a token is
    /// used up.
    pub fn new(
        credentials: Credentials,
        transport: Rc<Transport>,
        trace: Rc<dyn Fn(&str)>,
        tell: impl Fn(String) + 'static,
    ) -> Self {
        let mask = RefCell::new(Mask::new(credentials.forms()));
        let source = match credentials {
            Credentials::OAuth(way) => Source::Exchanged(Rc::from(way)),
            given => Source::Given(RefCell::new(given)),
        };
        let shared = Shared { transport, held: watch::Sender::default(), mask, trace, tell: Box::new(tell) };
        Self { source, shared: Rc::new(shared) }
    }

    /// What is shown now. Waits for an exchange only where no token holds.
    ///
    /// # Errors
    ///
    /// Why there is no token.
    pub async fn show(&self, allowance: Allowance) -> Result<Shown, NoToken> {
        let way = match &self.source {
            Source::Exchanged(way) => way,
            Source::Given(given) => {
                let header = given.borrow().header();
                return Ok(Shown { header, generation: self.shared.held.borrow().generation });
            }
        };
        let now = Instant::now();
        let held = self.shared.held.borrow().clone();
        let Some(token) = held.good(now) else { return self.exchanged(way, allowance).await };
        let is_due = token.due.is_some_and(|due| now >= due);
        if is_due && held.phase == Phase::Idle && self.in_vain(way).is_none() {
            self.begin(way);
        }
        Ok(shown(token, held.generation))
    }

    /// Gets something newer to show than what was refused, where there is a way to. Whether there is.
    ///
    /// # Errors
    ///
    /// Why there is no token.
    pub async fn renew(&self, refused: u32, allowance: Allowance) -> Result<bool, NoToken> {
        if self.shared.held.borrow().generation != refused {
            return Ok(true);
        }
        let way = match &self.source {
            Source::Exchanged(way) => way,
            Source::Given(given) => return Ok(self.read_again(&mut given.borrow_mut())),
        };
        self.shared.held.send_modify(|held| held.token = None);
        self.exchanged(way, allowance).await.map(|_| true)
    }

    /// Whether a refusal of what had worked is worth one more try with the same secret: a pod that is being restarted
    /// refuses good passwords for a moment.
    pub fn may_be_shown_again(&self) -> bool {
        matches!(&self.source, Source::Given(given) if matches!(*given.borrow(), Credentials::Basic { .. }))
    }

    /// Whether a token is shown, and no password.
    pub fn is_token(&self) -> bool {
        !self.may_be_shown_again()
    }

    /// What hides every secret that was ever shown.
    pub fn mask(&self) -> Mask {
        self.shared.mask.borrow().clone()
    }

    /// Hides these as well, which others are shown.
    pub fn hide(&self, forms: Vec<String>) {
        self.shared.mask.borrow_mut().extend(forms);
    }

    /// Whether there is a token that holds.
    pub fn has_token(&self) -> bool {
        self.shared.held.borrow().good(Instant::now()).is_some()
    }

    /// Whether a token is in flight that would be lost.
    pub fn is_exchanging(&self) -> bool {
        self.shared.held.borrow().phase == Phase::Sent
    }

    /// Waits until no token is in flight any more.
    pub async fn settle(&self) {
        let mut held = self.shared.held.subscribe();
        // Whatever keeps it so long, nobody is helped by waiting on.
        let _ = timeout(SETTLING, held.wait_for(|held| held.phase != Phase::Sent)).await;
    }

    /// Why another exchange is in vain just now: one was denied, and nobody has put another token into its file since; or
    /// the identity service is left alone for a while.
    fn in_vain(&self, way: &Way) -> Option<NoToken> {
        let held = self.shared.held.borrow();
        let is_too_soon = held.not_before.is_some_and(|not_before| Instant::now() < not_before);
        match (&held.failed, &way.grant) {
            (Some(NoToken::Denied(_)), Grant::RefreshTokenFile(kept)) if has_changed(kept) => None,
            // What keeps a file from being used may pass, as a fault does.
            (Some(NoToken::Denied(Denial::File(_))), _) if !is_too_soon => None,
            (Some(denied @ NoToken::Denied(_)), _) => Some(denied.clone()),
            (Some(fault), _) if is_too_soon => Some(fault.clone()),
            _ => None,
        }
    }

    /// Waits for the exchange that is under way, or for a new one.
    async fn exchanged(&self, way: &Rc<Way>, allowance: Allowance) -> Result<Shown, NoToken> {
        if self.shared.held.borrow().phase == Phase::Idle {
            if let Some(why) = self.in_vain(way) {
                return Err(why);
            }
            self.begin(way);
        }
        let mut held = self.shared.held.subscribe();
        let Ok(Ok(held)) = timeout_at(allowance.end, held.wait_for(|held| held.phase == Phase::Idle)).await else {
            return Err(NoToken::Fault(match self.shared.held.borrow().phase {
                Phase::Waiting => Fault::Busy,
                Phase::Idle | Phase::Sent => allowance.is_spent(&way.identity.host()).into(),
            }));
        };
        match (held.good(Instant::now()), &held.failed) {
            (Some(token), _) => Ok(shown(token, held.generation)),
            (None, Some(failed)) => Err(failed.clone()),
            (None, None) => Err(NoToken::Fault(Fault::Busy)),
        }
    }

    /// Begins an exchange, which nothing of ours ends.
    fn begin(&self, way: &Rc<Way>) {
        self.shared.held.send_modify(|held| held.phase = Phase::Waiting);
        let task = Task { way: Rc::clone(way), shared: Rc::clone(&self.shared) };
        tokio::task::spawn_local(task.run());
    }

    /// Reads an access token again that somebody may have renewed in its file. Whether it is another one now.
    fn read_again(&self, given: &mut Credentials) -> bool {
        let Credentials::AccessToken { token, file: Some(file) } = given else { return false };
        let path = file.clone();
        // A pipe that nobody writes to would hold the whole gate.
        let Some(Ok(newer)) = bounded::within(READING, move || read_secret(&path)) else { return false };
        if newer.expose_secret() == token.expose_secret() || check(&newer, "access token").is_err() {
            return false;
        }
        self.shared.learn(&newer);
        *token = newer;
        self.shared.held.send_modify(|held| held.generation += 1);
        true
    }
}

fn shown(token: &Token, generation: u32) -> Shown {
    Shown { header: bearer(&token.secret), generation }
}

fn has_changed(kept: &Kept) -> bool {
    let file = kept.file.clone();
    let read = bounded::within(READING, move || file.read());
    read.is_some_and(|token| token.is_ok_and(|token| !kept.is_exchanged(&token)))
}

/// One exchange.
struct Task {
    way: Rc<Way>,
    shared: Rc<Shared>,
}

impl Task {
    async fn run(self) {
        let asked = Instant::now();
        let sends = || self.shared.held.send_modify(|held| held.phase = Phase::Sent);
        let learn = |secret: &SecretString| self.shared.learn(secret);
        let ears = Ears { sends: &sends, learn: &learn, tell: &*self.shared.tell };
        let result = exchange(&self.way, &self.shared.transport, &ears).await;
        self.say(&result);
        self.shared.held.send_modify(|held| held.learn(result, asked));
    }

    fn say(&self, result: &Result<Access, NoToken>) {
        let host = quote(&self.way.identity.host());
        let what = match result {
            Ok(Access { lasts: Some(lasts), .. }) => format!("an access token for {}", brief(*lasts)),
            Ok(Access { lasts: None, .. }) => "an access token".to_owned(),
            Err(NoToken::Fault(fault)) => fault.to_string(),
            Err(NoToken::Denied(denial)) => denial.to_string(),
        };
        (self.shared.trace)(&format!("exchange at {host}: {what}"));
        if let (Err(NoToken::Denied(denial)), Some(_)) = (result, self.shared.held.borrow().good(Instant::now())) {
            (self.shared.tell)(format!("{denial}; the access token that is there is used until it ends"));
        }
    }
}

impl Token {
    /// Holds from when its exchange began: how long that took is not known.
    fn new(access: Access, asked: Instant) -> Self {
        let at = |life: Duration| asked.checked_add(life);
        let lasts = access.lasts.map(|life| life.max(SHORTEST));
        let due = lasts.and_then(|life| at(life.saturating_sub(AHEAD.min(life / 2))));
        // One that is there serves, however long it took to come.
        let ends = lasts.and_then(at).map(|ends| ends.max(Instant::now() + SHORTEST));
        Self { secret: access.token, due, ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn access(lasts: Option<Duration>) -> Access {
        Access { token: SecretString::from("t"), lasts }
    }

    fn unavailable(retry_after: Option<Duration>) -> NoToken {
        NoToken::Fault(Fault::Unavailable { host: "h".to_owned(), status: 503, retry_after })
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_renewed_a_minute_ahead_or_at_half_of_a_shorter_life() {
        let asked = Instant::now();
        let table = [(3600, 3540, 3600), (120, 60, 120), (90, 45, 90), (2, 1, 2)];
        for (lasts, due, ends) in table {
            let token = Token::new(access(Some(secs(lasts))), asked);
            assert_eq!((token.due, token.ends), (Some(asked + secs(due)), Some(asked + secs(ends))), "{lasts}");
        }
        let token = Token::new(access(Some(Duration::ZERO)), asked);
        assert_eq!(token.ends, Some(asked + SHORTEST));
        let token = Token::new(access(None), asked);
        assert_eq!((token.due, token.ends), (None, None));
    }

    #[tokio::test(start_paused = true)]
    async fn the_identity_service_is_left_alone_ever_longer_and_as_long_as_it_asks() {
        let mut held = Held::default();
        let now = Instant::now();
        for pause in [1, 2, 4, 8, 16, 30, 30] {
            held.learn(Err(unavailable(None)), now);
            assert_eq!(held.not_before, Some(now + secs(pause)));
        }
        held.learn(Err(unavailable(Some(secs(600)))), now);
        assert_eq!(held.not_before, Some(now + secs(600)));
        held.learn(Ok(access(None)), now);
        assert_eq!((held.not_before, held.faults, held.generation), (None, 0, 1));
        assert!(held.good(now + secs(1_000_000)).is_some());
    }
}
