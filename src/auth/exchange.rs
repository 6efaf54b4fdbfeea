//! One exchange at the identity service, and what becomes of a refresh token in it: the next one stands in the file
//! before the access token is used for anything.

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep};

use crate::bounded::aside;
use crate::foreign::quote_path;
use crate::http::Transport;

use super::identity::{Death, Denial, Fault, Identity, NoToken, Tokens};
use super::jwt::{self, Signer};
use super::token_file::{self, TokenFile, Turn};

/// How tokens are had.
pub struct Way {
    /// Where.
    pub identity: Identity,
    /// In exchange for what.
    pub grant: Grant,
}

/// What is exchanged for an access token.
pub enum Grant {
    /// A refresh token that stands in no file, and whether it was told that it is used up.
    RefreshToken(RefCell<SecretString>, Cell<bool>),
    /// The refresh token in a file, and the one that was exchanged last.
    RefreshTokenFile {
        /// The file.
        file: TokenFile,
        /// What it held at the newest exchange.
        exchanged: RefCell<Option<SecretString>>,
    },
    /// An assertion about a user, newly signed for each exchange.
    Assertion(Box<Signer>),
}

/// How often it is tried whether another gate's turn at the file is over.
const TURN: Duration = Duration::from_millis(50);

/// How long another gate's turn is waited for; an exchange ends sooner.
const TURNS: Duration = Duration::from_mins(2);

/// How long the file may take to be written, once the answer is there.
const WRITING: Duration = Duration::from_secs(10);

/// What is told of a refresh token that stands nowhere but in the environment.
const USED_UP: &str = "`EPM_REFRESH_TOKEN` has just been used up, and the token that follows it is lost at the end of \
                       this run: keep it in a `--refresh-token-file` that survives the job, where each exchange writes \
                       the next one";

/// Exchanges once. `sends` hears that a token is in flight from now on; `learn` each secret before it can come back; `tell`
/// what a person must know.
///
/// # Errors
///
/// Why there is no token.
pub async fn exchange(
    way: &Way,
    transport: &Transport,
    sends: &impl Fn(),
    learn: &impl Fn(&SecretString),
    tell: &dyn Fn(String),
) -> Result<Tokens, NoToken> {
    let tokens = match &way.grant {
        Grant::RefreshToken(token, told) => {
            let old = token.borrow().clone();
            sends();
            let tokens = way.identity.refresh(transport, &old).await?;
            if let Some(next) = tokens.refresh.clone() {
                *token.borrow_mut() = next;
                if !told.replace(true) {
                    tell(USED_UP.to_owned());
                }
            }
            tokens
        }
        Grant::RefreshTokenFile { file, exchanged } => {
            let begun = begin(file).await?;
            learn(&begun.token);
            *exchanged.borrow_mut() = Some(begun.token.clone());
            sends();
            let result = way.identity.refresh(transport, &begun.token).await;
            end(begun, result, tell).await?
        }
        Grant::Assertion(signer) => {
            let assertion = sign(signer, &way.identity).map_err(|error| NoToken::Denied(Denial::Unsigned(error)))?;
            learn(&assertion);
            sends();
            way.identity.assert(transport, &assertion).await?
        }
    };
    learn(&tokens.access);
    tokens.refresh.iter().for_each(learn);
    Ok(tokens)
}

fn sign(signer: &Signer, identity: &Identity) -> Result<SecretString, jwt::Error> {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|_| jwt::Error::Unsigned)?;
    let jti = format!("{:032x}", u128::from_ne_bytes(random));
    signer.sign(&identity.client_id, &jti, SystemTime::now())
}

/// An exchange of a file's token that may be sent.
struct Begun {
    turn: Turn,
    token: SecretString,
    /// When an earlier one of the same token began that was cut short.
    unfinished: Option<Timestamp>,
}

/// Waits for the turn at the file; then reads it, shows that it can be replaced, and marks that an exchange begins.
async fn begin(file: &TokenFile) -> Result<Begun, NoToken> {
    let until = Instant::now() + TURNS;
    loop {
        let file = file.clone();
        match aside(move || try_to_begin(&file)).await {
            Ok(Ok(Some(begun))) => return Ok(begun),
            Ok(Err(error)) => return Err(error.into()),
            Ok(Ok(None)) | Err(_) if Instant::now() >= until => return Err(NoToken::Fault(Fault::Busy)),
            Ok(Ok(None)) | Err(_) => sleep(TURN).await,
        }
    }
}

fn try_to_begin(file: &TokenFile) -> Result<Option<Begun>, token_file::Error> {
    let Some(mut turn) = file.turn()? else { return Ok(None) };
    // Only now: what stood there before may be the token that another gate has just used up.
    let token = file.read()?;
    file.prove(token.expose_secret().len())?;
    let unfinished = turn.unfinished(&token);
    turn.begin(&token)?;
    Ok(Some(Begun { turn, token, unfinished }))
}

/// Writes the next token down, or what is known of the old one.
async fn end(begun: Begun, result: Result<Tokens, NoToken>, tell: &dyn Fn(String)) -> Result<Tokens, NoToken> {
    let Begun { mut turn, token, unfinished } = begun;
    match result {
        Ok(tokens) => {
            let path = quote_path(turn.path());
            let next = tokens.refresh.clone().filter(|next| next.expose_secret() != token.expose_secret());
            let write = aside(move || {
                let written = next.map_or(Ok(()), |next| turn.replace(&next));
                turn.end();
                written
            });
            let problem = match tokio::time::timeout(WRITING, write).await {
                Ok(Ok(written)) => written.err().map(|error| error.to_string()),
                Ok(Err(_)) | Err(_) => Some(format!("writing {path} does not end")),
            };
            if let Some(problem) = problem {
                tell(format!(
                    "{problem}. The token in {path} is dead: it was exchanged, and the one that follows it could not be \
                     kept. This run goes on; get a new token with `epm-gate login` before the next one"
                ));
            }
            Ok(tokens)
        }
        Err(NoToken::Denied(Denial::Dead { death, .. })) => {
            let cut_short = unfinished.filter(|_| death != Death::Outlived);
            let cut_short = cut_short.map(|at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
            Err(NoToken::Denied(Denial::Dead { death, file: Some(turn.path().to_owned()), cut_short }))
        }
        Err(NoToken::Fault(fault)) if !fault.is_before_sending() => Err(NoToken::Fault(fault)),
        Err(error) => {
            // Nothing was exchanged; an earlier mark, though, still says what it said.
            if unfinished.is_none() {
                turn.end();
            }
            Err(error)
        }
    }
}
