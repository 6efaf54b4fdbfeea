//! The lines of a process log that say why, as people read them.

use crate::foreign::Foreign;

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
    /// The line that most likely says why: the last error, or else the first line that tells anything.
    pub fn reason(&self) -> Option<&(u64, Foreign)> {
        let lines = || self.lines.iter().filter(|_| self.telling > 0);
        let is_error =
            |line: &&(u64, Foreign)| line.1.as_str().contains("ERROR ") || line.1.as_str().contains("FATAL ");
        lines().rfind(is_error).or_else(|| lines().next())
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
