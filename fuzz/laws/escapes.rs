//! Every place that foreign text goes to: the log of a runner, an annotation, the file of step outputs, a folder of
//! them, JSON on stdout, a dotenv file, JUnit, HTML. The summary has laws of its own.

use epm_gate::ci::{azure, dotenv, files, github, gitlab};
use epm_gate::foreign::{Foreign, defused, log_line, quote, quote_whole};
use epm_gate::job::JobId;
use epm_gate::report::values::{self, json_line};
use epm_gate::report::{Report, html, junit};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::runner::{self, AzureCommand, Command};
use super::{is_clean, markdown, texts};

/// In the corpus: texts, each to be put wherever EPM's may stand.
pub(super) fn hold(bytes: &[u8]) {
    let all = String::from_utf8_lossy(bytes);
    let texts = texts(&all);
    for text in &texts {
        starts_no_command(text);
        stays_quoted(text);
    }
    is_one_command(texts[0], texts.last().expect("there is one"));
    stays_one_output(&all);
    stays_one_variable(&all);
    let report = markdown::report(&texts);
    come_back(&report);
    fit_a_folder(&report);
    is_one_json_line(&report);
    is_a_dotenv(&report);
    is_a_junit_report(&report);
    is_a_page(&report);
    are_annotations(&report);
}

fn starts_no_command(text: &str) {
    let line = log_line(text);
    assert!(is_clean(&line) && !line.contains(['\n', '\t']), "{line:?}");
    for before in ["", "│ ", "error: ", "job 7: ", "#", "##", ":"] {
        // What stands before is ours, and never the half of a command.
        let is_ours = !before.starts_with(['#', ':']);
        let commands = runner::commands(&format!("{before}{line}"));
        assert!(!is_ours || commands.is_empty(), "{commands:?}");
    }
    for line in text.split(['\n', '\r']).map(defused) {
        assert_eq!(runner::commands(&line), []);
    }
    assert_eq!(log_line(&line), line, "it changes once more");
}

/// Nothing leaves the code span that it is quoted in.
fn stays_quoted(text: &str) {
    for quoted in [quote(text), quote_whole(text)] {
        let within = quoted.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        let within = within.expect("it stands between backticks");
        assert!(!within.is_empty() && !within.contains('`') && is_clean(within), "{quoted:?}");
        assert_eq!(runner::commands(&quoted), []);
    }
}

fn is_one_command(title: &str, message: &str) {
    let [command] = &*runner::commands(&github::annotation("error", title, message)) else { panic!("not one command") };
    let Command { name, title: told, data } = command;
    assert_eq!((name.as_str(), data), ("error", &log_line(message)));
    assert_eq!(told.as_deref().unwrap_or_default().trim(), log_line(title));
    let group = Command { name: "group".to_owned(), title: None, data: log_line(title) };
    assert_eq!(runner::commands(&github::group(title).open), [group]);
    let issue = azure_command("task.logissue", &[("type", "error")], log_line(message));
    assert_eq!(runner::azure(&azure::issue("error", message)), Some(issue));
    assert_eq!(runner::azure(&azure::group(title).open), None);
    let section = gitlab::section(title, JobId::new(7), Timestamp::UNIX_EPOCH);
    let opened = ("start", "epm_gate_log_7".to_owned(), log_line(title));
    assert_eq!(runner::sections(&section.open), [opened]);
    assert_eq!(runner::sections(&section.close), [("end", "epm_gate_log_7".to_owned(), String::new())]);
    assert_eq!(runner::sections(&log_line(message)), []);
}

fn azure_command(name: &str, properties: &[(&str, &str)], data: String) -> AzureCommand {
    let properties = properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    AzureCommand { name: name.to_owned(), properties: properties.collect(), data }
}

/// A variable of Azure comes back whole but for what would be a command, on one line.
fn stays_one_variable(value: &str) {
    let line = azure::variable("details", value);
    assert!(!line.contains(['\n', '\r']));
    let expected = azure_command(
        "task.setvariable",
        &[("variable", "details"), ("isOutput", "true")],
        defused(value).replace("$(", "$ ("),
    );
    assert_eq!(runner::azure(&line), Some(expected));
    assert_eq!(runner::commands(line.trim_start_matches('#')), []);
    assert!(!line.contains("$("), "the agent would expand it");
}

/// The file of a job that GitLab, Java and a shell read, each to the same values: what a URL's decoder gives back, or
/// nothing where that is too long.
fn is_a_dotenv(report: &Report) {
    let file = dotenv::render(report);
    let variables = runner::dotenv(&file).expect("GitLab takes it");
    assert_eq!(variables.len(), 12);
    let values = values::outputs(report);
    for (line, (key, value)) in file.lines().zip(&variables) {
        assert_eq!(runner::property(line), Some((key.clone(), value.clone())));
        let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"_./:@+-%".contains(&byte);
        assert!(value.bytes().all(is_harmless), "{line:?}");
        let name = key.strip_prefix("EPM_GATE_").expect("a name of ours").replace('_', "").to_lowercase();
        let (_, output) = values.iter().find(|(known, _)| known.to_lowercase() == name).expect("a step output");
        let decoded = percent_decode_str(value).decode_utf8().expect("UTF-8");
        let whole = values::text(output);
        assert!(decoded == whole || value.is_empty() && whole.len() > 100, "{line:?} for {whole:?}");
    }
}

/// XML that a parser takes, whose texts are those that were put in.
fn is_a_junit_report(report: &Report) {
    let text = junit::render(report);
    let page = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    let named = |name: &'static str| page.descendants().filter(move |node| node.has_tag_name(name));
    let case = named("testcase").next().expect("a case");
    assert_eq!((named("testcase").count(), named("failure").count(), named("error").count()), (1, 1, 0));
    let name = Foreign::new(report.jobs[0].name.as_deref().unwrap_or_default());
    assert_eq!(case.attribute("name").map(without_space), Some(without_space(name.as_str())));
    let failure = named("failure").next().and_then(|node| node.text()).unwrap_or_default();
    let details = report.jobs[0].facts.details.as_ref().map(|text| without_space(text.first_line()));
    assert!(details.is_none_or(|details| without_space(failure).contains(&details)), "{failure}");
}

/// What XML changes or forbids is of no account here.
fn without_space(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace() && !"\u{fffe}\u{ffff}".contains(*char)).collect()
}

/// Every `<` and `&` of the page is one of ours.
fn is_a_page(report: &Report) {
    const TAGS: [&str; 38] = [
        "!doctype html",
        "body",
        "body class",
        "br",
        "circle",
        "circle class",
        "code",
        "code class",
        "desc",
        "desc id",
        "div",
        "div class",
        "h1",
        "h2",
        "h3",
        "head",
        "html",
        "html lang",
        "line class",
        "meta",
        "p",
        "p class",
        "pre",
        "rect",
        "rect class",
        "strong",
        "style",
        "svg",
        "svg viewBox",
        "table",
        "td",
        "td colspan",
        "text",
        "text x",
        "th",
        "title",
        "title id",
        "tr",
    ];
    let text = html::render(report);
    let (_, page) = text.split_once("</style>").expect("a style");
    for (at, _) in page.match_indices('<') {
        let tag = page[at + 1..].trim_start_matches('/').split(['>', '=']).next().unwrap_or_default();
        assert!(TAGS.contains(&tag), "<{tag}>");
    }
    for (at, _) in page.match_indices('&') {
        let entity = page[at + 1..].split(';').next().unwrap_or_default();
        assert!(["amp", "lt", "gt", "quot", "#39"].contains(&entity), "&{entity};");
    }
    assert!(!page.contains("<script") && !page.contains("href"));
}

/// JSON of the form that GitLab demands (`ci_job_annotation_data.json`).
fn are_annotations(report: &Report) {
    let text = gitlab::annotations(report);
    let value: Value = serde_json::from_str(&text).expect("JSON");
    for (list, links) in value.as_object().expect("an object") {
        assert!(!list.is_empty() && list.len() <= 255);
        for link in links.as_array().expect("an array") {
            let link = &link["external_link"];
            assert!(link["label"].is_string());
            assert!(link["url"].as_str().is_some_and(|url| url.starts_with("https://")));
        }
    }
    assert!(text.len() <= 80 * 1024);
}

/// A value never ends before its delimiter, which here can be guessed; then it is refused.
fn stays_one_output(value: &str) {
    const DELIMITER: &str = "EOF_7";
    match github::output("details", value, DELIMITER) {
        Ok(file) => {
            let next = "jobId<<EOF_8\n7\nEOF_8\n";
            let outputs = runner::outputs(&format!("{file}{next}"), false);
            let expected =
                [("details", value), ("jobId", "7")].map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(outputs.as_deref(), Ok(expected.as_slice()));
            let names: Vec<_> = runner::outputs(&file, true).into_iter().flatten().map(|(name, _)| name).collect();
            assert_eq!(names, ["details"]);
        }
        Err(_) => assert!(value.contains(DELIMITER)),
    }
}

/// The outputs of a run, as they are written and as a runner reads them.
fn come_back(report: &Report) {
    const DELIMITER: &str = "ghadelimiter_00112233445566778899aabbccddeeff";
    let texts: Vec<_> =
        values::outputs(report).iter().map(|(name, value)| (name.clone(), values::text(value))).collect();
    let file: Result<String, _> = texts.iter().map(|(name, value)| github::output(name, value, DELIMITER)).collect();
    let Ok(file) = file else { return };
    assert_eq!(runner::outputs(&file, false).as_ref(), Ok(&texts));
    assert_eq!(runner::outputs(&file, true), Ok(texts));
}

/// A file for each output, all of them within what Tekton takes, each its value or how that begins.
fn fit_a_folder(report: &Report) {
    let values = values::outputs(report);
    let files = files::contents(&values);
    assert!(files.iter().map(|(_, content)| content.len()).sum::<usize>() <= 3 * 1024);
    assert_eq!(files.len(), values.len());
    for (name, content) in &files {
        assert!(name.bytes().all(|byte| byte.is_ascii_alphabetic()), "{name:?}");
        let whole = values::text(&values[name]);
        assert!(whole.starts_with(content.trim_end_matches('…')), "{name}: {content:?}");
        let is_whole = *content == whole || content.is_empty();
        assert!(is_whole || content.ends_with('…') && !["jobs", "logFileName"].contains(&name.as_str()), "{name}");
    }
}

fn is_one_json_line(report: &Report) {
    let value = Value::Object(values::outputs(report));
    let line = json_line(&value);
    assert!(!line.contains(['\n', '\r']));
    assert_eq!(runner::commands(&line), []);
    assert!(!line.contains("$("), "Azure's agent would expand it");
    assert_eq!(serde_json::from_str::<Value>(&line).ok(), Some(value));
}
