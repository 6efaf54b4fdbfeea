//! Headers that a receiver wants, from `OTEL_EXPORTER_OTLP_HEADERS`: `key=value` pairs between commas, values with percent
//! signs as in W3C Baggage. Values are secrets: nothing here shows one.

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Headers beside those that every export has.
#[derive(Default)]
pub struct Headers(pub(super) HeaderMap);

/// The headers, and the pairs that are none, counted from 1.
pub fn parse(text: &str) -> (Headers, Vec<usize>) {
    let (mut headers, mut wrong) = (HeaderMap::new(), Vec::new());
    for (index, pair) in text.split(',').enumerate().filter(|(_, pair)| !pair.trim().is_empty()) {
        match header(pair) {
            Some((name, value)) => drop(headers.insert(name, value)),
            None => wrong.push(index + 1),
        }
    }
    (Headers(headers), wrong)
}

fn header(pair: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = pair.split_once('=')?;
    let value: Vec<u8> = percent_decode_str(value.trim()).collect();
    let mut value = HeaderValue::from_bytes(&value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_what_is_none_is_named_by_its_number() {
        let (Headers(headers), wrong) =
            parse("Authorization=Basic%20czNjcmV0%3D, x-tenant = acme ,,x-sum=a=b,no-pair,b ad=1,x-evil=a%0d%0ab: c");
        let told: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap().to_owned())).collect();
        let expected = [("authorization", "Basic czNjcmV0="), ("x-tenant", "acme"), ("x-sum", "a=b")];
        assert_eq!(told, expected.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(wrong, [5, 6, 7]);
        assert!(!format!("{headers:?}").contains("czNjcmV0"));
    }
}
