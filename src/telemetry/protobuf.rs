//! Spans as OTLP in protobuf, which every receiver takes: by hand, since of the format only two kinds of field are needed
//! (<https://protobuf.dev/programming-guides/encoding/>). Numbers of fields are those of
//! github.com/open-telemetry/opentelemetry-proto, `opentelemetry/proto/{trace,common,resource}/v1/*.proto`.

use super::Batch;
use super::span::{Attribute, ERROR, Event, INTERNAL, Span, Value};

/// An `ExportTraceServiceRequest`.
pub(super) fn render(batch: &Batch<'_>) -> Vec<u8> {
    let mut resource = Message::default();
    for (key, value) in batch.resource {
        resource.message(1, &attribute(key, &Value::Text(value.clone())));
    }
    let mut scope = Message::default();
    scope.bytes(1, super::NAME.as_bytes());
    scope.bytes(2, super::VERSION.as_bytes());
    let mut of_scope = Message::default();
    of_scope.message(1, &scope);
    batch.spans.iter().for_each(|one| of_scope.message(2, &span(one, batch)));
    let mut of_resource = Message::default();
    of_resource.message(1, &resource);
    of_resource.message(2, &of_scope);
    let mut request = Message::default();
    request.message(1, &of_resource);
    request.0
}

/// How many spans an `ExportTraceServiceResponse` says were not taken; 0 where it does not say that any were.
pub(super) fn rejected(response: &[u8]) -> u64 {
    // `partial_success` is its only field, and `rejected_spans` comes first in that.
    let success = response.strip_prefix(&[0x0a]).and_then(varint).map(|(_, success)| success);
    let rejected = success.and_then(|success| success.strip_prefix(&[0x08])).and_then(varint);
    rejected.map(|(number, _)| number).unwrap_or_default()
}

/// A number, and what comes after it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

fn span(span: &Span, batch: &Batch<'_>) -> Message {
    let mut message = Message::default();
    message.bytes(1, &batch.context.trace_id);
    message.bytes(2, &span.id);
    message.bytes(3, batch.context.state.as_deref().unwrap_or_default().as_bytes());
    message.bytes(4, span.parent.as_ref().map_or(&[][..], |parent| parent));
    message.bytes(5, span.name.as_bytes());
    message.number(6, INTERNAL.into());
    message.fixed64(7, span.start);
    message.fixed64(8, span.end);
    span.attributes.iter().for_each(|(key, value)| message.message(9, &attribute(key, value)));
    span.events.iter().for_each(|one| message.message(11, &event(one)));
    message.number(12, span.dropped.into());
    if let Some(error) = &span.error {
        let mut status = Message::default();
        status.bytes(2, error.as_bytes());
        status.number(3, ERROR.into());
        message.message(15, &status);
    }
    message.fixed32(16, span.flags());
    message
}

fn event(event: &Event) -> Message {
    let mut message = Message::default();
    message.fixed64(1, event.at);
    message.bytes(2, event.name.as_bytes());
    event.attributes.iter().for_each(|(key, value): &Attribute| message.message(3, &attribute(key, value)));
    message
}

/// A `KeyValue`. Its value is one of several, and so is written where it is 0 too.
fn attribute(key: &str, value: &Value) -> Message {
    let mut any = Message::default();
    match value {
        Value::Text(text) => any.always(1, text.as_bytes()),
        Value::Flag(flag) => any.varint(2, u64::from(*flag)),
        // A negative number is the same bits without a sign.
        Value::Number(number) => any.varint(3, u64::from_ne_bytes(number.to_ne_bytes())),
    }
    let mut message = Message::default();
    message.bytes(1, key.as_bytes());
    message.message(2, &any);
    message
}

/// The fields of a message, one after the other. What is empty or 0 is left out, as proto3 has it.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn number(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.varint(field, value);
        }
    }

    fn bytes(&mut self, field: u32, value: &[u8]) {
        if !value.is_empty() {
            self.always(field, value);
        }
    }

    fn message(&mut self, field: u32, value: &Self) {
        self.always(field, &value.0);
    }

    fn varint(&mut self, field: u32, value: u64) {
        self.tag(field, 0);
        self.raw(value);
    }

    fn fixed64(&mut self, field: u32, value: u64) {
        self.tag(field, 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn always(&mut self, field: u32, value: &[u8]) {
        self.tag(field, 2);
        self.raw(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    fn fixed32(&mut self, field: u32, value: u32) {
        self.tag(field, 5);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn tag(&mut self, field: u32, kind: u32) {
        self.raw(u64::from(field << 3 | kind));
    }

    /// Seven bits a byte, the lowest first; all but the last have the eighth set.
    fn raw(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_format_has_them() {
        let written = |number: i64| attribute("k", &Value::Number(number)).0;
        assert_eq!(written(0), [0x0a, 1, b'k', 0x12, 2, 0x18, 0]);
        assert_eq!(written(150), [0x0a, 1, b'k', 0x12, 3, 0x18, 0x96, 0x01]);
        let minus_one = [&[0x0a, 1, b'k', 0x12, 11, 0x18][..], &[0xff; 9], &[0x01]].concat();
        assert_eq!(written(-1), minus_one);
        assert_eq!(attribute("k", &Value::Text(String::new())).0, [0x0a, 1, b'k', 0x12, 2, 0x0a, 0]);
        let mut message = Message::default();
        message.fixed32(16, 0x101);
        assert_eq!(message.0, [0x85, 0x01, 0x01, 0x01, 0, 0]);
    }

    #[test]
    fn what_was_not_taken_is_read() {
        for (response, expected) in [
            (&b""[..], 0),
            (&[0x0a, 0], 0),
            (&[0x0a, 2, 0x08, 3], 3),
            (&[0x0a, 3, 0x08, 0x96, 0x01], 150),
            (&[0x0a, 0x80, 0x01, 0x08, 7, 0x12], 7),
            (&[0x0a, 3, 0x12, 1, b'x'], 0),
            (&[0x0a, 2, 0x08, 0x80], 0),
            (b"{\"partialSuccess\":{}}", 0),
        ] {
            assert_eq!(rejected(response), expected, "{response:?}");
        }
    }
}
