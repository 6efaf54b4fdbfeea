//! Reads the command line, opens the outputs, plays the run, writes the end, exits.

use std::ffi::OsString;
use std::pin::pin;
use std::process::exit;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime;
use tokio::task::LocalSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use epm_gate::bounded::{WRITE, aside, within_or_here};
use epm_gate::ci::context::context;
use epm_gate::ci::{Outputs, Platform};
use epm_gate::cli::{self, Call, Environment, Errand, Invocation, Misread};
use epm_gate::crash;
use epm_gate::gate::desk::Desk;
use epm_gate::gate::{Gate, Task, client};
use epm_gate::inbox::{self, Parcel};
use epm_gate::notify::{AFTER_SIGNAL, Audience, BOUND};
use epm_gate::outcome::{Outcome, Signal};
use epm_gate::report::console::{Color, Console, Format, Volume, print_line};
use epm_gate::report::values::harmless;
use epm_gate::report::{End, JobReport, Report};
use epm_gate::signals::Signals;
use epm_gate::telemetry::Export;

/// How long opening the outputs may take: whoever reads a pipe is there by then, or never.
const OPENING: Duration = Duration::from_secs(10);

/// Who hears of the end of a run.
#[derive(Default)]
struct Listeners {
    audience: Option<Audience>,
    export: Option<Export>,
}

/// Never returns: a name that is still being resolved sits in a thread that a returning `main` would wait for.
fn main() {
    let start = Instant::now();
    let environment = Environment::of_process();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let context = cli::trace_context(&environment);
    let format = cli::log_format(&arguments, &environment, &context);
    crash::watch(format);
    let called = Call::parse(&arguments, environment.clone(), format, context);
    exit(i32::from(play(called, &environment, format, start).code()))
}

/// Plays the run on one thread.
fn play(called: Result<Call, Misread>, environment: &Environment, format: Format, start: Instant) -> Outcome {
    let call = match called {
        Ok(call) => Arc::new(call),
        Err(error) => return misread(&error, environment, format),
    };
    match runtime::Builder::new_current_thread().enable_all().build() {
        // Dropping it would wait for what is stuck in its threads.
        // Exchanges at the identity service are tasks of their own on this one thread.
        Ok(runtime) => {
            let tasks = LocalSet::new();
            let story = tasks.run_until(crash::guarded(begin(&call, environment, start)));
            Box::leak(Box::new(runtime)).block_on(story)
        }
        Err(error) => {
            let platform = cli::wanted_by_environment(environment).platform;
            let desk = desk_for(USUAL, format, environment, Outputs::default(), platform);
            desk.end_with(broken(&anyhow::Error::new(error).context("cannot start the runtime")))
        }
    }
}

/// How the log looks where nothing else can be read off the command line.
const USUAL: (Volume, Color) = (Volume::Normal, Color::Auto);

/// A desk for a run of which nothing is known yet; the one that a panic closes.
fn desk_for(
    (volume, color): (Volume, Color),
    format: Format,
    environment: &Environment,
    outputs: Outputs,
    platform: Platform,
) -> Rc<Desk> {
    let console = Console::new(volume, color, cli::wants_plain(environment), format);
    let context = context(platform, |name| environment.get(name));
    let report = Report { context, begun: jiff::Timestamp::now(), ..Report::default() };
    let desk = Rc::new(Desk::new(report, outputs, platform, console));
    crash::closes(&desk);
    desk
}

/// Help and version, or a command line that is wrong: of the outputs, those of the environment are left.
fn misread(misread: &Misread, environment: &Environment, format: Format) -> Outcome {
    match misread {
        Misread::Shown(text) if text.print().is_ok() => Outcome::Succeeded,
        Misread::Shown(_) => Outcome::Unwritable,
        Misread::Wrong(error, wanted) => {
            let (wanted, platform, path) = (wanted.clone(), wanted.platform, wanted.report());
            let (outputs, _) = within_or_here(OPENING, move || Outputs::open(&wanted)).unwrap_or_default();
            let desk = desk_for(USUAL, format, environment, outputs, platform);
            desk.note(|report| report.path = path);
            desk.end_with(usage(error))
        }
    }
}

/// Listens for signals before anything that may take its time, plays, and tells whoever is to be told.
async fn begin(call: &Arc<Call>, environment: &Environment, start: Instant) -> Outcome {
    let until = call.deadline(start).end();
    let signals = Signals::install();
    let Ok(mut signals) = signals.context("cannot listen for signals") else {
        return open(call, environment, until).await.0.end_with(End::new(
            Outcome::Usage,
            "cannot listen for signals".to_owned(),
            Some(NOT_BEGUN),
        ));
    };
    let (desk, listeners, outcome) = Box::pin(story(call, environment, start, &mut signals)).await;
    if listeners.audience.is_some() || listeners.export.is_some() {
        tell(&desk, &listeners, &mut signals).await;
    }
    outcome
}

/// Opens the outputs, reads every file, and runs. The outputs stand afterwards; it is left to tell those who are named.
async fn story(
    call: &Arc<Call>,
    environment: &Environment,
    start: Instant,
    signals: &mut Signals,
) -> (Rc<Desk>, Listeners, Outcome) {
    let until = call.deadline(start).end();
    let mut opening = pin!(open(call, environment, until));
    let (opened, early) = tokio::select! {
        biased;
        opened = &mut opening => (Ok(opened), None),
        // What opens at all, opens soon; then the end can be written there.
        signal = signals.first() => (timeout(WRITE, opening).await, Some(signal)),
    };
    let (desk, trouble) = opened.unwrap_or_else(|_| closed(call, environment));
    let (listeners, wrong) = if let Some(signal) = early {
        (Listeners::default(), Some(interrupted(signal)))
    } else {
        tokio::select! {
            biased;
            asked = listeners(call, &desk, until) => asked,
            signal = signals.first() => (Listeners::default(), Some(interrupted(signal))),
        }
    };
    let outcome = match wrong.or(trouble) {
        Some(end) => desk.end_with(end),
        None => play_planned(call, &desk, start, listeners.incident(), signals).await,
    };
    (desk, listeners, outcome)
}

/// Whom to tell, by the command line, the environment and the files that they name; and what is wrong with that.
async fn listeners(call: &Arc<Call>, desk: &Desk, until: Instant) -> (Listeners, Option<End>) {
    let reader = Arc::clone(call);
    let read = in_time(until, move || (reader.audience(), reader.export())).await;
    let Some((audience, (export, warnings))) = read else { return (Listeners::default(), Some(unread())) };
    let (audience, in_vain, wrong) = match audience {
        Ok((audience, in_vain)) => (audience, in_vain, None),
        Err(error) => (None, Vec::new(), Some(usage(&error))),
    };
    warnings.into_iter().chain(in_vain).for_each(|warning| desk.tell_once(warning));
    (Listeners { audience, export }, wrong)
}

/// Tells those who are to be told, within a bound that a signal makes shorter, be it before or meanwhile; a second one
/// ends it.
async fn tell(desk: &Desk, listeners: &Listeners, signals: &mut Signals) {
    let Some(patience) = signals.patience(BOUND, AFTER_SIGNAL) else {
        desk.console().warn("nobody was notified: a second signal came before");
        return;
    };
    let report = desk.read(Report::clone);
    let mut telling = pin!(listeners.tell(&report, Instant::now() + patience, desk));
    let told = tokio::select! {
        biased;
        told = &mut telling => Some(told),
        () = stopped(signals) => None,
    };
    match told {
        Some(failures) => failures.iter().for_each(|failure| desk.console().warn(failure)),
        None => desk.console().warn("somebody may not have been notified: a signal came before"),
    }
}

impl Listeners {
    fn incident(&self) -> Option<String> {
        self.audience.as_ref()?.incident()
    }

    /// Tells all of them side by side. What could not be told, in a sentence each.
    async fn tell(&self, report: &Report, end: Instant, desk: &Desk) -> Vec<String> {
        let notified = async {
            match &self.audience {
                Some(audience) => audience.tell(report, end).await,
                None => Vec::new(),
            }
        };
        let exported = async {
            match &self.export {
                Some(export) => export.send(report, end, |line| desk.console().trace(line)).await.err(),
                None => None,
            }
        };
        let (mut failures, failure) = tokio::join!(notified, exported);
        failures.extend(failure);
        failures
    }
}

/// Waits for the signal that ends telling, or for what is left of the time after the first.
async fn stopped(signals: &mut Signals) {
    if signals.has_come() {
        return signals.again().await;
    }
    signals.first().await;
    tokio::select! {
        () = signals.again() => {}
        () = sleep_until(Instant::now() + AFTER_SIGNAL) => {}
    }
}

/// Reads the plan and does what it says.
async fn play_planned(
    call: &Arc<Call>,
    desk: &Rc<Desk>,
    start: Instant,
    incident: Option<String>,
    signals: &mut Signals,
) -> Outcome {
    let planned = tokio::select! {
        biased;
        planned = plan(call, start, incident) => planned,
        signal = signals.first() => Err(interrupted(signal)),
    };
    let played = match planned {
        Ok(Errand::Gate(invocation)) if invocation.dry_run => dry_run(desk, &invocation, signals).await,
        Ok(Errand::Gate(invocation)) => run(desk, *invocation, signals).await,
        Ok(Errand::Check(check)) => {
            desk.note(|report| report.url = Some(check.url.clone()));
            return check.run(desk, signals).await;
        }
        Ok(Errand::Explain(explain)) => return explain.run(desk, signals).await,
        Ok(Errand::Login(login)) => return desk.end_with(login.run(desk, signals).await),
        Err(end) => return desk.end_with(end),
    };
    played.unwrap_or_else(|error| desk.end_with(broken(&error)))
}

/// A desk without outputs, for a run that is stopped before they are open.
fn closed(call: &Call, environment: &Environment) -> (Rc<Desk>, Option<End>) {
    let console = call.console().unwrap_or(USUAL);
    (desk_for(console, call.format(), environment, Outputs::default(), call.wanted().0.platform), None)
}

/// Opens the log and every output. What cannot be opened is the end of the run, and is told where it can be.
async fn open(call: &Call, environment: &Environment, until: Instant) -> (Rc<Desk>, Option<End>) {
    let console = call.console();
    let shown = *console.as_ref().unwrap_or(&USUAL);
    let (wanted, wrong) = call.wanted();
    let (platform, path) = (wanted.platform, wanted.report());
    // A dry run is no run: it leaves the outputs of an earlier one alone.
    let opened = if call.is_dry_run() {
        Some(Default::default())
    } else {
        in_time(until.min(Instant::now() + OPENING), move || Outputs::open(&wanted)).await
    };
    let in_time = opened.is_some();
    let (outputs, errors) = opened.unwrap_or_default();
    let trouble = match (console.err().or(wrong), errors.first()) {
        (Some(error), _) => Some(usage(&error)),
        (None, Some(error)) => Some(End::new(Outcome::Usage, error.sentence(), Some(error.help()))),
        (None, None) if in_time => None,
        (None, None) => {
            let why = "an output did not open in time: it is a pipe that nobody reads".to_owned();
            Some(End::new(Outcome::Usage, why, Some("name files, or pipes that somebody reads")))
        }
    };
    let desk = desk_for(shown, call.format(), environment, outputs, platform);
    desk.note(|report| (report.command, report.path) = (Some(call.command()), path));
    (desk, trouble)
}

/// The plan, with every file read that it names.
async fn plan(call: &Arc<Call>, start: Instant, incident: Option<String>) -> Result<Errand, End> {
    let reader = Arc::clone(call);
    let Some(planned) = in_time(call.deadline(start).end(), move || reader.plan(start, incident.as_deref())).await
    else {
        return Err(unread());
    };
    planned.map_err(|error| usage(&error))
}

fn unread() -> End {
    let why = "nothing was sent: the command line and its files could not be read before the deadline".to_owned();
    End::new(Outcome::Unreachable, why, Some("name files, or pipes that somebody writes to"))
}

/// Does what may block for ever, such as opening a pipe that nobody writes to. None where that takes until the deadline.
async fn in_time<T: Send + 'static>(until: Instant, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    timeout_at(until, aside(work)).await.ok()
}

fn usage(error: &cli::Error) -> End {
    End::new(Outcome::Usage, error.to_string(), Some(error.help()))
}

fn interrupted(signal: Signal) -> End {
    End::new(Outcome::Interrupted(signal), format!("{} was received; nothing was submitted", signal.name()), None)
}

const NOT_BEGUN: &str = "nothing was sent: this is a fault of the system or of its configuration";

/// The end where the system or its configuration does not let a run begin.
fn broken(error: &anyhow::Error) -> End {
    End::new(Outcome::Usage, format!("{error:#}"), Some(NOT_BEGUN))
}

async fn run(desk: &Rc<Desk>, invocation: Invocation, signals: &mut Signals) -> anyhow::Result<Outcome> {
    desk.note(|report| describe(report, &invocation));
    for warning in invocation.warnings {
        desk.tell_once(warning);
    }
    let credentials = invocation.credentials.context("no credentials")?;
    let client = client(desk, invocation.url, credentials, &invocation.network, invocation.limits, invocation.record)?;
    let gate = Gate::new(client, invocation.plan, Rc::clone(desk));
    gate.run(signals).await;
    let outcome = desk.close();
    gate.land(signals).await;
    Ok(outcome)
}

/// What is known of a run before it begins.
fn describe(report: &mut Report, invocation: &Invocation) {
    report.url = Some(invocation.url.clone());
    report.attach_flags.clone_from(&invocation.attach_flags);
    let named = |id| JobReport::new(Some(id), invocation.label.clone());
    report.jobs = match &invocation.plan.task {
        Task::Run(_) | Task::Submit(_) => vec![JobReport::new(None, None)],
        Task::Attach(ids) => ids.iter().copied().map(named).collect(),
        Task::Status(id) => vec![named(*id)],
    };
}

/// What a dry run prints.
#[derive(serde::Serialize)]
struct DryRun<'a> {
    method: &'static str,
    url: &'a str,
    payload: Box<serde_json::value::RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    uploads: Vec<DryUpload<'a>>,
}

/// A file that would be brought before.
#[derive(serde::Serialize)]
struct DryUpload<'a> {
    local: std::borrow::Cow<'a, str>,
    remote: &'a str,
    bytes: u64,
    sha256: &'a str,
}

impl<'a> DryUpload<'a> {
    fn of(parcel: &'a Parcel) -> Self {
        Self {
            local: parcel.local.to_string_lossy(),
            remote: parcel.remote.as_str(),
            bytes: parcel.measured.bytes,
            sha256: &parcel.measured.sha256,
        }
    }
}

/// Prints what would be sent, and where to, as one JSON object.
async fn dry_run(desk: &Desk, invocation: &Invocation, signals: &mut Signals) -> anyhow::Result<Outcome> {
    let (Task::Run(source) | Task::Submit(source)) = &invocation.plan.task else { return Ok(Outcome::Usage) };
    let payload = tokio::select! {
        biased;
        payload = source.read(invocation.limits.deadline) => payload,
        signal = signals.first() => Err(interrupted(signal)),
    };
    let payload = match payload {
        Ok(payload) => payload,
        Err(end) => return Ok(desk.end_with(end)),
    };
    let url = invocation.url.jobs();
    let parcels = &invocation.plan.uploads;
    for doubt in inbox::doubts(parcels, &payload) {
        desk.tell_once(doubt);
    }
    let uploads = parcels.iter().map(DryUpload::of).collect();
    let shown = DryRun { method: "POST", url: url.as_str(), payload: payload.raw(), uploads };
    let line = serde_json::to_string(&shown).context("cannot write JSON")?;
    print_line(&harmless(&line)).context("cannot write to standard output")?;
    desk.console().say("dry run: nothing was sent");
    Ok(Outcome::Succeeded)
}
