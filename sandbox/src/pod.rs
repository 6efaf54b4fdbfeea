//! What is a request answered? Decided from the scenario and from what was asked before; no sockets here.

mod inbox;
mod job;
mod jobs;
mod maintenance;
mod pipeline;

use std::time::Instant;

use serde_json::{Value, json};

use inbox::Inbox;
pub use inbox::Stored;
use jobs::Jobs;
use maintenance::Maintenance;

use crate::answer::{About, Answer};
use crate::envelope::refusal;
use crate::login::{Entry, Login};
use crate::parcel::Parcel;
use crate::range::Wish;
use crate::route::Route;
use crate::scenario::{Look, Scenario};
use crate::script::Cursor;

/// One request, as far as the answer depends on it.
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Scheme, host and port, as links begin.
    pub(crate) origin: &'a str,
    pub(crate) entry: Entry,
    pub(crate) content_type: &'a str,
    pub(crate) payload: Option<&'a Value>,
    /// The file that is brought.
    pub(crate) parcel: Option<&'a Parcel>,
    pub(crate) wish: Wish<'a>,
}

/// The pod's state.
pub(crate) struct Pod {
    look: Look,
    looks: Cursor,
    jobs: Jobs,
    inbox: Inbox,
    maintenance: Maintenance,
}

impl Pod {
    pub(crate) fn new(scenario: Scenario, login: &Login) -> Self {
        Self {
            look: scenario.look,
            looks: Cursor::default(),
            jobs: Jobs::new(scenario.jobs, &login.username),
            inbox: Inbox::new(scenario.inbox),
            maintenance: Maintenance::new(scenario.maintenance, scenario.clock.now()),
        }
    }

    /// What lies in the inboxes.
    pub(crate) fn stored(&self) -> Vec<Stored> {
        self.inbox.stored()
    }

    /// Answers a request that comes now.
    pub(crate) fn answer(&mut self, call: &Call<'_>, now: Instant) -> Answer {
        match call.entry {
            Entry::LetIn => {}
            Entry::Stranger => return Answer::error(401),
            Entry::Refused(why) => return Answer::refused_token(why),
        }
        let base = |prefix| format!("{}{prefix}", call.origin);
        match (Route::of(call.path), call.method) {
            (Route::Nowhere | Route::Token | Route::Device, _) => Answer::error(404),
            (Route::Versions, "GET") => self.look(now),
            (Route::VersionsUnslashed, "GET") => Answer::moved(&format!("{}/", call.path)),
            (Route::Jobs { prefix }, "POST") => match submitted(call) {
                Ok(submit) => self.jobs.submit(&base(prefix), &submit, |file| self.inbox.holds(file), now),
                Err(why) => Answer::json(400, &refusal(4, why)),
            },
            (Route::Jobs { prefix }, "GET") => self.jobs.list(&base(prefix)),
            (Route::Job { prefix, id }, "GET") => self.jobs.poll(&base(prefix), id, now),
            (Route::Maintenance { prefix, shows_zone }, "GET") => {
                self.maintenance.answer(&base(prefix), shows_zone, now)
            }
            (Route::Pipeline { code }, "GET") => self.jobs.pipeline(code, now),
            (Route::Contents { name, .. }, "GET") => match self.inbox.give(name) {
                Some(answer) => answer,
                None => self.jobs.download(name, call.wish, now),
            },
            (Route::Contents { prefix, name, folder }, "POST") => match call.parcel {
                Some(parcel) => self.inbox.take(name, folder, parcel, &base(&file(prefix, name)), now),
                None => Answer::error(400),
            },
            (Route::FileStatus { prefix, name }, "GET") => self.inbox.status(&base(&file(prefix, name)), now),
            (Route::Stored { prefix, name }, "DELETE") => self.inbox.delete(name, &base(&file(prefix, name))),
            _ => Answer::error(405),
        }
    }

    fn look(&mut self, now: Instant) -> Answer {
        // What this list says on a pod is not documented; only that it answers. // epm-api.md §1 (14)
        let versions = json!({
            "items": [{"version": "V1", "lifecycle": "active", "isLatest": true}],
            "links": [],
        });
        let usual = Answer::json(200, &versions);
        match self.looks.next(&self.look.replies, now) {
            Some(reply) => Answer::scripted(reply, usual, About::Service),
            None => usual,
        }
    }
}

/// Where a file's content is.
fn file(prefix: &str, name: &str) -> String {
    format!("{prefix}/interop/rest/11.1.2.3.600/applicationsnapshots/{name}/contents")
}

/// A submit that says what is to be run.
pub(crate) struct Submit<'a> {
    pub(crate) job_type: &'a str,
    pub(crate) name: &'a str,
    /// The file to load.
    pub(crate) file: Option<&'a str>,
}

/// The documented types all run something by its name. // epm-api.md §2.1 to §2.5
const NAMED: [&str; 7] = ["INTEGRATION", "PIPELINE", "DATARULE", "BATCH", "MAPPINGIMPORT", "MAPPINGEXPORT", "REPORT"];

/// Which details go with a 400 is not documented: these are ours.
fn submitted<'a>(call: &Call<'a>) -> Result<Submit<'a>, &'static str> {
    if !call.content_type.to_ascii_lowercase().starts_with("application/json") {
        return Err("EPM sandbox: the Content-Type of a submit is application/json");
    }
    let payload = call.payload.filter(|payload| payload.is_object());
    let payload = payload.ok_or("EPM sandbox: the body of a submit is a JSON object")?;
    let job_type = payload["jobType"].as_str();
    let job_type = job_type.ok_or("EPM sandbox: `jobType` is missing, or no string")?;
    let has_name = NAMED.iter().any(|named| named.eq_ignore_ascii_case(job_type));
    let file = payload["fileName"].as_str();
    match payload["jobName"].as_str() {
        Some(name) if !name.is_empty() => Ok(Submit { job_type, name, file }),
        _ if has_name => Err("EPM sandbox: `jobName` is missing, or no string"),
        _ => Ok(Submit { job_type, name: job_type, file }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Call, submitted};
    use crate::login::Entry;
    use crate::range::Wish;

    fn why(content_type: &str, payload: Option<&Value>) -> Option<&'static str> {
        let call = Call {
            method: "POST",
            path: "/aif/rest/V1/jobs",
            origin: "http://127.0.0.1",
            entry: Entry::LetIn,
            content_type,
            payload,
            parcel: None,
            wish: Wish::default(),
        };
        submitted(&call).err()
    }

    #[test]
    fn a_submit_names_its_type_and_its_job() {
        let json = "application/json; charset=UTF-8";
        for (payload, missing) in [
            (json!({"jobType": "INTEGRATION", "jobName": "GLDATA"}), None),
            (json!({"jobType": "pipeline", "jobName": "DAILYLOAD"}), None),
            (json!({"jobType": "SOMETHINGNEW"}), None),
            (json!({"jobType": "INTEGRATION"}), Some("jobName")),
            (json!({"jobType": "batch", "jobName": 7}), Some("jobName")),
            (json!({"jobName": "GLDATA"}), Some("jobType")),
            (json!({"jobType": 7}), Some("jobType")),
            (json!([]), Some("object")),
        ] {
            let why = why(json, Some(&payload));
            assert_eq!(why.is_some(), missing.is_some(), "{payload}");
            assert!(why.unwrap_or_default().contains(missing.unwrap_or_default()));
        }
        assert!(why(json, None).is_some());
        assert!(why("text/plain", Some(&json!({"jobType": "X"}))).is_some());
    }
}
