//! Oracle's shapes and words, read leniently: what cannot be read decides nothing.
//!
//! Numbers come as numbers or as decimal strings, absent texts as `null`, `"null"`, `""` or not at all, and `jobId` is
//! also spelled `jobID` (epm-api.md §1.4, §3.1).

pub(crate) mod pipeline;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::foreign::{Foreign, Mask, cut};
use crate::job::{Answer, Facts, JobId};
use crate::json::Object;

/// The keys of an answer. Each value is read by itself, and of two statuses neither decides.
#[derive(Deserialize)]
struct Keys(Object);

const JOB_ID: [&str; 2] = ["jobId", "jobID"];
const STATUS: [&str; 1] = ["status"];

impl Keys {
    /// The values under any of these names that say something.
    fn values<'a>(&'a self, names: &'a [&str]) -> impl DoubleEndedIterator<Item = &'a str> {
        let fitting = self.0.pairs().filter(|(key, _)| names.contains(key));
        fitting.map(|(_, value)| value).filter(|value| !is_absent(value))
    }

    fn under<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.pairs().filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The number that all of these names agree on. A name that says nothing is passed over; one that says something and
    /// nothing does not agree with itself.
    fn agreed(&self, names: &[&str]) -> Option<i128> {
        let mut told = names.iter().filter(|name| self.has(&[**name])).flat_map(|name| self.under(name)).map(decimal);
        let first = told.next()??;
        told.all(|other| other == Some(first)).then_some(first)
    }

    /// Whether something stands under any of these names.
    fn has(&self, names: &[&str]) -> bool {
        self.values(names).next().is_some()
    }

    /// A text; what is none is shown as the JSON that it is.
    fn text(&self, names: &[&str], mask: &Mask) -> Option<Foreign> {
        let value = self.values(names).next_back()?;
        Some(mask.foreign(&string(value).unwrap_or_else(|| value.to_owned())))
    }

    /// The name of a file, which is a text or nothing.
    fn name(&self, names: &[&str], mask: &Mask) -> Option<Foreign> {
        Some(mask.foreign(&string(self.values(names).next_back()?)?))
    }
}

fn is_absent(value: &str) -> bool {
    matches!(value, "null" | "\"null\"" | "\"\"")
}

/// The text of a JSON string. Java cuts texts between the halves of a pair; such a half is no text to serde.
pub(super) fn string(value: &str) -> Option<String> {
    if !value.starts_with('"') {
        return None;
    }
    serde_json::from_str(value).ok().or_else(|| serde_json::from_str(&without_halves(value)).ok())
}

/// A JSON string in which every escaped half of a surrogate pair is a replacement character.
fn without_halves(value: &str) -> String {
    let mut rest = value;
    let mut whole = String::with_capacity(value.len());
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        whole.push_str(before);
        let digits = escape.get(2..6).filter(|_| escape.starts_with("\\u"));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        // An escape is as long as its kind, so that the second backslash of two begins no other one.
        let (text, length) = match code {
            Some(0xd800..=0xdfff) => ("\\ufffd", 6),
            Some(_) => (&escape[..6], 6),
            None => (escape.get(..2).unwrap_or(escape), 2.min(escape.len())),
        };
        whole.push_str(text);
        rest = escape.get(length..).unwrap_or_default();
    }
    whole + rest
}

/// A body as text: a byte that is no UTF-8 in one of its texts must not hide the numbers beside it.
pub(super) fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim_start_matches('\u{feff}').to_owned()
}

/// Reads a body as an answer about a job. None where it is not JSON at all; JSON of another shape is an answer that
/// says nothing.
pub(crate) fn answer(body: &[u8], mask: &Mask) -> Option<Answer> {
    let text = text(body);
    let Ok(keys) = serde_json::from_str::<Keys>(&text) else {
        return serde_json::from_str::<IgnoredAny>(&text).ok().map(|_| Answer::default());
    };
    Some(answer_of(&keys, mask))
}

/// Whether a body names a job in any way, even in one that leaves open which.
pub(crate) fn names_a_job(body: &[u8]) -> bool {
    let is_id = |value: &str| decimal(value).and_then(job_id).is_some();
    let in_keys = serde_json::from_str::<Keys>(&text(body)).is_ok_and(|keys| keys.values(&JOB_ID).any(is_id));
    in_keys || !ids_in_links(body).is_empty()
}

/// Reads a list of jobs, `{"items": [...]}`. None where it is no such list.
pub(crate) fn list(body: &[u8], mask: &Mask) -> Option<Vec<Answer>> {
    #[derive(Deserialize)]
    struct List {
        items: Vec<Keys>,
    }
    let list: List = serde_json::from_str(&text(body)).ok()?;
    Some(list.items.iter().map(|keys| answer_of(keys, mask)).collect())
}

/// Whether a body is in the shape of Data Integration: a collection, or an answer about a job (epm-api.md §3.1, §6).
/// A `status` that repeats the HTTP code stands in the errors of many other servers.
pub(crate) fn is_of_data_integration(body: &[u8], http: u16) -> bool {
    let Ok(keys) = serde_json::from_str::<Keys>(&text(body)) else { return false };
    let is_list = |value: &str| serde_json::from_str::<Vec<IgnoredAny>>(value).is_ok();
    let status = keys.agreed(&STATUS);
    keys.values(&["items", "links"]).any(is_list)
        || keys.has(&["details"])
        || keys.has(&JOB_ID)
        || status.is_some_and(|status| status != i128::from(http))
}

/// What a service tells of its release and its daily maintenance.
pub(crate) struct Told {
    pub(crate) release: Option<Foreign>,
    pub(crate) hour: Option<String>,
    pub(crate) zone: Option<Foreign>,
    pub(crate) details: Option<Foreign>,
}

/// Reads `{"items": [{"buildVersion", "amwTime", "timeZone"}]}` (epm-api.md §6). None where it is no JSON object at all.
pub(crate) fn service(body: &[u8], mask: &Mask) -> Option<Told> {
    let keys: Keys = serde_json::from_str(&text(body)).ok()?;
    let items = keys.values(&["items"]).next_back().and_then(|items| serde_json::from_str::<Vec<Keys>>(items).ok());
    let told = |name| items.as_ref()?.first()?.text(&[name], mask);
    let hour = told("amwTime").map(|hour| hour.as_str().to_owned());
    let details = keys.text(&["details"], mask);
    Some(Told { release: told("buildVersion"), hour, zone: told("timeZone"), details })
}

fn answer_of(keys: &Keys, mask: &Mask) -> Answer {
    let facts = Facts {
        job_name: keys.text(&["jobName"], mask),
        job_status: keys.text(&["jobStatus"], mask),
        descriptive_status: keys.text(&["descriptiveStatus"], mask),
        detailed_status: keys.text(&["detailedStatus"], mask),
        details: keys.text(&["details"], mask),
        log_file_name: keys.name(&["logFileName"], mask),
        // The second spelling stands in a public client's mapping (epm-api.md §3.4).
        output_file_name: keys.name(&["outputFileName", "outputFilename"], mask),
        process_type: keys.text(&["processType"], mask),
        executed_by: keys.text(&["executedBy"], mask),
    };
    let id = keys.agreed(&JOB_ID);
    let status = keys.agreed(&STATUS).and_then(|number| number.try_into().ok());
    let is_garbled = id.is_none_or(|id| id < 0) && keys.has(&JOB_ID) || status.is_none() && keys.has(&STATUS);
    Answer { job_id: id.and_then(job_id), status, is_garbled, facts, other: other(keys, mask) }
}

/// The keys that have a place of their own; `links` holds addresses that are never followed.
const KNOWN: [&str; 14] = [
    "jobId",
    "jobID",
    "status",
    "links",
    "jobName",
    "jobStatus",
    "descriptiveStatus",
    "detailedStatus",
    "details",
    "logFileName",
    "outputFileName",
    "outputFilename",
    "processType",
    "executedBy",
];

/// How many other keys are kept, and how much of them together, in bytes.
const MOST_OTHER: usize = 32;
const LARGEST_OTHER: usize = 4096;

/// The longest key that is kept, in bytes.
const LONGEST_KEY: usize = 100;

/// What else an answer says: a key of a later release may be what an auditor asks for.
fn other(keys: &Keys, mask: &Mask) -> Vec<(Foreign, Foreign)> {
    let mut room = LARGEST_OTHER;
    let mut kept: Vec<(Foreign, Foreign)> = Vec::new();
    let others = keys.0.pairs().filter(|(key, value)| !KNOWN.contains(key) && !is_absent(value));
    for (key, value) in others {
        let key = Foreign::new(&cut(mask.foreign(key).as_str(), LONGEST_KEY));
        let value = mask.foreign(&string(value).unwrap_or_else(|| value.to_owned()));
        let is_known = kept.iter().any(|(known, _)| *known == key);
        if kept.len() < MOST_OTHER && key.as_str().len() < room && !is_known {
            let value = Foreign::new(&cut(value.as_str(), room - key.as_str().len()));
            room -= key.as_str().len() + value.as_str().len();
            kept.push((key, value));
        }
    }
    kept
}

/// The id that the answer to a submit gives in its link to itself, where all such links agree. Read, never followed.
pub(crate) fn id_in_links(body: &[u8]) -> Option<JobId> {
    let ids = ids_in_links(body);
    let first = *ids.first()?;
    ids.iter().all(|id| *id == first).then_some(first)
}

fn ids_in_links(body: &[u8]) -> Vec<JobId> {
    let links = || -> Option<Vec<Value>> {
        let keys: Keys = serde_json::from_str(&text(body)).ok()?;
        serde_json::from_str(keys.values(&["links"]).next()?).ok()
    };
    let id = |link: &Value| {
        link.get("rel").and_then(Value::as_str).filter(|rel| *rel == "self")?;
        let path = link.get("href")?.as_str()?.split(['?', '#']).next()?.trim_end_matches('/');
        path.rsplit_once("/aif/rest/V1/jobs/")?.1.parse().ok()
    };
    links().unwrap_or_default().iter().filter_map(id).collect()
}

/// Where to ask about what EPM is not done with: the path of its link, which alone is used (epm-api.md §4.1). That an
/// upload's answer has such a link is not documented.
pub(crate) fn status_link(body: &[u8]) -> Option<String> {
    let keys: Keys = serde_json::from_str(&text(body)).ok()?;
    let links: Vec<Value> = serde_json::from_str(keys.values(&["links"]).next()?).ok()?;
    let is_it = |link: &&Value| {
        link.get("rel").and_then(Value::as_str).is_some_and(|rel| rel.eq_ignore_ascii_case("job status"))
    };
    let href = links.iter().find(is_it)?.get("href")?.as_str()?;
    Some(href[href.find("/interop/rest/")?..].to_owned())
}

fn job_id(number: i128) -> Option<JobId> {
    u64::try_from(number).ok().and_then(JobId::new)
}

/// A whole number, or the plain decimal spelling of one: `0`, but not `0.0`, `-0`, `+0`, `00` or ` 0`. A success must
/// not hang on a rounding.
fn decimal(value: &str) -> Option<i128> {
    let text = string(value).unwrap_or_else(|| value.to_owned());
    text.parse().ok().filter(|number: &i128| number.to_string() == text)
}

/// Whether a page asks for a login: EPM shows one with HTTP 200 to whom it does not know (epm-api.md §1.7).
pub(crate) fn is_login_page(body: &[u8]) -> bool {
    let page = String::from_utf8_lossy(body).to_ascii_lowercase();
    page.trim_start_matches('\u{feff}').trim_start().starts_with('<')
        && ["loginform", "type=\"password\"", "type='password'", "type=password"].iter().any(|mark| page.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Answer {
        answer(body.as_bytes(), &Mask::default()).unwrap()
    }

    fn said(answer: &Answer) -> (Option<u64>, Option<i64>) {
        (answer.job_id.map(JobId::number), answer.status)
    }

    #[test]
    fn every_answer_that_was_seen_or_documented_is_read() {
        let table = [
            (include_str!("../../tests/fixtures/documented-running-contradiction.json"), (Some(2016), Some(-1))),
            (include_str!("../../tests/fixtures/documented-success-strings.json"), (Some(1881), Some(0))),
            (include_str!("../../tests/fixtures/seen-rejected-submit.json"), (None, Some(1))),
            (include_str!("../../tests/fixtures/seen-running-minimal.json"), (Some(1234), Some(-1))),
            (include_str!("../../tests/fixtures/seen-success-numbers.json"), (Some(2100), Some(0))),
            (include_str!("../../tests/fixtures/composed-planning-2604.json"), (Some(224), Some(0))),
            (include_str!("../../tests/fixtures/composed-download-error.json"), (None, Some(8))),
        ];
        for (body, expected) in table {
            assert_eq!(said(&read(body)), expected, "{body}");
        }
        let text = |text: Option<Foreign>| text.map(|text| text.as_str().to_owned());
        let facts = read(table[0].0).facts;
        assert_eq!(text(facts.log_file_name).as_deref(), Some("\\outbox\\logs\\BATCH1_7595.log"));
        assert_eq!((facts.output_file_name, facts.details), (None, None));
        let facts = read(table[1].0).facts;
        assert_eq!((text(facts.job_status).as_deref(), facts.details), (Some("SUCCESS"), None));
        let facts = read(table[2].0).facts;
        assert_eq!(text(facts.details).as_deref(), Some("EPMFDM-140149: Invalid Integration Name: Removed_Load"));
        let facts = read(table[5].0).facts;
        assert_eq!(text(facts.detailed_status).as_deref(), Some("Completed"));
        assert_eq!(text(facts.job_name).as_deref(), Some("Import Account Metadata"));
    }

    #[test]
    fn where_to_ask_is_the_path_of_one_link() {
        let of = |links: &str| status_link(format!(r#"{{"status":-1,"links":{links}}}"#).as_bytes());
        let link = |rel: &str, href: &str| {
            format!(r#"[{{"rel":"self","href":"/interop/rest/v1/s"}},{{"rel":"{rel}","href":"{href}"}}]"#)
        };
        let path = Some("/interop/rest/v1/x%2Fy/7?a=b".to_owned());
        assert_eq!(of(&link("Job Status", "https://evil.example/gw/interop/rest/v1/x%2Fy/7?a=b")), path);
        assert_eq!(of(&link("job status", "/interop/rest/v1/x%2Fy/7?a=b")), path);
        assert_eq!(of(&link("Job Status", "https://evil.example/aif/rest/")), None);
        assert_eq!(of(&link("Download link", "/interop/rest/v1/x")), None);
        for none in ["[]", "null", "7", r#"[{"rel":"Job Status"}]"#, r#"[{"rel":7,"href":"/interop/rest/"}]"#] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn what_else_an_answer_says_is_kept_within_bounds() {
        let mask = Mask::new(["s3cret".to_owned()]);
        let kept = |body: &str| -> Vec<(String, String)> {
            let other = answer(body.as_bytes(), &mask).unwrap().other;
            other.iter().map(|(key, value)| (key.as_str().to_owned(), value.as_str().to_owned())).collect()
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let body =
            r#"{"jobId":7,"links":[],"runId":12,"note":"a\u001b[1m s3cret","gone":null,"deep":{"a":[1]},"runId":13}"#;
        assert_eq!(kept(body), [pair("runId", "12"), pair("note", "a ***"), pair("deep", r#"{"a":[1]}"#)]);
        let many: Vec<String> = (0..100).map(|number| format!(r#""k{number}":"{}""#, "ü".repeat(200))).collect();
        let kept = kept(&format!("{{{}}}", many.join(",")));
        assert!(kept.len() <= MOST_OTHER && kept.len() > 8, "{}", kept.len());
        assert!(kept.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() <= LARGEST_OTHER);
    }

    #[test]
    fn numbers_and_their_decimal_spelling_are_read_alike() {
        let table = [
            (r#"{"jobId":2100,"status":0}"#, (Some(2100), Some(0))),
            (r#"{"jobID":"2100","status":"0"}"#, (Some(2100), Some(0))),
            (r#"{"jobId":"2100","jobID":2100,"status":"-1"}"#, (Some(2100), Some(-1))),
            (r#"{"jobId":2100,"status":2147483647}"#, (Some(2100), Some(2_147_483_647))),
            (r#"{"jobId":null,"jobID":7,"status":1}"#, (Some(7), Some(1))),
            (r#"{"jobId":18446744073709551615,"status":1}"#, (Some(u64::MAX), Some(1))),
            (r#"{"jobId":7,"status":18446744073709551615}"#, (Some(7), None)),
            ("\u{feff}{\"jobId\":7,\"status\":0}", (Some(7), Some(0))),
        ];
        for (body, expected) in table {
            assert_eq!(said(&read(body)), expected, "{body}");
        }
    }

    #[test]
    fn what_is_not_plainly_zero_is_not_zero() {
        for status in ["0.0", "-0", "-0.0", "0e0", "true", "false", "[]", "{}", "null", "[0]"] {
            assert_eq!(read(&format!(r#"{{"jobId":7,"status":{status}}}"#)).status, None, "{status}");
        }
        for status in ["", "null", " 0", "0 ", "+0", "-0", "00", "0.0", "0x0", "zero", "SUCCESS", "٠"] {
            assert_eq!(read(&format!(r#"{{"jobId":7,"status":"{status}"}}"#)).status, None, "{status:?}");
        }
        assert_eq!(read(r#"{"jobId":7}"#).status, None);
        assert_eq!(read(r#"{"jobId":7,"Status":0}"#).status, None);
    }

    #[test]
    fn a_key_that_stands_twice_decides_only_where_both_agree() {
        assert_eq!(read(r#"{"jobId":7,"status":1,"status":0}"#).status, None);
        assert_eq!(read(r#"{"jobId":7,"status":0,"status":"0"}"#).status, Some(0));
        assert_eq!(read(r#"{"jobId":7,"jobID":8,"status":0}"#).job_id, None);
        assert_eq!(read(r#"{"jobId":7,"status":0,"status":null}"#).status, None);
        assert_eq!(read(r#"{"jobId":7,"status":"","status":0}"#).status, None);
        assert_eq!(read(r#"{"jobId":7,"jobId":null,"status":0}"#).job_id, None);
    }

    #[test]
    fn a_text_that_was_cut_within_a_letter_hides_nothing() {
        let answer = read(r#"{"jobId":77,"status":-1,"details":"a\\ud83d\n \ud83d \u00e4 \ud83d\ude00"}"#);
        assert_eq!(said(&answer), (Some(77), Some(-1)));
        assert_eq!(answer.facts.details, Some(Foreign::new("a\\ud83d\n \u{fffd} ä \u{fffd}\u{fffd}")));
        let answer = read(r#"{"jobId":77,"details":"\ud83d\ude00"}"#);
        assert_eq!(answer.facts.details, Some(Foreign::new("\u{1f600}")));
    }

    #[test]
    fn a_file_is_named_by_a_text_or_not_at_all() {
        let answer = read(r#"{"jobId":7,"status":0,"outputFileName":[],"logFileName":7}"#);
        assert_eq!((answer.facts.output_file_name, answer.facts.log_file_name), (None, None));
    }

    #[test]
    fn what_is_there_and_cannot_be_read_is_not_absent() {
        for absent in
            ["{}", r#"{"jobId":null,"status":"null"}"#, r#"{"jobID":"","status":""}"#, r#"{"jobId":0,"status":1}"#]
        {
            assert!(!read(absent).is_garbled, "{absent}");
        }
        for garbled in [
            r#"{"status":"RUNNING"}"#,
            r#"{"status":0.0}"#,
            r#"{"status":1,"status":0}"#,
            r#"{"jobId":"J-17"}"#,
            r#"{"jobId":-5}"#,
            r#"{"jobId":7,"jobID":8}"#,
            r#"{"jobId":[7],"status":1}"#,
        ] {
            assert!(read(garbled).is_garbled, "{garbled}");
        }
    }

    #[test]
    fn ids_that_cannot_be_asked_about_are_none() {
        for id in ["0", "-5", "\"0\"", "\"abc\"", "1.5", "null", "\"\"", "[7]", "99999999999999999999"] {
            assert_eq!(read(&format!(r#"{{"jobId":{id},"status":0}}"#)).job_id, None, "{id}");
        }
    }

    #[test]
    fn absent_texts_are_absent_and_others_are_kept() {
        let answer = read(r#"{"details":"null","jobStatus":"","jobName":null,"logFileName":"a.log","details2":1}"#);
        let log_file_name = Some(Foreign::new("a.log"));
        assert_eq!(answer.facts, Facts { log_file_name, ..Facts::default() });
        let answer = read(r#"{"details":{"a":[1]},"outputFilename":"x","executedBy":7}"#);
        assert_eq!(answer.facts.details, Some(Foreign::new(r#"{"a":[1]}"#)));
        assert_eq!(answer.facts.output_file_name, Some(Foreign::new("x")));
        assert_eq!(answer.facts.executed_by, Some(Foreign::new("7")));
    }

    #[test]
    fn json_of_another_shape_says_nothing_and_the_rest_is_not_an_answer() {
        for body in ["[]", "7", "null", "\"x\"", "[{\"jobId\":7,\"status\":0}]"] {
            assert_eq!(read(body), Answer::default(), "{body}");
        }
        for body in ["", " ", "<html>", "{", "{\"status\":0", "{\"status\":0}x", "OK"] {
            assert_eq!(answer(body.as_bytes(), &Mask::default()), None, "{body}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(answer(deep.as_bytes(), &Mask::default()), None);
        assert_eq!(
            said(&read(&format!("{{\"x\":{deep}{},\"jobId\":7,\"status\":0}}", "]".repeat(100_000)))),
            (Some(7), Some(0))
        );
        let latin1 = b"{\"jobId\":7,\"status\":1,\"details\":\"Gr\xf6\xdfe\"}";
        assert_eq!(answer(latin1, &Mask::default()).unwrap().status, Some(1));
    }

    #[test]
    fn the_link_to_itself_gives_the_id_and_no_other_does() {
        let link = |rel: &str, href: &str| {
            let body = format!(r#"{{"links":[{{"rel":"other"}},{{"rel":"{rel}","href":"{href}"}}]}}"#);
            id_in_links(body.as_bytes()).map(JobId::number)
        };
        assert_eq!(link("self", "https://h/aif/rest/V1/jobs/2016"), Some(2016));
        assert_eq!(link("self", "https://h/p/aif/rest/V1/jobs/2016/?x=1"), Some(2016));
        assert_eq!(link("self", "/aif/rest/V1/jobs/2016"), Some(2016));
        assert_eq!(link("job", "https://h/aif/rest/V1/jobs/2016"), None);
        assert_eq!(link("self", "https://h/aif/rest/V1/jobs/0"), None);
        assert_eq!(link("self", "https://h/aif/rest/V1/jobs/2016/details"), None);
        let latin1 = b"{\"details\":\"Gr\xf6\xdfe\",\"links\":[{\"rel\":\"self\",\"href\":\"/aif/rest/V1/jobs/7\"}]}";
        assert_eq!(id_in_links(latin1).map(JobId::number), Some(7));
        let own = r#"{"links":[{"rel":"self","href":"/aif/rest/V1/jobs/7"}]}"#;
        assert_eq!(id_in_links(format!("\u{feff}{own}").as_bytes()), JobId::new(7));
        assert_eq!(id_in_links(b"{\"links\":[0]}"), None);
        assert_eq!(id_in_links(b"{\"links\":null}"), None);
        let two = |second: u64| {
            let link = |id: u64| format!(r#"{{"rel":"self","href":"/aif/rest/V1/jobs/{id}"}}"#);
            id_in_links(format!(r#"{{"links":[{},{}]}}"#, link(7), link(second)).as_bytes()).map(JobId::number)
        };
        assert_eq!((two(7), two(8)), (Some(7), None));
    }

    #[test]
    fn release_and_hour_are_read_where_they_stand() {
        let told = |body: &str| {
            let told = service(body.as_bytes(), &Mask::default())?;
            let text = |text: Option<Foreign>| text.map(|text| text.as_str().to_owned()).unwrap_or_default();
            Some((text(told.release), told.hour.unwrap_or_default(), text(told.details)))
        };
        let of = |parts: [&str; 3]| Some(parts.map(str::to_owned).into());
        let whole = r#"{"details":null,"status":0,"items":[{"buildVersion":"22.09.40","amwTime":"19:00"}],"links":[]}"#;
        assert_eq!(told(whole), of(["22.09.40", "19:00", ""]));
        assert_eq!(
            told(r#"{"details":"null","status":"0","items":[{"amwTime":"19"},{"amwTime":"7"}]}"#),
            of(["", "19", ""])
        );
        assert_eq!(told(r#"{"items":[{"amwTime":19}]}"#), of(["", "19", ""]));
        assert_eq!(told(r#"{"status":8,"details":"EPMLCM-37051"}"#), of(["", "", "EPMLCM-37051"]));
        for nothing in [r#"{"items":[]}"#, r#"{"items":{}}"#, r#"{"items":[7]}"#, r#"{"items":[{"amwTime":null}]}"#] {
            assert_eq!(told(nothing), of(["", "", ""]), "{nothing}");
        }
        assert_eq!((told("<html>"), told("[]")), (None, None));
    }

    #[test]
    fn the_time_zone_of_the_hour_is_read_beside_it() {
        let zone = |body: &str| service(body.as_bytes(), &Mask::default()).unwrap().zone;
        let tokyo = r#"{"items":[{"amwTime":"19:00","timeZone":"Asia/Tokyo"}]}"#;
        assert_eq!(zone(tokyo), Some(Foreign::new("Asia/Tokyo")));
        for none in [r#"{"items":[{"amwTime":"19:00","timeZone":null}]}"#, r#"{"items":[{"amwTime":"19:00"}]}"#] {
            assert_eq!(zone(none), None, "{none}");
        }
    }

    #[test]
    fn the_shape_of_data_integration_is_told_from_that_of_other_servers() {
        for body in [
            r#"{"items":[]}"#,
            r#"{"links":[{"rel":"self"}]}"#,
            r#"{"status":4}"#,
            r#"{"status":"1","details":"x"}"#,
            r#"{"details":"EPMFDM-1"}"#,
            r#"{"jobID":"7"}"#,
        ] {
            assert!(is_of_data_integration(body.as_bytes(), 404), "{body}");
        }
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            "null",
            r#"{"message":"no Route matched"}"#,
            r#"{"timestamp":1,"status":404,"error":"Not Found"}"#,
            r#"{"title":"Not Found","status":"404","detail":"x"}"#,
            r#"{"status":"error"}"#,
            r#"{"items":7,"details":null}"#,
            r#"{"items":[]"#,
        ] {
            assert!(!is_of_data_integration(body.as_bytes(), 404), "{body}");
        }
    }

    #[test]
    fn a_login_page_is_told_from_other_pages() {
        assert!(is_login_page(b"<!DOCTYPE html><!--loginForm--><body></body>"));
        assert!(is_login_page(b"\n<html><input type='password'></html>"));
        assert!(!is_login_page(b"<html>503 Service Unavailable</html>"));
        assert!(!is_login_page(br#"{"details":"loginForm"}"#));
    }
}
