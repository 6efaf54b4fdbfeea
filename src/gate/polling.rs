//! How jobs are asked about, each in its turn, and what the polls of all of them have met.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::epm::error::{Fault, ReadError, Refusal};
use crate::http::fault::Hope;
use crate::http::lanes::{LANES, Lane};
use crate::job::{Answer, JobId};
use crate::report::stretches::Phase;
use crate::wait::{Ending, Heard, Poll, Watch, wait};

use super::{Gate, ending};

/// What the polls of all jobs have met.
#[derive(Default)]
pub(super) struct Traffic {
    /// How long the slow ones took of late.
    slow: Cell<Duration>,
    /// Since when none was answered.
    silent_since: Cell<Option<Instant>>,
    /// The last reason, and what helps, once EPM was asked in vain after the outage budget was spent.
    lost: RefCell<Option<(String, &'static str)>>,
}

impl Traffic {
    /// An answer came, whatever it said.
    fn answered(&self) {
        self.silent_since.set(None);
        self.lost.take();
    }

    /// None came to what was asked then.
    fn unanswered(&self, asked: Instant, budget: Duration, why: &str, help: &'static str) {
        let since = self.silent_since.get().unwrap_or(asked).min(asked);
        self.silent_since.set(Some(since));
        if asked >= since + budget {
            self.lost.replace(Some((why.to_owned(), help)));
        }
    }

    /// A poll took so long; that of one that was slower is forgotten by and by.
    fn took(&self, time: Duration) {
        self.slow.set(time.max(self.slow.get().mul_f64(0.9)));
    }

    /// How long a round of so many polls takes, which have so many lanes.
    fn round(&self, jobs: usize) -> Duration {
        let others = u32::try_from(jobs.saturating_sub(1)).unwrap_or(u32::MAX);
        self.slow.get().saturating_mul(others) / LANES
    }
}

impl Gate {
    pub(super) async fn watch(&self, index: usize, id: JobId, mut watch: Watch) -> Ending {
        self.desk.begins(index, Phase::Wait);
        // Had before the poll begins: waiting for others is no silence of EPM's.
        let lane = RefCell::new(None);
        let turn = async || {
            let mine = self.turn().await;
            let is_had = mine.is_some();
            lane.replace(mine);
            is_had
        };
        let ending = wait(&mut watch, turn, async || Box::pin(self.poll(index, id, true, lane.take())).await).await;
        self.desk.finishes(index, Phase::Wait);
        ending
    }

    /// Waits for the turn of a poll, and for its lane. None where that comes only after the deadline.
    async fn turn(&self) -> Option<Lane<'_>> {
        let turn = self.turnstile.borrow_mut().turn(Instant::now());
        let end = self.plan.rules.deadline.end();
        sleep_until(turn.min(end)).await;
        if turn < end { self.client.lane().await } else { None }
    }

    /// Asks about a job, in a lane; none where none was free before the deadline. `again`: it is asked about again where that brings nothing.
    pub(super) async fn poll(&self, index: usize, id: JobId, again: bool, lane: Option<Lane<'_>>) -> Poll {
        if let Some((what, help)) = self.traffic.lost.borrow().clone() {
            self.desk.trouble(index, &what, help, false);
            return self.met(Heard::Fault(Hope::Budget), None);
        }
        let asked = Instant::now();
        let answer = match &lane {
            Some(lane) => self.client.ask(lane, id).await,
            None => Err(Fault::Late.into()),
        };
        drop(lane);
        self.traffic.took(asked.elapsed());
        self.desk.polled(index);
        match answer {
            Ok(answer) => {
                self.traffic.answered();
                let heard = self.hear(index, id, &answer.answer, again);
                Poll { met: true, answered: true, ..self.met(heard, answer.retry_after) }
            }
            Err(error) => {
                let (heard, retry_after) = heard_of(&error);
                match heard {
                    Heard::Fault(_) => {
                        let budget = self.plan.rules.outage_budget;
                        self.traffic.unanswered(asked, budget, &error.to_string(), error.help());
                    }
                    _ => self.traffic.answered(),
                }
                let is_final = match error {
                    ReadError::Refused(Refusal::LoginPage) => !self.client.has_met(),
                    ReadError::Refused(_) => true,
                    ReadError::Fault(_) | ReadError::Missing { .. } => false,
                };
                self.desk.trouble(index, &error.to_string(), error.help(), again && !is_final);
                self.met(heard, retry_after)
            }
        }
    }

    /// What was heard, with what is known of the way to EPM.
    fn met(&self, heard: Heard, retry_after: Option<Duration>) -> Poll {
        Poll {
            heard,
            retry_after,
            met: self.client.has_met(),
            answered: self.client.has_answered(),
            silent_since: self.traffic.silent_since.get(),
            round: self.traffic.round(self.desk.read(|report| report.jobs.len())),
        }
    }

    /// Takes an answer in.
    fn hear(&self, index: usize, id: JobId, answer: &Answer, again: bool) -> Heard {
        if answer.job_id == Some(id) {
            self.desk.adopt(index, answer);
        }
        if let Some(state) = answer.state_of(id) {
            self.desk.heard(index, answer, state);
            return Heard::State(state);
        }
        self.desk.trouble(index, &ending::puzzle(id, answer), ending::PUZZLE_HELP, again);
        if answer.job_id == Some(id) { Heard::Wordless } else { Heard::Nothing }
    }
}

/// What a read that failed means for the wait, and how long EPM asks to stay away.
pub(super) fn heard_of(error: &ReadError) -> (Heard, Option<Duration>) {
    match error {
        ReadError::Fault(fault) => (Heard::Fault(fault.hope()), fault.retry_after()),
        ReadError::Refused(Refusal::LoginPage) => (Heard::LoginPage, None),
        ReadError::Refused(_) => (Heard::Refused, None),
        ReadError::Missing { .. } => (Heard::Missing, None),
    }
}
