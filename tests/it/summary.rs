//! The summary: passed or not and why, what to do next, the facts, the timeline, the lines of the log.

use epm_sandbox::Sandbox;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::harness::{Gate, plain, playing, shipped, text_of};

const RUN: [&str; 7] = ["run", "--job-name", "GLDATA", "--period-name", "Jan-26", "--import-mode", "Replace"];

/// The summary of a run, on GitHub, of which a snapshot can be taken.
fn of(sandbox: &Sandbox, arguments: &[&str]) -> String {
    Gate::against(sandbox).on_github().run(arguments).github_summary.trim().to_owned()
}

#[test]
fn of_each_kind_of_end() {
    for (scenario, flags) in [
        ("succeeds", &[][..]),
        ("warns", &[]),
        ("fails-with-rejected-rows", &[]),
        ("fails-with-details", &[]),
        ("never-ends", &["--timeout", "1s"]),
        ("reset-after-submit", &[]),
        ("unauthorized", &[]),
        ("hostile-text", &[]),
    ] {
        let summary = of(&shipped(scenario), &[&RUN[..], flags].concat());
        plain().bind(|| insta::assert_snapshot!(format!("summary-{scenario}"), summary));
    }
}

#[test]
fn of_several_jobs() {
    let sandbox = playing(
        "[[job]]\nid = 11\nexists = true\npolls = [{ status = 0 }]\n\
         [[job]]\nname = 'B'\nid = 12\nexists = true\npolls = [{ status = 1, details = 'EPMFDM-140000: no rule' }]\n\
         log = 'ERROR [AIF]: Error: 3303 Member 4711-X Not Found In Database'\n\
         [[job]]\nname = 'C'\nid = 13\nexists = true\npolls = [{ status = -1 }]\n",
    );
    let summary = of(&sandbox, &["attach", "11", "12", "13", "--timeout", "1s"]);
    plain().bind(|| insta::assert_snapshot!("summary-several-jobs", summary));
}

#[test]
fn of_wrong_usage() {
    let summary = of(&shipped("succeeds"), &["run", "--job-name", "GLDATA", "--import-mode", "Overwrite"]);
    plain().bind(|| insta::assert_snapshot!("summary-wrong-usage", summary));
}

#[test]
fn foreign_text_cannot_leave_its_place() {
    let summary = of(&shipped("hostile-text"), &RUN);
    let page = markup(&summary);
    assert!(page.spans > 10 && page.blocks > 1, "{page:?}");
    for html in &page.html {
        let rest = html.replace("<details>", "").replace("</details>", "").replace("<summary>", "");
        let rest = rest.replace("</summary>", "");
        assert!(!rest.contains(['<', '>']), "markup of others: {html}");
    }
    assert_eq!(page.strong, ["Why:", "What to do next:", "Rejected rows"], "{summary}");
    assert!(!page.has_link, "{summary}");
}

/// What a parser of markdown that is not ours finds on a page.
#[derive(Debug, Default)]
struct Page {
    html: Vec<String>,
    strong: Vec<String>,
    spans: usize,
    blocks: usize,
    has_link: bool,
}

/// Parses a page as GitHub does, and holds every row of a table to as many cells as its head has.
fn markup(summary: &str) -> Page {
    let mut page = Page::default();
    let (mut cells, mut width) = (0, 0);
    let mut is_strong = false;
    for piece in Parser::new_ext(summary, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
        match piece {
            Event::Html(html) | Event::InlineHtml(html) => page.html.push(html.to_string()),
            Event::Code(_) => page.spans += 1,
            Event::Start(Tag::CodeBlock(_)) => page.blocks += 1,
            Event::Start(Tag::Link { .. } | Tag::Image { .. }) => page.has_link = true,
            Event::Start(Tag::Strong) => is_strong = true,
            Event::End(TagEnd::Strong) => is_strong = false,
            Event::Text(text) if is_strong => page.strong.push(text.to_string()),
            Event::Start(Tag::TableHead | Tag::TableRow) => cells = 0,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::End(TagEnd::TableHead) => width = cells,
            Event::End(TagEnd::TableRow) => assert_eq!(cells, width, "{summary}"),
            _ => {}
        }
    }
    // The parser cuts what is more than the head has; a pipe of others would make it so.
    let mut head = None;
    for line in summary.lines() {
        if !(line.starts_with("| ") && line.ends_with(" |") || line.starts_with("|---")) {
            head = None;
            continue;
        }
        let pipes = line.replace("\\|", "").matches('|').count();
        assert_eq!(pipes, *head.get_or_insert(pipes), "a pipe splits a cell: {line}");
    }
    page
}

#[test]
fn on_the_log_it_starts_no_command() {
    // The harness looks for commands in every run.
    let ran = Gate::against(&shipped("hostile-text")).on_github().run([&RUN[..], &["--summary", "-"]].concat());
    assert!(ran.stderr.contains("**What to do next:**"), "{ran:?}");
}

#[test]
fn is_appended_to_what_stands_there() {
    let sandbox = shipped("succeeds");
    let gate = Gate::against(&sandbox).on_github();
    let before = "A paragraph of another step";
    let files = [gate.summary_file(), gate.github_summary_file()];
    for file in &files {
        std::fs::write(file, before).expect("it can be written");
    }
    let ran = gate.run(RUN);
    for text in [&ran.summary, &ran.github_summary] {
        let added = text.strip_prefix(before).unwrap_or_else(|| panic!("overwritten: {text}"));
        assert!(added.starts_with("\n\n### "), "the paragraph goes on: {text}");
    }
}

#[test]
fn stays_below_its_limit_whatever_epm_says() {
    let long = "| `x` <b>ü</b> ".repeat(20_000);
    let line = "2026-03-22 03:24:26,512 ERROR [AIF]: Error: 3303 Member Not Found\\n".repeat(5000);
    let sandbox = playing(&format!(
        "[[job]]\nid = 2000\nexists = true\npolls = [{{ status = 1, details = \"{long}\", job_status = \"{long}\" }}]\n\
         log = \"{line}\"\n"
    ));
    let ran = Gate::against(&sandbox).on_github().run(["attach", "2000"]);
    assert_eq!(ran.end(), (10, "failed"), "{ran:?}");
    assert!(ran.github_summary.len() <= 64 * 1024, "{} bytes", ran.github_summary.len());
    assert!(ran.github_summary.contains("<details>"), "{}", ran.github_summary);
    let page = markup(&ran.github_summary);
    let ends = |tag: &str| page.html.iter().filter(|html| html.contains(tag)).count();
    assert_eq!(ends("<details>"), ends("</details>"), "a fold stays open");
}

#[test]
fn draws_its_timeline_on_github_alone() {
    let sandbox = shipped("quick-success");
    assert!(of(&sandbox, &RUN).contains("```mermaid\ngantt\n"));
    let elsewhere = Gate::against(&sandbox).run(RUN);
    assert!(elsewhere.summary.contains("| time (UTC) |") && !elsewhere.summary.contains("mermaid"));
}

#[test]
fn a_summary_that_was_not_asked_for_is_not_written() {
    let gate = Gate::against(&shipped("quick-success")).unset("EPM_SUMMARY");
    let path = gate.summary_file();
    assert_eq!(gate.run(["status", "1"]).summary, "");
    assert_eq!(text_of(&path), "");
}
