//! The command `explain`: why a job failed, by a log that is at hand. It asks nobody, and is about no job of this run.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::bounded::aside;
use crate::diagnose::excerpt::Excerpt;
use crate::diagnose::rejected::Rejected;
use crate::diagnose::rules::Rules;
use crate::diagnose::scan::Scan;
use crate::diagnose::{Basis, Diagnosis, Findings};
use crate::foreign::{Foreign, Mask, quote, quote_path};
use crate::gate::desk::Desk;
use crate::job::State;
use crate::outcome::Outcome;
use crate::report::End;
use crate::report::console::{Console, print_line};
use crate::report::values::json_line;
use crate::signals::Signals;

/// What is to be explained.
pub struct Explain {
    /// The log, where there is one.
    pub log: Option<Log>,
    /// What EPM said of the job.
    pub details: Option<Foreign>,
    /// By which rules.
    pub rules: Rules,
    /// Whether it is printed in JSON too.
    pub print: bool,
}

/// Where a log is.
#[derive(Clone, Debug)]
pub enum Log {
    /// It comes on standard input.
    Stdin,
    /// It is a file.
    File(PathBuf),
}

/// How much is read at once, in bytes.
const PIECE: usize = 64 * 1024;

impl Explain {
    /// Reads, and says what it means.
    pub async fn run(self, desk: &Desk, signals: &mut Signals) -> Outcome {
        let (log, rules) = (self.log.clone(), self.rules.clone());
        let read = tokio::select! {
            biased;
            read = aside(move || log.as_ref().map(|log| read(log, &rules)).transpose()) => read,
            signal = signals.first() => {
                let why = format!("{} was received", signal.name());
                return desk.end_with(End::new(Outcome::Interrupted(signal), why, Some("run it again when you like")));
            }
        };
        let findings = match read {
            Ok(findings) => findings.unwrap_or_default(),
            Err(error) => return desk.end_with(self.unreadable(&error)),
        };
        let diagnosis = self.rules.diagnose(State::Failed, self.details.as_ref(), Some(&findings));
        say(desk.console(), &diagnosis, &findings);
        match self.print.then(|| print_line(&json_line(&value(&diagnosis, &findings)))) {
            Some(Err(error)) => {
                let why = format!("standard output cannot be written: {error}");
                desk.end_with(End::new(Outcome::Unwritable, why, Some("let somebody read it")))
            }
            _ => Outcome::Succeeded,
        }
    }

    fn unreadable(&self, error: &io::Error) -> End {
        let what = match &self.log {
            Some(Log::File(path)) => quote_path(path),
            _ => "standard input".to_owned(),
        };
        let help = "name a log that can be read, or `-` for standard input";
        End::new(Outcome::Usage, format!("{what} cannot be read: {error}"), Some(help))
    }
}

fn read(log: &Log, rules: &Rules) -> io::Result<Findings> {
    let mut source: Box<dyn Read> = match log {
        Log::Stdin => Box::new(io::stdin()),
        Log::File(path) => Box::new(File::open(path)?),
    };
    let mut scan = Scan::new(rules, Mask::default());
    let mut piece = vec![0; PIECE];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(scan.finish()),
            Ok(length) => scan.push(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Says it to people.
fn say(console: &Console, diagnosis: &Diagnosis, findings: &Findings) {
    let again = if diagnosis.transient { "worth trying again as it is" } else { "not worth trying again as it is" };
    console.note(&format!("{}, {again}", diagnosis.category.word()));
    if let Some(evidence) = &diagnosis.evidence {
        let place = evidence.line.map_or("`details`".to_owned(), |line| format!("line {line}"));
        console.say(&format!("shown by {place}: {}", quote(evidence.text.as_str())));
    }
    console.say(&format!("told by {}", basis(diagnosis.basis)));
    console.say(&format!("advice: {}", diagnosis.advice));
    if findings.export_began {
        console.say("the export had begun: a part may be loaded");
    }
    if let Some(rows) = findings.rows {
        console.say(&format!("rows that went on: {rows}"));
    }
    say_rejected(console, &findings.rejected);
    say_excerpt(console, &findings.excerpt);
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::User => "a rule of yours",
        Basis::Sourced => "words that have a source",
        Basis::Unverified => "words that are well known, and have no source",
        Basis::Status => "no rule",
    }
}

fn say_rejected(console: &Console, rejected: &Rejected) {
    if rejected.total > 0 {
        console.say(&format!("rows that were not taken: {}", rejected.total));
    }
    for kind in &rejected.kinds {
        console.say(&format!("  {}, {}: {}", quote(kind.marker), kind.meaning, kind.count));
        kind.first.iter().for_each(|(number, row)| console.quoted(&format!("{number}: {}", row.as_str())));
    }
    if !rejected.members.is_empty() {
        let members: Vec<String> = rejected.members.iter().map(|member| quote(member.as_str())).collect();
        let more = if rejected.has_more_members { ", and more" } else { "" };
        console.say(&format!("members concerned: {}{more}", members.join(", ")));
    }
}

fn say_excerpt(console: &Console, excerpt: &Excerpt) {
    if excerpt.total > 0 {
        console.say(&format!("{}:", excerpt.title()));
        excerpt.numbered().for_each(|line| console.quoted(&line));
    }
}

/// The same for programs.
fn value(diagnosis: &Diagnosis, findings: &Findings) -> Value {
    let lines = |lines: &[(u64, Foreign)]| -> Value {
        lines.iter().map(|(number, line)| json!({"line": number, "text": line.as_str()})).collect()
    };
    let rejected = &findings.rejected;
    let kind = |kind: &crate::diagnose::rejected::Kind| json!({"marker": kind.marker, "meaning": kind.meaning, "count": kind.count, "first": lines(&kind.first)});
    let evidence = diagnosis.evidence.as_ref();
    json!({
        "category": diagnosis.category.word(),
        "transient": diagnosis.transient,
        "advice": diagnosis.advice,
        "basis": diagnosis.basis.word(),
        "evidence": evidence.map(|shown| json!({"line": shown.line, "text": shown.text.as_str()})),
        "exportBegan": findings.export_began,
        "rows": findings.rows,
        "rejected": {
            "total": rejected.total,
            "kinds": rejected.kinds.iter().map(kind).collect::<Value>(),
            "members": rejected.members.iter().map(Foreign::as_str).collect::<Value>(),
            "hasMoreMembers": rejected.has_more_members,
        },
        "excerpt": {
            "lines": lines(&findings.excerpt.lines),
            "total": findings.excerpt.total,
            "telling": findings.excerpt.telling,
        },
    })
}
