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
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::Semaphore;

use super::admin::Admin;

/// Answers on a bound socket until `stop` comes; then lets open requests end, for a bounded time.
pub async fn serve(socket: TcpListener, admin: Admin, stop: impl Future<Output = ()>) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let socket = tokio::net::TcpListener::from_std(socket)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let open = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        // A place first, then a connection: who finds none waits in the kernel's queue, not in this program's memory.
        let accepted = async {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (place, socket.accept().await)
        };
        let (place, stream) = tokio::select! {
            () = &mut stop => break,
            (place, accepted) = accepted => match accepted {
                Ok((stream, _)) => (place, stream),
                Err(_) => {
                    // Out of descriptors, or a caller that has gone again: neither gets better by hurrying.
                    drop(place);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let admin = admin.clone();
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
        let connection = open.watch(connection);
        tokio::spawn(async move {
            // How a connection ends is its caller's business: there is nobody here to tell.
            let _ = tokio::time::timeout(CONNECTION_TIME_MAX, connection).await;
            drop(place);
        });
    }
    drop(socket);
    let _ = tokio::time::timeout(FAREWELL_TIME_MAX, open.shutdown()).await;
    Ok(())
}

/// Far above what probes and a first look need; bounds memory together with the next.
const CONNECTIONS_MAX: usize = 1_024;
/// hyper's smallest; a probe's header has a hundred octets.
const HEADER_OCTETS_MAX: usize = 8 * 1024;
const HEADERS_MAX: usize = 64;
/// Whoever sends a header more slowly holds a place on purpose.
const HEADER_TIME_MAX: Duration = Duration::from_secs(10);
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(120);
/// Within this, who sent us SIGTERM hasn't lost patience yet.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(2);
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
