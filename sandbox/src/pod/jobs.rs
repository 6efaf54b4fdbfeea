//! All jobs, and which script a new one plays.

use std::collections::HashMap;
use std::time::Instant;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::Submit;
use super::job::{Job, no_file};
use crate::answer::Answer;
use crate::envelope::refusal;
use crate::range::Wish;
use crate::scenario::{JobName, JobScript};
use crate::script::Cursor;

/// The first id that is given out, as in the answer that public code has seen. // epm-api.md §3.3
const FIRST_ID: u64 = 2100;

/// All jobs, and the scripts they play.
pub(crate) struct Jobs {
    scripts: Vec<JobScript>,
    submits: Vec<Cursor>,
    taken: HashMap<JobName, usize>,
    known: Vec<Job>,
    user: String,
}

impl Jobs {
    pub(crate) fn new(scripts: Vec<JobScript>, user: &str) -> Self {
        let old = |script: &JobScript| {
            let id = script.id.filter(|_| script.exists)?;
            Some(Job::of_old(script, id, user))
        };
        Self {
            submits: scripts.iter().map(|_| Cursor::default()).collect(),
            taken: HashMap::new(),
            known: scripts.iter().filter_map(old).collect(),
            user: user.into(),
            scripts,
        }
    }

    /// Takes a submit, or refuses it, as the script of the job's name says.
    pub(crate) fn submit(
        &mut self,
        base: &str,
        submit: &Submit<'_>,
        is_there: impl Fn(&str) -> bool,
        now: Instant,
    ) -> Answer {
        let Some(index) = self.script_of(submit.name) else {
            let details = format!("EPMFDM-140149: Invalid Integration Name: {}", submit.name);
            return Answer::json(200, &refusal(1, &details));
        };
        let script = &self.scripts[index];
        let id = self.free_id(script);
        let job = match submit.file {
            _ if !script.needs_file => Job::of_submit(script, id, submit, &self.user),
            Some(file) if is_there(file) => Job::of_submit(script, id, submit, &self.user),
            file => Job::of_submit(&script.without_file(file.unwrap_or_default()), id, submit, &self.user),
        };
        let reply = self.submits[index].next(&script.submit, now);
        let answer = job.submitted(reply, base);
        if reply.is_some_and(|reply| !reply.taken) {
            return answer;
        }
        *self.taken.entry(script.name.clone()).or_default() += 1;
        let id = job.id();
        self.known.push(job);
        answer.creating(id)
    }

    /// What an id that nobody gave out gets is not documented: a 404 is our choice. // epm-api.md §3.5
    pub(crate) fn poll(&mut self, base: &str, id: &str, now: Instant) -> Answer {
        let job = id.parse().ok().and_then(|id: u64| self.known.iter_mut().find(|job| job.id() == id));
        match job {
            Some(job) => job.polled(base, now).about(job.id()),
            None => Answer::json(404, &refusal(4, &format!("EPM sandbox: no job has the id {id}"))),
        }
    }

    /// All jobs, newest first. // epm-api.md §2.6
    pub(crate) fn list(&self, base: &str) -> Answer {
        let items: Vec<Value> = self.known.iter().rev().map(|job| job.listed(base)).collect();
        Answer::json(200, &json!({"items": items, "links": []}))
    }

    /// The newest run of a pipeline. What a code that none has gets is not documented: an envelope with a status is what
    /// public code expects, its words are ours. // epm-api.md §2.2
    pub(crate) fn pipeline(&mut self, code: &str, now: Instant) -> Answer {
        let code = percent_decode_str(code).decode_utf8_lossy();
        let found = self.known.iter_mut().rev().find_map(|job| job.detailed(&code, now));
        let none = format!("EPM sandbox: no pipeline with the code {code} has run");
        found.unwrap_or_else(|| Answer::json(200, &json!({"status": 1, "details": none, "response": null})))
    }

    /// A job's log or output, the newest job's where several share a name.
    pub(crate) fn download(&mut self, segment: &str, wish: Wish<'_>, now: Instant) -> Answer {
        let answer = |job: &mut Job| Some(job.downloaded(segment, wish, now)?.about(job.id()));
        let found = self.known.iter_mut().rev().find_map(answer);
        found.unwrap_or_else(no_file)
    }

    /// Scripts of one name are its attempts: each plays for one job, the last for all that follow. A name that is
    /// spelled out goes before one that fits any job.
    fn script_of(&self, name: &str) -> Option<usize> {
        let fitting = self.scripts.iter().filter(|script| script.name.fits(name));
        let chosen = &fitting.min_by_key(|script| script.name == JobName::Any)?.name;
        let taken = self.taken.get(chosen).copied().unwrap_or(0);
        let same = self.scripts.iter().enumerate().filter(|(_, script)| script.name == *chosen);
        same.take(taken + 1).last().map(|(index, _)| index)
    }

    fn free_id(&self, script: &JobScript) -> u64 {
        let is_free = |id: u64| self.known.iter().all(|job| job.id() != id);
        if let Some(id) = script.id.filter(|id| is_free(*id)) {
            return id;
        }
        let is_asked_for = |id| self.scripts.iter().any(|script| script.id == Some(id));
        let mut counted = FIRST_ID..;
        counted.find(|id| is_free(*id) && !is_asked_for(*id)).unwrap_or(FIRST_ID)
    }
}
