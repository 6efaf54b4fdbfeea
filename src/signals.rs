//! Requests to stop: SIGHUP, SIGINT, SIGTERM.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use crate::outcome::Signal;

/// Runners and terminals send the same request twice, to the process and to its group; what follows within this is the
/// same one.
const ECHO: Duration = Duration::from_millis(500);

/// The signals that this process was sent.
pub struct Signals {
    streams: Streams,
    first: Option<Instant>,
    has_come_again: bool,
}

impl Signals {
    /// Installs the handlers. As PID 1 of a container a process without them could not be stopped at all.
    ///
    /// # Errors
    ///
    /// A system that refuses.
    pub fn install() -> io::Result<Self> {
        Ok(Self { streams: Streams::new()?, first: None, has_come_again: false })
    }

    /// The first signal.
    pub async fn first(&mut self) -> Signal {
        let signal = self.streams.next().await;
        self.first = Some(Instant::now());
        signal
    }

    /// A later one than the first, and not its echo.
    pub async fn again(&mut self) {
        loop {
            self.streams.next().await;
            match self.first {
                None => self.first = Some(Instant::now()),
                Some(first) if first.elapsed() >= ECHO => {
                    self.has_come_again = true;
                    return;
                }
                Some(_) => {}
            }
        }
    }

    /// Whether there was a signal.
    pub fn has_come(&self) -> bool {
        self.first.is_some()
    }

    /// How long what follows the end of a run may take: less after a signal, whatever the end was; none after a later one.
    pub fn patience(&self, usual: Duration, after_signal: Duration) -> Option<Duration> {
        match (self.has_come(), self.has_come_again) {
            (_, true) => None,
            (true, false) => Some(after_signal),
            (false, false) => Some(usual),
        }
    }
}

#[cfg(unix)]
struct Streams {
    hangup: Option<tokio::signal::unix::Signal>,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Streams {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hangup: if is_hangup_ignored() { None } else { Some(signal(SignalKind::hangup())?) },
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> Signal {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = hangup => Signal::Hangup,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

/// Whether whoever started us wants SIGHUP ignored, as `nohup` does: a handler of ours would undo that. Linux tells it
/// in the mask `SigIgn`, whose lowest bit is signal 1; where there is no such file, SIGHUP is handled.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

#[cfg(not(unix))]
struct Streams;

#[cfg(not(unix))]
impl Streams {
    #[expect(clippy::unnecessary_wraps, reason = "the same shape as on Unix")]
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn patience_is_short_after_a_signal_and_over_after_another() {
        let (usual, short) = (Duration::from_secs(10), Duration::from_secs(2));
        for (first, has_come_again, expected) in
            [(None, false, Some(usual)), (Some(Instant::now()), false, Some(short)), (Some(Instant::now()), true, None)]
        {
            let signals = Signals { first, has_come_again, ..Signals::install().unwrap() };
            assert_eq!(signals.patience(usual, short), expected);
        }
    }
}
