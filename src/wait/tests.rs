use std::cell::RefCell;

use proptest::prelude::*;

use super::*;
use crate::http::fault::Fault as Http;

const RUNNING: Heard = Heard::State(State::InProgress);
const SUCCESS: Heard = Heard::State(State::Succeeded);
const UNKNOWN: Heard = Heard::State(State::Unknown(2_147_483_647));
const DOWN: Heard = Heard::Fault(Hope::Budget);

fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// The defaults of spec §2, without jitter.
fn rules() -> Rules {
    Rules {
        pace: Pace { min: secs(1.0), max: secs(60.0), cost: secs(0.1), jitter: 0.0, expected: None },
        deadline: Deadline::new(Instant::now(), Some(secs(3000.0))),
        outage_budget: secs(600.0),
        unknown_grace: secs(300.0),
        lead: Duration::ZERO,
    }
}

fn with_timeout(seconds: f64) -> Rules {
    Rules { deadline: Deadline::new(Instant::now(), Some(secs(seconds))), ..rules() }
}

fn plain(heard: Heard) -> Poll {
    Poll::new(heard)
}

/// Plays a script, whose last answer repeats, and tells at which seconds EPM was asked.
async fn play(mut watch: Watch, script: &[Poll]) -> (Ending, Vec<f64>) {
    let start = Instant::now();
    let asked = RefCell::new(Vec::new());
    let ending = wait(
        &mut watch,
        async || true,
        async || {
            let mut asked = asked.borrow_mut();
            let poll = script[asked.len().min(script.len() - 1)];
            asked.push((start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0);
            poll
        },
    )
    .await;
    (ending, asked.into_inner())
}

async fn submitted(rules: Rules, script: &[Heard]) -> (Ending, Vec<f64>) {
    let script: Vec<Poll> = script.iter().copied().map(plain).collect();
    play(Watch::submitted(rules, Instant::now()), &script).await
}

async fn attached(rules: Rules, script: &[Heard]) -> (Ending, Vec<f64>) {
    let script: Vec<Poll> = script.iter().copied().map(plain).collect();
    play(Watch::attached(rules, Instant::now()), &script).await
}

#[tokio::test(start_paused = true)]
async fn the_first_poll_comes_after_the_shortest_interval_and_at_once_on_attach() {
    assert_eq!(submitted(rules(), &[SUCCESS]).await, (Ending::Finished(State::Succeeded), vec![1.0]));
    assert_eq!(attached(rules(), &[SUCCESS]).await, (Ending::Finished(State::Succeeded), vec![0.0]));
    let resumed = async |heard| play(Watch::resumed(rules(), Instant::now()), &[plain(heard)]).await;
    assert_eq!(resumed(SUCCESS).await, (Ending::Finished(State::Succeeded), vec![0.0]));
    assert_eq!(resumed(Heard::Refused).await.0, Ending::AccessLost);
    assert_eq!(resumed(Heard::Missing).await.0, Ending::Undetermined);
}

#[tokio::test(start_paused = true)]
async fn intervals_grow_with_the_root_of_the_time_waited_up_to_the_longest() {
    let (_, asked) = submitted(rules(), &[vec![RUNNING; 6], vec![SUCCESS]].concat()).await;
    // From each, 2·√(0.1 · time waited), but at least 1; the timer counts in whole milliseconds, upwards.
    assert_eq!(asked, [1.0, 2.0, 3.0, 4.096, 5.376, 6.843, 8.498]);
    let long = Rules { deadline: Deadline::new(Instant::now(), None), ..rules() };
    let (_, asked) = submitted(long, &[vec![RUNNING; 1500], vec![SUCCESS]].concat()).await;
    let last = asked[asked.len() - 1] - asked[asked.len() - 2];
    assert!((last - 60.0).abs() < 0.002, "{last}");
}

#[tokio::test(start_paused = true)]
async fn every_verdict_ends_the_wait_and_nothing_else_does() {
    for number in [0, 1, 3, 4] {
        let state = State::of(number);
        assert_eq!(submitted(rules(), &[RUNNING, Heard::State(state)]).await.0, Ending::Finished(state));
    }
    let script = [RUNNING, Heard::State(State::CancelPending), UNKNOWN, Heard::Nothing, Heard::LoginPage, DOWN];
    let script = [&script[..], &[Heard::Missing, Heard::State(State::Cancelled)]].concat();
    let (ending, asked) = submitted(rules(), &script).await;
    assert_eq!((ending, asked.len()), (Ending::Finished(State::Cancelled), 8));
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_out_even_beyond_the_longest_interval() {
    let later = Poll { retry_after: Some(secs(90.0)), ..plain(DOWN) };
    let hurry = Poll { retry_after: Some(secs(0.0)), ..plain(RUNNING) };
    let watch = Watch::submitted(rules(), Instant::now());
    let (_, asked) = play(watch, &[later, hurry, plain(SUCCESS)]).await;
    assert_eq!(asked, [1.0, 91.0, 97.034]);
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_stay_away_for_ever_is_cut_to_what_there_is_time_for() {
    let never = Poll { retry_after: Some(Duration::MAX), ..plain(RUNNING) };
    let watch = Watch::submitted(with_timeout(100.0), Instant::now());
    assert_eq!(play(watch, &[never]).await, (Ending::TimedOut, vec![1.0, 95.0]));
}

#[tokio::test(start_paused = true)]
async fn the_last_poll_comes_just_before_the_deadline_and_its_answer_counts() {
    let (ending, asked) = submitted(with_timeout(100.0), &[RUNNING]).await;
    assert_eq!((ending, asked.last().copied()), (Ending::TimedOut, Some(95.0)));
    let script = [vec![RUNNING; asked.len() - 1], vec![SUCCESS]].concat();
    assert_eq!(submitted(with_timeout(100.0), &script).await.0, Ending::Finished(State::Succeeded));
    assert_eq!(submitted(with_timeout(0.5), &[RUNNING]).await, (Ending::TimedOut, vec![0.45]));
}

#[tokio::test(start_paused = true)]
async fn several_jobs_have_a_round_of_polls_before_the_last_one_but_not_before_half_the_time() {
    let slow = Pace { min: secs(60.0), ..rules().pace };
    let led = |lead| Rules { lead: secs(lead), pace: slow, ..with_timeout(100.0) };
    assert_eq!(submitted(led(20.0), &[RUNNING]).await.1, [60.0, 75.0, 95.0]);
    assert_eq!(submitted(led(1e6), &[RUNNING]).await.1, [47.5, 95.0]);
    assert_eq!(submitted(led(0.0), &[RUNNING]).await.1, [60.0, 95.0]);
}

#[tokio::test(start_paused = true)]
async fn a_poll_waits_for_its_turn_and_counts_from_there() {
    let start = Instant::now();
    let mut watch = Watch::attached(Rules { outage_budget: secs(5.0), ..rules() }, start);
    let held = async || {
        tokio::time::sleep(secs(100.0)).await;
        true
    };
    let ending = wait(&mut watch, held, async || plain(DOWN)).await;
    assert_eq!((ending, start.elapsed().as_secs()), (Ending::Unreachable, 205));
}

#[tokio::test(start_paused = true)]
async fn a_poll_whose_turn_never_comes_ends_the_wait() {
    let ending = wait(&mut Watch::submitted(rules(), Instant::now()), async || false, async || plain(SUCCESS)).await;
    assert_eq!(ending, Ending::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_last_poll_without_an_answer_is_repeated_until_the_deadline() {
    let (ending, asked) = submitted(with_timeout(100.0), &[RUNNING, DOWN]).await;
    assert_eq!(ending, Ending::TimedOut);
    assert_eq!(asked[asked.len() - 5..], [95.0, 96.0, 97.0, 98.0, 99.0]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_ends_the_wait_when_its_budget_is_spent_in_one_stretch() {
    let short = Rules { outage_budget: secs(10.0), ..rules() };
    let (ending, asked) = submitted(short, &[RUNNING, DOWN]).await;
    assert_eq!(ending, Ending::ContactLost);
    assert_eq!((asked[1], asked.last().copied()), (2.0, Some(12.0)));
    let (ending, _) = submitted(Rules { outage_budget: Duration::ZERO, ..rules() }, &[DOWN]).await;
    assert_eq!(ending, Ending::ContactLost);
}

#[tokio::test(start_paused = true)]
async fn one_good_answer_gives_the_outage_its_whole_budget_again() {
    let short = Rules { outage_budget: secs(5.0), ..rules() };
    let flapping: Vec<Heard> = (0..200).map(|n| if n % 3 == 0 { RUNNING } else { DOWN }).collect();
    let (ending, _) = submitted(short, &[flapping, vec![SUCCESS]].concat()).await;
    assert_eq!(ending, Ending::ContactLost, "two faults at long intervals are one stretch");
    let patient = Rules { outage_budget: secs(60.0), ..rules() };
    let flapping: Vec<Heard> = (0..100).map(|n| if n % 3 == 0 { RUNNING } else { DOWN }).collect();
    assert_eq!(submitted(patient, &[flapping, vec![SUCCESS]].concat()).await.0, Ending::Finished(State::Succeeded));
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_flapping_ends_in_the_right_verdict() {
    let two_hours = || with_timeout(7200.0);
    let flapping: Vec<Heard> = (0..191).map(|n| if n % 10 == 0 { RUNNING } else { DOWN }).collect();
    for state in [State::Succeeded, State::Failed, State::Cancelled] {
        let (ending, asked) = submitted(two_hours(), &[&flapping[..], &[Heard::State(state)]].concat()).await;
        assert_eq!(ending, Ending::Finished(state));
        assert!(asked.last().is_some_and(|last| *last > 3600.0), "{asked:?}");
    }
    let (ending, _) = submitted(two_hours(), &[&flapping[..], &[DOWN]].concat()).await;
    assert_eq!(ending, Ending::ContactLost, "and an outage is one still");
}

#[tokio::test(start_paused = true)]
async fn what_decides_nothing_is_waited_out_under_its_grace() {
    for heard in [UNKNOWN, Heard::Nothing, Heard::Wordless, Heard::LoginPage, Heard::Missing] {
        let (ending, asked) = submitted(rules(), &[RUNNING, heard]).await;
        assert_eq!((ending, asked.last().copied()), (Ending::Undetermined, Some(302.0)), "{heard:?}");
        let script = [vec![RUNNING], vec![heard; 20], vec![SUCCESS]].concat();
        assert_eq!(submitted(rules(), &script).await.0, Ending::Finished(State::Succeeded), "{heard:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn faults_between_answers_that_decide_nothing_do_not_renew_the_grace() {
    let script: Vec<Heard> = (0..1000).map(|n| if n % 2 == 0 { Heard::Missing } else { DOWN }).collect();
    assert_eq!(submitted(rules(), &script).await.0, Ending::Undetermined);
}

#[tokio::test(start_paused = true)]
async fn a_job_known_by_hearsay_alone_may_be_missing_for_ten_seconds() {
    let (ending, asked) = attached(rules(), &[Heard::Missing]).await;
    assert_eq!((ending, asked.last().copied()), (Ending::NotKnown, Some(10.0)));
    assert_eq!(attached(with_timeout(3.0), &[Heard::Missing]).await.0, Ending::NotKnown);
    assert_eq!(attached(with_timeout(3.0), &[Heard::Missing, DOWN]).await.0, Ending::NotKnown);
    let script = [vec![Heard::Missing; 5], vec![RUNNING], vec![Heard::Missing]].concat();
    assert_eq!(attached(rules(), &script).await.0, Ending::Undetermined);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_epm_has_named_is_known_even_without_a_status() {
    assert_eq!(attached(rules(), &[Heard::Wordless, Heard::Missing]).await.0, Ending::Undetermined);
    let script = [vec![Heard::Nothing; 9], vec![Heard::Missing; 3], vec![RUNNING, SUCCESS]].concat();
    assert_eq!(
        attached(rules(), &script).await.0,
        Ending::Finished(State::Succeeded),
        "ten seconds from the first 404"
    );
}

#[tokio::test(start_paused = true)]
async fn after_the_last_poll_a_server_that_asks_for_more_time_than_is_left_is_not_asked() {
    let busy = Poll { retry_after: Some(secs(60.0)), ..plain(DOWN) };
    let watch = Watch::submitted(with_timeout(100.0), Instant::now());
    let (ending, asked) = play(watch, &[plain(RUNNING), busy]).await;
    assert_eq!((ending, asked.last().copied()), (Ending::TimedOut, Some(95.0)));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_has_answered_is_not_given_up_for_a_name_that_fails_once() {
    let answered = |heard| Poll { answered: true, ..plain(heard) };
    let mut script = vec![answered(DOWN); 60];
    script.extend([answered(Heard::Fault(Hope::Minute)), answered(Heard::Fault(Hope::None)), plain(SUCCESS)]);
    let watch = Watch::attached(rules(), Instant::now());
    assert_eq!(play(watch, &script).await.0, Ending::Finished(State::Succeeded));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_access_denied_before_any_answer_and_access_lost_after_one() {
    assert_eq!(attached(rules(), &[Heard::Refused]).await, (Ending::AccessDenied, vec![0.0]));
    assert_eq!(attached(rules(), &[Heard::LoginPage]).await, (Ending::AccessDenied, vec![0.0]));
    assert_eq!(attached(rules(), &[RUNNING, Heard::Refused]).await.0, Ending::AccessLost);
    assert_eq!(submitted(rules(), &[Heard::Refused]).await.0, Ending::AccessLost);
}

#[tokio::test(start_paused = true)]
async fn what_another_job_has_shown_counts_for_this_one() {
    let met = |heard| [Poll { met: true, ..plain(heard) }];
    let watch = || Watch::attached(rules(), Instant::now());
    assert_eq!(play(watch(), &met(Heard::Refused)).await.0, Ending::AccessLost);
    assert_eq!(play(watch(), &met(Heard::LoginPage)).await.0, Ending::Undetermined);
    assert_eq!(play(watch(), &met(Heard::Fault(Hope::Minute))).await.1.last(), Some(&600.0));
}

#[tokio::test(start_paused = true)]
async fn a_silence_that_others_have_met_counts_from_where_it_began() {
    let began = Instant::now();
    let silent = Poll { met: true, answered: true, silent_since: Some(began), ..plain(DOWN) };
    tokio::time::advance(secs(400.0)).await;
    let (ending, asked) = play(Watch::attached(rules(), Instant::now()), &[silent]).await;
    assert_eq!((ending, asked.last().copied()), (Ending::ContactLost, Some(200.0)), "600 s after it began");
}

#[tokio::test(start_paused = true)]
async fn a_round_that_takes_long_begins_sooner() {
    let slow = Poll { round: secs(30.0), ..plain(RUNNING) };
    let (_, asked) = play(Watch::submitted(with_timeout(100.0), Instant::now()), &[slow]).await;
    assert!(asked.contains(&65.0) && asked.contains(&95.0), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hint_does_not_keep_the_gate_from_seeing_a_service_come_back() {
    let hinted = Rules { pace: Pace { expected: Some(secs(3600.0)), ..rules().pace }, ..rules() };
    let (_, without) = attached(rules(), &[DOWN]).await;
    assert_eq!(attached(hinted, &[DOWN]).await.1, without);
}

#[tokio::test(start_paused = true)]
async fn a_service_never_reached_is_unreachable_and_some_faults_end_sooner() {
    assert_eq!(attached(rules(), &[DOWN]).await.0, Ending::Unreachable);
    let (ending, asked) = attached(rules(), &[Heard::Fault(Hope::Minute)]).await;
    assert_eq!((ending, asked.last().copied()), (Ending::Unreachable, Some(60.0)));
    assert_eq!(attached(rules(), &[Heard::Fault(Hope::None)]).await, (Ending::Unreachable, vec![0.0]));
    let (ending, asked) = submitted(rules(), &[Heard::Fault(Hope::None)]).await;
    assert_eq!((ending, asked.last().copied()), (Ending::ContactLost, Some(601.0)));
    assert_eq!(attached(with_timeout(5.0), &[DOWN]).await.0, Ending::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_repeated_within_the_budget_and_no_sooner_than_asked() {
    let refused = |retry_after| Fault::Unavailable { status: 429, retry_after, said: None };
    let attempt = async |script: Vec<Fault>, rules: Rules| {
        let start = Instant::now();
        let asked = RefCell::new(Vec::new());
        let result = persist(
            &rules,
            || false,
            async || {
                let mut asked = asked.borrow_mut();
                asked.push(start.elapsed().as_secs());
                script.get(asked.len() - 1).cloned().map_or(Ok(()), Err)
            },
            |_| {},
        );
        (result.await.is_ok(), asked.into_inner())
    };
    let down = || refused(None);
    assert_eq!(attempt(vec![down(); 3], rules()).await, (true, vec![0, 1, 2, 3]));
    assert_eq!(attempt(vec![refused(Some(secs(30.0)))], rules()).await, (true, vec![0, 30]));
    assert_eq!(attempt(vec![refused(Some(secs(600.0)))], rules()).await, (true, vec![0, 600]));
    assert_eq!(attempt(vec![refused(Some(secs(601.0)))], rules()).await, (false, vec![0]));
    assert_eq!(attempt(vec![refused(Some(Duration::MAX))], rules()).await, (false, vec![0]));
    let (done, asked) = attempt(vec![down(); 500], rules()).await;
    assert_eq!((done, asked.last().copied()), (false, Some(600)));
    let (done, asked) = attempt(vec![down(); 500], with_timeout(10.0)).await;
    assert_eq!((done, asked.last().copied()), (false, Some(9)));
    let unresolved = || Fault::Http(Http::Unresolved { host: String::new() });
    assert_eq!(attempt(vec![unresolved(); 500], rules()).await.1.last(), Some(&60));
}

/// What a trace of polls must have come to, told from the whole trace at once and not step by step. None: the wait must
/// go on.
fn oracle(rules: &Rules, submitted: bool, start: Instant, trace: &[(Instant, Heard, Duration)]) -> Option<Ending> {
    let (&(now, last, wish), before) = trace.split_last()?;
    let decides = |heard: &Heard| matches!(heard, Heard::State(state) if !matches!(state, State::Unknown(_)));
    let answers = |heard: &Heard| !matches!(heard, Heard::Fault(_));
    let told = |heard: &Heard| matches!(heard, Heard::State(_) | Heard::Wordless);
    let known_before = submitted || before.iter().any(|(_, heard, _)| told(heard));
    let known = known_before || told(&last);
    let met_before = known_before || before.iter().any(|(_, heard, _)| *heard == Heard::Nothing);
    let met = met_before || known || last == Heard::Nothing;
    // The first poll of the stretch that the last one belongs to, which the newest poll of a kind interrupts.
    let since = |interrupts: &dyn Fn(&Heard) -> bool, counts: &dyn Fn(&Heard) -> bool| {
        let from = trace.iter().rposition(|(_, heard, _)| interrupts(heard)).map_or(0, |at| at + 1);
        trace[from..].iter().find(|(_, heard, _)| counts(heard)).map_or(now, |(at, ..)| *at)
    };
    let puzzles = |heard: &Heard| answers(heard) && !decides(heard);
    match last {
        Heard::State(state) if state.is_finished() => return Some(Ending::Finished(state)),
        Heard::Refused => return Some(if met_before { Ending::AccessLost } else { Ending::AccessDenied }),
        Heard::LoginPage if !met_before => return Some(Ending::AccessDenied),
        Heard::Fault(hope) => {
            let budget = match hope {
                Hope::None if !met => Duration::ZERO,
                Hope::Minute if !met => rules.outage_budget.min(secs(60.0)),
                _ => rules.outage_budget,
            };
            if now - since(&answers, &|heard| !answers(heard)) >= budget {
                return Some(if met { Ending::ContactLost } else { Ending::Unreachable });
            }
        }
        Heard::Missing if !known => {
            let missing = |heard: &Heard| *heard == Heard::Missing;
            if now - since(&|heard| answers(heard) && !missing(heard), &missing) >= secs(10.0) {
                return Some(Ending::NotKnown);
            }
        }
        _ if puzzles(&last) && now - since(&decides, &puzzles) >= rules.unknown_grace => {
            return Some(Ending::Undetermined);
        }
        _ => {}
    }
    let left = rules.deadline.end() - now;
    let timeout = rules.deadline.end() - start;
    let is_last = left <= secs(5.0).min(timeout / 10);
    let ends = is_last && (matches!(last, Heard::State(_)) || left <= rules.pace.min.max(wish));
    let newest_answer = trace.iter().rev().map(|(_, heard, _)| *heard).find(answers);
    ends.then_some(match (known, newest_answer) {
        (true, _) => Ending::TimedOut,
        (false, Some(Heard::Missing)) => Ending::NotKnown,
        (false, _) if met => Ending::TimedOut,
        (false, _) => Ending::Unreachable,
    })
}

fn any_heard() -> impl Strategy<Value = Heard> {
    prop_oneof![
        6 => Just(RUNNING),
        1 => (-3_i64..8).prop_map(|number| Heard::State(State::of(number))),
        2 => Just(UNKNOWN),
        2 => Just(Heard::Nothing),
        1 => Just(Heard::Wordless),
        1 => Just(Heard::LoginPage),
        2 => Just(Heard::Missing),
        4 => Just(DOWN),
        1 => Just(Heard::Fault(Hope::Minute)),
        1 => Just(Heard::Fault(Hope::None)),
        1 => Just(Heard::Refused),
    ]
}

proptest! {
    #[test]
    fn the_verdict_of_any_sequence_is_that_of_the_oracle(
        script in prop::collection::vec((any_heard(), prop::option::weighted(0.1, 0_u64..500)), 1..40),
        (timeout, budget, grace) in (1_u64..4000, 0_u64..700, 0_u64..400),
        is_submitted in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let start = Instant::now();
            let rules = Rules {
                deadline: Deadline::new(start, Some(Duration::from_secs(timeout))),
                outage_budget: Duration::from_secs(budget),
                unknown_grace: Duration::from_secs(grace),
                ..rules()
            };
            let mut watch =
                if is_submitted { Watch::submitted(rules, start) } else { Watch::attached(rules, start) };
            let trace = RefCell::new(Vec::new());
            let ending = wait(&mut watch, async || true, async || {
                let mut trace = trace.borrow_mut();
                let (heard, pause) = script[trace.len().min(script.len() - 1)];
                let wish = pause.map(Duration::from_secs);
                trace.push((Instant::now(), heard, wish.unwrap_or_default()));
                Poll { retry_after: wish, ..plain(heard) }
            }).await;
            let trace = trace.into_inner();
            for length in 1..trace.len() {
                let early = oracle(&rules, is_submitted, start, &trace[..length]);
                assert_eq!(early, None, "the wait went on after poll {length} of {trace:?}");
            }
            assert_eq!(Some(ending), oracle(&rules, is_submitted, start, &trace), "{trace:?}");
            assert!(Instant::now() <= rules.deadline.end());
        });
    }
}
