//! The run as a textfile for Prometheus (<https://prometheus.io/docs/instrumenting/exposition_formats/>), as
//! `node_exporter`'s textfile collector reads it. All are gauges: a file tells of one run, and counts nothing up from run to
//! run. Every series carries the job's name, so that the files of several jobs can lie in one folder, and not its id, so
//! that it goes on with the next run.

use std::fmt::Write;
use std::time::Duration;

use crate::epm::url::EpmUrl;
use crate::foreign::{Foreign, cut};
use crate::outcome::Outcome;

use super::outages::outages;
use super::{JobReport, Report};

/// How many names of jobs have series of their own; those after them share one.
const MOST_NAMES: usize = 50;

/// The most that a label's value holds, in bytes.
const LONGEST_LABEL: usize = 128;

/// The name that the rest share.
const OTHERS: &str = "(others)";

/// A family with one sample for each name: what it is called, its help, and its value.
type Family = (&'static str, &'static str, fn(&Series) -> Option<String>);

/// Those of them that are plain numbers.
const NUMBERS: [Family; 5] = [
    ("epm_gate_job_duration_seconds", "From the submit, or from attaching, to the end.", |series| {
        series.duration.map(seconds)
    }),
    ("epm_gate_job_polls", "How often EPM was asked about the job.", |series| Some(series.polls.to_string())),
    ("epm_gate_job_retries", "Attempts after the first one.", |series| Some(series.retries.to_string())),
    ("epm_gate_job_outages", "Stretches without a usable answer.", |series| Some(series.outages.to_string())),
    ("epm_gate_job_outage_seconds", "How long these took together.", |series| Some(seconds(series.dark))),
];

/// A sample: its labels and its value.
type Sample = (String, String);

/// Renders the textfile.
pub fn render(report: &Report) -> String {
    let jobs = jobs(report);
    let mut text = String::new();
    family(&mut text, "epm_gate_job_end_timestamp_seconds", "When the run ended, and how.", &ends(report, &jobs));
    for (name, help, value) in NUMBERS {
        let samples: Vec<Sample> =
            jobs.iter().filter_map(|job| Some((job.labels.clone(), value(&job.series)?))).collect();
        family(&mut text, name, help, &samples);
    }
    let rejected = "Rows that the load did not take, by the marker in the log.";
    family(&mut text, "epm_gate_job_rejected_rows", rejected, &rows(&jobs));
    let requests = "Requests to EPM of the whole run, by what became of them, at its first job.";
    family(&mut text, "epm_gate_requests", requests, &answers(report, &jobs));
    text
}

/// A family of samples; nothing where there are none.
fn family(text: &mut String, name: &str, help: &str, samples: &[Sample]) {
    if samples.is_empty() {
        return;
    }
    // Writing to a text never fails.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{{{labels}}} {value}");
    }
}

/// When the run ended, by how each job did: one series that says both is compared and remembered without another one.
fn ends(report: &Report, jobs: &[Job]) -> Vec<Sample> {
    let Some(ended) = report.ended else { return Vec::new() };
    let ended = ended.as_duration().as_secs_f64().to_string();
    let outcome = |job: &Job| Some(with(&job.labels, "outcome", job.series.outcome(report)?.word()));
    jobs.iter().filter_map(|job| Some((outcome(job)?, ended.clone()))).collect()
}

fn rows(jobs: &[Job]) -> Vec<Sample> {
    let of_job = |job: &Job| {
        let kinds = job.series.rejected.iter();
        kinds.map(|(kind, rows)| (with(&job.labels, "kind", kind), rows.to_string())).collect::<Vec<_>>()
    };
    jobs.iter().flat_map(of_job).collect()
}

fn answers(report: &Report, jobs: &[Job]) -> Vec<Sample> {
    let Some(first) = jobs.first() else { return Vec::new() };
    report.requests.counts().map(|(result, count)| (with(&first.labels, "result", result), count.to_string())).collect()
}

/// All jobs of a name, which have one series of each family.
struct Job {
    name: String,
    labels: String,
    series: Series,
}

/// What is known of them.
#[derive(Default)]
struct Series {
    outcomes: Vec<Outcome>,
    duration: Option<Duration>,
    polls: u64,
    retries: u64,
    outages: u64,
    dark: Duration,
    rejected: Vec<(&'static str, u64)>,
}

impl Series {
    /// Takes in an attempt that another one followed.
    fn add_earlier(&mut self, job: &JobReport) {
        self.add_asking(job);
        self.retries += 1;
    }

    /// Takes in a job as it ended.
    fn add(&mut self, job: &JobReport) {
        self.add_asking(job);
        self.outcomes.extend(job.end.as_ref().map(|end| end.outcome));
        self.duration = self.duration.max(job.duration);
        for kind in job.findings.iter().flat_map(|findings| &findings.rejected.kinds) {
            match self.rejected.iter_mut().find(|(marker, _)| *marker == kind.marker) {
                Some((_, rows)) => *rows += kind.count,
                None => self.rejected.push((kind.marker, kind.count)),
            }
        }
    }

    fn add_asking(&mut self, job: &JobReport) {
        self.polls += job.polls;
        for outage in outages(job) {
            self.outages += 1;
            self.dark += outage.length().unwrap_or_default();
        }
    }

    /// The gravest, that of the run included: a job has not passed where its run has not.
    fn outcome(&self, report: &Report) -> Option<Outcome> {
        let of_run = report.end.as_ref().map(|end| end.outcome);
        let outcomes: Vec<Outcome> = self.outcomes.iter().copied().chain(of_run).collect();
        Some(outcomes[Outcome::deciding(outcomes.iter().copied())?])
    }
}

/// The jobs by name, in the order in which the names come up; earlier attempts are those of the first job. A run without
/// a job is told without a name.
fn jobs(report: &Report) -> Vec<Job> {
    let host = report.url.as_ref().map(EpmUrl::host).unwrap_or_default();
    let kind = report.payload.as_ref().map_or("", |payload| payload.job_type());
    let common = with(&with("", "host", &host), "job_type", kind);
    let mut jobs = Vec::new();
    if report.jobs.is_empty() {
        series_of(&mut jobs, &common, String::new());
    }
    for job in &report.attempts {
        series_of(&mut jobs, &common, name(job)).add_earlier(job);
    }
    for job in &report.jobs {
        series_of(&mut jobs, &common, name(job)).add(job);
    }
    jobs
}

/// The series of a name, which are made where there are none yet.
fn series_of<'a>(jobs: &'a mut Vec<Job>, common: &str, mut name: String) -> &'a mut Series {
    if jobs.len() >= MOST_NAMES && jobs.iter().all(|job| job.name != name) {
        OTHERS.clone_into(&mut name);
    }
    let index = jobs.iter().position(|job| job.name == name).unwrap_or_else(|| {
        jobs.push(Job { labels: with(common, "job_name", &name), name, series: Series::default() });
        jobs.len() - 1
    });
    &mut jobs[index].series
}

/// The name or the label that we gave it, or else what EPM calls it, as it stands in the file: two that look alike there
/// are one.
fn name(job: &JobReport) -> String {
    let told = || job.facts.job_name.as_ref().map(Foreign::as_str);
    clean(job.name.as_deref().or_else(told).unwrap_or_default())
}

/// Labels and one more. An empty one is left out: to Prometheus that is the same.
fn with(labels: &str, name: &str, value: &str) -> String {
    let value = clean(value).replace('\\', "\\\\").replace('"', "\\\"");
    match (labels, value.as_str()) {
        (_, "") => labels.to_owned(),
        ("", _) => format!("{name}=\"{value}\""),
        _ => format!("{labels},{name}=\"{value}\""),
    }
}

/// A label's value: of one line, and not too long.
fn clean(value: &str) -> String {
    let value: String = Foreign::new(value).as_str().chars().filter(|char| !char.is_control()).collect();
    cut(&value, LONGEST_LABEL).into_owned()
}

fn seconds(length: Duration) -> String {
    length.as_secs_f64().to_string()
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::epm::requests::Fate;
    use crate::job::JobId;
    use crate::report::End;

    fn ended(mut report: Report) -> Report {
        report.ended = Some("2026-03-22T03:30:00.25Z".parse().unwrap());
        report
    }

    /// The labels and values of a family, in the order of the file.
    fn family_of<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
        text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('{')).collect()
    }

    #[test]
    fn requests_are_told_once_whatever_became_of_them() {
        let mut report = samples::several_jobs();
        [Some(200), Some(200), None].map(Fate::of).into_iter().for_each(|fate| report.requests.count(fate));
        let text = render(&report);
        let counts = family_of(&text, "epm_gate_requests");
        let counts: Vec<_> =
            counts.iter().filter_map(|line| line.split_once("result=")).map(|(_, count)| count).collect();
        let told = ["answered\"} 2", "denied\"} 0", "busy\"} 0", "refused\"} 0", "failed\"} 0", "lost\"} 1"];
        assert_eq!(counts, told.map(|told| format!("\"{told}")));
    }

    #[test]
    fn a_label_is_of_one_line_escaped_and_no_longer_than_it_may_be() {
        let text = render(&ended(samples::with_texts("a\n\"b\\c\u{1b}[1m\u{202e}")));
        let [end] = family_of(&text, "epm_gate_job_end_timestamp_seconds")[..] else { panic!("{text}") };
        assert!(end.contains(r#"job_name="a\"b\\c"#), "{end}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }

    #[test]
    fn jobs_of_one_name_are_one_series_and_too_many_names_share_one() {
        let mut report = ended(Report::default());
        let job = |name: String| {
            let mut job = JobReport::new(JobId::new(7), Some(name));
            (job.polls, job.end) = (2, Some(End::new(Outcome::Succeeded, String::new(), None)));
            job
        };
        // The last two are one, since their names are cut.
        let long = ["1", "2"].map(|end| "x".repeat(LONGEST_LABEL) + end);
        report.jobs = ["A", "B", "A"].map(str::to_owned).into_iter().chain(long).map(job).collect();
        report.jobs[2].end = Some(End::new(Outcome::Failed, String::new(), None));
        let text = render(&report);
        let polls = family_of(&text, "epm_gate_job_polls");
        assert_eq!(polls[..2], [r#"job_name="A"} 4"#, r#"job_name="B"} 2"#]);
        assert_eq!(polls.len(), 3, "{polls:?}");
        assert!(text.contains(r#"{job_name="A",outcome="failed"} "#), "{text}");
        report.jobs = (0..60).map(|number| job(format!("{number:02}"))).collect();
        let text = render(&report);
        let polls = family_of(&text, "epm_gate_job_polls");
        assert_eq!(polls.len(), MOST_NAMES + 1);
        assert_eq!(polls[MOST_NAMES], r#"job_name="(others)"} 20"#);
    }

    #[test]
    fn a_job_that_passed_has_not_where_its_run_has_not() {
        let mut report = ended(samples::passed());
        report.end = Some(End::new(Outcome::Unwritable, String::new(), None));
        let text = render(&report);
        let [end] = family_of(&text, "epm_gate_job_end_timestamp_seconds")[..] else { panic!("{text}") };
        assert!(end.contains(r#"outcome="unwritable"} 1774150200.25"#), "{end}");
    }
}
