//! One pass over a log, at the speed of the disk and in bounded memory: its telling lines, the rows that were not taken,
//! how many rows there were, and what says why.
//!
//! The words of the table of markers are looked for in many lines at once; only lines that hold one are looked at closer.
//! A line of any length is read to its end: of one that is longer than the room for it, its beginning is kept, and what
//! stands around each marker.

mod line;
mod members;
mod rows;
mod text;

use std::collections::VecDeque;
use std::time::Duration;

use memchr::{memchr, memchr_iter, memrchr};
use tokio::time::Instant;

use super::Findings;
use super::excerpt::Excerpt;
use super::markers;
use super::rules::Rules;
use super::told::{Reason, Told, Weight};
use crate::foreign::Mask;

use line::{Hit, Line, Window};
use rows::Rows;
use text::{Decoder, Ends, Kind, readable};

/// How many telling lines are kept: the first ones, since what follows a first error is mostly its echo.
const MOST_LINES: usize = 40;

/// How many lines from the end stand for a log in which no line tells.
const TAIL_LINES: usize = 15;

/// How much is looked at together, in bytes, beside twice the longest secret. A line that does not fit is looked at in parts.
const ROOM: usize = 256 * 1024;

/// How much of a line a rule of the user is tried on, in bytes.
const HEAD: usize = 4 * 1024;

/// How long the rules of the user may take for one log: nothing else goes on meanwhile.
const LONGEST_TRIAL: Duration = Duration::from_secs(5);

/// How much of what a rule of the user has matched is looked for again where it is shown, in bytes.
const LONGEST_MATCH: usize = 100;

/// Why a log does not show how many rows were rejected.
const UNCOUNTED: &str = "a count of rejected rows in it cannot be read";

/// Takes a log piece by piece.
pub struct Scan {
    rules: Rules,
    mask: Mask,
    decoder: Decoder,
    kind: Kind,
    ends: Ends,
    /// What is not looked at yet.
    buffer: Vec<u8>,
    /// A line that did not fit.
    long: Option<Long>,
    /// How many lines have ended.
    lines: u64,
    excerpt: Excerpt,
    /// The last lines, as they came: most of them are not shown. Empty once a line tells.
    last: VecDeque<Tail>,
    rows: Rows,
    told: Told,
    /// What is left of the time for the rules of the user.
    trial: Duration,
    rules_given_up: bool,
    export_began: bool,
    /// Whether a line speaks of rejected rows, and does not say how many.
    is_uncounted: bool,
}

/// A line at the end of what was read.
struct Tail {
    number: u64,
    head: Vec<u8>,
    is_whole: bool,
}

/// A line of which a part has been looked at. The buffer holds the rest, and some bytes before it.
struct Long {
    head: Vec<u8>,
    /// The first of each marker.
    hits: Vec<Hit<'static>>,
    /// How many bytes of it are gone from the buffer.
    gone: u64,
    /// Up to where in the buffer markers have been looked for.
    seen: usize,
}

impl Scan {
    /// An empty log.
    pub fn new(rules: &Rules, mask: Mask) -> Self {
        Self {
            rules: rules.clone(),
            mask,
            decoder: Decoder::new(),
            kind: Kind::default(),
            ends: Ends::default(),
            buffer: Vec::new(),
            long: None,
            lines: 0,
            excerpt: Excerpt::default(),
            last: VecDeque::new(),
            rows: Rows::default(),
            told: Told::new(rules.count()),
            trial: LONGEST_TRIAL,
            rules_given_up: false,
            export_began: false,
            is_uncounted: false,
        }
    }

    /// The next bytes.
    pub fn push(&mut self, piece: &[u8]) {
        let text = self.decoder.decode(piece);
        self.read(&text);
    }

    /// The end of the log.
    pub fn finish(mut self) -> Findings {
        let rest = self.decoder.finish();
        self.read(&rest);
        let end = self.ends.finish();
        self.take(end);
        let buffer = std::mem::take(&mut self.buffer);
        let rest = self.end_long(&buffer, true).unwrap_or_default();
        self.block(&buffer[rest..]);
        let mask = &self.mask;
        if self.excerpt.telling == 0 {
            let line = |tail: Tail| {
                let line = Line { number: tail.number, head: &tail.head, is_whole: tail.is_whole };
                (tail.number, line.shown_from_start(mask))
            };
            self.excerpt.lines = self.last.drain(..).map(line).collect();
        }
        self.excerpt.total = self.lines;
        self.rows.tell(&mut self.told);
        Findings {
            excerpt: self.excerpt,
            rows: self.rows.loaded(),
            rejected: self.rows.rejected(),
            export_began: self.export_began,
            unreadable: self.kind.unreadable().or(self.is_uncounted.then_some(UNCOUNTED)),
            rules_given_up: self.rules_given_up,
            told: self.told,
        }
    }

    fn read(&mut self, text: &[u8]) {
        self.kind.see(text);
        let text = self.ends.mark(text);
        self.take(&text);
    }

    fn take(&mut self, mut text: &[u8]) {
        let room = ROOM + 2 * self.mask.longest();
        while !text.is_empty() {
            let (fits, rest) = text.split_at(text.len().min(room - self.buffer.len()));
            self.buffer.extend_from_slice(fits);
            text = rest;
            if self.buffer.len() == room {
                self.work();
            }
        }
    }

    /// Looks at a full buffer, whose bounds depend on the log alone, and leaves what has no end yet.
    fn work(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        if let Some(from) = self.end_long(&buffer, false) {
            let end = memrchr(b'\n', &buffer[from..]).map_or(from, |end| from + end + 1);
            self.block(&buffer[from..end]);
            buffer.drain(..end);
            self.buffer = buffer;
            if end > 0 {
                return;
            }
            buffer = std::mem::take(&mut self.buffer);
            let head = buffer[..HEAD].to_vec();
            self.long = Some(Long { head, hits: Vec::new(), gone: 0, seen: 0 });
        }
        self.go_on(&mut buffer);
        self.buffer = buffer;
    }

    /// Looks at the next part of a line that did not fit, and keeps what the next look needs.
    fn go_on(&mut self, buffer: &mut Vec<u8>) {
        let room = Window::room(&self.mask);
        let Some(long) = &mut self.long else { return };
        let end = buffer.len() - markers::LONGEST - room.1;
        look(buffer, long, end, room);
        let gone = long.seen - room.0;
        buffer.drain(..gone);
        long.gone += gone as u64;
        long.seen -= gone;
    }

    /// Ends a line that did not fit, where its end is there; from where on the buffer holds other lines. None where it goes on.
    fn end_long(&mut self, buffer: &[u8], is_end: bool) -> Option<usize> {
        let Some(mut long) = self.long.take() else { return Some(0) };
        let newline = memchr(b'\n', &buffer[long.seen..]).map(|at| long.seen + at);
        let Some(end) = newline.or(is_end.then_some(buffer.len())) else {
            self.long = Some(long);
            return None;
        };
        let room = Window::room(&self.mask);
        look(&buffer[..end], &mut long, end, room);
        self.lines += 1;
        let line = Line { number: self.lines, head: &long.head, is_whole: false };
        self.line(&line, std::mem::take(&mut long.hits));
        self.keep_last(&[], Some(&line));
        Some(end + usize::from(newline.is_some()))
    }

    /// Looks at whole lines; the last of the log may have no end.
    fn block(&mut self, block: &[u8]) {
        let mut from = 0;
        while let Some((start, word, end)) = self.next_line(block, from) {
            self.lines += newlines(&block[from..start]) + 1;
            let line = Line { number: self.lines, head: &block[start..end], is_whole: true };
            let hits = self.hits(line.head, word - start);
            self.line(&line, hits);
            from = block.len().min(end + 1);
        }
        self.lines += newlines(&block[from..]) + u64::from(from < block.len() && !block.ends_with(b"\n"));
        self.keep_last(block, None);
    }

    /// The start of the next line that is worth a closer look, where in it a word may stand at the soonest, and its end.
    fn next_line(&self, block: &[u8], from: usize) -> Option<(usize, usize, usize)> {
        let word =
            if self.tries_user() { (from < block.len()).then_some(from)? } else { markers::WORDS.next(block, from)? };
        let start = memrchr(b'\n', &block[from..word]).map_or(from, |at| from + at + 1);
        let end = memchr(b'\n', &block[word..]).map_or(block.len(), |at| word + at);
        Some((start, word, end))
    }

    /// The first of each marker that is meant, in a whole line in which none begins before `from`.
    fn hits<'a>(&self, text: &'a [u8], from: usize) -> Vec<Hit<'a>> {
        let room = Window::room(&self.mask);
        let mut hits: Vec<Hit<'a>> = Vec::new();
        each(text, from, text.len(), |marker, at| {
            if hits.iter().all(|hit| hit.marker != marker) {
                let hit = Hit { marker, at: at as u64, window: Window::around(text, at, room, false) };
                if hit.is_meant() {
                    hits.push(hit);
                }
            }
        });
        hits
    }

    /// What a line tells.
    fn line(&mut self, line: &Line<'_>, mut hits: Vec<Hit<'_>>) {
        self.try_user(line);
        let weight = line.weight();
        self.is_uncounted |= weight < Weight::Wordy && hits.iter().any(Hit::is_unread);
        hits.retain(|hit| hit.counts(weight) && !hit.is_unread());
        if hits.is_empty() {
            return;
        }
        let shown = |hit: &Hit<'_>| line.shown(&self.mask, hit.at, hit.marker().text, &hit.window);
        self.export_began |= hits.iter().any(|hit| hit.marker().is_export);
        let is_error = hits.iter().any(|hit| matches!(hit.marker().text, "ERROR " | "FATAL "));
        for hit in &hits {
            let weight = hit.weight(weight);
            self.rows.count(hit, line.number, weight, || shown(hit));
            if hit.marker().why.is_some() && hit.marker().role.is_told_by_one_line() {
                let reason = Reason { marker: hit.marker, line: line.number, weight, is_error };
                self.told.reason(reason, || shown(hit));
            }
        }
        self.rows.reject(&hits, line.number, &self.mask, shown);
        let telling = hits.iter().filter(|hit| hit.marker().may_tell() && hit.marker().role.is_told_by_one_line());
        if let Some(first) = telling.min_by_key(|hit| hit.at) {
            self.excerpt.telling += 1;
            if self.excerpt.lines.len() < MOST_LINES {
                self.excerpt.lines.push((line.number, shown(first)));
            }
        }
    }

    fn tries_user(&self) -> bool {
        !self.rules_given_up && self.told.awaits_user()
    }

    /// Tries the rules of the user that have found no line yet, as long as there is time for them.
    fn try_user(&mut self, line: &Line<'_>) {
        if !self.tries_user() {
            return;
        }
        let start = Instant::now();
        self.match_user(line);
        let left = self.trial.checked_sub(start.elapsed());
        self.rules_given_up = left.is_none() && self.told.awaits_user();
        self.trial = left.unwrap_or_default();
    }

    fn match_user(&mut self, line: &Line<'_>) {
        let is_cut = !line.is_whole || line.head.len() > HEAD;
        let head = readable(&line.head[..line.head.len().min(HEAD)], is_cut);
        for rule in self.told.awaited().collect::<Vec<_>>() {
            if let Some(found) = self.rules.user(rule).find(&head) {
                let what = cut_at(found.as_str(), LONGEST_MATCH);
                let window = Window::around(head.as_bytes(), found.start(), Window::room(&self.mask), false);
                let shown = line.shown(&self.mask, found.start() as u64, what, &window);
                self.told.user(rule, line.number, shown);
            }
        }
    }

    /// Keeps the last lines that say anything, as long as no line tells.
    fn keep_last(&mut self, block: &[u8], long: Option<&Line<'_>>) {
        if self.excerpt.telling > 0 {
            self.last.clear();
            return;
        }
        let room = Line::shown_from(&self.mask);
        let tail = |line: &Line<'_>| Tail {
            number: line.number,
            head: line.head[..line.head.len().min(room)].to_vec(),
            is_whole: line.is_whole && line.head.len() <= room,
        };
        let mut lines: Vec<Tail> = long.into_iter().map(tail).collect();
        let mut number = self.lines;
        let mut rest = block.strip_suffix(b"\n").unwrap_or(block);
        while !block.is_empty() && lines.len() < TAIL_LINES {
            let start = memrchr(b'\n', rest).map_or(0, |at| at + 1);
            let line = Line { number, head: &rest[start..], is_whole: true };
            if !line.is_blank(room) {
                lines.push(tail(&line));
            }
            if start == 0 {
                break;
            }
            rest = &rest[..start - 1];
            number -= 1;
        }
        self.last.extend(lines.into_iter().rev());
        self.last.drain(..self.last.len().saturating_sub(TAIL_LINES));
    }
}

/// Looks for markers in a part of a line that begins at `long.seen` and ends where one may still begin.
fn look(part: &[u8], long: &mut Long, end: usize, room: (usize, usize)) {
    let (gone, hits) = (long.gone, &mut long.hits);
    each(part, long.seen, end, |marker, at| {
        if hits.iter().all(|hit| hit.marker != marker) {
            let window = Window::around(part, at, room, gone > 0);
            let hit = Hit { marker, at: gone + at as u64, window };
            hits.extend(Some(hit).filter(Hit::is_meant).map(Hit::kept));
        }
    });
    long.seen = end;
}

/// Each marker that begins from `from` up to `end`, and where.
fn each(text: &[u8], from: usize, end: usize, mut found: impl FnMut(usize, usize)) {
    let mut from = from;
    while let Some(at) = markers::WORDS.next(text, from).filter(|at| *at < end) {
        markers::WORDS.at(text, at).for_each(|marker| found(marker, at));
        from = at + 1;
    }
}

fn cut_at(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

fn newlines(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}

#[cfg(test)]
mod tests;
