//! Variables that would be ignored. One that is set was meant to count: a condition that nobody judges would be a false
//! green.

use super::Error;
use super::given::Values;

/// Those whose flags have none, so that no pipeline submits twice by a variable that somebody left set.
const FLAGS_ALONE: [(&str, &str); 2] = [("EPM_DRY_RUN", "--dry-run"), ("EPM_FRESH", "--fresh")];

/// Refuses what is set and would be ignored. `submits`: an id that was meant for `attach` would become a second load.
pub(super) fn offered(values: &Values<'_>, submits: bool) -> Result<(), Error> {
    if submits && values.is_set("EPM_JOB_ID") {
        let problem = "it names a job that exists, and this command submits another one";
        return Err(Error::of("EPM_JOB_ID", problem, "use `attach` to wait for that job, or unset `EPM_JOB_ID`"));
    }
    match FLAGS_ALONE.into_iter().find(|(name, _)| values.is_set(name)) {
        Some((name, flag)) => Err(Error::of(name, "it would be ignored", format!("unset `{name}`, and give `{flag}`"))),
        None => Ok(()),
    }
}
