//! Whether a job that did not pass is tried again. Only what is finished, and only where that can be no second load.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::diagnose::category::Category;
use crate::foreign::quote;
use crate::outcome::Outcome;
use crate::pace::brief;
use crate::report::JobReport;

use super::Gate;

/// When a job that did not pass is tried again.
#[derive(Clone, Debug, Default)]
pub struct Retries {
    /// How often, at most.
    pub most: u32,
    /// For which reasons; none for those that are transient.
    pub on: Option<Vec<Category>>,
    /// How long after its end.
    pub delay: Duration,
    /// Whether also where a part may be loaded already.
    pub anyway: bool,
}

impl Retries {
    /// Why a job is not tried again; none where it is.
    fn refusal(&self, job: &JobReport) -> Option<String> {
        if job.attempt > self.most {
            return Some(format!("`--retries` allows {} more than the first attempt", self.most));
        }
        let category = job.diagnosis.as_ref().map_or(Category::Unclassified, |diagnosis| diagnosis.category);
        let word = quote(category.word());
        match &self.on {
            Some(on) if !on.contains(&category) => return Some(format!("{word} is not among those of `--retry-on`")),
            None if !job.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.transient) => {
                return Some(format!("its reason, {word}, does not pass by itself"));
            }
            _ => {}
        }
        (!self.anyway).then(|| doubt(job)).flatten()
    }
}

/// Whether it is at its end by EPM's own verdict, and did not succeed.
fn has_failed(job: &JobReport) -> bool {
    let outcome = job.end.as_ref().map(|end| end.outcome);
    matches!(outcome, Some(Outcome::Failed | Outcome::Cancelled | Outcome::InvalidParameter))
}

/// Why a part of it may be loaded.
fn doubt(job: &JobReport) -> Option<String> {
    const ANYWAY: &str = "a part may be loaded, and `--retry-anyway` is not set";
    match &job.findings {
        Some(findings) if findings.export_began => Some(format!("its log shows that the export had begun: {ANYWAY}")),
        Some(findings) if findings.unreadable.is_some() || findings.excerpt.total == 0 => {
            Some(format!("its log does not show whether the export had begun: {ANYWAY}"))
        }
        Some(_) => None,
        None if job.facts.log_file_name.is_some() => Some(format!("its log could not be read: {ANYWAY}")),
        None => Some(format!("EPM names no log of it: {ANYWAY}")),
    }
}

impl Gate {
    /// Waits for the next attempt where there is to be one, and makes everything ready for it. False where the end of the
    /// job stands.
    pub(super) async fn tries_again(&self) -> bool {
        let retries = &self.plan.retries;
        if retries.most == 0 || !self.desk.read(|report| has_failed(&report.jobs[0])) {
            return false;
        }
        if let Some(why) = self.desk.read(|report| retries.refusal(&report.jobs[0])) {
            self.desk.tell(0, &format!("not tried again: {why}"));
            return false;
        }
        let at = Instant::now() + retries.delay;
        if at >= self.plan.rules.deadline.last_poll() {
            self.desk.tell(0, "not tried again: there is no time left before the deadline");
            return false;
        }
        if let Err(error) = self.desk.write_again() {
            self.desk.tell(0, &format!("not tried again: {}", error.sentence()));
            return false;
        }
        let attempt = self.desk.read(|report| report.jobs[0].attempt) + 1;
        let of = retries.most + 1;
        self.desk.tell(0, &format!("attempt {attempt} of {of} follows in {}", brief(retries.delay)));
        sleep_until(at).await;
        self.desk.note(crate::report::Report::begin_attempt);
        true
    }
}
