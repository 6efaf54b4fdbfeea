//! An answer of EPM as it came, and what each kind of question makes of it. No socket here.

use std::time::{Duration, SystemTime};

pub use reqwest::header::HeaderMap;
use reqwest::header::{DATE, HeaderName, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::foreign::{Foreign, Mask};
use crate::http::{self, Peer};
use crate::job::Answer;
use crate::pace;

use super::error::{Fault, ReadError, Refusal};
use super::wire;

/// What asking about a job brought: its answer, and how long EPM asks to stay away.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What EPM says of the job.
    pub answer: Answer,
    /// From the header `Retry-After`.
    pub retry_after: Option<Duration>,
}

/// An answer as it came, its body read to the end.
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) peer: Option<Peer>,
}

impl Reply {
    /// An answer by its parts, wherever they come from.
    pub fn new(status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        Self { status, headers, body, peer: None }
    }

    /// Its HTTP code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether a token is refused that no other one of its client would fare better than (epm-api.md §3.5).
    pub(super) fn is_for_another_audience(&self) -> bool {
        self.status == 401 && self.text(&WWW_AUTHENTICATE).is_some_and(|challenge| challenge.contains("Token Audience"))
    }

    #[cfg(test)]
    pub(crate) fn of(status: u16, body: &str) -> Self {
        Self::new(status, HeaderMap::new(), body.into())
    }

    #[cfg(test)]
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.insert(name, value.parse().expect("a header's value"));
        self
    }

    fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the clock says of whoever answered.
    pub fn date(&self) -> Option<SystemTime> {
        httpdate::parse_http_date(self.text(&DATE)?.trim()).ok()
    }

    /// Who has shown a certificate; nobody where there was no TLS.
    pub fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        pace::retry_after(self.text(&RETRY_AFTER)?, self.text(&DATE), SystemTime::now())
    }

    pub(super) fn unavailable(&self, mask: &Mask) -> Fault {
        Fault::Unavailable { status: self.status, retry_after: self.retry_after(), said: self.said(mask) }
    }

    pub(super) fn redirect(&self, mask: &Mask) -> Refusal {
        Refusal::Redirect { status: self.status, location: self.text(&LOCATION).map(|place| mask.foreign(place)) }
    }

    pub(super) fn forbidden(&self, mask: &Mask) -> Refusal {
        Refusal::Forbidden { said: self.said(mask) }
    }

    /// What EPM says beside an error.
    fn said(&self, mask: &Mask) -> Option<Foreign> {
        wire::answer(&self.body, mask)?.facts.details
    }

    /// How its body begins, where it has one.
    pub(super) fn start(&self, mask: &Mask) -> Option<Foreign> {
        let text = mask.foreign(&String::from_utf8_lossy(&self.body));
        Some(text).filter(|text| !text.first_line().is_empty())
    }

    /// What any read may meet before its body is looked at.
    ///
    /// # Errors
    ///
    /// Whatever is no 2xx, and a login page.
    pub fn check(&self, mask: &Mask) -> Result<(), ReadError> {
        let status = self.status;
        match status {
            200..300 if wire::is_login_page(&self.body) => Err(Refusal::LoginPage.into()),
            200..300 => Ok(()),
            300..400 => Err(self.redirect(mask).into()),
            401 if self.is_for_another_audience() => Err(Refusal::Audience.into()),
            401 => Err(Refusal::Unauthorized.into()),
            // A limit of requests is told by some gateways so; what it asks for is to come back (lessons.md C2).
            403 if self.retry_after().is_some() => Err(self.unavailable(mask).into()),
            403 => Err(self.forbidden(mask).into()),
            407 => Err(Refusal::Proxy.into()),
            408 | 429 => Err(self.unavailable(mask).into()),
            400..500 => Err(ReadError::Missing { status, said: self.said(mask) }),
            _ => Err(self.unavailable(mask).into()),
        }
    }

    /// What the look before a submit makes of it: only what holds a submit back counts.
    ///
    /// # Errors
    ///
    /// 401, a login page, 429 and 5xx.
    pub fn look(&self, mask: &Mask) -> Result<(), ReadError> {
        match self.check(mask) {
            Err(error @ ReadError::Refused(Refusal::Unauthorized | Refusal::Audience | Refusal::LoginPage)) => {
                Err(error)
            }
            Err(error @ ReadError::Fault(_)) if matches!(self.status, 429 | 500..) => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether it is in the shape of Data Integration, whatever it says.
    pub fn is_of_data_integration(&self) -> bool {
        wire::is_of_data_integration(&self.body, self.status)
    }

    /// What it says of a job that was asked about.
    ///
    /// # Errors
    ///
    /// Whatever is no answer about a job.
    pub fn asked(&self, mask: &Mask) -> Result<Asked, ReadError> {
        self.check(mask)?;
        let answer = wire::answer(&self.body, mask).ok_or(Fault::NotJson { status: self.status })?;
        Ok(Asked { answer, retry_after: self.retry_after() })
    }
}

impl From<http::Answer> for Reply {
    fn from(answer: http::Answer) -> Self {
        Self { peer: answer.peer, ..Self::new(answer.status, answer.headers, answer.body) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{"jobId":7,"status":-1}"#;
    const AUDIENCE: &str = r#"Bearer error="invalid_token", error_description="Token Audience""#;
    const LOGIN: &str = "<html><!--loginForm--></html>";

    fn kind<T>(result: &Result<T, ReadError>) -> &'static str {
        match result {
            Ok(_) => "answer",
            Err(ReadError::Fault(_)) => "again",
            Err(ReadError::Refused(_)) => "refused",
            Err(ReadError::Missing { .. }) => "missing",
        }
    }

    #[test]
    fn each_answer_to_a_read_has_its_meaning() {
        let later = |reply: Reply| reply.with(RETRY_AFTER, "60");
        let table = [
            (Reply::of(200, ANSWER), "answer", "answer"),
            (Reply::of(200, "{}"), "answer", "answer"),
            (Reply::of(200, "<html>hello</html>"), "again", "answer"),
            (Reply::of(204, ""), "again", "answer"),
            (Reply::of(200, LOGIN), "refused", "refused"),
            (Reply::of(301, ANSWER), "refused", "answer"),
            (Reply::of(304, ""), "refused", "answer"),
            (Reply::of(400, ANSWER), "missing", "answer"),
            (Reply::of(401, ANSWER), "refused", "refused"),
            (Reply::of(401, "").with(WWW_AUTHENTICATE, AUDIENCE), "refused", "refused"),
            (Reply::of(403, ANSWER), "refused", "answer"),
            (later(Reply::of(403, ANSWER)), "again", "answer"),
            (Reply::of(404, LOGIN), "missing", "answer"),
            (Reply::of(407, ""), "refused", "answer"),
            (Reply::of(408, ""), "again", "answer"),
            (later(Reply::of(429, "")), "again", "again"),
            (Reply::of(500, ANSWER), "again", "again"),
            (Reply::of(503, LOGIN), "again", "again"),
            (Reply::of(600, ANSWER), "again", "again"),
        ];
        for (reply, asked, look) in table {
            let mask = Mask::default();
            assert_eq!(kind(&reply.asked(&mask)), asked, "{} asked", reply.status);
            assert_eq!(kind(&reply.look(&mask)), look, "{} at the look", reply.status);
        }
    }

    #[test]
    fn a_wish_to_stay_away_is_heard_with_every_answer() {
        let wish = |reply: Reply| reply.with(RETRY_AFTER, "60").asked(&Mask::default());
        assert_eq!(wish(Reply::of(200, ANSWER)).unwrap().retry_after, Some(Duration::from_mins(1)));
        for status in [403, 408, 429, 503] {
            let Err(ReadError::Fault(fault)) = wish(Reply::of(status, "")) else { panic!("{status} is no fault") };
            assert_eq!(fault.retry_after(), Some(Duration::from_mins(1)), "{status}");
        }
    }
}
