//! The daily maintenance of a pod: when its next window begins, and whether a run would reach into it. No clock here.

use std::time::Duration;

use jiff::Timestamp;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// How long a window lasts at most: "up to one hour every day" (docs.oracle.com, Getting Started with EPM Cloud for
/// Administrators, `6_house_keeping_tasks_understand_service_maintenance_time.html`). Content upgrades may take longer.
pub const LASTS: Duration = Duration::from_hours(1);

/// The time of day at which it begins, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// Since midnight.
    minutes: i64,
}

/// The window that is under way, or the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it begins, or has begun.
    pub begins: Timestamp,
    /// How long that is away; none where it has begun.
    pub away: Option<Duration>,
}

impl Hour {
    /// Reads `19:00`, as the second version of Oracle's service says it, and `19`, as the first one does
    /// (`lcm_get_build_version_and_maintenance_time_v2.html`). It need not be a full hour
    /// (`epm_auto_set_daily_maint_start.html`).
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
        let number = |text: &str, below: i64| -> Option<i64> {
            let is_plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| is_plain && *number < below)
        };
        Some(Self { minutes: number(hours, 24)? * 60 + number(minutes, 60)? })
    }

    /// The window that is under way at this moment, or the next one.
    pub fn window(self, now: Timestamp) -> Window {
        let since = (now.as_second() - self.minutes * MINUTE).rem_euclid(DAY);
        let has_begun = u64::try_from(since).is_ok_and(|since| since < LASTS.as_secs());
        let begins = now.as_second() - since + if has_begun { 0 } else { DAY };
        let begins = Timestamp::from_second(begins).unwrap_or(now);
        let away = begins.duration_since(now).try_into().ok();
        Window { begins, away: away.filter(|_| !has_begun) }
    }
}

impl std::fmt::Display for Hour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02} UTC", self.minutes / 60, self.minutes % 60)
    }
}

impl Window {
    /// Whether what goes on for so long from now reaches into it; with no end it does.
    pub fn is_reached_within(&self, long: Option<Duration>) -> bool {
        match (self.away, long) {
            (None, _) | (_, None) => true,
            (Some(away), Some(long)) => away <= long,
        }
    }

    /// When it has ended.
    pub fn ends(&self) -> Timestamp {
        self.begins.checked_add(LASTS).unwrap_or(self.begins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn window(hour: &str, now: &str) -> Window {
        Hour::parse(hour).unwrap().window(at(now))
    }

    #[test]
    fn an_hour_is_read_as_either_version_of_the_service_says_it() {
        let table = [
            ("19:00", "19:00 UTC"),
            ("19", "19:00 UTC"),
            ("2:24", "02:24 UTC"),
            (" 00:00 ", "00:00 UTC"),
            ("23:59", "23:59 UTC"),
        ];
        for (text, expected) in table {
            assert_eq!(Hour::parse(text).unwrap().to_string(), expected, "{text}");
        }
        for wrong in ["", ":", "24:00", "19:60", "-1:00", "+1", "19:00:00", "019:00", "7 pm", "19.5", "nineteen", "19:"]
        {
            assert_eq!(Hour::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_next_window_is_today_or_tomorrow_or_under_way() {
        let minutes = |minutes| Some(Duration::from_mins(minutes));
        let table = [
            ("19:00", "2026-11-24T18:30:00Z", "2026-11-24T19:00:00Z", minutes(30)),
            ("19:00", "2026-11-24T20:00:00Z", "2026-11-25T19:00:00Z", minutes(23 * 60)),
            ("19:00", "2026-11-24T19:00:00Z", "2026-11-24T19:00:00Z", None),
            ("19:00", "2026-11-24T19:59:59Z", "2026-11-24T19:00:00Z", None),
            // Over midnight, forth and back.
            ("00:10", "2026-11-24T23:50:00Z", "2026-11-25T00:10:00Z", minutes(20)),
            ("23:30", "2026-11-25T00:10:00Z", "2026-11-24T23:30:00Z", None),
            ("23:30", "2026-11-25T00:30:00Z", "2026-11-25T23:30:00Z", minutes(23 * 60)),
            ("00:00", "2026-12-31T23:59:00Z", "2027-01-01T00:00:00Z", minutes(1)),
            ("00:00", "2028-02-28T23:00:00Z", "2028-02-29T00:00:00Z", minutes(60)),
        ];
        for (hour, now, begins, away) in table {
            assert_eq!(window(hour, now), Window { begins: at(begins), away }, "{hour} at {now}");
        }
        assert_eq!(window("19:00", "2026-11-24T18:59:59.5Z").away, Some(Duration::from_millis(500)));
        assert_eq!(window("19:00", "2026-11-24T19:10:00Z").ends(), at("2026-11-24T20:00:00Z"));
    }

    #[test]
    fn a_run_reaches_into_the_window_where_it_may_go_on_until_then() {
        let before = window("19:00", "2026-11-24T18:30:00Z");
        let during = window("19:00", "2026-11-24T19:30:00Z");
        let minutes = Duration::from_mins;
        let table = [
            (before, Some(Duration::ZERO), false),
            (before, Some(Duration::from_secs(30 * 60 - 1)), false),
            (before, Some(minutes(30)), true),
            (before, Some(minutes(50)), true),
            (before, Some(minutes(3 * 24 * 60)), true),
            (before, None, true),
            (during, Some(Duration::ZERO), true),
            (during, None, true),
        ];
        for (window, long, reached) in table {
            assert_eq!(window.is_reached_within(long), reached, "{long:?} of {window:?}");
        }
    }
}
