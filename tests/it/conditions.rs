//! `--max-rejected` and `--min-rows`: a pass that the log does not bear out is none, and neither is one whose log nobody
//! could read.

use epm_sandbox::Sandbox;

use crate::harness::{Gate, Ran, playing, shipped};

fn attach(sandbox: &Sandbox, flags: &[&str]) -> Ran {
    Gate::against(sandbox).run(["attach", "2000"].iter().chain(flags))
}

/// A job that passes, with these keys.
fn passing(keys: &str) -> Sandbox {
    playing(&format!("[[job]]\nid = 2000\nexists = true\npolls = [{{ status = 0 }}]\n{keys}\n"))
}

#[test]
fn a_pass_with_more_rejected_rows_than_allowed_is_none() {
    for (scenario, most, code) in [
        ("rejected-rows-and-success", "0", 13),
        ("rejected-rows-and-success", "2", 13),
        ("rejected-rows-and-success", "3", 0),
        ("zero-rows", "0", 0),
    ] {
        let ran = attach(&shipped(scenario), &["--max-rejected", most]);
        assert_eq!((ran.code, ran.output("status")), (code, "0"), "{scenario} {most}: {ran:?}");
        if code > 0 {
            assert_eq!(ran.output("outcome"), "condition-unmet");
            ran.says(&["error: ", "3 rejected rows", &format!("`--max-rejected` of {most}"), "`[BLANK]`"]);
        }
    }
}

#[test]
fn a_pass_with_fewer_rows_than_wanted_is_none() {
    for (scenario, least, code, why) in [
        ("rejected-rows-and-success", "48", 0, ""),
        ("rejected-rows-and-success", "49", 13, "its log shows 48 rows, fewer than the `--min-rows` of 49"),
        ("zero-rows", "1", 13, "its log shows 0 rows, fewer than the `--min-rows` of 1"),
        ("zero-rows", "0", 0, ""),
        ("warns", "1", 13, "its log does not say how many rows there were, and `--min-rows` 1 is set"),
    ] {
        let ran = attach(&shipped(scenario), &["--min-rows", least]);
        assert_eq!((ran.code, ran.output("status")), (code, "0"), "{scenario} {least}: {ran:?}");
        if code > 0 {
            assert_eq!(ran.output("outcome"), "condition-unmet");
            ran.says(&["error: ", why]);
        }
    }
}

#[test]
fn a_log_that_cannot_be_read_is_not_one_without_rejected_rows() {
    let table = [
        ("", "could not be read ("),
        ("log = 'x'\ndownload = [{ http = 403 }]", "could not be read ("),
        ("log = 'x'\ndownload = [{ page = 'login' }]", "could not be read ("),
        ("log = 'x'\nlog_file = ''", "EPM names none"),
        ("log = 'x'\ndownload = [{ fault = 'hang' }]", "could not be read"),
        ("log = 'x'\ndownload = [{ fault = 'half-body' }]", "could not be read"),
    ];
    for (keys, why) in table {
        for flag in ["--max-rejected", "--min-rows"] {
            let gate = Gate::against(&passing(keys)).set("EPM_TIMEOUT", "3s").set("EPM_OUTAGE_BUDGET", "300ms");
            let sandbox = passing(keys);
            let ran = gate.set("EPM_URL", sandbox.url()).run(["attach", "2000", flag, "0"]);
            assert_eq!((ran.end(), ran.output("status")), ((13, "condition-unmet"), "0"), "{keys} {flag}: {ran:?}");
            ran.says(&["error: ", "its log", why, &format!("`{flag}` 0 is set")]);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_signal_before_the_log_was_read_fails_closed() {
    for flags in [["--max-rejected", "1000"], ["--min-rows", "0"]] {
        let sandbox = passing("log = 'Data Rows Imported from Source: 5'\ndownload = [{ fault = 'hang' }]");
        let mut running = Gate::against(&sandbox).start(["attach", "2000"].iter().chain(&flags));
        running.until("the log is asked for", || sandbox.requests().iter().any(|r| r.path.ends_with("/contents")));
        running.signal("TERM");
        let ran = running.finish();
        assert_eq!((ran.end(), ran.output("status")), ((13, "condition-unmet"), "0"), "{ran:?}");
        ran.says(&["error: ", "its log could not be read in time"]);
    }
}

#[test]
fn the_attach_command_asks_as_much_of_a_pass() {
    let sandbox = playing(
        "[[job]]\npolls = [{ status = -1, lasts = '1s' }, { status = 0 }]\nlog = 'Data Rows Imported from Source: 0'\n",
    );
    let conditions = ["--min-rows", "1", "--max-rejected=0", "--fail-on-warning"];
    let gate = Gate::against(&sandbox).set("EPM_MIN_DURATION", "1ms").set("EPM_TIMEOUT", "500ms");
    let ran = gate.run(["run", "--job-name", "GLDATA"].iter().chain(&conditions));
    assert_eq!(ran.end(), (20, "timed-out"), "{ran:?}");
    ran.says(&["hint: ", " --fail-on-warning=true --min-duration=1ms --max-rejected=0 --min-rows=1"]);
    let command = ran.stderr.split('`').find_map(|word| word.strip_prefix("epm-gate ")).expect("an attach command");
    let again = Gate::against(&sandbox).run(command.split(' '));
    assert_eq!(again.end(), (13, "condition-unmet"), "{again:?}");
}

#[test]
fn a_failed_job_has_failed_whatever_its_log_shows() {
    let ran = attach(&shipped("fails-with-rejected-rows"), &["--max-rejected", "1000", "--min-rows", "0"]);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
}

#[test]
fn a_number_of_rows_is_digits_alone() {
    let sandbox = shipped("succeeds");
    for flag in ["--max-rejected", "--min-rows"] {
        for number in ["-1", "1,000", "1.000", "many", "1e3"] {
            let ran = attach(&sandbox, &[&format!("{flag}={number}")]);
            assert_eq!(ran.end(), (2, "usage"), "{flag} {number}: {ran:?}");
            ran.says(&["error: ", &format!("`{flag}`: `{number}` is not a whole number")]);
            ran.says(&["hint: ", "without separators"]);
        }
    }
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_variable_is_a_condition_too() {
    let gate = Gate::against(&shipped("zero-rows"));
    let sandbox = shipped("zero-rows");
    let ran = gate.set("EPM_URL", sandbox.url()).set("EPM_MIN_ROWS", "1").run(["run", "--job-name", "GLDATA"]);
    assert_eq!(ran.end(), (13, "condition-unmet"), "{ran:?}");
}

#[test]
fn rows_that_stand_in_the_logs_of_others_cannot_be_judged() {
    for (kind, flag) in [("PIPELINE", "--max-rejected"), ("BATCH", "--min-rows")] {
        let sandbox = shipped("succeeds");
        let ran = Gate::against(&sandbox).run(["run", "--job-type", kind, "--job-name", "DAILY", flag, "0"]);
        assert_eq!((ran.end(), sandbox.posts()), ((2, "usage"), 0), "{ran:?}");
        ran.says(&["error: ", flag, kind, "does not tell of the rows"]);
        let sandbox = playing(&format!(
            "[[job]]\nid = 2000\nexists = true\nprocess_type = 'COMM_{kind}'\npolls = [{{ status = 0 }}]\nlog = 'INFO fine'\n"
        ));
        let ran = Gate::against(&sandbox).run(["attach", "2000", flag, "0"]);
        assert_eq!(ran.end(), (13, "condition-unmet"), "{ran:?}");
        ran.says(&["error: ", &format!("the rows of a `COMM_{kind}` stand in the logs of the jobs in it")]);
    }
}
