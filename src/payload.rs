//! What is submitted: the payload of each job type, its values checked against those that Oracle documents.

mod error;
mod job_type;
mod period;

use ring::digest::{SHA256, digest};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::json::Object;

pub use error::Error;
pub use job_type::{Field, JobType};
use period::{mapped_period, period_name};

/// What the user asked for, part by part, not yet checked.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The single-valued parts that were given.
    pub parts: Vec<(Field, String)>,
    /// PIPELINE variables, in the order given.
    pub variables: Vec<(String, String)>,
    /// Any other keys, in the order given.
    pub set: Vec<(String, Value)>,
}

/// What is submitted: checked, and as it goes over the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload {
    body: String,
    keys: Map<String, Value>,
    /// Whether the body came as a whole.
    is_given: bool,
}

/// The largest payload that is read, in bytes; a file beyond it was named by mistake.
pub const LARGEST: u64 = 10 * 1024 * 1024;

impl Payload {
    /// Checks a draft against its type.
    ///
    /// # Errors
    ///
    /// What the type does not take, does not know, or misses.
    pub fn of_draft(job_type: JobType, draft: &Draft) -> Result<Self, Error> {
        if !draft.parts.iter().any(|(field, name)| *field == Field::JobName && !name.trim().is_empty()) {
            return Err(Error::NoName { job_type });
        }
        let mut keys = Map::new();
        keys.insert("jobType".to_owned(), job_type.word().into());
        for field in Field::ALL {
            let Some((_, value)) = draft.parts.iter().find(|(given, _)| *given == field) else { continue };
            keys.insert(field.key().to_owned(), part(job_type, field, value)?.into());
        }
        whole_range(draft)?;
        if !draft.variables.is_empty() {
            keys.insert(Field::Variables.key().to_owned(), variables(job_type, &draft.variables)?);
        }
        for (key, value) in &draft.set {
            set(&mut keys, key, value)?;
        }
        Ok(Self { body: Value::Object(keys.clone()).to_string(), keys, is_given: false })
    }

    /// Takes a whole body as it was read.
    ///
    /// # Errors
    ///
    /// What is not UTF-8, and what [`Self::of_text`] refuses.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() as u64 > LARGEST {
            return Err(Error::TooLarge);
        }
        // JSON holds no NUL, and UTF-16 does not do without.
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || bytes.contains(&0) {
            return Err(Error::Utf16);
        }
        Self::of_text(std::str::from_utf8(bytes).map_err(|_| Error::NotText)?)
    }

    /// Takes a whole body. It is sent as it was written, to the byte.
    ///
    /// # Errors
    ///
    /// What is not a JSON object that names a job type.
    pub fn of_text(text: &str) -> Result<Self, Error> {
        let text = text.trim_start_matches('\u{feff}');
        let keys = match serde_json::from_str(text) {
            Ok(Value::Object(keys)) => keys,
            Ok(other) => return Err(Error::NotAnObject { found: kind(&other) }),
            Err(error) => {
                let problem = error.to_string();
                let problem = problem.split(" at line ").next().unwrap_or_default().to_owned();
                return Err(Error::NotJson { line: error.line(), column: error.column(), problem });
            }
        };
        if let Some(key) = twice(text) {
            return Err(Error::Twice { key });
        }
        match keys.get("jobType") {
            Some(Value::String(word)) if !word.is_empty() => {
                Ok(Self { body: text.trim().to_owned(), keys, is_given: true })
            }
            _ => Err(Error::NoJobType),
        }
    }

    /// The body to the byte, for whoever shows it as part of other JSON.
    pub fn raw(&self) -> Box<RawValue> {
        RawValue::from_string(self.body.clone()).unwrap_or_default()
    }

    /// The body as it is sent.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// Whether the user gave the whole body.
    pub fn is_given(&self) -> bool {
        self.is_given
    }

    /// The SHA-256 of the body as it is sent, to the byte, in hexadecimal.
    pub fn sha256(&self) -> String {
        let hash = digest(&SHA256, self.body.as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }

    /// The body, for whoever reads it.
    pub fn value(&self) -> Value {
        Value::Object(self.keys.clone())
    }

    /// The text under a key, where there is one.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.keys.get(key)?.as_str()
    }

    /// The job's type, spelled as it is sent.
    pub fn job_type(&self) -> &str {
        self.text("jobType").unwrap_or_default()
    }

    /// Whether it is a PIPELINE, spelled in any case (epm-api.md §2.2).
    pub fn is_pipeline(&self) -> bool {
        self.job_type().eq_ignore_ascii_case(JobType::Pipeline.word())
    }

    /// The job's name.
    pub fn job_name(&self) -> Option<&str> {
        self.text(Field::JobName.key())
    }
}

/// Which of the service's folders a `fileName` means. Mixing the two inboxes up loads stale data and still ends in
/// success (epm-api.md §1.13).
pub fn file_place(name: &str) -> &'static str {
    if name.starts_with("#epminbox/") {
        "the Planning inbox, where a plain upload goes"
    } else if name.starts_with("inbox/") {
        "the inbox of Data Integration"
    } else {
        "a name within the folder that the job's definition names"
    }
}

/// A key of the object that stands there twice: which of the two EPM would take is not known.
fn twice(object: &str) -> Option<String> {
    let object: Object = serde_json::from_str(object).ok()?;
    let names: Vec<&str> = object.pairs().map(|(name, _)| name).collect();
    let (_, name) = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name))?;
    Some((*name).to_owned())
}

fn whole_range(draft: &Draft) -> Result<(), Error> {
    let has = |wanted| draft.parts.iter().any(|(field, _)| *field == wanted);
    match (has(Field::StartPeriod), has(Field::EndPeriod)) {
        (true, false) => Err(Error::HalfRange { given: Field::StartPeriod }),
        (false, true) => Err(Error::HalfRange { given: Field::EndPeriod }),
        _ => Ok(()),
    }
}

fn part(job_type: JobType, field: Field, value: &str) -> Result<String, Error> {
    if !job_type.takes(field) {
        return Err(Error::NotTaken { job_type, field });
    }
    match field {
        Field::ImportMode | Field::ExportMode => job_type
            .modes(field)
            .iter()
            .find(|mode| mode.eq_ignore_ascii_case(value.trim()))
            .map(|mode| (*mode).to_owned())
            .ok_or_else(|| Error::Mode { job_type, field, value: value.to_owned() }),
        Field::PeriodName => period_name(value),
        Field::StartPeriod | Field::EndPeriod => mapped_period(field, value),
        Field::JobName | Field::FileName | Field::Variables => Ok(value.to_owned()),
    }
}

fn variables(job_type: JobType, given: &[(String, String)]) -> Result<Value, Error> {
    if !job_type.takes(Field::Variables) {
        return Err(Error::NotTaken { job_type, field: Field::Variables });
    }
    let mut variables = Map::new();
    for (key, value) in given {
        if variables.insert(key.clone(), value.as_str().into()).is_some() {
            return Err(Error::Twice { key: key.clone() });
        }
    }
    Ok(Value::Object(variables))
}

fn set(keys: &mut Map<String, Value>, key: &str, value: &Value) -> Result<(), Error> {
    // Whatever the case: `periodname` beside `periodName` would be two periods to whoever reads the payload.
    if key.eq_ignore_ascii_case("jobType") {
        return Err(Error::OwnFlag { key: key.to_owned(), flag: "job-type" });
    }
    if let Some(field) = Field::ALL.into_iter().find(|field| field.key().eq_ignore_ascii_case(key)) {
        return Err(Error::OwnFlag { key: key.to_owned(), flag: field.flag() });
    }
    match keys.insert(key.to_owned(), value.clone()) {
        None => Ok(()),
        Some(_) => Err(Error::Twice { key: key.to_owned() }),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "`null`",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
