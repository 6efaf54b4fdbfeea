//! What is kept of JSON: its shape, key by key and twice what stands twice, Oracle's keys and words, ids and statuses.
//!
//! What the gate makes of an answer must not change: what says nothing still does, and what cannot be read, such as a
//! status of `0.0`, cannot be read afterwards either.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::foreign::Mask;
use crate::json::Object;

use super::super::wire;
use super::place;
use super::table::{Kind, Table};
use super::text;
use super::vocabulary::{
    Class, class_of, class_of_variable, is_composed, is_enum, is_like_a_key, is_mode, is_word, known_class,
};

/// How deep values are looked into; below that they are `null`.
const DEEPEST: usize = 32;

/// Statuses above this say nothing that a larger one would not.
const LARGEST_STATUS: i128 = 999;

/// Lists are told in pages; above this it is no page that is counted.
const LARGEST_COUNT: i128 = 9_999;

/// How EPM spells that it does not know (epm-api.md §3.4).
const UNKNOWN_STATUS: i128 = 2_147_483_647;

/// Redacts JSON.
pub(super) struct Redaction<'a> {
    pub(super) table: &'a mut Table,
    /// What hides our own secrets, and cleans texts as the gate does before it reads them.
    pub(super) mask: &'a Mask,
    /// The pod that was asked.
    pub(super) host: &'a str,
}

impl Redaction<'_> {
    /// A whole body. None where it is no JSON.
    pub(super) fn body(&mut self, body: &[u8]) -> Option<Box<RawValue>> {
        let text = wire::text(body);
        let raw: &RawValue = serde_json::from_str(&text).ok()?;
        // A name may stand in a text before the key that tells it to be one.
        self.learn(Class::Unknown, raw.get(), 0);
        let json = self.value(Class::Unknown, raw.get(), 0);
        RawValue::from_string(json).ok()
    }

    /// Takes in everything that its key tells to be the customer's.
    fn learn(&mut self, class: Class, raw: &str, depth: usize) {
        match raw.as_bytes().first() {
            _ if depth > DEEPEST => {}
            Some(b'{') => {
                let Ok(object) = serde_json::from_str::<Object>(raw) else { return };
                for (key, value) in object.pairs() {
                    let class = if class == Class::Chosen { self.chosen_key(key).1 } else { class_of(key) };
                    self.learn(class, value, depth + 1);
                }
            }
            Some(b'[') => {
                let Ok(values) = serde_json::from_str::<Vec<Box<RawValue>>>(raw) else { return };
                for value in values {
                    self.learn(class.of_an_item(), value.get(), depth + 1);
                }
            }
            Some(b'"') if class.is_the_customers() => {
                self.string(class, &wire::string(raw).unwrap_or_default());
            }
            _ => {}
        }
    }

    /// A value, as JSON, of what stands under a key of this class.
    fn value(&mut self, class: Class, raw: &str, depth: usize) -> String {
        if depth > DEEPEST {
            return "null".to_owned();
        }
        match raw.as_bytes().first() {
            Some(b'{') => self.object(class, raw, depth),
            Some(b'[') => self.array(class, raw, depth),
            Some(b'"') => Value::from(self.string(class, &wire::string(raw).unwrap_or_default())).to_string(),
            Some(b't' | b'f' | b'n') => raw.to_owned(),
            _ => number(class, raw),
        }
    }

    fn object(&mut self, class: Class, raw: &str, depth: usize) -> String {
        let Ok(object) = serde_json::from_str::<Object>(raw) else { return "null".to_owned() };
        let is_list = object.pairs().any(|(key, _)| key == "items");
        let pair = |(key, value): (&str, &str)| {
            let (key, class) = if class == Class::Chosen { self.chosen_key(key) } else { self.key(key) };
            let class = if class == Class::Count && !is_list { Class::Unknown } else { class };
            format!("{}:{}", Value::from(key), self.value(class, value, depth + 1))
        };
        format!("{{{}}}", object.pairs().map(pair).collect::<Vec<_>>().join(","))
    }

    fn array(&mut self, class: Class, raw: &str, depth: usize) -> String {
        let Ok(values) = serde_json::from_str::<Vec<Box<RawValue>>>(raw) else { return "[]".to_owned() };
        let items = values.iter().map(|value| self.value(class.of_an_item(), value.get(), depth + 1));
        format!("[{}]", items.collect::<Vec<_>>().join(","))
    }

    /// A key, and what stands under it. A new key of Oracle's is worth knowing; one that is not built as those are could be
    /// the name of something.
    fn key(&mut self, key: &str) -> (String, Class) {
        let class = class_of(key);
        match self.table.known(key) {
            _ if known_class(key).is_some() => (key.to_owned(), class),
            Some(replacement) => (replacement.to_owned(), class),
            None if is_like_a_key(key) => (key.to_owned(), class),
            None => (self.table.replace(Kind::Key, key), class),
        }
    }

    fn chosen_key(&mut self, key: &str) -> (String, Class) {
        match class_of_variable(key) {
            Some(class) => (key.to_owned(), class),
            None => (self.table.replace(Kind::Key, key), Class::Value),
        }
    }

    fn string(&mut self, class: Class, original: &str) -> String {
        if text::is_absent(original) {
            return original.to_owned();
        }
        let cleaned = self.mask.foreign(original);
        let string = cleaned.as_str();
        match class {
            // Numbers are read before anything is cleaned.
            Class::Id | Class::Status if is_decimal(original) => number(class, original),
            Class::File if string.trim().is_empty() => " ".to_owned(),
            Class::Id => "x".to_owned(),
            // Cleaning took all of it, and it was not absent.
            _ if text::is_absent(string) => "x".to_owned(),
            // A word of Oracle's in its own place is nobody's name.
            Class::Status | Class::Word if is_enum(string) => string.to_owned(),
            Class::Mode if is_mode(string) => string.to_owned(),
            Class::Status | Class::Word | Class::Unknown if is_word(string) && self.table.known(string).is_none() => {
                string.to_owned()
            }
            Class::Build if is_build(string) => string.to_owned(),
            Class::Hour if is_hour(string) => string.to_owned(),
            Class::Version if is_version(string) => string.to_owned(),
            // The gate cuts blanks off at both ends too.
            Class::File => place::file(self.table, string.trim()),
            Class::Link => place::url(self.table, string, self.host),
            Class::Period => self.period(string),
            Class::Name => self.table.replace(Kind::Name, string),
            Class::User => self.table.replace(Kind::User, string),
            Class::Value | Class::Mode | Class::Chosen => self.table.replace(Kind::Value, string),
            // What is no number must not become one: `00` is none, and `0` would be a success.
            Class::Status => Some(self.word(string)).filter(|text| !is_decimal(text)).unwrap_or("x".to_owned()),
            Class::Word => self.word(string),
            Class::Text => text::redacted(self.table, string),
            Class::Build | Class::Hour | Class::Version => "x".to_owned(),
            Class::Count | Class::Unknown if is_decimal(string) => "0".to_owned(),
            Class::Count | Class::Unknown => self.table.replace(Kind::Text, string),
        }
    }

    /// What Oracle says where one of its words is expected. That it is a warning decides how the gate ends.
    fn word(&self, string: &str) -> String {
        const WARNING: &str = "WARNING";
        let warns = |text: &str| text.to_ascii_uppercase().contains(WARNING);
        let kept = match self.table.known(string) {
            Some(replacement) => replacement.to_owned(),
            None if is_composed(string) => string.to_owned(),
            None => text::redacted(self.table, string),
        };
        if warns(string) && !warns(&kept) { WARNING.to_owned() } else { kept }
    }

    /// A period, or a range: the braces and the year's sign stay.
    fn period(&mut self, string: &str) -> String {
        if matches!(string, "{GLOBAL_POV}" | "GLOBAL_POV") {
            return string.to_owned();
        }
        let is_sign = |char: char| "{}#".contains(char);
        let piece = |piece: &str| match piece.strip_suffix(is_sign) {
            Some("") => piece.to_owned(),
            Some(name) => self.table.replace(Kind::Period, name) + &piece[name.len()..],
            None => self.table.replace(Kind::Period, piece),
        };
        string.split_inclusive(is_sign).map(piece).collect()
    }
}

impl Class {
    /// The class of what stands in a list. The objects in a list of variables have keys of Oracle's (epm-api.md §2.2).
    fn of_an_item(self) -> Self {
        if self == Self::Chosen { Self::Unknown } else { self }
    }

    /// Whether what stands there is called so by the customer, unless it is a word of Oracle's in its own place.
    fn is_the_customers(self) -> bool {
        matches!(self, Self::Name | Self::User | Self::File | Self::Period | Self::Value | Self::Mode | Self::Chosen)
    }
}

/// A number as far as it may be told: that of a status or of an id, and of all others only which kind it is.
fn number(class: Class, raw: &str) -> String {
    let is_whole = is_decimal(raw);
    let whole: Option<i128> = raw.parse().ok().filter(|_| is_whole);
    let kept = match (class, whole) {
        (Class::Id, Some(id)) => u64::try_from(id).is_ok(),
        (Class::Status, Some(status)) => (-9..=LARGEST_STATUS).contains(&status) || status == UNKNOWN_STATUS,
        (Class::Count, Some(count)) => (0..=LARGEST_COUNT).contains(&count),
        // The first version of Oracle's service tells it so (epm-api.md §6).
        (Class::Hour, Some(hour)) => (0..24).contains(&hour),
        _ => false,
    };
    let other = match class {
        _ if !is_whole => "0.5",
        // What was no success, or no id, must not become one.
        Class::Status => "999",
        // An id that is too large is one that says nothing; a negative one cannot be read.
        Class::Id if whole.is_some_and(|id| id > 0) => "0",
        Class::Id => "-1",
        _ if raw.starts_with('-') => "-1",
        _ => "0",
    };
    if kept { raw.to_owned() } else { other.to_owned() }
}

/// Whether a text is a whole number as it is written plainly: the only one that the gate reads.
fn is_decimal(text: &str) -> bool {
    text.parse().is_ok_and(|number: i128| number.to_string() == text)
}

/// `26.04.40`
fn is_build(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let is_number = |part: &&str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(is_number)
}

/// `V1`, `v3`, or `11.1.2.3.600`
fn is_version(text: &str) -> bool {
    let digits = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = text.strip_prefix(['V', 'v']).is_some_and(|number| number.len() == 1 && digits(number));
    is_short || text.split('.').count() == 5 && text.split('.').all(digits)
}

/// `22:00`, or `22`
fn is_hour(text: &str) -> bool {
    let is_number = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once(':').map_or(is_number(text), |(hour, minute)| is_number(hour) && is_number(minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(body: &str) -> String {
        let (mut table, mask) = (Table::default(), Mask::default());
        let mut redaction = Redaction { table: &mut table, mask: &mask, host: "epm.example.com" };
        redaction.body(body.as_bytes()).map(|raw| raw.get().to_owned()).unwrap_or_default()
    }

    #[test]
    fn what_a_pod_said_keeps_its_shape() {
        let seen = include_str!("../../../tests/fixtures/seen-success-numbers.json");
        let table = [
            (
                seen,
                r#"{"links":[{"rel":"self","href":"https://elsewhere.invalid/aif/rest/V1/jobs/2100","action":"GET"}],"status":0,"details":null,"jobId":2100,"jobStatus":"SUCCESS","logFileName":"outbox/logs/FILE_1.log","outputFileName":"outbox/FILE_2.dat","processType":"COMM_LOAD_BALANCES","executedBy":"USER_1"}"#,
            ),
            (
                r#"{"status":1,"details":"EPMFDM-140149: Invalid Integration Name: Removed_Load"}"#,
                r#"{"status":1,"details":"EPMFDM-140149: Invalid Integration Name: x"}"#,
            ),
            (
                r#"{"jobType":"PIPELINE","jobName":"DAILY","variables":{"STARTPERIOD":"Jan-23","IMPORTMODE":"Replace","Entität":"X Corp"},"sourceFilters":{"Category":"Actual"}}"#,
                r#"{"jobType":"PIPELINE","jobName":"NAME_1","variables":{"STARTPERIOD":"VALUE_1","IMPORTMODE":"Replace","KEY_1":"VALUE_2"},"sourceFilters":{"KEY_2":"VALUE_3"}}"#,
            ),
            (
                r#"{"periodName":"{Jan#FY26}{Mar-26}","startPeriod":"Jan-26","period":"{GLOBAL_POV}"}"#,
                r#"{"periodName":"{PERIOD_1#PERIOD_2}{PERIOD_3}","startPeriod":"PERIOD_4","period":"{GLOBAL_POV}"}"#,
            ),
            (
                r#"{"items":[{"buildVersion":"26.04.40","amwTime":"22:00","timeZone":"Etc/UTC"}],"Vision":{"rejectedRowCount":4711,"ratio":1.25,"x":-7,"ok":true}}"#,
                r#"{"items":[{"buildVersion":"26.04.40","amwTime":"22:00","timeZone":"Etc/UTC"}],"KEY_1":{"rejectedRowCount":0,"KEY_2":0.5,"KEY_3":-1,"KEY_4":true}}"#,
            ),
        ];
        for (body, expected) in table {
            assert_eq!(redacted(body), expected, "{body}");
        }
        assert_eq!(redacted("{"), "");
    }

    #[test]
    fn a_name_of_plain_words_is_replaced_before_and_behind_the_key_that_tells_it() {
        let table = [
            (
                r#"{"ruleName":"Daily_Load","loadRule":"DATA_LOAD","DailyLoad":1,"details":"Daily Load failed","jobName":"Daily Load","x":["DailyLoad","daily load"]}"#,
                r#"{"ruleName":"NAME_1","loadRule":"NAME_2","KEY_1":0,"details":"NAME_3 failed","jobName":"NAME_3","KEY_2":["KEY_1","NAME_3"]}"#,
            ),
            (
                r#"{"details":"Integration Daily Load for application General Core failed, period Final"}"#,
                r#"{"details":"Integration x x for application x x x, period x"}"#,
            ),
            (
                r#"{"parameters":[{"value":"Final"}],"entity":"Global","note":"General","variables":{"VERSION":"Final","IMPORTMODE":"Final","EXPORTMODE":"Merge","STARTPERIOD":"Replace"},"exportMode":"Final"}"#,
                r#"{"parameters":[{"value":"VALUE_1"}],"KEY_2":"NAME_1","KEY_3":"TEXT_1","variables":{"KEY_1":"VALUE_1","IMPORTMODE":"VALUE_1","EXPORTMODE":"Merge","STARTPERIOD":"VALUE_2"},"exportMode":"VALUE_1"}"#,
            ),
            (
                r#"{"ruleName":"Load","jobStatus":"Completed with Warnings","detailedStatus":"Load done","processType":"LOAD","version":"Final"}"#,
                r#"{"ruleName":"NAME_1","jobStatus":"Completed with Warnings","detailedStatus":"NAME_1 x","processType":"NAME_1","version":"x"}"#,
            ),
            (
                r#"{"jobName":"Warnings","jobStatus":"Warnings","details":"Warnings"}"#,
                r#"{"jobName":"NAME_1","jobStatus":"WARNING","details":"NAME_1"}"#,
            ),
            (
                r#"{"count":48213377,"size":7,"limit":3,"items":[{"count":5}]}"#,
                r#"{"count":0,"size":0,"limit":3,"items":[{"count":0}]}"#,
            ),
            (
                r#"{"totalResults":25,"offset":0,"count":9999,"details":"3303 of Error: 3303","items":[]}"#,
                r#"{"totalResults":25,"offset":0,"count":9999,"details":"0 of Error: 3303","items":[]}"#,
            ),
        ];
        for (body, expected) in table {
            assert_eq!(redacted(body), expected, "{body}");
        }
    }

    #[test]
    fn what_decides_nothing_still_decides_nothing() {
        for (body, expected) in [
            (r#"{"status":0.0}"#, r#"{"status":0.5}"#),
            (r#"{"status":-0}"#, r#"{"status":0.5}"#),
            (r#"{"status":4711234}"#, r#"{"status":999}"#),
            (r#"{"status":2147483647}"#, r#"{"status":2147483647}"#),
            (r#"{"status":"0"}"#, r#"{"status":"0"}"#),
            (r#"{"status":"00"}"#, r#"{"status":"x"}"#),
            (r#"{"status":1,"status":0}"#, r#"{"status":1,"status":0}"#),
            (r#"{"jobId":-5,"jobID":"J-17"}"#, r#"{"jobId":-1,"jobID":"x"}"#),
            (r#"{"jobId":[7]}"#, r#"{"jobId":[7]}"#),
            (r#"{"details":"null","jobStatus":""}"#, r#"{"details":"null","jobStatus":""}"#),
            (r#"{"details":"\ud83d"}"#, r#"{"details":"?"}"#),
            ("{\"status\":\"\u{200b}0\",\"jobId\":\"7\u{200b}\"}", r#"{"status":"x","jobId":"x"}"#),
            (
                r#"{"details":"\u001b]secret\u0007","logFileName":"\u001b]secret\u0007"}"#,
                r#"{"details":"x","logFileName":" "}"#,
            ),
        ] {
            assert_eq!(redacted(body), expected, "{body}");
        }
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        assert!(redacted(&format!(r#"{{"x":{deep},"status":0}}"#)).ends_with(r#","status":0}"#));
    }
}
