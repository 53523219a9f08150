//! A connection's octets: a socket with its watch, and what was read from it before anybody knew the protocol.
//!
//! Made by `edge` for each connection, driven by hyper.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::watch::{Phase, Ticks, Watch};

/// A connection's two directions.
pub(super) struct Wire {
    stream: TcpStream,
    watch: Arc<Watch>,
    ticks: Arc<Ticks>,
    /// Read already, to be read again.
    first: Vec<u8>,
    protocol: Protocol,
}

/// What is spoken over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    /// Frames come and go without a request; only silence is idleness.
    Http2,
}

impl Wire {
    pub fn new(stream: TcpStream, watch: Arc<Watch>, ticks: Arc<Ticks>) -> Self {
        Self { stream, watch, ticks, first: Vec::new(), protocol: Protocol::Http1 }
    }

    /// Reads what comes first, and says whether that begins HTTP/2 by prior knowledge (RFC 9113 §3.4). It is read again by
    /// whoever reads next. An error, or nothing at all: there is nobody to talk to.
    pub async fn protocol(&mut self) -> io::Result<Protocol> {
        use tokio::io::AsyncReadExt as _;
        let mut first = Vec::with_capacity(FIRST_OCTETS);
        loop {
            if self.stream.read_buf(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.watch.octets_came(&self.ticks);
            let common = first.len().min(PREFACE.len());
            if first[..common] != PREFACE[..common] || common == PREFACE.len() {
                if first.starts_with(PREFACE) {
                    self.protocol = Protocol::Http2;
                }
                self.first = first;
                return Ok(self.protocol);
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.first.is_empty() {
            let fits = self.first.len().min(buf.remaining());
            buf.put_slice(&self.first[..fits]);
            self.first.drain(..fits);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            match self.protocol {
                Protocol::Http1 => self.watch.octets_came(&self.ticks),
                Protocol::Http2 => self.watch.enter(Phase::Idle, &self.ticks),
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket keeps nothing back.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Closing the socket, which follows at once, says the same: one call to the system less for each connection.
        Poll::Ready(Ok(()))
    }
}

/// The client's half of HTTP/2's connection preface.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// What most requests fit into, header and body.
const FIRST_OCTETS: usize = 1_024;
