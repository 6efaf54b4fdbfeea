//! The story of a run: look, upload, submit or attach, wait, read the log, and end; whatever happens, with an end that says why.

mod bring;
mod collecting;
pub mod conditions;
pub mod desk;
mod ending;
mod maintenance;
mod polling;
pub mod recall;
pub mod retry;
mod settle;
pub mod source;
mod stages;

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until};

use crate::auth::Credentials;
use crate::collect::{Folder, Wanted};
use crate::diagnose;
use crate::epm::error::{Fault, Refusal};
use crate::epm::recording::Beginning;
use crate::epm::submission::Submission;
use crate::epm::url::EpmUrl;
use crate::epm::{Client, Limits};
use crate::http::{self, Network};
use crate::inbox::{self, Parcel};
use crate::job::{Answer, JobId, State};
use crate::ledger::book::Hint;
use crate::outcome::{Outcome, Signal};
use crate::pace::Turnstile;
use crate::payload::Payload;
use crate::report::stretches::Phase;
use crate::report::{End, Submitted};
use crate::signals::Signals;
use crate::submit::{Unsubmitted, look, submit};
use crate::wait::{Ending, Rules, Watch};

use conditions::{Conditions, Hopeless, Looks};
use desk::Desk;
use maintenance::Guard;
use polling::Traffic;
use recall::{Keeping, Start};
use retry::Retries;
use source::Source;

/// What the gate is to do.
#[derive(Clone, Debug)]
pub enum Task {
    /// Submit, then wait.
    Run(Source),
    /// Submit only.
    Submit(Source),
    /// Wait for jobs that exist.
    Attach(Vec<JobId>),
    /// Ask once.
    Status(JobId),
}

/// Everything a run goes by.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to do.
    pub task: Task,
    /// The path of the look before a submit; none for no look.
    pub look: Option<String>,
    /// The files to bring before a submit.
    pub uploads: Vec<Parcel>,
    /// Whether they may replace others.
    pub overwrite: bool,
    /// How long before the daily maintenance nothing is submitted; none where it holds no submit back.
    pub refusal: Option<Duration>,
    /// The rules of waiting.
    pub rules: Rules,
    /// Polls per second, over all jobs.
    pub poll_rate: f64,
    /// What a success must have.
    pub conditions: Conditions,
    /// How a failure is told from another.
    pub reasons: diagnose::rules::Rules,
    /// When a failed job is tried again.
    pub retries: Retries,
    /// The ledger, where there is one.
    pub keeping: Option<Keeping>,
    /// Which files of a job are saved, and where.
    pub collecting: Option<Wanted>,
}

impl Plan {
    /// Whether the job is one that the gate itself submits.
    pub fn submits(&self) -> bool {
        matches!(self.task, Task::Run(_) | Task::Submit(_))
    }
}

/// How long after a signal the answer to a submit in flight is awaited: the id is worth more than haste, and what kills
/// the process comes after 4 s at the soonest (spec §4).
const ANSWER_GRACE: Duration = Duration::from_millis(3500);

/// How long after the deadline the story may still end by itself: its requests end at the deadline, and know better than
/// a cut what they had heard.
const DEADLINE_GRACE: Duration = Duration::from_millis(300);

const HEARTBEAT: Duration = Duration::from_mins(1);

/// What hears each request, for this desk's log.
pub fn trace(desk: &Rc<Desk>) -> Rc<dyn Fn(&str)> {
    let desk = Rc::clone(desk);
    Rc::new(move |line| desk.console().trace(line))
}

/// A client whose log goes to this desk, and what a person must know of it.
///
/// # Errors
///
/// TLS or HTTP that cannot be set up.
pub fn client(
    desk: &Rc<Desk>,
    url: EpmUrl,
    credentials: Credentials,
    network: &Network,
    limits: Limits,
    record: Option<Beginning>,
) -> Result<Client, http::Error> {
    let tell = || {
        let desk = Rc::clone(desk);
        move |note: String| desk.tell_once(note)
    };
    let counting = Rc::clone(desk);
    let count = move |fate| counting.count(fate);
    let client = Client::new(url, credentials, network, limits, trace(desk), count, tell())?;
    Ok(match record {
        Some(beginning) => client.recorded(beginning, tell()),
        None => client,
    })
}

/// Waits until a token is in flight no more: it would be lost, and with it the way in. A later signal ends that too.
pub async fn land(desk: &Desk, is_exchanging: bool, settled: impl Future<Output = ()>, signals: &mut Signals) {
    if !is_exchanging {
        return;
    }
    desk.console().say("waiting for the identity service, a minute at most: the token in flight would be lost");
    tokio::select! {
        () = settled => {}
        () = signals.again() => {}
    }
}

/// One run.
pub struct Gate {
    client: Client,
    plan: Plan,
    desk: Rc<Desk>,
    turnstile: RefCell<Turnstile>,
    traffic: Traffic,
    /// The window that nothing is submitted before, or in.
    guard: Cell<Option<Guard>>,
    folder: Option<Folder>,
}

impl Gate {
    /// A run that has not begun.
    pub fn new(client: Client, plan: Plan, desk: Rc<Desk>) -> Self {
        let turnstile = RefCell::new(Turnstile::new(plan.poll_rate));
        let folder = plan.collecting.clone().map(Folder::new);
        Self { client, plan, desk, turnstile, traffic: Traffic::default(), guard: Cell::default(), folder }
    }

    /// Plays the story to its end, the deadline or a signal. Every job has an end afterwards.
    pub async fn run(&self, signals: &mut Signals) {
        let mut story = pin!(self.story());
        tokio::select! {
            biased;
            () = &mut story => {}
            signal = signals.first() => {
                self.desk.console().warn(&format!("{} received", signal.name()));
                // The story goes on only for a submit that is in flight; nothing may be sent after a signal.
                tokio::select! {
                    biased;
                    () = self.desk.answered() => {}
                    () = &mut story => {}
                    () = signals.again() => {}
                    () = sleep(ANSWER_GRACE) => {}
                }
                self.cut_short(Some(signal));
            }
            () = sleep_until(self.plan.rules.deadline.end() + DEADLINE_GRACE) => self.cut_short(None),
            () = self.pulse() => {}
        }
    }

    /// Waits for a token that is in flight when everything else is over.
    pub async fn land(&self, signals: &mut Signals) {
        land(&self.desk, self.client.is_exchanging(), self.client.settle(), signals).await;
    }

    async fn story(&self) {
        match &self.plan.task {
            Task::Run(source) => self.run_one(source).await,
            Task::Submit(source) => self.submit_one(source).await,
            Task::Attach(ids) => {
                if self.may_adopt(ids) {
                    self.desk.attached();
                    let follow = |(index, id): (usize, &JobId)| self.follow(index, *id, Watch::attached);
                    join_all(ids.iter().enumerate().map(follow)).await;
                }
            }
            Task::Status(id) => self.ask_once(*id).await,
        }
    }

    async fn run_one(&self, source: &Source) {
        let Some(payload) = self.payload(source).await else { return };
        self.attempt(&payload).await;
        while self.tries_again().await {
            self.attempt(&payload).await;
        }
    }

    /// Makes an attempt, or finds the one that an earlier run has made.
    async fn attempt(&self, payload: &Payload) {
        match self.recall(payload).await {
            Some(Start::Submit) => {
                if let Some((id, answer)) = self.submit(payload).await {
                    self.follow_submitted(id, &answer).await;
                }
            }
            Some(Start::Follow(id)) => self.follow(0, id, Watch::resumed).await,
            Some(Start::Ask(id, recorded)) => self.ask_again(id, recorded).await,
            None => {}
        }
    }

    async fn submit_one(&self, source: &Source) {
        let Some(payload) = self.payload(source).await else { return };
        match self.recall(&payload).await {
            Some(Start::Submit) => {
                if let Some((id, answer)) = self.submit(&payload).await {
                    self.hand_over(id, &answer);
                }
            }
            Some(Start::Follow(id) | Start::Ask(id, _)) => self.desk.ended(0, ending::handed_over(id)),
            None => {}
        }
    }

    /// Makes the ledger ready to take the ids in, where there is one. False where it cannot be used.
    fn may_adopt(&self, ids: &[JobId]) -> bool {
        let Some(Keeping { ledger, run, is_by_hand, .. }) = &self.plan.keeping else { return true };
        if let Err(error) = ledger.read() {
            self.desk.end_all(&ending::unusable(&error));
            return false;
        }
        let name = self.desk.read(|report| report.jobs.first().and_then(|job| job.name.clone()));
        let is_idle = ids.len() > 1 || run.is_none() && !is_by_hand;
        self.desk.adopts(ledger.clone(), Hint { run: run.clone(), name, is_idle }, ids);
        true
    }

    /// A sign of life each minute, and on a terminal each second.
    async fn pulse(&self) {
        let period = if self.desk.console().is_live() { Duration::from_secs(1) } else { HEARTBEAT };
        let beats = HEARTBEAT.as_secs() / period.as_secs();
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        for tick in 1_u64.. {
            ticks.tick().await;
            self.desk.pulse(tick % beats == 0);
        }
    }

    /// What is to be submitted. None where that cannot be read; the end is written down then.
    async fn payload(&self, source: &Source) -> Option<Payload> {
        let read = source.read(self.plan.rules.deadline.last_poll()).await;
        match read.and_then(|payload| self.may_hold(&payload).map(|()| payload)) {
            Ok(payload) => {
                self.desk.intends(&payload);
                for doubt in inbox::doubts(&self.plan.uploads, &payload) {
                    self.desk.tell_once(doubt);
                }
                self.client.intends(&payload);
                Some(payload)
            }
            Err(end) => {
                self.desk.ended(0, end);
                None
            }
        }
    }

    /// Whether the conditions can hold for this job. Of a payload on stdin, only now is that known.
    fn may_hold(&self, payload: &Payload) -> Result<(), End> {
        let hopeless = self.plan.conditions.hopeless(payload).filter(|_| matches!(self.plan.task, Task::Run(_)));
        let end = |hopeless: Hopeless| {
            let why = format!("`--{}`: {}", hopeless.flag, hopeless.why);
            End::new(Outcome::Usage, why, Some(hopeless.help))
        };
        hopeless.map_or(Ok(()), |hopeless| Err(end(hopeless)))
    }

    /// Looks, then submits. None where there is no job to follow; the end is written down then.
    async fn submit(&self, payload: &Payload) -> Option<(JobId, Answer)> {
        match self.look_and_submit(payload).await {
            Ok((id, answer)) => {
                self.desk.submitted(id);
                return Some((id, answer));
            }
            Err(Unsubmitted::Uncertain(doubt)) => {
                let end = self.desk.read(|report| ending::uncertain(&doubt, &report.jobs[0]));
                self.desk.ended(0, end);
            }
            Err(unsubmitted) => {
                self.desk.not_submitted();
                if let Unsubmitted::Rejected(rejection) = &unsubmitted {
                    self.diagnose_rejection(&rejection.answer);
                }
                let end = self.with_inbox(ending::unsubmitted(&unsubmitted));
                self.desk.attempt_failed(&end);
                self.desk.ended(0, end);
            }
        }
        None
    }

    async fn look_and_submit(&self, payload: &Payload) -> Result<(JobId, Answer), Unsubmitted> {
        let told = |fault: &Fault| self.tell_fault(fault);
        let rules = &self.plan.rules;
        let answered = || self.client.has_answered();
        if let Some(path) = &self.plan.look {
            self.desk.begins(0, Phase::Look);
            let looked = look(rules, answered, async || self.client.look(path).await, told).await;
            self.desk.finishes(0, Phase::Look);
            looked?;
            self.desk.note_of(0, |job| job.trouble = None);
        }
        self.mind_maintenance().await?;
        self.bring().await?;
        self.desk.begins(0, Phase::Submit);
        let submitted = submit(rules, answered, async || self.post(payload).await, told).await;
        self.desk.finishes(0, Phase::Submit);
        submitted
    }

    /// Sends the submit once. What it shows is had before its intent stands, and renewed after that is taken back: nothing
    /// else is waited for while a job may come into being.
    async fn post(&self, payload: &Payload) -> Result<Submission, Unsubmitted> {
        let shown = match self.client.prepare().await {
            Ok(_) if Instant::now() >= self.plan.rules.deadline.last_poll() => {
                return Ok(Submission::NotTaken(Fault::Late));
            }
            Ok(shown) => shown,
            Err(unsent) => return Ok(unsent),
        };
        // The window may have come near since, while EPM or the identity service put us off.
        if let Some(refused) = self.guard.get().and_then(|guard| guard.refuses(Instant::now())) {
            return Err(refused);
        }
        self.desk.submitting()?;
        let submission = self.client.submit(payload, &shown).await;
        let is_unauthorized = matches!(submission, Submission::Denied(Refusal::Unauthorized));
        if is_unauthorized || matches!(submission, Submission::NotTaken(_)) {
            self.desk.not_submitted();
        }
        Ok(if is_unauthorized { self.client.renew(&shown).await } else { submission })
    }

    /// Tells a fault before the submit, which is tried again.
    fn tell_fault(&self, fault: &Fault) {
        self.desk.trouble(0, &fault.to_string(), fault.help(), true);
    }

    /// Follows a job from the answer to its submit, which may hold its end already.
    async fn follow_submitted(&self, id: JobId, answer: &Answer) {
        match self.first_state(id, answer) {
            Some(state) if state.is_finished() => self.settle(0, Ending::Finished(state)).await,
            _ => self.follow(0, id, Watch::submitted).await,
        }
    }

    /// The state in the answer to the submit; a submit may be answered without one.
    fn first_state(&self, id: JobId, answer: &Answer) -> Option<State> {
        let state = answer.state_of(id)?;
        self.desk.heard(0, answer, state);
        Some(state)
    }

    /// Follows a job to its end. Of a thousand jobs nearly all do nothing but wait, so what only a few do at a time, polling
    /// and settling, is on the heap for as long as they do it.
    async fn follow(&self, index: usize, id: JobId, watch: fn(Rules, Instant) -> Watch) {
        let ending = self.watch(index, id, watch(self.plan.rules, Instant::now())).await;
        Box::pin(self.settle(index, ending)).await;
    }

    /// Leaves a submitted job to whoever attaches to it; a failure that is told at once is one all the same.
    fn hand_over(&self, id: JobId, answer: &Answer) {
        let state = self.first_state(id, answer).filter(|state| state.is_finished() && *state != State::Succeeded);
        let end = match state {
            Some(state) => self
                .desk
                .read(|report| ending::of(Ending::Finished(state), &report.jobs[0], &self.plan, &Looks::default())),
            None => End::new(Outcome::Submitted, format!("EPM took it as job {id}"), None),
        };
        self.desk.ended(0, end);
    }

    async fn ask_once(&self, id: JobId) {
        self.desk.attached();
        let lane = self.client.lane().await;
        let poll = self.poll(0, id, false, lane).await;
        let end = self.desk.read(|report| ending::of_status(poll.heard, &report.jobs[0]));
        self.desk.ended(0, end);
    }

    /// An end before the submit, with what lies in the inbox all the same.
    fn with_inbox(&self, end: End) -> End {
        match self.desk.left_in_inbox() {
            Some(left) => {
                let end = if self.plan.overwrite { end } else { self.desk.hint_at_taken(end) };
                End { why: format!("{}; {left}", end.why), ..end }
            }
            None => end,
        }
    }

    /// Ends whatever is open: at a signal, or at the deadline.
    fn cut_short(&self, signal: Option<Signal>) {
        self.desk.cut(|report, job| match (report.submitted, job.id) {
            (Submitted::Maybe, _) => ending::unanswered(signal, job),
            (_, id) => {
                let end = match signal {
                    Some(signal) => ending::interrupted(signal, job),
                    None => ending::at_deadline(job, &self.plan),
                };
                if id.is_none() { self.with_inbox(end) } else { end }
            }
        });
        self.hold_owed(None, &ending::stopped(signal));
    }
}

#[cfg(test)]
mod sequences;
