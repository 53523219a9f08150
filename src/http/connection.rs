//! One connection's whole life: plain requests as long as there are only such, then hyper. How it ends is its caller's
//! business: there is nobody here to tell. Started by `edge`.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::edge::Counted;
use super::ocsp::{Door, Guest, Later};
use super::plain::{Plain, recognise};
use super::replies::After;
use super::watch::{Phase, Watch, Word};
use super::wire::{Protocol, Wire};

/// What comes after plain requests.
enum Next {
    /// Nothing: the connection has ended.
    End,
    /// Something for hyper.
    Other(Protocol),
}

/// Serves a connection to its end.
pub(super) async fn converse(mut wire: Wire, guest: Guest, door: Arc<Door>, _counted: Counted) {
    let watch = guest.watch.clone();
    let plainly = attended(&watch, plainly(&mut wire, &guest, &door), Word::Leave, |_| {}).await;
    let Some(Ok(Next::Other(protocol))) = plainly else { return };
    let guest = Arc::new(guest);
    let service = service_fn(move |request| {
        let (door, guest) = (door.clone(), guest.clone());
        async move { Ok::<_, Infallible>(door.answer(&guest, request).await) }
    });
    match protocol {
        Protocol::Http1 => {
            let connection = http1::Builder::new()
                .max_buf_size(HEADER_OCTETS_MAX)
                .max_headers(HEADERS_MAX)
                // Who has asked for a file and says no more is still sent it.
                .half_close(true)
                .serve_connection(TokioIo::new(wire), service);
            attended(&watch, connection, Word::Finish, |connection| connection.graceful_shutdown()).await;
        }
        Protocol::Http2 => {
            let connection = http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(STREAMS_MAX)
                .max_header_list_size(HEADER_LIST_MAX)
                .serve_connection(TokioIo::new(wire), service);
            // It takes requests until the client has heard of it (GOAWAY, RFC 9113 §6.8).
            attended(&watch, connection, Word::Retire, |connection| connection.graceful_shutdown()).await;
        }
    }
}

/// Answers plain requests until something else comes, or nothing more.
async fn plainly(wire: &mut Wire, guest: &Guest, door: &Door) -> io::Result<Next> {
    let mut out = Vec::new();
    let mut looked = 0;
    let mut served = false;
    loop {
        if wire.octets().len() == looked {
            // Everything that is there was looked at: what was answered goes out before anything else is waited for.
            if !out.is_empty() {
                wire.write(&out).await?;
                out.clear();
            }
            // Who has just come has a request on its way.
            let between = served && wire.octets().is_empty();
            let came = if between { more_unless_finished(wire, &guest.watch).await? } else { wire.more().await? };
            if came == 0 {
                return Ok(Next::End);
            }
        }
        match wire.protocol() {
            Some(Protocol::Http2) => return Ok(Next::Other(Protocol::Http2)),
            Some(Protocol::Http1) => {}
            // The beginning of its preface: nothing of HTTP/1 begins so.
            None => {
                looked = wire.octets().len();
                continue;
            }
        }
        match recognise(wire.octets()) {
            begun @ (Plain::Begun | Plain::Awaited) => {
                if begun == Plain::Awaited {
                    guest.watch.enter(Phase::Body, &door.ticks);
                }
                // A second look at the same beginning would be a third and a fourth: whoever sends in drops is hyper's.
                if looked > 0 {
                    return hand_on(wire, &out).await;
                }
                looked = wire.octets().len();
            }
            Plain::Other => return hand_on(wire, &out).await,
            Plain::Request(mut plain, length) => {
                guest.watch.enter(Phase::Busy, &door.ticks);
                let asked_to_stay = plain.after == After::Keep;
                if door.is_retiring() && length == wire.octets().len() {
                    plain.after = After::Close;
                }
                let after = match door.answer_plain(guest.origin, &plain, &mut out) {
                    Ok(after) => after,
                    Err(Later::File) => return hand_on(wire, &out).await,
                    Err(Later::Signed(waiting)) => door.finish_plain(waiting, &plain, &mut out).await,
                };
                guest.watch.enter(Phase::Idle, &door.ticks);
                wire.take(length);
                (looked, served) = (0, true);
                if after == After::Close {
                    wire.write(&out).await?;
                    if asked_to_stay {
                        part(wire, &guest.watch).await?;
                    }
                    return Ok(Next::End);
                }
            }
        }
    }
}

/// Reads on between two requests; none came if it was told to finish.
async fn more_unless_finished(wire: &mut Wire, watch: &Watch) -> io::Result<usize> {
    let mut more = pin!(wire.more());
    let came = poll_fn(|context| match more.as_mut().poll(context) {
        Poll::Pending if watch.word() >= Word::Finish => Poll::Ready(Ok(0)),
        polled => polled,
    });
    came.await
}

/// Waits until the other side has gone, too. It may send on before it has read that the answer was the last; a socket that
/// is closed with octets unread takes back what was written (RFC 9112 §9.6).
async fn part(wire: &mut Wire, watch: &Watch) -> io::Result<()> {
    wire.end_writing().await?;
    while more_unless_finished(wire, watch).await? > 0 {
        wire.take(wire.octets().len());
    }
    Ok(())
}

async fn hand_on(wire: &mut Wire, out: &[u8]) -> io::Result<Next> {
    wire.write(out).await?;
    Ok(Next::Other(Protocol::Http1))
}

/// Runs a connection until it ends or is told to leave; `finish` is called when it is told that word, or a stronger one.
async fn attended<F: Future>(watch: &Watch, future: F, at: Word, finish: impl Fn(Pin<&mut F>)) -> Option<F::Output> {
    let mut future = pin!(future);
    let (mut attends, mut finishing) = (false, false);
    poll_fn(|context| {
        if !attends {
            watch.attend(context.waker());
            attends = true;
        }
        let word = watch.word();
        if word == Word::Leave {
            return Poll::Ready(None);
        }
        let polled = future.as_mut().poll(context);
        if word >= at && polled.is_pending() && !finishing {
            // Polled before, so that a request that has come is seen: hyper ends a connection that it has not looked at yet.
            finish(future.as_mut());
            finishing = true;
            return future.as_mut().poll(context).map(Some);
        }
        polled.map(Some)
    })
    .await
}

/// A GET of the longest request that strangers may send, in base64 with every octet escaped, is longer; no client does that.
pub(super) const HEADER_OCTETS_MAX: usize = 64 * 1_024;
pub(super) const HEADERS_MAX: usize = 64;
const HEADER_LIST_MAX: u32 = 64 * 1_024;
/// Requests at once over one connection.
const STREAMS_MAX: u32 = 128;
