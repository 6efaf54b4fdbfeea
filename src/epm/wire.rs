//! Oracle's shapes and words, read leniently: what cannot be read decides nothing.
//!
//! Numbers come as numbers or as decimal strings, absent texts as `null`, `"null"`, `""` or not at all, and `jobId` is
//! also spelled `jobID` (epm-api.md §1.4, §3.1).

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::foreign::{Foreign, Mask};
use crate::job::{Answer, Facts, JobId};

const JOB_ID: [&str; 2] = ["jobId", "jobID"];
const STATUS: &str = "status";

/// The keys of a JSON object as they were written, a key that stands twice included: of two statuses neither decides.
struct Keys(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Keys(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl Keys {
    /// The values under any of these names.
    fn values<'a>(&'a self, names: &'a [&str]) -> impl DoubleEndedIterator<Item = &'a Value> {
        self.0.iter().filter(|(key, _)| names.contains(&key.as_str())).map(|(_, value)| value)
    }

    fn under<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value)
    }

    /// The value that all of these names agree on. A name that says nothing is passed over; one that says something and
    /// nothing does not agree with itself.
    fn agreed<T: PartialEq>(&self, names: &[&str], read: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let speaks = |name: &&&str| self.under(name).any(|value| !is_absent(value));
        let mut told = names.iter().filter(speaks).flat_map(|name| self.under(name)).map(read);
        let first = told.next()??;
        told.all(|other| other.as_ref() == Some(&first)).then_some(first)
    }

    fn text(&self, names: &[&str], mask: &Mask) -> Option<Foreign> {
        let value = self.values(names).rfind(|value| !is_absent(value))?;
        Some(mask.foreign(&value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    }
}

/// Reads a body as an answer about a job. None where it is not JSON at all; JSON of another shape is an answer that
/// says nothing.
pub(crate) fn answer(body: &[u8], mask: &Mask) -> Option<Answer> {
    let text = text(body);
    let Ok(keys) = serde_json::from_str::<Keys>(&text) else {
        return serde_json::from_str::<serde::de::IgnoredAny>(&text).ok().map(|_| Answer::default());
    };
    Some(answer_of(&keys, mask))
}

/// What is not UTF-8 in a body must not hide the rest of it.
fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim_start_matches('\u{feff}').to_owned()
}

/// Whether a body names a job in any way, even in one that leaves open which.
pub(crate) fn names_a_job(body: &[u8]) -> bool {
    let is_id = |value: &Value| decimal(value).and_then(job_id).is_some();
    serde_json::from_str::<Keys>(&text(body)).is_ok_and(|keys| keys.values(&JOB_ID).any(is_id))
}

/// Whether a body tells a status, even one that cannot be read.
pub(crate) fn tells_a_status(body: &[u8]) -> bool {
    serde_json::from_str::<Keys>(&text(body)).is_ok_and(|keys| keys.under(STATUS).any(|value| !is_absent(value)))
}

/// Reads a list of jobs, `{"items": [...]}`. None where it is no such list.
pub(crate) fn list(body: &[u8], mask: &Mask) -> Option<Vec<Answer>> {
    #[derive(Deserialize)]
    struct List {
        items: Vec<Keys>,
    }
    let list: List = serde_json::from_slice(body).ok()?;
    Some(list.items.iter().map(|keys| answer_of(keys, mask)).collect())
}

fn answer_of(keys: &Keys, mask: &Mask) -> Answer {
    let facts = Facts {
        job_name: keys.text(&["jobName"], mask),
        job_status: keys.text(&["jobStatus"], mask),
        descriptive_status: keys.text(&["descriptiveStatus"], mask),
        detailed_status: keys.text(&["detailedStatus"], mask),
        details: keys.text(&["details"], mask),
        log_file_name: keys.text(&["logFileName"], mask),
        // The second spelling stands in a public client's mapping (epm-api.md §3.4).
        output_file_name: keys.text(&["outputFileName", "outputFilename"], mask),
        process_type: keys.text(&["processType"], mask),
        executed_by: keys.text(&["executedBy"], mask),
    };
    let job_id = keys.agreed(&JOB_ID, decimal).and_then(job_id);
    let status = keys.agreed(&[STATUS], decimal).and_then(|number| number.try_into().ok());
    Answer { job_id, status, facts }
}

/// The id that the answer to a submit gives in its link to itself. Read, never followed.
pub(crate) fn id_in_links(body: &[u8]) -> Option<JobId> {
    let value: Value = serde_json::from_str(&text(body)).ok()?;
    let links = value.get("links")?.as_array()?;
    let own = links.iter().find(|link| link.get("rel").and_then(Value::as_str) == Some("self"))?;
    let href = own.get("href")?.as_str()?;
    let path = href.split(['?', '#']).next()?.trim_end_matches('/');
    path.rsplit_once("/aif/rest/V1/jobs/")?.1.parse().ok()
}

fn job_id(number: i128) -> Option<JobId> {
    u64::try_from(number).ok().and_then(JobId::new)
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || text == "null",
        _ => false,
    }
}

/// A whole number, or the plain decimal spelling of one: `0`, but not `0.0`, `-0`, `+0`, `00` or ` 0`. A success must
/// not hang on a rounding.
fn decimal(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.as_i128(),
        Value::String(text) => text.parse().ok().filter(|number: &i128| number.to_string() == *text),
        _ => None,
    }
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
        let own = r#"{"links":[{"rel":"self","href":"/aif/rest/V1/jobs/7"}]}"#;
        assert_eq!(id_in_links(format!("\u{feff}{own}").as_bytes()), JobId::new(7));
        assert_eq!(id_in_links(&[b"{\"details\":\"Gr\xf6\xdfe\",", &own.as_bytes()[1..]].concat()), JobId::new(7));
        assert_eq!(id_in_links(b"{\"links\":[0]}"), None);
        assert_eq!(id_in_links(b"{\"links\":null}"), None);
    }

    #[test]
    fn a_login_page_is_told_from_other_pages() {
        assert!(is_login_page(b"<!DOCTYPE html><!--loginForm--><body></body>"));
        assert!(is_login_page(b"\n<html><input type='password'></html>"));
        assert!(!is_login_page(b"<html>503 Service Unavailable</html>"));
        assert!(!is_login_page(br#"{"details":"loginForm"}"#));
    }
}
