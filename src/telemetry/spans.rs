//! The facts of a run as spans: the gate, each attempt, and the parts of the work on it. Pure: the same report and the same
//! context give the same spans.

use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;

use crate::foreign::cut;
use crate::outcome::Outcome;
use crate::report::stretches::{Phase, Stretch};
use crate::report::{End, Event as Happened, JobReport, Moment, Report};

use super::context::TraceContext;
use super::span::{Attribute, Event, Span, Value, known, number, text};

/// The most jobs and attempts that are told of, and the most events of each: a trace is read by people, and a request should
/// stay far below the 20 MiB that a receiver takes (OTLP, "OTLP/HTTP Request").
const MOST_JOBS: usize = 250;
const MOST_EVENTS: usize = 128;

/// The longest text, in bytes.
pub(super) const LONGEST: usize = 1000;

/// All spans of a run, the gate's own first.
pub(super) fn spans(report: &Report, context: &TraceContext) -> Vec<Span> {
    let seed = u64::from_be_bytes(context.span_id);
    let mut ids = Ids { rng: Rng::with_seed(seed), taken: seed };
    let begun = nanos(report.begun);
    let mut gate = Span {
        id: context.span_id,
        parent: context.parent,
        is_remote: context.parent.is_some(),
        name: "gate".to_owned(),
        start: begun,
        end: report.ended.map_or(begun, nanos).max(begun),
        attributes: of_gate(report),
        events: Vec::new(),
        dropped: 0,
        error: report.end().and_then(error_of),
    };
    let told = report.attempts.iter().chain(report.worst_first()).filter(|job| is_worth_a_span(job));
    let mut spans = Vec::new();
    for job in told.take(MOST_JOBS) {
        let attempt = spans.len();
        spans.extend(attempt_of(job, &gate, &mut ids));
        gate.end = gate.end.max(spans[attempt].end);
    }
    spans.insert(0, gate);
    spans
}

/// Ids of spans, none twice.
struct Ids {
    rng: Rng,
    taken: u64,
}

impl Ids {
    fn next(&mut self) -> [u8; 8] {
        loop {
            let id = self.rng.u64(1..);
            if id != self.taken {
                return id.to_be_bytes();
            }
        }
    }
}

/// Nothing is known of what has not begun.
fn is_worth_a_span(job: &JobReport) -> bool {
    !job.moments.is_empty() || !job.stretches.is_empty()
}

/// The span of an attempt, and those of its parts.
fn attempt_of(job: &JobReport, gate: &Span, ids: &mut Ids) -> Vec<Span> {
    let clock = Clock::of(job, gate.start);
    let mut attempt = Span {
        id: ids.next(),
        parent: Some(gate.id),
        is_remote: false,
        name: format!("attempt {}", job.attempt),
        start: clock.first,
        end: clock.first,
        attributes: of_job(job),
        events: Vec::new(),
        dropped: 0,
        error: job.end.as_ref().and_then(error_of),
    };
    let last = job.moments.iter().map(|moment| clock.at(moment.after)).max();
    // What was cut short ended with the run, or with the last that is known.
    let open = last.unwrap_or(clock.first).max(gate.end);
    let mut parts: Vec<Span> =
        job.stretches.iter().map(|stretch| part(stretch, job, &clock, open, attempt.id, ids)).collect();
    attempt.end = parts.iter().map(|part| part.end).chain(last).fold(clock.first, u64::max);
    for moment in &job.moments {
        let at = clock.at(moment.after);
        let inner = parts.iter_mut().rfind(|part| (part.start..=part.end).contains(&at));
        push(inner.unwrap_or(&mut attempt), event(moment, at));
    }
    parts.insert(0, attempt);
    parts
}

/// When things happened to a job: by the wall clock as it stood when we began with it, and by what has passed since, so that
/// a clock that is set in between turns nothing around.
struct Clock {
    begun: u64,
    /// The first thing that happened, within the gate's time.
    first: u64,
}

impl Clock {
    fn of(job: &JobReport, earliest: u64) -> Self {
        let firsts = job.stretches.first().map(|stretch| (stretch.at, stretch.after));
        let first = firsts.or_else(|| job.moments.first().map(|moment| (moment.at, moment.after)));
        let begun = first.map_or(earliest, |(at, after)| nanos(at).saturating_sub(length(after))).max(earliest);
        let afters = job.stretches.iter().map(|stretch| stretch.after);
        let after = afters.chain(job.moments.iter().map(|moment| moment.after)).min().unwrap_or_default();
        Self { begun, first: begun.saturating_add(length(after)) }
    }

    fn at(&self, after: Duration) -> u64 {
        self.begun.saturating_add(length(after))
    }
}

fn part(stretch: &Stretch, job: &JobReport, clock: &Clock, open: u64, parent: [u8; 8], ids: &mut Ids) -> Span {
    let start = clock.at(stretch.after);
    let end = stretch.length.map(|length| clock.at(stretch.after + length));
    let is_cut = end.is_none();
    Span {
        id: ids.next(),
        parent: Some(parent),
        is_remote: false,
        name: stretch.phase.word().to_owned(),
        start,
        end: end.unwrap_or(open).max(start),
        attributes: if stretch.phase == Phase::Diagnose { of_diagnosis(job) } else { Vec::new() },
        events: Vec::new(),
        dropped: 0,
        error: is_cut.then(|| "it was cut short".to_owned()).or_else(|| error_of_part(stretch, job)),
    }
}

/// A part that failed: the last before an end that is no verdict.
fn error_of_part(stretch: &Stretch, job: &JobReport) -> Option<String> {
    let end = job.end.as_ref().filter(|end| !end.outcome.is_verdict() && !end.outcome.is_pass())?;
    let is_last = job.stretches.last() == Some(stretch);
    let is_its_own = matches!(stretch.phase, Phase::Look | Phase::Upload | Phase::Submit | Phase::Wait);
    if is_last && is_its_own { error_of(end) } else { None }
}

fn push(span: &mut Span, event: Event) {
    if span.events.len() < MOST_EVENTS {
        span.events.push(event);
    } else {
        span.dropped = span.dropped.saturating_add(1);
    }
}

fn event(moment: &Moment, at: u64) -> Event {
    let (name, attributes) = match &moment.event {
        Happened::Uploaded { remote, bytes, was_there } => (
            "uploaded",
            known([
                ("epm.upload.name", text(&short(remote))),
                ("epm.upload.bytes", number(*bytes)),
                ("epm.upload.was_there", Some(Value::Flag(*was_there))),
            ]),
        ),
        Happened::Sent => ("submit sent", Vec::new()),
        Happened::Submitted => ("submitted", Vec::new()),
        Happened::Attached => ("attached", Vec::new()),
        Happened::State(state, said) => (
            "state",
            known([
                ("epm.job.status", number(state.number())),
                ("epm.job.status.text", said.as_deref().and_then(|said| text(&short(said)))),
            ]),
        ),
        Happened::Trouble(what) => ("no usable answer", known([("epm.trouble", text(&short(what)))])),
        Happened::GaveUp(outcome) => ("given up", known([("epm.gate.outcome", text(outcome.word()))])),
    };
    Event { at, name, attributes }
}

fn of_gate(report: &Report) -> Vec<Attribute> {
    let end = report.end();
    let outcome = end.map(|end| end.outcome);
    let context = &report.context;
    let is_task_url = context.platform == Some("gitlab");
    let mut attributes = known([
        ("cicd.pipeline.task.name", context.task.as_ref().and_then(|task| text(&short(task.as_str())))),
        (
            "cicd.pipeline.task.run.url.full",
            context.run.as_ref().filter(|_| is_task_url).and_then(|url| text(url.as_str())),
        ),
        ("cicd.pipeline.task.run.result", outcome.map(result).and_then(text)),
        ("error.type", outcome.filter(|outcome| !outcome.is_pass()).and_then(|outcome| text(outcome.word()))),
        ("server.address", report.url.as_ref().and_then(|url| text(&url.host()))),
        ("epm.gate.command", report.command.and_then(text)),
        ("epm.gate.outcome", outcome.and_then(|outcome| text(outcome.word()))),
        ("epm.gate.exit_code", outcome.and_then(|outcome| number(outcome.code()))),
        ("epm.gate.submitted", text(report.submitted.word())),
        ("epm.gate.jobs", number(report.jobs.len())),
    ]);
    if let Some(payload) = &report.payload {
        attributes.extend(known([("epm.job.type", text(&short(payload.job_type())))]));
    }
    attributes
}

fn of_job(job: &JobReport) -> Vec<Attribute> {
    let outcome = job.end.as_ref().map(|end| end.outcome);
    known([
        ("epm.job.id", job.id.and_then(|id| number(id.number()))),
        ("epm.job.name", job.name.as_deref().and_then(|name| text(&short(name)))),
        ("epm.job.attempt", number(job.attempt)),
        ("epm.job.status", job.state.and_then(|state| number(state.number()))),
        ("epm.job.polls", number(job.polls)),
        ("epm.gate.outcome", outcome.and_then(|outcome| text(outcome.word()))),
        ("error.type", outcome.filter(|outcome| !outcome.is_pass()).and_then(|outcome| text(outcome.word()))),
    ])
}

fn of_diagnosis(job: &JobReport) -> Vec<Attribute> {
    let Some(diagnosis) = &job.diagnosis else { return Vec::new() };
    known([
        ("epm.failure.category", text(diagnosis.category.word())),
        ("epm.failure.transient", Some(Value::Flag(diagnosis.transient))),
        ("epm.failure.line", diagnosis.evidence.as_ref().and_then(|line| text(&short(line.text.as_str())))),
    ])
}

/// `cicd.pipeline.task.run.result` (github.com/open-telemetry/semantic-conventions, `docs/registry/attributes/cicd.md`).
fn result(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded | Outcome::Warned | Outcome::Submitted => "success",
        Outcome::TimedOut => "timeout",
        Outcome::Interrupted(_) | Outcome::Cancelled => "cancellation",
        Outcome::Failed | Outcome::InvalidParameter | Outcome::ConditionUnmet => "failure",
        Outcome::Usage
        | Outcome::ContactLost
        | Outcome::AccessLost
        | Outcome::Undetermined
        | Outcome::SubmitUncertain
        | Outcome::InProgress
        | Outcome::AccessDenied
        | Outcome::Unreachable
        | Outcome::Rejected
        | Outcome::Unwritable
        | Outcome::Panic => "error",
    }
}

fn error_of(end: &End) -> Option<String> {
    (!end.outcome.is_pass()).then(|| short(&format!("{}: {}", end.outcome.word(), end.why)))
}

fn short(text: &str) -> String {
    cut(text, LONGEST).into_owned()
}

/// Nanoseconds since 1970; what lies before is 0.
fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or_default()
}

fn length(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap_or(u64::MAX)
}
