//! `--download-dir` and `--collect`: files of a job on this machine, whole or not at all, and what a missing one means.

use std::path::Path;

use epm_sandbox::Sandbox;
use ring::digest::{SHA256, digest};

use crate::harness::{Gate, Ran, playing, shipped};

const LOG: &[&str] = &["run", "--job-name", "GL", "--download-dir", "files"];
const OUTPUT: &[&str] = &["run", "--job-name", "GL", "--download-dir", "files", "--collect", "output"];
const BOTH: &[&str] = &["run", "--job-name", "GL", "--download-dir", "files", "--collect", "log,output"];

const PASSES: &str = "[[job]]\npolls = [{ status = 0 }]\n";
const FAILS: &str = "[[job]]\npolls = [{ status = 1 }]\n";

/// A run, and what lies in the folder after it: names and contents.
fn run(sandbox: &Sandbox, arguments: &[&str]) -> (Ran, Vec<(String, Vec<u8>)>) {
    run_as(Gate::against(sandbox), arguments)
}

fn run_as(mut gate: Gate, arguments: &[&str]) -> (Ran, Vec<(String, Vec<u8>)>) {
    let ran = gate.run_again(arguments);
    let files = files(&gate.path("files"));
    (ran, files)
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry"))
        .map(|entry| (entry.file_name().into_string().expect("UTF-8"), std::fs::read(entry.path()).unwrap_or_default()))
        .collect();
    files.sort_unstable();
    files
}

fn file(name: &str, content: impl AsRef<[u8]>) -> (String, Vec<u8>) {
    (name.to_owned(), content.as_ref().to_vec())
}

fn sha256(content: &[u8]) -> String {
    digest(&SHA256, content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Which parts of files were asked for, in order; none for a whole.
fn ranges(sandbox: &Sandbox) -> Vec<Option<String>> {
    let of_files = sandbox.requests().into_iter().filter(|request| request.path.ends_with("/contents"));
    of_files.map(|request| request.range).collect()
}

fn whole_then(rest: &[&str]) -> Vec<Option<String>> {
    std::iter::once(None).chain(rest.iter().map(|range| Some((*range).to_owned()))).collect()
}

#[test]
fn log_and_output_are_saved_and_told() {
    let sandbox = playing(&format!("{PASSES}log = 'all is well'\noutput = 'a,b'\noutput_file = 'outbox/x é.csv'"));
    let (ran, files) = run(&sandbox, BOTH);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(files, [file("GL_2100.log", "all is well"), file("x é.csv", "a,b")]);
    assert_eq!((ran.output("logPath"), ran.output("outputPath")), ("files/GL_2100.log", "files/x é.csv"));
    assert_eq!(ran.jobs()[0]["logPath"], "files/GL_2100.log");
    ran.says(&["saved the log as `files/GL_2100.log` (11 bytes, sha256 ", &sha256(b"all is well")]);
    ran.says(&["saved the output as `files/x é.csv` (3 bytes, sha256 ", &sha256(b"a,b")]);
}

#[test]
fn the_log_is_saved_by_default_and_read_once() {
    let sandbox = playing(&format!("{FAILS}log = ' ERROR [AIF]: it was this'\noutput = 'a'\noutput_file = 'outbox/x'"));
    let (ran, files) = run(&sandbox, LOG);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    assert_eq!(files, [file("GL_2100.log", " ERROR [AIF]: it was this")]);
    ran.says(&["│ ", "it was this"]);
    assert_eq!((ran.output("outputPath"), ranges(&sandbox)), ("", vec![None]));
}

#[test]
fn without_a_folder_nothing_is_saved_and_a_log_is_read_on_failure_alone() {
    for (polls, reads) in [(PASSES, 0), (FAILS, 1)] {
        let sandbox = playing(&format!("{polls}log = 'x'\noutput = 'a'\noutput_file = 'outbox/x'"));
        let ran = Gate::against(&sandbox).run(["run", "--job-name", "GL"]);
        assert_eq!((ran.output("logPath"), ranges(&sandbox).len()), ("", reads), "{ran:?}");
    }
}

#[test]
fn every_shape_of_a_name_leads_to_the_file() {
    for (name, separator, expected) in [
        ("outbox/logs/X_1881.log", "%2F", "X_1881.log"),
        ("\\outbox\\logs\\BATCH1_7595.log", "%2F", "BATCH1_7595.log"),
        ("\\outbox\\logs\\BATCH1_7595.log", "%5C", "BATCH1_7595.log"),
        ("/u03/inbox/outbox/logs/Vision_271.log", "%5C", "Vision_271.log"),
        ("outbox/100% é.log", "%2F", "100% é.log"),
    ] {
        let toml = format!("{PASSES}log = 'x'\nlog_file = '{name}'\nlog_separator = '{separator}'\noutput = 'y'\n");
        let sandbox = playing(&format!("{toml}output_file = '{name}.out'"));
        let (ran, files) = run(&sandbox, BOTH);
        assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
        assert_eq!(files, [file(expected, "x"), file(&format!("{expected}.out"), "y")], "{name} {separator}");
    }
}

#[test]
fn no_name_leads_out_of_the_folder() {
    for (name, expected) in [
        ("outbox/C:\\\\x".to_owned(), "x".to_owned()),
        ("outbox/C:x".to_owned(), "C_x".to_owned()),
        ("outbox/NUL".to_owned(), "_NUL".to_owned()),
        ("outbox/a\\nb".to_owned(), "a_b".to_owned()),
        ("outbox/-rf".to_owned(), "_rf".to_owned()),
        ("outbox/...".to_owned(), "_".to_owned()),
        (format!("outbox/{}.csv", "x".repeat(4096)), format!("{}.csv", "x".repeat(196))),
    ] {
        let sandbox = playing(&format!("{PASSES}output = 'y'\noutput_file = \"{name}\""));
        let (ran, files) = run(&sandbox, OUTPUT);
        assert_eq!((ran.end(), files), ((0, "succeeded"), vec![file(&expected, "y")]), "{ran:?}");
    }
    for name in ["../../x", "..", "outbox/../../x", "..\\\\x"] {
        let sandbox =
            playing(&format!("{PASSES}log = 'x'\nlog_file = \"{name}\"\noutput = 'y'\noutput_file = \"{name}\""));
        let (ran, files) = run(&sandbox, LOG);
        assert_eq!((ran.end(), files), ((0, "succeeded"), vec![]), "{ran:?}");
        ran.says(&["the log", "could not be read: its name is not one of a file"]);
        let (ran, files) = run(&sandbox, OUTPUT);
        assert_eq!((ran.end(), files), ((40, "unwritable"), vec![]), "{ran:?}");
        assert!(ranges(&sandbox).is_empty());
    }
}

#[test]
fn files_of_one_name_do_not_meet() {
    let toml = |id: u64, name: &str| {
        format!("[[job]]\nid = {id}\nexists = true\npolls = [{{ status = 0 }}]\nlog = 'of {id}'\nlog_file = '{name}'\n")
    };
    let sandbox = playing(&[toml(7, "outbox/7/same.log"), toml(8, "outbox/8/SAME.log")].concat());
    let (ran, files) = run(&sandbox, &["attach", "7", "8", "--download-dir", "files"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    let (first, second) = (files[0].0.as_str(), files[1].0.as_str());
    assert!(matches!((first, second), ("7-same.log", "SAME.log") | ("8-SAME.log", "same.log")), "{files:?}");
    for job in ran.jobs().as_array().expect("a list") {
        let name = job["logPath"].as_str().and_then(|path| path.strip_prefix("files/")).expect("a path");
        let content = &files.iter().find(|file| file.0 == name).expect("it is there").1;
        assert_eq!(*content, format!("of {}", job["jobId"]).into_bytes());
    }
    let sandbox =
        playing(&format!("{PASSES}log = 'l'\nlog_file = 'outbox/logs/x'\noutput = 'o'\noutput_file = 'outbox/x'"));
    let (ran, files) = run(&sandbox, BOTH);
    assert_eq!(files, [file("2100-x", "o"), file("x", "l")]);
    assert_eq!((ran.output("logPath"), ran.output("outputPath")), ("files/x", "files/2100-x"));
}

#[test]
fn the_newest_attempt_has_the_plain_name() {
    let job = |id: u64, status: u8| {
        format!(
            "[[job]]\nid = {id}\npolls = [{{ status = {status} }}]\noutput = 'of {id}'\noutput_file = 'outbox/o.csv'\n\
             log = '2026-03-22 03:24:27,402 ERROR [AIF]: java.net.UnknownHostException: db'\n"
        )
    };
    let sandbox = playing(&[job(2001, 1), job(2002, 1), job(2003, 0)].concat());
    let again = ["--retries", "2", "--retry-delay", "1ms", "--import-mode", "Replace"];
    let (ran, files) = run(&sandbox, &[OUTPUT, &again].concat());
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(files, [file("2001-o.csv", "of 2001"), file("2002-o.csv", "of 2002"), file("o.csv", "of 2003")]);
    assert_eq!(ran.output("outputPath"), "files/o.csv");
    ran.says(&["`files/o.csv`, which is job 2001's, is now `files/2001-o.csv`"]);
    assert!(ran.report.contains("files/2001-o.csv"), "{ran:?}");
}

#[test]
fn no_file_takes_the_place_of_one_of_the_gates_own() {
    let sandbox = playing(&format!("{PASSES}output = 'theirs'\noutput_file = 'outbox/Summary.md'"));
    let ran = Gate::against(&sandbox).run(["run", "--job-name", "GL", "--download-dir", ".", "--collect", "output"]);
    assert_eq!((ran.end(), ran.output("outputPath")), ((0, "succeeded"), "./2100-Summary.md"), "{ran:?}");
    assert!(!ran.summary.contains("theirs"));
}

#[test]
fn what_lies_there_is_replaced_once_the_file_is_whole() {
    let sandbox = playing(&format!("{PASSES}log = 'new'\noutput_file = 'outbox/x'"));
    let gate = Gate::against(&sandbox);
    std::fs::create_dir(gate.path("files")).unwrap();
    for name in ["GL_2100.log", "GL_2100.log.part", "x", "x.part"] {
        gate.file(&format!("files/{name}"), "old");
    }
    let (ran, files) = run_as(gate, BOTH);
    assert_eq!(ran.end(), (40, "unwritable"), "{ran:?}");
    assert_eq!(files, [file("GL_2100.log", "new"), file("x", "old")]);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_folder_is_not_followed() {
    let sandbox = playing(&format!("{PASSES}log = 'ours'"));
    let mut gate = Gate::against(&sandbox);
    let outside = gate.file("outside", "theirs");
    std::fs::create_dir(gate.path("files")).unwrap();
    for name in ["GL_2100.log", "GL_2100.log.part"] {
        std::os::unix::fs::symlink(&outside, gate.path("files").join(name)).unwrap();
    }
    let ran = gate.run_again(LOG);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(files(&gate.path("files")), [file("GL_2100.log", "ours")]);
    assert_eq!(std::fs::read(outside).unwrap(), b"theirs");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told_before_anything_is_sent() {
    let sandbox = playing(PASSES);
    let gate = Gate::against(&sandbox);
    gate.file("files", "a file");
    let ran = gate.run(LOG);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["error: ", "cannot write to the folder for downloads `files`"]);
    assert!(sandbox.requests().is_empty());
}

#[test]
fn only_what_waits_makes_the_folder() {
    let sandbox = playing(PASSES);
    for arguments in
        [&["submit", "--job-name", "GL"][..], &["status", "2100"], &["run", "--job-name", "GL", "--dry-run"]]
    {
        let mut gate = Gate::against(&sandbox).set("EPM_DOWNLOAD_DIR", "files");
        let ran = gate.run_again(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!gate.path("files").exists(), "{arguments:?}");
    }
}

#[test]
fn words_that_say_nothing_are_wrong_usage() {
    for (collect, dir, says) in [
        ("logs", "files", "`logs` is not known"),
        ("log,out", "files", "`out` is not known"),
        (",", "files", "it names nothing"),
        ("output", "", "there is no folder to save an output to"),
        ("log", "-", "files are saved to a folder alone"),
        ("log, output", "", "there is no folder to save an output to"),
    ] {
        let sandbox = playing(PASSES);
        let gate = Gate::against(&sandbox).set("EPM_COLLECT", collect).set("EPM_DOWNLOAD_DIR", dir);
        let ran = gate.run(["run", "--job-name", "GL"]);
        assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
        ran.says(&["error: ", says]);
        assert!(sandbox.requests().is_empty());
    }
    let sandbox = playing(&format!("{PASSES}log = 'l'\noutput = 'o'\noutput_file = 'outbox/x'"));
    let gate = Gate::against(&sandbox).set("EPM_COLLECT", " LOG, Output,").set("EPM_DOWNLOAD_DIR", "files");
    let (ran, files) = run_as(gate, &["run", "--job-name", "GL"]);
    assert_eq!((ran.code, files.len()), (0, 2), "{ran:?}");
}

#[test]
fn a_file_that_breaks_off_goes_on_where_it_stopped() {
    let log = "2026 INFO  [AIF]: fine\\n2026 ERROR [AIF]: it was this\\n";
    let toml = format!("{FAILS}download = [{{ cut_after = 30 }}, {{ cut_after = 10 }}, {{}}]\nlog = \"{log}\"");
    let sandbox = playing(&toml);
    let (ran, files) = run(&sandbox, LOG);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    assert_eq!(files, [file("GL_2100.log", log.replace("\\n", "\n"))]);
    assert_eq!(ranges(&sandbox), whole_then(&["bytes=30-", "bytes=40-"]));
    let told = "its log broke off after 30 bytes: the connection to `127.0.0.1:";
    ran.says(&[told, "broke"]);
    assert_eq!(ran.summary.matches(told).count(), 1, "{}", ran.summary);
    ran.mentions(&["1 telling line, of 2 in the log", &sha256(log.replace("\\n", "\n").as_bytes())]);
}

#[test]
fn a_file_begins_anew_where_its_rest_cannot_be_had_or_is_another_ones() {
    let tag = "headers = { ETag = '\"a\"' }";
    let (old, new) =
        ("Last-Modified = 'Wed, 25 Nov 2026 04:01:00 GMT'", "Last-Modified = 'Wed, 25 Nov 2026 04:02:00 GMT'");
    let log = "2026 INFO  [AIF]: fine\n2026 ERROR [AIF]: it was this\n";
    // The rest of another file, which is as long.
    let other = format!(
        "{{ http = 206, headers = {{ {new}, Content-Range = 'bytes 30-52/53' }}, body = '{}', content_type = 'application/octet-stream' }}, {{}}",
        "x".repeat(23)
    );
    for (ranges_of_pod, first, second, asked) in [
        ("false", String::new(), "{}", vec![None, None]),
        ("false", format!(", {tag}"), "{}", whole_then(&["bytes=30-"])),
        ("true", String::new(), "{ headers = { ETag = '\"other\"' } }", whole_then(&["bytes=30-"])),
        ("false", format!(", headers = {{ {old} }}"), &other, [whole_then(&["bytes=30-"]), vec![None]].concat()),
    ] {
        let toml = format!(
            "{FAILS}ranges = {ranges_of_pod}\ndownload = [{{ cut_after = 30{first} }}, {second}]\nlog = '''\n{log}'''"
        );
        let sandbox = playing(&toml);
        let (ran, files) = run(&sandbox, LOG);
        assert_eq!((ran.end(), files), ((10, "failed"), vec![file("GL_2100.log", log)]), "{ran:?}");
        assert_eq!(ranges(&sandbox), asked);
        ran.mentions(&["1 telling line, of 2 in the log"]);
    }
}

#[test]
fn a_rest_that_does_not_fit_is_not_taken() {
    let wrong = "{ http = 206, headers = { Content-Range = 'bytes 4-9/10' }, body = '456789', content_type = 'application/octet-stream' }";
    let late = "{ http = 416 }";
    for odd in [wrong, late] {
        let toml = format!(
            "{PASSES}ranges = false\ndownload = [{{ cut_after = 5, headers = {{ ETag = '\"a\"' }} }}, {odd}, {{}}]\noutput = '0123456789'\noutput_file = 'outbox/x'"
        );
        let sandbox = playing(&toml);
        let (ran, files) = run(&sandbox, OUTPUT);
        assert_eq!((ran.end(), files), ((0, "succeeded"), vec![file("x", "0123456789")]), "{ran:?}");
        assert_eq!(ranges(&sandbox), [None, Some("bytes=5-".to_owned()), None]);
    }
}

#[test]
fn a_transfer_that_stalls_is_ended_and_goes_on() {
    let toml =
        format!("{PASSES}download = [{{ fault = 'stall' }}, {{}}]\noutput = '0123456789'\noutput_file = 'outbox/x'");
    let sandbox = playing(&toml);
    let (ran, files) = run_as(Gate::against(&sandbox).set("EPM_REQUEST_TIMEOUT", "300ms"), OUTPUT);
    assert_eq!((ran.end(), files), ((0, "succeeded"), vec![file("x", "0123456789")]), "{ran:?}");
    assert_eq!(ranges(&sandbox), whole_then(&["bytes=5-"]));
}

#[test]
fn a_file_that_never_gets_further_is_given_up() {
    let rest = "ranges = false\ndownload = [{ cut_after = 5 }]\noutput = '0123456789'\noutput_file = 'outbox/x'";
    for (polls, end) in [(PASSES, (40, "unwritable")), (FAILS, (10, "failed"))] {
        let sandbox = playing(&format!("{polls}{rest}"));
        // No deadline helps: that it ends at all is by its own limit.
        let gate = Gate::against(&sandbox).set("EPM_OUTAGE_BUDGET", "300ms").set("EPM_TIMEOUT", "none");
        let (ran, files) = run_as(gate, OUTPUT);
        assert_eq!((ran.end(), files), (end, vec![]), "{ran:?}");
        let kind = if end.0 == 40 { "error: " } else { "warning: " };
        ran.says(&[kind, "the output `outbox/x` was not saved: the connection to"]);
        assert!(ranges(&sandbox).len() > 2);
    }
}

#[test]
fn a_log_that_is_gone_or_not_for_us_is_a_note() {
    let gone = "log_file = 'outbox/logs/purged.log'";
    for (rest, says) in [
        (gone, "EPM does not give it out: `EPMCSS-00301: file not found`"),
        ("log = 'x'\ndownload = [{ http = 403 }]", "EPM denied access (HTTP 403)"),
        ("log = 'x'\ndownload = [{ http = 404 }]", "EPM does not give it out"),
    ] {
        let sandbox = playing(&format!("{PASSES}{rest}"));
        let (ran, files) = run(&sandbox, LOG);
        assert_eq!((ran.end(), files), ((0, "succeeded"), vec![]), "{ran:?}");
        ran.says(&["warning: the log", "could not be read: ", says]);
        assert!(ran.summary.contains("could not be read"), "{}", ran.summary);
    }
    let sandbox = playing("[[job]]\npolls = [{ status = 0, without = ['logFileName'] }]");
    let (ran, _) = run(&sandbox, BOTH);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.says(&["EPM names no log, so none is saved"]);
    ran.says(&["EPM names no output file, so none is saved"]);
}

#[test]
fn an_output_that_is_withheld_keeps_a_passed_job_from_passing() {
    for download in ["{}", "{ http = 403 }", "{ http = 404 }", "{ page = 'login' }"] {
        let toml = format!("{PASSES}log = 'l'\noutput_file = 'outbox/x'\ndownload = [{{}}, {download}]");
        let (ran, files) = run(&playing(&toml), BOTH);
        assert_eq!((ran.end(), files), ((40, "unwritable"), vec![file("GL_2100.log", "l")]), "{ran:?}");
        ran.says(&["error: ", "the output `outbox/x` was not saved: "]);
        ran.says(&["hint: ", "do not run it again", "attach to job 2100"]);
        assert_eq!(ran.output("status"), "0");
    }
    let (ran, _) = run(&playing(&format!("{FAILS}log = 'l'\noutput_file = 'outbox/x'")), BOTH);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    ran.says(&["warning: the output `outbox/x` was not saved: "]);
}

#[test]
fn a_file_that_is_missing_is_less_than_a_job_that_failed() {
    let job = |id: u64, status: i64| {
        format!("[[job]]\nid = {id}\nexists = true\npolls = [{{ status = {status} }}]\noutput_file = 'outbox/{id}'\n")
    };
    let attach = ["attach", "7", "8", "--download-dir", "files", "--collect", "output", "--timeout", "2s"];
    for (status, end) in [(0, (40, "unwritable")), (1, (10, "failed")), (-1, (20, "timed-out"))] {
        let (ran, _) = run(&playing(&[job(7, 0), job(8, status)].concat()), &attach);
        assert_eq!((ran.end(), &ran.jobs()[0]["outcome"]), (end, &"unwritable".into()), "{ran:?}");
    }
}

#[test]
fn an_answer_is_no_file_whatever_it_says_that_it_is() {
    let refusal = r#"{"status":8,"details":"EPMLCM-1: it is not there"}"#;
    let page = "<html><!--loginForm--></html>";
    for (kind, body) in [
        ("", refusal),
        ("text/plain", refusal),
        ("application/problem+json", refusal),
        ("", page),
        ("text/plain", page),
    ] {
        let toml = format!("{PASSES}log = 'l'\ndownload = [{{ body = '''{body}''', content_type = '{kind}' }}]");
        let sandbox = playing(&toml);
        let (ran, files) = run(&sandbox, &[LOG, &["--max-rejected", "0"]].concat());
        assert_eq!((ran.end(), files), ((13, "condition-unmet"), vec![]), "{kind} {body}: {ran:?}");
        let why = if body == refusal { "EPM does not give it out" } else { "login" };
        ran.says(&["warning: the log", "could not be read: ", why]);
    }
}

#[test]
fn a_log_that_is_empty_or_may_be_cut_bears_no_condition_out() {
    let flags = [LOG, &["--max-rejected", "0"]].concat();
    for (download, log, why) in [
        ("{}", "", "it is empty"),
        ("{ fault = 'unframed' }", "all is well", "nothing tells whether it came to its end"),
    ] {
        let toml = format!("{PASSES}download = [{download}]\nlog = '{log}'");
        let (ran, files) = run(&playing(&toml), &flags);
        assert_eq!((ran.end(), files), ((13, "condition-unmet"), vec![file("GL_2100.log", log)]), "{ran:?}");
        ran.says(&["error: ", &format!("its log could not be read ({why}), and `--max-rejected` 0 is set")]);
        let (ran, files) = run(&playing(&toml), LOG);
        assert_eq!((ran.end(), files), ((0, "succeeded"), vec![file("GL_2100.log", log)]), "{ran:?}");
    }
}

#[test]
fn a_file_that_may_be_cut_is_saved_and_told_so() {
    let toml = format!("{PASSES}download = [{{ fault = 'unframed' }}]\noutput = 'a,b'\noutput_file = 'outbox/x'");
    let (ran, files) = run(&playing(&toml), OUTPUT);
    assert_eq!((ran.end(), files), ((0, "succeeded"), vec![file("x", "a,b")]), "{ran:?}");
    let note = "nothing tells whether the output `outbox/x` came to its end";
    ran.says(&[note]);
    assert!(ran.summary.contains(note), "{}", ran.summary);
}

#[test]
fn a_file_of_json_or_html_is_saved() {
    for (name, body) in [
        ("x.json", r#"{"status":"new","details":[1]}"#),
        ("x.csv", r#"{"rows":3}"#),
        ("x.html", "<!DOCTYPE html><p>a report"),
        ("x.csv", "<?xml version=\"1.0\"?><rows/>"),
    ] {
        let sandbox = playing(&format!("{PASSES}output = '''{body}'''\noutput_file = 'outbox/{name}'"));
        let (ran, files) = run(&sandbox, OUTPUT);
        assert_eq!((ran.end(), files), ((0, "succeeded"), vec![file(name, body)]), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_spoils_the_file_and_not_the_verdict() {
    for (polls, end) in [(PASSES, (40, "unwritable")), (FAILS, (10, "failed"))] {
        let toml = format!("{polls}download = [{{ padding = 1000000 }}]\nlog = \" ERROR [AIF]: it was this\\n\"");
        let sandbox = playing(&toml);
        let gate = Gate::against(&sandbox).after_shell("trap '' XFSZ; ulimit -f 400");
        let (ran, files) = run_as(gate, LOG);
        assert_eq!((ran.end(), files), (end, vec![]), "{ran:?}");
        ran.mentions(&["the log `outbox/logs/GL_2100.log` was not saved: File too large"]);
        // It is read on all the same.
        assert_eq!(ran.stderr.contains("1 telling line, of 17 in the log"), end.0 == 10, "{ran:?}");
    }
}

#[test]
fn at_the_deadline_the_verdict_stands_and_no_half_file_stays() {
    let rest = "download = [{ fault = 'stall' }]\nlog = '0123456789'";
    for (polls, end) in [(PASSES, (40, "unwritable")), (FAILS, (10, "failed"))] {
        let sandbox = playing(&format!("{polls}{rest}"));
        let (ran, files) = run_as(Gate::against(&sandbox).set("EPM_TIMEOUT", "2s"), LOG);
        assert_eq!((ran.end(), files), (end, vec![]), "{ran:?}");
        assert_eq!(ran.output("status"), if end.0 == 40 { "0" } else { "1" });
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_download_and_no_half_file_stays() {
    let rest = "download = [{ fault = 'stall' }]\nlog = '0123456789'";
    for (polls, end) in [(PASSES, (40, "unwritable")), (FAILS, (10, "failed"))] {
        let sandbox = playing(&format!("{polls}{rest}"));
        let mut running = Gate::against(&sandbox).start(LOG);
        let part = running.path("files/GL_2100.log.part");
        running.until("half of the file is there", || part.metadata().is_ok_and(|metadata| metadata.len() == 5));
        running.signal("TERM");
        let (ran, dir) = running.finish_and_keep();
        assert_eq!(ran.end(), end, "{ran:?}");
        ran.mentions(&["the log `outbox/logs/GL_2100.log` was not saved: SIGTERM was received before it had come"]);
        assert_eq!(files(&dir.path().join("files")), [], "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn gates_that_save_one_name_to_one_folder_do_not_meet() {
    let toml = |id: u64| {
        format!(
            "[[job]]\nid = {id}\nexists = true\npolls = [{{ status = 0 }}]\ndownload = [{{ fault = 'stall' }}, {{}}]\n\
             output = '{id}-----'\noutput_file = 'outbox/x'\n"
        )
    };
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_str().expect("UTF-8");
    let (slow, quick) = (playing(&toml(7)), playing(&toml(8)));
    let start = |sandbox: &Sandbox, id, limit| {
        let flags = ["attach", id, "--download-dir", dir, "--collect", "output", "--request-timeout", limit];
        Gate::against(sandbox).start(flags)
    };
    let mut first = start(&slow, "7", "60s");
    let part = folder.path().join("x.part");
    let has_half = || std::fs::read(&part).is_ok_and(|half| half == b"7--");
    first.until("half of the first one is there", has_half);
    let ran = start(&quick, "8", "300ms").finish();
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(files(folder.path()), [file("x", "8-----"), file("x.part", "7--")]);
    first.signal("TERM");
    first.finish();
    assert_eq!(files(folder.path()), [file("x", "8-----")]);
}

#[test]
fn what_a_job_of_an_earlier_run_has_made_is_had_again() {
    let sandbox = playing(&format!("{PASSES}log = 'l'\noutput = 'o'\noutput_file = 'outbox/x'"));
    let mut gate = Gate::against(&sandbox).set("EPM_LEDGER", "ledger.json").set("EPM_LEDGER_KEY", "Jan-26");
    for reused in ["false", "true"] {
        let ran = gate.run_again(BOTH);
        assert_eq!((ran.end(), ran.output("reused")), ((0, "succeeded"), reused), "{ran:?}");
        assert_eq!((ran.output("logPath"), ran.output("outputPath")), ("files/GL_2100.log", "files/x"));
        std::fs::remove_dir_all(gate.path("files")).expect("it is there");
    }
    assert_eq!(sandbox.posts(), 1);
}

#[test]
fn a_record_of_a_file_that_broke_off_plays_again() {
    let sandbox = shipped("saves-files");
    let (ran, files) = run_as(Gate::against(&sandbox).recorded(), BOTH);
    assert_eq!((ran.end(), files.len()), ((0, "succeeded"), 2), "{ran:?}");
    let record = &ran.record;
    assert!(record.contains(r#""content-range":"bytes 20-76/77""#), "{record}");
    let pod = crate::harness::replaying(record);
    let (again, files) = run(&pod, BOTH);
    assert_eq!((again.end(), files.len()), ((0, "succeeded"), 2), "{again:?}");
    assert_eq!(ranges(&pod), [None, None, Some("bytes=20-".to_owned())]);
    assert_eq!(files.iter().map(|file| file.1.len()).max(), Some(182));
}
