//! The value of a header, which may hold the time of the answer.

use std::time::{Duration, SystemTime};

use axum::http::HeaderValue;
use axum::http::header::InvalidHeaderValue;

/// What a scenario says of a header's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Fixed(HeaderValue),
    /// `{date+2s}`: an HTTP date so long after the answer.
    After(Duration),
}

impl Value {
    /// Reads the text of a scenario.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidHeaderValue> {
        let after = text.strip_prefix("{date+").and_then(|rest| rest.strip_suffix('}'));
        match after.and_then(|after| humantime::parse_duration(after).ok()) {
            Some(after) => Ok(Self::After(after)),
            None => HeaderValue::try_from(text).map(Self::Fixed),
        }
    }

    /// The value as it was written, where that does not depend on the time.
    pub(crate) fn fixed(&self) -> Option<&str> {
        match self {
            Self::Fixed(value) => value.to_str().ok(),
            Self::After(_) => None,
        }
    }

    /// The value in an answer that goes out now.
    pub(crate) fn at(&self, now: SystemTime) -> Option<HeaderValue> {
        match self {
            Self::Fixed(value) => Some(value.clone()),
            Self::After(after) => HeaderValue::try_from(httpdate::fmt_http_date(now.checked_add(*after)?)).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::Value;

    #[test]
    fn only_a_date_is_of_the_answers_time() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (text, value) in [
            ("{date+0s}", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("{date+1m 3s}", "Sun, 06 Nov 1994 08:50:40 GMT"),
            ("{date+soon}", "{date+soon}"),
            ("3", "3"),
        ] {
            assert_eq!(Value::parse(text).unwrap().at(now).unwrap(), value, "{text}");
        }
        assert!(Value::parse("\n").is_err());
    }
}
