//! The entries of a ledger and the rules by which they change. No file and no clock here: every moment is given.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::digest::hexadecimal;
use crate::job::{Facts, JobId, State};

/// What tells a ledger from any other JSON.
const FORMAT: &str = "epm-gate ledger";
const VERSION: u32 = 1;

/// How long an entry is kept after its end or its refusal: longer than any platform lets a run be repeated (GitHub: 30
/// days). What is open is kept for ever.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How old a success under a key of the user's own may be: a key that never changes would be green for ever.
const FRESH: SignedDuration = SignedDuration::from_hours(12);

/// The number of a run's first attempt.
const FIRST: u32 = 1;

fn first() -> u32 {
    FIRST
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_first(attempt: &u32) -> bool {
    *attempt == FIRST
}

/// What makes two submits one: the CI's run or the user's key, where it goes, and what is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The CI's run, job and step, or the key that the user gave.
    pub run: String,
    /// The SHA-256 of the canonical payload and of the files that are brought with it, in hexadecimal.
    pub payload: String,
    /// The host, with its port where that is not the usual one, and the prefix of the service.
    pub place: String,
}

impl Key {
    /// The key of a payload: the order of its keys and its white space do not count, the spelling of its numbers does.
    /// `files`: the name and the hash of each file that is brought with it; their order does not count.
    pub fn new(run: &str, place: &str, payload: &RawValue, files: &[(&str, &str)]) -> Self {
        let mut files = files.to_vec();
        files.sort_unstable();
        // Neither JSON without white space nor a file's name holds the end of a line.
        let lines = files.iter().map(|(name, sha256)| format!("\n{sha256} {name}"));
        let text = lines.fold(canonical(payload), |text, line| text + &line);
        let payload = hexadecimal(digest(&SHA256, text.as_bytes()).as_ref());
        Self { run: run.to_owned(), payload, place: place.to_owned() }
    }
}

/// JSON without white space, the keys of each object sorted.
fn canonical(json: &RawValue) -> String {
    if let Ok(keys) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json.get()) {
        let pairs = keys.into_iter().map(|(key, value)| format!("{}:{}", Value::from(key), canonical(value)));
        return format!("{{{}}}", pairs.collect::<Vec<_>>().join(","));
    }
    if let Ok(values) = serde_json::from_str::<Vec<&RawValue>>(json.get()) {
        return format!("[{}]", values.into_iter().map(canonical).collect::<Vec<_>>().join(","));
    }
    let text = serde_json::from_str::<String>(json.get());
    text.map_or_else(|_| json.get().to_owned(), |text| Value::from(text).to_string())
}

/// What is submitted, for whoever reads the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// The job's type.
    pub job_type: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Which attempt of its run it is, counted from 1.
    pub attempt: u32,
}

impl Default for Work {
    fn default() -> Self {
        Self { job_type: String::new(), name: None, attempt: FIRST }
    }
}

/// The end of a job, as it was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Recorded {
    /// When it was heard.
    pub at: Timestamp,
    /// EPM's number: one that ends a job.
    pub status: i64,
    /// How long it took from its submit, in seconds, as far as a gate has watched it.
    pub seconds: u64,
    /// EPM's texts beside the number.
    pub facts: Facts,
}

/// What became of a submit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
enum Stage {
    /// It may have been sent. In braces, so that whatever else stands beside the word is refused, and not passed over.
    Intended {
        /// What it takes the place of, should nothing come of it: `--fresh` submits in spite of that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Box<Before>>,
    },
    /// It provably did not act.
    Refused { at: Timestamp },
    /// EPM took it.
    Submitted {
        #[serde(rename = "jobId")]
        id: JobId,
        at: Timestamp,
        /// Whether somebody found the id, and EPM did not give it to the submit: another one may take its place.
        #[serde(default, skip_serializing_if = "is_false")]
        found: bool,
    },
    /// Its job is at its end.
    Ended {
        #[serde(rename = "jobId")]
        id: JobId,
        at: Timestamp,
        #[serde(default, skip_serializing_if = "is_false")]
        found: bool,
        end: Box<Recorded>,
    },
}

/// What an entry was before an intent took its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Before {
    #[serde(default = "first", skip_serializing_if = "is_first")]
    attempt: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    again: bool,
    state: Stage,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Stage {
    fn id(&self) -> Option<JobId> {
        match self {
            Self::Intended { .. } | Self::Refused { .. } => None,
            Self::Submitted { id, .. } | Self::Ended { id, .. } => Some(*id),
        }
    }

    fn is_found(&self) -> bool {
        matches!(self, Self::Submitted { found: true, .. } | Self::Ended { found: true, .. })
    }

    /// When nothing more was to come of it; none while something is.
    fn over(&self) -> Option<Timestamp> {
        match self {
            Self::Intended { .. } | Self::Submitted { .. } => None,
            Self::Refused { at } => Some(*at),
            Self::Ended { end, .. } => Some(end.at),
        }
    }
}

/// One submit, or a job that somebody attached to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    /// None for a job that no run with this ledger submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(rename = "host")]
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job_name: Option<String>,
    /// When the submit was about to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    intended: Option<Timestamp>,
    /// Which attempt of its run it is.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    attempt: u32,
    /// Whether its run was about to make another one.
    #[serde(default, skip_serializing_if = "is_false")]
    again: bool,
    state: Stage,
}

impl Entry {
    fn new(key: &Key, work: &Work, now: Timestamp, state: Stage) -> Self {
        Self {
            run: Some(key.run.clone()),
            place: key.place.clone(),
            payload: Some(key.payload.clone()),
            job_type: Some(work.job_type.clone()),
            job_name: work.name.clone(),
            intended: Some(now),
            attempt: work.attempt,
            again: false,
            state,
        }
    }

    fn is_of(&self, key: &Key) -> bool {
        self.run.as_ref() == Some(&key.run) && self.payload.as_ref() == Some(&key.payload) && self.place == key.place
    }
}

/// What a run finds under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing that keeps it from submitting.
    Nothing,
    /// A submit that may have been sent, and whose job is not known.
    Open {
        /// When it was about to be sent.
        at: Option<Timestamp>,
    },
    /// A job whose end is not known.
    Running {
        /// The job.
        id: JobId,
        /// When EPM took it.
        at: Timestamp,
    },
    /// A job that ended with status 0.
    Passed {
        /// The job.
        id: JobId,
        /// Its end.
        end: Box<Recorded>,
    },
    /// A success under a key of the user's own, too old to be meant.
    Stale {
        /// The job.
        id: JobId,
        /// When its end was heard.
        at: Timestamp,
    },
}

/// Which submit an id that somebody found belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// The key that was given. With it, an id that somebody found before may be replaced.
    pub run: Option<String>,
    /// The job's name, as the user labels it or as EPM tells it.
    pub name: Option<String>,
    /// Whether it belongs to none: of several ids nobody can say which it is, and a stage of a pipeline that names no key
    /// attaches to whatever it was given.
    pub is_idle: bool,
}

impl Hint {
    /// Whether an entry is a submit that may be the one.
    fn fits(&self, entry: &Entry, place: &str) -> bool {
        let agrees = |told: &Option<String>, known: &Option<String>| told.is_none() || told == known;
        let waits = match &entry.state {
            Stage::Intended { .. } => true,
            state => self.run.is_some() && state.is_found(),
        };
        !self.is_idle
            && waits
            && entry.run.is_some()
            && entry.place == place
            && agrees(&self.run, &entry.run)
            && agrees(&self.name, &entry.job_name)
    }
}

/// What became of an id that somebody found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// The ledger had it already.
    Known,
    /// It is now the job of the submit of this moment.
    OfSubmit(Option<Timestamp>),
    /// It stands by itself, beside so many submits whose jobs are not known.
    Alone {
        /// How many.
        open: usize,
    },
}

/// All entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    entries: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    format: String,
    version: u32,
    entries: Vec<Entry>,
}

impl Book {
    /// Reads a ledger's text.
    ///
    /// # Errors
    ///
    /// What is no ledger of this version, in a sentence; also one that says two things of one submit or one job.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let head: Head =
            serde_json::from_slice(bytes).map_err(|error| format!("it is not a ledger's JSON: {error}"))?;
        if head.format != FORMAT {
            return Err(format!("its `format` is not `{FORMAT}`"));
        }
        if head.version != VERSION {
            return Err(format!("its version is {}, and this program knows {VERSION} alone", head.version));
        }
        let sheet: Sheet =
            serde_json::from_slice(bytes).map_err(|error| format!("it is not a ledger's JSON: {error}"))?;
        let book = Self { entries: sheet.entries };
        book.check()?;
        Ok(book)
    }

    fn check(&self) -> Result<(), String> {
        for (index, entry) in self.entries.iter().enumerate() {
            let place = index + 1;
            if entry.run.is_some() != entry.payload.is_some() || entry.run.is_none() && entry.state.id().is_none() {
                return Err(format!("entry {place} has neither a whole key nor a job"));
            }
            if let Stage::Ended { end, .. } = &entry.state
                && !State::of(end.status).is_finished()
            {
                return Err(format!("entry {place} is ended with status {}, which ends nothing", end.status));
            }
            let is_twin = |other: &Entry| {
                let same_job = other.state.id().is_some() && other.state.id() == entry.state.id();
                let same_submit = other.run.is_some() && (&other.run, &other.payload) == (&entry.run, &entry.payload);
                other.place == entry.place && (same_job || same_submit)
            };
            if self.entries[..index].iter().any(is_twin) {
                return Err(format!("entry {place} speaks of what another one speaks of"));
            }
        }
        Ok(())
    }

    /// The ledger's text.
    pub fn text(&self) -> String {
        let sheet = Sheet { format: FORMAT.to_owned(), version: VERSION, entries: self.entries.clone() };
        // Serializing what is made of texts and numbers cannot fail.
        serde_json::to_string_pretty(&sheet).unwrap_or_default() + "\n"
    }

    /// What a run with this key finds. `is_explicit`: the user gave the key's first part.
    pub fn found(&self, key: &Key, is_explicit: bool, now: Timestamp) -> Found {
        let Some(entry) = self.entries.iter().find(|entry| entry.is_of(key)) else { return Found::Nothing };
        match &entry.state {
            Stage::Refused { .. } => Found::Nothing,
            Stage::Intended { .. } => Found::Open { at: entry.intended },
            Stage::Submitted { id, at, .. } => Found::Running { id: *id, at: *at },
            Stage::Ended { end, .. } if State::of(end.status) != State::Succeeded => Found::Nothing,
            // A moment that is yet to come is that of a clock which was wrong.
            Stage::Ended { id, end, .. } if is_explicit && now.duration_since(end.at).abs() > FRESH => {
                Found::Stale { id: *id, at: end.at }
            }
            Stage::Ended { id, end, .. } => Found::Passed { id: *id, end: end.clone() },
        }
    }

    /// The jobs of the same run whose end is not known, that were submitted with other payloads or other files.
    pub fn others(&self, key: &Key) -> Vec<JobId> {
        let is_other =
            |entry: &&Entry| entry.run.as_ref() == Some(&key.run) && entry.place == key.place && !entry.is_of(key);
        let open = self.entries.iter().filter(is_other).filter(|entry| entry.state.over().is_none());
        open.filter_map(|entry| entry.state.id()).collect()
    }

    /// How many attempts the run with this key has made that count: none before one that begins anew.
    pub fn attempts(&self, key: &Key) -> u32 {
        let Some(entry) = self.entries.iter().find(|entry| entry.is_of(key)) else { return 0 };
        let is_over = match &entry.state {
            Stage::Refused { .. } => true,
            Stage::Ended { end, .. } => State::of(end.status) != State::Succeeded && !entry.again,
            Stage::Intended { .. } | Stage::Submitted { .. } => false,
        };
        if is_over { 0 } else { entry.attempt }
    }

    /// The run is about to make another attempt, now that the job of this one has failed.
    pub fn again(&mut self, key: &Key) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.is_of(key)) {
            entry.again = matches!(entry.state, Stage::Ended { .. });
        }
    }

    /// A submit is about to be sent.
    pub fn intend(&mut self, key: &Key, work: &Work, now: Timestamp) {
        let before = self.take(key).filter(|before| !matches!(before.state, Stage::Refused { .. })).map(Box::new);
        self.entries.retain(|entry| entry.state.over().is_none_or(|at| now.duration_since(at) < KEPT));
        self.entries.push(Entry::new(key, work, now, Stage::Intended { before }));
    }

    /// The submit provably did not act: what stood there before stands there again.
    pub fn refuse(&mut self, key: &Key, now: Timestamp) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.is_of(key))
            && let Stage::Intended { before } = &mut entry.state
        {
            let refused = Before { attempt: entry.attempt, again: false, state: Stage::Refused { at: now } };
            let Before { attempt, again, state } = before.take().map_or(refused, |before| *before);
            (entry.attempt, entry.again, entry.state) = (attempt, again, state);
        }
    }

    /// EPM took the submit. Where another entry has that job, such as one that somebody attached to, it gives way; and
    /// where the intent has vanished meanwhile, the job must not.
    pub fn submitted(&mut self, key: &Key, work: &Work, id: JobId, now: Timestamp) {
        self.entries.retain(|entry| entry.is_of(key) || entry.place != key.place || entry.state.id() != Some(id));
        let state = Stage::Submitted { id, at: now, found: false };
        match self.entries.iter_mut().find(|entry| entry.is_of(key)) {
            Some(entry) => entry.state = state,
            None => self.entries.push(Entry::new(key, work, now, state)),
        }
    }

    /// Takes the entry of a key out.
    fn take(&mut self, key: &Key) -> Option<Before> {
        let index = self.entries.iter().position(|entry| entry.is_of(key))?;
        let Entry { attempt, again, state, .. } = self.entries.remove(index);
        Some(Before { attempt, again, state })
    }

    /// A job's end was heard. One that was recorded with the same status stays as it was: its age counts from when it was
    /// heard first.
    pub fn ended(&mut self, place: &str, id: JobId, end: &Recorded) {
        for entry in self.entries.iter_mut().filter(|entry| entry.place == place && entry.state.id() == Some(id)) {
            let (at, found) = match &entry.state {
                Stage::Submitted { at, found, .. } => (*at, *found),
                Stage::Ended { at, found, end: known, .. } if known.status != end.status => (*at, *found),
                _ => continue,
            };
            entry.state = Stage::Ended { id, at, found, end: Box::new(end.clone()) };
        }
    }

    /// Takes in an id that somebody found, and that EPM has answered about. Where it is not that of a run already, it
    /// belongs to the one submit whose job is not known, as far as the hint tells; else it stands by itself.
    pub fn adopt(&mut self, place: &str, id: JobId, hint: &Hint, now: Timestamp) -> Adopted {
        let is_this = |entry: &Entry| entry.place == place && entry.state.id() == Some(id);
        if self.entries.iter().any(|entry| is_this(entry) && entry.run.is_some()) {
            return Adopted::Known;
        }
        let fitting: Vec<usize> = (0..self.entries.len()).filter(|at| hint.fits(&self.entries[*at], place)).collect();
        let state = Stage::Submitted { id, at: now, found: true };
        if let [index] = fitting[..] {
            self.entries[index].state = state;
            let intended = self.entries[index].intended;
            self.entries.retain(|entry| entry.run.is_some() || !is_this(entry));
            return Adopted::OfSubmit(intended);
        }
        if !self.entries.iter().any(is_this) {
            let (run, payload, job_type, intended) = (None, None, None, None);
            let (place, job_name) = (place.to_owned(), hint.name.clone());
            let (attempt, again) = (FIRST, false);
            self.entries.push(Entry { run, place, payload, job_type, job_name, intended, attempt, again, state });
        }
        let is_open = |entry: &&Entry| entry.place == place && matches!(entry.state, Stage::Intended { .. });
        Adopted::Alone { open: self.entries.iter().filter(is_open).count() }
    }
}

#[cfg(test)]
mod tests;
