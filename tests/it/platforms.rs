//! What each platform is given: step outputs in its own grammar, folds, one annotation, and the files that it takes. The
//! grammars are read here by parsers that are not ours, or are written anew from the platforms' sources.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Gate, On, Ran, make_pipe, playing, shipped, text_of};

const RUN: [&str; 3] = ["run", "--job-name", "GLDATA"];

/// The files of a run, and what it said.
struct Told {
    ran: Ran,
    dotenv: BTreeMap<String, String>,
    junit: String,
    html: String,
    annotations: Value,
    uploaded: Option<String>,
}

fn told(gate: Gate, arguments: &[&str]) -> Told {
    let mut gate = gate;
    let ran = gate.run_again(arguments);
    let text = |name: &str| text_of(&gate.path(name));
    Told {
        dotenv: dotenv(&text("dotenv")),
        junit: text("junit.xml"),
        html: text("report.html"),
        annotations: serde_json::from_str(&text("annotations.json")).expect("JSON"),
        uploaded: uploads(&ran).first().map(|path| text_of(path.as_ref())),
        ran,
    }
}

/// GitLab's own rule for each line (`parse_dotenv_artifact_service.rb`).
fn dotenv(file: &str) -> BTreeMap<String, String> {
    assert!(file.len() < 5 * 1024 && file.lines().count() <= 12, "{file}");
    let pairs = file.lines().map(|line| line.split_once('=').unwrap_or_else(|| panic!("no variable: {line:?}")));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The variables that Azure's agent finds on standard output; the last of a name wins.
fn variables(ran: &Ran) -> BTreeMap<String, String> {
    let set = ran.stdout.lines().filter_map(|line| line.strip_prefix("##vso[task.setvariable variable="));
    set.map(|line| line.split_once(";isOutput=true]").expect("an output"))
        .map(|(name, value)| (name.to_owned(), value.replace("%0A", "\n").replace("%AZP25", "%")))
        .collect()
}

fn uploads(ran: &Ran) -> Vec<String> {
    ran.stdout.lines().filter_map(|line| line.strip_prefix("##vso[task.uploadsummary]")).map(str::to_owned).collect()
}

#[test]
fn a_dotenv_file_holds_ids_numbers_words_and_names() {
    let scenario = "[[job]]\npolls = [{ status = 1, details = \"no, $HOME\" }]\nlog_file = \"outbox/logs/Größe $(x) %d.log\"\nlog = \"x\"\n";
    for on in [On::Gitlab, On::Jenkins, On::Nowhere] {
        let told = told(Gate::against(&playing(scenario)).on(on), &RUN);
        let seconds = told.ran.output("durationSeconds").to_owned();
        let expected = [
            ("EPM_GATE_CATEGORY", "unclassified"),
            ("EPM_GATE_DURATION_SECONDS", &seconds),
            ("EPM_GATE_EXIT_CODE", "10"),
            ("EPM_GATE_JOB_ID", "2100"),
            ("EPM_GATE_JOB_NAME", "GLDATA"),
            ("EPM_GATE_LOG_FILE_NAME", "outbox/logs/Gr%C3%B6%C3%9Fe%20%24%28x%29%20%25d.log"),
            ("EPM_GATE_LOG_PATH", ""),
            ("EPM_GATE_OUTCOME", "failed"),
            ("EPM_GATE_OUTPUT_FILE_NAME", ""),
            ("EPM_GATE_REUSED", "false"),
            ("EPM_GATE_STATUS", "1"),
            ("EPM_GATE_SUBMITTED", "yes"),
        ];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(told.dotenv.into_iter().collect::<Vec<_>>(), expected, "{on:?}");
    }
}

#[test]
fn azure_reads_every_output_from_standard_output() {
    let told = told(Gate::against(&shipped("fails-with-details")).on(On::Azure), &RUN);
    let variables = variables(&told.ran);
    assert_eq!(variables.keys().collect::<Vec<_>>(), told.ran.files.keys().collect::<Vec<_>>());
    assert_eq!((&*variables["jobId"], &*variables["outcome"], &*variables["exitCode"]), ("2100", "failed", "10"));
    assert!(variables["details"].contains("\n\tat com.oracle.epm"), "{}", variables["details"]);
    let early: Vec<&str> = told.ran.stdout.lines().take(2).collect();
    let expected = ["submitted;isOutput=true]maybe", "jobId;isOutput=true]2100"];
    assert_eq!(
        early,
        expected.map(|set| format!("##vso[task.setvariable variable={set}")),
        "not the moment they were known"
    );
    let issue = "##vso[task.logissue type=error]epm-gate: failed: `GLDATA` (job 2100) failed: ";
    assert_eq!(told.ran.stdout.lines().filter(|line| line.starts_with(issue)).count(), 1, "{:?}", told.ran);
}

#[test]
fn azure_is_given_a_summary_of_the_step_s_own() {
    let sandbox = shipped("fails-with-rejected-rows");
    let gate = Gate::against(&sandbox).on(On::Azure).unset("EPM_SUMMARY");
    let in_agent = gate.path("agent");
    let told = told(gate, &RUN);
    let summary = told.uploaded.expect("an upload");
    assert!(summary.contains("### ❌ `GLDATA` (job 2100) failed") && summary.contains("`Ada Lovelace`"), "{summary}");
    assert!(uploads(&told.ran)[0].starts_with(in_agent.to_str().expect("UTF-8")), "{:?}", told.ran);
    let after = told.ran.stdout.lines().skip_while(|line| !line.contains("task.uploadsummary"));
    assert!(after.skip(1).all(|line| line.contains("task.logissue")), "{:?}", told.ran);
    told.ran.says(&["##[group]Log: "]);
    told.ran.says(&["##[endgroup]"]);

    let gate = Gate::against(&sandbox).on(On::Azure);
    let named = gate.summary_file();
    assert_eq!(uploads(&gate.run(RUN)), [named.to_str().expect("UTF-8")]);
}

#[test]
fn azure_is_given_no_summary_where_its_agent_could_not_find_it() {
    let sandbox = shipped("quick-success");
    let gate = Gate::against(&sandbox).on(On::Azure).unset("EPM_SUMMARY").set("AGENT_TEMPDIRECTORY", "/not/shared");
    let ran = gate.run(RUN);
    assert_eq!((ran.end(), uploads(&ran).len()), ((0, "succeeded"), 0), "{ran:?}");
}

#[test]
fn azure_takes_no_value_that_would_keep_later_steps_from_starting() {
    let details = "x".repeat(190);
    let job = |id| format!("[[job]]\nid = {id}\nexists = true\npolls = [{{ status = 0, details = \"{details}\" }}]\n");
    let jobs = (1..100).map(job).collect::<Vec<_>>().concat();
    let ids: Vec<String> = (1..100).map(|id| id.to_string()).collect();
    let ran =
        Gate::against(&playing(&jobs)).on(On::Azure).run(["attach"].into_iter().chain(ids.iter().map(String::as_str)));
    assert_eq!(ran.end(), (0, "succeeded"));
    let variables = variables(&ran);
    assert_eq!((&*variables["jobs"], &*variables["outcome"]), ("", "succeeded"));
}

#[test]
fn gitlab_folds_the_log_and_shows_a_link() {
    let sandbox = shipped("fails-with-rejected-rows");
    let told = told(Gate::against(&sandbox).on(On::Gitlab), &RUN);
    let marks: Vec<&str> = told.ran.stderr.lines().filter(|line| line.contains("\u{1b}[0Ksection_")).collect();
    let [open, close] = marks[..] else { panic!("not one section: {:?}", told.ran) };
    assert!(open.contains("section_start:") && open.contains(":epm_gate_log_2100\r\u{1b}[0KLog: "), "{open:?}");
    assert!(close.contains("section_end:") && close.ends_with(":epm_gate_log_2100\r\u{1b}[0K"), "{close:?}");
    let link = &told.annotations["Oracle EPM"][0]["external_link"];
    assert_eq!(link["url"], format!("{}/epmcloud", sandbox.url()));
    assert!(link["label"].as_str().is_some_and(|label| label.contains("2100")), "{link}");
}

#[test]
fn junit_tells_a_job_that_failed_from_a_gate_that_cannot_tell() {
    // Scenario, flags, what the case holds, and its type.
    let table: [(&str, &[&str], Option<&str>, &str); 6] = [
        ("succeeds", &[], None, ""),
        ("warns", &[], None, ""),
        ("fails-with-rejected-rows", &[], Some("failure"), "failed"),
        ("succeeds", &["--min-duration", "1h"], Some("failure"), "condition-unmet"),
        ("never-ends", &["--timeout", "1s"], Some("error"), "timed-out"),
        ("forbidden", &[], Some("error"), "access-denied"),
    ];
    for (scenario, flags, element, kind) in table {
        let told = told(Gate::against(&shipped(scenario)).on(On::Jenkins), &[&RUN[..], flags].concat());
        let page = roxmltree::Document::parse(&told.junit).expect("XML");
        let case = page.descendants().find(|node| node.has_tag_name("testcase")).expect("a case");
        assert_eq!(
            (case.attribute("classname"), case.attribute("name")),
            (Some("epm-gate.INTEGRATION"), Some("GLDATA"))
        );
        let inside = case.children().find(roxmltree::Node::is_element);
        assert_eq!(inside.map(|node| node.tag_name().name()), element, "{scenario}: {}", told.junit);
        assert_eq!(inside.and_then(|node| node.attribute("type")).unwrap_or_default(), kind, "{scenario}");
        let suite = page.descendants().find(|node| node.has_tag_name("testsuite")).expect("a suite");
        let count = |kind| if element == Some(kind) { "1" } else { "0" };
        assert_eq!((suite.attribute("tests"), suite.attribute("failures")), (Some("1"), Some(count("failure"))));
        assert_eq!(suite.attribute("errors"), Some(count("error")));
        if let Some(inside) = inside {
            // GitLab shows the text alone.
            let text = inside.text().expect("a text");
            assert!(text.contains("What to do next: ") && text.contains("outcome: "), "{text}");
        }
    }
}

#[test]
fn junit_names_several_jobs_by_their_order() {
    let sandbox = playing(
        "[[job]]\nid = 7\nexists = true\npolls = [{ status = 0 }]\n[[job]]\nid = 9\nexists = true\npolls = [{ status = 1 }]\n",
    );
    let told = told(Gate::against(&sandbox).on(On::Gitlab), &["attach", "7", "9", "--job-name", "GL"]);
    let page = roxmltree::Document::parse(&told.junit).expect("XML");
    let names = page.descendants().filter_map(|node| node.attribute("classname").zip(node.attribute("name")));
    assert_eq!(names.collect::<Vec<_>>(), [("epm-gate.attach", "GL"), ("epm-gate.attach", "GL 2")]);
    assert_eq!(page.descendants().filter(|node| node.has_tag_name("failure")).count(), 1);
}

#[test]
fn a_job_that_passed_is_no_green_report_where_an_output_cannot_be_written() {
    let told = told(Gate::against(&shipped("succeeds")).on(On::Jenkins).set("EPM_SUMMARY", "/dev/full"), &RUN);
    assert_eq!((told.ran.code, &*told.dotenv["EPM_GATE_OUTCOME"]), (40, "unwritable"));
    let page = roxmltree::Document::parse(&told.junit).expect("XML");
    let errors: Vec<_> = page.descendants().filter(|node| node.has_tag_name("error")).collect();
    assert_eq!(errors.iter().map(|node| node.attribute("type")).collect::<Vec<_>>(), [Some("unwritable")]);
    assert!(told.html.contains("<body class=\"unknown\">"), "{}", told.html);
}

#[test]
fn a_run_that_is_wrong_leaves_no_report_of_an_earlier_one() {
    let sandbox = shipped("succeeds");
    let mut gate = Gate::against(&sandbox).on(On::Gitlab);
    gate.run_again(RUN);
    assert!(text_of(&gate.path("dotenv")).contains("EPM_GATE_OUTCOME=succeeded"));
    let told = told(gate, &["run"]);
    assert_eq!((told.ran.code, &*told.dotenv["EPM_GATE_OUTCOME"], &*told.dotenv["EPM_GATE_JOB_ID"]), (2, "usage", ""));
    assert!(told.junit.contains("<error ") && told.junit.contains("type=\"usage\""), "{}", told.junit);
    assert!(told.html.contains("wrong usage"), "{}", told.html);
    assert_eq!(told.annotations, serde_json::json!({}));
}

#[test]
fn a_mistyped_flag_leaves_no_report_of_an_earlier_run() {
    let sandbox = shipped("succeeds");
    let outputs = ["--dotenv", "dotenv", "--junit=junit.xml", "--outputs-dir", "outputs"];
    let mut gate = Gate::against(&sandbox).unset("EPM_OUTPUTS_DIR");
    assert_eq!(gate.run_again([&RUN[..], &outputs].concat()).end(), (0, "succeeded"));
    let ran = gate.run_again([&RUN[..], &["--tiemout", "3m"], &outputs].concat());
    assert_eq!(ran.end(), (2, "usage"));
    assert_eq!(dotenv(&text_of(&gate.path("dotenv")))["EPM_GATE_OUTCOME"], "usage");
    assert!(text_of(&gate.path("junit.xml")).contains("type=\"usage\""));
}

#[test]
fn a_gate_that_is_killed_while_it_submits_has_not_said_no() {
    let sandbox = shipped("hang-submit");
    let gate = Gate::against(&sandbox).on(On::Gitlab);
    let files = ["dotenv", "junit.xml"].map(|name| gate.path(name));
    let mut running = gate.start(RUN);
    running.until("the submit has arrived", || sandbox.posts() == 1);
    let [known, junit] = files.map(|path| text_of(&path));
    drop(running);
    assert_eq!(dotenv(&known)["EPM_GATE_SUBMITTED"], "maybe");
    assert!(junit.contains("name=\"submitted\" value=\"maybe\""), "{junit}");
}

#[test]
fn a_job_that_is_only_submitted_is_no_green_test() {
    let sandbox = shipped("succeeds");
    let told = told(Gate::against(&sandbox).on(On::Gitlab), &["submit", "--job-name", "GLDATA"]);
    let page = roxmltree::Document::parse(&told.junit).expect("XML");
    assert_eq!(page.descendants().filter(|node| node.has_tag_name("skipped")).count(), 1, "{}", told.junit);
    let suites = page.root_element();
    assert_eq!(
        (suites.attribute("skipped"), suites.attribute("tests")),
        (None, Some("1")),
        "no attribute of the schema"
    );
    assert!(told.html.contains("<body class=\"unknown\">"), "{}", told.html);
}

#[test]
fn a_step_output_that_is_a_pipe_is_refused() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox);
    std::fs::create_dir(gate.outputs_dir()).expect("a folder can be made");
    make_pipe(&gate.outputs_dir().join("jobId"));
    // Not by the harness, which reads every output.
    let ran = gate.command(RUN).output().expect("it starts");
    assert_eq!(ran.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("is no file"), "{ran:?}");
}

#[test]
fn every_report_is_whole_while_the_gate_waits() {
    let sandbox = shipped("never-ends");
    let gate = Gate::against(&sandbox).on(On::Gitlab);
    let files = ["dotenv", "junit.xml", "report.html"].map(|name| gate.path(name));
    let mut running = gate.start(RUN);
    running.until_it_says("in progress");
    let [known, junit, page] = files.map(|path| text_of(&path));
    assert_eq!(dotenv(&known)["EPM_GATE_JOB_ID"], "2100");
    assert!(junit.contains("type=\"unfinished\"") && junit.ends_with("</testsuites>\n"), "{junit}");
    assert!(page.contains("the gate has not ended") && page.ends_with("</html>\n"), "{page}");
}

#[test]
fn hostile_texts_stay_texts_in_every_report() {
    // The harness looks for commands and escapes in every run; what Azure's agent would expand is none of both.
    let sandbox = playing("[[job]]\npolls = [{ status = 1, details = \"row $(epmPassword)\" }]\n");
    let ran = Gate::against(&sandbox).on(On::Azure).run(RUN);
    let variables = variables(&ran);
    assert_eq!(variables["details"], "row $ (epmPassword)");
    assert!(variables.values().all(|value| !value.contains("$(")), "{ran:?}");
    let jobs: Value = serde_json::from_str(&variables["jobs"].replace("%5D", "]")).expect("JSON");
    assert_eq!(jobs[0]["details"], "row $(epmPassword)", "the same text, spelled otherwise");
    for on in [On::Gitlab, On::Azure, On::Jenkins] {
        let told = told(Gate::against(&shipped("hostile-text")).on(on), &RUN);
        let page = roxmltree::Document::parse(&told.junit).expect("XML");
        assert_eq!(page.descendants().filter(|node| node.has_tag_name("failure")).count(), 1, "{}", told.junit);
        let (_, body) = told.html.split_once("</style>").expect("a style");
        assert!(!body.contains("<script") && !body.contains("<img") && body.contains("<pre>"), "{body}");
        assert_eq!(told.dotenv.len(), 12);
    }
}

#[test]
fn each_report_says_whose_run_it_was() {
    let table = [
        (On::Github, "hubot", "https://github.com/acme/close/actions/runs/1658821493/attempts/2", "Load the ledger"),
        (On::Gitlab, "tanuki", "https://gitlab.example.com/acme/close/-/jobs/5", "acme/close"),
        (
            On::Azure,
            "Ada Lovelace",
            "https://dev.azure.com/acme/Month%20end/_build/results?buildId=9&view=logs&j=12f1170f",
            "close",
        ),
        (On::Jenkins, "9f1c2d3", "https://ci.example.com/job/close/4/", "close"),
    ];
    for (on, actor, run, pipeline) in table {
        let told = told(Gate::against(&shipped("quick-success")).on(on), &RUN);
        let (html, xml) = (run.replace('&', "&amp;"), run.replace('&', "&amp;"));
        for text in [actor, run, pipeline, "9f1c2d3"] {
            assert!(told.ran.summary.contains(&format!("`{text}`")), "{on:?}: no {text}: {}", told.ran.summary);
        }
        assert!(told.html.contains(&format!("<code>{html}</code>")), "{on:?}: {}", told.html);
        assert!(told.junit.contains(&format!("name=\"run\" value=\"{xml}\"")), "{on:?}: {}", told.junit);
    }
    // A branch is named by whoever makes one.
    let told = told(Gate::against(&shipped("quick-success")).on(On::Github), &RUN);
    assert!(told.ran.summary.contains("``refs/heads/close\\|`x`<b>``"), "{}", told.ran.summary);
    assert!(told.html.contains("refs/heads/close|`x`&lt;b&gt;"), "{}", told.html);
}

#[test]
fn a_platform_that_is_named_wins_over_the_one_around() {
    let sandbox = shipped("quick-success");
    let gate = || Gate::against(&sandbox).on(On::Azure);
    assert!(gate().run(RUN).stdout.contains("##vso["));
    let elsewhere = gate().run([&RUN[..], &["--ci", "none"]].concat());
    assert_eq!(elsewhere.stdout, "");
    let printed = gate().run([&RUN[..], &["--print", "jobId"]].concat());
    assert_eq!(printed.code, 2);
    printed.says(&["error: ", "--print", "standard output"]);
}

#[test]
fn a_report_overwrites_nothing_that_is_read_kept_or_written_otherwise() {
    let sandbox = shipped("succeeds");
    // What is there already, its flag, and where the report is to go.
    let table = [
        ("ledger.json", &["--ledger", "ledger.json", "--ledger-key", "k"][..], "./ledger.json"),
        ("given-password", &["--password-file", "given-password"], "given-password"),
        ("summary.md", &[], "summary.md"),
        ("outputs/jobId", &[], "outputs/../outputs/jobId"),
        ("github-output", &[], "github-output"),
    ];
    for (file, flags, report) in table {
        let mut gate = Gate::against(&sandbox).on_github();
        std::fs::create_dir_all(gate.outputs_dir()).expect("a folder can be made");
        gate.file(file, "before=1\n");
        let ran = gate.run_again([&RUN[..], flags, &["--junit", report]].concat());
        assert_eq!(ran.code, 2, "{file}: {ran:?}");
        let hinted = ran.stderr.contains("overwrite") && ran.stderr.contains("a file of its own");
        assert!(hinted, "{file}: {ran:?}");
        let left = text_of(&gate.path(file));
        assert!(!left.contains("<testsuite"), "{file}: {left}");
    }
    let twice = Gate::against(&sandbox).run([&RUN[..], &["--html", "page", "--junit", "./page"]].concat());
    assert_eq!(twice.code, 2);
    twice.says(&["error: ", "`--html`", "`page`", "`junit`"]);
    assert!(sandbox.requests().is_empty());
    let written_once =
        Gate::against(&sandbox).run([&RUN[..], &["--junit", "/dev/null", "--html", "/dev/null"]].concat());
    assert_eq!(written_once.code, 0);
}

#[test]
fn a_report_goes_to_a_file() {
    let ran = Gate::against(&shipped("succeeds")).run([&RUN[..], &["--junit", "-"]].concat());
    assert_eq!(ran.code, 2);
    ran.says(&["error: ", "--junit", "a file"]);
}

#[test]
fn debug_logging_on_github_says_every_request() {
    let sandbox = shipped("quick-success");
    let asked = "GET /aif/rest/: HTTP 200";
    let gate = || Gate::against(&sandbox).on_github().set("RUNNER_DEBUG", "1");
    gate().run(RUN).says(&[asked]);
    assert!(!gate().run([&RUN[..], &["-q"]].concat()).stderr.contains(asked));
    assert!(!Gate::against(&sandbox).set("RUNNER_DEBUG", "1").run(RUN).stderr.contains(asked));
}
