//! What lies between the end of a job and the end that the gate gives it: its log, and whatever else tells.
//!
//! The verdict of EPM is written down first, with every condition as if nothing more were learned: a condition that needs
//! the log does not hold while the log is not read. So a deadline or a signal in between leaves what is right.

use std::time::Duration;

use tokio::time::Instant;

use crate::collect;
use crate::diagnose::category::Category;
use crate::job::State;
use crate::report::End;
use crate::wait::Ending;

use super::{Gate, ending};

/// How long reading the log may take where it is read for its excerpt alone: that is not worth more.
const EXCERPT_LIMIT: Duration = Duration::from_secs(20);

impl Gate {
    /// Brings a job to its end. Nothing that happens once its status is known changes that.
    pub(super) async fn settle(&self, index: usize, ending: Ending) {
        if let Ending::Finished(state) = ending {
            self.desk.holds(index, self.end_of(index, ending));
            self.learn(index, state).await;
        }
        self.desk.ended(index, self.end_of(index, ending));
    }

    /// The end by what is known now.
    fn end_of(&self, index: usize, ending: Ending) -> End {
        self.desk.read(|report| ending::of(ending, &report.jobs[index], &self.plan))
    }

    /// Gathers what tells more of a finished job than its status.
    async fn learn(&self, index: usize, state: State) {
        let is_wanted = state != State::Succeeded || self.desk.read(|report| report.jobs[index].facts.is_warning());
        if is_wanted || self.is_held(index) {
            self.read_log(index).await;
            self.diagnose(index, state);
        }
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

    async fn read_log(&self, index: usize) {
        let name = self.desk.read(|report| report.jobs[index].facts.log_file_name.clone());
        let Some(name) = name else { return };
        self.desk.reads(index, &name);
        let until = self.plan.rules.deadline.end().min(Instant::now() + EXCERPT_LIMIT);
        match collect::log_excerpt(&self.client, &name, &self.plan.rules, &self.plan.reasons, until).await {
            Ok(findings) => self.desk.found(index, findings),
            Err(why) => self.desk.tell_once(ending::no_log(&name, &why)),
        }
    }
}
