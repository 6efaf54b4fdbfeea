//! Which ledger a run is kept in, and under which key.

use std::path::Path;

use crate::ci::Platform;
use crate::ci::run::{self, Unnamed};
use crate::foreign::quote_path;
use crate::gate::recall::Keeping;
use crate::ledger::Ledger;

use super::Error;
use super::given::{Environment, Values};

/// The ledger, where one is given. `submits`: a key is needed.
pub(super) fn keeping(
    values: &Values<'_>,
    environment: &Environment,
    platform: Platform,
    submits: bool,
    fresh: bool,
) -> Result<Option<Keeping>, Error> {
    let key = values.one("ledger-key")?;
    let Some(file) = values.one("ledger")? else {
        return match key {
            Some(key) => Err(key.error("there is no ledger to look it up in", "set `--ledger FILE`, or leave it out")),
            None => Ok(None),
        };
    };
    let is_explicit = key.is_some();
    let run = match key {
        Some(key) => Some(key.value),
        None if submits => {
            let named = run::name(platform, |name| environment.get(name));
            Some(named.map_err(|unnamed| file.error(problem(unnamed), HELP))?)
        }
        None => None,
    };
    let is_by_hand = platform == Platform::None;
    Ok(Some(Keeping { ledger: Ledger::at(Path::new(&file.value)), run, is_explicit, fresh, is_by_hand }))
}

const HELP: &str = "set `--ledger-key` to what tells this load from any other, such as `close-2026-01-gl`";

fn problem(unnamed: Unnamed) -> String {
    match unnamed {
        Unnamed::NoPlatform => "a ledger needs a key here, since no CI says which run, job and step this is".to_owned(),
        Unnamed::Variable(name) => format!("a ledger needs a key here, since the CI does not say `{name}`"),
    }
}

/// A warning where the run is a repetition and nothing keeps it from a second load: no ledger is given, or the one of the
/// attempt before is not there.
pub(super) fn repetition(environment: &Environment, platform: Platform, keeping: Option<&Keeping>) -> Option<String> {
    if !run::is_repeated(platform, |name| environment.get(name)) {
        return None;
    }
    let why = match keeping {
        None => "without `--ledger`".to_owned(),
        Some(keeping) if keeping.ledger.path().exists() => return None,
        Some(keeping) => {
            format!("the ledger {} of the attempt before is not there:", quote_path(keeping.ledger.path()))
        }
    };
    Some(format!(
        "this run is a repetition, and {why} nothing keeps it from loading a second time what an earlier attempt has loaded"
    ))
}
