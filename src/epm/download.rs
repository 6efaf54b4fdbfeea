//! The files of a job: piece by piece, so that none is ever held as a whole; and from where a transfer broke off.

mod opening;
mod part;

use reqwest::Response;
use tokio::time::Instant;

use crate::auth::authorizer::Shown;
use crate::foreign::quote;
use crate::http::lanes::Lane;
use crate::http::{self, Allowance};
use crate::job::Answer;

use super::error::{Fault, ReadError, Refusal, words};
use super::recording::Noted;
use super::reply::Reply;
use super::requests::Fate;
use super::{Client, wire};

use opening::Opening;
pub use part::Part;

/// Why a file did not come.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// No answer, or none that lets us in.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// EPM says why not: as JSON, with HTTP 200 (epm-api.md §4.1).
    #[error("EPM does not give it out{}", words(.0.facts.details.as_ref()))]
    Refused(Answer),
    /// Whoever took the pieces takes no more.
    #[error("nobody takes it")]
    NotTaken,
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Read(fault.into())
    }
}

/// What comes of a file.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// The file begins: what came before this is void.
    Start,
    /// The next bytes.
    Bytes(&'a [u8]),
}

impl Client {
    /// Downloads what is missing of a file, piece by piece. `name` is its path, encoded as one segment. `take` is false
    /// where no more is wanted.
    ///
    /// # Errors
    ///
    /// Whatever is not the file's content, or a transfer that stalls or breaks off; `part` tells how far it came, and the
    /// next call goes on there.
    pub async fn download(
        &self,
        name: &str,
        part: &mut Part,
        until: Instant,
        take: &mut impl AsyncFnMut(Piece<'_>) -> bool,
    ) -> Result<(), Error> {
        let allowance = || self.allowance(self.limits.request.min(until.saturating_duration_since(Instant::now())));
        let end = until.min(self.limits.deadline);
        let lane = self
            .lanes
            .for_transfer(end)
            .await
            .ok_or_else(|| allowance().is_spent(&self.url.host()))
            .map_err(Fault::from)?;
        let shown = self.authorizer.show(allowance()).await.map_err(ReadError::from)?;
        let unauthorized = Error::Read(Refusal::Unauthorized.into());
        match self.transfer(&lane, name, part, &shown, allowance, take).await {
            // Nothing came of this answer, so that it may be asked for anew.
            Err(error) if error == unauthorized => {
                let refused = || Error::Read(self.unauthorized().into());
                if !self.authorizer.renew(shown.generation, allowance()).await.map_err(ReadError::from)? {
                    return Err(refused());
                }
                let shown = self.authorizer.show(allowance()).await.map_err(ReadError::from)?;
                let again = self.transfer(&lane, name, part, &shown, allowance, take).await;
                again.map_err(|error| if error == unauthorized { refused() } else { error })
            }
            done => done,
        }
    }

    async fn transfer(
        &self,
        lane: &Lane<'_>,
        name: &str,
        part: &mut Part,
        shown: &Shown,
        allowance: impl Fn() -> Allowance,
        take: &mut impl AsyncFnMut(Piece<'_>) -> bool,
    ) -> Result<(), Error> {
        let (host, url) = (self.url.host(), self.url.file(name));
        let mut noted = Noted(self.recording.as_ref().map(|recording| recording.exchange("GET", &url)));
        let request = shown.on(lane.client.get(url)).headers(part.wish());
        let answer = allowance().spend(&host, request.send()).await;
        (self.count)(Fate::of(answer.as_ref().ok().map(|response| response.status().as_u16())));
        let mut response = noted.step(answer).map_err(Fault::from)?;
        let status = response.status().as_u16();
        (self.trace)(&format!("GET of the file {}: HTTP {status}", quote(name)));
        match status {
            // A rest that fits nowhere, or none at all: only the whole can help.
            416 if part.bytes() > 0 => return Err(unfit(part, noted, &host, status)),
            _ if opening::is_no_file(response.headers()) => {
                return Err(self.refusal(response, &host, noted, allowance()).await);
            }
            200 => {}
            206 if part.is_rest(response.headers()) => part.goes_on(&response),
            206 if part.bytes() > 0 => return Err(unfit(part, noted, &host, status)),
            _ => return Err(self.refusal(response, &host, noted, allowance()).await),
        }
        noted.begins_file(&response);
        if status == 200 {
            part.begin(&response);
            let mut opening = Opening::default();
            while opening.is_open()
                && let Some(bytes) =
                    noted.step(allowance().spend(&host, response.chunk()).await).map_err(Fault::from)?
            {
                noted.piece(&bytes);
                opening.push(&bytes);
            }
            let bytes = match opening.file(name) {
                Ok(bytes) => bytes,
                Err(body) => return Err(self.refused(&response, body, noted)),
            };
            part.add(bytes.len());
            if !take(Piece::Start).await || !take(Piece::Bytes(&bytes)).await {
                return Err(Error::NotTaken);
            }
        }
        while let Some(bytes) = noted.step(allowance().spend(&host, response.chunk()).await).map_err(Fault::from)? {
            noted.piece(&bytes);
            part.add(bytes.len());
            if !take(Piece::Bytes(&bytes)).await {
                return Err(Error::NotTaken);
            }
        }
        // A part of the rest is no end of the file.
        noted.step(part.whole(&host)).map_err(Fault::from)?;
        noted.ends_file();
        Ok(())
    }

    /// What an answer says that is not the file.
    async fn refusal(&self, response: Response, host: &str, mut noted: Noted<'_>, allowance: Allowance) -> Error {
        let read = http::read(response, host, allowance).await;
        noted.ended(&read, || self.mask());
        match read {
            Ok(answer) => self.said(answer),
            Err(fault) => Fault::from(fault).into(),
        }
    }

    /// What an answer says that came in a file's clothes.
    fn refused(&self, response: &Response, body: Vec<u8>, mut noted: Noted<'_>) -> Error {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let read = Ok(http::Answer { status, headers, body, peer: None });
        noted.ended(&read, || self.mask());
        read.map_or_else(|fault| Fault::from(fault).into(), |answer| self.said(answer))
    }

    fn said(&self, answer: http::Answer) -> Error {
        let reply = Reply::from(answer);
        match reply.check(&self.mask()) {
            Ok(()) => Error::Refused(wire::answer(&reply.body, &self.mask()).unwrap_or_default()),
            Err(error) => Error::Read(error),
        }
    }
}

/// An answer that does not go on where the file broke off.
fn unfit(part: &mut Part, mut noted: Noted<'_>, host: &str, status: u16) -> Error {
    part.forget();
    let reason = format!("the answer (HTTP {status}) does not fit behind what had come");
    let fault = http::fault::Fault::Broken { host: host.to_owned(), reason };
    // The record is told of it as of any other fault.
    let _ = noted.step::<()>(Err(fault.clone()));
    Fault::from(fault).into()
}
