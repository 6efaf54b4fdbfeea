//! The rules by which a failure is told from another.

use std::path::Path;

use crate::diagnose::rules::Rules;
use crate::foreign::quote_path;

use super::Error;
use super::given::Values;

/// Those that are built in, and those of a file.
pub(super) fn rules(values: &Values<'_>) -> Result<Rules, Error> {
    let Some(given) = values.one("rules")? else { return Ok(Rules::built_in()) };
    let path = Path::new(&given.value);
    let text = std::fs::read_to_string(path).map_err(|error| {
        given.error(format!("{} cannot be read: {error}", quote_path(path)), "name a file of rules, in UTF-8")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Rules::parse(text).map_err(|error| given.error(format!("{}, {error}", quote_path(path)), error.help()))
}
