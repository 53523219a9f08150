//! The admin listener: connections within limits, each with its time. Run by `app` on its runtime until it is told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::admin::Admin;
use super::sockets::Ending;

/// Answers on a bound socket until `stop` says how it ends; then lets open requests end, for a bounded time.
pub async fn serve(socket: TcpListener, admin: Admin, stop: impl Future<Output = Ending>) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let socket = tokio::net::TcpListener::from_std(socket)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    let (end, ending) = watch::channel(());
    let mut stop = std::pin::pin!(stop);
    let stopped = loop {
        // A place first, then a connection: who finds none waits in the kernel's queue, not in this program's memory.
        let accepted = async {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (place, socket.accept().await)
        };
        tokio::select! {
            biased;
            stopped = &mut stop => break stopped,
            (place, accepted) = accepted => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(converse(stream, admin.clone(), place, ending.clone()))),
                Err(_) => {
                    // Out of descriptors, or a caller that has gone again: neither gets better by hurrying.
                    drop(place);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    };
    let socket = socket.into_std()?;
    // A closed socket resets whoever waits to be accepted, unless a successor has it, too.
    while stopped != Ending::Succeeded
        && let Ok(place) = places.clone().try_acquire_owned()
        && let Ok((stream, _)) = socket.accept()
    {
        stream.set_nonblocking(true)?;
        tokio::spawn(converse(TcpStream::from_std(stream)?, admin.clone(), place, ending.clone()));
    }
    drop(socket);
    drop(end);
    // All places are free when everybody has gone.
    let _ = tokio::time::timeout(FAREWELL_TIME_MAX, places.acquire_many(CONNECTIONS_MAX)).await;
    Ok(())
}

/// One connection's whole life. How it ends is its caller's business: there is nobody here to tell.
async fn converse(stream: TcpStream, admin: Admin, place: OwnedSemaphorePermit, mut ending: watch::Receiver<()>) {
    // Whoever has just come has a request on its way, and hyper, told to end, ends a connection that it has not read from.
    if !matches!(tokio::time::timeout(HEADER_TIME_MAX, stream.readable()).await, Ok(Ok(()))) {
        return;
    }
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let admin = admin.clone();
        async move { Ok::<_, Infallible>(admin.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME_MAX)
        .max_buf_size(HEADER_OCTETS_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let conversation = async {
        tokio::select! {
            biased;
            // Polled first, so that a request that has come is seen.
            _ = &mut connection => return,
            _ = ending.changed() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    };
    let _ = tokio::time::timeout(CONNECTION_TIME_MAX, conversation).await;
    drop(place);
}

/// Far above what probes and a first look need; bounds memory together with the next.
const CONNECTIONS_MAX: u32 = 1_024;
/// hyper's smallest; a probe's header has a hundred octets.
const HEADER_OCTETS_MAX: usize = 8 * 1024;
const HEADERS_MAX: usize = 64;
/// Whoever sends a header more slowly holds a place on purpose.
const HEADER_TIME_MAX: Duration = Duration::from_secs(10);
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(120);
/// Within this, who sent us SIGTERM hasn't lost patience yet.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(2);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests;
