//! Which service is a request for, what does that answer, and what is kept of it?

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use serde_json::Value;

use crate::answer::Answer;
use crate::clock::Clock;
use crate::identity::{Ask, Identity};
use crate::journal::{Journal, Request};
use crate::login::{Entry, Login, bearer};
use crate::pod::{Call, Pod};
use crate::replay::Replay;
use crate::route::Route;
use crate::wire::Line;

/// What all requests share.
pub(crate) struct Desk {
    services: Mutex<Services>,
    login: Login,
    pub(crate) clock: Clock,
    /// How the sandbox's own address begins: `http` or `https`.
    scheme: &'static str,
}

/// What requests change.
struct Services {
    pod: Pod,
    identity: Identity,
    journal: Journal,
    /// Answers in place of the pod.
    replay: Option<Replay>,
}

/// A request, as it was read.
struct Heard<'a> {
    line: &'a Line,
    parts: &'a Parts,
    body: &'a [u8],
    origin: String,
}

impl Heard<'_> {
    fn header(&self, name: HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    fn path(&self) -> &str {
        self.parts.uri.path_and_query().map_or("", |path| path.as_str())
    }

    /// What the journal keeps of it, whatever it is about.
    fn record(&self, answer: &Answer) -> Request {
        Request {
            n: 0,
            connection: self.line.number,
            method: self.parts.method.to_string(),
            path: self.path().into(),
            let_in: true,
            taken: answer.taken,
            job_id: answer.job_id,
            http: answer.seen(),
            fault: answer.fault,
            payload: Value::Null,
            user_agent: self.header(header::USER_AGENT).map(Into::into),
            grant: None,
            client: None,
        }
    }
}

impl Desk {
    pub(crate) fn new(
        pod: Pod,
        identity: Identity,
        journal: Journal,
        login: Login,
        clock: Clock,
        scheme: &'static str,
    ) -> Self {
        Self { services: Mutex::new(Services { pod, identity, journal, replay: None }), login, clock, scheme }
    }

    /// The same, with a record that answers in place of the pod.
    pub(crate) fn replaying(self, replay: Option<Replay>) -> Self {
        self.services().replay = replay;
        self
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.services().journal.requests().to_vec()
    }

    /// How many refresh tokens were exchanged, and which one is good now.
    pub(crate) fn refreshed(&self) -> (usize, String) {
        let services = self.services();
        (services.identity.exchanges(), services.identity.refresh_token().into())
    }

    pub(crate) fn access_token(&self) -> String {
        self.services().identity.access_token(Instant::now())
    }

    fn services(&self) -> MutexGuard<'_, Services> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides and records in one step, so that the journal's order is that of the decisions.
    pub(crate) fn decide(&self, line: &Line, parts: &Parts, body: &[u8]) -> io::Result<Answer> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let heard = Heard { line, parts, body, origin: format!("{}://{}", self.scheme, host.unwrap_or("localhost")) };
        let mut services = self.services();
        let (answer, request) = match Route::of(heard.path()) {
            route @ (Route::Token | Route::Device) => services.identified(&heard, &route, self.clock),
            _ => services.served(&heard, &self.login),
        };
        services.journal.add(request)?;
        Ok(answer)
    }
}

impl Services {
    /// Asks the pod, or the record of one, which lets everyone in.
    fn served(&mut self, heard: &Heard<'_>, login: &Login) -> (Answer, Request) {
        let now = Instant::now();
        let payload: Option<Value> = serde_json::from_slice(heard.body).ok();
        if let Some(replay) = &mut self.replay {
            let answer = replay.answer(heard.parts.method.as_str(), heard.path());
            let request = heard.record(&answer);
            return (answer, Request { payload: payload.unwrap_or_default(), ..request });
        }
        let authorization = heard.header(header::AUTHORIZATION);
        let entry = match authorization.and_then(bearer) {
            Some(token) => self.identity.entry(token, now),
            None => login.entry(authorization),
        };
        let call = Call {
            method: heard.parts.method.as_str(),
            path: heard.path(),
            origin: &heard.origin,
            entry,
            content_type: heard.header(header::CONTENT_TYPE).unwrap_or_default(),
            payload: payload.as_ref(),
        };
        let answer = self.pod.answer(&call, now);
        let let_in = entry == Entry::LetIn;
        let request = heard.record(&answer);
        (answer, Request { let_in, payload: payload.unwrap_or_default(), ..request })
    }

    /// Asks the identity service. Nothing of the form but grant and client is kept, nor is a query, where a token
    /// might have gone by mistake.
    fn identified(&mut self, heard: &Heard<'_>, route: &Route<'_>, clock: Clock) -> (Answer, Request) {
        let path = heard.parts.uri.path();
        let ask = Ask {
            method: heard.parts.method.as_str(),
            url: &format!("{}{path}", heard.origin),
            authorization: heard.header(header::AUTHORIZATION),
            content_type: heard.header(header::CONTENT_TYPE).unwrap_or_default(),
            body: heard.body,
            now: Instant::now(),
            clock: clock.now(),
        };
        let answered = match route {
            Route::Device => self.identity.device(&ask),
            _ => self.identity.token(&ask),
        };
        let request = Request {
            path: path.into(),
            let_in: answered.let_in,
            grant: answered.grant,
            client: answered.client,
            ..heard.record(&answered.answer)
        };
        (answered.answer, request)
    }
}
