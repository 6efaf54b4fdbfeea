//! The summary: markdown that answers, in this order, whether the stage passed and why, what to do next, what was run,
//! what happened when, and which lines of the log tell.

use std::fmt::Write;
use std::time::Duration;

use crate::foreign::{Foreign, cut};
use crate::job::State;
use crate::pace::brief;

use super::facts::{self, Fact, status};
use super::steps::{self, Step};
use super::tables::{self, Cell, Table};
use super::wording::{capitalised, event, headline, mark, next_step, subject};
use super::{Event, JobReport, Moment, Report};

/// GitHub drops a summary above 1 MiB whole, and all steps of a job share what is shown (ci-contracts.md §1.2).
const LARGEST: usize = 64 * 1024;

/// How many jobs are listed, and how many of them with all their facts.
const MOST_JOBS: usize = 100;
const MOST_DETAILED: usize = 5;

/// How much of a text is shown in a cell of a table, in bytes.
const WIDEST_CELL: usize = 600;

/// How much of a stack trace is shown, in bytes.
const LONGEST_DETAILS: usize = 4096;

/// How many moments of a job are shown.
const MOST_MOMENTS: usize = 50;

/// Renders the summary. `mermaid`: whether the platform draws such diagrams.
pub fn render(report: &Report, mermaid: bool) -> String {
    let several = report.jobs.len() > 1;
    let mut page = Page::default();
    page.add(&heading(report));
    page.add(&steps(&report.steps));
    if several {
        page.add(&overview(report));
    }
    page.add(&grid(tables::attempts(report)));
    for job in report.worst_first().take(MOST_DETAILED) {
        let title = if several { format!("#### {}\n\n", subject(job)) } else { String::new() };
        page.add(&format!("{title}{}", table(&facts::of_job(report, job))));
        page.add(&rejected(job));
        page.add(&grid(tables::stages(job)));
        page.add(&grid(tables::files(job)));
        page.add(&timeline(job));
        if mermaid {
            page.add(&gantt(job).unwrap_or_default());
        }
        page.add(&details(job));
        page.add(&excerpt(job));
    }
    page.add(&grid(tables::uploads(report)));
    for note in &report.notes {
        page.add(&format!("> {note}\n\n"));
    }
    page.add(&table(&facts::of_run(&report.context)));
    page.finish()
}

/// A page that never grows beyond [`LARGEST`]: what does not fit is left out whole, so that nothing in it stays open.
#[derive(Default)]
struct Page {
    text: String,
    is_cut: bool,
}

impl Page {
    const CUT: &str = "Not everything fitted here: the log of this step has the rest.\n\n";

    fn add(&mut self, piece: &str) {
        // What stands before may have no line end, or be a paragraph or a table that was not closed.
        let before = if self.text.is_empty() { "\n\n" } else { "" };
        if self.text.len() + before.len() + piece.len() + Self::CUT.len() <= LARGEST {
            self.text.push_str(before);
            self.text.push_str(piece);
        } else {
            self.is_cut = true;
        }
    }

    fn finish(self) -> String {
        if self.is_cut { self.text + Self::CUT } else { self.text }
    }
}

/// Whether the stage passed and why, and what to do next.
pub fn heading(report: &Report) -> String {
    let next = next_step(report);
    format!("### {} {}\n\n{}**What to do next:** {next}.\n\n", mark(report), headline(report), diagnosis(report, &next))
}

/// Why the job that decided did not pass, and what to do about that where the next step does not say so.
fn diagnosis(report: &Report, next: &str) -> String {
    let diagnosed = report.deciding_job().and_then(|job| Some((job, job.diagnosis.as_ref()?)));
    let Some((job, diagnosis)) = diagnosed else { return String::new() };
    let is_told = next.contains(&diagnosis.advice) || diagnosis.advice.is_empty();
    let advice = if is_told { String::new() } else { format!(" {}.", capitalised(&diagnosis.advice)) };
    format!("**Why:** {}.{advice}\n\n", tables::reason(job, diagnosis))
}

/// A table whose columns mean something.
fn grid(table: Option<Table>) -> String {
    let Some(Table { title, head, rows }) = table else { return String::new() };
    let row = |cells: &Vec<Cell>| format!("| {} |\n", cells.iter().map(column).collect::<Vec<_>>().join(" | "));
    let rows: String = rows.iter().map(row).collect();
    format!("**{title}**\n\n| {} |\n|{}\n{rows}\n", head.join(" | "), "---|".repeat(head.len()))
}

fn column(column: &Cell) -> String {
    match column {
        Cell::Said(text) => cell(text),
        Cell::Quoted(text) => code(text.as_str()),
        // The report has it whole.
        Cell::Hash(hash) => format!("`{}`", cut(hash, 15)),
    }
}

fn rejected(job: &JobReport) -> String {
    let members = tables::members(job).map(|members| format!("{members}.\n\n")).unwrap_or_default();
    grid(tables::rejected(job, 1)) + &members
}

fn steps(steps: &[Step]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let row = |step: &Step| {
        let remedy = step.remedy.as_ref().map(|remedy| format!("<br>**Remedy:** {remedy}")).unwrap_or_default();
        let (name, state) = (step.name.word(), step.state.word());
        format!("| {name} | {state} | {} | {} |\n", steps::took(step), cell(&format!("{}{remedy}", step.what)))
    };
    format!("| step | state | took | what |\n|---|---|---|---|\n{}\n", steps.iter().map(row).collect::<String>())
}

fn overview(report: &Report) -> String {
    let mut table = String::from("| job | outcome | exit | status | after |\n|---|---|---|---|---|\n");
    for job in report.jobs.iter().take(MOST_JOBS) {
        let end = job.end.as_ref().map(|end| (end.outcome.word(), end.outcome.code().to_string()));
        let (outcome, code) = end.unwrap_or_default();
        let status = job.state.map(status).unwrap_or_default();
        let after = job.duration.map(brief).unwrap_or_default();
        let _ = writeln!(table, "| {} | {outcome} | {code} | {status} | {after} |", cell(&subject(job)));
    }
    if report.jobs.len() > MOST_JOBS {
        let _ = write!(table, "\nand {} more\n", report.jobs.len() - MOST_JOBS);
    }
    table + "\n"
}

fn table(facts: &[Fact]) -> String {
    if facts.is_empty() {
        return String::new();
    }
    let row = |fact: &Fact| {
        let quoted = fact.quoted.as_ref().map(|text| code(text.as_str())).unwrap_or_default();
        format!("| {} | {quoted}{} |\n", fact.name, fact.said)
    };
    format!("| fact | value |\n|---|---|\n{}\n", facts.iter().map(row).collect::<Vec<_>>().concat())
}

fn timeline(job: &JobReport) -> String {
    if job.moments.is_empty() {
        return String::new();
    }
    // The first and the last are worth more than what lies between.
    let half = MOST_MOMENTS / 2;
    let skipped = job.moments.len().saturating_sub(MOST_MOMENTS);
    let head = job.moments.iter().take(if skipped > 0 { half } else { MOST_MOMENTS });
    let tail = job.moments.iter().skip(half + skipped).filter(|_| skipped > 0);
    let mut table = String::from("| time (UTC) | after | what |\n|---|---|---|\n");
    table.extend(head.map(moment));
    if skipped > 0 {
        let _ = writeln!(table, "| … | | {skipped} more |");
    }
    table.extend(tail.map(moment));
    table + "\n"
}

fn moment(moment: &Moment) -> String {
    format!("| {} | {} | {} |\n", moment.clock(), brief(moment.after), cell(&event(&moment.event)))
}

/// A gantt of the states, in words of ours alone: no text of others gets into a diagram.
fn gantt(job: &JobReport) -> Option<String> {
    let section = job.id.map_or_else(|| "job".to_owned(), |id| format!("job {id}"));
    let mut chart = format!(
        "```mermaid\ngantt\n    title in the time zone of whoever reads it\n    dateFormat x\n    axisFormat %H:%M:%S\n    section {section}\n"
    );
    for (index, (name, tag, from, to)) in bars(job)?.iter().enumerate() {
        let _ = writeln!(chart, "    {name} :{tag}b{index}, {from}, {to}");
    }
    Some(chart + "```\n\n")
}

/// One bar per stretch between two moments: its name, its tag, its ends in milliseconds.
fn bars(job: &JobReport) -> Option<Vec<(&'static str, &'static str, i64, i64)>> {
    let begun = job.moments.first().map(|moment| moment.at.as_millisecond() - millis(moment.after))?;
    let from = |moment: &Moment| begun + millis(moment.after);
    let end = job.moments.last().map(from)?;
    let shown: Vec<&Moment> = job.moments.iter().take(MOST_MOMENTS).collect();
    let bar = |(index, moment): (usize, &&Moment)| {
        let to = shown.get(index + 1).map_or(end, |next| from(next)).max(from(moment) + 1);
        let (name, tag) = bar_name(&moment.event);
        (name, tag, from(moment), to)
    };
    Some(shown.iter().enumerate().map(bar).collect())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or_default()
}

fn bar_name(event: &Event) -> (&'static str, &'static str) {
    match event {
        Event::Uploaded { was_there: false, .. } => ("uploaded", "done, "),
        Event::Uploaded { .. } => ("was there", "done, "),
        Event::Sent => ("submit", "active, "),
        Event::Submitted => ("submitted", "done, "),
        Event::Attached => ("attached", "done, "),
        Event::State(State::InProgress, _) => ("in progress", "active, "),
        Event::State(State::CancelPending, _) => ("cancel pending", "active, "),
        Event::State(State::Succeeded, _) => ("success", "milestone, done, "),
        Event::State(State::Failed, _) => ("error", "milestone, crit, "),
        Event::State(State::Cancelled, _) => ("cancelled", "milestone, crit, "),
        Event::State(State::InvalidParameter, _) => ("invalid parameter", "milestone, crit, "),
        Event::State(State::Unknown(_), _) => ("unknown", ""),
        Event::Trouble(_) => ("trouble", "crit, "),
        Event::GaveUp(_) => ("given up", "milestone, crit, "),
    }
}

fn details(job: &JobReport) -> String {
    facts::trace(job).map(|trace| fold("Details from EPM", &cut(trace, LONGEST_DETAILS))).unwrap_or_default()
}

fn excerpt(job: &JobReport) -> String {
    let Some(excerpt) = facts::excerpt(job) else { return String::new() };
    let lines: Vec<String> = excerpt.numbered().collect();
    fold(&format!("Log: {}", excerpt.title()), &lines.join("\n"))
}

/// Text of others, folded away. The title is ours.
fn fold(title: &str, text: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n{}\n</details>\n\n", block(text))
}

/// Text as a code span in a cell: its fence is longer than any run of backticks in it, and its pipes are escaped, which
/// a table takes back before the span is read (GFM §4.10).
fn code(text: &str) -> String {
    let clean = Foreign::new(text);
    let line = cut(clean.as_str().trim(), WIDEST_CELL).replace(['\n', '\t'], " ");
    if line.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&line) + 1);
    // A span that begins or ends with a backtick needs air, which is stripped again.
    let air = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    cell(&format!("{fence}{air}{line}{air}{fence}"))
}

/// Text as a code block that nothing in it can end.
fn block(text: &str) -> String {
    let clean = Foreign::new(text);
    let fence = "`".repeat(longest_run(clean.as_str()).max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", clean.as_str())
}

/// A sentence as a cell of a table. A backslash right before a pipe would escape our escape, so a space parts them.
fn cell(sentence: &str) -> String {
    sentence.replace("\\|", "\\ |").replace('|', "\\|")
}

fn longest_run(text: &str) -> usize {
    text.split(|char| char != '`').map(str::len).max().unwrap_or_default()
}
