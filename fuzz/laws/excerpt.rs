//! What is found in a log: the same however the log is cut on its way, bounded, clean, and without a secret.

use epm_gate::diagnose::Findings;
use epm_gate::diagnose::excerpt::Excerpt;
use epm_gate::diagnose::rules::Rules;
use epm_gate::diagnose::scan::Scan;
use epm_gate::job::State;

use super::{is_clean, mask};

/// In the corpus: a line whose bytes are the lengths of the pieces, then the log.
pub(super) fn holds(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or_default();
    let (lengths, log) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let whole = read([log]);
    assert_eq!(read(log.chunks(1)), whole, "byte by byte");
    assert_eq!(read(pieces(lengths, log)), whole, "in pieces");
    let text = ended(&decoded(log));
    let lines = lines(&text);
    let excerpt = &whole.excerpt;
    assert_eq!(excerpt.total, lines.len() as u64);
    is_bounded(excerpt, &lines);
    counts_rows(&whole, &lines);
    let rows = whole.rejected.kinds.iter().flat_map(|kind| &kind.first);
    for (number, shown) in excerpt.lines.iter().chain(rows) {
        is_of_line(shown.as_str(), line(&lines, *number));
    }
    let diagnosis = rules().diagnose(State::Failed, None, Some(&whole));
    if let Some(evidence) = diagnosis.evidence {
        is_of_line(evidence.text.as_str(), line(&lines, evidence.line.expect("it stands in the log")));
    }
    assert!(!(diagnosis.transient && whole.export_began), "what may be loaded in part is tried again");
}

/// One rule of a user, so that every line is looked at.
fn rules() -> Rules {
    Rules::parse(r#"[{"pattern": "q[0-9]+q", "category": "service"}]"#).expect("a rule")
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Findings {
    let mut scan = Scan::new(&rules(), mask());
    for piece in pieces {
        scan.push(piece);
    }
    scan.finish()
}

/// The bytes that lines are made of.
fn decoded(log: &[u8]) -> Vec<u8> {
    match log {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => rest.to_vec(),
        log if is_utf16(log, 1) => utf16(log, u16::from_le_bytes),
        log if is_utf16(log, 0) => utf16(log, u16::from_be_bytes),
        _ => log.to_vec(),
    }
}

fn utf16(log: &[u8], of: fn([u8; 2]) -> u16) -> Vec<u8> {
    let pairs = log.chunks_exact(2);
    let odd = if pairs.remainder().is_empty() { "" } else { "\u{fffd}" };
    (String::from_utf16_lossy(&pairs.map(|pair| of([pair[0], pair[1]])).collect::<Vec<_>>()) + odd).into_bytes()
}

/// Whether of the first bytes those are 0, and no others, whose place has this remainder.
fn is_utf16(log: &[u8], nul: usize) -> bool {
    let start = &log[..log.len().min(16)];
    start.len() >= 4 && start.iter().enumerate().all(|(at, byte)| (at % 2 == nul) == (*byte == 0))
}

/// The text with a line feed for each return that ends a line by itself.
fn ended(text: &[u8]) -> Vec<u8> {
    let behind = |at: usize| matches!(text.get(at + 1), Some(b'\r' | b'\n'));
    let end = |(at, byte): (usize, &u8)| if *byte == b'\r' && !behind(at) { b'\n' } else { *byte };
    text.iter().enumerate().map(end).collect()
}

fn line<'a>(lines: &[&'a [u8]], number: u64) -> &'a [u8] {
    let index = usize::try_from(number - 1).ok();
    index.and_then(|index| lines.get(index)).expect("its number is that of a line")
}

/// A line is one row at most, and no more than a few of them are kept.
fn counts_rows(findings: &Findings, lines: &[&[u8]]) {
    let rejected = &findings.rejected;
    let counted: u64 = rejected.kinds.iter().map(|kind| kind.count).sum();
    assert!(counted <= lines.len() as u64 && counted <= rejected.total);
    assert!(rejected.kinds.iter().all(|kind| kind.count >= 1 && kind.first.len() as u64 == kind.count.min(3)));
    assert!(rejected.members.len() <= 20);
    for member in &rejected.members {
        assert!(is_clean(member.as_str()) && !member.as_str().contains(super::SECRET), "{member:?}");
    }
    let blank = lines.iter().filter(|line| is_blank_row(line)).count() as u64;
    assert_eq!(rejected.kinds.iter().find(|kind| kind.marker == "[BLANK]").map_or(0, |kind| kind.count), blank);
}

/// Whether a line marks a row with a blank: not at DEBUG, in a statement or in a list.
fn is_blank_row(line: &[u8]) -> bool {
    let is_time = |word: &&[u8]| word.iter().all(|byte| byte.is_ascii_digit() || b"-,.+TZ".contains(byte));
    let level = line[..line.len().min(64)].split(|byte| b" \t[]:".contains(byte)).find(|word| !is_time(word));
    let is_mark = |at: usize| {
        let (before, behind) = (&line[..at], line.get(at + 7).unwrap_or(&b' '));
        let is_within = before.last().is_some_and(|byte| b"'\"%".contains(byte));
        !is_within && !b",%'".contains(behind) && !before.ends_with(b"], ")
    };
    let mut marks = line.windows(7).enumerate().filter(|(_, word)| *word == b"[BLANK]");
    !matches!(level, Some(b"DEBUG" | b"TRACE")) && marks.any(|(at, _)| is_mark(at))
}

fn pieces<'a>(lengths: &[u8], log: &'a [u8]) -> Vec<&'a [u8]> {
    let mut rest = log;
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, after) = rest.split_at(rest.len().min(usize::from(*length)));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

fn lines(log: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = log.split(|byte| *byte == b'\n').collect();
    lines.pop_if(|line| line.is_empty());
    lines
}

fn is_bounded(excerpt: &Excerpt, lines: &[&[u8]]) {
    let errors = lines.iter().filter(|line| line.windows(7).any(|word| word == b" ERROR "));
    assert!(excerpt.telling >= errors.count() as u64 && excerpt.telling <= excerpt.total);
    let shown = excerpt.lines.len();
    match excerpt.telling {
        0 => assert!(shown <= 15),
        telling => assert_eq!(shown as u64, telling.min(40)),
    }
    assert!(excerpt.lines.is_sorted_by(|(one, _), (next, _)| one < next), "a line stands twice");
    let first = excerpt.lines.first().map_or(1, |(number, _)| *number);
    assert!(first >= 1);
    assert!(is_clean(&excerpt.title()));
}

/// What is no UTF-8 is Windows-1252.
fn readable(line: &[u8]) -> String {
    let high: Vec<char> = "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ".chars().collect();
    let read = |byte: &u8| high.get(usize::from(byte.wrapping_sub(0x80))).copied().unwrap_or(char::from(*byte));
    line.utf8_chunks()
        .flat_map(|chunk| chunk.valid().chars().chain(chunk.invalid().iter().map(read)).collect::<Vec<_>>())
        .collect()
}

/// What is shown is a part of the line, once it is clean and its secrets are hidden: no half of one either. It is all of a
/// short one.
fn is_of_line(shown: &str, line: &[u8]) {
    assert!(shown.len() <= 400 && is_clean(shown) && !shown.contains('\n'), "{shown:?}");
    let whole = mask().foreign(&readable(line)).as_str().replace('\n', " ");
    let part = shown.trim_start_matches('…').trim_end_matches('…').trim_end_matches('\u{fffd}').trim_end();
    assert!(!shown.contains(super::SECRET));
    if shown.starts_with('…') {
        // A cut through an escape sequence shows the rest of that, which is no more than text by then.
        assert!(whole.contains(part) || readable(line).chars().any(char::is_control), "{shown:?}");
    } else {
        assert!(whole.starts_with(part), "{shown:?} of {whole:?}");
    }
    assert!(line.len() > 300 || whole.len() > 400 || shown.trim_end() == whole.trim_end(), "{shown:?}");
}
