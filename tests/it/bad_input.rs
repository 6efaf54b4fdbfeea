//! What is given wrong: said with what, where, and what would be right; exit 2, and nothing is sent.

use crate::harness::{Gate, Ran, shipped};

const RUN: &[&str] = &["run", "--job-name", "GLDATA"];

/// A call that is refused as usage. The error names `problem`, the hint `right`.
#[track_caller]
fn refused(change: impl FnOnce(Gate) -> Gate, arguments: &[&str], problem: &[&str], right: &[&str]) -> Ran {
    let sandbox = shipped("succeeds");
    let ran = change(Gate::against(&sandbox).on_github()).run(arguments);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    assert_eq!((ran.output("submitted"), ran.output("jobId")), ("no", ""));
    assert!(sandbox.requests().is_empty(), "{ran:?}");
    ran.says(&[&["error: "], problem].concat());
    ran.says(&[&["hint: "], right].concat());
    ran.says(&["::error title=epm-gate"]);
    assert_eq!(ran.stdout, "");
    assert!(ran.summary.contains("wrong usage") && ran.summary == ran.github_summary, "{}", ran.summary);
    ran
}

fn as_it_is(gate: Gate) -> Gate {
    gate
}

#[test]
fn no_url() {
    refused(|gate| gate.unset("EPM_URL"), RUN, &["no URL"], &["`--url`", "`EPM_URL`", "https://"]);
    refused(|gate| gate.set("EPM_URL", ""), RUN, &["no URL"], &["`EPM_URL`"]);
}

#[test]
fn a_url_that_is_none() {
    let https = &["`https://HOST`"];
    for (url, problem) in [
        ("epm.example.com", "does not begin with `https://`"),
        ("https://", "no host"),
        ("https:///aif", "no host"),
        ("ftp://epm.example.com", "`ftp` is not `https`"),
        ("https://epm.example.com/?a=b", "a query"),
        ("https://epm example.com", "not a URL"),
    ] {
        refused(|gate| gate.set("EPM_URL", url), RUN, &["`EPM_URL`", problem], https);
    }
    let plain = &["`https://`", "loopback"];
    refused(|gate| gate.set("EPM_URL", "http://epm.example.com"), RUN, &["`EPM_URL`", "plain `http`"], plain);
}

#[test]
fn a_url_with_a_user_in_it_is_not_shown() {
    let url = "https://someone:hush-hush@epm.example.com";
    let ran = refused(|gate| gate.set("EPM_URL", url), RUN, &["`EPM_URL`", "has a user"], &["`--username`"]);
    assert!(!ran.stderr.contains("hush") && !ran.summary.contains("hush"), "{ran:?}");
}

#[test]
fn another_host_than_was_expected() {
    let flags = &[RUN, &["--expect-host", "epm-test.example.com"]].concat();
    refused(as_it_is, flags, &["`--expect-host`", "`epm-test.example.com`", "`127.0.0.1"], &["host name alone"]);
}

#[test]
fn no_credentials_or_half_of_them() {
    let bare = |gate: Gate| gate.unset("EPM_USERNAME").unset("EPM_PASSWORD");
    let both = &["`--username`", "`EPM_PASSWORD`", "`--password-file`"];
    refused(bare, RUN, &["no credentials"], both);
    refused(|gate| gate.unset("EPM_PASSWORD"), RUN, &["`EPM_USERNAME`", "no password"], &["`EPM_PASSWORD`"]);
    refused(|gate| gate.unset("EPM_USERNAME"), RUN, &["`EPM_PASSWORD`", "no user"], &["`EPM_USERNAME`"]);
    let domain = |gate: Gate| bare(gate).set("EPM_IDENTITY_DOMAIN", "acme");
    refused(domain, RUN, &["`EPM_IDENTITY_DOMAIN`", "no user"], &["`EPM_USERNAME`"]);
}

#[test]
fn two_kinds_of_credentials_or_one_of_them_twice() {
    let two = |gate: Gate| gate.set("EPM_ACCESS_TOKEN", "a-token-of-somebody");
    let ran = refused(two, RUN, &["two ways", "`EPM_ACCESS_TOKEN`"], &["one of them"]);
    assert!(!ran.stderr.contains("of-somebody"));
    let flags = &[RUN, &["--password-file", "given-password"]].concat();
    refused(as_it_is, flags, &["`--password-file`", "`EPM_PASSWORD` is set"], &["one of the two"]);
}

#[test]
fn a_password_file_that_cannot_be_used() {
    let flags = &[RUN, &["--password-file", "given-password"]].concat();
    let holding = |content: &'static [u8]| {
        move |gate: Gate| {
            gate.file("given-password", content);
            gate.unset("EPM_PASSWORD")
        }
    };
    let nowhere = |gate: Gate| gate.unset("EPM_PASSWORD");
    refused(nowhere, flags, &["`--password-file`", "cannot read `given-password`", "No such file"], &["exists"]);
    let utf16 = b"\xff\xfeh\0u\0s\0h\0-\0h\0u\0s\0h\0";
    refused(holding(utf16), flags, &["`given-password` is UTF-16"], &["UTF-8", "Out-File -Encoding utf8"]);
    refused(holding(b"hush\xff\xe9"), flags, &["`given-password` is not UTF-8"], &["UTF-8"]);
    refused(holding(b"\n"), flags, &["`given-password` is empty"], &["secret"]);
    let ran = refused(holding(b"hush-hush\nmore\n"), flags, &["line break"], &["on one line"]);
    assert!(!ran.stderr.contains("hush"));
}

#[test]
fn a_placeholder_that_nobody_filled_in() {
    let mend = &["pipeline"];
    for placeholder in ["$(epmUrl)", "${epmUrl}", "${{ secrets.epmUrl }}"] {
        refused(|gate| gate.set("EPM_URL", placeholder), RUN, &["`EPM_URL`", "placeholder"], mend);
        let ran = refused(|gate| gate.set("EPM_PASSWORD", placeholder), RUN, &["`EPM_PASSWORD`", "placeholder"], mend);
        assert!(!ran.stderr.contains("epmUrl"), "the value of a secret is shown: {ran:?}");
    }
}

#[test]
fn a_job_that_does_not_exist_that_way() {
    let types = &["`INTEGRATION`", "`DATARULE`", "`BATCH`", "`PIPELINE`", "`MAPPINGIMPORT`", "`REPORT`", "`--payload`"];
    for (flags, problem, right) in [
        (&["--job-type", "INTEGRATE"][..], &["`--job-type`", "`INTEGRATE`"][..], &types[..]),
        (&["--import-mode", "Overwrite"], &["`--import-mode`", "`Overwrite`"], &["`Append`", "`Map and Validate`"]),
        (&["--export-mode", "Overwrite"], &["`--export-mode`", "`Overwrite`"], &["`Merge`", "`No Export`"]),
        (&["--period-name", "{Jan-26"], &["`--period-name`", "`{Jan-26`"], &["`{Jan-26}`", "`{GLOBAL_POV}`"]),
        (&["--start-period", "Jan-26"], &["`--start-period`", "`startPeriod`"], &["`--period-name`"]),
        (&["--variable", "A=b"], &["`--variable`", "`variables`"], &["PIPELINE"]),
        (&["--set", "noEquals"], &["`--set`", "no `=`"], &["`KEY=VALUE`"]),
        (&["--set", "key:=nope"], &["`--set`", "`key`", "not JSON"], &["`KEY=VALUE`"]),
        (&["--set", "importMode=Append"], &["`importMode`", "flag of its own"], &["`--import-mode`"]),
    ] {
        refused(as_it_is, &[RUN, flags].concat(), problem, right);
    }
    refused(as_it_is, &["run"], &["INTEGRATION", "name"], &["`--job-name`"]);
}

#[test]
fn a_payload_that_is_none() {
    let flags = &["run", "--payload", "given-payload.json"];
    let holding = |content: &'static str| {
        move |gate: Gate| {
            gate.file("given-payload.json", content);
            gate
        }
    };
    let broken = holding("{\"jobType\": \"BATCH\",\n \"jobName\": }\n");
    refused(broken, flags, &["`given-payload.json`", "not JSON", "line 2, column 13"], &["JSON"]);
    refused(holding("[{}]"), flags, &["`given-payload.json`", "an array"], &["object"]);
    refused(holding("{}"), flags, &["`given-payload.json`", "no `jobType`"], &["`\"jobType\"`"]);
    refused(as_it_is, flags, &["`given-payload.json`", "No such file"], &["exists"]);
    refused(|gate| gate.piped("[1]"), &["run", "--payload", "-"], &["`--payload -`", "an array"], &["object"]);
}

#[test]
fn a_payload_beside_job_flags() {
    let whole = r#"{"jobType": "BATCH", "jobName": "B"}"#;
    let with_file = |gate: Gate| {
        gate.file("given-payload.json", whole);
        gate
    };
    let leave_out = &["leave `--payload` out"];
    let flags = &[RUN, &["--payload", "given-payload.json"]].concat();
    refused(with_file, flags, &["`--job-name`", "beside `--payload`"], leave_out);
    let flags = &["run", "--payload", "given-payload.json"];
    for (variable, value) in
        [("EPM_JOB_NAME", "X"), ("EPM_SET", "a=b"), ("EPM_VARIABLES", "A=b"), ("EPM_JOB_TYPE", "BATCH")]
    {
        let problem = &[&format!("`{variable}`"), "beside `--payload`"];
        refused(|gate| with_file(gate).set(variable, value), flags, problem, leave_out);
    }
}

#[test]
fn durations_numbers_and_switches() {
    let unit = &["`90s`"];
    for (flags, problem, right) in [
        (&["--timeout", "30"][..], &["`--timeout`", "`30` is not a duration"][..], &unit[..]),
        (&["--timeout", "soon"], &["`--timeout`", "`soon` is not a duration"], unit),
        (&["--timeout", "0s"], &["`--timeout`", "longer than nothing"], &["duration"]),
        (&["--poll-min", "2s", "--poll-max", "1s"], &["`--poll-max`", "below `--poll-min`"], &["as long"]),
        (&["--poll-rate", "0"], &["`--poll-rate`", "not a rate"], &["above 0"]),
        (&["--look", "aif"], &["`--look`", "not a path"], &["`off`"]),
        (&["--fail-on-warning=maybe"], &["`--fail-on-warning`", "`maybe`"], &["`true`", "`false`", "`1`", "`0`"]),
        (&["--color", "pink"], &["`--color`", "`pink`"], &["`auto`", "`always`", "`never`"]),
    ] {
        refused(as_it_is, &[RUN, flags].concat(), problem, right);
    }
    let yes = |gate: Gate| gate.set("EPM_REQUIRE_OUTPUT", "yes");
    refused(yes, RUN, &["`EPM_REQUIRE_OUTPUT`", "`yes`"], &["`true`", "`false`"]);
    refused(|gate| gate.set("EPM_TIMEOUT", "5"), RUN, &["`EPM_TIMEOUT`", "`5`"], unit);
}

#[test]
fn a_job_id_that_is_none() {
    for command in ["attach", "status"] {
        for (id, problem) in [("0", "0 is not"), ("-5", "positive"), ("12a", "positive"), ("1.5", "positive")] {
            refused(as_it_is, &[command, id], &["`JOB_ID`", &format!("`{id}`"), problem], &["`jobId`"]);
        }
        refused(as_it_is, &[command], &["no job id"], &["`EPM_JOB_ID`"]);
        refused(|gate| gate.set("EPM_JOB_ID", " , "), &[command], &["no job id"], &["`EPM_JOB_ID`"]);
        refused(|gate| gate.set("EPM_JOB_ID", "0"), &[command], &["`EPM_JOB_ID`", "`0`"], &["`jobId`"]);
    }
    refused(as_it_is, &["attach", "2000", "2000"], &["2000", "twice"], &["once"]);
    refused(|gate| gate.set("EPM_JOB_ID", "7,2000 7"), &["attach"], &["`EPM_JOB_ID`", "7", "twice"], &["once"]);
    refused(as_it_is, &["status", "2000", "2001"], &["one job"], &["`attach`"]);
}

#[test]
fn an_id_that_was_meant_for_attach() {
    for command in [RUN, &["submit", "--job-name", "GL"]] {
        refused(|gate| gate.set("EPM_JOB_ID", "2000"), command, &["`EPM_JOB_ID`", "exists"], &["`attach`"]);
    }
}

#[test]
fn json_on_azure() {
    let sandbox = shipped("succeeds");
    for what in ["json", "jobId"] {
        let gate = Gate::against(&sandbox).set("TF_BUILD", "True");
        let ran = gate.run([RUN, &["--print", what]].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stdout.lines().all(|line| line.starts_with("##vso[task.")), "{ran:?}");
        ran.says(&["error: ", "`--print`", "Azure"]);
        ran.says(&["hint: ", "`--outputs-dir`"]);
    }
    assert!(sandbox.requests().is_empty());
}

#[test]
fn an_output_that_cannot_be_opened() {
    let place = &["exists", "write"];
    for (flags, problem) in [
        (&["--summary", "nowhere/summary.md"][..], &["summary", "`nowhere/summary.md`", "No such file"][..]),
        (&["--outputs-dir", "/dev/null/outputs"], &["`/dev/null/outputs`", "Not a directory"]),
    ] {
        let sandbox = shipped("succeeds");
        let ran = Gate::against(&sandbox).on_github().run([RUN, flags].concat());
        assert_eq!((ran.code, ran.github["outcome"].as_str()), (2, "usage"), "{ran:?}");
        assert!(sandbox.requests().is_empty());
        ran.says(&[&["error: "], problem].concat());
        ran.says(&[&["hint: "][..], place].concat());
    }
    let nowhere = |gate: Gate| gate.set("GITHUB_OUTPUT", "nowhere/output");
    refused(nowhere, RUN, &["step outputs", "`nowhere/output`"], place);
}

#[test]
fn a_wrong_word_reaches_the_outputs_that_are_right() {
    let print = &["`none`", "`json`", "`jobId`"];
    refused(as_it_is, &[RUN, &["--print", "xml"]].concat(), &["`--print`", "`xml`"], print);
    refused(as_it_is, &[RUN, &["--ci", "circle"]].concat(), &["`--ci`", "`circle`"], &["`auto`", "`github`"]);
}

#[test]
fn what_clap_refuses_is_usage_too() {
    let sandbox = shipped("succeeds");
    for (arguments, problem) in [
        (&["run", "--job-nam", "X"][..], "--job-nam"),
        (&["sh", "-c", "exit 0"], "sh"),
        (&["bash"], "bash"),
        (&["logon"], "logon"),
        (&["run", "--dry-run=maybe"], "--dry-run"),
        (&["run", "stray"], "stray"),
        (&[], "no command"),
    ] {
        let ran = Gate::against(&sandbox).on_github().run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert_eq!((ran.github["outcome"].as_str(), ran.github["exitCode"].as_str()), ("usage", "2"));
        assert!(ran.github_summary.contains("wrong usage"), "{}", ran.github_summary);
        ran.says(&["error: ", problem]);
        ran.says(&["hint: ", "--help"]);
    }
    assert!(sandbox.requests().is_empty());
}

#[test]
fn what_clap_refuses_reaches_the_outputs_of_the_environment() {
    let ran = Gate::against(&shipped("succeeds")).run(["run", "--job-nam", "X"]);
    assert_eq!(ran.files.get("outcome").map(String::as_str), Some("usage"), "{ran:?}");
    assert!(ran.summary.contains("wrong usage"), "{}", ran.summary);
}

#[test]
fn a_stdin_that_nobody_closes_ends_at_the_deadline() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).with_stdin_that_nobody_closes();
    let ran = gate.run(["run", "--payload", "-", "--timeout", "500ms"]);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    assert_eq!(ran.output("submitted"), "no");
    assert!(sandbox.requests().is_empty());
}
