//! Where the trace of a run goes, by the variables of OpenTelemetry
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>). What is wrong with one is said and breaks nothing.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::foreign::quote;
use crate::http::Network;
use crate::http::proxy::Proxies;
use crate::http::roots::Roots;
use crate::telemetry::context::TraceContext;
use crate::telemetry::endpoint::Endpoint;
use crate::telemetry::headers::{self, Headers};
use crate::telemetry::{Encoding, Export};

use super::connection;
use super::given::{Environment, Values, is_placeholder};

/// How long an export takes at most where nothing is said (OTLP exporter, "Timeout").
const TIMEOUT: Duration = Duration::from_secs(10);

/// The export, where there is to be one, and what is wrong with what was set.
pub(super) fn export(
    values: &Values<'_>,
    environment: &Environment,
    context: &TraceContext,
) -> (Option<Export>, Vec<String>) {
    let mut reader = Reader { environment, warnings: Vec::new() };
    let export = reader.export(values, context);
    (export, reader.warnings)
}

struct Reader<'a> {
    environment: &'a Environment,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn export(&mut self, values: &Values<'_>, context: &TraceContext) -> Option<Export> {
        if self.is_off() {
            return None;
        }
        let endpoint = self.endpoint()?;
        let context = self.context(context);
        let encoding = self.encoding();
        if !self.is_sampled(&context) {
            return None;
        }
        self.mind_compression();
        let (headers, timeout) = (self.headers(), self.timeout());
        let network = self.network(values, endpoint.is_tls);
        let attributes = self.attributes();
        Some(Export { endpoint, headers, encoding: encoding?, timeout, network, attributes, context })
    }

    /// A variable that somebody has filled in.
    fn get(&mut self, name: &str) -> Option<String> {
        let value = self.environment.get(name)?;
        if is_placeholder(&value) {
            self.warn(name, "it is a placeholder that nobody has filled in, and is ignored");
            return None;
        }
        Some(value.trim().to_owned())
    }

    /// The variable of traces alone, or else that of all signals, and which of the two it is.
    fn either(&mut self, what: &str) -> Option<(String, String)> {
        let names = [format!("OTEL_EXPORTER_OTLP_TRACES_{what}"), format!("OTEL_EXPORTER_OTLP_{what}")];
        names.into_iter().find_map(|name| self.get(&name).map(|value| (name, value)))
    }

    fn warn(&mut self, name: &str, problem: &str) {
        self.warnings.push(format!("`{name}`: {problem}"));
    }

    fn is_off(&mut self) -> bool {
        let is_disabled = self.get("OTEL_SDK_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        is_disabled
            || self.get("OTEL_TRACES_EXPORTER").is_some_and(|names| !names.split(',').any(|name| name.trim() == "otlp"))
    }

    fn endpoint(&mut self) -> Option<Endpoint> {
        let (name, value) = self.either("ENDPOINT")?;
        let parse = if name.contains("TRACES") { Endpoint::of_traces } else { Endpoint::of_all };
        let endpoint = parse(&value);
        if endpoint.is_none() {
            self.warn(&name, "it is not an `http://` or `https://` URL, and no trace is exported");
        }
        endpoint
    }

    fn encoding(&mut self) -> Option<Encoding> {
        let Some((name, word)) = self.either("PROTOCOL") else { return Some(Encoding::Protobuf) };
        match word.as_str() {
            "http/protobuf" => Some(Encoding::Protobuf),
            "http/json" => Some(Encoding::Json),
            word => {
                let problem = "is not offered, and no trace is exported; `http/protobuf` and `http/json` are";
                self.warn(&name, &format!("{} {problem}", quote(word)));
                None
            }
        }
    }

    /// The context that each line of the log names too, with what belongs to it.
    fn context(&mut self, context: &TraceContext) -> TraceContext {
        match self.get("TRACEPARENT") {
            Some(text) if context.parent.is_none() => {
                self.warn("TRACEPARENT", &format!("{} is no parent, and the trace is one of its own", quote(&text)));
                context.clone()
            }
            Some(_) => context.clone().with_state(self.get("TRACESTATE")),
            None => context.clone(),
        }
    }

    /// Whether the trace is recorded (<https://opentelemetry.io/docs/languages/sdk-configuration/general/>).
    fn is_sampled(&mut self, context: &TraceContext) -> bool {
        let of_parent = |without: bool| if context.parent.is_some() { context.sampled } else { without };
        match self.get("OTEL_TRACES_SAMPLER").as_deref() {
            Some("always_on") => true,
            Some("always_off") => false,
            Some("parentbased_always_off") => of_parent(false),
            None | Some("parentbased_always_on") => of_parent(true),
            Some(word) => {
                let problem = "is not offered; the trace is exported unless its parent is not";
                self.warn("OTEL_TRACES_SAMPLER", &format!("{} {problem}", quote(word)));
                of_parent(true)
            }
        }
    }

    fn mind_compression(&mut self) {
        if let Some((name, word)) = self.either("COMPRESSION").filter(|(_, word)| word != "none") {
            self.warn(&name, &format!("{} is not offered; the trace is sent as it is", quote(&word)));
        }
    }

    fn headers(&mut self) -> Headers {
        let Some((name, text)) = self.either("HEADERS") else { return Headers::default() };
        let (headers, wrong) = headers::parse(&text);
        for number in wrong {
            self.warn(&name, &format!("pair {number} is no `key=value`, and is left out"));
        }
        headers
    }

    fn timeout(&mut self) -> Duration {
        let Some((name, text)) = self.either("TIMEOUT") else { return TIMEOUT };
        match text.parse() {
            Ok(milliseconds) if milliseconds > 0 => Duration::from_millis(milliseconds),
            _ => {
                self.warn(&name, &format!("{} is not a number of milliseconds, and is ignored", quote(&text)));
                TIMEOUT
            }
        }
    }

    /// As to the pod. A proxy is for what lies outside, and a collector that is asked without TLS does not.
    fn network(&mut self, values: &Values<'_>, is_tls: bool) -> Network {
        // What is wrong with the way to the pod is told by the plan.
        let network = connection::network(values).unwrap_or_default();
        let roots = self.roots().unwrap_or(network.roots);
        Network { roots, proxies: if is_tls { network.proxies } else { Proxies::default() } }
    }

    fn roots(&mut self) -> Option<Roots> {
        let (name, file) = self.either("CERTIFICATE")?;
        match Roots::read(Path::new(&file)) {
            Ok(roots) => Some(roots),
            Err(error) => {
                self.warn(&name, &format!("{error}"));
                None
            }
        }
    }

    /// `key=value` pairs between commas, with percent signs
    /// (<https://opentelemetry.io/docs/specs/otel/resource/sdk/>).
    fn attributes(&mut self) -> BTreeMap<String, String> {
        let decoded = |text: &str| percent_decode_str(text.trim()).decode_utf8_lossy().into_owned();
        let text = self.get("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        let pairs: Option<BTreeMap<String, String>> = text
            .split(',')
            .filter(|pair| !pair.trim().is_empty())
            .map(|pair| pair.split_once('=').map(|(key, value)| (decoded(key), decoded(value))))
            .collect();
        if pairs.is_none() {
            // Of a list with a mistake nothing is taken.
            self.warn("OTEL_RESOURCE_ATTRIBUTES", "it is no list of `key=value`, and is ignored");
        }
        let mut attributes = pairs.unwrap_or_default();
        if let Some(name) = self.get("OTEL_SERVICE_NAME") {
            attributes.insert("service.name".to_owned(), name);
        }
        attributes
    }
}

#[cfg(test)]
mod tests {
    use super::super::trace_context;
    use super::*;

    const HERE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0";

    type Set<'a> = &'a [(&'a str, &'a str)];

    fn read(set: Set<'_>) -> (Option<Export>, Vec<String>) {
        let environment = Environment::of(set);
        let matches = clap::Command::new("test").get_matches_from(["test"]);
        export(&Values::new(&matches, &environment), &environment, &trace_context(&environment))
    }

    #[test]
    fn the_trace_is_the_one_that_each_line_of_the_log_names() {
        let environment = Environment::of(&[HERE]);
        let matches = clap::Command::new("test").get_matches_from(["test"]);
        let context = trace_context(&environment);
        let export = export(&Values::new(&matches, &environment), &environment, &context).0.expect("an export");
        assert_eq!(export.context, context);
    }

    #[test]
    fn nothing_is_exported_unless_there_is_a_place_and_nobody_is_against_it() {
        let (on, off) = (format!("{PARENT}1"), format!("{PARENT}0"));
        let table: [(Set<'_>, bool, usize); 17] = [
            (&[], false, 0),
            (&[HERE], true, 0),
            (&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://c.example.com/x")], true, 0),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")], false, 1),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "$(collector)")], false, 1),
            (&[HERE, ("OTEL_SDK_DISABLED", "TRUE")], false, 0),
            (&[HERE, ("OTEL_SDK_DISABLED", "1")], true, 0),
            (&[HERE, ("OTEL_TRACES_EXPORTER", "none")], false, 0),
            (&[HERE, ("OTEL_TRACES_EXPORTER", "console, otlp")], true, 0),
            (&[HERE, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], false, 1),
            (&[HERE, ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")], true, 1),
            (&[HERE, ("OTEL_TRACES_SAMPLER", "always_off")], false, 0),
            (&[HERE, ("OTEL_TRACES_SAMPLER", "traceidratio")], true, 1),
            (&[HERE, ("OTEL_TRACES_SAMPLER", "parentbased_always_off"), ("TRACEPARENT", &on)], true, 0),
            (&[HERE, ("TRACEPARENT", &off)], false, 0),
            (&[HERE, ("TRACEPARENT", &off), ("OTEL_TRACES_SAMPLER", "always_on")], true, 0),
            (&[HERE, ("TRACEPARENT", PARENT)], true, 1),
        ];
        for (set, expected, warnings) in table {
            let (export, said) = read(set);
            assert_eq!((export.is_some(), said.len()), (expected, warnings), "{set:?} {said:?}");
        }
    }

    #[test]
    fn what_is_of_traces_alone_comes_before_what_is_of_all() {
        let (export, said) = read(&[
            HERE,
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2,s3cret"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2500"),
        ]);
        let export = export.expect("an export");
        assert_eq!((export.encoding, export.timeout), (Encoding::Json, Duration::from_millis(2500)));
        assert_eq!(said, ["`OTEL_EXPORTER_OTLP_TRACES_HEADERS`: pair 2 is no `key=value`, and is left out"]);
    }

    #[test]
    fn the_service_is_called_as_its_own_variable_says() {
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,team=close%20%26%20plan");
        let named = read(&[HERE, attributes, ("OTEL_SERVICE_NAME", "nightly")]).0.expect("an export");
        let told: Vec<_> = named.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(told, [("service.name", "nightly"), ("team", "close & plan")]);
        let (wrong, said) =
            read(&[HERE, ("OTEL_RESOURCE_ATTRIBUTES", "a=1,b"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")]);
        assert_eq!((wrong.expect("an export").attributes.len(), said.len()), (0, 2));
    }
}
