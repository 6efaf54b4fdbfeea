//! One set of reports as every kind of message: as snapshots, and with hostile texts in every field.

use insta::Settings;
use serde_json::Value;

use crate::report::Report;
use crate::report::samples::{HOSTILE, all, with_texts};
use crate::report::schema;

use super::message::Message;
use super::{Key, cloudevents, pagerduty, slack, teams};

type Render = fn(&Report) -> Value;

const FORMS: [(&str, Render); 4] = [
    ("cloudevent", |report| cloudevents::render(report, "5eed")),
    ("slack", |report| slack::render(&Message::of(report))),
    ("teams", |report| teams::render(&Message::of(report))),
    ("pagerduty", |report| pagerduty::render(report, &Message::of(report), &of_line(), "KEY").unwrap_or_default()),
];

/// What a command line told.
fn of_line() -> Key {
    let (host, job) = (Some("epm.example.com".to_owned()), Some(":2100,2101,2102".to_owned()));
    Key { given: None, host, job }
}

#[test]
fn of_each_kind_of_message() {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("snapshots");
    settings.set_omit_expression(true);
    for (name, report) in all() {
        for (form, render) in FORMS {
            let mut document = render(&report);
            if let Some(data) = document.get_mut("data") {
                // It is the report, which has snapshots of its own.
                assert_eq!(schema::faults(data), [""; 0], "{name}");
                *data = "[report]".into();
            }
            let text = serde_json::to_string_pretty(&document).unwrap();
            settings.bind(|| insta::assert_snapshot!(format!("{name}.{form}"), text));
        }
    }
}

/// For the readers of tests/pipelines/notify.sh.
#[test]
#[expect(clippy::disallowed_methods, reason = "no environment of the gate's")]
fn are_written_where_somebody_asks_for_them() {
    let Some(dir) = std::env::var_os("EPM_GATE_WRITE_SAMPLES") else { return };
    let hostile = ("hostile-fields", with_texts(&"<!here> *x* `{{DATE(1)}}` & ".repeat(3000)));
    for (name, report) in all().into_iter().chain([hostile]) {
        for (form, render) in FORMS {
            let file = std::path::Path::new(&dir).join(format!("{name}.{form}.json"));
            std::fs::write(file, render(&report).to_string()).unwrap();
        }
    }
}

/// Every text in a document.
fn texts<'a>(document: &'a Value, found: &mut Vec<&'a str>) {
    match document {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(map) => map.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

#[test]
fn text_of_others_calls_nobody_and_fits() {
    let more = [
        "<!channel> <@U1> <https://x.invalid|y>",
        "`*b* _i_",
        "[x](https://x.invalid)",
        "{{DATE(2017,SHORT)}}",
        "{{{DATE(2017,SHORT)}}} {{{{{",
    ];
    let long = ["&<>`|".repeat(20_000), "ü\u{202e}".repeat(20_000)];
    for text in more.map(str::to_owned).into_iter().chain(long).chain([HOSTILE.to_owned()]) {
        let report = with_texts(&text);
        let slack = slack::render(&Message::of(&report));
        // A header is plain, and so is read as it is.
        let (header, rest) = slack["blocks"].as_array().unwrap().split_first().unwrap();
        assert_eq!(header["text"]["type"], "plain_text");
        assert!(header["text"]["text"].as_str().unwrap().chars().count() <= 150, "{header}");
        let mut found = vec![slack["text"].as_str().unwrap()];
        for block in rest {
            texts(block, &mut found);
        }
        for text in found {
            let rest = text.replace("<https://ci.example.com/", "");
            assert!(!rest.contains('<') && text.chars().count() <= 3000, "{text}");
        }
        let fields =
            slack["blocks"].as_array().unwrap().iter().filter_map(|block| block["fields"].as_array()).flatten();
        for field in fields {
            assert!(field["text"].as_str().unwrap().chars().count() <= 2000, "{field}");
        }
        let teams = teams::render(&Message::of(&report)).to_string();
        assert!(teams.len() < 28 * 1024 && !teams.contains("{{") && !teams.contains("TextBlock\",\"text"), "{teams}");
        let event = pagerduty::render(&report, &Message::of(&report), &of_line(), "KEY").unwrap();
        assert!(event["payload"]["summary"].as_str().unwrap().len() <= 1024);
        assert!(event["dedup_key"].as_str().unwrap().len() <= 255);
        assert!(event.to_string().len() < 512 * 1024);
    }
}
