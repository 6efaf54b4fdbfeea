//! The command line and the environment, turned into a plan. Nothing beyond this file sees a flag or a variable.

mod check;
mod connection;
mod credentials;
mod explain;
mod flags;
mod given;
mod job;
mod keeping;
mod log_format;
mod notify;
mod offered;
mod reasons;
mod record;
mod retries;
mod telemetry;
mod upload;
mod wanted;

use std::ffi::OsString;
use std::time::Duration;

use clap::ArgMatches;
use tokio::time::Instant;

use crate::auth::Credentials;
use crate::check::Check;
use crate::ci::{Form, Platform, Wanted};
use crate::epm::Limits;
use crate::epm::recording::Beginning;
use crate::epm::url::EpmUrl;
use crate::explain::Explain;
use crate::foreign::{backticked, quote};
use crate::gate::conditions::{Conditions, Hopeless};
use crate::gate::source::Source;
use crate::gate::{Plan, Task};
use crate::http::Network;
use crate::login::Login;
use crate::notify::Audience;
use crate::pace::{Deadline, Pace, brief};
use crate::report::console::{Color, Format, Volume};
use crate::telemetry::Export;
use crate::telemetry::context::TraceContext;
use crate::wait::Rules;

pub use given::Environment;
use given::Values;
pub use log_format::{log_format, trace_context};
pub use wanted::by_environment as wanted_by_environment;

/// Something that was given is wrong, or missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The flag or the variable in question.
    origin: Option<String>,
    problem: String,
    help: String,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.origin {
            Some(origin) => write!(f, "`{origin}`: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    fn new(problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { origin: None, problem: problem.into(), help: help.into() }
    }

    fn of(origin: &str, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { origin: Some(origin.to_owned()), problem: problem.into(), help: help.into() }
    }

    /// What would be right.
    pub fn help(&self) -> &str {
        &self.help
    }
}

/// Why a command line is not run.
pub enum Misread {
    /// It asks for help or for the version.
    Shown(clap::Error),
    /// It is wrong; the outputs that it asks for all the same.
    Wrong(Error, Box<Wanted>),
}

const COMMANDS: [&str; 7] = ["run", "submit", "attach", "status", "check", "explain", "login"];

/// clap's refusal in our own words: what was wrong, and what would be right.
fn misread(error: clap::Error, wanted: impl FnOnce() -> Wanted) -> Misread {
    use clap::error::{ContextKind, ErrorKind};
    if !error.use_stderr() {
        return Misread::Shown(error);
    }
    let told = |kind| error.get(kind).map(|value| quote(&value.to_string()));
    let commands = || format!("use one of {}; see `epm-gate --help`", backticked(&COMMANDS));
    let error = match (error.kind(), told(ContextKind::InvalidSubcommand), told(ContextKind::InvalidArg)) {
        (ErrorKind::InvalidSubcommand, Some(command), _) => {
            Error::new(format!("{command} is not a command"), commands())
        }
        (ErrorKind::MissingSubcommand, ..) => Error::new("no command is given", commands()),
        (ErrorKind::UnknownArgument, _, Some(flag)) => {
            let near = told(ContextKind::SuggestedArg).map(|near| format!("did you mean {near}? "));
            let help = format!("{}`epm-gate COMMAND --help` lists the flags", near.unwrap_or_default());
            Error::new(format!("{flag} is not a flag of this command"), help)
        }
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
            Error::new(quote(first), "`epm-gate COMMAND --help` lists the flags")
        }
    };
    Misread::Wrong(error, Box::new(wanted()))
}

/// What was called: a command with its flags, and the environment around it.
pub struct Call {
    command: &'static str,
    matches: ArgMatches,
    environment: Environment,
    format: Format,
    context: TraceContext,
}

/// Everything that a run needs.
pub struct Invocation {
    /// Where to.
    pub url: EpmUrl,
    /// As whom; none only where nothing is to be sent.
    pub credentials: Option<Credentials>,
    /// On which way.
    pub network: Network,
    /// How long requests may take.
    pub limits: Limits,
    /// What to do.
    pub plan: Plan,
    /// The name that the user gave the job.
    pub label: Option<String>,
    /// The flags of a later attach.
    pub attach_flags: String,
    /// Whether to send nothing.
    pub dry_run: bool,
    /// The record of what is said, where there is to be one.
    pub record: Option<Beginning>,
    /// What may go wrong, seen ahead.
    pub warnings: Vec<String>,
}

/// What a command line comes to.
pub enum Errand {
    /// A gate for jobs.
    Gate(Box<Invocation>),
    /// A look at the way to EPM.
    Check(Box<Check>),
    /// A log that is at hand.
    Explain(Box<Explain>),
    /// A login.
    Login(Box<Login>),
}

impl Call {
    /// Reads the command line. `format`: that of the log, by [`log_format`]; `context`: by [`trace_context`].
    ///
    /// # Errors
    ///
    /// An unknown command or flag; also help and version, which are shown instead of run.
    pub fn parse(
        arguments: &[OsString],
        environment: Environment,
        format: Format,
        context: TraceContext,
    ) -> Result<Self, Misread> {
        let matches = flags::command().try_get_matches_from(arguments);
        let matches = matches.map_err(|error| misread(error, || wanted::despite(arguments, &environment, format)))?;
        let (name, matches) = matches.subcommand().unwrap_or(("", &matches));
        let command = COMMANDS.into_iter().find(|known| *known == name);
        Ok(Self { command: command.unwrap_or_default(), matches: matches.clone(), environment, format, context })
    }

    /// The command's name.
    pub fn command(&self) -> &'static str {
        self.command
    }

    fn values(&self) -> Values<'_> {
        Values::new(&self.matches, &self.environment)
    }

    /// Whether nothing is to be sent, and so nothing to be written.
    pub fn is_dry_run(&self) -> bool {
        matches!(self.command, "run" | "submit") && self.matches.get_flag("dry-run")
    }

    /// How the lines of the log are written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How much is said, and in colours or not.
    ///
    /// # Errors
    ///
    /// A value that is none of the right ones.
    pub fn console(&self) -> Result<(Volume, Color), Error> {
        let values = self.values();
        let (quiet, verbose) = (values.switch("quiet")?, values.switch("verbose")?);
        let volume = match (quiet, verbose) {
            // The variable of the one must not win over the flag of the other.
            (true, true) if values.is_typed("verbose") => Volume::Verbose,
            (true, _) => Volume::Quiet,
            (false, true) => Volume::Verbose,
            (false, false) if self.is_debugged() => Volume::Verbose,
            (false, false) => Volume::Normal,
        };
        let words = [("auto", Color::Auto), ("always", Color::Always), ("never", Color::Never)];
        let color = values.one("color")?.map_or(Ok(Color::Auto), |given| given.word(&words))?;
        log_format::is_json(&values)?;
        Ok((volume, color))
    }

    /// Whether somebody runs this workflow again with debug logging (ci-contracts.md §1.3).
    fn is_debugged(&self) -> bool {
        let debug = self.environment.get("RUNNER_DEBUG").is_some_and(|debug| debug == "1");
        debug && Platform::detect(|name| self.environment.get(name)) == Platform::Github
    }

    /// The outputs that are wanted, as far as they are told, and what is wrong with the rest: a mistake in one must not
    /// keep the others from saying so.
    pub fn wanted(&self) -> (Wanted, Option<Error>) {
        let (mut wanted, error) = wanted::wanted(&self.values(), &self.environment);
        match self.command {
            command if wanted::is_about_no_job(command) => (wanted::of_no_job(wanted.platform), None),
            "check" => {
                wanted.documents.retain(|(form, _)| *form == Form::Html);
                (Wanted { download_dir: None, ..wanted }, error)
            }
            "run" | "attach" => (wanted, error),
            _ => (Wanted { download_dir: None, ..wanted }, error),
        }
    }

    /// The deadline; the usual one where the flag cannot be read, which the plan will say.
    pub fn deadline(&self, start: Instant) -> Deadline {
        let timeout = timeout(&self.values()).unwrap_or(Some(TIMEOUT));
        if self.command == "check" { check::deadline(start, timeout) } else { Deadline::new(start, timeout) }
    }

    /// The whole plan. `start` is when the process began: the deadline counts from there. `incident` is what a later
    /// `attach` is to call the incident of this run.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong or missing.
    pub fn plan(&self, start: Instant, incident: Option<&str>) -> Result<Errand, Error> {
        let values = self.values();
        let submits = matches!(self.command, "run" | "submit");
        offered::offered(&values, submits)?;
        match self.command {
            "check" => check::check(&values, &self.environment, start).map(|check| Errand::Check(Box::new(check))),
            "explain" => explain::explain(&values).map(|explain| Errand::Explain(Box::new(explain))),
            "login" => login(&values, start).map(|login| Errand::Login(Box::new(login))),
            _ => {
                self.invocation(&values, submits, start, incident).map(|invocation| Errand::Gate(Box::new(invocation)))
            }
        }
    }

    /// Who is told of the end of a run, and what was said of that in vain; none of a dry run, nor where a command is about
    /// no end.
    ///
    /// # Errors
    ///
    /// What is wrong with an address, or with what is beside them.
    pub fn audience(&self) -> Result<(Option<Audience>, Vec<String>), Error> {
        let (audience, warnings) = match self.command {
            "run" | "submit" | "attach" => notify::audience(&self.values(), self.command != "attach")?,
            _ => Default::default(),
        };
        Ok((audience.filter(|_| !self.is_dry_run()), warnings))
    }

    /// Where the trace of a run goes, where it goes anywhere, and what is wrong with what was said of that.
    pub fn export(&self) -> (Option<Export>, Vec<String>) {
        match self.command {
            "run" | "submit" | "attach" if !self.is_dry_run() => {
                telemetry::export(&self.values(), &self.environment, &self.context)
            }
            _ => (None, Vec::new()),
        }
    }

    fn invocation(
        &self,
        values: &Values<'_>,
        submits: bool,
        start: Instant,
        incident: Option<&str>,
    ) -> Result<Invocation, Error> {
        let dry_run = self.is_dry_run();
        let uploads = if submits { upload::uploads(values)? } else { Vec::new() };
        let task = match self.command {
            "run" => Task::Run(job::source(values, &uploads)?),
            "submit" => Task::Submit(job::source(values, &uploads)?),
            "attach" => Task::Attach(job::ids(values)?),
            _ => Task::Status(only(&job::ids(values)?)?),
        };
        let platform = wanted::platform(values, &self.environment)?;
        let fresh = submits && self.matches.get_flag("fresh");
        let keeping = match self.command {
            "status" => None,
            _ => keeping::keeping(values, &self.environment, platform, submits, fresh)?,
        };
        let url = connection::url(values)?;
        let credentials = credentials::credentials(values)?;
        match &credentials {
            None if !dry_run => return Err(credentials::no_credentials()),
            Some(credentials) if !dry_run => credentials.prove().map_err(|error| credentials::unprovable(&error))?,
            _ => {}
        }
        let network = connection::network(values)?;
        let of_ci = keeping.as_ref().filter(|keeping| !keeping.is_explicit).and_then(|keeping| keeping.run.as_deref());
        let attach_flags = connection::attach_flags(values, &url, of_ci, incident)?;
        let poll_rate = poll_rate(values)?;
        let rules = Rules { lead: lead(&task, poll_rate), ..rules(values, start)? };
        let label = if submits { None } else { values.one("job-name")?.map(|given| given.value) };
        let refusal = if submits { refusal(values)? } else { None };
        let conditions = conditions(values, &task)?;
        let retries = retries::retries(values, &task)?;
        let reasons = reasons::rules(values)?;
        let overwrite = submits && values.switch("overwrite")?;
        if let Some(given) = values.one("overwrite")?.filter(|_| overwrite && uploads.is_empty()) {
            return Err(given.error("there is no `--upload`", "name the file to upload, or leave it out"));
        }
        let uploads = uploads.into_iter().map(|upload| upload.parcel).collect();
        let waits = matches!(self.command, "run" | "attach");
        let collecting = if waits { wanted::collecting(values, &self.environment)? } else { None };
        let look = look(values)?;
        let plan = Plan {
            task,
            look,
            uploads,
            overwrite,
            refusal,
            rules,
            poll_rate,
            conditions,
            reasons,
            retries,
            keeping,
            collecting,
        };
        let limits = limits(values, rules.deadline)?;
        let repetition =
            keeping::repetition(&self.environment, platform, plan.keeping.as_ref()).filter(|_| submits && !fresh);
        let limit = self.ci_limit_warning(&rules).filter(|_| self.command != "status");
        let warnings = limit.into_iter().chain(repetition).collect();
        // Last of all: it empties a file, which a mistake in something else must not.
        let record = if dry_run { None } else { record::begin(values, &self.environment, self.command)? };
        Ok(Invocation { url, credentials, network, limits, plan, label, attach_flags, dry_run, record, warnings })
    }

    /// Where the platform ends the job before our deadline, the explanation is lost with it (lessons.md B11).
    fn ci_limit_warning(&self, rules: &Rules) -> Option<String> {
        let seconds: u64 = self.environment.get("CI_JOB_TIMEOUT")?.trim().parse().ok()?;
        let limit = Duration::from_secs(seconds);
        let timeout = rules.deadline.timeout();
        if timeout.is_some_and(|timeout| timeout < limit) {
            return None;
        }
        let timeout = timeout.map_or_else(|| "none".to_owned(), brief);
        Some(format!(
            "the CI ends this job after {} (`CI_JOB_TIMEOUT`), and `--timeout` is {timeout}: set it lower, so that the \
             gate can still tell what became of the job",
            brief(limit)
        ))
    }
}

fn login(values: &Values<'_>, start: Instant) -> Result<Login, Error> {
    let (identity, file) = credentials::login(values)?;
    let renew = values.switch("renew")?;
    if renew {
        file.read().map_err(|error| credentials::unprovable(&error))?;
        file.prove().map_err(|error| credentials::unprovable(&error))?;
    }
    Ok(Login { identity, file, network: connection::network(values)?, renew, rules: rules(values, start)? })
}

/// Whether the environment asks for plain text (<https://no-color.org>).
pub fn wants_plain(environment: &Environment) -> bool {
    environment.get("NO_COLOR").is_some() || environment.get("TERM").is_some_and(|term| term == "dumb")
}

fn only(ids: &[crate::job::JobId]) -> Result<crate::job::JobId, Error> {
    match ids {
        [id] => Ok(*id),
        _ => Err(Error::new("`status` asks for one job", "give one job id, or use `attach` for several")),
    }
}

fn look(values: &Values<'_>) -> Result<Option<String>, Error> {
    match values.one("look")? {
        None => Ok(Some("/aif/rest/".to_owned())),
        Some(given) if given.value.trim().eq_ignore_ascii_case("off") => Ok(None),
        Some(given) if given.value.starts_with('/') => Ok(Some(given.value.trim().to_owned())),
        Some(given) => Err(given.error("it is not a path", "write a path that begins with `/`, or `off`")),
    }
}

/// How long before the daily maintenance nothing is submitted any more.
fn refusal(values: &Values<'_>) -> Result<Option<Duration>, Error> {
    values.one("refuse-before-maintenance")?.map(|given| given.duration()).transpose()
}

fn duration(values: &Values<'_>, flag: &str, default: Duration) -> Result<Duration, Error> {
    values.one(flag)?.map_or(Ok(default), |given| given.duration())
}

fn positive(values: &Values<'_>, flag: &str, default: Duration) -> Result<Duration, Error> {
    values.one(flag)?.map_or(Ok(default), |given| given.positive_duration())
}

/// Below the usual limit of a CI job, an hour, so that the gate can still tell what became of the job.
const TIMEOUT: Duration = Duration::from_mins(50);

fn timeout(values: &Values<'_>) -> Result<Option<Duration>, Error> {
    match values.one("timeout")? {
        None => Ok(Some(TIMEOUT)),
        Some(given) if given.value.eq_ignore_ascii_case("none") => Ok(None),
        Some(given) => given.positive_duration().map(Some),
    }
}

fn rules(values: &Values<'_>, start: Instant) -> Result<Rules, Error> {
    Ok(Rules {
        pace: pace(values)?,
        deadline: Deadline::new(start, timeout(values)?),
        outage_budget: duration(values, "outage-budget", Duration::from_mins(10))?,
        unknown_grace: duration(values, "unknown-grace", Duration::from_mins(5))?,
        lead: Duration::ZERO,
    })
}

fn pace(values: &Values<'_>) -> Result<Pace, Error> {
    let min = positive(values, "poll-min", Duration::from_secs(1))?;
    let expected = values.one("expect-duration")?.map(|given| given.positive_duration()).transpose()?;
    // Long before an end that is expected, or after it, polls are sparser than they would be without a hint.
    let longest = Duration::from_mins(if expected.is_some() { 5 } else { 1 });
    // A shortest interval above the usual longest one makes all of them alike.
    let max = positive(values, "poll-max", longest.max(min))?;
    let cost = positive(values, "poll-cost", Duration::from_millis(100))?;
    match values.one("poll-max")? {
        Some(given) if max < min => {
            Err(given.error(format!("it is below `--poll-min`, {}", brief(min)), "make it at least as long"))
        }
        _ => Ok(Pace { min, max, cost, jitter: Pace::JITTER, expected }),
    }
}

fn poll_rate(values: &Values<'_>) -> Result<f64, Error> {
    let Some(given) = values.one("poll-rate")? else { return Ok(5.0) };
    // One poll a day is the slowest that is one at all.
    let rate = given.value.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 1e-5);
    rate.ok_or_else(|| given.error("it is not a rate", "write polls per second, a number above 0 such as `5` or `0.5`"))
}

/// How long it takes until every job but the first has had its turn.
fn lead(task: &Task, poll_rate: f64) -> Duration {
    match task {
        Task::Attach(ids) => {
            Duration::try_from_secs_f64(ids.iter().skip(1).map(|_| poll_rate.recip()).sum()).unwrap_or(Duration::MAX)
        }
        _ => Duration::ZERO,
    }
}

fn limits(values: &Values<'_>, deadline: Deadline) -> Result<Limits, Error> {
    Ok(Limits {
        request: positive(values, "request-timeout", Duration::from_secs(30))?,
        submit: positive(values, "submit-timeout", Duration::from_mins(5))?,
        deadline: deadline.end(),
    })
}

fn conditions(values: &Values<'_>, task: &Task) -> Result<Conditions, Error> {
    let number = |flag| values.one(flag)?.map(|given| given.whole_number()).transpose();
    let conditions = Conditions {
        fail_on_warning: values.switch("fail-on-warning")?,
        require_output: values.switch("require-output")?,
        min_duration: values.one("min-duration")?.map(|given| given.duration()).transpose()?,
        fail_on_stage_failure: values.switch("fail-on-stage-failure")?,
        max_rejected: number("max-rejected")?,
        min_rows: number("min-rows")?,
    };
    let hopeless = match task {
        Task::Run(Source::Ready(payload)) => conditions.hopeless(payload),
        _ => None,
    };
    let Some(Hopeless { flag, why, help }) = hopeless else { return Ok(conditions) };
    values.one(flag)?.map_or(Ok(conditions), |given| Err(given.error(why, help)))
}
