//! `epm-sandbox serve`.

use std::io::{self, Write};

use epm_sandbox::Sandbox;

use crate::cli::Stage;
use crate::signals::{self, Signals};

/// Serves until a signal ends it.
pub(crate) fn serve(stage: &Stage, verbose: bool) -> anyhow::Result<()> {
    let stderr: Option<Box<dyn Write + Send>> = if verbose { Some(Box::new(io::stderr())) } else { None };
    let sandbox = stage.start(stderr)?;
    introduce(&sandbox)?;
    signals::runtime()?.block_on(async { Signals::new()?.next().await })?;
    Ok(())
}

/// The address comes first, and all in one write: a script may read the first line and then close its end.
fn introduce(sandbox: &Sandbox) -> io::Result<()> {
    let (url, user, password) = (sandbox.url(), sandbox.username(), sandbox.password());
    let lines = format!("listening on {url}\nusername: {user}\npassword: {password}\n");
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes())?;
    out.flush()
}
