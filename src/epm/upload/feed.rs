//! A file as the body of a request: read in a thread of its own, a few pieces ahead of the network, and hashed on the
//! way. The last piece is held back until the hash of the whole is the one that was planned, so that a file which was
//! changed meanwhile never arrives as a whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{Notify, mpsc};

use super::super::recording::Tap;
use crate::digest::{Digest, Measured};
use crate::inbox::{self, PIECE, Parcel};

/// How many pieces may wait for the network.
const AHEAD: usize = 2;

/// How much of a file went out, for whoever watches.
#[derive(Clone, Default)]
pub struct Progress(Arc<Moved>);

#[derive(Default)]
struct Moved {
    sent: AtomicU64,
    moved: Notify,
}

impl Progress {
    /// How many bytes went out, in the newest try.
    pub fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Waits for the next piece to go out.
    pub(super) async fn moved(&self) {
        self.0.moved.notified().await;
    }

    fn moves(&self, bytes: usize) {
        self.0.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        self.0.moved.notify_one();
    }
}

/// Why a file stopped short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not what it was.
    Changed,
    /// It cannot be read any more.
    Unreadable(String),
}

/// What reads the file.
pub(super) struct Feed(Arc<OnceLock<Fault>>);

impl Feed {
    /// Begins to read. `tap`: who else takes what goes out.
    pub(super) fn open(parcel: &Parcel, progress: Progress, tap: Option<Arc<Tap>>) -> (Self, reqwest::Body) {
        progress.0.sent.store(0, Ordering::Relaxed);
        let fault = Arc::new(OnceLock::new());
        let (sender, pieces) = mpsc::channel(AHEAD);
        let (told, path, planned) = (Arc::clone(&fault), parcel.local.clone(), parcel.measured.clone());
        std::thread::spawn(move || {
            if let Err(fault) = pour(&path, &planned, &sender, tap.as_deref()) {
                // Before the sender is gone, which is what the other side sees.
                let _ = told.set(fault);
            }
        });
        let stream = Stream { pieces, left: parcel.measured.bytes, progress };
        (Self(fault), reqwest::Body::wrap(stream))
    }

    /// Why it stopped short, if it did.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.0.get().cloned()
    }
}

/// Reads the file and sends its pieces on, to its end or until nobody takes them.
fn pour(path: &Path, planned: &Measured, sender: &mpsc::Sender<Vec<u8>>, tap: Option<&Tap>) -> Result<(), Fault> {
    let mut file = inbox::open(path).map_err(|error| Fault::Unreadable(error.sentence()))?;
    let (mut digest, mut left, mut held) = (Digest::default(), planned.bytes, Vec::new());
    let send = |piece: Vec<u8>| {
        if let Some(tap) = tap {
            tap.push(&piece);
        }
        piece.is_empty() || sender.blocking_send(piece).is_ok()
    };
    loop {
        let piece = read_piece(&mut file).map_err(|error| Fault::Unreadable(error.to_string()))?;
        if piece.is_empty() {
            break;
        }
        left = left.checked_sub(piece.len() as u64).ok_or(Fault::Changed)?;
        digest.push(&piece);
        if !send(std::mem::replace(&mut held, piece)) {
            return Ok(());
        }
    }
    if digest.finish() != *planned {
        return Err(Fault::Changed);
    }
    send(held);
    Ok(())
}

/// The next piece of a file, as long as there is enough of it; nothing at its end.
fn read_piece(file: &mut File) -> io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE);
    file.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

/// The body of the request, of which the length is known.
struct Stream {
    pieces: mpsc::Receiver<Vec<u8>>,
    left: u64,
    progress: Progress,
}

impl Body for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let Some(piece) = ready!(self.pieces.poll_recv(cx)) else {
            return Poll::Ready(Some(Err(io::Error::other("the file stopped short"))));
        };
        self.left = self.left.saturating_sub(piece.len() as u64);
        self.progress.moves(piece.len());
        Poll::Ready(Some(Ok(Frame::data(piece.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes out of a file that was planned as one thing and is another by then.
    fn poured(planned: &[u8], is: Option<&[u8]>) -> (Vec<u8>, Result<(), Fault>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, planned).unwrap();
        let measured = inbox::measure(&path).unwrap();
        match is {
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let (sender, mut pieces) = mpsc::channel(100);
        let end = pour(&path, &measured, &sender, None);
        drop(sender);
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.blocking_recv() {
            bytes.extend(piece);
        }
        (bytes, end)
    }

    #[test]
    fn a_file_that_stayed_the_same_goes_out_as_a_whole() {
        for length in [0, 1, PIECE, 3 * PIECE + 7] {
            let bytes = vec![b'x'; length];
            assert_eq!(poured(&bytes, Some(&bytes)), (bytes.clone(), Ok(())), "{length}");
        }
    }

    #[test]
    fn a_file_that_was_changed_never_goes_out_as_a_whole() {
        let bytes = vec![b'x'; 2 * PIECE];
        let mut other = bytes.clone();
        other[5] = b'y';
        let longer = [&bytes[..], b"z"].concat();
        for is in [&other[..], &longer, &bytes[..PIECE], b""] {
            let (sent, end) = poured(&bytes, Some(is));
            assert_eq!(end, Err(Fault::Changed), "{}", is.len());
            assert!(sent.len() < bytes.len(), "{} of {}", sent.len(), is.len());
        }
        assert!(matches!(poured(&bytes, None), (sent, Err(Fault::Unreadable(_))) if sent.is_empty()));
    }
}
