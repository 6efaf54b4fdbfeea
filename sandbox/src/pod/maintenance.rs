//! Which release is this, and when is its daily maintenance?

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::answer::{About, Answer};
use crate::scenario::{Begins, MaintenanceScript};
use crate::script::Cursor;

/// The release whose answers the sandbox gives.
const BUILD: &str = "26.04.40";

/// What is told of the maintenance.
pub(crate) struct Maintenance {
    script: MaintenanceScript,
    /// In UTC, `22:00`.
    hour: String,
    replies: Cursor,
}

impl Maintenance {
    pub(crate) fn new(script: MaintenanceScript, clock: SystemTime) -> Self {
        let hour = match &script.begins {
            Begins::FarAway => full_hour(clock + Duration::from_hours(12)),
            Begins::In(away) => minute(clock + *away),
            Begins::At(hour) => hour.clone(),
        };
        Self { script, hour, replies: Cursor::default() }
    }

    /// The answer as Oracle's page prints it for `showTimeZone=true`
    /// (`lcm_get_build_version_and_maintenance_time_v2.html`);
    /// that `timeZone` is missing without is a guess.
    pub(crate) fn answer(&mut self, base: &str, shows_zone: bool, now: Instant) -> Answer {
        let href = format!("{base}/interop/rest/v2/maintenance/getdailymaintenancestarttime");
        let usual = json!({
            "details": null,
            "status": 0,
            "items": [self.item(shows_zone)],
            "links": [{"href": href, "action": "GET", "rel": "self", "data": null}],
        });
        let usual = Answer::json(200, &usual);
        match self.replies.next(&self.script.replies, now) {
            Some(reply) => Answer::scripted(reply, usual, About::Service),
            None => usual,
        }
    }

    fn item(&self, shows_zone: bool) -> Value {
        let build = self.script.build.as_deref().unwrap_or(BUILD);
        match &self.script.zone {
            _ if !shows_zone => json!({"buildVersion": build, "amwTime": self.hour}),
            Some(zone) => json!({"buildVersion": build, "amwTime": zone.hour, "timeZone": zone.name}),
            None => json!({"buildVersion": build, "amwTime": self.hour, "timeZone": "Etc/UTC"}),
        }
    }
}

/// The time of day in UTC, its minute just begun.
fn minute(time: SystemTime) -> String {
    let minutes = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 60;
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

/// A window begins at a full hour. // `lcm_update_maintenance_time_v2.html`
fn full_hour(time: SystemTime) -> String {
    format!("{}:00", &minute(time)[..2])
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{full_hour, minute};

    #[test]
    fn a_time_of_day_has_two_digits_each() {
        for (seconds, exact, full) in
            [(0, "00:00", "00:00"), (784_111_777, "08:49", "08:00"), (784_166_399, "23:59", "23:00")]
        {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!((minute(time).as_str(), full_hour(time).as_str()), (exact, full), "{seconds}");
        }
    }
}
