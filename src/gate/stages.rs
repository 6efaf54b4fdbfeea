//! The stages of a PIPELINE, looked at once the job is at its end. They change nothing of it: what keeps them away is a
//! note, and only a condition makes more of it.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::epm::error::ReadError;
use crate::epm::pipeline::Error;
use crate::foreign::quote;
use crate::job::JobId;
use crate::pipeline::Latest;
use crate::report::{JobReport, Report};
use crate::wait::{Rules, persist};

use super::Gate;
use super::conditions::Look;

/// How long asking for them may take: they are told in one answer.
const LIMIT: Duration = Duration::from_secs(10);

impl Gate {
    /// Puts the jobs of its stages into the report of a job that is at its end, where it is a PIPELINE.
    pub(super) async fn look_at_stages(&self, index: usize) -> Look {
        let is_asked_for = self.plan.conditions.needs_stages();
        let job = |report: &Report| {
            let job = &report.jobs[index];
            let wanted = is_asked_for || is_pipeline(report, job);
            wanted.then(|| (job.id, code(job)))
        };
        let Some((id, code)) = self.desk.read(job) else { return Look::Pending };
        match self.stages(id, code.as_deref()).await {
            Ok(latest) => {
                let look = latest.whole.clone().map_or(Look::Done, Look::Unpassed);
                self.desk.stages(index, latest);
                look
            }
            Err(why) => {
                self.desk.without_stages(index, &why);
                Look::Failed(why)
            }
        }
    }

    async fn stages(&self, id: Option<JobId>, code: Option<&str>) -> Result<Latest, String> {
        let code = code.ok_or("the code of its pipeline is not known: give it with `--job-name`")?;
        let until = self.plan.rules.deadline.end().min(Instant::now() + LIMIT);
        let latest = timeout_at(until, self.ask_for_stages(code, until)).await;
        let latest = latest.map_err(|_| "they did not come in time")?.map_err(|error| error.to_string())?;
        of_job(latest, id, code)
    }

    async fn ask_for_stages(&self, code: &str, until: Instant) -> Result<Latest, Error> {
        let rules = &self.plan.rules;
        let left = until.saturating_duration_since(Instant::now());
        let rules = Rules { outage_budget: rules.outage_budget.min(left), ..*rules };
        let attempt = async || match self.client.pipeline(code).await {
            Err(Error::Read(ReadError::Fault(fault))) => Err(fault),
            told => Ok(told),
        };
        persist(&rules, || true, attempt, |_| {}).await.map_err(ReadError::from)?
    }
}

/// Whether a job is one with stages, by what was submitted or by what EPM calls it. Which `processType` a PIPELINE has is
/// not documented.
fn is_pipeline(report: &Report, job: &JobReport) -> bool {
    let process_type = job.facts.process_type.as_ref().map(|text| text.as_str().to_ascii_uppercase());
    match &report.payload {
        Some(payload) => payload.is_pipeline(),
        None => process_type.is_some_and(|text| text.contains("PIPELINE")),
    }
}

/// The code of its pipeline: the name that was submitted or given, or what EPM calls the job.
fn code(job: &JobReport) -> Option<String> {
    let told = job.facts.job_name.as_ref().map(|name| name.as_str().to_owned());
    job.name.clone().or(told).filter(|code| !code.trim().is_empty())
}

/// The run, where it is that of our job: the latest one may be another's.
fn of_job(latest: Latest, id: Option<JobId>, code: &str) -> Result<Latest, String> {
    match latest.id {
        Some(told) if Some(told) == id => Ok(latest),
        Some(other) => Err(format!("the latest run of {} is job {other}", quote(code))),
        None => Err(format!("EPM does not tell which job the latest run of {} is", quote(code))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_run_of_our_job_is_taken() {
        let latest = |id| Latest { id: JobId::new(id), steps: Vec::new(), more: 0, whole: None };
        let why = |told, ours| of_job(latest(told), JobId::new(ours), "DAILY").map(|_| ()).unwrap_err();
        assert_eq!(of_job(latest(7), JobId::new(7), "DAILY"), Ok(latest(7)));
        assert_eq!(why(8, 7), "the latest run of `DAILY` is job 8");
        assert_eq!(why(0, 7), "EPM does not tell which job the latest run of `DAILY` is");
        assert_eq!(why(0, 0), "EPM does not tell which job the latest run of `DAILY` is");
    }
}
