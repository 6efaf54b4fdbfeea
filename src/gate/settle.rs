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
        let stages = self.look_at_stages(index).await;
        let is_wanted = state != State::Succeeded || self.desk.read(|report| report.jobs[index].facts.is_warning());
        let is_read = is_wanted || self.is_held(index);
        let log = if is_read { self.read_log(index).await } else { Look::Pending };
        if is_read {
            self.diagnose(index, state);
        }
        Looks { log, stages }
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

    async fn read_log(&self, index: usize) -> Look {
        let name = self.desk.read(|report| report.jobs[index].facts.log_file_name.clone());
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
