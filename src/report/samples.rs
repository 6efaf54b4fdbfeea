//! Reports of every kind, the same in each run, for whatever renders them.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::diagnose::category::Category;
use crate::diagnose::excerpt::Excerpt;
use crate::diagnose::rejected::{Kind, Rejected};
use crate::diagnose::{Basis, Diagnosis, Evidence, Findings};
use crate::epm::url::EpmUrl;
use crate::foreign::{Foreign, quote};
use crate::job::{Facts, JobId, State};
use crate::outcome::{Outcome, Signal};
use crate::payload::Payload;
use crate::pipeline::{Step, StepEnd};

use super::stretches::{Phase, Stretch};
use super::{Context, Earlier, End, Event, Fetched, JobReport, Moment, Report, Submitted, Uploaded};

/// All of them, each with its name.
pub(crate) fn all() -> Vec<(&'static str, Report)> {
    vec![
        ("passed", passed()),
        ("warned", warned()),
        ("rejected-rows", rejected_rows()),
        ("retried", retried()),
        ("pipeline", pipeline()),
        ("pipeline-passed", pipeline_passed()),
        ("several-jobs", several_jobs()),
        ("timed-out", timed_out()),
        ("submit-uncertain", submit_uncertain()),
        ("denied", denied()),
        ("uploads", uploads()),
        ("reused", reused()),
        ("unended", unended()),
        ("empty", Report::default()),
        ("usage", usage()),
        ("panic", panicked()),
        ("hostile", hostile()),
    ]
}

/// One with everything in it, each text of others the given one.
pub(crate) fn with_texts(text: &str) -> Report {
    let foreign = || Some(Foreign::new(text));
    let mut report = rejected_rows();
    report.payload =
        Payload::of_text(&serde_json::json!({"jobType": text, "jobName": text, "fileName": text}).to_string()).ok();
    report.uploads = vec![Uploaded { local: text.into(), remote: text.to_owned(), ..upload() }];
    report.context = Context {
        platform: Some("github"),
        actor: foreign(),
        commit: foreign(),
        reference: foreign(),
        pipeline: foreign(),
        attempt: Some(2),
        id: foreign(),
        task: foreign(),
        run: "https://ci.example.com/'\"<b>".parse().ok(),
    };
    report.path = Some(text.into());
    report.notes = vec![format!("the log {} could not be read", quote(text))];
    let job = &mut report.jobs[0];
    job.name = Some(text.to_owned());
    job.facts = Facts {
        job_name: foreign(),
        job_status: foreign(),
        descriptive_status: foreign(),
        detailed_status: foreign(),
        details: foreign(),
        log_file_name: foreign(),
        output_file_name: foreign(),
        process_type: foreign(),
        executed_by: foreign(),
    };
    job.other = vec![(Foreign::new(text), Foreign::new(text))];
    job.moments.push(moment(9000, Event::State(State::Failed, Some(text.to_owned()))));
    job.moments.push(moment(9500, Event::Trouble(format!("EPM said {}", quote(text)))));
    job.end = Some(End::new(Outcome::Failed, format!("EPM said {}", quote(text)), None));
    job.log = Some(Fetched { path: text.into(), ..fetched("x") });
    job.output = job.log.clone();
    job.diagnosis = Some(Diagnosis {
        category: Category::RejectedRows,
        transient: false,
        advice: format!("look at {}", quote(text)),
        evidence: Some(Evidence { line: Some(3), text: Foreign::new(text) }),
        basis: Basis::User,
    });
    let line = (3, Foreign::new(text));
    let findings = job.findings.get_or_insert_default();
    findings.excerpt.lines = vec![line.clone()];
    findings.rejected.kinds[0].first = vec![line];
    findings.rejected.members = vec![Foreign::new(text)];
    job.steps = vec![Step {
        stage: Foreign::new(text),
        name: Foreign::new(text),
        job_type: foreign(),
        status: foreign(),
        ended: foreign(),
        log: foreign(),
        ..step("", "", StepEnd::Failed)
    }];
    report.attempts = report.jobs.clone();
    report
}

fn at(milliseconds: u64) -> Timestamp {
    let begun: Timestamp = "2026-03-22T03:24:20.5Z".parse().unwrap();
    begun + Duration::from_millis(milliseconds)
}

fn moment(milliseconds: u64, event: Event) -> Moment {
    Moment { at: at(milliseconds), after: Duration::from_millis(milliseconds), event }
}

fn stretch(phase: Phase, from: u64, length: u64) -> Stretch {
    let [after, length] = [from, length].map(Duration::from_millis);
    Stretch { phase, at: at(from), after, length: Some(length) }
}

fn running(milliseconds: u64) -> Moment {
    moment(milliseconds, Event::State(State::InProgress, Some("RUNNING".to_owned())))
}

fn ended(milliseconds: u64, state: State, text: &str) -> Moment {
    moment(milliseconds, Event::State(state, Some(text.to_owned())))
}

fn id(number: u64) -> Option<JobId> {
    JobId::new(number)
}

#[expect(clippy::unnecessary_wraps, reason = "each place for one may have none")]
fn text(text: &str) -> Option<Foreign> {
    Some(Foreign::new(text))
}

fn fetched(name: &str) -> Fetched {
    Fetched { path: PathBuf::from(format!("epm/{name}")), bytes: 48_213, sha256: "9f86d081884c7d65".repeat(4) }
}

fn upload() -> Uploaded {
    Uploaded {
        local: "data/gl-2026-01.csv".into(),
        remote: "inbox/gl-2026-01.3b1f0c2a.csv".to_owned(),
        bytes: 1_234_567,
        sha256: "3b1f0c2a9d8e7f60".repeat(4),
        was_there: false,
    }
}

/// A job that was submitted and has ended so, after so long.
fn job(number: u64, state: State, word: &str, milliseconds: u64) -> JobReport {
    let mut job = JobReport::new(id(number), Some("GL_DATA_LOAD".to_owned()));
    job.state = Some(state);
    job.moments =
        vec![moment(400, Event::Sent), moment(900, Event::Submitted), running(1900), ended(milliseconds, state, word)];
    job.stretches = vec![
        stretch(Phase::Look, 0, 300),
        stretch(Phase::Submit, 350, 550),
        stretch(Phase::Wait, 900, milliseconds - 900),
        stretch(Phase::Collect, milliseconds + 10, 200),
    ];
    job.duration = Some(Duration::from_millis(milliseconds - 400));
    job.polls = 7;
    job.facts.job_name = text("GL_DATA_LOAD");
    job.facts.job_status = text(word);
    job.facts.log_file_name = text(&format!("outbox/logs/GL_DATA_LOAD_{number}.log"));
    job.facts.process_type = text("COMM_LOAD_BALANCES");
    job.facts.executed_by = text("close.bot@example.com");
    let outcome = Outcome::of_finished(state, word == "WARNING").unwrap();
    job.end = Some(End::new(outcome, format!("EPM ended it with status {} ({state})", state.number()), None));
    job
}

fn run_of(job: JobReport) -> Report {
    Report {
        command: Some("run"),
        url: EpmUrl::parse("https://epm.example.com").ok(),
        payload: Payload::of_text(
            r#"{"jobType":"INTEGRATION","jobName":"GL_DATA_LOAD","periodName":"{Jan-26}","importMode":"Replace","exportMode":"Merge","fileName":"inbox/gl.csv"}"#,
        )
        .ok(),
        submitted: Submitted::Yes,
        begun: at(0),
        ended: Some(at(60_000)),
        path: Some("epm/report.json".into()),
        attach_flags: " --url https://epm.example.com".to_owned(),
        jobs: vec![job],
        context: Context {
            platform: Some("github"),
            actor: text("hubot"),
            commit: text("9f1c2d3"),
            reference: text("refs/heads/main"),
            pipeline: text("Load the ledger"),
            attempt: Some(1),
            id: text("1658821493"),
            task: text("load"),
            run: "https://github.com/acme/close/actions/runs/1658821493/attempts/1".parse().ok(),
        },
        ..Report::default()
    }
}

pub(crate) fn passed() -> Report {
    let mut job = job(2100, State::Succeeded, "SUCCESS", 42_300);
    job.facts.output_file_name = text("outbox/GL_DATA_LOAD_2100.dat");
    job.log = Some(fetched("GL_DATA_LOAD_2100.log"));
    job.output = Some(fetched("GL_DATA_LOAD_2100.dat"));
    job.findings = Some(Findings { rows: Some(1204), export_began: true, ..Findings::default() });
    job.other = vec![(Foreign::new("runId"), Foreign::new("77"))];
    run_of(job)
}

fn warned() -> Report {
    run_of(job(2100, State::Succeeded, "WARNING", 8_250))
}

fn kind(marker: &'static str, meaning: &'static str, count: u64, lines: &[(u64, &str)]) -> Kind {
    let first = lines.iter().map(|(number, line)| (*number, Foreign::new(line))).collect();
    Kind { marker, meaning, count, first }
}

fn rejected_rows() -> Report {
    let mut job = job(2100, State::Failed, "FAILED", 12_750);
    job.log = Some(fetched("GL_DATA_LOAD_2100.log"));
    job.diagnosis = Some(Diagnosis {
        category: Category::RejectedRows,
        transient: false,
        advice: "map or create the members, then load the rejected rows again".to_owned(),
        evidence: Some(Evidence {
            line: Some(7),
            text: Foreign::new("Error: 3303 Member 4711-X Not Found In Database"),
        }),
        basis: Basis::Sourced,
    });
    let lines = [
        (4, "2026-03-22 03:24:27,100 INFO  [AIF]: [BLANK] 2,FY26,Actual,,4711-X,100.00"),
        (7, "2026-03-22 03:24:28,930 ERROR [AIF]: Error: 3303 Member 4711-X Not Found In Database"),
    ];
    let lines = lines.map(|(number, line)| (number, Foreign::new(line))).to_vec();
    job.findings = Some(Findings {
        excerpt: Excerpt { lines, total: 812, telling: 2 },
        rejected: Rejected {
            kinds: vec![
                kind(
                    "[BLANK]",
                    "a dimension is empty",
                    2,
                    &[(4, "[BLANK] 2,FY26,Actual,,4711-X,100.00"), (5, "[BLANK] 3")],
                ),
                kind(
                    "Error: 3303",
                    "the member is not in the application",
                    118,
                    &[(7, "Error: 3303 Member 4711-X Not Found In Database")],
                ),
            ],
            total: 120,
            members: ["4711-X", "4712-X"].map(Foreign::new).to_vec(),
            has_more_members: true,
        },
        rows: Some(1084),
        export_began: true,
        ..Findings::default()
    });
    run_of(job)
}

fn retried() -> Report {
    let connectivity = |attempt, number, begun: u64| {
        let mut job = job(number, State::Failed, "FAILED", 9_000);
        job.moments
            .iter_mut()
            .for_each(|moment| moment.at = at(begun + u64::try_from(moment.after.as_millis()).unwrap()));
        job.attempt = attempt;
        job.diagnosis = Some(Diagnosis {
            category: Category::Connectivity,
            transient: true,
            advice: "see whether the source answers, then try again".to_owned(),
            evidence: Some(Evidence { line: None, text: Foreign::new("java.net.ConnectException: connect timed out") }),
            basis: Basis::Unverified,
        });
        job.facts.details =
            text("java.net.ConnectException: connect timed out\n\tat com.oracle.epm.aif.server.job.JobExecutor");
        job
    };
    let mut last = job(2103, State::Succeeded, "SUCCESS", 30_000);
    last.attempt = 4;
    last.moments.insert(3, moment(8_000, Event::Trouble("EPM answers HTTP 503".to_owned())));
    last.moments.insert(4, moment(15_000, Event::Trouble("EPM did not answer in 30s".to_owned())));
    last.moments.insert(5, running(19_000));
    last.moments
        .iter_mut()
        .for_each(|moment| moment.at = at(60_000 + u64::try_from(moment.after.as_millis()).unwrap()));
    Report {
        attempts: vec![connectivity(1, 2100, 0), connectivity(2, 2101, 20_000), connectivity(3, 2102, 40_000)],
        ended: Some(at(90_000)),
        ..run_of(last)
    }
}

fn step(stage: &str, name: &str, end: StepEnd) -> Step {
    Step {
        stage: Foreign::new(stage),
        name: Foreign::new(name),
        job_type: text("integration"),
        status: text(if end == StepEnd::Passed { "SUCCESS" } else { "FAILED" }),
        end,
        id: id(2107),
        took: Some(Duration::from_secs(61)),
        ended: text("2026-03-22 03:25:21"),
        log: text("outbox/logs/2107.log"),
    }
}

fn stages() -> Vec<Step> {
    vec![
        step("Extract", "GL_EXTRACT", StepEnd::Passed),
        step("Load", "GL_DATA_LOAD", StepEnd::Failed),
        Step {
            status: None,
            id: None,
            took: None,
            ended: None,
            log: None,
            ..step("Load", "FX_RATES", StepEnd::Unknown)
        },
    ]
}

fn pipeline_of(state: State, word: &str) -> Report {
    let mut job = job(2106, state, word, 185_000);
    job.name = Some("DAILY".to_owned());
    job.facts.job_name = text("DAILY");
    job.steps = stages();
    let payload =
        Payload::of_text(r#"{"jobType":"PIPELINE","jobName":"DAILY","variables":{"STARTPERIOD":"Jan-26"}}"#).ok();
    Report { payload, ended: Some(at(186_000)), ..run_of(job) }
}

fn pipeline() -> Report {
    pipeline_of(State::Failed, "FAILED")
}

fn pipeline_passed() -> Report {
    pipeline_of(State::Succeeded, "SUCCESS")
}

pub(crate) fn several_jobs() -> Report {
    let attached = |number, name: &str, state, word, milliseconds| {
        let mut job = job(number, state, word, milliseconds);
        job.moments.remove(0);
        job.moments[0].event = Event::Attached;
        job.name = Some(name.to_owned());
        job
    };
    let mut open = attached(2102, "HR", State::Failed, "RUNNING", 50_000);
    open.state = Some(State::InProgress);
    open.moments.pop();
    open.moments.push(moment(50_000, Event::GaveUp(Outcome::TimedOut)));
    open.end = Some(End::new(Outcome::TimedOut, "it was still in progress at the deadline of 50s".to_owned(), None));
    let jobs = vec![
        attached(2100, "GL", State::Succeeded, "SUCCESS", 20_000),
        attached(2101, "GL", State::Cancelled, "CANCELLED", 31_000),
        open,
    ];
    Report {
        command: Some("attach"),
        payload: None,
        submitted: Submitted::No,
        jobs,
        ..run_of(JobReport::new(None, None))
    }
}

fn timed_out() -> Report {
    let mut job = job(2100, State::Failed, "RUNNING", 120_000);
    job.state = Some(State::InProgress);
    job.moments.pop();
    job.moments.push(moment(120_000, Event::GaveUp(Outcome::TimedOut)));
    job.end = Some(End::new(Outcome::TimedOut, "it was still in progress at the deadline of 2m".to_owned(), None));
    Report { ended: Some(at(120_100)), ..run_of(job) }
}

fn submit_uncertain() -> Report {
    let mut job = JobReport::new(None, Some("GL_DATA_LOAD".to_owned()));
    job.moments = vec![
        moment(400, Event::Trouble("EPM answers HTTP 429".to_owned())),
        moment(5_400, Event::Sent),
        moment(5_900, Event::Trouble("the connection was reset".to_owned())),
        moment(6_000, Event::GaveUp(Outcome::SubmitUncertain)),
    ];
    job.duration = Some(Duration::from_millis(600));
    job.end =
        Some(End::new(Outcome::SubmitUncertain, "the connection was reset after the submit was sent".to_owned(), None));
    Report { submitted: Submitted::Maybe, ..run_of(job) }
}

fn denied() -> Report {
    let mut job = JobReport::new(None, Some("GL_DATA_LOAD".to_owned()));
    job.moments = vec![moment(300, Event::GaveUp(Outcome::AccessDenied))];
    let why = "EPM refused the credentials: HTTP 401".to_owned();
    job.end = Some(End::new(Outcome::AccessDenied, why, Some("check user and password")));
    Report { submitted: Submitted::No, ..run_of(job) }
}

fn uploads() -> Report {
    let second =
        Uploaded {
            local: "data/Größe und Maß.csv".into(), remote: "inbox/Größe und Maß.csv".to_owned(), ..upload()
        };
    Report { uploads: vec![upload(), second], ..passed() }
}

fn reused() -> Report {
    let mut job = job(2100, State::Succeeded, "SUCCESS", 1_500);
    job.moments = vec![moment(0, Event::Attached), ended(500, State::Succeeded, "SUCCESS")];
    job.duration = Some(Duration::from_millis(500));
    let notes = vec!["`GL_DATA_LOAD` (job 2100): an earlier run has passed it".to_owned()];
    Report { submitted: Submitted::No, earlier: Some(Earlier::Reused), notes, ..run_of(job) }
}

fn unended() -> Report {
    let mut job = job(2100, State::Failed, "RUNNING", 2_000);
    job.moments.pop();
    (job.state, job.end) = (Some(State::InProgress), None);
    Report { ended: None, ..run_of(job) }
}

fn usage() -> Report {
    let end = End::new(
        Outcome::Usage,
        "`--import-mode`: `Overwrite` is none of its values".to_owned(),
        Some("use `Replace`"),
    );
    Report { command: Some("run"), begun: at(0), ended: Some(at(3)), end: Some(end), ..Report::default() }
}

fn panicked() -> Report {
    let end = End::new(Outcome::Panic, "this is a bug; a job may be running".to_owned(), None);
    let interrupted = End::new(Outcome::Interrupted(Signal::Terminate), "SIGTERM was received".to_owned(), None);
    let mut report = Report { end: Some(end), ..unended() };
    report.jobs[0].end = Some(interrupted);
    report
}

/// Texts that are commands to a runner, markup, structure, escapes of a terminal, and variables.
pub(crate) const HOSTILE: &str = "::error::x\n##[error]y ##vso[task.complete result=Succeeded;] $(password) ${{ secrets.X }}\n\
     </pre></td></script><script>alert(1)</script><img src=x onerror=alert(1)> ]]> <!-- --> &amp; \"' | \\| `` ```\n\n\
     # head\n- [ ] **bold** [link](https://evil.example) ![i](x)\n\u{1b}[31mred\u{1b}[0m\u{9b}1m\u{202e}abc\u{0}\u{2028}\
     [[ATTACHMENT|/etc/passwd]]\nEPM_GATE_OUTCOME=succeeded\n";

fn hostile() -> Report {
    with_texts(HOSTILE)
}
