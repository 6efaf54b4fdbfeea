//! What lies between the end of a job and the end that the gate gives it: its files, and whatever else tells.
//!
//! The verdict of EPM is written down first, with every condition as if nothing more were learned: a condition that needs
//! the log does not hold while the log is not read. So a deadline or a signal in between leaves what is right.

use crate::diagnose::Diagnosis;
use crate::diagnose::category::Category;
use crate::foreign::Foreign;
use crate::job::{Answer, State};
use crate::pipeline::StepEnd;
use crate::report::stretches::Phase;
use crate::report::{End, JobReport};
use crate::wait::Ending;

use super::conditions::Looks;
use super::{Gate, ending};

impl Gate {
    /// Brings a job to its end. Nothing that happens once its status is known changes that.
    pub(super) async fn settle(&self, index: usize, ending: Ending) {
        let mut looks = Looks::default();
        if let Ending::Finished(state) = ending {
            // Whatever comes in between, no success stands without what it owes.
            self.owes(index);
            self.desk.holds(index, self.end_of(index, ending, &looks));
            looks = self.learn(index, state).await;
            self.desk.holds(index, self.end_of(index, ending, &looks));
            self.collect_output(index).await;
        }
        self.desk.ended(index, self.end_of(index, ending, &looks));
        self.hold_owed(Some(index), "");
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
        let is_read = is_wanted || self.is_held(index);
        looks.log = self.collect_log(index, is_read).await;
        if is_read {
            // Of a success, conditions judge the log of the job itself, unless a failed stage keeps it from passing anyway.
            if state != State::Succeeded || self.plan.conditions.needs_stages() {
                self.read_log_of_stage(index).await;
            }
            self.diagnose(index, state, &looks);
        }
        looks
    }

    /// Reads the log that tells why a PIPELINE did not pass, where its own gives no reason.
    async fn read_log_of_stage(&self, index: usize) {
        let name = self.desk.read(|report| {
            let job = &report.jobs[index];
            let own = self.plan.reasons.diagnose(State::Failed, job.facts.details.as_ref(), job.findings.as_ref());
            log_of_stage(job).filter(|_| own.category == Category::Unclassified)
        });
        if let Some(name) = name {
            self.read_log(index, &name).await;
        }
    }

    /// Says why it did not pass. A success that a condition holds back says so itself, where its log tells nothing.
    fn diagnose(&self, index: usize, state: State, looks: &Looks) {
        self.desk.begins(index, Phase::Diagnose);
        let diagnosis = self.desk.read(|report| {
            let job = &report.jobs[index];
            let diagnosis = self.plan.reasons.diagnose(state, job.facts.details.as_ref(), job.findings.as_ref());
            if state != State::Succeeded || diagnosis.category != Category::Unclassified {
                return Some(diagnosis);
            }
            let unmet = self.plan.conditions.unmet(job, looks, job.is_whole());
            Some(Diagnosis::of(unmet?.category?))
        });
        self.desk.note_of(index, |job| job.diagnosis = diagnosis);
        self.desk.finishes(index, Phase::Diagnose);
    }

    /// Says why EPM did not take a submit, where its words are known.
    pub(super) fn diagnose_rejection(&self, answer: &Answer) {
        let diagnosis = self.plan.reasons.diagnose(State::Failed, answer.facts.details.as_ref(), None);
        if diagnosis.category != Category::Unclassified {
            self.desk.note_of(0, |job| job.diagnosis = Some(diagnosis));
        }
    }

    /// Whether a condition keeps it from passing so far.
    fn is_held(&self, index: usize) -> bool {
        self.desk.read(|report| report.jobs[index].end.as_ref().is_some_and(|end| !end.outcome.is_pass()))
    }
}

/// The log of the first job in its stages which failed.
fn log_of_stage(job: &JobReport) -> Option<Foreign> {
    let mut failed = job.steps.iter().filter(|step| step.end == StepEnd::Failed);
    failed.find_map(|step| step.log.clone())
}
