//! What a scenario says about the jobs of one name.

use serde::Deserialize;

use super::each;
use super::pipeline::PipelineScript;
use super::reply::Reply;

/// The script of a job.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Keys")]
pub(crate) struct JobScript {
    pub(crate) name: JobName,
    pub(crate) id: Option<u64>,
    pub(crate) exists: bool,
    pub(crate) submit: Vec<Reply>,
    pub(crate) polls: Vec<Reply>,
    pub(crate) download: Vec<Reply>,
    pub(crate) process_type: Option<String>,
    pub(crate) log: Option<String>,
    pub(crate) log_file: String,
    pub(crate) log_separator: Separator,
    /// Whether the rest of a file can be asked for.
    pub(crate) ranges: bool,
    pub(crate) output: Option<String>,
    pub(crate) output_file: Option<String>,
    pub(crate) pipeline: Option<PipelineScript>,
    pub(crate) needs_file: bool,
}

/// Which jobs a script is for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum JobName {
    Any,
    Exactly(String),
    /// A shipped scenario's name; `FAILS_WITH_DETAILS` is `fails-with-details`.
    Kebab(String),
}

impl JobName {
    /// The name as a submit would spell it, where it is one name.
    pub(crate) fn spelled(&self) -> Option<&str> {
        match self {
            Self::Any => None,
            Self::Exactly(name) | Self::Kebab(name) => Some(name),
        }
    }

    pub(crate) fn fits(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(exact) => exact == name,
            Self::Kebab(kebab) => *kebab == name.to_lowercase().replace('_', "-"),
        }
    }
}

/// Which encoding of `/` the download service takes for this job's files: both exist. // epm-api.md §4.1
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize)]
pub(crate) enum Separator {
    #[default]
    #[serde(rename = "%2F")]
    Slash,
    #[serde(rename = "%5C")]
    Backslash,
}

/// The keys of a `[[job]]` as a user writes them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    name: Option<String>,
    id: Option<u64>,
    #[serde(default)]
    exists: bool,
    #[serde(default, deserialize_with = "replies")]
    submit: Option<Vec<Reply>>,
    #[serde(default, deserialize_with = "replies")]
    polls: Option<Vec<Reply>>,
    #[serde(default, deserialize_with = "replies")]
    download: Option<Vec<Reply>>,
    process_type: Option<String>,
    log: Option<String>,
    log_file: Option<String>,
    #[serde(default)]
    log_separator: Separator,
    ranges: Option<bool>,
    output: Option<String>,
    output_file: Option<String>,
    pipeline: Option<PipelineScript>,
    #[serde(default)]
    needs_file: bool,
}

impl TryFrom<Keys> for JobScript {
    type Error = String;

    fn try_from(keys: Keys) -> Result<Self, String> {
        match (keys.exists, keys.id) {
            (true, None) => return Err("`exists = true` needs an `id`".into()),
            (_, Some(0)) => return Err("`id = 0`: no job has it".into()),
            _ => {}
        }
        if keys.output.is_some() && keys.output_file.is_none() {
            return Err("`output` needs an `output_file`".into());
        }
        Ok(Self {
            name: match keys.name {
                Some(name) if name != "*" => JobName::Exactly(name),
                _ => JobName::Any,
            },
            id: keys.id,
            exists: keys.exists,
            submit: keys.submit.unwrap_or_default(),
            polls: keys.polls.unwrap_or_else(usual_polls),
            download: keys.download.unwrap_or_default(),
            process_type: keys.process_type,
            log: keys.log,
            // The process log is named after target application and process id. // epm-api.md §3.4
            log_file: keys.log_file.unwrap_or_else(|| "outbox/logs/{name}_{id}.log".into()),
            log_separator: keys.log_separator,
            ranges: keys.ranges.unwrap_or(true),
            output: keys.output,
            output_file: keys.output_file,
            pipeline: keys.pipeline,
            needs_file: keys.needs_file,
        })
    }
}

impl JobScript {
    /// The same job where the file to load is not there.
    pub(crate) fn without_file(&self, file: &str) -> Self {
        let missing =
            Reply::of_failure(&format!("java.io.FileNotFoundException: /u03/inbox/{file} (No such file or directory)"));
        let log = format!("2026-03-22 03:24:26,512 ERROR [AIF]: Unable to find file /u03/inbox/{file}\n");
        Self { polls: vec![Reply::of_status(-1, 1), missing], log: Some(log), ..self.clone() }
    }
}

fn replies<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Vec<Reply>>, D::Error> {
    match each(from)? {
        none if none.is_empty() => Err(serde::de::Error::custom("an empty list: leave it out, or give a reply")),
        some => Ok(Some(some)),
    }
}

/// In progress for three polls, then success.
fn usual_polls() -> Vec<Reply> {
    vec![Reply::of_status(-1, 3), Reply::of_status(0, 1)]
}

#[cfg(test)]
mod tests {
    use super::{JobName, JobScript};

    #[test]
    fn a_name_fits_as_it_is_written_unless_it_is_a_scenario() {
        let kebab = JobName::Kebab("fails-with-details".into());
        let exactly = JobName::Exactly("GLDATA".into());
        for (name, who, fits) in [
            ("anything", &JobName::Any, true),
            ("GLDATA", &exactly, true),
            ("gldata", &exactly, false),
            ("FAILS_WITH_DETAILS", &kebab, true),
            ("fails-with-details", &kebab, true),
            ("FAILS", &kebab, false),
        ] {
            assert_eq!(who.fits(name), fits, "{name}");
        }
    }

    #[test]
    fn what_a_job_cannot_be_is_refused_by_name() {
        for (keys, names) in [
            ("exists = true", "`exists = true` needs an `id`"),
            ("id = 0", "`id = 0`"),
            ("output = 'x'", "`output` needs"),
            ("polls = []", "an empty list"),
            ("log_separator = '/'", "unknown variant `/`"),
            ("pols = []", "unknown field `pols`"),
        ] {
            let error = toml::from_str::<JobScript>(keys).unwrap_err();
            assert!(error.message().contains(names), "{keys}: {error}");
        }
    }
}
