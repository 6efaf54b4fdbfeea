//! The files of a job that is finished: which of them are had, what is told of each, and what it means for the end that
//! one is missing which was asked for.

use std::time::Duration;

use tokio::time::Instant;

use crate::collect::{Collected, Folder, Missed, Order, Saved, collect};
use crate::diagnose::Findings;
use crate::epm::error::Fault;
use crate::foreign::{Foreign, quote, quote_path};
use crate::report::stretches::Phase;
use crate::report::{Fetched, JobReport, Owed};

use super::conditions::Look;
use super::{Gate, ending};

/// How long reading the log may take where it is not saved: an excerpt is not worth more.
const EXCERPT_LIMIT: Duration = Duration::from_secs(20);

/// A file of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// What the job says of itself.
    Log,
    /// What it has made.
    Output,
}

impl Which {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Output => "output",
        }
    }

    /// Whether that it is missing is how things are in EPM: a log that is purged, or not for us. An output is what the
    /// next stage is to work with.
    fn is_note(self, missed: &Missed) -> bool {
        self == Self::Log && missed.is_withheld()
    }

    fn name(self, job: &JobReport) -> Option<Foreign> {
        match self {
            Self::Log => job.facts.log_file_name.clone(),
            Self::Output => job.facts.output_file_name.clone(),
        }
    }
}

impl Gate {
    /// Notes which files a finished job owes: whatever ends the run before they are there is told of them.
    pub(super) fn owes(&self, index: usize) {
        for which in [Which::Log, Which::Output].into_iter().filter(|which| self.saves(*which)) {
            match self.desk.read(|report| which.name(&report.jobs[index])) {
                Some(name) => {
                    let owed = Owed { which: which.word(), name, why: None, is_told: false };
                    self.desk.note_of(index, |job| job.owed.push(owed));
                }
                None => self.desk.tell(index, &ending::names_none(which)),
            }
        }
    }

    /// Has the log, where it is read or asked for; what was seen of it.
    pub(super) async fn collect_log(&self, index: usize, reads: bool) -> Look {
        self.collect(index, Which::Log, reads).await
    }

    /// Reads a log that is another's, for what it tells of this job.
    pub(super) async fn read_log(&self, index: usize, name: &Foreign) {
        let order = self.order(name, false);
        self.desk.reads_other(index, name);
        self.desk.begins(index, Phase::Collect);
        let collected = collect(&order, Some(&self.plan.reasons), None, &mut self.told(index, Which::Log)).await;
        self.desk.finishes(index, Phase::Collect);
        self.read(index, name, collected.findings, collected.is_proven, Some(name));
    }

    /// Has the output, where it is asked for.
    pub(super) async fn collect_output(&self, index: usize) {
        let _ = self.collect(index, Which::Output, false).await;
    }

    fn saves(&self, which: Which) -> bool {
        self.folder.as_ref().is_some_and(|folder| match which {
            Which::Log => folder.wanted().log,
            Which::Output => folder.wanted().output,
        })
    }

    /// Whether something hangs on the log: a condition, or another attempt.
    fn log_decides(&self) -> bool {
        self.plan.conditions.needs_log() || self.plan.retries.most > 0
    }

    /// A file that is to be had: by the deadline where something hangs on it, else as long as an excerpt is worth.
    fn order<'a>(&'a self, name: &'a Foreign, is_needed: bool) -> Order<'a> {
        let end = self.plan.rules.deadline.end();
        let until = if is_needed { end } else { end.min(Instant::now() + EXCERPT_LIMIT) };
        Order { client: &self.client, name, rules: &self.plan.rules, until }
    }

    async fn collect(&self, index: usize, which: Which, reads: bool) -> Look {
        let (name, id) = self.desk.read(|report| (which.name(&report.jobs[index]), report.jobs[index].id));
        let (Some(name), Some(id)) = (name, id) else { return Look::Failed("EPM names none".to_owned()) };
        let folder = self.folder.as_ref().filter(|_| self.saves(which));
        if !reads && folder.is_none() {
            return Look::Pending;
        }
        self.desk.reads(index, which.word(), &name);
        let order = self.order(&name, folder.is_some() || which == Which::Log && self.log_decides());
        let place = folder.map(|folder| {
            self.make_way(folder, index, &name);
            folder.place(&name, id)
        });
        let reasons = reads.then_some(&self.plan.reasons);
        self.desk.begins(index, Phase::Collect);
        let Collected { findings, saved, is_proven } =
            collect(&order, reasons, place, &mut self.told(index, which)).await;
        self.desk.finishes(index, Phase::Collect);
        if let (None, Some(Err(missed))) = (&findings, &saved)
            && which.is_note(missed)
        {
            self.desk.tell_once_of(index, ending::unread(which.word(), &name, &missed.to_string()));
        }
        if let (false, Some(Ok(_))) = (is_proven, &saved) {
            let name = quote(name.as_str());
            let why = "EPM told no length, and the connection ended";
            self.desk.tell(index, &format!("nothing tells whether the {} {name} came to its end: {why}", which.word()));
        }
        let is_told = matches!(findings, Some(Err(_)));
        let look = self.read(index, &name, findings, is_proven, None);
        if let Some(saved) = saved {
            self.take(index, which, saved, is_told);
        }
        look
    }

    /// Has an earlier attempt's file give its name up to that of the newest one, which is what the next stage looks for.
    fn make_way(&self, folder: &Folder, index: usize, name: &Foreign) {
        let is_in_the_way = |file: &&mut Fetched| folder.is_in_the_way(&file.path, name);
        let mut told = None;
        self.desk.note(|report| {
            for job in &mut report.attempts {
                let Some(id) = job.id else { continue };
                let Some(file) = job.log.iter_mut().chain(&mut job.output).find(is_in_the_way) else { continue };
                let was = quote_path(&file.path);
                told = Some(match folder.move_away(&file.path, name, id) {
                    Ok(path) => {
                        file.path = path;
                        format!("{was}, which is job {id}'s, is now {}", quote_path(&file.path))
                    }
                    Err(error) => format!("{was} stays job {id}'s: {error}"),
                });
            }
        });
        if let Some(told) = told {
            self.desk.tell(index, &told);
        }
    }

    /// What is told of a file that breaks off and goes on: the first time.
    fn told(&self, index: usize, which: Which) -> impl FnMut(u64, &Fault) {
        let mut is_told = false;
        move |bytes, fault| {
            if !std::mem::replace(&mut is_told, true) {
                self.desk.broke(index, which.word(), bytes, fault);
            }
        }
    }

    /// Takes what a log says, or why it could not be read. What it does not say counts only where it is all there.
    /// `other`: it is another's.
    fn read(
        &self,
        index: usize,
        name: &Foreign,
        findings: Option<Result<Findings, Missed>>,
        is_proven: bool,
        other: Option<&Foreign>,
    ) -> Look {
        match findings {
            None => Look::Pending,
            Some(Ok(findings)) => {
                let gap = match &findings {
                    Findings { excerpt, .. } if excerpt.total == 0 => Some("it is empty"),
                    Findings { unreadable: Some(why), .. } => Some(*why),
                    _ if !is_proven => Some("nothing tells whether it came to its end"),
                    _ => None,
                };
                if findings.rules_given_up {
                    self.desk.tell(
                        index,
                        "the patterns of `--rules` took too long, and were not tried on the rest of its log",
                    );
                }
                self.desk.found(index, findings, other);
                gap.map_or(Look::Done, |gap| Look::Failed(gap.to_owned()))
            }
            Some(Err(missed)) => {
                self.desk.tell_once_of(index, ending::unread(Which::Log.word(), name, &missed.to_string()));
                Look::Failed(missed.to_string())
            }
        }
    }

    /// Takes a file that was asked for, or what became of it.
    fn take(&self, index: usize, which: Which, saved: Result<Saved, Missed>, is_told: bool) {
        match saved {
            Ok(Saved { path, bytes, sha256 }) => {
                self.desk.saved(index, which == Which::Log, Fetched { path, bytes, sha256 });
            }
            Err(missed) if which.is_note(&missed) => {
                self.desk.note_of(index, |job| job.owed.retain(|owed| owed.which != which.word()));
            }
            Err(missed) => self.desk.note_of(index, |job| {
                let this = job.owed.iter_mut().filter(|owed| owed.which == which.word());
                this.for_each(|owed| (owed.why, owed.is_told) = (Some(missed.to_string()), is_told));
            }),
        }
    }

    /// What is owed by this job, or by all, nobody will have: a job that passed does not pass the stage. `why` is told of
    /// what was still to come.
    pub(super) fn hold_owed(&self, index: Option<usize>, why: &str) {
        let all = 0..self.desk.read(|report| report.jobs.len());
        for index in index.map_or(all, |index| index..index + 1) {
            let (id, owed) = self.desk.read(|report| (report.jobs[index].id, report.jobs[index].owed.clone()));
            for Owed { which, name, why: own, is_told } in owed {
                let why = ending::unsaved(which, &name, own.as_deref().unwrap_or(why));
                if !self.desk.hold(index, &why, id.map(ending::collect_later)) && !is_told {
                    self.desk.tell_once_of(index, why);
                }
            }
            self.desk.note_of(index, |job| job.owed.clear());
        }
    }
}
