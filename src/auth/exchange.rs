//! One exchange at the identity service, and what becomes of a refresh token in it: the next one stands in the file
//! before the access token is used for anything.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep, timeout};

use crate::bounded::aside;
use crate::durable::{self, Replacement};
use crate::foreign::quote_path;
use crate::http::Transport;
use crate::pace::utc;

use super::error::{Death, Denial, Fault, NoToken};
use super::identity::{Access, Granted, Identity};
use super::jwt::{self, Signer};
use super::token_file::{self, TURN, TokenFile, Turn};

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
    /// The refresh token in a file.
    RefreshTokenFile(Box<Kept>),
    /// An assertion about a user, newly signed for each exchange.
    Assertion(Box<Signer>),
}

/// A refresh token that is kept in a file.
pub struct Kept {
    /// The file.
    pub file: TokenFile,
    /// What was exchanged last, and what stood in the file then, to tell whether somebody has put another token there.
    exchanged: RefCell<Option<[SecretString; 2]>>,
    /// The token that could not be put in the file's place, which holds the first of these and is dead.
    unwritten: RefCell<Option<(SecretString, SecretString)>>,
}

impl Kept {
    /// The token in this file.
    pub fn new(file: TokenFile) -> Self {
        Self { file, exchanged: RefCell::default(), unwritten: RefCell::default() }
    }

    /// Whether this is what was exchanged last, or stood in the file then.
    pub fn is_exchanged(&self, token: &SecretString) -> bool {
        self.exchanged.borrow().iter().flatten().any(|exchanged| is_same(exchanged, token))
    }
}

/// How long another gate's turn is waited for; an exchange ends sooner.
const TURNS: Duration = Duration::from_mins(2);

/// How long the file may take to be written, once the answer is there.
const WRITING: Duration = Duration::from_secs(10);

/// What is told of a refresh token that stands nowhere but in the environment.
const USED_UP: &str = "`EPM_REFRESH_TOKEN` has just been used up, and the token that follows it is lost at the end of \
                       this run: keep it in a `--refresh-token-file` that survives the job, where each exchange writes \
                       the next one";

/// Who hears of an exchange.
pub struct Ears<'a> {
    /// That a token is in flight from now on which would be lost.
    pub sends: &'a dyn Fn(),
    /// Each secret, before it can come back.
    pub learn: &'a dyn Fn(&SecretString),
    /// What a person must know.
    pub tell: &'a dyn Fn(String),
}

/// Exchanges once.
///
/// # Errors
///
/// Why there is no token.
pub async fn exchange(way: &Way, transport: &Transport, ears: &Ears<'_>) -> Result<Access, NoToken> {
    let granted = match &way.grant {
        Grant::RefreshToken(token, told) => {
            let old = token.borrow().clone();
            let granted = way.identity.refresh(transport, &old).await?;
            if let Some(next) = granted.refresh.clone() {
                (ears.learn)(&next);
                *token.borrow_mut() = next;
                if !told.replace(true) {
                    (ears.tell)(USED_UP.to_owned());
                }
            }
            granted
        }
        Grant::RefreshTokenFile(kept) => {
            let begun = begin(kept).await?;
            (ears.learn)(&begun.token);
            *kept.exchanged.borrow_mut() = Some([begun.token.clone(), begun.standing.clone()]);
            (ears.sends)();
            let result = way.identity.refresh(transport, &begun.token).await;
            end(kept, begun, result, ears).await?
        }
        Grant::Assertion(signer) => {
            let assertion = sign(signer, &way.identity).map_err(|error| NoToken::Denied(Denial::Unsigned(error)))?;
            (ears.learn)(&assertion);
            way.identity.assert(transport, &assertion).await?
        }
    };
    granted.access.inspect(|access| (ears.learn)(&access.token))
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
    /// What is exchanged.
    token: SecretString,
    /// What stands in the file, which is another one only where the newest could not be put there.
    standing: SecretString,
    /// The room for the next one.
    replacement: Option<Replacement>,
    /// When an earlier exchange of the same token began that was cut short.
    unfinished: Option<Timestamp>,
}

/// Waits for the turn at the file, and makes everything ready that the next token needs.
async fn begin(kept: &Kept) -> Result<Begun, NoToken> {
    let until = Instant::now() + TURNS;
    loop {
        let (file, unwritten) = (kept.file.clone(), kept.unwritten.borrow().clone());
        match aside(move || try_to_begin(&file, unwritten)).await {
            Ok(Some(begun)) => return Ok(begun),
            Err(error) => return Err(error.into()),
            Ok(None) if Instant::now() >= until => return Err(NoToken::Fault(Fault::Busy)),
            Ok(None) => sleep(TURN).await,
        }
    }
}

fn try_to_begin(
    file: &TokenFile,
    unwritten: Option<(SecretString, SecretString)>,
) -> Result<Option<Begun>, token_file::Error> {
    let Some(mut turn) = file.turn()? else { return Ok(None) };
    let taken_up = turn.take_up();
    // Only now: what stood there before may be the token that another gate has just used up.
    let standing = file.read();
    if let (Some((dead, token)), Ok(standing)) = (unwritten, &standing)
        && is_same(standing, &dead)
    {
        // It still cannot be put in its place, which its successor may. The mark stands.
        let replacement = turn.replacement().ok();
        return Ok(Some(Begun { turn, token, standing: dead, replacement, unfinished: None }));
    }
    taken_up?;
    let token = standing?;
    turn.rehearse()?;
    let replacement = turn.replacement()?;
    let unfinished = turn.unfinished(&token);
    turn.begin(&token)?;
    Ok(Some(Begun { turn, standing: token.clone(), token, replacement: Some(replacement), unfinished }))
}

/// Writes the next token down, or what is known of the old one.
async fn end(kept: &Kept, begun: Begun, result: Result<Granted, NoToken>, ears: &Ears<'_>) -> Result<Granted, NoToken> {
    let granted = match result {
        Ok(granted) => granted,
        Err(error) => return Err(in_vain(kept, begun, error)),
    };
    let Begun { turn, token, standing, replacement, .. } = begun;
    let file = turn.path().to_owned();
    let next = granted.refresh.clone().filter(|next| !is_same(next, &token));
    next.iter().for_each(ears.learn);
    // Where the service rotates none, the token that could not be put in its place stays to be put there.
    let written = next.clone().or_else(|| (!is_same(&token, &standing)).then_some(token));
    let problem = keep(turn, replacement, written.clone()).await.err();
    *kept.unwritten.borrow_mut() = written.filter(|_| problem.is_some()).map(|written| (standing, written));
    if let Some(problem) = problem {
        (ears.tell)(dead(&problem, &file));
    }
    Ok(granted)
}

/// What an exchange that brought nothing leaves behind.
fn in_vain(kept: &Kept, begun: Begun, error: NoToken) -> NoToken {
    let Begun { mut turn, token, standing, replacement, unfinished } = begun;
    replacement.into_iter().for_each(Replacement::discard);
    match error {
        NoToken::Denied(Denial::Dead { death, .. }) => {
            *kept.unwritten.borrow_mut() = None;
            let cut_short = unfinished.filter(|_| death != Death::Outlived);
            let cut_short = cut_short.map(utc);
            NoToken::Denied(Denial::Dead { death, file: Some(turn.path().to_owned()), cut_short })
        }
        error => {
            // Where nothing was exchanged the mark goes; not an earlier one, nor that of a token which is dead.
            let is_harmless = !matches!(&error, NoToken::Fault(fault) if !fault.is_before_sending());
            if is_harmless && unfinished.is_none() && is_same(&token, &standing) {
                turn.end();
            }
            error
        }
    }
}

/// Puts the next token in the file's place; none where the old one stays.
async fn keep(mut turn: Turn, replacement: Option<Replacement>, next: Option<SecretString>) -> Result<(), String> {
    let path = quote_path(turn.path());
    let work = aside(move || {
        match (next, replacement) {
            (Some(next), Some(replacement)) => turn.replace(replacement, &next),
            (Some(next), None) => turn.replacement().and_then(|replacement| turn.replace(replacement, &next)),
            (None, replacement) => {
                replacement.into_iter().for_each(Replacement::discard);
                Ok(())
            }
        }?;
        turn.end();
        Ok::<(), token_file::Error>(())
    });
    match timeout(WRITING, work).await {
        Ok(written) => written.map_err(|error| error.to_string()),
        Err(_) => Err(format!("writing {path} does not end")),
    }
}

fn dead(problem: &str, file: &Path) -> String {
    format!(
        "{problem}. The token in {} is dead: it was exchanged, and the one that follows it could not be put in its place. \
         This run goes on; the next one takes it up from {} if it could be written there, else get a new token with \
         `epm-gate login`",
        quote_path(file),
        quote_path(&durable::beside(file, "next"))
    )
}

fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
