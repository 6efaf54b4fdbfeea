//! The wait for one job: when to ask, and what an answer ends.
//!
//! [`wait`] is the loop; [`Watch`] holds the rules and sees no socket, so that every rule is tested at the instant it
//! takes effect.

use std::ops::ControlFlow;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::epm::error::Fault;
use crate::http::fault::Hope;
use crate::job::State;
use crate::pace::{self, Deadline, Pace};

/// The rules of a wait.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How dense polls are.
    pub pace: Pace,
    /// The end of the whole.
    pub deadline: Deadline,
    /// How long EPM may be unreachable in one stretch.
    pub outage_budget: Duration,
    /// How long answers that decide nothing are waited out, in one stretch.
    pub unknown_grace: Duration,
    /// How much sooner than the last poll a round of polls begins, so that each of several jobs has its turn.
    pub lead: Duration,
}

impl Rules {
    /// When the last round of polls begins, in which each of several jobs has its turn; never before half of the time is
    /// over. `round`: how long one takes by what was seen, beside what it takes at least.
    fn last_round(&self, round: Duration) -> Instant {
        let last = self.deadline.last_poll();
        let half = self.deadline.start() + (last - self.deadline.start()) / 2;
        last.checked_sub(self.lead.max(round)).map_or(half, |sooner| sooner.max(half))
    }
}

/// What one poll brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Our job's state.
    State(State),
    /// Our job's answer, without a status that can be read.
    Wordless,
    /// An answer that decides nothing: no job id, another job's.
    Nothing,
    /// The login page: after good answers it decides nothing, before them it is a refusal.
    LoginPage,
    /// EPM knows no job of that id.
    Missing,
    /// No answer.
    Fault(Hope),
    /// A refusal that is final.
    Refused,
}

/// One poll's result, and how long EPM asks to stay away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// What it brought.
    pub heard: Heard,
    /// From `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Whether EPM has let this process in, be it for another job.
    pub met: bool,
    /// Whether it has answered this process at all.
    pub answered: bool,
    /// Since when no poll of any job was answered; none where the newest one was.
    pub silent_since: Option<Instant>,
    /// How long a round of polls of all jobs takes by now.
    pub round: Duration,
}

impl Poll {
    /// What a poll brought that says nothing else.
    pub fn new(heard: Heard) -> Self {
        Self { heard, retry_after: None, met: false, answered: false, silent_since: None, round: Duration::ZERO }
    }
}

/// How a wait ends. No two of these are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The job is finished.
    Finished(State),
    /// The deadline came; the job goes on.
    TimedOut,
    /// The outage budget is spent.
    ContactLost,
    /// We are let in no longer.
    AccessLost,
    /// The grace is spent.
    Undetermined,
    /// EPM knows no job of that id, and never did.
    NotKnown,
    /// We were never let in.
    AccessDenied,
    /// EPM was never reached.
    Unreachable,
}

/// How long a job that was named by its id alone may be missing: just long enough for a cluster to agree on it.
const MISSING_GRACE: Duration = Duration::from_secs(10);

/// How long a name that does not resolve is asked for again, as long as EPM has not answered once.
const UNRESOLVED: Duration = Duration::from_mins(1);

/// How well the job is known to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Acquaintance {
    /// Only somebody's word for it.
    Hearsay,
    /// EPM has answered, but not about the job.
    Contact,
    /// EPM has given us its id, or has answered about it.
    Known,
}

/// The rules at work on one job.
#[derive(Debug)]
pub struct Watch {
    rules: Rules,
    start: Instant,
    /// Before the first poll.
    pause: Duration,
    acquaintance: Acquaintance,
    /// Since when EPM cannot be reached.
    outage: Option<Instant>,
    /// Since when its answers decide nothing; only an answer that decides ends it.
    puzzle: Option<Instant>,
    /// Since when there is no such job, by every answer.
    missing: Option<Instant>,
}

impl Watch {
    /// For a job that was just submitted, whose id EPM gave us.
    pub fn submitted(rules: Rules, now: Instant) -> Self {
        Self { pause: rules.pace.min, ..Self::new(rules, now, Acquaintance::Known) }
    }

    /// For a job that EPM gave the id of to an earlier process of ours: it may be at its end by now.
    pub fn resumed(rules: Rules, now: Instant) -> Self {
        Self::new(rules, now, Acquaintance::Known)
    }

    /// For a job that somebody names.
    pub fn attached(rules: Rules, now: Instant) -> Self {
        Self::new(rules, now, Acquaintance::Hearsay)
    }

    fn new(rules: Rules, start: Instant, acquaintance: Acquaintance) -> Self {
        Self { rules, start, pause: Duration::ZERO, acquaintance, outage: None, puzzle: None, missing: None }
    }

    /// When to ask first: at once where the job may be at its end, else after the shortest interval.
    pub fn first_poll(&self) -> Instant {
        (self.start + self.pause).min(self.rules.last_round(Duration::ZERO).max(self.start))
    }

    /// What a poll means that was sent at `asked` and answered at `now`: the end, or when to ask next.
    pub fn weigh(&mut self, asked: Instant, now: Instant, poll: Poll) -> ControlFlow<Ending, Instant> {
        if poll.met {
            self.acquaintance = self.acquaintance.max(Acquaintance::Contact);
        }
        self.missing = match poll.heard {
            // A fault says nothing of the job, and so takes nothing back.
            Heard::Fault(_) => self.missing,
            Heard::Missing => self.missing.or(Some(asked)),
            _ => None,
        };
        let until = match poll.heard {
            Heard::State(State::Unknown(_)) | Heard::Wordless => {
                self.acquaintance = Acquaintance::Known;
                self.puzzled(asked, now)?
            }
            Heard::State(state) => {
                self.acquaintance = Acquaintance::Known;
                (self.outage, self.puzzle) = (None, None);
                if state.is_finished() {
                    return ControlFlow::Break(Ending::Finished(state));
                }
                None
            }
            Heard::Refused | Heard::LoginPage if self.acquaintance == Acquaintance::Hearsay => {
                return ControlFlow::Break(Ending::AccessDenied);
            }
            Heard::Refused => return ControlFlow::Break(Ending::AccessLost),
            Heard::Nothing | Heard::LoginPage => {
                self.acquaintance = self.acquaintance.max(Acquaintance::Contact);
                self.puzzled(asked, now)?
            }
            Heard::Missing if self.acquaintance == Acquaintance::Known => self.puzzled(asked, now)?,
            Heard::Missing => Some(self.unknown(asked, now)?),
            Heard::Fault(hope) => Some(self.unreachable(asked, now, hope, poll)?),
        };
        self.next(asked, now, poll, until)
    }

    /// How the wait ends at the deadline, by what is known then.
    pub fn at_deadline(&self) -> Ending {
        match self.acquaintance {
            Acquaintance::Known => Ending::TimedOut,
            _ if self.missing.is_some() => Ending::NotKnown,
            Acquaintance::Contact => Ending::TimedOut,
            Acquaintance::Hearsay => Ending::Unreachable,
        }
    }

    /// EPM is there but says nothing that decides: until when that is waited out.
    fn puzzled(&mut self, asked: Instant, now: Instant) -> ControlFlow<Ending, Option<Instant>> {
        self.outage = None;
        let end = *self.puzzle.get_or_insert(asked) + self.rules.unknown_grace;
        if now >= end { ControlFlow::Break(Ending::Undetermined) } else { ControlFlow::Continue(Some(end)) }
    }

    /// EPM knows no job that only somebody's word stands for: until when that is waited out.
    fn unknown(&mut self, asked: Instant, now: Instant) -> ControlFlow<Ending, Instant> {
        self.outage = None;
        self.puzzle.get_or_insert(asked);
        let end = self.missing.unwrap_or(asked) + MISSING_GRACE;
        if now >= end { ControlFlow::Break(Ending::NotKnown) } else { ControlFlow::Continue(end) }
    }

    /// EPM cannot be reached: until when that is waited out.
    fn unreachable(&mut self, asked: Instant, now: Instant, hope: Hope, poll: Poll) -> ControlFlow<Ending, Instant> {
        let met = self.acquaintance > Acquaintance::Hearsay;
        let since = *self.outage.get_or_insert(asked);
        // Where other jobs had no answer either, it is the service that is away, and for as long as that.
        let since = poll.silent_since.map_or(since, |silent| silent.min(since));
        let end = outage_end(since, self.rules.outage_budget, hope, met || poll.answered);
        if now < end {
            return ControlFlow::Continue(end);
        }
        ControlFlow::Break(if met { Ending::ContactLost } else { Ending::Unreachable })
    }

    /// When to ask next: by the pace, no sooner than EPM wishes, but once more at the end of what is waited out and once
    /// more just before the deadline.
    fn next(&self, asked: Instant, now: Instant, poll: Poll, until: Option<Instant>) -> ControlFlow<Ending, Instant> {
        let last = self.rules.deadline.last_poll();
        if asked >= last {
            return self.after_last(now, poll);
        }
        let is_troubled = self.outage.is_some() || self.puzzle.is_some();
        // A hint speaks of the job: when EPM is back, or makes sense again, is another matter.
        let pace = if is_troubled { self.rules.pace.without_hint() } else { self.rules.pace };
        let interval = pace.interval(now - self.start, pace::stray());
        let pause = interval.max(poll.retry_after.unwrap_or_default());
        let at = now.checked_add(pause).unwrap_or(last);
        // Once more in the last round, and once more just before the deadline: by then the others may be at their ends.
        let round = Some(self.rules.last_round(poll.round)).filter(|round| asked < *round).unwrap_or(last);
        ControlFlow::Continue(at.min(until.unwrap_or(at)).min(round).max(now))
    }

    /// The last poll was answered. A job in progress is one at the deadline; but what brought no answer is asked again
    /// as long as there is time.
    fn after_last(&self, now: Instant, poll: Poll) -> ControlFlow<Ending, Instant> {
        let again = now.checked_add(self.rules.pace.min.max(poll.retry_after.unwrap_or_default()));
        let again = again.unwrap_or(self.rules.deadline.end());
        if matches!(poll.heard, Heard::State(_)) || again >= self.rules.deadline.end() {
            return ControlFlow::Break(self.at_deadline());
        }
        ControlFlow::Continue(again)
    }
}

/// Until when an outage is waited out that began at `since`. `answered`: EPM has answered before.
fn outage_end(since: Instant, budget: Duration, hope: Hope, answered: bool) -> Instant {
    let most = match hope {
        _ if answered => budget,
        Hope::None => Duration::ZERO,
        Hope::Minute => budget.min(UNRESOLVED),
        Hope::Budget => budget,
    };
    since + most
}

/// Makes an attempt again and again, until it brings something or the outage budget is spent; then it is the newest
/// fault. `answered` tells whether EPM has answered by now; `told` hears each fault that is not the end.
///
/// A server that asks to stay away for longer than there is time is not asked again.
///
/// # Errors
///
/// The fault that stood at the end.
pub async fn persist<T>(
    rules: &Rules,
    answered: impl Fn() -> bool,
    mut attempt: impl AsyncFnMut() -> Result<T, Fault>,
    mut told: impl FnMut(&Fault),
) -> Result<T, Fault> {
    let since = Instant::now();
    loop {
        let fault = match attempt().await {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        let Some(next) = next_try(rules, since, &fault, answered()) else { return Err(fault) };
        told(&fault);
        sleep_until(next).await;
    }
}

/// When to try again after a fault; none where that is not worth it any more. `since`: when it began.
pub fn next_try(rules: &Rules, since: Instant, fault: &Fault, answered: bool) -> Option<Instant> {
    let now = Instant::now();
    let end = outage_end(since, rules.outage_budget, fault.hope(), answered).min(rules.deadline.last_poll());
    let wished = fault.retry_after().map(|pause| now.checked_add(pause));
    if now >= end || wished.is_some_and(|wished| wished.is_none_or(|wished| wished > end)) {
        return None;
    }
    let paced = now + rules.pace.without_hint().interval(now - since, pace::stray());
    Some(wished.flatten().map_or(paced, |wished| wished.max(paced)).min(end))
}

/// Asks until the watch sees an end. `turn` holds a poll back until it may be sent, beside those of other jobs; it is
/// false where that is never.
pub async fn wait(
    watch: &mut Watch,
    mut turn: impl AsyncFnMut() -> bool,
    mut ask: impl AsyncFnMut() -> Poll,
) -> Ending {
    let mut at = watch.first_poll();
    loop {
        sleep_until(at).await;
        if !turn().await {
            return watch.at_deadline();
        }
        let asked = Instant::now();
        let poll = ask().await;
        match watch.weigh(asked, Instant::now(), poll) {
            ControlFlow::Break(ending) => return ending,
            ControlFlow::Continue(next) => at = next,
        }
    }
}

#[cfg(test)]
mod tests;
