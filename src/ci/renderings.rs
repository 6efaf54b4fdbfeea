//! One set of reports through every renderer: as snapshots, and with hostile texts in every field, read by parsers that are
//! not ours.

use std::path::Path;

use insta::Settings;
use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

use crate::foreign::{log_line, quote};
use crate::report::samples::{HOSTILE, all, with_texts};
use crate::report::schema;
use crate::report::values::{self, json_line, text};
use crate::report::wording::{headline, next_step};
use crate::report::{Report, html, markdown, metrics};

use super::{Form, azure, files, github};

type Render = fn(&Report) -> String;

/// Every way in which a report is written, with the ending of a file that holds it.
const FORMS: [(&str, Render); 14] = [
    ("report.json", |report| Form::Report.render(report)),
    ("summary.md", |report| markdown::render(report, false)),
    ("github.md", |report| markdown::render(report, true)),
    ("page.html", |report| Form::Html.render(report)),
    ("junit.xml", |report| Form::Junit.render(report)),
    ("attestation.json", |report| Form::Attestation.render(report)),
    ("links.json", |report| Form::Annotations.render(report)),
    ("dotenv", |report| Form::Dotenv.render(report)),
    ("metrics.prom", metrics::render),
    ("github-output", |report| {
        outputs(report, |name, value| github::output(name, value, "ghadelimiter_5eed").unwrap())
    }),
    ("azure-output", |report| outputs(report, azure::variable)),
    ("files", |report| {
        let files = files::contents(&values::outputs(report));
        files.into_iter().map(|(name, content)| format!("{name}: {content}\n")).collect::<Vec<_>>().concat()
    }),
    ("printed.json", |report| json_line(&Value::Object(values::printed(report)))),
    ("annotations", |report| {
        let message = format!("{}. {}", headline(report), next_step(report));
        [github::annotation("error", "epm-gate: x", &message), azure::issue("error", &message)].join("\n")
    }),
];

fn outputs(report: &Report, line: impl Fn(&str, &str) -> String) -> String {
    values::outputs(report).iter().map(|(name, value)| line(name, &text(value)) + "\n").collect()
}

#[test]
fn of_each_kind_of_report() {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("snapshots");
    settings.set_omit_expression(true);
    settings.add_filter(r"(?s)<style>.*</style>", "<style>[style]</style>");
    settings.add_filter(concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\""), "\"version\": \"[version]\"");
    for (name, report) in all() {
        // What the platforms have in common stands in the first of each two.
        let document = serde_json::from_str(&Form::Report.render(&report)).unwrap();
        assert_eq!(schema::faults(&document), [""; 0], "{name}");
        for (form, render) in FORMS.into_iter().filter(|(form, _)| !["github.md", "files"].contains(form)) {
            settings.bind(|| insta::assert_snapshot!(format!("{name}.{form}"), render(&report)));
        }
    }
}

/// For whoever looks at them, and for the tools of tests/pipelines/reports.sh.
#[test]
#[expect(clippy::disallowed_methods, reason = "no environment of the gate's")]
fn are_written_where_somebody_asks_for_them() {
    let Some(dir) = std::env::var_os("EPM_GATE_WRITE_SAMPLES") else { return };
    for (name, report) in all() {
        for (form, render) in FORMS {
            std::fs::write(Path::new(&dir).join(format!("{name}.{form}")), render(&report)).unwrap();
        }
    }
}

/// Texts of others that mean something to a reader of one of the forms, alone and together.
fn hostile() -> impl Iterator<Item = String> {
    let lines: Vec<String> = HOSTILE.lines().map(str::to_owned).collect();
    let more =
        ["", " ", "`", "``", "|", "\\", "\\|", "\n", "<", "&lt;", "]]>", "$(x)", "##vso[", "EOF", "ghadelimiter_"];
    lines.into_iter().chain(more.map(str::to_owned)).chain([HOSTILE.to_owned(), "ü|`".repeat(30_000)])
}

fn each(form: &str, hold: impl Fn(&str)) {
    let (_, render) = FORMS.into_iter().find(|(known, _)| *known == form).unwrap();
    for text in hostile() {
        hold(&render(&with_texts(&text)));
    }
}

/// What a runner or a terminal would obey wherever it is printed.
fn obeys_nothing(text: &str) {
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::") && !line.contains("##[") && !line.contains("##vso"), "{line:?}");
    }
    let odd = text.chars().find(|char| char.is_control() && !"\n\t".contains(*char) || *char == '\u{202e}');
    assert_eq!(odd, None, "{text}");
}

#[test]
fn json_stays_json_that_starts_no_command() {
    for form in ["report.json", "attestation.json", "links.json", "printed.json"] {
        each(form, |text| {
            obeys_nothing(text);
            assert!(!text.contains("$("), "Azure would expand a variable: {text}");
            serde_json::from_str::<Value>(text).unwrap();
        });
    }
}

#[test]
fn the_report_says_what_was_said() {
    let report: Value = serde_json::from_str(&Form::Report.render(&with_texts(HOSTILE))).unwrap();
    let clean = crate::foreign::Foreign::new(HOSTILE);
    assert_eq!(report["jobs"][0]["details"], clean.as_str());
    assert_eq!(report["jobs"][0]["other"][clean.as_str()], clean.as_str());
    // The payload is the user's own, and stands there to the byte.
    let sent = &report["payload"];
    let body: Value = serde_json::from_str(sent["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["jobName"], HOSTILE);
    assert_eq!(sent["bytes"], sent["body"].as_str().unwrap().len());
}

#[test]
fn a_page_of_html_has_no_element_but_ours() {
    each("page.html", |page| {
        let (head, body) = page.split_once("</style>").unwrap();
        assert!(head.contains("<meta charset=\"utf-8\">"));
        // What is left is XML, once the two elements without an end and the one attribute of the head are gone.
        let xml = format!("<html>{}", body.trim_start_matches("\n</head>").replace("<br>", "<br/>"));
        let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {page}"));
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            let name = node.tag_name().name();
            assert!(ELEMENTS.contains(&name), "<{name}>: {page}");
            let is_handler = |attribute: roxmltree::Attribute<'_, '_>| attribute.name().starts_with("on");
            assert!(!node.attributes().any(is_handler), "{page}");
        }
    });
}

/// The elements of a page.
const ELEMENTS: [&str; 24] = [
    "html", "body", "h1", "h2", "h3", "p", "strong", "code", "pre", "br", "div", "table", "tr", "th", "td", "svg",
    "title", "desc", "rect", "circle", "line", "text", "g", "span",
];

#[test]
fn junit_stays_a_report_of_as_many_cases() {
    each("junit.xml", |page| {
        let document = roxmltree::Document::parse(page).unwrap_or_else(|error| panic!("{error}: {page}"));
        let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
        assert_eq!((count("testcase"), count("failure"), count("system-out")), (2, 2, 0), "{page}");
    });
}

#[test]
fn markdown_has_no_markup_but_ours() {
    for form in ["summary.md", "github.md"] {
        each(form, |page| {
            for event in Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_GFM) {
                match event {
                    Event::Html(html) | Event::InlineHtml(html) => {
                        let rest = ["<details>", "</details>", "<summary>", "</summary>", "<br>"]
                            .into_iter()
                            .fold(html.to_string(), |rest, ours| rest.replace(ours, ""));
                        assert!(!rest.contains(['<', '>']), "{rest}: {page}");
                    }
                    Event::Start(Tag::Link { .. } | Tag::Image { .. } | Tag::Item | Tag::Emphasis) => {
                        panic!("markup of others: {page}");
                    }
                    _ => {}
                }
            }
        });
    }
}

#[test]
fn step_outputs_stay_in_their_places() {
    each("dotenv", |file| {
        assert_eq!(file.lines().count(), 12, "{file}");
        assert!(file.len() < 5 * 1024 && file.is_ascii(), "{file}");
    });
    each("azure-output", |lines| {
        for line in lines.lines() {
            assert!(line.starts_with("##vso[task.setvariable variable="), "{line}");
            assert_eq!(line.matches("##vso").count(), 1, "{line}");
        }
    });
    each("annotations", |lines| {
        assert_eq!(lines.lines().count(), 2, "{lines}");
        assert!(lines.starts_with("::error title="), "{lines}");
        assert_eq!(lines.matches("##").count(), 1, "{lines}");
    });
}

#[test]
fn metrics_have_no_line_but_ours() {
    each("metrics.prom", |file| {
        let is_ours = |line: &str| {
            ["epm_gate_", "# HELP epm_gate_", "# TYPE epm_gate_"].iter().any(|ours| line.starts_with(ours))
        };
        assert!(file.lines().all(is_ours), "{file}");
        assert!(file.lines().all(|line| line.len() < 600), "{file}");
    });
}

#[test]
fn a_sentence_of_others_is_one_line_of_the_log() {
    for text in hostile() {
        let report = with_texts(&text);
        for line in [headline(&report), next_step(&report), quote(&text)] {
            obeys_nothing(&log_line(&line));
        }
    }
    assert!(html::render(&Report::default()).contains("has not ended"));
}
