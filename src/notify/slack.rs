//! A message for an incoming webhook of Slack, in Block Kit: text of others stands in plain texts and code spans, escaped as
//! Slack asks for (docs.slack.dev/messaging/formatting-message-text).

use serde_json::{Value, json};

use crate::foreign::cut;

use super::message::Message;

/// The most characters of a header and of a section, and the most fields of one
/// (docs.slack.dev/reference/block-kit/blocks/header-block, section-block).
const HEADER: usize = 150;
const SECTION: usize = 3000;
const FIELDS: usize = 10;

/// How much of a text is shown: each of its bytes may become five when it is escaped.
const SHOWN: usize = 550;
const FIELD: usize = 350;

pub(super) fn render(message: &Message) -> Value {
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": cut(&message.title, HEADER), "emoji": false } }),
        section(&escaped(&cut(&message.headline, SHOWN))),
    ];
    blocks.extend(message.evidence.as_ref().map(|line| section(&block(line))));
    blocks.push(section(&format!("*What to do next:* {}", escaped(&cut(&message.next, SHOWN)))));
    blocks.extend(message.attach.as_ref().map(|command| section(&block(command))));
    let fields: Vec<Value> =
        message.facts.iter().take(FIELDS).map(|(name, value)| mrkdwn(&format!("*{name}*\n{}", span(value)))).collect();
    if !fields.is_empty() {
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    blocks.extend(
        message.run.as_ref().filter(|run| run.len() < SHOWN).map(|run| section(&format!("<{}|The run>", escaped(run)))),
    );
    // What a notification shows, and whoever cannot show blocks.
    json!({ "text": escaped(&cut(&message.headline, SHOWN)), "blocks": blocks })
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": mrkdwn(text) })
}

/// `verbatim`: no name of a channel and no URL in it becomes a link.
fn mrkdwn(text: &str) -> Value {
    debug_assert!(text.chars().count() <= SECTION, "a section is too long: {text}");
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn span(text: &str) -> String {
    format!("`{}`", escaped(&cut(text, FIELD)).replace('`', "'"))
}

fn block(text: &str) -> String {
    format!("```{}```", escaped(&cut(text, SHOWN)).replace('`', "'"))
}
