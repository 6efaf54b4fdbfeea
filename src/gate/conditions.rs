//! What a success must have besides its status, and what is said where it has not. What cannot be read counts as not
//! there: a log that nobody has read is not one without rejected rows.

use std::time::Duration;

use tokio::time::Instant;

use crate::diagnose::category::Category;
use crate::foreign::quote;
use crate::pace::brief;
use crate::payload::Payload;
use crate::pipeline::{Step, StepEnd, Whole, first_unpassed};
use crate::report::JobReport;

/// A condition that can never hold for a job, or never be shown to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hopeless {
    /// The flag that sets it, without its dashes.
    pub flag: &'static str,
    /// Why not, in a sentence.
    pub why: String,
    /// What would be right.
    pub help: &'static str,
}

/// What a success must have besides its status.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions {
    /// No warning in the texts.
    pub fail_on_warning: bool,
    /// The name of an output file.
    pub require_output: bool,
    /// The shortest time in which the job can have done its work.
    pub min_duration: Option<Duration>,
    /// No job of a PIPELINE's stages that did not pass.
    pub fail_on_stage_failure: bool,
    /// How many rows may be rejected.
    pub max_rejected: Option<u64>,
    /// How many rows must be loaded.
    pub min_rows: Option<u64>,
}

/// Whether something that a condition needs was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// Not yet: a signal or the deadline may come before that.
    #[default]
    Pending,
    /// It stands in the report.
    Done,
    /// It does, but for what the whole of it says of itself: that it did not pass, or nothing that could be read.
    Unpassed(Whole),
    /// It could not be read, and why.
    Failed(String),
}

/// What was read of a job after its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    /// Its log.
    pub log: Look,
    /// Its stages.
    pub stages: Look,
}

/// A condition that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Which, and why: a sentence without a full stop.
    pub why: String,
    /// The reason that it amounts to, where it is one.
    pub category: Option<Category>,
    /// What to do about it, where more is known than usual.
    pub help: Option<String>,
}

impl Unmet {
    fn new(why: String) -> Self {
        Self { why, category: None, help: None }
    }

    /// Of what was not read: EPM has passed the job all the same.
    fn unread(why: String) -> Self {
        let help = "the job passed in EPM: attach to it to have the condition judged once more, and do not load again";
        Self { help: Some(help.to_owned()), ..Self::new(why) }
    }

    fn of(category: Category, why: String) -> Self {
        Self { category: Some(category), ..Self::new(why) }
    }
}

impl Conditions {
    /// Whether the log must be read, however the job ended.
    pub fn needs_log(&self) -> bool {
        self.max_rejected.is_some() || self.min_rows.is_some()
    }

    /// Whether the stages must be read.
    pub fn needs_stages(&self) -> bool {
        self.fail_on_stage_failure
    }

    /// The first that can never hold for a job that is to be submitted.
    pub fn hopeless(&self, payload: &Payload) -> Option<Hopeless> {
        let kind = payload.job_type();
        if self.fail_on_stage_failure && !payload.is_pipeline() {
            return Some(Hopeless {
                flag: "fail-on-stage-failure",
                why: format!("only a PIPELINE has stages, and the job is of type {}", quote(kind)),
                help: "submit a PIPELINE, or leave it out",
            });
        }
        let flag = self.max_rejected.map(|_| "max-rejected").or(self.min_rows.map(|_| "min-rows"))?;
        runs_others(kind).then(|| Hopeless {
            flag,
            why: format!("the log of a {} does not tell of the rows that the jobs in it have loaded", quote(kind)),
            help: "leave it out, and hold a PIPELINE to its stages with `--fail-on-stage-failure`",
        })
    }

    /// The first that does not hold. `whole`: we know the job from its beginning.
    pub fn unmet(&self, job: &JobReport, looks: &Looks, whole: bool) -> Option<Unmet> {
        None.or_else(|| self.warned(job))
            .or_else(|| self.without_output(job))
            .or_else(|| self.too_short(job, whole))
            .or_else(|| self.failed_in_a_stage(job, &looks.stages))
            .or_else(|| self.rejected_too_many(job, &looks.log))
            .or_else(|| self.loaded_too_few(job, &looks.log))
    }

    fn warned(&self, job: &JobReport) -> Option<Unmet> {
        let why = match () {
            () if !self.fail_on_warning => return None,
            () if job.facts.is_warning() => "EPM ended it with a warning, and `--fail-on-warning` is set",
            () if job.facts.status_texts().next().is_none() => {
                "EPM's answer has no text that could say `WARNING`, and `--fail-on-warning` is set"
            }
            () => return None,
        };
        Some(Unmet::new(why.to_owned()))
    }

    fn without_output(&self, job: &JobReport) -> Option<Unmet> {
        let is_unmet = self.require_output && job.facts.output_file_name.is_none();
        is_unmet.then(|| Unmet::new("EPM names no output file, and `--require-output` is set".to_owned()))
    }

    fn too_short(&self, job: &JobReport, whole: bool) -> Option<Unmet> {
        let took = job.elapsed(Instant::now());
        let least = self.min_duration.filter(|least| took < *least)?;
        let (took, least) = (brief(took), brief(least));
        Some(Unmet::new(if whole {
            format!("it took {took}, less than the `--min-duration` of {least}")
        } else {
            let known = format!("it was watched for {took}, and how long it ran before is not known");
            format!("{known}: that does not show the `--min-duration` of {least}")
        }))
    }

    fn failed_in_a_stage(&self, job: &JobReport, stages: &Look) -> Option<Unmet> {
        if !self.fail_on_stage_failure {
            return None;
        }
        if let Some(gap) = gap(stages, "its stages") {
            return Some(Unmet::unread(format!("{gap}, and `--fail-on-stage-failure` is set")));
        }
        // A job tells more than what it is a part of.
        let unpassed = first_unpassed(&job.steps).map(|step| unpassed(&job.steps, step));
        if let (None, Look::Unpassed(whole)) = (&unpassed, stages) {
            return Some(Unmet::new(unpassed_whole(whole)));
        }
        if job.steps.is_empty() {
            let why = "EPM tells of no job in its stages, and `--fail-on-stage-failure` is set";
            return Some(Unmet::new(why.to_owned()));
        }
        unpassed
    }

    fn rejected_too_many(&self, job: &JobReport, log: &Look) -> Option<Unmet> {
        let most = self.max_rejected?;
        let log = &read_of(job, log);
        let found = match (gap(log, "its log"), &job.findings) {
            (None, Some(findings)) => &findings.rejected,
            (gap, _) => {
                return Some(Unmet::unread(format!("{}, and `--max-rejected` {most} is set", gap_or_lost(gap))));
            }
        };
        let first = found.kinds.iter().find(|kind| kind.count > 0);
        let first = first.map(|kind| format!("; first of all `{}`: {}, {}", kind.marker, kind.meaning, kind.count));
        let rows = if found.total == 1 { "row" } else { "rows" };
        let why = format!(
            "its log shows {} rejected {rows}, more than the `--max-rejected` of {most}{}",
            found.total,
            first.unwrap_or_default()
        );
        (found.total > most).then(|| Unmet::of(Category::RejectedRows, why))
    }

    fn loaded_too_few(&self, job: &JobReport, log: &Look) -> Option<Unmet> {
        let least = self.min_rows?;
        let log = &read_of(job, log);
        let found = match (gap(log, "its log"), &job.findings) {
            (None, Some(findings)) => findings.rows,
            (gap, _) => return Some(Unmet::unread(format!("{}, and `--min-rows` {least} is set", gap_or_lost(gap)))),
        };
        match found {
            Some(rows) if rows >= least => None,
            Some(rows) => {
                let why = format!("its log shows {rows} rows, fewer than the `--min-rows` of {least}");
                Some(Unmet::of(Category::NoData, why))
            }
            None => {
                let why = format!("its log does not say how many rows there were, and `--min-rows` {least} is set");
                Some(Unmet::new(why))
            }
        }
    }
}

/// Whether jobs of this type, or of this process type, run other jobs, in whose logs the rows stand.
fn runs_others(kind: &str) -> bool {
    let kind = kind.to_ascii_uppercase();
    kind.contains("PIPELINE") || kind.contains("BATCH")
}

/// What was read of the rows: nothing, where they stand in the logs of others.
fn read_of(job: &JobReport, log: &Look) -> Look {
    match &job.facts.process_type {
        Some(kind) if runs_others(kind.as_str()) => {
            Look::Failed(format!("the rows of a {} stand in the logs of the jobs in it", quote(kind.as_str())))
        }
        _ => log.clone(),
    }
}

/// Why something was not read, where it was not.
fn gap(look: &Look, what: &str) -> Option<String> {
    match look {
        Look::Done | Look::Unpassed(_) => None,
        Look::Pending => Some(format!("{what} could not be read in time")),
        Look::Failed(why) => Some(format!("{what} could not be read ({why})")),
    }
}

/// What was read and stands nowhere was not read.
fn gap_or_lost(gap: Option<String>) -> String {
    gap.unwrap_or_else(|| "its log was not read".to_owned())
}

fn unpassed(steps: &[Step], step: &Step) -> Unmet {
    let others = steps.iter().filter(|other| other.end == step.end).count() - 1;
    let others = match others {
        0 => String::new(),
        1 => "; so did another one".to_owned(),
        many => format!("; so did {many} others"),
    };
    let (subject, flag) = (step.subject(), "`--fail-on-stage-failure` is set");
    let told = step.status.as_ref().map(|status| quote(status.first_line()));
    let why = match (step.end, told) {
        (StepEnd::Unknown, None) => format!("EPM does not tell how {subject} ended, and {flag}"),
        (StepEnd::Unknown, Some(told)) => format!("how {subject} ended cannot be read from {told}, and {flag}"),
        (_, told) => format!("{subject} did not pass ({}){others}, and {flag}", told.unwrap_or_default()),
    };
    let help = step.log.as_ref().map(|log| format!("read {}, the log of that job", quote(log.as_str())));
    Unmet { help, ..Unmet::new(why) }
}

fn unpassed_whole(whole: &Whole) -> String {
    let (subject, told) = (whole.subject(), quote(whole.status.first_line()));
    match whole.end {
        StepEnd::Failed => format!("{subject} did not pass ({told}), and `--fail-on-stage-failure` is set"),
        _ => format!("how {subject} ended cannot be read from {told}, and `--fail-on-stage-failure` is set"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Findings;
    use crate::diagnose::rejected::{Kind, Rejected};
    use crate::foreign::Foreign;
    use crate::job::JobId;
    use crate::pipeline::tests::step;

    fn job() -> JobReport {
        JobReport::new(JobId::new(2100), None)
    }

    fn with_log(rejected: u64, rows: Option<u64>) -> JobReport {
        let kind = |marker, meaning, count| Kind { marker, meaning, count, first: Vec::new() };
        let kinds = vec![kind("[TC]", "no number", 0), kind("[BLANK]", "a blank", rejected)];
        let rejected = Rejected { kinds, total: rejected, ..Rejected::default() };
        JobReport { findings: Some(Findings { rejected, rows, ..Findings::default() }), ..job() }
    }

    fn with_steps(statuses: &[Option<&str>]) -> JobReport {
        let steps = statuses.iter().enumerate().map(|(n, status)| step("LOAD", &format!("j{n}"), *status)).collect();
        JobReport { steps, ..job() }
    }

    fn log(log: Look) -> Looks {
        Looks { log, ..Looks::default() }
    }

    fn stages(stages: Look) -> Looks {
        Looks { stages, ..Looks::default() }
    }

    fn failed() -> Look {
        Look::Failed("it was purged".to_owned())
    }

    type Case<'a> = (JobReport, Looks, Option<(&'a str, Option<Category>)>);

    fn hold(conditions: Conditions, table: Vec<Case<'_>>) {
        for (job, looks, expected) in table {
            let unmet = conditions.unmet(&job, &looks, true);
            let unmet = unmet.as_ref().map(|unmet| (unmet.why.as_str(), unmet.category));
            assert_eq!(unmet, expected, "{looks:?}");
        }
    }

    #[test]
    fn more_rejected_rows_than_allowed_are_too_many_and_an_unread_log_too() {
        let most = |most| Conditions { max_rejected: Some(most), ..Conditions::default() };
        let rows = Some(Category::RejectedRows);
        hold(
            most(2),
            vec![
                (with_log(0, None), log(Look::Done), None),
                (with_log(2, None), log(Look::Done), None),
                (
                    with_log(3, None),
                    log(Look::Done),
                    Some((
                        "its log shows 3 rejected rows, more than the `--max-rejected` of 2; first of all `[BLANK]`: a \
                         blank, 3",
                        rows,
                    )),
                ),
                (
                    with_log(0, None),
                    log(Look::Pending),
                    Some(("its log could not be read in time, and `--max-rejected` 2 is set", None)),
                ),
                (
                    with_log(0, None),
                    log(failed()),
                    Some(("its log could not be read (it was purged), and `--max-rejected` 2 is set", None)),
                ),
                (job(), log(Look::Done), Some(("its log was not read, and `--max-rejected` 2 is set", None))),
            ],
        );
        let unmet = most(0).unmet(&with_log(1, None), &log(Look::Done), true).unwrap();
        assert!(
            unmet.why.starts_with("its log shows 1 rejected row, more than the `--max-rejected` of 0"),
            "{unmet:?}"
        );
    }

    #[test]
    fn fewer_rows_than_wanted_are_too_few_and_untold_ones_too() {
        hold(
            Conditions { min_rows: Some(10), ..Conditions::default() },
            vec![
                (with_log(9, Some(10)), log(Look::Done), None),
                (
                    with_log(0, Some(9)),
                    log(Look::Done),
                    Some(("its log shows 9 rows, fewer than the `--min-rows` of 10", Some(Category::NoData))),
                ),
                (
                    with_log(0, None),
                    log(Look::Done),
                    Some(("its log does not say how many rows there were, and `--min-rows` 10 is set", None)),
                ),
                (
                    with_log(0, Some(10)),
                    log(Look::Pending),
                    Some(("its log could not be read in time, and `--min-rows` 10 is set", None)),
                ),
                (
                    with_log(0, Some(10)),
                    log(failed()),
                    Some(("its log could not be read (it was purged), and `--min-rows` 10 is set", None)),
                ),
                (job(), log(Look::Done), Some(("its log was not read, and `--min-rows` 10 is set", None))),
            ],
        );
        // Even of no rows at all a log must tell.
        let none = Conditions { min_rows: Some(0), ..Conditions::default() };
        assert!(none.unmet(&with_log(0, None), &log(Look::Done), true).is_some());
        assert!(none.unmet(&with_log(0, Some(0)), &log(Look::Done), true).is_none());
    }

    #[test]
    fn a_stage_job_that_is_not_known_to_have_passed_fails_the_job() {
        let (good, bad) = (Some("SUCCESS"), Some("FAILED"));
        hold(
            Conditions { fail_on_stage_failure: true, ..Conditions::default() },
            vec![
                (with_steps(&[good, Some("WARNING"), Some("0")]), stages(Look::Done), None),
                (
                    with_steps(&[good, None, bad]),
                    stages(Look::Done),
                    Some((
                        "job `j2` of stage `LOAD` did not pass (`FAILED`), and `--fail-on-stage-failure` is set",
                        None,
                    )),
                ),
                (
                    with_steps(&[bad, bad, good, bad]),
                    stages(Look::Done),
                    Some((
                        "job `j0` of stage `LOAD` did not pass (`FAILED`); so did 2 others, and \
                         `--fail-on-stage-failure` is set",
                        None,
                    )),
                ),
                (
                    with_steps(&[good, Some("RUNNING")]),
                    stages(Look::Done),
                    Some((
                        "how job `j1` of stage `LOAD` ended cannot be read from `RUNNING`, and \
                         `--fail-on-stage-failure` is set",
                        None,
                    )),
                ),
                (
                    with_steps(&[good, None]),
                    stages(Look::Done),
                    Some((
                        "EPM does not tell how job `j1` of stage `LOAD` ended, and `--fail-on-stage-failure` is set",
                        None,
                    )),
                ),
                (
                    with_steps(&[]),
                    stages(Look::Done),
                    Some(("EPM tells of no job in its stages, and `--fail-on-stage-failure` is set", None)),
                ),
                (
                    with_steps(&[good]),
                    stages(Look::Pending),
                    Some(("its stages could not be read in time, and `--fail-on-stage-failure` is set", None)),
                ),
                (
                    with_steps(&[good]),
                    stages(failed()),
                    Some(("its stages could not be read (it was purged), and `--fail-on-stage-failure` is set", None)),
                ),
            ],
        );
    }

    #[test]
    fn the_log_of_the_stage_job_is_named_as_what_to_read() {
        let failed = Step { log: Some(Foreign::new("outbox/logs/j.log")), ..step("LOAD", "j", Some("FAILED")) };
        let conditions = Conditions { fail_on_stage_failure: true, ..Conditions::default() };
        let unmet = conditions.unmet(&JobReport { steps: vec![failed], ..job() }, &stages(Look::Done), true);
        assert_eq!(unmet.unwrap().help.as_deref(), Some("read `outbox/logs/j.log`, the log of that job"));
    }

    #[test]
    fn texts_output_and_duration_are_conditions_too() {
        let bare = Conditions::default();
        let told = |text: &str| {
            let mut job = job();
            job.facts.job_status = Some(Foreign::new(text));
            job
        };
        let warning = Conditions { fail_on_warning: true, ..bare };
        hold(
            warning,
            vec![
                (told("SUCCESS"), Looks::default(), None),
                (
                    told("WARNING"),
                    Looks::default(),
                    Some(("EPM ended it with a warning, and `--fail-on-warning` is set", None)),
                ),
                (
                    job(),
                    Looks::default(),
                    Some(("EPM's answer has no text that could say `WARNING`, and `--fail-on-warning` is set", None)),
                ),
            ],
        );
        let output = Conditions { require_output: true, ..bare };
        hold(
            output,
            vec![(job(), Looks::default(), Some(("EPM names no output file, and `--require-output` is set", None)))],
        );
        let least = Conditions { min_duration: Some(Duration::from_mins(1)), ..bare };
        let took = |seconds| JobReport { duration: Some(Duration::from_secs(seconds)), ..job() };
        assert_eq!(least.unmet(&took(60), &Looks::default(), false), None);
        let why = |whole| least.unmet(&took(59), &Looks::default(), whole).unwrap().why;
        assert!(why(true).starts_with("it took 59s, less than the `--min-duration` of 1m"), "{}", why(true));
        assert!(why(false).starts_with("it was watched for 59s, and how long it ran before"), "{}", why(false));
        assert_eq!(bare.unmet(&with_steps(&[Some("FAILED")]), &Looks::default(), false), None);
    }

    #[test]
    fn a_condition_says_what_must_be_read() {
        let bare = Conditions::default();
        let needs = |conditions: Conditions| (conditions.needs_log(), conditions.needs_stages());
        assert_eq!(needs(Conditions { fail_on_warning: true, require_output: true, ..bare }), (false, false));
        assert_eq!(needs(Conditions { max_rejected: Some(0), ..bare }), (true, false));
        assert_eq!(needs(Conditions { min_rows: Some(0), ..bare }), (true, false));
        assert_eq!(needs(Conditions { fail_on_stage_failure: true, ..bare }), (false, true));
    }
}
