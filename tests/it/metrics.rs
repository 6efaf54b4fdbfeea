//! `--metrics`: what a textfile collector finds, of this run alone and whole at every moment.

use crate::harness::{Gate, Ran, playing, shipped, text_of};

const FILE: &str = "close.prom";
const RUN: [&str; 5] = ["run", "--job-name", "Close", "--metrics", FILE];

/// What an earlier run has left.
const EARLIER: &str = "epm_gate_job_end_timestamp_seconds{outcome=\"succeeded\"} 1\n";

/// A run, and what it has left in the file.
fn run(mut gate: Gate, arguments: &[&str]) -> (Ran, String) {
    let ran = gate.run_again(arguments);
    let text = text_of(&gate.path(FILE));
    assert!(!gate.path("close.prom.part").is_file(), "{ran:?}");
    (ran, text)
}

/// The value of the only sample of a family that has all these labels.
#[track_caller]
fn value<'a>(text: &'a str, family: &str, labels: &[&str]) -> &'a str {
    let is_it =
        |line: &&str| line.starts_with(&format!("{family}{{")) && labels.iter().all(|label| line.contains(label));
    let samples: Vec<&str> = text.lines().filter(is_it).collect();
    let [sample] = samples[..] else { panic!("{family} {labels:?}: {samples:?} in\n{text}") };
    sample.rsplit(' ').next().expect("a value")
}

/// The same as a number.
#[track_caller]
fn number(text: &str, family: &str, labels: &[&str]) -> f64 {
    value(text, family, labels).parse().expect("a number")
}

#[test]
fn a_job_that_passed_is_told_with_what_it_took() {
    let sandbox = shipped("succeeds");
    let (ran, text) = run(Gate::against(&sandbox), &RUN);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let labels = ["host=\"127.0.0.1", "job_type=\"INTEGRATION\"", "job_name=\"Close\""];
    let ended =
        number(&text, "epm_gate_job_end_timestamp_seconds", &[&labels[..], &["outcome=\"succeeded\""]].concat());
    assert!(ended > 1.7e9, "{text}");
    assert!(number(&text, "epm_gate_job_duration_seconds", &labels) > 0.0, "{text}");
    let polls = number(&text, "epm_gate_job_polls", &labels);
    assert!(polls >= 2.0, "{text}");
    // The look and the submit beside the polls, at least.
    assert!(number(&text, "epm_gate_requests", &["result=\"answered\""]) >= polls + 2.0, "{text}");
    assert_eq!(value(&text, "epm_gate_requests", &["result=\"failed\""]), "0", "{text}");
    assert!(!text.contains("2000") && !text.contains(ran.output("jobId")), "a job id is no label: {text}");
}

#[test]
fn every_kind_of_trouble_is_counted() {
    let (ran, text) = run(Gate::against(&shipped("unavailable-for-a-while")), &RUN);
    assert_eq!(ran.code, 0, "{ran:?}");
    // One before the submit, and one while the job ran.
    assert_eq!(value(&text, "epm_gate_job_outages", &[]), "2", "{text}");
    assert!(number(&text, "epm_gate_job_outage_seconds", &[]) > 0.0, "{text}");
    assert_eq!(value(&text, "epm_gate_requests", &["result=\"failed\""]), "5", "{text}");

    let (ran, text) = run(Gate::against(&shipped("unauthorized")), &RUN);
    assert_eq!(ran.end(), (30, "access-denied"), "{ran:?}");
    assert_eq!(value(&text, "epm_gate_requests", &["result=\"denied\""]), "1", "{text}");
    value(&text, "epm_gate_job_end_timestamp_seconds", &["outcome=\"access-denied\""]);
    assert!(!text.contains("epm_gate_job_duration_seconds"), "{text}");

    let (ran, text) = run(
        Gate::nowhere().set("EPM_URL", "http://127.0.0.1:1").set("EPM_USERNAME", "u").set("EPM_PASSWORD", "Pa55word"),
        &[&RUN[..], &["--outage-budget", "50ms"]].concat(),
    );
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    assert!(number(&text, "epm_gate_requests", &["result=\"lost\""]) >= 1.0, "{text}");
}

#[test]
fn rejected_rows_and_retries_are_told() {
    let (ran, text) = run(Gate::against(&shipped("fails-with-rejected-rows")), &RUN);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    for kind in ["[BLANK]", "[NN]", "[TC]"] {
        assert_eq!(value(&text, "epm_gate_job_rejected_rows", &[&format!("kind=\"{kind}\"")]), "1", "{text}");
    }
    let again = [&RUN[..], &["--retries", "2", "--retry-delay", "10ms"]].concat();
    let (ran, text) = run(Gate::against(&shipped("fails-then-succeeds")), &again);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(value(&text, "epm_gate_job_retries", &[]), "1", "{text}");
}

#[test]
fn several_jobs_have_series_of_their_own_and_those_of_one_name_share_them() {
    let job = |id: u64, name: &str, status: i64| {
        format!(
            "[[job]]\nid = {id}\nexists = true\npolls = [{{ status = {status}, fields = {{ jobName = \"{name}\" }} }}]\n"
        )
    };
    let jobs = [job(41, "A", 0), job(42, "B\\\"}\\n", 1), job(43, "A", 1)].concat();
    let sandbox = playing(&format!("about = \"Three.\"\n{jobs}"));
    let (ran, text) = run(Gate::against(&sandbox), &["attach", "41", "42", "43", "--metrics", FILE]);
    assert_eq!(ran.code, 10, "{ran:?}");
    value(&text, "epm_gate_job_end_timestamp_seconds", &["job_name=\"A\"", "outcome=\"failed\""]);
    value(&text, "epm_gate_job_end_timestamp_seconds", &["job_name=\"B\\\"}\"", "outcome=\"failed\""]);
    assert_eq!(value(&text, "epm_gate_job_polls", &["job_name=\"A\""]), "2", "{text}");
}

#[test]
fn submit_and_status_leave_the_file_too() {
    let sandbox = shipped("succeeds");
    let (_, text) = run(Gate::against(&sandbox), &["submit", "--job-name", "Close", "--metrics", FILE]);
    value(&text, "epm_gate_job_end_timestamp_seconds", &["outcome=\"submitted\""]);
    let (_, text) = run(Gate::against(&sandbox).set("EPM_METRICS", FILE), &["status", "2000"]);
    value(&text, "epm_gate_job_end_timestamp_seconds", &["outcome=\"in-progress\""]);
}

#[test]
fn a_command_line_that_is_wrong_leaves_no_earlier_success() {
    let sandbox = shipped("succeeds");
    let mut gate = Gate::against(&sandbox);
    gate.file(FILE, EARLIER);
    let ran = gate.run_again([&RUN[..], &["--no-such-flag"]].concat());
    assert_eq!(ran.code, 2, "{ran:?}");
    let text = text_of(&gate.path(FILE));
    value(&text, "epm_gate_job_end_timestamp_seconds", &["{outcome=\"usage\"}"]);
    assert!(!text.contains("succeeded"), "{text}");
}

#[test]
fn a_place_that_takes_no_file_is_refused_before_anything_is_sent() {
    let sandbox = shipped("succeeds");
    for place in ["none/close.prom", "folder", "/dev/null", "-"] {
        let gate = Gate::against(&sandbox);
        std::fs::create_dir(gate.path("folder")).expect("a folder can be made");
        let ran = gate.run(["run", "--job-name", "Close", "--metrics", place]);
        assert_eq!(ran.end(), (2, "usage"), "{place}: {ran:?}");
        ran.mentions(&["etrics"]);
    }
    let ran = Gate::against(&sandbox).run([&RUN[..], &["--junit", "close.prom"]].concat());
    assert_eq!(ran.code, 2, "{ran:?}");
    ran.says(&["`--metrics`", "`junit`"]);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_job_that_passed_has_not_where_its_metrics_cannot_be_written() {
    let sandbox = shipped("succeeds");
    let mut gate = Gate::against(&sandbox);
    gate.file(FILE, EARLIER);
    std::fs::create_dir(gate.path("close.prom.part")).expect("a folder can be made");
    let ran = gate.run_again([&RUN[..], &["--print", "json"]].concat());
    assert_eq!(ran.end(), (40, "unwritable"), "{ran:?}");
    assert!(ran.stdout.contains("\"exitCode\":40"), "{ran:?}");
    assert!(ran.report.contains("\"exitCode\": 40"), "{}", ran.report);
    assert_eq!(text_of(&gate.path(FILE)), EARLIER);
}

#[cfg(target_os = "linux")]
#[test]
fn metrics_tell_of_no_pass_where_the_stage_does_not() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).after_shell("exec >/dev/full");
    let (ran, text) = run(gate, &[&RUN[..], &["--print", "json"]].concat());
    assert_eq!(ran.end(), (40, "unwritable"), "{ran:?}");
    value(&text, "epm_gate_job_end_timestamp_seconds", &["outcome=\"unwritable\""]);
}

#[cfg(unix)]
#[test]
fn what_an_earlier_run_has_left_stands_until_the_end_and_keeps_its_readers() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = shipped("never-ends");
    let gate = Gate::against(&sandbox);
    let real = gate.path("textfiles");
    std::fs::create_dir(&real).expect("a folder can be made");
    std::fs::write(real.join("real.prom"), EARLIER).expect("a file can be written");
    std::fs::set_permissions(real.join("real.prom"), std::fs::Permissions::from_mode(0o640)).expect("a mode");
    std::os::unix::fs::symlink("textfiles/real.prom", gate.path(FILE)).expect("a link");
    let (file, link) = (real.join("real.prom"), gate.path(FILE));
    let mut running = gate.start(RUN);
    running.until_it_says("in progress");
    assert_eq!(text_of(&file), EARLIER);
    running.signal("TERM");
    let (ran, _dir) = running.finish_and_keep();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    value(&text_of(&file), "epm_gate_job_end_timestamp_seconds", &["outcome=\"interrupted\""]);
    assert!(link.is_symlink());
    assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o640);
}
