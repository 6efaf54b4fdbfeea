//! The desk at which a run is written up: what is known at each moment, and who is told at once.
//!
//! Whatever ends a run, the desk is left with everything that was known until then, so that every way out can write
//! every output.

mod closing;
mod parcels;
mod record;
mod stages;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::ci::{self, Outputs, Platform};
use crate::diagnose::Findings;
use crate::epm::error::Fault;
use crate::epm::requests::Fate;
use crate::epm::url::EpmUrl;
use crate::foreign::{Foreign, quote, quote_path};
use crate::inbox::size;
use crate::job::{Answer, Facts, JobId, State};
use crate::ledger::book::Hint;
use crate::ledger::{self, Ledger, Page};
use crate::outcome::Outcome;
use crate::payload::{Field, Payload, file_place};
use crate::report::console::Console;
use crate::report::steps::{self, Step};
use crate::report::stretches::Phase;
use crate::report::wording::{event, progress, subject};
use crate::report::{Earlier, End, Event, Fetched, JobReport, Report, Submitted, Trouble};

pub use closing::Closing;
use parcels::Carried;

/// The report of a run, and the places where it is told while the run goes on.
///
/// A panic ends the process where it stands, and what is borrowed then stays so. Hence everything that [`Closing`] needs
/// is changed on a copy that takes the place of the old one when it is whole.
pub struct Desk {
    report: RefCell<Report>,
    outputs: Arc<Outputs>,
    ledger: RefCell<Option<Ledger>>,
    page: RefCell<Option<Page>>,
    /// The ids that the ledger is to take in once EPM has answered about them, and whose they are.
    adopting: RefCell<(Hint, Vec<JobId>)>,
    /// The file that is being brought to the inbox.
    carried: RefCell<Option<Carried>>,
    platform: Platform,
    console: Console,
    answered: Notify,
    /// How the run ended, once everything is written.
    closed: Cell<Option<Outcome>>,
}

impl Desk {
    /// A desk for a run.
    pub fn new(report: Report, outputs: Outputs, platform: Platform, console: Console) -> Self {
        let (report, outputs) = (RefCell::new(report), Arc::new(outputs));
        let (ledger, page, adopting, carried, closed) = Default::default();
        Self { report, outputs, ledger, page, adopting, carried, platform, console, answered: Notify::new(), closed }
    }

    /// The log.
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// Looks something up in the report.
    pub fn read<T>(&self, look: impl FnOnce(&Report) -> T) -> T {
        look(&self.report.borrow())
    }

    /// Changes the report. Of a single job, [`Self::note_of`] copies less.
    pub fn note(&self, change: impl FnOnce(&mut Report)) {
        let mut report = self.report.borrow().clone();
        change(&mut report);
        self.report.replace(report);
    }

    /// Changes what is known of a job.
    pub fn note_of<T>(&self, index: usize, change: impl FnOnce(&mut JobReport) -> T) -> T {
        let mut job = self.report.borrow().jobs[index].clone();
        let told = change(&mut job);
        self.report.borrow_mut().jobs[index] = job;
        told
    }

    /// Puts a note under the report.
    fn add_note(&self, note: String) {
        self.report.borrow_mut().notes.push(note);
    }

    /// A request came to its end.
    pub fn count(&self, fate: Fate) {
        self.report.borrow_mut().requests.count(fate);
    }

    /// What is to be submitted is known, and whole.
    pub fn intends(&self, payload: &Payload) {
        let host = self.read(|report| report.url.as_ref().map(EpmUrl::host)).unwrap_or_default();
        self.note(|report| {
            report.jobs[0].name = payload.job_name().map(str::to_owned);
            report.jobs[0].begun = Some(Instant::now());
            report.payload = Some(payload.clone());
        });
        let parts = Field::ALL.into_iter().filter(|field| !matches!(field, Field::JobName | Field::FileName));
        let parts = parts.filter_map(|field| Some(format!(", {} {}", field.key(), quote(payload.text(field.key())?))));
        let parts = parts.collect::<Vec<_>>().concat();
        self.say(0, &format!("to be submitted to {} as {}{parts}", quote(&host), quote(payload.job_type())));
        if let Some(file) = payload.text(Field::FileName.key()) {
            self.say(0, &format!("reads {}: {}", quote(file), file_place(file)));
        }
    }

    /// A submit is about to be sent: until its answer is judged, a job may come into being.
    ///
    /// # Errors
    ///
    /// A ledger that cannot be written: nothing may be sent then.
    pub fn submitting(&self) -> Result<(), ledger::Error> {
        self.write_intent()?;
        self.note(|report| {
            report.submitted = Submitted::Maybe;
            let (job, now) = (&mut report.jobs[0], Instant::now());
            job.start = Some(now);
            job.mark(now, Event::Sent);
        });
        self.publish_submit();
        Ok(())
    }

    /// The submit provably brought no job into being.
    pub fn not_submitted(&self) {
        let was_sent = self.read(|report| report.submitted) == Submitted::Maybe;
        if was_sent {
            self.write_page(Page::refuse);
        }
        self.note(|report| {
            report.submitted = Submitted::No;
            report.jobs[0].start = None;
        });
        if was_sent {
            self.publish_submit();
        }
        self.answered.notify_waiters();
    }

    /// Waits until the answer to the submit that is in flight was judged.
    pub async fn answered(&self) {
        let answered = self.answered.notified();
        if self.read(|report| report.submitted == Submitted::Maybe && report.jobs[0].start.is_some()) {
            answered.await;
        }
    }

    /// EPM took the submit. The id is written to every output before anything else happens.
    pub fn submitted(&self, id: JobId) {
        self.note(|report| {
            report.submitted = Submitted::Yes;
            let job = &mut report.jobs[0];
            (job.id, job.trouble) = (Some(id), None);
            job.mark(Instant::now(), Event::Submitted);
        });
        self.write_page(|page| page.submitted(id));
        self.publish(&[id]);
        let subject = self.read(|report| subject(&report.jobs[0]));
        self.console.of(Some(id)).note(&format!("{subject}: submitted"));
        self.answered.notify_waiters();
    }

    /// We begin to wait for jobs that exist.
    pub fn attached(&self) {
        let now = Instant::now();
        self.note(|report| {
            for job in &mut report.jobs {
                job.start = Some(now);
                job.mark(now, Event::Attached);
            }
        });
        let ids: Vec<JobId> = self.read(|report| report.jobs.iter().filter_map(|job| job.id).collect());
        self.publish(&ids);
    }

    /// An earlier run's job is this run's.
    pub fn resumes(&self, id: JobId, earlier: Earlier, note: &str) {
        self.let_go();
        self.note(|report| {
            report.earlier = Some(earlier);
            report.jobs[0].id = Some(id);
        });
        self.attached();
        self.tell(0, note);
    }

    /// An earlier run has made so many attempts, and was about to make another one.
    pub fn continues(&self, made: u32) {
        let attempt = made + 1;
        self.note_of(0, |job| job.attempt = attempt);
        self.tell(0, &format!("the ledger has {made} failed attempts of it, and that another one was to follow: this is attempt {attempt}"));
    }

    /// A new attempt was not submitted: the end that the one before had is the run's, so this one is told here alone.
    pub fn attempt_failed(&self, end: &End) {
        if self.read(|report| !report.attempts.is_empty()) {
            self.say(0, &format!("the new attempt was not submitted: {}", end.why));
        }
    }

    /// An earlier run may have submitted this, and so nothing is submitted now.
    pub fn doubts(&self) {
        self.let_go();
        self.note(|report| report.submitted = Submitted::Maybe);
    }

    /// What was recorded of a job stands for what EPM does not know any more.
    pub fn restore(&self, index: usize, state: State, facts: Facts) {
        self.note_of(index, |job| (job.state, job.facts, job.trouble) = (Some(state), facts, None));
    }

    fn publish(&self, ids: &[JobId]) {
        self.warn_of(&self.outputs.jobs_known(ids, &self.report.borrow()));
    }

    fn publish_submit(&self) {
        self.warn_of(&self.outputs.submit_known(&self.report.borrow()));
    }

    fn warn_of(&self, errors: &[ci::Error]) {
        for error in errors {
            self.console.warn(&error.sentence());
        }
    }

    /// EPM was asked about a job, and told its state.
    pub fn heard(&self, index: usize, answer: &Answer, state: State) {
        let (change, contradiction) = self.note_of(index, |job| {
            let text = |job: &JobReport| job.facts.status_texts().next().map(|text| text.first_line().to_owned());
            let known = (job.trouble.take().is_none(), job.state, text(job));
            job.hear(answer);
            let told = text(job);
            let change = (known != (true, Some(state), told.clone())).then_some(Event::State(state, told));
            if let Some(change) = &change {
                job.mark(Instant::now(), change.clone());
            }
            let contradiction = job.facts.contradiction(state).map(|text| contradiction(job, state, text.as_str()));
            (change, contradiction)
        });
        if let Some(change) = change {
            self.say(index, &event(&change));
        }
        if let Some(note) = contradiction {
            self.tell_once_of(index, note);
        }
    }

    /// Something keeps an answer from us. Told when it begins, not each time; `again`: EPM is asked again.
    pub fn trouble(&self, index: usize, what: &str, help: &'static str, again: bool) {
        let begins = self.note_of(index, |job| {
            let begins = job.trouble.as_ref().is_none_or(|known| known.what != what);
            let now = Instant::now();
            let since = job.trouble.as_ref().map_or(now, |known| known.since);
            job.trouble = Some(Trouble { what: what.to_owned(), help, since });
            if begins {
                job.mark(now, Event::Trouble(what.to_owned()));
            }
            begins
        });
        if begins {
            self.say(index, &if again { format!("{what}; asking again") } else { what.to_owned() });
        }
    }

    /// EPM was asked about a job once more.
    pub fn polled(&self, index: usize) {
        self.report.borrow_mut().jobs[index].polls += 1;
    }

    /// A part of the work on a job begins.
    pub fn begins(&self, index: usize, phase: Phase) {
        self.note_of(index, |job| job.begin(Instant::now(), phase));
    }

    /// It is over.
    pub fn finishes(&self, index: usize, phase: Phase) {
        self.note_of(index, |job| job.finish(Instant::now(), phase));
    }

    /// A check has taken a step.
    pub fn stepped(&self, step: Step) {
        let line = steps::line(&step);
        let is_told = !self.console.is_quiet() || matches!(step.state, steps::State::Warning | steps::State::Failed);
        match step.state {
            _ if !is_told => {}
            steps::State::Ok => self.console.pass(&line),
            steps::State::Skipped => self.console.say(&format!("skipped: {line}")),
            steps::State::Warning => self.console.warn(&line),
            steps::State::Failed => self.console.fail(&line),
        }
        if let Some(remedy) = step.remedy.as_ref().filter(|_| is_told) {
            self.console.remedy(remedy);
        }
        self.note(|report| report.steps.push(step));
    }

    /// Tells something worth knowing, and puts it under the report; once, however often it comes up.
    pub fn tell_once(&self, note: String) {
        self.warn_once(None, note);
    }

    /// The same about a job that the note names.
    pub fn tell_once_of(&self, index: usize, note: String) {
        self.warn_once(self.read(|report| report.jobs[index].id), note);
    }

    fn warn_once(&self, id: Option<JobId>, note: String) {
        if !self.read(|report| report.notes.contains(&note)) {
            self.console.of(id).warn(&note);
            self.add_note(note);
        }
    }

    /// Tells something about a job, and puts it under the report.
    pub fn tell(&self, index: usize, note: &str) {
        let subject = self.read(|report| subject(&report.jobs[index]));
        self.say(index, note);
        self.add_note(format!("{subject}: {note}"));
    }

    /// One end for all jobs.
    pub fn end_all(&self, end: &End) {
        for index in 0..self.read(|report| report.jobs.len()) {
            self.ended(index, end.clone());
        }
    }

    /// A job's end, for us.
    pub fn ended(&self, index: usize, end: End) {
        let line = format!("{}: {}", end.outcome.word(), end.why);
        self.holds(index, end);
        if self.read(|report| report.jobs.len() > 1) {
            self.say(index, &line);
        }
    }

    /// A job's end as it would be if nothing more were learned. It is told once that is over.
    pub fn holds(&self, index: usize, end: End) {
        self.note_of(index, |job| {
            let now = Instant::now();
            if !end.outcome.is_verdict() && !matches!(end.outcome, Outcome::Submitted | Outcome::Usage) {
                job.mark(now, Event::GaveUp(end.outcome));
            }
            job.duration = job.start.map(|_| job.elapsed(now));
            job.end = Some(end);
        });
    }

    /// The job is at its end, and one of its files is read.
    pub fn reads(&self, index: usize, which: &str, name: &Foreign) {
        self.say(index, &format!("reading its {which} {}", quote(name.as_str())));
    }

    /// The log of a job in one of its stages is read, for what that tells of it.
    pub fn reads_other(&self, index: usize, name: &Foreign) {
        self.say(
            index,
            &format!(
                "its own log gives no reason; reading that of the job that failed in it, {}",
                quote(name.as_str())
            ),
        );
    }

    /// A file broke off after so many bytes, and goes on.
    pub fn broke(&self, index: usize, which: &str, bytes: u64, fault: &Fault) {
        self.tell(index, &format!("its {which} broke off after {}: {fault}; going on", size(bytes)));
    }

    /// A file of the job was saved.
    pub fn saved(&self, index: usize, is_log: bool, file: Fetched) {
        let Fetched { path, bytes, sha256 } = &file;
        let which = if is_log { "log" } else { "output" };
        let line = format!("saved the {which} as {} ({}, sha256 {sha256})", quote_path(path), size(*bytes));
        self.say(index, &line);
        self.note_of(index, |job| {
            *(if is_log { &mut job.log } else { &mut job.output }) = Some(file);
            job.owed.retain(|owed| owed.which != which);
        });
    }

    /// Keeps a job that passed from passing the stage. False where it did not pass anyway.
    pub fn hold(&self, index: usize, why: &str, help: Option<String>) -> bool {
        let passed = |job: &JobReport| job.end.as_ref().is_some_and(|end| end.outcome.is_pass());
        if !self.read(|report| passed(&report.jobs[index])) {
            return false;
        }
        if self.read(|report| report.jobs.len() > 1) {
            self.say(index, &format!("{}: {why}", Outcome::Unwritable.word()));
        }
        let end = End { outcome: Outcome::Unwritable, why: why.to_owned(), help };
        self.note_of(index, |job| job.end = Some(end));
        true
    }

    /// What a job's log says; its telling lines are shown. `other`: the log is another's.
    pub fn found(&self, index: usize, findings: Findings, other: Option<&Foreign>) {
        let excerpt = &findings.excerpt;
        let id = self.read(|report| report.jobs[index].id);
        let fold = self.platform.fold(&format!("Log: {}", excerpt.title()), id);
        let fold = fold.filter(|_| !self.console.is_quiet() && self.console.takes_commands());
        match &fold {
            Some(fold) => self.console.command(&fold.open),
            None => self.say(index, &format!("{}:", excerpt.title())),
        }
        let console = self.console.of(id);
        excerpt.numbered().for_each(|line| console.quoted(&line));
        if let Some(fold) = &fold {
            self.console.command(&fold.close);
        }
        self.note_of(index, |job| (job.findings, job.told_by) = (Some(findings), other.cloned()));
    }

    /// Ends every job that has no end yet.
    pub fn cut(&self, end: impl Fn(&Report, &JobReport) -> End) {
        let open: Vec<(usize, End)> = self.read(|report| {
            let open = report.jobs.iter().enumerate().filter(|(_, job)| job.end.is_none());
            open.map(|(index, job)| (index, end(report, job))).collect()
        });
        for (index, end) in open {
            self.ended(index, end);
        }
    }

    /// A sign of life: on the live line, and in the log where `beat`.
    pub fn pulse(&self, beat: bool) {
        let now = Instant::now();
        let report = self.report.borrow();
        let mut open = report.jobs.iter().filter(|job| job.end.is_none());
        let Some(first) = open.next() else { return };
        let others = open.count();
        let others = if others > 0 { format!("; {others} more jobs are not finished") } else { String::new() };
        let line = match self.carrying() {
            Some(carrying) => format!("{}: {carrying}", subject(first)),
            None => format!("{}{others}", progress(first, now)),
        };
        if beat {
            self.console.of(first.id).say(&line);
        } else {
            self.console.live(&line);
        }
    }

    /// Ends a run that no job brought to its end.
    pub fn end_with(&self, end: End) -> Outcome {
        self.note(|report| report.end = Some(end));
        self.close()
    }

    /// Writes every output and says how the run ended. The outcome is final afterwards.
    pub fn close(&self) -> Outcome {
        let mut closing = self.closing();
        closing.close();
        let outcome = closing.outcome();
        self.report.replace(closing.report);
        self.closed.set(Some(outcome));
        outcome
    }

    /// What is left to be done, by what is known now. It is there at any moment: a panic may have come at any.
    pub fn closing(&self) -> Closing {
        Closing {
            report: self.report.borrow().clone(),
            outputs: Arc::clone(&self.outputs),
            ledger: self.ledger.borrow().clone(),
            // One that was being written when a panic came is left as it stands in the ledger.
            page: self.page.try_borrow_mut().ok().and_then(|mut page| page.take()),
            adopting: self.adopting.borrow().clone(),
            platform: self.platform,
            console: self.console.clone(),
            closed: self.closed.get(),
        }
    }

    fn say(&self, index: usize, text: &str) {
        let (id, subject) = self.read(|report| (report.jobs[index].id, subject(&report.jobs[index])));
        self.console.of(id).say(&format!("{subject}: {text}"));
    }
}

fn contradiction(job: &JobReport, state: State, text: &str) -> String {
    format!("{}: EPM says {} beside status {} ({state}); the number decides", subject(job), quote(text), state.number())
}
