//! The summary, read by a parser of markdown that is not ours: whatever EPM says, the page keeps the shape that it has
//! with harmless words, and what EPM says stands in code spans and code blocks, and comes back from there as it was.

use std::time::Duration;

use epm_gate::diagnose::rules::Rules;
use epm_gate::diagnose::scan::Scan;
use epm_gate::epm::url::EpmUrl;
use epm_gate::foreign::{Foreign, cut, quote};
use epm_gate::job::{Facts, JobId, State};
use epm_gate::outcome::Outcome;
use epm_gate::payload::Payload;
use epm_gate::report::{Context, End, Event, JobReport, Moment, Report, Submitted, markdown};
use jiff::Timestamp;
use pulldown_cmark::{CodeBlockKind, Event as Piece, Options, Parser, Tag, TagEnd};
use serde_json::json;

use super::{mask, texts};

/// How many texts a report takes.
const PLACES: usize = 16;

/// A failed run in which these texts stand wherever EPM's may.
pub(super) fn report(texts: &[&str]) -> Report {
    let text = |place: usize| texts[place % texts.len()];
    let body = json!({"jobType": "INTEGRATION", "jobName": text(0), "periodName": text(10)});
    let why = format!("EPM ended it: {}", quote(text(4)));
    let mut reader = Scan::new(&Rules::built_in(), mask());
    reader.push(text(4).as_bytes());
    let job = JobReport {
        state: Some(State::Failed),
        facts: facts(texts),
        moments: moments(text(9), text(11)),
        end: Some(End::new(Outcome::Failed, why, None)),
        findings: Some(reader.finish()),
        ..JobReport::new(JobId::new(2100), Some(text(0).to_owned()))
    };
    Report {
        url: EpmUrl::parse("https://pod.example.com").ok(),
        payload: Payload::of_text(&body.to_string()).ok(),
        submitted: Submitted::Yes,
        notes: vec![format!("the log: {}", quote(text(5)))],
        jobs: vec![job],
        context: context(texts),
        ..Report::default()
    }
}

/// Branches and people are named by others too.
fn context(texts: &[&str]) -> Context {
    let name = |place: usize| Some(Foreign::new(texts[place % texts.len()]));
    Context {
        platform: None,
        actor: name(12),
        commit: name(13),
        reference: name(14),
        pipeline: name(15),
        attempt: Some(2),
        id: name(16),
        task: name(17),
        run: "https://ci.example.com/runs/7".parse().ok(),
    }
}

fn facts(texts: &[&str]) -> Facts {
    let fact = |place: usize| Some(Foreign::new(texts[place % texts.len()]));
    Facts {
        job_name: fact(0),
        job_status: fact(1),
        descriptive_status: fact(2),
        detailed_status: fact(3),
        details: fact(4),
        log_file_name: fact(5),
        output_file_name: fact(6),
        process_type: fact(7),
        executed_by: fact(8),
    }
}

fn moments(state: &str, trouble: &str) -> Vec<Moment> {
    let events = [
        Event::Submitted,
        Event::State(State::Failed, Some(state.to_owned())),
        Event::Trouble(format!("no answer: {}", quote(trouble))),
    ];
    let moment = |event| Moment { at: Timestamp::UNIX_EPOCH, after: Duration::ZERO, event };
    events.map(moment).into()
}

/// In the corpus: texts, for each place the next one.
pub(super) fn holds(bytes: &[u8]) {
    let all = String::from_utf8_lossy(bytes);
    let texts = &*texts(&all);
    let tame: Vec<String> = (0..PLACES).map(|place| tamed(place, texts[place % texts.len()])).collect();
    let tame: Vec<&str> = tame.iter().map(String::as_str).collect();
    let wild = report(texts);
    let mut mild = report(&tame);
    // The same lines of the log, as far as they are counted.
    mild.jobs[0].findings.clone_from(&wild.jobs[0].findings);
    for (_, line) in mild.jobs[0].findings.iter_mut().flat_map(|findings| &mut findings.excerpt.lines) {
        *line = Foreign::new("line");
    }
    let text = markdown::render(&wild, true);
    assert!(text.len() <= 64 * 1024);
    let (wild_page, mild_page) = (Page::read(&text), Page::read(&markdown::render(&mild, true)));
    assert_eq!(wild_page.shape, mild_page.shape, "the page has another shape:\n{text}");
    for (wild, mild) in wild_page.spans.iter().zip(&mild_page.spans) {
        is_told(wild, mild, texts);
    }
    assert_eq!(wild_page.blocks, blocks(&wild.jobs[0]), "{text}");
}

/// A harmless text that is as empty, and has as many lines, as far as that counts.
fn tamed(place: usize, text: &str) -> String {
    let clean = Foreign::new(text);
    match clean.as_str().trim() {
        "" => String::new(),
        text if text.contains('\n') => format!("tame {place}.\ntame {place}."),
        _ => format!("tame {place}."),
    }
}

/// A page, taken apart.
#[derive(Default)]
struct Page {
    /// Everything but what stands in code.
    shape: Vec<String>,
    spans: Vec<String>,
    blocks: Vec<String>,
}

impl Page {
    fn read(text: &str) -> Self {
        let options = Options::ENABLE_TABLES
            | Options::ENABLE_STRIKETHROUGH
            | Options::ENABLE_TASKLISTS
            | Options::ENABLE_FOOTNOTES
            | Options::ENABLE_GFM;
        let mut page = Self::default();
        let mut block: Option<String> = None;
        let mut is_ours = false;
        for piece in Parser::new_ext(text, options) {
            match (piece, &mut block) {
                (Piece::Start(Tag::CodeBlock(kind)), None) => {
                    page.shape.push(format!("{kind:?}"));
                    // A diagram is in words of ours alone, and part of the shape.
                    is_ours = matches!(kind, CodeBlockKind::Fenced(word) if &*word == "mermaid");
                    block = Some(String::new());
                }
                (Piece::Text(text), Some(block)) => block.push_str(&text),
                (Piece::End(TagEnd::CodeBlock), _) => {
                    let kept = if is_ours { &mut page.shape } else { &mut page.blocks };
                    kept.extend(block.take());
                }
                (Piece::Code(span), _) => {
                    page.shape.push("code span".to_owned());
                    page.spans.push(span.into_string());
                }
                (other, _) => page.shape.push(format!("{other:?}")),
            }
        }
        page
    }
}

/// A code span says what stands in its place, whole or its first line, cut and on one line.
fn is_told(wild: &str, mild: &str, texts: &[&str]) {
    let Some(place) = mild.strip_prefix("tame ").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok()) else {
        return assert_eq!(wild, mild);
    };
    let clean = Foreign::new(texts[place % texts.len()]);
    let expected = [
        cut(clean.as_str().trim(), 600).into_owned(),
        cut(clean.first_line(), 600).into_owned(),
        quote(clean.as_str()).trim_matches('`').to_owned(),
        quote(clean.first_line()).trim_matches('`').to_owned(),
    ];
    assert!(expected.iter().any(|text| gist(text) == gist(wild)), "{wild:?} is none of {expected:?}");
}

/// The text without what an escape may change: white space, and which quote it is.
fn gist(text: &str) -> String {
    text.replace(char::is_whitespace, "").replace('`', "'")
}

/// The blocks that stand on the page of a job.
fn blocks(job: &JobReport) -> Vec<String> {
    let details = job.facts.details.as_ref().map(|text| text.as_str().trim()).filter(|text| text.contains('\n'));
    let log: Vec<String> = job.findings.iter().flat_map(|findings| findings.excerpt.numbered()).collect();
    let log = Some(log.join("\n")).filter(|log| !log.is_empty());
    let details = details.map(|details| cut(details, 4096).into_owned());
    details.into_iter().chain(log).map(|block| block + "\n").collect()
}
