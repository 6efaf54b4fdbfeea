//! The end of a run: what is still written, and what is told. It holds all that this needs, so that it can be done in
//! any thread, and after a panic in the midst of anything.

use std::sync::Arc;

use jiff::Timestamp;

use crate::ci::{self, Outputs, Platform, azure, github};
use crate::job::JobId;
use crate::ledger::book::Hint;
use crate::ledger::{self, Ledger, Page};
use crate::outcome::Outcome;
use crate::report::console::{Console, print_line};
use crate::report::wording::{capitalised, headline, next_step};
use crate::report::{End, Report};

use super::super::ending;
use super::record::{place, recorded};

/// What a run leaves behind.
pub struct Closing {
    pub(super) report: Report,
    pub(super) outputs: Arc<Outputs>,
    pub(super) ledger: Option<Ledger>,
    pub(super) page: Option<Page>,
    pub(super) adopting: (Hint, Vec<JobId>),
    pub(super) platform: Platform,
    pub(super) console: Console,
    /// How the run ended, where everything stands already.
    pub(super) closed: Option<Outcome>,
}

impl Closing {
    /// Ends a run that a bug of ours has stopped. What EPM had decided by then stands.
    pub fn close_after_panic(mut self) -> Outcome {
        const AFTERWARDS: &str = "a bug in epm-gate stopped it after the verdict; please report it";
        if let Some(outcome) = self.closed {
            self.console.warn(AFTERWARDS);
            return outcome;
        }
        self.hold_owed();
        let stands = |end: &End| end.outcome.is_verdict() || end.outcome == Outcome::Unwritable;
        if self.report.end().is_some_and(stands) {
            self.console.warn(AFTERWARDS);
            self.report.notes.push(AFTERWARDS.to_owned());
        } else {
            let what = if self.report.leaves_a_job() { "a job may be running" } else { "nothing was submitted" };
            self.report.end = Some(End::new(Outcome::Panic, format!("this is a bug; {what}"), None));
        }
        self.close();
        self.outcome()
    }

    /// What is still owed nobody will have: a job that passed does not pass the stage.
    fn hold_owed(&mut self) {
        for job in &mut self.report.jobs {
            let Some(owed) = job.owed.first() else { continue };
            let Some(end) = job.end.as_mut().filter(|end| end.outcome.is_pass()) else { continue };
            let why = owed.why.as_deref().unwrap_or("a bug in epm-gate came before it had come");
            let why = ending::unsaved(owed.which, &owed.name, why);
            *end = End { outcome: Outcome::Unwritable, why, help: job.id.map(ending::collect_later) };
        }
    }

    /// Writes every output and says how the run ended.
    pub(super) fn close(&mut self) {
        self.report.take_attempt_back();
        self.report.ended = Some(Timestamp::now());
        for error in self.keep() {
            self.console.warn(&error.sentence());
            ci::hold(&mut self.report, &error.sentence());
        }
        for error in self.outputs.finish(&mut self.report) {
            self.console.warn(&error.sentence());
        }
        self.announce();
    }

    /// How it ended.
    pub(super) fn outcome(&self) -> Outcome {
        self.report.end().map_or(Outcome::Panic, |end| end.outcome)
    }

    /// Writes into the ledger what could not be written before, and every end that is known.
    fn keep(&mut self) -> Vec<ledger::Error> {
        let mut errors = Vec::new();
        if let Some(page) = &mut self.page {
            page.hurry();
            errors.extend(page.settle().err());
        }
        if let Some(ledger) = &self.ledger {
            let (ledger, place, (hint, waiting)) = (ledger.in_a_hurry(), place(&self.report), &self.adopting);
            let heard = self.report.jobs.iter().filter(|job| job.state.is_some()).filter_map(|job| job.id);
            let late = heard.filter(|id| waiting.contains(id));
            errors.extend(late.filter_map(|id| ledger.adopt(&place, id, hint).err()));
            let ends: Vec<_> = self.report.jobs.iter().filter_map(recorded).collect();
            errors.extend(ledger.ended(&place, &ends).err());
        }
        errors
    }

    fn announce(&self) {
        let (headline, next, outcome) = (headline(&self.report), next_step(&self.report), self.outcome());
        let level = match outcome {
            Outcome::Warned => Some("warning"),
            _ if outcome.is_pass() => None,
            _ => Some("error"),
        };
        if let Some(level) = level {
            self.annotate(level, outcome, &format!("{headline}. {}", capitalised(&next)));
        }
        let console = self.console.of(self.job());
        if outcome.is_pass() {
            console.pass(&headline);
        } else {
            console.fail(&headline);
            console.hint(&next);
        }
    }

    /// The one job that the end is about.
    fn job(&self) -> Option<JobId> {
        let [job] = self.report.jobs.as_slice() else { return None };
        job.id
    }

    /// One annotation, where the platform shows such: its runner reads it from the log, or from standard output.
    fn annotate(&self, level: &str, outcome: Outcome, message: &str) {
        let title = format!("epm-gate: {}", outcome.word());
        match self.platform {
            Platform::Github => self.console.command(&github::annotation(level, &title, message)),
            // Whoever does not read there has had the outputs refused already.
            Platform::Azure => drop(print_line(&azure::issue(level, &format!("{title}: {message}")))),
            Platform::Gitlab | Platform::Jenkins | Platform::None => {}
        }
    }
}
