//! What to submit, or which jobs to wait for.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::foreign::{backticked, quote};
use crate::gate::source::Source;
use crate::job::JobId;
use crate::payload::{self, Draft, Field, JobType, Payload};

use super::Error;
use super::given::{Given, Values};
use super::upload::{Upload, all_named};

/// The flags that a whole payload excludes.
const PARTS: [&str; 8] =
    ["job-type", "job-name", "import-mode", "export-mode", "period-name", "start-period", "end-period", "file-name"];

/// The payload: from the flags, from a file, or still to be read from stdin.
pub(super) fn source(values: &Values<'_>, uploads: &[Upload]) -> Result<Source, Error> {
    let Some(file) = values.one_or("payload", "EPM_PAYLOAD_FILE")? else {
        return from_flags(values, uploads).map(Source::Ready);
    };
    all_named(uploads, None)?;
    if let Some(part) = first_part(values)? {
        return Err(part.error(
            format!("it cannot stand beside `{}`, which gives the whole body", file.origin),
            format!("put it into the body, or leave `{}` out", file.origin),
        ));
    }
    if file.value == "-" {
        return Ok(Source::Stdin);
    }
    let named = |problem: String| format!("{}: {problem}", quote(&file.value));
    let bytes = read(Path::new(&file.value)).map_err(|error| {
        file.error(named(error.to_string()), "name a file that exists and that this user may read, or `-` for stdin")
    })?;
    let payload = Payload::of_bytes(&bytes).map_err(|error| file.error(named(error.to_string()), error.help()))?;
    Ok(Source::Ready(payload))
}

/// What a payload may be read from.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(payload::LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn first_part(values: &Values<'_>) -> Result<Option<Given>, Error> {
    for flag in PARTS {
        if let Some(given) = values.one(flag)? {
            return Ok(Some(given));
        }
    }
    let mut repeated = values.many("variable", "EPM_VARIABLES")?;
    repeated.extend(values.many("set", "EPM_SET")?);
    Ok(repeated.into_iter().next())
}

fn from_flags(values: &Values<'_>, uploads: &[Upload]) -> Result<Payload, Error> {
    let job_type = match values.one("job-type")? {
        None => JobType::Integration,
        Some(given) => JobType::of_word(given.value.trim()).ok_or_else(|| {
            let right = JobType::ALL.map(JobType::word);
            let help = format!("use one of {}; any other type only with `--payload`", backticked(&right));
            given.error(format!("{} is not a job type", quote(&given.value)), help)
        })?,
    };
    let (mut draft, origins) = draft(values)?;
    let file =
        |draft: &Draft| draft.parts.iter().find(|(field, _)| *field == Field::FileName).map(|(_, file)| file.clone());
    if let ([only], None, true) = (uploads, file(&draft), job_type.takes(Field::FileName)) {
        draft.parts.push((Field::FileName, only.parcel.remote.to_string()));
    }
    all_named(uploads, file(&draft).as_deref())?;
    Payload::of_draft(job_type, &draft).map_err(|error| {
        let origin = error.field().and_then(|field| origins.iter().find(|(known, _)| *known == field));
        match origin {
            Some((_, origin)) => Error::of(origin, error.to_string(), error.help()),
            None => Error::new(error.to_string(), error.help()),
        }
    })
}

/// The parts that were given, and where each came from.
fn draft(values: &Values<'_>) -> Result<(Draft, Vec<(Field, String)>), Error> {
    let mut draft = Draft::default();
    let mut origins = Vec::new();
    for field in Field::ALL.into_iter().filter(|field| *field != Field::Variables) {
        if let Some(given) = values.one(field.flag())? {
            origins.push((field, given.origin));
            draft.parts.push((field, given.value));
        }
    }
    for given in values.many("variable", "EPM_VARIABLES")? {
        let (key, value) = given.pair()?;
        draft.variables.push((key.to_owned(), value.to_owned()));
        origins.push((Field::Variables, given.origin));
    }
    for given in values.many("set", "EPM_SET")? {
        draft.set.push(setting(&given)?);
    }
    Ok((draft, origins))
}

/// `KEY=VALUE` for a text, `KEY:=JSON` for anything else.
fn setting(given: &Given) -> Result<(String, Value), Error> {
    let (key, value) = given.pair()?;
    let Some(key) = key.strip_suffix(':') else { return Ok((key.to_owned(), value.into())) };
    let json = serde_json::from_str(value).map_err(|error| {
        given.error(format!("the value of `{key}` is not JSON: {error}"), "write `KEY=VALUE` for a text")
    })?;
    Ok((key.trim().to_owned(), json))
}

/// The jobs that were named: each a job id, none twice.
pub(super) fn ids(values: &Values<'_>) -> Result<Vec<JobId>, Error> {
    let mut ids = Vec::new();
    // An empty output of an earlier step comes as an empty word, and is no id.
    for given in values.many_or_empty("job-id", "EPM_JOB_ID")? {
        for word in given.value.split([' ', ',', '\t', '\n']).filter(|word| !word.is_empty()) {
            let id: JobId = word.parse().map_err(|error: crate::job::JobIdError| {
                given.error(format!("{}: {error}", quote(word)), "give the `jobId` that the submit returned")
            })?;
            if ids.contains(&id) {
                return Err(given.error(format!("job {id} is given twice"), "give each job once"));
            }
            ids.push(id);
        }
    }
    if ids.is_empty() {
        return Err(Error::new(
            "no job id is given",
            "name the job, or set `EPM_JOB_ID`; an empty output of an earlier step means that it submitted nothing",
        ));
    }
    Ok(ids)
}
