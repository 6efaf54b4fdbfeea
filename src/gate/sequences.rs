//! 100,000 random sequences of answers and faults, from the first look to the verdict, on a clock that is paused; each is
//! held to an oracle that reads the contract (spec §3, §5) off the whole trace, knows nothing of the loops, and sorts raw
//! answers by itself.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use fastrand::Rng;
use reqwest::header::RETRY_AFTER;
use tokio::time::{Instant, sleep};

use crate::epm::error::{Fault, ReadError};
use crate::epm::reply::Reply;
use crate::epm::submission::judge;
use crate::foreign::Mask;
use crate::http::fault::Fault as Http;
use crate::http::verify::Problem;
use crate::pace::{Deadline, Pace};
use crate::report::JobReport;
use crate::submit::{look, submit};
use crate::wait::{Ending, Heard, Poll, Rules, Watch, wait};

use super::conditions::{Conditions, Looks};
use super::polling::heard_of;
use super::{Plan, Task, ending};

const SEQUENCES: u64 = 100_000;

/// Our job.
const OURS: u64 = 7;

/// What comes back over the wire, or does not.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Raw {
    Unresolved,
    BadCertificate,
    NotOpened,
    Lost,
    Late,
    Http { status: u16, body: Body, wish: Option<u32> },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Body {
    Page,
    Login,
    Half,
    Empty,
    /// JSON with these: the job's id (0 for none) and the status (none for none).
    Envelope {
        id: u64,
        status: Option<i64>,
        details: bool,
    },
}

/// Something that was sent, when, when it ended, and with what.
#[derive(Clone, Copy, Debug)]
struct Sent {
    what: What,
    at: Duration,
    ended: Duration,
    raw: Raw,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Look,
    Post,
    Poll,
}

/// What a sequence is played with.
#[derive(Clone, Copy, Debug)]
struct Times {
    timeout: Duration,
    budget: Duration,
    grace: Duration,
}

fn raw(rng: &mut Rng, what: What) -> Raw {
    match rng.u8(0..24) {
        0 => Raw::Unresolved,
        1 if rng.u8(0..4) == 0 => Raw::BadCertificate,
        2 | 3 => Raw::NotOpened,
        4 if what != What::Post || rng.bool() => Raw::Lost,
        5 if what != What::Post || rng.bool() => Raw::Late,
        6..=9 => Raw::Http { status: status(rng), body: body(rng), wish: wish(rng) },
        _ => {
            let done = rng.u8(0..6) == 0;
            let status = Some(if done { rng.i64(-2..6) } else { -1 });
            let body = Body::Envelope { id: OURS, status, details: false };
            Raw::Http { status: 200, body, wish: wish(rng).filter(|_| what == What::Poll) }
        }
    }
}

fn status(rng: &mut Rng) -> u16 {
    let usual = [200, 200, 202, 204, 301, 303, 400, 401, 403, 404, 407, 408, 429, 429, 500, 502, 503, 503];
    rng.choice(usual).unwrap_or(200)
}

fn wish(rng: &mut Rng) -> Option<u32> {
    (rng.u8(0..8) == 0).then(|| rng.u32(0..900))
}

fn body(rng: &mut Rng) -> Body {
    match rng.u8(0..12) {
        0 => Body::Page,
        1 => Body::Login,
        2 => Body::Half,
        3 => Body::Empty,
        _ => Body::Envelope {
            id: *rng.choice(&[0, OURS, OURS, 8]).unwrap_or(&0),
            status: rng.bool().then(|| rng.choice([-1, 0, 1, 2, 3, 4, 5, 2_147_483_647]).unwrap_or(-1)),
            details: rng.bool(),
        },
    }
}

/// The same as the program gets it.
fn reply(raw: Raw) -> Result<Reply, Fault> {
    let host = || "epm.example.com".to_owned();
    match raw {
        Raw::Unresolved => Err(Http::Unresolved { host: host() }.into()),
        Raw::BadCertificate => Err(Http::Certificate { host: host(), problem: Problem::SelfSigned }.into()),
        Raw::NotOpened => Err(Http::NoConnection { host: host(), reason: String::new() }.into()),
        Raw::Lost => Err(Http::Broken { host: host(), reason: String::new() }.into()),
        Raw::Late => Err(Http::Timeout { host: host(), limit: Duration::ZERO }.into()),
        Raw::Http { status, body, wish } => {
            let reply = Reply::of(status, &text(body));
            Ok(match wish {
                Some(wish) => reply.with(RETRY_AFTER, &wish.to_string()),
                None => reply,
            })
        }
    }
}

fn text(body: Body) -> String {
    match body {
        Body::Page => "<html>hello</html>".to_owned(),
        Body::Login => "<html><!--loginForm--></html>".to_owned(),
        Body::Half => "{\"jobId\":7,\"status\":0".to_owned(),
        Body::Empty => "{}".to_owned(),
        Body::Envelope { id, status, details } => {
            let id = (id > 0).then(|| format!("\"jobId\":{id}"));
            let status = status.map(|status| format!("\"status\":\"{status}\""));
            let details = details.then(|| "\"details\":\"EPMFDM-140149\"".to_owned());
            format!("{{{}}}", [id, status, details].into_iter().flatten().collect::<Vec<_>>().join(","))
        }
    }
}

/// Plays a run as [`super::Gate`] does, without sockets: its exit code, and all that was sent.
async fn play(rng: &mut Rng, times: Times) -> (u8, Vec<Sent>) {
    let start = Instant::now();
    let (rules, plan) = plan(start, times);
    let (trace, rng) = (RefCell::new(Vec::new()), RefCell::new(rng));
    let ask = async |what: What| {
        let at = start.elapsed();
        let (raw, takes) = {
            let mut rng = rng.borrow_mut();
            (raw(&mut rng, what), Duration::from_millis(rng.u64(0..3000)))
        };
        let end = rules.deadline.end().saturating_duration_since(Instant::now());
        sleep(if raw == Raw::Late { takes * 10 } else { takes }.min(end)).await;
        trace.borrow_mut().push(Sent { what, at, ended: start.elapsed(), raw });
        reply(raw)
    };
    let answered = || trace.borrow().iter().any(|sent| matches!(sent.raw, Raw::Http { .. }));
    let mask = Mask::default();
    let looked = look(&rules, answered, async || Ok(ask(What::Look).await?.look(&mask)?), |_| {}).await;
    let taken = match looked {
        Ok(()) => submit(&rules, answered, async || Ok(judge(ask(What::Post).await, &mask)), |_| {}).await,
        Err(unsubmitted) => Err(unsubmitted),
    };
    let outcome = match taken {
        Err(unsubmitted) => ending::unsubmitted(&unsubmitted).outcome,
        Ok((id, answer)) => {
            let poll =
                async || match ask(What::Poll).await.map_err(ReadError::from).and_then(|reply| reply.asked(&mask)) {
                    Ok(asked) => {
                        let heard = match asked.answer.state_of(id) {
                            Some(state) => Heard::State(state),
                            None if asked.answer.job_id == Some(id) => Heard::Wordless,
                            None => Heard::Nothing,
                        };
                        Poll { retry_after: asked.retry_after, met: true, answered: true, ..Poll::new(heard) }
                    }
                    Err(error) => {
                        let (heard, retry_after) = heard_of(&error);
                        Poll { retry_after, met: true, answered: true, ..Poll::new(heard) }
                    }
                };
            let ending = match answer.state_of(id) {
                Some(state) if state.is_finished() => Ending::Finished(state),
                _ => wait(&mut Watch::submitted(rules, Instant::now()), async || true, poll).await,
            };
            ending::of(ending, &JobReport::new(Some(id), None), &plan, &Looks::default()).outcome
        }
    };
    (outcome.code(), trace.into_inner())
}

fn plan(start: Instant, times: Times) -> (Rules, Plan) {
    let second = Duration::from_secs(1);
    let rules = Rules {
        pace: Pace { min: second, max: second * 60, cost: second / 10, jitter: Pace::JITTER, expected: None },
        deadline: Deadline::new(start, Some(times.timeout)),
        outage_budget: times.budget,
        unknown_grace: times.grace,
        lead: Duration::ZERO,
    };
    let plan = Plan {
        uploads: Vec::new(),
        overwrite: false,
        task: Task::Attach(Vec::new()),
        refusal: None,
        look: None,
        rules,
        poll_rate: 5.0,
        reasons: crate::diagnose::rules::Rules::built_in(),
        conditions: Conditions::default(),
        retries: super::retry::Retries::default(),
        keeping: None,
        collecting: None,
    };
    (rules, plan)
}

/// How an event is to be taken, by the table of its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sense {
    /// Go on: the look lets us in, the submit was taken.
    On,
    /// The job's number.
    Number(i64),
    /// Wait, at most for the budget; how long EPM wishes.
    Again(Option<u32>),
    /// Wait, at most for the grace.
    Puzzle,
    /// The end, with this code.
    End(u8),
}

#[expect(clippy::match_same_arms, reason = "row by row, as the contract has them")]
fn look_sense(raw: Raw) -> Sense {
    match raw {
        Raw::Http { status: 401, .. } => Sense::End(30),
        Raw::Http { status: 200..300, body: Body::Login, .. } => Sense::End(30),
        Raw::Http { status: 429 | 500.., wish, .. } => Sense::Again(wish),
        Raw::Http { .. } => Sense::On,
        _ => Sense::Again(None),
    }
}

#[expect(clippy::match_same_arms, reason = "row by row, as the contract has them")]
fn post_sense(raw: Raw) -> Sense {
    match raw {
        Raw::Unresolved | Raw::BadCertificate | Raw::NotOpened => Sense::Again(None),
        Raw::Lost | Raw::Late => Sense::End(24),
        // A usable id decides, whatever else the answer says; a finished status beside it is the verdict.
        Raw::Http { body: Body::Envelope { id, status: Some(number @ (0 | 1 | 3 | 4)), .. }, .. } if id > 0 => {
            Sense::Number(number)
        }
        Raw::Http { body: Body::Envelope { id, .. }, .. } if id > 0 => Sense::On,
        Raw::Http { status: 401 | 403 | 407 | 301 | 302 | 307 | 308, .. } => Sense::End(30),
        Raw::Http { status: 429, wish, .. } => Sense::Again(wish),
        Raw::Http { status: 408 | 500.. | 303, .. } => Sense::End(24),
        Raw::Http { status: 400..500, .. } => Sense::End(32),
        Raw::Http { body: Body::Login, .. } => Sense::End(30),
        Raw::Http { body: Body::Envelope { status: Some(1 | 3 | 4), .. }, .. } => Sense::End(32),
        Raw::Http { body: Body::Envelope { status: None, details: true, .. }, .. } => Sense::End(32),
        Raw::Http { .. } => Sense::End(24),
    }
}

#[expect(clippy::match_same_arms, reason = "row by row, as the contract has them")]
fn poll_sense(raw: Raw, ours: u64) -> Sense {
    match raw {
        Raw::Http { status: 408 | 429 | 500.., wish, .. } => Sense::Again(wish),
        Raw::Http { status: 403, wish: Some(wish), .. } => Sense::Again(Some(wish)),
        Raw::Http { status: 401 | 403 | 407 | 300..400, .. } => Sense::End(22),
        Raw::Http { status: 400..500, .. } => Sense::Puzzle,
        Raw::Http { body: Body::Login, .. } => Sense::Puzzle,
        Raw::Http { body: Body::Envelope { id, status: Some(number @ -1..=4), .. }, .. } if id == ours => {
            Sense::Number(number)
        }
        Raw::Http { body: Body::Envelope { .. } | Body::Empty, .. } => Sense::Puzzle,
        _ => Sense::Again(None),
    }
}

/// The exit code that a trace must have come to; none where the run must go on. `next` is what would be sent next.
fn oracle(times: Times, trace: &[Sent]) -> Option<u8> {
    let answered = trace.iter().any(|sent| matches!(sent.raw, Raw::Http { .. }));
    let polled: Vec<_> = trace.iter().copied().filter(|sent| sent.what == What::Poll).collect();
    match trace.last()? {
        Sent { what: What::Look, .. } => before(times, answered, trace, look_sense),
        Sent { what: What::Post, .. } => {
            let posts: Vec<_> = trace.iter().copied().filter(|sent| sent.what == What::Post).collect();
            before(times, answered, &posts, post_sense)
        }
        Sent { what: What::Poll, .. } => {
            let raw = trace.iter().rfind(|sent| sent.what == What::Post)?.raw;
            let Raw::Http { body: Body::Envelope { id, .. }, .. } = raw else { return None };
            waiting(times, &polled, id)
        }
    }
}

/// The last instant at which something is sent whose answer must still come.
fn last(times: Times) -> Duration {
    times.timeout.saturating_sub(Duration::from_secs(5).min(times.timeout / 10))
}

/// Before there is a job: `trace` holds the looks, or the POSTs. `answered`: EPM has answered by now.
fn before(times: Times, answered: bool, trace: &[Sent], sense: fn(Raw) -> Sense) -> Option<u8> {
    let newest = trace.last()?;
    match sense(newest.raw) {
        Sense::On | Sense::Puzzle => None,
        Sense::Number(number) => Some(code_of(number)),
        Sense::End(code) => Some(code),
        Sense::Again(wish) => {
            let began = trace.first()?.at;
            let budget = match newest.raw {
                Raw::Unresolved if !answered => times.budget.min(Duration::from_mins(1)),
                Raw::BadCertificate if !answered => Duration::ZERO,
                _ => times.budget,
            };
            let end = (began + budget).min(last(times));
            let too_long = wish.is_some_and(|wish| newest.ended + Duration::from_secs(wish.into()) > end);
            (newest.ended >= end || too_long).then_some(31)
        }
    }
}

/// Whether the next POST would come too late to be sent, which ends a run without one.
fn is_too_late(times: Times, trace: &[Sent]) -> bool {
    let posts: Vec<&Sent> = trace.iter().filter(|sent| sent.what == What::Post).collect();
    match (trace.last(), posts.first()) {
        (Some(looked), None) => look_sense(looked.raw) == Sense::On && looked.ended >= last(times),
        // It is tried again at the end of the budget, or of what time there is.
        (Some(Sent { what: What::Post, .. }), Some(first)) => first.at + times.budget >= last(times),
        _ => false,
    }
}

fn code_of(number: i64) -> u8 {
    match number {
        0 => 0,
        1 => 10,
        3 => 11,
        _ => 12,
    }
}

/// While a job is waited for that EPM has given us.
fn waiting(times: Times, polls: &[Sent], ours: u64) -> Option<u8> {
    let newest = polls.last()?;
    let senses: Vec<Sense> = polls.iter().map(|sent| poll_sense(sent.raw, ours)).collect();
    // When the stretch of polls of a kind began that the newest one ends.
    let since = |breaks: &dyn Fn(&Sense) -> bool, counts: &dyn Fn(&Sense) -> bool| {
        let from = senses.iter().rposition(breaks).map_or(0, |at| at + 1);
        (from..senses.len()).find(|at| counts(&senses[*at])).map_or(newest.ended, |at| polls[at].at)
    };
    let is_fault = |sense: &Sense| matches!(sense, Sense::Again(_));
    match senses.last()? {
        Sense::End(code) => return Some(*code),
        Sense::Number(number @ (0 | 1 | 3 | 4)) => return Some(code_of(*number)),
        Sense::Again(_) if newest.ended >= since(&|sense| !is_fault(sense), &is_fault) + times.budget => {
            return Some(21);
        }
        Sense::Puzzle => {
            let decides = |sense: &Sense| matches!(sense, Sense::Number(_));
            if newest.ended >= since(&decides, &|sense| *sense == Sense::Puzzle) + times.grace {
                return Some(23);
            }
        }
        _ => {}
    }
    let wish = match senses.last()? {
        Sense::Again(Some(wish)) => Duration::from_secs(u64::from(*wish)),
        _ => Duration::ZERO,
    };
    let told = match newest.raw {
        Raw::Http { status: 200..300, body: Body::Envelope { id, status: Some(_), .. }, .. } => id == ours,
        _ => false,
    };
    // The wish beside an answer counts as well; one beside a page does not.
    let wish = match newest.raw {
        Raw::Http { status: 200..300, body: Body::Envelope { .. } | Body::Empty, wish: Some(beside) } => {
            Duration::from_secs(beside.into())
        }
        _ => wish,
    };
    let again = newest.ended + wish.max(Duration::from_secs(1));
    (newest.at >= last(times) && (told || again >= times.timeout)).then_some(20)
}

/// Plays one sequence: its exit code, or what is wrong with it.
fn holds(seed: u64) -> Result<u8, String> {
    let mut rng = Rng::with_seed(seed);
    let seconds = |rng: &mut Rng, most| Duration::from_secs(rng.u64(1..most));
    let times =
        Times { timeout: seconds(&mut rng, 4000), budget: seconds(&mut rng, 700), grace: seconds(&mut rng, 400) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let (code, trace) = runtime.map_err(|error| error.to_string())?.block_on(play(&mut rng, times));
    let told = |what: String| Err(format!("seed {seed}: {what}\n{times:?}\n{trace:?}"));
    let expected = oracle(times, &trace);
    if expected != Some(code) && !(code == 31 && expected.is_none() && is_too_late(times, &trace)) {
        return told(format!("it ended with {code}, and the oracle says {expected:?}"));
    }
    for length in (1..trace.len()).rev().take(20) {
        if let Some(early) = oracle(times, &trace[..length]) {
            return told(format!("it went on after {length}, and the oracle says {early}"));
        }
    }
    let posts: Vec<_> = trace.iter().filter(|sent| sent.what == What::Post).collect();
    let acted = posts.iter().filter(|sent| !matches!(post_sense(sent.raw), Sense::Again(_))).count();
    if acted > 1 || posts.iter().any(|post| post.at >= last(times)) {
        return told(format!("{acted} submits could have acted, or one was sent too late"));
    }
    let ended = trace.last().map(|sent| sent.ended).unwrap_or_default();
    if ended > times.timeout {
        return told("it ended after its deadline".to_owned());
    }
    Ok(code)
}

/// Seeds that have found something, played before all others.
const FOUND: [u64; 0] = [];

/// Plays these, and collects how they end.
fn all_hold(seeds: impl Iterator<Item = u64>) -> Result<BTreeSet<u8>, String> {
    seeds.map(holds).collect()
}

#[test]
fn a_hundred_thousand_sequences_end_as_the_oracle_says() {
    let first = fastrand::u64(..);
    let some = |numbers: Range<u64>| all_hold(numbers.map(|number| first.wrapping_add(number)));
    let played = std::thread::scope(|scope| {
        let other = scope.spawn(|| some(0..SEQUENCES / 2));
        let ours = all_hold(FOUND.into_iter()).and(some(SEQUENCES / 2..SEQUENCES));
        Ok::<_, String>((ours?, other.join().expect("no sequence panics")?))
    });
    let (ours, others) = played.unwrap_or_else(|wrong| panic!("{wrong}"));
    let ends: Vec<u8> = ours.union(&others).copied().collect();
    assert_eq!(ends, [0, 10, 11, 12, 20, 21, 22, 23, 24, 30, 31, 32], "every end is reached");
}
