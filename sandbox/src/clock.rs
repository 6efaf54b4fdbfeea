//! What time is it in the sandbox?

use std::time::{Duration, SystemTime};

use serde::Deserialize;

/// How far the sandbox's clock is off.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Clock {
    Ahead(Duration),
    Behind(Duration),
}

impl Default for Clock {
    fn default() -> Self {
        Self::Ahead(Duration::ZERO)
    }
}

impl Clock {
    pub(crate) fn now(self) -> SystemTime {
        self.at(SystemTime::now())
    }

    fn at(self, now: SystemTime) -> SystemTime {
        match self {
            Self::Ahead(by) => now.checked_add(by).unwrap_or(now),
            Self::Behind(by) => now.checked_sub(by).unwrap_or(now),
        }
    }
}

impl TryFrom<String> for Clock {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (way, by) = match text.strip_prefix('-') {
            Some(by) => (Self::Behind as fn(Duration) -> Self, by),
            None => (Self::Ahead as fn(Duration) -> Self, text.trim_start_matches('+')),
        };
        let by = humantime::parse_duration(by);
        by.map(way).map_err(|_| format!("`clock = \"{text}\"`: write how far it is off, `-7m` or `+2s`"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Clock;

    #[test]
    fn a_clock_is_ahead_or_behind() {
        let now = UNIX_EPOCH + Duration::from_hours(1);
        for (text, minutes) in [("-7m", 53), ("+7m", 67), ("7m", 67), ("0s", 60)] {
            let clock = Clock::try_from(text.to_owned()).unwrap();
            assert_eq!(clock.at(now), UNIX_EPOCH + Duration::from_mins(minutes), "{text}");
        }
        assert_eq!(Clock::default().at(now), now);
        for wrong in ["", "-", "--7m", "late"] {
            assert!(Clock::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
