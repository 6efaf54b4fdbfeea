//! A ledger: whatever is one comes back as it was from its own text, and says of a submit what its JSON says.

use epm_gate::job::{Facts, JobId};
use epm_gate::ledger::book::{Book, Found, Hint, Key, Recorded, Work};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

pub(super) fn holds(bytes: &[u8]) {
    let Ok(book) = Book::parse(bytes) else { return };
    comes_back(&book);
    let (read, written) = (json(bytes), json(book.text().as_bytes()));
    assert_eq!(leaves(&read), leaves(&written), "something of it is lost");
    for entry in written["entries"].as_array().expect("it has entries") {
        if let Some(key) = key(entry) {
            is_found(&book, &key, &entry["state"]);
            goes_on(&book, &key);
        }
    }
    goes_on(&book, &Key { run: "none".to_owned(), payload: "of".to_owned(), place: "these".to_owned() });
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("a ledger is JSON")
}

fn comes_back(book: &Book) {
    assert_eq!(Book::parse(book.text().as_bytes()).as_ref(), Ok(book));
}

/// How many values stand in it, absent ones left out.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Array(values) => values.iter().map(leaves).sum(),
        Value::Object(keys) => keys.values().map(leaves).sum(),
        _ => 1,
    }
}

fn key(entry: &Value) -> Option<Key> {
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    Some(Key { run: text("run")?, payload: text("payload")?, place: text("host")? })
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).expect("a moment")
}

fn word(found: &Found) -> &'static str {
    match found {
        Found::Nothing => "nothing",
        Found::Open { .. } => "open",
        Found::Running { .. } => "running",
        Found::Passed { .. } => "passed",
        Found::Stale { .. } => "stale",
    }
}

/// A pass is found only where status 0 was heard.
fn is_found(book: &Book, key: &Key, state: &Value) {
    let end = &state["end"];
    let now = if end.is_null() { Timestamp::UNIX_EPOCH } else { moment(&end["at"]) };
    let found = book.found(key, false, now);
    let word = word(&found);
    let expected = match (state["is"].as_str(), end["status"].as_i64()) {
        (Some("intended"), _) => "open",
        (Some("submitted"), _) => "running",
        (Some("ended"), Some(0)) => "passed",
        (Some("ended" | "refused"), _) => "nothing",
        _ => panic!("no such state: {state}"),
    };
    assert_eq!(word, expected);
    if let Found::Passed { id, .. } | Found::Running { id, .. } = found {
        assert_eq!(state["jobId"].as_u64(), Some(id.number()));
    }
    for off in [SignedDuration::from_hours(13), SignedDuration::from_hours(-13)] {
        let late = now.checked_add(off).map(|late| book.found(key, true, late));
        assert!(!matches!(late, Ok(Found::Passed { .. })), "a key that never changes would be green for ever");
    }
}

/// The story of one more submit, whatever was written down before.
fn goes_on(book: &Book, key: &Key) {
    let now = Timestamp::constant(1_800_000_000, 0);
    let id = JobId::new(2100).expect("it is not 0");
    let mut next = book.clone();
    let mut step = |change: &dyn Fn(&mut Book)| {
        change(&mut next);
        comes_back(&next);
        next.found(key, false, now)
    };
    let work = Work { job_type: "INTEGRATION".to_owned(), ..Work::default() };
    assert_eq!(step(&|book| book.intend(key, &work, now)), Found::Open { at: Some(now) });
    // Nothing came of it: what stood there before stands there again.
    assert_eq!(word(&step(&|book| book.refuse(key, now))), word(&book.found(key, false, now)));
    assert_eq!(step(&|book| book.intend(key, &work, now)), Found::Open { at: Some(now) });
    adopted(book.clone(), key, id, now);
    assert_eq!(step(&|book| book.submitted(key, &work, id, now)), Found::Running { id, at: now });
    let end = |status| Recorded { at: now, status, seconds: 1, facts: Facts::default() };
    assert_eq!(step(&|book| book.ended(&key.place, id, &end(1))), Found::Nothing);
    let passed = Found::Passed { id, end: Box::new(end(0)) };
    assert_eq!(step(&|book| book.ended(&key.place, id, &end(0))), passed);
}

/// Ids that somebody found make no ledger that could not be read again.
fn adopted(mut book: Book, key: &Key, id: JobId, now: Timestamp) {
    let next = JobId::new(id.number() + 1).expect("it is not 0");
    for run in [None, Some(key.run.clone())] {
        for (id, is_idle) in [(id, true), (next, false), (id, false)] {
            book.adopt(&key.place, id, &Hint { run: run.clone(), name: None, is_idle }, now);
            comes_back(&book);
        }
    }
}
