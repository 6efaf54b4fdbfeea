//! What `explain` is given.

use std::path::PathBuf;

use crate::explain::{Explain, Log};
use crate::foreign::Foreign;

use super::given::Values;
use super::{Error, reasons};

/// The whole of it.
pub(super) fn explain(values: &Values<'_>) -> Result<Explain, Error> {
    let log = values.one("logfile")?.map(|given| match given.value.as_str() {
        "-" => Log::Stdin,
        path => Log::File(PathBuf::from(path)),
    });
    let details = values.many_or_empty("details", "EPM_DETAILS")?;
    let details: Vec<&str> = details.iter().map(|line| line.value.as_str()).collect();
    let details = Some(details.join("\n")).filter(|details| !details.is_empty()).map(|text| Foreign::new(&text));
    if log.is_none() && details.is_none() {
        let help = "give the file of a log, or `-` for standard input; or `--details` with what EPM said of the job";
        return Err(Error::new("nothing is given to explain", help));
    }
    let words = [("none", false), ("json", true)];
    let print = values.one("print")?.map_or(Ok(false), |given| given.word(&words))?;
    Ok(Explain { log, details, rules: reasons::rules(values)?, print })
}
