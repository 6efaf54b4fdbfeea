//! The files of a job: piece by piece, so that none is ever held as a whole.

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::time::Instant;

use crate::auth::authorizer::Shown;
use crate::foreign::quote;
use crate::http::{self, Allowance};
use crate::job::Answer;

use super::error::{Fault, ReadError, Refusal, words};
use super::recording::Noted;
use super::reply::Reply;
use super::{Client, wire};

/// Why a file did not come.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// No answer, or none that lets us in.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// EPM says why not: as JSON, with HTTP 200 (epm-api.md §4.1).
    #[error("EPM does not give it out{}", words(.0.facts.details.as_ref()))]
    Refused(Answer),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Read(fault.into())
    }
}

impl Client {
    /// Downloads a file, piece by piece. `name` is its path, encoded as one segment.
    ///
    /// # Errors
    ///
    /// Whatever is not the file's content, or a transfer that stalls.
    pub async fn download(&self, name: &str, until: Instant, mut piece: impl FnMut(&[u8])) -> Result<(), Error> {
        let allowance = || self.allowance(self.limits.request.min(until.saturating_duration_since(Instant::now())));
        let shown = self.authorizer.show(allowance()).await.map_err(ReadError::from)?;
        let unauthorized = Error::Read(Refusal::Unauthorized.into());
        match self.transfer(name, &shown, allowance, &mut piece).await {
            // Nothing came yet, so that it may begin anew.
            Err(error) if error == unauthorized => {
                let refused = || Error::Read(self.unauthorized().into());
                if !self.authorizer.renew(shown.generation, allowance()).await.map_err(ReadError::from)? {
                    return Err(refused());
                }
                let shown = self.authorizer.show(allowance()).await.map_err(ReadError::from)?;
                let again = self.transfer(name, &shown, allowance, &mut piece).await;
                again.map_err(|error| if error == unauthorized { refused() } else { error })
            }
            done => done,
        }
    }

    async fn transfer(
        &self,
        name: &str,
        shown: &Shown,
        allowance: impl Fn() -> Allowance,
        piece: &mut impl FnMut(&[u8]),
    ) -> Result<(), Error> {
        let (host, url) = (self.url.host(), self.url.file(name));
        let mut noted = Noted(self.recording.as_ref().map(|recording| recording.exchange("GET", &url)));
        let request = shown.on(self.reads.get(url));
        let mut response = noted.step(allowance().spend(&host, request.send()).await).map_err(Fault::from)?;
        (self.trace)(&format!("GET of the file {}: HTTP {}", quote(name), response.status().as_u16()));
        if response.status().as_u16() != 200 || is_no_file(&response) {
            let read = http::read(response, &host, allowance()).await;
            noted.ended(&read, || self.mask());
            let reply = Reply::from(read.map_err(Fault::from)?);
            reply.check(&self.mask()).map_err(Error::Read)?;
            let answer = wire::answer(&reply.body, &self.mask()).unwrap_or_default();
            return Err(Error::Refused(answer));
        }
        noted.begins_file(&response);
        while let Some(bytes) = noted.step(allowance().spend(&host, response.chunk()).await).map_err(Fault::from)? {
            noted.piece(&bytes);
            piece(&bytes);
        }
        noted.ends_file();
        Ok(())
    }
}

/// Whether the body is something else than the file: EPM says in JSON why it does not give one out, and a page is no
/// log of a job.
fn is_no_file(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.trim_start().to_ascii_lowercase();
    kind.starts_with("application/json") || kind.starts_with("text/html")
}
