//! A JUnit report, as GitLab, Jenkins and Azure read it (ci-contracts.md §7): a test case for each job, with a name that
//! stays the same from run to run. `failure`: the job did not pass. `error`: the gate could not tell. `skipped`: it was
//! submitted, and somebody else waits for its end.

use std::fmt::Write;
use std::time::Duration;

use crate::foreign::{Foreign, cut};
use crate::outcome::Outcome;
use crate::pipeline::{Step, StepEnd};

use super::facts;
use super::markup::escaped;
use super::wording::{Names, headline, next_step, subject};
use super::{End, JobReport, Report, tables};

/// The most of a text in it, in bytes; GitLab reads 30 MB of a file.
const LONGEST: usize = 16 * 1024;

/// Renders the report. One without an end is an error: a run that was killed must not look as if nothing had been tested.
pub fn render(report: &Report) -> String {
    let cases = cases(report);
    let count = |mark| cases.iter().filter(|case| case.mark == mark).count();
    let time: f64 = cases.iter().map(|case| case.time.as_secs_f64()).sum();
    let totals = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{time:.3}\"",
        cases.len(),
        count(Mark::Failure),
        count(Mark::Error)
    );
    let begun = report.jobs.iter().filter_map(|job| job.moments.first()).map(|moment| moment.at).min();
    let begun = begun.map(|at| format!(" timestamp=\"{}\"", at.strftime("%Y-%m-%dT%H:%M:%S"))).unwrap_or_default();
    let mut page = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"epm-gate\" {totals}>\n  \
         <testsuite name=\"epm-gate\" {totals} skipped=\"{}\"{begun}>\n{}",
        count(Mark::Skipped),
        properties(report)
    );
    page.extend(cases.iter().map(Case::render));
    page + "  </testsuite>\n</testsuites>\n"
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Passed,
    Skipped,
    Failure,
    Error,
}

impl Mark {
    fn of(outcome: Option<Outcome>) -> Self {
        match outcome {
            Some(Outcome::Submitted) => Self::Skipped,
            Some(outcome) if outcome.is_pass() => Self::Passed,
            Some(outcome) if outcome.is_verdict() => Self::Failure,
            _ => Self::Error,
        }
    }
}

/// A test case.
struct Case {
    class: String,
    name: String,
    time: Duration,
    mark: Mark,
    /// The outcome's word, and why in one line.
    kind: &'static str,
    why: String,
    /// All that is known, for whoever looks closer.
    text: String,
}

impl Case {
    fn render(&self) -> String {
        let head = format!(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escaped(&self.class),
            escaped(&self.name),
            self.time.as_secs_f64()
        );
        let element = match self.mark {
            Mark::Passed => return head + "/>\n",
            Mark::Skipped => "skipped",
            Mark::Failure => "failure",
            Mark::Error => "error",
        };
        let (why, text) = (escaped(&cut(&self.why, LONGEST)), escaped(&cut(&self.text, LONGEST)));
        let kind = if self.mark == Mark::Skipped { String::new() } else { format!(" type=\"{}\"", self.kind) };
        format!("{head}>\n      <{element} message=\"{why}\"{kind}>{text}</{element}>\n    </testcase>\n")
    }
}

/// A case for each job, and one for the gate where something else than a job decided.
fn cases(report: &Report) -> Vec<Case> {
    let mut names = Names::default();
    let mut cases: Vec<Case> = report.jobs.iter().map(|job| of_job(report, job, &mut names)).collect();
    cases.extend(
        report
            .jobs
            .iter()
            .flat_map(|job| job.steps.iter().map(move |step| (job, step)))
            .map(|(job, step)| of_stage(job, step, &mut names)),
    );
    if report.end.is_some() || cases.is_empty() {
        cases.push(of_gate(report));
    }
    cases
}

fn of_job(report: &Report, job: &JobReport, names: &mut Names) -> Case {
    let class = report.payload.as_ref().map_or("attach", |payload| payload.job_type());
    let end = job.end.as_ref();
    let is_deciding = end.is_some() && report.deciding_job().is_some_and(|deciding| std::ptr::eq(deciding, job));
    let why = match end {
        None => "it has not ended".to_owned(),
        // A gate that could not write its outputs has a case of its own.
        Some(_) if is_deciding && report.end.is_none() => headline(report),
        Some(end) => format!("{}: {}", subject(job), end.why),
    };
    Case {
        class: format!("epm-gate.{class}"),
        name: names.of(job),
        time: job.duration.unwrap_or_default(),
        mark: Mark::of(end.map(|end| end.outcome)),
        kind: word(end),
        text: text(report, job, is_deciding, &why),
        why,
    }
}

/// A job of a pipeline's stage: which one has failed is what its readers look for. One that failed in a pipeline that
/// passed all the same is skipped: a failure would turn a build of Jenkins unstable that the gate lets pass.
fn of_stage(job: &JobReport, step: &Step, names: &mut Names) -> Case {
    let passed = job.end.as_ref().is_some_and(|end| end.outcome.is_pass());
    let (mark, why) = match step.end {
        StepEnd::Passed => (Mark::Passed, ""),
        StepEnd::Failed if passed => (Mark::Skipped, "failed, and the pipeline went on and passed"),
        StepEnd::Failed => (Mark::Failure, "failed"),
        StepEnd::Unknown => (Mark::Skipped, "EPM does not say how it ended"),
    };
    let name = |text: &Foreign| text.as_str().trim().replace('\n', " ");
    let status = step.status.as_ref().map(|status| format!(": EPM says {}", name(status))).unwrap_or_default();
    let why = format!("{why}{status}");
    Case {
        class: "epm-gate.PIPELINE".to_owned(),
        name: names.unlike(&format!("{} / {}", name(&step.stage), name(&step.name))),
        time: step.took.unwrap_or_default(),
        mark,
        kind: "failed",
        text: format!("{why}\n{}", step.log.as_ref().map(|log| format!("log: {}\n", name(log))).unwrap_or_default()),
        why,
    }
}

fn of_gate(report: &Report) -> Case {
    let end = report.end();
    let why = end.map_or_else(|| "it has not ended".to_owned(), |_| headline(report));
    let text = end.map_or_else(|| why.clone(), |_| format!("{why}\nWhat to do next: {}.", next_step(report)));
    Case {
        class: "epm-gate".to_owned(),
        name: "gate".to_owned(),
        time: Duration::ZERO,
        mark: Mark::of(end.map(|end| end.outcome)),
        kind: word(end),
        why,
        text,
    }
}

fn word(end: Option<&End>) -> &'static str {
    end.map_or("unfinished", |end| end.outcome.word())
}

/// Not in `system-out`: there Jenkins and GitLab look for `[[ATTACHMENT|...]]`, which EPM could write.
fn text(report: &Report, job: &JobReport, is_deciding: bool, why: &str) -> String {
    let mut text = format!("{why}\n");
    if is_deciding {
        let _ = writeln!(text, "What to do next: {}.", next_step(report));
    }
    if let Some(diagnosis) = &job.diagnosis {
        let _ = writeln!(text, "Why: {}.\nAdvice: {}.", tables::reason(job, diagnosis), diagnosis.advice);
    }
    for fact in facts::of_job(report, job) {
        let quoted = fact.quoted.as_ref().map(|text| text.as_str().trim().replace('\n', " ")).unwrap_or_default();
        let _ = writeln!(text, "{}: {quoted}{}", fact.name, fact.said);
    }
    if let Some(excerpt) = job.findings.as_ref().map(|findings| &findings.excerpt) {
        let _ = writeln!(text, "Log: {}", excerpt.title());
        text.extend(excerpt.numbered().map(|line| line + "\n"));
    }
    text
}

/// The step outputs that are properties.
const PROPERTIES: [&str; 10] = [
    "jobId",
    "status",
    "outcome",
    "exitCode",
    "submitted",
    "category",
    "transient",
    "attempts",
    "logFileName",
    "outputFileName",
];

/// The facts that a program may look for.
fn properties(report: &Report) -> String {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    let values = super::values::outputs(report);
    for name in PROPERTIES {
        pairs.extend(values.get(name).map(|value| (name, super::values::text(value))));
    }
    pairs.extend(report.url.as_ref().map(|url| ("host", url.host())));
    for fact in facts::of_run(&report.context) {
        let quoted = fact.quoted.map(|text| text.as_str().to_owned()).unwrap_or_default();
        pairs.push((fact.name, quoted + &fact.said));
    }
    let property = |(name, value): &(&str, String)| {
        format!("      <property name=\"{name}\" value=\"{}\"/>\n", escaped(&cut(value, LONGEST)))
    };
    let properties: Vec<String> = pairs.iter().filter(|(_, value)| !value.is_empty()).map(property).collect();
    if properties.is_empty() {
        return String::new();
    }
    format!("    <properties>\n{}    </properties>\n", properties.concat())
}
