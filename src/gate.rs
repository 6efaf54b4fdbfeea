//! The story of a run: look, submit or attach, wait, read the log, and end; whatever happens, with an end that says why.

pub mod desk;
mod ending;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout_at};

use crate::collect;
use crate::epm::Client;
use crate::epm::error::{Fault, ReadError, Refusal};
use crate::epm::submission::Submission;
use crate::foreign::quote;
use crate::job::{Answer, JobId, State};
use crate::outcome::{Outcome, Signal};
use crate::pace::Turnstile;
use crate::payload::{self, Payload};
use crate::report::{End, Submitted};
use crate::signals::Signals;
use crate::wait::{Ending, Heard, Poll, Rules, Watch, persist, wait};

use desk::Desk;

/// Where the payload comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// It is at hand, and checked.
    Ready(Payload),
    /// It is to be read from stdin, which may stay open for longer than there is time.
    Stdin,
}

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

/// What a success must have besides its status. What cannot be read counts as not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions {
    /// No warning in the texts.
    pub fail_on_warning: bool,
    /// The name of an output file.
    pub require_output: bool,
    /// The shortest time in which the job can have done its work.
    pub min_duration: Option<Duration>,
}

/// Everything a run goes by.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to do.
    pub task: Task,
    /// The path of the look before a submit; none for no look.
    pub look: Option<String>,
    /// The rules of waiting.
    pub rules: Rules,
    /// Polls per second, over all jobs.
    pub poll_rate: f64,
    /// What a success must have.
    pub conditions: Conditions,
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

/// How long reading the log may take: an excerpt is not worth more.
const EXCERPT_LIMIT: Duration = Duration::from_mins(1);

const HEARTBEAT: Duration = Duration::from_mins(1);

/// One run.
pub struct Gate {
    client: Client,
    plan: Plan,
    desk: Rc<Desk>,
    turnstile: RefCell<Turnstile>,
}

impl Gate {
    /// A run that has not begun.
    pub fn new(client: Client, plan: Plan, desk: Rc<Desk>) -> Self {
        let turnstile = RefCell::new(Turnstile::new(plan.poll_rate));
        Self { client, plan, desk, turnstile }
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

    async fn story(&self) {
        match &self.plan.task {
            Task::Run(source) => {
                if let Some((id, answer)) = self.submit(source).await {
                    self.follow_submitted(id, &answer).await;
                }
            }
            Task::Submit(source) => {
                if let Some((id, answer)) = self.submit(source).await {
                    self.hand_over(id, &answer);
                }
            }
            Task::Attach(ids) => {
                self.desk.attached();
                join_all(ids.iter().enumerate().map(|(index, id)| self.follow(index, *id, Watch::attached))).await;
            }
            Task::Status(id) => self.ask_once(*id).await,
        }
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

    /// Looks, then submits. None where there is no job to follow; the end is written down then.
    async fn submit(&self, source: &Source) -> Option<(JobId, Answer)> {
        let payload = match read_payload(source, self.plan.rules.deadline.last_poll()).await {
            Ok(payload) => payload,
            Err(end) => {
                self.desk.ended(0, end);
                return None;
            }
        };
        self.desk.intends(&payload);
        if let Some(path) = &self.plan.look
            && self.look(path).await.is_break()
        {
            return None;
        }
        let told = |fault: &Fault| self.desk.trouble(0, &fault.to_string(), fault.help(), true);
        let tried = Instant::now();
        let sent = persist(
            &self.plan.rules,
            self.client.has_met(),
            async || {
                // What is sent now could be answered after the end, and then a job would run that nobody knows.
                if Instant::now() >= self.plan.rules.deadline.last_poll() {
                    return Ok(Submission::NotTaken(Fault::Late));
                }
                self.desk.submitting();
                match self.client.submit(&payload).await {
                    Submission::NotTaken(fault) => {
                        self.desk.not_submitted();
                        Err(fault)
                    }
                    other => Ok(other),
                }
            },
            told,
        );
        let end = match sent.await {
            Ok(Submission::Taken(id, answer)) => {
                self.desk.submitted(id);
                return Some((id, answer));
            }
            Ok(Submission::Uncertain(doubt)) => self.desk.read(|report| ending::uncertain(&doubt, &report.jobs[0])),
            Ok(Submission::Denied(refusal)) => self.unsent(ending::denied(&refusal.into())),
            Ok(Submission::Rejected(rejection)) => self.unsent(ending::rejected(&rejection)),
            Ok(Submission::NotTaken(fault)) | Err(fault) => self.unsent(ending::unreachable(&fault, tried.elapsed())),
        };
        self.desk.ended(0, end);
        None
    }

    /// An end without a job.
    fn unsent(&self, end: End) -> End {
        self.desk.not_submitted();
        end
    }

    async fn look(&self, path: &str) -> ControlFlow<()> {
        let told = |fault: &Fault| self.desk.trouble(0, &fault.to_string(), fault.help(), true);
        let attempt = async || match self.client.look(path).await {
            Err(ReadError::Fault(fault)) => Err(fault),
            other => Ok(other),
        };
        let tried = Instant::now();
        match persist(&self.plan.rules, false, attempt, told).await {
            Ok(Ok(())) => {
                self.desk.note(|report| report.jobs[0].trouble = None);
                return ControlFlow::Continue(());
            }
            Ok(Err(error)) => self.desk.ended(0, ending::denied(&error)),
            Err(fault) => self.desk.ended(0, ending::unreachable(&fault, tried.elapsed())),
        }
        ControlFlow::Break(())
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

    async fn follow(&self, index: usize, id: JobId, watch: fn(Rules, Instant) -> Watch) {
        let mut watch = watch(self.plan.rules, Instant::now());
        let ending = wait(&mut watch, async || self.turn().await, async || self.poll(index, id).await).await;
        self.settle(index, ending).await;
    }

    /// Leaves a submitted job to whoever attaches to it; a failure that is told at once is one all the same.
    fn hand_over(&self, id: JobId, answer: &Answer) {
        let state = self.first_state(id, answer).filter(|state| state.is_finished() && *state != State::Succeeded);
        let end = match state {
            Some(state) => self.desk.read(|report| ending::of(Ending::Finished(state), &report.jobs[0], &self.plan)),
            None => End::new(Outcome::Submitted, format!("EPM took it as job {id}"), None),
        };
        self.desk.ended(0, end);
    }

    async fn ask_once(&self, id: JobId) {
        self.desk.attached();
        let poll = self.poll(0, id).await;
        let end = self.desk.read(|report| ending::of_status(poll.heard, &report.jobs[0]));
        self.desk.ended(0, end);
    }

    /// Waits for the turn of a poll. False where it comes only after the deadline.
    async fn turn(&self) -> bool {
        let turn = self.turnstile.borrow_mut().turn(Instant::now());
        let end = self.plan.rules.deadline.end();
        sleep_until(turn.min(end)).await;
        turn < end
    }

    /// Asks about a job.
    async fn poll(&self, index: usize, id: JobId) -> Poll {
        let asked = self.client.ask(id).await;
        self.desk.polled(index);
        match asked {
            Ok(asked) => {
                let heard = self.hear(index, id, &asked.answer).map_or(Heard::Nothing, Heard::State);
                Poll { heard, retry_after: asked.retry_after, met: true }
            }
            Err(error) => {
                let again = !matches!(error, ReadError::Refused(_));
                self.desk.trouble(index, &error.to_string(), error.help(), again);
                heard_of(&error, self.client.has_met())
            }
        }
    }

    /// Takes an answer in. None where it does not tell our job's state.
    fn hear(&self, index: usize, id: JobId, answer: &Answer) -> Option<State> {
        let state = answer.state_of(id);
        match state {
            Some(state) => self.desk.heard(index, answer, state),
            None => self.desk.trouble(index, &ending::puzzle(id, answer), ending::PUZZLE_HELP, true),
        }
        state
    }

    /// Writes the end of a wait down, then reads the log of a job that did not pass: nothing that happens there changes
    /// the end.
    async fn settle(&self, index: usize, ending: Ending) {
        let end = self.desk.read(|report| ending::of(ending, &report.jobs[index], &self.plan));
        let outcome = end.outcome;
        self.desk.ended(index, end);
        let wants_log = outcome.is_verdict() && (!outcome.is_pass() || outcome == Outcome::Warned);
        let name = self.desk.read(|report| report.jobs[index].facts.log_file_name.clone());
        let Some(name) = name.filter(|_| wants_log) else { return };
        let until = self.plan.rules.deadline.end().min(Instant::now() + EXCERPT_LIMIT);
        match collect::log_excerpt(&self.client, &name, &self.plan.rules, until).await {
            Ok(excerpt) => self.desk.excerpt(index, excerpt),
            Err(why) => self.desk.tell_once(ending::no_log(&name, &why)),
        }
    }

    /// Ends whatever is open: at a signal, or at the deadline.
    fn cut_short(&self, signal: Option<Signal>) {
        self.desk.cut(|report, job| match (report.submitted, job.id) {
            (Submitted::Maybe, _) => ending::unanswered(signal, job),
            _ => match signal {
                Some(signal) => ending::interrupted(signal, job),
                None => ending::at_deadline(job, &self.plan),
            },
        });
    }
}

/// The payload, read from stdin where it is there; a stdin that nobody closes is given up at `until`.
///
/// # Errors
///
/// The end of a run whose payload is none.
pub async fn read_payload(source: &Source, until: Instant) -> Result<Payload, End> {
    let usage = |why: String, help: String| End { outcome: Outcome::Usage, why, help: Some(help) };
    if let Source::Ready(payload) = source {
        return Ok(payload.clone());
    }
    let mut bytes = Vec::new();
    let mut stdin = tokio::io::stdin().take(payload::LARGEST + 1);
    match timeout_at(until, stdin.read_to_end(&mut bytes)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            let why = format!("`--payload -`: stdin cannot be read: {}", quote(&error.to_string()));
            return Err(usage(why, "pipe the payload in".to_owned()));
        }
        Err(_) => {
            let why = "`--payload -`: stdin was not closed before the deadline, and nothing was sent".to_owned();
            return Err(End::new(Outcome::Unreachable, why, Some("close stdin, or name a file")));
        }
    }
    Payload::of_bytes(&bytes).map_err(|error| usage(format!("`--payload -`: {error}"), error.help()))
}

/// What a read that failed means for the wait.
fn heard_of(error: &ReadError, met: bool) -> Poll {
    let heard = match error {
        ReadError::Fault(fault) => Heard::Fault(fault.hope()),
        ReadError::Refused(Refusal::LoginPage) => Heard::LoginPage,
        ReadError::Refused(_) => Heard::Refused,
        ReadError::Missing { .. } => Heard::Missing,
    };
    let retry_after = match error {
        ReadError::Fault(fault) => fault.retry_after(),
        _ => None,
    };
    Poll { heard, retry_after, met }
}
