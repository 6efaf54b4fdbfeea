//! What the answer to a submit means: the table of spec §5. A submit is not idempotent, and EPM has no key to tell two
//! apart by (epm-api.md §2.7), so what is not provably harmless is never sent again.

use crate::foreign::{Foreign, Mask};
use crate::http;
use crate::job::{Answer, JobId, State};

use super::Reply;
use super::error::{Fault, Refusal, words};
use super::wire;

/// What a submit brought, sorted by what may be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Submission {
    /// EPM took it: wait for this job.
    Taken(JobId, Answer),
    /// It provably did not act: it may be sent again.
    NotTaken(Fault),
    /// We are not let in.
    Denied(Refusal),
    /// EPM does not want it.
    Rejected(Rejection),
    /// It may have acted: never send it again.
    Uncertain(Doubt),
}

/// EPM's refusal of what was submitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// The HTTP code.
    pub http: u16,
    /// What EPM says of it.
    pub answer: Answer,
}

/// Why it is not known whether EPM acted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The answer was lost, is an error of the server, or is not JSON.
    #[error(transparent)]
    Fault(Fault),
    /// An answer that neither names a job nor refuses one.
    #[error("EPM answered HTTP {http} without a usable job id{}", words(said.as_ref()))]
    NoId {
        /// The code.
        http: u16,
        /// The answer itself: a person may find the job by it.
        said: Option<Foreign>,
    },
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EPM rejected it (HTTP {}", self.http)?;
        if let Some(status) = self.answer.status {
            write!(f, ", status {status}: {}", State::of(status))?;
        }
        f.write_str(")")?;
        f.write_str(&words(self.answer.facts.details.as_ref()))
    }
}

/// Judges what came back.
pub fn judge(sent: Result<Reply, Fault>, mask: &Mask) -> Submission {
    let reply = match sent {
        Ok(reply) => reply,
        Err(Fault::Http(http::fault::Fault::ProxyDenied { .. })) => return Submission::Denied(Refusal::Proxy),
        Err(fault) if fault.is_before_sending() => return Submission::NotTaken(fault),
        Err(fault) => return Submission::Uncertain(Doubt::Fault(fault)),
    };
    let answer = wire::answer(&reply.body, mask);
    let id = answer.as_ref().and_then(|answer| answer.job_id).or_else(|| wire::id_in_links(&reply.body));
    match (answer, id) {
        // Where only a link names the job, the status beside it is no verdict on it: the first poll will tell.
        (Some(answer), Some(id)) => Submission::Taken(id, answer),
        // Of two ids none can be waited for; but where a job is named, one may run.
        _ if wire::names_a_job(&reply.body) => no_id(&reply, mask),
        (answer, _) => without_id(&reply, answer, mask),
    }
}

fn no_id(reply: &Reply, mask: &Mask) -> Submission {
    Submission::Uncertain(Doubt::NoId { http: reply.status, said: reply.start(mask) })
}

fn without_id(reply: &Reply, answer: Option<Answer>, mask: &Mask) -> Submission {
    let http = reply.status;
    match http {
        401 if reply.is_for_another_audience() => Submission::Denied(Refusal::Audience),
        401 => Submission::Denied(Refusal::Unauthorized),
        403 => Submission::Denied(reply.forbidden(mask)),
        407 => Submission::Denied(Refusal::Proxy),
        301 | 302 | 307 | 308 => Submission::Denied(reply.redirect(mask)),
        429 => Submission::NotTaken(reply.unavailable(mask)),
        408 | 500..600 => Submission::Uncertain(Doubt::Fault(reply.unavailable(mask))),
        400..500 => Submission::Rejected(Rejection { http, answer: answer.unwrap_or_default() }),
        200..=299 if wire::is_login_page(&reply.body) => Submission::Denied(Refusal::LoginPage),
        200..=299 => match answer {
            Some(answer) if is_refusal(&answer) => Submission::Rejected(Rejection { http, answer }),
            Some(_) => no_id(reply, mask),
            None => Submission::Uncertain(Doubt::Fault(Fault::NotJson { status: http })),
        },
        _ => no_id(reply, mask),
    }
}

/// A finished status other than success, or details without any status, and no id: `EPMFDM-140149: Invalid Integration
/// Name` comes so, with HTTP 200 (epm-api.md §2.7).
fn is_refusal(answer: &Answer) -> bool {
    if answer.is_garbled {
        return false;
    }
    match answer.status.map(State::of) {
        Some(State::Failed | State::Cancelled | State::InvalidParameter) => true,
        Some(_) => false,
        None => answer.facts.details.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::fault::Fault as Http;
    use crate::http::verify::Problem;

    fn judged(status: u16, body: &str) -> Submission {
        judge(Ok(Reply::of(status, body)), &Mask::default())
    }

    /// The row of spec §5 that an answer falls under.
    fn row(submission: &Submission) -> &'static str {
        match submission {
            Submission::Taken(..) => "submitted",
            Submission::NotTaken(_) => "again",
            Submission::Denied(_) => "30",
            Submission::Rejected(_) => "32",
            Submission::Uncertain(_) => "24",
        }
    }

    #[test]
    fn each_answer_falls_under_its_row() {
        let login = "<html><!--loginForm--></html>";
        let table = [
            (200, r#"{"jobId":2100,"status":-1}"#, "submitted"),
            (200, r#"{"jobId":"2100","status":"-1"}"#, "submitted"),
            (202, r#"{"jobID":2100}"#, "submitted"),
            (200, r#"{"jobId":2100,"status":1,"details":"x"}"#, "submitted"),
            (500, r#"{"jobId":2100,"status":-1}"#, "submitted"),
            (200, r#"{"status":-1,"links":[{"rel":"self","href":"https://h/aif/rest/V1/jobs/7"}]}"#, "submitted"),
            (200, r#"{"jobId":0,"links":[{"rel":"self","href":"https://h/aif/rest/V1/jobs/7"}]}"#, "submitted"),
            (429, r#"{"jobId":7}"#, "submitted"),
            (429, "\u{feff}{\"links\":[{\"rel\":\"self\",\"href\":\"/aif/rest/V1/jobs/7\"}]}", "submitted"),
            (429, r#"{"jobId":7,"jobID":8}"#, "24"),
            (429, r#"{"jobId":7,"jobId":8}"#, "24"),
            (400, r#"{"jobId":7,"jobId":null}"#, "24"),
            (401, r#"{"jobId":"7","jobID":8}"#, "24"),
            (429, r#"{"jobId":0}"#, "again"),
            (429, "", "again"),
            (401, "", "30"),
            (403, r#"{"details":"no"}"#, "30"),
            (407, "", "30"),
            (301, "", "30"),
            (302, "", "30"),
            (307, "", "30"),
            (308, "", "30"),
            (200, login, "30"),
            (400, "", "32"),
            (404, login, "32"),
            (405, "", "32"),
            (415, "", "32"),
            (422, r#"{"details":"x"}"#, "32"),
            (200, r#"{"status":1,"details":"EPMFDM-140149: Invalid Integration Name: X","links":[]}"#, "32"),
            (200, r#"{"status":3}"#, "32"),
            (201, r#"{"status":"4"}"#, "32"),
            (200, r#"{"jobId":0,"status":1}"#, "32"),
            (200, r#"{"details":"x"}"#, "32"),
            (200, r#"{"status":"RUNNING","details":"started"}"#, "24"),
            (200, r#"{"status":0.0,"details":"x"}"#, "24"),
            (200, r#"{"jobId":"J-17","details":"submitted"}"#, "24"),
            (200, r#"{"jobId":"J-17","status":1}"#, "24"),
            (200, r#"{"jobId":7,"jobID":8,"status":1}"#, "24"),
            (200, r#"{"status":null,"details":"x"}"#, "32"),
            (200, r#"{"status":1,"status":-1,"details":"x"}"#, "24"),
            (200, r#"{"status":0,"details":"x"}"#, "24"),
            (200, r#"{"status":0}"#, "24"),
            (200, r#"{"status":-1}"#, "24"),
            (200, r#"{"status":2}"#, "24"),
            (200, r#"{"status":2147483647}"#, "24"),
            (200, r#"{"jobId":0,"status":-1}"#, "24"),
            (200, "{}", "24"),
            (200, "[]", "24"),
            (200, "", "24"),
            (204, "", "24"),
            (200, "{\"jobId\":21", "24"),
            (200, "<html>hello</html>", "24"),
            (303, "", "24"),
            (304, "", "24"),
            (408, "", "24"),
            (500, "", "24"),
            (502, login, "24"),
            (503, r#"{"status":1}"#, "24"),
            (504, "", "24"),
            (600, "", "24"),
        ];
        for (status, body, expected) in table {
            assert_eq!(row(&judged(status, body)), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_fault_is_sent_again_only_where_nothing_left() {
        let host = || "h".to_owned();
        let faults = [
            (Http::Unresolved { host: host() }, "again"),
            (Http::NoConnection { host: host(), reason: String::new() }, "again"),
            (Http::Certificate { host: host(), problem: Problem::SelfSigned }, "again"),
            (Http::Timeout { host: host(), limit: Duration::from_mins(5) }, "24"),
            (Http::Broken { host: host(), reason: String::new() }, "24"),
            (Http::TooLarge { status: 200, limit: 1 }, "24"),
            (Http::ProxyDenied { host: host() }, "30"),
        ];
        for (fault, expected) in faults {
            let fault = Fault::from(fault);
            assert_eq!(row(&judge(Err(fault.clone()), &Mask::default())), expected, "{fault}");
        }
    }

    #[test]
    fn a_rejection_says_what_epm_said() {
        let Submission::Rejected(rejection) = judged(200, r#"{"status":1,"details":"EPMFDM-140149: Invalid `X`"}"#)
        else {
            panic!("not rejected")
        };
        assert_eq!(rejection.to_string(), "EPM rejected it (HTTP 200, status 1: error): `EPMFDM-140149: Invalid 'X'`");
    }
}
