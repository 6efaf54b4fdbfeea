//! What a bug leaves behind. No flag makes the gate panic, so each test starts itself once more, in a process of its own,
//! where it plays the panic with the hook that the gate has.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use epm_gate::bounded::{aside, within};
use epm_gate::ci::{Form, Outputs, Platform, Wanted};
use epm_gate::crash;
use epm_gate::foreign::Foreign;
use epm_gate::gate::desk::Desk;
use epm_gate::job::{Answer, JobId, State};
use epm_gate::ledger::book::Key;
use epm_gate::ledger::{Ledger, Page};
use epm_gate::outcome::Outcome;
use epm_gate::report::console::{Color, Console, Format, Volume};
use epm_gate::report::{End, JobReport, Owed, Report};
use jiff::Timestamp;
use tempfile::TempDir;

/// What is told where EPM had decided already.
const BUG: &str = "a bug in epm-gate stopped it after the verdict";

/// Which panic is to be played, and in which folder.
const PLAYED: &str = "CRASH_PLAYED";
const FOLDER: &str = "CRASH_FOLDER";

/// What a process has left that has panicked.
struct Crashed {
    dir: TempDir,
    code: Option<i32>,
    log: String,
}

impl Crashed {
    /// Starts `test` anew to play this panic. In the process that was started so, plays it.
    #[expect(clippy::disallowed_methods, reason = "so it is told what to play")]
    fn of<Test: Fn()>(_: Test, played: &str) -> Self {
        if let (Ok(played), Ok(folder)) = (std::env::var(PLAYED), std::env::var(FOLDER)) {
            play(&played, Path::new(&folder));
        }
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(std::env::current_exe().expect("its own path"));
        command.args(["--exact", name_of::<Test>(), "--nocapture"]);
        let ended = command.env(PLAYED, played).env(FOLDER, dir.path()).output().expect("itself can be started");
        let log = String::from_utf8(ended.stderr).expect("UTF-8");
        assert!(log.contains("panicked at "), "{played}: {log}");
        // It ends where it stands: what unwinds would be told by the test program.
        let said = String::from_utf8(ended.stdout).expect("UTF-8");
        assert!(!said.contains("test result"), "{said}");
        Self { dir, code: ended.status.code(), log }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }

    fn output(&self, name: &str) -> String {
        self.read(&format!("outputs/{name}"))
    }
}

/// What a test is called on the command line: its path without the crate.
fn name_of<Test>() -> &'static str {
    let path = std::any::type_name::<Test>();
    path.split_once("::").map_or(path, |(_, name)| name)
}

fn play(played: &str, folder: &Path) -> ! {
    let format = if played == "as JSON" { Format::Json([7; 16]) } else { Format::Text };
    crash::watch(format);
    assert_ne!(played, "before there is a desk", "as the test wants it");
    let desk = desk(folder, format);
    match played {
        "before a submit" => {}
        "a ledger with an intent" => {
            desk.opens(page(folder));
            desk.submitting().expect("the ledger can be written");
        }
        "a ledger with an id" => {
            desk.opens(page(folder));
            submitted(&desk);
        }
        _ => submitted(&desk),
    }
    match played {
        "while the report is read" => desk.read(|_| panic!("as the test wants it")),
        "a thread beside" => beside(async || aside(|| panic!("as the test wants it")).await),
        "a thread that nobody waits for" => beside(async || {
            std::thread::spawn(|| panic!("as the test wants it"));
            std::future::pending().await
        }),
        "a thread beside one that hears nothing" => {
            within(Duration::MAX, || -> u8 { panic!("as the test wants it") });
        }
        "a thread whose parking ends at once" => beside(async || {
            std::thread::spawn(|| {
                std::thread::current().unpark();
                panic!("as the test wants it")
            });
            std::future::pending().await
        }),
        "after a verdict" => failed(&desk),
        "after a pass" => passed(&desk),
        "after a pass that owes a file" => {
            owes(&desk);
            passed(&desk);
        }
        "after a failure that owes a file" => {
            owes(&desk);
            failed(&desk);
        }
        "after a pass that was held" => {
            passed(&desk);
            desk.hold(0, "the output `7.dat` was not saved: the disk is full", None);
        }
        "after the end" => {
            failed(&desk);
            desk.close();
        }
        "in the midst of an output, as closing does then" => {
            last_for_ever(&desk);
            desk.attached();
        }
        _ => {}
    }
    desk.note_of(0, |job| {
        job.id = JobId::new(8);
        panic!("as the test wants it")
    });
    unreachable!("it has panicked")
}

fn beside(story: impl AsyncFnOnce() -> Outcome) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(crash::guarded(story()));
    std::process::exit(i32::from(outcome.code()))
}

fn desk(dir: &Path, format: Format) -> Rc<Desk> {
    let place = |name: &str| -> PathBuf { dir.join(name) };
    let wanted = Wanted {
        outputs_dir: Some(place("outputs")),
        summary: Some(place("summary")),
        documents: vec![(Form::Html, place("page.html"))],
        ..Wanted::default()
    };
    let report = Report { jobs: vec![JobReport::new(None, Some("GL".to_owned()))], ..Report::default() };
    let console = Console::new(Volume::Quiet, Color::Never, true, format);
    let desk = Rc::new(Desk::new(report, Outputs::open(&wanted).0, Platform::None, console));
    crash::closes(&desk);
    desk
}

fn page(dir: &Path) -> Page {
    let ledger = Ledger::at(&dir.join("ledger.json"));
    let payload = serde_json::value::RawValue::from_string("{}".to_owned()).expect("JSON");
    Page::new(
        ledger.clone(),
        Key::new("k", "h", &payload, &[]),
        ledger.turn().expect("it has locks").expect("it is free"),
    )
}

fn submitted(desk: &Desk) {
    desk.submitting().expect("the ledger can be written");
    desk.submitted(JobId::new(7).expect("an id"));
}

/// No run is that long, and the page cannot draw it.
fn last_for_ever(desk: &Desk) {
    desk.note(|report| {
        let mut earlier = report.jobs[0].clone();
        earlier.moments[0].at = Timestamp::UNIX_EPOCH;
        report.attempts.push(earlier);
        report.jobs[0].moments[1].after = Duration::MAX;
    });
}

fn failed(desk: &Desk) {
    let answer = Answer { job_id: JobId::new(7), status: Some(1), ..Answer::default() };
    desk.heard(0, &answer, State::Failed);
    desk.ended(0, End::new(Outcome::Failed, "EPM ended it with status 1 (error)".to_owned(), None));
}

fn passed(desk: &Desk) {
    let answer = Answer { job_id: JobId::new(7), status: Some(0), ..Answer::default() };
    desk.heard(0, &answer, State::Succeeded);
    desk.holds(0, End::new(Outcome::Succeeded, "EPM ended it with status 0 (success)".to_owned(), None));
}

fn owes(desk: &Desk) {
    let owed = Owed { which: "output", name: Foreign::new("7.dat"), why: None, is_told: false };
    desk.note_of(0, |job| job.owed.push(owed));
}

#[test]
fn a_panic_leaves_what_is_known_and_where_to_report_it() {
    let beside = ["a thread beside", "a thread that nobody waits for", "a thread whose parking ends at once"];
    for played in ["while the report is changed", "while the report is read"].into_iter().chain(beside) {
        let crashed = Crashed::of(a_panic_leaves_what_is_known_and_where_to_report_it, played);
        assert_eq!(crashed.code, Some(101), "{played}: {}", crashed.log);
        assert_eq!(
            ["outcome", "exitCode", "jobId", "submitted"].map(|name| crashed.output(name)),
            ["panic", "101", "7", "yes"]
        );
        for told in [crashed.read("summary"), crashed.log] {
            assert!(told.contains("a job may be running") && told.contains("epm-gate attach 7"), "{told}");
            assert!(told.contains("https://github.com/acme/epm-gate/issues"), "{told}");
        }
    }
}

#[test]
fn a_panic_is_told_as_json_where_the_log_is() {
    let crashed = Crashed::of(a_panic_is_told_as_json_where_the_log_is, "as JSON");
    assert_eq!(crashed.code, Some(101));
    let lines = crashed.log.lines().map(serde_json::from_str).collect::<Result<Vec<serde_json::Value>, _>>();
    let lines = lines.unwrap_or_else(|error| panic!("{error}: {}", crashed.log));
    assert!(lines.iter().all(|line| line["trace_id"] == "07".repeat(16)), "{lines:?}");
    let told = lines.iter().map(|line| (line["level"].as_str(), line["job_id"].as_u64())).collect::<Vec<_>>();
    assert!(told.contains(&(Some("error"), None)) && told.contains(&(Some("error"), Some(7))), "{told:?}");
}

#[test]
fn a_panic_leaves_the_ledger_as_far_as_the_run_had_come() {
    for (played, known) in
        [("a ledger with an intent", "\"is\": \"intended\""), ("a ledger with an id", "\"jobId\": 7")]
    {
        let crashed = Crashed::of(a_panic_leaves_the_ledger_as_far_as_the_run_had_come, played);
        assert_eq!(crashed.code, Some(101));
        assert!(crashed.read("ledger.json").contains(known), "{}", crashed.read("ledger.json"));
    }
}

#[test]
fn a_panic_before_a_submit_says_that_nothing_was_submitted() {
    let crashed = |played| Crashed::of(a_panic_before_a_submit_says_that_nothing_was_submitted, played);
    assert_eq!(crashed("before there is a desk").code, Some(101));
    let crashed = crashed("before a submit");
    assert_eq!((crashed.code, crashed.output("submitted")), (Some(101), "no".to_owned()));
    assert!(crashed.read("summary").contains("nothing was submitted"));
}

#[test]
fn a_panic_does_not_change_a_verdict() {
    for (played, told, code, outcome) in [
        ("after a verdict", true, 10, "failed"),
        ("after a failure that owes a file", true, 10, "failed"),
        ("after the end", false, 10, "failed"),
        ("after a pass", true, 0, "succeeded"),
    ] {
        let crashed = Crashed::of(a_panic_does_not_change_a_verdict, played);
        assert_eq!((crashed.code, crashed.output("outcome")), (Some(code), outcome.to_owned()), "{played}");
        assert_eq!(crashed.read("summary").contains(BUG), told, "{played}: {}", crashed.read("summary"));
        assert!(crashed.log.contains(BUG), "{played}: {}", crashed.log);
        assert_eq!(crashed.read("summary").matches("attach").count(), 0);
    }
}

#[test]
fn a_panic_does_not_pass_what_was_not_saved() {
    for played in ["after a pass that owes a file", "after a pass that was held"] {
        let crashed = Crashed::of(a_panic_does_not_pass_what_was_not_saved, played);
        assert_eq!((crashed.code, crashed.output("outcome")), (Some(40), "unwritable".to_owned()), "{played}");
        for told in [crashed.read("summary"), crashed.log] {
            assert!(told.contains("the output `7.dat` was not saved") && told.contains(BUG), "{played}: {told}");
        }
    }
}

#[test]
fn a_panic_that_nobody_can_close_ends_with_101_all_the_same() {
    for (played, panics, outcome) in [
        ("a thread beside one that hears nothing", 1, ""),
        ("in the midst of an output, as closing does then", 2, "panic"),
    ] {
        let crashed = Crashed::of(a_panic_that_nobody_can_close_ends_with_101_all_the_same, played);
        assert_eq!((crashed.code, crashed.log.matches("panicked at ").count()), (Some(101), panics), "{}", crashed.log);
        assert_eq!((crashed.output("jobId"), crashed.output("outcome")), ("7".to_owned(), outcome.to_owned()));
    }
}
