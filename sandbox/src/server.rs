//! Requests in, answers out: the decisions of the pod, put on the wire.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use futures_util::stream;

use crate::answer::Answer;
use crate::clock::Clock;
use crate::desk::{Desk, Received, brings_file};
use crate::fault::Fault;
use crate::parcel::Parcel;
use crate::wire::{Door, Line, Trouble};

/// More than any submit.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// Serves until the runtime ends.
pub(crate) async fn serve(door: Door, desk: Arc<Desk>) -> io::Result<()> {
    // One handler for every path: a router would decode the paths whose encoding is what matters.
    let app = Router::new().fallback(answer).with_state(desk);
    axum::serve(door, app.into_make_service_with_connect_info::<Line>()).await
}

async fn answer(State(desk): State<Arc<Desk>>, ConnectInfo(line): ConnectInfo<Line>, request: HttpRequest) -> Response {
    let (parts, body) = request.into_parts();
    let body = if !brings_file(&parts) {
        match to_bytes(body, LARGEST_BODY).await {
            Ok(bytes) => Received::Bytes(bytes),
            Err(_) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        }
    } else if parts.headers.contains_key(header::CONTENT_LENGTH) {
        Received::File(Parcel::read(body, desk.next_break()).await)
    } else {
        // Not documented; that a service wants to know how much is to come before it takes a gigabyte is likely.
        return StatusCode::LENGTH_REQUIRED.into_response();
    };
    match desk.decide(&line, &parts, &body) {
        Ok(answer) => {
            tokio::time::sleep(answer.delay).await;
            commit(&line, answer, desk.clock).await
        }
        // The log cannot be written: say so to whoever runs the test.
        Err(error) => (StatusCode::INSUFFICIENT_STORAGE, error.to_string()).into_response(),
    }
}

/// Arranges the fault, if any, and hands the answer over to the wire.
async fn commit(line: &Line, answer: Answer, clock: Clock) -> Response {
    let trouble = match answer.fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::ResetBefore | Fault::ResetAfter) => Trouble::Reset,
        Some(Fault::HalfHead) => Trouble::HalfHead,
        Some(Fault::HalfBody) => Trouble::PartOfBody(answer.body.len() / 2),
        Some(Fault::Trickle) => Trouble::Trickle,
        Some(Fault::Unframed) => Trouble::Unframed,
        Some(Fault::Stall | Fault::Endless) | None => Trouble::None,
    };
    line.arrange(trouble);
    response(answer, clock.now())
}

fn response(answer: Answer, now: SystemTime) -> Response {
    let length = answer.body.len() as u64 + answer.padding;
    let is_last = answer.fault == Some(Fault::Unframed);
    let (body, length) = match answer.fault {
        Some(Fault::Endless) => (endless(answer.body), None),
        Some(Fault::Stall) => (stalled(answer.body, answer.cut_after), Some(length)),
        _ if answer.padding > 0 || answer.cut_after.is_some() => {
            (padded(answer.body, answer.padding, answer.padded, answer.cut_after), Some(length))
        }
        _ => (Body::from(answer.body), None),
    };
    let mut response = Response::new(body);
    response.headers_mut().extend(length.map(|length| (header::CONTENT_LENGTH, length.into())));
    *response.status_mut() = StatusCode::from_u16(answer.http).unwrap_or_default();
    let content_type = HeaderValue::try_from(answer.content_type);
    let content_type = content_type.ok().map(|value| (header::CONTENT_TYPE, value));
    response.headers_mut().extend(content_type);
    response.headers_mut().extend(is_last.then_some((header::CONNECTION, HeaderValue::from_static("close"))));
    let date = HeaderValue::try_from(httpdate::fmt_http_date(now));
    response.headers_mut().extend(date.ok().map(|date| (header::DATE, date)));
    let headers = answer.headers.into_iter().filter_map(|(name, value)| Some((name, value.at(now)?)));
    response.headers_mut().extend(headers);
    response
}

/// The body and then spaces, which JSON allows, for ever; no faster than a client can be expected to throw them away.
fn endless(body: Vec<u8>) -> Body {
    let spaces = stream::repeat(()).then(|()| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        vec![b' '; 16 * 1024]
    });
    let chunks = stream::once(std::future::ready(body)).chain(spaces);
    Body::from_stream(chunks.map(Ok::<_, io::Error>))
}

/// A part of the body, or half of it, and then nothing.
fn stalled(mut body: Vec<u8>, part: Option<u64>) -> Body {
    let part = part.and_then(|part| usize::try_from(part).ok());
    body.truncate(part.unwrap_or(body.len() / 2));
    let half = stream::once(std::future::ready(Ok::<_, io::Error>(body)));
    Body::from_stream(half.chain(stream::pending()))
}

/// The body, then blank lines, made as they go out, from a place within them on. They are long, so that a client has few
/// of them to look at. After `cut` bytes of all that the connection ends.
fn padded(mut body: Vec<u8>, padding: u64, from: u64, cut: Option<u64>) -> Body {
    const PIECE: u64 = 64 * 1024;
    let most = cut.unwrap_or(u64::MAX);
    let end = from + padding.min(most.saturating_sub(body.len() as u64));
    body.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    let pieces = (from / PIECE..end.div_ceil(PIECE)).map(move |n| {
        let within = |place: u64| usize::try_from(place.clamp(n * PIECE, (n + 1) * PIECE) - n * PIECE).unwrap_or(0);
        let blank = " ".repeat(64 * 1024 - 1) + "\n";
        blank.as_bytes()[within(from)..within(end)].to_vec()
    });
    let sent = stream::iter(std::iter::once(body).chain(pieces).map(Ok));
    if cut.is_none() {
        return Body::from_stream(sent);
    }
    // What was handed over goes out while the stream has nothing more; then it ends in an error, and so the connection.
    let broken = stream::once(async {
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    Body::from_stream(sent.chain(broken))
}
