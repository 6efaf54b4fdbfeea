//! Which service is a request for, what does that answer, and what is kept of it?

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::Bytes;
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, header};
use serde_json::Value;

use crate::answer::Answer;
use crate::clock::Clock;
use crate::identity::{Ask, Identity};
use crate::journal::{Journal, Request, Upload};
use crate::login::{Entry, Login, bearer};
use crate::parcel::Parcel;
use crate::pod::{Call, Pod, Stored};
use crate::range::Wish;
use crate::replay::Replay;
use crate::route::Route;
use crate::scenario::Break;
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
    /// How each of the next uploads is broken off.
    breaks: VecDeque<Break>,
}

/// A request, as it was read.
struct Heard<'a> {
    line: &'a Line,
    parts: &'a Parts,
    body: &'a Received,
    origin: String,
}

/// The body of a request.
pub(crate) enum Received {
    Bytes(Bytes),
    File(Parcel),
}

impl Received {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::File(_) => &[],
        }
    }

    fn file(&self) -> Option<&Parcel> {
        match self {
            Self::Bytes(_) => None,
            Self::File(parcel) => Some(parcel),
        }
    }
}

/// Whether a request brings a file.
pub(crate) fn brings_file(parts: &Parts) -> bool {
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    parts.method == Method::POST && matches!(Route::of(path), Route::Contents { .. })
}

impl Heard<'_> {
    fn header(&self, name: HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    fn path(&self) -> &str {
        self.parts.uri.path_and_query().map_or("", |path| path.as_str())
    }

    fn wish(&self) -> Wish<'_> {
        Wish { range: self.header(header::RANGE), if_range: self.header(header::IF_RANGE) }
    }

    /// What the journal keeps of it, whatever it is about.
    fn record(&self, answer: &Answer) -> Request {
        Request {
            n: 0,
            at_ms: 0,
            connection: self.line.number,
            open: self.line.open(),
            method: self.parts.method.to_string(),
            path: self.path().into(),
            let_in: true,
            taken: answer.taken,
            job_id: answer.job_id,
            http: answer.seen(),
            fault: answer.fault,
            payload: Value::Null,
            upload: self.body.file().map(|parcel| Upload {
                size: parcel.size,
                sha256: parcel.sha256.clone(),
                whole: parcel.is_whole,
            }),
            user_agent: self.header(header::USER_AGENT).map(Into::into),
            range: self.header(header::RANGE).map(Into::into),
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
        Self {
            services: Mutex::new(Services { pod, identity, journal, replay: None, breaks: VecDeque::new() }),
            login,
            clock,
            scheme,
        }
    }

    /// The same, with a record that answers in place of the pod.
    pub(crate) fn replaying(self, replay: Option<Replay>) -> Self {
        self.services().replay = replay;
        self
    }

    /// The same, which breaks uploads off so.
    pub(crate) fn breaking(self, breaks: &[Break]) -> Self {
        self.services().breaks = breaks.iter().copied().collect();
        self
    }

    /// How the next upload is broken off, if it is.
    pub(crate) fn next_break(&self) -> Option<Break> {
        self.services().breaks.pop_front()
    }

    /// What lies in the inboxes.
    pub(crate) fn stored(&self) -> Vec<Stored> {
        self.services().pod.stored()
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
    pub(crate) fn decide(&self, line: &Line, parts: &Parts, body: &Received) -> io::Result<Answer> {
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
        let payload: Option<Value> = serde_json::from_slice(heard.body.bytes()).ok();
        if let Some(replay) = &mut self.replay {
            let answer = replay.answer(heard.parts.method.as_str(), heard.path(), heard.wish());
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
            parcel: heard.body.file(),
            wish: heard.wish(),
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
            body: heard.body.bytes(),
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
