//! The stages of a PIPELINE job and the jobs in them, as EPM tells of its latest run (epm-api.md §2.2).

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use crate::foreign::{Foreign, quote};
use crate::job::JobId;

/// The latest run of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The job that it is, where that is told: a pipeline is asked for by its code, and may run again at any time.
    pub id: Option<JobId>,
    /// The jobs of its stages, in their order.
    pub steps: Vec<Step>,
    /// How many more there are, all of which passed, or at least as many as are kept did not.
    pub more: usize,
    /// The worst that the run or a stage says of itself, where that is not that it passed.
    pub whole: Option<Whole>,
}

/// What a run, or a stage of it, says of itself beside its jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// The stage; none for the run.
    pub stage: Option<Foreign>,
    /// Its status, as it is told.
    pub status: Foreign,
    /// What that means.
    pub end: StepEnd,
}

/// A job of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The stage that it belongs to.
    pub stage: Foreign,
    /// Its name.
    pub name: Foreign,
    /// Its type.
    pub job_type: Option<Foreign>,
    /// Its status, as it is told.
    pub status: Option<Foreign>,
    /// What that means.
    pub end: StepEnd,
    /// Its own id.
    pub id: Option<JobId>,
    /// How long it took, where both of its ends are told.
    pub took: Option<Duration>,
    /// When it ended, as it is told.
    pub ended: Option<Foreign>,
    /// Its log.
    pub log: Option<Foreign>,
}

/// How a job of a stage ended; the best end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepEnd {
    /// It passed.
    Passed,
    /// What is told cannot be read, or nothing is.
    Unknown,
    /// It failed, or was cancelled.
    Failed,
}

/// What a job of a stage says when it passed. Which words stand there is not documented: these are the ones that EPM uses
/// for jobs (epm-api.md §3.4, §7), each as one that could be meant. A warning is no failure, as for any job.
const PASSED: [&str; 9] = [
    "0",
    "SUCCESS",
    "SUCCEEDED",
    "SUCCESSFUL",
    "COMPLETED",
    "WARNING",
    "SUCCESS WITH WARNINGS",
    "COMPLETED WITH WARNING",
    "COMPLETED WITH WARNINGS",
];

/// The same for one that did not.
const FAILED: [&str; 9] =
    ["1", "3", "4", "FAILED", "FAILURE", "ERROR", "CANCELLED", "CANCELED", "COMPLETED WITH ERRORS"];

impl StepEnd {
    /// What a status means that is a number or a word.
    pub fn of(status: &str) -> Self {
        let word = status.trim().replace('_', " ").to_ascii_uppercase();
        match word.as_str() {
            word if PASSED.contains(&word) => Self::Passed,
            word if FAILED.contains(&word) => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// The most jobs of stages that are kept.
const MOST: usize = 200;

impl Latest {
    /// A run with these jobs. Of too many, those that did not pass are kept before all others.
    pub fn new(id: Option<JobId>, mut steps: Vec<Step>) -> Self {
        let more = steps.len().saturating_sub(MOST);
        let mut surplus = more;
        for end in [StepEnd::Passed, StepEnd::Unknown, StepEnd::Failed] {
            let mut place = steps.len();
            while surplus > 0 && place > 0 {
                place -= 1;
                if steps[place].end == end {
                    steps.remove(place);
                    surplus -= 1;
                }
            }
        }
        Self { id, steps, more, whole: None }
    }
}

impl Whole {
    /// What it is about, for the middle of a sentence.
    pub fn subject(&self) -> String {
        let stage = self.stage.as_ref().map(|stage| format!("stage {} itself", quote(stage.as_str())));
        stage.unwrap_or_else(|| "the run of the pipeline itself".to_owned())
    }
}

impl Step {
    /// The job and its stage, for the middle of a sentence.
    pub fn subject(&self) -> String {
        format!("job {} of stage {}", quote(self.name.as_str()), quote(self.stage.as_str()))
    }
}

/// The first job that did not pass; a failed one before one whose end cannot be read.
pub fn first_unpassed(steps: &[Step]) -> Option<&Step> {
    let first = |end| steps.iter().find(move |step| step.end == end);
    first(StepEnd::Failed).or_else(|| first(StepEnd::Unknown))
}

/// How long it was from one time to another, where both are read in the same way. How EPM writes them here is not
/// documented.
pub fn between(start: &str, end: &str) -> Option<Duration> {
    let (start, end) = (start.trim(), end.trim());
    let stamps = || Some((end.parse::<Timestamp>().ok()?, start.parse::<Timestamp>().ok()?));
    // A time with an offset would be read without it.
    let is_local = |text: &str| text.parse::<Timestamp>().is_err();
    let local = || Some((end.parse::<DateTime>().ok()?, start.parse::<DateTime>().ok()?));
    let millis = |text: &str| text.parse::<i64>().ok().filter(|_| text.len() >= 12);
    let took = match (stamps(), millis(start), millis(end)) {
        (Some((end, start)), ..) => end.duration_since(start),
        (None, Some(start), Some(end)) => SignedDuration::from_millis(end.checked_sub(start)?),
        _ if is_local(start) && is_local(end) => local().map(|(end, start)| end.duration_since(start))?,
        _ => return None,
    };
    took.try_into().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A job of a stage that ended with this status.
    pub(crate) fn step(stage: &str, name: &str, status: Option<&str>) -> Step {
        Step {
            stage: Foreign::new(stage),
            name: Foreign::new(name),
            job_type: None,
            status: status.map(Foreign::new),
            end: status.map_or(StepEnd::Unknown, StepEnd::of),
            id: None,
            took: None,
            ended: None,
            log: None,
        }
    }

    #[test]
    fn only_what_says_so_has_passed() {
        for passed in [
            "0",
            "SUCCESS",
            "success",
            " Succeeded ",
            "COMPLETED",
            "Warning",
            "Completed with Warnings",
            "COMPLETED_WITH_WARNINGS",
        ] {
            assert_eq!(StepEnd::of(passed), StepEnd::Passed, "{passed}");
        }
        for failed in ["1", "3", "4", "FAILED", "Error", "cancelled", "CANCELED"] {
            assert_eq!(StepEnd::of(failed), StepEnd::Failed, "{failed}");
        }
        for unknown in
            ["", "-1", "2", "00", "0.0", "2147483647", "RUNNING", "NOT SUCCESS", "SKIPPED", "FAILED WITH WARNING", "✓"]
        {
            assert_eq!(StepEnd::of(unknown), StepEnd::Unknown, "{unknown}");
        }
    }

    #[test]
    fn a_duration_is_told_only_where_both_ends_are_read_alike() {
        let table = [
            ("2026-03-22 03:24:25", "2026-03-22 03:26:30.5", Some(125_500)),
            ("2026-03-22T03:24:25", "2026-03-22T03:24:25", Some(0)),
            ("2026-03-22T03:24:25Z", "2026-03-22T04:24:26+01:00", Some(1000)),
            ("1774149865000", "1774149866500", Some(1500)),
            ("2026-03-22 03:24:25", "2026-03-22 03:24:24", None),
            ("2026-03-22T03:24:25Z", "2026-03-22T03:24:26", None),
            ("1774149865000", "2026-03-22T03:24:26", None),
            ("5", "9", None),
            ("22-Mar-26 03:24 AM", "22-Mar-26 03:25 AM", None),
            ("", "", None),
        ];
        for (start, end, millis) in table {
            assert_eq!(between(start, end), millis.map(Duration::from_millis), "{start} {end}");
        }
    }

    #[test]
    fn of_too_many_those_that_did_not_pass_are_kept_in_their_order() {
        let steps = |status: fn(usize) -> &'static str| -> Vec<Step> {
            (0..300).map(|n| step("S", &n.to_string(), Some(status(n)))).collect()
        };
        let latest = Latest::new(None, steps(|n| if n >= 250 { "FAILED" } else { "SUCCESS" }));
        assert_eq!((latest.steps.len(), latest.more), (200, 100));
        assert_eq!((latest.steps[149].name.as_str(), latest.steps[150].name.as_str()), ("149", "250"));
        assert_eq!(first_unpassed(&latest.steps).unwrap().name.as_str(), "250");
        let latest = Latest::new(None, steps(|n| if n == 299 { "FAILED" } else { "?" }));
        assert_eq!((latest.steps.len(), latest.steps[199].name.as_str()), (200, "299"));
        let latest = Latest::new(None, steps(|_| "FAILED"));
        assert_eq!((latest.steps.len(), latest.steps[0].name.as_str()), (200, "0"));
        assert_eq!(Latest::new(None, Vec::new()).more, 0);
    }

    #[test]
    fn a_failed_job_comes_before_one_whose_end_cannot_be_read() {
        let steps = [step("A", "a", Some("SUCCESS")), step("A", "b", None), step("B", "c", Some("FAILED"))];
        assert_eq!(first_unpassed(&steps).unwrap().subject(), "job `c` of stage `B`");
        assert_eq!(first_unpassed(&steps[..2]).unwrap().name.as_str(), "b");
        assert_eq!(first_unpassed(&steps[..1]), None);
    }
}
