//! The commands and their flags, for clap. Every value is a plain text here: what it means, and whether a variable of
//! the environment stands in for it, is decided in the files beside this one.

use clap::{Arg, ArgAction, Command};

const AFTER: &str = "\
Every flag has an environment variable: `--poll-min` is `EPM_POLL_MIN`; a flag wins over its variable, and an empty
variable counts as unset. Secrets come by variable or by file alone: `EPM_PASSWORD`, `EPM_ACCESS_TOKEN`,
`EPM_REFRESH_TOKEN`, `EPM_CLIENT_SECRET`, `EPM_JWT_KEY`, `EPM_NOTIFY`. Proxies: `HTTPS_PROXY`, `NO_PROXY`.

Exit codes: 0 passed; 2 wrong usage, nothing sent; 1x the job finished and did not pass (10 failed, 11 cancelled,
12 invalid parameter, 13 condition unmet); 2x a job may be running, never submit again but attach (20 timed out,
21 contact lost, 22 access lost, 23 undetermined, 24 submit uncertain, 25 in progress); 3x nothing was submitted
(30 access denied, 31 unreachable, 32 rejected); 40 passed but an output could not be written; 129, 130, 143
interrupted; 101 a bug.";

/// The whole command line.
pub(super) fn command() -> Command {
    Command::new("epm-gate")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A stage gate for Oracle Fusion Cloud EPM Data Integration jobs: submit or attach, wait, report, pass or fail")
        .after_help(AFTER)
        .subcommand_required(true)
        .arg_required_else_help(false)
        .disable_help_subcommand(true)
        .max_term_width(110)
        .subcommands(COMMANDS.map(|(name, about, flags)| Command::new(name).about(about).defer(flags)))
}

/// Adds the flags of a command.
type Flags = fn(Command) -> Command;

/// The commands. The flags of each are built only where it is called: building all of them was most of what a start cost.
const COMMANDS: [(&str, &str, Flags); 7] = [
    ("run", "Submit a job, then wait until it is finished: the main job", run),
    ("submit", "Submit a job and record its id; a later stage attaches to it", submit),
    ("attach", "Wait for jobs that exist already", attach),
    ("status", "Ask once for a job, and exit by what EPM says (in progress is 25)", status),
    ("check", "Try the way to EPM step by step, and say what stands in it; submits nothing", check),
    ("explain", "Say why a job failed, by a log that is at hand; asks nobody", explain),
    (
        "login",
        "Get a refresh token: a person logs in by a browser anywhere, and it is written to --refresh-token-file",
        login,
    ),
];

fn run(command: Command) -> Command {
    let command = reasons(collecting(retrying(conditions(waiting(fresh(ledger(sending(connection(job(command))))))))));
    documents(telling(record(command)))
}

fn submit(command: Command) -> Command {
    documents(telling(fresh(ledger(sending(limits(connection(job(command))))))))
}

fn attach(command: Command) -> Command {
    let ids = Arg::new("job-id")
        .value_name("JOB_ID")
        .num_args(0..)
        .allow_negative_numbers(true)
        .help("The jobs to wait for, several at the same time [env EPM_JOB_ID, separated by spaces or commas]");
    let label = text("job-name", "NAME", "A name for the job, for the report");
    let command = collecting(conditions(waiting(ledger(connection(command.arg(ids).arg(label))))));
    documents(telling(record(reasons(command))))
}

fn status(command: Command) -> Command {
    let id = Arg::new("job-id")
        .value_name("JOB_ID")
        .num_args(0..)
        .allow_negative_numbers(true)
        .help("The job to ask for [env EPM_JOB_ID]");
    let limit = text("request-timeout", "DURATION", "How long the request may take [default: 30s]");
    documents(record(connection(command.arg(id).arg(limit.help_heading("Waiting")))))
}

fn check(command: Command) -> Command {
    let limits = [
        text("timeout", "DURATION", "What a run would have; the check itself takes 2m at most [default: 50m]"),
        text("request-timeout", "DURATION", "How long one read may take [default: 30s]"),
    ];
    outputs(record(under("Waiting", connection(command.arg(look().help_heading("Submitting"))), limits)))
}

fn explain(command: Command) -> Command {
    let file = Arg::new("logfile").value_name("LOGFILE").help("The log; - is standard input [env EPM_LOGFILE]");
    let details = text("details", "TEXT", "What EPM said of the job; enough where there is no log");
    let print = text("print", "WHAT", "What goes to stdout: none or json [default: none]").help_heading("Output");
    log(reasons(command.arg(file).arg(details.help_heading("Diagnosis"))).arg(print))
}

fn login(command: Command) -> Command {
    let file = text("refresh-token-file", "FILE", "Where the refresh token is kept").help_heading("Connection");
    let renew = switch("renew", "Exchange the token that is there, ahead of its end");
    let limits = [
        text("timeout", "DURATION", "How long it may take, or `none` [default: 50m]"),
        text("outage-budget", "DURATION", "How long the identity service may be unreachable [default: 10m]"),
    ];
    log(under("Waiting", identity(network(command.arg(renew)).arg(file)), limits))
}

fn text(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    let arg = Arg::new(name).long(name).value_name("BOOL").help(help);
    arg.num_args(0..=1).require_equals(true).default_missing_value("true")
}

fn under(heading: &'static str, command: Command, args: impl IntoIterator<Item = Arg>) -> Command {
    command.args(args.into_iter().map(|arg| arg.help_heading(heading)))
}

fn job(command: Command) -> Command {
    under(
        "Job",
        command,
        [
            text(
                "job-type",
                "TYPE",
                "INTEGRATION (default), DATARULE, BATCH, PIPELINE, MAPPINGIMPORT, MAPPINGEXPORT or REPORT",
            ),
            text("job-name", "NAME", "The integration, rule, batch, pipeline code, dimension or report"),
            text("import-mode", "MODE", "As the job type documents it, such as Replace"),
            text("export-mode", "MODE", "As the job type documents it, such as Merge"),
            text(
                "period-name",
                "PERIOD",
                "{Jan-26}, {Jan-26}{Mar-26}, {Jan#FY26} or {GLOBAL_POV}; Jan-26 gets its braces",
            ),
            text("start-period", "PERIOD", "First period of a DATARULE"),
            text("end-period", "PERIOD", "Last period of a DATARULE"),
            text("file-name", "FILE", "inbox/x.csv (Data Integration) or #epminbox/x.csv (Planning): different places"),
            text(
                "upload",
                "LOCAL[=inbox/NAME]",
                "Bring this file to the inbox first, by default under a name of its content; repeatable [env EPM_UPLOAD, a line each]",
            )
            .action(ArgAction::Append),
            switch("overwrite", "Let an upload replace a file of its name"),
            text("variable", "KEY=VALUE", "A PIPELINE variable; repeatable [env EPM_VARIABLES, a line each]")
                .action(ArgAction::Append),
            text(
                "set",
                "KEY=VALUE",
                "Any other payload key, KEY:=JSON for what is no text; repeatable [env EPM_SET, a line each]",
            )
            .action(ArgAction::Append),
            text(
                "payload",
                "FILE",
                "The whole JSON body instead of the flags above; - is stdin [env EPM_PAYLOAD_FILE]",
            ),
            Arg::new("dry-run")
                .long("dry-run")
                .action(ArgAction::SetTrue)
                .help("Print target and payload, send nothing"),
        ],
    )
}

fn connection(command: Command) -> Command {
    under(
        "Connection",
        network(identity(command)),
        [
            text("url", "URL", "https://HOST[/PREFIX] of the EPM service"),
            text("expect-host", "HOST", "Refuse any other host than this one"),
            text(
                "username",
                "USER",
                "The user, for Basic authentication; the password comes by EPM_PASSWORD or by file",
            ),
            text("identity-domain", "DOMAIN", "The user's identity domain: DOMAIN.USER is sent then"),
            text("password-file", "FILE", "A file that holds the password"),
            text(
                "access-token-file",
                "FILE",
                "A file that holds an OAuth 2.0 access token; read again when it is refused",
            ),
            text(
                "refresh-token-file",
                "FILE",
                "A file that holds an OAuth 2.0 refresh token; each exchange writes the next one there",
            ),
            text("jwt-key-file", "FILE", "A file that holds the RSA key of a JWT user assertion, in PEM"),
            text("jwt-key-id", "ID", "The alias of the key's certificate at the identity service"),
            text("jwt-subject", "USER", "The user whom the assertion is about"),
            text(
                "jwt-audience",
                "AUDIENCE",
                "Whom it is for [default: what Oracle's identity services call themselves]",
            ),
        ],
    )
}

fn identity(command: Command) -> Command {
    under(
        "Connection",
        command,
        [
            text("token-url", "URL", "Where the identity service exchanges tokens: https://HOST/oauth2/v1/token"),
            text("client-id", "ID", "The application at the identity service"),
            text("client-secret-file", "FILE", "A file that holds its secret; a public application has none"),
            text("scope", "SCOPE", "What the token is for, as the application has it"),
        ],
    )
}

fn network(command: Command) -> Command {
    let bundle =
        text("ca-cert", "FILE", "Certificates of authorities in PEM, beside the bundled ones [env also SSL_CERT_FILE]");
    under("Connection", command, [bundle])
}

fn look() -> Arg {
    text("look", "PATH", "The path read before a submit, or `off` [default: /aif/rest/]")
}

fn sending(command: Command) -> Command {
    under(
        "Submitting",
        command,
        [
            look(),
            text("submit-timeout", "DURATION", "How long the submit may take [default: 5m]"),
            text(
                "refuse-before-maintenance",
                "DURATION",
                "Submit nothing so shortly before the daily maintenance, or during it",
            ),
        ],
    )
}

fn limits(command: Command) -> Command {
    under(
        "Waiting",
        command,
        [
            text(
                "timeout",
                "DURATION",
                "The deadline, counted from the start of the process, or `none` [default: 50m]",
            ),
            text("request-timeout", "DURATION", "How long one read may take [default: 30s]"),
            text("outage-budget", "DURATION", "How long EPM may be unreachable in one stretch [default: 10m]"),
            text("poll-min", "DURATION", "The shortest interval between two polls [default: 1s]"),
            text("poll-max", "DURATION", "The longest one [default: 60s; 5m with --expect-duration]"),
            text("poll-cost", "DURATION", "How much waiting one poll is worth [default: 100ms]"),
        ],
    )
}

fn waiting(command: Command) -> Command {
    under(
        "Waiting",
        limits(command),
        [
            text("poll-rate", "NUMBER", "Polls per second, over all jobs [default: 5]"),
            text(
                "expect-duration",
                "DURATION",
                "How long the job usually takes: polls are dense around that, and sparse before and after it",
            ),
            text("unknown-grace", "DURATION", "How long answers that decide nothing are waited out [default: 5m]"),
        ],
    )
}

fn ledger(command: Command) -> Command {
    under(
        "Submitting once",
        command,
        [
            text(
                "ledger",
                "FILE",
                "Where submits, job ids and ends are kept, so that a repeated run loads nothing twice",
            ),
            text("ledger-key", "KEY", "What tells this load from any other, in place of the CI's run, job and step"),
        ],
    )
}

fn fresh(command: Command) -> Command {
    let arg = Arg::new("fresh").long("fresh").action(ArgAction::SetTrue);
    under("Submitting once", command, [arg.help("Submit anew, whatever the ledger holds")])
}

fn conditions(command: Command) -> Command {
    under(
        "Conditions",
        command,
        [
            switch("fail-on-warning", "Do not pass a job that ended with a warning"),
            switch("require-output", "Do not pass a job that names no output file"),
            text("min-duration", "DURATION", "Do not pass a job that took less"),
            text("max-rejected", "N", "Do not pass a job whose log shows more rejected rows"),
            text("min-rows", "N", "Do not pass a job whose log shows fewer rows"),
            switch("fail-on-stage-failure", "Do not pass a PIPELINE with a failed stage"),
        ],
    )
}

fn retrying(command: Command) -> Command {
    under(
        "Trying again",
        command,
        [
            text("retries", "N", "How often a job that failed is submitted anew [default: 0]"),
            text("retry-on", "CATEGORY,...", "For which reasons [default: those that are transient]"),
            text("retry-delay", "DURATION", "How long after its end [default: 30s]"),
            switch("retry-anyway", "Also where a part may be loaded already, and would be loaded twice"),
        ],
    )
}

fn reasons(command: Command) -> Command {
    let rules = text("rules", "FILE", "Rules that say why a job failed, in JSON, tried before those that are built in");
    under("Diagnosis", command, [rules])
}

fn collecting(command: Command) -> Command {
    under(
        "Collecting",
        command,
        [
            text("download-dir", "DIR", "Save files of the job there, once it is finished"),
            text("collect", "WHAT", "Which of them: log, output, or both by a comma [default: log]"),
        ],
    )
}

fn record(command: Command) -> Command {
    let file = text(
        "record",
        "FILE",
        "Write every exchange with EPM there, without names, values or secrets, for others to replay",
    );
    under("Output", command, [file])
}

/// Who is told of the end.
fn telling(command: Command) -> Command {
    under(
        "Telling others",
        command,
        [
            text(
                "notify-file",
                "FILE",
                "Whom to tell, a line each: cloudevents=URL, slack=URL, teams=URL, pagerduty=ROUTING_KEY[@URL] [or EPM_NOTIFY]",
            ),
            text("notify-on", "WHICH", "failure (every end but a pass) or always [default: failure]"),
            text("notify-key", "KEY", "What PagerDuty knows the incident by [default: host, job type and name]"),
        ],
    )
}

/// What reports on a job.
fn documents(command: Command) -> Command {
    under(
        "Output",
        outputs(command),
        [
            text("report", "FILE", "Write everything that is known as JSON, for programs and for audit"),
            text(
                "dotenv",
                "FILE",
                "Write ids, numbers and names as EPM_GATE_...=... lines, for GitLab, Jenkins and shells",
            ),
            text("junit", "FILE", "Write a JUnit report"),
            text("annotations", "FILE", "Write the links that GitLab shows beside the job"),
            text("attestation", "FILE", "Write the predicate of an in-toto attestation (test-result), to be signed"),
            text("metrics", "FILE", "Write metrics for Prometheus; node_exporter reads files that end in .prom"),
        ],
    )
}

fn outputs(command: Command) -> Command {
    under(
        "Output",
        log(command),
        [
            text("ci", "PLATFORM", "auto, github, gitlab, azure, jenkins or none [default: auto]"),
            text("outputs-dir", "DIR", "Write each step output to a file of its own there"),
            text("summary", "FILE", "Append a markdown summary to this file; - shows it on stderr"),
            text("html", "FILE", "Write a page of HTML that needs nothing beside it"),
            text("print", "WHAT", "What goes to stdout: none, json or jobId [default: none]"),
        ],
    )
}

fn log(command: Command) -> Command {
    under(
        "Output",
        command,
        [
            switch("quiet", "Say nothing but warnings and the end").short('q'),
            switch("verbose", "Say every request").short('v').conflicts_with("quiet"),
            text("color", "WHEN", "auto, always or never [default: auto]"),
            text("log-format", "FORMAT", "text, or json: each line on stderr is an object [default: text]"),
        ],
    )
}
