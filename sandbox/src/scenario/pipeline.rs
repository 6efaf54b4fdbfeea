//! What a scenario says about the stages of a pipeline.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::reply::Reply;
use super::{each, of_no_job};

/// The `pipeline` of a job.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PipelineScript {
    /// Whose run it shows; the job's own where that is not said.
    pub(crate) process_id: Option<u64>,
    #[serde(default, deserialize_with = "of_no_job")]
    pub(crate) replies: Vec<Reply>,
    #[serde(default, deserialize_with = "each")]
    pub(crate) stages: Vec<StageScript>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StageScript {
    pub(crate) name: String,
    #[serde(default, deserialize_with = "each")]
    pub(crate) jobs: Vec<StepScript>,
}

/// A job of a stage.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepScript {
    pub(crate) name: String,
    #[serde(default = "integration", rename = "type")]
    pub(crate) job_type: String,
    #[serde(default)]
    pub(crate) status: Told,
    pub(crate) started: Option<String>,
    pub(crate) ended: Option<String>,
    pub(crate) log: Option<String>,
    pub(crate) log_file: Option<String>,
    #[serde(default)]
    pub(crate) fields: Map<String, Value>,
    #[serde(default)]
    pub(crate) without: Vec<String>,
}

/// What the status is each time that somebody asks; the last one goes on.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Told {
    Each(Vec<Value>),
    Always(Value),
}

impl Default for Told {
    fn default() -> Self {
        Self::Always("SUCCESS".into())
    }
}

impl Told {
    /// What is told to whoever asks for the time that `asked` counts from 0.
    pub(crate) fn at(&self, asked: usize) -> Value {
        match self {
            Self::Always(status) => status.clone(),
            Self::Each(statuses) => statuses.get(asked).or(statuses.last()).cloned().unwrap_or_default(),
        }
    }
}

fn integration() -> String {
    "INTEGRATION".into()
}

#[cfg(test)]
mod tests {
    use super::{PipelineScript, Told};

    #[test]
    fn a_status_is_told_each_time_or_always() {
        let each = Told::Each(vec!["RUNNING".into(), "FAILED".into()]);
        assert_eq!([each.at(0), each.at(1), each.at(9)], ["RUNNING", "FAILED", "FAILED"]);
        assert_eq!(Told::default().at(3), "SUCCESS");
        assert!(Told::Each(Vec::new()).at(0).is_null());
    }

    #[test]
    fn what_a_stage_cannot_say_is_refused_by_name() {
        for (keys, names) in [
            ("stages = [{name = 'A', job = []}]", "unknown field `job`"),
            ("stages = [{jobs = []}]", "missing field `name`"),
            ("stages = [{name = 'A', jobs = [{name = 'a', state = 0}]}]", "unknown field `state`"),
            ("replies = [{status = 1}]", "`status`"),
        ] {
            let error = toml::from_str::<PipelineScript>(keys).unwrap_err();
            assert!(error.message().contains(names), "{keys}: {error}");
        }
    }
}
