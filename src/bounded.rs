//! What may block for ever, such as a pipe that nobody reads, done in a thread of its own and given up on after a while.
//! The gate itself has one thread, and nothing else may hold it.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How long one write to a pipe, a terminal or a device may take: whoever reads there, reads at once or not at all.
pub const WRITE: Duration = Duration::from_millis(500);

/// Does it, and waits for so long. None where it did not end by then, and may block for ever.
pub fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    begin(Box::new(move || drop(sender.send(work()))));
    receiver.recv_timeout(limit).ok()
}

/// Does it, and lets everything else go on meanwhile. Whoever waits bounds the wait.
///
/// # Panics
///
/// Where the work did, in a process that has outlived that; the gate does not (`crash`).
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // Nobody waits any more for what comes too late.
    begin(Box::new(move || drop(sender.send(work()))));
    receiver.await.expect("the thread beside did not panic")
}

/// A write that may block; one that does is an error like any other.
///
/// # Errors
///
/// What the write says, or that it did not end.
pub fn write(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    let stuck = || io::Error::new(io::ErrorKind::TimedOut, "nobody reads what was written there");
    within(WRITE, work).unwrap_or_else(|| Err(stuck()))
}

/// Begins it in a thread of its own, or does it here where the system has no thread left: a container may bound them.
fn begin(work: Box<dyn FnOnce() + Send>) {
    let (sender, receiver) = mpsc::channel::<Box<dyn FnOnce() + Send>>();
    let thread = thread::Builder::new().spawn(move || receiver.into_iter().for_each(|work| work()));
    match thread {
        Ok(_) => drop(sender.send(work)),
        Err(_) => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blocks_is_given_up() {
        let (_sender, receiver) = mpsc::channel::<()>();
        assert_eq!(within(Duration::from_millis(1), move || receiver.recv().is_ok()), None);
        assert_eq!(within(Duration::from_secs(30), || 7), Some(7));
    }
}
