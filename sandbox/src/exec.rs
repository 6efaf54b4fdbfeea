//! `epm-sandbox exec`.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitStatus;

use epm_sandbox::Sandbox;
use tokio::process::Command;

use crate::cli::Stage;
use crate::signals::{self, Signals, hand_on};

/// What a surrounding pipeline may have set and what would lead the command past the sandbox: other ways to log in,
/// and proxies of `http://`.
const DIVERTING: [&str; 22] = [
    "EPM_ACCESS_TOKEN",
    "EPM_ACCESS_TOKEN_FILE",
    "EPM_CLIENT_ID",
    "EPM_CLIENT_SECRET",
    "EPM_CLIENT_SECRET_FILE",
    "EPM_IDENTITY_DOMAIN",
    "EPM_JWT_AUDIENCE",
    "EPM_JWT_KEY",
    "EPM_JWT_KEY_FILE",
    "EPM_JWT_KEY_ID",
    "EPM_JWT_SUBJECT",
    "EPM_PASSWORD_FILE",
    "EPM_REFRESH_TOKEN",
    "EPM_REFRESH_TOKEN_FILE",
    "EPM_SCOPE",
    "EPM_TOKEN_URL",
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Runs the command against a sandbox of its own and gives back its exit code.
pub(crate) fn exec(stage: &Stage, command: &[OsString]) -> anyhow::Result<u8> {
    let sandbox = stage.start(None)?;
    let code = match signals::runtime()?.block_on(run(&sandbox, command)) {
        Ok(status) => code(status),
        Err(error) => return Ok(not_run(command, &error)),
    };
    let taken = sandbox.taken();
    tell(&format!("the command ended with exit code {code}; POSTs taken: {taken}"));
    Ok(code)
}

async fn run(sandbox: &Sandbox, command: &[OsString]) -> io::Result<ExitStatus> {
    let (program, arguments) = command.split_first().ok_or(ErrorKind::InvalidInput)?;
    let mut signals = Signals::new()?;
    let mut command = Command::new(program);
    for name in DIVERTING {
        command.env_remove(name);
    }
    command.args(arguments).env("EPM_URL", sandbox.url());
    command.env("EPM_USERNAME", sandbox.username()).env("EPM_PASSWORD", sandbox.password());
    let mut child = command.spawn()?;
    loop {
        tokio::select! {
            status = child.wait() => return status,
            Ok(caught) = signals.next() => if let Some(id) = child.id() { hand_on(caught, id) },
        }
    }
}

/// A shell's codes: 127 for what is not there, 126 for what cannot be run.
fn not_run(command: &[OsString], error: &io::Error) -> u8 {
    let program = command.first().map(|program| program.display().to_string()).unwrap_or_default();
    tell(&format!("cannot run `{program}`: {error}"));
    if error.kind() == ErrorKind::NotFound { 127 } else { 126 }
}

/// The command's exit code, or 128 and the signal that ended it, as a shell says it.
fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
    #[cfg(not(unix))]
    let signal = None;
    let code = status.code().or(signal);
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Says a line on stderr; where that is closed, the exit code still counts.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "epm-sandbox: {line}");
}
