//! Files that are brought to the inbox before the submit: what each answer comes to, and what is left there.

use std::fmt::Write as _;

use epm_sandbox::Sandbox;

use crate::harness::{Gate, Ran, playing, replaying, shipped, text_of};

/// `x,1\n` and its hash.
const CONTENT: &str = "x,1\n";
const HASH: &str = "c70aa381191a9a81846a5180b91f09043fb10307d68f7b76483439b8cafa9000";

/// A pod with a job that needs its file, and an inbox as told.
fn pod(inbox: &str) -> Sandbox {
    playing(&format!("[inbox]\n{inbox}\n[[job]]\nid = 2100\nneeds_file = true\npolls = [{{ status = 0 }}]\n"))
}

/// A run that brings `x.csv` as `inbox/x.csv`.
fn bring(gate: Gate) -> Ran {
    let file = gate.file("x.csv", CONTENT);
    gate.run(["run", "--job-name", "GLDATA", "--upload", &format!("{file}=inbox/x.csv")])
}

/// The report of a run.
fn report(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.report).expect("JSON")
}

/// What lies in the inbox: names and sizes.
fn inbox(sandbox: &Sandbox) -> Vec<(String, u64)> {
    sandbox.inbox().into_iter().map(|file| (file.name, file.size)).collect()
}

fn named(name: &str, size: u64) -> Vec<(String, u64)> {
    vec![(name.to_owned(), size)]
}

/// Uploads that arrived, submits that arrived.
fn posts(sandbox: &Sandbox) -> (usize, usize) {
    (sandbox.uploads(), sandbox.posts())
}

#[test]
fn a_file_is_brought_before_the_submit_and_the_job_reads_it() {
    let sandbox = pod("");
    let ran = bring(Gate::against(&sandbox));
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!((inbox(&sandbox), posts(&sandbox)), (named("inbox/x.csv", 4), (1, 1)));
    let requests = sandbox.requests();
    let place = |found: &dyn Fn(&epm_sandbox::Request) -> bool| requests.iter().position(found).expect("it arrived");
    let upload = place(&|request| request.is_upload());
    let submit = place(&|request| request.is_submit());
    assert!(place(&|request| request.path == "/aif/rest/") < upload && upload < submit, "{requests:?}");
    assert_eq!(requests[submit].payload["fileName"], "inbox/x.csv");
    ran.says(&["uploading ", "x.csv` (4 bytes) to `inbox/x.csv`"]);
    ran.says(&["uploaded `inbox/x.csv` in "]);
    assert!(ran.summary.contains("uploaded `inbox/x.csv` (4 bytes)"), "{}", ran.summary);
}

#[test]
fn a_file_without_a_name_gets_one_of_its_content() {
    let sandbox = pod("");
    let mut names = Vec::new();
    for was_there in [false, true] {
        let gate = Gate::against(&sandbox);
        let file = gate.file("GL data.csv", CONTENT);
        let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &file]);
        assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
        assert_eq!(report(&ran)["uploads"][0]["wasThere"], was_there, "{ran:?}");
        assert_eq!(
            ran.summary.contains("held the same already (4 bytes), nothing was sent"),
            was_there,
            "{}",
            ran.summary
        );
        assert_eq!(ran.summary.contains("uploaded `inbox/"), !was_there, "{}", ran.summary);
        names.push(sandbox.inbox().remove(0).name);
    }
    assert_eq!(names[0], names[1]);
    let hash = &sandbox.inbox()[0].sha256;
    assert_eq!(names[0], format!("inbox/GL data-{}.csv", &hash[..16]));
    // The second run finds the same there, and leaves it to whoever may be reading it.
    assert_eq!((inbox(&sandbox).len(), posts(&sandbox)), (1, (1, 2)));
    let submits: Vec<_> = sandbox.requests().into_iter().filter(epm_sandbox::Request::is_submit).collect();
    assert!(submits.iter().all(|submit| submit.payload["fileName"] == names[0].as_str()), "{submits:?}");
    let other = Gate::against(&sandbox);
    let file = other.file("GL data.csv", "x,2\n");
    assert_eq!(other.run(["run", "--job-name", "GLDATA", "--upload", &file]).code, 0);
    assert_eq!(inbox(&sandbox).len(), 2);
}

#[test]
fn something_else_under_a_name_of_our_content_is_replaced() {
    let gate = Gate::against(&pod(""));
    let file = gate.file("x.csv", CONTENT);
    let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &file, "--dry-run"]);
    let shown: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let name = shown["uploads"][0]["remote"].as_str().expect("a name").to_owned();
    for separator in ["", "separator = '%2F'\n", "separator = '%5C'\n"] {
        let sandbox = pod(&format!("{separator}files = {{ '{name}' = 'a part' }}"));
        let gate = Gate::against(&sandbox);
        let file = gate.file("x.csv", CONTENT);
        let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &file]);
        assert_eq!(ran.end(), (0, "succeeded"), "{separator}: {ran:?}");
        assert_eq!((inbox(&sandbox), posts(&sandbox)), (named(&name, 4), (1, 1)), "{separator}");
        ran.says(&["deleted what lay there as `inbox/x-"]);
    }
}

#[test]
fn a_part_that_another_gate_is_bringing_is_left_to_it() {
    let gate = Gate::against(&pod(""));
    let file = gate.file("x.csv", CONTENT);
    let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &file, "--dry-run"]);
    let shown: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let name = shown["uploads"][0]["remote"].as_str().expect("a name").to_owned();
    let sandbox = pod(&format!("files = {{ '{name}' = 'x' }}"));
    let gate = Gate::against(&sandbox);
    let file = gate.file("x.csv", CONTENT);
    let mut running = gate.start(["run", "--job-name", "GLDATA", "--upload", &file]);
    let reads = || sandbox.requests().iter().filter(|request| request.path.contains("inbox%2F")).count();
    running.until("it was read", || reads() == 1);
    // As the other one does, here in two steps.
    let other = Gate::against(&sandbox).set("EPM_OVERWRITE", "1");
    let file = other.file("x.csv", CONTENT);
    assert_eq!(other.run(["submit", "--job-name", "OTHER", "--upload", &format!("{file}={name}")]).code, 0);
    let ran = running.finish();
    assert_eq!((ran.end(), posts(&sandbox)), ((0, "succeeded"), (1, 2)), "{ran:?}");
    assert!(!ran.stderr.contains("deleted"), "{ran:?}");
    ran.says(&["holds the same already; left as it is"]);
}

#[test]
fn names_with_spaces_and_letters_of_any_kind_arrive_as_they_are() {
    for name in ["inbox/Löhne & Gehälter 100%+#?;=.csv", "inbox/2026 ü/Ja n.csv", "inbox/日本.csv"] {
        let sandbox = pod("");
        let gate = Gate::against(&sandbox);
        let file = gate.file("Löhne = 1.csv", CONTENT);
        let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &format!("{file}={name}")]);
        assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
        assert_eq!(inbox(&sandbox), named(name, 4));
    }
}

#[test]
fn several_files_are_brought_one_after_the_other() {
    let sandbox = pod("");
    let gate = Gate::against(&sandbox);
    let files = ["a.csv", "b=1.csv"].map(|name| gate.file(name, name));
    let lines = format!("{}=inbox/a.csv\n{}=inbox/b.csv \n", files[0], files[1]);
    let ran = gate.set("EPM_UPLOAD", lines).run(["run", "--job-name", "GLDATA", "--file-name", "inbox/b.csv"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!(inbox(&sandbox), [("inbox/a.csv".to_owned(), 5), ("inbox/b.csv".to_owned(), 7)]);
}

#[test]
fn submit_alone_brings_its_file_too() {
    let sandbox = pod("");
    let gate = Gate::against(&sandbox);
    let file = gate.file("x.csv", CONTENT);
    let ran = gate.run(["submit", "--job-name", "GLDATA", "--upload", &file]);
    assert_eq!(ran.end(), (0, "submitted"), "{ran:?}");
    assert_eq!(posts(&sandbox), (1, 1));
}

#[test]
fn a_file_that_is_there_is_refused_unless_it_may_be_overwritten() {
    let sandbox = shipped("upload-exists");
    let ran = bring(Gate::against(&sandbox));
    assert_eq!(ran.end(), (32, "rejected"), "{ran:?}");
    assert_eq!((inbox(&sandbox), posts(&sandbox)), (named("inbox/x.csv", 8), (1, 0)));
    assert_eq!((ran.output("submitted"), ran.output("jobId")), ("no", ""));
    ran.says(&["error: ", "x.csv` was not uploaded: a file of that name is there already", "file or folder exists"]);
    ran.says(&["hint: ", "nothing was submitted", "`--overwrite`"]);
    assert!(!ran.stderr.contains("may lie"), "{ran:?}");
    let ran = bring(Gate::against(&sandbox).set("EPM_OVERWRITE", "true"));
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    assert_eq!((inbox(&sandbox), posts(&sandbox)), (named("inbox/x.csv", 4), (2, 1)));
    let notes = report(&ran)["notes"].to_string();
    assert!(notes.contains("deleted what lay there as `inbox/x.csv`"), "{notes}");
}

#[test]
fn the_same_content_under_a_name_that_was_given_is_refused_too() {
    let sandbox = pod(&format!("files = {{ 'inbox/x.csv' = {CONTENT:?} }}"));
    assert_eq!(bring(Gate::against(&sandbox)).end(), (32, "rejected"));
}

#[test]
fn each_answer_to_an_upload_ends_the_run_as_it_should() {
    let short = ["--request-timeout", "500ms", "--submit-timeout", "500ms", "--outage-budget", "0s"];
    for (reply, end, uploads) in [
        ("{ status = 8, details = 'no space left', taken = false }", (32, "rejected"), 1),
        ("{ http = 413 }", (32, "rejected"), 1),
        ("{ http = 404 }", (32, "rejected"), 1),
        ("{ http = 403 }", (30, "access-denied"), 1),
        ("{ http = 401 }", (30, "access-denied"), 1),
        ("{ http = 302, headers = { Location = 'https://login.example.com/' } }", (30, "access-denied"), 1),
        ("{ page = 'login' }", (30, "access-denied"), 1),
        ("{ http = 503 }", (31, "unreachable"), 1),
        ("{ http = 429 }", (31, "unreachable"), 1),
        ("{ fault = 'reset-before' }", (31, "unreachable"), 1),
        ("{ fault = 'hang', taken = false }", (31, "unreachable"), 1),
        ("{ body = 'OK', content_type = 'text/plain', taken = false }", (31, "unreachable"), 1),
        ("{ body = '{}', taken = false }", (31, "unreachable"), 1),
        ("{ body = '<html>hello</html>', content_type = 'text/html', taken = false }", (31, "unreachable"), 1),
    ] {
        let sandbox = pod(&format!("upload = [{reply}]"));
        let gate = Gate::against(&sandbox);
        let file = gate.file("x.csv", CONTENT);
        let upload = format!("{file}=inbox/x.csv");
        let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &upload].into_iter().chain(short));
        assert_eq!((ran.end(), posts(&sandbox)), (end, (uploads, 0)), "{reply}: {ran:?}");
        assert_eq!(ran.output("submitted"), "no");
        ran.says(&["error: ", "x.csv` was not uploaded: "]);
        let may_lie = end.0 == 31;
        assert_eq!(
            ran.stderr.contains("`inbox/x.csv` may lie in the inbox, as a whole or in part"),
            may_lie,
            "{ran:?}"
        );
    }
}

#[test]
fn an_upload_is_repeated_after_a_fault() {
    for (upload, uploads) in [
        ("{ http = 503 }, {}", 2),
        ("{ http = 429, headers = { Retry-After = '1' } }, {}", 2),
        ("{ fault = 'reset-before' }, {}", 2),
        // It had arrived: what lies there is read back, and is it.
        ("{ fault = 'reset-after' }, {}", 1),
        ("{ fault = 'half-body' }, {}", 1),
        ("{ body = 'OK', content_type = 'text/plain' }, {}", 1),
    ] {
        let sandbox = pod(&format!("upload = [{upload}]"));
        let ran = bring(Gate::against(&sandbox));
        assert_eq!(ran.end(), (0, "succeeded"), "{upload}: {ran:?}");
        assert_eq!((inbox(&sandbox), posts(&sandbox)), (named("inbox/x.csv", 4), (uploads, 1)), "{upload}");
        assert!(ran.stderr.contains("; asking again"), "{upload}: {ran:?}");
    }
}

#[test]
fn a_part_that_a_broken_upload_has_left_is_met_by_the_next_try() {
    let broken = "breaks = [{ after = 2, by = 'reset', leaves = true }]";
    let sandbox = pod(broken);
    let ran = bring(Gate::against(&sandbox));
    assert_eq!((ran.end(), posts(&sandbox)), ((32, "rejected"), (1, 0)), "{ran:?}");
    ran.says(&["error: ", "what lies there now is not that file", "`inbox/x.csv` may lie in the inbox"]);
    let sandbox = pod(broken);
    let ran = bring(Gate::against(&sandbox).set("EPM_OVERWRITE", "true"));
    assert_eq!((ran.end(), posts(&sandbox)), ((0, "succeeded"), (2, 1)), "{ran:?}");
    assert_eq!(inbox(&sandbox), named("inbox/x.csv", 4));
    let sandbox = shipped("upload-cut-off");
    let gate = Gate::against(&sandbox);
    let file = gate.file("x.csv", "0123456789".repeat(20_000));
    let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &file]);
    assert_eq!((ran.end(), posts(&sandbox)), ((0, "succeeded"), (2, 1)), "{ran:?}");
    assert_eq!(sandbox.inbox()[0].size, 200_000);
}

#[test]
fn an_upload_that_epm_is_busy_with_is_waited_for() {
    for (sandbox, asks) in [
        (shipped("upload-in-progress"), 3),
        (pod("upload = [{ status = -1 }, { http = 503 }, { status = -1 }, {}]"), 3),
        (pod("upload = [{ status = -1, without = ['links'] }]"), 1),
        (pod("upload = [{ status = -1 }, { http = 404 }]"), 2),
    ] {
        let ran = bring(Gate::against(&sandbox));
        assert_eq!((ran.end(), posts(&sandbox)), ((0, "succeeded"), (1, 1)), "{ran:?}");
        let is_ask = |path: &str| path.contains("/applicationsnapshots/") && !path.contains("extDirPath");
        let asked = sandbox.requests().iter().filter(|request| is_ask(&request.path)).count();
        assert_eq!(asked, asks, "{:?}", sandbox.requests());
        ran.says(&["still busy with it (status -1)"]);
    }
    let sandbox = pod("upload = [{ status = -1 }, { status = 8, details = 'virus' }]");
    let ran = bring(Gate::against(&sandbox));
    assert_eq!((ran.end(), posts(&sandbox)), ((32, "rejected"), (1, 0)), "{ran:?}");
    let sandbox = pod("upload = [{ status = -1 }]");
    let ran = bring(Gate::against(&sandbox).set("EPM_TIMEOUT", "2s"));
    assert_eq!((ran.end(), posts(&sandbox)), ((31, "unreachable"), (1, 0)), "{ran:?}");
    ran.says(&["error: ", "busy with it (status -1)", "`inbox/x.csv` may lie in the inbox"]);
}

#[test]
fn no_link_leads_an_upload_elsewhere() {
    let other = shipped("succeeds");
    for href in [
        format!("{}/interop/rest/11.1.2.3.600/applicationsnapshots/x.csv/contents/7049", other.url()),
        format!("{}/interop/rest/../../aif/rest/", other.url()),
        format!("{}/elsewhere", other.url()),
    ] {
        let link = format!("fields = {{ links = [{{ rel = 'Job Status', href = '{href}' }}] }}");
        let sandbox = pod(&format!("upload = [{{ status = -1, {link} }}, {{}}]"));
        let ran = bring(Gate::against(&sandbox));
        assert_eq!((ran.end(), posts(&sandbox)), ((0, "succeeded"), (1, 1)), "{href}: {ran:?}");
        assert!(other.requests().is_empty(), "{:?}", other.requests());
    }
}

#[test]
fn a_shipped_refusal_says_why() {
    let sandbox = shipped("upload-refused");
    let ran = bring(Gate::against(&sandbox));
    assert_eq!((ran.end(), posts(&sandbox), inbox(&sandbox)), ((32, "rejected"), (1, 0), vec![]), "{ran:?}");
    ran.says(&["error: ", "EPM refused it (HTTP 200, status 8): `"]);
}

#[test]
fn a_token_that_runs_out_costs_one_renewal() {
    let scenario = "[inbox]\nupload = [{ http = 401 }, {}]\n[[job]]\nneeds_file = true\npolls = [{ status = 0 }]\n";
    let sandbox = playing(scenario);
    let ran = bring(Gate::exchanging(&sandbox));
    assert_eq!((ran.end(), posts(&sandbox), sandbox.exchanges()), ((0, "succeeded"), (2, 1), 2), "{ran:?}");
    let sandbox = playing(&scenario.replace(", {}", ""));
    let ran = bring(Gate::exchanging(&sandbox));
    assert_eq!((ran.end(), posts(&sandbox)), ((30, "access-denied"), (2, 0)), "{ran:?}");
}

#[test]
fn what_the_ledger_has_of_an_earlier_run_is_followed_without_an_upload() {
    for polls in ["[{ status = -1, times = 3 }, { status = 0 }]", "[{ status = 0 }]"] {
        let sandbox = playing(&format!("[[job]]\nid = 2100\nneeds_file = true\npolls = {polls}\n"));
        let mut gate = Gate::against(&sandbox).set("EPM_LEDGER_KEY", "k");
        let ledger = tempfile::tempdir().expect("a folder");
        let file = ledger.path().join("x.csv");
        let ledger = ledger.path().join("ledger.json");
        let run = ["run", "--job-name", "GLDATA", "--ledger", ledger.to_str().expect("UTF-8"), "--upload"];
        let upload = file.to_str().expect("UTF-8");
        let mut with = |content: &str| {
            std::fs::write(&file, content).expect("a file");
            gate.run_again(run.into_iter().chain([upload]))
        };
        assert_eq!(with(CONTENT).code, 0);
        let again = with(CONTENT);
        assert_eq!((again.code, again.output("submitted"), posts(&sandbox)), (0, "no", (1, 1)), "{again:?}");
        // Another content is another load.
        let other = with("x,2\n");
        assert_eq!((other.code, other.output("submitted"), posts(&sandbox)), (0, "yes", (2, 2)), "{other:?}");
    }
}

#[test]
fn the_content_is_part_of_the_key_even_where_the_name_stays() {
    let sandbox = pod("");
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = folder.path().join("ledger.json");
    for (content, submitted) in [("x,1\n", "yes"), ("x,1\n", "no"), ("x,2\n", "yes")] {
        let gate = Gate::against(&sandbox).set("EPM_LEDGER_KEY", "k").set("EPM_OVERWRITE", "1");
        let file = gate.file("x.csv", content);
        let upload = format!("{file}=inbox/x.csv");
        let ledger = ledger.to_str().expect("UTF-8");
        let ran = gate.run(["run", "--job-name", "GLDATA", "--ledger", ledger, "--upload", &upload]);
        assert_eq!((ran.code, ran.output("submitted")), (0, submitted), "{ran:?}");
    }
    assert_eq!(posts(&sandbox), (2, 2));
}

#[test]
fn another_attempt_brings_nothing_anew() {
    let sandbox = playing(
        "[[job]]\nneeds_file = true\npolls = [{ status = 1, details = 'java.net.SocketTimeoutException: connect timed out' }]\n\
         [[job]]\nneeds_file = true\npolls = [{ status = 0 }]\n",
    );
    let gate = Gate::against(&sandbox);
    let file = gate.file("x.csv", CONTENT);
    let upload = format!("{file}=inbox/x.csv");
    let retry =
        ["--retries", "1", "--retry-on", "connectivity,unclassified", "--retry-delay", "10ms", "--retry-anyway"];
    let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &upload].iter().chain(&retry));
    assert_eq!((ran.end(), posts(&sandbox)), ((0, "succeeded"), (1, 2)), "{ran:?}");
}

#[test]
fn an_upload_that_failed_leaves_no_intent() {
    let sandbox = pod("upload = [{ status = 8, details = 'no', taken = false }, {}]");
    let mut gate = Gate::against(&sandbox).set("EPM_LEDGER_KEY", "k");
    let folder = tempfile::tempdir().expect("a folder");
    let (ledger, file) = (folder.path().join("ledger.json"), folder.path().join("x.csv"));
    std::fs::write(&file, CONTENT).expect("a file");
    let run = ["run", "--job-name", "GLDATA", "--ledger"].map(std::ffi::OsStr::new);
    let rest = [ledger.as_os_str(), "--upload".as_ref(), file.as_os_str()];
    assert_eq!(gate.run_again(run.into_iter().chain(rest)).code, 32);
    assert!(!text_of(&ledger).contains("intended"), "{}", text_of(&ledger));
    assert_eq!(gate.run_again(run.into_iter().chain(rest)).code, 0);
    assert_eq!(posts(&sandbox), (2, 1));
}

#[test]
fn what_is_wrong_with_an_upload_is_told_before_anything_is_sent() {
    let sandbox = pod("");
    for (flags, why) in [
        (&["--upload", "gone.csv"][..], "`gone.csv` cannot be read"),
        (&["--upload", "gone.csv=inbox/x.csv"], "`gone.csv` cannot be read"),
        (&["--upload", "."], "`.` is no file"),
        (&["--upload", "x.csv=data/x.csv"], "no name in the inbox behind its `=`"),
        (&["--upload", "x.csv=#epminbox/x.csv"], "no name in the inbox behind its `=`"),
        (&["--upload", "x.csv=inbox/../x.csv"], "`.` and `..` are no names"),
        (&["--upload", "x.csv=inbox/"], "a part of it is empty"),
        (&["--upload", "x.csv=inbox/a\\x.csv"], "a backslash"),
        (&["--upload", "x.csv", "--file-name", "inbox/y.csv"], "nothing says that the job reads `x.csv`"),
        (&["--upload", "x.csv", "--job-type", "PIPELINE"], "nothing says that the job reads `x.csv`"),
        (&["--upload", "x.csv", "--upload", "y.csv"], "nothing says that the job reads `x.csv`"),
        (
            &["--upload", "x.csv=inbox/z.csv", "--upload", "y.csv=inbox/z.csv"],
            "two uploads would take the name `inbox/z.csv`",
        ),
        (&["--upload", "x.csv=inbox/x.csv", "--html", "x.csv"], "`x.csv` is the file of `upload` already"),
        (&["--overwrite"], "there is no `--upload`"),
    ] {
        let gate = Gate::against(&sandbox);
        gate.file("x.csv", CONTENT);
        gate.file("y.csv", CONTENT);
        let ran = gate.run(["run", "--job-name", "GLDATA"].iter().chain(flags));
        assert_eq!(ran.end(), (2, "usage"), "{flags:?}: {ran:?}");
        ran.says(&["error: ", why]);
    }
    let gate = Gate::against(&sandbox);
    let (file, payload) = (gate.file("x.csv", CONTENT), gate.file("p.json", r#"{"jobType":"BATCH","jobName":"B"}"#));
    let ran = gate.run(["run", "--payload", &payload, "--upload", &file]);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    assert!(sandbox.requests().is_empty());
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_file() {
    let gate = Gate::against(&pod(""));
    let pipe = gate.path("given-pipe");
    crate::harness::make_pipe(&pipe);
    let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", pipe.to_str().expect("UTF-8")]);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["error: ", "is no file"]);
}

#[test]
fn what_may_be_a_mistake_is_told_and_goes_on() {
    let sandbox = pod("files = { 'inbox/old.csv' = 'x' }");
    let gate = Gate::against(&sandbox);
    let file = gate.file("x.csv", "");
    let upload = format!("{file}=inbox/x.csv");
    let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &upload, "--file-name", "inbox/old.csv"]);
    assert_eq!(ran.end(), (0, "succeeded"), "{ran:?}");
    ran.says(&["warning: ", "x.csv` is empty"]);
    ran.says(&["warning: ", "the job reads `inbox/old.csv`, which is none of the uploads"]);
    assert_eq!(inbox(&sandbox)[1], ("inbox/x.csv".to_owned(), 0));
}

#[test]
fn a_dry_run_shows_what_would_be_brought() {
    let sandbox = pod("");
    let gate = Gate::against(&sandbox);
    let file = gate.file("x.csv", CONTENT);
    let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &file, "--dry-run"]);
    let shown: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let upload = &shown["uploads"][0];
    let sha256 = upload["sha256"].as_str().expect("a hash");
    assert_eq!((upload["local"].as_str(), upload["bytes"].as_u64(), sha256.len()), (Some(file.as_str()), Some(4), 64));
    assert_eq!((&shown["payload"]["fileName"], sha256), (&upload["remote"], HASH));
    assert!(sandbox.requests().is_empty());
}

/// A pod that reads a little of the first upload and no more, and a file that no socket takes whole.
fn stalling(arguments: &[&str]) -> (Sandbox, crate::harness::Running) {
    let sandbox = pod("breaks = [{ after = 65536, by = 'stall' }]");
    let gate = Gate::against(&sandbox);
    let mut content = String::new();
    for line in 0..2_000_000 {
        let _ = writeln!(content, "row {line},100.00");
    }
    let file = gate.file("given-large.csv", content);
    let upload = format!("{file}=inbox/large.csv");
    let running = gate.start(["run", "--job-name", "GLDATA", "--upload", &upload].iter().chain(arguments));
    (sandbox, running)
}

#[cfg(unix)]
#[test]
fn a_signal_ends_an_upload_at_once() {
    for (name, code) in [("TERM", 143), ("INT", 130)] {
        let (sandbox, mut running) = stalling(&[]);
        running.until("the upload has begun", || sandbox.uploads() == 1);
        running.signal(name);
        let ran = running.finish();
        assert_eq!((ran.end(), posts(&sandbox)), ((code, "interrupted"), (1, 0)), "{ran:?}");
        assert_eq!(ran.output("submitted"), "no");
        ran.says(&["error: ", "nothing was submitted; `inbox/large.csv` may lie in the inbox, as a whole or in part"]);
        ran.says(&["hint: ", "un it again with `--overwrite`"]);
    }
    // It was set, so that the next run needs nothing more.
    let (sandbox, mut running) = stalling(&["--overwrite"]);
    running.until("the upload has begun", || sandbox.uploads() == 1);
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    assert!(!ran.stderr.contains("`--overwrite`"), "{ran:?}");
}

#[test]
fn the_next_run_after_a_failed_one_needs_to_overwrite_a_name_that_was_given() {
    let hint = "`--overwrite`";
    for (inbox, is_given, is_told) in [
        ("upload = [{ http = 503 }]", true, true),
        ("upload = [{ http = 503 }]", false, false),
        ("upload = [{ http = 403 }]", true, false),
    ] {
        let sandbox = pod(inbox);
        let gate = Gate::against(&sandbox).set("EPM_OUTAGE_BUDGET", "0s");
        let file = gate.file("x.csv", CONTENT);
        let upload = if is_given { format!("{file}=inbox/x.csv") } else { file };
        let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &upload]);
        assert_ne!(ran.code, 0, "{ran:?}");
        assert_eq!(ran.stderr.contains(hint), is_told, "{inbox}: {ran:?}");
    }
    // The file lies there as a whole, and the submit failed.
    let sandbox = playing("[[job]]\nneeds_file = true\nsubmit = [{ http = 429 }]\n");
    let ran = bring(Gate::against(&sandbox).set("EPM_OUTAGE_BUDGET", "0s"));
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    ran.says(&["hint: ", "run it again with `--overwrite` then"]);
}

#[test]
fn the_deadline_ends_an_upload() {
    let (sandbox, running) = stalling(&["--timeout", "3s"]);
    let ran = running.finish();
    assert_eq!((ran.end(), posts(&sandbox)), ((31, "unreachable"), (1, 0)), "{ran:?}");
    ran.says(&["error: ", "`inbox/large.csv` may lie in the inbox"]);
    ran.says(&["hint: ", "`--overwrite`"]);
}

#[test]
fn an_upload_that_makes_no_progress_is_given_up_and_made_anew() {
    let (sandbox, running) = stalling(&["--request-timeout", "500ms"]);
    let ran = running.finish();
    assert_eq!((ran.end(), posts(&sandbox)), ((0, "succeeded"), (2, 1)), "{ran:?}");
    ran.says(&["no whole answer from ", "within 500ms"]);
    let requests = sandbox.requests();
    let uploads: Vec<_> = requests.iter().filter_map(|request| request.upload.as_ref()).collect();
    assert_eq!((uploads[0].whole, uploads[1].whole), (false, true));
}

#[test]
fn a_file_that_is_changed_in_between_is_not_submitted() {
    let sandbox = playing("[look]\nreplies = [{ delay = '2s' }]\n[[job]]\nneeds_file = true\n");
    let gate = Gate::against(&sandbox);
    let file = gate.file("x.csv", CONTENT);
    let path = gate.path("x.csv");
    let mut running = gate.start(["run", "--job-name", "GLDATA", "--upload", &file]);
    running.until("the look has arrived", || !sandbox.requests().is_empty());
    std::fs::write(path, "x,2\n").expect("a file");
    let ran = running.finish();
    assert_eq!((ran.end(), sandbox.posts(), inbox(&sandbox)), ((2, "usage"), 0, vec![]), "{ran:?}");
    ran.says(&["error: ", "x.csv` was not uploaded: the file was changed since this run began; nothing was submitted"]);
    ran.says(&["may lie in the inbox"]);
}

/// The lines of a record, but for the first.
fn exchanges(record: &str) -> Vec<serde_json::Value> {
    record.lines().skip(1).map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn a_record_holds_size_hash_and_marker_of_a_file_and_no_name() {
    for (inbox, end, count) in [
        ("", (0, "succeeded"), 1),
        ("upload = [{ status = -1, times = 2 }, {}]", (0, "succeeded"), 1),
        ("upload = [{ fault = 'reset-before' }, {}]", (0, "succeeded"), 2),
        ("files = { 'inbox/Löhne/Planungslauf.csv' = 'x' }", (32, "rejected"), 1),
    ] {
        let sandbox = pod(inbox);
        let gate = Gate::against(&sandbox).recorded();
        let file = gate.file("Geheimnis.csv", "4711.25\n[BLANK] Werk Nord\n");
        let upload = format!("{file}=inbox/Löhne/Planungslauf.csv");
        let ran = gate.run(["run", "--job-name", "GLDATA", "--upload", &upload]);
        assert_eq!(ran.end(), end, "{ran:?}");
        for name in ["Geheimnis", "Planungslauf", "hne", "Werk", "4711", "GLDATA", "127.0.0.1"] {
            assert!(!ran.record.contains(name), "{name}: {}", ran.record);
        }
        let exchanges = exchanges(&ran.record);
        let uploads: Vec<_> = exchanges.iter().filter(|line| line.get("sent").is_some()).collect();
        assert_eq!(uploads.len(), count, "{}", ran.record);
        let upload = uploads[count - 1];
        assert_eq!((&upload["sent"]["size"], &upload["sent"]["marker"]), (&26.into(), &"[BLANK]".into()));
        let hash = sandbox.requests().into_iter().filter_map(|request| request.upload).next_back().expect("one").sha256;
        assert_eq!(upload["sent"]["sha256"], hash.as_str());
        let place = "/interop/rest/11.1.2.3.600/applicationsnapshots/FILE_2.csv/contents?extDirPath=inbox%2FFILE_1";
        assert_eq!(upload["path"], place, "{}", ran.record);
        let pod = replaying(&ran.record);
        let again = Gate::against(&pod);
        let file = again.file("x.csv", CONTENT);
        let upload = format!("{file}=inbox/FILE_1/FILE_2.csv");
        let again = again.run(["run", "--job-name", "NAME_1", "--upload", &upload]);
        assert_eq!(again.end(), end, "{again:?}\nof\n{}", ran.record);
    }
}

#[test]
fn a_record_tells_how_much_of_a_file_went_out_before_the_end() {
    let sandbox = pod("breaks = [{ after = 65536, by = 'stall' }]");
    let gate = Gate::against(&sandbox).recorded();
    let file = gate.file("given-large.csv", "x".repeat(40_000_000));
    let ran = gate.run(["run", "--job-name", "GLDATA", "--timeout", "3s", "--upload", &file]);
    assert_eq!(ran.end(), (31, "unreachable"), "{ran:?}");
    let exchanges = exchanges(&ran.record);
    let upload = exchanges.iter().find(|line| line.get("sent").is_some()).expect("the upload");
    let size = upload["sent"]["size"].as_u64().expect("a size");
    assert!((65_536..40_000_000).contains(&size), "{}", ran.record);
}

/// A pod that answers each request about a file of the inbox as told, as often as told, and whose job passes.
fn answering(files: &[(&str, &str, u16, &str)]) -> Sandbox {
    let folder = "/interop/rest/11.1.2.3.600/applicationsnapshots";
    let line = |method: &str, path: &str, http: u16, json: &str| {
        format!(r#"{{"method":"{method}","path":"{path}","http":{http},"body":{{"json":{json}}}}}"#)
    };
    let mut lines = vec![
        r#"{"format":1}"#.to_owned(),
        line("GET", "/aif/rest/", 200, r#"{"items":[]}"#),
        line("POST", "/aif/rest/V1/jobs", 200, r#"{"jobId":2100,"status":-1,"jobStatus":"RUNNING"}"#),
        line("GET", "/aif/rest/V1/jobs/2100", 200, r#"{"jobId":2100,"status":0,"jobStatus":"SUCCESS"}"#),
    ];
    lines.extend(files.iter().map(|(method, name, http, json)| line(method, &format!("{folder}/{name}"), *http, json)));
    replaying(&lines.join("\n"))
}

/// What was asked of the files in the inbox, in order.
fn asked(sandbox: &Sandbox) -> Vec<String> {
    let requests = sandbox.requests().into_iter().filter(|request| request.path.contains("applicationsnapshots"));
    requests.map(|request| request.method).collect()
}

const TAKEN: &str = r#"{"status":0,"details":null}"#;
const EXISTS: &str = r#"{"status":8,"details":"File already exists: inbox/x.csv"}"#;
const FORBIDDEN: &str = r#"{"details":"no role"}"#;
const BUSY: &str = r#"{"status":8,"details":"the file is in use by process 77"}"#;
const NONE: &str = r#"{"status":8,"details":"no such file"}"#;
const DELETED_TOO: &str = "inbox%2FFILE_1.csv";
const SENT: &str = "FILE_1.csv/contents?extDirPath=inbox";
const READ: &str = "inbox%2FFILE_1.csv/contents";
const DELETED: &str = "inbox%5CFILE_1.csv";

/// A run that brings a file under the name that the record has, or under one of its content.
fn bring_to(sandbox: &Sandbox, is_given: bool, more: &[&str]) -> Ran {
    let gate = Gate::against(sandbox);
    let file = gate.file("x.csv", CONTENT);
    let upload = if is_given { format!("{file}=inbox/FILE_1.csv") } else { file };
    gate.run(["run", "--job-name", "GLDATA", "--upload", &upload].iter().chain(more))
}

#[test]
fn what_must_not_be_read_back_is_replaced_where_it_may_be() {
    let pod = || {
        answering(&[
            ("GET", READ, 403, FORBIDDEN),
            ("POST", SENT, 200, EXISTS),
            ("DELETE", DELETED, 200, TAKEN),
            ("POST", SENT, 200, TAKEN),
        ])
    };
    for more in [&[][..], &["--overwrite"]] {
        let sandbox = pod();
        let ran = bring_to(&sandbox, false, more);
        assert_eq!(
            (ran.end(), asked(&sandbox).join(" ")),
            ((0, "succeeded"), "GET POST GET DELETE POST".into()),
            "{ran:?}"
        );
        ran.says(&["deleted what lay there as `inbox/x-"]);
    }
    let sandbox = pod();
    let ran = bring_to(&sandbox, true, &["--overwrite"]);
    assert_eq!(
        (ran.end(), asked(&sandbox).join(" ")),
        ((0, "succeeded"), "DELETE POST GET DELETE POST".into()),
        "{ran:?}"
    );
    let sandbox = pod();
    let ran = bring_to(&sandbox, true, &[]);
    assert_eq!((ran.end(), asked(&sandbox).join(" ")), ((32, "rejected"), "POST".into()), "{ran:?}");
}

#[test]
fn a_record_of_uploads_plays_again_for_the_same_command() {
    for (inbox, more, code) in [
        ("", &[][..], 0),
        ("", &["--overwrite"], 0),
        ("upload = [{ status = -1, times = 2 }, {}]", &[], 0),
        ("upload = [{ fault = 'reset-before' }, {}]", &[], 0),
        ("upload = [{ status = 8, details = 'no space left', taken = false }]", &[], 32),
        ("files = { 'inbox/Löhne/x 1.csv' = 'x' }", &[], 32),
        ("files = { 'inbox/Löhne/x 1.csv' = 'x' }", &["--overwrite"], 0),
    ] {
        for is_given in [true, false] {
            let ran = |gate: Gate| {
                let (first, second) = (gate.file("x 1.csv", CONTENT), gate.file("y.csv", "y,1\n"));
                let uploads = [
                    format!("{first}=inbox/Löhne/x 1.csv"),
                    if is_given { format!("{second}=inbox/y.csv") } else { second },
                ];
                let names = ["--file-name", "inbox/y.csv", "--upload", &uploads[0], "--upload", &uploads[1]];
                let run = ["run", "--job-name", "GLDATA"];
                // A name of its own content needs no other that says what the job reads.
                let hashed = ["--upload", &uploads[1]];
                let names = if is_given { &names[..] } else { &hashed };
                gate.run(run.iter().chain(names).chain(more))
            };
            let first = ran(Gate::against(&pod(inbox)).recorded());
            let again = ran(Gate::against(&replaying(&first.record)));
            assert_eq!(again.end(), first.end(), "{inbox}: {again:?}\nof\n{}", first.record);
            assert!(first.code == code || !is_given, "{inbox}: {first:?}");
        }
    }
}

#[test]
fn what_keeps_a_file_from_being_replaced_is_told() {
    let pod = |http: u16, why: &str, upload: &str| {
        answering(&[
            ("DELETE", DELETED, http, why),
            ("DELETE", DELETED_TOO, if http == 200 { 200 } else { http }, if http == 200 { NONE } else { why }),
            ("POST", SENT, 200, upload),
            ("GET", READ, 200, r#"{"status":8,"details":"locked"}"#),
            ("GET", "inbox%5CFILE_1.csv/contents", 403, FORBIDDEN),
        ])
    };
    for (http, why, told, hint) in [
        (
            200,
            BUSY,
            "EPM does not delete it (HTTP 200, status 8): `the file is in use by process 77`",
            "until the job that uses it has ended",
        ),
        (403, FORBIDDEN, "EPM does not delete it (HTTP 403): `no role`", "that the user may delete files"),
    ] {
        let sandbox = pod(http, why, EXISTS);
        let ran = bring_to(&sandbox, true, &["--overwrite"]);
        assert_eq!((ran.end(), posts(&sandbox)), ((32, "rejected"), (2, 0)), "{ran:?}");
        ran.says(&["error: ", "a file of that name is there already, and ", told]);
        ran.says(&["hint: ", "nothing was submitted", hint]);
        assert!(!ran.stderr.contains("`--overwrite`"), "{ran:?}");
        // Where nothing lies there, whether it could be deleted does not matter.
        let sandbox = pod(http, why, TAKEN);
        let ran = bring_to(&sandbox, true, &["--overwrite"]);
        assert_eq!((ran.end(), posts(&sandbox)), ((0, "succeeded"), (1, 1)), "{ran:?}");
        assert!(!ran.stderr.contains("deleted"), "{ran:?}");
    }
}
