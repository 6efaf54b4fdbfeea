//! Which trace a run belongs to: that of the pipeline around it (<https://www.w3.org/TR/trace-context/#traceparent-header>),
//! or one of its own.

use std::fmt;

use crate::digest::hexadecimal;

/// A trace, and the place of the run in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; never all zero.
    pub trace_id: [u8; 16],
    /// The span of the run itself; never all zero.
    pub span_id: [u8; 8],
    /// The span that it is a child of, in the pipeline around it.
    pub parent: Option<[u8; 8]>,
    /// Whether the trace is recorded.
    pub sampled: bool,
    /// What the systems before have added, to be handed on as it is (`TRACESTATE`).
    pub state: Option<String>,
}

impl TraceContext {
    /// A trace of the run's own.
    pub fn new() -> Self {
        Self { trace_id: random(), span_id: random(), parent: None, sampled: true, state: None }
    }

    /// A place in the trace that a `traceparent` tells of; none where that is not one, and must be ignored.
    pub fn from_traceparent(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut fields = text.split('-');
        let mut field = || fields.next();
        let ([version], trace_id, parent, [flags]) =
            (bytes(field()?)?, bytes(field()?)?, bytes(field()?)?, bytes(field()?)?);
        // Later versions may add fields, and keep these.
        let is_known = version != 0xff && (version > 0 || field().is_none());
        let is_set = trace_id != [0; 16] && parent != [0; 8];
        (is_known && is_set).then(|| Self {
            trace_id,
            span_id: random(),
            parent: Some(parent),
            sampled: flags & 1 == 1,
            state: None,
        })
    }

    /// With what came beside it. What is no list of visible characters, or longer than the 512 that everybody hands on, is
    /// left out.
    #[must_use]
    pub fn with_state(self, state: Option<String>) -> Self {
        let is_list = |text: &String| {
            text.len() <= 512 && text.contains('=') && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        Self { state: state.map(|text| text.trim().to_owned()).filter(is_list), ..self }
    }
}

impl Default for TraceContext {
    fn default() -> Self {
        Self::new()
    }
}

/// The id of the trace.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.trace_id))
    }
}

/// Lower case alone, and as many digits as there must be.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 2 * N || !text.bytes().all(is_digit) {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// Random bytes that are not all zero. Where the system has none, those of the jitter do: an id is no secret.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    while bytes == [0; N] {
        if getrandom::fill(&mut bytes).is_err() {
            bytes.fill_with(|| fastrand::u8(..));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const PARENT: &str = "00f067aa0ba902b7";

    #[test]
    fn a_parent_is_read_as_the_standard_says() {
        let table = [
            (format!("00-{TRACE}-{PARENT}-01"), Some(true)),
            (format!("00-{TRACE}-{PARENT}-00"), Some(false)),
            (format!(" 00-{TRACE}-{PARENT}-09\n"), Some(true)),
            (format!("cc-{TRACE}-{PARENT}-01"), Some(true)),
            (format!("cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like"), Some(true)),
            (format!("cc-{TRACE}-{PARENT}-01.what-the-future-will-be-like"), None),
            (format!("00-{TRACE}-{PARENT}-01-more"), None),
            (format!("00-{TRACE}-{PARENT}-01-"), None),
            (format!("ff-{TRACE}-{PARENT}-01"), None),
            (format!("0-{TRACE}-{PARENT}-01"), None),
            (format!("00-{}-{PARENT}-01", TRACE.to_uppercase()), None),
            (format!("00-{TRACE}-{}-01", PARENT.to_uppercase()), None),
            (format!("00-{}-{PARENT}-01", "0".repeat(32)), None),
            (format!("00-{TRACE}-{}-01", "0".repeat(16)), None),
            (format!("00-{}-{PARENT}-01", &TRACE[1..]), None),
            (format!("00-+{}-{PARENT}-01", &TRACE[1..]), None),
            (format!("00-{TRACE}-{PARENT}-1"), None),
            (format!("00-{TRACE}-{PARENT}"), None),
            (format!("00-{TRACE}-{PARENT}-0é"), None),
            (format!("00_{TRACE}_{PARENT}_01"), None),
            (String::new(), None),
        ];
        for (text, sampled) in table {
            let context = TraceContext::from_traceparent(&text);
            assert_eq!(context.as_ref().map(|context| context.sampled), sampled, "{text}");
            if let Some(context) = context {
                assert_eq!(context.to_string(), TRACE, "{text}");
                assert_eq!(context.parent.map(|parent| hexadecimal(&parent)).as_deref(), Some(PARENT));
                assert_ne!(context.span_id, [0; 8]);
            }
        }
    }

    #[test]
    fn a_trace_of_its_own_is_unlike_any_other() {
        let (one, other) = (TraceContext::new(), TraceContext::new());
        assert!(one.trace_id != other.trace_id && one.span_id != other.span_id);
        assert_eq!((one.parent, one.sampled), (None, true));
    }

    #[test]
    fn a_state_is_handed_on_where_it_is_one() {
        let long = format!("a={}", "x".repeat(511));
        for (text, kept) in
            [("congo=t61r, rojo=00f0 ", true), ("", false), ("x", false), ("a=ü", false), (&long, false)]
        {
            let context = TraceContext::new().with_state(Some(text.to_owned()));
            assert_eq!(context.state.as_deref(), kept.then_some(text.trim()), "{text}");
        }
    }
}
