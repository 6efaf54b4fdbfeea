//! What lies between the end of a job and the end that the gate gives it: its log, and whatever else tells.
//!
//! The verdict of EPM is written down first, with every condition as if nothing more were learned: a condition that needs
//! the log does not hold while the log is not read. So a deadline or a signal in between leaves what is right.

use std::time::Duration;

use tokio::time::Instant;

use crate::collect;
use crate::diagnose::category::Category;
use crate::foreign::Foreign;
use crate::job::State;
use crate::pipeline::StepEnd;
use crate::report::{End, JobReport};
use crate::wait::Ending;

use super::conditions::{Look, Looks};
use super::{Gate, ending};

/// How long reading the log may take where it is read for its excerpt alone: that is not worth more.
const EXCERPT_LIMIT: Duration = Duration::from_secs(20);

impl Gate {
    /// Brings a job to its end. Nothing that happens once its status is known changes that.
    pub(super) async fn settle(&self, index: usize, ending: Ending) {
        let mut looks = Looks::default();
        if let Ending::Finished(state) = ending {
            self.desk.holds(index, self.end_of(index, ending, &looks));
            looks = self.learn(index, state).await;
        }
        self.desk.ended(index, self.end_of(index, ending, &looks));
    }

    /// The end by what is known now.
    fn end_of(&self, index: usize, ending: Ending, looks: &Looks) -> End {
        self.desk.read(|report| ending::of(ending, &report.jobs[index], &self.plan, looks))
    }

    /// Gathers what tells more of a finished job than its status.
    async fn learn(&self, index: usize, state: State) -> Looks {
        let mut looks = Looks { stages: self.look_at_stages(index).await, ..Looks::default() };
        self.desk.holds(index, self.end_of(index, Ending::Finished(state), &looks));
        let is_wanted = state != State::Succeeded || self.desk.read(|report| report.jobs[index].facts.is_warning());
        if !is_wanted && !self.is_held(index) {
            return looks;
        }
        let name = self.desk.read(|report| report.jobs[index].facts.log_file_name.clone());
        looks.log = self.read_log(index, name).await;
        // Of a success, conditions judge the log of the job itself, unless a failed stage keeps it from passing anyway.
        if state != State::Succeeded || self.plan.conditions.needs_stages() {
            let name = self.desk.read(|report| log_of_stage(&report.jobs[index]));
            if name.is_some() {
                self.read_log(index, name).await;
            }
        }
        self.diagnose(index, state);
        looks
    }

    /// Says why it did not pass. A success that a condition holds back says so itself, where its log tells nothing.
    fn diagnose(&self, index: usize, state: State) {
        let diagnosis = self.desk.read(|report| {
            let job = &report.jobs[index];
            self.plan.reasons.diagnose(state, job.facts.details.as_ref(), job.findings.as_ref())
        });
        if state != State::Succeeded || diagnosis.category != Category::Unclassified {
            self.desk.note(|report| report.jobs[index].diagnosis = Some(diagnosis));
        }
    }

    /// Whether a condition keeps it from passing so far.
    fn is_held(&self, index: usize) -> bool {
        self.desk.read(|report| report.jobs[index].end.as_ref().is_some_and(|end| !end.outcome.is_pass()))
    }

    async fn read_log(&self, index: usize, name: Option<Foreign>) -> Look {
        let Some(name) = name else { return Look::Failed("EPM names none".to_owned()) };
        self.desk.reads(index, &name);
        let until = self.plan.rules.deadline.end().min(Instant::now() + EXCERPT_LIMIT);
        match collect::log_excerpt(&self.client, &name, &self.plan.rules, &self.plan.reasons, until).await {
            Ok(findings) => {
                self.desk.found(index, findings);
                Look::Done
            }
            Err(why) => {
                self.desk.tell_once(ending::no_log(&name, &why));
                Look::Failed(why)
            }
        }
    }
}

/// The log that tells why a PIPELINE did not pass where its own says nothing: that of the first job in its stages which
/// failed.
fn log_of_stage(job: &JobReport) -> Option<Foreign> {
    let tells = job.findings.as_ref().is_some_and(|findings| findings.excerpt.telling > 0);
    let mut failed = job.steps.iter().filter(|step| step.end == StepEnd::Failed && !tells);
    failed.find_map(|step| step.log.clone())
}
