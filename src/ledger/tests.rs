use serde_json::value::RawValue;

use super::book::{Found, Key, Work};
use super::*;

fn ledger() -> (tempfile::TempDir, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::at(&dir.path().join("ledger.json"));
    (dir, ledger)
}

fn page(ledger: &Ledger) -> Page {
    let key = Key::new("k", "h", &RawValue::from_string(r#"{"jobType":"BATCH"}"#.to_owned()).unwrap(), &[]);
    Page::new(ledger.clone(), key, ledger.turn().unwrap().expect("nobody else has the turn"))
}

#[test]
fn a_file_that_is_not_there_is_an_empty_ledger_and_reading_makes_none() {
    let (_dir, ledger) = ledger();
    assert_eq!(ledger.read().unwrap(), Book::default());
    assert!(!ledger.path().exists());
}

#[test]
fn one_gate_alone_has_the_turn_until_an_id_stands() {
    let (_dir, ledger) = ledger();
    let mut page = page(&ledger);
    assert!(ledger.turn().unwrap().is_none());
    page.intend(&Work::default()).unwrap();
    assert!(ledger.turn().unwrap().is_none());
    page.submitted(JobId::new(7).unwrap()).unwrap();
    assert!(ledger.turn().unwrap().is_some());
    assert!(matches!(page.found(false).unwrap(), Found::Running { .. }));
}

#[test]
fn two_writers_lose_nothing_of_each_other() {
    let (_dir, ledger) = ledger();
    let write = |thread: u64| {
        let ledger = ledger.clone();
        move || {
            for number in 1..=20 {
                let id = JobId::new(thread * 100 + number).unwrap();
                // Another writer that takes its time, or has its turn, is no fault of this one.
                while !matches!(ledger.adopt("h", id, &Hint::default()), Ok(Some(_))) {}
            }
        }
    };
    let threads: Vec<_> = (1..=3).map(|thread| std::thread::spawn(write(thread))).collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(ledger.read().unwrap().text().matches("\"jobId\"").count(), 60);
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_and_not_replaced() {
    let (dir, ledger) = ledger();
    ledger.adopt("h", JobId::new(7).unwrap(), &Hint::default()).unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(ledger.path(), &link).unwrap();
    let linked = Ledger::at(&link);
    linked.adopt("h", JobId::new(8).unwrap(), &Hint::default()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(ledger.read().unwrap().text().matches("\"jobId\"").count(), 2);
    let _turn = ledger.turn().unwrap().unwrap();
    assert!(linked.turn().unwrap().is_none(), "two ways to one file share its locks");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_that_is_not_there_yet_leads_there_too() {
    let (dir, ledger) = ledger();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink("ledger.json", &link).unwrap();
    let linked = Ledger::at(&link);
    assert_eq!(linked.path(), ledger.path());
    linked.adopt("h", JobId::new(8).unwrap(), &Hint::default()).unwrap();
    assert!(ledger.path().exists() && fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[cfg(unix)]
#[test]
fn a_rewrite_keeps_who_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, ledger) = ledger();
    ledger.adopt("h", JobId::new(7).unwrap(), &Hint::default()).unwrap();
    fs::set_permissions(ledger.path(), fs::Permissions::from_mode(0o600)).unwrap();
    ledger.adopt("h", JobId::new(8).unwrap(), &Hint::default()).unwrap();
    assert_eq!(fs::metadata(ledger.path()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn no_id_is_taken_in_while_another_gate_submits() {
    let (_dir, ledger) = ledger();
    let mut page = page(&ledger);
    page.intend(&Work::default()).unwrap();
    assert_eq!(ledger.adopt("h", JobId::new(8).unwrap(), &Hint::default()).unwrap(), None);
    page.refuse().unwrap();
    page.let_go();
    assert_eq!(page.found(false).unwrap(), Found::Nothing);
    assert_eq!(ledger.adopt("h", JobId::new(8).unwrap(), &Hint::default()).unwrap(), Some(Adopted::Alone { open: 0 }));
}

#[test]
fn an_intent_that_could_not_be_written_is_taken_back_all_the_same() {
    let (dir, ledger) = ledger();
    let mut page = page(&ledger);
    page.intend(&Work::default()).unwrap();
    let part = dir.path().join("ledger.json.part");
    fs::create_dir(&part).unwrap();
    assert!(page.intend(&Work::default()).is_err());
    fs::remove_dir(&part).unwrap();
    page.settle().unwrap();
    assert_eq!(page.found(false).unwrap(), Found::Nothing, "what it may have left is no intent any more");
}

#[test]
fn what_is_damaged_or_no_file_is_named_and_left_as_it_is() {
    let (dir, ledger) = ledger();
    fs::write(ledger.path(), "{\"format\": \"epm-ga").unwrap();
    let error = ledger.adopt("h", JobId::new(7).unwrap(), &Hint::default()).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }) && error.to_string().contains("ledger.json"), "{error}");
    assert_eq!(fs::read_to_string(ledger.path()).unwrap(), "{\"format\": \"epm-ga");
    let error = Ledger::at(dir.path()).read().unwrap_err();
    assert!(matches!(error, Error::NotAFile { .. }), "{error}");
}

#[test]
fn what_could_not_be_written_is_written_at_the_end() {
    let (dir, ledger) = ledger();
    let mut page = page(&ledger);
    page.intend(&Work::default()).unwrap();
    // A folder stands where the new text would be written, whoever asks.
    let part = dir.path().join("ledger.json.part");
    fs::create_dir(&part).unwrap();
    let error = page.submitted(JobId::new(7).unwrap()).unwrap_err();
    assert!(matches!(error, Error::Unwritable { .. }), "{error}");
    assert!(matches!(page.found(false).unwrap(), Found::Open { .. }));
    assert!(page.settle().is_err());
    fs::remove_dir(&part).unwrap();
    page.settle().unwrap();
    assert!(matches!(page.found(false).unwrap(), Found::Running { .. }));
    assert!(ledger.turn().unwrap().is_some(), "the turn is over all the same");
}
