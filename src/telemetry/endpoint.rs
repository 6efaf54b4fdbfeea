//! Where spans are sent. A URL may hold a key, so that no text of it is printed. Plain `http` is right for a collector beside
//! the gate: no secret of EPM goes there.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// A place that takes spans.
pub struct Endpoint {
    url: SecretString,
    /// Whether it is asked over TLS.
    pub is_tls: bool,
}

impl Endpoint {
    /// Of all signals, each of which has a path of its own beneath it (OTLP exporter, "Endpoint URLs for OTLP/HTTP").
    pub fn of_all(text: &str) -> Option<Self> {
        let mut url = parse(text)?;
        url.path_segments_mut().ok()?.pop_if_empty().extend(["v1", "traces"]);
        Some(Self::new(&url))
    }

    /// Of traces alone, taken as it is.
    pub fn of_traces(text: &str) -> Option<Self> {
        parse(text).map(|url| Self::new(&url))
    }

    fn new(url: &Url) -> Self {
        Self { is_tls: url.scheme() == "https", url: SecretString::from(url.as_str()) }
    }

    /// The URL, to be sent to and nothing else.
    pub(super) fn url(&self) -> &str {
        self.url.expose_secret()
    }
}

fn parse(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    (matches!(url.scheme(), "http" | "https") && text.contains("://") && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_has_its_path_beneath_the_place_of_all() {
        let table = [
            ("http://collector:4318", Some("http://collector:4318/v1/traces")),
            ("http://collector:4318/", Some("http://collector:4318/v1/traces")),
            (" https://otlp.example.com/otlp/ ", Some("https://otlp.example.com/otlp/v1/traces")),
            ("https://otlp.example.com/otlp", Some("https://otlp.example.com/otlp/v1/traces")),
            ("https://otlp.example.com/a?key=1", Some("https://otlp.example.com/a/v1/traces?key=1")),
            ("collector:4318", None),
            ("grpc://collector:4317", None),
            ("https:collector", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(Endpoint::of_all(text).as_ref().map(Endpoint::url), expected, "{text}");
        }
        let exact = Endpoint::of_traces("http://collector:4318").expect("a URL");
        assert_eq!((exact.url(), exact.is_tls), ("http://collector:4318/", false));
    }
}
