//! A span as OTLP has it, before it is written in one of the two ways
//! (github.com/open-telemetry/opentelemetry-proto, `opentelemetry/proto/trace/v1/trace.proto`).

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Flag(bool),
}

/// An attribute.
pub(super) type Attribute = (&'static str, Value);

/// Something that happened within a span.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// Nanoseconds since 1970.
    pub(super) at: u64,
    pub(super) name: &'static str,
    pub(super) attributes: Vec<Attribute>,
}

/// A span, all of whose times lie within those of its parent.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    /// Whether the parent is another process's.
    pub(super) is_remote: bool,
    pub(super) name: String,
    /// Nanoseconds since 1970.
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) attributes: Vec<Attribute>,
    pub(super) events: Vec<Event>,
    /// How many events there were beyond those.
    pub(super) dropped: u32,
    /// Why it failed, where it did.
    pub(super) error: Option<String>,
}

/// `SPAN_KIND_INTERNAL`: the semantic conventions want it of a task in a pipeline.
pub(super) const INTERNAL: u8 = 1;

/// `STATUS_CODE_ERROR`
pub(super) const ERROR: u8 = 2;

impl Span {
    /// `SpanFlags`: sampled, that it is known whether the parent is remote, and whether it is.
    pub(super) fn flags(&self) -> u32 {
        0x101 | if self.is_remote { 0x200 } else { 0 }
    }
}

/// Attributes with a value, of those that may have one.
pub(super) fn known<const N: usize>(attributes: [(&'static str, Option<Value>); N]) -> Vec<Attribute> {
    attributes.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// A text as a value.
pub(super) fn text(text: &str) -> Option<Value> {
    (!text.is_empty()).then(|| Value::Text(text.to_owned()))
}

/// A number as a value; none beyond what OTLP can hold.
pub(super) fn number(number: impl TryInto<i64>) -> Option<Value> {
    number.try_into().ok().map(Value::Number)
}
