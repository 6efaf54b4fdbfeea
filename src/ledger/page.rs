//! What one run writes into the ledger, and what it still has to write.

use jiff::Timestamp;

use crate::job::JobId;

use super::book::{Book, Found, Key, Recorded, Work};
use super::{Error, Ledger, Turn};

/// One run's place in the ledger.
#[derive(Debug)]
pub struct Page {
    ledger: Ledger,
    key: Key,
    turn: Option<Turn>,
    work: Work,
    /// What could not be written when it was known.
    unwritten: Option<Unwritten>,
}

#[derive(Clone, Copy, Debug)]
enum Unwritten {
    Refused,
    Submitted(JobId),
}

impl Page {
    /// The place of a run that has its turn.
    pub fn new(ledger: Ledger, key: Key, turn: Turn) -> Self {
        Self { ledger, key, turn: Some(turn), work: Work::default(), unwritten: None }
    }

    /// The ledger that it is in.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// What the ledger knows of this run. `is_explicit`: the user gave the key's first part.
    ///
    /// # Errors
    ///
    /// What [`Ledger::read`] refuses.
    pub fn found(&self, is_explicit: bool) -> Result<Found, Error> {
        Ok(self.ledger.read()?.found(&self.key, is_explicit, Timestamp::now()))
    }

    /// The jobs of this run whose end is not known, and that are not of what it is to submit.
    ///
    /// # Errors
    ///
    /// What [`Ledger::read`] refuses.
    pub fn others(&self) -> Result<Vec<JobId>, Error> {
        Ok(self.ledger.read()?.others(&self.key))
    }

    /// How many attempts this run has made that count.
    ///
    /// # Errors
    ///
    /// What [`Ledger::read`] refuses.
    pub fn attempts(&self) -> Result<u32, Error> {
        Ok(self.ledger.read()?.attempts(&self.key))
    }

    /// Writes down how the job of an attempt ended, and that another one is to follow: whoever takes the run up makes that.
    ///
    /// # Errors
    ///
    /// What keeps the ledger from being written: nothing may be submitted anew then.
    pub fn again(&mut self, id: JobId, end: &Recorded) -> Result<(), Error> {
        self.settle()?;
        self.change(|book, key, _| {
            book.ended(&key.place, id, end);
            book.again(key);
        })
    }

    /// Writes down that this is about to be submitted.
    ///
    /// # Errors
    ///
    /// What keeps the ledger from being written: nothing may be sent then.
    pub fn intend(&mut self, work: &Work) -> Result<(), Error> {
        self.work = work.clone();
        let written = self.change(|book, key, now| book.intend(key, work, now));
        // It may stand there all the same, if only what comes after the rename has failed.
        self.unwritten = written.as_ref().err().map(|_| Unwritten::Refused);
        written
    }

    /// Takes the intent back: nothing came of it.
    ///
    /// # Errors
    ///
    /// What keeps the ledger from being written; [`Self::settle`] tries again.
    pub fn refuse(&mut self) -> Result<(), Error> {
        self.unwritten = Some(Unwritten::Refused);
        self.settle()
    }

    /// Writes the id down, and lets the next gate have its turn.
    ///
    /// # Errors
    ///
    /// What keeps the ledger from being written; [`Self::settle`] tries again.
    pub fn submitted(&mut self, id: JobId) -> Result<(), Error> {
        self.unwritten = Some(Unwritten::Submitted(id));
        let written = self.settle();
        self.let_go();
        written
    }

    /// Writes what could not be written when it was known.
    ///
    /// # Errors
    ///
    /// What still keeps the ledger from being written.
    pub fn settle(&mut self) -> Result<(), Error> {
        match self.unwritten {
            None => return Ok(()),
            Some(Unwritten::Refused) => self.change(Book::refuse)?,
            Some(Unwritten::Submitted(id)) => {
                self.change(|book, key, now| book.submitted(key, &self.work, id, now))?;
            }
        }
        self.unwritten = None;
        Ok(())
    }

    /// The run comes to its end, and does not wait for long any more.
    pub fn hurry(&mut self) {
        self.ledger = self.ledger.in_a_hurry();
    }

    /// Lets the next gate have its turn.
    pub fn let_go(&mut self) {
        self.turn = None;
    }

    fn change(&self, change: impl FnOnce(&mut Book, &Key, Timestamp)) -> Result<(), Error> {
        self.ledger.change(|book| change(book, &self.key, Timestamp::now()))
    }
}
