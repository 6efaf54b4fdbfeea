//! The excerpt of a log: the same however the log is cut on its way, bounded, clean, and without a secret.

use epm_gate::diagnose::excerpt::{Excerpt, Reader};

use super::{is_clean, mask};

/// In the corpus: a line whose bytes are the lengths of the pieces, then the log.
pub(super) fn holds(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or_default();
    let (lengths, log) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let whole = read([log]);
    assert_eq!(read(log.chunks(1)), whole, "byte by byte");
    assert_eq!(read(pieces(lengths, log)), whole, "in pieces");
    let lines = lines(log);
    assert_eq!(whole.total, lines.len() as u64);
    is_bounded(&whole, &lines);
    for (number, shown) in &whole.lines {
        let line = usize::try_from(*number - 1).ok().and_then(|index| lines.get(index));
        is_of_line(shown.as_str(), line.expect("its number is that of a line"));
    }
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Excerpt {
    let mut reader = Reader::new(mask());
    pieces.into_iter().for_each(|piece| reader.push(piece));
    reader.finish()
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
    let errors = lines.iter().filter(|line| line.len() <= 1000 && line.windows(7).any(|word| word == b" ERROR "));
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

/// What is shown is how the line begins, once it is clean and its secrets are hidden: no half of one either.
fn is_of_line(shown: &str, line: &[u8]) {
    assert!(shown.len() <= 400 && is_clean(shown) && !shown.contains('\n'), "{shown:?}");
    let whole = mask().foreign(&String::from_utf8_lossy(line)).as_str().replace('\n', " ");
    let begin = shown.trim_end_matches('…').trim_end_matches('\u{fffd}').trim_end();
    assert!(whole.starts_with(begin), "{shown:?} of {whole:?}");
    assert!(line.len() > 1000 || whole.len() > 400 || shown.trim_end() == whole.trim_end(), "{shown:?}");
}
