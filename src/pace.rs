//! When to ask again, and until when: intervals, `Retry-After`, the deadline, the rate. Pure but for the clock's type.

mod expected;

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::time::Instant;

/// How dense polls are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// The shortest interval.
    pub min: Duration,
    /// The longest interval.
    pub max: Duration,
    /// How much waiting one poll is worth.
    pub cost: Duration,
    /// How far an interval strays from the law, either way, as a share of it, so that gates started together do not
    /// poll together.
    pub jitter: f64,
    /// How long the job is expected to take, from when the wait for it begins.
    pub expected: Option<Duration>,
}

impl Pace {
    /// The share by which intervals stray (spec §2).
    pub const JITTER: f64 = 0.1;

    /// The same where nothing is expected.
    #[must_use]
    pub fn without_hint(self) -> Self {
        Self { expected: None, ..self }
    }

    /// The interval after having waited for so long: 2·√(cost × waited), which costs at most √2 times the best fixed
    /// interval chosen with hindsight, at every length of a job (house.md, Pace). Where a length is expected, polls are
    /// sparse at first, dense around that, and sparse again when the job is late.
    ///
    /// `stray` is between -1 and 1 and is scaled by the jitter; the bounds hold after it.
    pub fn interval(&self, waited: Duration, stray: f64) -> Duration {
        let (cost, waited) = (self.cost.as_secs_f64(), waited.as_secs_f64());
        let ideal = match self.expected {
            Some(expected) => expected::interval(cost, expected.as_secs_f64(), waited),
            None => 2.0 * (cost * waited).sqrt(),
        };
        let strayed = ideal * (1.0 + self.jitter * stray);
        Duration::try_from_secs_f64(strayed).unwrap_or(self.max).clamp(self.min, self.max)
    }
}

/// A number between -1 and 1, at random.
pub fn stray() -> f64 {
    fastrand::f64().mul_add(2.0, -1.0)
}

/// The end of the whole wait, on the monotonic clock: a wall clock that jumps changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    start: Instant,
    timeout: Option<Duration>,
}

impl Deadline {
    /// Stands for "never" where an instant is needed; what tokio itself takes for it.
    const FAR: Duration = Duration::from_hours(24 * 365 * 30);

    /// Counts from `start`; no timeout means no end.
    pub fn new(start: Instant, timeout: Option<Duration>) -> Self {
        Self { start, timeout }
    }

    /// From when it counts.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// How long it was set to; none for no end.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// The instant itself; decades away where there is no end.
    pub fn end(&self) -> Instant {
        self.start + self.timeout.unwrap_or(Self::FAR)
    }

    /// How long it is until then; none for no end.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        self.timeout.map(|_| self.end().saturating_duration_since(now))
    }

    /// When the last poll is sent: the smaller of 5 s and a tenth of the timeout before the end, so that its answer can
    /// still arrive.
    pub fn last_poll(&self) -> Instant {
        let timeout = self.timeout.unwrap_or(Self::FAR);
        self.start + timeout.saturating_sub(Duration::from_secs(5).min(timeout / 10))
    }
}

/// Shares the polls of a process out over time.
#[derive(Debug)]
pub struct Turnstile {
    gap: Duration,
    next: Option<Instant>,
}

impl Turnstile {
    /// Lets so many through per second. `rate` is positive.
    pub fn new(rate: f64) -> Self {
        let gap = Duration::try_from_secs_f64(rate.recip()).unwrap_or(Duration::MAX);
        Self { gap, next: None }
    }

    /// Takes the next turn: the instant at which whoever asked may go.
    pub fn turn(&mut self, now: Instant) -> Instant {
        let turn = self.next.map_or(now, |next| next.max(now));
        self.next = turn.checked_add(self.gap);
        turn
    }
}

/// A duration as people read it: `1h 2m 3s`, in milliseconds below a second.
pub fn brief(duration: Duration) -> String {
    let rounded = if duration < Duration::from_secs(1) {
        Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or_default())
    } else {
        Duration::from_secs(duration.saturating_add(Duration::from_millis(500)).as_secs())
    };
    humantime::format_duration(rounded).to_string()
}

/// A moment as people read it, to the second.
pub fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// How long `Retry-After` asks to stay away: seconds, or an HTTP date counted from the `Date` of the same answer, so
/// that a clock of ours that is wrong does not matter. None where it cannot be read.
pub fn retry_after(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are still a wish to stay away for ever.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok()).unwrap_or(now);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
#[path = "../benches/pace/simulation.rs"]
mod simulation;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::simulation::{POLL, lengths, polls, scattered, worst};
    use super::*;

    const PACE: Pace = Pace {
        min: Duration::from_secs(1),
        max: Duration::from_mins(1),
        cost: Duration::from_millis(100),
        jitter: Pace::JITTER,
        expected: None,
    };

    fn secs(text: f64) -> Duration {
        Duration::from_secs_f64(text)
    }

    #[test]
    fn the_interval_grows_with_the_root_of_the_time_waited() {
        assert_eq!(PACE.interval(secs(0.0), 0.0), secs(1.0));
        assert_eq!(PACE.interval(secs(2.0), 0.0), secs(1.0));
        assert_eq!(PACE.interval(secs(10.0), 0.0), secs(2.0));
        assert_eq!(PACE.interval(secs(90.0), 0.0), secs(6.0));
        assert_eq!(PACE.interval(secs(9000.0), 0.0), secs(60.0));
        assert_eq!(PACE.interval(secs(1e9), 0.0), secs(60.0));
        assert_eq!(PACE.interval(Duration::MAX, 1.0), secs(60.0));
    }

    /// Waits at the default pace, with strays that are spread evenly and not drawn at random.
    fn waits(expected: Option<f64>, longest: f64) -> Vec<Vec<f64>> {
        let max = Duration::from_mins(if expected.is_some() { 5 } else { 1 });
        let pace = Pace { max, expected: expected.map(secs), ..PACE };
        let wait = |start: u32| {
            let mut stray = f64::from(start) / 16.0;
            polls(1.0, longest, |waited| {
                stray = (stray + 0.618).fract();
                pace.interval(secs(waited), stray.mul_add(2.0, -1.0)).as_secs_f64()
            })
        };
        (0..16).map(wait).collect()
    }

    #[test]
    fn polls_cost_at_most_one_and_a_half_times_the_best_interval_at_every_length() {
        assert_eq!(secs(POLL), PACE.cost);
        let (most, at) = worst(&waits(None, 60_000.0), lengths(2.0, 28_800.0, 1.15));
        assert!((1.3..=1.5).contains(&most), "{most} at {at} s");
    }

    #[test]
    fn a_hint_saves_a_tenth_where_it_is_roughly_right_and_a_quarter_where_it_is_nearly_right() {
        for expected in [10.0, 60.0, 600.0, 3600.0, 28_800.0] {
            let waits = waits(Some(expected), expected * 3.0);
            let (roughly, nearly) = (scattered(&waits, expected, 0.2), scattered(&waits, expected, 0.1));
            assert!(roughly <= 0.9, "{roughly} at {expected} s");
            // Below ten minutes the shortest interval, a second, takes some of it away.
            let most = if expected < 60.0 {
                0.85
            } else if expected < 600.0 {
                0.76
            } else {
                0.75
            };
            assert!(nearly <= most, "{nearly} at {expected} s");
        }
    }

    #[test]
    fn a_hint_that_misleads_costs_at_most_twice_the_best_interval() {
        for expected in [10.0, 60.0, 600.0, 3600.0] {
            let misled = lengths(f64::max(expected / 60.0, 2.0), f64::min(expected * 12.0, 28_800.0), 1.1);
            let (most, at) = worst(&waits(Some(expected), expected * 24.0), misled);
            assert!((1.4..=2.0).contains(&most), "{most} at {at} s where {expected} s were expected");
        }
    }

    #[test]
    fn durations_are_told_in_whole_seconds() {
        assert_eq!(brief(Duration::from_micros(29_999_931)), "30s");
        assert_eq!(brief(secs(3723.4)), "1h 2m 3s");
        assert_eq!(brief(Duration::from_micros(250_700)), "250ms");
        assert_eq!(brief(Duration::ZERO), "0s");
    }

    #[test]
    fn jitter_strays_by_a_tenth_within_the_bounds() {
        assert_eq!(PACE.interval(secs(10.0), 1.0), secs(2.2));
        assert_eq!(PACE.interval(secs(10.0), -1.0), secs(1.8));
        assert_eq!(PACE.interval(secs(0.5), -1.0), secs(1.0));
        assert_eq!(PACE.interval(secs(9000.0), 1.0), secs(60.0));
        let strays: Vec<f64> = (0..1000).map(|_| stray()).collect();
        assert!(strays.iter().all(|stray| (-1.0..=1.0).contains(stray)));
        assert!(strays.iter().any(|stray| *stray < -0.5) && strays.iter().any(|stray| *stray > 0.5));
    }

    #[test]
    fn the_last_poll_comes_five_seconds_or_a_tenth_before_the_end() {
        let start = Instant::now();
        let last = |timeout| Deadline::new(start, Some(timeout)).last_poll() - start;
        assert_eq!(last(secs(3000.0)), secs(2995.0));
        assert_eq!(last(secs(50.0)), secs(45.0));
        assert_eq!(last(secs(10.0)), secs(9.0));
        assert!(Deadline::new(start, None).last_poll() - start > secs(1e8));
        assert_eq!(Deadline::new(start, Some(secs(7.0))).timeout(), Some(secs(7.0)));
        assert_eq!((Deadline::new(start, None).timeout(), Deadline::new(start, None).start()), (None, start));
    }

    #[test]
    fn turns_are_spread_and_an_idle_turnstile_saves_none_up() {
        let start = Instant::now();
        let mut turnstile = Turnstile::new(5.0);
        let turns: Vec<_> = (0..3).map(|_| turnstile.turn(start) - start).collect();
        assert_eq!(turns, [secs(0.0), secs(0.2), secs(0.4)]);
        let later = start + secs(9.0);
        assert_eq!(turnstile.turn(later), later);
        assert_eq!(turnstile.turn(later) - start, secs(9.2));
    }

    /// A thousand jobs that are of one age ask together, and again after much the same interval.
    #[test]
    fn the_polls_of_a_thousand_jobs_come_evenly() {
        let start = Instant::now();
        let mut turnstile = Turnstile::new(100.0);
        let mut asking: BTreeSet<(Instant, usize)> = (0..1000).map(|job| (start, job)).collect();
        let mut each_tenth = [0; 600];
        while let Some((at, job)) = asking.pop_first() {
            let turn = turnstile.turn(at);
            let Some(tenth) = each_tenth.get_mut((turn - start).as_millis() as usize / 100) else { break };
            *tenth += 1;
            asking.insert((turn + PACE.interval(turn - start, stray()), job));
        }
        assert_eq!(each_tenth, [10; 600], "no more than there is room for, and no room is left empty");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_against_the_servers_own_clock() {
        let now = SystemTime::UNIX_EPOCH;
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let table = [
            ("120", date, Some(120)),
            (" 0 ", date, Some(0)),
            ("99999999999999999999999", date, Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", date, Some(60)),
            ("Sun, 06 Nov 1994 08:48:37 GMT", date, Some(0)),
            ("Thu, 01 Jan 1970 00:00:30 GMT", None, Some(30)),
            ("soon", date, None),
            ("-1", date, None),
            ("1.5", date, None),
            ("", date, None),
        ];
        for (value, date, expected) in table {
            assert_eq!(retry_after(value, date, now), expected.map(Duration::from_secs), "{value:?}");
        }
    }
}
