//! The daily maintenance ahead of a submit: a warning where the run may still go on then, and no submit at all where the
//! user wants none so shortly before it.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::epm::error::{Fault, ReadError, Refusal};
use crate::maintenance::{Hour, Window};
use crate::pace::{brief, utc};
use crate::submit::Unsubmitted;
use crate::wait::persist;

use super::{Gate, Task};

/// How long the hour may take to come where only a warning hangs on it: a submit waits for it, also where a gateway lets
/// `/interop` hang.
const GLANCE: Duration = Duration::from_secs(2);

/// Who may ask for the hour (`lcm_get_build_version_and_maintenance_time_v2.html`).
const ROLE: &str = "the hour of the maintenance is told to users with the Service Administrator role, or with \
                    `Migrations - Administer` beside another one: give the user one of them, or leave \
                    `--refuse-before-maintenance` out";

/// What helps where the hour is told for another time zone.
const ZONE: &str = "only an hour in UTC is understood: leave `--refuse-before-maintenance` out, and keep the run away \
                    from the maintenance by its schedule";

/// The window that nothing is submitted before, or in, by the clock of the pod.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guard {
    hour: Hour,
    refusal: Duration,
    /// What time it was there.
    said: Timestamp,
    /// When that was here, by a clock that nobody sets.
    heard: Instant,
}

impl Guard {
    /// The window that is under way then, or the next one.
    fn window(&self, at: Instant) -> Window {
        let now = self.said.checked_add(at.saturating_duration_since(self.heard)).unwrap_or(self.said);
        self.hour.window(now)
    }

    /// Why nothing may be submitted then: the window is too near, or under way.
    pub(super) fn refuses(&self, at: Instant) -> Option<Unsubmitted> {
        refuse(self.hour, self.window(at), self.refusal).map(|(why, help)| Unsubmitted::Maintenance(why, help))
    }
}

impl Gate {
    /// Minds the daily maintenance. Without a refusal that the user has asked for, nothing that is answered, or not,
    /// changes anything but what is told.
    ///
    /// # Errors
    ///
    /// A refusal that was asked for.
    pub(super) async fn mind_maintenance(&self) -> Result<(), Unsubmitted> {
        let window = match self.plan.refusal {
            Some(refusal) => {
                let guard = self.guard(refusal).await?;
                if let Some(refused) = guard.refuses(guard.heard) {
                    return Err(refused);
                }
                self.guard.set(Some(guard));
                Some((guard.hour, guard.window(guard.heard)))
            }
            None => self.glance().await,
        };
        let left = self.plan.rules.deadline.left(Instant::now());
        match window {
            Some((hour, window)) if matches!(self.plan.task, Task::Run(_)) && window.is_reached_within(left) => {
                self.desk.tell_once(warning(hour, window));
            }
            _ => {}
        }
        Ok(())
    }

    /// The window as far as it can be had with one question, of those whom EPM has let in: a password that may be wrong
    /// is not shown for it.
    async fn glance(&self) -> Option<(Hour, Window)> {
        let is_wanted = matches!(self.plan.task, Task::Run(_)) && self.plan.look.is_some() && self.client.has_met();
        if !is_wanted {
            return None;
        }
        let left = self.plan.rules.deadline.last_poll().saturating_duration_since(Instant::now());
        let service = self.client.glance(GLANCE.min(left / 10)).await.ok()?;
        let hour = service.hour?;
        Some((hour, hour.window(service.now)))
    }

    /// The window, which a submit hangs on.
    async fn guard(&self, refusal: Duration) -> Result<Guard, Unsubmitted> {
        let ask = async || match self.client.service().await {
            Err(ReadError::Fault(fault)) => Err(fault),
            other => Ok(other),
        };
        let answered = || self.client.has_answered();
        let asked = persist(&self.plan.rules, answered, ask, |fault: &Fault| self.tell_fault(fault)).await;
        self.desk.note_of(0, |job| job.trouble = None);
        let service = match asked {
            Ok(Ok(service)) => service,
            Ok(Err(error)) if is_stranger(&error) && !self.client.has_met() => return Err(Unsubmitted::Denied(error)),
            Ok(Err(error)) => return Err(unknown(&error.to_string(), ROLE)),
            Err(fault) => return Err(unknown(&fault.to_string(), fault.help())),
        };
        match service.hour {
            Some(hour) => Ok(Guard { hour, refusal, said: service.now, heard: Instant::now() }),
            None => Err(unknown(&service.silence(), if service.zone.is_some() { ZONE } else { ROLE })),
        }
    }
}

/// Whether it is we who are not let in, whatever we ask for.
fn is_stranger(error: &ReadError) -> bool {
    !matches!(error, ReadError::Missing { .. } | ReadError::Refused(Refusal::Forbidden { .. }))
}

/// Why nothing is submitted so shortly before the window, and what helps; nothing where it is far enough.
fn refuse(hour: Hour, window: Window, refusal: Duration) -> Option<(String, String)> {
    if !window.is_reached_within(Some(refusal)) {
        return None;
    }
    let why = match window.away {
        Some(away) => format!(
            "the daily maintenance ({hour}) begins in {}, and `--refuse-before-maintenance` is {}",
            brief(away),
            brief(refusal)
        ),
        None => format!("the daily maintenance ({hour}) began at {}", utc(window.begins)),
    };
    Some((why, format!("try again after {}: it takes up to an hour", utc(window.ends()))))
}

/// The end where the hour cannot be had: what was to be kept from happening could happen.
fn unknown(why: &str, help: &str) -> Unsubmitted {
    let why =
        format!("the hour of the daily maintenance is not known, and `--refuse-before-maintenance` is set: {why}");
    Unsubmitted::Maintenance(why, help.to_owned())
}

fn warning(hour: Hour, window: Window) -> String {
    let when = match window.away {
        Some(away) => format!("begins at {}, in {}, before the deadline", utc(window.begins), brief(away)),
        None => format!("began at {}, and may last until {}", utc(window.begins), utc(window.ends())),
    };
    format!(
        "the daily maintenance ({hour}) {when}: a job that still runs then may be stopped; what becomes of it is not \
         documented"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_window_comes_nearer_by_the_clock_of_the_pod() {
        let heard = Instant::now();
        let guard = Guard {
            hour: Hour::parse("19:00").unwrap(),
            refusal: Duration::from_mins(10),
            said: "2026-11-24T18:49:55Z".parse().unwrap(),
            heard,
        };
        let admits = |seconds| guard.refuses(heard + Duration::from_secs(seconds)).is_none();
        assert!(admits(0) && admits(4));
        // Too near, then under way, then past.
        assert!(!admits(5) && !admits(12) && !admits(605) && !admits(605 + 3599) && admits(605 + 3600));
        let Some(Unsubmitted::Maintenance(why, help)) = guard.refuses(heard + Duration::from_secs(12)) else {
            panic!("it is too near")
        };
        assert!(why.contains("begins in 9m 53s, and `--refuse-before-maintenance` is 10m"), "{why}");
        assert!(help.starts_with("try again after 2026-11-24 20:00:00 UTC"), "{help}");
    }
}
