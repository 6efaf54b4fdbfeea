//! What is true of every run, whatever it was about.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use epm_sandbox::{CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID, DOMAIN, JWT_KEY_PKCS1, JWT_KEY_PKCS8, PASSWORD, USERNAME};

use super::platform::On;
use super::ran::Ran;
use crate::schema;

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
    report_agrees(ran);
    assert_ne!(ran.code, 101, "a panic: {ran:?}");
}

/// The report is one of its schema, and says what the exit code says. A dry run and a check write none.
fn report_agrees(ran: &Ran) {
    if ran.report.is_empty() {
        return;
    }
    let report = serde_json::from_str(&ran.report).unwrap_or_else(|error| panic!("{error}: {}", ran.report));
    assert_eq!(schema::faults(&report), [""; 0], "{ran:?}");
    if !report["outcome"].is_null() {
        assert_eq!((&report["exitCode"], &report["passed"]), (&ran.code.into(), &(ran.code == 0).into()), "{ran:?}");
    }
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
    let login = format!("{USERNAME}:{PASSWORD}");
    let forms = [
        forms_of(PASSWORD, &[&login, &format!("{DOMAIN}.{login}")]),
        forms_of(CLIENT_SECRET, &[&format!("{CONFIDENTIAL_CLIENT_ID}:{CLIENT_SECRET}")]),
        forms_of_tokens(),
        [JWT_KEY_PKCS1, JWT_KEY_PKCS8].map(|key| key.lines().nth(3).expect("a long key").to_owned()).to_vec(),
    ];
    for secret in forms.iter().flatten() {
        assert!(!text.contains(secret), "a form of a secret, {secret:?}, stands in {place}:\n{text}");
    }
}

/// How every token of the sandbox begins, and how that looks in base64 wherever in a longer text it begins.
fn forms_of_tokens() -> Vec<String> {
    let mut forms = Vec::new();
    for prefix in ["sbx-refresh-", "sbx-access-", "sbx-device-"] {
        forms.push(prefix.to_owned());
        for skipped in 0..3 {
            let aligned = STANDARD.encode(&format!("{}{prefix}", ["", "--", "-"][skipped])[[0, 3, 3][skipped]..]);
            forms.push(aligned[..aligned.len() - 4].to_owned());
        }
    }
    forms
}

/// A secret as it is, and as it may travel or be quoted, by itself and in these.
fn forms_of(secret: &str, longer: &[&str]) -> Vec<String> {
    let percent = |keep: fn(char) -> bool| -> String {
        let encode = |char: char| if keep(char) { char.to_string() } else { format!("%{:02X}", u32::from(char)) };
        secret.chars().map(encode).collect()
    };
    let json = serde_json::Value::from(secret).to_string();
    let mut forms = vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        percent(|char| char.is_ascii_alphanumeric()),
        percent(|char| char.is_ascii_alphanumeric() || "-._~".contains(char)),
        secret.replace('&', "&amp;").replace('"', "&quot;").replace('>', "&gt;"),
    ];
    for text in longer.iter().copied().chain([secret]) {
        for engine in [STANDARD, URL_SAFE] {
            forms.push(engine.encode(text).trim_end_matches('=').to_owned());
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
