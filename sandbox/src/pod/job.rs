//! The jobs there are, and what each says of itself.

use std::time::Instant;

use serde_json::Value;

use super::Submit;
use super::pipeline::Pipeline;
use crate::answer::{About, Answer};
use crate::envelope::{Facts, refusal};
use crate::file;
use crate::range::Wish;
use crate::scenario::{Changes, JobScript, Reply, Says};
use crate::script::Cursor;

/// A job, somewhere in its script.
pub(crate) struct Job {
    facts: Facts,
    script: JobScript,
    polls: Cursor,
    downloads: Cursor,
    pipeline: Option<Pipeline>,
}

impl Job {
    /// A job that a submit asks for.
    pub(crate) fn of_submit(script: &JobScript, id: u64, submit: &Submit<'_>, by: &str) -> Self {
        let process_type = match &script.process_type {
            Some(scripted) => scripted,
            None => process_type(submit.job_type),
        };
        Self::new(script, id, submit.name, process_type, by)
    }

    /// A job that is there from the start.
    pub(crate) fn of_old(script: &JobScript, id: u64, by: &str) -> Self {
        let name = script.name.spelled().unwrap_or("Vision");
        let process_type = script.process_type.as_deref().unwrap_or("COMM_LOAD_BALANCES");
        Self::new(script, id, name, process_type, by)
    }

    fn new(script: &JobScript, id: u64, name: &str, process_type: &str, by: &str) -> Self {
        let mut facts = Facts {
            id,
            name: name.into(),
            process_type: process_type.into(),
            executed_by: by.into(),
            log_file: String::new(),
            output_file: None,
        };
        facts.log_file = facts.fill(&script.log_file);
        facts.output_file = script.output_file.as_deref().map(|file| facts.fill(file));
        let pipeline = script.pipeline.clone().map(Pipeline::new);
        Self { facts, script: script.clone(), polls: Cursor::default(), downloads: Cursor::default(), pipeline }
    }

    pub(crate) fn id(&self) -> u64 {
        self.facts.id
    }

    /// What the submit that made this job, or was refused, is answered.
    pub(crate) fn submitted(&self, reply: Option<&Reply>, base: &str) -> Answer {
        let facts = &self.facts;
        let usual = Answer::json(200, &facts.envelope(&Changes::default(), base));
        match reply {
            Some(reply) if reply.taken => Answer::scripted(reply, usual, About::Job(facts, base)),
            Some(reply) => Answer::scripted(reply, usual, About::NoJob(facts)),
            None => usual,
        }
    }

    /// What asking for the job's status is answered.
    pub(crate) fn polled(&mut self, base: &str, now: Instant) -> Answer {
        let facts = &self.facts;
        let usual = Answer::json(200, &facts.envelope(&Changes::default(), base));
        match self.polls.next(&self.script.polls, now) {
            Some(reply) if reply.http < 300 => Answer::scripted(reply, usual, About::Job(facts, base)),
            Some(reply) => Answer::scripted(reply, usual, About::NoJob(facts)),
            None => usual,
        }
    }

    /// How the job stands in the list of all: as the last poll of it said.
    pub(crate) fn listed(&self, base: &str) -> Value {
        match self.polls.current(&self.script.polls).map(|reply| &reply.says) {
            Some(Says::Envelope(changes)) => self.facts.envelope(changes, base),
            _ => self.facts.envelope(&Changes::default(), base),
        }
    }

    /// What asking for the pipeline of this code is answered, where this job is a run of it.
    pub(crate) fn detailed(&mut self, code: &str, now: Instant) -> Option<Answer> {
        let facts = &self.facts;
        self.pipeline.as_mut().filter(|_| facts.name == code).map(|pipeline| pipeline.details(facts, now))
    }

    /// What asking for a file is answered, where it is one of this job's.
    pub(crate) fn downloaded(&mut self, segment: &str, wish: Wish<'_>, now: Instant) -> Option<Answer> {
        let is_named = |name: &str| file::is_named(segment, name, self.script.log_separator);
        let text = if is_named(&self.facts.log_file) {
            self.script.log.as_deref()
        } else if self.facts.output_file.as_deref().is_some_and(is_named) {
            self.script.output.as_deref()
        } else {
            Some(self.pipeline.as_ref()?.log(&self.facts, segment, self.script.log_separator)?)
        };
        let usual = match text {
            Some(text) => Answer::file(self.facts.fill(text).into_bytes()),
            None => no_file(),
        };
        let answer = match self.downloads.next(&self.script.download, now) {
            Some(reply) => Answer::scripted(reply, usual, About::NoJob(&self.facts)),
            None => usual,
        };
        Some(if self.script.ranges { answer.ranged(wish) } else { answer })
    }
}

/// What the download service says of a file that is not there: JSON beside a 200. The wording is ours. // epm-api.md §4.1
pub(crate) fn no_file() -> Answer {
    Answer::json(200, &refusal(8, "EPMCSS-00301: file not found"))
}

/// The types that have been seen; what the others say is not known. // epm-api.md §3.4
fn process_type(job_type: &str) -> &'static str {
    match job_type.to_ascii_uppercase().as_str() {
        "BATCH" => "COMM_BATCH",
        "MAPPINGEXPORT" => "EXPORT_MAPPING",
        _ => "COMM_LOAD_BALANCES",
    }
}
