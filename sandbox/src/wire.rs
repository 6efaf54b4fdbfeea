//! The TCP layer beneath HTTP, which commits what an HTTP server refuses to: resets and halves.

mod stream;

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;

use stream::Stream;

use crate::fault::Reception;

/// What befalls the bytes of the answer that comes next.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Trouble {
    #[default]
    None,
    /// No byte goes out.
    Reset,
    /// Half of the head goes out, then a reset.
    HalfHead,
    /// The head and so much of the body goes out, then a reset.
    PartOfBody(usize),
    /// A byte a second goes out.
    Trickle,
    /// The head goes out without its length.
    Unframed,
}

/// One connection, as the handler of its requests knows it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Counted from 1.
    pub(crate) number: u64,
    trouble: Arc<Mutex<Trouble>>,
    open: Arc<AtomicUsize>,
}

impl Line {
    /// How many connections are open, this one among them.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn arrange(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn trouble(&self) -> Trouble {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where connections come in, counted.
pub(crate) struct Door {
    listener: TcpListener,
    receptions: Vec<Reception>,
    tls: Option<TlsAcceptor>,
    accepted: u64,
    open: Arc<AtomicUsize>,
}

impl Door {
    /// Receives each connection as the next of `receptions` says, and all others as the last of them.
    pub(crate) fn new(listener: TcpListener, receptions: Vec<Reception>, tls: Option<TlsAcceptor>) -> Self {
        Self { listener, receptions, tls, accepted: 0, open: Arc::default() }
    }

    fn line(&mut self) -> (Line, Reception) {
        let index = usize::try_from(self.accepted).unwrap_or(usize::MAX);
        let reception = self.receptions.get(index).or(self.receptions.last()).copied().unwrap_or_default();
        self.accepted += 1;
        let open = Arc::clone(&self.open);
        (Line { number: self.accepted, trouble: Arc::default(), open }, reception)
    }
}

/// Ends a connection whose request, or whose handshake, has arrived and was not read. Sooner, and the client might not
/// even have connected.
async fn turn_away(stream: TcpStream) {
    let _ = stream.peek(&mut [0]).await;
    let _ = stream.set_zero_linger();
}

impl Listener for Door {
    type Io = Wire;
    type Addr = Line;

    async fn accept(&mut self) -> (Wire, Line) {
        loop {
            // An error here is that of a client which is gone, or of too many open files: both pass.
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            match self.line() {
                (line, Reception::Open) => {
                    return (Wire::new(Stream::new(stream, self.tls.as_ref()), line.clone()), line);
                }
                (_, Reception::Reset) => drop(tokio::spawn(turn_away(stream))),
            }
        }
    }

    fn local_addr(&self) -> io::Result<Line> {
        Err(ErrorKind::Unsupported.into())
    }
}

impl Connected<IncomingStream<'_, Door>> for Line {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A stream whose writing side obeys its [`Line`].
pub(crate) struct Wire {
    stream: Stream,
    line: Line,
    held: Vec<u8>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    fn new(stream: Stream, line: Line) -> Self {
        line.open.fetch_add(1, Ordering::Relaxed);
        Self { stream, line, held: Vec::new(), pause: None }
    }

    /// Ends the connection with a RST: what the close of a socket sends that lingers for no time.
    fn reset(&self) -> Poll<io::Result<usize>> {
        let _ = self.stream.tcp().map(TcpStream::set_zero_linger);
        Poll::Ready(Err(ErrorKind::ConnectionReset.into()))
    }

    /// Holds bytes back until there are as many as may go out. An answer is smaller than the socket's buffer, or the
    /// cut comes a little earlier.
    fn cut(&mut self, cx: &mut Context<'_>, bytes: &[u8], trouble: Trouble) -> Poll<io::Result<usize>> {
        self.held.extend_from_slice(bytes);
        match allowed(trouble, &self.held) {
            Some(allowed) if allowed <= self.held.len() => {
                let _ = Pin::new(&mut self.stream).poll_write(cx, &self.held[..allowed]);
                let _ = Pin::new(&mut self.stream).poll_flush(cx);
                self.reset()
            }
            _ => Poll::Ready(Ok(bytes.len())),
        }
    }

    /// Leaves the length out of the head, which comes as a whole.
    fn unframe(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.line.arrange(Trouble::None);
        let _ = Pin::new(&mut self.stream).poll_write(cx, &without_length(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn trickle(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
        }
        self.pause = Some(Box::pin(tokio::time::sleep(Duration::from_secs(1))));
        let one = bytes.len().min(1);
        Pin::new(&mut self.stream).poll_write(cx, &bytes[..one])
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.line.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.line.trouble() {
            Trouble::None => Pin::new(&mut self.stream).poll_write(cx, bytes),
            Trouble::Reset => self.reset(),
            Trouble::Trickle => self.trickle(cx, bytes),
            Trouble::Unframed => self.unframe(cx, bytes),
            cut @ (Trouble::HalfHead | Trouble::PartOfBody(_)) => self.cut(cx, bytes, cut),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// An answer whose head does not tell how long it is.
fn without_length(answer: &[u8]) -> Vec<u8> {
    const NAME: &[u8] = b"content-length:";
    let mut is_head = true;
    let lines = answer.split_inclusive(|byte| *byte == b'\n').filter(|line| {
        is_head &= *line != b"\r\n";
        let is_length = line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME));
        !(is_head && is_length)
    });
    lines.collect::<Vec<_>>().concat()
}

/// How much of an answer that begins so may go out, once its head is complete.
fn allowed(trouble: Trouble, held: &[u8]) -> Option<usize> {
    let end = held.windows(4).position(|window| window == b"\r\n\r\n")?;
    match trouble {
        Trouble::HalfHead => Some(end / 2),
        Trouble::PartOfBody(bytes) => Some(end + 4 + bytes),
        Trouble::None | Trouble::Reset | Trouble::Trickle | Trouble::Unframed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Trouble, allowed, without_length};

    #[test]
    fn the_length_is_left_out_of_the_head_alone() {
        let (head, body) = ("HTTP/1.1 200 OK\r\nContent-Length: 18\r\na: b\r\n\r\n", "content-length: 1\n");
        let left = without_length([head, body].concat().as_bytes());
        assert_eq!(left, b"HTTP/1.1 200 OK\r\na: b\r\n\r\ncontent-length: 1\n");
    }

    #[test]
    fn a_cut_waits_for_the_head_to_be_complete() {
        let whole = b"HTTP/1.1 200 OK\r\n\r\n{\"a\": 1}";
        for (held, trouble, bytes) in [
            (&whole[..17], Trouble::HalfHead, None),
            (&whole[..], Trouble::HalfHead, Some(7)),
            (&whole[..], Trouble::PartOfBody(4), Some(23)),
            (&whole[..19], Trouble::PartOfBody(4), Some(23)),
        ] {
            assert_eq!(allowed(trouble, held), bytes, "{trouble:?}");
        }
    }
}
