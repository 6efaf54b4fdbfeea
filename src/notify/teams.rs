//! A message for a workflow of Microsoft Teams: an Adaptive Card. Its texts are runs, in which no markdown is read
//! (learn.microsoft.com/en-us/adaptive-cards/schema-explorer/text-run).

use serde_json::{Value, json};

use super::message::Message;

pub(super) fn render(message: &Message) -> Value {
    let mut body = vec![
        json!({ "type": "RichTextBlock", "inlines": [run(&message.title, json!({ "size": "Large", "weight": "Bolder" }))] }),
        text(&message.headline),
    ];
    body.extend(message.evidence.as_ref().map(|line| monospaced(line)));
    body.push(named("What to do next", &message.next));
    body.extend(message.attach.as_ref().map(|command| monospaced(command)));
    body.extend(message.facts.iter().map(|(name, value)| named(name, value)));
    let actions: Vec<Value> =
        message.run.iter().map(|run| json!({ "type": "Action.OpenUrl", "title": "The run", "url": run })).collect();
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    });
    if !actions.is_empty() {
        card["actions"] = actions.into();
    }
    let attachment =
        json!({ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card });
    json!({ "type": "message", "attachments": [attachment] })
}

fn text(text: &str) -> Value {
    json!({ "type": "RichTextBlock", "inlines": [run(text, json!({}))] })
}

fn monospaced(text: &str) -> Value {
    json!({ "type": "RichTextBlock", "inlines": [run(text, json!({ "fontType": "Monospace" }))] })
}

fn named(name: &str, text: &str) -> Value {
    let name = run(&format!("{name}: "), json!({ "weight": "Bolder" }));
    json!({ "type": "RichTextBlock", "spacing": "Small", "inlines": [name, run(text, json!({}))] })
}

/// Two braces would open a function for dates, and of three the last two are left by one pass.
fn run(text: &str, mut style: Value) -> Value {
    style["type"] = "TextRun".into();
    style["text"] = text.replace("{{", "{ {").replace("{{", "{ {").into();
    style
}
