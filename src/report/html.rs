//! One page of HTML that needs nothing beside it: no script, no picture, and it can be read without its style too, which
//! Jenkins does not let through unless it is told to.

use crate::foreign::cut;
use crate::outcome::Outcome;
use crate::pace::brief;

use super::facts::{self, Fact};
use super::markup::escaped;
use super::steps::{self, Step};
use super::tables::{self, Cell, Table};
use super::wording::{capitalised, event, headline, mark, next_step, subject};
use super::{JobReport, Moment, Report, timeline};

/// The most of a text on it, in bytes.
const LONGEST: usize = 16 * 1024;

/// How many jobs are shown, and how many moments of each.
const MOST_JOBS: usize = 100;
const MOST_MOMENTS: usize = 200;

const STYLE: &str = "\
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.3rem; border-left: .4rem solid; padding-left: .7rem }
.passed h1 { border-color: #2da44e } .failed h1 { border-color: #cf222e } .unknown h1 { border-color: #bf8700 }
h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8884 }
th { font-weight: 600; white-space: nowrap }
td { overflow-wrap: break-word }
code, pre { font: .9em ui-monospace, monospace; background: #8882; border-radius: .2rem; padding: .1em .3em }
code { overflow-wrap: anywhere }
pre { overflow-x: auto; padding: .7rem }
pre, .diagnosis { border-left: .2rem solid #8886 }
.diagnosis { padding: .1rem .7rem; margin: 1rem 0 }
.scroll { overflow-x: auto }
.scroll table { margin: 0 }
h3 { margin: 1.5rem 0 .4rem }
.hash { font-size: .75em; overflow-wrap: normal }
svg { display: block; width: 100%; min-width: 22rem; max-width: 40rem }
svg text { fill: currentColor }
@media (prefers-color-scheme: dark) {
.sent { fill: #a371f7 } .known { fill: #6e7681 } .runs { fill: #4493f8 } .odd { fill: #d29922 } .trouble { fill: #f0883e }
.good { fill: #3fb950 } .bad { fill: #f85149 }
}
@media (max-width: 40rem) { body { margin: 1rem auto } th, td { padding: .3rem } }
";

/// Renders the page.
pub fn render(report: &Report) -> String {
    let class = match report.end().map(|end| end.outcome) {
        // What is only submitted has no end that anyone knows.
        Some(Outcome::Submitted) => "unknown",
        Some(outcome) if outcome.is_pass() => "passed",
        Some(outcome) if outcome.is_verdict() => "failed",
        _ => "unknown",
    };
    let title = report.end().map_or("not ended", |end| end.outcome.word());
    let jobs: String = report.worst_first().take(MOST_JOBS).map(|job| section(report, job)).collect();
    let more = report.jobs.len().saturating_sub(MOST_JOBS);
    let more = if more > 0 { format!("<p>and {more} more jobs</p>\n") } else { String::new() };
    let notes = report.notes.iter().map(|note| format!("<p>{}.</p>\n", sentence(note))).collect::<Vec<_>>().concat();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>epm-gate: {title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body class=\"{class}\">\n{}{}{}{}{jobs}{more}{}{notes}{}</body>\n</html>\n",
        heading(report),
        steps(&report.steps),
        picture(report),
        grid(tables::attempts(report)),
        grid(tables::uploads(report)),
        run(report)
    )
}

/// Whether the stage passed and why, and what to do next.
fn heading(report: &Report) -> String {
    let mark = mark(report);
    if report.end().is_none() {
        return format!("<h1>{mark} the gate has not ended, or was killed</h1>\n");
    }
    let next = next_step(report);
    format!(
        "<h1>{mark} {}</h1>\n{}<p><strong>What to do next:</strong> {}.</p>\n",
        sentence(&headline(report)),
        diagnosis(report, &next),
        sentence(&next)
    )
}

/// Why the job that decided did not pass, and what to do about that where the next step does not say so.
fn diagnosis(report: &Report, next: &str) -> String {
    let diagnosed = report.deciding_job().and_then(|job| Some((job, job.diagnosis.as_ref()?)));
    let Some((job, diagnosis)) = diagnosed else { return String::new() };
    let advice = if next.contains(&diagnosis.advice) { "" } else { &diagnosis.advice };
    let advice = if advice.is_empty() { String::new() } else { format!(" {}.", sentence(&capitalised(advice))) };
    let reason = sentence(&tables::reason(job, diagnosis));
    format!("<p class=\"diagnosis\"><strong>Why:</strong> {reason}.{advice}</p>\n")
}

fn picture(report: &Report) -> String {
    timeline::draw(report).map(|picture| format!("<div class=\"scroll\">\n{picture}</div>\n")).unwrap_or_default()
}

/// A table whose columns mean something; a narrow page scrolls it.
fn grid(table: Option<Table>) -> String {
    let Some(Table { title, head, rows }) = table else { return String::new() };
    let head = head.join("</th><th>");
    let row = |cells: &Vec<Cell>| format!("<tr>{}</tr>\n", cells.iter().map(cell).collect::<String>());
    let rows: String = rows.iter().map(row).collect();
    format!("<h3>{title}</h3>\n<div class=\"scroll\"><table>\n<tr><th>{head}</th></tr>\n{rows}</table></div>\n")
}

fn cell(cell: &Cell) -> String {
    let inside = match cell {
        Cell::Said(text) => escaped(text),
        Cell::Quoted(text) => text.as_str().lines().map(code).collect::<Vec<_>>().join("<br>"),
        Cell::Hash(hash) => format!("<code class=\"hash\">{}</code>", escaped(hash)),
    };
    format!("<td>{inside}</td>")
}

fn steps(steps: &[Step]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let row = |step: &Step| {
        let remedy = step.remedy.as_ref().map(|remedy| format!("<br><strong>Remedy:</strong> {}", sentence(remedy)));
        let (name, state, what) = (step.name.word(), step.state.word(), sentence(&step.what));
        let remedy = remedy.unwrap_or_default();
        format!("<tr><th>{name}</th><td>{state}</td><td>{}</td><td>{what}{remedy}</td></tr>\n", steps::took(step))
    };
    let rows: String = steps.iter().map(row).collect();
    format!("<table>\n<tr><th>step</th><th>state</th><th>took</th><th>what</th></tr>\n{rows}</table>\n")
}

fn section(report: &Report, job: &JobReport) -> String {
    format!(
        "<h2>{}</h2>\n{}{}{}{}{}{}{}",
        sentence(&subject(job)),
        table(&facts::of_job(report, job)),
        rejected(job),
        grid(tables::stages(job)),
        grid(tables::files(job)),
        details(job),
        excerpt(job),
        moments(job)
    )
}

fn run(report: &Report) -> String {
    let facts = facts::of_run(&report.context);
    if facts.is_empty() { String::new() } else { format!("<h2>the run</h2>\n{}", table(&facts)) }
}

fn table(facts: &[Fact]) -> String {
    let row = |fact: &Fact| {
        let quoted = fact.quoted.as_ref().map(|text| code(text.as_str())).unwrap_or_default();
        format!("<tr><th>{}</th><td>{quoted}{}</td></tr>\n", fact.name, escaped(&fact.said))
    };
    format!("<table>\n{}</table>\n", facts.iter().map(row).collect::<String>())
}

fn rejected(job: &JobReport) -> String {
    /// How many rows of each kind are shown.
    const FIRST: usize = 5;
    let members = tables::members(job).map(|members| format!("<p>{}.</p>\n", sentence(&members)));
    grid(tables::rejected(job, FIRST)) + &members.unwrap_or_default()
}

fn moments(job: &JobReport) -> String {
    if job.moments.is_empty() {
        return String::new();
    }
    let rows: String = job.moments.iter().take(MOST_MOMENTS).map(moment).collect();
    let more = job.moments.len().saturating_sub(MOST_MOMENTS);
    let more = if more > 0 { format!("<tr><td colspan=\"3\">and {more} more</td></tr>\n") } else { String::new() };
    format!(
        "<h3>What happened</h3>\n<table>\n<tr><th>time (UTC)</th><th>after</th><th>what</th></tr>\n{rows}{more}</table>\n"
    )
}

fn moment(moment: &Moment) -> String {
    let what = sentence(&event(&moment.event));
    format!("<tr><td>{}</td><td>{}</td><td>{what}</td></tr>\n", moment.clock(), brief(moment.after))
}

fn details(job: &JobReport) -> String {
    facts::trace(job).map(|trace| format!("<h3>Details from EPM</h3>\n{}", block(trace))).unwrap_or_default()
}

fn excerpt(job: &JobReport) -> String {
    let Some(excerpt) = facts::excerpt(job) else { return String::new() };
    let lines: Vec<String> = excerpt.numbered().collect();
    format!("<h3>Log: {}</h3>\n{}", excerpt.title(), block(&lines.join("\n")))
}

/// A sentence of ours: what stands between its backticks is a name.
fn sentence(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(at, piece)| if at % 2 == 0 { escaped(piece) } else { format!("<code>{}</code>", escaped(piece)) })
        .collect()
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(&cut(text.trim(), LONGEST)))
}

fn block(text: &str) -> String {
    format!("<pre>{}</pre>\n", escaped(&cut(text, LONGEST)))
}
