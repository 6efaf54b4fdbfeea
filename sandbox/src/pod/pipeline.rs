//! What a pipeline's details say. // epm-api.md §2.2, `get_pipeline.html`

use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::answer::{About, Answer};
use crate::envelope::Facts;
use crate::file;
use crate::scenario::{PipelineScript, Separator, StepScript};
use crate::script::Cursor;

/// The stages of a job, and how often they were asked for.
pub(crate) struct Pipeline {
    script: PipelineScript,
    replies: Cursor,
    asked: usize,
}

impl Pipeline {
    pub(crate) fn new(script: PipelineScript) -> Self {
        Self { script, replies: Cursor::default(), asked: 0 }
    }

    /// The definition, which tells of the latest run beside that. Oracle's page shows the keys, and not what stands under
    /// those of the run: words and times are a guess.
    pub(crate) fn details(&mut self, facts: &Facts, now: Instant) -> Answer {
        let usual = json!({
            "status": 0,
            "details": null,
            "response": {
                "name": facts.name,
                "displayName": facts.name,
                "id": 1,
                "parallelJobs": 2,
                "partitionkey": null,
                "partName": null,
                "variables": [],
                "processId": self.script.process_id.unwrap_or(facts.id),
                "stages": self.stages(facts),
            },
        });
        let usual = Answer::json(200, &usual);
        self.asked += 1;
        match self.replies.next(&self.script.replies, now) {
            Some(reply) => Answer::scripted(reply, usual, About::NoJob(facts)),
            None => usual,
        }
    }

    /// What the log of a stage's job holds, where this is the name of one that is there.
    pub(crate) fn log(&self, facts: &Facts, segment: &str, separator: Separator) -> Option<&str> {
        let named = |(id, step): &(u64, &StepScript)| file::is_named(segment, &log_file(facts, *id, step), separator);
        self.steps(facts).find(named)?.1.log.as_deref()
    }

    fn stages(&self, facts: &Facts) -> Vec<Value> {
        let mut ids = self.steps(facts).map(|(id, _)| id);
        let stages = self.script.stages.iter().zip(1..);
        let stages = stages.map(|(stage, number)| {
            let jobs = stage.jobs.iter().zip(1..).zip(&mut ids);
            let jobs: Vec<Value> = jobs.map(|((step, sequence), id)| self.job(facts, step, sequence, id)).collect();
            json!({
                "stageName": stage.name,
                "stageDisplayName": stage.name,
                "stageID": number,
                "stageSequence": number,
                "stageParallel": "N",
                "plNextStageSuccess": "CONTINUE",
                "plNextStageFailure": "STOP",
                "jobs": jobs,
            })
        });
        stages.collect()
    }

    fn job(&self, facts: &Facts, step: &StepScript, sequence: usize, id: u64) -> Value {
        let usual = json!({
            "jobType": step.job_type,
            "jobName": step.name,
            "jobID": sequence,
            "jobSeq": sequence,
            "jobObject": null,
            "jobConnection": null,
            "status": step.status.at(self.asked),
            "startTime": step.started,
            "endTime": step.ended,
            "logFile": log_file(facts, id, step),
            "processId": id,
            "parameters": [],
        });
        let Value::Object(mut keys) = usual else { return usual };
        keys.extend(step.fields.clone());
        keys.retain(|key, _| !step.without.contains(key));
        Value::from_iter::<Map<String, Value>>(keys)
    }

    /// Each job of a stage with its id, which is none that a submit is given.
    fn steps(&self, facts: &Facts) -> impl Iterator<Item = (u64, &StepScript)> {
        (facts.id * 100 + 1..).zip(self.script.stages.iter().flat_map(|stage| &stage.jobs))
    }
}

fn log_file(facts: &Facts, id: u64, step: &StepScript) -> String {
    let usual = || format!("outbox/logs/{}_{id}.log", step.name);
    step.log_file.as_deref().map_or_else(usual, |file| facts.fill(file))
}
