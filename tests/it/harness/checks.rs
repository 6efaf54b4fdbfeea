//! What is true of every run, whatever it was about.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use epm_sandbox::{DOMAIN, PASSWORD, USERNAME};

use super::platform::On;
use super::ran::Ran;

/// The exit codes of spec §4, written anew.
const CODES: [(&str, &[i32]); 20] = [
    ("succeeded", &[0]),
    ("warned", &[0]),
    ("submitted", &[0]),
    ("usage", &[2]),
    ("failed", &[10]),
    ("cancelled", &[11]),
    ("invalid-parameter", &[12]),
    ("condition-unmet", &[13]),
    ("timed-out", &[20]),
    ("contact-lost", &[21]),
    ("access-lost", &[22]),
    ("undetermined", &[23]),
    ("submit-uncertain", &[24]),
    ("in-progress", &[25]),
    ("access-denied", &[30]),
    ("unreachable", &[31]),
    ("rejected", &[32]),
    ("unwritable", &[40]),
    ("interrupted", &[129, 130, 143]),
    ("panic", &[101]),
];

pub(super) fn every_run(ran: &Ran, dir: &Path, on: On) {
    for (place, bytes) in everything(ran, dir) {
        no_secret(&place, &bytes);
    }
    no_command_but_ours(ran, on);
    no_escape(ran, on);
    outputs_agree(ran, &ran.files);
    outputs_agree(ran, &ran.github);
    assert_ne!(ran.code, 101, "a panic: {ran:?}");
}

/// Every byte that the run produced, and where.
fn everything(ran: &Ran, dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut produced = vec![
        ("stdout".to_owned(), ran.stdout.clone().into_bytes()),
        ("stderr".to_owned(), ran.stderr.clone().into_bytes()),
    ];
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if !entry.file_name().to_string_lossy().starts_with("given-") {
                // Files named so are inputs of the test.
                produced.push((path.display().to_string(), std::fs::read(&path).unwrap_or_default()));
            }
        }
    }
    produced
}

fn no_secret(place: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for secret in forms_of_the_password() {
        assert!(!text.contains(&secret), "a form of the password, {secret:?}, stands in {place}:\n{text}");
    }
}

/// The password as it is, and as it may travel or be quoted.
fn forms_of_the_password() -> Vec<String> {
    let percent = |keep: fn(char) -> bool| -> String {
        let encode = |char: char| if keep(char) { char.to_string() } else { format!("%{:02X}", u32::from(char)) };
        PASSWORD.chars().map(encode).collect()
    };
    let json = serde_json::Value::from(PASSWORD).to_string();
    let mut forms = vec![
        PASSWORD.to_owned(),
        json.trim_matches('"').to_owned(),
        percent(|char| char.is_ascii_alphanumeric()),
        percent(|char| char.is_ascii_alphanumeric() || "-._~".contains(char)),
        PASSWORD.replace('&', "&amp;").replace('"', "&quot;").replace('>', "&gt;"),
    ];
    let login = format!("{USERNAME}:{PASSWORD}");
    for secret in [PASSWORD.to_owned(), login.clone(), format!("{DOMAIN}.{login}")] {
        for engine in [STANDARD, URL_SAFE] {
            forms.push(engine.encode(&secret).trim_end_matches('=').to_owned());
        }
    }
    forms
}

/// GitHub finds `::command::` at the start of a line and `##[command]` anywhere in one; Azure `##vso[` anywhere.
fn no_command_but_ours(ran: &Ran, on: On) {
    let mut annotations = 0;
    for line in ran.stdout.lines().chain(ran.stderr.lines()) {
        let (command, is_annotation) = on.command(line);
        annotations += usize::from(is_annotation);
        let rest = if command { line.trim_start_matches(['#', ':']) } else { line };
        assert!(!rest.contains("##[") && !rest.contains("##vso"), "a command: {line:?}");
        assert!(command || !line.trim_start().starts_with("::"), "a command: {line:?}");
    }
    assert!(annotations <= 1, "{annotations} annotations: {ran:?}");
}

/// Nothing for a terminal to obey: none is there. GitLab's sections are written in such characters.
fn no_escape(ran: &Ran, on: On) {
    let odd = |char: &char| (char.is_control() && !"\n\t".contains(*char)) || ('\u{202a}'..='\u{202e}').contains(char);
    let log: Vec<&str> = ran.stderr.lines().map(|line| on.without_section(line)).collect();
    for text in [&ran.stdout, &log.join("\n"), &ran.summary, &ran.github_summary, &ran.github_output] {
        assert_eq!(text.chars().find(odd), None, "{text:?}");
    }
}

fn outputs_agree(ran: &Ran, outputs: &std::collections::BTreeMap<String, String>) {
    let value = |name: &str| outputs.get(name).map(String::as_str).unwrap_or_default();
    if value("outcome").is_empty() {
        assert_eq!(value("exitCode"), "", "an exit code without an outcome: {ran:?}");
        return;
    }
    let codes = CODES.iter().find(|(word, _)| *word == value("outcome")).map(|(_, codes)| *codes);
    let codes = codes.unwrap_or_else(|| panic!("`{}` is no outcome", value("outcome")));
    assert!(codes.contains(&ran.code), "`{}` beside exit {}: {ran:?}", value("outcome"), ran.code);
    assert_eq!(value("exitCode"), ran.code.to_string(), "{ran:?}");
}
