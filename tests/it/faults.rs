//! The fault matrix: every fault point, at every place where it can strike, and what the gate makes of it. The table in
//! docs/reliability.md is made from these runs.

mod deadline;
mod document;
mod front;
mod place;
mod table;

use std::sync::Mutex;

use crate::harness::Ran;
use crate::outputs::NAMES;

use front::Door;
use place::{Place, Played};
use table::{Cell, PASSED, Posts, Row, TABLE};

/// How many cells play at the same time: most of them wait most of the time.
const AT_ONCE: usize = 12;

#[test]
fn every_fault_ends_at_every_place_as_the_contract_says() {
    let played = play_all(&TABLE, &[]);
    document::compare(&TABLE, &played);
}

#[test]
fn a_submit_that_was_never_sent_is_sent_once_the_way_is_open() {
    for door in [Door::Refuses, Door::NeverOpens] {
        let played = place::play_until_a_submit_gets_through(door);
        check(&format!("{door:?}"), PASSED.as_ref().expect("a cell"), &played);
    }
}

/// Plays every cell, and fails where one is not as it stands in the table.
fn play_all<const PLACES: usize>(rows: &[Row<PLACES>], budgets: &[&'static str]) -> Vec<[Option<Played>; PLACES]> {
    let cells = Mutex::new(rows.iter().flat_map(|row| (0..PLACES).map(move |index| (row, index))));
    let (played, wrong) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let next = || cells.lock().expect("nothing panics with the lock").next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((row, index)) = next() {
                    let place = Place::ALL[index];
                    match std::panic::catch_unwind(|| play(row, place, budgets)) {
                        Ok(cell) => played.lock().expect("nothing panics with the lock").push((row.name, index, cell)),
                        Err(_) => wrong.lock().expect("nothing panics with the lock").push((row.name, place)),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("nothing panics with the lock");
    assert!(wrong.is_empty(), "what is wrong with these stands above: {wrong:?}");
    in_order(rows, played.into_inner().expect("nothing panics with the lock"))
}

type Cells = Vec<(&'static str, usize, Option<Played>)>;

fn in_order<const PLACES: usize>(rows: &[Row<PLACES>], mut played: Cells) -> Vec<[Option<Played>; PLACES]> {
    let mut take = |name, index| {
        let at = played.iter().position(|cell| (cell.0, cell.1) == (name, index)).expect("every cell was played");
        played.swap_remove(at).2
    };
    rows.iter().map(|row| std::array::from_fn(|index| take(row.name, index))).collect()
}

fn play<const PLACES: usize>(row: &Row<PLACES>, place: Place, budgets: &[&'static str]) -> Option<Played> {
    let cell = row.cells[place as usize].as_ref()?;
    let played = place::play(&row.strike, place, cell.taken > 0, budgets);
    check(&format!("{} at {place:?}", row.name), cell, &played);
    Some(played)
}

fn check(what: &str, cell: &Cell, played: &Played) {
    let ran = &played.ran;
    assert_eq!(ran.end(), (cell.code, cell.outcome), "{what}: {ran:?}");
    assert_eq!(played.taken, cell.taken, "{what}: POSTs taken: {ran:?}");
    match cell.posts {
        Posts::Just(posts) => assert_eq!(played.posts, posts, "{what}: POSTs: {ran:?}"),
        Posts::Some => assert!(played.posts > 0, "{what}: POSTs: {ran:?}"),
    }
    assert_eq!((ran.output("submitted"), ran.output("jobId")), (cell.submitted, cell.job_id), "{what}: {ran:?}");
    if let Some(read) = cell.log {
        assert_eq!(played.has_log(), read, "{what}: the log: {ran:?}");
        assert_eq!(ran.stderr.contains("could not be read"), !read, "{what}: the log: {ran:?}");
    }
    is_complete(what, ran);
}

/// Every output and the summary stand, whatever happened, and it says how to attach wherever a job may be running.
fn is_complete(what: &str, ran: &Ran) {
    let mut names = NAMES;
    names.sort_unstable();
    assert_eq!(ran.files.keys().collect::<Vec<_>>(), names.iter().collect::<Vec<_>>(), "{what}: {ran:?}");
    assert!(ran.summary.contains("**What to do next:**"), "{what}: {}", ran.summary);
    let attach = ran.stderr.lines().any(|line| line.starts_with("hint: ") && line.contains("epm-gate attach "));
    let may_run = (20..32).contains(&ran.code) && (ran.code < 30 || !ran.output("jobId").is_empty());
    assert_eq!(attach, may_run, "{what}: {ran:?}");
}
