//! What a run begins with, by what its ledger holds of earlier ones: submit, follow the job of an earlier submit, or
//! ask once more about one that passed.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::job::{JobId, State};
use crate::ledger::book::{Found, Key, Recorded};
use crate::ledger::{self, Ledger, Page, Turn};
use crate::payload::Payload;
use crate::report::{Earlier, End};
use crate::wait::{Ending, Watch};

use super::{Gate, ending};

/// The ledger that a run is kept in.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The ledger.
    pub ledger: Ledger,
    /// The CI's run, job and step, or the key that the user gave. None only for an attach without a key.
    pub run: Option<String>,
    /// Whether the user gave it.
    pub is_explicit: bool,
    /// Whether to submit anew, whatever the ledger holds.
    pub fresh: bool,
    /// Whether a person calls, and no stage of a pipeline.
    pub is_by_hand: bool,
}

/// How a run begins.
pub(super) enum Start {
    /// With a submit.
    Submit,
    /// With the job of an earlier submit, whose end is not known.
    Follow(JobId),
    /// With a question about a job that passed.
    Ask(JobId, Box<Recorded>),
}

/// How often it is tried whether another gate's turn is over.
const TURN: Duration = Duration::from_millis(50);

/// How long EPM's list is waited for: it is a help, and no more.
const LISTING: Duration = Duration::from_secs(10);

/// How many jobs of EPM's list are shown.
const SHOWN: usize = 10;

impl Gate {
    /// How a run begins. None where it has its end already.
    pub(super) async fn recall(&self, payload: &Payload) -> Option<Start> {
        let Some(keeping) = &self.plan.keeping else { return Some(Start::Submit) };
        let begun = match self.turn_at(&keeping.ledger).await {
            Ok(Some(turn)) => self.open(keeping, payload, turn),
            Ok(None) => Err(ending::no_turn(&keeping.ledger)),
            Err(error) => Err(ending::unusable(&error)),
        };
        match begun {
            Ok(Found::Open { at }) => {
                self.desk.doubts();
                self.show_list().await;
                self.desk.ended(0, ending::open(at));
                None
            }
            Ok(found) => Some(self.begin(found)),
            Err(end) => {
                self.desk.ended(0, end);
                None
            }
        }
    }

    /// Waits for the turn at the ledger. None where it does not come in time.
    async fn turn_at(&self, ledger: &Ledger) -> Result<Option<Turn>, ledger::Error> {
        let until = self.plan.rules.deadline.last_poll();
        for tries in 0_u64.. {
            if let Some(turn) = ledger.turn()? {
                return Ok(Some(turn));
            }
            if tries == 0 {
                self.desk.tell_once(ending::waits_for_turn(ledger));
            }
            if Instant::now() >= until {
                break;
            }
            sleep(TURN).await;
        }
        Ok(None)
    }

    /// Opens the run's page, and looks what stands there.
    fn open(&self, keeping: &Keeping, payload: &Payload, turn: Turn) -> Result<Found, End> {
        let run = keeping.run.as_deref().unwrap_or_default();
        let files = self.plan.uploads.iter().map(|parcel| (parcel.remote.as_str(), parcel.measured.sha256.as_str()));
        let key = Key::new(run, &self.client.place(), &payload.raw(), &files.collect::<Vec<_>>());
        let page = Page::new(keeping.ledger.clone(), key, turn);
        let found = page.found(keeping.is_explicit).map_err(|error| ending::unusable(&error))?;
        let made = page.attempts().map_err(|error| ending::unusable(&error))?;
        let others = page.others().map_err(|error| ending::unusable(&error))?;
        if !self.plan.uploads.is_empty() && !others.is_empty() {
            self.desk.tell_once(ending::may_be_reading(&others));
        }
        self.desk.opens(page);
        let is_first = self.desk.read(|report| report.attempts.is_empty());
        match found {
            Found::Nothing => {
                if is_first && made > 0 {
                    self.desk.continues(made);
                }
                Ok(Found::Nothing)
            }
            found if keeping.fresh && is_first => {
                self.desk.tell_once(ending::in_spite_of(&found));
                Ok(Found::Nothing)
            }
            Found::Stale { id, at } => Err(ending::stale(id, at)),
            found => {
                self.desk.note_of(0, |job| job.attempt = made.max(1));
                Ok(found)
            }
        }
    }

    fn begin(&self, found: Found) -> Start {
        match found {
            Found::Running { id, at } => {
                self.desk.resumes(id, Earlier::Followed, &ending::follows(at));
                Start::Follow(id)
            }
            Found::Passed { id, end } => {
                self.desk.resumes(id, Earlier::Reused, &ending::reuses(end.at));
                Start::Ask(id, end)
            }
            Found::Nothing | Found::Open { .. } | Found::Stale { .. } => Start::Submit,
        }
    }

    /// Asks once more about a job that passed. If EPM has forgotten it, what was recorded stands.
    pub(super) async fn ask_again(&self, id: JobId, recorded: Box<Recorded>) {
        self.desk.note_of(0, |job| job.duration = Some(Duration::from_secs(recorded.seconds)));
        let ending = match self.watch(0, id, Watch::attached(self.plan.rules, Instant::now())).await {
            Ending::NotKnown => {
                let state = State::of(recorded.status);
                self.desk.tell_once(ending::forgotten(id));
                self.desk.restore(0, state, recorded.facts);
                Ending::Finished(state)
            }
            ending => ending,
        };
        self.settle(0, ending).await;
    }

    /// Shows the newest jobs of EPM's own list, to be looked at by a person: none of them is taken.
    async fn show_list(&self) {
        let Ok(listed) = timeout(LISTING, self.client.list()).await else {
            return self.desk.tell_once("EPM's list of jobs did not come in time".to_owned());
        };
        match listed {
            Ok(jobs) => self.desk.tell_once(ending::listed(&jobs[..jobs.len().min(SHOWN)], jobs.len())),
            Err(error) => self.desk.tell_once(format!("EPM's list of jobs could not be read: {error}")),
        }
    }
}
