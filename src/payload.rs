//! What is submitted: the payload of each job type, its values checked against those that Oracle documents.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::foreign::quote;

/// The job types whose payload is documented. Any other comes as a whole payload only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobType {
    /// An integration of Data Integration (PREST `fdmee_integration_jobtype`).
    Integration,
    /// A load rule of Data Management (PREST `fdmee_run_data_rule`).
    DataRule,
    /// A batch (PREST `fdmee_run_batch`).
    Batch,
    /// A pipeline (PREST `fdmee_run_pipeline`).
    Pipeline,
    /// An import of member mappings (PREST `fdmee_import_data_mapping`).
    MappingImport,
    /// An export of member mappings.
    MappingExport,
    /// A report of Data Management.
    Report,
}

/// A part of the payload that has a flag of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `jobName`
    JobName,
    /// `importMode`
    ImportMode,
    /// `exportMode`
    ExportMode,
    /// `periodName`
    PeriodName,
    /// `startPeriod`
    StartPeriod,
    /// `endPeriod`
    EndPeriod,
    /// `fileName`
    FileName,
    /// `variables`
    Variables,
}

impl Field {
    /// All of them, in the order in which a payload spells them.
    pub const ALL: [Self; 8] = [
        Self::JobName,
        Self::PeriodName,
        Self::StartPeriod,
        Self::EndPeriod,
        Self::ImportMode,
        Self::ExportMode,
        Self::FileName,
        Self::Variables,
    ];

    /// The key in the payload, as Oracle spells it.
    pub fn key(self) -> &'static str {
        match self {
            Self::JobName => "jobName",
            Self::ImportMode => "importMode",
            Self::ExportMode => "exportMode",
            Self::PeriodName => "periodName",
            Self::StartPeriod => "startPeriod",
            Self::EndPeriod => "endPeriod",
            Self::FileName => "fileName",
            Self::Variables => "variables",
        }
    }

    /// The flag's name, without its dashes.
    pub fn flag(self) -> &'static str {
        match self {
            Self::JobName => "job-name",
            Self::ImportMode => "import-mode",
            Self::ExportMode => "export-mode",
            Self::PeriodName => "period-name",
            Self::StartPeriod => "start-period",
            Self::EndPeriod => "end-period",
            Self::FileName => "file-name",
            Self::Variables => "variable",
        }
    }
}

impl JobType {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Integration,
        Self::DataRule,
        Self::Batch,
        Self::Pipeline,
        Self::MappingImport,
        Self::MappingExport,
        Self::Report,
    ];

    /// The type as the payload spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Integration => "INTEGRATION",
            Self::DataRule => "DATARULE",
            Self::Batch => "BATCH",
            Self::Pipeline => "PIPELINE",
            Self::MappingImport => "MAPPINGIMPORT",
            Self::MappingExport => "MAPPINGEXPORT",
            Self::Report => "REPORT",
        }
    }

    /// The type of that name, in any case.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word().eq_ignore_ascii_case(word))
    }

    /// Whether its payload has this part.
    fn takes(self, field: Field) -> bool {
        use Field::{EndPeriod, ExportMode, FileName, ImportMode, JobName, PeriodName, StartPeriod, Variables};
        match self {
            Self::Integration => matches!(field, JobName | PeriodName | ImportMode | ExportMode | FileName),
            Self::DataRule => {
                matches!(field, JobName | StartPeriod | EndPeriod | ImportMode | ExportMode | FileName)
            }
            Self::Pipeline => matches!(field, JobName | Variables),
            Self::MappingImport => matches!(field, JobName | ImportMode | FileName),
            Self::MappingExport => matches!(field, JobName | FileName),
            Self::Batch | Self::Report => field == JobName,
        }
    }

    /// The documented values of a mode (epm-api.md §2.1, §2.3, §2.5), spelled as EPM wants them: they are
    /// case-sensitive there.
    fn modes(self, field: Field) -> &'static [&'static str] {
        match (self, field) {
            (Self::Integration, Field::ImportMode) => &["Append", "Replace", "Map and Validate", "No Import", "Direct"],
            (Self::Integration, Field::ExportMode) => {
                &["Merge", "Replace", "Accumulate", "Subtract", "No Export", "Check"]
            }
            (Self::DataRule, Field::ImportMode) => &["APPEND", "REPLACE", "RECALCULATE", "NONE"],
            // The last two are those of Financial Consolidation and Close and of Tax Reporting.
            (Self::DataRule, Field::ExportMode) => {
                &["STORE_DATA", "ADD_DATA", "SUBTRACT_DATA", "REPLACE_DATA", "NONE", "REPLACE", "MERGE"]
            }
            (Self::MappingImport, Field::ImportMode) => &["MERGE", "REPLACE"],
            _ => &[],
        }
    }

    /// Where a value that this type does not take belongs instead.
    fn instead(self, field: Field) -> Option<String> {
        let sentence = match (self, field) {
            (_, Field::JobName) => return None,
            (Self::Pipeline, Field::PeriodName | Field::StartPeriod) => "set `--variable STARTPERIOD=...`".to_owned(),
            (Self::Pipeline, Field::EndPeriod) => "set `--variable ENDPERIOD=...`".to_owned(),
            (Self::Pipeline, _) => format!("set `--variable {}=...`", field.key().to_uppercase()),
            (Self::DataRule, Field::PeriodName) => "set `--start-period` and `--end-period`".to_owned(),
            (Self::Integration, Field::StartPeriod | Field::EndPeriod) => "set `--period-name`".to_owned(),
            (_, Field::Variables) => "variables belong to `--job-type PIPELINE`".to_owned(),
            _ => format!("leave `--{}` out, or give the whole body with `--payload`", field.flag()),
        };
        Some(sentence)
    }
}

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
}

/// A payload that would not be understood, or not as it was meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No name, though the type needs one.
    #[error("a job of type {} needs a name", job_type.word())]
    NoName {
        /// The type in question.
        job_type: JobType,
    },
    /// A part that the type has no place for.
    #[error("a job of type {} has no `{}`", job_type.word(), field.key())]
    NotTaken {
        /// The type in question.
        job_type: JobType,
        /// The part it does not have.
        field: Field,
    },
    /// A mode that is not documented for the type.
    #[error("{} is not one of the `{}` values of {}", quote(value), field.key(), job_type.word())]
    Mode {
        /// The type in question.
        job_type: JobType,
        /// Which of the modes.
        field: Field,
        /// What was given.
        value: String,
    },
    /// A period that cannot be read.
    #[error("{} is not a period: {problem}", quote(value))]
    Period {
        /// Which of the periods.
        field: Field,
        /// What was given.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// One end of a range without the other.
    #[error("`{}` is given without the other end of the range", given.key())]
    HalfRange {
        /// The end that was given.
        given: Field,
    },
    /// A key that has a flag of its own was set by `--set`.
    #[error("{} has a flag of its own", quote(key))]
    OwnFlag {
        /// The key.
        key: String,
        /// The flag that sets it.
        flag: &'static str,
    },
    /// The same key twice.
    #[error("{} is set twice", quote(key))]
    Twice {
        /// The key.
        key: String,
    },
    /// A payload that is not JSON.
    #[error("the payload is not JSON: {problem}, at line {line}, column {column}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// JSON, but not an object.
    #[error("the payload is {found}, not a JSON object")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// An object that names no job type.
    #[error("the payload has no `jobType` that is a text")]
    NoJobType,
    /// More than any payload holds.
    #[error("the payload is larger than 10 MiB")]
    TooLarge,
    /// UTF-16, as Windows PowerShell's `>` and `Out-File` write it.
    #[error("the payload is UTF-16")]
    Utf16,
    /// Neither UTF-8 nor UTF-16.
    #[error("the payload is not UTF-8 text")]
    NotText,
}

/// The largest payload that is read, in bytes; a file beyond it was named by mistake.
pub const LARGEST: u64 = 10 * 1024 * 1024;

impl Error {
    /// The part of the payload that is wrong, where it is one with a flag.
    pub fn field(&self) -> Option<Field> {
        match self {
            Self::NotTaken { field, .. } | Self::Mode { field, .. } | Self::Period { field, .. } => Some(*field),
            Self::HalfRange { given } => Some(*given),
            _ => None,
        }
    }

    /// What would be right.
    pub fn help(&self) -> String {
        match self {
            Self::NoName { .. } => "set `--job-name`".to_owned(),
            Self::NotTaken { job_type, field } => job_type.instead(*field).unwrap_or_default(),
            Self::Mode { job_type, field, .. } => format!("use one of {}", backticked(job_type.modes(*field))),
            Self::Period { field: Field::PeriodName, .. } => {
                "write `{Jan-26}`, a range `{Jan-26}{Mar-26}`, `{Jan#FY26}` or `{GLOBAL_POV}`; one period alone may do \
                 without braces"
                    .to_owned()
            }
            Self::Period { .. } => "write the period without braces, such as `Jan-26`".to_owned(),
            Self::HalfRange { .. } => "set both `--start-period` and `--end-period`".to_owned(),
            Self::OwnFlag { flag, .. } => format!("use `--{flag}`"),
            Self::Twice { .. } => "keep one of the two".to_owned(),
            Self::NotJson { .. } => "mend the JSON at that place".to_owned(),
            Self::NotAnObject { .. } => {
                "give one object, such as `{\"jobType\":\"INTEGRATION\",\"jobName\":\"GL\"}`".to_owned()
            }
            Self::TooLarge => "give the payload alone".to_owned(),
            Self::Utf16 | Self::NotText => "write it in UTF-8, in PowerShell with `Out-File -Encoding utf8`".to_owned(),
            Self::NoJobType => "add `\"jobType\"` with the type in quotes".to_owned(),
        }
    }
}

/// Lists words as `a`, `b`.
pub fn backticked(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

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
        Ok(Self { body: Value::Object(keys.clone()).to_string(), keys })
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
            Some(Value::String(word)) if !word.is_empty() => Ok(Self { body: text.trim().to_owned(), keys }),
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
    struct Names(Vec<String>);
    impl<'de> Deserialize<'de> for Names {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Names(Vec::new()))
        }
    }
    impl<'de> Visitor<'de> for Names {
        type Value = Self;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
            while let Some((name, _)) = map.next_entry::<_, IgnoredAny>()? {
                self.0.push(name);
            }
            Ok(self)
        }
    }
    let Names(names) = serde_json::from_str(object).ok()?;
    names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)).map(|(_, name)| name.clone())
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

/// One period or a range, each in braces; a bare name gets them.
fn period_name(value: &str) -> Result<String, Error> {
    let bad = |problem| Error::Period { field: Field::PeriodName, value: value.to_owned(), problem };
    let given = value.trim();
    if given.is_empty() {
        return Err(bad("it is empty"));
    }
    if !given.contains(['{', '}']) {
        return Ok(format!("{{{given}}}"));
    }
    let inner = given
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or_else(|| bad("it must begin with `{` and end with `}`"))?;
    let periods: Vec<&str> = inner.split("}{").collect();
    if periods.iter().any(|period| period.contains(['{', '}'])) {
        return Err(bad("its braces do not pair up"));
    }
    if periods.iter().any(|period| period.trim().is_empty()) {
        return Err(bad("a pair of braces is empty"));
    }
    if periods.len() > 2 {
        return Err(bad("a range has two ends"));
    }
    Ok(given.to_owned())
}

/// A name of the period mapping, as DATARULE takes it.
fn mapped_period(field: Field, value: &str) -> Result<String, Error> {
    let given = value.trim();
    let bad = |problem| Error::Period { field, value: value.to_owned(), problem };
    if given.is_empty() {
        return Err(bad("it is empty"));
    }
    if given.contains(['{', '}']) {
        return Err(bad("periods of a DATARULE have no braces"));
    }
    Ok(given.to_owned())
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
