use super::*;

const HOST: &str = "epm.example.com";

fn at(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1000 + hours)
}

fn of(run: &str, place: &str, payload: &str) -> Key {
    Key::new(run, place, &RawValue::from_string(payload.to_owned()).unwrap(), &[])
}

fn key(run: &str) -> Key {
    of(run, HOST, r#"{"jobType":"INTEGRATION","jobName":"GL"}"#)
}

fn id(number: u64) -> JobId {
    JobId::new(number).unwrap()
}

fn end(status: i64, heard: Timestamp) -> Recorded {
    Recorded { at: heard, status, seconds: 7, facts: Facts::default() }
}

fn work(name: &str) -> Work {
    Work { job_type: "INTEGRATION".to_owned(), name: Some(name.to_owned()), ..Work::default() }
}

/// A ledger in which a run has come so far.
fn intended(run: &str) -> Book {
    let mut book = Book::default();
    book.intend(&key(run), &work("GL"), at(0));
    book
}

fn submitted(run: &str, number: u64) -> Book {
    let mut book = intended(run);
    book.submitted(&key(run), &work("GL"), id(number), at(1));
    book
}

fn ended(run: &str, number: u64, status: i64) -> Book {
    let mut book = submitted(run, number);
    book.ended(HOST, id(number), &end(status, at(2)));
    book
}

#[test]
fn each_row_of_the_contract() {
    let refused = {
        let mut book = intended("k");
        book.refuse(&key("k"), at(1));
        book
    };
    let passed = Found::Passed { id: id(7), end: Box::new(end(0, at(2))) };
    let table = [
        (Book::default(), Found::Nothing),
        (refused, Found::Nothing),
        (intended("k"), Found::Open { at: Some(at(0)) }),
        (submitted("k", 7), Found::Running { id: id(7), at: at(1) }),
        (ended("k", 7, 0), passed),
        (ended("k", 7, 1), Found::Nothing),
        (ended("k", 7, 3), Found::Nothing),
        (ended("k", 7, 4), Found::Nothing),
    ];
    for (book, expected) in table {
        assert_eq!(book.found(&key("k"), false, at(3)), expected);
        assert_eq!(book.found(&key("other"), false, at(3)), Found::Nothing);
        assert_eq!(Book::parse(book.text().as_bytes()).as_ref(), Ok(&book), "what is written is read back");
    }
}

#[test]
fn a_success_under_a_key_of_the_users_own_ages_and_one_of_the_ci_does_not() {
    let book = ended("k", 7, 0);
    let is_stale = |explicit, hours| matches!(book.found(&key("k"), explicit, at(hours)), Found::Stale { .. });
    assert!(!is_stale(true, 14) && is_stale(true, 15));
    assert!(!is_stale(false, 24 * 29));
    assert!(is_stale(true, -11), "a clock that was wrong proves nothing");
}

#[test]
fn asking_again_does_not_make_a_success_younger() {
    let mut book = ended("k", 7, 0);
    book.ended(HOST, id(7), &end(0, at(13)));
    assert!(matches!(book.found(&key("k"), true, at(15)), Found::Stale { .. }));
    book.ended(HOST, id(7), &end(1, at(14)));
    assert_eq!(book.found(&key("k"), true, at(15)), Found::Nothing, "what EPM says now counts");
}

#[test]
fn the_files_that_are_brought_are_part_of_the_key() {
    let payload = RawValue::from_string(r#"{"jobType":"BATCH"}"#.to_owned()).unwrap();
    let with = |files: &[(&str, &str)]| Key::new("r", HOST, &payload, files);
    // A ledger of before there were such files still holds.
    let hash = "9885c08d65fdbada3944e74df6972efbb6051aace934d5499ad84e881f4a9b00";
    assert_eq!(with(&[]).payload, hash);
    let (a, b) = (("inbox/a", "1"), ("inbox/b", "2"));
    assert_eq!(with(&[a, b]), with(&[b, a]));
    let all = [
        with(&[]),
        with(&[a]),
        with(&[b]),
        with(&[a, b]),
        with(&[("inbox/a", "2")]),
        with(&[("inbox/a", "2"), ("inbox/b", "1")]),
    ];
    for (index, key) in all.iter().enumerate() {
        assert!(!all[..index].contains(key), "{index}");
    }
}

#[test]
fn the_key_is_run_place_and_payload_and_not_how_the_payload_is_written() {
    let one = of("k", HOST, r#"{"jobType":"INTEGRATION","a":{"x":1,"y":[1,2],"z":"\u00e4"}}"#);
    assert_eq!(one, of("k", HOST, "{ \"a\" : {\"y\":[1, 2],\n\"x\":1, \"z\":\"ä\"}, \"jobType\" : \"INTEGRATION\" }"));
    for (run, place, payload) in [
        ("l", HOST, r#"{"jobType":"INTEGRATION","a":{"x":1,"y":[1,2],"z":"ä"}}"#),
        ("k", "epm-test.example.com", r#"{"jobType":"INTEGRATION","a":{"x":1,"y":[1,2],"z":"ä"}}"#),
        ("k", "epm.example.com/prod", r#"{"jobType":"INTEGRATION","a":{"x":1,"y":[1,2],"z":"ä"}}"#),
        ("k", HOST, r#"{"jobType":"INTEGRATION","a":{"x":1,"y":[2,1],"z":"ä"}}"#),
        ("k", HOST, r#"{"jobType":"INTEGRATION","a":{"x":"1","y":[1,2],"z":"ä"}}"#),
        ("k", HOST, r#"{"jobType":"INTEGRATION","a":{"x":1,"y":[1,2],"z":"ä"},"b":null}"#),
    ] {
        assert_ne!(one, of(run, place, payload), "{run} {place} {payload}");
    }
    let long = |last| of("k", HOST, &format!(r#"{{"x":922337203685477580800{last}}}"#));
    assert_ne!(long(0), long(1), "beyond what a number of 64 bits holds");
    assert_eq!(one.payload.len(), 64);
}

#[test]
fn a_new_attempt_takes_the_place_of_the_old_one() {
    let mut book = ended("k", 7, 1);
    book.intend(&key("k"), &work("GL"), at(3));
    assert_eq!(book.found(&key("k"), false, at(4)), Found::Open { at: Some(at(3)) });
    book.submitted(&key("k"), &work("GL"), id(8), at(4));
    book.ended(HOST, id(7), &end(0, at(5)));
    assert_eq!(book.found(&key("k"), false, at(6)), Found::Running { id: id(8), at: at(4) });
}

#[test]
fn only_an_open_intent_is_taken_back() {
    for book in [submitted("k", 7), ended("k", 7, 0)] {
        let mut refused = book.clone();
        refused.refuse(&key("k"), at(3));
        assert_eq!(refused, book);
    }
}

#[test]
fn what_fresh_submits_in_spite_of_stands_again_where_nothing_came_of_it() {
    for book in [intended("k"), submitted("k", 7), ended("k", 7, 0), ended("k", 7, 1)] {
        let before = book.found(&key("k"), false, at(5));
        let mut fresh = book;
        fresh.intend(&key("k"), &work("GL"), at(3));
        assert_eq!(fresh.found(&key("k"), false, at(5)), Found::Open { at: Some(at(3)) });
        assert_eq!(Book::parse(fresh.text().as_bytes()).as_ref(), Ok(&fresh));
        fresh.refuse(&key("k"), at(4));
        let after = fresh.found(&key("k"), false, at(5));
        let is_open = |found: &Found| matches!(found, Found::Open { .. });
        assert!(after == before || is_open(&after) && is_open(&before), "{after:?} in place of {before:?}");
    }
}

#[test]
fn a_job_is_written_down_even_where_its_intent_has_vanished() {
    let mut book = Book::default();
    book.submitted(&key("k"), &work("GL"), id(7), at(1));
    assert_eq!(book.found(&key("k"), false, at(2)), Found::Running { id: id(7), at: at(1) });
}

/// Somebody attaches, who may have given a key and a name.
fn hint(run: Option<&str>, name: Option<&str>) -> Hint {
    Hint { run: run.map(str::to_owned), name: name.map(str::to_owned), is_idle: false }
}

fn nothing() -> Hint {
    Hint::default()
}

#[test]
fn an_id_that_somebody_found_belongs_to_the_one_submit_that_waits_for_it() {
    let mut book = intended("k");
    assert_eq!(book.adopt(HOST, id(7), &nothing(), at(3)), Adopted::OfSubmit(Some(at(0))));
    assert_eq!(book.found(&key("k"), false, at(4)), Found::Running { id: id(7), at: at(3) });
    assert_eq!(book.adopt(HOST, id(7), &nothing(), at(4)), Adopted::Known);
    assert_eq!(book.adopt(HOST, id(8), &nothing(), at(4)), Adopted::Alone { open: 0 });
    book.ended(HOST, id(8), &end(0, at(5)));
    assert_eq!(Book::parse(book.text().as_bytes()), Ok(book));
}

#[test]
fn an_id_is_never_given_to_a_submit_that_it_may_not_belong_to() {
    let two = || {
        let mut book = intended("k");
        book.intend(&key("l"), &work("AP"), at(1));
        book
    };
    assert_eq!(two().adopt(HOST, id(7), &nothing(), at(3)), Adopted::Alone { open: 2 });
    let idle = Hint { is_idle: true, ..nothing() };
    assert_eq!(intended("k").adopt(HOST, id(7), &idle, at(3)), Adopted::Alone { open: 1 });
    let mut book = two();
    assert_eq!(book.adopt(HOST, id(7), &hint(Some("l"), None), at(3)), Adopted::OfSubmit(Some(at(1))));
    assert_eq!(book.found(&key("k"), false, at(4)), Found::Open { at: Some(at(0)) });
    let mut book = two();
    assert_eq!(book.adopt(HOST, id(7), &hint(None, Some("GL")), at(3)), Adopted::OfSubmit(Some(at(0))));
    let mut book = two();
    assert_eq!(book.adopt(HOST, id(7), &hint(None, Some("FX")), at(3)), Adopted::Alone { open: 2 });
    assert_eq!(two().adopt("elsewhere", id(7), &nothing(), at(3)), Adopted::Alone { open: 0 });
}

#[test]
fn a_wrong_id_is_replaced_by_whoever_names_the_key_and_one_that_epm_gave_never() {
    let mut book = intended("k");
    book.adopt(HOST, id(7), &nothing(), at(3));
    book.ended(HOST, id(7), &end(1, at(4)));
    assert_eq!(book.adopt(HOST, id(8), &nothing(), at(5)), Adopted::Alone { open: 0 });
    assert_eq!(book.adopt(HOST, id(8), &hint(Some("k"), None), at(6)), Adopted::OfSubmit(Some(at(0))));
    assert_eq!(book.found(&key("k"), false, at(7)), Found::Running { id: id(8), at: at(6) });
    assert_eq!(book.text().matches("jobId").count(), 1, "it stands alone no longer");
    let mut given = submitted("k", 7);
    assert_eq!(given.adopt(HOST, id(8), &hint(Some("k"), None), at(6)), Adopted::Alone { open: 0 });
    assert_eq!(given.found(&key("k"), false, at(7)), Found::Running { id: id(7), at: at(1) });
}

#[test]
fn what_is_over_is_dropped_after_a_season_and_what_is_open_never() {
    let season = 24 * 90;
    let mut book = ended("passed", 7, 0);
    book.intend(&key("open"), &work("GL"), at(0));
    book.intend(&key("running"), &work("GL"), at(0));
    book.submitted(&key("running"), &work("GL"), id(8), at(0));
    book.intend(&key("new"), &work("GL"), at(2 + season - 1));
    assert!(matches!(book.found(&key("passed"), false, at(3 + season)), Found::Passed { .. }));
    book.intend(&key("newer"), &work("GL"), at(2 + season));
    assert_eq!(book.found(&key("passed"), false, at(3 + season)), Found::Nothing);
    assert!(matches!(book.found(&key("open"), false, at(3 + season)), Found::Open { .. }));
    assert!(matches!(book.found(&key("running"), false, at(3 + season)), Found::Running { .. }));
}

#[test]
fn what_an_entry_does_not_know_is_refused_and_not_forgotten() {
    let parsed = |state: &str| {
        let entry = format!(r#"{{"run":"r","host":"h","payload":"p","state":{state}}}"#);
        Book::parse(format!(r#"{{"format":"{FORMAT}","version":{VERSION},"entries":[{entry}]}}"#).as_bytes())
    };
    assert!(parsed(r#"{"is":"intended"}"#).is_ok());
    assert!(parsed(r#"{"is":"submitted","jobId":7,"at":"2026-03-22T03:24:30Z"}"#).is_ok());
    for state in [
        r#"{"is":"intended","jobId":7}"#,
        r#"{"is":"refused","at":"2026-03-22T03:24:30Z","jobId":7}"#,
        r#"{"is":"submitted","jobId":7,"at":"2026-03-22T03:24:30Z","end":{}}"#,
    ] {
        assert!(parsed(state).is_err(), "{state}");
    }
}

#[test]
fn what_is_no_ledger_or_says_two_things_is_refused_in_words() {
    let whole = submitted("k", 7).text();
    let twice = {
        let book = submitted("k", 7);
        Book { entries: [book.entries.clone(), book.entries].concat() }.text()
    };
    let table = [
        (String::new(), "EOF"),
        ("{}".to_owned(), "missing field"),
        ("[]".to_owned(), "invalid length"),
        (r#"{"format":"other","version":1,"entries":[]}"#.to_owned(), "`format`"),
        (whole.replace("\"version\": 1", "\"version\": 2"), "version is 2"),
        (whole[..whole.len() / 2].to_owned(), "EOF"),
        (whole.replace("\"jobId\": 7", "\"jobId\": 0"), "nonzero"),
        (whole.replace("\"is\": \"submitted\"", "\"is\": \"done\""), "unknown variant"),
        (whole.replace("\"run\"", "\"ran\""), "unknown field"),
        (whole.replace("\"run\": \"k\",", ""), "key"),
        (ended("k", 7, 0).text().replace("\"status\": 0", "\"status\": -1"), "status -1"),
        (twice, "entry 2"),
    ];
    for (text, told) in table {
        let problem = Book::parse(text.as_bytes()).unwrap_err();
        assert!(problem.contains(told), "{told:?} is not in {problem:?}");
    }
    assert!(Book::parse(whole.as_bytes()).is_ok());
}
