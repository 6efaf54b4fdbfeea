//! A run as one trace, sent over OTLP/HTTP when its end stands. Nothing here changes the verdict.

pub mod context;
pub mod endpoint;
pub mod headers;
mod json;
mod protobuf;
#[cfg(test)]
mod renderings;
mod sender;
mod span;
mod spans;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::foreign::{Foreign, cut};
use crate::http::Network;
use crate::report::Report;

use context::TraceContext;
use endpoint::Endpoint;
use headers::Headers;
use span::Span;

/// Who makes the spans.
const NAME: &str = "epm-gate";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How spans are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `http/protobuf`
    Protobuf,
    /// `http/json`
    Json,
}

impl Encoding {
    fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// Where a trace goes, and as what.
pub struct Export {
    /// The place.
    pub endpoint: Endpoint,
    /// What it wants to be shown: secrets.
    pub headers: Headers,
    /// How spans are written.
    pub encoding: Encoding,
    /// How long sending may take, all tries together.
    pub timeout: Duration,
    /// The way there.
    pub network: Network,
    /// What the user says of the service that is traced.
    pub attributes: BTreeMap<String, String>,
    /// Which trace it is.
    pub context: TraceContext,
}

/// What is sent in one request.
struct Batch<'a> {
    resource: &'a BTreeMap<String, String>,
    context: &'a TraceContext,
    spans: &'a [Span],
}

impl Export {
    /// Sends the trace of a run, until `end` at most. `trace` hears what only somebody who asks for it wants to know.
    ///
    /// # Errors
    ///
    /// That nobody took it, in a sentence.
    pub async fn send(&self, report: &Report, end: Instant, trace: impl Fn(&str)) -> Result<(), String> {
        let resource = self.resource(report);
        let spans = spans::spans(report, &self.context);
        let body = self.encoding.render(&Batch { resource: &resource, context: &self.context, spans: &spans });
        let end = end.min(Instant::now() + self.timeout);
        let rejected =
            sender::send(self, body, end).await.map_err(|why| format!("the trace was not exported: {why}"))?;
        trace(&format!("exported trace {} with {} spans", self.context, spans.len()));
        if rejected > 0 {
            trace(&format!("the receiver of the trace did not take {rejected} spans"));
        }
        Ok(())
    }

    /// What stands over all spans: what the CI tells of its run, under what the user says.
    fn resource(&self, report: &Report) -> BTreeMap<String, String> {
        let mut resource = of_run(report);
        resource.extend(self.attributes.clone());
        resource
    }
}

impl Encoding {
    fn render(self, batch: &Batch<'_>) -> Vec<u8> {
        match self {
            Self::Protobuf => protobuf::render(batch),
            Self::Json => json::render(batch).to_string().into_bytes(),
        }
    }
}

/// By the conventions for resources (github.com/open-telemetry/semantic-conventions, `docs/registry/attributes/{cicd,vcs}.md`).
/// The address of GitLab is that of its job, and so stands at the span.
fn of_run(report: &Report) -> BTreeMap<String, String> {
    let context = &report.context;
    let text =
        |foreign: &Option<Foreign>| foreign.as_ref().map(|text| cut(text.first_line(), spans::LONGEST).into_owned());
    let url = context.run.as_ref().filter(|_| context.platform != Some("gitlab")).map(url::Url::to_string);
    let known = [
        ("service.name", Some(NAME.to_owned())),
        ("service.version", Some(VERSION.to_owned())),
        ("cicd.pipeline.name", text(&context.pipeline)),
        ("cicd.pipeline.run.id", text(&context.id)),
        ("cicd.pipeline.run.url.full", url),
        ("vcs.ref.head.name", text(&context.reference)),
        ("vcs.ref.head.revision", text(&context.commit)),
    ];
    known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}
