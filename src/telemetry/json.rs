//! Spans as OTLP in JSON (github.com/open-telemetry/opentelemetry-proto, `docs/specification.md`, "JSON Protobuf Encoding"):
//! ids in hexadecimal, enums as numbers, 64-bit numbers as decimal texts.

use serde_json::{Value as Json, json};

use crate::digest::hexadecimal;

use super::Batch;
use super::span::{Attribute, ERROR, Event, INTERNAL, Span, Value};

/// An `ExportTraceServiceRequest`.
pub(super) fn render(batch: &Batch<'_>) -> Json {
    let resource: Vec<Json> =
        batch.resource.iter().map(|(key, value)| json!({ "key": key, "value": { "stringValue": value } })).collect();
    let spans: Vec<Json> = batch.spans.iter().map(|one| span(one, batch)).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{ "scope": { "name": super::NAME, "version": super::VERSION }, "spans": spans }],
    }] })
}

fn span(span: &Span, batch: &Batch<'_>) -> Json {
    let mut json = json!({
        "traceId": hexadecimal(&batch.context.trace_id),
        "spanId": hexadecimal(&span.id),
        "name": span.name,
        "kind": INTERNAL,
        "flags": span.flags(),
        "startTimeUnixNano": span.start.to_string(),
        "endTimeUnixNano": span.end.to_string(),
        "attributes": attributes(&span.attributes),
        "events": span.events.iter().map(event).collect::<Vec<_>>(),
        "droppedEventsCount": span.dropped,
    });
    if let Some(parent) = &span.parent {
        json["parentSpanId"] = hexadecimal(parent).into();
    }
    if let Some(state) = &batch.context.state {
        json["traceState"] = state.as_str().into();
    }
    if let Some(error) = &span.error {
        json["status"] = json!({ "code": ERROR, "message": error });
    }
    json
}

fn event(event: &Event) -> Json {
    json!({ "timeUnixNano": event.at.to_string(), "name": event.name, "attributes": attributes(&event.attributes) })
}

fn attributes(attributes: &[Attribute]) -> Vec<Json> {
    attributes.iter().map(|(key, known)| json!({ "key": key, "value": value(known) })).collect()
}

fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!({ "stringValue": text }),
        Value::Number(number) => json!({ "intValue": number.to_string() }),
        Value::Flag(flag) => json!({ "boolValue": flag }),
    }
}
