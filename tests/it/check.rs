//! `check`: each step of the way to EPM by itself, what it says where one fails, and that it submits nothing.

mod tls;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use epm_sandbox::Sandbox;
use serde_json::Value;

use crate::harness::{Gate, On, Ran, playing, text_of};

const STEPS: [&str; 12] = [
    "url",
    "proxy",
    "dns",
    "tcp",
    "tls",
    "credentials",
    "role",
    "maintenance",
    "clock",
    "no-job",
    "job-list",
    "versions",
];

/// A sandbox of which nothing special is said but this.
fn pod(toml: &str) -> Sandbox {
    playing(&format!("{toml}\n[[job]]"))
}

/// What was found out, by step.
struct Found {
    ran: Ran,
    steps: BTreeMap<String, Value>,
}

impl Found {
    fn state(&self, step: &str) -> &str {
        self.steps[step]["state"].as_str().expect("a word")
    }

    /// Whether the step says all of these, in what it found or in its remedy.
    #[track_caller]
    fn tells(&self, step: &str, state: &str, parts: &[&str]) {
        let text = self.steps[step].to_string();
        assert_eq!(self.state(step), state, "{step}: {:?}", self.ran);
        for part in parts {
            assert!(text.contains(part), "{step} does not say {part:?}: {text}");
        }
    }

    /// The steps of this state.
    fn all(&self, state: &str) -> Vec<&str> {
        STEPS.into_iter().filter(|step| self.state(step) == state).collect()
    }
}

fn check_with<'a>(gate: Gate, arguments: impl IntoIterator<Item = &'a str>) -> Found {
    let ran = gate.run(["check", "--print", "json"].into_iter().chain(arguments));
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    assert_eq!((&printed["outcome"], &printed["exitCode"]), (&ran.output("outcome").into(), &ran.code.into()));
    let steps = printed["steps"].as_array().expect("a list").iter();
    let steps: BTreeMap<_, _> =
        steps.map(|step| (step["name"].as_str().expect("a word").to_owned(), step.clone())).collect();
    for step in STEPS {
        let step = &steps[step];
        assert!(step["milliseconds"].is_u64() && step["what"].is_string(), "{step}");
        // Who is told that something fails is told what to do about it.
        let wants_remedy = matches!(step["state"].as_str(), Some("failed" | "warning"));
        assert!(!wants_remedy || step["remedy"].is_string(), "{step}");
    }
    assert_eq!(steps.len(), STEPS.len());
    Found { ran, steps }
}

fn check(gate: Gate) -> Found {
    check_with(gate, [])
}

#[test]
fn each_step_has_a_line_and_nothing_is_submitted() {
    let sandbox = pod("");
    let ran = Gate::against(&sandbox).run(["check"]);
    assert_eq!((ran.end(), ran.output("submitted"), ran.stdout.as_str()), ((0, "succeeded"), "no", ""), "{ran:?}");
    for step in STEPS {
        let lines = ran.stderr.lines().filter(|line| line.contains(&format!(": {step} ("))).count();
        assert_eq!(lines, 1, "{step}: {}", ran.stderr);
    }
    ran.says(&["ok: credentials (", "user `", "let in at `/aif/rest/`"]);
    ran.says(&["ok: maintenance (", "release `26.04.40`", "begins next at ", " UTC, in 1"]);
    ran.says(&["skipped: tls (", "does not leave this machine"]);
    ran.says(&["ok: no-job (", "HTTP 404, JSON, keys `", "status 4"]);
    ran.says(&["ok: job-list (", "HTTP 200, JSON, keys `items`, `links`: 0 jobs"]);
    ran.says(&["ok: versions (", "`V1` (`active`)"]);
    ran.says(&["ok: ready for a run: no step failed; skipped: tls"]);
    // The greeting shows no credentials.
    assert_eq!((sandbox.posts(), sandbox.refused_logins()), (0, 1));
    assert!(sandbox.requests().iter().all(|request| request.method == "GET"), "{:?}", sandbox.requests());
}

#[test]
fn the_steps_are_printed_as_json_and_shown_in_the_summary() {
    let found = check(Gate::against(&pod("")).on_github());
    assert_eq!(found.all("skipped"), ["tls"]);
    assert_eq!(found.all("ok").len(), STEPS.len() - 1);
    for summary in [&found.ran.summary, &found.ran.github_summary] {
        assert!(summary.contains("### ✅ ready for a run"), "{summary}");
        assert!(summary.contains("| step | state | took | what |"), "{summary}");
        let rows = STEPS.iter().filter(|step| summary.contains(&format!("\n| {step} | "))).count();
        assert_eq!(rows, STEPS.len(), "{summary}");
    }
    assert_eq!(found.ran.github["outcome"], "succeeded");
}

#[test]
fn every_platform_gets_its_outputs() {
    for on in [On::Github, On::Gitlab, On::Azure, On::Jenkins] {
        let sandbox = pod("");
        let mut gate = Gate::against(&sandbox).on(on);
        let ran = gate.run_again(["check"]);
        assert_eq!((ran.end(), ran.output("exitCode")), ((0, "succeeded"), "0"), "{on:?}: {ran:?}");
        let html = text_of(&gate.path("report.html"));
        assert!(html.contains("<th>credentials</th><td>ok</td>") && html.contains("ready for a run"), "{html}");
        // What others read for the end of a job must not pass for one.
        for report in ["dotenv", "junit.xml", "annotations.json"] {
            assert!(!gate.path(report).exists(), "{report}");
        }
    }
}

#[test]
fn nothing_but_commands_is_printed_on_azure() {
    let ran = Gate::against(&pod("")).set("TF_BUILD", "True").run(["check", "--print", "json"]);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    ran.says(&["`--print`", "on Azure"]);
}

#[test]
fn wrong_usage_is_told_before_anything_is_sent() {
    let sandbox = pod("");
    let ran = Gate::against(&sandbox).unset("EPM_PASSWORD").run(["check"]);
    assert_eq!(ran.end(), (2, "usage"), "{ran:?}");
    let ran = Gate::against(&sandbox).run(["check", "--job-name", "GL"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(sandbox.requests().is_empty());
}

#[test]
fn what_was_cut_off_the_url_is_told() {
    let sandbox = pod("");
    let found = check(Gate::against(&sandbox).set("EPM_URL", format!("{}/gateway/epmcloud", sandbox.url())));
    found.tells("url", "ok", &["prefix `/gateway`", "used of `", "/gateway/epmcloud`"]);
    assert_eq!(found.ran.code, 0, "{:?}", found.ran);
}

#[test]
fn a_name_that_does_not_resolve_ends_the_way() {
    let found = check(Gate::against(&pod("")).set("EPM_URL", "https://pod.invalid"));
    assert_eq!(found.ran.end(), (31, "unreachable"), "{:?}", found.ran);
    found.tells("dns", "failed", &["the name `pod.invalid` does not resolve", "check the host in the URL"]);
    assert_eq!(found.all("failed"), ["dns"]);
    assert_eq!(found.all("ok"), ["url", "proxy"]);
    found.ran.says(&["error: a run would not get through: dns: the name `pod.invalid`"]);
    found.ran.says(&["hint: ", "heck the host"]);
}

/// The port of a listener that is gone.
fn shut_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port()
}

#[test]
fn a_port_that_is_shut_ends_the_way() {
    let address = format!("127.0.0.1:{}", shut_port());
    let found = check(Gate::against(&pod("")).set("EPM_URL", format!("http://{address}")));
    assert_eq!(found.ran.end(), (31, "unreachable"), "{:?}", found.ran);
    found.tells("dns", "ok", &["is an address already"]);
    found.tells("tcp", "failed", &[&format!("`{address}`"), "firewall", "HTTPS_PROXY"]);
    assert_eq!(found.all("failed"), ["tcp"]);
}

#[test]
fn the_proxy_is_named_with_its_variable_and_without_its_password() {
    let address = format!("127.0.0.1:{}", shut_port());
    let gate = Gate::against(&pod("")).set("EPM_URL", "https://pod.example");
    let found = check(gate.set("HTTPS_PROXY", format!("http://bob:pr0xy-pass@{address}")));
    assert_eq!(found.ran.end(), (31, "unreachable"), "{:?}", found.ran);
    found.tells("proxy", "ok", &[&format!("through the proxy `{address}` (by `HTTPS_PROXY`)"), "with credentials"]);
    found.tells("tcp", "failed", &["no connection to the proxy `127.0.0.1`", "host and port of the proxy"]);
    for text in [&found.ran.stderr, &found.ran.stdout, &found.ran.summary] {
        assert!(!text.contains("pr0xy-pass"), "{text}");
    }
}

#[test]
fn what_leads_past_the_proxy_is_named() {
    let gate = Gate::against(&pod("")).set("EPM_URL", "https://pod.invalid").set("no_proxy", ".invalid");
    let found = check(gate.set("https_proxy", format!("http://127.0.0.1:{}", shut_port())));
    found.tells("proxy", "ok", &["directly, past the proxy of `https_proxy`, by `no_proxy`"]);
    found.tells("dns", "failed", &["`pod.invalid`"]);
}

#[test]
fn a_wrong_password_is_shown_once_and_told() {
    let sandbox = pod("");
    let found = check(Gate::against(&sandbox).set("EPM_PASSWORD", "wrong-password"));
    assert_eq!(found.ran.end(), (30, "access-denied"), "{:?}", found.ran);
    found.tells("credentials", "failed", &["EPM refused the credentials (HTTP 401)", "check user and password"]);
    for step in ["role", "maintenance", "no-job", "job-list", "versions"] {
        found.tells(step, "skipped", &["EPM has not let us in"]);
    }
    found.tells("clock", "ok", &[]);
    // The greeting shows none, and the look the wrong one.
    assert_eq!((sandbox.requests().len(), sandbox.posts()), (2, 0), "{:?}", sandbox.requests());
}

#[test]
fn what_the_look_is_answered_is_told_as_a_run_would_tell_it() {
    for (reply, state, code, told) in [
        ("{ page = 'login' }", "failed", 30, "login page"),
        ("{ http = 503 }", "failed", 31, "HTTP 503"),
        ("{ fault = 'reset-before' }", "failed", 31, "broke"),
        ("{ http = 302, headers = { Location = 'https://idcs.example/login' } }", "warning", 0, "redirect"),
        ("{ http = 404 }", "warning", 0, "does not tell whether we are let in"),
        ("{ http = 404 }", "warning", 0, "a path that answers this user with a 2xx"),
    ] {
        let found = check(Gate::against(&pod(&format!("[look]\nreplies = [{reply}, {{}}]"))));
        assert_eq!(found.ran.code, code, "{reply}: {:?}", found.ran);
        found.tells("credentials", state, &[told]);
    }
}

#[test]
fn without_a_look_the_role_tells_whether_we_are_let_in() {
    let sandbox = pod("");
    let found = check_with(Gate::against(&sandbox), ["--look", "off"]);
    assert_eq!(found.ran.end(), (0, "succeeded"), "{:?}", found.ran);
    found.tells("credentials", "ok", &["`--look` is `off`"]);
    let found = check_with(Gate::against(&sandbox).set("EPM_PASSWORD", "wrong-password"), ["--look", "off"]);
    assert_eq!(found.ran.end(), (30, "access-denied"), "{:?}", found.ran);
    found.tells("role", "failed", &["EPM refused the credentials"]);
    assert_eq!(sandbox.refused_logins(), 3, "two greetings, and a password that is shown no second time");
}

#[test]
fn a_refresh_token_is_exchanged_once_and_the_next_one_kept() {
    let sandbox = pod("");
    let mut gate = Gate::exchanging(&sandbox);
    for exchanges in 1..=2 {
        let ran = gate.run_again(["check"]);
        assert_eq!((ran.end(), sandbox.exchanges()), ((0, "succeeded"), exchanges), "{ran:?}");
        ran.says(&["ok: credentials (", "client `", "the refresh token in `", "let in at"]);
        ran.says(&["ok: proxy (", "to the identity service `"]);
    }
    assert_eq!(text_of(&gate.path("given-token")).trim(), sandbox.refresh_token());
}

#[test]
fn a_consumed_refresh_token_is_told_and_epm_not_asked() {
    let sandbox = pod("");
    let consumed = Gate::exchanging(&sandbox);
    let first = Gate::exchanging(&sandbox).run(["check"]);
    assert_eq!(first.code, 0, "{first:?}");
    let before = sandbox.requests().len();
    let found = check(consumed);
    assert_eq!(found.ran.end(), (30, "access-denied"), "{:?}", found.ran);
    found.tells("credentials", "failed", &["consumed", "epm-gate login"]);
    let later: Vec<_> = sandbox.requests()[before..].iter().map(|request| request.let_in).collect();
    assert_eq!((later, sandbox.token_requests().len()), (vec![false], 2), "the greeting alone, and the exchange");
}

#[test]
fn an_exchange_is_tried_where_epm_cannot_be_reached() {
    let sandbox = pod("");
    let gate = Gate::exchanging(&sandbox).set("EPM_URL", format!("http://127.0.0.1:{}", shut_port()));
    let found = check(gate);
    assert_eq!(found.ran.end(), (31, "unreachable"), "{:?}", found.ran);
    found.tells("credentials", "skipped", &["the identity service `", "gave out a token"]);
    let gate = Gate::exchanging(&sandbox).set("EPM_URL", format!("http://127.0.0.1:{}", shut_port()));
    let found = check(gate.set("EPM_CLIENT_ID", "nobody"));
    found.tells("credentials", "failed", &["invalid_client"]);
    assert_eq!((found.all("failed"), found.ran.code), (vec!["tcp", "credentials"], 31), "the first says how it ends");
}

#[test]
fn an_identity_service_that_is_gone_is_unreachable() {
    let sandbox = pod("");
    let gate =
        Gate::exchanging(&sandbox).set("EPM_TOKEN_URL", format!("http://127.0.0.1:{}/oauth2/v1/token", shut_port()));
    let found = check(gate);
    assert_eq!(found.ran.end(), (31, "unreachable"), "{:?}", found.ran);
    found.tells("credentials", "failed", &["no access token for EPM", "no connection to"]);
}

/// Code and body, by the path.
type Answers = fn(&str) -> (u16, &'static str);

/// A service that answers each GET by its path. It ends with the process.
fn service(answer: Answers) -> String {
    service_of("", answer)
}

/// The same with a header beside each answer.
fn service_of(header: &'static str, answer: Answers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = String::new();
            let mut reader = BufReader::new(&stream);
            while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).is_ok_and(|length| length > 0) {}
            let (code, body) = answer(head.split(' ').nth(1).unwrap_or_default());
            let length = body.len();
            let head = format!("HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nConnection: close\r\n{header}");
            let _ = write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}");
        }
    });
    url
}

#[test]
fn a_proxy_that_wants_credentials_ends_the_way() {
    let gate = Gate::against(&pod("")).set("EPM_URL", "https://pod.example");
    let found = check(gate.set("HTTPS_PROXY", service(|_| (407, ""))));
    assert_eq!(found.ran.end(), (30, "access-denied"), "{:?}", found.ran);
    found.tells("tcp", "ok", &["connected to the proxy `127.0.0.1`"]);
    found.tells("tls", "failed", &["proxy", "407", "HTTPS_PROXY"]);
}

#[test]
fn a_role_that_is_missing_is_named() {
    let url = service(|path| if path.contains("/jobs") { (403, r#"{"details":"no role"}"#) } else { (200, "{}") });
    let found = check(Gate::against(&pod("")).set("EPM_URL", url));
    assert_eq!(found.ran.end(), (30, "access-denied"), "{:?}", found.ran);
    found.tells("role", "failed", &["may not ask about jobs", "`no role`", "Service Administrator or Power User"]);
    found.tells("maintenance", "skipped", &["the hour is not told"]);
    found.tells("clock", "skipped", &["no `Date`"]);
    assert_eq!(found.all("failed"), ["role"]);
}

#[test]
fn whoever_answers_otherwise_than_epm_is_not_taken_for_it() {
    let answers: [Answers; 4] = [
        |_| (404, ""),
        |_| (200, "<html>hello</html>"),
        |_| (404, r#"{"timestamp":1,"status":404,"error":"Not Found","path":"/x"}"#),
        |_| (404, r#"{"message":"no Route matched with those values"}"#),
    ];
    for answer in answers {
        let found = check(Gate::against(&pod("")).set("EPM_URL", service(answer)));
        assert_eq!(found.ran.end(), (31, "unreachable"), "{:?}", found.ran);
        found.tells(
            "role",
            "failed",
            &["this does not answer as EPM's Data Integration does", "check `--url`", "prefix"],
        );
        assert_eq!(found.all("failed"), ["role"]);
    }
}

#[test]
fn one_answer_in_the_shape_of_epm_is_enough() {
    let answers: [Answers; 3] = [
        |path| if path.ends_with("/jobs") { (200, r#"{"items":[]}"#) } else { (404, "") },
        |path| if path.contains("/jobs/") { (404, r#"{"status":4,"details":"no such job"}"#) } else { (404, "") },
        |path| if path == "/aif/rest/" { (200, r#"{"items":[{"version":"V1"}]}"#) } else { (404, "") },
    ];
    for answer in answers {
        let found = check(Gate::against(&pod("")).set("EPM_URL", service(answer)));
        assert_eq!(found.ran.code, 0, "{:?}", found.ran);
        found.tells("role", "ok", &["may ask about jobs"]);
    }
}

#[test]
fn a_pod_that_denies_an_id_and_lists_jobs_is_believed() {
    let job = "[[job]]\nid = 2147483647\nexists = true\npolls = [{ http = 403 }]";
    let found = check(Gate::against(&playing(job)));
    assert_eq!(found.ran.end(), (0, "warned"), "{:?}", found.ran);
    found.tells("role", "warning", &["may list jobs"]);
    found.tells("no-job", "ok", &["HTTP 403"]);
    found.tells("job-list", "ok", &["1 job; of the first, keys `"]);
}

#[test]
fn the_maintenance_is_a_warning_where_a_run_would_reach_into_it() {
    let sandbox = pod("[maintenance]\nin = '30m'");
    let found = check_with(Gate::against(&sandbox), ["--timeout", "50m"]);
    assert_eq!(found.ran.end(), (0, "warned"), "{:?}", found.ran);
    found.tells("maintenance", "warning", &["within the `--timeout` of 50m", "--refuse-before-maintenance"]);
    assert_eq!(found.all("warning"), ["maintenance"]);
    let found = check_with(Gate::against(&sandbox), ["--timeout", "20m"]);
    found.tells("maintenance", "ok", &["begins next at"]);
    assert_eq!(found.ran.end(), (0, "succeeded"), "{:?}", found.ran);
    let found = check_with(Gate::against(&pod("[maintenance]\nin = '0s'")), ["--timeout", "20m"]);
    found.tells("maintenance", "warning", &["began at", "may last until", "begin a run after it"]);
}

#[test]
fn an_hour_that_is_not_told_fails_nothing() {
    for (reply, told) in [
        ("{ http = 403 }", "`Migrations - Administer`"),
        ("{ http = 404 }", "the hour is not told"),
        ("{ http = 500 }", "HTTP 500"),
        ("{ body = '{\"status\":8,\"details\":\"EPMLCM-1\"}' }", "`EPMLCM-1`"),
        (
            "{ body = '{\"items\":[{\"amwTime\":\"14:00\",\"timeZone\":\"America/Los_Angeles\"}]}' }",
            "time zone `America/Los_Angeles`",
        ),
    ] {
        let found = check(Gate::against(&pod(&format!("[maintenance]\nreplies = [{reply}]"))));
        assert_eq!(found.ran.end(), (0, "succeeded"), "{reply}: {:?}", found.ran);
        found.tells("maintenance", "skipped", &[told]);
        found.tells("versions", "ok", &[]);
    }
}

#[test]
fn a_clock_that_is_off_is_a_warning() {
    for (clock, told) in [("+7m", "this machine is 7m behind EPM"), ("-7m", "this machine is 7m ahead of EPM")] {
        let found = check(Gate::against(&pod(&format!("clock = '{clock}'"))));
        assert_eq!(found.ran.end(), (0, "warned"), "{:?}", found.ran);
        found.tells("clock", "warning", &[told, "set this machine's clock"]);
    }
}

#[test]
fn a_clock_that_is_off_is_a_warning_where_an_assertion_was_taken_all_the_same() {
    // The pod's clock is off, and the identity service's is not.
    let epm = service_of("Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n", |_| (200, r#"{"items":[]}"#));
    let found = check(Gate::asserting(&pod("")).set("EPM_URL", epm));
    assert_eq!(found.ran.end(), (0, "warned"), "{:?}", found.ran);
    found.tells("clock", "warning", &["ahead of EPM", "NTP"]);
}

#[test]
fn a_clock_that_is_off_ends_an_assertion() {
    let sandbox = pod("clock = '+7m'");
    let found = check(Gate::asserting(&sandbox));
    assert_eq!(found.ran.end(), (30, "access-denied"), "{:?}", found.ran);
    found.tells("clock", "failed", &["7m behind EPM", "refuses assertions", "NTP"]);
    found.tells("credentials", "failed", &["a JWT assertion about user"]);
}

#[test]
fn what_epm_says_stays_a_text() {
    let hostile = "a`b|c</td>\\n::error::x##vso[task.complete]$(rm)\\u001b[31m";
    let body = format!("{{\"{hostile}\":1,\"details\":\"{hostile}\"}}").replace('\'', "");
    let sandbox = pod(&format!("[maintenance]\nreplies = [{{ body = '{body}' }}]"));
    let found = check(Gate::against(&sandbox).on_github());
    found.tells("maintenance", "skipped", &["a'b|c</td>"]);
    let row = found.ran.summary.lines().find(|line| line.starts_with("| maintenance |")).expect("a row");
    assert!(row.contains("`a'b\\|c</td>"), "{row}");
}

#[test]
fn a_check_ends_by_its_deadline() {
    let found = check_with(Gate::against(&pod("[look]\nreplies = [{ fault = 'hang' }]")), ["--timeout", "500ms"]);
    assert_eq!(found.ran.end(), (31, "unreachable"), "{:?}", found.ran);
    found.tells("credentials", "failed", &["no whole answer"]);
    found.tells("versions", "skipped", &["the deadline came before"]);
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_check_with_what_is_known() {
    let sandbox = pod("[look]\nreplies = [{ fault = 'hang' }]");
    let mut running = Gate::against(&sandbox).start(["check"]);
    running.until("the look has arrived", || sandbox.requests().len() == 2);
    running.signal("TERM");
    let ran = running.finish();
    assert_eq!(ran.end(), (143, "interrupted"), "{ran:?}");
    assert!(ran.summary.contains("\n| tcp | ok |") && !ran.summary.contains("\n| role |"), "{}", ran.summary);
}
