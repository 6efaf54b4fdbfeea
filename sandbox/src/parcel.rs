//! A file that comes in: its size and its hash, and its bytes as long as they are few.

use axum::body::Body;
use futures_util::StreamExt as _;
use ring::digest::{Context, SHA256};

use crate::scenario::Break;

/// The most that is kept of a file, in bytes.
const LARGEST_KEPT: usize = 16 * 1024 * 1024;

/// A file, as a whole or as far as it came.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) size: u64,
    pub(crate) sha256: String,
    /// None where there are too many.
    pub(crate) bytes: Option<Vec<u8>>,
    /// How the scenario had it end, before its end.
    pub(crate) broken: Option<Break>,
    /// Whether it came to its end.
    pub(crate) is_whole: bool,
}

impl Parcel {
    /// A file that is there.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut reader = Reader::new();
        reader.push(bytes);
        reader.finish(None, true)
    }

    /// Reads a file that comes in, to its end or to where the scenario breaks it.
    pub(crate) async fn read(body: Body, breaks: Option<Break>) -> Self {
        let mut reader = Reader::new();
        let mut pieces = body.into_data_stream();
        loop {
            if let Some(broken) = breaks.filter(|broken| reader.size >= broken.after) {
                return reader.finish(Some(broken), false);
            }
            match pieces.next().await {
                Some(Ok(piece)) => reader.push(&piece[..piece.len().min(room(breaks, reader.size))]),
                // The client is gone.
                Some(Err(_)) => return reader.finish(Some(Break::GONE), false),
                None => return reader.finish(None, true),
            }
        }
    }
}

/// How much more of it is read.
fn room(breaks: Option<Break>, size: u64) -> usize {
    breaks.map_or(usize::MAX, |broken| usize::try_from(broken.after - size).unwrap_or(usize::MAX))
}

struct Reader {
    size: u64,
    digest: Context,
    bytes: Option<Vec<u8>>,
}

impl Reader {
    fn new() -> Self {
        Self { size: 0, digest: Context::new(&SHA256), bytes: Some(Vec::new()) }
    }

    fn push(&mut self, piece: &[u8]) {
        self.size += piece.len() as u64;
        self.digest.update(piece);
        self.bytes = self.bytes.take().filter(|bytes| bytes.len() + piece.len() <= LARGEST_KEPT);
        self.bytes.iter_mut().for_each(|bytes| bytes.extend_from_slice(piece));
    }

    fn finish(self, broken: Option<Break>, is_whole: bool) -> Parcel {
        let hash = self.digest.finish();
        let sha256 = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        Parcel { size: self.size, sha256, bytes: self.bytes, broken, is_whole }
    }
}
