//! The answers to a poll and to a submit, judged anew by spec §3 and §5.

use std::collections::BTreeMap;
use std::time::Duration;

use epm_gate::epm::error::{Fault, ReadError};
use epm_gate::epm::reply::{HeaderMap, Reply};
use epm_gate::epm::submission::{Submission, judge};
use epm_gate::foreign::Foreign;
use epm_gate::job::{Answer, Facts, JobId, State};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{SECRET, is_clean, mask};

/// What a poll asks about.
const OURS: u64 = 2100;

/// An answer as it lies in the corpus: the HTTP code, a line for each header, an empty line, the body.
struct Sent {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap_or(bytes.len());
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.parse().ok()).unwrap_or(200);
        let mut headers = HeaderMap::new();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let known = ["retry-after", "date", "location"].into_iter().find(|known| name.eq_ignore_ascii_case(known));
            if let (Some(name), Ok(value)) = (known, value.trim().try_into()) {
                headers.append(name, value);
            }
        }
        Self { status, headers, body: bytes.get(end + 2..).unwrap_or_default().to_vec() }
    }

    fn reply(&self) -> Reply {
        Reply::new(self.status, self.headers.clone(), self.body.clone())
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A body as `serde_json` reads it: of a key that stands twice the last.
struct Told {
    text: String,
    value: Option<Value>,
}

impl Told {
    fn of(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body).trim_start_matches('\u{feff}').to_owned();
        let value = serde_json::from_str(&text).ok().or_else(|| key_by_key(&text));
        Self { text, value }
    }

    fn is_json(&self) -> bool {
        serde_json::from_str::<serde::de::IgnoredAny>(&self.text).is_ok()
    }

    /// What stands under a key, unless that is as good as nothing.
    fn told(&self, key: &str) -> Option<&Value> {
        let value = self.value.as_ref()?.get(key)?;
        (*value != Value::Null && *value != json!("") && *value != json!("null")).then_some(value)
    }

    fn number(&self, key: &str) -> Option<i128> {
        match self.told(key)? {
            Value::Number(number) => number.as_i128(),
            Value::String(text) => text.parse().ok().filter(|number: &i128| number.to_string() == *text),
            _ => None,
        }
    }

    fn has_garbled_id(&self) -> bool {
        let is_id = |key: &str| self.number(key).is_some_and(|id| id >= 0);
        ["jobId", "jobID"].into_iter().any(|key| self.told(key).is_some() && !is_id(key))
    }

    fn ids_in_keys(&self) -> Vec<u64> {
        ["jobId", "jobID"].iter().filter_map(|key| usable(self.number(key)?)).collect()
    }

    fn ids(&self) -> Vec<u64> {
        self.ids_in_keys().into_iter().chain(self.id_in_link()).collect()
    }

    fn id_in_link(&self) -> Option<u64> {
        let links = self.value.as_ref()?.get("links")?.as_array()?;
        let own = links.iter().find(|link| link.get("rel") == Some(&json!("self")))?;
        let path = own.get("href")?.as_str()?.split(['?', '#']).next()?.trim_end_matches('/');
        let (before, id) = path.rsplit_once('/')?;
        let is_job = before.ends_with("/aif/rest/V1/jobs") && id.bytes().all(|byte| byte.is_ascii_digit());
        usable(id.parse().ok().filter(|_| is_job)?)
    }

    /// Whether the last of each key is the only one, and nothing is spelled in an odd way.
    fn is_plain(&self) -> bool {
        let once = |word: &str| self.text.matches(word).count() <= 1;
        !self.text.contains('\\')
            && ["\"status\"", "\"job", "\"details\"", "\"links\"", "\"rel\"", "\"href\""].into_iter().all(once)
    }

    fn is_login_page(&self) -> bool {
        let page = self.text.to_ascii_lowercase();
        let asks = ["loginform", "type=\"password\"", "type='password'", "type=password"];
        page.trim_start().starts_with('<') && asks.iter().any(|mark| page.contains(mark))
    }
}

/// The same where `serde_json` does not read all of it, such as half of a surrogate pair: what it does not read is the
/// text that it is.
fn key_by_key(text: &str) -> Option<Value> {
    let keys: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let read = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_else(|_| json!(raw.get()));
    Some(keys.into_iter().map(|(key, raw)| (key, read(raw))).collect())
}

fn usable(id: i128) -> Option<u64> {
    u64::try_from(id).ok().filter(|id| *id > 0)
}

/// The answer to a poll: a verdict stands in it, or it is none.
pub(super) fn status(bytes: &[u8]) {
    let sent = Sent::read(bytes);
    let told = Told::of(&sent.body);
    let asked = sent.reply().asked(&mask());
    let row = match &asked {
        Ok(_) => "answer",
        Err(ReadError::Fault(_)) => "again",
        Err(ReadError::Refused(_)) => "refused",
        Err(ReadError::Missing { .. }) => "missing",
    };
    assert_eq!(row, row_of_read(&sent, &told));
    match &asked {
        Ok(asked) => {
            is_true(&asked.answer, &told);
            is_wish(asked.retry_after, &sent);
        }
        Err(error) => is_sentence(&error.to_string()),
    }
}

/// What becomes of a read (spec §5, below the table).
fn row_of_read(sent: &Sent, told: &Told) -> &'static str {
    match sent.status {
        200..=299 if told.is_json() => "answer",
        200..=299 if told.is_login_page() => "refused",
        403 if is_readable_wish(sent) => "again",
        300..=399 | 401 | 403 | 407 => "refused",
        408 | 429 => "again",
        400..=499 => "missing",
        _ => "again",
    }
}

fn is_readable_wish(sent: &Sent) -> bool {
    let Some(value) = sent.header("retry-after") else { return false };
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number || epm_gate::pace::retry_after(value, None, std::time::SystemTime::UNIX_EPOCH).is_some()
}

/// An answer says no more than its body.
fn is_true(answer: &Answer, told: &Told) {
    if let Some(id) = answer.job_id {
        assert!(told.ids_in_keys().contains(&id.number()), "{id} does not stand in it");
    }
    if let Some(status) = answer.status {
        assert_eq!(told.number("status"), Some(status.into()));
    }
    let ids = [JobId::new(OURS), answer.job_id];
    let is_success = ids.into_iter().flatten().any(|id| answer.state_of(id) == Some(State::Succeeded));
    let is_zero = matches!(told.told("status"), Some(status) if *status == json!(0) || *status == json!("0"));
    assert!(!is_success || is_zero && !told.ids_in_keys().is_empty(), "a false green");
    if told.is_plain() {
        says_all(answer, told);
    }
    for (keys, text) in texts(&answer.facts) {
        is_text_of(text, &keys.iter().filter_map(|key| told.told(key)).collect::<Vec<_>>(), told.is_plain());
    }
}

/// Nor any less, where the body is not odd: a wait that never hears of the end is a hang.
fn says_all(answer: &Answer, told: &Told) {
    assert_eq!(answer.job_id.map(JobId::number), told.ids_in_keys().first().copied());
    assert_eq!(answer.status, told.number("status").and_then(|number| number.try_into().ok()));
}

fn texts(facts: &Facts) -> [(&'static [&'static str], Option<&Foreign>); 9] {
    [
        (&["jobName"], facts.job_name.as_ref()),
        (&["jobStatus"], facts.job_status.as_ref()),
        (&["descriptiveStatus"], facts.descriptive_status.as_ref()),
        (&["detailedStatus"], facts.detailed_status.as_ref()),
        (&["details"], facts.details.as_ref()),
        (&["logFileName"], facts.log_file_name.as_ref()),
        (&["outputFileName", "outputFilename"], facts.output_file_name.as_ref()),
        (&["processType"], facts.process_type.as_ref()),
        (&["executedBy"], facts.executed_by.as_ref()),
    ]
}

fn is_text_of(text: Option<&Foreign>, told: &[&Value], is_plain: bool) {
    let text = text.map(Foreign::as_str);
    if let Some(text) = text {
        assert!(is_clean(text) && !text.contains(SECRET), "{text:?}");
    }
    if let ([Value::String(only)], true) = (told, is_plain)
        && only.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    {
        assert_eq!(text, Some(only.replace(SECRET, "***").as_str()));
    }
}

fn is_wish(wish: Option<Duration>, sent: &Sent) {
    let value = sent.header("retry-after").unwrap_or_default();
    if let Ok(seconds) = value.parse::<u32>() {
        assert_eq!(wish, Some(Duration::from_secs(seconds.into())).filter(|_| !value.starts_with('+')));
    }
}

/// A sentence of ours may quote EPM, and stays one line.
fn is_sentence(text: &str) {
    assert!(is_clean(text) && !text.contains(['\n', '\t']) && !text.contains(SECRET), "{text:?}");
    assert_eq!(text.matches('`').count() % 2, 0, "{text:?}");
}

/// The answer to a submit: what names a job, or might, is never sent again.
pub(super) fn submit(bytes: &[u8]) {
    let sent = Sent::read(bytes);
    let told = Told::of(&sent.body);
    let submission = judge(Ok(sent.reply()), &mask());
    let row = row(&submission);
    match row_of_submit(&sent, &told) {
        expected if told.is_plain() => assert_eq!(row, expected),
        expected => assert!(row == expected || row == "24", "{row} instead of {expected}"),
    }
    says_what_is_true(&submission, &told);
    assert!(row == "submitted" || row == "24" || told.ids().is_empty(), "{row}, and yet it names a job");
}

fn row(submission: &Submission) -> &'static str {
    match submission {
        Submission::Taken(..) => "submitted",
        Submission::NotTaken(_) => "again",
        Submission::Denied(_) => "30",
        Submission::Rejected(_) => "32",
        Submission::Uncertain(_) => "24",
    }
}

/// The table of spec §5, from its top.
fn row_of_submit(sent: &Sent, told: &Told) -> &'static str {
    let is_refusal = match told.told("status") {
        // An id that is there and cannot be read is not absent: a job may run.
        _ if told.has_garbled_id() => false,
        Some(_) => matches!(told.number("status"), Some(1 | 3 | 4)),
        None => told.told("details").is_some(),
    };
    match sent.status {
        _ if !told.ids().is_empty() => "submitted",
        429 => "again",
        401 | 403 | 407 | 301 | 302 | 307 | 308 => "30",
        200..=299 if told.is_login_page() => "30",
        408 => "24",
        400..=499 => "32",
        200..=299 if is_refusal => "32",
        _ => "24",
    }
}

fn says_what_is_true(submission: &Submission, told: &Told) {
    match submission {
        Submission::Taken(id, answer) => {
            assert!(id.number() > 0 && told.ids().contains(&id.number()), "{id} does not stand in it");
            is_true(answer, told);
        }
        Submission::NotTaken(fault) => {
            assert!(matches!(fault, Fault::Unavailable { status: 429, .. }), "{fault:?}");
            is_sentence(&fault.to_string());
        }
        Submission::Denied(refusal) => is_sentence(&refusal.to_string()),
        Submission::Rejected(rejection) => is_sentence(&rejection.to_string()),
        Submission::Uncertain(doubt) => is_sentence(&doubt.to_string()),
    }
}
