//! The commands about a refresh token: `login`, which gets one by a person, and `login --renew`, which exchanges it ahead
//! of its end.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::{sleep, sleep_until};

use crate::auth::authorizer::Authorizer;
use crate::auth::device::{self, accept, invite};
use crate::auth::exchange::{Grant, Way};
use crate::auth::identity::Identity;
use crate::auth::token_file::{self, TokenFile};
use crate::auth::{Credentials, NoToken};
use crate::epm::error::Fault;
use crate::foreign::{quote, quote_path};
use crate::http::{Allowance, Network, Transport};
use crate::outcome::{Outcome, Signal};
use crate::pace::brief;
use crate::report::End;
use crate::report::console::Console;
use crate::signals::Signals;
use crate::wait::{Rules, persist};

/// How often it is tried whether another gate's turn at the file is over.
const TURN: Duration = Duration::from_millis(50);

/// A login.
pub struct Login {
    /// Where.
    pub identity: Identity,
    /// Where the refresh token is kept.
    pub file: TokenFile,
    /// On which way.
    pub network: Network,
    /// Whether a token that is there is exchanged.
    pub renew: bool,
    /// How long it may take.
    pub rules: Rules,
}

impl Login {
    /// Plays it to its end.
    pub async fn run(self, console: &Console, signals: &mut Signals) -> End {
        let transport = match Transport::new(&self.network) {
            Ok(transport) => transport,
            Err(error) => return End::new(Outcome::Usage, error.to_string(), None),
        };
        if self.renew {
            self.renew(transport, console, signals).await
        } else {
            self.log_in(&transport, console, signals).await
        }
    }

    async fn log_in(&self, transport: &Transport, console: &Console, signals: &mut Signals) -> End {
        tokio::select! {
            biased;
            signal = signals.first() => interrupted(signal),
            () = sleep_until(self.rules.deadline.end()) => late(),
            tokens = self.ask(transport, console) => match tokens {
                Ok(Some(token)) => self.keep(&token).await,
                Ok(None) => refused(&device::Error::NoRefreshToken),
                Err(end) => end,
            },
        }
    }

    /// Lets a person log in, and brings the refresh token.
    async fn ask(&self, transport: &Transport, console: &Console) -> Result<Option<SecretString>, End> {
        // Nobody shall log in for a token that cannot be kept.
        self.file.prove(LARGEST).map_err(|error| unusable(&error))?;
        let invitation = invite(&self.identity, transport).await.map_err(|error| refused(&error))?;
        console.note(&format!(
            "open {} and enter the code {} within {}",
            quote(invitation.address.first_line()),
            quote(invitation.code.first_line()),
            brief(invitation.lasts)
        ));
        let tokens = accept(&self.identity, transport, invitation).await.map_err(|error| refused(&error))?;
        Ok(tokens.refresh)
    }

    /// Writes the token into its file, once no other gate exchanges the one that is there.
    async fn keep(&self, token: &SecretString) -> End {
        let written = loop {
            match self.file.turn() {
                Ok(Some(mut turn)) => break turn.replace(token),
                Ok(None) => sleep(TURN).await,
                Err(error) => break Err(error),
            }
        };
        let path = quote_path(self.file.path());
        match written {
            Ok(()) => End::new(Outcome::Succeeded, format!("the refresh token is in {path}"), None),
            Err(error) => End::new(Outcome::Unwritable, format!("{error}; the token is lost"), Some(error.help())),
        }
    }

    /// Exchanges the token. Neither the deadline nor a first signal ends an exchange that is in flight.
    async fn renew(self, transport: Transport, console: &Console, signals: &mut Signals) -> End {
        let (file, rules) = (self.file.clone(), self.rules);
        let grant = Grant::RefreshTokenFile { file: self.file, exchanged: RefCell::default() };
        let lost = Rc::new(RefCell::new(None));
        let tell = {
            let lost = Rc::clone(&lost);
            move |text: String| *lost.borrow_mut() = Some(text)
        };
        let credentials = Credentials::OAuth(Box::new(Way { identity: self.identity, grant }));
        let authorizer = Authorizer::new(credentials, Rc::new(transport), tell);
        let told = |fault: &Fault| console.say(&format!("{fault}; asking again"));
        let end = tokio::select! {
            biased;
            end = exchanged(&authorizer, &rules, told) => end,
            signal = signals.first() => interrupted(signal),
        };
        tokio::select! {
            () = authorizer.settle() => {}
            () = signals.again() => {}
        }
        match (lost.take(), end.outcome.is_pass()) {
            (Some(lost), _) => End::new(Outcome::Unwritable, lost, None),
            (None, true) => {
                End::new(Outcome::Succeeded, format!("{} holds the next token", quote_path(file.path())), None)
            }
            (None, false) => end,
        }
    }
}

/// Has a token exchanged, within the outage budget.
async fn exchanged(authorizer: &Authorizer, rules: &Rules, told: impl FnMut(&Fault)) -> End {
    let attempt = async || {
        let allowance = Allowance::until(rules.deadline.end(), Duration::MAX);
        match authorizer.show(allowance).await {
            Ok(_) => Ok(End::new(Outcome::Succeeded, String::new(), None)),
            Err(NoToken::Denied(denial)) => {
                Ok(End::new(Outcome::AccessDenied, denial.to_string(), Some(denial.help())))
            }
            Err(NoToken::Fault(fault)) => Err(fault.into()),
        }
    };
    let ended = persist(rules, || false, attempt, told).await;
    ended.unwrap_or_else(|fault| End::new(Outcome::Unreachable, fault.to_string(), Some(fault.help())))
}

/// More than any refresh token.
const LARGEST: usize = 8 * 1024;

fn interrupted(signal: Signal) -> End {
    End::new(Outcome::Interrupted(signal), format!("{} was received", signal.name()), None)
}

fn late() -> End {
    End::new(
        Outcome::Unreachable,
        "the deadline came before anybody had let us in".to_owned(),
        Some("try again with a longer `--timeout`"),
    )
}

fn unusable(error: &token_file::Error) -> End {
    End::new(Outcome::Usage, format!("{error}; nothing was sent"), Some(error.help()))
}

fn refused(error: &device::Error) -> End {
    let outcome = match error {
        device::Error::NoEndpoint => Outcome::Usage,
        device::Error::Fault(_) => Outcome::Unreachable,
        _ => Outcome::AccessDenied,
    };
    End::new(outcome, error.to_string(), Some(error.help()))
}
