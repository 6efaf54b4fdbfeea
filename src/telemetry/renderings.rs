//! The shared set of reports as traces: as snapshots, and what must hold of every one of them.

use std::collections::BTreeSet;

use insta::Settings;

use crate::report::samples::{all, with_texts};
use crate::report::{Event as Happened, Report};

use super::context::TraceContext;
use super::spans::spans;
use super::{Batch, Encoding, json, of_run};

fn context() -> TraceContext {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let context = TraceContext::from_traceparent(parent).expect("a parent");
    TraceContext { span_id: *b"the gate", ..context }
}

#[test]
fn of_each_kind_of_end() {
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("snapshots");
    settings.set_omit_expression(true);
    settings.add_filter(env!("CARGO_PKG_VERSION"), "[version]");
    for (name, report) in all() {
        let (context, resource) = (context(), of_run(&report));
        let spans = spans(&report, &context);
        let rendered = json::render(&Batch { resource: &resource, context: &context, spans: &spans });
        let text = serde_json::to_string_pretty(&rendered).expect("JSON");
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

/// Ids are there once, and each span lies within its parent, as do its events within it.
#[track_caller]
fn is_a_tree(report: &Report) {
    let context = context();
    let spans = spans(report, &context);
    let ids: BTreeSet<_> = spans.iter().map(|span| span.id).collect();
    assert_eq!(ids.len(), spans.len());
    assert_eq!((spans[0].parent, spans[0].is_remote), (context.parent, true));
    for span in &spans[1..] {
        let parent = spans.iter().find(|parent| Some(parent.id) == span.parent).expect("a parent");
        assert!(parent.start <= span.start && span.start <= span.end && span.end <= parent.end, "{span:?} {parent:?}");
    }
    for span in &spans {
        assert!(span.events.iter().all(|event| (span.start..=span.end).contains(&event.at)), "{span:?}");
    }
}

#[test]
fn every_trace_is_a_tree_in_time() {
    for (_, mut report) in all() {
        is_a_tree(&report);
        // Clocks are set, forward and back.
        report.ended = Some(report.begun);
        is_a_tree(&report);
        report.begun += std::time::Duration::from_secs(1000);
        is_a_tree(&report);
    }
}

#[test]
fn a_long_run_of_many_jobs_stays_a_small_request() {
    let mut report = with_texts(&"x\u{202e}\"".repeat(10_000));
    let job = report.jobs[0].clone();
    let moment = job.moments[0].clone();
    report.jobs = vec![job; 1000];
    for job in &mut report.jobs {
        job.moments = vec![moment.clone(); 150];
        job.moments.iter_mut().for_each(|moment| moment.event = Happened::Trouble("EPM answers HTTP 503".to_owned()));
    }
    let (context, resource) = (context(), of_run(&report));
    let spans = spans(&report, &context);
    assert!(spans.iter().any(|span| span.dropped > 0));
    let batch = Batch { resource: &resource, context: &context, spans: &spans };
    for encoding in [Encoding::Json, Encoding::Protobuf] {
        let length = encoding.render(&batch).len();
        assert!(length < 10 * 1024 * 1024, "{encoding:?} {length}");
    }
}
