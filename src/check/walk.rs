//! The steps of a check, one after the other; each goes on where it can still say something.

use std::cell::{Cell, RefCell};
use std::future::ready;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::time::Instant;
use url::Url;

use crate::epm::error::ReadError;
use crate::epm::reply::Reply;
use crate::epm::survey::shape;
use crate::epm::url::EpmUrl;
use crate::epm::{Client, Limits};
use crate::foreign::{Mask, quote};
use crate::gate::desk::Desk;
use crate::gate::{client, land};
use crate::http;
use crate::outcome::Outcome;
use crate::report::steps::{Name, State, Step};
use crate::report::{End, Report};
use crate::signals::Signals;

use super::Check;
use super::finding::Finding;
use super::judge::{self, Sent};
use super::reach::{self, Hop};

/// The most that opening a connection may take; the gate's own requests have as much.
const CONNECT: Duration = Duration::from_secs(10);

/// Why a step is passed over that asks EPM.
const NOT_IN: &str = "EPM has not let us in";

/// A check on its way.
pub(super) struct Walk {
    url: EpmUrl,
    given: String,
    client: Client,
    /// How the credentials are called.
    way: String,
    /// Where they are exchanged, where they are.
    exchanges: Option<Url>,
    /// Whether the identity service compares its clock with ours.
    asserts: bool,
    /// Whether the look was answered in the shape of Data Integration.
    has_shape: Cell<bool>,
    /// Whether there is something to show.
    has_obtained: Cell<bool>,
    /// Which proxy leads where, in a sentence.
    ways: String,
    /// Where the first connection goes.
    hop: Hop,
    limits: Limits,
    look: Option<String>,
    timeout: Option<Duration>,
    desk: Rc<Desk>,
    /// The end at the first step that failed.
    failed: RefCell<Option<End>>,
    late: Cell<bool>,
}

/// What EPM answered, and how long that took.
struct Answered {
    reply: Result<Reply, ReadError>,
    took: Duration,
}

impl Walk {
    /// Everything that the steps of a check share.
    pub(super) fn of(check: Check, desk: &Rc<Desk>) -> Result<Self, http::Error> {
        let proxies = check.network.proxies.clone();
        let identity = check.credentials.token_url().cloned();
        let (way, asserts) = (check.credentials.way(), check.credentials.are_of_a_moment());
        let client = client(desk, check.url.clone(), check.credentials, &check.network, check.limits, check.record)?;
        Ok(Self {
            ways: reach::ways(&proxies, &check.variables, &check.url.below("/"), identity.as_ref()),
            hop: Hop::towards(&proxies, &check.url.below("/")),
            url: check.url,
            given: check.given,
            client,
            way,
            exchanges: identity,
            asserts,
            has_shape: Cell::default(),
            has_obtained: Cell::default(),
            limits: check.limits,
            look: check.look,
            timeout: check.timeout,
            desk: Rc::clone(desk),
            failed: RefCell::default(),
            late: Cell::default(),
        })
    }

    /// Takes every step.
    pub(super) async fn story(&self) {
        self.step(Name::Url, ready(reach::url(&self.url, &self.given))).await;
        self.step(Name::Proxy, ready(Finding::ok(self.ways.clone()))).await;
        let greeting = self.reach().await;
        let is_in = self.enter(greeting.is_some()).await;
        let answered = self.ask(is_in).await;
        self.step(Name::Maintenance, self.maintenance(is_in)).await;
        let clock = greeting.map(|(date, sent)| judge::clock(date, sent, self.asserts && !self.has_obtained.get()));
        self.step(Name::Clock, ready(clock.unwrap_or_else(|| Finding::skipped("nobody has told the time")))).await;
        self.tell_what_is_open(answered).await;
    }

    /// The way to EPM. What its clock says, where somebody answers, and when it was asked.
    async fn reach(&self) -> Option<(Option<SystemTime>, Sent)> {
        let limit = CONNECT.min(self.limits.request);
        let mut addresses = Vec::new();
        let resolving = async {
            let until = self.limits.deadline.min(Instant::now() + limit);
            reach::resolve(&self.hop, until, limit).await.map_or_else(
                |failed| failed,
                |found| {
                    let told = reach::resolved(&self.hop, &found);
                    addresses = found;
                    told
                },
            )
        };
        if !self.step(Name::Dns, resolving).await {
            return self.pass(&[Name::Tcp, Name::Tls], "there is no address to connect to").await;
        }
        let connecting =
            async { reach::connect(&self.hop, &addresses, self.limits.deadline.min(Instant::now() + limit)).await };
        if !self.step(Name::Tcp, connecting).await {
            return self.pass(&[Name::Tls], "there is no connection").await;
        }
        let mut greeting = None;
        let greet = async {
            let begun = SystemTime::now();
            match self.client.greet(self.look.as_deref().unwrap_or("/aif/rest/")).await {
                Ok(reply) => {
                    greeting = Some((reply.date(), Sent { begun, ended: SystemTime::now() }));
                    judge::tls(&reply, self.url.is_plain(), Timestamp::now())
                }
                Err(error) => Finding::of(&error),
            }
        };
        self.step(Name::Tls, greet).await;
        greeting
    }

    /// Whether we are let in. With nobody there to ask, an exchange still tells something.
    async fn enter(&self, is_reached: bool) -> bool {
        let entering = async {
            if let Err(error) = self.client.obtain().await {
                return Finding::of(&error).about(&self.way);
            }
            self.has_obtained.set(true);
            match (is_reached, &self.look, &self.exchanges) {
                (true, Some(path), _) => {
                    let looked = self.client.look_closely(path).await;
                    self.has_shape.set(looked.as_ref().is_ok_and(Reply::is_of_data_integration));
                    judge::look(&looked, path, &self.mask()).about(&self.way)
                }
                (true, None, _) => Finding::ok("not looked at, since `--look` is `off`".to_owned()).about(&self.way),
                (false, _, Some(identity)) => {
                    let host = quote(&http::url::host(identity));
                    let what = format!("the identity service {host} gave out a token; EPM could not be asked");
                    Finding::skipped(&what).about(&self.way)
                }
                (false, _, None) => Finding::skipped("EPM could not be asked").about(&self.way),
            }
        };
        self.step(Name::Credentials, entering).await && is_reached
    }

    /// Whether we may ask about jobs: about one that cannot exist, and for all.
    async fn ask(&self, is_in: bool) -> Option<(Answered, Answered)> {
        if !is_in {
            return self.pass(&[Name::Role], NOT_IN).await;
        }
        let mut answered = None;
        let asking = async {
            let no_job = timed(self.client.ask_about_no_job()).await;
            let jobs = timed(self.client.ask_for_jobs()).await;
            let finding = judge::role(&no_job.reply, &jobs.reply, self.has_shape.get(), &self.mask());
            answered = Some((no_job, jobs));
            finding
        };
        self.step(Name::Role, asking).await;
        answered
    }

    async fn maintenance(&self, is_in: bool) -> Finding {
        if !is_in {
            return Finding::skipped(NOT_IN);
        }
        judge::maintenance(&self.client.service().await, self.timeout)
    }

    /// What EPM answers where Oracle's pages leave open what it would (epm-api.md §12). None of it is a failure.
    async fn tell_what_is_open(&self, answered: Option<(Answered, Answered)>) {
        let Some((no_job, jobs)) = answered else {
            self.pass::<()>(&[Name::NoJob, Name::JobList, Name::Versions], NOT_IN).await;
            return;
        };
        let mask = self.mask();
        self.note(Name::NoJob, no_job.took, judge::open(&no_job.reply, |reply| shape::of_no_job(reply, &mask)));
        self.note(Name::JobList, jobs.took, judge::open(&jobs.reply, |reply| shape::of_jobs(reply, &mask)));
        let versions =
            async { judge::open(&self.client.ask_for_versions().await, |reply| shape::of_versions(reply, &mask)) };
        self.step(Name::Versions, versions).await;
    }

    fn mask(&self) -> Mask {
        self.client.mask()
    }

    /// Takes a step, unless it is too late for it. Whether it went well.
    async fn step(&self, name: Name, work: impl Future<Output = Finding>) -> bool {
        let began = Instant::now();
        if began >= self.limits.deadline {
            self.late.set(true);
            return self.note(name, Duration::ZERO, Finding::skipped("the deadline came before"));
        }
        let finding = work.await;
        self.note(name, began.elapsed(), finding)
    }

    /// Passes steps over that can say nothing.
    async fn pass<T>(&self, names: &[Name], why: &str) -> Option<T> {
        for name in names {
            self.step(*name, ready(Finding::skipped(why))).await;
        }
        None
    }

    /// Takes down how a step went, and tells it. Whether it went well.
    fn note(&self, name: Name, took: Duration, finding: Finding) -> bool {
        let Finding { state, what, remedy, outcome } = finding;
        if let Some(outcome) = outcome {
            let end = || End::new(outcome, format!("{}: {what}", name.word()), remedy.as_deref());
            self.failed.borrow_mut().get_or_insert_with(end);
        }
        self.desk.stepped(Step { name, state, took, what, remedy });
        matches!(state, State::Ok | State::Warning)
    }

    /// Takes down that the deadline has come.
    pub(super) fn cut_short(&self) {
        self.late.set(true);
    }

    /// The end: the first step that failed says it.
    pub(super) fn end(&self) -> End {
        if let Some(end) = self.failed.borrow().clone() {
            return end;
        }
        if self.late.get() {
            let why = "the deadline came before every step was taken".to_owned();
            return End::new(Outcome::Unreachable, why, Some("try again with a longer `--timeout`"));
        }
        let warned = self.named(State::Warning);
        let skipped = self.named(State::Skipped);
        let skipped = if skipped.is_empty() { String::new() } else { format!("; skipped: {}", skipped.join(", ")) };
        if warned.is_empty() {
            let why = format!("no step failed{skipped}");
            return End::new(Outcome::Succeeded, why, Some("nothing: a run may begin"));
        }
        let why = format!("no step failed, with a warning at: {}{skipped}", warned.join(", "));
        End::new(Outcome::Warned, why, Some("read the warnings above: each says what would mend it"))
    }

    fn named(&self, state: State) -> Vec<&'static str> {
        let steps = |report: &Report| {
            report.steps.iter().filter(|step| step.state == state).map(|step| step.name.word()).collect()
        };
        self.desk.read(steps)
    }

    /// Waits for a token that is in flight: it would be lost, and with it the way in. A later signal ends that too.
    pub(super) async fn land(&self, signals: &mut Signals) {
        land(&self.desk, self.client.is_exchanging(), self.client.settle(), signals).await;
    }
}

async fn timed(asking: impl Future<Output = Result<Reply, ReadError>>) -> Answered {
    let began = Instant::now();
    let reply = asking.await;
    Answered { reply, took: began.elapsed() }
}
