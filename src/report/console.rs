//! What is read while a run goes on: lines on stderr, and a live line on a terminal.

mod format;

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use crate::bounded;
use crate::foreign::log_line;
use crate::job::JobId;

pub use format::Format;
use format::{Level, json};

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Warnings and the end.
    Quiet,
    /// Changes and heartbeats too.
    Normal,
    /// Every request too.
    Verbose,
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The log of a run.
#[derive(Clone, Debug)]
pub struct Console {
    volume: Volume,
    format: Format,
    color: bool,
    terminal: bool,
    /// What its lines are about, where that is a job.
    job: Option<JobId>,
    state: Arc<Stream>,
}

/// How it is with stderr, for all who write there.
#[derive(Debug, Default)]
struct Stream {
    /// Whether a live line stands on the terminal now.
    live: AtomicBool,
    /// Whether nobody reads the log any more.
    unread: AtomicBool,
}

/// One line on stdout, for programs. Whoever reads it may have gone, or may not read: that is an error like any other,
/// not a panic and not an end of everything.
///
/// # Errors
///
/// A closed or full standard output.
pub fn print_line(line: &str) -> io::Result<()> {
    let line = format!("{line}\n");
    bounded::write_to(&io::stdout(), move || {
        let mut stdout = io::stdout().lock();
        stdout.write_all(line.as_bytes())?;
        stdout.flush()
    })
}

/// The colour of a line's first word.
#[derive(Clone, Copy)]
enum Paint {
    Red,
    Yellow,
    Green,
    Plain,
}

/// Writes to stderr.
///
/// # Errors
///
/// A log that is closed, or that nobody reads.
pub fn write_to_log(text: String) -> io::Result<()> {
    bounded::write_to(&io::stderr(), move || {
        let mut stderr = io::stderr().lock();
        stderr.write_all(text.as_bytes())?;
        stderr.flush()
    })
}

impl Console {
    /// A console on stderr. `plain`: the environment asks for text alone.
    pub fn new(volume: Volume, color: Color, plain: bool, format: Format) -> Self {
        let terminal = io::stderr().is_terminal() && !plain && format == Format::Text;
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal,
        };
        Self { volume, format, color, terminal, job: None, state: Arc::default() }
    }

    /// The same log, for lines that are about this job.
    #[must_use]
    pub fn of(&self, job: Option<JobId>) -> Self {
        Self { job, ..self.clone() }
    }

    /// A change of state, or anything else worth a line.
    pub fn say(&self, text: &str) {
        if self.volume >= Volume::Normal {
            self.line(Level::Info, Paint::Plain, "", text);
        }
    }

    /// What must stand in the log, however little is wanted there: the id of a job.
    pub fn note(&self, text: &str) {
        self.line(Level::Info, Paint::Plain, "", text);
    }

    /// A request.
    pub fn trace(&self, text: &str) {
        if self.volume >= Volume::Verbose {
            self.line(Level::Debug, Paint::Plain, "", text);
        }
    }

    /// Something that may need a person.
    pub fn warn(&self, text: &str) {
        self.line(Level::Warn, Paint::Yellow, "warning: ", text);
    }

    /// The end of a run that passed.
    pub fn pass(&self, text: &str) {
        self.line(Level::Info, Paint::Green, "ok: ", text);
    }

    /// The end of a run that did not.
    pub fn fail(&self, text: &str) {
        self.line(Level::Error, Paint::Red, "error: ", text);
    }

    /// What to do next.
    pub fn hint(&self, text: &str) {
        if self.format == Format::Text {
            self.write("\n");
        }
        self.line(Level::Info, Paint::Plain, "hint: ", text);
    }

    /// What to do about the line before, where that is one of several.
    pub fn remedy(&self, text: &str) {
        self.line(Level::Info, Paint::Plain, "  remedy: ", text);
    }

    /// A line of another's text, set off from ours.
    pub fn quoted(&self, text: &str) {
        if self.volume >= Volume::Normal {
            self.line(Level::Info, Paint::Plain, "│ ", text);
        }
    }

    /// A line as it is: a command for the runner, made by its dialect. A log of JSON has none.
    pub fn command(&self, line: &str) {
        if self.takes_commands() {
            self.clear_live();
            self.write(&format!("{line}\n"));
        }
    }

    /// Whether commands for the runner may stand in the log.
    pub fn takes_commands(&self) -> bool {
        self.format == Format::Text
    }

    /// Whether only warnings and the end are said.
    pub fn is_quiet(&self) -> bool {
        self.volume < Volume::Normal
    }

    /// Whether there is a terminal for a live line.
    pub fn is_live(&self) -> bool {
        self.terminal && self.volume >= Volume::Normal
    }

    /// Replaces the live line.
    pub fn live(&self, text: &str) {
        if self.is_live() {
            // What wraps could not be taken back, and few terminals are narrower than this.
            let line: String = log_line(text).chars().take(79).collect();
            self.write(&format!("\r\u{1b}[2K{line}"));
            self.state.live.store(true, Ordering::Relaxed);
        }
    }

    fn clear_live(&self) {
        if self.state.live.swap(false, Ordering::Relaxed) {
            self.write("\r\u{1b}[2K");
        }
    }

    fn line(&self, level: Level, paint: Paint, label: &str, text: &str) {
        if let Format::Json(trace) = self.format {
            // What is painted says the level.
            let label = if matches!(paint, Paint::Plain) { label } else { "" };
            return self.write(&json(Timestamp::now(), level, &format!("{label}{text}"), trace, self.job));
        }
        self.clear_live();
        let label = match paint {
            Paint::Plain => label.to_owned(),
            _ if !self.color => label.to_owned(),
            Paint::Red => format!("\u{1b}[1;31m{label}\u{1b}[0m"),
            Paint::Yellow => format!("\u{1b}[1;33m{label}\u{1b}[0m"),
            Paint::Green => format!("\u{1b}[1;32m{label}\u{1b}[0m"),
        };
        self.write(&format!("{label}{}\n", log_line(text)));
    }

    /// A log that cannot be written must not end the run, and one that is not read must not hold it: whoever listened
    /// has gone.
    fn write(&self, text: &str) {
        if self.state.unread.load(Ordering::Relaxed) {
            return;
        }
        let written = write_to_log(text.to_owned());
        let is_unread = written.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        self.state.unread.store(is_unread, Ordering::Relaxed);
    }
}
