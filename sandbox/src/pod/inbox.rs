//! The files that lie in the inboxes, and what asking for one, bringing one and deleting one is answered.

use std::collections::BTreeMap;
use std::time::Instant;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::job::no_file;
use crate::answer::{About, Answer};
use crate::envelope::refusal;
use crate::fault::Fault;
use crate::parcel::Parcel;
use crate::scenario::{InboxScript, Says, Separator};
use crate::script::Cursor;

/// A file, as far as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stored {
    /// Its name as `fileName` spells it: `inbox/NAME`, or `#epminbox/NAME` in the other inbox.
    pub name: String,
    /// Its size, in bytes.
    pub size: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// The inboxes.
pub(crate) struct Inbox {
    script: InboxScript,
    files: BTreeMap<String, Parcel>,
    uploads: Cursor,
}

impl Inbox {
    pub(crate) fn new(script: InboxScript) -> Self {
        let parcel = |(name, content): (&String, &String)| (name.clone(), Parcel::of(content.as_bytes()));
        let files = script.files.iter().map(parcel).collect();
        Self { script, files, uploads: Cursor::default() }
    }

    /// All files, by name.
    pub(crate) fn stored(&self) -> Vec<Stored> {
        let stored = |(name, parcel): (&String, &Parcel)| Stored {
            name: name.clone(),
            size: parcel.size,
            sha256: parcel.sha256.clone(),
        };
        self.files.iter().map(stored).collect()
    }

    /// Whether a job finds its file; a name without a folder is one of the inbox.
    pub(crate) fn holds(&self, file: &str) -> bool {
        self.files.contains_key(file) || self.files.contains_key(&format!("inbox/{file}"))
    }

    /// Takes a file in. `folder`: `extDirPath`, without which it goes to the inbox of Planning. // epm-api.md §4.2
    pub(crate) fn take(
        &mut self,
        segment: &str,
        folder: Option<&str>,
        parcel: &Parcel,
        url: &str,
        now: Instant,
    ) -> Answer {
        let name = format!("{}/{}", folder.map_or_else(|| "#epminbox".into(), decoded), decoded(segment));
        if let Some(broken) = &parcel.broken {
            if broken.leaves {
                self.files.insert(name, parcel.clone());
            }
            let fault = if broken.stalls { Fault::Hang } else { Fault::ResetBefore };
            return Answer { fault: Some(fault), ..no_file() };
        }
        // The words are those of the page; the number that goes with them is not documented.
        let exists = self.files.contains_key(&name);
        let usual = if exists {
            refusal(8, &format!("EPMCSS-00302: file or folder exists: {name}"))
        } else {
            envelope(&json!(0), &Value::Null, url)
        };
        let usual = Answer::json(200, &usual);
        let reply = self.uploads.next(&self.script.upload, now);
        if !exists && reply.is_none_or(|reply| reply.taken && !is_refusal(&reply.says)) {
            self.files.insert(name, parcel.clone());
        }
        scripted(reply, usual, url)
    }

    /// Whether the newest upload is done with. // epm-api.md §4.1
    pub(crate) fn status(&mut self, url: &str, now: Instant) -> Answer {
        let usual = Answer::json(200, &envelope(&json!(0), &Value::Null, url));
        scripted(self.uploads.next(&self.script.upload, now), usual, url)
    }

    /// A file of that name; none where there is no such file.
    pub(crate) fn give(&self, segment: &str) -> Option<Answer> {
        let parcel = self.files.get(&self.named(segment)?)?;
        Some(match &parcel.bytes {
            Some(bytes) => Answer::file(bytes.clone()),
            None => Answer::json(200, &refusal(8, "EPM sandbox: only size and hash of a file this large are kept")),
        })
    }

    pub(crate) fn delete(&mut self, segment: &str, url: &str) -> Answer {
        let deleted = self.named(segment).and_then(|name| self.files.remove(&name));
        match deleted {
            Some(_) => Answer::json(200, &envelope(&json!(0), &Value::Null, url)),
            None => no_file(),
        }
    }

    /// The name that a segment spells: both separators are documented, each on another page. // epm-api.md §4.1
    fn named(&self, segment: &str) -> Option<String> {
        let name = decoded(segment);
        match self.script.separator {
            None => Some(name.replace('\\', "/")),
            Some(Separator::Slash) => (!name.contains('\\')).then_some(name),
            Some(Separator::Backslash) => (!name.contains('/')).then(|| name.replace('\\', "/")),
        }
    }
}

fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

/// Whether an envelope refuses a file: any number but that of a success and that of being busy.
fn is_refusal(says: &Says) -> bool {
    let Says::Envelope(changes) = says else { return false };
    changes.status.as_ref().is_some_and(|status| *status != json!(0) && *status != json!(-1))
}

/// What the file services say of an operation. Whether an upload that is not done with has such a link is not
/// documented. // epm-api.md §4.2
fn envelope(status: &Value, details: &Value, url: &str) -> Value {
    let mut links = vec![json!({"rel": "self", "href": url, "data": null, "action": "POST"})];
    if *status == json!(-1) {
        let (contents, _) = url.split_once('?').unwrap_or((url, ""));
        let contents = contents.split("/contents").next().unwrap_or_default();
        let href = format!("{contents}/contents/7049");
        links.push(json!({"rel": "Job Status", "href": href, "data": null, "action": "GET"}));
    }
    json!({"status": status, "details": details, "links": links})
}

fn scripted(reply: Option<&crate::scenario::Reply>, usual: Answer, url: &str) -> Answer {
    let Some(reply) = reply else { return usual };
    let usual = match &reply.says {
        Says::Envelope(changes) => {
            let status = changes.status.clone().unwrap_or_else(|| json!(0));
            let Value::Object(mut keys) = envelope(&status, &json!(changes.details), url) else { return usual };
            keys.extend(changes.fields.clone());
            keys.retain(|key, _| !changes.without.contains(key));
            Answer::json(reply.http, &Value::Object(keys))
        }
        _ => usual,
    };
    Answer::scripted(reply, usual, About::Service)
}
