//! A file on its way to the inbox of Data Integration, streamed from disk; and what lies there under its name.
//!
//! What EPM answers is documented by Oracle's pages `upload.html` and `delete_files.html` (epm-api.md §4.2, §4.3), but for
//! the body of an upload's answer: its shape is that of the other file services, and where a status of -1 is asked about
//! is taken from a link as a public client does, whose path alone is used.

mod feed;

use ::url::Url;
use percent_encoding::utf8_percent_encode;
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tokio::time::Instant;

use crate::auth::NoToken;
use crate::auth::authorizer::Shown;
use crate::digest::{Digest, Measured};
use crate::foreign::{Foreign, Mask, quote};
use crate::http;
use crate::inbox::{Parcel, Remote};

use super::download::{self, Part, Piece};
use super::error::{Fault, ReadError, Refusal, words};
use super::recording::Noted;
use super::reply::Reply;
use super::requests::Fate;
use super::submission::Submission;
use super::url::SEGMENT;
use super::{Client, Purpose, Trust, wire};
use feed::Feed;
pub use feed::Progress;

/// What sending a file came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Upload {
    /// EPM has it.
    Done,
    /// EPM is not done with it: the path of where to ask, where that is told.
    InProgress(Option<String>),
    /// A file of that name is there.
    Exists(Refused),
    /// EPM does not take it.
    Refused(Refused),
    /// We are not let in.
    Denied(Refusal),
    /// No answer that decides anything came.
    Lost(Fault),
    /// The file on this machine is not what it was.
    Changed,
    /// The file on this machine cannot be read any more; why.
    Unreadable(String),
}

/// EPM's refusal of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP code.
    pub http: u16,
    /// The status beside it.
    pub status: Option<i64>,
    /// What EPM says of it.
    pub said: Option<Foreign>,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "(HTTP {}", self.http)?;
        if let Some(status) = self.status {
            write!(f, ", status {status}")?;
        }
        write!(f, "){}", words(self.said.as_ref()))
    }
}

impl Refused {
    /// Whether it is refused for want of such a file.
    fn is_of_none(&self) -> bool {
        let text = self.said.as_ref().map(|said| said.as_str().to_lowercase()).unwrap_or_default();
        self.http == 404 || NONE.iter().any(|words| text.contains(words))
    }
}

/// EPM's refusal of a file whose name is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What it says of the upload.
    pub refused: Refused,
    /// What it says of deleting the other one, where that was tried.
    pub kept: Option<Refused>,
}

impl std::fmt::Display for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.kept {
            Some(kept) => write!(f, "EPM does not delete it {kept}"),
            None => write!(f, "EPM does not overwrite it {}", self.refused),
        }
    }
}

impl Taken {
    fn help(&self) -> &'static str {
        match &self.kept {
            Some(kept) if kept.http == 403 => {
                "give it a name of its own with `--upload LOCAL=inbox/NAME`, or see that the user may delete files: it \
                 takes the role `Service Administrator` or `Migrations - Administer`"
            }
            Some(_) => {
                "wait until the job that uses it has ended and run again, or give it a name of its own with `--upload \
                 LOCAL=inbox/NAME`"
            }
            None => {
                "give it a name of its own with `--upload LOCAL=inbox/NAME`, or replace what is there with `--overwrite`"
            }
        }
    }
}

/// Why a file does not lie in the inbox, or not for certain.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// No answer came, for as long as it was worth asking.
    #[error("{0}")]
    Lost(Fault),
    /// EPM was not done with it by then.
    #[error("EPM was still busy with it (status -1) when time ran out")]
    Busy,
    /// We are not let in.
    #[error("{0}")]
    Denied(Refusal),
    /// A file of that name is there.
    #[error("a file of that name is there already, and {0}")]
    Exists(Taken),
    /// An upload whose answer was lost finds something else there.
    #[error("the answer was lost, and what lies there now is not that file: perhaps a part of it")]
    Other,
    /// EPM does not take it.
    #[error("EPM refused it {0}")]
    Refused(Refused),
    /// The file on this machine is not what it was.
    #[error("the file was changed since this run began")]
    Changed,
    /// The file on this machine cannot be read any more.
    #[error("the file cannot be read any more: {}", quote(.0))]
    Unreadable(String),
}

impl Failure {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Lost(fault) => fault.help(),
            Self::Busy => "try again with a longer `--timeout`",
            Self::Denied(refusal) => refusal.help(),
            Self::Exists(taken) => taken.help(),
            Self::Other => "look at the file in EPM, then replace it with `--overwrite`",
            Self::Refused(_) => {
                "check the name of the file and its folder, and that the user has the role `Service Administrator` or \
                 `Migrations - Administer`"
            }
            Self::Changed => "write the file to its end before the gate begins, and try again",
            Self::Unreadable(_) => "see that the file stays where it is until the gate has ended",
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Fault(fault) => Self::Lost(fault),
            ReadError::Refused(refusal) => Self::Denied(refusal),
            ReadError::Missing { status, said } => Self::Refused(Refused { http: status, status: None, said }),
        }
    }
}

/// How EPM refuses what would overwrite a file, in any case (epm-api.md §4.2). The status beside it is not documented.
const EXISTS: [&str; 3] = ["already exists", "file or folder exists", "file exists"];

/// How EPM may say that there is no such file to delete. None of it is documented.
const NONE: [&str; 4] = ["no such", "not found", "not exist", "doesn't exist"];

/// What an answer to an upload means.
fn judge(reply: &Reply, mask: &Mask) -> Upload {
    let answer = wire::answer(&reply.body, mask).unwrap_or_default();
    let said = answer.facts.details.clone();
    let refused = || Refused { http: reply.status, status: answer.status, said: said.clone() };
    let text = said.as_ref().map(|said| said.as_str().to_lowercase()).unwrap_or_default();
    let is_success = (200..300).contains(&reply.status) && answer.status == Some(0);
    if !is_success && !matches!(reply.status, 401 | 403) && EXISTS.iter().any(|words| text.contains(words)) {
        return Upload::Exists(refused());
    }
    match reply.check(mask) {
        Err(ReadError::Fault(fault)) => return Upload::Lost(fault),
        Err(ReadError::Refused(refusal)) => return Upload::Denied(refusal),
        Err(ReadError::Missing { .. }) => return Upload::Refused(refused()),
        Ok(()) => {}
    }
    match answer.status {
        Some(0) => Upload::Done,
        Some(-1) => Upload::InProgress(wire::status_link(&reply.body)),
        None if answer.is_garbled || said.is_none() => Upload::Lost(Fault::NotJson { status: reply.status }),
        _ => Upload::Refused(refused()),
    }
}

impl Client {
    /// Sends a file, once, over a connection of its own. There is no limit on the whole, but one on each stretch without
    /// progress: `progress` hears of each piece.
    pub async fn upload(&self, parcel: &Parcel, progress: &Progress) -> Upload {
        let shown = match self.prepare().await {
            Ok(shown) => shown,
            Err(Submission::NotTaken(fault)) => return Upload::Lost(fault),
            Err(Submission::Denied(refusal)) => return Upload::Denied(refusal),
            Err(_) => return Upload::Denied(self.unauthorized()),
        };
        let sent = self.send_file(parcel, &shown, progress).await;
        let sent = if sent == Upload::Denied(Refusal::Unauthorized) {
            self.send_again(parcel, &shown, progress).await
        } else {
            sent
        };
        if matches!(sent, Upload::Done | Upload::InProgress(_) | Upload::Exists(_) | Upload::Refused(_)) {
            *self.trust.lock().await = Trust::Proven;
            self.met.set(true);
        }
        sent
    }

    /// What a 401 costs: one renewal.
    async fn send_again(&self, parcel: &Parcel, refused: &Shown, progress: &Progress) -> Upload {
        let denied = || Upload::Denied(self.unauthorized());
        match self.authorizer.renew(refused.generation, self.allowance(self.limits.request)).await {
            Ok(true) => {}
            Ok(false) => return denied(),
            Err(NoToken::Fault(fault)) => return Upload::Lost(fault.into()),
            Err(NoToken::Denied(denial)) => return Upload::Denied(Refusal::NoToken(denial)),
        }
        let shown = match self.authorizer.show(self.allowance(self.limits.request)).await {
            Ok(shown) => shown,
            Err(NoToken::Fault(fault)) => return Upload::Lost(fault.into()),
            Err(NoToken::Denied(denial)) => return Upload::Denied(Refusal::NoToken(denial)),
        };
        match self.send_file(parcel, &shown, progress).await {
            Upload::Denied(Refusal::Unauthorized) => denied(),
            sent => sent,
        }
    }

    async fn send_file(&self, parcel: &Parcel, shown: &Shown, progress: &Progress) -> Upload {
        let (host, url) = (self.url.host(), self.url.upload(&parcel.remote));
        let client = match self.transport.for_one_request(self.allowance(self.limits.request).length) {
            Ok(client) => client,
            Err(error) => {
                let reason = quote(&error.to_string());
                return Upload::Lost(http::fault::Fault::NoConnection { host, reason }.into());
            }
        };
        let mut noted = Noted(self.recording.as_ref().map(|recording| recording.exchange("POST", &url)));
        let (feed, body) = Feed::open(parcel, progress.clone(), noted.taps());
        // The length would not be told of an empty file.
        let request = client.post(url.clone()).header(CONTENT_LENGTH, parcel.measured.bytes);
        let request = shown.on(request.header(CONTENT_TYPE, "application/octet-stream").body(body));
        // Once it is out as a whole, EPM may take its time to store it.
        let allowance = || {
            let is_out = progress.sent() >= parcel.measured.bytes;
            self.allowance(if is_out { self.limits.submit } else { self.limits.request })
        };
        let started = Instant::now();
        let answer = match http::send(request, &host, || progress.moved(), allowance).await {
            Ok(response) => http::read(response, &host, self.allowance(self.limits.request)).await,
            Err(fault) => Err(fault),
        };
        noted.ended(&answer, || self.mask());
        self.answered.set(self.answered.get() || answer.is_ok());
        (self.count)(Fate::of(answer.as_ref().ok().map(|answer| answer.status)));
        let took = started.elapsed().as_millis();
        (self.trace)(&match &answer {
            Ok(answer) => {
                format!("POST of the file {}: HTTP {} in {took} ms", quote(parcel.remote.as_str()), answer.status)
            }
            Err(fault) => format!("POST of the file {}: {fault}, after {took} ms", quote(parcel.remote.as_str())),
        });
        match (feed.fault(), answer) {
            // What EPM says of a file that was not sent to its end is no verdict on it.
            (Some(feed::Fault::Changed), _) => Upload::Changed,
            (Some(feed::Fault::Unreadable(why)), _) => Upload::Unreadable(why),
            (None, Ok(answer)) => judge(&answer.into(), &self.mask()),
            (None, Err(http::fault::Fault::ProxyDenied { .. })) => Upload::Denied(Refusal::Proxy),
            (None, Err(fault)) => Upload::Lost(fault.into()),
        }
    }

    /// What lies in the inbox under a name, read to its end; none where EPM says that nothing does.
    ///
    /// # Errors
    ///
    /// No answer, or none that lets us in.
    pub async fn measure(&self, remote: &Remote) -> Result<Option<Measured>, ReadError> {
        // Oracle's page gives `%2F` for a download, its table `%5C` (epm-api.md §4.1).
        for separator in ["/", "\\"] {
            let (mut digest, mut part) = (Digest::default(), Part::default());
            let name = encoded(remote, separator);
            let mut take = async |piece: Piece<'_>| {
                match piece {
                    Piece::Start => digest = Digest::default(),
                    Piece::Bytes(bytes) => digest.push(bytes),
                }
                true
            };
            match self.download(&name, &mut part, self.limits.deadline, &mut take).await {
                Ok(()) => return Ok(Some(digest.finish())),
                Err(
                    download::Error::Refused(_)
                    | download::Error::NotTaken
                    | download::Error::Read(ReadError::Missing { .. }),
                ) => {}
                Err(download::Error::Read(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Deletes what lies in the inbox under a name, or tells why EPM does not: that nothing lies there may be the reason,
    /// which shows in the upload that follows.
    ///
    /// # Errors
    ///
    /// No answer, or none that lets us in; but whoever may bring files may not be let delete them.
    pub async fn delete(&self, remote: &Remote) -> Result<Result<(), Refused>, ReadError> {
        let mut kept: Option<Refused> = None;
        // Oracle's page gives `%5C` for this one.
        for separator in ["\\", "/"] {
            let url = self.url.stored(&encoded(remote, separator));
            let lane = self.lane().await.ok_or(Fault::Late)?;
            let reply = self.request(&lane, Method::DELETE, url, Purpose::Ask).await?;
            let http = reply.status;
            let refused = match reply.check(&self.mask()) {
                Ok(()) if http == 204 => return Ok(Ok(())),
                Ok(()) => {
                    let answer = reply.asked(&self.mask())?.answer;
                    if answer.status == Some(0) {
                        return Ok(Ok(()));
                    }
                    Refused { http, status: answer.status, said: answer.facts.details }
                }
                Err(ReadError::Missing { said, .. } | ReadError::Refused(Refusal::Forbidden { said })) => {
                    Refused { http, status: None, said }
                }
                Err(error) => return Err(error),
            };
            // One of the two spellings is that of no file.
            kept = kept.filter(|kept| !kept.is_of_none()).or(Some(refused));
        }
        Ok(kept.map_or(Ok(()), Err))
    }

    /// Asks whether EPM is done with a file, where it has told us to. None while it is not.
    ///
    /// # Errors
    ///
    /// No answer, none that lets us in, or a place that is not there.
    pub async fn ask_upload(&self, path: &str) -> Result<Option<Result<(), Refused>>, ReadError> {
        let Some(url) = self.status_url(path) else { return Err(ReadError::Missing { status: 404, said: None }) };
        let reply = self.read(url, Purpose::Ask).await?;
        let http = reply.status;
        let answer = reply.asked(&self.mask())?.answer;
        Ok(match answer.status {
            Some(0) => Some(Ok(())),
            Some(-1) | None => None,
            status => Some(Err(Refused { http, status, said: answer.facts.details })),
        })
    }

    /// Only what stays below the service's own path.
    fn status_url(&self, path: &str) -> Option<Url> {
        let url = self.url.below(path);
        url.path().starts_with(self.url.below("/interop/rest/").path()).then_some(url)
    }
}

/// The path of a file as one segment.
fn encoded(remote: &Remote, separator: &str) -> String {
    utf8_percent_encode(&remote.as_str().replace('/', separator), SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an answer comes to, in a word.
    fn kind(status: u16, body: &str) -> &'static str {
        match judge(&Reply::of(status, body), &Mask::default()) {
            Upload::Done => "done",
            Upload::InProgress(Some(_)) => "asked about",
            Upload::InProgress(None) => "read back",
            Upload::Exists(_) => "exists",
            Upload::Refused(_) => "refused",
            Upload::Denied(_) => "denied",
            Upload::Lost(_) => "again",
            Upload::Changed | Upload::Unreadable(_) => "local",
        }
    }

    #[test]
    fn each_answer_to_an_upload_has_its_meaning() {
        let link = r#"{"status":-1,"links":[{"rel":"Job Status","href":"https://x.example/gw/interop/rest/v1/a/7"}]}"#;
        for (status, body, expected) in [
            (200, r#"{"status":0,"details":null}"#, "done"),
            (200, r#"{"status":"0"}"#, "done"),
            (201, r#"{"status":0}"#, "done"),
            (200, r#"{"status":-1}"#, "read back"),
            (200, link, "asked about"),
            (200, r#"{"status":8,"details":"EPMCSS: File or folder EXISTS"}"#, "exists"),
            (200, r#"{"status":8,"details":"x.csv already exists"}"#, "exists"),
            (200, r#"{"details":"file exists"}"#, "exists"),
            (400, r#"{"status":8,"details":"x.csv already exists"}"#, "exists"),
            (500, r#"{"status":8,"details":"x.csv already exists"}"#, "exists"),
            (200, r#"{"status":8,"details":"no space"}"#, "refused"),
            (200, r#"{"status":8}"#, "refused"),
            (200, r#"{"details":"no space"}"#, "refused"),
            (413, "<html>too large</html>", "refused"),
            (404, "", "refused"),
            (200, "{}", "again"),
            (200, r#"{"status":0.0}"#, "again"),
            (200, "OK", "again"),
            (200, "", "again"),
            (204, "", "again"),
            (200, "<html>hello</html>", "again"),
            (200, "<html><!--loginForm--></html>", "denied"),
            (302, "", "denied"),
            (401, "", "denied"),
            (403, r#"{"status":1,"details":"it already exists"}"#, "denied"),
            (407, "", "denied"),
            (408, "", "again"),
            (429, "", "again"),
            (500, r#"{"status":0}"#, "again"),
            (503, "", "again"),
        ] {
            assert_eq!(kind(status, body), expected, "{status} {body}");
        }
    }
}
