//! The commands about a refresh token: `login`, which gets one by a person, and `login --renew`, which exchanges it ahead
//! of its end.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::{sleep, sleep_until};

use crate::auth::authorizer::Authorizer;
use crate::auth::device::{self, accept, invite};
use crate::auth::exchange::{Grant, Kept, Way};
use crate::auth::identity::Identity;
use crate::auth::token_file::{self, TURN, TokenFile, Turn};
use crate::auth::{Credentials, NoToken};
use crate::durable::{self, Replacement};
use crate::epm::error::Fault;
use crate::foreign::{quote, quote_path};
use crate::gate::desk::Desk;
use crate::gate::{land, trace};
use crate::http::{Allowance, Network, Transport};
use crate::outcome::{Outcome, Signal};
use crate::pace::brief;
use crate::report::End;
use crate::report::console::Console;
use crate::signals::Signals;
use crate::wait::{Rules, persist};

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
    pub async fn run(self, desk: &Rc<Desk>, signals: &mut Signals) -> End {
        let transport = match Transport::new(&self.network) {
            Ok(transport) => transport,
            Err(error) => return End::new(Outcome::Usage, error.to_string(), None),
        };
        if self.renew {
            self.renew(transport, desk, signals).await
        } else {
            self.log_in(&transport, desk.console(), signals).await
        }
    }

    async fn log_in(&self, transport: &Transport, console: &Console, signals: &mut Signals) -> End {
        tokio::select! {
            biased;
            signal = signals.first() => interrupted(signal),
            () = sleep_until(self.rules.deadline.end()) => late(),
            end = self.ask(transport, console) => end,
        }
    }

    /// Lets a person log in, and keeps the refresh token. The file is ours from the beginning, and shown to be
    /// replaceable: nobody shall log in for a token that cannot be kept.
    async fn ask(&self, transport: &Transport, console: &Console) -> End {
        if !self.identity.scope.as_deref().is_some_and(|scope| scope.contains("offline_access")) {
            console
                .warn("`--scope` has no `offline_access`, which Oracle's identity service wants for a refresh token");
        }
        let (turn, replacement) = match self.take_turn().await {
            Ok(taken) => taken,
            Err(error) => return End::new(Outcome::Usage, format!("{error}; nothing was sent"), Some(error.help())),
        };
        match self.invite(transport, console).await {
            Ok(token) => self.keep(&turn, replacement, &token),
            Err(error) => {
                replacement.discard();
                refused(&error)
            }
        }
    }

    /// Waits until no other gate exchanges the token that is there, and takes the room for the next one.
    async fn take_turn(&self) -> Result<(Turn, Replacement), token_file::Error> {
        let mut turn = loop {
            match self.file.turn()? {
                Some(turn) => break turn,
                None => sleep(TURN).await,
            }
        };
        turn.take_up()?;
        turn.rehearse()?;
        let replacement = turn.replacement()?;
        Ok((turn, replacement))
    }

    /// Shows a person where to go, and waits for the token.
    async fn invite(&self, transport: &Transport, console: &Console) -> Result<SecretString, device::Error> {
        let invitation = invite(&self.identity, transport).await?;
        console.note(&format!(
            "open {} and enter the code {} within {}",
            quote(invitation.address.first_line()),
            quote(invitation.code.first_line()),
            brief(invitation.lasts)
        ));
        accept(&self.identity, transport, invitation).await
    }

    fn keep(&self, turn: &Turn, replacement: Replacement, token: &SecretString) -> End {
        let path = quote_path(self.file.path());
        match turn.replace(replacement, token) {
            Ok(()) => End::new(Outcome::Succeeded, format!("the refresh token is in {path}"), None),
            Err(error) => {
                let next = quote_path(&durable::beside(self.file.path(), "next"));
                let why = format!("{error}; if the token could be written at all, it stands in {next}");
                End::new(Outcome::Unwritable, why, Some("move it there, or log in again"))
            }
        }
    }

    /// Exchanges the token. Neither the deadline nor a first signal ends an exchange that is in flight.
    async fn renew(self, transport: Transport, desk: &Rc<Desk>, signals: &mut Signals) -> End {
        let (path, rules) = (quote_path(self.file.path()), self.rules);
        let lost = Rc::new(RefCell::new(None));
        let tell = {
            let lost = Rc::clone(&lost);
            move |text: String| *lost.borrow_mut() = Some(text)
        };
        let grant = Grant::RefreshTokenFile(Box::new(Kept::new(self.file)));
        let credentials = Credentials::OAuth(Box::new(Way { identity: self.identity, grant }));
        let authorizer = Authorizer::new(credentials, Rc::new(transport), trace(desk), tell);
        let told = |fault: &Fault| desk.console().say(&format!("{fault}; asking again"));
        let end = tokio::select! {
            biased;
            end = exchanged(&authorizer, &rules, told) => end,
            signal = signals.first() => interrupted(signal),
        };
        land(desk, authorizer.is_exchanging(), authorizer.settle(), signals).await;
        match (lost.take(), authorizer.has_token(), end.outcome) {
            (Some(lost), ..) => End::new(Outcome::Unwritable, lost, None),
            (None, true, Outcome::Interrupted(_)) => {
                End { why: format!("{}; {path} holds the next token", end.why), ..end }
            }
            (None, true, _) => End::new(Outcome::Succeeded, format!("{path} holds the next token"), None),
            (None, false, _) => end,
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
                let outcome = if denial.is_of_file() { Outcome::Usage } else { Outcome::AccessDenied };
                Ok(End::new(outcome, denial.to_string(), Some(denial.help())))
            }
            Err(NoToken::Fault(fault)) => Err(fault.into()),
        }
    };
    let ended = persist(rules, || false, attempt, told).await;
    ended.unwrap_or_else(|fault| End::new(Outcome::Unreachable, fault.to_string(), Some(fault.help())))
}

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

fn refused(error: &device::Error) -> End {
    let outcome = match error {
        device::Error::NoEndpoint => Outcome::Usage,
        device::Error::Fault(_) => Outcome::Unreachable,
        _ => Outcome::AccessDenied,
    };
    End::new(outcome, error.to_string(), Some(error.help()))
}
