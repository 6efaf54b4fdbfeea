//! Every place that foreign text goes to: the log of a runner, an annotation, the file of step outputs, a folder of
//! them, JSON on stdout. The summary has laws of its own.

use epm_gate::ci::{files, github};
use epm_gate::foreign::{defused, log_line, quote, quote_whole};
use epm_gate::report::Report;
use epm_gate::report::values::{self, json_line};
use serde_json::Value;

use super::runner::{self, Command};
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
    let report = markdown::report(&texts);
    come_back(&report);
    fit_a_folder(&report);
    is_one_json_line(&report);
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
    assert_eq!(runner::commands(&github::group(title)), [group]);
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
    assert_eq!(serde_json::from_str::<Value>(&line).ok(), Some(value));
}
