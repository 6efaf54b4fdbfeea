//! The summary: passed or not and why, what to do next, the facts, the timeline, the lines of the log.

use std::process::{Command, Stdio};

use epm_sandbox::Sandbox;

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
    let outside: Vec<_> = outside_of_fences(&summary);
    assert!(outside.len() > 10 && outside.len() < summary.lines().count());
    for line in outside {
        let bare = without_code_spans(line);
        assert!(!line.contains("</details><script"), "{line}");
        for markup in ["<script", "<img", "](javascript", "**bold**"] {
            assert!(!bare.contains(markup), "{markup:?} is markup in {line}");
        }
        if line.starts_with('|') {
            assert!(bare.matches('|').count() <= 4, "a pipe splits a cell: {line}");
        }
    }
    if let Some(html) = rendered(&summary) {
        assert!(
            !html.contains("<script") && !html.contains("<img") && !html.contains("javascript:alert(1)\""),
            "{html}"
        );
    }
}

/// The lines that stand in no fenced block (GFM §4.5): a fence is closed by one of its kind at least as long.
fn outside_of_fences(text: &str) -> Vec<&str> {
    let mut fence = None;
    let mut outside = Vec::new();
    for line in text.lines() {
        let run = line.len() - line.trim_start_matches('`').len();
        match fence {
            None if run >= 3 => fence = Some(run),
            None => outside.push(line),
            Some(open) if run >= open && line[run..].trim().is_empty() => fence = None,
            Some(_) => {}
        }
    }
    assert_eq!(fence, None, "a fence stays open");
    outside
}

/// A line without its code spans (GFM §6.3): each ends at a run of backticks as long as the one that began it.
fn without_code_spans(line: &str) -> String {
    let mut rest = line;
    let mut bare = String::new();
    while let Some(start) = rest.find('`') {
        bare.push_str(&rest[..start]);
        let after = rest[start..].trim_start_matches('`');
        let fence = "`".repeat(rest.len() - start - after.len());
        let mut end = 0;
        loop {
            let found = after[end..].find(&fence).unwrap_or_else(|| panic!("a code span stays open: {line}"));
            let run = &after[end + found..];
            let length = run.len() - run.trim_start_matches('`').len();
            end += found + length;
            if length == fence.len() {
                break;
            }
        }
        rest = &after[end..];
    }
    bare + rest
}

/// As GitHub's own renderer shows it, where that is installed; raw HTML is let through.
fn rendered(markdown: &str) -> Option<String> {
    let dir = tempfile::tempdir().ok()?;
    let page = dir.path().join("summary.md");
    std::fs::write(&page, markdown).ok()?;
    let mut command = Command::new("cmark-gfm");
    command.args(["--unsafe", "--extension", "table"]).arg(page).stderr(Stdio::null());
    command.output().ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
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
    outside_of_fences(&ran.github_summary);
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
