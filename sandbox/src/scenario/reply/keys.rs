//! The keys of a reply as a user writes them.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::HeaderName;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Changes, HeaderText, Reply, Says};
use crate::fault::Fault;
use crate::page::Page;
use crate::script::Stay;

/// One reply, unchecked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    status: Option<Value>,
    job_status: Option<String>,
    details: Option<String>,
    #[serde(default)]
    fields: Map<String, Value>,
    #[serde(default)]
    without: Vec<String>,
    http: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    padding: u64,
    cut_after: Option<u64>,
    page: Option<Page>,
    taken: Option<bool>,
    fault: Option<Fault>,
    #[serde(default, deserialize_with = "duration")]
    delay: Option<Duration>,
    times: Option<u32>,
    #[serde(default, deserialize_with = "duration")]
    lasts: Option<Duration>,
}

impl TryFrom<Keys> for Reply {
    type Error = String;

    fn try_from(mut keys: Keys) -> Result<Self, String> {
        let http = keys.http()?;
        let stay = keys.stay()?;
        let headers = keys.headers()?;
        let taken = keys.taken(http);
        Ok(Self {
            http,
            headers,
            padding: keys.padding,
            cut_after: keys.cut_after,
            taken,
            fault: keys.fault,
            delay: keys.delay.unwrap_or_default(),
            stay,
            says: keys.says(http)?,
        })
    }
}

impl Keys {
    fn http(&self) -> Result<u16, String> {
        match self.http {
            Some(http @ 200..=599) => Ok(http),
            Some(http) => Err(format!("`http = {http}`: an answer has 200 to 599")),
            None => Ok(self.page.map_or(200, Page::http)),
        }
    }

    fn stay(&self) -> Result<Stay, String> {
        match (self.times, self.lasts) {
            (Some(_), Some(_)) => Err("`times` and `lasts`: a reply has one of them".into()),
            (Some(0), None) => Err("`times = 0`: leave the reply out instead".into()),
            (times, None) => Ok(Stay::Times(times.unwrap_or(1))),
            (None, Some(long)) => Ok(Stay::Lasts(long)),
        }
    }

    fn headers(&self) -> Result<Vec<(HeaderName, HeaderText)>, String> {
        let parsed = |(name, value): (&String, &String)| {
            let name = HeaderName::try_from(name).map_err(|_| name);
            let value = HeaderText::parse(value).map_err(|_| value);
            name.and_then(|name| value.map(|value| (name, value)))
                .map_err(|wrong| format!("`headers`: {wrong:?} cannot stand in a header"))
        };
        self.headers.iter().map(parsed).collect()
    }

    /// A refusal creates no job: an HTTP error, a page in place of an answer, or a status that rejects beside no id.
    fn taken(&self, http: u16) -> bool {
        self.taken.unwrap_or_else(|| {
            let rejects = matches!(self.status.as_ref().and_then(Value::as_i64), Some(1 | 3 | 4));
            let has_id = !self.without.iter().any(|key| key == "jobId");
            http < 300 && self.page.is_none() && self.fault != Some(Fault::ResetBefore) && (has_id || !rejects)
        })
    }

    fn says(&mut self, http: u16) -> Result<Says, String> {
        let content_type = self.content_type.take();
        if content_type.is_some() && self.body.is_none() {
            return Err("`content_type` goes with a `body`".into());
        }
        let changes = self.changes()?;
        match (self.body.take(), self.page, changes) {
            (Some(body), None, None) => {
                Ok(Says::Text { content_type: content_type.unwrap_or_else(|| "application/json".into()), body })
            }
            (None, Some(page), None) => Ok(Says::Page(page)),
            (None, None, Some(changes)) => Ok(Says::Envelope(changes)),
            (None, None, None) if http >= 300 => Ok(Says::ErrorPage),
            (None, None, None) => Ok(Says::Usual),
            _ => Err("`body`, `page` and the keys of an envelope: a reply has one of them".into()),
        }
    }

    fn changes(&mut self) -> Result<Option<Changes>, String> {
        if let Some(status) = &self.status
            && !status.is_number()
            && !status.is_string()
        {
            return Err("`status`: a number or a string; anything else goes into `fields`".into());
        }
        let changes = Changes {
            status: self.status.take(),
            job_status: self.job_status.take(),
            details: self.details.take(),
            fields: std::mem::take(&mut self.fields),
            without: std::mem::take(&mut self.without),
        };
        Ok(Some(changes).filter(|changes| *changes != Changes::default()))
    }
}

fn duration<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    crate::scenario::duration(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::{Page, Reply, Says};

    fn reply(keys: &str) -> Result<Reply, String> {
        toml::from_str(keys).map_err(|error: toml::de::Error| error.message().to_owned())
    }

    #[test]
    fn a_refusal_creates_no_job() {
        for (keys, taken) in [
            ("", true),
            ("status = 1", true),
            ("status = 1\nwithout = ['jobId']", false),
            ("status = -1\nwithout = ['jobId']", true),
            ("http = 500", false),
            ("http = 500\ntaken = true", true),
            ("page = 'login'", false),
            ("body = '{'", true),
            ("fault = 'reset-before'", false),
            ("fault = 'reset-after'", true),
            ("fault = 'hang'", true),
            ("status = 1\ntaken = false", false),
        ] {
            assert_eq!(reply(keys).unwrap().taken, taken, "{keys}");
        }
    }

    #[test]
    fn an_error_without_words_gets_a_page_of_the_server() {
        assert_eq!(reply("http = 403").unwrap().says, Says::ErrorPage);
        assert_eq!(reply("http = 201").unwrap().says, Says::Usual);
        assert_eq!(reply("page = 'maintenance'").unwrap().says, Says::Page(Page::Maintenance));
        assert_eq!(reply("page = 'maintenance'").unwrap().http, 503);
    }

    #[test]
    fn contradictions_are_refused_by_name() {
        for (keys, names) in [
            ("times = 2\nlasts = '2s'", "`times` and `lasts`"),
            ("times = 0", "`times = 0`"),
            ("http = 99", "`http = 99`"),
            ("status = true", "`status`"),
            ("body = ''\npage = 'login'", "`body`, `page`"),
            ("body = ''\nstatus = 1", "`body`, `page`"),
            ("content_type = 'text/plain'", "`content_type`"),
            ("delay = 'soon'", "`soon` is no duration"),
            ("headers = {'a b' = 'c'}", "`headers`: \"a b\""),
            ("headers = {a = \"\\n\"}", "`headers`: \"\\n\""),
            ("stattus = 1", "unknown field `stattus`"),
            ("fault = 'rest'", "unknown variant `rest`"),
        ] {
            let message = reply(keys).unwrap_err();
            assert!(message.contains(names), "{keys}: {message}");
        }
    }
}
