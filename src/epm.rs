//! EPM as we talk to it: look, upload, submit, ask, download. Every request ends by an instant that the caller names.

pub mod download;
pub mod error;
pub mod pipeline;
pub mod recording;
pub mod reply;
pub mod requests;
pub mod submission;
pub mod survey;
pub mod upload;
pub mod url;
mod wire;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use ::url::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout_at};

use crate::auth::authorizer::{Authorizer, Shown};
use crate::auth::secret::forms;
use crate::auth::{Credentials, NoToken};
use crate::foreign::{Mask, quote};
use crate::http::lanes::{Lane, Lanes};
use crate::http::{self, Allowance, Network, Transport};
use crate::job::{Answer, JobId};
use crate::payload::Payload;

use error::{Fault, ReadError, Refusal};
use recording::{Beginning, Noted, Recording};
use reply::{Asked, Reply};
use requests::Fate;
use submission::Submission;
use url::EpmUrl;

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
    transport: Rc<Transport>,
    lanes: Lanes,
    authorizer: Authorizer,
    trust: Mutex<Trust>,
    met: Cell<bool>,
    answered: Cell<bool>,
    /// Whether a submit has cost a renewal already.
    renewed: Cell<bool>,
    trace: Rc<dyn Fn(&str)>,
    count: Box<dyn Fn(Fate)>,
    recording: Option<Recording>,
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
        self == Self::Ask || !matches!(refusal, Refusal::Forbidden { .. } | Refusal::Redirect { .. } | Refusal::Proxy)
    }
}

impl Client {
    /// A client. `trace` hears one line per request, `count` what became of each, `tell` what a person must know of
    /// the credentials.
    ///
    /// # Errors
    ///
    /// TLS or HTTP that cannot be set up.
    pub fn new(
        url: EpmUrl,
        credentials: Credentials,
        network: &Network,
        limits: Limits,
        trace: Rc<dyn Fn(&str)>,
        count: impl Fn(Fate) + 'static,
        tell: impl Fn(String) + 'static,
    ) -> Result<Self, http::Error> {
        let transport = Rc::new(Transport::new(network)?);
        let lanes = Lanes::new(Rc::clone(&transport))?;
        let authorizer = Authorizer::new(credentials, Rc::clone(&transport), Rc::clone(&trace), tell);
        authorizer.hide(forms(network.proxies.passwords().iter().map(String::as_str)));
        let trust = Mutex::new(Trust::Untried);
        let (met, answered, renewed) = Default::default();
        let (count, recording) = (Box::new(count), None);
        Ok(Self { url, limits, transport, lanes, authorizer, trust, met, answered, renewed, trace, count, recording })
    }

    /// The same client, which records every exchange from now on. `tell` hears why that came to an end, if it did.
    #[must_use]
    pub fn recorded(mut self, beginning: Beginning, tell: impl Fn(String) + 'static) -> Self {
        self.recording = Some(Recording::begin(beginning, &self.url, tell));
        self
    }

    /// Tells the record what is to be submitted, before anything is said about it.
    pub fn intends(&self, payload: &Payload) {
        if let Some(recording) = &self.recording {
            recording.learn(payload, &self.mask());
        }
    }

    /// The look before a submit: whether EPM is there and lets us in. What the path says otherwise is not documented,
    /// so it decides nothing else.
    ///
    /// # Errors
    ///
    /// Only what holds a submit back: 401, a login page, 429, 5xx, or no answer.
    pub async fn look(&self, path: &str) -> Result<(), ReadError> {
        self.look_closely(path).await?.look(&self.mask())
    }

    /// The same, for whoever wants to see the answer.
    ///
    /// # Errors
    ///
    /// No answer, or a 401.
    pub async fn look_closely(&self, path: &str) -> Result<Reply, ReadError> {
        match self.read(self.url.below(path), Purpose::Look).await {
            // However much there is to read, it is an answer.
            Err(ReadError::Fault(Fault::Http(http::fault::Fault::TooLarge { status: status @ 200..300, .. }))) => {
                Ok(Reply::new(status, HeaderMap::new(), Vec::new()))
            }
            reply => reply,
        }
    }

    /// Has ready what a submit shows, so that the submit itself waits for nothing.
    ///
    /// # Errors
    ///
    /// What a submit comes to that has nothing to show; nothing was sent.
    pub async fn prepare(&self) -> Result<Shown, Submission> {
        if let Trust::Refused(refusal) = &*self.trust.lock().await {
            return Err(Submission::Denied(refusal.clone()));
        }
        self.authorizer.show(self.allowance(self.limits.request)).await.map_err(unshown)
    }

    /// Submits once, over a connection of its own.
    pub async fn submit(&self, payload: &Payload, shown: &Shown) -> Submission {
        let allowance = self.allowance(self.limits.submit);
        let submission = submission::judge(self.post(payload, shown, allowance).await, &self.mask());
        // EPM has read what was sent, so it has let us in.
        if matches!(submission, Submission::Taken(..) | Submission::Rejected(_)) {
            *self.trust.lock().await = Trust::Proven;
            self.met.set(true);
        }
        submission
    }

    /// What a 401 to a submit comes to. One renewal makes it none: EPM does not act on what it does not let in.
    pub async fn renew(&self, refused: &Shown) -> Submission {
        if self.renewed.replace(true) {
            return Submission::Denied(self.unauthorized());
        }
        match self.authorizer.renew(refused.generation, self.allowance(self.limits.request)).await {
            Ok(true) => Submission::NotTaken(Fault::Expired),
            Ok(false) => Submission::Denied(self.unauthorized()),
            Err(none) => unshown(none),
        }
    }

    /// Asks about a job.
    ///
    /// # Errors
    ///
    /// Whatever is no answer about a job.
    pub async fn ask(&self, lane: &Lane<'_>, id: JobId) -> Result<Asked, ReadError> {
        self.request(lane, Method::GET, self.url.job(id), Purpose::Ask).await?.asked(&self.mask())
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
        Ok(wire::list(&reply.body, &self.mask()).ok_or(Fault::NotJson { status: reply.status })?)
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
        self.authorizer.mask()
    }

    /// Whether a token is in flight that would be lost if the process ended now.
    pub fn is_exchanging(&self) -> bool {
        self.authorizer.is_exchanging()
    }

    /// Waits until no token is in flight any more; a minute at most.
    pub async fn settle(&self) {
        self.authorizer.settle().await;
    }

    /// A read with proof of identity, and what a 401 costs: one renewal, or one more try of what had worked.
    async fn read(&self, url: Url, purpose: Purpose) -> Result<Reply, ReadError> {
        let lane = self.lane().await.ok_or(Fault::Late)?;
        self.request(&lane, Method::GET, url, purpose).await
    }

    /// The same for a method that does no harm when it is sent twice.
    async fn request(&self, lane: &Lane<'_>, method: Method, url: Url, purpose: Purpose) -> Result<Reply, ReadError> {
        let allowance = self.allowance(self.limits.request);
        let alone = self.enter(allowance).await?;
        let shown = self.authorizer.show(allowance).await?;
        let reply = self.send(lane, &method, &url, &shown, allowance).await?;
        if reply.status != 401 || reply.is_for_another_audience() {
            return Ok(self.settled(alone, reply, purpose));
        }
        let allowance = self.allowance(self.limits.request);
        let mut trust = match alone {
            Some(guard) => guard,
            None => self.lock(allowance).await?,
        };
        if !self.may_try_again(&mut trust, shown.generation, allowance).await? {
            return Err(self.refuse(&mut trust));
        }
        let shown = self.authorizer.show(allowance).await?;
        let again = self.send(lane, &method, &url, &shown, self.allowance(self.limits.request)).await?;
        if again.status == 401 && !again.is_for_another_audience() {
            return Err(self.refuse(&mut trust));
        }
        Ok(self.settled(Some(trust), again, purpose))
    }

    fn refuse(&self, trust: &mut Trust) -> ReadError {
        let refusal = self.unauthorized();
        *trust = Trust::Refused(refusal.clone());
        refusal.into()
    }

    fn unauthorized(&self) -> Refusal {
        if self.authorizer.is_token() { Refusal::TokenRefused } else { Refusal::Unauthorized }
    }

    /// Takes note of whether the credentials worked: only an answer of the service itself proves them.
    fn settled(&self, alone: Option<MutexGuard<'_, Trust>>, reply: Reply, purpose: Purpose) -> Reply {
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

    /// Whether there is something to show after a 401: what is newer than that which was refused, or a password that had
    /// worked before.
    async fn may_try_again(&self, trust: &mut Trust, refused: u32, allowance: Allowance) -> Result<bool, ReadError> {
        if matches!(trust, Trust::Refused(_)) {
            return Ok(false);
        }
        match self.authorizer.renew(refused, allowance).await {
            Ok(true) => Ok(true),
            Ok(false) => Ok(*trust == Trust::Proven && self.authorizer.may_be_shown_again()),
            Err(none) => {
                if let NoToken::Denied(denial) = &none {
                    *trust = Trust::Refused(Refusal::NoToken(denial.clone()));
                }
                Err(none.into())
            }
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
        timeout_at(allowance.end, self.trust.lock()).await.map_err(|_| allowance.is_spent(&self.url.host()).into())
    }

    /// A lane for a question; none where none is free before the deadline. Waiting for it is not what a request may take:
    /// that others hang is no fault of this one.
    pub async fn lane(&self) -> Option<Lane<'_>> {
        self.lanes.for_question(self.limits.deadline).await
    }

    async fn send(
        &self,
        lane: &Lane<'_>,
        method: &Method,
        url: &Url,
        shown: &Shown,
        allowance: Allowance,
    ) -> Result<Reply, Fault> {
        let word = if *method == Method::DELETE { "DELETE" } else { "GET" };
        let request = lane.client.request(method.clone(), url.clone());
        self.exchange(word, url, shown.on(request), allowance, None).await
    }

    async fn post(&self, payload: &Payload, shown: &Shown, allowance: Allowance) -> Result<Reply, Fault> {
        let client = self.transport.for_one_request(allowance.length).map_err(|error| {
            http::fault::Fault::NoConnection { host: self.url.host(), reason: quote(&error.to_string()) }
        })?;
        let url = self.url.jobs();
        let request = client.post(url.clone()).header(CONTENT_TYPE, "application/json").body(payload.body().to_owned());
        self.exchange("POST", &url, shown.on(request), allowance, Some(payload)).await
    }

    /// `payload`: what is sent, for the record.
    async fn exchange(
        &self,
        method: &'static str,
        url: &Url,
        request: RequestBuilder,
        allowance: Allowance,
        payload: Option<&Payload>,
    ) -> Result<Reply, Fault> {
        let mut noted = Noted(self.recording.as_ref().map(|recording| recording.exchange(method, url)));
        noted.sends(payload, || self.mask());
        let started = Instant::now();
        let result = http::exchange(request, &self.url.host(), allowance).await;
        noted.ended(&result, || self.mask());
        let took = started.elapsed().as_millis();
        let path = url.path();
        self.answered.set(self.answered.get() || result.is_ok());
        (self.count)(Fate::of(result.as_ref().ok().map(|answer| answer.status)));
        (self.trace)(&match &result {
            Ok(answer) => format!("{method} {path}: HTTP {} in {took} ms", answer.status),
            Err(fault) => format!("{method} {path}: {fault}, after {took} ms"),
        });
        Ok(result?.into())
    }

    /// What is left for a request of at most this length.
    fn allowance(&self, most: Duration) -> Allowance {
        Allowance::until(self.limits.deadline, most)
    }
}

/// What a submit comes to that there is no token for: nothing was sent.
fn unshown(none: NoToken) -> Submission {
    match none {
        NoToken::Fault(fault) => Submission::NotTaken(fault.into()),
        NoToken::Denied(denial) => Submission::Denied(Refusal::NoToken(denial)),
    }
}

impl Shown {
    fn on(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.header {
            Some(header) => request.header(AUTHORIZATION, header),
            None => request,
        }
    }
}
