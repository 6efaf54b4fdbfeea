//! What goes out for one request.

use std::time::Duration;

use axum::http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, ETAG, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::envelope::Facts;
use crate::fault::Fault;
use crate::page;
use crate::range::{Share, Wish};
use crate::scenario::{HeaderText, Reply, Says};

/// What a file is served as. // epm-api.md §4.1
const FILE: &str = "application/octet-stream";

/// An answer, and what the journal will say of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) http: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderText)>,
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
    /// How many bytes of blank lines follow the body.
    pub(crate) padding: u64,
    /// How many of them were left out before these.
    pub(crate) padded: u64,
    /// After how many bytes of all that it breaks off; none where it does not.
    pub(crate) cut_after: Option<u64>,
    pub(crate) fault: Option<Fault>,
    pub(crate) delay: Duration,
    pub(crate) taken: bool,
    pub(crate) job_id: Option<u64>,
}

/// Whom a scripted answer speaks of.
#[derive(Clone, Copy)]
pub(crate) enum About<'a> {
    Service,
    /// A job, and the base of its link.
    Job(&'a Facts, &'a str),
    /// The job that a refused submit did not become.
    NoJob(&'a Facts),
}

impl About<'_> {
    fn fill(self, text: &str) -> String {
        match self {
            Self::Service => text.into(),
            Self::Job(facts, _) | Self::NoJob(facts) => facts.fill(text),
        }
    }
}

impl Answer {
    pub(crate) fn json(http: u16, value: &Value) -> Self {
        Self::new(http, "application/json", value.to_string().into_bytes())
    }

    pub(crate) fn file(bytes: Vec<u8>) -> Self {
        Self::new(200, FILE, bytes)
    }

    /// The server's own page for an error.
    pub(crate) fn error(http: u16) -> Self {
        Self::html(http, &page::error(http)).challenging()
    }

    /// What a bearer token that is not let in gets, with the reason that Oracle gives. // epm-api.md §3.5
    pub(crate) fn refused_token(why: &str) -> Self {
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{why}\"");
        let mut answer = Self::html(401, &page::error(401));
        let challenge = HeaderValue::try_from(challenge).ok().map(HeaderText::Fixed);
        answer.headers.extend(challenge.map(|challenge| (WWW_AUTHENTICATE, challenge)));
        answer
    }

    /// With the header that keeps a cache away.
    pub(crate) fn uncached(mut self) -> Self {
        self.headers.push((CACHE_CONTROL, HeaderText::Fixed(HeaderValue::from_static("no-store"))));
        self
    }

    /// Sent to where the slash is.
    pub(crate) fn moved(path: &str) -> Self {
        let mut answer = Self::error(302);
        answer.headers.extend(HeaderValue::try_from(path).ok().map(|to| (LOCATION, HeaderText::Fixed(to))));
        answer
    }

    /// A scenario's answer; `usual` is what the service says on its own.
    pub(crate) fn scripted(reply: &Reply, usual: Self, about: About<'_>) -> Self {
        let said = match &reply.says {
            Says::Usual => usual,
            Says::Envelope(changes) => match about {
                About::Service => usual,
                About::Job(facts, base) => Self::json(reply.http, &facts.envelope(changes, base)),
                About::NoJob(facts) => Self::json(reply.http, &facts.refusal(changes)),
            },
            Says::Page(page) => Self::html(reply.http, page.html()),
            Says::ErrorPage => Self::html(reply.http, &page::error(reply.http)),
            Says::Text { content_type, body } => Self::new(reply.http, content_type, about.fill(body).into_bytes()),
        };
        let Reply { fault, delay, padding, cut_after, .. } = *reply;
        // A reply that changes nothing but the way leaves a refusal one.
        let http = if reply.http == 200 { said.http } else { reply.http };
        let mut headers = said.headers;
        headers.extend(reply.headers.clone());
        Self { http, headers, padding, cut_after, fault, delay, ..said }.challenging()
    }

    /// The part of a file that is asked for, and what tells its state.
    pub(crate) fn ranged(mut self, wish: Wish<'_>) -> Self {
        if self.http != 200 || self.content_type != FILE {
            return self;
        }
        let length = self.body.len() as u64 + self.padding;
        let scripted = self.headers.iter().find(|(name, _)| *name == ETAG).and_then(|(_, value)| value.fixed());
        let tag = scripted.map_or_else(|| format!("\"{length:x}\""), ToOwned::to_owned);
        let mut told = vec![(ACCEPT_RANGES, "bytes".to_owned()), (ETAG, tag.clone())];
        match wish.share(length, &tag) {
            Share::Whole => {}
            Share::Rest(first) => {
                self.http = 206;
                self.leave_out(first);
                told.push((CONTENT_RANGE, format!("bytes {first}-{}/{length}", length - 1)));
            }
            Share::Nothing => {
                self.http = 416;
                self.leave_out(length);
                told.push((CONTENT_RANGE, format!("bytes */{length}")));
            }
        }
        self.headers.retain(|(name, _)| *name != ETAG);
        let fixed = |(name, value)| Some((name, HeaderText::Fixed(HeaderValue::try_from(value).ok()?)));
        self.headers.extend(told.into_iter().filter_map(fixed));
        self
    }

    /// Leaves so many bytes out at the beginning.
    fn leave_out(&mut self, bytes: u64) {
        let of_body = bytes.min(self.body.len() as u64);
        self.body.drain(..usize::try_from(of_body).unwrap_or(self.body.len()));
        self.padded = bytes - of_body;
        self.padding -= self.padded;
    }

    /// Names the job that was asked for.
    pub(crate) fn about(mut self, id: u64) -> Self {
        self.job_id = Some(id);
        self
    }

    /// Names the job that this answer's submit created.
    pub(crate) fn creating(mut self, id: u64) -> Self {
        self.taken = true;
        self.about(id)
    }

    /// The number that the client will read, if it reads one.
    pub(crate) fn seen(&self) -> Option<u16> {
        match self.fault {
            Some(Fault::Hang | Fault::ResetBefore | Fault::ResetAfter | Fault::HalfHead) => None,
            Some(Fault::HalfBody | Fault::Stall | Fault::Trickle | Fault::Unframed | Fault::Endless) | None => {
                Some(self.http)
            }
        }
    }

    fn html(http: u16, html: &str) -> Self {
        Self::new(http, "text/html; charset=utf-8", html.as_bytes().to_vec())
    }

    fn new(http: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            http,
            headers: Vec::new(),
            content_type: content_type.into(),
            body,
            padding: 0,
            padded: 0,
            cut_after: None,
            fault: None,
            delay: Duration::ZERO,
            taken: false,
            job_id: None,
        }
    }

    /// A 401 says how to log in.
    fn challenging(mut self) -> Self {
        let basic = HeaderValue::from_static("Basic realm=\"Oracle EPM sandbox\"");
        if self.http == 401 && !self.headers.iter().any(|(name, _)| *name == WWW_AUTHENTICATE) {
            self.headers.push((WWW_AUTHENTICATE, HeaderText::Fixed(basic)));
        }
        self
    }
}
