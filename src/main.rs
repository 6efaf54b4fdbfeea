//! Reads the command line, opens the outputs, plays the run, writes the end, exits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::{Arc, mpsc};

use anyhow::Context;
use tokio::time::Instant;

use epm_gate::ci::Outputs;
use epm_gate::cli::{self, Call, Environment, Invocation, Misread};
use epm_gate::epm::Client;
use epm_gate::foreign::log_line;
use epm_gate::gate::desk::Desk;
use epm_gate::gate::{Gate, Task};
use epm_gate::outcome::Outcome;
use epm_gate::report::console::{Color, Console, Volume, print_line};
use epm_gate::report::values::json_line;
use epm_gate::report::{End, JobReport, Report};
use epm_gate::signals::Signals;

fn main() -> ExitCode {
    let start = Instant::now();
    let environment = Environment::of_process();
    let call = match Call::parse(std::env::args_os(), environment.clone()) {
        Ok(call) => Arc::new(call),
        Err(error) => return ExitCode::from(misread(&error, &environment).code()),
    };
    let (desk, opened) = open(&call, &environment, start);
    let desk = Rc::new(desk);
    let outcome = match opened.and_then(|()| plan(&call, start)) {
        Ok(invocation) => act(&desk, invocation),
        Err(end) => desk.end_with(end),
    };
    // Not a return: a name that is still being resolved sits in a thread that would be waited for.
    std::process::exit(i32::from(outcome.code()))
}

/// Does what may block for ever, such as opening a pipe that nobody writes to, in a thread of its own, and gives up on
/// it at the deadline.
fn bounded<T: Send + 'static>(until: Instant, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
}

/// Help and version, or a command line that is wrong: of the outputs, those of the environment are left.
fn misread(misread: &Misread, environment: &Environment) -> Outcome {
    match misread {
        Misread::Shown(text) if text.print().is_ok() => Outcome::Succeeded,
        Misread::Shown(_) => Outcome::Unwritable,
        Misread::Wrong(error) => {
            let wanted = cli::wanted_by_environment(environment);
            let (outputs, _) = Outputs::open(&wanted);
            let console = Console::new(Volume::Normal, Color::Auto, cli::wants_plain(environment));
            Desk::new(Report::new(""), outputs, wanted.platform, console).end_with(usage(error))
        }
    }
}

/// Opens the log and every output. What cannot be opened is the end of the run, and is told where it can be.
fn open(call: &Call, environment: &Environment, start: Instant) -> (Desk, Result<(), End>) {
    let console = call.console();
    let (volume, color) = *console.as_ref().unwrap_or(&(Volume::Normal, Color::Auto));
    let (wanted, wrong) = call.wanted();
    let platform = wanted.platform;
    // A dry run is no run: it leaves the outputs of an earlier one alone.
    let opened = if call.is_dry_run() {
        Some(Default::default())
    } else {
        bounded(call.deadline(start).end(), move || Outputs::open(&wanted))
    };
    let in_time = opened.is_some();
    let (outputs, errors) = opened.unwrap_or_default();
    let opened = match (console.err().or(wrong), errors.first()) {
        (Some(error), _) => Err(usage(&error)),
        (None, Some(error)) => Err(End::new(Outcome::Usage, error.sentence(), Some(error.help()))),
        (None, None) if in_time => Ok(()),
        (None, None) => {
            let why = "an output did not open before the deadline".to_owned();
            Err(End::new(Outcome::Usage, why, Some("name files, or pipes that somebody reads")))
        }
    };
    let console = Console::new(volume, color, cli::wants_plain(environment));
    (Desk::new(Report::new(call.command()), outputs, platform, console), opened)
}

/// The plan, with every file read that it names.
fn plan(call: &Arc<Call>, start: Instant) -> Result<Invocation, End> {
    let reader = Arc::clone(call);
    bounded(call.deadline(start).end(), move || reader.plan(start)).map_or_else(
        || {
            let why = "a file that was named could not be read before the deadline; nothing was sent".to_owned();
            Err(End::new(Outcome::Unreachable, why, Some("name files, or pipes that somebody writes to")))
        },
        |planned| planned.map_err(|error| usage(&error)),
    )
}

fn usage(error: &cli::Error) -> End {
    End::new(Outcome::Usage, error.to_string(), Some(error.help()))
}

/// Plays the run on one thread. Whatever happens, what is known is written down.
fn act(desk: &Rc<Desk>, invocation: Invocation) -> Outcome {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return desk.end_with(broken(&anyhow::Error::new(error).context("cannot start the runtime"))),
    };
    std::panic::set_hook(Box::new(|panic| eprint_panic(&panic.to_string())));
    let played = catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(async {
            if invocation.dry_run { dry_run(desk, &invocation).await } else { run(desk, invocation).await }
        })
    }));
    // Dropping it would wait for what is stuck in its threads.
    runtime.shutdown_background();
    match played {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => desk.end_with(broken(&error)),
        Err(_) => desk.close_after_panic(),
    }
}

/// The end where the system or its configuration does not let a run begin.
fn broken(error: &anyhow::Error) -> End {
    let help = "nothing was sent: this is a fault of the system or of its configuration";
    End::new(Outcome::Usage, format!("{error:#}"), Some(help))
}

/// A panic's message may hold text of others.
#[expect(clippy::print_stderr, reason = "there is no console left to trust")]
fn eprint_panic(message: &str) {
    eprintln!("{}", log_line(message));
}

async fn run(desk: &Rc<Desk>, invocation: Invocation) -> anyhow::Result<Outcome> {
    let mut signals = Signals::install().context("cannot listen for signals")?;
    desk.note(|report| describe(report, &invocation));
    for warning in invocation.warnings {
        desk.tell_once(warning);
    }
    let trace = {
        let desk = Rc::clone(desk);
        move |line: &str| desk.console().trace(line)
    };
    let credentials = invocation.credentials.context("no credentials")?;
    let client = Client::new(invocation.url, credentials, invocation.limits, trace)?;
    Gate::new(client, invocation.plan, Rc::clone(desk)).run(&mut signals).await;
    Ok(desk.close())
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

/// Prints what would be sent, and where to, as one JSON object.
async fn dry_run(desk: &Desk, invocation: &Invocation) -> anyhow::Result<Outcome> {
    let (Task::Run(source) | Task::Submit(source)) = &invocation.plan.task else { return Ok(Outcome::Usage) };
    let payload = match source.read(invocation.limits.deadline).await {
        Ok(payload) => payload,
        Err(end) => return Ok(desk.end_with(end)),
    };
    let url = invocation.url.jobs();
    let shown = serde_json::json!({"method": "POST", "url": url.as_str(), "payload": payload.value()});
    print_line(&json_line(&shown)).context("cannot write to standard output")?;
    desk.console().say("dry run: nothing was sent");
    Ok(Outcome::Succeeded)
}
