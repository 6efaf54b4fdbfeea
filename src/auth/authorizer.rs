//! What goes into `Authorization` at each request: a password, a token that somebody else renews, or one that is
//! exchanged at the identity service in time.
//!
//! An exchange is a task of its own, so that no poll, deadline or first signal cuts it short: what it hands out can be
//! had only once. Requests go on with the old token as long as that holds.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::bounded;
use crate::http::{Allowance, Transport};

use super::exchange::{Grant, Way, exchange};
use super::identity::{Denial, Fault, NoToken, Tokens};
use super::secret::{check, forms, read_secret};
use super::token_file::TokenFile;
use super::{Credentials, bearer};

/// How long reading a token again may take.
const READING: Duration = Duration::from_secs(1);

/// How much ahead of its end a token is renewed; a shorter one at half of its life.
const AHEAD: Duration = Duration::from_mins(1);

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
    transport: Rc<Transport>,
    held: watch::Sender<Held>,
    /// Every secret that was ever shown, in every form.
    forms: Rc<RefCell<Vec<String>>>,
    tell: Rc<dyn Fn(String)>,
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
}

#[derive(Clone)]
struct Token {
    secret: SecretString,
    renewed: Option<Instant>,
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
    /// Of these credentials. `tell` hears what a person must know, such as that a token is used up.
    pub fn new(credentials: Credentials, transport: Rc<Transport>, tell: impl Fn(String) + 'static) -> Self {
        let forms = Rc::new(RefCell::new(credentials.forms()));
        let source = match credentials {
            Credentials::OAuth(way) => Source::Exchanged(Rc::from(way)),
            given => Source::Given(RefCell::new(given)),
        };
        Self { source, transport, held: watch::Sender::default(), forms, tell: Rc::new(tell) }
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
                return Ok(Shown { header, generation: self.held.borrow().generation });
            }
        };
        let now = Instant::now();
        let held = self.held.borrow().clone();
        match held.token.as_ref().filter(|token| token.ends.is_none_or(|ends| now < ends)) {
            Some(token) => {
                let is_due = token.renewed.is_some_and(|renewed| now >= renewed);
                if is_due && held.phase == Phase::Idle && self.denied(way).is_none() {
                    self.begin(way);
                }
                Ok(shown(token, held.generation))
            }
            None => self.exchanged(way, allowance).await,
        }
    }

    /// Gets something newer to show than what was refused, where there is a way to. Whether there is.
    ///
    /// # Errors
    ///
    /// Why there is no token.
    pub async fn renew(&self, refused: u32, allowance: Allowance) -> Result<bool, NoToken> {
        if self.held.borrow().generation != refused {
            return Ok(true);
        }
        let way = match &self.source {
            Source::Exchanged(way) => way,
            Source::Given(given) => return Ok(self.read_again(&mut given.borrow_mut())),
        };
        self.held.send_modify(|held| held.token = None);
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

    /// Every form in which a secret could come back.
    pub fn forms(&self) -> Vec<String> {
        self.forms.borrow().clone()
    }

    /// Whether a token is in flight that would be lost.
    pub fn is_exchanging(&self) -> bool {
        self.held.borrow().phase == Phase::Sent
    }

    /// Waits until no token is in flight any more.
    pub async fn settle(&self) {
        let mut held = self.held.subscribe();
        // The sender is ours, so that it cannot be gone.
        let _ = held.wait_for(|held| held.phase != Phase::Sent).await;
    }

    /// Why another exchange is in vain: one was denied, and nobody has put another token into its file since.
    fn denied(&self, way: &Way) -> Option<Denial> {
        match (&self.held.borrow().failed, &way.grant) {
            (Some(NoToken::Denied(_)), Grant::RefreshTokenFile { file, exchanged }) if has_changed(file, exchanged) => {
                None
            }
            (Some(NoToken::Denied(denial)), _) => Some(denial.clone()),
            _ => None,
        }
    }

    /// Waits for the exchange that is under way, or for a new one.
    async fn exchanged(&self, way: &Rc<Way>, allowance: Allowance) -> Result<Shown, NoToken> {
        let host = way.identity.host();
        if self.held.borrow().phase == Phase::Idle {
            if let Some(denial) = self.denied(way) {
                return Err(NoToken::Denied(denial));
            }
            self.begin(way);
        }
        let mut held = self.held.subscribe();
        let Ok(Ok(held)) = timeout_at(allowance.end, held.wait_for(|held| held.phase == Phase::Idle)).await else {
            return Err(NoToken::Fault(allowance.is_spent(&host).into()));
        };
        match (&held.token, &held.failed) {
            (Some(token), _) => Ok(shown(token, held.generation)),
            (None, Some(failed)) => Err(failed.clone()),
            (None, None) => Err(NoToken::Fault(Fault::Busy)),
        }
    }

    /// Begins an exchange, which nothing of ours ends.
    fn begin(&self, way: &Rc<Way>) {
        self.held.send_modify(|held| held.phase = Phase::Waiting);
        let task = Task {
            way: Rc::clone(way),
            transport: Rc::clone(&self.transport),
            held: self.held.clone(),
            forms: Rc::clone(&self.forms),
            tell: Rc::clone(&self.tell),
        };
        tokio::task::spawn_local(task.run());
    }

    /// Reads an access token again that somebody may have renewed in its file. Whether it is another one now.
    fn read_again(&self, given: &mut Credentials) -> bool {
        let Credentials::AccessToken { token, file: Some(file) } = given else { return false };
        let path = file.clone();
        // A pipe that nobody writes to would hold the whole gate.
        let Ok(Ok(newer)) = bounded::within(READING, move || read_secret(&path)) else { return false };
        if newer.expose_secret() == token.expose_secret() || check(&newer, "access token").is_err() {
            return false;
        }
        self.forms.borrow_mut().extend(forms([newer.expose_secret()]));
        *token = newer;
        self.held.send_modify(|held| held.generation += 1);
        true
    }
}

fn shown(token: &Token, generation: u32) -> Shown {
    Shown { header: bearer(&token.secret), generation }
}

fn has_changed(file: &TokenFile, exchanged: &RefCell<Option<SecretString>>) -> bool {
    let file = file.clone();
    let Ok(Ok(token)) = bounded::within(READING, move || file.read()) else { return false };
    exchanged.borrow().as_ref().is_some_and(|exchanged| exchanged.expose_secret() != token.expose_secret())
}

/// One exchange.
struct Task {
    way: Rc<Way>,
    transport: Rc<Transport>,
    held: watch::Sender<Held>,
    forms: Rc<RefCell<Vec<String>>>,
    tell: Rc<dyn Fn(String)>,
}

impl Task {
    async fn run(self) {
        let sent = Cell::new(None);
        let sends = || {
            sent.set(Some(Instant::now()));
            self.held.send_modify(|held| held.phase = Phase::Sent);
        };
        let learn = |secret: &SecretString| self.forms.borrow_mut().extend(forms([secret.expose_secret()]));
        let result = exchange(&self.way, &self.transport, &sends, &learn, &*self.tell).await;
        self.held.send_modify(|held| {
            held.phase = Phase::Idle;
            match result {
                Ok(tokens) => {
                    held.generation += 1;
                    held.token = Some(Token::new(tokens, sent.get().unwrap_or_else(Instant::now)));
                    held.failed = None;
                }
                Err(failed) => held.failed = Some(failed),
            }
        });
    }
}

impl Token {
    /// Holds from when it was asked for: how long its answer took is not known.
    fn new(tokens: Tokens, asked: Instant) -> Self {
        let at = |life: Duration| asked.checked_add(life);
        let renewed = tokens.lasts.and_then(|life| at(life.saturating_sub(AHEAD.min(life / 2))));
        Self { secret: tokens.access, renewed, ends: tokens.lasts.and_then(at) }
    }
}
