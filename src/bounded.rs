//! What may block for ever, such as a pipe that nobody reads, done in a thread of its own and given up on after a while.
//! The gate itself has one thread, and nothing else may hold it.

use std::fs::File;
use std::io;
#[cfg(unix)]
use std::os::fd::AsFd as Open;
#[cfg(windows)]
use std::os::windows::io::AsHandle as Open;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// How long one write to a pipe, a terminal or a device may take: whoever reads there, reads at once or not at all.
pub const WRITE: Duration = Duration::from_millis(500);

/// Does it, and waits for so long. None where it did not end by then, and may block for ever; or where the system has no
/// thread left, and it was not begun.
pub fn within<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    match begun(work) {
        (result, None) => result.recv_timeout(limit).ok(),
        (_, Some(_)) => None,
    }
}

/// The same for what bounds each of its own parts that may block: that is done here where the system has no thread left.
pub fn within_or_here<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (result, left) = begun(work);
    if let Some(work) = left {
        work();
    }
    result.recv_timeout(limit).ok()
}

/// Does it, and lets everything else go on meanwhile. Whoever waits bounds the wait.
///
/// # Panics
///
/// Where the work did, in a process that has outlived that; the gate does not (`crash`).
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    // Nobody waits any more for what comes too late.
    if let Some(work) = begin(Box::new(move || drop(sender.send(work())))) {
        work();
    }
    receiver.await.expect("the thread beside did not panic")
}

/// A write that may block; one that does is an error like any other.
///
/// # Errors
///
/// What the write says, or that it did not end, or could not begin.
pub fn write(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    written(work, || Ok(false))
}

/// A write to what is open already: a file takes it here where the system has no thread left.
///
/// # Errors
///
/// As of [`write()`].
pub fn write_to(place: &impl Open, work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    written(work, || Ok(same(place)?.metadata()?.is_file()))
}

/// `may_be_here`: whether it cannot block, and so may be done here.
fn written(
    work: impl FnOnce() -> io::Result<()> + Send + 'static,
    may_be_here: impl FnOnce() -> io::Result<bool>,
) -> io::Result<()> {
    let (result, left) = begun(work);
    match left {
        None => {}
        Some(work) if may_be_here()? => work(),
        Some(_) => return Err(io::Error::other("the system has no thread left, and it may block")),
    }
    let stuck = || io::Error::new(io::ErrorKind::TimedOut, "nobody reads what was written there");
    result.recv_timeout(WRITE).unwrap_or_else(|_| Err(stuck()))
}

/// What is open there, as a file.
fn same(place: &impl Open) -> io::Result<File> {
    #[cfg(unix)]
    let own = place.as_fd().try_clone_to_owned()?;
    #[cfg(windows)]
    let own = place.as_handle().try_clone_to_owned()?;
    Ok(File::from(own))
}

type Work = Box<dyn FnOnce() + Send>;

/// Begins it, and says where its result comes; gives it back as [`begin`] does.
fn begun<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> (Receiver<T>, Option<Work>) {
    let (sender, receiver) = mpsc::channel();
    (receiver, begin(Box::new(move || drop(sender.send(work())))))
}

/// Begins it in a thread of its own, or gives it back where the system has none left: a container may bound them.
fn begin(work: Work) -> Option<Work> {
    let (sender, receiver) = mpsc::channel::<Work>();
    match thread::Builder::new().spawn(move || receiver.into_iter().for_each(|work| work())) {
        Ok(_) => sender.send(work).err().map(|unsent| unsent.0),
        Err(_) => Some(work),
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
