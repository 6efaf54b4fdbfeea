//! A file that is saved as it comes in: beside its place until it is whole, so that a half file never has its name.
//!
//! A disk may take its time, and one over a network for ever. So all of it is done in a thread of its own, a few pieces
//! ahead of which the transfer waits.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, mpsc as std_mpsc};
use std::time::Duration;

use ring::digest::{Context, SHA256};
use tokio::sync::{mpsc, oneshot};

use crate::bounded;
use crate::durable::{Part, Readers};

/// How many pieces may wait for the disk. The largest is some 400 KB, as much as is read from a connection at once.
const AHEAD: usize = 2;

/// How long the thread has to clean up after a transfer that was given up; everything else waits meanwhile.
const CLEANING: Duration = Duration::from_millis(100);

/// A file that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Where it lies on this machine.
    pub path: PathBuf,
    /// Its size, in bytes.
    pub bytes: u64,
    /// The SHA-256 of what was received, in hexadecimal.
    pub sha256: String,
}

/// What the thread is to do next.
enum Work {
    /// The file begins; what came before is void.
    Start,
    Bytes(Vec<u8>),
    /// The file is whole.
    Finish,
}

/// A file on its way to its place. One that is dropped before it is whole leaves nothing behind.
pub(super) struct Store {
    /// Where it lies meanwhile, once that is known.
    part: Arc<OnceLock<PathBuf>>,
    work: Option<mpsc::Sender<Work>>,
    /// What became of it; none once that was told.
    end: Option<oneshot::Receiver<io::Result<Option<Saved>>>>,
    /// Closed when the thread has ended.
    gone: std_mpsc::Receiver<()>,
}

impl Store {
    /// Begins a file at this place.
    pub(super) fn begin(path: PathBuf) -> Self {
        let (work, orders) = mpsc::channel(AHEAD);
        let (ended, end) = oneshot::channel();
        let (alive, gone) = std_mpsc::channel::<()>();
        let part = Arc::<OnceLock<PathBuf>>::default();
        let place = Arc::clone(&part);
        std::thread::spawn(move || {
            let kept = keep(&path, &place, orders);
            // Nobody waits any more for what was given up.
            let _ = ended.send(kept);
            drop(alive);
        });
        Self { part, work: Some(work), end: Some(end), gone }
    }

    /// The file begins; what came before is void.
    ///
    /// # Errors
    ///
    /// What the system says of an earlier piece.
    pub(super) async fn start(&mut self) -> io::Result<()> {
        self.order(Work::Start).await
    }

    /// The next bytes.
    ///
    /// # Errors
    ///
    /// What the system says of an earlier piece.
    pub(super) async fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.order(Work::Bytes(bytes.to_vec())).await
    }

    /// Puts the whole file into its place, once it is on the disk.
    ///
    /// # Errors
    ///
    /// What the system says; there is no such file then, or the one that was there before.
    pub(super) async fn finish(mut self) -> io::Result<Saved> {
        self.order(Work::Finish).await?;
        let fetched = self.ended().await?;
        self.work = None;
        Ok(fetched)
    }

    async fn order(&mut self, work: Work) -> io::Result<()> {
        let sent = match &self.work {
            Some(orders) => orders.send(work).await.is_ok(),
            None => false,
        };
        if sent { Ok(()) } else { Err(self.ended().await.err().unwrap_or_else(broke_off)) }
    }

    async fn ended(&mut self) -> io::Result<Saved> {
        let end = self.end.take().ok_or_else(broke_off)?;
        end.await.map_err(|_| broke_off())??.ok_or_else(broke_off)
    }
}

fn broke_off() -> io::Error {
    io::Error::other("the write broke off")
}

impl Drop for Store {
    fn drop(&mut self) {
        let Some(orders) = self.work.take() else { return };
        drop(orders);
        if self.gone.recv_timeout(CLEANING) == Err(std_mpsc::RecvTimeoutError::Timeout) {
            // The thread is in the middle of something: what it has no file for any more, it cannot put into its place.
            let part = Arc::clone(&self.part);
            let _ = bounded::within(CLEANING, move || part.get().map(fs::remove_file));
        }
    }
}

/// Takes orders until the file is in its place; none where it was given up.
fn keep(path: &Path, place: &OnceLock<PathBuf>, orders: mpsc::Receiver<Work>) -> io::Result<Option<Saved>> {
    let mut part = Part::beside(path, Readers::AsBefore)?;
    let _ = place.set(part.path().to_owned());
    let kept = fill(path, &mut part, orders);
    if !matches!(kept, Ok(Some(_))) {
        part.discard();
    }
    kept
}

fn fill(path: &Path, part: &mut Part, mut orders: mpsc::Receiver<Work>) -> io::Result<Option<Saved>> {
    let mut digest = Context::new(&SHA256);
    let mut bytes = 0;
    while let Some(work) = orders.blocking_recv() {
        match work {
            Work::Start => {
                empty(part.file())?;
                (digest, bytes) = (Context::new(&SHA256), 0);
            }
            Work::Bytes(piece) => {
                part.file().write_all(&piece)?;
                digest.update(&piece);
                bytes += piece.len() as u64;
            }
            Work::Finish => {
                part.put(path)?;
                let sha256 =
                    digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
                return Ok(Some(Saved { path: path.to_owned(), bytes, sha256 }));
            }
        }
    }
    Ok(None)
}

fn empty(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[tokio::test]
    async fn a_file_has_its_name_once_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        fs::write(&path, "old").unwrap();
        let mut store = Store::begin(path.clone());
        store.start().await.unwrap();
        store.push(b"void").await.unwrap();
        store.start().await.unwrap();
        store.push(b"ab").await.unwrap();
        store.push(b"c").await.unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let fetched = store.finish().await.unwrap();
        // The example of FIPS 180-4.
        assert_eq!(fetched.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((fetched.bytes, fetched.path), (3, path.clone()));
        assert_eq!((fs::read(&path).unwrap(), names(dir.path())), (b"abc".to_vec(), vec!["x.log".to_owned()]));
    }

    #[tokio::test]
    async fn a_file_that_is_given_up_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.log");
        fs::write(&path, "old").unwrap();
        let mut store = Store::begin(path.clone());
        store.push(b"half").await.unwrap();
        drop(store);
        assert_eq!((fs::read(&path).unwrap(), names(dir.path())), (b"old".to_vec(), vec!["x.log".to_owned()]));
    }

    #[tokio::test]
    async fn what_the_system_says_is_told_at_the_end_at_the_latest() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::begin(dir.path().join("none/x.log"));
        let error = match store.push(b"a").await {
            Ok(()) => store.finish().await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        fs::create_dir(dir.path().join("x.log")).unwrap();
        let mut store = Store::begin(dir.path().join("x.log"));
        store.push(b"a").await.unwrap();
        assert!(store.finish().await.is_err());
        assert_eq!(names(dir.path()), ["x.log"]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_in_the_way_is_replaced_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        fs::write(&outside, "theirs").unwrap();
        let path = dir.path().join("x.log");
        for link in [path.clone(), crate::durable::beside(&path, "part")] {
            std::os::unix::fs::symlink(&outside, link).unwrap();
        }
        let mut store = Store::begin(path.clone());
        store.push(b"ours").await.unwrap();
        store.finish().await.unwrap();
        assert_eq!((fs::read(&outside).unwrap(), fs::read(&path).unwrap()), (b"theirs".to_vec(), b"ours".to_vec()));
        assert!(!path.is_symlink());
    }
}
