//! The command line.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use epm_sandbox::{Options, Replay, Sandbox, Scenario};

/// A server that behaves as Oracle Fusion Cloud EPM's Data Integration services do.
#[derive(Parser)]
#[command(name = "epm-sandbox", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve until killed; the first line on stdout is the address
    Serve {
        #[command(flatten)]
        stage: Stage,
        /// Write a JSON line per request to stderr
        #[arg(short, long, conflicts_with = "log")]
        verbose: bool,
    },
    /// Run a command against a sandbox of its own, and end with its exit code
    Exec {
        #[command(flatten)]
        stage: Stage,
        /// The command, which finds `EPM_URL`, `EPM_USERNAME` and `EPM_PASSWORD` set
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// List the scenarios that come with the sandbox
    Scenarios,
}

/// What both ways of serving can choose.
#[derive(Args)]
pub(crate) struct Stage {
    /// The loopback address to listen on: 127.0.0.1 or `::1`
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST.into())]
    host: IpAddr,
    /// The port on that address; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The host name in the address that is told, as a certificate may want it; default: the address itself
    #[arg(long)]
    name: Option<String>,
    /// The certificate chain to speak TLS with, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A scenario's name, or a file; without one, each job plays the scenario that it is named after
    #[arg(long, value_name = "NAME|FILE")]
    scenario: Option<String>,
    /// Answer as a pod did, from the record that `epm-gate --record FILE` wrote
    #[arg(long, value_name = "FILE", conflicts_with = "scenario")]
    replay: Option<PathBuf>,
    /// Append a JSON line per request to this file
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

impl Stage {
    /// Starts the sandbox; its requests go to the log file, or else to `otherwise`.
    pub(crate) fn start(&self, otherwise: Option<Box<dyn Write + Send>>) -> anyhow::Result<Sandbox> {
        let scenario = match &self.scenario {
            Some(name) => Scenario::load(name)?,
            None => Scenario::catalogue()?,
        };
        let options = Options {
            host: Some(self.host),
            port: self.port,
            name: self.name.clone(),
            tls: self.tls()?,
            password: std::env::var("EPM_SANDBOX_PASSWORD").ok().filter(|password| !password.is_empty()),
            log: self.log()?.or(otherwise),
            replay: self.replay.as_deref().map(Replay::load).transpose()?,
        };
        match Sandbox::start_with(scenario, options) {
            Err(error) if error.kind() == ErrorKind::InvalidInput => Err(error.into()),
            started => started.with_context(|| format!("cannot listen on port {} of {}", self.port, self.host)),
        }
    }

    fn tls(&self) -> anyhow::Result<Option<(String, String)>> {
        let read =
            |path: &PathBuf| std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()));
        match (&self.tls_cert, &self.tls_key) {
            (Some(cert), Some(key)) => Ok(Some((read(cert)?, read(key)?))),
            _ => Ok(None),
        }
    }

    fn log(&self) -> anyhow::Result<Option<Box<dyn Write + Send>>> {
        let Some(path) = &self.log else {
            return Ok(None);
        };
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.with_context(|| format!("cannot open the log `{}`", path.display()))?;
        Ok(Some(Box::new(file)))
    }
}

/// Prints each shipped scenario's name and what it is about.
pub(crate) fn scenarios() -> anyhow::Result<()> {
    let names = Scenario::shipped_names();
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut out = io::stdout().lock();
    for name in names {
        writeln!(out, "{name:width$}  {}", Scenario::shipped(name)?.about())?;
    }
    Ok(())
}
