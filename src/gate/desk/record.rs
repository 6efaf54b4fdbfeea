//! What the desk writes into the ledger, and when.

use jiff::Timestamp;
use tokio::time::Instant;

use crate::epm::url::EpmUrl;
use crate::foreign::{Foreign, cut};
use crate::job::{Answer, JobId};
use crate::ledger::book::{Hint, Recorded, Work};
use crate::ledger::{Error, Ledger, Page};
use crate::payload::Payload;
use crate::report::{JobReport, Report};

use super::super::ending;
use super::Desk;

impl Desk {
    /// The run has a page in this ledger.
    pub fn opens(&self, page: Page) {
        self.keeps(page.ledger().clone());
        *self.page.borrow_mut() = Some(page);
    }

    /// Ends are to be written into this ledger.
    fn keeps(&self, ledger: Ledger) {
        *self.ledger.borrow_mut() = Some(ledger);
    }

    /// The ledger is to take these ids in, once EPM has answered about them.
    pub fn adopts(&self, ledger: Ledger, hint: Hint, ids: &[JobId]) {
        self.keeps(ledger);
        *self.adopting.borrow_mut() = (hint, ids.to_vec());
    }

    /// EPM has answered about a job: its id may be taken in. While another gate submits, it waits for the next answer.
    pub fn adopt(&self, index: usize, answer: &Answer) {
        let Some((ledger, id)) = self.to_adopt(index) else { return };
        let mut hint = self.adopting.borrow().0.clone();
        // What a label or a key leaves open, the job's own name may tell.
        if hint.run.is_none() && hint.name.is_none() {
            hint.name = answer.facts.job_name.as_ref().map(|name| name.as_str().to_owned());
        }
        let place = self.read(place);
        let adopted = ledger.adopt(&place, id, &hint);
        if !matches!(adopted, Ok(None)) {
            self.adopting.borrow_mut().1.retain(|waiting| *waiting != id);
        }
        match adopted {
            Ok(adopted) => {
                if let Some(note) = adopted.and_then(|adopted| ending::adopted(&adopted)) {
                    self.tell(index, &note);
                }
            }
            Err(error) => self.tell_once(error.sentence()),
        }
    }

    fn to_adopt(&self, index: usize) -> Option<(Ledger, JobId)> {
        let id = self.read(|report| report.jobs[index].id)?;
        let waits = self.adopting.borrow().1.contains(&id);
        Some((self.ledger.borrow().clone().filter(|_| waits)?, id))
    }

    /// The next gate may have its turn at the ledger.
    pub fn let_go(&self) {
        if let Some(page) = &mut *self.page.borrow_mut() {
            page.let_go();
        }
    }

    /// Writes down that this is about to be submitted.
    pub(super) fn write_intent(&self) -> Result<(), Error> {
        let Some(page) = &mut *self.page.borrow_mut() else { return Ok(()) };
        let work = self.read(|report| {
            let job_type = report.payload.as_ref().map(Payload::job_type).unwrap_or_default().to_owned();
            Work { job_type, name: report.jobs[0].name.clone(), attempt: report.jobs[0].attempt }
        });
        page.intend(&work)
    }

    /// Writes down that the job is at its end and that another attempt follows.
    ///
    /// # Errors
    ///
    /// A ledger that cannot be written: nothing may be submitted anew then.
    pub fn write_again(&self) -> Result<(), Error> {
        let end = self.read(|report| recorded(&report.jobs[0]));
        match (&mut *self.page.borrow_mut(), end) {
            (Some(page), Some((id, end))) => page.again(id, &end),
            _ => Ok(()),
        }
    }

    /// Writes something into the ledger's page. What cannot be written now is tried again at the end.
    pub(super) fn write_page(&self, write: impl FnOnce(&mut Page) -> Result<(), Error>) {
        let written = self.page.borrow_mut().as_mut().map(write);
        if let Some(Err(error)) = written {
            self.tell_once(error.sentence());
        }
    }
}

/// The service that the ids are of.
pub(super) fn place(report: &Report) -> String {
    report.url.as_ref().map(EpmUrl::place).unwrap_or_default()
}

/// A job's end, where EPM has told one.
pub(super) fn recorded(job: &JobReport) -> Option<(JobId, Recorded)> {
    const LONGEST_DETAILS: usize = 4096;
    let (id, state) = (job.id?, job.state.filter(|state| state.is_finished())?);
    let mut facts = job.facts.clone();
    facts.details = facts.details.map(|details| Foreign::new(&cut(details.as_str(), LONGEST_DETAILS)));
    let seconds = job.elapsed(Instant::now()).as_secs();
    Some((id, Recorded { at: Timestamp::now(), status: state.number(), seconds, facts }))
}
