//! A connection's octets: a socket with its watch, and what was read from it before anybody knew the protocol.
//!
//! Made by `edge` for each connection, driven by hyper.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
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
    pub fn new(stream: TcpStream, first: Vec<u8>, watch: Arc<Watch>, ticks: Arc<Ticks>) -> Self {
        Self { stream, watch, ticks, first, protocol: Protocol::Http1 }
    }

    /// What was read and not taken yet.
    pub fn octets(&self) -> &[u8] {
        &self.first
    }

    /// The first of them are done with.
    pub fn take(&mut self, count: usize) {
        self.first.drain(..count);
    }

    /// Reads some more octets behind those that were not taken yet; whoever reads next gets all of them. None came: the
    /// other side is done.
    pub async fn more(&mut self) -> io::Result<usize> {
        self.first.reserve(READ_OCTETS);
        let count = self.stream.read_buf(&mut self.first).await?;
        if count > 0 {
            self.watch.octets_came(&self.ticks);
        }
        Ok(count)
    }

    /// Writes all of it.
    pub async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await
    }

    /// Tells the other side that nothing more comes.
    pub async fn end_writing(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// So many octets were taken; with HTTP/1 they are of the file that is being sent, if any is.
    fn wrote(&self, octets: usize) -> usize {
        if self.protocol == Protocol::Http1 && octets > 0 {
            self.watch.sends_on(&self.ticks);
        }
        octets
    }

    /// Which protocol the octets begin; none: too few to tell.
    pub fn protocol(&mut self) -> Option<Protocol> {
        let common = self.first.len().min(PREFACE.len());
        if self.first[..common] != PREFACE[..common] {
            return Some(Protocol::Http1);
        }
        if common < PREFACE.len() {
            return None;
        }
        self.protocol = Protocol::Http2;
        Some(Protocol::Http2)
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
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, octets))?;
        Poll::Ready(Ok(self.wrote(written)))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, pieces))?;
        Poll::Ready(Ok(self.wrote(written)))
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
/// What most requests fit into.
const READ_OCTETS: usize = 1_024;
