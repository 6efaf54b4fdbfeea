//! What may block for ever, such as a pipe that nobody reads, done in a thread of its own and given up on after a while.
//! The gate itself has one thread, and nothing else may hold it.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

/// How long one write to a pipe, a terminal or a device may take: whoever reads there, reads at once or not at all.
pub const WRITE: Duration = Duration::from_millis(500);

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// It did not end in time, and may block for ever.
    Stuck,
    /// It panicked.
    Panicked,
}

/// Does it, and waits for so long.
///
/// # Errors
///
/// What became of it, where it has no result.
pub fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Lost> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(limit).map_err(|error| match error {
        mpsc::RecvTimeoutError::Timeout => Lost::Stuck,
        mpsc::RecvTimeoutError::Disconnected => Lost::Panicked,
    })
}

/// Does it, and lets everything else go on meanwhile.
///
/// # Errors
///
/// That it panicked. Whoever waits bounds the wait.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Lost> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Nobody waits any more for what comes too late.
        let _ = sender.send(work());
    });
    receiver.await.map_err(|_| Lost::Panicked)
}

/// A write that may block; one that does is an error like any other.
///
/// # Errors
///
/// What the write says, or that it did not end.
pub fn write(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    within(WRITE, work).unwrap_or_else(|lost| {
        Err(match lost {
            Lost::Stuck => io::Error::new(io::ErrorKind::TimedOut, "nobody reads what was written there"),
            Lost::Panicked => io::Error::other("the write broke off"),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blocks_is_given_up_and_what_panics_is_told_apart() {
        let (_sender, receiver) = mpsc::channel::<()>();
        assert_eq!(within(Duration::from_millis(1), move || receiver.recv().is_ok()), Err(Lost::Stuck));
        assert_eq!(within(Duration::from_secs(30), || 7), Ok(7));
        let panicking = || -> u8 { panic!("as the test wants it") };
        assert_eq!(within(Duration::from_secs(30), panicking), Err(Lost::Panicked));
    }
}
