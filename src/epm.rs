//! EPM as we talk to it: look, submit, ask, download. Every request ends by an instant that the caller names.

pub mod error;
pub mod reply;
pub mod submission;
mod transport;
pub mod url;
mod wire;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ::url::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{RequestBuilder, Response};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use crate::auth::Credentials;
use crate::foreign::{Mask, quote};
use crate::job::{Answer, JobId};
use crate::payload::Payload;

use error::{Fault, ReadError, Refusal, words};
use reply::{Asked, Reply};
use submission::Submission;
use transport::Transport;
use url::EpmUrl;

/// The largest answer about a job that is read; a stack trace in `details` stays far below it.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// How long requests may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// One read; for a transfer, the time without a byte.
    pub request: Duration,
    /// The submit, which may block on the server where it runs the job synchronously (epm-api.md §2.7).
    pub submit: Duration,
    /// The end of everything.
    pub deadline: Instant,
}

/// The client of one EPM service, with one set of credentials.
pub struct Client {
    url: EpmUrl,
    limits: Limits,
    transport: Transport,
    reads: reqwest::Client,
    credentials: RefCell<Credentials>,
    mask: RefCell<Mask>,
    trust: Mutex<Trust>,
    met: Cell<bool>,
    answered: Cell<bool>,
    /// How often the credentials were renewed: what was refused with older ones is sent again.
    renewals: Cell<u32>,
    /// Whether a submit has cost a renewal already.
    renewed: Cell<bool>,
    trace: Box<dyn Fn(&str)>,
}

/// What is known of the credentials. While they are not proven, requests go one at a time, and a refusal stops all that
/// would follow: several jobs with a wrong password must not lock the account.
#[derive(Clone, PartialEq, Eq)]
enum Trust {
    Untried,
    Proven,
    Refused(Refusal),
}

/// What a read is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// To see whether EPM lets us in: what its path says otherwise is not documented.
    Look,
    /// To be told something.
    Ask,
}

impl Purpose {
    /// Whether this refusal is one of us, and not of the path alone.
    fn is_refused_by(self, refusal: &Refusal) -> bool {
        self == Self::Ask || matches!(refusal, Refusal::Unauthorized | Refusal::LoginPage)
    }
}

/// How long one request may take, and by when it must have ended.
#[derive(Clone, Copy)]
struct Allowance {
    length: Duration,
    end: Instant,
}

/// A client that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// Most likely a proxy variable that cannot be read.
    #[error("cannot set up HTTP")]
    Http(#[source] reqwest::Error),
}

/// Why a file did not come.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DownloadError {
    /// No answer, or none that lets us in.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// EPM says why not: as JSON, with HTTP 200 (epm-api.md §4.1).
    #[error("EPM does not give it out{}", words(.0.facts.details.as_ref()))]
    Refused(Answer),
}

impl From<Fault> for DownloadError {
    fn from(fault: Fault) -> Self {
        Self::Read(fault.into())
    }
}

impl Client {
    /// A client. `trace` hears one line per request.
    ///
    /// # Errors
    ///
    /// TLS or a proxy that cannot be set up.
    pub fn new(
        url: EpmUrl,
        credentials: Credentials,
        limits: Limits,
        trace: impl Fn(&str) + 'static,
    ) -> Result<Self, Error> {
        let transport = Transport::new(url.is_plain()).map_err(Error::Tls)?;
        let reads = transport.for_reads().map_err(|error| Error::Http(error.without_url()))?;
        let mask = RefCell::new(Mask::new(credentials.forms()));
        let trust = Mutex::new(Trust::Untried);
        let credentials = RefCell::new(credentials);
        let (met, answered, renewals, renewed) = Default::default();
        let trace = Box::new(trace);
        Ok(Self { url, limits, transport, reads, credentials, mask, trust, met, answered, renewals, renewed, trace })
    }

    /// The look before a submit: whether EPM is there and lets us in. What the path says otherwise is not documented,
    /// so it decides nothing else.
    ///
    /// # Errors
    ///
    /// Only what holds a submit back: 401, a login page, 429, 5xx, or no answer.
    pub async fn look(&self, path: &str) -> Result<(), ReadError> {
        let reply = match self.read(self.url.below(path), Purpose::Look).await {
            // However much there is to read, it is an answer.
            Err(ReadError::Fault(Fault::TooLarge { status: 200..300, .. })) => return Ok(()),
            reply => reply?,
        };
        reply.look(&self.mask())
    }

    /// Submits once, over a connection of its own. With a token that can be renewed a 401 costs one renewal, and is no
    /// refusal then: EPM does not act on what it does not let in.
    pub async fn submit(&self, payload: &Payload) -> Submission {
        if let Trust::Refused(refusal) = &*self.trust.lock().await {
            return Submission::Denied(refusal.clone());
        }
        let submission = submission::judge(self.post(payload).await, &self.mask.borrow());
        match submission {
            Submission::Denied(Refusal::Unauthorized) if !self.renewed.get() && self.renew() => {
                self.renewed.set(true);
                return Submission::NotTaken(Fault::Expired);
            }
            // EPM has read what was sent, so it has let us in.
            Submission::Taken(..) | Submission::Rejected(_) => {
                *self.trust.lock().await = Trust::Proven;
                self.met.set(true);
            }
            _ => {}
        }
        submission
    }

    /// Asks about a job.
    ///
    /// # Errors
    ///
    /// Whatever is no answer about a job.
    pub async fn ask(&self, id: JobId) -> Result<Asked, ReadError> {
        self.read(self.url.job(id), Purpose::Ask).await?.asked(&self.mask())
    }

    /// The jobs that EPM lists, the newest first. That there is such a list is not documented (epm-api.md §2.6): it is
    /// for people to look at, and decides nothing.
    ///
    /// # Errors
    ///
    /// Whatever is no list of jobs.
    pub async fn list(&self) -> Result<Vec<Answer>, ReadError> {
        let reply = self.read(self.url.jobs(), Purpose::Ask).await?;
        reply.check(&self.mask())?;
        Ok(wire::list(&reply.body, &self.mask.borrow()).ok_or(Fault::NotJson { status: reply.status })?)
    }

    /// Downloads a file, piece by piece. `name` is its path, encoded as one segment.
    ///
    /// # Errors
    ///
    /// Whatever is not the file's content, or a transfer that stalls.
    pub async fn download(
        &self,
        name: &str,
        until: Instant,
        mut piece: impl FnMut(&[u8]),
    ) -> Result<(), DownloadError> {
        let allowance = || self.allowance(self.limits.request.min(until.saturating_duration_since(Instant::now())));
        let request = self.authorized(self.reads.get(self.url.file(name)));
        let mut response = self.within(allowance(), request.send()).await?;
        (self.trace)(&format!("GET of the file {}: HTTP {}", quote(name), response.status().as_u16()));
        if response.status().as_u16() != 200 || is_no_file(&response) {
            let reply = self.body(response, allowance()).await?;
            reply.check(&self.mask()).map_err(DownloadError::Read)?;
            let answer = wire::answer(&reply.body, &self.mask.borrow()).unwrap_or_default();
            return Err(DownloadError::Refused(answer));
        }
        while let Some(bytes) = self.within(allowance(), response.chunk()).await? {
            piece(&bytes);
        }
        Ok(())
    }

    /// The service: its host, and the prefix where several stand behind one.
    pub fn place(&self) -> String {
        self.url.place()
    }

    /// Whether EPM has answered at all, whatever it said.
    pub fn has_answered(&self) -> bool {
        self.answered.get()
    }

    /// Whether EPM has ever let these credentials in.
    pub fn has_met(&self) -> bool {
        self.met.get()
    }

    /// What hides our secrets in a text of others.
    pub fn mask(&self) -> Mask {
        self.mask.borrow().clone()
    }

    /// A read with proof of identity, and what a 401 costs: one renewal, or one more try of what had worked.
    async fn read(&self, url: Url, purpose: Purpose) -> Result<Reply, ReadError> {
        let allowance = self.allowance(self.limits.request);
        let alone = self.enter(allowance).await?;
        let renewals = self.renewals.get();
        let reply = self.get(&url, allowance).await?;
        if reply.status != 401 {
            return Ok(self.settle(alone, reply, purpose));
        }
        let mut trust = match alone {
            Some(guard) => guard,
            None => self.lock(allowance).await?,
        };
        let is_outdated = self.renewals.get() > renewals && !matches!(*trust, Trust::Refused(_));
        if !is_outdated && !self.may_try_again(&trust) {
            *trust = Trust::Refused(Refusal::Unauthorized);
            return Err(Refusal::Unauthorized.into());
        }
        let again = self.get(&url, self.allowance(self.limits.request)).await?;
        if again.status == 401 {
            *trust = Trust::Refused(Refusal::Unauthorized);
            return Err(Refusal::Unauthorized.into());
        }
        Ok(self.settle(Some(trust), again, purpose))
    }

    /// Takes note of whether the credentials worked: only an answer of the service itself proves them.
    fn settle(&self, alone: Option<MutexGuard<'_, Trust>>, reply: Reply, purpose: Purpose) -> Reply {
        let Some(mut trust) = alone else { return reply };
        match reply.check(&self.mask()) {
            Ok(()) => {
                *trust = Trust::Proven;
                self.met.set(true);
            }
            Err(ReadError::Refused(refusal)) if *trust == Trust::Untried && purpose.is_refused_by(&refusal) => {
                *trust = Trust::Refused(refusal);
            }
            Err(_) => {}
        }
        reply
    }

    /// Whether there is something to show after a 401: a renewed token, or a password that had worked before.
    fn may_try_again(&self, trust: &Trust) -> bool {
        match trust {
            Trust::Refused(_) => false,
            Trust::Untried => self.renew(),
            Trust::Proven => self.renew() || self.credentials.borrow().may_be_shown_again(),
        }
    }

    /// Waits for its turn while the credentials are not proven.
    async fn enter(&self, allowance: Allowance) -> Result<Option<MutexGuard<'_, Trust>>, ReadError> {
        let trust = self.lock(allowance).await?;
        match &*trust {
            Trust::Refused(refusal) => Err(refusal.clone().into()),
            Trust::Proven => Ok(None),
            Trust::Untried => Ok(Some(trust)),
        }
    }

    async fn lock(&self, allowance: Allowance) -> Result<MutexGuard<'_, Trust>, Fault> {
        timeout_at(allowance.end, self.trust.lock()).await.map_err(|_| self.timed_out(allowance))
    }

    fn renew(&self) -> bool {
        let renewed = self.credentials.borrow_mut().renew();
        if renewed {
            self.renewals.set(self.renewals.get() + 1);
            self.mask.borrow_mut().extend(self.credentials.borrow().forms());
        }
        renewed
    }

    async fn get(&self, url: &Url, allowance: Allowance) -> Result<Reply, Fault> {
        let request = self.authorized(self.reads.get(url.clone()));
        self.exchange("GET", url, request, allowance).await
    }

    async fn post(&self, payload: &Payload) -> Result<Reply, Fault> {
        let allowance = self.allowance(self.limits.submit);
        let client = self.transport.for_one_submit(allowance.length).map_err(|error| Fault::NoConnection {
            host: self.url.host(),
            reason: quote(&error.without_url().to_string()),
        })?;
        let url = self.url.jobs();
        let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(payload.body().to_owned());
        self.exchange("POST", &url, self.authorized(request), allowance).await
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match self.credentials.borrow().header() {
            Some(header) => request.header(AUTHORIZATION, header),
            None => request,
        }
    }

    async fn exchange(
        &self,
        method: &str,
        url: &Url,
        request: RequestBuilder,
        allowance: Allowance,
    ) -> Result<Reply, Fault> {
        let started = Instant::now();
        let result = async {
            let response = self.within(allowance, request.send()).await?;
            self.body(response, allowance).await
        };
        let result = result.await;
        let took = started.elapsed().as_millis();
        let path = url.path();
        self.answered.set(self.answered.get() || result.is_ok());
        (self.trace)(&match &result {
            Ok(reply) => format!("{method} {path}: HTTP {} in {took} ms", reply.status),
            Err(fault) => format!("{method} {path}: {fault}, after {took} ms"),
        });
        result
    }

    /// Reads a body to its end, or to where it is larger than any answer.
    async fn body(&self, mut response: Response, allowance: Allowance) -> Result<Reply, Fault> {
        let mut body = Vec::new();
        while let Some(bytes) = self.within(allowance, response.chunk()).await? {
            body.extend_from_slice(&bytes);
            if body.len() > LARGEST_ANSWER {
                return Err(Fault::TooLarge { status: response.status().as_u16(), limit: LARGEST_ANSWER });
            }
        }
        Ok(Reply::new(response.status().as_u16(), response.headers().clone(), body))
    }

    async fn within<T>(
        &self,
        allowance: Allowance,
        step: impl Future<Output = reqwest::Result<T>>,
    ) -> Result<T, Fault> {
        match timeout_at(allowance.end, step).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(Fault::of(&error.without_url(), &self.url.host(), allowance.length)),
            Err(_) => Err(self.timed_out(allowance)),
        }
    }

    fn timed_out(&self, allowance: Allowance) -> Fault {
        Fault::Timeout { host: self.url.host(), limit: allowance.length }
    }

    /// The length that is left for a request of at most this length.
    fn allowance(&self, most: Duration) -> Allowance {
        let now = Instant::now();
        let length = most.min(self.limits.deadline.saturating_duration_since(now));
        Allowance { length, end: now + length }
    }
}

/// Whether the body is something else than the file: EPM says in JSON why it does not give one out, and a page is no
/// log of a job.
fn is_no_file(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.trim_start().to_ascii_lowercase();
    kind.starts_with("application/json") || kind.starts_with("text/html")
}
