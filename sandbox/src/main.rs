//! The program `epm-sandbox`.

mod cli;
mod exec;
mod serve;
mod signals;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use cli::{Cli, Command};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve { stage, verbose } => serve::serve(&stage, verbose).map(|()| ExitCode::SUCCESS),
        Command::Exec { stage, command } => exec::exec(&stage, &command).map(ExitCode::from),
        Command::Scenarios => cli::scenarios().map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        let mut causes = error.chain();
        let first = causes.next().map(|error| format!("error: {error}\n"));
        let rest = causes.map(|cause| format!("caused by: {cause}\n"));
        let _ = std::io::stderr().write_all(first.into_iter().chain(rest).collect::<String>().as_bytes());
        ExitCode::from(2)
    })
}
