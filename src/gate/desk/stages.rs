//! What the desk tells of a PIPELINE's stages.

use crate::foreign::quote;
use crate::pipeline::{Latest, Step, StepEnd};
use crate::report::wording::subject;

use super::Desk;

impl Desk {
    /// The jobs of its stages are known: those that failed are told, all are put into the report.
    pub fn stages(&self, index: usize, latest: Latest) {
        let failed = latest.steps.iter().filter(|step| step.end == StepEnd::Failed);
        failed.for_each(|step| self.say(index, &failure(step)));
        if latest.more > 0 {
            let kept = latest.steps.len();
            self.tell(
                index,
                &format!("its stages have {} jobs; {kept} are kept, failed ones first", kept + latest.more),
            );
        }
        self.note_of(index, |job| job.steps = latest.steps);
    }

    /// Its stages are not known.
    pub fn without_stages(&self, index: usize, why: &str) {
        let subject = self.read(|report| subject(&report.jobs[index]));
        self.tell_once_of(index, format!("{subject}: its stages could not be read: {why}"));
    }
}

fn failure(step: &Step) -> String {
    let status = step.status.as_ref().map(|status| format!(" with {}", quote(status.first_line())));
    let log = step.log.as_ref().map(|log| format!("; its log is {}", quote(log.as_str())));
    format!("{} ended{}{}", step.subject(), status.unwrap_or_default(), log.unwrap_or_default())
}
