//! Bringing files to the inbox, before the submit: what is there already is met with care, since the job of another gate
//! may be reading it, and an answer that was lost is made up for by reading back what lies there.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::digest::Measured;
use crate::epm::error::{Fault, ReadError, Refusal};
use crate::epm::upload::{Failure, Refused, Taken, Upload};
use crate::foreign::quote_path;
use crate::inbox::Parcel;
use crate::pace;
use crate::report::stretches::Phase;
use crate::submit::Unsubmitted;
use crate::wait::next_try;

use super::Gate;

/// How long what lies under a name of our content must stay as it is before it is replaced.
const STABLE: Duration = Duration::from_secs(2);

/// How far bringing one file has come.
struct Errand<'a> {
    parcel: &'a Parcel,
    before: Before,
    /// Whether something else that lies there may be replaced.
    replaces: bool,
    /// Whether an upload may have arrived without our hearing of it.
    is_open: bool,
    /// Whether EPM has said that a file of that name is there.
    met: bool,
    /// Why EPM would not delete what lies there, or might.
    kept: Option<Refused>,
}

/// What is to be done before the file is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// Whatever lies there is deleted.
    Clear,
    /// What lies there is read back.
    Look,
}

impl<'a> Errand<'a> {
    fn new(parcel: &'a Parcel, overwrite: bool) -> Self {
        let by_content = parcel.is_named_by_content;
        let before = match (by_content, overwrite) {
            (true, _) => Before::Look,
            (false, true) => Before::Clear,
            (false, false) => Before::Nothing,
        };
        Self { parcel, before, replaces: by_content || overwrite, is_open: false, met: false, kept: None }
    }

    /// What a refusal of a file that is there is worth: one more look where it may be our own, or may be replaced.
    fn meets(&mut self) -> bool {
        let is_worth_it = !self.met && (self.replaces || self.is_open);
        (self.met, self.before) = (true, Before::Look);
        is_worth_it
    }

    /// An upload brought no answer.
    fn loses(&mut self, fault: &Fault) {
        if !fault.is_before_sending() {
            (self.is_open, self.before) = (true, Before::Look);
        }
    }
}

impl Gate {
    /// Brings every file that is not there yet, one after the other.
    pub(super) async fn bring(&self) -> Result<(), Unsubmitted> {
        for parcel in &self.plan.uploads {
            let is_there = |remote: &str| self.desk.read(|report| report.uploads.iter().any(|up| up.remote == remote));
            // An earlier attempt has brought it.
            if is_there(parcel.remote.as_str()) {
                continue;
            }
            self.desk.begins(0, Phase::Upload);
            self.desk.brings(parcel);
            let brought = self.bring_one(parcel).await;
            self.desk.finishes(0, Phase::Upload);
            if let Err(failure) = brought {
                return Err(Unsubmitted::NotBrought { file: quote_path(&parcel.local), failure });
            }
            self.desk.brought(parcel);
        }
        Ok(())
    }

    /// Tries until it is there, within the outage budget from the first fault on: an upload may be repeated.
    async fn bring_one(&self, parcel: &Parcel) -> Result<(), Failure> {
        let mut errand = Errand::new(parcel, self.plan.overwrite);
        let mut since = None;
        loop {
            match self.try_to_bring(&mut errand).await {
                Err(Failure::Lost(fault)) => self.outlast(&mut since, fault).await?,
                done => return done,
            }
        }
    }

    /// Waits until it is time to try again after a fault. `since`: when the first of them came.
    async fn outlast(&self, since: &mut Option<Instant>, fault: Fault) -> Result<(), Failure> {
        let since = *since.get_or_insert_with(Instant::now);
        let next = next_try(&self.plan.rules, since, &fault, self.client.has_answered());
        let Some(next) = next else { return Err(Failure::Lost(fault)) };
        self.tell_fault(&fault);
        sleep_until(next).await;
        Ok(())
    }

    async fn try_to_bring(&self, errand: &mut Errand<'_>) -> Result<(), Failure> {
        loop {
            if self.is_there(errand).await? {
                return Ok(());
            }
            // What is sent now could not be answered any more.
            if Instant::now() >= self.plan.rules.deadline.last_poll() {
                return Err(Failure::Lost(Fault::Late));
            }
            self.desk.sending(true);
            let sent = self.client.upload(errand.parcel, &self.desk.progress()).await;
            if matches!(sent, Upload::Exists(_) | Upload::Refused(_) | Upload::Denied(_)) {
                self.desk.sending(errand.is_open);
            }
            return match sent {
                Upload::Done => Ok(()),
                Upload::InProgress(path) => self.settle_upload(errand.parcel, path).await,
                Upload::Exists(_) if errand.meets() => continue,
                Upload::Exists(refused) => Err(Failure::Exists(Taken { refused, kept: errand.kept.take() })),
                Upload::Refused(refused) => Err(Failure::Refused(refused)),
                Upload::Denied(refusal) => Err(Failure::Denied(refusal)),
                Upload::Changed => Err(Failure::Changed),
                Upload::Unreadable(why) => Err(Failure::Unreadable(why)),
                Upload::Lost(fault) => {
                    errand.loses(&fault);
                    self.desk.sending(errand.is_open);
                    Err(Failure::Lost(fault))
                }
            };
        }
    }

    /// Whether it lies there already; whatever else does is deleted, where it may be.
    async fn is_there(&self, errand: &mut Errand<'_>) -> Result<bool, Failure> {
        let parcel = errand.parcel;
        match errand.before {
            Before::Nothing => return Ok(false),
            Before::Clear => return self.clear(errand).await.map(|()| false),
            Before::Look => {}
        }
        let there = match self.client.measure(&parcel.remote).await {
            // Who may bring files may not be let read them. EPM is then asked to take ours, and what it says is there is
            // replaced unseen.
            Err(ReadError::Refused(Refusal::Forbidden { .. })) => {
                if errand.met && errand.replaces {
                    self.clear(errand).await?;
                }
                return Ok(false);
            }
            there => there?,
        };
        let there = match there {
            Some(other) if parcel.is_named_by_content && other != parcel.measured => {
                self.at_rest(parcel, other).await?
            }
            there => there,
        };
        match there {
            Some(there) if there == parcel.measured => {
                if !errand.is_open {
                    self.desk.lies_there();
                }
                Ok(true)
            }
            Some(_) if errand.replaces => self.clear(errand).await.map(|()| false),
            Some(_) if errand.is_open => Err(Failure::Other),
            // EPM will say what it thinks of that.
            Some(_) | None => Ok(false),
        }
    }

    /// What lies there once it stays as it is: another gate may be bringing the same at this moment, and a part of that is
    /// not to be deleted.
    async fn at_rest(&self, parcel: &Parcel, mut seen: Measured) -> Result<Option<Measured>, Failure> {
        while Instant::now() + STABLE < self.plan.rules.deadline.last_poll() {
            sleep(STABLE).await;
            match self.client.measure(&parcel.remote).await? {
                Some(now) if now != seen && now != parcel.measured => seen = now,
                there => return Ok(there),
            }
        }
        Err(Failure::Lost(Fault::Late))
    }

    async fn clear(&self, errand: &mut Errand<'_>) -> Result<(), Failure> {
        errand.kept = self.client.delete(&errand.parcel.remote).await?.err();
        if errand.kept.is_none() {
            self.desk.deleted();
        }
        errand.before = Before::Nothing;
        Ok(())
    }

    /// Asks until EPM is done with a file: where it has told us to, or else by reading back what lies there.
    async fn settle_upload(&self, parcel: &Parcel, mut path: Option<String>) -> Result<(), Failure> {
        let rules = &self.plan.rules;
        let (began, mut since) = (Instant::now(), None);
        self.desk.tell_busy();
        loop {
            let pause = rules.pace.interval(began.elapsed(), pace::stray());
            sleep_until((Instant::now() + pause).min(rules.deadline.last_poll())).await;
            if Instant::now() >= rules.deadline.last_poll() {
                return Err(Failure::Busy);
            }
            match self.ask_upload(parcel, path.as_deref()).await {
                Ok(Settled::Done) => return Ok(()),
                Ok(Settled::Busy) => since = None,
                Ok(Settled::Nowhere) => path = None,
                Err(Failure::Lost(fault)) => self.outlast(&mut since, fault).await?,
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn ask_upload(&self, parcel: &Parcel, path: Option<&str>) -> Result<Settled, Failure> {
        let Some(path) = path else {
            let there = self.client.measure(&parcel.remote).await?;
            return Ok(if there.as_ref() == Some(&parcel.measured) { Settled::Done } else { Settled::Busy });
        };
        match self.client.ask_upload(path).await {
            Ok(None) => Ok(Settled::Busy),
            Ok(Some(Ok(()))) => Ok(Settled::Done),
            Ok(Some(Err(refused))) => Err(Failure::Refused(refused)),
            Err(ReadError::Missing { .. }) => Ok(Settled::Nowhere),
            Err(error) => Err(error.into()),
        }
    }
}

/// What asking about an upload brought.
enum Settled {
    Done,
    Busy,
    /// There is nothing where we were told to ask.
    Nowhere,
}
