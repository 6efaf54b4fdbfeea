//! Periods, as the two kinds of jobs take them.

use super::{Error, Field};

/// One period or a range, each in braces; a bare name gets them.
pub(super) fn period_name(value: &str) -> Result<String, Error> {
    let bad = |problem| Error::Period { field: Field::PeriodName, value: value.to_owned(), problem };
    let given = value.trim();
    if given.is_empty() {
        return Err(bad("it is empty"));
    }
    if !given.contains(['{', '}']) {
        return Ok(format!("{{{given}}}"));
    }
    let inner = given
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
        .ok_or_else(|| bad("it must begin with `{` and end with `}`"))?;
    let periods: Vec<&str> = inner.split("}{").collect();
    if periods.iter().any(|period| period.contains(['{', '}'])) {
        return Err(bad("its braces do not pair up"));
    }
    if periods.iter().any(|period| period.trim().is_empty()) {
        return Err(bad("a pair of braces is empty"));
    }
    if periods.len() > 2 {
        return Err(bad("a range has two ends"));
    }
    Ok(given.to_owned())
}

/// A name of the period mapping, as DATARULE takes it.
pub(super) fn mapped_period(field: Field, value: &str) -> Result<String, Error> {
    let given = value.trim();
    let bad = |problem| Error::Period { field, value: value.to_owned(), problem };
    if given.is_empty() {
        return Err(bad("it is empty"));
    }
    if given.contains(['{', '}']) {
        return Err(bad("periods of a DATARULE have no braces"));
    }
    Ok(given.to_owned())
}
