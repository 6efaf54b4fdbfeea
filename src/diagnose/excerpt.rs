//! The lines of a process log that say why, found in one pass with bounded memory.

use std::collections::VecDeque;

use super::markers;
use crate::foreign::{Foreign, Mask, cut};

/// Levels that mark a line as telling; a line without a time begins with its level (epm-api.md §10.2).
const LEVELS: [&str; 3] = ["ERROR ", "FATAL ", "WARN "];

/// How many telling lines are kept: the first ones, since what follows a first error is mostly its echo.
const MOST_LINES: usize = 40;

/// How many lines from the end stand for a log in which no line tells.
const TAIL_LINES: usize = 15;

/// How much of a line is read, in bytes, beside the longest secret: one that began before this must not escape the mask
/// by being cut. The rest of the line is passed over.
const LONGEST_LINE: usize = 1000;

/// Some lines of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The lines, with their numbers counted from 1.
    pub lines: Vec<(u64, Foreign)>,
    /// How many lines the log has.
    pub total: u64,
    /// How many of them tell. 0 where the lines are the end of the log.
    pub telling: u64,
}

impl Excerpt {
    /// The line that most likely says why: the last error, or else the first line that tells anything. Without its time.
    pub fn reason(&self) -> Option<&str> {
        let lines = || self.lines.iter().map(|(_, line)| line.as_str()).filter(|_| self.telling > 0);
        let is_error = |line: &&str| line.contains("ERROR ") || line.contains("FATAL ");
        let line = lines().rfind(is_error).or_else(|| lines().next())?;
        Some(line.split_once("]: ").map_or(line, |(_, message)| message).trim())
    }

    /// The lines as people read them, each behind its number.
    pub fn numbered(&self) -> impl Iterator<Item = String> {
        self.lines.iter().map(|(number, line)| format!("{number}: {}", line.as_str()))
    }

    /// What these lines are, in words.
    pub fn title(&self) -> String {
        match (self.telling, self.lines.len() as u64) {
            (_, 0) => format!("none of the {} lines of the log says anything", self.total),
            (0, shown) => format!("the last {shown} of {} lines of the log", self.total),
            (telling, shown) if shown < telling => {
                format!("the first {shown} of {telling} telling lines, of {} in the log", self.total)
            }
            (1, _) => format!("1 telling line, of {} in the log", self.total),
            (telling, _) => format!("{telling} telling lines, of {} in the log", self.total),
        }
    }
}

fn is_telling(line: &str) -> bool {
    let is_level = |level: &str| line.match_indices(level).any(|(at, _)| at == 0 || line.as_bytes()[at - 1] == b' ');
    LEVELS.iter().any(|level| is_level(level)) || markers::SEEN.iter().any(|marker| line.contains(marker))
}

/// Takes a log piece by piece.
pub struct Reader {
    mask: Mask,
    line: Vec<u8>,
    /// Whether the line that is being read has begun.
    begun: bool,
    /// Whether there was more of it than is read.
    is_cut: bool,
    total: u64,
    telling: u64,
    first: Vec<(u64, Foreign)>,
    /// As they came: most of them are not shown.
    last: VecDeque<(u64, String, bool)>,
}

impl Reader {
    /// An empty log.
    pub fn new(mask: Mask) -> Self {
        Self {
            mask,
            line: Vec::new(),
            begun: false,
            is_cut: false,
            total: 0,
            telling: 0,
            first: Vec::new(),
            last: VecDeque::new(),
        }
    }

    /// The next bytes.
    pub fn push(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            let room = LONGEST_LINE + self.mask.longest() - self.line.len();
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            self.begun = true;
            self.is_cut |= text.len() > room;
            if ends {
                self.end_line();
            }
        }
    }

    /// The end of the log.
    pub fn finish(mut self) -> Excerpt {
        if self.begun {
            self.end_line();
        }
        let last = std::mem::take(&mut self.last).into_iter();
        let lines = if self.telling > 0 {
            self.first
        } else {
            last.map(|(at, line, is_cut)| (at, shown(&self.mask, &line, is_cut))).collect()
        };
        Excerpt { lines, total: self.total, telling: self.telling }
    }

    fn end_line(&mut self) {
        self.total += 1;
        self.begun = false;
        let text = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        let is_cut = std::mem::take(&mut self.is_cut);
        if is_telling(&text) {
            self.telling += 1;
            if self.first.len() < MOST_LINES {
                self.first.push((self.total, shown(&self.mask, &text, is_cut)));
            }
        } else if self.telling == 0 && !text.trim().is_empty() {
            if self.last.len() == TAIL_LINES {
                self.last.pop_front();
            }
            self.last.push_back((self.total, text, is_cut));
        }
    }
}

/// A line as it is shown: the secrets go before it is cut.
fn shown(mask: &Mask, text: &str, is_cut: bool) -> Foreign {
    const WIDEST: usize = 400;
    let clean = if is_cut { mask.foreign_start(text) } else { mask.foreign(text) };
    Foreign::new(&cut(clean.as_str().trim_end(), WIDEST).replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(pieces: &[&[u8]]) -> Excerpt {
        let mut reader = Reader::new(Mask::new(["topsecret".to_owned()]));
        for piece in pieces {
            reader.push(piece);
        }
        reader.finish()
    }

    fn shown(excerpt: &Excerpt) -> Vec<(u64, &str)> {
        excerpt.lines.iter().map(|(number, line)| (*number, line.as_str())).collect()
    }

    #[test]
    fn the_telling_lines_are_found_across_pieces() {
        let excerpt =
            excerpt(&[b"INFO  fine\n2026-03-22 03:24:28,930 ER", b"ROR [AIF]: Error: 33", b"03 x\r\nINFO end"]);
        assert_eq!(shown(&excerpt), [(2, "2026-03-22 03:24:28,930 ERROR [AIF]: Error: 3303 x")]);
        assert_eq!(excerpt.title(), "1 telling line, of 3 in the log");
    }

    #[test]
    fn the_composed_log_is_cut_to_what_tells() {
        let excerpt = excerpt(&[include_bytes!("../../tests/fixtures/composed-process-log.txt")]);
        let numbers: Vec<u64> = excerpt.lines.iter().map(|(number, _)| *number).collect();
        assert_eq!((numbers, excerpt.total), (vec![3, 4, 5, 7], 7));
        assert_eq!(excerpt.reason(), Some("Error: 3303 Member 4711-X Not Found In Database"));
    }

    #[test]
    fn the_reason_is_the_last_error_or_else_the_first_line_that_tells() {
        let reason = |log: &str| excerpt(&[log.as_bytes()]).reason().map(str::to_owned);
        assert_eq!(reason("ERROR [AIF]: a\nFATAL [AIF]: b\nWARN  [AIF]: c\n").as_deref(), Some("b"));
        assert_eq!(reason("INFO  [AIF]: [BLANK] 2\nINFO  [AIF]: [NN] 3\n").as_deref(), Some("[BLANK] 2"));
        assert_eq!(reason("INFO  [AIF]: fine\n"), None);
    }

    #[test]
    fn a_log_in_which_nothing_tells_shows_its_end() {
        let lines: Vec<String> = (1..=100).map(|number| format!("INFO line {number}\n\n")).collect();
        let excerpt = excerpt(&[lines.concat().as_bytes()]);
        assert_eq!(excerpt.lines.len(), TAIL_LINES);
        assert_eq!(shown(&excerpt)[14], (199, "INFO line 100"));
        assert_eq!(excerpt.title(), "the last 15 of 200 lines of the log");
    }

    #[test]
    fn memory_is_bounded_and_the_count_goes_on() {
        let long = [b"x".repeat(5_000_000), b" ERROR hidden\n".to_vec()].concat();
        let many = b" ERROR again\n".repeat(1000);
        let excerpt = excerpt(&[&long, &many]);
        assert_eq!((excerpt.total, excerpt.telling, excerpt.lines.len()), (1001, 1000, MOST_LINES));
        assert_eq!(excerpt.title(), "the first 40 of 1000 telling lines, of 1001 in the log");
        assert!(excerpt.lines.iter().all(|(_, line)| line.as_str().len() <= 400));
    }

    #[test]
    fn a_level_tells_with_and_without_a_time_before_it() {
        let excerpt = excerpt(&[b"ERROR [AIF]: a\nWARN  [AIF]: b\nINFO  NOERROR c\n2026-03-22 FATAL d\n"]);
        let numbers: Vec<u64> = excerpt.lines.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 2, 4]);
    }

    #[test]
    fn a_secret_longer_than_a_line_is_masked_whole() {
        let token: String = "eyJhbGciOiJSUzI1NiJ9.".chars().cycle().take(3000).collect();
        let mut reader = Reader::new(Mask::new([token.clone()]));
        reader.push(format!("ERROR the token {token} was refused\n").as_bytes());
        assert_eq!(shown(&reader.finish()), [(1, "ERROR the token *** was refused")]);
    }

    #[test]
    fn what_is_shown_is_clean_and_masked() {
        let excerpt = excerpt(&[b"\x1b[31m ERROR \xff topsecret ::x\x1b[0m\n"]);
        assert_eq!(shown(&excerpt), [(1, " ERROR \u{fffd} *** ::x")]);
        assert_eq!(excerpt_of_nothing(), Excerpt::default());
    }

    #[test]
    fn half_a_secret_is_not_shown_where_a_line_is_cut() {
        // What cleaning takes away leaves room for the end of what was read.
        let log = [b" ERROR ".to_vec(), b"\x1b[0m".repeat(248), b" topsecret and more\n".to_vec()].concat();
        assert_eq!(shown(&excerpt(&[&log])), [(1, " ERROR")]);
        let whole = [b" ERROR ".to_vec(), b"\x1b[0m".repeat(100), b" topsecret t\n".to_vec()].concat();
        assert_eq!(shown(&excerpt(&[&whole])), [(1, " ERROR  *** t")]);
    }

    fn excerpt_of_nothing() -> Excerpt {
        excerpt(&[])
    }
}
